"""The destinations: whether lists could go there. They are asked who they are, and nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from tangga.destinations import open_destination
from tangga.destinations.destination import DestinationDown, DestinationRefused
from tangga.doctor.finding import Finding, Level
from tangga.settings import FilesDestination, Settings


def examine(settings: Settings) -> Iterator[Finding]:
    """One finding a destination."""
    for name, spec in settings.destinations.items():
        if isinstance(spec, FilesDestination):
            yield Finding(Level.OK, name, f"lists go below {settings.home / 'exports' / name}")
            continue
        try:
            with closing(open_destination(settings, name, {}, "")) as destination:
                yield Finding(Level.OK, name, f"{spec.type} answers: {destination.account()}")
        except DestinationRefused as error:
            yield Finding(Level.FAULT, name, str(error))
        except DestinationDown as error:
            yield Finding(Level.WARNING, name, f"{error} Lists wait until it answers")
