"""Destinations of one's own: what the Python file that `tangga.yml` names makes of its options."""

from __future__ import annotations

from tangga.destinations.destination import Destination, DestinationRefused
from tangga.settings import Settings, own_destinations

_NEEDED = ("identity", "sizes", "needs_release", "account", "refusals", "send", "close")


def connect(settings: Settings, name: str) -> Destination:
    """What `connect(settings, name, options)` of the file gives. Raises `DestinationRefused`."""
    spec = settings.destinations[name]
    found = own_destinations.module(settings, name).connect(spec, name, own_destinations.options(settings, name))
    lacking = [part for part in _NEEDED if not hasattr(found, part)]
    if lacking:
        raise DestinationRefused(
            f"{name}: what 'connect' of {spec.file} gives has no '{lacking[0]}'; see docs/destinations.md."
        )
    return found
