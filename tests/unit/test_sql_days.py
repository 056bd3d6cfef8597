"""SQL databases, day by day: which rows belong to a day, by their time or by an id that grows."""

from __future__ import annotations

from datetime import date

import pytest

from tangga import landing
from tests.unit.inbox import Landed
from tests.unit.shop import AT, CONTACTS, DAILY, contacts


@pytest.mark.parametrize(
    ("kind", "zone", "inside", "outside"),
    [
        # Jakarta's 10 March is 9 March 17:00 to 10 March 17:00 in UTC
        ("timestamptz", None, ["2026-03-09 17:00:00+00:00", "2026-03-10 16:59:59.999+00:00"],
         ["2026-03-09 16:59:59.999+00:00", "2026-03-10 17:00:00+00:00"]),
        ("timestamp", None, ["2026-03-10 00:00:00", "2026-03-10 23:59:59.999"],
         ["2026-03-09 23:59:59.999", "2026-03-11 00:00:00"]),
        ("timestamp", "UTC", ["2026-03-09 17:00:00", "2026-03-10 16:59:59"],
         ["2026-03-09 16:59:59", "2026-03-10 17:00:00"]),
        ("timestamp", "America/New_York", ["2026-03-09 13:00:00", "2026-03-10 12:59:59"],
         ["2026-03-09 12:59:59", "2026-03-10 13:00:00"]),
        ("date", None, ["2026-03-10"], ["2026-03-09", "2026-03-11"]),
    ],
)  # fmt: skip
def test_a_day_is_the_businesss_day(shop, kind, zone, inside, outside):
    shop.run(CONTACTS.replace("timestamptz", kind))
    for number, moment in enumerate(inside + outside):
        shop.run(f"insert into contacts values ('{number}', '{moment}', null)")
    spec = DAILY | ({"time_zone": zone} if zone else {})
    assert sorted(shop.land(spec=spec).column("contact_id")) == [str(number) for number in range(len(inside))]


def test_days_with_a_change_of_the_clocks_have_no_gap_and_no_overlap(crm):
    crm.run(
        CONTACTS,
        "insert into contacts select i::text, timestamptz '2026-10-24 00:00+00' + i * interval '30 min', null "
        "from generate_series(0, 191) as i",
    )
    known = crm.settings(spec=DAILY)
    business = known.business.model_copy(update={"time_zone": "Europe/Berlin"})
    known = known.model_copy(update={"business": business})
    days = [
        Landed(known, landing.land(known, "crm", "contacts", date(2026, 10, day))).column("contact_id")
        for day in (24, 25, 26)
    ]
    assert [len(day) for day in days] == [44, 50, 48]  # the first begins at 22:00 UTC the day before
    assert len(set(sum(days, []))) == 44 + 50 + 48


def test_late_rows_come_with_a_later_day(shop):
    shop.run(
        CONTACTS,
        contacts("Ani", at="2026-03-08 05:00:00+00:00"),
        contacts("Budi", first=2, at="2026-03-10 05:00:00+00:00"),
    )
    assert shop.land(spec=DAILY).column("first_name") == ["Budi"]
    assert shop.land(spec=DAILY | {"look_back_days": 1}).column("first_name") == ["Budi"]
    assert shop.land(spec=DAILY | {"look_back_days": 2}).column("first_name") == ["Ani", "Budi"]


def test_a_day_read_again_is_the_same_bytes_when_later_rows_have_come(shop):
    shop.run(CONTACTS, contacts("Ani", at="2026-03-10 05:00:00+00:00"))
    shop.land(spec=DAILY)
    before = shop.inbox.tree()
    shop.run(contacts("Budi", first=2, at="2026-03-11 05:00:00+00:00"))
    shop.land(spec=DAILY)
    assert shop.inbox.tree() == before


def test_sqlite_knows_a_time_by_its_text_only(lite):
    lite.run(CONTACTS.replace("timestamptz", "any"))
    moments = ["'2026-03-10T01:00'", "'2026-03-10 08:00:00.5+07:00'", "'2026-03-09T17:00:00Z'", "1773100800", "null"]
    for number, moment in enumerate(moments):
        lite.run(f"insert into contacts values ('{number}', {moment}, null)")
    assert sorted(lite.land(spec=DAILY).column("contact_id")) == ["0", "1", "2"]


@pytest.mark.parametrize("kind", ["numeric", "text", "boolean"])
def test_a_cursor_that_tells_no_day_is_refused(crm, kind):
    crm.run(CONTACTS.replace(")", f", version {kind})"))
    message = crm.refused(spec=DAILY | {"cursor": "version"})
    assert "its cursor 'version' is" in message
    assert "which tells no day; use a date, a timestamp or an increasing whole number" in message


class TestIncreasingId:
    SPEC = DAILY | {"cursor": "Version"}

    @pytest.fixture
    def crm(self, served):
        served.run(CONTACTS.replace(")", ', "Version" bigint)'))
        self.add(served, 1, 2)
        return served

    def add(self, crm, *ids):
        for number in ids:
            crm.run(f"insert into contacts values ('{number}', '{AT}', null, {number})")

    def land(self, crm, day, **rest):
        return sorted(crm.land(spec=self.SPEC | rest, day=date(2026, 3, day)).column("contact_id"))

    def test_a_day_reads_what_is_beyond_the_days_before(self, crm):
        assert self.land(crm, 10) == ["1", "2"]
        self.add(crm, 3, 4)
        assert self.land(crm, 11) == ["3", "4"]
        assert self.land(crm, 12) == []
        self.add(crm, 5)
        assert self.land(crm, 13) == ["5"]

    def test_a_rerun_is_the_same_bytes_when_rows_have_come(self, crm):
        self.land(crm, 10)
        self.add(crm, 3)
        self.land(crm, 11)
        before = crm.inbox.tree()
        self.add(crm, 4)
        assert self.land(crm, 10) == ["1", "2"]
        assert self.land(crm, 11) == ["3"]
        assert crm.inbox.tree() == before
        assert self.land(crm, 12) == ["4"]

    def test_ids_that_were_committed_late_come_by_looking_back(self, crm):
        self.land(crm, 10)
        self.add(crm, 4)
        self.land(crm, 11)
        self.add(crm, 3, 5)
        assert self.land(crm, 12) == ["5"]
        assert self.land(crm, 13, look_back_days=2) == ["3", "4", "5"]
