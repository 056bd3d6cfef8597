"""The registry of audiences: what a marketer has to decide is there, and fits the campaigns."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from tangga import audiences, settings
from tangga.campaigns import campaign
from tangga.settings import REPOSITORY, SettingsError

CAMPAIGN = {
    "label": "Welcome",
    "kind": "campaign",
    "purpose": "Greet.",
    "owner": "marketing",
    "channel": "email",
    "priority": 20,
    "cooldown_days": 30,
    "holdout_share": 0.1,
    "campaign": "welcome",
    "max_growth_share": 0.5,
    "max_removal_share": 0.5,
}
LIST = {
    "label": "Gold",
    "kind": "list",
    "purpose": "Look after them.",
    "owner": "marketing",
    "channel": "email",
    "max_growth_share": 0.5,
    "max_removal_share": 0.5,
}


@pytest.fixture
def registry(tmp_path, monkeypatch):
    def write(**entries: dict) -> Path:
        for old in tmp_path.glob("aud_*.sql"):
            old.unlink()
        for name in entries:
            (tmp_path / f"aud_{name}.sql").write_text("select 1")
        models = [{"name": f"aud_{name}", "config": {"meta": meta}} for name, meta in entries.items()]
        path = tmp_path / "_audiences.yml"
        path.write_text(yaml.safe_dump({"models": models}))
        monkeypatch.setattr(audiences, "REGISTRY", path)
        return path

    return write


@pytest.fixture
def company(tmp_path):
    return settings.load(REPOSITORY / "tangga.yml", tmp_path / "var")


def test_an_entry_is_a_campaign_or_a_list(registry):
    registry(welcome=CAMPAIGN, gold=LIST)
    welcome, gold = audiences.load()
    assert (welcome.name, welcome.holdout_below) == ("welcome", "19999999")
    assert audiences.with_campaigns([welcome, gold]) == [welcome]


def without(key: str, entry: dict = CAMPAIGN) -> dict:
    return {name: value for name, value in entry.items() if name != key}


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        *((without(key), f"aud_welcome.{key}: Field required") for key in CAMPAIGN if key != "kind"),
        *((without(key, LIST), f"aud_welcome.{key}: Field required") for key in LIST if key != "kind"),
        (without("kind"), "aud_welcome.kind: Unable to extract tag"),
        (CAMPAIGN | {"kind": "else"}, "aud_welcome.kind: Input tag 'else'"),
        (CAMPAIGN | {"owner": ""}, "aud_welcome.owner: String should have at least 1 character"),
        (CAMPAIGN | {"channel": "fax"}, "aud_welcome.channel: Input should be 'email'"),
        (CAMPAIGN | {"holdout_share": 0.51}, "aud_welcome.holdout_share: Input should be less than or equal to 0.5"),
        (
            CAMPAIGN | {"max_removal_share": 1.1},
            "aud_welcome.max_removal_share: Input should be less than or equal to 1",
        ),
        (CAMPAIGN | {"family": True}, "aud_welcome.family: Input should be False"),
        (CAMPAIGN | {"holdout_salt": "it's"}, "aud_welcome.holdout_salt: String should match"),
        (LIST | {"priority": 1}, "aud_welcome.priority: Extra inputs are not permitted"),
        (LIST | {"cooldown_days": 0}, "aud_welcome.cooldown_days: Extra inputs are not permitted"),
        (LIST | {"holdout_share": 0.1}, "aud_welcome.holdout_share: Extra inputs are not permitted"),
    ],
)
def test_what_is_missing_or_does_not_belong_there_is_named(registry, entry, said):
    path = registry(welcome=entry)
    with pytest.raises(SettingsError) as error:
        audiences.load()
    assert str(error.value).startswith(f"{path}: {said}")
    assert len(str(error.value).splitlines()) == 1


def test_models_and_entries_go_together(registry, tmp_path):
    path = registry(welcome=CAMPAIGN, gold=LIST)
    (tmp_path / "aud_gold.sql").rename(tmp_path / "aud_silver.sql")
    with pytest.raises(SettingsError) as error:
        audiences.load()
    assert str(error.value).splitlines() == [
        f"{path}: aud_silver: has a model but no entry; add one",
        f"{path}: aud_gold: has an entry but no model aud_gold.sql",
    ]


def steps(company) -> dict[str, list[tuple]]:
    found: dict[str, list[tuple]] = {}
    for step in audiences.variables(company)["campaign_steps"]:
        found.setdefault(step["audience"], []).append((step["step"], step["day"], step["template"], step["exit"]))
    return found


def test_the_steps_are_those_of_the_campaign_or_one_of_the_tool(registry, company):
    registry(
        welcome=CAMPAIGN,
        advocates=CAMPAIGN | {"campaign": "referral", "content": "tool"},
        gold=LIST,
    )
    assert steps(company) == {
        "advocates": [(1, 0, None, "never")],
        "welcome": [(1, 0, "hello", "ordered"), (2, 2, "how_it_works", "ordered"), (3, 5, "first_choice", "ordered")],
    }


@pytest.mark.parametrize(
    "entry",
    [CAMPAIGN | {"campaign": "hello"}, CAMPAIGN | {"campaign": "winback"}, LIST],
    ids=["none", "another", "list"],
)
def test_without_a_campaign_of_its_own_an_audience_has_no_steps(registry, company, entry):
    registry(welcome=entry)
    assert steps(company) == {}


def test_a_campaign_that_cannot_be_read_has_no_steps_and_the_others_go_on(registry, company, tmp_path, monkeypatch):
    registry(welcome=CAMPAIGN, winback=CAMPAIGN | {"campaign": "winback"})
    shutil.copytree(campaign.FOLDER, tmp_path / "campaigns")
    monkeypatch.setattr(campaign, "FOLDER", tmp_path / "campaigns")
    (tmp_path / "campaigns" / "welcome" / "campaign.yml").write_text("steps: none")
    assert {*steps(company)} == {"winback"}


def test_what_tangga_ships_fits_together(company):
    sending = {entry.name for entry in audiences.with_campaigns(audiences.load())}
    assert {*steps(company)} == sending
    assert all(days[0][1] == 0 for days in steps(company).values())
