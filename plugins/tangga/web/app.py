"""The web application: its pages, the guards before all of them, and the headers of every answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException as AnyHTTPException

from tangga.settings import SettingsError
from tangga.web import (
    access,
    audience_page,
    audiences_page,
    customers,
    deliveries,
    delivery_page,
    downloads,
    look,
    messages,
    overview,
)
from tangga.web.published import DOOR, NothingPublished, Open

CONTENT_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; frame-src 'self'; "
    "form-action 'self'; frame-ancestors 'self'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Frame-Options": "SAMEORIGIN",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
WORDS = {
    401: "Please log in.",
    403: "Your role does not allow this. People, addresses and downloads are for those who may start crm_activate.",
    404: "There is no such page.",
    405: "There is no such page.",
    422: "That could not be understood.",
}


def create() -> FastAPI:
    """A new application, to be mounted by Airflow. Nothing of it is open to somebody who is not logged in."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, dependencies=access.READ, lifespan=_ahead)
    for module in (overview, audiences_page, audience_page, downloads, messages, customers, deliveries, delivery_page):
        app.include_router(module.router)
    app.get("/assets/{name}")(_asset)
    app.middleware("http")(_with_headers)
    app.exception_handler(AnyHTTPException)(_refused)
    app.exception_handler(RequestValidationError)(_not_understood)
    app.exception_handler(NothingPublished)(_nothing_published)
    app.exception_handler(SettingsError)(_no_settings)
    return app


@asynccontextmanager
async def _ahead(app: FastAPI) -> AsyncIterator[None]:
    with DOOR.watching(_make_ready):
        yield


def _make_ready(published: Open) -> None:
    """Work out what takes long before somebody asks for it, without holding up the API server."""
    published.once("overview", overview.figures)
    published.once("audiences", audiences_page.everything)


async def _with_headers(request: Request, call_next) -> Response:
    response = await call_next(request)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def _asset(name: str) -> Response:
    text = look.asset(name)
    if text is None:
        raise HTTPException(404)
    # The address changes with the content.
    lasts = {"Cache-Control": "private, max-age=86400"}
    return Response(text, media_type=look.TYPES[name[name.rindex(".") :]], headers=lasts)


def _wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


async def _refused(request: Request, error: AnyHTTPException) -> Response:
    if not _wants_page(request):
        return JSONResponse({"detail": error.detail}, error.status_code, headers=error.headers)
    if error.status_code == 401:
        return RedirectResponse(access.login_page(request), 303)
    return look.page(request, "sentence.html", error.status_code, title="Not here", sentence=_sentence(error))


def _sentence(error: AnyHTTPException) -> str:
    ours = error.detail if isinstance(error.detail, str) and error.detail.endswith(".") else None
    return ours or WORDS.get(error.status_code, "That did not work.")


async def _not_understood(request: Request, error: RequestValidationError) -> Response:
    """Without what was sent: it may be somebody's address."""
    return await _refused(request, HTTPException(422, WORDS[422]))


async def _nothing_published(request: Request, error: NothingPublished) -> Response:
    sentence = "Nothing is published yet. Once crm_build has run for the first time, this is where to look."
    if not _wants_page(request):
        return JSONResponse({"detail": sentence}, 503)
    return look.page(request, "sentence.html", 503, title="Nothing yet", sentence=sentence)


async def _no_settings(request: Request, error: SettingsError) -> Response:
    with suppress(SettingsError):
        return look.page(request, "sentence.html", 503, title="Settings", sentence=str(error))
    return JSONResponse({"detail": str(error)}, 503)
