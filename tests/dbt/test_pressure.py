"""Who is written to, day after day, over random histories: the models against the rules in plain Python, and against
what may never happen: too many messages, one to who is held out, a step twice, skipped or after the exit."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.dbt.harness import AS_OF, Compiled

MODELS = ("int_sends", "fct_sends", "customer_pressure", "audience_entries", "audience_turns", "audience_contest",
          "audience_outcomes")  # fmt: skip
NOT_QUIET = "(false\n    or false)"
ZONES = {"ID": "Asia/Jakarta", "US": "America/New_York", "NZ": "Pacific/Auckland", None: "Asia/Jakarta"}
CAPS = {"email": 3, "sms": 1}
BELOW = "66666666"  # two in five are held out
CAMPAIGNS = {"a": (10, 2), "b": (10, 4), "c": (5, 0)}
"""Audience -> priority, days of cooldown."""
STEPS = {
    "a": [(1, 0, "email", "ordered"), (2, 1, "email", "ordered"), (3, 3, "email", "never")],
    "b": [(1, 0, "email", "never")],
    "c": [(1, 0, "email", "ordered"), (2, 2, "sms", "ordered")],
}
"""Audience -> number, day, channel and exit of each step."""


@dataclass(frozen=True)
class Today:
    """What a customer does, and what is known of them, on a day: the key of each audience they belong to, how often the
    tool wrote to them by itself, and when (hours UTC)."""

    keys: tuple[str | None, str | None, str | None, str | None] = (None, None, None, None)
    email: bool = True
    sms: bool = True
    ordered: bool = False
    written_at: tuple[int, ...] = ()


@dataclass(frozen=True)
class Life:
    """A customer's days. `is_reported`: the tool tells what it has sent (of two who may become one the first decides: a
    message that is not reported, on a day on which others are, is taken for one of them). `merged_on`: number of the
    day on which the customer turns out to be the one before."""

    days: tuple[Today, ...]
    country: str | None = "ID"
    is_reported: bool = True
    merged_on: int | None = None


@dataclass(frozen=True)
class Send:
    day: date
    customer: str
    audience: str
    key: str
    step: int
    channel: str
    group: str

    @property
    def at(self) -> datetime:
        return datetime(self.day.year, self.day.month, self.day.day, 2) + timedelta(days=1)


@dataclass
class World:
    """What has happened so far; ids are those of the day on which it did."""

    lives: list[Life]
    sends: list[Send] = field(default_factory=list)

    def id_of(self, number: int, day: int) -> str:
        """The id of a customer on a day: that of the one before, from the day of the merge on."""
        merged = self.lives[number].merged_on
        return f"p{number - 1}" if number % 2 and merged is not None and merged <= day else f"p{number}"

    def today(self, customer: str, day: int) -> Today:
        return self.lives[int(customer[1:])].days[day]

    def is_reported(self, number: int) -> bool:
        return self.lives[number - number % 2].is_reported

    def ids(self, day: int) -> dict[str, list[int]]:
        """Customer -> who they are."""
        found: dict[str, list[int]] = {}
        for number in range(len(self.lives)):
            found.setdefault(self.id_of(number, day), []).append(number)
        return found

    def written(self, who: list[int], day: int) -> list[datetime]:
        """When the tool has written to somebody by itself, as far as is known on a day."""
        return [
            datetime(DAYS[d].year, DAYS[d].month, DAYS[d].day, hour)
            for number in who
            if self.is_reported(number)
            for d in range(day + 1)
            for hour in self.lives[number].days[d].written_at
        ]

    def before(self, who: list[int], day: int) -> list[Send]:
        names = {f"p{number}" for number in who}
        return [send for send in self.sends if send.customer in names and send.day < DAYS[day]]


DAYS = [AS_OF + timedelta(days=number) for number in range(12)]
"""The days that a history may have."""


def local(instant: datetime, country: str | None) -> date:
    return instant.replace(tzinfo=ZoneInfo("UTC")).astimezone(ZoneInfo(ZONES[country])).date()


def is_drawn(audience: str, customer: str) -> bool:
    return hashlib.sha256(f"{audience}::{customer}".encode()).hexdigest()[:8] < BELOW


def pressure(world: World, customer: str, who: list[int], day: int, channel: str) -> int:
    """Messages of the last seven days of the customer, of which the last is the one on which today's are sent."""
    country = world.lives[int(customer[1:])].country
    last = local(Send(DAYS[day], "", "", "", 0, "", "").at, country)
    handed = Counter(
        local(send.at, country) for send in world.before(who, day) if send.group == "member" and send.channel == channel
    )
    reported = Counter(local(instant, country) for instant in world.written(who, day) if channel == "email")
    reported += Counter(
        local(send.at, country)
        for send in world.before(who, day)
        if send.group == "member" and send.channel == channel
        and world.is_reported(int(send.customer[1:]))
    )  # fmt: skip
    return sum(max(handed[d], reported[d]) for d in {*handed, *reported} if timedelta(0) <= last - d < timedelta(7))


def expected(world: World, day: int, is_quiet: bool) -> tuple[dict, dict, dict]:
    """Members, exclusions and messages of a day, one customer at a time, as docs/decisions/0022 has the rules."""
    members, exclusions, messages = {}, {}, {}
    for customer, who in world.ids(day).items():
        today, sent = world.today(customer, day), world.before(who, day)
        may = {"email": today.email, "sms": today.sms}
        ordered = [DAYS[d] for n in who for d in range(day + 1) if world.lives[n].days[d].ordered]
        turns = []
        for audience, key in zip("abc", today.keys, strict=False):
            if key is None:
                continue
            own = [send for send in sent if (send.audience, send.key) == (audience, key)]
            others = [send.day for send in sent if send.audience == audience and send.key != key]
            entered = min((send.day for send in own), default=None)
            steps = [step for step in STEPS[audience] if step[0] > max((send.step for send in own), default=0)]
            number, after, channel, leaves = steps[0] if steps else (None, 0, "", "never")
            turns.append({
                "audience": audience, "key": key, "entered": entered, "step": number, "channel": channel,
                "held": is_drawn(audience, customer) or any(send.group == "holdout" for send in own),
                "left": leaves == "ordered" and entered is not None and any(o > entered for o in ordered),
                "cooling": entered is None and bool(others)
                and (DAYS[day] - max(others)).days < CAMPAIGNS[audience][1],
                "due": number is not None and (entered is None or (DAYS[day] - entered).days >= after),
            })  # fmt: skip
        able = [turn for turn in turns if turn["due"] and may["email"] and may[turn["channel"]]]
        running = [turn for turn in able if not turn["left"] and not turn["cooling"]]
        for turn in turns:
            order = (CAMPAIGNS[turn["audience"]][0], turn["audience"])
            rivals = [t for t in running if t["channel"] == turn["channel"] and not t["held"]]
            best = min(rivals, key=lambda t: (CAMPAIGNS[t["audience"]][0], t["audience"]), default=None)
            waits, by = None, None
            if turn["due"] and not may[turn["channel"]]:
                waits = "no consent"
            elif turn in running:
                if is_quiet:
                    waits = "quiet day"
                elif pressure(world, customer, who, day, turn["channel"]) >= CAPS[turn["channel"]]:
                    waits = "capped"
                elif best and (CAMPAIGNS[best["audience"]][0], best["audience"]) < order:
                    waits, by = "outranked", best["audience"]
            goes = turn in running and waits is None
            name, step = (turn["audience"], customer), turn["step"] if turn["due"] else None
            if goes:
                group = "holdout" if turn["held"] else "member"
                messages[name] = (turn["key"], turn["step"], turn["channel"], group)
            reasons = [("no consent", not may["email"]), ("has ordered since", turn["left"]),
                       ("held out", turn["held"]), ("cooling down", turn["cooling"]),
                       (waits, turn["entered"] is None and waits is not None)]  # fmt: skip
            reason = next((reason for reason, holds in reasons if holds), None)
            if reason:
                exclusions[name] = (reason, by if reason == "outranked" else None)
            else:
                members[name] = (turn["key"], turn["entered"] or DAYS[day], step, goes, waits)
        if today.keys[3] and today.email:
            members["list", customer] = (today.keys[3], None, None, False, None)
        elif today.keys[3]:
            exclusions["list", customer] = ("no consent", None)
    return members, exclusions, messages


def build(models: Compiled, world: World, day: int, is_quiet: bool) -> tuple[dict, dict, dict]:
    """The same, by the models."""
    ids = world.ids(day)
    of = {f"p{number}": customer for customer, who in ids.items() for number in who}
    models.fill("dim_customers", [{"customer_id": c, "country": world.lives[int(c[1:])].country} for c in ids])
    models.fill("int_customer_ids", [
        {"customer_id": i, "into_customer_id": None if i == c else c} for i, c in of.items()
    ])  # fmt: skip
    models.fill("audience_candidates", [
        {"audience": audience, "channel": "email", "customer_id": c, "why": "so", "entry_key": key}
        for c in ids
        for audience, key in zip(("a", "b", "c", "list"), world.today(c, day).keys, strict=True)
        if key
    ])  # fmt: skip
    models.fill("customer_contactability", [
        {"customer_id": c, "channel": channel, "is_contactable": may, "reason": None if may else "no consent"}
        for c in ids
        for channel, may in (("email", world.today(c, day).email), ("sms", world.today(c, day).sms))
    ])  # fmt: skip
    models.fill("fct_orders", [
        {"customer_id": c, "order_id": f"o{number}-{d}", "order_date": DAYS[d]}
        for c, who in ids.items()
        for number in who
        for d in range(day + 1)
        if world.lives[number].days[d].ordered
    ])  # fmt: skip
    before = [send for send in world.sends if send.day < DAYS[day]]
    reported = [("email", c, at) for c, who in ids.items() for at in world.written(who, day)]
    reported += [
        (send.channel, of[send.customer], send.at)
        for send in before
        if send.group == "member" and world.is_reported(int(send.customer[1:]))
    ]
    models.fill("fct_messages", [
        {"source": "tool", "message_id": str(number), "customer_id": c, "channel": channel, "event": "sent",
         "occurred_at": at, "message_date": (at + timedelta(hours=7)).date()}
        for number, (channel, c, at) in enumerate(reported)
    ])  # fmt: skip
    names = ("as_of_date", "customer_id", "audience", "entry_key", "step", "channel", "test_group")
    models.fill("registry.sends", [
        dict(zip(names, (s.day, s.customer, s.audience, s.key, s.step, s.channel, s.group), strict=True))
        for s in before
    ])  # fmt: skip
    for model in MODELS:
        models.put(model, DAYS[day], {NOT_QUIET: "true"} if is_quiet and model == "audience_contest" else {})
    found = {name: models.run(name, DAYS[day]) for name in ("audience_members", "audience_exclusions", "audience_due")}
    assert {name: len({(r["audience"], r["customer_id"]) for r in rows}) for name, rows in found.items()} == {
        name: len(rows) for name, rows in found.items()
    }

    def by_name(name: str, *columns: str) -> dict:
        return {(row["audience"], row["customer_id"]): tuple(row[c] for c in columns) for row in found[name]}

    return (
        by_name("audience_members", "entry_key", "entered_on", "step", "is_due", "postponed_why"),
        by_name("audience_exclusions", "reason", "outranked_by"),
        by_name("audience_due", "entry_key", "step", "channel", "test_group"),
    )


def check(world: World, day: int, found: tuple[dict, dict, dict], is_quiet: bool) -> None:
    """What may never happen, whatever the rules are taken to say."""
    members, exclusions, messages = found
    ids = world.ids(day)
    candidates = {
        (audience, customer)
        for customer in ids
        for audience, key in zip(("a", "b", "c", "list"), world.today(customer, day).keys, strict=True)
        if key
    }
    assert {*members} | {*exclusions} == candidates
    assert {*members} & {*exclusions} == set()
    sent = {name: message for name, message in messages.items() if message[3] == "member"}
    assert {*sent} == {name for name, member in members.items() if member[3]}
    assert not (sent and is_quiet)
    assert all(world.today(customer, day).email for _, customer in members)
    assert [name for name in members if name[0] != "list" and is_drawn(*name)] == []
    channels = Counter((customer, channel) for (_, customer), (_, _, channel, _) in sent.items())
    assert all(count == 1 for count in channels.values())
    for (audience, customer), (key, step, channel, _) in messages.items():
        today, who = world.today(customer, day), ids[customer]
        assert today.email if channel == "email" else today.sms
        entry = [s for s in world.before(who, day) if (s.audience, s.key) == (audience, key)]
        assert step == max((s.step for s in entry), default=0) + 1, "a step twice, or skipped"
        number, after, _, leaves = STEPS[audience][step - 1]
        if entry:
            entered = min(s.day for s in entry)
            assert (DAYS[day] - entered).days >= after
            orders = [DAYS[d] for n in who for d in range(day + 1) if world.lives[n].days[d].ordered]
            assert leaves == "never" or not any(order > entered for order in orders), "after the exit"
        country = world.lives[int(customer[1:])].country
        last = local(Send(DAYS[day], "", "", "", 0, "", "").at, country)
        received = [s.at for s in world.before(who, day) if s.group == "member" and s.channel == channel]
        received += world.written(who, day) if channel == "email" else []
        days = [last - local(at, country) for at in received]
        assert sum(timedelta(0) <= ago < timedelta(7) for ago in days) < CAPS[channel], "over the cap"


def live(models: Compiled, lives: list[Life], delivered: list[bool], quiet: list[bool]) -> World:
    """Day after day; what is due is handed out on the days that are delivered. A replay gives what the day gave."""
    world, results = World(lives), []
    for day, (is_delivered, is_quiet) in enumerate(zip(delivered, quiet, strict=True)):
        found = build(models, world, day, is_quiet)
        check(world, day, found, is_quiet)
        assert found == expected(world, day, is_quiet)
        results.append(found)
        if is_delivered:
            world.sends += [
                Send(DAYS[day], customer, audience, key, step, channel, group)
                for (audience, customer), (key, step, channel, group) in found[2].items()
            ]
    middle = len(delivered) // 2
    assert build(models, world, middle, quiet[middle]) == results[middle]
    return world


@pytest.fixture(scope="module")
def models(compiled: Compiled):
    """The models with the campaigns of this test; empty again afterwards."""
    compiled.con.execute("begin")
    assert NOT_QUIET in compiled.sql("audience_contest")
    names = ("audience", "priority", "cooldown_days", "holdout_salt", "holdout_below")
    compiled.fill("audience_campaigns", [
        dict(zip(names, (audience, *rest, "", BELOW), strict=True)) for audience, rest in CAMPAIGNS.items()
    ])  # fmt: skip
    names = ("audience", "step", "step_before", "days_after", "channel", "leaves_when")
    compiled.fill("audience_steps", [
        dict(zip(names, (audience, number, number - 1, after, channel, leaves), strict=True))
        for audience, steps in STEPS.items()
        for number, after, channel, leaves in steps
    ])  # fmt: skip
    yield compiled
    compiled.con.execute("rollback")


KEYS = st.sampled_from([None, "k", "k", "l"])
TODAY = st.builds(
    Today,
    st.tuples(KEYS, KEYS, KEYS, st.sampled_from([None, "k"])),
    st.sampled_from([True, True, True, False]),
    st.sampled_from([True, True, False]),
    st.sampled_from([False, False, False, True]),
    st.sampled_from([(), (), (), (3,), (3, 16)]),
)
LENGTH = 7


def lives(length: int) -> st.SearchStrategy[Life]:
    return st.builds(
        Life,
        st.lists(TODAY, min_size=length, max_size=length).map(tuple),
        st.sampled_from(sorted(ZONES, key=str)),
        st.booleans(),
        st.sampled_from([None, None, length // 2]),
    )


BELONGS = Today(("k", "k", "k", "k"))
ALL_DAYS = [True] * LENGTH


@hypothesis_settings(deadline=None, max_examples=20)
@given(
    st.lists(lives(LENGTH), min_size=1, max_size=12),
    st.lists(st.sampled_from([True, True, True, False]), min_size=LENGTH, max_size=LENGTH),
    st.lists(st.sampled_from([False, False, False, False, True]), min_size=LENGTH, max_size=LENGTH),
)
@example([Life((BELONGS,) * LENGTH, merged_on=3)] * 12, ALL_DAYS, [False] * LENGTH)
@example([Life((BELONGS,) * LENGTH)] * 12, [True, False, False, True, True, False, True], [False] * LENGTH)
def test_restraint_over_random_histories(models, people, delivered, quiet):
    live(models, people, delivered, quiet)


def test_a_drip_goes_on_late_but_whole(models):
    """The steps of a are of days 0, 1 and 3; lists went out on days 0, 4 and 5 only."""
    number = next(number for number in range(0, 20, 2) if not is_drawn("a", f"p{number}"))
    nobody, member = Life((Today(),) * LENGTH), Life((Today(("k", None, None, None)),) * LENGTH)
    delivered = [day in (0, 4, 5) for day in range(LENGTH)]
    world = live(models, [*[nobody] * number, member], delivered, [False] * LENGTH)
    assert [(DAYS.index(send.day), send.step) for send in world.sends] == [(0, 1), (4, 2), (5, 3)]


class TestHoldouts:
    """Of 100,000 customers."""

    SHARES = {"a": "0ccccccc", "b": "19999999", "c": "80000000"}
    EXPECTED = {"a": 0.05, "b": 0.1, "c": 0.5}

    @pytest.fixture(scope="class")
    def held_out(self, models):
        def draw(customers: int, salt: str = "") -> dict[str, set[str]]:
            models.fill("audience_campaigns", [
                {"audience": audience, "priority": 1, "cooldown_days": 0, "holdout_salt": salt, "holdout_below": below}
                for audience, below in self.SHARES.items()
            ])  # fmt: skip
            models.fill("registry.sends", [])
            for model in ("int_sends", "fct_sends", "audience_entries"):
                models.put(model)
            models.con.execute("delete from working.audiences.audience_candidates")
            models.con.execute(
                "insert into working.audiences.audience_candidates (audience, channel, customer_id, why, entry_key) "
                f"select audience, 'email', 'c' || substr(sha256(n::text), 1, 16), 'so', 'k' from range({customers}) "
                "as t(n) cross join (values ('a'), ('b'), ('c')) as audiences(audience)"
            )
            sql = models.sql("audience_turns")
            drawn = models.con.execute(f"select audience, customer_id from ({sql}) where is_held_out").fetchall()
            return {each: {c for audience, c in drawn if audience == each} for each in self.SHARES}

        return draw

    def test_the_share_holds_and_one_audience_says_nothing_of_another(self, held_out):
        drawn = held_out(100_000)
        shares = {audience: len(customers) / 100_000 for audience, customers in drawn.items()}
        assert shares == pytest.approx(self.EXPECTED, abs=0.005)
        for one, other in (("a", "b"), ("a", "c"), ("b", "c")):
            both = len(drawn[one] & drawn[other]) / 100_000
            assert both == pytest.approx(self.EXPECTED[one] * self.EXPECTED[other], abs=0.005)
        assert held_out(100_000) == drawn
        salted = held_out(100_000, "another")
        assert len(salted["c"] & drawn["c"]) / 100_000 == pytest.approx(0.25, abs=0.005)

    def test_nobody_changes_sides_when_the_audience_grows(self, held_out):
        few, many = held_out(10_000), held_out(20_000)
        for audience in self.SHARES:
            assert few[audience] < many[audience]
            assert len(many[audience] - few[audience]) / 10_000 == pytest.approx(self.EXPECTED[audience], abs=0.02)
