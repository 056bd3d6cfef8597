"""`make audience`: what it writes works as it stands."""

from __future__ import annotations

import json
import shutil

import pytest

from tangga import audiences, dbt, warehouse
from tangga.local import new_audience
from tangga.settings import SettingsError
from tests.dbt.harness import AS_OF, make_settings, unit_tests_enabled


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A copy of the dbt project, which dbt and the registry are looked for in."""
    copy = tmp_path / "dbt_project"
    shutil.copytree(dbt.PROJECT, copy, ignore=shutil.ignore_patterns("target", "logs"))
    monkeypatch.setattr(dbt, "PROJECT", copy)
    monkeypatch.setattr(audiences, "REGISTRY", copy / "models" / "audiences" / "_audiences.yml")
    return copy


def test_the_new_audience_is_built_and_its_unit_test_passes(project, tmp_path, settings):
    before = {audience.name for audience in audiences.load()}
    assert new_audience.main(["--name", "big_spenders"]) == 0
    assert {audience.name for audience in audiences.load()} - before == {"big_spenders"}
    company = make_settings(tmp_path)
    shutil.copytree(settings.home, company.home, dirs_exist_ok=True)
    assert warehouse.path(company).exists()
    with unit_tests_enabled():
        dbt.run(company, AS_OF, "build", "--quiet", "--select", "aud_big_spenders", "audience_candidates")
    results = json.loads((dbt.target(company) / "run_results.json").read_text(encoding="utf-8"))["results"]
    found = {result["unique_id"].split(".", 1)[1].split(".")[1:][-1]: result["status"] for result in results}
    assert found.pop("aud_big_spenders_is_for_repeat_customers") == "pass"
    assert {found.pop("aud_big_spenders"), found.pop("audience_candidates")} == {"success"}
    assert set(found.values()) == {"pass"}, "its data tests"


@pytest.mark.parametrize(
    "name, fault",
    [
        ("Big Spenders", "use small letters"),
        ("big__spenders", "use small letters"),
        ("2nd_order", "use small letters"),
        ("../x", "use small letters"),
        ("", "use small letters"),
        ("winback", "there is an audience of this name"),
    ],
)
def test_names_that_cannot_be_used(project, capsys, name, fault):
    files = {file: file.read_bytes() for file in (project / "models" / "audiences").iterdir()}
    assert new_audience.main(["--name", name]) == 2
    assert fault in capsys.readouterr().err
    assert {file: file.read_bytes() for file in (project / "models" / "audiences").iterdir()} == files


@pytest.mark.parametrize(
    "key", ["label", "purpose", "owner", "channel", "kind", "max_growth_share", "max_removal_share"]
)
def test_an_entry_without_what_a_marketer_decides_is_an_error(project, key):
    new_audience.write("big_spenders", project / "models" / "audiences")
    text = audiences.REGISTRY.read_text(encoding="utf-8")
    head, entry = text.split("  - name: aud_big_spenders\n")
    lines = [line for line in entry.splitlines() if not line.strip().startswith(f"{key}:")]
    audiences.REGISTRY.write_text(head + "\n".join(["  - name: aud_big_spenders", *lines, ""]), encoding="utf-8")
    with pytest.raises(SettingsError, match=rf"aud_big_spenders\.{key}: "):
        audiences.load()
