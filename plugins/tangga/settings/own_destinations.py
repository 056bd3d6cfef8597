"""Destinations of one's own: Python files beside `tangga.yml`, found and checked with it."""

from __future__ import annotations

import importlib.util
import re
import sys
import traceback
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from pydantic import BaseModel, ValidationError

from tangga.settings import faults
from tangga.settings.destinations import PythonDestination
from tangga.settings.yaml_file import SettingsError

if TYPE_CHECKING:
    from tangga.settings import Settings


def check(settings: Settings) -> None:
    """Read the files of all destinations of one's own, and check their options. Raises `SettingsError`."""
    lines = []
    for name, spec in settings.destinations.items():
        if isinstance(spec, PythonDestination):
            try:
                options(settings, name)
            except ValidationError as error:
                below = ("destinations", name, "options")
                lines += faults.sentences(settings.config_path, spec.options, error, below)
    if lines:
        raise SettingsError("\n".join(lines))


def options(settings: Settings, name: str) -> BaseModel:
    """The options of a destination, as its own file checks them. Raises `SettingsError`, and ValidationError."""
    return module(settings, name).Options.model_validate(settings.destinations[name].options)


def module(settings: Settings, name: str) -> ModuleType:
    """The file of a destination of one's own, run once. Raises `SettingsError`."""
    key = f"{settings.config_path}: destinations.{name}.file"
    path = settings.resolve(settings.destinations[name].file)
    if not path.is_file():
        raise SettingsError(
            f"{key}: there is no file {path}; paths count from the folder of {settings.config_path.name}"
        )
    try:
        found = _run(path, path.stat().st_mtime_ns)
    except Exception as error:  # whatever somebody's own code may raise
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        lines += [error.lineno] if isinstance(error, SyntaxError) else []
        where = f", line {lines[-1]}" if lines else ""
        raise SettingsError(f"{key}: {path}{where}: cannot be run ({type(error).__name__}: {error})") from None
    model = getattr(found, "Options", None)
    if not (isinstance(model, type) and issubclass(model, BaseModel)) or not callable(getattr(found, "connect", None)):
        raise SettingsError(
            f"{key}: {path} needs a pydantic model 'Options' and a function 'connect'; see docs/destinations.md"
        )
    return found


@lru_cache(maxsize=32)
def _run(path: Path, changed: int) -> ModuleType:
    """`changed` is when the file was: one that is edited is run anew."""
    spec = importlib.util.spec_from_file_location("tangga_destination" + re.sub(r"\W", "_", str(path)), path)
    made = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = made  # pydantic looks there for what annotations name
    spec.loader.exec_module(made)
    return made
