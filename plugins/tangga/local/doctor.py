"""`make doctor`: what a run would meet, without running it and without writing anything in the home.

    python -m tangga.local.doctor [--config tangga.yml] [--home DIRECTORY] [--as-of YYYY-MM-DD]

Exit code 0: nothing that would stop a run; 1: faults; 2: the settings or the arguments cannot be used.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.text import Text

from tangga.local import airflow_home, command
from tangga.settings import Settings, SettingsError, load

_STYLES = {"ok": "green", "warning": "yellow", "fault": "bold red"}


def main(arguments: list[str] | None = None) -> int:
    parser = command.parser("doctor", "Look, and write nothing.")
    command.add_day(parser)
    options = parser.parse_args(arguments)
    command.guard_files()
    console = Console(highlight=False, soft_wrap=True)
    try:
        settings = load(options.config, options.home)
    except SettingsError as error:
        for line in str(error).splitlines():
            _show(console, "fault", "settings", line)
        return 2
    with tempfile.TemporaryDirectory(prefix="tangga-doctor-") as folder:
        workspace = Path(folder)
        _airflow_of(settings, workspace)
        from tangga import doctor

        counts = dict.fromkeys(_STYLES, 0)
        with _quiet() as terminal:
            console.file = terminal
            for finding in doctor.examine(settings, options.as_of or settings.yesterday(), workspace):
                counts[finding.level.value] += 1
                _show(console, finding.level.value, finding.subject, finding.sentence, finding.details)
            console.print(", ".join(f"{count} {level}" for level, count in counts.items()))
    return 1 if counts["fault"] else 0


def _airflow_of(settings: Settings, workspace: Path) -> None:
    """Let Airflow find the home's connections in a copy of its database, as its start writes into its folder."""
    copied = settings.model_copy(update={"home": workspace})
    airflow_home.folder(copied).mkdir()
    for name in ("airflow.db", "airflow.db-wal", "airflow.cfg", "secrets.json"):
        if (airflow_home.folder(settings) / name).is_file():
            shutil.copy(airflow_home.folder(settings) / name, airflow_home.folder(copied) / name)
    airflow_home.activate(copied)
    if airflow_home.database(copied).exists():
        os.environ["_AIRFLOW_PROCESS_CONTEXT"] = "server"  # or Airflow asks everybody but its database


@contextmanager
def _quiet() -> Iterator:
    """Whatever Airflow and native libraries print goes nowhere; gives the terminal, for what is to be seen."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept, sink = [os.dup(1), os.dup(2)], os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 1)
    os.dup2(sink, 2)
    try:
        with os.fdopen(os.dup(kept[0]), "w", encoding="utf-8", buffering=1) as terminal:
            yield terminal
    finally:
        for number, copy in enumerate(kept, start=1):
            os.dup2(copy, number)
            os.close(copy)
        os.close(sink)


def _show(console: Console, level: str, subject: str, sentence: str, details: tuple[str, ...] = ()) -> None:
    console.print(Text.assemble((f"{level:8}", _STYLES[level]), (subject, "bold"), f": {sentence}"))
    for detail in details:
        console.print(Text(f"{'':10}{detail}", style="dim"))


if __name__ == "__main__":
    sys.exit(main())
