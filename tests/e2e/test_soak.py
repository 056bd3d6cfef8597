"""Bad days with an e-mail tool: whatever happens, a calm run ends with the tool's lists as they should be, nobody who
said no is mailed again, and nothing of the marketer's own is touched.

$TANGGA_SOAK says how many such stories are lived through (`make soak RUNS=300`).
"""

from __future__ import annotations

import os
from collections import Counter
from contextlib import closing

import pytest

from tangga import ledger
from tangga.destinations import open_destination
from tangga.sources.connections import Connection
from tests.unit.activation import company as company_of
from tests.unit.soak import FOREIGN, LISTS, TOOLS, Soak, spec


@pytest.fixture
def use(monkeypatch):
    def use(connection: Connection) -> None:
        monkeypatch.setattr("tangga.sources.connections.resolve", lambda _: connection)

    return use


@pytest.mark.parametrize("seed", range(int(os.environ.get("TANGGA_SOAK", "4"))))
def test_after_a_calm_run_the_tool_is_as_it_should_be(inbox, monkeypatch, use, seed):
    kind = sorted(TOOLS)[seed % 2]
    make, _, key = TOOLS[kind]
    suppressions = inbox.put("suppressions.csv", "address,channel\n")
    with make() as tool:
        use(Connection("tool_api", "http", host=tool.url, password=key))
        company = company_of(
            inbox, monkeypatch, destinations={"tool": spec(kind)}, reference={"suppressions": str(suppressions)}
        )
        with ledger.opened(company.settings) as book, closing(open_destination(company.settings, "tool", {}, "")) as to:
            book.release("tool", to.account(), "dina")
        soak = Soak(company, tool, kind, seed, suppressions)
        story = soak.live()
        print(f"seed {seed}, {kind}: {story.tried} deliveries, {story.killed} killed, {story.failed} failed,", end=" ")
        print(f"{sum(story.faults.values())} faults, {len(tool.effects)} effects")
        assert {name: tool.on(f"crm:{name}") for name in LISTS} == soak.wanted()
        assert tool.on(FOREIGN) == soak.by_hand
        assert tool.effects.forbidden() == []
        assert tool.effects.doubled("created") == {}
        begun = Counter((one.who, one.what) for one in tool.effects if one.kind == "automation")
        assert begun and begun - story.joins == Counter()
