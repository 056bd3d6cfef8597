"""Ready-made sources: what a well-known system delivers and how its columns are called, so that nobody has
to find out again.

A template is a file `plugins/tangga/templates/<name>.yml`: a source's block of `tangga.yml`, with a
`description` beside it. A source that names one (`template: <name>`) takes over all that it does not say itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tangga.settings.yaml_file import SettingsError, read_yaml

FOLDER = Path(__file__).resolve().parents[1] / "templates"


def names() -> list[str]:
    """The templates there are."""
    return sorted(path.stem for path in FOLDER.glob("*.yml"))


def read(name: str) -> dict[str, Any]:
    """A template as it is written, its `description` included. Raises `SettingsError`."""
    if name not in names():
        raise SettingsError(f"there is no template '{name}'; use one of {', '.join(names())}")
    return read_yaml(FOLDER / f"{name}.yml")


def filled(given: Any) -> Any:
    """A source's block with its template beneath it; every other block as it is. Raises `SettingsError`.

    What the block says wins, key by key; of the entities it has those that `entities` names (`orders:` alone
    takes the template's as it is), or all of the template.
    """
    if not isinstance(given, dict) or "template" not in given:
        return given
    own = {key: value for key, value in given.items() if key != "template"}
    base = {key: value for key, value in read(str(given["template"])).items() if key != "description"}
    if isinstance(own.get("entities"), dict):
        wanted = own["entities"]
        base["entities"] = {entity: spec for entity, spec in base["entities"].items() if entity in wanted}
        own["entities"] = {entity: {} if spec is None else spec for entity, spec in wanted.items()}
    return _over(base, own)


def _over(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    return base | {
        key: _over(base[key], value) if _adds_to(base.get(key), value) else value for key, value in own.items()
    }


def _adds_to(base: Any, own: Any) -> bool:
    """Whether a block goes into the template's; one of another type, or a column from elsewhere, takes its place."""
    if not isinstance(base, dict) or not isinstance(own, dict):
        return False
    return own.get("type", base.get("type")) == base.get("type") and not {"value", "column"} & set(own)
