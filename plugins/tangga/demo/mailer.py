"""mailer/consents.csv and mailer/messages_*.jsonl: what people agreed to, and what became of each mail.

The mailer knows people by their address only. It sends a mail for each sale and a letter a month; a
mail that comes back is the last one, and so is one that is answered with "unsubscribe" or "spam".
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tangga.demo.archetypes import among, habit
from tangga.demo.contacts import clean_emails
from tangga.demo.dirt import Blemish, changing, cut_off, prefixed, setting, write_lines, years_ahead
from tangga.demo.people import People
from tangga.demo.world import DAY, Month, World
from tangga.demo.writing import csv_lines, joined, json_lines, numbers, utc_time, words

KINDS = ["sent", "delivered", "opened", "clicked", "bounced", "unsubscribed", "complained"]
SENT, DELIVERED, OPENED, CLICKED, BOUNCED, UNSUBSCRIBED, COMPLAINED = range(7)
_SKIPPED_SHARE = 0.35
_WELCOME = 0  # number of the welcome mail; campaigns count from 1
_LONGEST_REACTION = 3 * DAY
_CONSENT_CHANNELS = {"email": 1.0, "whatsapp": 0.45, "sms": 0.15}
_DENIED_SHARE = 0.1
_CONSENT_BLEMISHES = (
    Blemish("consents.repeated", 0.003),
    Blemish("consents.no_channel", 0.001, setting(channel="")),
    Blemish("consents.extra_field", 0.001, spoil=lambda lines: joined(lines, ",?")),
)
_MESSAGE_BLEMISHES = (
    Blemish("messages.broken", 0.0004, spoil=cut_off),
    Blemish("messages.unknown_event", 0.0004, setting(event="deferred")),
    Blemish("messages.repeated", 0.002),
    Blemish("messages.future", 0.0003, changing(msg=prefixed("x"), at=years_ahead)),
)


@dataclass(frozen=True)
class Mailings:
    """The campaigns, by time (local seconds), and what people did with the list.

    `left_with` and `bounced_with`: the campaign with which a person left or came back, by position;
    the number of campaigns for those who did neither.
    """

    time: np.ndarray
    names: list[str]
    joined_at: np.ndarray
    left_with: np.ndarray
    left_at: np.ndarray
    bounced_with: np.ndarray


def plan_mailings(world: World, people: People) -> Mailings:
    """All mailings until the world's horizon."""
    letters = [
        ((month.first + 5) * DAY + 10 * 3_600, f"kabar_{month.label.replace('-', '_')}") for month in world.months
    ]
    sales = [(sale.first * DAY + 8 * 3_600, f"promo_{sale.campaign}") for sale in world.sales]
    campaigns = sorted(each for each in letters + sales if world.start * DAY <= each[0] < world.horizon * DAY)
    time = np.array([each[0] for each in campaigns], dtype=np.int64)
    i = np.arange(len(people))
    joined_at = people.registered + world.draws.integers("mailer.joined", 60, 1_800, i)
    left_with = np.searchsorted(time, people.leaves_after)
    left_at = np.append(time, np.iinfo(np.int64).max // 2)[left_with]
    left_at = left_at + world.draws.integers("mailer.left", 1_200, 40_000, i)
    left_at = np.where(people.opted_in, left_at, np.iinfo(np.int64).max // 2)
    return Mailings(
        time, [each[1] for each in campaigns], joined_at, left_with, left_at,
        np.searchsorted(time, np.maximum(people.bounces_after, joined_at)),
    )  # fmt: skip


def write_consents(folder: Path, world: World, people: People, mailings: Mailings) -> int:
    """Write consents.csv, by time; gives the number of rows."""
    draws, i = world.draws, np.arange(len(people))
    parts = []
    # Whoever is to leave leaves altogether: they agreed to mail only.
    only_mail = among(people.archetype, "leaver")
    for channel, (name, share) in enumerate(_CONSENT_CHANNELS.items()):
        agreed = i[people.opted_in & draws.chance(f"mailer.agrees_{name}", share, i) & ((channel == 0) | ~only_mail)]
        parts.append((agreed, channel, 0, mailings.joined_at[agreed]))
    unsubscribed = i[people.opted_in & ~people.leaves_in_anger]
    parts.append((unsubscribed, 0, 1, mailings.left_at[unsubscribed]))
    denied = i[people.is_mailable & ~people.opted_in & draws.chance("mailer.denies", _DENIED_SHARE, i)]
    parts.append((denied, 0, 2, mailings.joined_at[denied]))
    person = np.concatenate([part[0] for part in parts])
    channel, status = (np.concatenate([np.full(len(part[0]), part[k]) for part in parts]) for k in (1, 2))
    time = np.concatenate([part[3] for part in parts])

    rows = np.flatnonzero(time < world.cutoff)
    rows = rows[np.lexsort((channel[rows], person[rows], time[rows]))]
    person, channel, status, time = person[rows], channel[rows], status[rows], time[rows]
    twice = draws.chance("mailer.double_opt_in", 0.6, person)
    table = {
        "address": clean_emails(people, person),
        "channel": words(list(_CONSENT_CHANNELS), channel),
        "status": words(["subscribed", "unsubscribed", "declined"], status),
        "changed_at": utc_time(time),
        "opt_in": words(["single_opt_in", "double_opt_in"], np.where(status == 0, twice.astype(int), -1)),
        "form": words(["checkout", "footer", "mail"], np.where(status == 1, 2, person % 2)),
        "wording": words(["v1", "v2"], (time > (world.start + 300) * DAY).astype(int)),
    }
    return write_lines(
        folder / "consents.csv", draws, table, (person * 3 + channel) * 3 + status, csv_lines(","),
        _CONSENT_BLEMISHES, header=",".join(table),
    )  # fmt: skip


def write_messages(folder: Path, world: World, people: People, mailings: Mailings) -> int:
    """Write a file a month, by when something happened; gives the number of rows."""
    written = 0
    for month in world.months:
        mail, person, kind, time = _month(world, people, mailings, month)
        rows = np.flatnonzero((time >= month.first * DAY) & (time < min(month.end * DAY, world.cutoff)))
        rows = rows[np.lexsort((kind[rows], person[rows], mail[rows], time[rows]))]
        if len(rows) == 0:
            continue
        mail, person, kind, time = mail[rows], person[rows], kind[rows], time[rows]
        table = {
            "msg": joined("m", numbers(mail), "-", numbers(person)),
            "to": clean_emails(people, person),
            "event": words(KINDS, kind),
            "at": utc_time(time),
            "campaign": words(["selamat_datang", *mailings.names], mail),
            "segment": words(["welcome", "newsletter"], (mail > _WELCOME).astype(int)),
        }
        keys = (person * 10_000 + mail) * 8 + kind
        path = folder / f"messages_{month.label}.jsonl"
        written += write_lines(path, world.draws, table, keys, json_lines, _MESSAGE_BLEMISHES)
    return written


def _month(world: World, people: People, mailings: Mailings, month: Month):
    """(mail, person, kind, time) of what happens to the mails sent in a month and just before it."""
    first, end = month.first * DAY - _LONGEST_REACTION, month.end * DAY
    subscribers = np.flatnonzero(people.opted_in & (mailings.joined_at < end))
    welcomed = subscribers[mailings.joined_at[subscribers] >= first]
    mail, person, sent = [np.full(len(welcomed), _WELCOME)], [welcomed], [mailings.joined_at[welcomed] + 120]
    for campaign in np.flatnonzero((mailings.time >= first) & (mailings.time < end)):
        reached = mailings.joined_at[subscribers] < mailings.time[campaign]
        reached &= mailings.left_with[subscribers] >= campaign
        reached &= mailings.bounced_with[subscribers] >= campaign
        # The mail that ends it all must have been sent.
        ends = (mailings.left_with[subscribers] == campaign) | (mailings.bounced_with[subscribers] == campaign)
        skipped = world.draws.chance("mailer.skipped", _SKIPPED_SHARE, subscribers, campaign)
        to = subscribers[reached & (ends | ~skipped)]
        mail.append(np.full(len(to), campaign + 1))
        person.append(to)
        sent.append(mailings.time[campaign] + world.draws.integers("mailer.queue", 0, 900, to, campaign))
    return _reactions(world, people, mailings, *map(np.concatenate, (mail, person, sent)))


def _reactions(world: World, people: People, mailings: Mailings, mail, person, sent):
    draws = world.draws
    bounces = (mailings.bounced_with[person] == mail - 1) & (mail > _WELCOME)
    leaves = (mailings.left_with[person] == mail - 1) & (mail > _WELCOME) & ~bounces
    opens = leaves | (~bounces & draws.chance("mailer.opens", habit("opens", people.archetype[person]), person, mail))
    clicks = opens & ~leaves & draws.chance("mailer.clicks", 0.13, person, mail)
    # Most open within hours, a few after days.
    wait = draws.uniform("mailer.wait", person, mail) ** 4
    opened = sent + 60 + (wait * (_LONGEST_REACTION - 3_600)).astype(np.int64)
    opened = np.where(leaves, np.minimum(opened, mailings.left_at[person] - 30), opened)
    angry = people.leaves_in_anger[person]
    left = mailings.left_at[person]
    delivered = sent + draws.integers("mailer.delivery", 1, 40, person, mail)
    happened = [
        (np.ones(len(mail), dtype=bool), SENT, sent),
        (~bounces, DELIVERED, delivered),
        (opens, OPENED, opened),
        (clicks, CLICKED, opened + 25),
        (bounces, BOUNCED, delivered),
        (leaves & ~angry, UNSUBSCRIBED, left),
        (leaves & angry, COMPLAINED, left),
    ]
    return tuple(
        np.concatenate(part)
        for part in zip(
            *((mail[mask], person[mask], np.full(mask.sum(), kind), time[mask]) for mask, kind, time in happened),
            strict=True,
        )
    )
