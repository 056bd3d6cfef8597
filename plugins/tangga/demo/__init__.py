"""The demo company: a shop in Jakarta that sells coffee, batik and things for the home, and never existed.

`write_inbox` writes what its five systems would export at the end of a day: shop, web tracker, mailer,
survey tool and helpdesk, in their own formats and with a little of the dirt of real files. What each
person is meant to be is written beside it, for tests that ask whether the pipeline finds out.

At scale 1 about 6.7 people register a day, 5,000 in the first 750 days. By then each has placed 2.9
orders, made 27 events and caused 25 entries in the mailer's log on average, most of them by the few
who stay. Scale multiplies the people and leaves their habits as they are: 200 gives a million contacts
after 750 days. A scale of 1 takes two seconds, one of 20 a quarter of a minute of one processor.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from tangga.settings import Demo

OWN_FILES = {
    "shop": (
        "contacts.csv", "referrals.csv", "refunds.csv", "discount_campaigns.csv", "orders_*.csv.gz",
        "order_lines_*.parquet",
    ),
    "web": ("events_*.jsonl.gz",),
    "mailer": ("consents.csv", "messages_*.jsonl"),
    "survey": ("responses.csv",),
    "helpdesk": ("tickets.tsv", "business_hours.csv"),
}  # fmt: skip


def write_inbox(inbox: Path, truth: Path, day: date, demo: Demo) -> dict[str, int]:
    """Write what the demo company's systems export at the end of `day`.

    `inbox` gets a folder for each system, `truth` (which must lie outside it) rungs.csv. The same
    seed, scale, start and day give the same bytes; what one day's files say happened, the next day's
    say too, and a month that is over keeps its files but for the states of its last orders. A month
    has its files once there is something in them. Files of later days, left by an earlier call, are
    removed. Gives the rows written of each entity, dirt included.

    Raises ValueError when `day` is before `demo.start` or `truth` lies inside `inbox`.
    """
    # Imported here, so that whoever only needs to know that there is a demo does not load Arrow.
    from tangga.demo import contacts, feedback, mailer, sales_files, web
    from tangga.demo import truth as hidden
    from tangga.demo.people import build_people
    from tangga.demo.referrals import build_referrals
    from tangga.demo.shopping import build_orders
    from tangga.demo.world import World

    inbox, truth = Path(inbox), Path(truth)
    if truth.resolve().is_relative_to(inbox.resolve()):
        raise ValueError(f"the truth folder {truth} lies inside the inbox {inbox}: put it elsewhere")
    world = World(day, demo)
    people = build_people(world)
    orders = build_orders(world, people)
    tickets = feedback.build_tickets(world, people, orders)
    referrals = build_referrals(world, people)
    mailings = mailer.plan_mailings(world, people)
    _remove_later_months(inbox, [month.label for month in world.months])

    shop = inbox / "shop"
    rows = {
        "contacts": contacts.write_contacts(shop, world, people),
        "consents": mailer.write_consents(inbox / "mailer", world, people, mailings),
        "referrals": contacts.write_referrals(shop, world, referrals),
        **sales_files.write_sales(shop, world, people, orders),
        "refunds": sales_files.write_refunds(shop, world, people, orders),
        "events": web.write_events(inbox / "web", world, people, orders),
        "messages": mailer.write_messages(inbox / "mailer", world, people, mailings),
        "survey_responses": feedback.write_responses(inbox / "survey", world, people, orders),
        "tickets": feedback.write_tickets(inbox / "helpdesk", world, people, tickets),
    }
    sales_files.write_campaigns(shop, world)
    feedback.write_business_hours(inbox / "helpdesk", world)
    hidden.write_truth(truth, world, people, orders, tickets, referrals)
    return rows


def _remove_later_months(inbox: Path, labels: list[str]) -> None:
    """Remove the demo's own monthly files that are not of `labels`, and what a killed call left."""
    from tangga.demo.writing import TEMPORARY

    for system, patterns in OWN_FILES.items():
        for pattern in patterns:
            for path in (inbox / system).glob(pattern + TEMPORARY):
                path.unlink()
            if "*" in pattern:
                for path in (inbox / system).glob(pattern):
                    if not any(f"_{label}." in path.name for label in labels):
                        path.unlink()
