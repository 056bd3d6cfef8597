"""The pages of `docs/` that are written from the code that they describe: `make docs`.

Contracts come from `contracts/`, rules from `settings/rules/`; a test fails when a page is not what this
module would write.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel

from tangga.contracts import CONTRACTS, SQL_TYPE, Contract
from tangga.settings import REPOSITORY, Rules

DOCS = REPOSITORY / "docs"

_TYPE = {
    "id": "text (a key: leading zeros stay)",
    "email": "text, e-mail in its normal form",
    "phone": "text, E.164",
    "instant": "timestamp, UTC",
    "money": "decimal(18,2), in the row's currency",
    "quantity": "decimal(18,3)",
    "json": "text, JSON",
}


def pages() -> dict[Path, str]:
    """Every generated page: path -> content."""
    contracts = {DOCS / "contracts" / f"{entity}.md": _contract(contract) for entity, contract in CONTRACTS.items()}
    return contracts | {DOCS / "contracts" / "README.md": _index(), DOCS / "rules.md": _rules()}


def _index() -> str:
    rows = [
        f"| {c.dataset} | [`{c.entity}`]({c.entity}.md) | {', '.join(c.required_names)} |" for c in CONTRACTS.values()
    ]
    return "\n".join([
        "# Landing contracts", "",
        "What Tangga takes in: ten entities of four datasets. `tangga.yml` maps each source's columns onto these.",
        "A company that has only some of them gets everything that can be computed from those.", "",
        "| dataset | entity | required |", "|---|---|---|", *rows, "",
    ])  # fmt: skip


def _contract(contract: Contract) -> str:
    rows = []
    for column in contract.columns:
        notes = [column.description]
        if column.allowed:
            notes.append(f"One of {', '.join(f'`{value}`' for value in column.allowed)}.")
        if column.minimum is not None or column.maximum is not None:
            notes.append(f"From {column.minimum}" + (f" to {column.maximum}." if column.maximum is not None else "."))
        if column.example:
            shown = column.example.replace("|", r"\|")  # or it would end the cell
            notes.append(f"For example `{shown}`.")
        kind = _TYPE.get(column.type) or SQL_TYPE[column.type].lower().replace("varchar", "text")
        bad = "row rejected" if column.is_strict else "field emptied"
        rows.append(f"| `{column.name}` | {kind} | {'yes' if column.required else ''} | {bad} | {' '.join(notes)} |")
    lines = [
        f"# {contract.entity}",
        "",
        f"Dataset: {contract.dataset}. Key: {', '.join(f'`{n}`' for n in contract.key)}.",
    ]
    if contract.any_of:
        lines.append(f"At least one of {', '.join(f'`{name}`' for name in contract.any_of)} must have a value.")
    header = ["", "| column | type | required | unreadable value | meaning |", "|---|---|---|---|---|"]
    return "\n".join([*lines, *header, *rows, ""])


def _rules() -> str:
    lines = [
        "# Rules",
        "",
        "The numbers under `rules:` in `tangga.yml`, with what they are when nothing is said.",
        "Rules that are tables are the CSV files in `dbt_project/seeds/`.",
    ]
    for group, field in Rules.model_fields.items():
        model: type[BaseModel] = field.annotation
        lines += [
            "",
            f"## `{group}`",
            "",
            " ".join((model.__doc__ or "").split()),
            "",
            "| key | default |",
            "|---|---|",
        ]
        lines += [f"| `{group}.{name}` | {_default(rule.default)} |" for name, rule in model.model_fields.items()]
    return "\n".join([*lines, ""])


def _default(value: object) -> str:
    shown = list(value) if isinstance(value, tuple) else value
    return "empty" if shown in (None, []) else f"`{shown}`"


def main() -> None:
    """Write every page."""
    for path, content in pages().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
