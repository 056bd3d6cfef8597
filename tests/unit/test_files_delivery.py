"""From a published version to files, by way of plan and ledger."""

from __future__ import annotations

import csv
import json

import pytest

from tangga.activation import delivery, plan
from tangga.activation.landed import ActivationRefused
from tangga.settings import FilesDestination
from tests.unit import activation


@pytest.fixture
def company(inbox, monkeypatch):
    formats = {"type": "files", "formats": ["plain", "mailchimp"]}
    made = activation.company(inbox, monkeypatch, destinations={"files": formats})
    made.lists = {"winback": set("abc"), "rfm_lost": set("cd")}
    made.due = {("winback", "b"): 2}
    return made


def deliver(company, folder=None, run="run-1"):
    delivery.deliver(company.settings, "files", folder or company.plan(), run)


def folder_of(company):
    return company.settings.home / "exports" / "files"


def lists(company):
    found = {}
    for path in folder_of(company).rglob("*.csv"):
        with path.open(encoding="utf-8", newline="") as handle:
            rows = [row.get("email") or row["Email Address"] for row in csv.DictReader(handle)]
        found[path.relative_to(folder_of(company)).as_posix()] = "".join(address[0] for address in rows)
    return found


def both(**members):
    return {f"{folder}{name}.csv": found for name, found in members.items() for folder in ("", "mailchimp/")}


def test_lists_of_a_plan_are_files_and_the_manifest_says_where_they_came_from(company):
    deliver(company)
    assert lists(company) == both(winback="abc", rfm_lost="cd")
    said = json.loads((folder_of(company) / "manifest.json").read_text())
    (folder,) = (company.settings.home / "state" / "plans").glob("2*")
    planned = plan.read(folder)
    assert {key: value for key, value in said.items() if key != "audiences"} == {
        "as_of_date": str(company.day), "plan": planned["destinations"]["files"]["hash"], "published_version": "v1",
        "code_version": "abc", "rules": planned["rules"], "stale_sources": [], "gate": "pass",
        "approval": "within limits", "run_id": "run-1",
    }  # fmt: skip
    assert (folder_of(company) / "mailchimp" / "winback.csv").read_text().count("crm:winback:2") == 1


def test_the_same_plan_again_touches_nothing(company):
    folder = company.plan()
    deliver(company, folder)
    stamps = {path: path.stat().st_mtime_ns for path in folder_of(company).rglob("*") if path.is_file()}
    assert len(stamps) == 5
    deliver(company, folder, "run-2")
    assert {path: path.stat().st_mtime_ns for path in folder_of(company).rglob("*") if path.is_file()} == stamps


def test_an_audience_without_anybody_and_one_without_an_entry_become_empty(company):
    deliver(company)
    company.lists = {"winback": set("ae")}
    deliver(company)
    assert lists(company) == both(winback="ae", rfm_lost="")


@pytest.mark.parametrize("what", ["changed by hand", "deleted", "left by a killed delivery", "from before the ledger"])
def test_what_lies_there_is_made_right(company, what):
    deliver(company)
    folder = folder_of(company)
    if what == "changed by hand":
        (folder / "winback.csv").write_text("email\n")
    elif what == "deleted":
        (folder / "winback.csv").unlink()
    elif what == "left by a killed delivery":
        (folder / "gone.csv").write_text("email\nx@x.example\n")
    else:
        (folder / "manifest.json").write_text(json.dumps({"as_of_date": "2026-05-19", "audiences": {}}))
        (folder / "gone.csv").write_text("email\nx@x.example\n")
        (company.settings.home / "state" / "ledger.sqlite").unlink()
    deliver(company)
    forgotten = {"gone.csv": ""} if what.startswith(("left", "from")) else {}
    assert lists(company) == both(winback="abc", rfm_lost="cd") | forgotten


def test_a_format_that_is_given_up_is_emptied_with_the_next_delivery(company):
    deliver(company)
    company.settings = company.settings.model_copy(update={"destinations": {"files": FilesDestination()}})
    deliver(company)
    assert lists(company) == {
        "winback.csv": "abc",
        "rfm_lost.csv": "cd",
        "mailchimp/winback.csv": "",
        "mailchimp/rfm_lost.csv": "",
    }


def test_a_plan_of_what_is_not_published_any_more_changes_no_file(company):
    folder = company.plan()
    company.publish()
    with pytest.raises(ActivationRefused, match="make a new plan"):
        deliver(company, folder)
    assert lists(company) == {}
