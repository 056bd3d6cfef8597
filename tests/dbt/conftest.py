"""One warehouse without data, built once: what dbt's unit tests and the tests over compiled SQL stand on.

This folder has no `__init__.py`: as a package it would be found in dbt's place.
"""

from __future__ import annotations

import json

import pytest

from tangga import dbt, warehouse
from tangga.settings import Settings
from tests.dbt.harness import AS_OF, Compiled, make_settings, unit_tests_enabled


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings whose working warehouse holds every model, built over an empty landing."""
    built = make_settings(tmp_path_factory.mktemp("dbt"))
    warehouse.prepare(built, AS_OF)
    with unit_tests_enabled():
        dbt.run(built, AS_OF, "build", "--quiet", "--resource-type", "seed", "--resource-type", "model")
    return built


@pytest.fixture(scope="session")
def manifest(settings: Settings) -> dict:
    """dbt's manifest of the whole project."""
    return json.loads((dbt.target(settings) / "manifest.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def models(manifest: dict) -> dict[str, dict]:
    """Name -> model, as in the manifest."""
    return {node["name"]: node for node in manifest["nodes"].values() if node["resource_type"] == "model"}


@pytest.fixture(scope="session")
def compiled(settings: Settings) -> Compiled:
    """All models, compiled with the default rules."""
    return Compiled(dbt.target(settings), warehouse.path(settings))
