"""The registry of audiences: what a marketer has to decide is there, and fits the campaigns."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tangga import audiences, campaigns, settings
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


def test_what_tangga_ships_fits_together(company):
    found = audiences.variables(company)
    sending = {entry["name"] for entry in found["audiences"] if entry["kind"] == "campaign"}
    assert {step["audience"] for step in found["campaign_steps"]} == sending
    written = {campaign.audience: len(campaign.steps) for campaign in campaigns.load(company)}
    assert {"welcome", "winback", "cart_abandonment", "birthday"} <= set(written)
    for name in sending:
        steps = [step for step in found["campaign_steps"] if step["audience"] == name]
        assert [step["step"] for step in steps] == [*range(1, written.get(name, 1) + 1)]
        assert steps[0]["day"] == 0
        assert all((step["template"] is None) == (name not in written) for step in steps)


@pytest.mark.parametrize("entry", [CAMPAIGN | {"campaign": "hello"}, LIST])
def test_a_campaign_and_its_audience_name_each_other(registry, company, entry):
    registry(welcome=entry, winback=CAMPAIGN | {"campaign": "winback"}, birthday=CAMPAIGN | {"campaign": "birthday"},
             cart_abandonment=CAMPAIGN | {"campaign": "cart_abandonment"})  # fmt: skip
    with pytest.raises(SettingsError) as error:
        audiences.variables(company)
    folder = campaigns.campaign.FOLDER / "welcome"
    assert str(error.value) == (
        f"{folder}: its audience 'welcome' is not one of _audiences.yml whose campaign is 'welcome'; "
        "name the one in the other"
    )
