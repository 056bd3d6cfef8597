"""What is written to an audience, filled in with examples: a page of its own, shown in a frame that may do nothing."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path
from fastapi.responses import HTMLResponse

from tangga.campaigns import render
from tangga.web import registry
from tangga.web.published import company

router = APIRouter()

ONLY_ITSELF = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox"

CampaignName = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]*$")]


@router.get("/messages/{campaign}/{step}/{language}")
def message(campaign: CampaignName, step: int, language: Annotated[str, Path(pattern="^[a-z]{2}$")]) -> HTMLResponse:
    """The step of a campaign in a language."""
    settings = company()
    found = registry.named_campaign(settings, campaign)
    if found is None or not 1 <= step <= len(found.steps) or language not in found.languages:
        raise HTTPException(404, "There is no such message.")
    try:
        shown = render.message(settings, found, found.steps[step - 1], language)
    except render.RenderError as error:
        raise HTTPException(503, f"The message cannot be shown: {error}.") from None
    return HTMLResponse(shown.html, headers={"Content-Security-Policy": ONLY_ITSELF})
