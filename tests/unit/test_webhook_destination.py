"""The worked example of a destination of one's own, over HTTP: what it says, what it bears, what it refuses."""

import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
import textwrap

import pytest

from tangga import http, settings
from tangga.destinations import open_destination
from tangga.destinations.destination import DestinationDown, DestinationRefused
from tangga.settings import REPOSITORY, SettingsError
from tangga.sources.connections import Connection
from tests.unit.tools import Memory, by_customer, chunk, people, send, why
from tests.unit.web_api import SECRET, Reply

EXAMPLE = REPOSITORY / "examples" / "webhook_destination" / "webhook.py"


class Receiver:
    """What the README asks of a receiver: it checks who speaks, knows keys, and keeps lists."""

    def __init__(self, api):
        self.api, self.answers, self.lists, self.known, self.rejects = api, {}, {}, {}, {}
        self.after = lambda: None
        api.answer = self.answer

    def answer(self, asked):
        key = asked.headers["idempotency-key"]
        expected = hmac.new(SECRET.encode(), f"{key}.".encode() + asked.body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(asked.headers["x-signature"], f"sha256={expected}"):
            return Reply({"message": "who are you?"}, 401)
        body = json.loads(asked.body)
        if body["operation"] == "hello":
            return {"account": "The CRM"}
        if key not in self.answers:
            self.answers[key] = self.do(**body)
            self.after()
        return self.answers[key]

    def do(self, operation, list, rows):
        taken = [row for row in rows if row["key"] not in self.rejects]
        for row in taken:
            if operation == "upsert":
                self.known.setdefault(row["key"], []).append(row)
            elif operation == "add":
                self.lists.setdefault(list, []).append(row["key"])
            elif operation == "remove":
                self.lists[list].remove(row["key"])
        refused = [{"key": row["key"], "words": self.rejects[row["key"]]} for row in rows if row not in taken]
        return {"rejected": refused}


@pytest.fixture
def receiver(api):
    return Receiver(api)


@pytest.fixture
def configured(tmp_path, api, use, monkeypatch):
    """`configured(**block)`: settings with a destination `crm` that is the example."""
    monkeypatch.setattr(http, "BACKOFF", (0.0, 0.0))
    use(Connection("crm_hook", "http", host=api.url, password=SECRET))

    def configured(text=None, **block):
        (tmp_path / "webhook.py").write_text(text or EXAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
        spec = {"type": "python", "file": "webhook.py", "connection": "crm_hook", "options": {"path": "hooks/t"}}
        config = tmp_path / "tangga.yml"
        sources = {"shop": {"path": "inbox", "entities": {"contacts": {"path": "contacts.csv"}}}}
        business = {"name": "Toko", "time_zone": "Asia/Jakarta", "currency": "IDR", "country": "ID"}
        said = {"business": business, "sources": sources, "destinations": {"crm": spec | block}}
        config.write_text(json.dumps(said), encoding="utf-8")
        return settings.load(config, tmp_path / "home")

    return configured


@pytest.fixture
def webhook(configured):
    opened = open_destination(configured(), "crm", {}, "run-1")
    yield opened
    opened.close()


def test_chunks_arrive_signed_as_json(receiver, webhook, api):
    assert webhook.account() == "The CRM"
    receipt = send(webhook, "upsert", by_customer(people(2)))
    assert (list(receipt.rejected), receipt.calls) == ([], 1)
    send(webhook, "add", by_customer(people(2)), "winback", Memory())
    asked = api.asked[1]
    assert (asked.method, asked.path) == ("POST", "/hooks/t")
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["idempotency-key"] == "tool:0123456789abcdef:1"
    body = json.loads(asked.body)
    assert (body["operation"], body["list"]) == ("upsert", None)
    assert [(row["key"], row["first_name"], row["next_birthday"]) for row in body["rows"]] == [
        ("c00001", "Ani", "2026-08-17"), ("c00002", "Ani", "2026-08-17"),
    ]  # fmt: skip
    assert set(receiver.known) == {"c00001", "c00002"}


def test_rows_are_rejected_in_words_without_personal_data(receiver, webhook):
    receiver.rejects = {"c00002": "ani2@example.com (Ani) was deleted here, call +62 812 3456 789"}
    receipt = send(webhook, "add", by_customer(people(3)), "winback")
    assert why(receipt) == {"c00002": "… (…) was deleted here, call …"}
    assert receiver.lists == {"winback": ["c00001", "c00003"]}


KILLED = """
import sys
from tangga import settings
from tangga.destinations import open_destination
from tangga.sources import connections
from tests.unit.tools import by_customer, people, send

connections.resolve = lambda _: connections.Connection("crm_hook", "http", host=sys.argv[2], password=sys.argv[3])
found = open_destination(settings.load(sys.argv[1]), "crm", {}, "run-1")
print(sorted(row.key for row in send(found, "add", by_customer(people(3)), "winback").rejected))
"""


def test_a_chunk_that_is_sent_again_after_a_kill_is_done_once(receiver, configured, api):
    receiver.rejects = {"c00002": "no"}
    config = configured().config_path
    command = [sys.executable, "-c", KILLED, str(config), api.url, SECRET]
    environment = os.environ | {"PYTHONPATH": f"{REPOSITORY / 'plugins'}:{REPOSITORY}"}
    started = []
    receiver.after = lambda: started[0].send_signal(signal.SIGKILL)
    started.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE))
    assert started[0].communicate()[0] == b""
    assert started[0].returncode == -signal.SIGKILL
    assert receiver.lists == {"winback": ["c00001", "c00003"]}
    again = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    assert again.stdout == b"['c00002']\n"
    assert receiver.lists == {"winback": ["c00001", "c00003"]}
    assert len({asked.headers["idempotency-key"] for asked in api.asked}) == 1 < len(api.asked)


def test_an_answer_that_is_lost_is_asked_for_again(receiver, webhook, api):
    lost = iter([Reply(b"", 503), Reply(b"<html>", 200)])
    answer = receiver.answer
    api.answer = lambda asked: (answer(asked), next(lost, None))[1] or answer(asked)
    receipt = send(webhook, "add", by_customer(people(1)), "winback")
    assert receiver.lists == {"winback": ["c00001"]}
    assert receipt.calls == 3


def test_a_repeated_answer_may_be_about_somebody_who_was_left_out_since(receiver, webhook):
    receiver.rejects = {"c00001": "no"}
    webhook.send(chunk("add", by_customer(people(2)), "winback"), None, print)
    receipt = webhook.send(chunk("add", by_customer(people(1, start=2)), "winback"), None, print)
    assert list(receipt.rejected) == []


@pytest.mark.parametrize(
    ("answer", "raised", "said"),
    [
        (Reply({"message": "secret"}, 401), DestinationRefused, "does not accept the credentials"),
        (
            Reply({"message": "no ani1@example.com"}, 400),
            DestinationRefused,
            r"not taken: answered 400 .*\(it says: no …\)",
        ),
        (Reply(b"", 302, {"location": "http://127.0.0.2/"}), DestinationRefused, "a redirect"),
        (Reply(b"", 500), DestinationDown, "answered 500, 5 times"),
        ({"rejected": "all"}, DestinationRefused, "mend it there"),
        ({"rejected": ["c00001"]}, DestinationRefused, "mend it there"),
    ],
)
def test_what_does_not_come_back_well(api, webhook, answer, raised, said):
    api.answer = answer
    with pytest.raises(raised, match=said) as error:
        send(webhook, "add", by_customer(people(1)), "winback")
    assert "example.com" not in str(error.value) and SECRET not in str(error.value)


def test_a_connection_without_a_secret_is_refused(configured, use, api):
    use(Connection("crm_hook", "http", host=api.url))
    with pytest.raises(DestinationRefused, match="no password"):
        open_destination(configured(), "crm", {}, "run-1")


# How a file of one's own is found and checked


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ({"file": "other.py"}, "destinations.crm.file: there is no file .*other.py; paths count from"),
        ({"file": "webhook.txt"}, "destinations.crm.file: .*name a Python file"),
        ({"options": {}}, "destinations.crm.options.path: is missing"),
        ({"options": {"path": "a", "row": 3}}, "destinations.crm.options.row: is not a setting; check the spelling"),
        ({"options": {"path": "a", "rows": 0}}, "destinations.crm.options.rows: Input should be greater"),
        ({"options": {"path": "a?token=x"}}, "destinations.crm.options.path: .*without a query"),
        ({"url": "https://x"}, "destinations.crm.url: is not a setting"),
    ],
)
def test_settings_of_ones_own_destination_are_checked_like_others(configured, block, said):
    with pytest.raises(SettingsError, match=said):
        configured(**block)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1", "needs a pydantic model 'Options' and a function 'connect'"),
        ("x = 1\ny = z\n", r"webhook.py, line 2: cannot be run \(NameError: name 'z' is not defined\)"),
        ("x = (\n", r"webhook.py, line 1: cannot be run \(SyntaxError"),
        ("import nowhere_to_be_found", r"line 1: cannot be run \(ModuleNotFoundError"),
    ],
)
def test_a_file_that_is_no_destination_is_refused(configured, text, said):
    with pytest.raises(SettingsError, match=f"destinations.crm.file: .*{said}"):
        configured(text)


def test_something_else_than_a_destination_is_refused(configured):
    text = """
        from pydantic import BaseModel
        class Options(BaseModel):
            path: str
        def connect(settings, name, options):
            return options
    """
    found = configured(textwrap.dedent(text))
    with pytest.raises(DestinationRefused, match="'connect' of webhook.py gives has no 'identity'"):
        open_destination(found, "crm", {}, "run-1")


def test_a_file_that_is_edited_is_read_anew(configured, tmp_path):
    configured()
    with pytest.raises(SettingsError, match="needs a pydantic model"):
        configured("changed = True")
