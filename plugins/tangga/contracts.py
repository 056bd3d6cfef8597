"""The ten landing contracts: the one definition that landing validates and staging relies on.

Columns are Tangga's own names; `tangga.yml` maps each source onto them. Types are those of the
landed Parquet file: instants are naive UTC timestamps, money is DECIMAL(18,2) in the row's
currency, keys are text, because leading zeros matter.
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


def _column(name: str, type: Type, description: str, **rest) -> Column:
    return Column(name, type, description, **rest)


_CONTACT_OR_EMAIL = (
    _column("contact_id", "id", "The person, as the source numbers them.", example="000123"),
    _column("email", "email", "The person's address, when the source knows no id.", example="ani@example.com"),
)

CONTRACTS: dict[str, Contract] = {
    contract.entity: contract
    for contract in (
        Contract(
            "contacts",
            "contact",
            ("contact_id",),
            "updated_at",
            (
                _column("contact_id", "id", "The person, as the source numbers them.", required=True, example="000123"),
                _column("updated_at", "instant", "When this record was last changed.", required=True),
                _column("email", "email", "E-mail address."),
                _column("phone", "phone", "Telephone number; stored as E.164."),
                _column("first_name", "text", "Given name."),
                _column("last_name", "text", "Family name."),
                _column("gender", "text", "As the source says it."),
                _column("birth_date", "date", "Date of birth."),
                _column("occupation", "text", "Occupation."),
                _column("city", "text", "City."),
                _column("country", "text", "ISO 3166-1 alpha-2 country.", example="ID"),
                _column("language", "text", "ISO 639-1 language.", example="id"),
                _column("signup_at", "instant", "When the person first signed up."),
                _column("acquisition_channel", "text", "Where the person came from."),
                _column("interests", "text", "Interests the person named, separated by '|'."),
            ),
        ),
        Contract(
            "consents",
            "contact",
            ("contact_id", "email", "channel", "purpose", "status_at"),
            "status_at",
            (
                *_CONTACT_OR_EMAIL,
                _column("channel", "text", "The channel that the consent is for.", required=True, allowed=CHANNELS),
                _column(
                    "status",
                    "text",
                    "What the person decided.",
                    required=True,
                    allowed=("granted", "denied", "revoked"),
                ),
                _column("status_at", "instant", "When they decided.", required=True),
                _column("purpose", "text", "What the consent is for; empty means marketing."),
                _column("method", "text", "How it was given.", allowed=("single_opt_in", "double_opt_in", "import")),
                _column("source", "text", "Where it was given."),
                _column("wording_version", "text", "Which wording the person saw."),
                _column("ip", "text", "Network address of the person."),
            ),
            any_of=("contact_id", "email"),
        ),
        Contract(
            "referrals",
            "contact",
            ("referrer_contact_id", "referred_contact_id"),
            "referred_at",
            (
                _column("referrer_contact_id", "id", "Who brought somebody.", required=True),
                _column("referred_contact_id", "id", "Who was brought.", required=True),
                _column("referred_at", "instant", "When.", required=True),
                _column("code", "text", "Referral code used."),
            ),
        ),
        Contract(
            "orders",
            "transaction",
            ("order_id",),
            "ordered_at",
            (
                _column("order_id", "id", "The order.", required=True),
                _column("contact_id", "id", "Who bought.", required=True),
                _column("ordered_at", "instant", "When it was placed.", required=True),
                _column(
                    "status",
                    "text",
                    "Where the order stands.",
                    required=True,
                    allowed=("pending", "paid", "shipped", "completed", "returned", "refunded", "cancelled"),
                ),
                _column("currency", "text", "ISO 4217 currency of all amounts.", required=True, example="IDR"),
                _column(
                    "total_amount",
                    "money",
                    "What the customer paid: goods less discount, with shipping and tax.",
                    required=True,
                    minimum=0,
                ),
                _column("subtotal_amount", "money", "Goods before discount."),
                _column("discount_amount", "money", "Discount given, as a positive amount.", minimum=0),
                _column("shipping_amount", "money", "Shipping charged."),
                _column("tax_amount", "money", "Tax charged."),
                _column("coupon_code", "text", "Coupon used."),
                _column("channel", "text", "Where it was sold."),
            ),
        ),
        Contract(
            "order_lines",
            "transaction",
            ("order_id", "line_number"),
            None,
            (
                _column("order_id", "id", "The order.", required=True),
                _column("line_number", "integer", "Position in the order.", required=True),
                _column("product_id", "id", "The product.", required=True),
                _column("quantity", "quantity", "Units sold.", required=True),
                _column("unit_price", "money", "Price of one unit, in the order's currency.", required=True),
                _column("product_name", "text", "Name of the product."),
                _column("category", "text", "Category of the product."),
                _column("discount_amount", "money", "Discount on this line, as a positive amount.", minimum=0),
            ),
        ),
        Contract(
            "refunds",
            "transaction",
            ("refund_id",),
            "refunded_at",
            (
                _column("refund_id", "id", "The refund.", required=True),
                _column("order_id", "id", "The order it belongs to.", required=True),
                _column("refunded_at", "instant", "When.", required=True),
                _column(
                    "amount",
                    "money",
                    "What was paid back, as a positive amount in the order's currency.",
                    required=True,
                    minimum=0,
                ),
                _column("reason", "text", "Why."),
            ),
        ),
        Contract(
            "events",
            "engagement",
            ("event_id",),
            "occurred_at",
            (
                _column("event_id", "id", "The event.", required=True),
                _column("occurred_at", "instant", "When.", required=True),
                _column(
                    "event_type",
                    "text",
                    "What happened: page_view, product_view, add_to_cart, checkout, ...",
                    required=True,
                ),
                _column("contact_id", "id", "Who, when known."),
                _column("anonymous_id", "id", "The browser or device, when nobody is known."),
                _column("session_id", "id", "The visit."),
                _column("product_id", "id", "The product looked at."),
                _column("cart_id", "id", "The cart."),
                _column("channel", "text", "web, app, store, ..."),
                _column("url", "text", "Address of the page."),
                _column("properties", "json", "Anything else, as JSON."),
            ),
            any_of=("contact_id", "anonymous_id"),
        ),
        Contract(
            "messages",
            "engagement",
            ("message_id", "event", "occurred_at"),
            "occurred_at",
            (
                _column("message_id", "id", "The message.", required=True),
                *_CONTACT_OR_EMAIL,
                _column("channel", "text", "Channel it went through.", required=True, allowed=CHANNELS),
                _column(
                    "event",
                    "text",
                    "What happened to it.",
                    required=True,
                    allowed=("sent", "delivered", "opened", "clicked", "bounced", "unsubscribed", "complained"),
                ),
                _column("occurred_at", "instant", "When.", required=True),
                _column("campaign", "text", "Campaign it belonged to."),
                _column("audience", "text", "Audience it was sent to."),
            ),
            any_of=("contact_id", "email"),
        ),
        Contract(
            "survey_responses",
            "feedback",
            ("response_id",),
            "answered_at",
            (
                _column("response_id", "id", "The answer.", required=True),
                *_CONTACT_OR_EMAIL,
                _column("survey", "text", "Which survey.", required=True),
                _column("kind", "text", "Which question was asked.", required=True, allowed=("nps", "csat", "ces")),
                _column("answered_at", "instant", "When it was answered; empty while it is not."),
                _column("score", "integer", "nps 0-10, csat 1-5, ces 1-7; empty while not answered."),
                _column("comment", "text", "In the person's words."),
                _column("sent_at", "instant", "When it was sent."),
                _column("touchpoint", "text", "What the survey asked about."),
                _column("order_id", "id", "The order it asked about."),
            ),
            any_of=("answered_at", "sent_at"),
        ),
        Contract(
            "tickets",
            "feedback",
            ("ticket_id",),
            "opened_at",
            (
                _column("ticket_id", "id", "The ticket.", required=True),
                *_CONTACT_OR_EMAIL,
                _column(
                    "kind",
                    "text",
                    "What the person wanted.",
                    required=True,
                    allowed=("question", "request", "complaint"),
                ),
                _column("opened_at", "instant", "When it was opened.", required=True),
                _column("channel", "text", "Where it came in."),
                _column("topic", "text", "What it was about."),
                _column("first_replied_at", "instant", "First answer."),
                _column("resolved_at", "instant", "When it was resolved."),
                _column("reopened_count", "integer", "How often it was opened again.", minimum=0),
                _column("csat_score", "integer", "Satisfaction with the answer, 1-5.", minimum=1, maximum=5),
            ),
            any_of=("contact_id", "email"),
        ),
    )
}

SURVEY_SCORES = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}
