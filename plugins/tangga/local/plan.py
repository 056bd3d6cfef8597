"""`make plan`: what would be sent, and whether somebody would have to agree; nothing is sent and nobody is called.

    python -m tangga.local.plan [--as-of YYYY-MM-DD] [--config tangga.yml] [--home DIRECTORY]

Exit code 0: shown; 1: there is nothing that may be sent; 2: the settings or the arguments cannot be used.
"""

from __future__ import annotations

import logging
import os
import sys
from datetime import date

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tangga.local import airflow_home, command
from tangga.settings import Settings


def main(arguments: list[str] | None = None) -> int:
    parser = command.parser("plan", "What would be sent.")
    command.add_day(parser, default="the newest published")
    options = parser.parse_args(arguments)
    settings = command.begin(options)
    airflow_home.activate(settings)
    logging.disable(logging.INFO)  # what migrations say of themselves is no part of the plan
    if airflow_home.database(settings).exists():
        os.environ["_AIRFLOW_PROCESS_CONTEXT"] = "server"  # connections are looked up, as by a task
    from tangga import publish
    from tangga.activation import plan

    version = publish.current(settings)
    day = options.as_of or (date.fromisoformat(version.as_of_date) if version else settings.yesterday())
    try:
        folder = plan.make(settings, day)
    except plan.ActivationRefused as refused:
        print(refused, file=sys.stderr)
        return 1
    show(settings, folder, Console(highlight=False, soft_wrap=True))
    return 0


def show(settings: Settings, folder, console: Console) -> None:
    """Print a plan: of each destination its lists, what would have to be agreed to, and examples; who is left out."""
    from tangga.activation import approval, plan, preview

    planned = plan.read(folder)
    console.print(
        f"\n[bold]{escape(settings.business.name)}[/bold] as of {planned['as_of_date']}: {escape(str(folder))}"
    )
    for destination, entry in planned["destinations"].items():
        if entry.get("refused"):
            console.print(f"\n[bold]{destination}[/bold]: [red]{escape(entry['refused'])}[/red]")
            continue
        lists = _table(f"\n{destination}  (plan {entry['hash'][:12]})", "list", "before", "join", "leave", "after")
        for name, found in preview.counts(planned, destination).items():
            lists.add_row(name, *(f"{number:,}" for number in (found.before, found.added, found.removed, found.after)))
        console.print(lists)
        console.print(escape(preview.of_people(planned, destination)))
        for reason in approval.expected(settings, destination, planned):
            console.print(f"[yellow]somebody has to agree: {escape(reason)}[/yellow]")
        seen = Table(title="Examples", title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0))
        for column in ("list", "person", "rung", "segment", "why"):
            seen.add_column(column)
        for row in preview.examples(settings, folder, destination):
            seen.add_row(*map(escape, row))
        console.print(seen)
    out = _table("\nLeft out", "audience", "people", "why")
    for audience, why, people in preview.left_out(settings, planned):
        out.add_row(audience, "all" if people is None else f"{people:,}", escape(why))
    console.print(out)
    console.print("\nNothing was sent.")


def _table(title: str, first: str, *others: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0))
    table.add_column(first)
    for name in others:
        table.add_column(name, justify="left" if name == "why" else "right")
    return table


if __name__ == "__main__":
    sys.exit(main())
