"""Engagement: what they did, and what happened to the messages they were sent."""

from tangga.contracts.contract import CHANNELS, CONTACT_OR_EMAIL, Column, Contract

EVENTS = Contract(
    entity="events",
    dataset="engagement",
    key=("event_id",),
    occurred="occurred_at",
    columns=(
        Column("event_id", "id", "The event.", required=True, example="e-9f3c"),
        Column("occurred_at", "instant", "When.", required=True, example="2026-03-09T07:30:00Z"),
        Column(
            "event_type",
            "text",
            "What happened: page_view, product_view, add_to_cart, checkout, ...",
            required=True,
            example="add_to_cart",
        ),
        Column("contact_id", "id", "Who, when known.", example="000123"),
        Column("anonymous_id", "id", "The browser or device, when nobody is known.", example="b-51d0"),
        Column("session_id", "id", "The visit.", example="s-88"),
        Column("product_id", "id", "The product looked at.", example="SKU-7"),
        Column("cart_id", "id", "The cart.", example="c-12"),
        Column("channel", "text", "web, app, store, ...", example="web"),
        Column("url", "text", "Address of the page.", example="https://shop.example/coffee"),
        Column("properties", "json", "Anything else, as JSON.", example='{"quantity": 2}'),
    ),
    any_of=("contact_id", "anonymous_id"),
)

MESSAGES = Contract(
    entity="messages",
    dataset="engagement",
    key=("message_id", "event", "occurred_at"),
    occurred="occurred_at",
    columns=(
        Column("message_id", "id", "The message.", required=True, example="m-5001"),
        *CONTACT_OR_EMAIL,
        Column("channel", "text", "Channel it went through.", required=True, allowed=CHANNELS, example="email"),
        Column(
            "event",
            "text",
            "What happened to it.",
            required=True,
            allowed=("sent", "delivered", "opened", "clicked", "bounced", "unsubscribed", "complained"),
            example="opened",
        ),
        Column("occurred_at", "instant", "When.", required=True, example="2026-03-09T07:30:00Z"),
        Column("campaign", "text", "Campaign it belonged to.", example="march-coffee"),
        Column("audience", "text", "Audience it was sent to.", example="winback"),
    ),
    any_of=("contact_id", "email"),
)
