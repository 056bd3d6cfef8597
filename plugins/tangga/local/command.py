"""How every command of this folder begins: its options, files that are their owner's only, the settings."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import date

from tangga.settings import Settings, SettingsError, load


def parser(command: str, purpose: str) -> argparse.ArgumentParser:
    """A parser that knows `--config` and `--home` already."""
    known = argparse.ArgumentParser(prog=f"python -m tangga.local.{command}", description=purpose)
    known.add_argument("--config", help="a tangga.yml (default: $TANGGA_CONFIG, then the repository's)")
    known.add_argument("--home", help="where runs write (default: $TANGGA_HOME, then var/)")
    return known


def add_day(known: argparse.ArgumentParser, default: str = "yesterday") -> None:
    """The option `--as-of`; `default` says which day it is without."""
    known.add_argument("--as-of", type=_day, metavar="YYYY-MM-DD", help=f"the day (default: {default})")


def begin(options: argparse.Namespace) -> Settings:
    """The settings that the options name. Where they cannot be used, says so and ends with exit code 2."""
    guard_files()
    try:
        return load(options.config, options.home)
    except SettingsError as error:
        print(error, file=sys.stderr)
        sys.exit(2)


def guard_files() -> None:
    """Whatever this process writes from here on is its owner's."""
    os.umask(0o077)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not a day; write it as YYYY-MM-DD") from None
