"""Which rules produced a result."""

from __future__ import annotations

import hashlib
import json

from tangga import audiences, reference
from tangga.settings import REPOSITORY, Settings

_OF_PERSONS = {"links", "suppressions"}
"""Tables that name people rather than saying what holds for all of them."""


def rules_version(settings: Settings) -> str:
    """A short checksum of all that marketers decide: `rules:`, the seeds or the tables that stand in for them, and the
    registry of audiences. The same rules give the same, wherever their files lie."""
    digest = hashlib.sha256(json.dumps(settings.rules.model_dump(mode="json"), sort_keys=True).encode())
    seeds = {path.stem: path for path in (REPOSITORY / "dbt_project" / "seeds").glob("*.csv")}
    tables = {name: reference.path_of(settings, name) for name in reference.TABLES if name not in _OF_PERSONS}
    # A scheme of segments stands beside those of the seed, which therefore count as well.
    counted = [*sorted((seeds | tables).items()), ("seed", seeds["rfm_segments"]), ("registry", audiences.REGISTRY)]
    for name, path in counted:
        # Without a table that the settings name nothing is built: it may be missing only before that.
        digest.update(name.encode() + b"\0" + (path.read_bytes() if path.is_file() else b"") + b"\0")
    return digest.hexdigest()[:12]
