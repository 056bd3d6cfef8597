"""Where lists go: one module a kind of destination."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from tangga.destinations.destination import Destination
from tangga.settings import FilesDestination, PythonDestination, Settings


def open_destination(settings: Settings, name: str, planned: Mapping[str, Any], run_id: str) -> Destination:
    """The destination `destinations.<name>` of the settings; nothing is asked of it yet.

    Of files, which tell where they came from, `planned` and `run_id` are it. A tool is what its module,
    `tangga.destinations.<type>`, connects to, or the file that the settings name. Raises `DestinationRefused` when it
    cannot be used as it is configured.
    """
    spec = settings.destinations[name]
    if isinstance(spec, FilesDestination):
        from tangga.destinations.files import Files

        return Files(settings, name, planned, run_id)
    if isinstance(spec, PythonDestination):
        from tangga.destinations import own

        return own.connect(settings, name)
    return import_module(f"{__name__}.{spec.type}").connect(spec, name)
