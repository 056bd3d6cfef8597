"""Bringing a plan to one destination: chunk by chunk, each acknowledged in the ledger before the next.

Killed at any instruction, it is run again and goes on where it was. Nothing that was acknowledged is sent again, and
what was only sent is, under the same key: every operation names a state.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path

from tangga import alone, ledger
from tangga.activation import approval, handed_out, judged, plan
from tangga.activation.consent import Consent
from tangga.activation.landed import ActivationRefused
from tangga.activation.sending import Delivered, RowsRejected, Sending
from tangga.activation.suppressions import ListShrunk
from tangga.destinations import open_destination
from tangga.destinations.destination import Destination, DestinationDown, DestinationRefused, is_same_account
from tangga.ledger import Ledger
from tangga.settings import Settings, SettingsError

log = logging.getLogger(__name__)


def deliver(settings: Settings, name: str, folder: Path, run_id: str) -> Delivered:
    """Bring a plan to a destination.

    Raises `ActivationRefused` when it may not be sent (any more), `DestinationRefused` or `DestinationDown`,
    `RowsRejected` after everything else was sent, and `alone.Busy` when somebody else delivers there.
    """
    with ledger.opened(settings) as book, book.alone(name, settings.home / "state"):
        planned = plan.confirm(settings, folder)
        entry = plan.entry_of(settings, planned, name)
        if entry.get("refused"):
            raise DestinationRefused(entry["refused"])
        approval.confirm_basis(book, name, entry)
        agreed = approval.required(settings, book, name, planned)
        allowed = {"gate": judged.verdict(settings, planned), "approval": agreed}
        with closing(open_destination(settings, name, planned | allowed, run_id)) as destination:
            _confirm_account(book, name, destination)
            _look_around(book, name, destination, entry)
            lineage = {key: planned[key] for key in ("code_version", "published_version")}
            lineage |= {"rules_hash": planned["rules"], "as_of_date": date.fromisoformat(planned["as_of_date"])}
            owed = handed_out.mark(settings, name)
            delivery = book.begin_delivery(name, entry["hash"], folder, run_id, **allowed, **lineage)
            done = Delivered()
            with _told(book, delivery, done), Consent(settings, planned, book, name, destination) as consent:
                sending = Sending(settings, book, name, destination, consent, entry, done)
                sending.everything(folder)
                handed_out.record(settings, book, book.deliveries(name, limit=1)[0], is_complete=True)
                book.mark_recorded(delivery)
                owed.unlink()
                sending.judge()
    return done


def let_go(settings: Settings, name: str, folder: Path) -> int:
    """Take off a destination's lists who said no, whatever else of the plan waits for somebody's agreement, and stop
    them there unless just that waits; returns how many rows that were. Nobody is on the lists of an account that was
    not released.

    Raises what `deliver` raises, but for `RowsRejected`.
    """
    with ledger.opened(settings) as book, book.alone(name, settings.home / "state"):
        planned = plan.confirm(settings, folder)
        entry = plan.entry_of(settings, planned, name)
        approval.confirm_basis(book, name, entry)
        judged.verdict(settings, planned)
        with closing(open_destination(settings, name, planned, "")) as destination:
            is_released = is_same_account(book.destination(name)["account"], destination.account())
            if "remove" not in destination.sizes or (destination.needs_release and not is_released):
                return 0
            destination.account(book.list_names(name))
            done = Delivered()
            with Consent(settings, planned, book, name, destination) as consent:
                stops = not approval.stops_beyond(settings, entry)
                Sending(settings, book, name, destination, consent, entry, done).noes(folder, stops=stops)
    gone = sum(done.rows.values())
    if gone:
        log.info("%s: %s rows of people who said no were sent before anybody is asked.", name, f"{gone:,}")
    return gone


def settle(settings: Settings) -> None:
    """Bring to its end what tools were working on when a delivery was killed, before anything new is planned: what they
    do later would undo it. A destination that cannot be asked now is left; its rows are planned anew."""
    for name in settings.destinations:
        try:
            with ledger.opened(settings) as book, book.alone(name, settings.home / "state", patience_seconds=0):
                _settle(settings, book, name)
        except alone.Busy:
            continue
        except _TOLD as error:
            log.warning("%s", error)


def _settle(settings: Settings, book: Ledger, name: str) -> None:
    for delivery in book.deliveries(name, limit=1):
        numbers = book.at_work(name, delivery["plan_hash"])
        folder = Path(delivery["plan_folder"])
        if not numbers or not (folder / "plan.json").exists():
            continue
        planned = plan.read(folder)
        with closing(open_destination(settings, name, planned, delivery["run_id"])) as destination:
            _confirm_account(book, name, destination)
            with Consent(settings, planned, book, name, destination) as consent:
                entry = planned["destinations"][name]
                Sending(settings, book, name, destination, consent, entry, Delivered()).resume(folder, numbers)


@contextmanager
def _told(book: Ledger, delivery: int, done: Delivered) -> Iterator[None]:
    """Keep in the ledger how a delivery ended."""
    try:
        yield
    except Exception as error:
        is_ours = isinstance(error, _TOLD)  # texts of others may hold personal data
        book.end_delivery(delivery, "failed", done.counts, str(error) if is_ours else type(error).__name__)
        raise
    book.end_delivery(delivery, "done", done.counts)


_TOLD = (
    *(ActivationRefused, DestinationRefused, DestinationDown, RowsRejected),
    *(ListShrunk, SettingsError, ledger.LedgerDown),
)


def _look_around(book: Ledger, name: str, destination: Destination, entry: dict) -> None:
    """Get to know who is on its lists before anything was delivered there, as after an import by hand."""
    standing = getattr(destination, "standing", None)
    if standing and not book.list_names(name):
        book.suspect(name, standing(entry["audiences"]))


def _confirm_account(book: Ledger, name: str, destination: Destination) -> None:
    account = destination.account()
    if destination.needs_release and not is_same_account(book.destination(name)["account"], account):
        raise ActivationRefused(
            f"{name}: nobody has released the account that the connection leads to now ({account}), so that nothing is "
            "sent; trigger crm_activate again, which asks for it."
        )
    destination.account(book.list_names(name))
