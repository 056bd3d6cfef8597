"""survey/responses.csv and helpdesk/tickets.tsv: what people say when asked, and when not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tangga.demo import names
from tangga.demo.archetypes import among, habit
from tangga.demo.contacts import clean_emails, contact_id
from tangga.demo.dirt import Blemish, changing, extra_field, prefixed, setting, write_lines, years_ahead
from tangga.demo.people import People
from tangga.demo.sales_files import order_id
from tangga.demo.shopping import PURCHASE, Orders
from tangga.demo.world import DAY, World
from tangga.demo.writing import csv_lines, joined, local_time, numbers, only_where, words

NPS, CSAT, CES = range(3)
QUESTION, REQUEST, COMPLAINT = range(3)
REGULAR_STEP = 3  # the purchase, counted from 0, that makes somebody a regular
_SURVEYED_SHARE = 0.25
_NEVER = np.iinfo(np.int64).max
_NPS_OUT_OF_RANGE = {"11": 0.004, "-1": 0.004}
_RESPONSE_BLEMISHES = (
    *(
        Blemish(
            f"survey.score_{score}", share,
            lambda table, score=score: changing(no=prefixed(f"K{score}-"))(
                setting(score=score, type="NPS", answered="2025-06-01 12:00:00", sent="2025-05-30 12:00:00")(table)
            ),
        )
        for score, share in _NPS_OUT_OF_RANGE.items()
    ),
    Blemish("survey.repeated", 0.003),
    Blemish("survey.extra_field", 0.002, spoil=extra_field(";")),
)  # fmt: skip
_TICKET_BLEMISHES = (
    Blemish("tickets.no_id", 0.003, setting(ticket="")),
    Blemish("tickets.extra_field", 0.003, spoil=extra_field("\t")),
    Blemish("tickets.repeated", 0.004),
    Blemish("tickets.future", 0.002, changing(ticket=prefixed("X"), opened=years_ahead)),
)


@dataclass(frozen=True)
class Tickets:
    """One element a ticket; times in local seconds, far in the future for what never happens."""

    order: np.ndarray
    number: np.ndarray
    person: np.ndarray
    kind: np.ndarray
    opened: np.ndarray
    replied: np.ndarray
    resolved: np.ndarray


def write_responses(folder: Path, world: World, people: People, orders: Orders) -> int:
    """Write responses.csv, by when a survey was sent; gives the number of rows.

    Loyal people and advocates are asked at their fourth purchase and every third from there on, and
    always answer; of the others some are asked, and some of those answer.
    """
    draws = world.draws
    archetype = people.archetype[orders.person]
    keen = among(archetype, "loyal", "advocate") & (orders.step >= REGULAR_STEP) & (orders.step % 3 == 0)
    asked = (orders.kind == PURCHASE) & (keen | draws.chance("survey.asked", _SURVEYED_SHARE, orders.number))
    sent = orders.time + 5 * DAY
    asked &= sent < world.cutoff
    orders, archetype, keen, sent = orders.where(asked), archetype[asked], keen[asked], sent[asked]

    number = orders.number
    answered_at = sent + draws.integers("survey.wait", 600, 4 * DAY, number)
    answered = keen | draws.chance("survey.answered", habit("answers", archetype), number)
    answered &= answered_at < world.cutoff
    kind = draws.choose("survey.kind", [55, 30, 15], number)
    kind = np.where(keen & (kind == CES), NPS, kind)
    nps = habit("nps", archetype)
    likes = draws.integers("survey.likes", nps[:, 0], nps[:, 1], number)
    score = np.select([kind == NPS, kind == CSAT], [likes, 1 + np.round(likes * 0.4)], 1 + np.round(likes * 0.6))
    by_email = people.is_mailable[orders.person] & draws.chance("survey.by_email", 0.5, number)

    touchpoint = np.select([kind == CES], [2], draws.choose("survey.touchpoint", [60, 40], number))
    no = order_id(world, number)
    table = {
        "no": joined("S-", no),
        "email": only_where(by_email, clean_emails(people, orders.person)),
        "user": only_where(~by_email, contact_id(orders.person)),
        "survey": words(["nps_belanja", "csat_pesanan", "ces_layanan"], kind),
        "type": words(["NPS", "CSAT", "CES"], kind),
        "sent": local_time(sent),
        "answered": only_where(answered, local_time(np.where(answered, answered_at, 0))),
        "score": only_where(answered, numbers(score)),
        "comment": only_where(
            answered & draws.chance("survey.comments", 0.4, number), _comments(world, likes, number)
        ),
        "touchpoint": words(["pembelian", "pengiriman", "layanan"], touchpoint),
        "order_no": no,
    }  # fmt: skip
    by_time = np.lexsort((number, sent))
    table = {name: texts.take(pa.array(by_time)) for name, texts in table.items()}
    return write_lines(
        folder / "responses.csv", draws, table, number[by_time], csv_lines(";"), _RESPONSE_BLEMISHES,
        header=";".join(table),
    )  # fmt: skip


def _comments(world: World, likes: np.ndarray, number: np.ndarray) -> pa.Array:
    moods = [
        words(phrases, world.draws.integers(f"survey.says_{mood}", 0, len(phrases) - 1, number))
        for mood, phrases in enumerate((names.GRUMBLES, names.SHRUGS, names.PRAISE))
    ]
    mood = np.select([likes <= 6, likes <= 8], [0, 1], 2)
    return pc.choose(pa.array(mood), *moods)


def build_tickets(world: World, people: People, orders: Orders) -> Tickets:
    """Every ticket until the horizon: about some of the purchases, one for each at most."""
    draws, number = world.draws, orders.number
    archetype = people.archetype[orders.person]
    grudge = among(archetype, "grumbler") & (orders.step == REGULAR_STEP)
    complains = grudge | draws.chance("tickets.complains", habit("complains", archetype), number)
    # Who says nothing must not seem content for having asked something.
    asks = draws.chance("tickets.asks", 0.05, number) & ~among(archetype, "silent_regular", "lapsed_regular")
    has_ticket = (orders.kind == PURCHASE) & (complains | asks)
    rows = np.flatnonzero(has_ticket)
    number, archetype, person = number[rows], archetype[rows], orders.person[rows]
    kind = np.where(complains[rows], COMPLAINT, draws.choose("tickets.kind", [65, 35], number))
    # A grudge is spoken out at once: from the fourth purchase on it is there.
    days = np.where(grudge[rows], 0, draws.integers("tickets.days", 0, 9, number))
    opened = orders.time[rows] + days * DAY + draws.integers("tickets.opened", 600, 6_000, number)
    replied = opened + (60 * 10 ** draws.between("tickets.reply", 0.7, 3.4, number)).astype(np.int64)
    resolved = replied + (3_600 * 10 ** draws.between("tickets.resolve", -0.5, 2.2, number)).astype(np.int64)
    forgotten = (kind == COMPLAINT) & draws.chance("tickets.forgotten", 0.06, number)
    forgotten &= ~among(archetype, "loyal", "advocate")
    resolved = np.where(grudge[rows] | forgotten, _NEVER, resolved)
    return Tickets(rows, number, person, kind, opened, replied, resolved)


def has_open_complaint(world: World, people: People, tickets: Tickets) -> np.ndarray:
    """Per contact: whether a complaint of theirs waits at the end of the world's day."""
    waits = (tickets.kind == COMPLAINT) & (tickets.opened < world.cutoff) & (tickets.resolved >= world.cutoff)
    return np.bincount(tickets.person[waits], minlength=len(people)) > 0


def write_tickets(folder: Path, world: World, people: People, tickets: Tickets) -> int:
    """Write tickets.tsv in Windows-1252, by when they were opened; gives the number of rows."""
    draws = world.draws
    rows = np.flatnonzero(tickets.opened < world.cutoff)
    rows = rows[np.lexsort((tickets.number[rows], tickets.opened[rows]))]
    number, person, kind = tickets.number[rows], tickets.person[rows], tickets.kind[rows]
    archetype = people.archetype[person]
    by_email = people.is_mailable[person] & draws.chance("tickets.by_email", 0.35, number)
    topics = [
        words(subjects, draws.integers(f"tickets.topic_{name}", 0, len(subjects) - 1, number))
        for name, subjects in names.TOPICS.items()
    ]
    solved = tickets.resolved[rows] < world.cutoff
    rated = solved & draws.chance("tickets.rated", 0.45, number)
    low = np.select([among(archetype, "loyal", "advocate"), among(archetype, "detractor")], [4, 1], 2)
    high = np.where(among(archetype, "detractor"), 3, 5)
    reopened = np.where(solved & draws.chance("tickets.reopened", 0.08, number), 1, 0)
    table = {
        "ticket": joined("H-", order_id(world, number)),
        "customer": only_where(~by_email, contact_id(person)),
        "email": only_where(by_email, clean_emails(people, person)),
        "jenis": words(list(names.TOPICS), kind),
        "opened": local_time(tickets.opened[rows]),
        "via": words(["whatsapp", "email", "telepon", "instagram"], draws.choose("tickets.via", [5, 3, 1, 1], number)),
        "subject": pc.choose(pa.array(kind), *topics),
        "first_reply": _past_time(world, tickets.replied[rows]),
        "solved": _past_time(world, tickets.resolved[rows]),
        "reopened": numbers(reopened),
        "rating": only_where(rated, numbers(draws.integers("tickets.rating", low, high, number))),
    }
    return write_lines(
        folder / "tickets.tsv", draws, table, number, csv_lines("\t"), _TICKET_BLEMISHES,
        header="\t".join(table), encoding="windows-1252",
    )  # fmt: skip


def write_business_hours(folder: Path, world: World) -> int:
    """Write business_hours.csv: every day, and longer from Monday to Friday; gives the number of rows."""
    table = {
        "weekday": numbers(np.arange(1, 8)),
        "opens_at": words(["08:00", "09:00"], np.repeat([0, 1], [5, 2])),
        "closes_at": words(["21:00", "18:00"], np.repeat([0, 1], [5, 2])),
    }
    path = folder / "business_hours.csv"
    return write_lines(path, world.draws, table, np.arange(7), csv_lines(","), header=",".join(table))


def _past_time(world: World, seconds: np.ndarray) -> pa.Array:
    past = seconds < world.cutoff
    return only_where(past, local_time(np.where(past, seconds, 0)))
