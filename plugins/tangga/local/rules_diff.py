"""`make rules-diff BASE=<git ref>`: who would move where if the rules of the working tree came into force.

    python -m tangga.local.rules_diff --base main [--config tangga.yml] [--home DIRECTORY]

The report, in Markdown, goes to the terminal; nothing in the home is changed. Exit code 0: compared; 1: a side could
not be built; 2: the settings or the arguments cannot be used.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import date
from pathlib import Path

from tangga import publish, rules_diff
from tangga.local import airflow_home, command


def main(arguments: list[str] | None = None) -> int:
    parser = command.parser("rules_diff", "Compare two sets of rules.")
    parser.add_argument("--base", required=True, help="a branch, tag or commit whose rules count as those before")
    options = parser.parse_args(arguments)
    settings = command.begin(options)
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


if __name__ == "__main__":
    sys.exit(main())
