"""The registry of audiences (`dbt_project/models/audiences/_audiences.yml`), read and checked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from tangga.campaigns import campaign
from tangga.settings import REPOSITORY, Settings, SettingsError

REGISTRY = REPOSITORY / "dbt_project" / "models" / "audiences" / "_audiences.yml"


class _Entry(BaseModel):
    """What a marketer has to decide about every audience. Beyond the shares (of the list as it was delivered last) by
    which it grows, or by which members are taken from it, somebody has to agree."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(pattern=r"^aud_[a-z0-9_]+$")
    label: str = Field(min_length=1)
    purpose: str = Field(min_length=1)
    owner: str = Field(min_length=1)
    channel: Literal["email"]  # lists carry addresses only: other channels need a destination of theirs first
    max_growth_share: float = Field(ge=0, allow_inf_nan=False)
    max_removal_share: float = Field(ge=0, le=1)

    @property
    def name(self) -> str:
        """The name of the audience, or of the family."""
        return self.model.removeprefix("aud_")


class CampaignAudience(_Entry):
    """An audience whose members are sent messages. The lower `priority`, the more valuable the message is to them;
    `cooldown_days` is for how long nobody enters anew after the last message; `holdout_share` (0 to 0.5) enters and is
    sent nothing, to compare with. Another `holdout_salt` draws others for that."""

    kind: Literal["campaign"]
    campaign: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    content: Literal["campaigns", "tool"] = "campaigns"  # where its words are: campaigns/<campaign>/, or the mail tool
    priority: int = Field(ge=1, le=100)
    cooldown_days: int = Field(ge=0)
    holdout_share: float = Field(ge=0, le=0.5)
    holdout_salt: str = Field("", pattern=r"^[A-Za-z0-9_-]*$")
    family: Literal[False] = False

    @property
    def holdout_below(self) -> str:
        """Who is held out: those whose hash, as eight hexadecimal digits, is below this."""
        return f"{int(self.holdout_share * 16**8):08x}"


class ListAudience(_Entry):
    """A list for the marketer, who decides what becomes of it. An entry with `family` stands for several, whose names
    begin with its `prefix`."""

    kind: Literal["list"]
    family: bool = False
    prefix: str | None = Field(None, pattern=r"^[a-z][a-z0-9]*_$")

    @model_validator(mode="after")
    def _a_family_has_a_prefix(self) -> ListAudience:
        if self.family != (self.prefix is not None):
            raise ValueError("a family, and nothing else, needs a prefix that the names of its audiences begin with")
        return self


Audience = CampaignAudience | ListAudience
_AUDIENCE: TypeAdapter[Audience] = TypeAdapter(Annotated[Audience, Field(discriminator="kind")])


def load() -> list[Audience]:
    """The audiences in the order of the registry. Raises `SettingsError`, a line for each fault."""
    raw = yaml.safe_load(REGISTRY.read_text(encoding="utf-8"))
    audiences, faults = [], []
    for model in raw["models"]:
        try:
            audiences.append(
                _AUDIENCE.validate_python({**model.get("config", {}).get("meta", {}), "model": model["name"]})
            )
        except ValidationError as error:
            faults += [f"{REGISTRY}: {model['name']}.{_key(fault['loc'])}: {fault['msg']}" for fault in error.errors()]
    registered = {model["name"] for model in raw["models"]}
    built = {path.stem for path in REGISTRY.parent.glob("aud_*.sql")}
    faults += [f"{REGISTRY}: {name}: has a model but no entry; add one" for name in sorted(built - registered)]
    faults += [f"{REGISTRY}: {name}: has an entry but no model {name}.sql" for name in sorted(registered - built)]
    if faults:
        raise SettingsError("\n".join(faults))
    return audiences


def entry_of(audience: str, audiences: list[Audience]) -> Audience | None:
    """The entry that an audience belongs to: its own, or that of its family."""
    own = (entry for entry in audiences if not entry.family and entry.name == audience)
    families = (entry for entry in audiences if entry.family and audience.startswith(entry.prefix))
    return next(own, None) or next(families, None)


def with_campaigns(audiences: list[Audience]) -> list[CampaignAudience]:
    """Those whose members are sent messages."""
    return [audience for audience in audiences if isinstance(audience, CampaignAudience)]


def variables(settings: Settings) -> dict[str, list[dict]]:
    """The registry and the steps of its campaigns as plain data, for dbt. Raises `SettingsError`.

    A campaign whose words are in the tool is one message on the day of entry. One that cannot be read, or that is not
    its audience's, has no steps: nobody enters until it is mended, and `campaigns.lint` says what is wrong with it.
    """
    audiences = load()
    sending = {audience.name: audience for audience in with_campaigns(audiences)}
    steps: dict[str, list[dict]] = {
        name: [_step(name, 1, 0, audience.channel, None, "never")] if audience.content == "tool" else []
        for name, audience in sending.items()
    }
    for found in _readable(settings):
        audience = sending.get(found.audience)
        if audience and audience.content == "campaigns" and audience.campaign == found.name:
            steps[audience.name] = [
                _step(audience.name, step.number, step.day, step.channel, step.template, step.exit)
                for step in found.steps
            ]
    return {
        "audiences": [audience.model_dump() | {"name": audience.name} | _holdout(audience) for audience in audiences],
        "campaign_steps": [step for name in sorted(steps) for step in steps[name]],
    }


def _readable(settings: Settings) -> Iterator[campaign.Campaign]:
    for folder in campaign.folders(settings):
        with suppress(SettingsError):
            yield campaign.read(folder)


def _step(audience: str, step: int, day: int, channel: str, template: str | None, leaves_when: str) -> dict:
    return {
        "audience": audience,
        "step": step,
        "day": day,
        "channel": channel,
        "template": template,
        "exit": leaves_when,
    }


def _holdout(audience: Audience) -> dict[str, str]:
    return {"holdout_below": audience.holdout_below} if isinstance(audience, CampaignAudience) else {}


def _key(location: tuple) -> str:
    """The key that a fault is of: pydantic puts the kind by which it chose what to check before it."""
    return ".".join(map(str, location[1:])) or "kind"
