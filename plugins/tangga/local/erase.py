"""`make erase`, `make erasures`, `make erase-lift`: forgetting a person without Airflow, and looking after requests.

    python -m tangga.local.erase ask [--request ID] | list | lift    [--config tangga.yml] [--home DIRECTORY]

What a person is found by is asked for, never an argument: arguments stand in the shell's history and in `ps`. Exit code
0: done; 1: refused, not done, or overdue; 2: the settings cannot be used; 3: the home is in use.
"""

from __future__ import annotations

import getpass
import sys

from tangga.local import airflow_home, command
from tangga.local.home_lock import HomeBusy, home_lock
from tangga.settings import Settings


def main(arguments: list[str] | None = None) -> int:
    parser = command.parser("erase", "Forget a person, everywhere.")
    parser.add_argument("command", choices=("ask", "list", "lift"))
    parser.add_argument("--request", help="go on with this request")
    options = parser.parse_args(arguments)
    settings = command.begin(options)
    try:
        airflow_home.activate(settings)  # whose connections lead to the tools
        if options.command == "list":
            return _list(settings)
        with home_lock(settings, "run", on_wait=print):
            return _lift(settings) if options.command == "lift" else _erase(settings, options.request)
    except HomeBusy as error:
        print(f"{error}; or trigger crm_erase there", file=sys.stderr)
        return 3
    except (KeyboardInterrupt, EOFError):
        print("\nStopped. Nothing more is removed; 'make erasures' lists what is open.", file=sys.stderr)
        return 130


def _erase(settings: Settings, request_id: str | None) -> int:
    from tangga import alone
    from tangga.destinations.destination import DestinationDown, DestinationRefused
    from tangga.erasure import requests, steps
    from tangga.erasure.person import NotOnePerson

    try:
        request_id = request_id or requests.ask(settings, _asked(), _reason())
        state = requests.take(settings, request_id)["state"]
        if state == "asked":
            print(f"\n{steps.question(settings, request_id, steps.find(settings, request_id))}\n")
            steps.decide(settings, request_id, _agrees("Erase this person?"), getpass.getuser())
        elif state != "approved":
            print(f"Erasure {request_id} is {state}.")
            return 1
        if requests.take(settings, request_id)["state"] == "approved":
            steps.remove(settings, request_id)
    except (NotOnePerson, requests.UnknownRequest) as error:
        print(error, file=sys.stderr)
        return 1
    for destination in steps.open_destinations(settings, request_id):
        try:
            steps.forget(settings, request_id, destination)
        except (DestinationRefused, DestinationDown, alone.Busy) as error:
            print(f"{destination}: {error}", file=sys.stderr)
    print(steps.certify(settings, request_id))
    row = requests.take(settings, request_id)
    print(f"Erasure {request_id} is {row['state']}{'' if row['state'] != 'approved' else ', and not done yet'}.")
    return int(row["state"] == "approved")


def _asked() -> dict[str, str]:
    print("What is the person to be found by? Leave empty what you do not know.")
    names = {
        "email": "E-mail",
        "phone": "Phone",
        "contact_id": "Id in one of your systems",
        "customer_id": "customer_id",
    }
    return {name: input(f"  {said}: ").strip() for name, said in names.items()}


def _reason() -> str:
    from tangga.erasure.reasons import REASONS

    for number, reason in enumerate(REASONS, start=1):
        print(f"  {number} {reason}")
    chosen = input("Why? [1] ").strip() or "1"
    return REASONS[int(chosen) - 1] if chosen in map(str, range(1, len(REASONS) + 1)) else REASONS[0]


def _agrees(question: str) -> bool:
    return input(f"{question} Type 'yes': ").strip().lower() == "yes"


def _list(settings: Settings) -> int:
    from tangga.erasure import requests

    rows = requests.everyone(settings)
    for row in rows:
        still = ", ".join(sorted(name for name, at in row["destinations"].items() if at is None))
        at = row["done_at"] or row["due_at"]
        when = f"{'done' if row['done_at'] else 'due'} {at:%Y-%m-%d %H:%M} UTC"
        print(f"{row['id']}  {row['state']:9} {when}  {row['reason']}{f'; open: {still}' if still else ''}")
    late = requests.overdue(settings)
    for sentence in late:
        print(f"OVERDUE {sentence}")
    print(f"{len(rows)} requests, {len(late)} overdue")
    return int(bool(late))


def _lift(settings: Settings) -> int:
    from tangga.erasure import person, tombstones
    from tangga.erasure.person import NotOnePerson

    try:
        values = person.values_of(settings, _asked())
    except NotOnePerson as error:
        print(error, file=sys.stderr)
        return 1
    if not _agrees("Did this person ask to be taken in again?"):
        return 1
    print(f"{tombstones.lift(settings, values)} tombstones lifted; the person comes back with the next landing.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
