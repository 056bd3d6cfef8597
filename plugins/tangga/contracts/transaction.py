"""Transaction: what they bought and gave back."""

from tangga.contracts.contract import Column, Contract

ORDERS = Contract(
    entity="orders",
    dataset="transaction",
    key=("order_id",),
    occurred="ordered_at",
    columns=(
        Column("order_id", "id", "The order.", required=True, example="A-1001"),
        Column("contact_id", "id", "Who bought.", required=True, example="000123"),
        Column("ordered_at", "instant", "When it was placed.", required=True, example="2026-03-09T14:30:00+07:00"),
        Column(
            "status",
            "text",
            "Where the order stands.",
            required=True,
            allowed=("pending", "paid", "shipped", "completed", "returned", "refunded", "cancelled"),
            example="paid",
        ),
        Column("currency", "text", "ISO 4217 currency of all amounts.", required=True, example="IDR"),
        Column(
            "total_amount",
            "money",
            "What the customer paid: goods less discount, with shipping and tax.",
            required=True,
            minimum=0,
            example="250000.00",
        ),
        Column("subtotal_amount", "money", "Goods before discount.", example="260000.00"),
        Column("discount_amount", "money", "Discount given, as a positive amount.", minimum=0, example="26000.00"),
        Column("shipping_amount", "money", "Shipping charged.", example="16000.00"),
        Column("tax_amount", "money", "Tax charged.", example="0.00"),
        Column("coupon_code", "text", "Coupon used.", example="MARCH10"),
        Column("channel", "text", "Where it was sold.", example="web"),
    ),
)

ORDER_LINES = Contract(
    entity="order_lines",
    dataset="transaction",
    key=("order_id", "line_number"),
    occurred=None,
    columns=(
        Column("order_id", "id", "The order.", required=True, example="A-1001"),
        Column("line_number", "integer", "Position in the order.", required=True, example="1"),
        Column("product_id", "id", "The product.", required=True, example="SKU-7"),
        Column("quantity", "quantity", "Units sold.", required=True, example="2"),
        Column(
            "unit_price", "money", "Price of one unit, in the order's currency.", required=True, example="130000.00"
        ),
        Column("product_name", "text", "Name of the product.", example="Coffee Toraja 500 g"),
        Column("category", "text", "Category of the product.", example="coffee"),
        Column(
            "discount_amount", "money", "Discount on this line, as a positive amount.", minimum=0, example="26000.00"
        ),
    ),
)

REFUNDS = Contract(
    entity="refunds",
    dataset="transaction",
    key=("refund_id",),
    occurred="refunded_at",
    columns=(
        Column("refund_id", "id", "The refund.", required=True, example="R-77"),
        Column("order_id", "id", "The order it belongs to.", required=True, example="A-1001"),
        Column("refunded_at", "instant", "When.", required=True, example="2026-03-12T10:00:00+07:00"),
        Column(
            "amount",
            "money",
            "What was paid back, as a positive amount in the order's currency.",
            required=True,
            minimum=0,
            example="130000.00",
        ),
        Column("reason", "text", "Why.", example="damaged"),
    ),
)
