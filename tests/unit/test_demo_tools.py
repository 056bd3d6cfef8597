"""The demo e-mail tools: what people see of them, what is kept, and that lists go there by `DEMO_TOOLS=1` alone."""

from __future__ import annotations

import os
import pickle
import signal
import socket
import stat
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tangga import settings
from tangga.local import airflow_home, demo_tools
from tangga.settings import REPOSITORY
from tests.fakes.hubspot_writing import HubSpotPortal
from tests.fakes.kept import Kept
from tests.fakes.mailchimp_writing import MailchimpAccount
from tests.fakes.page import WEATHER, Page

CODE = os.environ | {"PYTHONPATH": f"{REPOSITORY / 'plugins'}{os.pathsep}{REPOSITORY}", "TANGGA_DEMO_TOOLS": "1"}


@pytest.fixture
def page():
    """The page, with two tools that hold something."""
    tools = MailchimpAccount(), HubSpotPortal()
    tools[0].add_member("ani@example.com", merge_fields={"FNAME": "<script>alert(1)</script>"})
    tools[0].tag_by_hand("a/b & <i>", "ani@example.com")
    tools[0].join(tools[0].member("ani@example.com"), tools[0].tag("crm:winback"))
    tools[1].put_on(tools[1].add_list("crm:winback"), tools[1].add_contact("budi@example.com", firstname="O'Budi"))
    with ExitStack() as running:
        for tool in tools:
            running.enter_context(tool)
        yield running.enter_context(Page(*tools))


def seen(page, path: str = "/", **more) -> str:
    answered = httpx.get(page.url + path, **more)
    assert answered.status_code == 200
    return answered.text


def do(page, path: str, origin: str | None = None, **form: str) -> int:
    headers = {"Origin": page.url if origin is None else origin}
    return httpx.post(page.url + path, data=form, headers=headers).status_code


# ---- the page


def test_everything_on_the_page_is_text(page):
    shown = seen(page)
    assert "joined crm:winback" in shown
    assert "a/b &amp; &lt;i&gt;" in shown
    [own] = [line for line in shown.split('"') if line.startswith("/mailchimp/lists/a")]
    for path in (own, "/mailchimp/contacts"):
        listed = seen(page, path)
        assert "ani@example.com" in listed
        assert "&lt;script&gt;alert(1)" in listed
        assert "<script" not in listed
    assert "O&#39;Budi" in seen(page, "/hubspot/lists/crm%3Awinback")
    assert httpx.get(f"{page.url}/hubspot/lists/nothing").status_code == 404
    assert httpx.get(f"{page.url}/brevo/contacts").status_code == 404


def test_somebody_says_no_on_the_page(page):
    for tool, address in {"mailchimp": "ani@example.com", "hubspot": "budi@example.com"}.items():
        assert do(page, f"/{tool}/no", address=address, back=f"/{tool}/contacts") == 303
        assert do(page, f"/{tool}/no", address="who@example.com", back="//evil.example") == 303
        assert "says no</button>" not in seen(page, f"/{tool}/contacts")
    assert page.tools["mailchimp"].member("ani@example.com")["status"] == "unsubscribed"
    assert set(page.tools["hubspot"].opted_out) == {"budi@example.com"}
    assert [one.by for tool in page.tools.values() for one in tool.effects if one.kind == "unsubscribed"] == [
        "person", "person",
    ]  # fmt: skip


def test_other_pages_change_nothing_here(page):
    for origin in ("https://evil.example", "null", ""):
        assert do(page, "/mailchimp/no", origin, address="ani@example.com") == 403
    assert httpx.post(f"{page.url}/mailchimp/no", data={"address": "ani@example.com"}).status_code == 403
    assert httpx.get(page.url, headers={"Host": "evil.example"}).status_code == 421
    assert page.tools["mailchimp"].member("ani@example.com")["status"] == "subscribed"


def test_what_must_never_happen_is_seen_at_once(page):
    assert "must never happen" not in seen(page)
    tool = page.tools["mailchimp"]
    tool.leave(tool.member("ani@example.com"), tool.tags["a/b & <i>"])
    assert "1 of what must never happen" in seen(page)


def test_the_weather_is_made_on_the_page(page):
    tool = page.tools["hubspot"]

    def met() -> set[int]:
        asked = [httpx.get(tool.url, headers={"Authorization": f"Bearer {tool.token}"}) for _ in range(20)]
        return {one.status_code for one in asked}

    assert do(page, "/hubspot/weather", weather="storm") == 303
    assert met() > {429}
    assert WEATHER["storm"] in seen(page)
    assert do(page, "/hubspot/weather", weather="calm") == 303
    assert met() == {404}
    assert do(page, "/hubspot/weather", weather="hail") == 303
    assert page.weather == {"mailchimp": "calm", "hubspot": "calm"}


# ---- what is kept


@pytest.mark.parametrize("kind", [MailchimpAccount, HubSpotPortal])
def test_a_tool_is_found_again_as_it_was(tmp_path, kind):
    first, path = kind(), tmp_path / "demo_tools" / "tool.state"
    assert Kept(first, path).restore() is False
    if kind is MailchimpAccount:
        first.add_member("ani@example.com")
        first.tag_by_hand("vip", "ani@example.com")
    else:
        first.list_by_hand("vip", first.add_contact("ani@example.com")["properties"]["email"])
    kept = Kept(first, path)
    kept.keep()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    written = path.stat().st_mtime_ns
    kept.keep()
    assert path.stat().st_mtime_ns == written
    second = kind()
    assert Kept(second, path).restore() is True
    assert (second.on("vip"), list(second.effects)) == ({"ani@example.com"}, list(first.effects))
    assert second.effects.forbidden() == []
    assert next(second._ids) == next(first._ids)


@pytest.mark.parametrize("content", [b"nonsense", pickle.dumps({"members": {}})])
def test_what_another_version_kept_is_begun_anew(tmp_path, content):
    (tmp_path / "tool.state").write_bytes(content)
    tool = MailchimpAccount()
    assert Kept(tool, tmp_path / "tool.state").restore() is False
    assert tool.members == {}


# ---- beside Airflow


@pytest.fixture(scope="module")
def port():
    """A port above which three more are free."""
    for port in range(21000, 60000, 10):
        with ExitStack() as probes:
            try:
                for number in range(port, port + 4):
                    probes.enter_context(socket.socket()).bind((demo_tools.HOST, number))
            except OSError:
                continue
            return port
    raise AssertionError("no ports are free")


@pytest.fixture
def config(tmp_path, monkeypatch):
    """A configuration with a real tool, loaded with the demo tools wanted."""
    path = tmp_path / "tangga.yml"
    text = (REPOSITORY / "tangga.yml").read_text(encoding="utf-8")
    real = "destinations:\n  newsletter: {type: mailchimp, connection: real, list: ffffffffff}\n"
    path.write_text(text.replace("destinations:\n", real), encoding="utf-8")
    monkeypatch.setenv("TANGGA_DEMO_TOOLS", "1")
    return settings.load(path, tmp_path / "home")


def test_demo_tools_stand_in_for_real_ones(config, monkeypatch):
    assert {name: one.type for name, one in config.destinations.items()} == {
        "files": "files", "demo_mailchimp": "mailchimp", "demo_hubspot": "hubspot"
    }  # fmt: skip
    variables = airflow_home.environment(config, 9000)
    assert {name for name in variables if name.startswith("AIRFLOW_CONN_")} == {
        "AIRFLOW_CONN_DEMO_MAILCHIMP", "AIRFLOW_CONN_DEMO_HUBSPOT"
    }  # fmt: skip
    monkeypatch.delenv("TANGGA_DEMO_TOOLS")
    assert set(settings.load(config.config_path, config.home).destinations) == {"newsletter", "files"}
    assert not [name for name in airflow_home.environment(config) if name.startswith("AIRFLOW_CONN_")]


def start(config, port: int) -> subprocess.Popen:
    command = [sys.executable, "-m", "tests.fakes", *demo_tools.arguments(config, port)]
    return subprocess.Popen(command, env=CODE, cwd=config.home.parent, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def test_lists_get_there_by_the_connections_alone(config, port, tmp_path):
    running = start(config, port)
    try:
        assert demo_tools.page(port) in running.stdout.readline().decode()
        code = """
import os
from tangga import settings
from tangga.destinations import open_destination
known = settings.load()
for name in ("demo_mailchimp", "demo_hubspot"):
    print("ACCOUNT", open_destination(known, name, {}, "run").account())
"""
        env = CODE | demo_tools.connections(port) | {
            "TANGGA_CONFIG": str(config.config_path), "TANGGA_HOME": str(config.home), "AIRFLOW_HOME": str(tmp_path)
        }  # fmt: skip
        done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=120)
        accounts = [line for line in done.stdout.splitlines() if line.startswith("ACCOUNT")]
        assert len(accounts) == 2, done.stderr[-2000:]
        assert "Toko Tangga" in accounts[0]
        second = start(config, port)
        assert second.wait(60) == 1
        assert "choose another one with PORT=" in second.stdout.read().decode()
    finally:
        running.send_signal(signal.SIGTERM)
        assert running.wait(30) == 0
    kept = config.home / "demo_tools"
    assert {path.name for path in kept.iterdir()} == {"mailchimp.state", "hubspot.state"}
    assert stat.S_IMODE(Path(kept).stat().st_mode) == 0o700
