"""`make campaigns` and the part of `make check` that judges campaigns."""

from __future__ import annotations

import sys
from pathlib import Path

from tangga import campaigns, files
from tangga.campaigns import lint, mobile, render
from tangga.campaigns.tools import TOOLS
from tangga.local import command
from tangga.settings import Settings, SettingsError


def write(config: Settings, tool: str) -> list[Path]:
    """Every message as var/campaigns/<campaign>/<step>_<template>.<language>.html and .txt; with example values, or
    with the merge tags of a tool, ready to be pasted there. Returns the HTML files. Raises `RenderError`."""
    written = []
    for campaign in campaigns.load(config):
        for step in campaign.steps:
            for language in campaign.languages:
                message = render.message(config, campaign, step, language, TOOLS[tool])
                folder = config.home / "campaigns" / (campaign.name if tool == "example" else f"{tool}/{campaign.name}")
                page = folder / f"{step.number}_{step.template}.{language}.html"
                page.parent.mkdir(parents=True, exist_ok=True)
                files.write_atomically(page, message.html)
                head = f"Subject: {message.subject}\nPreheader: {message.preheader}\n\n"
                files.write_atomically(page.with_suffix(".txt"), head + message.text)
                written.append(page)
    return written


def findings(config: Settings) -> list[lint.Finding]:
    """All that is wrong, on a telephone too where there is a Chromium to show it; says when there is none."""
    found = lint.check(config)
    executable = mobile.browser()
    if executable is None:
        print(
            "Campaigns: skipped the small screen, for want of Chromium (Debian's package `chromium`).", file=sys.stderr
        )
        return found
    return found + mobile.check(config, executable)


def main() -> None:
    """Check, or write for a look; exit code 1 when something is wrong."""
    parser = command.parser("campaigns", "Every message of the campaigns: judged, or written.")
    parser.add_argument("command", choices=("check", "write"))
    parser.add_argument("--tool", choices=sorted(TOOLS), default="example")
    given = parser.parse_args()
    config = command.begin(given)
    try:
        if config.campaigns is None:
            print(f"Campaigns: {config.config_path} has no `campaigns:`; their words live in the e-mail tool.")
            return
        if given.command == "write":
            pages = write(config, given.tool)
            print(f"{len(pages)} messages, as HTML and as text: {config.home / 'campaigns'}")
            return
        found = findings(config)
    except (SettingsError, render.RenderError) as error:
        sys.exit(str(error))
    print(*found, sep="\n") if found else print("Campaigns: nothing is wrong.")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
