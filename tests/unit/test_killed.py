"""A delivery that is killed, at whichever line of it, and run again: nothing is doubled, nothing is lost."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import sys
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tangga import activation, ledger, warehouse
from tangga.activation import delivery
from tangga.destinations import files
from tests.unit import activation as companies
from tests.unit.ledgers import DATABASES
from tests.unit.test_delivery import at, handed
from tests.unit.tool import SETTINGS

WATCHED = tuple(str(Path(module.__file__).parent) for module in (activation, ledger))
WATCHED += (str(Path(files.__file__).parent), str(Path(__file__).parent / "tool.py"))


class Killer:
    """Ends its own process at the n-th line of what is watched, as kill -9 would."""

    def __init__(self, line: int):
        self.left = line

    def __call__(self, frame, event, argument):
        if not frame.f_code.co_filename.startswith(WATCHED):
            return None
        if event == "line":
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return self


def in_a_process(work, line: int = 0) -> tuple[bool, int]:
    """Do some work in a process of its own that is killed at a line (0: never); whether it was, and its lines."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        killer = Killer(line)
        sys.settrace(killer)
        try:
            work()
        finally:
            sys.settrace(None)
            os.write(write, str(-killer.left).encode())
            os._exit(0)
    os.close(write)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    said = os.read(read, 100)
    os.close(read)
    assert code in (0, -signal.SIGKILL)
    return code != 0, int(said or 0)


@pytest.fixture(params=DATABASES)
def company(inbox, monkeypatch, tool, request):
    """A company that has delivered once, and whose lists have changed since."""
    blocks = {}
    if request.param == "postgres":
        server, use = request.getfixturevalue("server"), request.getfixturevalue("use")
        database = f"killed_{abs(hash(request.node.nodeid))}"
        server.run(f"create database {database}")
        use(server.connection(database))
        blocks["ledger"] = {"connection": "ledger_db"}
    made = companies.company(inbox, monkeypatch, destinations=SETTINGS, **blocks)
    made.lists = {"winback": set("abcde"), "birthday": set("abc")}
    made.due = {("birthday", "a"): 1}
    delivery.deliver(made.settings, "tool", made.plan(), "run 0")
    made.day += timedelta(days=1)
    made.lists = {"winback": set("bcdefgh"), "birthday": set("cdef")}
    made.due = {("winback", name): 2 for name in "bfg"} | {("birthday", "d"): 1}
    made.names = dict.fromkeys("cdf", "Ani")
    made.publish()
    yield made
    if request.param == "postgres":
        server.run(f"drop database {database} with (force)")


def converges(company, tool, joined_before) -> None:
    """A calm run, and the tool is as it should be; nobody has joined a list twice."""
    delivery.settle(company.settings)
    delivery.deliver(company.settings, "tool", company.made(), "calm")
    assert tool.members() == {
        "winback": at(*"bcdefgh"), "birthday": at(*"cdef"), "winback:2": at(*"bfg"), "birthday:1": at("d"),
    }  # fmt: skip
    assert {key: name for key, name in tool.people.items() if name == "Ani"} == dict.fromkeys(at(*"cdf"), "Ani")
    joined = tool.joined
    for entry in joined_before:
        joined.remove(entry)
    assert len(joined) == len(set(joined)), "somebody joined a list twice"
    warehouse.prepare(company.settings, company.day)
    today = [row[:3] for row in handed(company) if row[4] == company.day]
    assert today == [("birthday", "d", 1), ("winback", "b", 2), ("winback", "f", 2), ("winback", "g", 2)]
    asked = tool.asked
    again = delivery.deliver(company.settings, "tool", company.made(), "again")
    assert (tool.asked, again.chunks) == (asked, 0)


@pytest.mark.parametrize("seed", range(3))
def test_killed_at_any_line_and_run_again_it_converges(company, tool, seed):
    draw, joined_before, kills = random.Random(seed), tool.joined, 0
    folder = company.made()
    for _ in range(4):
        again = draw.random() < 0.5  # the same plan again, or a new one

        def work(again=again):
            chosen = folder if again else company.made()
            delivery.deliver(company.settings, "tool", chosen, "killed")

        kills += in_a_process(work, draw.choice([*range(20, 200, 9), *range(200, 1200, 17)]))[0]
    assert kills
    converges(company, tool, joined_before)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", [0, 3, 5, 7])
def test_killed_around_every_answer_of_the_tool(company, tool, number, moment):
    joined_before, calls = tool.joined, iter(range(100))

    def die(chunk):
        if next(calls) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    def work():
        setattr(tool, moment, die)
        delivery.deliver(company.settings, "tool", company.made(), "killed")

    assert in_a_process(work)[0]
    converges(company, tool, joined_before)


def test_whoever_left_while_nobody_knew_is_taken_off(company, tool):
    """Killed after the tool has added people, who are not wanted any more by the next plan."""

    def die(chunk):
        if chunk.operation == "add" and chunk.list_name == "winback":
            os.kill(os.getpid(), signal.SIGKILL)

    def work():
        tool.after = die
        delivery.deliver(company.settings, "tool", company.made(), "killed")

    assert in_a_process(work)[0]
    assert at("f") <= tool.members()["winback"]
    company.lists, company.due = {"winback": set("bcd"), "birthday": set("cdef")}, {}
    delivery.deliver(company.settings, "tool", company.plan(), "calm")
    assert tool.members() == {"winback": at(*"bcd"), "birthday": at(*"cdef")}


def test_whoever_is_wanted_again_while_nobody_knew_that_they_left_is_put_on(company, tool):
    """Killed after the tool has taken somebody off, whom the next plan wants."""

    def die(chunk):
        if chunk.operation == "remove" and chunk.list_name == "winback":
            os.kill(os.getpid(), signal.SIGKILL)

    def work():
        tool.after = die
        delivery.deliver(company.settings, "tool", company.made(), "killed")

    assert in_a_process(work)[0]
    assert not at("a") & tool.members()["winback"]
    company.lists, company.due = {"winback": set("abcde"), "birthday": set("abc")}, {}
    delivery.deliver(company.settings, "tool", company.plan(), "calm")
    assert tool.members() == {"winback": at(*"abcde"), "birthday": at(*"abc")}


def test_who_comes_back_and_says_no_again_while_nobody_knew_is_stopped(company, tool):
    """Killed after the tool has taken somebody back whom it had stopped."""
    company.lists, company.due, company.reasons = {"winback": set("bcde")}, {}, {"a": "consent revoked"}
    delivery.deliver(company.settings, "tool", company.plan(), "stopped")
    assert tool.people[at("a").pop()] is None

    def die(chunk):
        if chunk.operation == "upsert":
            os.kill(os.getpid(), signal.SIGKILL)

    def work():
        tool.after = die
        delivery.deliver(company.settings, "tool", company.made(), "killed")

    company.lists, company.reasons = {"winback": set("abcde")}, {}
    company.publish()
    assert in_a_process(work)[0]
    assert tool.people[at("a").pop()] is not None
    company.lists, company.reasons = {"winback": set("bcde")}, {"a": "consent revoked"}
    delivery.deliver(company.settings, "tool", company.plan(), "calm")
    assert tool.people[at("a").pop()] is None


@pytest.fixture
def in_files(inbox, monkeypatch):
    """A company whose lists lie in files of a day before; they have changed since."""
    spec = {"type": "files", "formats": ["plain", "mailchimp", "parquet"]}
    made = companies.company(inbox, monkeypatch, destinations={"files": spec})
    made.lists = {"winback": set("abcde"), "birthday": set("abc"), "advocates": set("a")}
    delivery.deliver(made.settings, "files", made.plan(), "run 0")
    made.day += timedelta(days=1)
    made.lists = {"winback": set("bcdefgh"), "birthday": set("cdef")}
    made.due = {("winback", "b"): 2}
    made.publish()
    return made


def whole_lists(company) -> dict[str, str]:
    """What a reader finds at this moment: list -> the first letters of its people. Fails on half a file."""
    found = {}
    for path in sorted((company.settings.home / "exports" / "files").rglob("[a-z]*.*")):
        if path.name == "manifest.json":
            json.loads(path.read_text())
        elif path.suffix == ".parquet":
            found[path.stem, "parquet"] = "".join(pq.read_table(path)["customer_id"].to_pylist())
        else:
            _, *rows = csv.reader(path.read_text().splitlines())
            assert path.read_text().endswith("\n") and len({len(row) for row in rows}) <= 1
            found[path.stem, path.parent.name] = "".join(row[0][0] for row in rows)
    return found


@pytest.mark.parametrize("seed", range(4))
def test_files_are_whole_wherever_a_delivery_is_killed(in_files, seed):
    draw, kills, folder = random.Random(seed), 0, in_files.made()
    before, after = whole_lists(in_files), {}
    for name, who in (("winback", "bcdefgh"), ("birthday", "cdef"), ("advocates", "")):
        after |= dict.fromkeys([(name, "files"), (name, "mailchimp"), (name, "parquet")], who)
    assert before.keys() == after.keys()
    for _ in range(3):
        kills += in_a_process(
            lambda: delivery.deliver(in_files.settings, "files", folder, "killed"), draw.randrange(40, 700)
        )[0]
        seen = whole_lists(in_files)
        assert all(who in (before[key], after[key]) for key, who in seen.items())
    assert kills
    delivery.deliver(in_files.settings, "files", folder, "calm")
    assert whole_lists(in_files) == after
    warehouse.prepare(in_files.settings, in_files.day)
    assert [row[:3] for row in handed(in_files) if row[4] == in_files.day] == [("winback", "b", 2)]
    assert [path.name for path in (in_files.settings.home / "exports").rglob(".part*")] == []
