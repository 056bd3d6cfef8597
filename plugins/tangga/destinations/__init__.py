"""Where lists go: one module a kind of destination."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from tangga.destinations.destination import Destination
from tangga.settings import Settings


def open_destination(settings: Settings, name: str, planned: Mapping[str, Any], run_id: str) -> Destination:
    """The destination `destinations.<name>` of the settings, for a plan and a run: an instance of what its module,
    `tangga.destinations.<type>`, calls `opened`. Nothing is asked of it yet.

    Raises `SourceRefused` when Airflow does not have its connection, and `DestinationRefused`.
    """
    module = import_module(f"{__name__}.{settings.destinations[name].type}")
    return module.opened(settings, name, planned, run_id)
