"""Files as they come: what lands of a hostile file, what is rejected from where, what is refused."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import subprocess
import sys
import textwrap
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tangga.landing.normalise import SPACES
from tangga.sources.records import MAX_FIELD, MAX_LINE, MAX_REJECTS_KEPT, SourceRefused, TextFile

HEAD = "contact_id,updated_at,first_name\n"
AT = "2026-03-01T10:00:00Z"
GOOD = HEAD + f"1,{AT},Ani\n2,{AT},Budi\n"
ROWS = [("1", "Ani"), ("2", "Budi")]


def row(number: int | str, name: str) -> str:
    return f"{number},{AT},{name}\n"


def landed(result) -> list[tuple[str, str]]:
    return sorted(result.rows("contact_id", "first_name"))


@pytest.fixture
def refused(inbox):
    """Land a good file; a second landing must be refused, and leave every byte of the first alone."""

    def check(content=None, spec=None, entity="contacts", first=GOOD, first_spec=None, **rest) -> str:
        inbox.land(entity, first, first_spec, **rest)
        before = inbox.tree()
        assert before
        with pytest.raises(SourceRefused) as error:
            inbox.land(entity, content, spec, **rest)
        assert inbox.tree() == before
        assert not list((inbox.root / "home" / "tmp").iterdir())
        message = str(error.value)
        assert "\n" not in message
        assert message.endswith(".")
        return message.replace(str(inbox.root), "")

    return check


# ---- encodings


@pytest.mark.parametrize("blank", ["", "\n\n"])
def test_byte_order_mark_changes_nothing(inbox, blank):
    result = inbox.land("contacts", b"\xef\xbb\xbf" + blank.encode() + GOOD.encode())
    assert landed(result) == ROWS
    assert result.manifest.ignored_columns == []


@pytest.mark.parametrize("encoding", ["latin-1", "windows-1252"])
def test_declared_encoding_is_read(inbox, encoding):
    content = (HEAD + row(1, "Zoë") + row(2, "André")).encode(encoding)
    for spec in ({"encoding": encoding}, {}):
        source = {"path": "inbox", "encoding": encoding, "entities": {"contacts": {"path": "contacts.csv"} | spec}}
        result = inbox.land("contacts", content, sources={"shop": source})
        assert landed(result) == [("1", "Zoë"), ("2", "André")]
        assert result.rejects == []


def test_undeclared_latin_1_rejects_only_the_lines_that_do_not_decode(inbox):
    content = (HEAD + row(1, "Ani") + row(2, "Zoë") + row(3, '"two\nlines ë"') + row(4, "Budi")).encode("latin-1")
    result = inbox.land("contacts", content)
    assert landed(result) == [("1", "Ani"), ("4", "Budi")]
    reason = "the line has bytes that are not utf-8"
    assert result.rejects == [("contacts.csv", 3, reason), ("contacts.csv", 4, reason)]


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32-le"])
def test_utf_16_is_refused(refused, encoding, compress):
    message = refused(compress(GOOD.encode(encoding)))
    assert message.startswith("/inbox/contacts.csv: looks like UTF-16")


def test_spreadsheet_named_csv_is_refused(refused):
    assert "no text at all" in refused(b"PK\x03\x04" + bytes(range(64)) * 3 + bytes(200))


def test_nul_byte_rejects_its_line(inbox):
    result = inbox.land("contacts", GOOD + row(3, "Ci\0ci") + row(4, "Dedi\0") + row(5, "Eka"))
    assert landed(result) == [*ROWS, ("5", "Eka")]
    assert result.faults == [(4, "the line has a NUL byte"), (5, "the line has a NUL byte")]


def test_damaged_header_is_refused_and_the_next_line_is_not_taken_for_one(refused):
    content = HEAD.encode().replace(b"first_name", b"pr\xe9nom") + HEAD.encode() + b"1,2026-03-01,Ani\n"
    message = refused(content)
    assert "header, line 1, the" not in message
    assert "its header, line 1, has bytes that are not utf-8" in message


# ---- the shape of records


def test_wrong_number_of_fields_rejects_the_right_line(inbox):
    content = (
        HEAD
        + row(1, '"two\nlines"')  # lines 2-3
        + "\n\n"
        + f"2,{AT},Budi,more\n"  # line 6
        + row(3, '"x\r\ny"')  # lines 7-8
        + f"4,{AT}\n"  # line 9
        + row(5, "Eka")
        + f'6,{AT},"two\nlines",more\n'  # lines 11-12
        + "7"  # line 13, without an end
    )
    result = inbox.land("contacts", content)
    assert landed(result) == [("1", "two\nlines"), ("3", "x\r\ny"), ("5", "Eka")]
    assert sorted(result.rows("contact_id", "_line")) == [("1", 2), ("3", 7), ("5", 10)]
    assert result.faults == [
        (6, "the line has 4 fields where the header has 3"),
        (9, "the line has 2 fields where the header has 3"),
        (11, "the line has 4 fields where the header has 3"),
        (13, "the line has 1 fields where the header has 3"),
    ]


def test_text_after_a_closing_quote_rejects_its_line(inbox):
    result = inbox.land("contacts", GOOD + row(3, '"Ci" ci') + row(4, "Dedi"))
    assert landed(result) == [*ROWS, ("4", "Dedi")]
    assert [line for line, _ in result.faults] == [4]
    assert result.faults[0][1].startswith("the line cannot be read")


@pytest.mark.parametrize(
    "tail",
    [
        pytest.param(row(3, '"Cici') + row(4, "Dedi") + row(5, "Eka"), id="until the end"),
        pytest.param(row(3, '"Cici') + row(4, '"Dedi"') + row(5, "Eka"), id="until the next quoted field"),
        pytest.param(row(3, '"Cici') + row(4, '""') + row(5, "Eka"), id="over an empty quoted field"),
        pytest.param(row(3, '"Cici') + row(4, "Dedi") + f'5,{AT},E",ka\n', id="closed by another stray quote"),
        pytest.param(row(3, "Cici") + row(4, '"Dedi'), id="in the last line"),
    ],
)
def test_unclosed_quote_is_refused(refused, tail):
    message = refused(GOOD + tail)
    line = 5 if "3,2026-03-01T10:00:00Z,Cici\n" in tail else 4
    assert f"/inbox/contacts.csv: has a quote that is opened on line {line} and not closed" in message
    assert "mend that line" in message
    assert "Cici" not in message


def test_unclosed_quote_in_a_long_file_is_refused_soon(refused):
    content = HEAD + row(0, '"stray') + "".join(row(number, "Ani" * 5) for number in range(1, 100_001))
    begin = time.process_time()
    assert "opened on line 2" in refused(content)
    assert time.process_time() - begin < 5


def test_quoted_newlines_and_windows_line_ends_are_kept(inbox):
    content = (HEAD + row(1, '"one\ntwo"') + row(2, '"one\r\ntwo, ""three"""')).replace("\n", "\r\n")
    result = inbox.land("contacts", content.replace("\r\r", "\r"))
    assert landed(result) == [("1", "one\r\ntwo"), ("2", 'one\r\ntwo, "three"')]
    assert result.rejects == []


def test_old_mac_line_ends_are_refused(refused):
    assert "its header, line 1, cannot be read" in refused(GOOD.replace("\n", "\r"))


def test_tabs_and_own_delimiters(inbox):
    inbox.put("a.tsv", GOOD.replace(",", "\t"))
    inbox.put("b.tab", (HEAD + row(3, '"Ci\tci"')).replace(",", "\t"))
    assert landed(inbox.land("contacts", spec={"path": "*.t*"})) == [*ROWS, ("3", "Ci\tci")]
    result = inbox.land("contacts", GOOD.replace(",", ";"), {"delimiter": ";"})
    assert landed(result) == ROWS


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=3, max_size=3),
        min_size=1,
        max_size=20,
    )
)
def test_any_text_comes_back_as_it_was_written(inbox, table):
    columns = ["first_name", "last_name", "city"]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["contact_id", "updated_at", *columns])
    writer.writerows([[str(number), AT, *texts] for number, texts in enumerate(table)])
    result = inbox.land("contacts", out.getvalue())
    assert result.rejects == []
    expected = {str(n): tuple(text.strip(SPACES) or None for text in texts) for n, texts in enumerate(table)}
    assert {key: tuple(texts) for key, *texts in result.rows("contact_id", *columns)} == expected


# ---- headers


def test_header_is_mapped_by_name(inbox):
    result = inbox.land("contacts", f" First_Name ,CONTACT_ID,updated_at\nAni,1,{AT}\nBudi,2,{AT}\n")
    assert landed(result) == ROWS


@pytest.mark.parametrize("gone", ["contact_id", "updated_at"])
def test_missing_required_column_is_refused(refused, gone):
    message = refused(GOOD.replace(gone, "renamed"))
    assert message.startswith(f"/inbox/contacts.csv: has no column '{gone}', which contacts.{gone} is read from")


def test_missing_column_that_is_mapped_is_refused(refused):
    message = refused(GOOD, {"columns": {"first_name": "given"}})
    assert "/inbox/contacts.csv: has no column 'given', which contacts.first_name is read from" in message


def test_one_of_several_files_without_a_required_column_is_refused(inbox, refused):
    for name in ("a.csv", "c.csv"):
        inbox.put(f"many/{name}", GOOD)
    inbox.put("many/b.csv", GOOD.replace("updated_at", "changed"))
    message = refused(spec={"path": "many/*.csv"})
    assert message.startswith("/inbox/many/b.csv: has no column 'updated_at'")


def test_one_of_several_jsonl_files_without_a_required_key_is_refused(inbox, refused):
    inbox.put("many/a.jsonl", f'{{"contact_id": 1, "updated_at": "{AT}"}}\n')
    inbox.put("many/b.jsonl", '{"contact_id": 2}\n')
    assert refused(spec={"path": "many/*.jsonl"}).startswith("/inbox/many/b.jsonl: has no column 'updated_at'")


def test_one_of_several_parquet_files_without_a_required_column_is_refused(inbox, refused):
    (inbox.folder / "many").mkdir(parents=True)
    pq.write_table(pa.table({"contact_id": ["1"], "updated_at": [AT]}), inbox.folder / "many" / "a.parquet")
    pq.write_table(pa.table({"contact_id": ["1"]}), inbox.folder / "many" / "b.parquet")
    assert refused(spec={"path": "many/*.parquet"}).startswith("/inbox/many/b.parquet: has no column 'updated_at'")


def test_optional_column_may_lack_in_one_of_several_files(inbox):
    inbox.put("a.csv", GOOD)
    inbox.put("b.csv", f"updated_at,contact_id\n{AT},3\n")
    result = inbox.land("contacts", spec={"path": "?.csv"})
    assert landed(result) == [*ROWS, ("3", None)]
    assert sorted(result.rows("_file", "_line")) == [("a.csv", 2), ("a.csv", 3), ("b.csv", 2)]


def test_new_column_is_named_and_kept_out(inbox, caplog):
    result = inbox.land("contacts", f"contact_id,updated_at,Tier,first_name,shoe size\n1,{AT},gold,Ani,42\n")
    assert result.manifest.ignored_columns == ["Tier", "shoe size"]
    assert set(result.manifest.columns) & {"Tier", "shoe size"} == set()
    assert "contacts of shop: columns that nothing maps are kept out: Tier, shoe size" in caplog.messages
    assert "gold" not in caplog.text


def test_column_named_twice_is_refused_without_its_name(refused):
    message = refused(f"ani@example.com,{AT},Ani,ANI@example.com\n1,2,3,4\n")
    assert "columns 1 and 4 of its header have the same name" in message
    assert "@" not in message


def test_file_without_header_is_refused_without_its_content(refused):
    assert "Ani" not in refused(GOOD.removeprefix(HEAD))


def test_unnamed_columns_are_left_out(inbox):
    result = inbox.land("contacts", f"contact_id,updated_at,first_name,,\n1,{AT},Ani,x,y\n")
    assert landed(result) == [("1", "Ani")]
    assert result.manifest.ignored_columns == []


@pytest.mark.parametrize("name", ["_file", "_LINE", "_raw", "reason", "contact_id__raw", "batch"])
def test_column_with_a_name_of_our_own_does_no_harm(inbox, name):
    result = inbox.land("contacts", f"contact_id,updated_at,first_name,{name}\n1,{AT},Ani,boo\n")
    assert result.rows("contact_id", "first_name", "_file", "_line") == [("1", "Ani", "contacts.csv", 2)]


# ---- whole files


@pytest.mark.parametrize("name", ["contacts.csv", "contacts.jsonl", "contacts.parquet"])
@pytest.mark.parametrize("content", [b"", gzip.compress(b"")], ids=["empty", "empty within gzip"])
def test_empty_file_is_refused(inbox, refused, name, content):
    inbox.put(f"new/{name}", content)
    message = refused(spec={"path": f"new/{name}"})
    assert message.startswith(f"/inbox/new/{name}: is ")
    assert "empty" in message or "damaged" in message


@pytest.mark.parametrize("content", ["\n", "\n\n\r\n"])
def test_file_of_blank_lines_is_refused(refused, content):
    assert "has no header line" in refused(content)


@pytest.mark.parametrize("keep", [12, 0.5, -8, -1])
def test_truncated_gzip_is_refused(refused, keep):
    whole = gzip.compress((GOOD + "".join(row(n, f"name {n * 7919}") for n in range(3, 9000))).encode())
    size = int(len(whole) * keep) if isinstance(keep, float) else keep
    assert "is a damaged or incomplete gzip file" in refused(whole[:size])


@pytest.mark.parametrize("position", [-7, 12, 500])
def test_corrupt_gzip_is_refused(refused, position):
    whole = bytearray(gzip.compress((HEAD + "".join(row(n, f"name {n * 7919}") for n in range(999))).encode()))
    whole[position] ^= 0xFF
    assert "is a damaged or incomplete gzip file" in refused(bytes(whole))


def test_gzip_is_read_whatever_its_name(inbox):
    assert landed(inbox.land("contacts", gzip.compress(GOOD.encode()))) == ROWS
    inbox.put("zipped/contacts.CSV.gz", gzip.compress(GOOD.encode()))
    assert landed(inbox.land("contacts", spec={"path": "zipped/*"})) == ROWS


@pytest.mark.parametrize("keep", [4, 0.5, -1])
def test_truncated_parquet_is_refused(inbox, refused, keep):
    sink = io.BytesIO()
    pq.write_table(pa.table({"contact_id": ["1"] * 999, "updated_at": [AT] * 999}), sink)
    whole = sink.getvalue()
    inbox.put("contacts.parquet", whole[: int(len(whole) * keep) if isinstance(keep, float) else keep])
    message = refused(spec={"path": "contacts.parquet"})
    assert message.startswith("/inbox/contacts.parquet: is a damaged or incomplete Parquet file")


def test_parquet_with_damaged_pages_is_refused(inbox, refused):
    sink = io.BytesIO()
    pq.write_table(pa.table({"contact_id": [str(n) for n in range(999)], "updated_at": [AT] * 999}), sink)
    whole = bytearray(sink.getvalue())
    whole[8:400] = bytes(392)
    inbox.put("contacts.parquet", bytes(whole))
    assert "cannot be read, its files are damaged" in refused(spec={"path": "contacts.parquet"})


@pytest.mark.parametrize("name", ["contacts.csv", "contacts.jsonl", "contacts.parquet"])
def test_html_instead_of_data_is_refused(inbox, refused, name):
    html = '<!DOCTYPE html>\n<html lang="en"><body class="error">\n<p>Log in, please, "Ani"</p>\n</body></html>\n'
    inbox.put(f"new/{name}", html)
    message = refused(spec={"path": f"new/{name}"})
    assert message.startswith(f"/inbox/new/{name}: ")
    assert "Ani" not in message


@pytest.mark.parametrize("content", [HEAD, HEAD.strip(), HEAD + "\n\n"])
def test_header_only_lands_empty(inbox, content):
    result = inbox.land("contacts", content)
    assert result.rows("*") == []
    assert (result.manifest.rows, result.manifest.rejected, result.manifest.watermark) == (0, 0, None)


def test_same_file_twice_changes_no_row(inbox):
    once = inbox.land("contacts", GOOD, {"path": "*.csv"}).rows("*")
    inbox.put("contacts (copy).csv", GOOD)
    twice = inbox.land("contacts", spec={"path": "*.csv"})
    assert sorted(twice.rows("contact_id", "first_name")) == ROWS
    assert (twice.manifest.rows, twice.manifest.repeated, twice.manifest.superseded) == (len(once), 2, 0)


def test_files_of_one_name_in_two_folders_are_told_apart(inbox):
    inbox.put("a/contacts.csv", GOOD)
    inbox.put("b/contacts.csv", HEAD + row(3, "Cici") + "4\n")
    result = inbox.land("contacts", spec={"path": "*/contacts.csv"})
    assert sorted(result.rows("contact_id", "_file")) == [
        ("1", "a/contacts.csv"),
        ("2", "a/contacts.csv"),
        ("3", "b/contacts.csv"),
    ]
    assert result.rejects == [("b/contacts.csv", 3, "the line has 1 fields where the header has 3")]


@pytest.mark.parametrize("name", ['o\'brien "x".csv', "a b;--.csv", "kontak [1].csv", "{{ x }}.csv", "ñ*.csv"])
def test_hostile_file_names(inbox, name):
    inbox.put(f"odd/{name}", GOOD)
    result = inbox.land("contacts", spec={"path": "odd/*.csv"})
    assert set(result.rows("_file")) == {(f"odd/{name}",)}


def test_hostile_parquet_names_are_no_patterns(inbox):
    (inbox.folder / "odd").mkdir(parents=True)
    for name, key in (("a[1]'x.parquet", "1"), ("a1'x.parquet", "2"), ("a*.parquet", "3")):
        table = pa.table({"contact_id": [key], "updated_at": [AT]})
        pq.write_table(table, inbox.folder / "odd" / name)
    result = inbox.land("contacts", spec={"path": "odd/a*.parquet"})
    assert sorted(result.rows("contact_id", "_file", "_line")) == [
        ("1", "odd/a[1]'x.parquet", 1),
        ("2", "odd/a1'x.parquet", 1),
        ("3", "odd/a*.parquet", 1),
    ]


def test_no_file_is_refused(inbox, refused):
    assert "no file matches 'contacts-2026-03-10.csv'" in refused(spec={"path": "contacts-{ds}.csv"})


def test_unknown_format_is_refused_unless_it_is_said(inbox, refused):
    inbox.put("contacts.dat", GOOD)
    assert "its name does not tell its format" in refused(spec={"path": "contacts.dat"})
    assert landed(inbox.land("contacts", spec={"path": "contacts.dat", "format": "csv"})) == ROWS


def test_text_and_parquet_together_are_refused(inbox, refused):
    inbox.put("mix/a.csv", GOOD)
    inbox.put("mix/b.parquet", b"PAR1")
    assert "matches Parquet and text files" in refused(spec={"path": "mix/*"})


# ---- size


def test_huge_field_is_rejected(inbox):
    long = row(3, "x" * (2 << 20)) + row(4, "x" * MAX_FIELD)
    result = inbox.land("contacts", GOOD + long + row(5, "Eka") + row(6, "x" * MAX_FIELD + ",more"))
    assert sorted((key, len(name)) for key, name in landed(result)) == [("1", 3), ("2", 4), ("4", MAX_FIELD), ("5", 3)]
    assert [line for line, _ in result.faults] == [4, 7]
    assert "field larger than" in result.faults[0][1]
    assert all(len(path.read_bytes()) < 5000 for path in (inbox.root / "home" / "rejects").rglob("*.jsonl"))


def test_huge_json_value_is_rejected(inbox):
    inbox.put("c.jsonl", "".join(json.dumps({"contact_id": n, "updated_at": AT, "city": "x" * n}) + "\n"
                                 for n in (1, 2 << 20)))  # fmt: skip
    result = inbox.land("contacts", spec={"path": "c.jsonl"})
    assert result.column("contact_id") == ["1"]
    assert result.faults == [(2, f"the line has a field larger than {MAX_FIELD} characters")]


def test_endless_line_is_rejected_in_bounded_memory(inbox):
    """In a process of its own, because only there does its peak count."""
    inbox.put("contacts.csv", GOOD)
    with (inbox.folder / "contacts.csv").open("ab") as file:
        for _ in range(50):
            file.write(b"x" * (1 << 20))
        file.write(b"\n" + row(3, "Cici").encode())
    long = inbox.land("contacts")
    assert landed(long) == [*ROWS, ("3", "Cici")]
    assert long.faults == [(4, f"the line is longer than {MAX_LINE} bytes")]
    small = inbox.put("small/contacts.csv", GOOD)
    peaks = {}
    for name, path in {"small": small, "long": inbox.folder / "contacts.csv"}.items():
        code = f"""
            import resource
            from pathlib import Path
            from tangga.sources.records import TextFile
            records = list(TextFile(Path({str(path)!r}), "x").csv_records(","))
            print(len(records), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        """
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-c", textwrap.dedent(code)]
        count, peaks[name] = map(int, subprocess.check_output(command, env=environment, text=True).split())
        assert count == {"small": 3, "long": 4}[name]
    assert peaks["long"] - peaks["small"] < 20 * 1024  # KiB; the line alone is 50 MiB


def test_only_the_first_rejects_are_kept_but_all_are_counted(inbox):
    result = inbox.land("contacts", GOOD + "broken\n" * (MAX_REJECTS_KEPT + 5) + row("", "nobody"))
    assert result.manifest.rejected == MAX_REJECTS_KEPT + 6
    path = inbox.root / "home" / "rejects" / "contacts" / "source=shop" / "ds=2026-03-10" / "rejects.jsonl"
    assert len(path.read_text().splitlines()) == MAX_REJECTS_KEPT
    text = TextFile(inbox.folder / "contacts.csv", "contacts.csv")
    assert len(list(text.csv_records(","))) == 4
    assert (text.bad.count, len(text.bad.kept)) == (MAX_REJECTS_KEPT + 5, MAX_REJECTS_KEPT)


# ---- ways out of the inbox


@pytest.mark.parametrize("path", ["../outside.csv", "x/../../outside.csv", "{root}/outside.csv", "/etc/passwd"])
def test_path_outside_the_inbox_is_refused(inbox, refused, path):
    inbox.put("../outside.csv", GOOD)
    message = refused(spec={"path": path.replace("{root}", str(inbox.root))})
    assert "leads out of the source's folder" in message


@pytest.mark.parametrize("path", ["a**b/*.csv", "."])
def test_pattern_that_is_none_is_refused(refused, path):
    message = refused(spec={"path": path})
    assert "is not a pattern for files" in message or "leads out of the source's folder" in message


@pytest.mark.parametrize("target", ["../outside.csv", "inside.csv"])
def test_linked_file_is_refused(inbox, refused, target):
    inbox.put("../outside.csv", GOOD)
    inbox.put("inside.csv", GOOD)
    inbox.put("many/a.csv", GOOD)
    (inbox.folder / "many" / "b.csv").symlink_to(inbox.folder / target)
    message = refused(spec={"path": "many/*.csv"})
    assert message.startswith("/inbox/many/b.csv: is or goes through a link")


@pytest.mark.parametrize("target", ["../outside", "inside"])
def test_linked_folder_is_refused(inbox, refused, target):
    inbox.put(f"{target}/deep/a.csv", GOOD)
    (inbox.folder / "link").symlink_to(inbox.folder / target)
    for pattern in ("link/deep/*.csv", "link/*/a.csv", "*/deep/*.csv"):
        message = refused(spec={"path": pattern})
        assert "/inbox/link/deep/a.csv: is or goes through a link" in message


def test_dangling_link_is_refused(inbox, refused):
    inbox.put("many/a.csv", GOOD)
    (inbox.folder / "many" / "b.csv").symlink_to(inbox.root / "nowhere")
    assert "goes through a link" in refused(spec={"path": "many/*"})


def test_inbox_itself_may_be_a_link(inbox):
    inbox.put("contacts.csv", GOOD)
    inbox.folder.rename(inbox.root / "real")
    inbox.folder.symlink_to(inbox.root / "real")
    assert landed(inbox.land("contacts")) == ROWS


# ---- JSON lines


def test_jsonl(inbox):
    lines = [
        f'{{"contact_id": 1, "updated_at": "{AT}", "first_name": "Ani", "interests": ["a", "b"]}}',
        f'{{"updated_at": "{AT}", "CONTACT_ID": "007", "city": {{"b": 1.10, "a": [1e400, null, true]}}}}',
        "",
        '{"contact_id": 3,',
        f'[{{"contact_id": 4, "updated_at": "{AT}"}}]',
        "12",
        '{"contact_id": 5}',
        f'{{"contact_id": 12345678901234567890123, "updated_at": "{AT}", "first_name": false, "city": 1.10}}',
        f'{{"contact_id": 6, "updated_at": "{AT}", "city": NaN}}',
        f'{{"contact_id": 7, "Contact_Id": 8, "updated_at": "{AT}"}}',
        f'{{"contact_id": 9, "updated_at": "{AT}", "city": "\\ud800"}}',
        f'{{"contact_id": 10, "updated_at": "{AT}", "city": "a\\u0000b"}}',
        f'{{"contact_id": 11, "updated_at": "{AT}", "city": "\\ud83d\\ude00 \\\\u0000"}}',
        "[" * 100_000,
        f'{{"contact_id": 12, "updated_at": "{AT}", "new": 1}}',
    ]
    inbox.put("contacts.jsonl", "\n".join(lines))
    result = inbox.land("contacts", spec={"path": "contacts.jsonl"})
    assert sorted(result.rows("contact_id", "first_name", "city", "interests", "_line")) == [
        ("007", None, '{"a":[1e400,null,true],"b":1.10}', None, 2),
        ("1", "Ani", None, '["a","b"]', 1),
        ("11", None, "😀 \\u0000", None, 13),
        ("12", None, None, None, 15),
        ("12345678901234567890123", "false", "1.10", None, 8),
    ]
    assert result.faults == [
        (4, "the line is not JSON"),
        (5, "the line is not a JSON object"),
        (6, "the line is not a JSON object"),
        (9, "the line is not JSON: it has NaN"),
        (10, "the line names a key twice"),
        (11, "the line has an escape that is not a character"),
        (12, "the line has an escape that is not a character"),
        (14, "the line is not JSON"),
        (7, "updated_at is missing"),
    ]
    assert result.manifest.ignored_columns == ["new"]


def test_json_numbers_are_kept_exactly(inbox):
    rest = f'"contact_id": 1, "ordered_at": "{AT}", "status": "paid", "currency": "IDR"'
    amounts = ["0.1", "123456789012345.67", "1e2", "1e400", "10"]
    inbox.put("o.jsonl", "".join(f'{{"order_id": {n}, "total_amount": {a}, {rest}}}\n' for n, a in enumerate(amounts)))
    result = inbox.land("orders", spec={"path": "o.jsonl"})
    assert sorted(result.rows("order_id", "total_amount")) == [
        ("0", Decimal("0.10")),
        ("1", Decimal("123456789012345.67")),
        ("4", Decimal("10.00")),
    ]
    assert result.faults == [(3, "total_amount is not an amount"), (4, "total_amount is not an amount")]


# ---- Parquet


def test_typed_parquet(inbox):
    moment = datetime(2026, 3, 1, 10, 0, 0)
    table = pa.table(
        {
            "order_id": pa.array([7, 8, 9, 10], pa.int64()),
            "contact_id": pa.array([1.0, None, 3.5, 4.0], pa.float64()),
            "ordered_at": pa.array([moment] * 4, pa.timestamp("ms")),
            "status": ["paid"] * 4,
            "currency": ["IDR"] * 4,
            "total_amount": pa.array([1.1, 2.2, 3.3, float("nan")], pa.float64()),
            "tax_amount": pa.array([Decimal("1.005"), None, Decimal("-2"), Decimal("1")], pa.decimal128(20, 6)),
            "channel": [["a", "b"]] * 4,
            "coupon_code": [{"a": "x"}] * 4,
            "filename": ["boo"] * 4,
            "_FILE": ["boo"] * 4,
        }
    )
    inbox.folder.mkdir()
    pq.write_table(table, inbox.folder / "orders.parquet")
    result = inbox.land("orders", spec={"path": "orders.parquet"})
    utc = datetime(2026, 3, 1, 3, 0)  # Jakarta is seven hours ahead
    columns = "order_id, contact_id, ordered_at, total_amount, tax_amount, channel, coupon_code, _file, _line"
    assert sorted(result.rows(columns)) == [
        ("7", "1", utc, Decimal("1.10"), Decimal("1.01"), '["a","b"]', '{"a":"x"}', "orders.parquet", 1),
        ("9", "3.5", utc, Decimal("3.30"), Decimal("-2.00"), '["a","b"]', '{"a":"x"}', "orders.parquet", 3),
    ]
    assert result.faults == [(2, "contact_id is missing"), (4, "total_amount is not an amount")]
    assert result.manifest.ignored_columns == ["filename"]


@pytest.mark.parametrize(
    "values, expected",
    [
        (pa.array([datetime(2026, 3, 1, 10, tzinfo=UTC)], pa.timestamp("us", "UTC")), datetime(2026, 3, 1, 10)),
        (pa.array([datetime(2026, 3, 1, 3, tzinfo=UTC)], pa.timestamp("ns", "Asia/Jakarta")), datetime(2026, 3, 1, 3)),
        (pa.array([datetime(2026, 3, 1, 10)], pa.timestamp("ns")), datetime(2026, 3, 1, 3)),
        (pa.array([date(2026, 3, 1)]), datetime(2026, 2, 28, 17)),
        (pa.array(["2026-03-01 10:00"]), datetime(2026, 3, 1, 3)),
        (pa.array([1], pa.int64()), None),
        (pa.array([[1]]), None),
        (pa.array([{"a": 1}]), None),
        (pa.array([True]), None),
        (pa.array([None], pa.null()), None),
    ],
)
def test_instants_of_every_parquet_type(inbox, values, expected):
    inbox.folder.mkdir()
    pq.write_table(pa.table({"contact_id": ["1"], "updated_at": values}), inbox.folder / "contacts.parquet")
    result = inbox.land("contacts", spec={"path": "contacts.parquet"})
    assert result.column("updated_at") == ([expected] if expected else [])


@pytest.mark.parametrize(
    "values, expected",
    [
        (pa.array([date(1990, 5, 1)]), date(1990, 5, 1)),
        (pa.array([datetime(1990, 5, 1)], pa.timestamp("us")), date(1990, 5, 1)),
        (pa.array([datetime(1990, 5, 1, tzinfo=UTC)], pa.timestamp("us", "UTC")), date(1990, 5, 1)),
        (pa.array([datetime(1990, 4, 30, 17, tzinfo=UTC)], pa.timestamp("us", "UTC")), date(1990, 5, 1)),
    ],
)
def test_dates_of_every_parquet_type(inbox, values, expected):
    inbox.folder.mkdir()
    table = pa.table({"contact_id": ["1"], "updated_at": [AT], "birth_date": values})
    pq.write_table(table, inbox.folder / "contacts.parquet")
    assert inbox.land("contacts", spec={"path": "contacts.parquet"}).column("birth_date") == [expected]


def test_typed_midnight_of_utc_is_that_day_west_of_it_too(inbox):
    births = pa.array([datetime(1990, 5, 1, hour, tzinfo=UTC) for hour in (0, 3, 4)], pa.timestamp("us", "UTC"))
    inbox.folder.mkdir()
    table = pa.table({"contact_id": ["1", "2", "3"], "updated_at": [AT] * 3, "birth_date": births})
    pq.write_table(table, inbox.folder / "contacts.parquet")
    result = inbox.land("contacts", spec={"path": "contacts.parquet", "time_zone": "America/New_York"})
    expected = [("1", date(1990, 5, 1)), ("2", date(1990, 4, 30)), ("3", date(1990, 5, 1))]
    assert sorted(result.rows("contact_id", "birth_date")) == expected


@pytest.mark.parametrize("kind", [pa.float32(), pa.float64(), pa.int8(), pa.int64(), pa.decimal128(5, 1), pa.bool_()])
def test_whole_numbers_of_every_parquet_type(inbox, kind):
    score = pa.array([1], pa.int8()).cast(kind)
    table = pa.table({"response_id": ["1"], "survey": ["s"], "kind": ["nps"], "answered_at": [AT], "score": score})
    inbox.folder.mkdir()
    pq.write_table(table, inbox.folder / "answers.parquet")
    result = inbox.land("survey_responses", spec={"path": "answers.parquet"})
    assert result.column("score") == ([] if kind == pa.bool_() else [1])


def test_parquet_files_of_other_types_are_refused(inbox, refused):
    (inbox.folder / "many").mkdir(parents=True)
    pq.write_table(pa.table({"contact_id": [1], "updated_at": [AT]}), inbox.folder / "many" / "a.parquet")
    pq.write_table(pa.table({"contact_id": ["1"], "updated_at": [AT]}), inbox.folder / "many" / "b.parquet")
    message = refused(spec={"path": "many/*.parquet"})
    assert message.startswith("/inbox/many/b.parquet: column contact_id is VARCHAR but BIGINT")


def test_folders_named_like_partitions_add_no_column(inbox):
    (inbox.folder / "city=Bandung").mkdir(parents=True)
    pq.write_table(pa.table({"contact_id": ["1"], "updated_at": [AT]}), inbox.folder / "city=Bandung" / "a.parquet")
    assert inbox.land("contacts", spec={"path": "*/a.parquet"}).column("city") == [None]


def test_parquet_order_does_not_depend_on_threads(inbox):
    inbox.folder.mkdir()
    start = datetime(2026, 1, 1)
    table = pa.table({"contact_id": [str(n) for n in range(9999)],
                      "updated_at": [start + timedelta(seconds=n * 7919 % 9999) for n in range(9999)]})  # fmt: skip
    pq.write_table(table, inbox.folder / "contacts.parquet", row_group_size=100)
    result = inbox.land("contacts", spec={"path": "contacts.parquet"})
    assert dict(result.rows("contact_id", "_line")) == {str(n): n + 1 for n in range(9999)}


def test_what_the_operating_system_put_there_is_not_read(inbox):
    inbox.put("._contacts.csv", b"\x00\x05\x16\x07")
    inbox.put("contacts.csv", "contact_id,updated_at\n1,2026-03-01\n")
    assert inbox.land("contacts", spec={"path": "*.csv"}).column("_file") == ["contacts.csv"]


def test_names_of_columns_that_could_be_somebody_are_counted_not_told(inbox, caplog):
    rows = {"contact_id": "1", "updated_at": "2026-03-01", "ani@example.com": "x", "+62 811 1234": "x", "tier": "x"}
    inbox.put("contacts.jsonl", json.dumps(rows) + "\n")
    inbox.land("contacts", spec={"path": "contacts.jsonl"})
    assert "contacts of shop: columns that nothing maps are kept out: tier, 2 more" in caplog.messages


def test_ids_that_are_no_numbers_are_missing(inbox):
    path = inbox.folder / "orders.parquet"
    path.parent.mkdir(parents=True)
    duckdb.sql(
        "copy (select 'o' || id as order_id, cast(id as double) as contact_id, '2026-03-01' as ordered_at, 'paid' as "
        "status, 'IDR' as currency, 5 as total_amount from (values ('7'), ('nan'), ('inf')) as given(id)) "
        f"to '{path}' (format parquet)"
    )
    landed = inbox.land("orders", spec={"path": "orders.parquet", "max_reject_share": 1})
    assert landed.column("contact_id") == ["7"]
    assert [reason for _, reason in landed.faults] == ["contact_id is missing"] * 2
