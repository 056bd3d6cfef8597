"""`type: rest` in `tangga.yml`: an HTTP API that answers in JSON, described rather than programmed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from tangga.settings.placeholders import ADDRESS, PERIOD, within
from tangga.settings.types import Name, NameOrNone, Strict, Text


def _as_text(given: Any) -> Any:
    if isinstance(given, bool):
        return str(given).lower()
    if not isinstance(given, str | int):
        raise ValueError("must be a text, a whole number, true or false; put quotes around it")
    return str(given)


def _as_texts(given: Any) -> Any:
    return [_as_text(value) for value in given] if isinstance(given, list) else [_as_text(given)]


def _as_lists(given: Any) -> Any:
    return given if isinstance(given, dict) else {"": given}


def _path(text: str) -> str:
    if re.search(r"[?#\s]|://", text):
        raise ValueError("give the path below 'url' only; what comes after a ? goes to 'params'")
    return text


def _url(text: str) -> str:
    if re.search(r"[?#\s]", text) or not re.match(r"https?://|\{", text):
        raise ValueError("write https:// and the host, or a placeholder such as {host}, and nothing from a ? on")
    if "@" in text:  # never repeated: it may be a password
        raise ValueError("must hold no credentials; they belong into the Airflow connection")
    return text


def _header(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]+", text) or text.lower() in _OWN_HEADERS:
        raise ValueError(f"'{text}' cannot be set here; credentials go by 'auth', the rest is the client's own")
    return text


_OWN_HEADERS = {"authorization", "proxy-authorization", "cookie", "host", "content-length", "transfer-encoding",
                "connection", "accept-encoding"}  # fmt: skip

Scalar = Annotated[str, BeforeValidator(_as_text)]
Params = dict[Text, Annotated[list[str], BeforeValidator(_as_texts)]]
Path = Annotated[Text, AfterValidator(_path)]
Url = Annotated[Text, AfterValidator(_url)]
Header = Annotated[str, AfterValidator(_header)]
Lists = Annotated[dict[str, list[Text]], BeforeValidator(_as_lists)]


class BearerAuth(Strict):
    """The connection's password as a bearer token."""

    type: Literal["bearer"]


class BasicAuth(Strict):
    """The connection's login, or `username`, with its password."""

    type: Literal["basic"]
    username: Text | None = None


class HeaderAuth(Strict):
    """The connection's password in a header of the API's own, after `prefix` and a blank if there is one."""

    type: Literal["header"]
    name: Annotated[str, Field(pattern="^[A-Za-z0-9-]+$")]
    prefix: Text | None = None


class NoPaging(Strict):
    """One answer is all."""

    type: Literal["none"]


class LinkHeaderPaging(Strict):
    """The Link header leads to the next page."""

    type: Literal["link_header"]
    rel: Text = "next"


class NextUrlPaging(Strict):
    """The answer holds the address of the next page."""

    type: Literal["next_url"]
    path: Text


class CursorPaging(Strict):
    """The answer holds what to send as `param` for the next page, at `path` or as a field of its last record.

    `more` or `done` lead to a truth value that says whether there is one; else the cursor's absence does, and with
    `from_last` a page without records.
    """

    type: Literal["cursor"]
    param: Text
    path: Text | None = None
    from_last: Text | None = None
    more: Text | None = None
    done: Text | None = None

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if (self.path is None) == (self.from_last is None):
            raise ValueError("give either 'path' (in the answer) or 'from_last' (a field of its last record)")
        if self.more and self.done:
            raise ValueError("give either 'more' or 'done'")
        return self


class _Numbered(Strict):
    size_param: Text | None = None
    size: int | None = Field(None, ge=1)
    total: Text | None = None

    @model_validator(mode="after")
    def _known_size(self) -> Self:
        if self.size_param and not self.size:
            raise ValueError("'size_param' needs 'size', the number of records to ask for")
        return self


class PagePaging(_Numbered):
    """Pages are numbered. The last one is shorter than `size`, or ends at `total` records, or is empty."""

    type: Literal["page"]
    param: Text = "page"
    first: int = Field(1, ge=0)


class OffsetPaging(_Numbered):
    """A page begins after so many records. The last one ends at `total` records, or is empty."""

    type: Literal["offset"]
    param: Text = "offset"


Auth = Annotated[BearerAuth | BasicAuth | HeaderAuth, Field(discriminator="type")]
Paging = Annotated[
    NoPaging | LinkHeaderPaging | NextUrlPaging | CursorPaging | PagePaging | OffsetPaging,
    Field(discriminator="type"),
]


class Call(Strict):
    """What is asked for, page by page. Its placeholders are filled when a run begins."""

    path: Path
    params: Params = {}
    paging: Paging | None = None

    @property
    def placeholders(self) -> set[str]:
        return within(self.path, *(value for values in self.params.values() for value in values))


class Parents(Call):
    """The records for each of which a request is made: what to `keep` of them is a placeholder there, and a column."""

    records: str
    keep: dict[Name, Text] = Field(min_length=1)


class Request(Call):
    """Asked for, and where its records are in each answer: one list, or several that are a relation each.

    Of a relation, `fields` are the columns that it always has, `optional_fields` those that all records of a run
    may lack; both are for its only list, or a list of names for each.
    """

    records: Annotated[dict[NameOrNone, str], BeforeValidator(_as_lists), Field(min_length=1)]
    fields: Lists = {}
    optional_fields: Lists = {}
    for_each: Parents | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for key, given in (("fields", self.fields), ("optional_fields", self.optional_fields)):
            if not set(given) <= set(self.records):
                shape = "a list of names" if "" in self.records else "such a list for each relation of 'records'"
                raise ValueError(f"'{key}' must be {shape}")
        kept = self.for_each.keep.keys() if self.for_each else set()
        taken = kept & {*PERIOD, *ADDRESS, "password"}
        if taken:
            raise ValueError(f"for_each.keep: '{min(taken)}' means something else; choose another name")
        if self.for_each and kept & self.for_each.placeholders:
            name = min(kept & self.for_each.placeholders)
            raise ValueError(f"for_each: '{{{name}}}' is known only when its own records have been read")
        return self

    @property
    def calls(self) -> list[Call]:
        return [self, self.for_each] if self.for_each else [self]

    def relations(self, name: str) -> Iterator[tuple[str, str, list[str], list[str]]]:
        """(relation, path of its list, `fields`, `optional_fields`) of the request called `name`."""
        for key, path in self.records.items():
            yield key or name, path, self.fields.get(key, []), self.optional_fields.get(key, [])
