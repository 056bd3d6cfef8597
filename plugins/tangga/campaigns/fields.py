"""The merge fields: what Tangga tells the e-mail tool of each member, and what words may therefore be filled with.

They are the columns of `customer.customer_personalization`.
"""

from __future__ import annotations

from typing import NamedTuple


class MergeField(NamedTuple):
    """`name` is the column of a member, `mailchimp` its tag there (at most ten letters), `hubspot` its property.

    A field that is not `readable` steers who gets what; its values are not words for a customer."""

    name: str
    description: str
    example: str
    mailchimp: str
    hubspot: str
    readable: bool = True


FIELDS: dict[str, MergeField] = {
    field.name: field
    for field in (
        MergeField("greeting_name", "What to call the customer.", "Ani", "GREETING", "greeting_name"),
        MergeField(
            "language",
            "ISO 639-1 code of the language to write in.",
            "id",
            "LANGUAGE",
            "tangga_language",
            readable=False,
        ),
        MergeField(
            "preferred_category",
            "What the customer likes most; may be empty.",
            "Kopi",
            "CATEGORY",
            "preferred_category",
        ),
        MergeField(
            "recommended_product",
            "The product to offer first; may be empty.",
            "Kopi Gayo 200 g",
            "PRODUCT",
            "recommended_product",
        ),
        MergeField(
            "coupon_policy",
            "Whether a coupon may be offered; `none` for customers who pay the full price.",
            "none",
            "COUPON",
            "coupon_policy",
            readable=False,
        ),
        MergeField(
            "next_birthday", "The customer's next birthday.", "2026-08-17", "BIRTHDAY", "next_birthday", readable=False
        ),
    )
}

GREETING = "greeting_name"
"""The field with which a message greets."""

UNSUBSCRIBE = "unsubscribe_url"
"""Where a reader can stop the mail; the tool makes the address."""
