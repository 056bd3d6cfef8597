"""The metrics of the dbt project, ready to be asked: a folder from which MetricFlow's `mf` queries the published file.

    metrics/dbt_project.yml, profiles.yml      where the warehouse is
            target/semantic_manifest.json      what the metrics are

MetricFlow looks for a project around itself. The project proper will not do: it speaks of the working file.
"""

from __future__ import annotations

import json
from pathlib import Path

from tangga import dbt, files
from tangga.settings import Settings

_PROJECT = """\
name: tangga
profile: tangga
"""
_PROFILES = """\
tangga:
  target: published
  outputs:
    published:
      type: duckdb
      path: ../published/crm.duckdb
      config_options: {access_mode: READ_ONLY}
"""


def folder(settings: Settings) -> Path:
    return settings.home / "metrics"


def write(settings: Settings) -> None:
    """Write the folder from what dbt said of the last build. Raises OSError, ValueError."""
    text = (dbt.target(settings) / "semantic_manifest.json").read_text(encoding="utf-8")
    manifest = json.loads(text)
    spines = manifest["project_configuration"]["time_spines"]
    for relation in [each["node_relation"] for each in (*manifest["semantic_models"], *spines)]:
        relation["database"] = "crm"
        relation["relation_name"] = f'"crm"."{relation["schema_name"]}"."{relation["alias"]}"'
    base = folder(settings)
    files.write_atomically(base / "dbt_project.yml", _PROJECT)
    files.write_atomically(base / "profiles.yml", _PROFILES)
    files.write_atomically(base / "target" / "semantic_manifest.json", json.dumps(manifest, indent=2) + "\n")
