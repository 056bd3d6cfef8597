"""`make audience NAME=big_spenders`: a new audience to begin with: model, entry in the registry, unit test.

    python -m tangga.local.new_audience --name big_spenders

It works as it stands, with a rule to be replaced by your own. Exit code 0: written; 2: the name cannot be used.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from tangga import audiences

_MODEL = """\
-- Repeat customers: write here who belongs to it.
select
    '{name}' as audience,
    customer_id,
    rung_name || ', ' || rung_why as why,
    rung_name as entry_key
from {{{{ ref('customer_360') }}}}
where rung_name = 'repeat customer'
"""

_ENTRY = """
  - name: aud_{name}
    description: "{label}. Grain: one row per audience and customer."
    config:
      meta:
        label: {label}
        kind: list
        purpose: To be decided by marketing.
        owner: marketing
        channel: email
        max_growth_share: 0.5
        max_removal_share: 0.2
    columns: *columns
    data_tests: *one_row_a_customer
"""

_UNIT_TEST = """
  - name: aud_{name}_is_for_repeat_customers
    model: aud_{name}
    config: *when_asked
    given:
      - input: ref('customer_360')
        format: csv
        rows: |
          customer_id,rung_name,rung_why
          ani,repeat customer,bought on 3 days
          budi,first-time customer,bought on one day
    expect:
      format: csv
      rows: |
        audience,customer_id,why,entry_key
        {name},ani,"repeat customer, bought on 3 days",repeat customer
"""


class NameRefused(Exception):
    """The audience cannot be called so; the message says why."""


def write(name: str, folder: Path) -> list[Path]:
    """Write a new audience below a folder of audiences; returns the files. Raises `NameRefused`.

    The registry and the unit tests are added to, at their ends.
    """
    model, registry = folder / f"aud_{name}.sql", folder / "_audiences.yml"
    tests = folder / "_audiences_unit_tests.yml"
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name):
        raise NameRefused(f"NAME={name}: use small letters, digits and single underscores, as in big_spenders.")
    if model.exists() or f"- name: {model.stem}\n" in registry.read_text(encoding="utf-8"):
        raise NameRefused(f"NAME={name}: there is an audience of this name; edit {model}.")
    label = name.replace("_", " ").capitalize()
    model.write_text(_MODEL.format(name=name), encoding="utf-8")
    for file, text in ((registry, _ENTRY), (tests, _UNIT_TEST)):
        with file.open("a", encoding="utf-8") as handle:
            handle.write(text.format(name=name, label=label))
    return [model, registry, tests]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tangga.local.new_audience", description="Begin a new audience.")
    parser.add_argument("--name", required=True, help="small letters, digits and underscores")
    try:
        files = write(parser.parse_args(arguments).name, audiences.REGISTRY.parent)
    except NameRefused as refused:
        print(refused, file=sys.stderr)
        return 2
    print("Written, with a rule to be replaced by yours:", *(f"  {file}" for file in files), sep="\n")
    print("docs/audiences.md explains the entry; 'make test ARGS=tests/dbt/test_unit_tests.py' runs the unit test.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
