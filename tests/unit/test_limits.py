"""Beyond which limits somebody has to agree: each at its boundary, and one beyond it."""

from __future__ import annotations

import pytest

from tangga.activation import limits
from tangga.activation.limits import ListCounts
from tangga.audiences import ListAudience
from tangga.settings.rules.guards import Activation

RULES = Activation()


def beyond(lists: dict[str, tuple[int, int, int, int]], *, holds_files=False, rules=RULES, growth=0.5, removal=0.2):
    entry = ListAudience(
        model="aud_a", label="A", purpose="P", owner="o", channel="email", kind="list",
        max_growth_share=growth, max_removal_share=removal,
    )  # fmt: skip
    counts = {name: ListCounts(*numbers) for name, numbers in lists.items()}
    return limits.beyond(counts, [entry], rules, holds_files=holds_files)


@pytest.mark.parametrize(
    ("before", "added", "removed", "asks"),
    [
        (500, 0, 100, False),  # exactly 20 %
        (500, 0, 101, True),
        (500, 101, 101, True),  # as many others come: the same list in number, not in people
        (100, 0, 50, False),  # half of it, but not more than 50
        (100, 0, 51, True),
        (250, 0, 50, False),  # both exactly
        (250, 0, 51, True),
        (10_000, 0, 2_000, False),
        (10_000, 0, 2_001, True),
    ],
)
def test_people_leave(before, added, removed, asks):
    found = beyond({"a": (before, added, removed, before + added - removed)})
    assert bool(found) == asks
    assert all(sentence.startswith("a: ") and "would leave" in sentence for sentence in found)


@pytest.mark.parametrize(
    ("before", "after", "asks"),
    [
        (2, 4, False),
        (2, 52, False),  # by exactly 50
        (2, 53, True),
        (200, 300, False),  # by exactly half
        (200, 301, True),
        (0, 50, False),
        (0, 51, True),  # a list that was not there yet
    ],
)
def test_people_come(before, after, asks):
    assert bool(beyond({"a": (before, after - before, 0, after)})) == asks


@pytest.mark.parametrize(("before", "asks"), [(0, False), (10, False), (11, True), (400, True)])
def test_a_list_becomes_empty(before, asks):
    found = beyond({"a": (before, 0, before, 0)})
    assert found == ([f"a: would be empty, after {before} people."] if asks else [])


@pytest.mark.parametrize(("holds_files", "others", "asks"), [(True, 0, False), (True, 1, True), (False, 0, True)])
def test_only_files_are_filled_for_the_first_time_without_being_asked_about(holds_files, others, asks):
    lists = {"a": (0, 900, 0, 900), "b": (others, 0, 0, others)}
    assert bool(beyond(lists, holds_files=holds_files)) == asks


@pytest.mark.parametrize(("due", "asks"), [(100, False), (101, True)])
def test_a_step_is_sent_to_much_of_the_audience_at_once(due, asks):
    """Whoever was due yesterday has left the list of the step: that is what it is for."""
    found = beyond({"a": (200, 0, 0, 200), "a:2": (180, due, 180, due)})
    assert [sentence.split(":")[:2] for sentence in found] == ([["a", "2"]] if asks else [])


def test_a_step_of_an_audience_that_is_new_there():
    found = beyond({"a": (0, 60, 0, 60), "a:1": (0, 60, 0, 60)})
    assert [sentence.partition(": ")[0] for sentence in found] == ["a", "a:1"]


@pytest.mark.parametrize(("after", "asks"), [(1_000, False), (1_001, True)])
def test_a_list_that_is_longer_than_expected(after, asks):
    assert bool(beyond({"a": (990, after - 990, 0, after)}, rules=Activation(max_list_rows=1_000))) == asks


@pytest.mark.parametrize(
    ("stopped", "known", "asks"),
    [(50, 60, False), (51, 60, True), (51, 1_020, False), (51, 1_019, True), (5_000, 100_000, False)],
)
def test_many_are_stopped_at_once(stopped, known, asks):
    found = limits.many_stopped(stopped, known, RULES)
    assert [sentence.partition(" would be stopped (")[0] for sentence in found] == (
        [f"{stopped} of the {known:,} contacts there"] if asks else []
    )


def test_shares_are_what_is_written():
    """0.07 times 100 is a little more than 7 to a computer, and 0.29 times 100 a little less than 29."""
    tight = Activation(removal_rows=0, growth_rows=0)
    for percent in range(1, 100):
        share = percent / 100
        assert beyond({"a": (100, 0, percent, 100 - percent)}, rules=tight, removal=share) == []
        assert len(beyond({"a": (1000, 0, 10 * percent + 1, 999 - 10 * percent)}, rules=tight, removal=share)) == 1
        assert beyond({"a": (100, percent, 0, 100 + percent)}, rules=tight, growth=share) == []


def test_what_is_just_beyond_is_not_shown_as_the_limit():
    (sentence,) = beyond({"a": (10_000, 0, 2_001, 7_999)})
    assert sentence == "a: 2,001 of its 10,000 people would leave (20.1 %, and up to 20 % are usual)."


@pytest.mark.parametrize(("removed", "asks"), [(50, False), (51, True)])
def test_of_an_audience_that_is_gone_from_the_registry_nothing_is_usual(removed, asks):
    assert bool(beyond({"gone": (10_000, 0, removed, 10_000 - removed)})) == asks
