"""Lists read part by part, against the same list read at once."""

from __future__ import annotations

import duckdb
import pytest

from tangga.activation import plan
from tangga.destinations.files.formats import FORMATS
from tangga.web import lists
from tangga.web.published import Open
from tests.web import company
from tests.web.company import ANI, BUDI, CITRA, DEWI


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """Everybody is in the list; the first and the last have one address."""
    home = tmp_path_factory.mktemp("lists")
    folder = company.publish(home, members=(ANI, BUDI, CITRA, DEWI))
    with duckdb.connect(str(folder / "private.duckdb")) as con:
        con.execute("update core.dim_customers set email = 'ani@example.com' where customer_id = ?", [DEWI])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TANGGA_HOME", str(home))
        found = Open(folder)
        yield found
        found.close()


@pytest.mark.parametrize("rows_at_once", [1, 2, 3, 100])
@pytest.mark.parametrize("kind", lists.KINDS)
def test_in_parts_it_is_the_same_list(opened, kind, rows_at_once):
    found = b"".join(lists.lines(opened, "winback", kind, rows_at_once)).decode()
    whole = f"with list as ({plan.MEMBERS} where members.audience = 'winback') {FORMATS[kind].query('winback', True)}"
    with opened.cursor() as cursor:
        header = [column[0] for column in cursor.execute(whole).description]
        rows = cursor.fetchall()
    assert len(rows) == (3 if kind in lists.BY_ADDRESS else 4)
    lines = found.splitlines()
    assert lines[0].split(",") == header
    assert [line.split(",")[0].strip('"') for line in lines[1:]] == [row[0] or "" for row in rows]


def test_a_list_of_nobody_has_a_header(opened):
    assert b"".join(lists.lines(opened, "rfm_nobody", "hubspot")).startswith(b"Email,First Name")
