"""`retention:` in `tangga.yml`: after how many days what a run leaves behind is deleted."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tangga.settings.types import Strict

Days = Annotated[int, Field(ge=1)]


class Retention(Strict):
    """Days for which things are kept; nothing said keeps them for ever. What a run of today reads stays in any case,
    see `tangga.retention`."""

    landing: Days | None = None
    rejects: Days | None = None
    versions: Days | None = None
    plans: Days | None = None
    gates: Days | None = None
    identities: Days | None = None
    lists: Days | None = None
    ledger: Days | None = None
