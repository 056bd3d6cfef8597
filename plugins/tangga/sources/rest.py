"""An HTTP API's JSON as the relations that landing maps: asked page by page, written down in batches.

Each record is a row: its top-level fields are columns, all text, what is nested is JSON text, numbers are as they were
written. An API gives records in any order; `_line` is a row's place when all of its relation are sorted, so that the
same data are the same bytes. `_file` is the request's path as `tangga.yml` has it, without ids.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from urllib.parse import quote

import duckdb

from tangga.contracts import CONTRACTS
from tangga.http import Answer, Client, Denied, Unanswered
from tangga.settings import ColumnMapping, RestEntity, RestSource
from tangga.settings.placeholders import filled, within
from tangga.settings.rest import Call, Paging, Parents, Request
from tangga.sources import connections, json_lines, rest_address
from tangga.sources.paging import MISSING, Malformed, Page, found, pages
from tangga.sources.records import SourceDown, SourceRefused
from tangga.sources.relations import Loaded, Reading, folded
from tangga.sources.rest_rows import Rows


def load(con: duckdb.DuckDBPyConnection, reading: Reading) -> Loaded:
    """Fill the relations of the entity's requests (`file`, or the named ones when a `query` reads them).

    Raises `SourceRefused` for what has to be corrected, `SourceDown` when the API does not answer, after some tries.
    """
    source: RestSource = reading.source
    spec: RestEntity = reading.spec
    where = f"{reading.name}, {reading.entity} (connection '{source.connection}')"
    connection = connections.resolve(source.connection)
    values = rest_address.values(source, connection) | _period(reading)
    _refuse_unfilled(where, spec, values)
    base = rest_address.base(where, source, connection)
    headers = rest_address.headers(where, source, connection)
    client = Client(base, headers, source.timeout_seconds, source.deadline_seconds, source.requests_per_second)
    loaded = Loaded(query=spec.query and spec.query.replace("{ds}", reading.day.isoformat()), has_free_fields=True)
    with closing(client):
        api = _Api(where, client, base, values, source.paging)
        for name, request in spec.named():
            _load_request(con, api, name, request, reading, loaded)
    loaded.bad.kept.sort(key=lambda bad: (bad.file, bad.reason, bad.raw))
    return loaded


def _period(reading: Reading) -> dict[str, str]:
    """The day and the days looked back on, from midnight to midnight in the business's zone."""
    begin = reading.settings.begins(reading.day - timedelta(days=reading.spec.look_back_days))
    end = reading.settings.begins(reading.day + timedelta(days=1))
    return {
        "begin": f"{begin:%Y-%m-%dT%H:%M:%SZ}",
        "end": f"{end:%Y-%m-%dT%H:%M:%SZ}",
        "begin_unix": str(int(begin.timestamp())),
        "end_unix": str(int(end.timestamp())),
        "ds": reading.day.isoformat(),
    }


def _refuse_unfilled(where: str, spec: RestEntity, values: dict[str, str]) -> None:
    """Before anything is asked."""
    for _, request in spec.named():
        kept = request.for_each.keep if request.for_each else {}
        for name in sorted({name for call in request.calls for name in call.placeholders}):
            if name not in kept and not values.get(name):
                raise rest_address.unfilled(where, name)


@dataclass(frozen=True)
class _Api:
    """Where to ask, and what fills the placeholders."""

    where: str
    client: Client
    base: str
    values: dict[str, str]
    paging: Paging | None

    def pages(self, call: Call, path: str, kept: dict[str, str | None]) -> Iterator[Page]:
        """The pages of a call, made for what was `kept` of a parent."""
        values = self.values | {name: value for name, value in kept.items() if value}
        segments = {name: _segment(values[name]) for name in within(call.path)}
        address = f"{self.base}/{filled(call.path, segments).lstrip('/')}"
        params = {key: [filled(text, values) for text in texts] for key, texts in call.params.items()}
        return pages(self._ask, address, params, call.paging or self.paging, path)

    def parents(self, parents: Parents, used: set[str]) -> Iterator[dict[str, str | None]]:
        """What is kept of each parent; those of which the same is kept count once. `used` must have values."""
        seen = set()
        for page in self.pages(parents, parents.records, {}):
            for record in page.records:
                kept = _kept(parents, record, page.is_suspect)
                for name in sorted(used & kept.keys()):
                    if not kept[name]:
                        raise Malformed(
                            f"a record has nothing at '{parents.keep[name]}', from which the next request is made; "
                            "correct 'keep' in tangga.yml"
                        )
                if tuple(kept.values()) not in seen:
                    seen.add(tuple(kept.values()))
                    yield kept

    def place(self, call: Call) -> str:
        return f"{self.where}, path '{call.path}'"

    @contextmanager
    def explained(self, call: Call) -> Iterator[None]:
        try:
            yield
        except (Denied, Malformed) as error:
            raise SourceRefused(f"{self.place(call)}: {error}.") from None
        except Unanswered as error:
            raise SourceDown(f"{self.place(call)}: {error}.") from None

    def _ask(self, address: str, params: dict[str, str | list[str]]) -> Answer:
        return self.client.call("GET", address, params)


def _segment(value: str) -> str:
    if value in (".", ".."):
        raise Malformed("would lead to another path with what fills its placeholders; correct 'keep' or 'settings'")
    return quote(value, safe="")


def _kept(parents: Parents, record: object, is_suspect: bool) -> dict[str, str | None]:
    at = {name: found(record, path) for name, path in parents.keep.items()}
    try:
        return json_lines.texts({name: None if value is MISSING else value for name, value in at.items()}, is_suspect)
    except json_lines.Unusable as error:
        raise Malformed(f"a record {error}; ask whoever runs the API") from None


def _load_request(
    con: duckdb.DuckDBPyConnection, api: _Api, name: str, request: Request, reading: Reading, loaded: Loaded
) -> None:
    relations = [
        ("file" if reading.spec.query is None else relation, *rest) for relation, *rest in request.relations(name)
    ]
    rows = [Rows(con, relation, path, request.path, loaded.bad) for relation, path, *_ in relations]
    loaded.tables += [relation.table for relation in rows]
    parents: list[dict[str, str | None]] = [{}]
    if request.for_each:  # all of them first: their pages might expire while the requests for each are made
        with api.explained(request.for_each):
            parents = list(islice(api.parents(request.for_each, request.placeholders), 1 if reading.sample else None))
    with api.explained(request):
        for kept in parents:
            for page in api.pages(request, relations[0][1], kept):
                for relation in rows:
                    relation.take(page, kept)
                if reading.sample and all(relation.count >= reading.sample for relation in rows):
                    break
        mapped, required = _mapped(reading)
        for relation, (_, _, fields, optional) in zip(rows, relations, strict=True):
            may_lack = set(map(folded, optional)) - required
            relation.refuse_lacking(column for column in [*fields, *mapped] if folded(column) not in may_lack)
            kept = request.for_each.keep if request.for_each else []
            loaded.headers[api.place(request)] = relation.close([*fields, *optional, *mapped, *kept])


def _mapped(reading: Reading) -> tuple[list[str], set[str]]:
    """The columns that the contract's are read from, and (folded) those of them that it cannot do without.
    A query has chosen its columns itself."""
    spec, mapped, required = reading.spec, [], set()
    for column in CONTRACTS[reading.entity].columns if spec.query is None else ():
        given = spec.columns.get(column.name)
        origin = (given or ColumnMapping(column=column.name)).column
        if origin and (given or column.required):
            mapped.append(origin)
        if origin and column.required:
            required.add(folded(origin))
    return mapped, required
