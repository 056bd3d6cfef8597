"""The e-mail tools of `make up DEMO_TOOLS=1`: both fakes and a page on which to watch them, on this machine only.

    python -m tests.fakes --page 8081 --mailchimp 8082 --hubspot 8083 --state DIRECTORY

Runs until SIGTERM or Ctrl-C. What is in the tools is kept in the directory (readable by its owner only) a second or two
after it changes, and is there again after the next start: the ledger of the same home counts on it. Exit code 1: a port
is in use.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

from tests.fakes.hubspot_writing import HubSpotPortal
from tests.fakes.kept import Kept
from tests.fakes.mailchimp_writing import MailchimpAccount
from tests.fakes.page import Page

EVERY_SECONDS = 1.0
REMEMBERED = 500
OWN = {"redaksi@toko-tangga.example": "Redaksi", "pemilik@toko-tangga.example": "Pemilik"}
"""The marketer's own contacts, who have a tag and a list of their own before anything is sent."""


def main(arguments: list[str] | None = None) -> int:
    options = _options(arguments)
    os.umask(0o077)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    tools = {"mailchimp": MailchimpAccount(), "hubspot": HubSpotPortal()}
    kept = {name: Kept(tool, options.state / f"{name}.state") for name, tool in tools.items()}
    for name, tool in tools.items():
        tool.remembered = REMEMBERED
        if not kept[name].restore():
            _furnish(tool)
    page = Page(**tools)
    try:
        for name, server in {**tools, "page": page}.items():
            server.start(getattr(options, name))
    except RuntimeError as error:
        print(f"{error}; choose another one with PORT=.", file=sys.stderr)
        return 1
    print(f"The demo e-mail tools can be watched at {page.url}", flush=True)
    while not ended.wait(EVERY_SECONDS):
        for one in kept.values():
            one.keep()
    for server in (*tools.values(), page):
        server.stop()
    for one in kept.values():
        one.keep()
    return 0


def _furnish(tool: MailchimpAccount | HubSpotPortal) -> None:
    """What a marketer has in a tool before Tangga comes."""
    if isinstance(tool, MailchimpAccount):
        for address, name in OWN.items():
            tool.add_member(address, merge_fields={"FNAME": name})
        tool.tag_by_hand("Kolega", *OWN)
    else:
        for address, name in OWN.items():
            tool.add_contact(address, firstname=name)
        tool.list_by_hand("Kolega", *OWN)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fakes", description="Demo e-mail tools on this machine.")
    for name, port in {"page": 8081, "mailchimp": 8082, "hubspot": 8083}.items():
        parser.add_argument(f"--{name}", type=int, default=port, help="port (default: %(default)s)")
    parser.add_argument("--state", type=Path, required=True, help="where to keep what is in the tools")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
