"""What a run came to, in one screen: read from what it published and wrote, not from what it said."""

from __future__ import annotations

import json
from datetime import date

import duckdb
from rich.columns import Columns
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tangga import audiences, landing, publish, storage
from tangga.contracts import CONTRACTS
from tangga.erasure import requests
from tangga.landing import freshness
from tangga.settings import Settings


def print_summary(settings: Settings, as_of: date, console: Console | None = None) -> None:
    """Print rows per entity, customers per rung and segment, NPS, audiences, and where the files are."""
    console = console or Console(highlight=False, soft_wrap=True)
    console.print(f"\n[bold]{settings.business.name}[/bold] as of {as_of}\n")
    console.print(_landed(settings, as_of), "")
    for sentence in _remarks(settings, as_of):
        console.print(f"[yellow]{escape(sentence)}[/yellow]")
    version = publish.current(settings)
    if version is None or version.as_of_date != as_of.isoformat():
        console.print(
            f"{as_of} is not the newest published day; its version lies in {publish.folder(settings) / 'versions'}"
        )
        return
    with duckdb.connect(str(publish.database(settings)), read_only=True) as con:
        console.print(Columns([_rungs(con), _segments(con)], padding=(0, 4)))
        console.print(_nps(con))
        console.print(_audiences(con, as_of))
    console.print(_places(settings))


def _landed(settings: Settings, as_of: date) -> Table:
    manifests = landing.manifests(settings, as_of)
    table = _table("Landed", "entity", "rows", "rejected", "later than the day")
    for entity in CONTRACTS:
        found = [manifest for manifest in manifests if manifest.entity == entity]
        if found:
            table.add_row(entity, *(_sum(found, name) for name in ("rows", "rejected", "quarantined")))
    return table


def _remarks(settings: Settings, as_of: date) -> list[str]:
    """Which sources had not come, whether what is published has been overtaken by what landed since, and who should
    have been forgotten by now."""
    sentences = [said for known in freshness.of_day(settings, as_of) for said in known.sentences]
    return [f"{sentence}." for sentence in sentences + publish.changed_since(settings) + requests.overdue(settings)]


def _sum(manifests: list[landing.Manifest], name: str) -> str:
    return f"{sum(getattr(manifest, name) for manifest in manifests):,}"


def _rungs(con: duckdb.DuckDBPyConnection) -> Table:
    table = _table("Ladder", "rung", "customers")
    rows = con.execute(
        "select rung, rung_name, count(*) from customer.customer_lifecycle group by all order by rung desc"
    ).fetchall()
    for rung, name, customers in rows:
        table.add_row(f"{rung} {name}", f"{customers:,}")
    return table


def _segments(con: duckdb.DuckDBPyConnection) -> Table:
    table = _table("RFM segments", "segment", "customers", "net value")
    rows = con.execute(
        "select segment, count(*), sum(monetary) from customer.customer_rfm group by all order by 2 desc, 1"
    ).fetchall()
    for segment, customers, value in rows:
        table.add_row(segment, f"{customers:,}", f"{value:,.0f}")
    return table


def _nps(con: duckdb.DuckDBPyConnection) -> str:
    found = con.execute(
        "select nps, ci_low, ci_high, n_responses from metrics.nps where period_grain = 'all' and dimension = 'all'"
    ).fetchone()
    if found is None:
        return "\n[bold]NPS[/bold]  nobody has answered yet\n"
    nps, low, high, answers = found
    if nps is None:
        return f"\n[bold]NPS[/bold]  not shown: only {answers} answers\n"
    return f"\n[bold]NPS[/bold]  {nps:.1f}  (95 % interval {low:.1f} to {high:.1f}, {answers:,} answers)\n"


def _audiences(con: duckdb.DuckDBPyConnection, as_of: date) -> Columns:
    """The audiences of campaigns, with the messages that are due, and beside them the lists."""
    campaigns = _table("Campaigns", "audience", "members", "to be sent", "left out")
    lists = _table("Lists", "audience", "members", "left out")
    sending = {entry.name for entry in audiences.with_campaigns(audiences.load())}
    rows = con.execute(
        "select audience, members, due, excluded from audiences.audience_sizes "
        "where as_of_date = ? order by members desc, audience",
        [as_of],
    ).fetchall()
    for audience, members, due, excluded in rows:
        counts = (members, due, excluded) if audience in sending else (members, excluded)
        (campaigns if audience in sending else lists).add_row(audience, *(f"{count:,}" for count in counts))
    return Columns([campaigns, lists], padding=(0, 4))


def _places(settings: Settings) -> str:
    lines = [
        f"\n[bold]Warehouse[/bold]  {publish.folder(settings) / 'crm.duckdb'}   (for analysts; no personal data)",
        f"           {publish.folder(settings) / 'private.duckdb'}   (with personal data)",
    ]
    for destination in settings.destinations:
        folder = settings.home / "exports" / destination
        if (folder / "manifest.json").exists():
            lists = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["audiences"]
            lines.append(f"[bold]Lists[/bold]      {folder}/   ({len(lists)} files)")
    lines.append(f"[bold]Rejects[/bold]    {storage.root(settings) / 'rejects'}/")
    lines.append(f"[bold]Gates[/bold]      {settings.gate_pages}   (what they found)")
    if settings.warehouse_pages.exists():
        lines.append(f"[bold]Tables[/bold]     {settings.warehouse_pages}   (what they and their columns mean)")
    return "\n".join(lines)


def _table(title: str, first: str, *numbers: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0))
    table.add_column(first)
    for number in numbers:
        table.add_column(number, justify="right")
    return table
