"""Each `why` taken at its word: what a sentence says is looked up in the raw facts. One that is not known here is not
true."""

from __future__ import annotations

import re
from datetime import date, timedelta

from tests.reference.audiences import Company
from tests.reference.ladder import is_satisfied, sieve


def days(text: str) -> float:
    """The number of "1 day" or "12.5 days"."""
    number, word = text.split(" ")
    assert word == ("day" if number == "1" else "days"), text
    return float(number)


def ago(text: str) -> int:
    return 0 if text == "today" else int(days(text.removesuffix(" ago")))


def to_day(text: str) -> date:
    return date.fromisoformat(text)


GAP = r"([\d.]+ days?)"
AGO = r"(today|\d+ days? ago)"
DAY = r"(\d{4}-\d\d-\d\d)"


def signed_up(of: Company, c: str, day: str) -> bool:
    return of.signup(c) == to_day(day) > of.since(7) and not of.orders[c]


def agreed(of: Company, c: str, day: str) -> bool:
    return to_day(day) in of.grants(c) and to_day(day) > of.since(7) and not of.orders[c]


def left_a_cart(of: Company, c: str, day: str) -> bool:
    return to_day(day) in {of.day(touched) for _, touched in of.left_carts(c)}


def stays_away(of: Company, c: str, state: str, last: str, expected: str, usual: str, counted: str) -> bool:
    own = of.cadence[c]
    said = days(expected or counted or usual)
    return (
        own.is_churned == (state == "gone")
        and own.current_gap == ago(last) == (of.as_of - of.purchase_days[c][-1]).days
        and abs(float(own.usual_gap) - said) <= 0.05
        and (own.median_gap is None) == (usual is None)
        and (usual is None or abs(float(own.median_gap) - days(usual)) <= 0.05)
    )


def has_birthday(of: Company, c: str, number: str) -> bool:
    return of.days_to_birthday(c) == days(number)


def bought_once(of: Company, c: str, number: str) -> bool:
    return set(of.purchase_days[c]) == {of.as_of - timedelta(ago(number))}


def was_resolved(of: Company, c: str, day: str) -> bool:
    return to_day(day) in of.resolved(c) and not of.has_open_complaint(c)


def waits_since(of: Company, c: str, day: str) -> bool:
    return of.is_unanswered_detractor(c) and of.day(of.latest(c, "nps")[0]) == to_day(day)


def customers_brought(of: Company, c: str) -> int:
    return len({
        whom
        for day, whom in of.brought(c)
        if day > of.since(365) and whom != c and min(of.purchase_days.get(whom) or [date.min]) >= day
    })  # fmt: skip


def brought(of: Company, c: str, number: str) -> bool:
    return customers_brought(of, c) == int(number)


def promoted(of: Company, c: str, day: str) -> bool:
    at, score = of.latest(c, "nps")
    return of.day(at) == to_day(day) and score >= 9 and not of.asked(c, "advocates")


def bought_and_not_asked(of: Company, c: str, day: str, number: str) -> bool:
    asked = of.surveyed(c)
    return to_day(day) in of.purchase_days[c] and all(on <= of.since(int(number)) for on in asked)


def silent_since(of: Company, c: str, day: str) -> bool:
    return not any(on > to_day(day) for on in of.signs_of_life(c)) and to_day(day) <= of.since(180)


def answered(of: Company, c: str, score: str, day: str) -> bool:
    at, given = of.latest(c, "nps")
    return given == int(score) and of.day(at) == to_day(day)


def has_bought(of: Company, c: str) -> bool:
    return bool(of.purchase_days.get(c))


def engaged_lately(of: Company, c: str) -> bool:
    return any(day > of.since(90) for day in of.engaged(c))


def is_regular(of: Company, c: str, number: str) -> bool:
    own = of.cadence[c]
    return own.purchase_days == int(number) >= 4 and own.current_gap <= 2 * own.median_gap


def verdict(of: Company, c: str) -> str:
    return sieve(of.lives[c].purchases, [], of.campaigns, of.as_of).verdict


def keeps_buying(of: Company, c: str, number: str) -> bool:
    """What all on the upper rungs are said to do."""
    return is_regular(of, c, number) and verdict(of, c) == "passes"


def is_pleased(of: Company, c: str) -> bool:
    return is_satisfied(of.lives[c], of.as_of) and not of.has_open_complaint(c)


def is_away(of: Company, c: str, number: str, last: str, gap: str) -> bool:
    own = of.cadence[c]
    return (
        own.purchase_days == int(number) >= 4 and own.current_gap == ago(last)
        and own.current_gap > 2 * days(gap) and float(own.median_gap) == days(gap)
    )  # fmt: skip


TOP = r"bought on (\d+) days, keeps the rhythm and buys outside discount campaigns, too; "
RUNG = (
    (r"suspect: known, but does not agree to be written to and showed no interest in the last 90 days",
     lambda of, c: not of.has_opted_in(c) and not engaged_lately(of, c) and not has_bought(of, c)),
    (r"prospect: no purchase so far; agrees to be written to",
     lambda of, c: of.has_opted_in(c) and not has_bought(of, c)),
    (r"prospect: no purchase so far; showed interest in the last 90 days",
     lambda of, c: engaged_lately(of, c) and not has_bought(of, c)),
    (rf"first-time customer: bought on one day only, {AGO}",
     lambda of, c, last: set(of.purchase_days[c]) == {of.as_of - timedelta(ago(last))}),
    (r"repeat customer: bought on (\d+) days; a regular customer buys on 4 or more",
     lambda of, c, number: len(set(of.purchase_days[c])) == int(number) < 4),
    (rf"repeat customer: bought on (\d+) days; last {AGO}, more than 2 times the usual gap of {GAP}", is_away),
    (r"repeat customer: bought on (\d+) days; buys clearly less often outside discount campaigns",
     lambda of, c, number: is_regular(of, c, number) and verdict(of, c) == "fails"),
    (r"repeat customer: bought on (\d+) days; whether they buy without a discount cannot be told yet",
     lambda of, c, number: is_regular(of, c, number) and verdict(of, c) == "insufficient_evidence"),
    (rf"majority customer[:,] {TOP}a complaint is open",
     lambda of, c, number: keeps_buying(of, c, number) and of.has_open_complaint(c)),
    (rf"majority customer[:,] {TOP}not known to be satisfied",
     lambda of, c, number: keeps_buying(of, c, number) and not is_satisfied(of.lives[c], of.as_of)),
    (rf"loyal customer[:,] {TOP}satisfied",
     lambda of, c, number: keeps_buying(of, c, number) and is_pleased(of, c)),
    (rf"advocate[:,] {TOP}satisfied, and brought (\d+) customers? in the last 365 days",
     lambda of, c, number, people: keeps_buying(of, c, number) and is_pleased(of, c)
     and customers_brought(of, c) == int(people) > 0),
)  # fmt: skip
SENTENCES = {
    "welcome": (
        (rf"signed up on {DAY} and has not ordered yet", signed_up),
        (rf"agreed to be written to on {DAY} and has not ordered yet", agreed),
    ),
    "cart_abandonment": ((rf"left a cart on {DAY} and has not ordered since it was begun", left_a_cart),),
    "winback": ((
        rf"(gone|at risk): last bought {AGO}(?:; after a first purchase the next is expected within {GAP}"
        rf"| against a usual gap of {GAP}(?:, counted as {GAP})?)", stays_away,
    ),),
    "birthday": ((r"birthday in (\d+ days?)", has_birthday),),
    "second_purchase": ((r"bought on one day, (\d+ days ago)", bought_once),),
    "service_recovery": (
        (rf"a complaint was resolved on {DAY}", was_resolved),
        (rf"a detractor not answered since {DAY}", waits_since),
    ),
    "advocates": (
        (r"brought (\d+) within the year", brought),
        (rf"promoter on {DAY}, never asked", promoted),
    ),
    "full_price": RUNG,
    "feedback_request": ((rf"bought on {DAY}, not asked in the last (90) days", bought_and_not_asked),),
    "sunset": ((rf"no open, click, visit or order since {DAY}", silent_since),),
    "nps": ((rf"answered (\d+) on {DAY}", answered),),
    "rung": RUNG,
}  # fmt: skip


def is_true(of: Company, audience: str, customer: str, why: str) -> bool:
    """Whether the sentence that stands beside a customer in an audience is true."""
    name = "rung" if audience.startswith("rung_") else "nps" if audience.startswith("nps_") else audience
    for pattern, judge in SENTENCES[name]:
        found = re.fullmatch(pattern, why)
        if found:
            return judge(of, customer, *found.groups())
    return False
