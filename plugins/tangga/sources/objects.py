"""Files of a source that lie in an object store: fetched as they are at one moment, for the local reader."""

from __future__ import annotations

import shutil
import time
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from tangga.sources.records import SourceDown, SourceRefused
from tangga.sources.stores import Store, code_of

PAUSES = (1.0, 5.0)
"""Seconds to wait before the second and the third try, when the store is down or its objects change."""

SAMPLE_FILES = 20
"""So many files are enough where a sample is asked for."""

SAMPLE_BYTES = 16 << 20
"""So much of a text file is enough where a sample is asked for; Parquet has its index at the end."""


class _Changed(Exception):
    """An object was replaced or removed while it was fetched."""


def fetch(store: Store, pattern: str, target: Path, *, sample: bool = False) -> None:
    """Copy the objects that match a glob below the store's folder to the same places below `target`.

    What is copied lay there together at one moment: a change in between begins it anew. Raises `SourceRefused`, and
    `SourceDown` when the store cannot be reached or does not come to rest.
    """
    for pause in (*PAUSES, None):
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(mode=0o700, parents=True)
        try:
            with store.told():
                return _fetch_once(store, PurePosixPath(pattern).parts, target, sample)
        except _Changed as changed:
            if pause is None:
                raise SourceDown(
                    f"{store.uri}: {changed} while it was read, {len(PAUSES) + 1} times; let files be complete "
                    "before the run begins."
                ) from None
        except SourceDown:
            if pause is None:
                raise
        time.sleep(pause)
    raise AssertionError("unreachable")


def _fetch_once(store: Store, parts: tuple[str, ...], target: Path, sample: bool) -> None:
    found = _matching(store, parts)
    if sample:
        found = dict(list(found.items())[:SAMPLE_FILES])
    for name in found:
        _refuse_unless_path(store, name)
        path = target / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            if sample and found[name]["size"] > SAMPLE_BYTES and not name.lower().endswith(".parquet"):
                path.write_bytes(store.fs.cat_file(f"{store.root}/{name}", start=0, end=SAMPLE_BYTES))
            else:
                store.fs.get_file(f"{store.root}/{name}", str(path))
        except FileNotFoundError:
            raise _Changed(f"'{name}' was removed") from None
    now = _matching(store, parts)
    for name, info in found.items():
        if now.get(name) != info:
            raise _Changed(f"'{name}' was {'changed' if name in now else 'removed'}")


def _matching(store: Store, parts: tuple[str, ...]) -> dict[str, dict]:
    """Name below the store's folder -> what the store tells of the object, in the order of the names."""
    fixed = next((number for number, part in enumerate(parts) if set(part) & set("*?[")), len(parts))
    base = "/".join((store.root, *parts[:fixed]))
    try:
        if fixed == len(parts):
            entries = [store.fs.info(base)]
        elif "**" in parts:
            entries = store.fs.find(base, detail=True).values()
        else:
            entries = _level(store, base, parts[fixed:])
    except FileNotFoundError as error:
        if code_of(error) == "NoSuchBucket":
            raise
        return {}
    names = {entry["name"].removeprefix(f"{store.root}/"): entry for entry in entries if entry["type"] == "file"}
    chosen = {name for name in names if not name.endswith("/") and _matches(tuple(name.split("/")), parts)}
    return {name: names[name] for name in sorted(chosen)}


def _level(store: Store, base: str, parts: tuple[str, ...]) -> list[dict]:
    """What lies exactly as many folders below `base` as there are parts, without looking into any others.

    Not by the store's own glob: that takes an error for an empty folder.
    """
    entries = [entry for entry in store.fs.ls(base, detail=True) if entry["name"] != base]
    if len(parts) == 1:
        return entries
    folders = [entry["name"].rstrip("/") for entry in entries if entry["type"] == "directory"]
    fitting = [name for name in folders if fnmatchcase(name.rsplit("/", 1)[-1], parts[0])]
    return [entry for name in fitting for entry in _level(store, name, parts[1:])]


def _matches(name: tuple[str, ...], parts: tuple[str, ...]) -> bool:
    """Whether a name matches a glob as `Path.glob` means it."""
    if not parts:
        return not name
    if parts[0] == "**":
        return any(_matches(name[skip:], parts[1:]) for skip in range(len(name)))
    return bool(name) and fnmatchcase(name[0], parts[0]) and _matches(name[1:], parts[1:])


def _refuse_unless_path(store: Store, name: str) -> None:
    """Stores take any text for a name; not every one is a path below a folder."""
    parts = name.split("/")
    if {"", ".", ".."} & set(parts) or "\0" in name or "?versionId=" in name or max(map(_length, parts)) > 255:
        raise SourceRefused(f"{store.uri}: '{name}' cannot be the name of a file below a folder; rename the object.")


def _length(part: str) -> int:
    return len(part.encode("utf-8", "surrogatepass"))
