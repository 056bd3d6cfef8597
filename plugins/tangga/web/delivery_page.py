"""One plan at one destination: what it changes, how far it has come, what was rejected and in which words."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query, Request
from fastapi.responses import HTMLResponse

from tangga import ledger
from tangga.activation.limits import STEP
from tangga.activation.standing import Standing
from tangga.destinations import words
from tangga.ledger import LedgerDown
from tangga.sources.records import SourceRefused
from tangga.web import access, deliveries, look, registry
from tangga.web.airflow_runs import run_link
from tangga.web.published import company

router = APIRouter()

Destination = Annotated[str, Path(pattern=r"^[a-z0-9_]+$")]
Plan = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]
PageNumber = Annotated[int, Query(ge=1, le=1_000_000)]
A_PAGE = 25


@router.get("/deliveries/{destination}/{plan}")
def delivery(request: Request, destination: Destination, plan: Plan, page: PageNumber = 1) -> HTMLResponse:
    """With rejected rows that cannot be told apart."""
    return _page(request, destination, plan, page, is_open=False)


@router.get("/deliveries/{destination}/{plan}/people", dependencies=access.noted("tangga_delivery_people"))
def delivery_people(request: Request, destination: Destination, plan: Plan, page: PageNumber = 1) -> HTMLResponse:
    """With whom rejected rows are about: for those who may see persons, and written to the audit log."""
    return _page(request, destination, plan, page, is_open=True)


def _page(request: Request, destination: str, plan: str, page: int, *, is_open: bool) -> HTMLResponse:
    found = deliveries.everything()
    one = next((one for one in found.of(destination) if one.plan_hash.startswith(plan)), None)
    if one is None:
        raise HTTPException(404, found.down or "There is no such plan any more.")
    refused = one.tally.kind("rejected") + one.tally.kind("withheld")
    pages = max(1, -(-refused // A_PAGE))
    page = min(page, pages)
    written = deliveries.written(destination)
    return look.page(
        request,
        "delivery.html",
        here="deliveries",
        found=found,
        one=one,
        plan=plan,
        run=one.delivery and run_link(one.delivery["run_id"]),
        question=found.runs.questions.get(one.plan_hash) if one.state == "waiting" else None,
        failed=found.runs.failed.get((one.folder, destination)),
        lists=_lists(one),
        written=written if written and written.get("plan") == one.plan_hash else None,
        refused=refused,
        number_of_page=page,
        pages=pages,
        is_open=is_open,
        **_refused(one, page, is_open=is_open),
    )


def _lists(one: Standing) -> list[dict[str, Any]]:
    """The lists of a plan, most changed first: what it changes of each, and what was acknowledged and rejected."""
    entries = registry.all_entries()
    planned = one.entry["lists"] if one.entry else {}
    told = {name for _, name in one.tally.sent if name}
    rows = []
    for name in sorted({*planned, *told}):
        audience, _, step = name.partition(STEP)
        label = registry.label(audience, registry.entry_of(audience, entries))
        rows.append(
            {
                "audience": audience,
                "label": f"{label}, step {step}" if step else label,
                "planned": planned.get(name),
                "acknowledged": _of_list(one.tally.acknowledged, name),
                "rejected": sum(rows for (_, _, of), rows in one.tally.refused.items() if of == name),
            }
        )
    changed = {"added": 0, "removed": 0, "updated": 0}
    return sorted(rows, key=lambda row: -sum((row["planned"] or changed)[name] for name in changed))


def _of_list(counted: dict[tuple[str, str | None], int], name: str) -> int:
    return sum(rows for (_, of), rows in counted.items() if of == name)


def _refused(one: Standing, page: int, *, is_open: bool) -> dict[str, Any]:
    """Why rows were not taken, and a page of them. A tool's words may hold an address in spite of everything: who may
    not see persons is shown them without."""
    try:
        with ledger.reading(company()) as book:
            if book is None:
                return {"reasons": [], "rows": []}
            reasons = book.words(one.destination, one.plan_hash)
            rows = book.refused_rows(one.destination, one.plan_hash, A_PAGE, (page - 1) * A_PAGE)
    except (LedgerDown, SourceRefused):
        return {"reasons": [], "rows": []}
    for row in reasons:
        row["words"] = words.safe(row["words"])
    if not is_open:
        for row in rows:
            row["words"] = words.safe(row["words"], row)
    return {"reasons": _merged(reasons), "rows": rows}


def _merged(reasons: list[dict]) -> list[dict]:
    """Words that only differed in what is not shown are the same."""
    merged: dict[tuple, dict] = {}
    for row in reasons:
        same = merged.setdefault((row["kind"], row["operation"], row["words"]), row | {"rows": 0})
        same["rows"] += row["rows"]
    return list(merged.values())
