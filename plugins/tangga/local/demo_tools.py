"""E-mail tools on this machine that behave like the real ones, for `make up DEMO_TOOLS=1`.

They live with the tests, which prove by them what is sent (`tests/fakes/`); here they are a process beside Airflow's.
"""

from __future__ import annotations

import json
import os

from tangga.settings import Settings

HOST = "127.0.0.1"
_KEYS = {"demo_mailchimp": "0123456789abcdef0123456789abcdef-us6", "demo_hubspot": "pat-eu1-fake"}
"""The keys that the servers let in: they guard nothing."""


def wanted() -> bool:
    return bool(os.environ.get("TANGGA_DEMO_TOOLS"))


def ports(port: int) -> dict[str, int]:
    """Where the page and the tools listen: above the port of Airflow."""
    return {"page": port + 1, "mailchimp": port + 2, "hubspot": port + 3}


def page(port: int) -> str:
    return f"http://{HOST}:{ports(port)['page']}"


def connections(port: int) -> dict[str, str]:
    """Airflow's connections to the tools, as environment variables."""
    at = ports(port)
    return {
        f"AIRFLOW_CONN_{name.upper()}": json.dumps(
            {"conn_type": "http", "host": f"http://{HOST}:{at[name.removeprefix('demo_')]}", "password": key}
        )
        for name, key in _KEYS.items()
    }


def arguments(settings: Settings, port: int) -> list[str]:
    """What `python -m tests.fakes` is told."""
    told = [word for name, number in ports(port).items() for word in (f"--{name}", str(number))]
    return [*told, "--state", str(settings.home / "demo_tools")]
