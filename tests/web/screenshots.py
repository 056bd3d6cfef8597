"""The pictures of the page in README.md and docs/page.md, taken of what `make up` is showing: `make screenshots`.

    python -m tests.web.screenshots [--home DIRECTORY]

Pictures of the same day are the same but for the clock of the deliveries. Exit code 1: nothing is up there.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tangga.campaigns import mobile
from tangga.local import airflow_home
from tangga.settings import REPOSITORY, load
from tests.e2e.running import Airflow
from tests.e2e.visiting import customers, follow, visitor

IMAGES = REPOSITORY / "docs" / "images"


def main(home: str | None) -> int:
    settings = load(home=home)
    try:
        up = json.loads((airflow_home.folder(settings) / "up.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        print(f"Nothing is up in {settings.home}: 'make up DEMO_TOOLS=1' first, and wait for a day.", file=sys.stderr)
        return 1
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=mobile.browser(), args=list(mobile.FLAGS))
        with visitor(chromium, Airflow(settings.home, up["port"]), "mark", color_scheme="light") as page:
            shown = customers(page)
            take(page, "page_overview", 900)
            follow(shown, "Winback")
            take(page, "page_audience", 1000)
            follow(shown, "Deliveries")
            take(page, "page_deliveries", 860)
        chromium.close()
    return 0


def take(page: Page, name: str, height: int) -> Path:
    """What is seen in a window of that height."""
    page.set_viewport_size({"width": 1440, "height": height})
    page.mouse.move(0, 0)
    page.wait_for_timeout(500)  # until Airflow's own line of progress has gone
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path, animations="disabled")
    print(f"{path.relative_to(REPOSITORY)}: {path.stat().st_size / 1000:.0f} kB")
    return path


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.web.screenshots", description="The pictures of the page.")
    parser.add_argument("--home", help="of what is up (default: $TANGGA_HOME, then var/)")
    sys.exit(main(parser.parse_args().home))
