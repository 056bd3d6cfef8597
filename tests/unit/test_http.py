"""The HTTP client, against a real server that misbehaves: what is tried again, what is not, and what never leaks."""

from __future__ import annotations

import gzip
import logging
import socket
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tangga import http
from tangga.http import Client, Denied, Unanswered
from tests.unit.web_api import SECRET, Reply, WebApi


class FakeClock:
    """A clock that only sleeping moves."""

    def __init__(self):
        self.time, self.sleeps = 1000.0, []

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.time += seconds


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def connect(api, clock):
    """Make a client of the server; all are closed at the end."""
    made = []

    def connect(base: str | None = None, timeout=5.0, deadline=60.0, per_second=None, clock=clock) -> Client:
        headers = {"authorization": f"Bearer {SECRET}"}
        made.append(Client(base or api.url, headers, timeout, deadline, per_second, clock))
        return made[-1]

    yield connect
    for client in made:
        client.close()


def in_turn(*replies):
    """Each answer once, the last for ever."""
    left = list(replies)
    return lambda asked: left.pop(0) if len(left) > 1 else left[0]


def test_an_answer(api, connect):
    api.answer = {"a": 1}
    answer = connect().call("GET", f"{api.url}/x", {"q": ["1", "2"], "begin": "a+b c"})
    assert (answer.status, answer.content) == (200, b'{"a": 1}')
    (asked,) = api.asked
    assert (asked.path, asked.query) == ("/x", {"q": ["1", "2"], "begin": ["a+b c"]})
    assert asked.headers["authorization"] == f"Bearer {SECRET}"


def test_what_is_sent_is_sent_again_as_it_was(api, connect):
    api.answer = in_turn(Reply(status=503), Reply({"ok": True}, status=201))
    assert connect().call("POST", f"{api.url}/lists", json={"name": "Ani"}).status == 201
    assert [(asked.method, asked.body) for asked in api.asked] == [("POST", b'{"name":"Ani"}')] * 2


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 403])
def test_what_passes_is_tried_five_times(api, connect, clock, status):
    api.answer = Reply(status=status)
    with pytest.raises(Unanswered, match=f"answered {status}, 5 times; try again later"):
        connect().call("GET", api.url)
    assert len(api.asked) == 5
    assert len(clock.sleeps) == 4


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (400, "(it does not understand the request); correct 'params' or 'path' in tangga.yml"),
        (401, "(it does not accept the credentials); correct the connection in Airflow, or 'auth' in tangga.yml"),
        (403, "(the credentials may not do this); let them there, or correct the connection in Airflow"),
        (404, "(there is no such address); correct 'url' or 'path' in tangga.yml"),
        (410, "(it does not do this); correct 'url', 'path' or 'params' in tangga.yml"),
        (304, "(it does not do this); correct 'url', 'path' or 'params' in tangga.yml"),
        (422, "(it does not understand the request); correct 'params' or 'path' in tangga.yml"),
    ],
)
def test_what_does_not_pass_is_told_at_once(api, connect, clock, status, advice):
    api.answer = Reply({"error": "ani@example.com"} if status != 304 else b"", status=status)
    with pytest.raises(Denied) as error:
        connect().call("GET", api.url)
    assert str(error.value) == f"answered {status} {advice}"
    assert error.value.status == status
    assert (len(api.asked), clock.sleeps) == (1, [])


def test_waits_are_full_jitter(api, connect, clock):
    api.answer = Reply(status=503)
    client = connect(deadline=1e6)
    for _ in range(40):
        with pytest.raises(Unanswered):
            client.call("GET", api.url)
    for place, most in enumerate((2, 4, 8, 16)):
        waits = clock.sleeps[place::4]
        assert all(0 <= wait <= most for wait in waits)
        assert min(waits) < most / 4
        assert max(waits) > most * 3 / 4


def at(seconds: int) -> str:
    return (datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).strftime("%a, %d %b %Y %H:%M:%S GMT")


@pytest.mark.parametrize(
    ("said", "waited"), [("7", 7), ("0", 0), (at(25), 25), (at(-25), 0), (at(25).replace(" GMT", ""), 25)]
)
def test_retry_after_is_honoured_by_the_apis_own_clock(api, connect, clock, said, waited):
    api.answer = in_turn(Reply(status=429, headers={"Retry-After": said, "Date": at(0)}), {})
    connect().call("GET", api.url)
    assert clock.sleeps == [waited]


@pytest.mark.parametrize("said", ["soon", "-5", "1.5", "²", "Mon, 99 Foo 2026"])
def test_retry_after_that_says_nothing_is_left_alone(api, connect, clock, said):
    api.answer = in_turn(Reply(status=429, headers={"Retry-After": said.encode().decode("latin-1")}), {})
    connect().call("GET", api.url)
    (wait,) = clock.sleeps
    assert 0 <= wait <= 2


@pytest.mark.parametrize("said", ["61", "9" * 400])
def test_no_wait_goes_beyond_the_deadline(api, connect, clock, said):
    api.answer = Reply(status=429, headers={"Retry-After": said})
    with pytest.raises(
        Unanswered, match="^answered 429, and 'deadline_seconds' leaves no time to wait; try again later"
    ):
        connect().call("GET", api.url)
    assert (len(api.asked), clock.sleeps) == (1, [])


def test_all_calls_together_end_at_the_deadline(api, connect, clock):
    client = connect(deadline=60)
    client.call("GET", api.url)
    clock.time += 61
    with pytest.raises(Unanswered, match="takes longer than 'deadline_seconds'"):
        client.call("GET", api.url)
    assert len(api.asked) == 1


def test_calls_are_throttled_repeated_ones_too(api, connect, clock, monkeypatch):
    monkeypatch.setattr(http, "BACKOFF", (0.0, 0.0))
    api.answer = in_turn({}, Reply(status=503), {})
    client = connect(per_second=2)
    for _ in range(9):
        client.call("GET", api.url)
    assert len(api.asked) == 10
    assert clock.time == pytest.approx(1000 + 9 * 0.5)


def test_one_connection_serves_all_calls(api, connect):
    api.answer = in_turn({}, Reply({}, status=429), Reply(status=503), {})
    client = connect()
    for _ in range(20):
        client.call("GET", api.url)
    assert len(api.asked) == 22
    assert len({asked.peer for asked in api.asked}) == 1


@pytest.mark.parametrize(
    ("reply", "timeout", "said"),
    [
        (Reply({}, delay=0.3), 0.1, "did not answer in time"),
        (Reply(b"x" * 100, drip=0.02), 0.1, "did not answer in time"),
        (Reply(b"{}", length=100), 10, r"broke off \(RemoteProtocolError\)"),
        (Reply(b"{}", headers={"Content-Encoding": "gzip"}), 10, r"broke off \(DecodingError\)"),
    ],
)
def test_a_call_that_fails_on_the_way_is_tried_again(api, connect, reply, timeout, said, monkeypatch):
    monkeypatch.setattr(http, "BACKOFF", (0.0, 0.0))
    api.answer = reply
    with pytest.raises(Unanswered, match=f"^{said}, 5 times; try again later$"):
        connect(timeout=timeout, clock=http.Clock()).call("GET", api.url)
    assert len(api.asked) == 5


def test_an_answer_that_drips_ends_at_the_deadline(api, connect):
    api.answer = Reply(b"x" * 1000, drip=0.02)
    with pytest.raises(Unanswered, match="did not answer in time, and 'deadline_seconds' leaves no time to wait"):
        connect(timeout=60, deadline=1, clock=http.Clock()).call("GET", api.url)


def test_nobody_there(connect, clock):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(Unanswered, match="^cannot be reached, 5 times; see to it that it runs and"):
            connect(base).call("GET", base)


def test_redirects_on_the_same_host_are_followed(api, connect):
    api.answer = lambda asked: (
        {"at": asked.path}
        if asked.path == "/c"
        else Reply(
            status=302 if asked.path == "/a" else 307,
            headers={"Location": "/b?x=1" if asked.path == "/a" else f"{api.url}/c"},
        )
    )
    assert connect().call("GET", f"{api.url}/a").content == b'{"at": "/c"}'
    assert [asked.path for asked in api.asked] == ["/a", "/b", "/c"]


def test_redirects_without_end(api, connect):
    api.answer = Reply(status=302, headers={"Location": "/"})
    with pytest.raises(Denied, match="redirects more than 5 times"):
        connect().call("GET", api.url)


@pytest.mark.parametrize(
    "location",
    [
        "http://localhost:{port}/x",
        "//localhost:{port}/",
        "http://127.0.0.1:1/",
        "ftp://127.0.0.1/",
        "http://user@localhost:{port}/",
    ],
)
def test_the_secret_never_goes_to_another_place(api, connect, location):
    api.answer = Reply(status=302, headers={"Location": location.format(port=api.url.rsplit(":")[-1])})
    with pytest.raises(Denied, match="leads to another host or scheme, where the credentials must not go"):
        connect().call("GET", api.url)
    assert len(api.asked) == 1


@pytest.mark.parametrize("location", ["http://[", "http://127.0.0.1:99999/", "http://xn--a/"])
def test_a_redirect_to_no_address(api, connect, location):
    api.answer = Reply(status=302, headers={"Location": location})
    with pytest.raises(Denied, match="leads"):
        connect().call("GET", api.url)


def test_https_never_goes_on_as_http(api, connect):
    client = connect(api.url.replace("http://", "https://"))
    with pytest.raises(Denied, match="leads to another host or scheme"):
        client.call("GET", api.url)
    assert api.asked == []


def test_what_is_sent_is_not_sent_elsewhere(api, connect):
    api.answer = Reply(status=307, headers={"Location": "/other"})
    with pytest.raises(Denied, match="answered 307, a redirect"):
        connect().call("POST", api.url, json={})


def test_answers_are_bounded_also_compressed_ones(api, connect, monkeypatch):
    monkeypatch.setattr(http, "MAX_ANSWER", 1 << 20)
    api.answer = Reply(gzip.compress(b" " * (1 << 20)), headers={"Content-Encoding": "gzip"})
    assert len(connect().call("GET", api.url).content) == 1 << 20
    api.answer = Reply(gzip.compress(b" " * ((1 << 20) + 1)), headers={"Content-Encoding": "gzip"})
    with pytest.raises(Denied, match="answers with more than 1 MiB at once; ask for smaller pages"):
        connect().call("GET", api.url)


def test_links_of_an_answer(api, connect):
    api.answer = Reply({}, headers={"Link": '<../c?a=1,2>; rel="next", <http://x/>; rel=prev'})
    answer = connect().call("GET", f"{api.url}/a/b")
    assert answer.links == {"next": "../c?a=1,2", "prev": "http://x/"}
    assert answer.absolute(answer.links["next"]) == f"{api.url}/c?a=1,2"


def test_an_address_that_is_none(connect):
    with pytest.raises(Denied, match="its address is none"):
        connect().call("GET", "http://127.0.0.1:x")


def test_no_password_of_this_machines_netrc_is_sent(api, connect, tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login ani password hunter2\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    client = Client(api.url, {}, 5, 5)
    client.call("GET", api.url)
    client.close()
    assert "authorization" not in api.asked[0].headers


def test_a_certificate_that_is_not_trusted_is_told_at_once(connect, clock, tmp_path):
    secure = WebApi(tls=_self_signed(tmp_path))
    try:
        base = secure.url.replace("http://", "https://")
        with pytest.raises(Denied, match="has a certificate that this machine does not trust"):
            connect(base).call("GET", base)
    finally:
        secure.stop()
    assert (secure.asked, clock.sleeps) == ([], [])


def test_logs_and_messages_tell_nothing(api, connect, caplog):
    caplog.set_level(logging.DEBUG)
    for reply in ({}, Reply({"email": "ani@example.com"}, status=404), Reply(b"ani@example.com", status=500)):
        api.answer = reply
        try:
            connect().call("GET", f"{api.url}/people/4711", {"email": "ani@example.com"})
        except (Denied, Unanswered) as error:
            assert not any(part in str(error) for part in (SECRET, "4711", "ani", api.url))
            assert error.__cause__ is None
    assert not any(part in caplog.text for part in (SECRET, "4711", "ani@", "ani%40", api.url))


def _self_signed(folder) -> ssl.SSLContext:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(datetime(2020, 1, 1))
        .not_valid_after(datetime(2100, 1, 1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    path = folder / "server.pem"
    path.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain) + certificate.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context
