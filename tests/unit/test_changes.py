"""What differs between the lists as they should be and what was acknowledged."""

from __future__ import annotations

import pytest

from tangga.activation import changes, plan
from tests.unit import tool as tools
from tests.unit.activation import company as company_of


@pytest.fixture
def tool(tmp_path, monkeypatch):
    made = tools.Tool(tmp_path / "tool.sqlite")
    monkeypatch.setitem(__import__("sys").modules, "tangga.destinations.mailchimp", None)
    tools.install(made)
    return made


@pytest.fixture
def company(inbox, monkeypatch, tool):
    return company_of(inbox, monkeypatch, destinations=tools.SETTINGS)


def parts(folder, name="tool"):
    entry = plan.read(folder)["destinations"][name]
    return [(part.operation, part.list_name, tuple(part.rows["key"].to_pylist()))
            for part in changes.parts(folder, name, entry)]  # fmt: skip


def test_the_first_plan_tells_of_everybody(company):
    company.people = {"a": "a@x.example", "b": "b@x.example"}
    company.lists = {"winback": {"a", "b"}, "rfm_lost": {"b"}}
    company.due = {("winback", "b"): 2}
    folder = company.plan()
    assert parts(folder) == [
        ("upsert", None, ("a@x.example", "b@x.example")),
        ("add", "winback", ("a@x.example", "b@x.example")),
        ("add", "winback:2", ("b@x.example",)),
    ]
    assert company.plan() == folder
