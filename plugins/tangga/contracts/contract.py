"""What a landing contract is made of.

Types are those of the landed Parquet file: instants are naive UTC timestamps, money is DECIMAL(18,2)
in the row's currency, keys are text, because leading zeros matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Type = Literal["text", "id", "email", "phone", "instant", "date", "money", "quantity", "integer", "json"]

SQL_TYPE: dict[str, str] = {
    "text": "VARCHAR",
    "id": "VARCHAR",
    "email": "VARCHAR",
    "phone": "VARCHAR",
    "instant": "TIMESTAMP",
    "date": "DATE",
    "money": "DECIMAL(18,2)",
    "quantity": "DECIMAL(18,3)",
    "integer": "INTEGER",
    "json": "VARCHAR",
}

CHANNELS = ("email", "sms", "push", "whatsapp", "telegram", "messenger", "in_app", "news_feed")


@dataclass(frozen=True)
class Column:
    """One column of a contract.

    `required` rejects a row without a value. A value that cannot be read rejects its row when the
    column is required or is an amount; elsewhere it is emptied and the row goes on, because one bad
    birthday is no reason to lose a customer.
    """

    name: str
    type: Type
    description: str
    required: bool = False
    allowed: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    example: str = ""

    @property
    def is_strict(self) -> bool:
        """True when an unreadable value rejects the row instead of emptying the field."""
        return self.required or self.type in ("money", "quantity") or self.minimum is not None


@dataclass(frozen=True)
class Contract:
    """One entity: its columns, its key, and the column that says when a row happened.

    `any_of` names columns of which at least one must have a value.
    """

    entity: str
    dataset: Literal["contact", "transaction", "engagement", "feedback"]
    key: tuple[str, ...]
    occurred: str | None
    columns: tuple[Column, ...]
    any_of: tuple[str, ...] = ()

    def column(self, name: str) -> Column:
        """The column called `name`; KeyError when the contract has none."""
        return {column.name: column for column in self.columns}[name]

    @property
    def column_names(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def required_names(self) -> list[str]:
        return [column.name for column in self.columns if column.required]


CONTACT_OR_EMAIL = (
    Column("contact_id", "id", "The person, as the source numbers them.", example="000123"),
    Column("email", "email", "The person's address, when the source knows no id.", example="ani@example.com"),
)
"""Who a row is about, where a system may know no more than the address."""
