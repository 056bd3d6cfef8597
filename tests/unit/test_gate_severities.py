"""How severe a check is, and how far a user may change that."""

from __future__ import annotations

import re

import pytest

from expectations import inbound
from tangga import settings
from tangga.contracts import CONTRACTS
from tangga.settings import REPOSITORY, SettingsError, gates
from tests.unit.gates import DAY, accepted, errors, failing, good_row, make_settings, put, verdicts
from tests.unit.test_gate_history import before

UNMAPPED = {"ignored_columns": ["new"]}


@pytest.mark.parametrize(
    ("gate", "verdict"),
    [("{}", "warn"), ("{new_columns: warn}", "warn"), ("{new_columns: stop}", "stop"), ("{new_columns: off}", "pass"),
     ("{new_columns: 'off'}", "pass"), ("{emails: stop}", "warn")],
)  # fmt: skip
def test_a_check_is_as_severe_as_the_entity_says(tmp_path, gate, verdict):
    known = make_settings(tmp_path, "orders", limits=f", gate: {gate}")
    put(known, "orders", [good_row("orders")], **UNMAPPED)
    results = inbound.check(known, DAY)
    assert verdicts(results) == {verdict}
    assert failing(results) == ({"The source has no column that nothing maps"} if verdict != "pass" else set())


@pytest.mark.parametrize(("gate", "verdict"), [("{volume: warn}", "warn"), ("{volume: off, volume_dip: off}", "pass")])
def test_a_drop_can_be_let_through(tmp_path, gate, verdict):
    known = make_settings(tmp_path, "orders", limits=f", gate: {gate}")
    accepted(known, "orders", before(1), 1000)
    put(known, "orders", [good_row("orders")], times=100)
    assert verdicts(inbound.check(known, DAY)) == {verdict}


def test_rejects_can_be_a_warning(tmp_path):
    known = make_settings(tmp_path, "orders", limits=", gate: {rejects: warn}")
    put(known, "orders", [good_row("orders")], rejected=9)
    assert verdicts(inbound.check(known, DAY)) == {"warn"}


def test_everything_that_may_be_off_can_be_and_the_rest_is_still_asked(tmp_path):
    off = ", ".join(f"{name}: off" for name, check in gates.CHECKS.items() if check.loosest == "off")
    known = make_settings(tmp_path, "tickets", limits=f", gate: {{{off}}}")
    accepted(known, "tickets", before(1), 1000)
    nobody = {"email": None, "is_email_valid": None, "contact_id": None}
    put(known, "tickets", [good_row("tickets") | nobody], superseded=1, quarantined=1, emptied={"topic": 1}, **UNMAPPED)
    results = inbound.check(known, DAY)
    assert (verdicts(results), errors(results)) == ({"pass"}, set())
    asked = {check.name for check in results[0].checks}
    assert asked == {"columns", "row_count", "complete", "required", "allowed", "limits", "rejects", "history"}


@pytest.mark.parametrize("entity", CONTRACTS)
def test_every_check_of_a_partition_has_a_known_name(tmp_path, entity):
    known = make_settings(tmp_path, entity)
    accepted(known, entity, before(1), 100)
    put(known, entity, [good_row(entity)], times=100, emptied={"country": 1} if entity == "contacts" else {})
    [result] = inbound.check(known, DAY)
    assert {check.name for check in result.checks} <= set(gates.CHECKS)
    assert {(c.name, c.severity) for c in result.checks} <= {(n, c.severity) for n, c in gates.CHECKS.items()}


def fault(tmp_path, entity: str, gate: str) -> str:
    with pytest.raises(SettingsError) as caught:
        make_settings(tmp_path, entity, limits=f", gate: {gate}")
    [line] = str(caught.value).splitlines()
    return line.removeprefix(f"{tmp_path / 'tangga.yml'}: ")


ALWAYS = [name for name, check in gates.CHECKS.items() if check.loosest == "stop"]


def test_what_always_stops():
    assert ALWAYS == ["landed", "columns", "complete", "row_count", "required", "allowed", "limits", "stale"]


@pytest.mark.parametrize("level", ["warn", "off"])
@pytest.mark.parametrize(
    ("entity", "name"), [*(("orders", name) for name in ALWAYS), ("consents", "rejects"), ("consents", "volume")]
)
def test_what_must_stop_cannot_be_loosened(tmp_path, entity, name, level):
    said = fault(tmp_path, entity, f"{{{name}: {level}}}")
    assert said == f"sources.shop: entities.{entity}.gate.{name}: '{level}' is not safe there; it can only be stop"


@pytest.mark.parametrize("name", ["rejects", "history"])
def test_what_must_be_told_cannot_be_off(tmp_path, name):
    said = fault(tmp_path, "orders", f"{{{name}: off}}")
    assert said == f"sources.shop: entities.orders.gate.{name}: 'off' is not safe there; it can only be warn or stop"


def test_a_daily_load_of_consents_may_vary(tmp_path):
    made = make_settings(tmp_path, "consents")
    spec = "{path: 'consents_{ds}.csv', load: daily, gate: {volume: warn}}"
    made.config_path.write_text(made.config_path.read_text().replace("{path: consents.csv}", spec))
    assert settings.load(made.config_path, made.home).sources["shop"].entities["consents"].gate == {"volume": "warn"}


@pytest.mark.parametrize(
    ("gate", "sentence"),
    [
        ("{volumes: warn}", f"'volumes' is not a check of the gate; use {', '.join(gates.CHECKS)}"),
        ("{false: warn}", f"'False' is not a check of the gate; use {', '.join(gates.CHECKS)}"),
        ("{volume: loud}", "'volume' can be off, warn, stop"),
        ("{volume: on}", "'volume' can be off, warn, stop"),
        ("{volume: [stop]}", "'volume' can be off, warn, stop"),
        ("stop", "give a block of checks, such as {freshness: stop, new_columns: 'off'}"),
    ],
)
def test_a_wrong_setting_is_told_with_what_is_allowed(tmp_path, gate, sentence):
    assert fault(tmp_path, "orders", gate) == f"sources.shop.entities.orders.gate: {sentence}"


def test_the_table_of_the_documentation_is_what_the_code_does():
    text = (REPOSITORY / "docs" / "gates.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| (\w+) \| ([\w, ]*) \|", text, re.MULTILINE)
    levels = {
        name: (check.severity, ", ".join(gates.LEVELS[gates.LEVELS.index(check.loosest) :]))
        for name, check in gates.CHECKS.items()
    }
    assert [(name, *told) for name, *told in rows] == [(name, *told) for name, told in levels.items()]
