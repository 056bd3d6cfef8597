"""`make rules-diff BASE=<git ref>`: who would move where if the rules of the working tree came into force.

    python -m tangga.local.rules_diff --base main [--config tangga.yml] [--home DIRECTORY]

The report, in Markdown, goes to the terminal; nothing in the home is changed. Exit code 0: compared; 1: a side could
not be built; 2: the settings or the arguments cannot be used.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from datetime import date
from pathlib import Path

from tangga import publish, rules_diff
from tangga.local import airflow_home
from tangga.settings import SettingsError, load


def main(arguments: list[str] | None = None) -> int:
    options = _options(arguments)
    os.umask(0o077)
    try:
        settings = load(options.config, options.home)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    version = publish.current(settings)
    if version is None:
        print(f"{settings.home}: nothing is published there yet; 'make run' first.", file=sys.stderr)
        return 2
    if settings.storage is not None:  # its credentials are one of Airflow's connections
        airflow_home.activate(settings)
    with tempfile.TemporaryDirectory(prefix="tangga-rules-diff-") as folder:
        try:
            for line in rules_diff.compare(
                settings, date.fromisoformat(version.as_of_date), options.base, Path(folder)
            ):
                print(line)
        except rules_diff.DiffFailed as error:
            print(error, file=sys.stderr)
            return 1
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tangga.local.rules_diff", description="Compare two sets of rules.")
    parser.add_argument("--base", required=True, help="a branch, tag or commit whose rules count as those before")
    parser.add_argument("--config", help="a tangga.yml (default: $TANGGA_CONFIG, then the repository's)")
    parser.add_argument("--home", help="where runs write (default: $TANGGA_HOME, then var/)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
