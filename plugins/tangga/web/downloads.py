"""A list as a file, written while it is read: a million members need no more memory than a few."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Annotated

import pyarrow.csv as arrow_csv
from fastapi import APIRouter, Form, HTTPException
from fastapi.responses import StreamingResponse

from tangga import audiences
from tangga.activation import plan
from tangga.destinations.files.formats import FORMATS
from tangga.engine import literal
from tangga.web import access
from tangga.web.audience_page import Name
from tangga.web.published import DOOR, Open

router = APIRouter()

KINDS = ("plain", "mailchimp", "hubspot", "spreadsheet")
ROWS_AT_ONCE = 10_000


@router.post("/audiences/{name}/download", dependencies=access.noted("tangga_download"))
def download(name: Name, kind: Annotated[str, Form()]) -> StreamingResponse:
    """The members of the newest version, as the files destination would write them."""
    if kind not in KINDS:
        raise HTTPException(422, "There is no such kind of file.")
    published = DOOR.enter()
    try:
        size = published.row(
            "select max(as_of_date) as day from audiences.audience_sizes where audience = $name", {"name": name}
        )
        if size["day"] is None:
            raise HTTPException(404, "There is no such audience.")
    except BaseException:
        DOOR.leave(published)
        raise
    file = f"{name}_{size['day']}" + ("" if kind == "plain" else f"_{kind}") + ".csv"
    return StreamingResponse(
        _lines(published, name, kind),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{file}"'},
    )


def _lines(published: Open, name: str, kind: str) -> Iterator[bytes]:
    try:
        with published.cursor() as cursor:
            batches = cursor.execute(_query(name, kind)).to_arrow_reader(ROWS_AT_ONCE)
            yield _text(batches.schema.empty_table(), has_header=True)
            for batch in batches:
                yield _text(batch, has_header=False)
    finally:
        DOOR.leave(published)


def _query(name: str, kind: str) -> str:
    is_campaign = name in {entry.name for entry in audiences.with_campaigns(audiences.load())}
    members = f"{plan.MEMBERS} where members.audience = {literal(name)}"
    return f"with list as ({members}) {FORMATS[kind].query(name, is_campaign)}"


def _text(rows, *, has_header: bool) -> bytes:
    sink = io.BytesIO()
    arrow_csv.write_csv(rows, sink, arrow_csv.WriteOptions(include_header=has_header, quoting_style="needed"))
    return sink.getvalue()
