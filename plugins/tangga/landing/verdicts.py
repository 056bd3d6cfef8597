"""What the inbound gate said of partitions, kept beside them: only those that it let in are built on."""

from __future__ import annotations

import json
from pathlib import Path

from tangga import files
from tangga.landing.manifest import Manifest, children, folder, read_manifest
from tangga.settings import Settings
from tangga.storage import Stored


def record_verdict(settings: Settings, manifest: Manifest, verdict: str, failures: list[str]) -> None:
    """Keep what the inbound gate said of a partition beside it; only accepted ones are built on."""
    text = json.dumps({"verdict": verdict, "sha256": manifest.sha256, "failures": failures}, indent=2) + "\n"
    path = folder(settings, manifest.entity, manifest.source, manifest.ds) / "gate.json"
    files.write_atomically(path, text)


def record_gate(path: Path | Stored, before: Manifest, after: Manifest) -> None:
    """Let the verdict on a partition hold for what is left of it when erased people are taken out, and, until its
    manifest is switched, for what it was."""
    said = files.read_json(path / "gate.json")
    if said and before.sha256 in (said.get("sha256"), said.get("without_erased")):
        said |= {"sha256": before.sha256, "without_erased": after.sha256}
        files.write_atomically(path / "gate.json", json.dumps(said, indent=2) + "\n")


def is_accepted(path: Path | Stored) -> bool:
    """True when the inbound gate let in exactly what the partition now holds."""
    return accepted_manifest(path) is not None


def accepted_manifest(path: Path | Stored) -> Manifest | None:
    """The manifest in a partition's folder if the gate let in exactly what it names, else None."""
    manifest, said = read_manifest(path), files.read_json(path / "gate.json")
    if manifest is None or not said or said["verdict"] not in ("pass", "warn"):
        return None
    return manifest if manifest.sha256 in (said["sha256"], said.get("without_erased")) else None


def has_verdict(path: Path | Stored) -> bool:
    """True when the gate has judged what the partition holds or held."""
    return any(child.name == "gate.json" for child in children(path))
