"""A company whose lists go to a fake of Mailchimp or HubSpot, by HTTP: from what is published to what is there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tangga import ledger
from tangga.activation import delivery
from tangga.activation.sending import Delivered
from tests.fakes.hubspot_writing import HubSpotPortal
from tests.fakes.mailchimp_writing import KEY, MailchimpAccount
from tests.fakes.server import Fake
from tests.unit.activation import Company

TOOLS = {
    "mailchimp": (MailchimpAccount, {"list": "a1b2c3d4e5", "requests_per_second": 100, "batch_from": 3}, KEY),
    "hubspot": (lambda: HubSpotPortal(requests=1000), {"requests_per_10_seconds": 250}, "pat-eu1-fake"),
}

CALLS = {
    "mailchimp": {
        "a field is made": "POST .*/merge-fields", "people are written": "POST .*/batches",
        "a list is made": "POST .*/segments$", "a list is changed": "POST .*/segments/.+",
        "somebody is stopped": "DELETE .*/members/.+", "who said no is asked": "GET .*/members$",
    },
    "hubspot": {
        "a field is made": "POST .*/properties/.+", "people are written": "POST .*/batch/upsert",
        "a list is made": "POST /crm/lists/[^/]+$", "a list is changed": "PUT .*/memberships/.+",
        "somebody is stopped": "POST .*/unsubscribe-all$", "who said no is asked": "POST .*/unsubscribe-all/read",
    },
}  # fmt: skip
"""What a call is for -> method and path, as `Faults` take them."""


@dataclass
class AtTool:
    """`kind` is a key of `TOOLS`; the account at the tool was released by a person."""

    company: Company
    tool: Fake
    kind: str

    def deliver(self, folder: Path | None = None) -> Delivered:
        """Bring a plan to the tool: one of what there is now, if it is not given."""
        return delivery.deliver(self.company.settings, "tool", folder or self.company.plan(), "run 1")

    def on(self) -> dict[str, set[str]]:
        """List -> the addresses that are on it at the tool, of all lists of ours."""
        names = self.tool.tags if self.kind == "mailchimp" else [one["name"] for one in self.tool.lists.values()]
        on = {name.removeprefix("crm:"): self.tool.on(name) for name in names if name.startswith("crm:")}
        return {name: who for name, who in on.items() if who}

    def call(self, what: str) -> str:
        """Method and path of a call at this tool, see `CALLS`."""
        return CALLS[self.kind][what]

    def knows(self, names: str) -> None:
        """These are known there already, on no list."""
        for address in sorted(at(names)):
            (self.tool.add_member if self.kind == "mailchimp" else self.tool.add_contact)(address)

    def set(self, **own) -> None:
        """Change the destination's settings."""
        spec = self.company.settings.destinations["tool"].model_copy(update=own)
        self.company.settings = self.company.settings.model_copy(update={"destinations": {"tool": spec}})

    def allow(self, **limits) -> None:
        """Change `rules.activation`."""
        rules = self.company.settings.rules
        rules = rules.model_copy(update={"activation": rules.activation.model_copy(update=limits)})
        self.company.settings = self.company.settings.model_copy(update={"rules": rules})

    def rejected(self) -> dict[str, set[str]]:
        """What the ledger says of rows that were not taken or not sent: address -> words."""
        found: dict[str, set[str]] = {}
        with ledger.opened(self.company.settings) as book:
            for row in book.rejected("tool"):
                found.setdefault(self.company.people.get(row["key"], row["key"]), set()).add(row["words"])
        return found

    def position(self) -> int:
        """How many chunks the ledger has acknowledged."""
        with ledger.opened(self.company.settings) as book:
            return book.destination("tool")["position"]

    def last(self) -> dict:
        """What the ledger says of the last delivery."""
        with ledger.opened(self.company.settings) as book:
            return book.deliveries("tool", limit=1)[0]


def at(names: str) -> set[str]:
    return {f"{name}@shop-mail.com" for name in names}
