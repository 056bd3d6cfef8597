"""Looking for somebody, and all that is known of them: for those who may see persons, and noted in the audit log."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, HTTPException, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from tangga.landing import normalise
from tangga.web import access, customer_queries, deliveries, look, registry
from tangga.web.published import Open, company, reading

router = APIRouter()

AT_MOST = 20
LONGEST = 200
ENTRIES = 200


@router.get("/customers", dependencies=[access.PERSONS])
def search_form(request: Request) -> HTMLResponse:
    return look.page(request, "customers.html", here="customers", found=None)


@router.post("/customers", dependencies=access.noted("tangga_customer_search"))
def search(
    request: Request, published: Annotated[Open, Depends(reading)], who: Annotated[str, Form(max_length=LONGEST)] = ""
) -> Response:
    """By id, address or telephone number. Sent as a form, so that nobody's address is in a log of URLs."""
    found = _found(published, who.strip(normalise.SPACES))
    if len(found) == 1:
        return RedirectResponse(f"{request.scope.get('root_path', '')}/customers/{found[0]['customer_id']}", 303)
    return look.page(request, "customers.html", here="customers", found=found)


@router.get("/customers/{customer_id}", dependencies=access.noted("tangga_customer"))
def customer(
    request: Request,
    customer_id: Annotated[str, Path(pattern="^c[0-9a-f]{16}$")],
    published: Annotated[Open, Depends(reading)],
) -> Response:
    """The id is Tangga's own and says nothing of the person."""
    person = published.row(customer_queries.PERSON, {"id": customer_id})
    if person is None:
        now = published.row(customer_queries.NOW_CALLED, {"id": customer_id})
        if now:
            return RedirectResponse(f"{request.scope.get('root_path', '')}/customers/{now['customer_id']}", 303)
        raise HTTPException(404, "There is no such customer.")
    return look.page(request, "customer.html", here="customers", **_about(published, customer_id), person=person)


def _found(published: Open, who: str) -> list[dict[str, Any]]:
    """Who is meant. An id may be the source's, which several sources may use for different people."""
    if not who:
        return []
    values = {"id": who, "hashed": normalise.hashed_id(who) if "@" in who else who, "rows": AT_MOST}
    values["email"] = normalise.email(who) if "@" in who else None
    values["phone"] = normalise.phone(who, company().business.country)
    return published.rows(customer_queries.SEARCH, values)


def _about(published: Open, customer_id: str) -> dict[str, Any]:
    entries = registry.all_entries()
    here = {"id": customer_id}
    audiences = {
        row["audience"]: row | {"label": registry.label(row["audience"], registry.entry_of(row["audience"], entries))}
        for row in published.rows(customer_queries.AUDIENCES, here)
    }
    earlier = [row["customer_id_before"] for row in published.rows(customer_queries.EARLIER, here)]
    timeline = published.rows(customer_queries.TIMELINE, here | {"rows": ENTRIES + 1})
    return {
        "records": published.rows(customer_queries.RECORDS, here),
        "rungs": published.rows(customer_queries.RUNGS, here),
        "consents": published.rows(customer_queries.CONSENTS, here),
        "channels": published.rows(customer_queries.CHANNELS, here),
        "labels": {name: row["label"] for name, row in audiences.items()},
        "member_of": [row for row in audiences.values() if row["why"]],
        "left_out": [row for row in audiences.values() if row["reason"]],
        "elsewhere": [
            row | {"rule": _rule_in_words(row["audience"], entries)}
            for row in audiences.values()
            if not row["why"] and not row["reason"]
        ],
        "delivered": deliveries.of_customer([customer_id, *earlier]),
        "timeline": timeline[:ENTRIES],
        "has_more": len(timeline) > ENTRIES,
        "recommendations": published.rows(customer_queries.RECOMMENDATIONS, here),
    }


def _rule_in_words(audience: str, entries: list) -> str:
    entry = registry.entry_of(audience, entries)
    return registry.rule(company(), entry).words if entry else ""
