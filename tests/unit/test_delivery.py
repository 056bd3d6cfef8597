"""Bringing a plan to a tool, chunk by chunk."""

from __future__ import annotations

import sys

import pytest

from tangga import ledger
from tangga.activation import delivery, plan
from tangga.activation.landed import ActivationRefused
from tangga.activation.sending import RowsRejected
from tests.unit import tool as tools
from tests.unit.activation import company as company_of


@pytest.fixture
def tool(tmp_path, monkeypatch):
    made = tools.Tool(tmp_path / "tool.sqlite")
    monkeypatch.setitem(sys.modules, "tangga.destinations.mailchimp", None)
    tools.install(made)
    return made


@pytest.fixture
def company(inbox, monkeypatch, tool):
    found = company_of(inbox, monkeypatch, destinations=tools.SETTINGS)
    found.people = {name: f"{name}@x.example" for name in "abcdefgh"}
    found.lists = {"winback": set("abcd"), "birthday": set("de"), "rfm_lost": set("abcdefgh")}
    found.due = {("winback", "b"): 2}
    return found


def at(*names):
    return {f"{name}@x.example" for name in names}


def deliver(company, folder=None):
    return delivery.deliver(company.settings, "tool", folder or company.plan(), "run 1")


def test_the_tool_comes_to_know_everybody_once(company, tool):
    done = deliver(company)
    assert tool.members() == {"winback": at(*"abcd"), "birthday": at(*"de"), "winback:2": at("b")}
    assert set(tool.people) == at(*"abcde")
    assert dict(done.rows) == {"upsert": 5, "add": 7}
    asked = tool.asked
    again = deliver(company)
    assert (tool.asked, dict(again.rows), again.chunks) == (asked, {}, 0)
