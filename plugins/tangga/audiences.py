"""The registry of audiences (`dbt_project/models/audiences/_audiences.yml`), read and checked."""

from __future__ import annotations

from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tangga.settings import REPOSITORY, SettingsError

REGISTRY = REPOSITORY / "dbt_project" / "models" / "audiences" / "_audiences.yml"


class Audience(BaseModel):
    """One entry: what a marketer has to decide about an audience. `family` entries name several."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(pattern=r"^aud_[a-z0-9_]+$")
    label: str = Field(min_length=1)
    purpose: str = Field(min_length=1)
    owner: str = Field(min_length=1)
    channel: Literal["email"]  # lists carry addresses only: other channels need a destination of theirs first
    priority: int = Field(ge=1, le=100)
    cooldown_days: int = Field(0, ge=0)
    campaign: str | None = None
    content: Literal["campaigns", "tool"] = (
        "campaigns"  # where its words are: campaigns/<campaign>/, or the e-mail tool
    )
    family: bool = False


def load() -> list[Audience]:
    """The audiences in the order of the registry. Raises `SettingsError`, a line for each fault."""
    raw = yaml.safe_load(REGISTRY.read_text(encoding="utf-8"))
    audiences, faults = [], []
    for model in raw["models"]:
        try:
            audiences.append(Audience(model=model["name"], **model.get("config", {}).get("meta", {})))
        except ValidationError as error:
            faults += [
                f"{REGISTRY}: {model['name']}.{'.'.join(map(str, f['loc']))}: {f['msg']}" for f in error.errors()
            ]
    registered = {audience.model for audience in audiences}
    built = {path.stem for path in REGISTRY.parent.glob("aud_*.sql")}
    faults += [f"{REGISTRY}: {name}: has a model but no entry; add one" for name in sorted(built - registered)]
    faults += [f"{REGISTRY}: {name}: has an entry but no model {name}.sql" for name in sorted(registered - built)]
    if faults:
        raise SettingsError("\n".join(faults))
    return audiences
