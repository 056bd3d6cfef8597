"""A list as a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException
from fastapi.responses import StreamingResponse

from tangga.web import access, lists
from tangga.web.audience_page import Name
from tangga.web.published import DOOR, Open

router = APIRouter()


@router.post("/audiences/{name}/download", dependencies=access.noted("tangga_download"))
def download(name: Name, kind: Annotated[str, Form()]) -> StreamingResponse:
    """The members of the newest version, as the files destination would write them."""
    if kind not in lists.KINDS:
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
    """The version stays open as long as somebody reads, also when a newer one comes meanwhile."""
    try:
        yield from lists.lines(published, name, kind)
    finally:
        DOOR.leave(published)
