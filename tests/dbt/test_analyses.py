"""The questions of dbt_project/analyses: on a company without data, and against an independent pandas calculation."""

import re
from datetime import date, datetime, timedelta
from itertools import count
from random import Random

import duckdb
import pandas as pd
import pytest

from tangga import dbt, publish
from tests.dbt.harness import AS_OF, without_comments

FILES = sorted((dbt.PROJECT / "analyses").glob("*.sql"))
NAMES = [file.stem for file in FILES]
CHANNELS = ["google", "instagram", None]


def sql(name):
    return (dbt.PROJECT / "analyses" / f"{name}.sql").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def published(settings):
    """What analysts get of a company of which nothing has landed."""
    publish.publish(settings, AS_OF, "code-1")
    return publish.database(settings)


@pytest.fixture(scope="module")
def empty(published):
    with duckdb.connect(str(published), read_only=True) as con:
        yield con


class Company:
    """The published tables, in memory, to be filled and asked."""

    def __init__(self, published):
        self.con = duckdb.connect()
        self.con.execute(f"attach '{published}' as crm (read_only)")
        for (name,) in self.con.execute(
            "select schema_name || '.' || table_name from duckdb_tables() where database_name = 'crm'"
        ).fetchall():
            self.con.execute(f"create schema if not exists {name.split('.')[0]}")
            self.con.execute(f"create table {name} as from crm.{name} limit 0")
        self.con.execute("detach crm")

    def fill(self, table, rows):
        frame = pd.DataFrame(rows)
        self.con.execute(f"insert into {table} by name select {', '.join(frame.columns)} from frame")
        return frame

    def ask(self, name):
        """The answer, a dict a row."""
        cursor = self.con.execute(sql(name))
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@pytest.fixture
def company(published):
    made = Company(published)
    made.fill(
        "metrics.source_freshness", [{"source": "shop", "entity": "orders", "as_of_date": AS_OF, "load": "snapshot"}]
    )
    return made


@pytest.fixture
def orders(company):
    """Orders of 60 customers over two years, a few of which count for nothing."""
    random, number = Random(7), count()
    rows = []
    for person in range(60):
        day = AS_OF - timedelta(days=random.randint(0, 700))
        while day <= AS_OF:
            rows.append(
                {
                    "source": "shop",
                    "order_id": f"o{next(number)}",
                    "customer_id": f"c{person:02}",
                    "order_date": day,
                    "net_amount": random.randint(1, 900) * 100,
                    "is_purchase": random.random() < 0.9,
                    "channel": random.choice(["web", "app"]),
                }
            )
            day += timedelta(days=random.choice([0, 3, 20, 45, 90, 200]))
            if random.random() < 0.3:
                break
    for days in (364, 365):  # the first day that counts, and the last that does not
        rows += [rows[0] | {"order_id": f"{days}{i}", "order_date": AS_OF - timedelta(days=days)} for i in range(9)]
    return company.fill("core.fct_orders", rows)


def test_there_are_twenty():
    assert len(NAMES) == 20


@pytest.mark.parametrize("name", NAMES)
class TestEach:
    def test_it_answers_a_company_without_data_with_no_rows(self, empty, name):
        assert empty.execute(sql(name)).fetchall() == []

    def test_it_says_the_question_how_to_read_it_and_what_to_mind(self, name):
        comment = sql(name).split("\nwith", 1)[0].split("\nselect", 1)[0]
        assert re.match(r"-- [A-Z][^\n]*\?\n--\n-- How to read: .*\n-- Mind: ", comment, re.DOTALL)

    def test_it_asks_no_clock(self, name):
        assert re.findall(r"current_|\bnow\b|today|\{\{", without_comments(sql(name))) == []

    def test_its_rows_have_an_order(self, name):
        assert re.search(r"\norder by [^\n]+\n$", sql(name))


def test_dbt_knows_them_and_leaves_them_as_they_are(manifest):
    known = {
        node["name"]: node["raw_code"] for node in manifest["nodes"].values() if node["resource_type"] == "analysis"
    }
    assert known == {name: sql(name).strip() for name in NAMES}


def test_each_answers_a_company_that_has_orders_only(company, orders):
    answered = {name for name in NAMES if company.ask(name)}
    assert answered == {"from_first_to_second_order", "how_concentrated_is_revenue"}


def bought(orders):
    return orders[orders.is_purchase]


def lately(orders, days=365):
    return bought(orders)[bought(orders).order_date > AS_OF - timedelta(days=days)]


def test_how_concentrated_is_revenue(company, orders):
    value = lately(orders).groupby("customer_id").net_amount.sum().sort_values(ascending=False)
    size, rest = divmod(len(value), 10)
    ends = [(i + 1) * size + min(i + 1, rest) for i in range(10)]
    assert [
        (row["tenth"], row["customers"], float(row["share_so_far"]))
        for row in company.ask("how_concentrated_is_revenue")
    ] == [
        (i + 1, size + (i < rest), pytest.approx(value.iloc[: ends[i]].sum() / value.sum(), abs=1e-4))
        for i in range(10)
    ]


def test_best_customers_and_what_they_buy(company, orders):
    random = Random(8)
    lines = company.fill(
        "core.fct_order_lines",
        [
            {
                "source": "shop",
                "order_id": order,
                "line_number": number,
                "category": random.choice(["tea", "coffee", None]),
                "line_amount": random.randint(1, 50),
            }
            for order in orders.order_id
            for number in range(1, random.randint(2, 4))
        ],
    )
    recent = lately(orders)
    value = recent.groupby("customer_id").net_amount.sum().reset_index()
    value = value.sort_values(["net_amount", "customer_id"], ascending=[False, True])
    best = set(value.customer_id[: -(-len(value) // 10)])
    spread = lines.merge(recent, on="order_id")
    whole = spread.groupby("order_id").line_amount.transform("sum")
    spread["value"] = spread.net_amount * spread.line_amount / whole
    spread["category"] = spread.category.fillna("(none)")
    theirs = spread[spread.customer_id.isin(best)].groupby("category").value.sum()
    others = spread[~spread.customer_id.isin(best)].groupby("category").value.sum()
    answer = {row["category"]: row for row in company.ask("best_customers_and_what_they_buy")}
    assert set(answer) == {"tea", "coffee", "(none)"}
    for category, row in answer.items():
        assert row["share_of_best"] == pytest.approx(theirs[category] / theirs.sum(), abs=1e-4)
        assert row["share_of_others"] == pytest.approx(others[category] / others.sum(), abs=1e-4)
        assert row["net_value_of_best"] == pytest.approx(theirs[category], abs=0.01)


def first_and_second(orders):
    """Customer -> days of their first and second purchase."""
    days = bought(orders).groupby("customer_id").order_date.apply(lambda found: sorted(set(found)))
    return {customer: (each[0], each[1] if len(each) > 1 else None) for customer, each in days.items()}


def test_from_first_to_second_order(company, orders):
    firsts = list(first_and_second(orders).values())
    expected = []
    for days in (7, 14, 30, 45, 60, 90, 120, 180, 365):
        observed = [(a, b) for a, b in firsts if (AS_OF - a).days >= days]
        back = [(b - a).days for a, b in observed if b and (b - a).days <= days]
        expected.append((days, len(observed), len(back), pd.Series(back, dtype=float).median()))
    answer = company.ask("from_first_to_second_order")
    found = [(row["days"], row["customers"], row["bought_again"], row["median_days"] or float("nan")) for row in answer]
    assert found == [tuple(pytest.approx(value, nan_ok=True) for value in row) for row in expected]


def test_which_channel_brings_customers_who_stay(company, orders):
    random = Random(9)
    customers = company.fill(
        "customer.customer_360",
        [
            {
                "customer_id": f"c{person:02}",
                "acquisition_channel": random.choice(CHANNELS),
                "journey_stage": random.choice(["loyal", "churned"]),
                "net_value": 5,
            }
            for person in range(80)
        ],
    )
    firsts = first_and_second(orders)
    expected = {}
    for channel, group in customers.fillna({"acquisition_channel": "(none)"}).groupby("acquisition_channel"):
        observed = [firsts[c] for c in group.customer_id if c in firsts and (AS_OF - firsts[c][0]).days >= 90]
        back = sum(1 for a, b in observed if b and (b - a).days <= 90)
        gone = group[group.customer_id.isin(firsts) & (group.journey_stage == "churned")]
        buyers = sum(customer in firsts for customer in group.customer_id)
        expected[channel] = (
            len(group), buyers, len(observed), round(back / len(observed), 4), round(len(gone) / buyers, 4)
        )  # fmt: skip
    columns = ("customers", "buyers", "observed", "repurchase_share", "gone_share")
    answer = company.ask("which_channel_brings_customers_who_stay")
    assert {row["acquisition_channel"]: tuple(row[column] for column in columns) for row in answer} == expected


@pytest.fixture
def messages(company):
    """What happened to messages of two campaigns and of none; some are told of more than once."""
    random, rows = Random(10), []
    for number in range(400):
        day = AS_OF - timedelta(days=random.choice([random.randint(0, 400), 89, 90, 364, 365]))
        told = [
            "sent",
            *random.sample(["bounced", "opened", "clicked", "unsubscribed", "complained"], random.randint(0, 2)),
        ]
        for event in told:
            at = day + timedelta(days=0 if event == "sent" else random.randint(0, 2))
            rows.append(
                {
                    "source": "mail",
                    "message_id": f"m{number}",
                    "customer_id": f"c{random.randint(0, 9) if event == 'sent' else int(rows[-1]['customer_id'][1:])}",
                    "channel": "email",
                    "event": event,
                    "message_date": min(at, AS_OF),
                    "occurred_at": datetime.combine(min(at, AS_OF), datetime.min.time()),
                    "campaign": ["may", "june", None][number % 3],
                }
            )
    return company.fill("core.fct_messages", rows)


def test_unsubscribes_by_campaign(company, messages):
    told = messages.fillna({"campaign": "(none)"}).groupby("message_id")
    each = pd.DataFrame(
        {
            "campaign": told.campaign.first(),
            "first": told.message_date.min(),
            "events": told.event.apply(set),
        }
    )
    each = each[each["first"] > AS_OF - timedelta(days=365)]
    each["arrived"] = [("bounced" not in events) for events in each.events]
    each["refused"] = [bool(events & {"unsubscribed", "complained"}) for events in each.events]
    overall = each.refused.sum() / each.arrived.sum()
    expected = {
        campaign: (
            len(group),
            group.arrived.sum(),
            sum("unsubscribed" in events for events in group.events),
            round(1000 * group.refused.sum() / group.arrived.sum(), 2),
            round(overall * group.arrived.sum(), 1),
        )
        for campaign, group in each.groupby("campaign")
    }
    columns = ("messages", "arrived", "unsubscribed", "refusals_per_1000", "expected_refusals")
    found = {
        row["campaign"]: tuple(row[column] for column in columns) for row in company.ask("unsubscribes_by_campaign")
    }
    assert found == expected and set(found) == {"may", "june", "(none)"}


def test_are_we_mailing_anyone_too_much(company, messages):
    sent = messages[(messages.event == "sent") & (messages.message_date > AS_OF - timedelta(days=90))]
    most = {
        customer: max(sum(0 <= (end - day).days <= 6 for day in days) for end in days)
        for customer, days in sent.groupby("customer_id").message_date.apply(list).items()
    }
    answer = company.ask("are_we_mailing_anyone_too_much")
    assert {row["most_in_a_week"]: row["customers"] for row in answer} == pd.Series(most).value_counts().to_dict()
    assert sum(row["messages"] for row in answer) == len(sent)


def test_which_months_cohort_stays(company):
    # ages 1 and 2 over all: 30 of 100 and 10 of 50; the older cohort has had both, the younger one only the first
    rows = [("2026-01-01", 0, 50, 50), ("2026-01-01", 1, 50, 10), ("2026-01-01", 2, 50, 10)]
    rows += [("2026-02-01", 0, 50, 50), ("2026-02-01", 1, 50, 20), ("2026-02-01", 2, 50, None)]
    names = ("cohort_month", "months_since", "customers", "retained")
    company.fill("metrics.retention_cohorts", [dict(zip(names, row, strict=True)) for row in rows])
    found = [
        (
            row["cohort_month"],
            row["months_observed"],
            row["rate_month_1"],
            row["retained"],
            row["expected"],
            row["index"],
        )
        for row in company.ask("which_months_cohort_stays")
    ]
    assert found == [
        (date(2026, 2, 1), 1, 0.4, 20, 15.0, 1.33),
        (date(2026, 1, 1), 2, 0.2, 20, 25.0, 0.8),
    ]


def test_where_detractors_come_from(company):
    random = Random(11)
    customers = company.fill(
        "customer.customer_360", [{"customer_id": f"c{i}", "city": random.choice(["A", "B", None])} for i in range(120)]
    )
    answers = company.fill(
        "core.fct_survey_responses",
        [
            {
                "source": "poll",
                "response_id": f"r{i}",
                "customer_id": f"c{random.randint(0, 119)}",
                "kind": random.choice(["nps", "nps", "csat"]),
                "answered_at": (
                    at := datetime(2026, 6, 30) - timedelta(days=random.choice([random.randint(0, 500), 364, 365]))
                ),
                "answer_date": at.date(),
                "score": 5,
                "nps_group": random.choice(["promoter", "detractor", "passive"]),
            }
            for i in range(300)
        ],
    )
    kept = answers[(answers.kind == "nps") & (answers.answer_date > AS_OF - timedelta(days=365))]
    latest = kept.sort_values(["answered_at", "response_id"]).groupby("customer_id").tail(1).merge(customers)
    groups = latest.fillna({"city": "(none)"}).groupby("city").nps_group
    expected = {city: (len(group), int((group == "detractor").sum())) for city, group in groups}
    found = {
        row["dimension_value"]: (row["answers"], row["detractors"])
        for row in company.ask("where_detractors_come_from")
        if row["dimension"] == "city"
    }
    assert found == expected and len(found) == 3


def test_do_complainers_leave(company):
    people = [("a", "churned"), ("b", "loyal"), ("c", "churned"), ("d", "loyal"), ("e", "churned")]
    company.fill(
        "customer.customer_360",
        [{"customer_id": who, "journey_stage": stage, "orders": 1, "net_value": 10} for who, stage in people],
    )
    company.fill(
        "customer.customer_value",
        [{"customer_id": who, "last_order_date": date(2026, 5, day)} for day, (who, _) in enumerate(people, start=10)],
    )
    tickets = [("a", 1, True, False), ("a", 2, True, True), ("b", 20, True, False), ("c", 20, False, None)]
    company.fill(
        "core.fct_tickets",
        [
            {
                "source": "desk",
                "ticket_id": f"t{number}",
                "customer_id": who,
                "kind": "complaint",
                "opened_date": date(2026, 5, day),
                "opened_at": datetime(2026, 5, day),
                "is_resolved": is_resolved,
                "is_resolution_breached": is_late,
            }
            for number, (who, day, is_resolved, is_late) in enumerate(tickets)
        ],
    )
    columns = ("complaint", "customers", "bought_since_share", "gone_share")
    assert [tuple(row[column] for column in columns) for row in company.ask("do_complainers_leave")] == [
        ("not resolved", 1, 0.0, 1.0),
        ("resolved late", 1, 1.0, 1.0),
        ("never complained", 2, None, 0.5),
        ("resolved in time", 1, 0.0, 0.0),
    ]


def test_segments_now_against_six_months_ago(company):
    random = Random(12)
    days = [date(2025, 11, 30), date(2025, 12, 31), date(2026, 5, 31), AS_OF]
    history = company.fill(
        "customer.customer_rfm_history",
        [
            {"customer_id": f"c{person}", "as_of_date": day, "segment": random.choice(["Champions", "Lost", "At Risk"])}
            for person in range(40)
            for day in days
            if random.random() < 0.8
        ],
    )
    # six months before 30 June is 30 December: the month end before it is that of November
    then, now = (history[history.as_of_date == day].set_index("customer_id").segment for day in (days[0], days[3]))
    for row in company.ask("segments_now_against_six_months_ago"):
        before, after = (set(side[side == row["segment"]].index) for side in (then, now))
        assert row["then_date"] == days[0]
        assert (row["customers_then"], row["customers_now"]) == (len(before), len(after))
        came, went = len(after - before), len(before - after)
        assert (row["stayed"], row["came"], row["went"]) == (len(before & after), came, went)
        origins = pd.Series([then.get(who, "(none)") for who in sorted(after - before)]).value_counts()
        assert origins[row["came_mostly_from"]] == origins.max()


def test_what_response_time_does_to_satisfaction(company):
    tickets = [(minutes, 5 if minutes < 30 else 2) for minutes in (5, 5, 5, 10, 20, 40, 80, 160)]
    company.fill(
        "core.fct_tickets",
        [
            {
                "source": "desk",
                "ticket_id": str(number),
                "kind": "question",
                "first_response_business_minutes": minutes,
                "csat_score": score,
                "opened_date": AS_OF,
            }
            for number, (minutes, score) in enumerate(tickets)
        ],
    )
    company.fill(
        "core.fct_survey_responses",
        [
            {
                "linked_ticket_source": "desk",
                "linked_ticket_id": "0",
                "kind": "nps",
                "score": 9,
                "nps_group": "promoter",
            },
            {
                "linked_ticket_source": "desk",
                "linked_ticket_id": "1",
                "kind": "nps",
                "score": 7,
                "nps_group": "passive",
            },
            {
                "linked_ticket_source": "desk",
                "linked_ticket_id": "7",
                "kind": "nps",
                "score": 0,
                "nps_group": "detractor",
            },
        ],
    )
    columns = ("waited_group", "from_minutes", "to_minutes", "tickets", "csat", "nps_answers", "nps")
    assert [tuple(row[c] for c in columns) for row in company.ask("what_response_time_does_to_satisfaction")] == [
        (1, 5, 5, 3, 5.0, 2, 50.0),
        (2, 10, 10, 1, 5.0, 0, None),
        (3, 20, 40, 2, 3.5, 0, None),
        (4, 80, 160, 2, 2.0, 1, -100.0),
    ]


UPLIFT = {"members": 90, "holdouts": 40, "member_mean": 9, "holdout_mean": 4}


@pytest.mark.parametrize(
    ("ends", "verdict"),
    [
        ((1, 9), "yes, it brings more"),
        ((-9, -1), "no, it brings less"),
        ((-1, 9), "no difference that can be told from chance"),
        ((None, None), "too few to tell"),
    ],
)
def test_does_the_winback_work(company, ends, verdict):
    low, high = ends
    row = {"audience": "winback", "days": 14, "measure": "orders", **UPLIFT, "ci_low": low, "ci_high": high}
    company.fill("metrics.audience_uplift", [row | {"difference": None if low is None else 5}])
    company.fill("metrics.audience_uplift", [row | {"audience": "birthday", "difference": 5}])
    assert [(row["days"], row["verdict"]) for row in company.ask("does_the_winback_work")] == [(14, verdict)]


def test_what_the_birthday_campaign_returns(company):
    row = {"audience": "birthday", "days": 14, "measure": "net_value", **UPLIFT, "ci_low": 10, "ci_high": 90}
    company.fill("metrics.audience_uplift", [row | {"difference": 50}, row | {"measure": "orders", "difference": 1}])
    company.fill(
        "metrics.contact_economics",
        [{"dimension": "all", "dimension_value": "all", "net_value": 1000, "margin": 300, "cost_per_message": 2}],
    )
    sends = [("a", "2025", "member"), ("a", "2026", "member"), ("a", "2026", "member"), ("b", "2026", "holdout")]
    company.fill(
        "core.fct_sends",
        [
            {"audience": "birthday", "customer_id": who, "entry_key": key, "test_group": group}
            for who, key, group in sends
        ],
    )
    # 30 % of 50 is 15; three messages for two entries, of 2 each, are 3 a member
    (answer,) = company.ask("what_the_birthday_campaign_returns")
    assert answer["margin_per_member"] == 15
    assert answer["cost_per_member"] == 3
    assert answer["return_per_member"] == 12
    assert answer["return_of_all"] == 12 * 90
