"""Reading pages as a person does: by their words."""

from __future__ import annotations

import re

import lxml.html


def page(answer) -> lxml.html.HtmlElement:
    assert answer.status_code == 200, answer.text
    return lxml.html.fromstring(answer.text)


def text(element) -> str:
    return re.sub(r"\s+", " ", element.text_content()).strip()


def rows_of(document, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading."""
    table = document.xpath(f"//*[@id='{heading}']/ancestor::section//table[tbody]")[0]
    return [[text(cell) for cell in row.xpath("./th|./td")] for row in table.xpath("./tbody/tr")]
