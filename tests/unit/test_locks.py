"""The locks: what an extra adds goes with what is installed without it."""

import re

import pytest

from tangga.settings import REPOSITORY

EXTRAS = sorted(REPOSITORY.glob("requirements-*.in"))


def pins(name: str) -> set[str]:
    lines = (REPOSITORY / name).read_text(encoding="utf-8").splitlines()
    return {line.split(" ;")[0] for line in lines if re.match(r"[a-z0-9]", line)}


def package(pin: str) -> str:
    return re.split(r"[=\[]", pin)[0]


def test_there_is_one_extra():
    assert [path.name for path in EXTRAS] == ["requirements-value.in"]


@pytest.mark.parametrize("extra", EXTRAS, ids=lambda path: path.stem)
def test_both_locks_can_be_installed_together(extra):
    base, added = pins("requirements.txt"), pins(f"{extra.stem}.txt")
    known = {package(pin) for pin in base}
    assert len(added) > 20
    assert {pin for pin in added - base if package(pin) in known} == set(), "run `make lock`"
