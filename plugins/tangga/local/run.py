"""`make run`: the whole pipeline once, through Airflow, in this process and without a server.

    python -m tangga.local.run [--as-of YYYY-MM-DD] [--config tangga.yml] [--home DIRECTORY]

Exit code 0: done; 1: a DAG failed; 2: the settings or the arguments cannot be used; 3: the home is in use.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import TextIO

from tangga.local import airflow_home, command
from tangga.local.home_lock import HomeBusy, home_lock
from tangga.local.processes import end_all
from tangga.progress import Progress
from tangga.settings import Settings

PHASES = {"land": "crm_land", "build": "crm_build", "activate": "crm_activate"}


def main(arguments: list[str] | None = None) -> int:
    parser = command.parser("run", "Run the whole pipeline once.")
    command.add_day(parser)
    options = parser.parse_args(arguments)
    settings = command.begin(options)
    as_of = options.as_of or settings.yesterday()
    # The imports above are part of the set-up, waiting for another run is not.
    imported = time.process_time()
    try:
        with home_lock(settings, "run", on_wait=lambda sentence: print(sentence, flush=True)):
            return _run(settings, as_of, began=time.monotonic() - imported)
    except HomeBusy as error:
        print(error, file=sys.stderr)
        return 3
    except BrokenPipeError:
        # Nobody reads the summary any more; the interpreter must not stumble over it again at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except KeyboardInterrupt:
        print("Stopped. What was published before is unchanged; run again to finish the day.", file=sys.stderr)
        return 130


def _run(settings: Settings, as_of: date, began: float) -> int:
    airflow_home.activate(settings)
    end_all(settings)  # the scheduler of a killed 'make up' would run the tasks a second time
    airflow_home.fail_abandoned_runs(settings)
    log = airflow_home.logs(settings) / "run.log"
    waiting: list[str] = []
    seconds: dict[str, float] = {}
    with _chatter_in(log) as terminal, Progress(terminal) as progress:
        progress.line(f"Tangga: {settings.business.name} as of {as_of}, in {settings.home} (log: {log})")
        progress.start("set-up", "Airflow")
        clock = began
        gc.disable()  # the start makes a million objects that stay: to look through them for waste costs a second
        try:
            from tangga.local import in_process

            in_process.migrate(settings)
            dags = in_process.load(list(PHASES.values()))
            in_process.warm_up()
            gc.freeze()
            gc.enable()
            progress.finish("set-up", "Airflow")
            seconds["set-up"], clock = time.monotonic() - clock, time.monotonic()
            for phase, dag_id in PHASES.items():
                outcome = in_process.run(dags[dag_id], phase, {"as_of_date": as_of.isoformat()}, progress)
                waiting += outcome.waiting
                seconds[phase], clock = time.monotonic() - clock, time.monotonic()
        except in_process.RunFailed as error:
            progress.line(f"\nFailed after {time.monotonic() - began:.1f} s.\n{error}\nThe whole story: {log}")
            return 1
    from tangga.summary import print_summary

    print_summary(settings, as_of)
    if waiting:
        print("Waiting for somebody to agree:", *waiting, sep="\n")
        print(
            "Start Airflow with 'make up' and answer in crm_activate, under Required Actions; the rest was delivered."
        )
    parts = ", ".join(f"{phase} {spent:.1f} s" for phase, spent in seconds.items())
    print(f"{time.monotonic() - began:.1f} s: {parts}", flush=True)
    return 0


@contextmanager
def _chatter_in(log: Path) -> Iterator[TextIO]:
    """Send all that this process and its children print to `log`; gives the terminal, for what is to be seen.

    It is done with the file descriptors, because Airflow, dbt and native libraries each have their own way
    of printing. The log of the run before is kept as `run.previous.log`.
    """
    if log.exists():
        log.replace(log.with_name("run.previous.log"))
    sys.stdout.flush()
    sys.stderr.flush()
    terminal, errors = os.dup(1), os.dup(2)
    sink = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(sink, 1)
    os.dup2(sink, 2)
    os.close(sink)
    try:
        stream = os.fdopen(os.dup(terminal), "w", encoding="utf-8", buffering=1)
        yield stream
        with suppress(BrokenPipeError):
            stream.close()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(terminal, 1)
        os.dup2(errors, 2)
        os.close(terminal)
        os.close(errors)


if __name__ == "__main__":
    sys.exit(main())
