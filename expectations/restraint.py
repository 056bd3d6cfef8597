"""What the door out asks of the messages of a plan: that nobody gets more than they should, or what was withheld.

The plan's word is not taken for it: caps are those of the settings, holdouts are drawn anew from the registry, and what
was sent before is read from the published warehouse.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from expectations.checks import Check, unexpected_rows
from tangga import audiences
from tangga.engine import literal
from tangga.settings import Settings


def assets(settings: Settings, day: date, members: Path, messages: Path) -> dict[str, list[Check]]:
    """Query -> checks, for the two files of a plan."""
    sent = f"select * from read_parquet({literal(messages)}, hive_partitioning = false) where test_group = 'member'"
    listed = f"select * from read_parquet({literal(members)}, hive_partitioning = false)"
    return {
        sent: [*_of_each(settings), *_quiet(settings, day)],
        _same(listed, sent): [_true("is_same", "The messages of the plan are those that are due to its members")],
        _drawn(f"select audience, customer_id from ({listed}) union all select audience, customer_id from ({sent})"): [
            _true("is_not_held_out", "Nobody who is held out is a member or is sent a message")
        ],
    }


def _of_each(settings: Settings) -> list[Check]:
    caps = " ".join(f"when {literal(channel)} then {cap}" for channel, cap in settings.rules.caps.model_dump().items())
    return [
        unexpected_rows(
            "one_message",
            "Nobody is sent more than one message on a channel",
            "select 1 from {batch} group by customer_id, channel having count(*) > 1",
        ),
        unexpected_rows(
            "cap",
            "Nobody is sent more than the cap of the channel",
            "select 1 from {batch} as message left join customer.customer_pressure as pressure "
            f"using (customer_id, channel) where coalesce(messages_in_window, 0) >= case channel {caps} else 0 end",
        ),
        unexpected_rows(
            "once",
            "Nobody is sent a step twice",
            # A step that has another number since is known by its template.
            "select 1 from {batch} as message semi join core.fct_sends as before "
            "on message.audience = before.audience and message.customer_id = before.customer_id "
            "and message.entry_key = before.entry_key "
            "and case when message.template is null or before.template is null "
            "then message.step = before.step else message.template = before.template end",
        ),
        unexpected_rows(
            "consent_of_messages",
            "Everybody may be contacted through the channel of their message",
            "select 1 from {batch} as message left join (select customer_id, channel, "
            "bool_and(coalesce(is_contactable, false)) as is_contactable from customer.customer_contactability "
            "group by customer_id, channel) as said using (customer_id, channel) where is_contactable is not true",
        ),
    ]


def _quiet(settings: Settings, day: date) -> list[Check]:
    pressure, sent_on = settings.rules.pressure, day + timedelta(days=1)
    if sent_on.isoweekday() not in pressure.quiet_weekdays and sent_on not in pressure.quiet_dates:
        return []
    return [unexpected_rows("quiet_day", "Nothing is sent on a quiet day", "select 1 from {batch}")]


def _same(listed: str, sent: str) -> str:
    keys = "audience, customer_id, entry_key, step"
    return (
        f"select due.audience is not null and message.audience is not null as is_same from (select {keys} "
        f"from ({listed}) where is_due) as due full outer join (select {keys} from ({sent})) as message "
        "on due.audience = message.audience and due.customer_id = message.customer_id "
        "and due.entry_key = message.entry_key and due.step = message.step"
    )


def _drawn(rows: str) -> str:
    """Of each row of an audience with a campaign whether its customer is not held out."""
    drawn = ", ".join(
        f"({literal(audience.name)}, {literal(audience.holdout_salt)}, {literal(audience.holdout_below)})"
        for audience in audiences.with_campaigns(audiences.load())
    )
    return (
        "select substr(sha256(audience || ':' || salt || ':' || customer_id), 1, 8) >= below as is_not_held_out "
        f"from ({rows}) inner join (values {drawn}) as drawn(audience, salt, below) using (audience)"
    )


def _true(column: str, sentence: str) -> Check:
    return Check(column, sentence, "ExpectColumnValuesToBeInSet", {"column": column, "value_set": [True]})
