"""Lists as CSV files: exactly the plan, safe to open, and untouched when nothing changed."""

import csv
import json

import duckdb
import pytest

from tangga import files, publish, settings
from tangga.activation.plan import ActivationRefused
from tangga.destinations import csv_files
from tangga.settings import REPOSITORY

COLUMNS = (
    "audience, customer_id, channel, email, phone, first_name, last_name, rung, segment, why, entry_key, "
    "greeting_name, language, preferred_category, recommended_product, coupon_policy, next_birthday, "
    "entered_on, step, template, is_due"
)


@pytest.fixture
def home(tmp_path):
    return settings.load(REPOSITORY / "tangga.yml", tmp_path)


def planned(home, *members):
    """A plan of (audience, customer, first name) in its folder."""
    folder = home.home / "plan"
    folder.mkdir(exist_ok=True)
    with duckdb.connect() as con:
        con.execute(
            f"create table members as select {', '.join(f'null::varchar as {c}' for c in COLUMNS.split(', '))} limit 0"
        )
        for audience, customer, name in members:
            row = [audience, customer, "email", f"{customer}@example.com", None, name, "O'Neil", "prospect", None]
            con.execute(
                "insert into members values "
                "(?, ?, ?, ?, ?, ?, ?, ?, ?, 'because', 'k', 'Kak', 'id', 'Kopi', 'Kopi Gayo', 'none', '2026-08-17', "
                "'2026-03-31', '1', 'hello', 'true')",
                row,
            )
        for name in ("members", "messages"):
            con.execute(f"copy members to '{folder / f'{name}.parquet'}' (format parquet)")
    names = sorted({audience for audience, *_ in members})
    counts = {name: sum(audience == name for audience, *_ in members) for name in names}
    plan = {
        "as_of_date": "2026-03-31",
        "hash": files.sha256(folder / "members.parquet"),
        "published_version": "v",
        "code_version": "abc",
        "stale_sources": [],
        **{f"{name}_sha256": files.sha256(folder / f"{name}.parquet") for name in ("members", "messages")},
        "audiences": {name: {"label": name.title(), "channel": "email", "rows": counts[name]} for name in names},
    }
    (folder / "plan.json").write_text(json.dumps(plan))
    publish_version(home, "v")
    return folder


def publish_version(home, version):
    folder = publish.folder(home) / "current"
    folder.mkdir(parents=True, exist_ok=True)
    said = {"version": version, "as_of_date": "2026-03-31", "code_version": "abc", "rows": {}}
    (folder / "manifest.json").write_text(json.dumps(said))


def lists(home):
    found = {}
    for path in (home.home / "exports" / "files").glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as handle:
            found[path.stem] = [(row["customer_id"], row["first_name"]) for row in csv.DictReader(handle)]
    return found


def test_each_audience_is_a_list_and_the_manifest_says_what_it_is(home):
    plan = planned(home, ("winback", "c2", "Budi"), ("winback", "c1", "Ani"), ("welcome", "c3", None))
    assert csv_files.deliver(home, "files", plan, "run-1") == csv_files.Delivery(written=2, unchanged=0, rows=3)
    assert lists(home) == {"winback": [("c1", "Ani"), ("c2", "Budi")], "welcome": [("c3", "")]}
    folder = home.home / "exports" / "files"
    manifest = json.loads((folder / "manifest.json").read_text())
    assert {key: manifest[key] for key in ("as_of_date", "published_version", "code_version", "run_id")} == {
        "as_of_date": "2026-03-31", "published_version": "v", "code_version": "abc", "run_id": "run-1",
    }  # fmt: skip
    assert manifest["audiences"]["winback"] == {
        "label": "Winback", "file": "winback.csv", "rows": 2, "sha256": files.sha256(folder / "winback.csv"),
    }  # fmt: skip


def test_a_list_with_a_campaign_says_which_step_is_due(home):
    csv_files.deliver(home, "files", planned(home, ("winback", "c1", "Ani"), ("gold", "c1", "Ani")), "run-1")
    headers = {
        path.stem: path.read_text(encoding="utf-8").splitlines()[0].split(",")
        for path in (home.home / "exports" / "files").glob("*.csv")
    }
    shared = ["email", "first_name", "last_name", "customer_id", "rung", "segment", "why", "entry_key", "greeting_name",
              "language", "preferred_category", "recommended_product", "coupon_policy", "next_birthday"]  # fmt: skip
    assert headers == {"gold": shared, "winback": [*shared, "entered_on", "step", "template", "is_due"]}


def test_delivering_the_same_again_touches_nothing(home):
    plan = planned(home, ("winback", "c1", "Ani"))
    csv_files.deliver(home, "files", plan, "run-1")
    stamps = {path: path.stat().st_mtime_ns for path in (home.home / "exports" / "files").iterdir()}
    assert len(stamps) == 2
    assert csv_files.deliver(home, "files", plan, "run-2") == csv_files.Delivery(written=0, unchanged=1, rows=1)
    assert {path: path.stat().st_mtime_ns for path in (home.home / "exports" / "files").iterdir()} == stamps


def test_an_audience_that_nobody_is_in_any_more_becomes_an_empty_list(home):
    csv_files.deliver(home, "files", planned(home, ("winback", "c1", "Ani"), ("welcome", "c3", "Cici")), "run-1")
    csv_files.deliver(home, "files", planned(home, ("winback", "c1", "Ani")), "run-2")
    assert lists(home) == {"winback": [("c1", "Ani")], "welcome": []}
    manifest = json.loads((home.home / "exports" / "files" / "manifest.json").read_text())
    assert (manifest["audiences"]["welcome"]["label"], manifest["audiences"]["welcome"]["rows"]) == ("Welcome", 0)


def test_a_list_that_somebody_changed_by_hand_is_made_right(home):
    plan = planned(home, ("winback", "c1", "Ani"))
    csv_files.deliver(home, "files", plan, "run-1")
    (home.home / "exports" / "files" / "winback.csv").write_text("email\n")
    csv_files.deliver(home, "files", plan, "run-2")
    assert lists(home) == {"winback": [("c1", "Ani")]}


@pytest.mark.parametrize(
    "name", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "＝1", "＋1", "－1", "＠x"]
)
def test_no_cell_begins_like_a_formula(home, name):
    csv_files.deliver(home, "files", planned(home, ("winback", "c1", name)), "run-1")
    assert lists(home) == {"winback": [("c1", f"'{name}")]}


@pytest.mark.parametrize("name", ["O'Neil", "<b>Ani</b>", "a,b", 'say "hi"', "{{ x }}", "line\nbreak", "Ánya"])
def test_other_texts_stay_as_they_are(home, name):
    csv_files.deliver(home, "files", planned(home, ("winback", "c1", name)), "run-1")
    assert lists(home) == {"winback": [("c1", name)]}


def test_a_plan_of_what_is_not_published_any_more_is_refused(home):
    plan = planned(home, ("winback", "c1", "Ani"))
    publish_version(home, "newer")
    with pytest.raises(ActivationRefused, match="make a new plan"):
        csv_files.deliver(home, "files", plan, "run-1")
    assert lists(home) == {}


@pytest.mark.parametrize("name", ["members", "messages"])
def test_a_plan_that_was_changed_is_refused(home, name):
    plan = planned(home, ("winback", "c1", "Ani"))
    with (plan / f"{name}.parquet").open("ab") as handle:
        handle.write(b"x")
    with pytest.raises(ActivationRefused, match="changed after it was made"):
        csv_files.deliver(home, "files", plan, "run-1")
    assert lists(home) == {}


def test_a_damaged_manifest_leaves_nobody_on_a_list_that_is_gone(home):
    csv_files.deliver(home, "files", planned(home, ("winback", "c1", "Ani"), ("welcome", "c3", "Cici")), "run-1")
    (home.home / "exports" / "files" / "manifest.json").write_text("{half")
    csv_files.deliver(home, "files", planned(home, ("winback", "c1", "Ani")), "run-2")
    assert lists(home) == {"winback": [("c1", "Ani")], "welcome": []}


def test_a_delivery_that_was_killed_before_its_manifest_leaves_nobody_on_a_list_that_is_gone(home):
    plan = planned(home, ("winback", "c1", "Ani"))
    csv_files.deliver(home, "files", plan, "run-1")
    manifest = home.home / "exports" / "files" / "manifest.json"
    before = manifest.read_bytes()
    csv_files.deliver(home, "files", planned(home, ("winback", "c1", "Ani"), ("welcome", "c3", "Cici")), "run-2")
    manifest.write_bytes(before)  # as if the process had ended between the lists and the manifest
    csv_files.deliver(home, "files", planned(home, ("winback", "c1", "Ani")), "run-3")
    assert lists(home) == {"winback": [("c1", "Ani")], "welcome": []}
