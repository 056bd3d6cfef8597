"""Sources that begin as a ready-made one: what the template gives, and what the company's own words change."""

import pytest
import yaml

from tangga import settings
from tangga.settings import SettingsError, templates
from tests.unit.inbox import BUSINESS

TEMPLATE = """
description: A shop's own exports.
type: files
time_zone: Europe/Paris
entities:
  contacts: {path: people.csv, columns: {contact_id: nr, updated_at: changed, email: mail}}
  orders: {path: orders.csv, min_rows: 5}
"""


@pytest.fixture
def load(tmp_path, monkeypatch):
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "paper_shop.yml").write_text(TEMPLATE, encoding="utf-8")
    monkeypatch.setattr(templates, "FOLDER", tmp_path / "templates")

    def loaded(**source):
        path = tmp_path / "tangga.yml"
        path.write_text(yaml.safe_dump({"business": BUSINESS, "sources": {"shop": source}}), encoding="utf-8")
        return settings.load(path, tmp_path / "home").sources["shop"]

    return loaded


def test_a_template_alone_gives_all_of_its_entities(load):
    source = load(template="paper_shop", path="inbox")
    assert set(source.entities) == {"contacts", "orders"}
    assert (source.time_zone, source.entities["orders"].min_rows) == ("Europe/Paris", 5)
    assert source.entities["contacts"].columns["email"].column == "mail"


def test_named_entities_are_the_only_ones_and_may_be_left_as_they_are(load):
    assert set(load(template="paper_shop", path="inbox", entities={"orders": None}).entities) == {"orders"}


def test_own_words_win_key_by_key(load):
    own = {"contacts": {"path": "members.csv", "columns": {"email": "address"}}, "tickets": {"path": "tickets.csv"}}
    source = load(template="paper_shop", path="inbox", time_zone="Asia/Jakarta", entities=own)
    assert set(source.entities) == {"contacts", "tickets"}
    assert source.time_zone == "Asia/Jakarta"
    contacts = source.entities["contacts"]
    assert contacts.path == {"file": "members.csv"}
    assert {name: origin.column for name, origin in contacts.columns.items()} == {
        "contact_id": "nr",
        "updated_at": "changed",
        "email": "address",
    }


def test_a_template_that_does_not_exist_is_said_with_those_that_do(load):
    with pytest.raises(SettingsError, match=r"sources\.shop\.template: there is no template 'shopfy'.*paper_shop"):
        load(template="shopfy", path="inbox")


def test_a_block_of_another_type_and_a_column_from_elsewhere_take_the_place_of_the_template_s(load, tmp_path):
    paged = """
description: An API.
type: rest
url: https://api.example.com
connection: api
auth: {type: header, name: X-Token}
paging: {type: page, param: page, size_param: size, size: 100}
entities:
  contacts:
    request: {path: people, records: people}
    columns: {city: {column: town, map: {JKT: Jakarta}}, country: {column: land, map: {I: ID}}}
"""
    (tmp_path / "templates" / "api.yml").write_text(paged, encoding="utf-8")
    own = {"city": {"value": "Bandung"}, "country": {"map": {"S": "SG"}}}
    source = load(
        template="api", auth={"type": "bearer"}, paging={"type": "none"}, entities={"contacts": {"columns": own}}
    )
    assert (source.auth.type, source.paging.type) == ("bearer", "none")
    columns = source.entities["contacts"].columns
    assert (columns["city"].value, columns["city"].column) == ("Bandung", None)
    assert (columns["country"].column, columns["country"].map) == ("land", {"I": "ID", "S": "SG"})
