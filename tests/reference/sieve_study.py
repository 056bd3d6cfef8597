"""The figures of docs/studies/discount-sieve.md, from a published build of the whole Complete Journey.

    .venv/bin/python examples/complete_journey/fetch.py
    make run CONFIG=examples/complete_journey/full.yml AS_OF=2018-01-01
    .venv/bin/python -m tests.reference.sieve_study examples/complete_journey/var

Every verdict is the reference's; the first thing that is done is to compare it with the one that was published.
"""

from __future__ import annotations

import csv
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from statistics import fmean, median

import duckdb
from scipy import stats

from tests.reference.ladder import Bought, Campaign, Sieve, sieve
from tests.reference.samples import REPOSITORY

CAMPAIGNS = REPOSITORY / "examples" / "complete_journey" / "data" / "discount_campaigns.csv"
AS_OF = date(2018, 1, 1)
CUT = date(2017, 9, 30)
"""What comes later is held out from the verdicts that are to foretell it."""
RATIOS = [Fraction(n, 10) for n in (5, 6, 7, 8, 9, 10, 12)]
SHUFFLES = 20


@dataclass(frozen=True)
class Shop:
    """Everybody's purchases and offers, as they were published."""

    purchases: Mapping[str, list[Bought]]
    offers: Mapping[str, list[tuple[date, str]]]
    campaigns: list[Campaign]
    published: Mapping[str, Sieve]
    rungs: Counter

    def verdicts(self, as_of: date, ratio: Fraction = Fraction(4, 5), fewest: int = 2) -> dict[str, Sieve]:
        """Of everybody who had bought by the day, from nothing that came later."""
        known = {who: [each for each in bought if each.day <= as_of] for who, bought in self.purchases.items()}
        return {
            who: sieve(
                bought,
                [offer for offer in self.offers.get(who, []) if offer[0] <= as_of],
                self.campaigns,
                as_of,
                ratio,
                fewest,
            )
            for who, bought in known.items()
            if bought
        }


def read(home: Path) -> Shop:
    """The published build of `home`. Raises `FileNotFoundError` when the campaigns were not fetched."""
    with CAMPAIGNS.open(encoding="utf-8", newline="") as handle:
        campaigns = [
            Campaign(row["campaign"], date.fromisoformat(row["starts_on"]), date.fromisoformat(row["ends_on"]), False)
            for row in csv.DictReader(handle)
        ]
    purchases, offers = defaultdict(list), defaultdict(list)
    with duckdb.connect(str((home / "published" / "crm.duckdb").resolve()), read_only=True) as crm:
        for who, day, net, discount, has_coupon in crm.sql(
            "select customer_id, order_date, cast(net_amount * 100 as bigint), cast(discount_amount * 100 as bigint), "
            "is_discounted and discount_amount = 0 from core.fct_orders where is_purchase order by order_id"
        ).fetchall():
            purchases[who].append(Bought(day, net, discount, has_coupon))
        for who, day, name in crm.sql(
            "select customer_id, message_date, campaign from core.fct_messages where event = 'sent'"
        ).fetchall():
            offers[who].append((day, name))
        published = {
            who: Sieve(*numbers)
            for who, *numbers in crm.sql(
                "select customer_id, sieve_verdict, days_on, days_off, orders_on, orders_off, full_price_orders "
                "from customer.customer_discount_sieve"
            ).fetchall()
        }
        rungs = Counter(name for (name,) in crm.sql("select rung_name from customer.customer_lifecycle").fetchall())
    return Shop(purchases, offers, campaigns, published, rungs)


def discounted_share(bought: Iterable[Bought]) -> float:
    return fmean(each.is_discounted for each in bought)


def relative_rate(found: Sieve) -> float | None:
    """How often they bought a day without offers, of how often with."""
    if not found.days_on or not found.days_off or not found.orders_on:
        return None
    return (found.orders_off / found.days_off) / (found.orders_on / found.days_on)


def by_chance(shop: Shop, verdicts: Mapping[str, Sieve]) -> float:
    """The share that would pass if offers did nothing: everybody's purchases, moved round within the days known."""
    rng = random.Random(7)  # noqa: S311
    passed = judged = 0
    for who, found in verdicts.items():
        if found.verdict == "insufficient_evidence":
            continue
        bought = shop.purchases[who]
        first = min(each.day for each in bought)
        span = (AS_OF - first).days + 1
        on = {first + timedelta(n) for n in range(span)} & exposed_days(shop, who)
        for _ in range(SHUFFLES):
            shift = rng.randrange(span)
            orders_on = sum(first + timedelta(((each.day - first).days + shift) % span) in on for each in bought)
            orders_off = len(bought) - orders_on
            judged += 1
            passed += found.full_price_orders >= 2 and (
                10 * orders_off * found.days_on >= 8 * orders_on * found.days_off
            )
    return passed / judged


def passes_strictly(shop: Shop, who: str, found: Sieve) -> bool:
    """Would they pass if a discounted purchase outside campaigns were no sign of buying without a discount?"""
    on = exposed_days(shop, who)
    off = sum(each.day not in on and not each.is_discounted for each in shop.purchases[who])
    return found.full_price_orders >= 2 and 10 * off * found.days_on >= 8 * found.orders_on * found.days_off


def exposed_days(shop: Shop, who: str) -> set[date]:
    window = {each.name: each for each in shop.campaigns}
    return {
        start + timedelta(n)
        for sent, name in shop.offers.get(who, [])
        if name in window
        for start in [max(sent, window[name].starts)]
        for n in range((window[name].ends - start).days + 1)
    }


def between(shop: Shop, who: str, after: date, until: date) -> list[Bought]:
    return [each for each in shop.purchases[who] if after < each.day <= until]


def held_out(shop: Shop) -> None:
    """What those who passed or failed by the cut did afterwards."""
    verdicts = shop.verdicts(CUT)
    groups = {
        verdict: [who for who, found in verdicts.items() if found.verdict == verdict] for verdict in ("passes", "fails")
    }
    weeks = (AS_OF - CUT).days / 7
    later_on = {who: exposed_days(shop, who) for who in verdicts}

    def later_rate(who: str) -> float | None:
        days = [CUT + timedelta(n) for n in range(1, (AS_OF - CUT).days + 1)]
        on = [day for day in days if day in later_on[who]]
        bought = between(shop, who, CUT, AS_OF)
        orders_on = sum(each.day in later_on[who] for each in bought)
        off = len(days) - len(on)
        return relative_rate(Sieve("", len(on), off, orders_on, len(bought) - orders_on, 0))

    measures: dict[str, Callable[[str], float | None]] = {
        "purchases a week until the cut": lambda who: (
            len(between(shop, who, date.min, CUT)) / ((CUT - shop.purchases[who][0].day).days + 1) * 7
            if shop.purchases[who]
            else None
        ),
        "purchases a week afterwards": lambda who: len(between(shop, who, CUT, AS_OF)) / weeks,
        "spent a week afterwards": lambda who: sum(e.net for e in between(shop, who, CUT, AS_OF)) / 100 / weeks,
        "share that bought nothing in the last 30 days": lambda who: float(
            not between(shop, who, AS_OF - timedelta(30), AS_OF)
        ),
        "share of purchases with a discount afterwards": lambda who: (
            discounted_share(later) if (later := between(shop, who, CUT, AS_OF)) else None
        ),
        "share whose relative rate afterwards is at least 0.8": lambda who: (
            None if (rate := later_rate(who)) is None else float(rate >= 0.8)
        ),
    }
    print(f"\nHeld out after {CUT}: {len(groups['passes'])} had passed, {len(groups['fails'])} had failed")
    for name, measure in measures.items():
        samples = [[value for who in groups[verdict] if (value := measure(who)) is not None] for verdict in groups]
        interval = stats.ttest_ind(*samples, equal_var=False).confidence_interval(0.95)
        print(
            f"  {name}: {fmean(samples[0]):.3f} against {fmean(samples[1]):.3f}, "
            f"difference {interval.low:+.3f} to {interval.high:+.3f} (n {len(samples[0])}, {len(samples[1])})"
        )
    rates = [
        (rate, later)
        for who, found in verdicts.items()
        if (rate := relative_rate(found)) is not None and (later := later_rate(who)) is not None
    ]
    correlation = stats.spearmanr(*zip(*rates, strict=True))
    print(f"  relative rates before and after: Spearman {correlation.statistic:.2f}, n {len(rates)}")


def main(home: Path) -> None:
    shop = read(home)
    verdicts = shop.verdicts(AS_OF)
    wrong = [who for who in shop.published if verdicts.get(who) != shop.published[who]]
    print(f"{len(verdicts)} customers; of the published rows {len(wrong)} differ from the reference")
    print("rungs:", dict(shop.rungs))
    judged = {who: found for who, found in verdicts.items() if found.verdict != "insufficient_evidence"}
    for verdict, count in Counter(found.verdict for found in verdicts.values()).most_common():
        who = [each for each, found in verdicts.items() if found.verdict == verdict]
        numbers = [verdicts[each] for each in who]
        print(
            f"  {verdict}: {count} ({count / len(verdicts):.1%}), median days on {median(n.days_on for n in numbers)}, "
            f"off {median(n.days_off for n in numbers)}, purchases {median(len(shop.purchases[w]) for w in who)}, "
            f"discounted {fmean(discounted_share(shop.purchases[w]) for w in who):.1%}, "
            f"too few at full price {sum(n.full_price_orders < 2 for n in numbers)}"
        )
    print(f"fewer than 30 days on: {sum(found.days_on < 30 for found in judged.values())} of {len(judged)} judged")
    print(f"median relative rate: {median(r for f in judged.values() if (r := relative_rate(f)) is not None):.2f}")
    print(f"would pass by chance: {by_chance(shop, verdicts):.1%}")
    print("\nShare that passes of those judged, by ratio")
    for ratio in RATIOS:
        found = Counter(each.verdict for each in shop.verdicts(AS_OF, ratio).values())
        print(f"  {float(ratio)}: {found['passes'] / (found['passes'] + found['fails']):.1%}")
    free = Counter(each.verdict for each in shop.verdicts(AS_OF, fewest=0).values())
    print(f"  0.8, without the two at full price: {free['passes'] / (free['passes'] + free['fails']):.1%}")
    strict = sum(passes_strictly(shop, who, found) for who, found in judged.items())
    print(f"  0.8, of purchases outside campaigns only those at full price: {strict / len(judged):.1%}")
    print("\nShare that passes of those judged, by quarter of the share of discounted purchases")
    ordered = sorted(judged, key=lambda who: (discounted_share(shop.purchases[who]), who))
    for quarter in range(4):
        members = ordered[quarter * len(ordered) // 4 : (quarter + 1) * len(ordered) // 4]
        low, high = (discounted_share(shop.purchases[members[end]]) for end in (0, -1))
        passing = sum(judged[who].verdict == "passes" for who in members)
        enough = sum(judged[who].full_price_orders >= 2 for who in members)
        print(
            f"  {low:.2f} to {high:.2f}: {passing / len(members):.1%} (two at full price: {enough / len(members):.1%})"
        )
    held_out(shop)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
