"""Expected value on the CDNOW sample, against the published figures.

2,357 people who first bought from CDNOW in the first quarter of 1997, until June 1998: the data that the papers fit.
They come from the package `lifetimes` 0.11.3 on PyPI (MIT), of which nothing is installed and no code runs; the test is
skipped where PyPI cannot be reached.

Fader, Hardie & Lee (2005), "Counting your customers the easy way": r 0.243, alpha 4.414, a 0.793, b 2.426,
log-likelihood -9582.4. Fader & Hardie (2013), "The Gamma-Gamma model of monetary value": p 6.25, q 3.74, v 15.44.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import zipfile
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from tangga import value
from tests.unit.purchases import read, working_file

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("pymc_marketing") is None,
    reason="pymc-marketing is not installed: make setup EXTRAS=value",
)

REQUIREMENT = "lifetimes==0.11.3 --hash=sha256:261e3dc89977c2b60767ca6728aaa29d429de0c814635070a749c36555895da8\n"
UNTIL = date(1997, 9, 30)
NINE_MONTHS_ON = date(1998, 6, 30)


@pytest.fixture(scope="module")
def purchases(tmp_path_factory) -> pd.DataFrame:
    """Every purchase of the sample: customer_id, purchase_date, net_amount."""
    folder = tmp_path_factory.mktemp("lifetimes")
    (folder / "requirement.txt").write_text(REQUIREMENT, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--only-binary=:all:",
        "--require-hashes",
    ]
    done = subprocess.run(
        [*command, "--dest", str(folder), "--requirement", str(folder / "requirement.txt")], capture_output=True
    )
    if done.returncode:
        pytest.skip("lifetimes 0.11.3, which has the CDNOW sample, could not be fetched from PyPI")
    names = ["master_id", "customer_id", "purchase_date", "discs", "net_amount"]
    with (
        zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel,
        wheel.open("lifetimes/datasets/CDNOW_sample.txt") as raw,
    ):
        rows = pd.read_csv(raw, sep=r"\s+", header=None, names=names, dtype={"customer_id": str, "purchase_date": str})
    assert (len(rows), rows["customer_id"].nunique()) == (6919, 2357)
    return rows.assign(purchase_date=pd.to_datetime(rows["purchase_date"], format="%Y%m%d").dt.date)


@pytest.fixture(scope="module")
def estimates(purchases, tmp_path_factory) -> tuple[dict, pd.DataFrame]:
    """The fit, and the customers' rows by their ids."""
    settings = working_file(tmp_path_factory.mktemp("cdnow"), purchases, "{expected: true, horizon_months: 9}")
    value.expect(settings, UNTIL)
    (fit,) = read(settings, "fits")
    return fit, pd.DataFrame(read(settings, "customers")).set_index("customer_id")


def test_the_published_parameters_come_out(estimates):
    fit, _ = estimates
    assert (fit["status"], fit["reason"]) == ("fitted", None)
    assert [round(fit[name], 3) for name in ("r", "alpha", "a", "b")] == [0.243, 4.414, 0.793, 2.426]
    assert [round(fit[name], 2) for name in ("p", "q", "v")] == [6.25, 3.74, 15.44]
    assert round(fit["purchases_log_likelihood"], 1) == -9582.4
    assert (fit["customers"], fit["repeat_customers_fitted"]) == (2357, 946)


def test_the_nine_months_that_followed_were_foretold(estimates, purchases):
    """BG/NBD expects somewhat less of CDNOW than came, as the paper shows too."""
    fit, customers = estimates
    assert fit["horizon_end_date"] == NINE_MONTHS_ON
    came = purchases[(purchases["purchase_date"] > UNTIL) & (purchases["purchase_date"] <= NINE_MONTHS_ON)]
    days = came.groupby(["customer_id", "purchase_date"])["net_amount"].sum()
    assert len(days) == 1882
    assert customers["expected_purchases"].astype(float).sum() == pytest.approx(len(days), rel=0.15)
    assert customers["expected_net_value"].astype(float).sum() == pytest.approx(days.sum(), rel=0.2)
