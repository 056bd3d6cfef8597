"""Which version is shown while another one comes."""

from __future__ import annotations

import os
import threading
import time
from datetime import date
from pathlib import Path

import pytest

from tangga.web.published import Doorkeeper, NothingPublished
from tests.web import company

FIRST, SECOND = date(2026, 5, 20), date(2026, 5, 21)
SOON = 20


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("TANGGA_HOME", str(tmp_path))
    return tmp_path


def until(is_so) -> None:
    """Wait for something that another thread does."""
    deadline = time.monotonic() + SOON
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def day(door: Doorkeeper) -> date:
    with door.open() as published:
        return date.fromisoformat(published.version.as_of_date)


def test_a_newer_one_is_shown_when_it_is_ready(home):
    company.publish(home, FIRST)
    door, begun, may_end = Doorkeeper(), threading.Event(), threading.Event()
    ready = []

    def make_ready(published):
        if published.version.as_of_date == str(SECOND):
            begun.set()
            may_end.wait(SOON)
        ready.append(published.version.as_of_date)

    with door.watching(make_ready, every=0.02):
        until(lambda: ready == [str(FIRST)])
        company.publish(home, SECOND)
        assert begun.wait(SOON)
        assert day(door) == FIRST
        may_end.set()
        until(lambda: day(door) == SECOND)
    assert ready == [str(FIRST), str(SECOND)]


def test_one_that_cannot_be_made_ready_is_shown_all_the_same(home):
    company.publish(home, FIRST)
    door, asked = Doorkeeper(), []

    def make_ready(published):
        asked.append(published.version.as_of_date)
        raise ValueError

    with door.watching(make_ready, every=0.02):
        until(lambda: asked == [str(FIRST)])
        company.publish(home, SECOND)
        until(lambda: day(door) == SECOND)
    assert asked == [str(FIRST), str(SECOND)]


def test_where_nobody_watches_the_newest_is_shown_at_once(home):
    company.publish(home, FIRST)
    door = Doorkeeper()
    assert day(door) == FIRST
    company.publish(home, SECOND)
    assert day(door) == SECOND
    with door.watching(lambda published: None, every=0.02):
        pass
    company.publish(home, date(2026, 5, 22))
    until(lambda: day(door) == date(2026, 5, 22))


def test_before_the_first_one_there_is_nothing_and_then_there_is(home):
    door, ready = Doorkeeper(), []
    with door.watching(lambda published: ready.append(published.version.as_of_date), every=0.02):
        with pytest.raises(NothingPublished):
            door.enter()
        company.publish(home, FIRST)
        until(lambda: ready == [str(FIRST)])
        assert day(door) == FIRST


def test_a_file_in_the_place_of_another_is_read_anew(home):
    """As an erasure leaves it: the same version, without somebody."""
    folder = company.publish(home, FIRST, members=(company.ANI, company.BUDI))
    door = Doorkeeper()

    def members() -> int:
        with door.open() as published:
            return published.row("select count(*) as n from audiences.audience_members")["n"]

    with door.watching(lambda published: None, every=0.02):
        assert members() == 2
        other = company.publish(home / "other", FIRST, members=(company.BUDI,))
        os.replace(other / "private.duckdb", folder / "private.duckdb")
        until(lambda: members() == 1)
