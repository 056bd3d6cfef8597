"""Generated pages are what the code says today, and links in the documentation lead somewhere."""

import csv
import io
import re
from pathlib import Path

import pytest

from tangga import docs
from tangga.contracts import CONTRACTS
from tangga.settings import REPOSITORY

PAGES = (
    sorted(REPOSITORY.glob("*.md"))
    + sorted(REPOSITORY.glob("docs/**/*.md"))
    + sorted(REPOSITORY.glob("examples/*/*.md"))
)


def test_every_contract_has_its_page():
    assert {path.name for path in docs.pages()} == {f"{name}.md" for name in CONTRACTS} | {"README.md", "rules.md"}


@pytest.mark.parametrize("path", docs.pages(), ids=lambda path: path.name)
def test_generated_pages_are_current(path: Path):
    assert path.read_text(encoding="utf-8") == docs.pages()[path], "run `make docs`"


def anchors(page: Path) -> set[str]:
    """What a link can point to within a page, by GitHub's rule."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_lead_somewhere(page: Path):
    links = [link for link in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")) if "://" not in link]
    targets = [
        (link, page.parent / name if name else page, anchor)
        for link in links
        for name, _, anchor in [link.partition("#")]
    ]
    dead = [
        link for link, target, anchor in targets if not target.exists() or (anchor and anchor not in anchors(target))
    ]
    assert dead == []


@pytest.mark.parametrize("entity", CONTRACTS)
def test_the_examples_of_a_contract_keep_it(entity: str, inbox):
    columns = CONTRACTS[entity].columns
    assert [column.name for column in columns if not column.example] == []
    text = io.StringIO()
    csv.writer(text).writerows([[column.name for column in columns], [column.example for column in columns]])
    landed = inbox.land(entity, text.getvalue())
    assert (landed.manifest.rows, landed.faults, landed.manifest.emptied) == (1, [], {})
