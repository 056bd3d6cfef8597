"""The tools forget a person too, and whatever is asked of people is asked without leaving traces."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tangga import http
from tangga.destinations.destination import DestinationDown, DestinationRefused
from tangga.erasure import requests, steps, tombstones, tools
from tangga.erasure.person import Person
from tangga.ledger import Ledger, database, tables
from tangga.settings import REPOSITORY
from tangga.sources.connections import Connection
from tangga.tasks.erase import take_erasure
from tests.fakes.mailchimp_writing import KEY, MailchimpAccount
from tests.unit import erasures
from tests.unit.erasures import ADDRESS, NEXT, PHONE


@pytest.fixture
def tool():
    with MailchimpAccount() as account:
        for name in ("ani", "budi"):
            account.add_member(f"{name}@toko.example")
        yield account


@pytest.fixture
def company(tmp_path, tool, use, monkeypatch):
    monkeypatch.setattr(http, "BACKOFF", (0.0, 0.0))
    use(Connection("mailchimp_api", "http", host=tool.url, password=KEY))
    spec = {"type": "mailchimp", "connection": "mailchimp_api", "list": tool.list_id, "requests_per_second": 100}
    found = erasures.company(tmp_path, destinations={"newsletter": spec})
    found.land()
    with database.opened(found.settings) as engine, Ledger(engine)._writing() as connection:
        for key in (ADDRESS, "former@toko.example", "budi@toko.example"):
            customer = "c-budi" if "budi" in key else "c-ani"
            row = {"destination": "newsletter", "key": key, "customer_id": customer, "address": key}
            connection.execute(tables.contacts.insert(), [row])
    found.keep_identities()
    tool.add_member("former@toko.example")
    return found


def known(company) -> set[str]:
    with database.opened(company.settings) as engine:
        return {row["key"] for row in Ledger(engine)._rows(tables.contacts.select())}


def test_a_tool_forgets_all_that_it_knew_of_a_person_for_good(company, tool):
    request = company.erase()
    assert {member["email_address"] for member in tool.members.values()} == {"budi@toko.example"}
    assert set(tool.effects.of("forgotten")) == {ADDRESS, "former@toko.example"}
    assert known(company) == {"budi@toko.example"}
    row = requests.take(company.settings, request)
    assert (row["state"], list(row["destinations"]), None in row["destinations"].values()) == (
        "done",
        ["newsletter"],
        False,
    )


@pytest.mark.parametrize(("identity", "more"), [("address", set()), ("customer_id", {("c-ani", None)})])
def test_a_tool_is_asked_by_all_that_it_may_know_a_person_by(company, identity, more):
    """By what the ledger knows there, and by what somebody else may have put there."""
    known = Person(emails=[ADDRESS, "second@toko.example"], customer_ids=["c-ani"])
    rows = tools._rows(company.settings, "newsletter", known, identity)
    addresses = (ADDRESS, "former@toko.example", "second@toko.example")
    assert {(row["key"], row["address"]) for row in rows} == {(each, each) for each in addresses} | more


def test_a_tool_that_is_down_is_open_until_it_acknowledges(company, tool, use):
    use(Connection("mailchimp_api", "http", host="http://127.0.0.1:9", password=KEY))
    request = company.ask()
    steps.find(company.settings, request)
    steps.decide(company.settings, request, True, "vera")
    assert steps.remove(company.settings, request)["landing"].rows == 17
    with pytest.raises(DestinationDown) as down:
        steps.forget(company.settings, request, "newsletter")
    page = steps.certify(company.settings, request)
    assert "| newsletter | **open**" in page.read_text()
    assert requests.take(company.settings, request)["state"] == "approved"
    assert known(company) == {ADDRESS, "former@toko.example", "budi@toko.example"}
    assert ADDRESS not in str(down.value)

    use(Connection("mailchimp_api", "http", host=tool.url, password=KEY))
    assert steps.open_destinations(company.settings, request) == ["newsletter"]
    assert steps.forget(company.settings, request, "newsletter") == 2
    assert "done" in steps.certify(company.settings, request).read_text().splitlines()[0]
    assert set(tool.effects.of("forgotten")) == {ADDRESS, "former@toko.example"}
    assert steps.forget(company.settings, request, "newsletter") == 0


def test_another_account_or_no_list_is_no_acknowledgement(company, tool):
    with database.opened(company.settings) as engine:
        Ledger(engine).release("newsletter", "Another shop", "vera")
    with pytest.raises(DestinationRefused, match="another account"):
        company.erase()
    tool.list_deleted = True
    with pytest.raises(DestinationRefused):
        company.erase()
    assert not tool.effects.of("forgotten")


def test_an_account_that_was_renamed_is_the_same(company, tool):
    with database.opened(company.settings) as engine:
        Ledger(engine).release("newsletter", f"Its name of before, audience 'Ours' [{tool.list_id}]", "vera")
    company.erase()
    assert set(tool.effects.of("forgotten")) == {ADDRESS, "former@toko.example"}


def test_an_address_is_forgotten_in_whichever_letters_it_stands_there(company):
    known = Person(emails=["ani@xn--bcher-kva.example"])
    rows = tools._rows(company.settings, "newsletter", known, "address")
    assert [row["address"] for row in rows] == ["ani@bücher.example", "ani@xn--bcher-kva.example"]


def test_a_destination_that_nobody_names_any_more_stays_open(company):
    with database.opened(company.settings) as engine, Ledger(engine)._writing() as connection:
        row = {"destination": "old_tool", "key": "c-ani", "customer_id": "c-ani"}
        connection.execute(tables.contacts.insert(), [row])
    with pytest.raises(DestinationRefused, match="old_tool: knows people"):
        company.erase()


def test_activation_asks_who_was_erased(company):
    assert tombstones.erased(company.settings, [ADDRESS, PHONE]) == set()
    company.erase()
    asked = [ADDRESS, PHONE, "budi@toko.example", None]
    assert tombstones.erased(company.settings, asked) == {ADDRESS, PHONE}


# ---- asked for without leaving traces


class Run:
    def __init__(self, **conf):
        self.conf = conf


def test_what_got_past_the_form_is_refused(company, monkeypatch):
    monkeypatch.setenv("TANGGA_CONFIG", str(company.settings.config_path))
    monkeypatch.setenv("TANGGA_HOME", str(company.home))
    with pytest.raises(ValueError, match="past the form") as refused:
        take_erasure(Run(email=ADDRESS))
    assert ADDRESS not in str(refused.value)
    assert not (company.home / "state" / "erasures").exists()
    for unknown in (None, "../../etc", "20260101-00000000"):
        with pytest.raises(requests.UnknownRequest):
            take_erasure(Run(request=unknown))


def command(company, what: str, said: str, *more: str) -> subprocess.CompletedProcess:
    config = ["--config", str(company.settings.config_path), "--home", str(company.home)]
    return subprocess.run(
        [sys.executable, "-m", "tangga.local.erase", what, *config, *more],
        env=os.environ | {"PYTHONPATH": f"{REPOSITORY / 'plugins'}{os.pathsep}{REPOSITORY}"},
        input=said, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def test_make_erase_asks_whom_and_whether(tmp_path):
    company = erasures.company(tmp_path, destinations={"files": {"type": "files"}})
    company.land()
    done = command(company, "ask", f"{ADDRESS}\n\n\n\n2\nno\n")
    assert (done.returncode, "is rejected" in done.stdout) == (0, True), done.stderr
    assert "007" in company.keys("contacts")
    done = command(company, "ask", f"{ADDRESS}\n\n\n\n2\nyes\n")
    assert (done.returncode, "is done" in done.stdout) == (0, True), done.stderr
    assert company.keys("contacts") == erasures.OTHERS["contacts"]
    listed = command(company, "list", "")
    assert (listed.returncode, listed.stdout.splitlines()[-1]) == (0, "2 requests, 0 overdue")
    assert [line.split()[1] for line in listed.stdout.splitlines()[:-1]] == ["rejected", "done"]
    assert "the person withdrew consent" in listed.stdout
    assert [each for each in (done, listed) if ADDRESS in each.stdout + each.stderr] == []
    lifted = command(company, "lift", f"{ADDRESS.upper()}\n\n\n\nyes\n")
    assert lifted.returncode == 0, lifted.stderr
    company.land(NEXT)
    assert "007" in company.keys("contacts", NEXT)


def test_make_erase_guesses_nobody(tmp_path):
    company = erasures.company(tmp_path)
    company.land()
    done = command(company, "ask", "\n\n4711\n\n1\n")
    assert (done.returncode, "Nobody has the id" in done.stderr) == (1, True)
    assert [row["state"] for row in requests.everyone(company.settings)] == ["rejected"]
    assert list((company.home / "state" / "erasures").glob("*")) == []
