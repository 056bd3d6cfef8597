"""Lists as files: exactly the people of a chunk, safe to open, in the format of whoever reads them."""

import csv
import io
import itertools
import json
import resource
import stat
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tangga import files, settings
from tangga.destinations.destination import Chunk, DestinationDown, DestinationRefused
from tangga.destinations.files import Files
from tangga.destinations.files.formats import FORMATS
from tangga.settings import REPOSITORY

PLAIN = [
    "email", "first_name", "last_name", "customer_id", "rung", "segment", "why", "entry_key", "greeting_name",
    "language", "preferred_category", "recommended_product", "coupon_policy", "next_birthday",
]  # fmt: skip
OF_CAMPAIGNS = ["entered_on", "step", "template", "is_due"]

SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("key", "customer_id", "address", "remote_id", "channel", "email", "phone")),
        *((name, pa.string()) for name in PLAIN[1:] if name not in ("customer_id", "next_birthday")),
        ("next_birthday", pa.date32()), ("entered_on", pa.date32()), ("step", pa.int32()), ("template", pa.string()),
        ("is_due", pa.bool_()),
    ]
)  # fmt: skip


@pytest.fixture
def company(tmp_path):
    """`company(*formats)`: settings with a destination `files` of these formats."""

    def company(*formats, home=tmp_path / "var"):
        text = (REPOSITORY / "tangga.yml").read_text(encoding="utf-8")
        asked = f"    type: files\n    formats: [{', '.join(formats)}]\n"
        config = tmp_path / "tangga.yml"
        config.write_text(text.replace("    type: files\n\ncampaigns:", f"{asked}\ncampaigns:"), encoding="utf-8")
        return settings.load(config, home)

    return company


def planned(**said):
    return {
        "as_of_date": "2026-03-31", "hash": "all", "published_version": "v", "code_version": "c", "stale_sources": [],
        "destinations": {"files": {"hash": "abc"}}, "members_sha256": "m", "messages_sha256": "n", "left_out": {},
        "audiences": {name: {"label": name.title(), "channel": "email", "rows": 1} for name in ("winback", "welcome")},
        **said,
    }  # fmt: skip


def person(customer, first_name=None, **said):
    return {
        "key": customer, "customer_id": customer, "address": f"{customer}@example.com", "channel": "email",
        "email": f"{customer}@example.com", "first_name": first_name, "last_name": "O'Neil", "rung": "prospect",
        "why": "because", "entry_key": "k", "greeting_name": "Kak", "language": "id", "preferred_category": "Kopi",
        "recommended_product": "Kopi Gayo", "coupon_policy": "none", "next_birthday": date(2026, 8, 7),
        "entered_on": date(2026, 3, 31), "step": 2, "template": "hello", "is_due": True, **said,
    }  # fmt: skip


def send(company, name, *people, run_id="run-1", **said):
    rows = pa.Table.from_pylist([{column: row.get(column) for column in SCHEMA.names} for row in people], SCHEMA)
    chunk = Chunk("a-key", "replace", name, rows)
    receipt = Files(company, "files", planned(**said), run_id).send(chunk, None, lambda _: None)
    assert (list(receipt.rejected), dict(receipt.remote_ids)) == ([], {})


def folder(company):
    return company.home / "exports" / "files"


def manifest(company):
    return json.loads((folder(company) / "manifest.json").read_text(encoding="utf-8"))


def rows(company, file):
    with (folder(company) / file).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def names(company, file):
    return [row["customer_id"] for row in rows(company, file)]


def everything(company):
    return {path.relative_to(folder(company)).as_posix() for path in folder(company).rglob("*") if path.is_file()}


def test_each_list_is_a_file_and_the_manifest_says_what_it_is(company):
    home = company("plain")
    send(home, "winback", person("c2", "Budi"), person("c1", "Ani"))
    send(home, "welcome", person("c3"))
    assert everything(home) == {"winback.csv", "welcome.csv", "manifest.json"}
    assert names(home, "winback.csv") == ["c1", "c2"]
    assert rows(home, "welcome.csv")[0]["first_name"] == ""
    found = {"file": "winback.csv", "rows": 2, "sha256": files.sha256(folder(home) / "winback.csv")}
    said = manifest(home)
    lists = said.pop("audiences")
    assert said == {
        "as_of_date": "2026-03-31", "plan": "abc", "published_version": "v", "code_version": "c", "stale_sources": [],
        "run_id": "run-1",
    }  # fmt: skip
    assert list(lists) == ["welcome", "winback"]
    assert lists["winback"] == {
        "label": "Winback", **found, "formats": {"plain": found}, "as_of_date": "2026-03-31", "plan": "abc",
    }  # fmt: skip


def test_what_the_plan_says_of_where_it_came_from_is_told(company):
    home = company("plain")
    send(home, "winback", person("c1"), rules="r", gate={"verdict": "pass"}, approval={"by": "vera"})
    said = manifest(home)
    assert (said["rules"], said["gate"], said["approval"]) == ("r", {"verdict": "pass"}, {"by": "vera"})


def test_the_plain_file_is_as_it_always_was(company):
    home = company("plain")
    send(home, "winback", person("c1", "Ani, B"))
    send(home, "gold", person("c1", None, next_birthday=None))
    shared = "c1@example.com,{},O'Neil,c1,prospect,,because,k,Kak,id,Kopi,Kopi Gayo,none,"
    assert (folder(home) / "winback.csv").read_bytes().decode() == "\n".join([
        ",".join(PLAIN + OF_CAMPAIGNS), shared.format('"Ani, B"') + "2026-08-07,2026-03-31,2,hello,true", "",
    ])  # fmt: skip
    assert (folder(home) / "gold.csv").read_bytes().decode() == f"{','.join(PLAIN)}\n{shared.format('')}\n"


def test_sending_the_same_again_touches_nothing(company):
    home = company(*FORMATS)
    send(home, "winback", person("c1", "Ani"))
    stamps = {path: path.stat().st_mtime_ns for path in folder(home).rglob("*") if path.is_file()}
    assert len(stamps) == 6
    send(home, "winback", person("c1", "Ani"), run_id="run-2")
    assert {path: path.stat().st_mtime_ns for path in folder(home).rglob("*") if path.is_file()} == stamps


def test_a_list_that_nobody_is_on_any_more_keeps_its_header_and_its_label(company):
    home = company(*FORMATS)
    send(home, "winback", person("c1"))
    send(home, "winback", audiences={}, as_of_date="2026-04-01")
    assert [count(home, form.path("winback")) for form in FORMATS.values()] == [0] * len(FORMATS)
    entry = manifest(home)["audiences"]["winback"]
    assert (entry["label"], entry["rows"], entry["as_of_date"]) == ("Winback", 0, "2026-04-01")


def count(home, file):
    path = folder(home) / file
    return pq.read_table(path).num_rows if path.suffix == ".parquet" else len(rows(home, file))


def test_nobody_is_given_a_list_that_there_never_was(company):
    home = company("plain")
    send(home, "winback")
    assert everything(home) == set()


def test_a_list_that_somebody_changed_by_hand_is_made_right(company):
    home = company("plain")
    send(home, "winback", person("c1"))
    (folder(home) / "winback.csv").write_text("email\n")
    send(home, "winback", person("c1"))
    assert names(home, "winback.csv") == ["c1"]


def test_a_format_that_is_not_asked_for_any_more_is_emptied(company):
    send(company("plain", "mailchimp"), "winback", person("c1"))
    home = company("plain")
    send(home, "winback", person("c1"))
    assert (len(rows(home, "winback.csv")), len(rows(home, "mailchimp/winback.csv"))) == (1, 0)
    assert set(manifest(home)["audiences"]["winback"]["formats"]) == {"plain"}


@pytest.mark.parametrize("kind", FORMATS)
def test_lists_are_known_that_a_killed_delivery_left(company, kind):
    home = company(kind)
    for name in ("winback", "welcome", "gone"):
        send(home, name, person("c1"))
    send(home, "gone")
    path = folder(home) / FORMATS[kind].path("welcome")
    path.with_name(f".part{path.suffix}").write_text("half")
    (folder(home) / "manifest.json").write_text("{half")
    assert Files(home, "files", planned(), "run-2").lists() == {"winback", "welcome"}
    path.write_bytes(b"a\nb")
    assert Files(home, "files", planned(), "run-2").lists() == {"winback", "welcome"}


def test_a_list_is_emptied_by_a_chunk_without_columns_of_members(company):
    home = company(*FORMATS)
    send(home, "winback", person("c1"))
    nobody = pa.table({column: pa.array([], pa.string()) for column in ("key", "customer_id", "address", "remote_id")})
    Files(home, "files", planned(), "run-2").send(Chunk("k", "replace", "winback", nobody), None, lambda _: None)
    assert [count(home, form.path("winback")) for form in FORMATS.values()] == [0] * len(FORMATS)
    assert pq.read_schema(folder(home) / "parquet" / "winback.parquet").field("next_birthday").type == pa.date32()


def test_what_a_killed_delivery_left_half_written_is_gone_with_the_next(company):
    home = company("plain")
    folder(home).mkdir(parents=True)
    (folder(home) / ".part.csv").write_text("half")
    send(home, "winback", person("c1"))
    assert everything(home) == {"winback.csv", "manifest.json"}


def test_only_their_owner_reads_lists(company):
    home = company(*FORMATS)
    send(home, "winback", person("c1"))
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [folder(home), *folder(home).rglob("*")]}
    assert len(modes) == 1 + 4 + 6
    assert {path: mode for path, mode in modes.items() if mode & 0o077} == {}


BAD = [
    "=cmd|' /C calc'!A0",
    "+1",
    "-1",
    "@SUM(A1)",
    "\tx",
    "\rx",
    "\nx",
    "＝1",
    "＋1",
    "－1",
    "＠x",
    " =1",
    '"=1',
    "\ufeff=1",
]
INNER = [
    "name;=1+1",
    "name;-1;@x",
    "a|=1",
    "a\t=1",
    "a\n=1+1",
    "a\r\n+1",
    'a;"=1',
    "a; =1",
    "a;;=1",
    "a;\n=1",
    "a\t＝1",
]
FOR_PEOPLE = {"plain": "first_name", "spreadsheet": "first_name", "mailchimp": "First Name", "hubspot": "First Name"}


@pytest.mark.parametrize("kind", FOR_PEOPLE)
def test_no_cell_begins_like_a_formula(company, kind):
    home = company(kind)
    send(home, "winback", *(person(f"c{n:02}", name) for n, name in enumerate(BAD)))
    found = [row[FOR_PEOPLE[kind]] for row in rows(home, FORMATS[kind].path("winback"))]
    assert found == [f"'{name}" for name in BAD]


@pytest.mark.parametrize(
    ("separator", "quoting"),
    [(",", csv.QUOTE_MINIMAL), *itertools.product(";\t|", (csv.QUOTE_MINIMAL, csv.QUOTE_NONE))],
)
def test_nor_with_another_separator_than_a_comma(company, separator, quoting):
    home = company(*FOR_PEOPLE)
    send(home, "winback", *(person(f"c{n}", name, last_name=name) for n, name in enumerate(BAD + INNER)))
    for kind in FOR_PEOPLE:
        text = (folder(home) / FORMATS[kind].path("winback")).read_text(encoding="utf-8-sig")
        read = csv.reader(io.StringIO(text, newline=""), delimiter=separator, quoting=quoting)
        cells = [cell for row in read for cell in row]
        assert len(cells) > len(BAD + INNER)
        assert [cell for cell in cells if cell.lstrip(' "\ufeff')[:1] in tuple("=+-@＝＋－＠")] == []


def test_other_texts_stay_as_they_are(company):
    home = company("plain")
    texts = ["O'Neil", "<b>Ani</b>", "a,b", 'say "hi"', "{{ x }}", "line\nbreak", "Ánya", "a;b", "x-y", "1+1=2", "'=1"]
    send(home, "winback", *(person(f"c{n:02}", text) for n, text in enumerate(texts)))
    assert [row["first_name"] for row in rows(home, "winback.csv")] == texts


def test_a_spreadsheet_reads_it_as_utf_8(company):
    home = company("spreadsheet", "plain")
    send(home, "winback", person("c1", "Ánya"))
    text = (folder(home) / "spreadsheet" / "winback.csv").read_bytes()
    assert text == b"\xef\xbb\xbf" + (folder(home) / "winback.csv").read_bytes()


def test_mailchimp_imports_it(company):
    home = company("mailchimp")
    send(
        home, "winback", person("c1", "Ani"), person("c2", "Budi", is_due=False), person("c3", None, next_birthday=None)
    )
    send(home, "gold", person("c1", "Ani", step=None, is_due=None))
    assert rows(home, "mailchimp/winback.csv") == [
        {"Email Address": f"{customer}@example.com", "First Name": name, "Last Name": "O'Neil", "Tags": tags,
         "SEGMENT": "", "RUNG": "prospect", "GREETING": "Kak", "LANGUAGE": "id", "CATEGORY": "Kopi",
         "PRODUCT": "Kopi Gayo", "COUPON": "none", "BIRTHDAY": birthday}
        for customer, name, tags, birthday in [
            ("c1", "Ani", "crm:winback,crm:winback:2", "08/07"), ("c2", "Budi", "crm:winback", "08/07"),
            ("c3", "", "crm:winback,crm:winback:2", ""),
        ]
    ]  # fmt: skip
    assert [row["Tags"] for row in rows(home, "mailchimp/gold.csv")] == ["crm:gold"]


def test_hubspot_imports_it(company):
    home = company("hubspot")
    send(home, "winback", person("c1", "Ani"))
    assert rows(home, "hubspot/winback.csv") == [
        {"Email": "c1@example.com", "First Name": "Ani", "Last Name": "O'Neil", "tangga_customer_id": "c1",
         "tangga_segment": "", "tangga_rung": "prospect", "greeting_name": "Kak",
         "tangga_language": "id", "preferred_category": "Kopi", "recommended_product": "Kopi Gayo",
         "coupon_policy": "none", "next_birthday": "2026-08-07"}
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["mailchimp", "hubspot"])
def test_an_importer_gets_an_address_once_and_nobody_without_one(company, kind):
    home = company("plain", kind)
    shared = {"email": "two@example.com"}
    send(home, "winback", person("c2", "B", **shared), person("c1", "A", **shared), person("c3", "C", email=None))
    assert [row["First Name"] for row in rows(home, f"{kind}/winback.csv")] == ["A"]
    entry = manifest(home)["audiences"]["winback"]
    assert (entry["rows"], entry["formats"]["plain"]["rows"], entry["formats"][kind]["rows"]) == (3, 3, 1)


def test_parquet_keeps_types_and_texts(company):
    home = company("parquet")
    send(home, "winback", person("c1", "=1"))
    found = pq.read_table(folder(home) / "parquet" / "winback.parquet")
    assert found.column_names == PLAIN + OF_CAMPAIGNS
    assert (found["first_name"][0].as_py(), found["next_birthday"][0].as_py()) == ("=1", date(2026, 8, 7))
    assert (found["step"][0].as_py(), found["is_due"][0].as_py()) == (2, True)


@pytest.mark.parametrize("name", ["../winback", "a/b", ".part", "winback:2", "", None])
def test_a_name_that_leads_elsewhere_is_refused(company, name):
    home = company("plain")
    with pytest.raises(DestinationRefused, match="rename the audience"):
        send(home, name, person("c1"))


def test_a_folder_that_cannot_be_written_is_one_sentence(company):
    home = company("plain")
    home.home.mkdir()
    (home.home / "exports").write_text("in the way")
    with pytest.raises(DestinationDown, match="winback could not be written .*run again"):
        send(home, "winback", person("c1"))


def test_a_disk_that_takes_no_more_leaves_the_list_as_it_was(company):
    home = company("plain")
    send(home, "winback", person("c1"))
    before = (folder(home) / "winback.csv").read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))
    try:
        with pytest.raises(DestinationDown, match="winback could not be written .*see to the disk"):
            send(home, "winback", *(person(f"c{n}") for n in range(100)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (folder(home) / "winback.csv").read_bytes() == before


@pytest.mark.parametrize(
    ("formats", "said"),
    [("[]", "at least 1 item"), ("[plain, xls]", "'plain', 'spreadsheet'"), ("[plain, plain]", "twice")],
)
def test_formats_are_checked(company, tmp_path, formats, said):
    company("plain")
    config = tmp_path / "tangga.yml"
    config.write_text(config.read_text(encoding="utf-8").replace("[plain]", formats), encoding="utf-8")
    with pytest.raises(settings.SettingsError, match=f"destinations.files.formats.*{said}"):
        settings.load(config)
