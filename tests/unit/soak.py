"""One company through some bad days with its e-mail tool, drawn by a seed: the tool fails, deliveries are killed,
people say no in the middle of it, the company changes its lists. Then it is calm, and what should be can be compared
with what is.

The deliveries are processes of their own, which a timer of the operating system ends without warning.
"""

from __future__ import annotations

import multiprocessing
import random
import signal
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from tests.fakes.hubspot_writing import HubSpotPortal
from tests.fakes.mailchimp_writing import KEY, MailchimpAccount
from tests.unit.activation import Company

KINDS = ("429", "503", "500", "html", "drop", "cut", "truncated")
LISTS = ("winback", "birthday", "advocates")
FOREIGN = "crm"
"""The marketer's own tag: nearly our prefix."""

TOOLS = {
    "mailchimp": (MailchimpAccount, {"list": "a1b2c3d4e5", "requests_per_second": 100, "batch_from": 8}, KEY),
    "hubspot": (lambda: HubSpotPortal(requests=100_000), {"requests_per_10_seconds": 250}, "pat-eu1-fake"),
}


def spec(kind: str) -> dict:
    """The destination's block of `tangga.yml`."""
    return {"type": kind, "connection": "tool_api", "timeout_seconds": 5, "deadline_seconds": 20} | TOOLS[kind][1]


def deliver(company: Company, url: str, key: str, seconds: float | None) -> None:
    """Plan and deliver; a process that does so ends after `seconds` wherever it is. Exit code 1: it could not."""
    from tangga import http
    from tangga.activation import approval, delivery, plan, sending
    from tangga.destinations.destination import DestinationDown, DestinationRefused
    from tangga.destinations.mailchimp import batches
    from tangga.sources import connections

    http.BACKOFF, batches.POLLS = (0.0, 0.0), (0.0, 0.0)
    connections.resolve = lambda _: connections.Connection("tool_api", "http", host=url, password=key)
    plan.MEMBERS = "select * from published.members"
    plan.lint.refused = lambda _: {}
    signal.setitimer(signal.ITIMER_REAL, seconds or 0)
    try:
        delivery.settle(company.settings)
        folder = company.made()
        if asked := approval.question(company.settings, "tool", folder):
            approval.decide(company.settings, "tool", folder, asked, approved=True, by="dina")
        delivery.deliver(company.settings, "tool", folder, "run")
    except (plan.ActivationRefused, DestinationRefused, DestinationDown, sending.RowsRejected):
        raise SystemExit(1) from None


@dataclass
class Story:
    """What has happened. `tried`, `killed` and `failed` count deliveries, `joins` how often each person should have
    come onto each list by what the company wanted, day by day."""

    seed: int
    kind: str
    tried: int = 0
    killed: int = 0
    failed: int = 0
    faults: Counter = field(default_factory=Counter)
    joins: Counter = field(default_factory=Counter)
    refused: set[str] = field(default_factory=set)


class Soak:
    def __init__(self, company: Company, tool, kind: str, seed: int, suppressions: Path):
        self.draw = random.Random(seed)
        self.company, self.tool, self.suppressions = company, tool, suppressions
        self.story = Story(seed, kind)
        self._spawn = multiprocessing.get_context("forkserver")
        self._spawn.set_forkserver_preload([__name__, "tangga.activation.delivery"])
        self.by_hand: set[str] = set()
        self._wanted: dict[str, set[str]] = {name: set() for name in LISTS}

    def live(self, days: int = 3) -> Story:
        """All of it, to the calm at its end."""
        self._begin()
        for number in range(days):
            self._a_day(number)
        return self.story

    def wanted(self) -> dict[str, set[str]]:
        """List -> the addresses that should be on it at the tool: of who has not said no, there or to us."""
        return {
            name: {self.company.people[one] for one in who} - self.story.refused
            for name, who in self.company.lists.items()
        }

    def _begin(self) -> None:
        people = [f"p{number:02}" for number in range(24)]
        self.company.people = {one: f"{one}@shop-mail.com" for one in people}
        self.company.names = {one: one.upper() for one in people}
        known = self.draw.sample(people, 8)
        for one in known:
            add = self.tool.add_member if self.story.kind == "mailchimp" else self.tool.add_contact
            add(self.company.people[one])
        self.by_hand = {self.company.people[one] for one in known[:4]}
        put = self.tool.tag_by_hand if self.story.kind == "mailchimp" else self.tool.list_by_hand
        put(FOREIGN, *sorted(self.by_hand))
        for one in known[4:6]:
            self._leave(one)
        self.tool.automate(*(f"crm:{name}" for name in LISTS))

    def _a_day(self, number: int) -> None:
        self.company.day += timedelta(days=1)
        people = sorted(self.company.people)
        self.company.lists = {name: set(self.draw.sample(people, self.draw.randint(5, 18))) for name in LISTS}
        self.company.names |= {one: f"{one} {number}" for one in self.draw.sample(people, 5)}
        self.company.publish()
        for name, who in self.company.lists.items():
            addresses = {self.company.people[one] for one in who}
            self.story.joins.update((address, f"crm:{name}") for address in addresses - self._wanted[name])
            self._wanted[name] = addresses
        self.tool.faults.mixture(self.draw.randrange(1 << 30), self.draw.choice((0.0, 0.1, 0.4)), KINDS)
        who = self.draw.choice(people)
        self.tool.faults.when("", lambda: self._leave(who), after=self.draw.randint(0, 15))
        if self.draw.random() < 0.5:
            other = self.draw.choice(people)
            self.tool.faults.when("", lambda: self._suppress(other), after=self.draw.randint(0, 15))
        for _ in range(self.draw.randint(1, 5)):
            self._deliver(self.draw.choice((None, self.draw.uniform(0, 0.3), self.draw.uniform(0, 1.5))))
        self.story.faults.update(self.tool.faults.met)
        self.tool.faults.met.clear()
        self.tool.faults.calm()
        if self.story.kind == "mailchimp":
            self.tool.finish_batches()  # of a batch that nobody heard the name of, the tool makes an end by itself
        for _ in range(2):  # who says no after the plan was made comes off with the next one
            code = self._deliver(None)
            assert code == 0, f"seed {self.story.seed}: a calm delivery failed"

    def _deliver(self, seconds: float | None) -> int:
        arguments = (self.company, self.tool.url, TOOLS[self.story.kind][2], seconds)
        child = self._spawn.Process(target=deliver, args=arguments)
        child.start()
        child.join(120)
        assert child.exitcode is not None, f"seed {self.story.seed}: a delivery hangs"
        assert child.exitcode in (0, 1, -signal.SIGALRM), f"seed {self.story.seed}: exit code {child.exitcode}"
        self.story.tried += 1
        self.story.killed += child.exitcode == -signal.SIGALRM
        self.story.failed += child.exitcode == 1
        return child.exitcode

    def _leave(self, one: str) -> None:
        address = self.company.people[one]
        # At Mailchimp only who is subscribed can leave; who has left before has said no all the same.
        if self.story.kind == "hubspot" or (self.tool.member(address) or {}).get("status") == "subscribed":
            self.story.refused.add(address)
            self.tool.leaves(address)

    def _suppress(self, one: str) -> None:
        self.story.refused.add(self.company.people[one])
        with self.suppressions.open("a", encoding="utf-8") as file:
            file.write(f"{self.company.people[one]},email\n")
