"""Lists as files: one an audience and format, and a manifest that says what they are and where they came from.

    exports/<destination>/<audience>.csv           `plain`
                          mailchimp/<audience>.csv, hubspot/<audience>.csv, spreadsheet/<audience>.csv,
                          parquet/<audience>.parquet
                          manifest.json

A file is seen whole or not at all, and one that is right already is left alone. What lies there and is not asked for
any more, an audience or a format, becomes a list without rows: nobody stays on one because it was forgotten.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from tangga import audiences, engine, files
from tangga.destinations.destination import Chunk, DestinationDown, DestinationRefused, Operation, Receipt, Refusal
from tangga.destinations.files import manifests
from tangga.destinations.files.formats import FORMATS, NOBODY, Format, is_empty
from tangga.engine import literal
from tangga.settings import Settings

_NOT_LINEAGE = {"hash", "audiences", "destinations", "left_out", "members_sha256", "messages_sha256"}
"""What a plan says of its members, besides where they came from."""
_OF_THE_RUN = {"run_id": None, "approval": None}
"""What is another when the same lists are delivered again; the manifest goes on saying how they came there."""


class Files:
    """The destination `destinations.<name>` of type `files`.

    `planned` is what `plan.json` says: the manifest tells it of the lists, with the run that brought them.
    """

    identity = "customer_id"
    sizes: Mapping[Operation, int] = {"replace": sys.maxsize}
    needs_release = False

    def __init__(self, settings: Settings, name: str, planned: Mapping[str, Any], run_id: str):
        self._settings, self._folder = settings, settings.home / "exports" / name
        self._formats: Sequence[str] = settings.destinations[name].formats
        of_plan = planned.get("destinations", {}).get(name, planned)["hash"]  # by which the ledger knows the delivery
        lineage = {key: value for key, value in planned.items() if key not in _NOT_LINEAGE}
        self._lineage = {"as_of_date": lineage.pop("as_of_date"), "plan": of_plan, **lineage}
        self._labels = {list_name: entry["label"] for list_name, entry in planned["audiences"].items()}
        self._run_id = run_id
        self._campaigns = {audience.name for audience in audiences.with_campaigns(audiences.load())}

    def account(self, lists: Collection[str] = ()) -> str:
        return str(self._folder)

    def lists(self) -> set[str]:
        """The lists that lie there and that somebody is on: also those that a killed delivery left, of which neither
        manifest nor ledger knows."""
        lying = [path for form in FORMATS.values() for path in self._folder.glob(form.path("[a-z0-9]*"))]
        return {path.stem for path in lying if not is_empty(path)}

    def refusals(self, addresses: Sequence[str], since: datetime | None) -> Iterable[Refusal]:
        """Nobody can say no to a file."""
        return ()

    def send(self, chunk: Chunk, resume: str | None, remember: Callable[[str], None]) -> Receipt:
        """Make the files of a list say who is on it. A list without anybody is written only where one lies."""
        name = str(chunk.list_name)
        if not re.fullmatch("[a-z0-9_]+", name):
            raise DestinationRefused(f"{self._folder}: {name} cannot be the name of a file; rename the audience.")
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._replace(name, chunk.rows)
        except PermissionError as error:
            raise DestinationRefused(
                f"{error.filename or self._folder}: may not be written; give the user of Airflow the right to."
            ) from None
        except (OSError, duckdb.IOException) as error:
            said = getattr(error, "strerror", None) or type(error).__name__
            raise DestinationDown(
                f"{self._folder}: {name} could not be written ({said}); see to the disk, then run again."
            ) from None
        return Receipt()

    def close(self) -> None:
        """Nothing is open."""

    def _replace(self, name: str, rows: pa.Table) -> None:
        written = {}
        with engine.scratch(self._settings) as con:
            for kind, form in FORMATS.items():
                is_asked_for, target = kind in self._formats, self._folder / form.path(name)
                if target.exists() or (is_asked_for and rows.num_rows):
                    con.register("list", rows if is_asked_for and rows.num_rows else NOBODY)
                    found = self._write(con, form, name, target)
                    written |= {kind: found} if is_asked_for else {}
        if written:
            self._keep(name, rows.num_rows, written)

    def _write(self, con: duckdb.DuckDBPyConnection, form: Format, name: str, target: Path) -> dict[str, Any]:
        target.parent.mkdir(exist_ok=True, mode=0o700)
        part = target.with_name(f".part{form.suffix}")
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)
        query = form.query(name, name in self._campaigns)
        rows = con.execute(f"copy ({query}) to {literal(part)} ({form.options})").fetchone()[0]
        found = {"file": form.path(name), "rows": rows, "sha256": files.sha256(part)}
        files.replace(part, target)
        return found

    def _keep(self, name: str, rows: int, written: Mapping[str, dict[str, Any]]) -> None:
        """Tell of a list in the manifest, which is left alone where it says so already. One that goes on being without
        anybody keeps the day from which on it is."""
        before = manifests.read(self._folder)
        lists = before.get("audiences", {})
        first = next(written[kind] for kind in self._formats if kind in written)
        label = self._labels.get(name) or lists.get(name, {}).get("label") or name.replace("_", " ")
        was_empty = not rows and lists.get(name, {}).get("rows") == 0
        since = lists[name] if was_empty else {}
        origin = {key: since.get(key, self._lineage[key]) for key in ("as_of_date", "plan")}
        lists = {**lists, name: {"label": label, **first, "rows": rows, "formats": written, **origin}}
        manifest = {**self._lineage, "run_id": self._run_id, "audiences": dict(sorted(lists.items()))}
        if {**manifest, **_OF_THE_RUN} != {**before, **_OF_THE_RUN}:
            manifests.write(self._folder, manifest)
