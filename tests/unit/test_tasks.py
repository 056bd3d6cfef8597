"""A gate that stops fails its task, so that nothing after it is run: `tests/dags` has the order of the tasks."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from expectations.checks import GateStopped
from tangga import warehouse
from tangga.tasks import activate, build, land
from tests.unit import test_gates
from tests.unit.gates import CONTACTABLE, DAY, make_plan, make_settings


@pytest.fixture
def config(tmp_path, monkeypatch):
    found = make_settings(tmp_path)
    monkeypatch.setenv("TANGGA_CONFIG", str(found.config_path))
    monkeypatch.setenv("TANGGA_HOME", str(found.home))
    return found


def test_what_is_not_let_in_is_not_built(config):
    with pytest.raises(GateStopped, match="contacts"):
        land.inbound_gate(SimpleNamespace(partition_key=DAY.isoformat()))


@pytest.mark.parametrize("judged", ["nps is -100 to 100", "agreements.customers"])
def test_what_the_audit_stops_is_not_published(config, judged):
    file = warehouse.path(config)
    file.parent.mkdir(parents=True)
    test_gates.build(file.parent, "update metrics.nps set nps = 100.5").rename(file)
    with pytest.raises(GateStopped, match=judged):
        build.audit()


@pytest.mark.parametrize(("said", "stops"), [(CONTACTABLE.replace("true", "false"), True), (CONTACTABLE, False)])
def test_what_the_outbound_gate_stops_is_not_sent(config, said, stops):
    folder = make_plan(config, said=said)
    if not stops:
        assert activate.outbound_gate(str(folder)) is None
        return
    with pytest.raises(GateStopped, match="Nothing is sent"):
        activate.outbound_gate(str(folder))
