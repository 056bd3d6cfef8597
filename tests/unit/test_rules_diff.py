"""`make rules-diff`: the report over two small warehouses, and the sides that cannot be built."""

from __future__ import annotations

import subprocess
from datetime import date
from pathlib import Path

import duckdb
import pytest

from tangga import rules_diff
from tangga.local import rules_diff as command
from tangga.settings import REPOSITORY, load

DAY = date(2026, 6, 30)


def warehouse(file: Path, rungs: dict[str, str], members: set[tuple[str, str]], segments: bool = True) -> Path:
    with duckdb.connect(str(file)) as con:
        con.execute("create schema customer; create schema audiences")
        con.execute("create table customer.customer_lifecycle (customer_id text, rung_name text, reason text)")
        con.executemany(
            "insert into customer.customer_lifecycle values (?, ?, ?)",
            [(customer, rung, f"stands on {rung}") for customer, rung in rungs.items()],
        )
        con.execute("create table audiences.audience_members (audience text, customer_id text)")
        for member in sorted(members):
            con.execute("insert into audiences.audience_members values (?, ?)", member)
        if segments:
            con.execute(
                "create table customer.customer_rfm "
                "(customer_id text, segment text, r_score int, f_score int, m_score int)"
            )
    return file


@pytest.fixture
def lines(tmp_path) -> list[str]:
    before = warehouse(
        tmp_path / "before.duckdb",
        {"a": "repeat", "b": "repeat", "c": "loyal", "d": "suspect"},
        {("winback", "a"), ("winback", "b"), ("welcome", "d")},
    )
    after = warehouse(
        tmp_path / "after.duckdb",
        {"a": "majority", "b": "repeat", "c": "loyal", "e": "suspect"},
        {("winback", "b"), ("winback", "c"), ("welcome", "d"), ("birthday", "e")},
    )
    return list(rules_diff.report(before, after))


def section(lines: list[str], title: str) -> list[str]:
    start = lines.index(f"### {title}") + 1
    rest = lines[start:]
    ends = [number for number, line in enumerate(rest) if line.startswith("### ")]
    return [line for line in rest[: ends[0] if ends else None] if line]


def test_who_moves_from_where_to_where(lines):
    assert section(lines, "Rungs")[:6] == [
        "3 of 5 customers move.",
        "| from | to | customers | share of those who were there |",
        "|---|---|--:|--:|",
        "| (none) | suspect | 1 | 100.0% |",
        "| repeat | majority | 1 | 50.0% |",
        "| suspect | (none) | 1 | 100.0% |",
    ]


def test_each_mover_of_the_examples_says_why(lines):
    assert set(section(lines, "Rungs")[8:]) == {
        "| a | repeat | stands on repeat | majority | stands on majority |",
        "| d | suspect | stands on suspect | (none) |  |",
        "| e | (none) |  | suspect | stands on suspect |",
    }


def test_who_comes_to_and_goes_from_an_audience(lines):
    assert section(lines, "Audiences") == [
        "2 of 3 audiences change.",
        "| audience | before | come | go | after |",
        "|---|--:|--:|--:|--:|",
        "| birthday | 0 | 1 | 0 | 1 |",
        "| winback | 2 | 1 | 1 | 2 |",
    ]


def test_ten_examples_at_most(tmp_path):
    before = warehouse(tmp_path / "before.duckdb", {f"c{n}": "repeat" for n in range(30)}, set())
    after = warehouse(tmp_path / "after.duckdb", {f"c{n}": "loyal" for n in range(30)}, set())
    rungs = section(list(rules_diff.report(before, after)), "Rungs")
    assert rungs[3] == "| repeat | loyal | 30 | 100.0% |"
    assert len(rungs[6:]) == 10


def test_what_one_side_does_not_build_is_named(tmp_path):
    before = warehouse(tmp_path / "before.duckdb", {"a": "repeat"}, set(), segments=False)
    after = warehouse(tmp_path / "after.duckdb", {"a": "repeat"}, set())
    lines = list(rules_diff.report(before, after))
    assert section(lines, "Segments") == ["Cannot be compared: customer.customer_rfm is not built before."]
    assert section(lines, "Rungs") == ["0 of 1 customers move."]


CONFIG = """
business: {name: Tests, time_zone: Asia/Jakarta, currency: IDR, country: ID}
sources: {shop: {type: files, path: inbox, entities: {contacts: {path: contacts.csv}}}}
"""


@pytest.fixture
def company(tmp_path):
    (tmp_path / "tangga.yml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "var").mkdir()
    return load(tmp_path / "tangga.yml", tmp_path / "var")


@pytest.mark.skipif(not (REPOSITORY / ".git").exists(), reason="this checkout is not one of git's")
def test_a_base_that_git_does_not_know(company, tmp_path):
    with pytest.raises(rules_diff.DiffFailed, match="BASE=no-such-branch: git knows no such commit"):
        list(rules_diff.compare(company, DAY, "no-such-branch", tmp_path))


@pytest.mark.skipif(not (REPOSITORY / ".git").exists(), reason="this checkout is not one of git's")
def test_the_tree_of_a_commit_is_the_commit_s_own(tmp_path):
    tree = rules_diff._tree_of("HEAD", tmp_path / "tree")
    shown = subprocess.run(["git", "-C", REPOSITORY, "show", "HEAD:tangga.yml"], capture_output=True, check=True)
    assert (tree / "tangga.yml").read_bytes() == shown.stdout


def test_a_side_that_cannot_be_built_says_why(company, tmp_path):
    company.config_path.write_text("business: {}\n", encoding="utf-8")
    with pytest.raises(rules_diff.DiffFailed, match="could not be built there: .*business.name: is missing"):
        rules_diff.build(REPOSITORY, company, DAY, tmp_path / "side")


def test_nothing_to_compare_before_the_first_day(company, capsys):
    options = ["--base", "HEAD", "--config", str(company.config_path), "--home", str(company.home)]
    assert command.main(options) == 2
    assert "nothing is published there yet; 'make run' first" in capsys.readouterr().err
