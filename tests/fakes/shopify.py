"""A Shopify shop, as its Admin REST API shows it: customers, orders with their lines and refunds.

Checked against
- https://shopify.dev/docs/api/admin-rest/2026-10/resources/customer and .../resources/order: parameters and fields
- https://shopify.dev/docs/api/admin-rest/usage/pagination: the Link header; nothing but `limit` and `fields` beside
  `page_info` (the refusal's words: https://github.com/Shopify/shopify-api-js/issues/755)
- https://shopify.dev/docs/api/admin-rest/usage/rate-limits: a bucket of 40 that leaks 2 a second, 429 with Retry-After
- https://github.com/Shopify/shopify-api-ruby (test/rest/2024_01/order_test.rb): whole answers
Amounts are texts with two decimals; times carry the shop's offset; `*_set` holds the shop's and the buyer's currency.
"""

from __future__ import annotations

import base64
import json
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from itertools import count
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.fakes.limits import LeakyBucket
from tests.fakes.server import Fake, answer, endpoint

NEVER = {"state": "not_subscribed", "opt_in_level": None, "consent_updated_at": None}
BESIDE_PAGE_INFO = {"page_info", "limit", "fields"}


class Shopify(Fake):
    """`currency` is the shop's; `max_page` is the largest page it gives (Shopify's is 250)."""

    def __init__(self, token: str = "shpat_fake", currency: str = "IDR", max_page: int = 250, bucket: int = 40) -> None:
        super().__init__(token)
        self.currency, self.max_page = currency, max_page
        self.bucket = LeakyBucket(bucket, 2.0)
        self.customers: dict[int, dict] = {}
        self.orders: dict[int, dict] = {}
        self._ids = count(5_000_000_000_001)

    # ---- what is in the shop

    def add_customer(self, at: str = "2026-03-01T09:00:00+07:00", **fields) -> dict:
        """A customer who came at `at`; `fields` replace what Shopify would fill in."""
        customer = {
            "id": next(self._ids), "created_at": at, "updated_at": at, "first_name": None, "last_name": None,
            "orders_count": 0, "state": "disabled", "total_spent": "0.00", "note": None, "verified_email": True,
            "tax_exempt": False, "tags": "", "email": None, "phone": None, "currency": self.currency, "addresses": [],
            "email_marketing_consent": dict(NEVER), "sms_marketing_consent": None, "default_address": None,
        } | fields  # fmt: skip
        self.customers[customer["id"]] = customer
        return customer

    def add_order(
        self, lines: list[dict], at: str = "2026-03-10T10:00:00+07:00", customer: dict | None = None,
        shipping: str = "0.00", shipping_discount: str = "0.00", tax: str = "0.00", codes: tuple[str, ...] = (),
        buyer: tuple[str, str] | None = None, **fields,
    ) -> dict:  # fmt: skip
        """An order. Amounts are in the shop's currency; `buyer` is the buyer's, and its units for one of the shop's."""
        self._buyer = buyer or (self.currency, "1")
        items = sum((Decimal(line["price"]) * line["quantity"] for line in lines), Decimal())
        given = sum((Decimal(line["discount"]) for line in lines), Decimal())
        total = items - given + Decimal(shipping) - Decimal(shipping_discount) + Decimal(tax)
        paid_shipping = Decimal(shipping) - Decimal(shipping_discount)
        number = len(self.orders) + 1001
        order = {
            "id": next(self._ids), "name": f"#{number}", "order_number": number, "test": False, "created_at": at,
            "processed_at": at, "updated_at": at, "cancelled_at": None, "cancel_reason": None, "closed_at": None,
            "confirmed": True, "currency": self.currency, "presentment_currency": self._buyer[0],
            "financial_status": "paid", "fulfillment_status": None, "source_name": "web", "taxes_included": False,
            "discount_codes": [{"code": code, "amount": _text(given), "type": "fixed_amount"} for code in codes],
            **self._money("total_line_items_price", items),
            **self._money("total_discounts", given + Decimal(shipping_discount)),
            **self._money("subtotal_price", items - given),
            **self._money("total_tax", Decimal(tax)),
            **self._money("total_price", total),
            "total_shipping_price_set": self._set(Decimal(shipping)),
            "customer": customer, "email": customer["email"] if customer else "", "phone": None,
            "line_items": [self._line(line) for line in lines],
            "shipping_lines": [
                {
                    "id": next(self._ids), "code": "Standard", "title": "Standard", "is_removed": False,
                    **self._money("price", Decimal(shipping)), **self._money("discounted_price", paid_shipping),
                }
            ],
            "refunds": [],
        }  # fmt: skip
        order |= {"contact_email": order["email"]} | fields
        self.orders[order["id"]] = order
        return order

    def refund(self, order: dict, at: str, *payments: str, note: str | None = None, kind: str = "refund") -> dict:
        """Give back: a transaction for each of `payments` (shop's currency, paid in the buyer's), or none at all."""
        shop, buyer = (order["total_price_set"][money] for money in ("shop_money", "presentment_money"))
        rate = Decimal(buyer["amount"]) / Decimal(shop["amount"])
        refund = {
            "id": next(self._ids), "order_id": order["id"], "created_at": at, "processed_at": at, "note": note,
            "restock": True, "order_adjustments": [], "refund_line_items": [],
            "transactions": [
                {
                    "id": next(self._ids), "order_id": order["id"], "kind": kind, "status": "success", "created_at": at,
                    "processed_at": at, "amount": _text(Decimal(amount) * rate), "currency": buyer["currency_code"],
                    "gateway": "bogus", "test": False,
                }
                for amount in payments
            ],
        }  # fmt: skip
        order["refunds"].append(refund)
        order["updated_at"] = at
        return refund

    def _line(self, line: dict) -> dict:
        given = Decimal(line["discount"])
        allocations = [self._money("amount", given) | {"discount_application_index": 0}] if given else []
        return {
            "id": next(self._ids), "product_id": line["product_id"], "variant_id": None, "title": line["title"],
            "name": line["title"], "variant_title": None, "sku": line["sku"], "vendor": None, "gift_card": False,
            "quantity": line["quantity"], "current_quantity": line["quantity"], "product_exists": True,
            **self._money("price", Decimal(line["price"])), **self._money("total_discount", Decimal()),
            "discount_allocations": allocations, "tax_lines": [], "properties": [],
        }  # fmt: skip

    def _set(self, amount: Decimal) -> dict:
        currency, rate = self._buyer
        return {
            "shop_money": {"amount": _text(amount), "currency_code": self.currency},
            "presentment_money": {"amount": _text(amount * Decimal(rate)), "currency_code": currency},
        }

    def _money(self, name: str, amount: Decimal) -> dict:
        return {name: _text(amount), f"{name}_set": self._set(amount)}

    # ---- what it answers

    def routes(self) -> list[Route]:
        base = "/admin/api/{version}"
        return [
            endpoint(f"{base}/customers.json", lambda request: self._list(request, "customers")),
            endpoint(f"{base}/orders.json", lambda request: self._list(request, "orders")),
        ]

    def refusal(self, request: Request) -> Response | None:
        if request.headers.get("X-Shopify-Access-Token") != self.token:
            what = "[API] Invalid API key or access token (unrecognized login or wrong password)"
            return answer({"errors": what}, 401)
        if not self.bucket.admits():
            what = "Exceeded 2 calls per second for api client. Reduce request rates to resume uninterrupted service."
            return answer({"errors": what}, 429, {"Retry-After": "2.0"})
        return None

    def _list(self, request: Request, resource: str) -> Response:
        query = dict(request.query_params)
        if "page_info" in query:
            for name in query.keys() - BESIDE_PAGE_INFO:
                what = f"{name} cannot be passed when page_info is present. See https://shopify.dev/api/usage/"
                return answer({"errors": {name: what + "pagination-rest for more information."}}, 400)
            try:
                page = json.loads(base64.urlsafe_b64decode(query["page_info"]))
            except ValueError:
                return answer({"errors": {"page_info": "Invalid value."}}, 400)
            filters, start = page["filters"], page["start"]
        else:
            filters, start = {name: value for name, value in query.items() if name not in BESIDE_PAGE_INFO}, 0
        found = [record for record in getattr(self, resource).values() if _matches(record, resource, filters)]
        found.sort(key=lambda record: record["id"], reverse=True)
        limit = min(int(query.get("limit", 50)), self.max_page)
        pages = {"previous": start - limit if start else None, "next": start + limit}
        links = [
            f'<{self.url}{request.url.path}?{_page(limit, query.get("fields"), filters, at)}>; rel="{name}"'
            for name, at in pages.items()
            if at is not None and at < len(found)
        ]
        shown = [_only(record, query.get("fields")) for record in found[start : start + limit]]
        calls = f"{int(self.bucket.level)}/{self.bucket.size}"
        headers = {"X-Shopify-Shop-Api-Call-Limit": calls} | ({"Link": ", ".join(links)} if links else {})
        return answer({resource: shown}, headers=headers)


def line(product_id: int | None, quantity: int, price: str, discount: str = "0.00", title: str = "Kopi", sku: str = ""):
    """A line of an order: units, the price of one, and the discount on all of them."""
    return {
        "product_id": product_id, "quantity": quantity, "price": price, "discount": discount, "title": title, "sku": sku
    }  # fmt: skip


def _matches(record: dict, resource: str, filters: dict[str, str]) -> bool:
    for name, wanted in filters.items():
        column, _, bound = name.rpartition("_")
        if bound in ("min", "max") and column in ("created_at", "updated_at", "processed_at"):
            value, edge = datetime.fromisoformat(record[column]), datetime.fromisoformat(wanted)
            if value < edge if bound == "min" else value > edge:
                return False
    if resource == "customers":
        return True
    state = "cancelled" if record["cancelled_at"] else "closed" if record["closed_at"] else "open"
    return filters.get("status", "open") in ("any", state)


def _only(record: dict, fields: str | None) -> dict:
    return {name: record[name] for name in fields.split(",") if name in record} if fields else record


def _page(limit: int, fields: str | None, filters: dict[str, str], start: int) -> str:
    info = json.dumps({"filters": filters, "start": max(start, 0)})
    query = {"limit": limit, "page_info": base64.urlsafe_b64encode(info.encode()).decode()}
    return urlencode(query | ({"fields": fields} if fields else {}))


def _text(amount: Decimal) -> str:
    return str(amount.quantize(Decimal("0.01"), ROUND_HALF_UP))
