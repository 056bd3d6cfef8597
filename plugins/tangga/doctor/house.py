"""The home: whether a run could write there, and who else could read it."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tangga import storage
from tangga.doctor.finding import Finding, Level
from tangga.settings import Settings
from tangga.sources.records import SourceRefused

GIB = 1 << 30
FREE_AT_LEAST, FREE_BETTER = 1 * GIB, 5 * GIB
"""Bytes on the disk below which a run is likely to stop, and below which it is soon."""


def home(settings: Settings) -> Iterator[Finding]:
    """Findings about the folder that runs write to; it is neither created nor touched."""
    path = settings.home
    standing = next(folder for folder in (path, *path.parents) if folder.exists())
    if not standing.is_dir():
        yield Finding(Level.FAULT, "home", f"{standing} is no folder; name another with TANGGA_HOME")
        return
    if not os.access(standing, os.R_OK | os.W_OK | os.X_OK):
        yield Finding(Level.FAULT, "home", f"{standing} may not be written to; correct its owner or permissions")
    elif standing != path:
        yield Finding(Level.OK, "home", f"{path} will be created by the first run")
    else:
        yield _privacy(path)
    yield _disk(standing)


def store(settings: Settings) -> Iterator[Finding]:
    """Findings about the object store of the landing, if there is one: whether it lets us look. Whether it lets us
    write is not tried."""
    if settings.storage is None:
        return
    try:
        root = storage.root(settings)
        with suppress(FileNotFoundError):  # nothing has been landed yet
            next(root.iterdir(), None)
    except SourceRefused as error:
        yield Finding(Level.FAULT, "storage", str(error))
    else:
        yield Finding(Level.OK, "storage", f"{root.store.uri} can be read")


def _privacy(path: Path) -> Finding:
    areas = [path / name for name in ("landing", "rejects", "state", "exports", "airflow", "published")]
    shared = [area for area in areas if area.exists() and area.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)]
    if path.stat().st_mode & (stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH) and shared:
        names = ", ".join(area.name for area in shared)
        return Finding(
            Level.WARNING, "home", f"{path} holds personal data that others may read ({names}); chmod -R go= {path}"
        )
    return Finding(Level.OK, "home", f"{path} can be written to, and only its owner reads what is personal")


def _disk(standing: Path) -> Finding:
    free = shutil.disk_usage(standing).free
    sentence = f"{free / GIB:,.1f} GiB free"
    if free < FREE_AT_LEAST:
        return Finding(Level.FAULT, "disk", f"{sentence}; make room, or move the home with TANGGA_HOME")
    if free < FREE_BETTER:
        return Finding(Level.WARNING, "disk", f"{sentence}; a run keeps its partitions and versions: make room soon")
    return Finding(Level.OK, "disk", sentence)
