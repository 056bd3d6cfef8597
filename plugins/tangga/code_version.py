"""Which code produced a result."""

from __future__ import annotations

import hashlib
import subprocess

from tangga.settings import REPOSITORY

_CODE = ("dags", "dbt_project", "expectations", "plugins")


def code_version() -> str:
    """The git commit, with `-dirty` when files were changed since; a checksum of the code without git."""
    command = ["git", "-C", str(REPOSITORY), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        digest = hashlib.sha256()
        for area in _CODE:
            for path in sorted((REPOSITORY / area).rglob("*")):
                if path.suffix in (".py", ".sql", ".yml", ".csv") and "target" not in path.parts:
                    digest.update(path.read_bytes())
        return f"files-{digest.hexdigest()[:12]}"
