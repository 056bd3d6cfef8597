"""What is asked when rows of a day are missing: do older ones stand in that are fresh enough, and was any day before
never landed?"""

from __future__ import annotations

from datetime import date, timedelta

from expectations.checks import Check
from tangga import landing
from tangga.landing import Manifest, freshness
from tangga.settings import Settings


def stand_in(settings: Settings, source: str, entity: str, day: date) -> list[tuple[Check, str]]:
    """A source was down: are the rows that stand in for the day's there, and fresh enough? Checks and figures."""
    known, most = freshness.of_entity(settings, source, entity, day), settings.sources[source].max_stale_days
    if known.last_day is None:
        return [(_most("landed", f"Rows of {entity} can stand in for {day}", 0), "1")]
    rows = f"the rows of {entity} of {known.last_day} stand in"
    return [
        (_most("down", f"{source} was not down on {day} ({rows})", 0), str(known.days_behind)),
        (_most("stale", f"The last {entity} of {source} are at most {most} days old (max_stale_days)", most),
         str(known.days_behind)),
        *missing_days(settings, source, entity, None, day),
    ]  # fmt: skip


def missing_days(
    settings: Settings, source: str, entity: str, manifest: Manifest | None, day: date | None = None
) -> list[tuple[Check, str]]:
    """Has a `daily` entity every day before the partition's, which is not yet let in, or before `day`?"""
    if settings.sources[source].entities[entity].load != "daily":
        return []
    day = day or date.fromisoformat(manifest.ds)
    known = [*landing.accepted(settings, entity, source, day - timedelta(days=1)), *([manifest] if manifest else [])]
    missing = [lacking for lacking in freshness.missing_days(settings, source, entity, day, known) if lacking < day]
    which = f" (backfill {freshness.named(missing)})" if missing else ""
    sentence = f"Every day of {entity} of {source} was landed and let in{which}"
    return [(_most("missing_days", sentence, 0), str(len(missing)))]


def _most(name: str, sentence: str, most: int) -> Check:
    return Check(name, sentence, "ExpectColumnMaxToBeBetween", {"column": name, "max_value": most})
