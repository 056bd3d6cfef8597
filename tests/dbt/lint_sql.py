"""`make check`: the SQL of the dbt project against its style, each model rendered as dbt renders it.

sqlfluff needs the variables that a run passes to dbt and a warehouse to compile against; both are made
up here. `--fix` mends what can be mended.
"""

from __future__ import annotations

import os
import sys
import tempfile
from datetime import date
from pathlib import Path

from sqlfluff.core import FluffConfig, Linter

from tangga import dbt, settings, warehouse

DAY = date(2026, 1, 31)
LINTED = tuple(str(dbt.PROJECT / folder) for folder in ("models", "analyses"))


def main(fix: bool) -> int:
    """Lint every model and analysis; returns 1 when something is left to mend."""
    with tempfile.TemporaryDirectory() as home:
        company = settings.load(settings.REPOSITORY / "examples" / "jaffle_shop" / "tangga.yml", home)
        warehouse.prepare(company, DAY)
        os.environ.update(dbt.environment(company))
        project = {"project_dir": str(dbt.PROJECT), "profiles_dir": str(dbt.PROJECT)}
        rendering = {"dbt": project | {"context": dbt.variables(company, DAY)}}
        # The rules come from pyproject.toml, which each file reads for itself.
        config = FluffConfig(configs={"core": {"dialect": "duckdb", "templater": "dbt"}, "templater": rendering})
        result = Linter(config=config).lint_paths(LINTED, fix=fix, apply_fixes=fix)
    files = [file for folder in result.paths for file in folder.files]
    faults = [(Path(file.path), fault) for file in files for fault in file.get_violations()]
    for path, fault in faults:
        print(f"{path.relative_to(settings.REPOSITORY)}:{fault.line_no}: {fault.rule_code()} {fault.desc()}")
    print(f"{len(files)} files, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main("--fix" in sys.argv))
