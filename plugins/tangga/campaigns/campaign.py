"""A campaign as its `campaign.yml` says it, read and checked for its form; what it says is judged by `lint`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from tangga.settings import REPOSITORY, Settings, SettingsError
from tangga.settings.types import Name, Strict, Text
from tangga.settings.yaml_file import read_yaml

FOLDER = REPOSITORY / "campaigns"
SHARED = "_shared"

Language = Annotated[str, Field(pattern=r"^[a-z]{2}$")]
Exit = Literal["ordered", "never"]
EXITS: tuple[Exit, ...] = ("ordered", "never")
"""When a step is not sent any more to somebody who is still in the audience."""


def _lasts(given: object) -> int | str:
    is_days = isinstance(given, int) and not isinstance(given, bool) and given > 0
    if is_days or (isinstance(given, str) and re.fullmatch(r"[a-z_]+\.[a-z_]+", given)):
        return given
    raise ValueError("give a number of days, or the name of a rule such as audiences.welcome_days")


Lasts = Annotated[int | str, BeforeValidator(_lasts)]


class Step(Strict):
    """One message of a campaign. `day` counts from the member's entry into the audience (0: the same day)."""

    number: int = Field(ge=1)
    day: int = Field(ge=0)
    channel: Literal["email"] = "email"
    template: Name
    exit: Exit
    subject: dict[Language, Text]
    preheader: dict[Language, Text]


class Campaign(Strict):
    """A campaign and its steps. `lasts` is for how many days a member may get steps: a number, or the rule that says
    how long the audience keeps its members (`audiences.welcome_days`). `fields` are the merge fields that its words may
    use; `reason` says, in each language, why the reader gets this mail."""

    name: Name
    folder: Path
    label: Text
    purpose: Text
    audience: Name
    languages: tuple[Language, ...] = Field(min_length=1)
    lasts: Lasts
    fields: tuple[Name, ...]
    reason: dict[Language, Text]
    steps: tuple[Step, ...] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _number_steps(cls, given: dict) -> dict:
        steps = given.get("steps")
        if not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
            raise ValueError("steps: give a list with a block of keys for each step")
        return given | {"steps": [{**step, "number": number} for number, step in enumerate(steps, start=1)]}

    def file(self, step: Step, language: str) -> Path:
        """The words of a step in a language."""
        return self.folder / f"{step.template}.{language}.mjml"


def load(settings: Settings | None = None) -> list[Campaign]:
    """The campaigns of the company's folder, in the order of their names; without settings, those that Tangga ships.
    Raises `SettingsError`, a line for each fault."""
    campaigns, faults = [], []
    for folder in folders(settings):
        try:
            campaigns.append(read(folder))
        except SettingsError as error:
            faults.append(str(error))
    if faults:
        raise SettingsError("\n".join(faults))
    return campaigns


def folders(settings: Settings | None) -> list[Path]:
    """The folder of each campaign."""
    return sorted(path for path in folder_of(settings).glob("[!_.]*") if path.is_dir())


def folder_of(settings: Settings | None) -> Path:
    """Where the company keeps its campaigns."""
    if settings is None or settings.campaigns is None or settings.campaigns.folder is None:
        return FOLDER
    return settings.resolve(settings.campaigns.folder)


def read(folder: Path) -> Campaign:
    """The campaign of a folder. Raises `SettingsError`, a line for each fault."""
    path = folder / "campaign.yml"
    raw = read_yaml(path)
    try:
        return Campaign.model_validate({**raw, "name": folder.name, "folder": folder})
    except ValidationError as error:
        lines = []
        for fault in error.errors(include_url=False, include_input=False):
            key = ".".join(map(str, fault["loc"])) or "(top)"
            lines.append(f"{path}: {key}: {fault['msg'].removeprefix('Value error, ')}")
        raise SettingsError("\n".join(lines)) from None
