"""Volume and freshness: a partition beside the days before it."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from expectations import inbound
from tangga import landing, settings
from tests.unit.gates import DAY, accepted, good_row, make_settings, put

ROW = good_row("orders")


def before(days: int) -> date:
    return DAY - timedelta(days=days)


def daily(folder: Path) -> settings.Settings:
    """The same, read by `load: daily`."""
    made = make_settings(folder, "orders")
    text = made.config_path.read_text().replace("{path: orders.csv}", "{path: 'orders_{ds}.csv', load: daily}")
    made.config_path.write_text(text)
    return settings.load(made.config_path, made.home)


def judged(known: settings.Settings, rows: int, **figures) -> tuple[str, dict[str, tuple[bool, str]]]:
    """The verdict of `DAY`, and of each check that looks at the history whether it holds and how severe it is."""
    put(known, "orders", [ROW], times=rows, **figures)
    [result] = inbound.check(known, DAY)
    compared = ("history", "volume", "volume_dip", "volume_growth", "freshness")
    assert [check for check in result.checks if "error" in check.observed] == []
    others = [check.name for check in result.checks if not check.success and check.name not in compared]
    assert others == []
    return result.verdict, {c.name: (c.success, c.severity) for c in result.checks if c.name in compared}


def failed(checks: dict[str, tuple[bool, str]]) -> set[str]:
    return {name for name, (holds, _) in checks.items() if not holds}


@pytest.mark.parametrize(
    ("rows", "broken", "verdict"),
    [
        (801, set(), "pass"),  # 19.9 % fewer
        (800, {"volume_dip"}, "warn"),
        (601, {"volume_dip"}, "warn"),  # 39.9 % fewer
        (600, {"volume", "volume_dip"}, "stop"),
        (500, {"volume", "volume_dip"}, "stop"),  # half refreshed
        (3000, set(), "pass"),
        (3001, {"volume_growth"}, "warn"),
    ],
)
def test_volume_at_its_limits(tmp_path, rows, broken, verdict):
    known = make_settings(tmp_path, "orders")
    accepted(known, "orders", before(1), 1000)
    found, checks = judged(known, rows)
    assert set(checks) == {"history", "volume", "volume_dip", "volume_growth"}
    assert (found, failed(checks)) == (verdict, broken)


def test_a_half_refreshed_source_is_not_let_in_and_says_how_to_accept_it(tmp_path):
    known = make_settings(tmp_path, "orders")
    accepted(known, "orders", before(1), 1000)
    judged(known, 500)
    assert not landing.is_accepted(landing.folder(known, "orders", "shop", DAY))
    [result] = inbound.check(known, DAY)
    assert "Less than 40% of the usual rows are missing (usual: 1,000, from the run before)" in result.sentence
    assert result.sentence.endswith(
        "If so few rows are right from this day on, write 'normal_since: 2024-02-01' there first."
    )


def test_the_first_run_ever_has_nothing_to_compare_with(tmp_path):
    verdict, checks = judged(make_settings(tmp_path, "orders"), 1)
    assert (verdict, set(checks)) == ("pass", {"history"})


def test_a_daily_load_needs_three_runs_before_it_is_compared(tmp_path):
    known = daily(tmp_path)
    for number in (1, 2):
        accepted(known, "orders", before(number), 1000)
    assert judged(known, 100)[0] == "pass"
    accepted(known, "orders", before(3), 1000)
    verdict, checks = judged(known, 100)
    assert (verdict, failed(checks)) == ("stop", {"volume", "volume_dip"})


def test_a_quiet_weekday_is_like_the_one_before(tmp_path):
    known = daily(tmp_path)
    for number in range(1, 8):
        accepted(known, "orders", before(number), 1000 if number < 7 else 400)
    assert judged(known, 400)[0] == "pass"
    assert judged(known, 240)[0] == "stop"


@pytest.mark.parametrize("rows", [12, 13, 1])
def test_small_numbers_warn_at_most(tmp_path, rows):
    known = make_settings(tmp_path, "orders")
    accepted(known, "orders", before(1), 19)
    verdict, checks = judged(known, rows)
    assert checks == {"history": (True, "warn"), "volume": (rows > 11, "warn")}
    assert verdict == ("pass" if rows > 11 else "warn")


def test_from_the_minimum_on_a_drop_stops(tmp_path):
    known = make_settings(tmp_path, "orders")
    accepted(known, "orders", before(1), 20)
    assert judged(known, 12)[0] == "stop"


def test_only_accepted_runs_before_the_day_count(tmp_path):
    """A replay gives what the day itself gave, whatever was landed since."""
    known = make_settings(tmp_path, "orders")
    accepted(known, "orders", before(2), 100)
    accepted(known, "orders", before(1), 10_000, verdict="stop")
    accepted(known, "orders", before(3), 10_000, sha256="landed again, and not judged since")
    first = judged(known, 100)
    for number in (-1, -2, -3):
        accepted(known, "orders", before(number), 10_000)
    assert judged(known, 100) == first
    assert (first[0], failed(first[1])) == ("pass", set())
    kept = json.loads((known.home / "gates" / "inbound" / DAY.isoformat() / "shop.orders.json").read_text())
    assert kept["landed"]["history"] == [{"ds": before(2).isoformat(), "rows": 100}]


def test_the_median_of_the_last_seven_runs_counts(tmp_path):
    known = make_settings(tmp_path, "orders")
    for number in range(1, 8):
        accepted(known, "orders", before(number), 1000 if number in (3, 5, 6) else 100)
    accepted(known, "orders", before(8), 1000)  # the eighth would make 550 of it
    assert judged(known, 100)[0] == "pass"


def test_rules_move_the_limits(tmp_path):
    rules = "{gate: {large_drop_share: 0.8, small_drop_share: 0.7, min_expected_rows: 5}}"
    known = make_settings(tmp_path, "orders", rules=rules)
    accepted(known, "orders", before(1), 10)
    assert [judged(known, rows)[0] for rows in (4, 3, 2)] == ["pass", "warn", "stop"]


@pytest.mark.parametrize(("since", "verdict"), [(DAY, "pass"), (before(1), "pass"), (before(-1), "stop")])
def test_a_person_accepts_a_change_from_a_day_on(tmp_path, since, verdict):
    """A day after the one that is judged changes nothing: an older day stays what it was."""
    known = make_settings(tmp_path, "orders", limits=f", normal_since: {since}")
    accepted(known, "orders", before(2), 1000)
    if since == before(1):
        accepted(known, "orders", before(1), 500)
    assert judged(known, 500)[0] == verdict


# --- freshness -----------------------------------------------------------------------------------

END = "2024-02-01T17:00:00"  # of DAY, in Jakarta


def fresh(tmp_path: Path, limits: str = "") -> settings.Settings:
    known = make_settings(tmp_path, "orders", limits=limits)
    for number in (1, 2, 3):
        watermark = f"{before(number)}T05:00:00"  # half a day before the end of its day
        accepted(known, "orders", before(number), 1, watermark=watermark)
    return known


@pytest.mark.parametrize(
    ("watermark", "verdict"),
    [("2024-01-30T05:00:00", "pass"), ("2024-01-30T04:59:59", "warn"), ("2024-02-01T17:00:00", "pass"), (None, "warn"),
     ("2024-02-02T00:00:00", "warn")],
)  # fmt: skip
def test_freshness_at_its_limit(tmp_path, watermark, verdict):
    found, checks = judged(fresh(tmp_path), 1, watermark=watermark)
    assert (found, checks["freshness"]) == (verdict, (verdict == "pass", "warn"))


def test_freshness_stops_where_the_entity_says_so(tmp_path):
    assert judged(fresh(tmp_path, ", gate: {freshness: stop}"), 1, watermark="2024-01-20T00:00:00")[0] == "stop"


def test_without_a_known_lag_before_nothing_is_asked(tmp_path):
    known = make_settings(tmp_path, "orders")
    accepted(known, "orders", before(1), 1, watermark=END)  # after the end of its own day
    assert "freshness" not in judged(known, 1, watermark="2024-01-01T00:00:00")[1]


# --- a history that cannot be read ---------------------------------------------------------------


@pytest.mark.parametrize(
    "harm",
    [
        lambda folder: (folder / "manifest.json").write_text("{"),
        lambda folder: (folder / "manifest.json").unlink(),
        lambda folder: (folder / "manifest.json").write_text('{"rows": 1}'),
        lambda folder: (folder / "manifest.json").write_text(
            (folder / "manifest.json").read_text().replace("1000", '"many"')
        ),
        lambda folder: (folder / "manifest.json").write_text(
            (folder / "manifest.json").read_text().replace("2024-01-31T00:00:00", "yesterday")
        ),
        lambda folder: (folder / "gate.json").write_text("no"),
        lambda folder: (folder / "gate.json").write_text("{}"),
    ],
)
def test_a_damaged_history_warns(tmp_path, harm):
    known = make_settings(tmp_path, "orders")
    harm(accepted(known, "orders", before(1), 1000, watermark="2024-01-31T00:00:00"))
    accepted(known, "orders", before(2), 1000)
    verdict, checks = judged(known, 1000)
    assert (verdict, failed(checks)) == ("warn", {"history"})
    assert judged(known, 500)[0] == "stop"


def test_a_day_that_was_never_judged_is_no_damage(tmp_path):
    known = make_settings(tmp_path, "orders")
    (accepted(known, "orders", before(1), 1000) / "gate.json").unlink()
    assert judged(known, 1) == ("pass", {"history": (True, "warn")})
