"""dbt's pages of the warehouse, in one file: what every table and column means, and what is made from what.

    docs/warehouse/index.html     of the newest published day

They are filled as `dbt docs generate --static` does it, less what changes from run to run or belongs to this machine,
and plus what dbt does not know: the published day, its rows per table, unit and source of each column, and which are
personal. The page asks no network for anything: dbt's tracking is off, and a browser would refuse it. There is no value
of any row in them.
"""

from __future__ import annotations

import html
import json
import logging
from datetime import date
from pathlib import Path
from typing import Any

from tangga import dbt, dictionary, files, metrics, publish
from tangga.publish import Version
from tangga.settings import Settings

_log = logging.getLogger(__name__)

_MOMENTS = ("generated_at", "invocation_id", "invocation_started_at", "run_started_at", "created_at", "env", "user_id")
# What is compiled is there of the layer that was built last, paths are of this machine.
_THIS_MACHINE = ("root_path", "build_path", "compiled_path", "compiled_code", "extra_ctes", "compiled")
_PUBLISHED = "crm"
"""The database that analysts open; dbt knows the working file only."""
_HEAD = "<head>"
_ONLY_ITSELF = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; font-src data:; '
    "style-src 'unsafe-inline'; script-src 'unsafe-inline' 'unsafe-eval'\">"
)


def show(settings: Settings, as_of: date) -> Path | None:
    """Write the pages of a day that was just published, and the folder of its metrics.

    Returns the page; None when the day is not the newest, or the page could not be written: pages are no reason to hold
    up a day, whose version is out already.
    """
    version = publish.current(settings)
    if version is None or version.as_of_date != as_of.isoformat():
        return None
    try:
        dbt.run(settings, as_of, "docs", "generate", "--no-compile", "--quiet")
        files.write_atomically(settings.warehouse_pages, _filled(settings, version))
        metrics.write(settings)
    except (dbt.DbtFailed, OSError, ValueError, KeyError) as error:
        _log.warning("The pages of the warehouse cannot be written: %s", error)
        return None
    return settings.warehouse_pages


def _filled(settings: Settings, version: Version) -> str:
    """dbt's page with the manifest and the catalog in it."""
    target = dbt.target(settings)
    page, manifest, catalog = (
        (target / name).read_text(encoding="utf-8") for name in ("index.html", "manifest.json", "catalog.json")
    )
    title = f"<title>{html.escape(settings.business.name)}: the warehouse</title>"
    page = page.replace(_HEAD, _HEAD + _ONLY_ITSELF, 1).replace("<title>dbt Docs</title>", title, 1)
    page = page.replace(
        '"MANIFEST.JSON INLINE DATA"', _inline(_manifest(json.loads(manifest), version, settings.business.currency)), 1
    )
    return page.replace('"CATALOG.JSON INLINE DATA"', _inline(_catalog(json.loads(catalog), version)), 1)


def _inline(document: dict[str, Any]) -> str:
    """JSON that may stand in a script of a page."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")


def _manifest(manifest: dict[str, Any], version: Version, currency: str) -> dict[str, Any]:
    words = {
        (word.table_schema, word.table_name, word.column_name): word
        for word in dictionary.of_manifest(manifest, currency)
    }
    manifest["metadata"]["send_anonymous_usage_stats"] = False
    manifest["disabled"] = {}  # dbt's unit tests, which no run sees
    own = f"macro.{manifest['metadata']['project_name']}."
    manifest["macros"] = {name: macro for name, macro in manifest["macros"].items() if name.startswith(own)}
    for node in manifest["nodes"].values():
        for name in _THIS_MACHINE:
            node.pop(name, None)
        if node["config"].get("access") == "public":
            node["database"] = _PUBLISHED
        for name, column in node.get("columns", {}).items():
            if word := words.get((node["schema"], node["name"], name)):
                column["description"] += f" Unit: {word.unit}. From: {word.source}."
            if column["config"]["meta"].get("pii"):
                column["description"] += " Personal: not in crm.duckdb."
    overview = manifest["docs"]["doc.tangga.__overview__"]
    overview["block_contents"] += (
        f"\n\nThese pages describe the day **{version.as_of_date}** "
        f"(version `{version.version}`, code `{version.code_version}`)."
    )
    return _settled(manifest)


def _catalog(catalog: dict[str, Any], version: Version) -> dict[str, Any]:
    for node in catalog["nodes"].values():
        table = node["metadata"]
        rows = version.rows.get(f"{table['schema']}.{table['name']}")
        if rows is not None:
            told = {
                "id": "row_count",
                "label": "Rows",
                "value": rows,
                "include": True,
                "description": "Rows published.",
            }
            table["database"] = _PUBLISHED
            node["stats"] = {"row_count": told, "has_stats": node["stats"]["has_stats"] | {"value": True}}
    return _settled(catalog)


def _settled(document: dict[str, Any]) -> dict[str, Any]:
    """Without moments, and in the order of names: dbt's own depends on what it parsed again."""
    for part in document.values():
        if isinstance(part, dict):
            for entry in (part, *part.values()):
                if isinstance(entry, dict):
                    for moment in _MOMENTS:
                        entry.pop(moment, None)
    return {
        name: dict(sorted(part.items())) if isinstance(part, dict) else part for name, part in sorted(document.items())
    }
