"""Volume and freshness: how does what was landed compare with the days before?

Only accepted runs of earlier days count, so that judging a day again gives the same verdict, whatever was
landed since.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any

from expectations.checks import Check
from tangga import landing
from tangga.landing import Manifest
from tangga.settings import Entity, Settings

_WEEK = timedelta(days=7)


@dataclass(frozen=True)
class History:
    """The last accepted runs before a day, the newest first: day -> rows, and day -> lag in days where it is
    known; and how many days there are whose figures cannot be read."""

    rows: Mapping[str, int]
    lags: Mapping[str, float]
    damaged: int


def read(settings: Settings, spec: Entity, manifest: Manifest) -> History:
    """What is known of the runs before a partition's day, from `normal_since` on once that day has come."""
    day, rules = date.fromisoformat(manifest.ds), settings.rules.gate
    begin = spec.normal_since.isoformat() if spec.normal_since and spec.normal_since <= day else ""
    rows, lags, damaged = {}, {}, 0
    for ds, before in landing.recent(settings, manifest.entity, manifest.source, day):
        if ds < begin or len(rows) == rules.history_runs:
            break
        try:
            lag, count = _lag(settings, before), int(before.rows)
        except (AttributeError, TypeError, ValueError):  # no manifest, or one with other things in it
            damaged += 1
            continue
        rows[ds] = count
        if lag is not None:
            lags[ds] = lag
    return History(rows, lags, damaged)


def kept(history: History) -> dict[str, Any]:
    """The history as a result keeps it, the oldest day first."""
    return {"history": [{"ds": ds, "rows": rows} for ds, rows in reversed(history.rows.items())]}


def checks(settings: Settings, spec: Entity, manifest: Manifest, history: History) -> list[tuple[Check, str]]:
    """What is asked of a partition in the light of its history: each check, and the SQL of its figure."""
    asked = [(_most("history", "The figures of the days before can be read", 0), str(history.damaged))]
    rules = settings.rules.gate
    if len(history.rows) < (rules.snapshot_history if spec.load == "snapshot" else rules.daily_history):
        return asked
    asked += _volume(settings, spec, manifest, history)
    if history.lags and manifest.rows:
        lag, usual = _lag(settings, manifest), median(history.lags.values())
        sentence = (
            f"The last row is at most {rules.max_extra_lag_days:g} days older than usual (usual: {usual:.1f} days "
            "before the end of the day)"
        )
        # Where every row is dated after the day there is no lag, and nothing that could be called fresh.
        extra = "cast(null as double)" if lag is None else _double(round(lag - usual, 6))
        asked.append((_most("freshness", sentence, rules.max_extra_lag_days), extra))
    return asked


def is_small(settings: Settings, spec: Entity, manifest: Manifest, history: History) -> bool:
    """Whether so few rows are usual that a change of their number says little."""
    usual = _usual(spec, manifest, history)
    return not usual or min(usual) < settings.rules.gate.min_expected_rows


def _volume(settings: Settings, spec: Entity, manifest: Manifest, history: History) -> list[tuple[Check, str]]:
    usual, rules = _usual(spec, manifest, history), settings.rules.gate
    # Against the nearest of what is usual: a Sunday is like the Sunday before, not like the week.
    low, high = min(usual), max(usual)
    drop = _double((low - manifest.rows) / low if low else 0.0)
    runs = "the run before" if len(history.rows) == 1 else f"{len(history.rows)} runs before"
    words = f"of the usual rows are missing (usual: {_count(low)}, from {runs})"
    sentence = f"Less than {percent(rules.large_drop_share)} {words}"
    advice = f"If so few rows are right from this day on, write 'normal_since: {manifest.ds}' there first."
    asked = [(replace(_less("volume", sentence, rules.large_drop_share), advice=advice), drop)]
    if not is_small(settings, spec, manifest, history):
        sentence = f"Less than {percent(rules.small_drop_share)} {words}"
        asked.append((_less("volume_dip", sentence, rules.small_drop_share), drop))
        sentence = f"There are at most {rules.max_growth_factor:g} times as many rows as usual (usual: {_count(high)})"
        asked.append((_most("volume_growth", sentence, rules.max_growth_factor), _double(manifest.rows / high)))
    return asked


def _usual(spec: Entity, manifest: Manifest, history: History) -> list[float]:
    """How many rows to expect: the median of the history, and in a daily load also those of a week before."""
    if not history.rows:
        return []
    same_weekday = (date.fromisoformat(manifest.ds) - _WEEK).isoformat()
    known = [history.rows[same_weekday]] if spec.load == "daily" and same_weekday in history.rows else []
    return [median(history.rows.values()), *known]


def _lag(settings: Settings, manifest: Manifest) -> float | None:
    """Days from the last row to the end of the manifest's day; None when no row is dated up to then."""
    if manifest.watermark is None:
        return None
    last = datetime.fromisoformat(manifest.watermark).replace(tzinfo=UTC)
    lag = settings.ends(date.fromisoformat(manifest.ds)) - last
    return lag / timedelta(days=1) if lag >= timedelta() else None


def _count(rows: float) -> str:
    return f"{rows:,.0f}"


def percent(share: float) -> str:
    """0.05 -> '5%'."""
    return f"{share * 100:g}%"


def _double(value: float) -> str:
    return f"cast({value!r} as double)"


def _most(name: str, sentence: str, most: float) -> Check:
    return Check(name, sentence, "ExpectColumnMaxToBeBetween", {"column": name, "max_value": most})


def _less(name: str, sentence: str, limit: float) -> Check:
    arguments = {"column": name, "max_value": limit, "strict_max": True}
    return Check(name, sentence, "ExpectColumnMaxToBeBetween", arguments)
