"""How fast the page is: every kind of page, search and file of a made-up company, in a real API server.

    PYTHONPATH=plugins:. .venv/bin/python bench/page.py [--customers 1000000] [--home DIRECTORY] [--times 5]

The company (page.sql: 1 M customers, 10 M orders, 20 M messages, 3 M memberships) is made once, below the temporary
directory. "New" is the greatest of what is asked in the first seconds after another version was published, for each
page anew: nobody has looked at it before. "Then" is the greatest of `--times` requests, with the CPU time of the
server for each. All of it is told in milliseconds over HTTP, with Airflow's login and audit log.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import duckdb
import httpx
import psutil

from tangga import files, settings
from tangga.local import airflow_home
from tangga.settings import REPOSITORY
from tangga.web import lists
from tests.web import company

DAY = date(2026, 6, 30)
LOOKED_FOR = 6.0
"""How long a new version is looked at, in seconds: a server may go on showing the older one while it prepares."""
AUDIENCES = [
    *("winback", "advocates", "birthday", "cart_abandonment", "feedback_request", "full_price", "second_purchase"),
    *("service_recovery", "sunset", "welcome", "nps_detractors", "nps_passives", "nps_promoters"),
    *(f"lifecycle_{rung}" for rung in ("suspects", "prospects", "first_time", "repeat", "clients", "advocates")),
    *(f"rfm_{name}" for name in ("champions", "loyal", "promising", "new", "attention", "sleep", "risk", "lost")),
    *("rfm_cant_lose", "rfm_hibernating", "rfm_price", "rfm_other"),
]
EVERYBODY = AUDIENCES[0]
SOMEBODY = f"c{123_456:016x}"

Ask = Callable[[httpx.Client], httpx.Response]


def _look(path: str) -> Ask:
    return lambda client: client.get(path)


def _search(who: str) -> Ask:
    return lambda client: client.post("/customers", data={"who": who})


PAGES: dict[str, Ask] = {
    "overview": _look("/"),
    "audiences": _look("/audiences"),
    "an audience of everybody": _look(f"/audiences/{EVERYBODY}"),
    "its last members": _look(f"/audiences/{EVERYBODY}?page=40000"),
    "with names": _look(f"/audiences/{EVERYBODY}/people"),
    "a message": _look(f"/messages/{EVERYBODY}/1/en"),
    "deliveries": _look("/deliveries"),
    "search by address": _search("p123456@example.com"),
    "search by telephone": _search("+6281200123456"),
    "search by the shop's id": _search("C0123456"),
    "search by id": _search(SOMEBODY),
    "search, in vain": _search("nobody@example.com"),
    "a customer": _look(f"/customers/{SOMEBODY}"),
}


@dataclass
class Site:
    """A running API server, and the versions that are published for it."""

    home: Path
    file: Path
    server: psutil.Process
    client: httpx.Client
    versions: Iterator[int] = field(default_factory=lambda: iter(range(1, 1000)))

    def publish(self) -> None:
        """Another version: the same rows, which the server cannot know."""
        publish(self.home, self.file, next(self.versions))

    def ask(self, name: str, ask: Ask) -> float:
        """Milliseconds until the whole answer is there."""
        began = time.perf_counter()
        answer = ask(self.client)
        if answer.status_code not in (200, 303):
            said = (self.home / "server.log").read_text(encoding="utf-8")
            raise SystemExit(f"{name}: {answer.status_code}\n{said[-2000:]}")
        return (time.perf_counter() - began) * 1000

    def worked(self) -> float:
        """CPU seconds of the server so far."""
        return sum(self.server.cpu_times()[:2])

    def memory(self, what: str) -> float:
        """`VmRSS` (now) or `VmHWM` (at most, since `forget`) in MB."""
        said = Path(f"/proc/{self.server.pid}/status").read_text(encoding="ascii")
        return int(said.partition(f"{what}:")[2].split()[0]) / 1024

    def forget(self) -> None:
        """Let the peak of memory begin anew."""
        Path(f"/proc/{self.server.pid}/clear_refs").write_text("5", encoding="ascii")


def made(folder: Path, customers: int) -> Path:
    """The published file; made if it is not there yet."""
    file, done = folder / "private.duckdb", folder / "made.json"
    sql = Path(__file__).with_suffix(".sql")
    said = {"customers": customers, "sql": files.sha256(sql), "tables": company.contracts()}
    if files.read_json(done) == said:
        return file
    folder.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    began = time.time()
    with duckdb.connect(str(file), config={"temp_directory": str(folder)}) as con:
        company.create_tables(con)
        con.execute(sql.read_text(encoding="utf-8").format(customers=customers, day=DAY, audiences=AUDIENCES))
    done.write_text(json.dumps(said), encoding="utf-8")
    print(f"made {file.stat().st_size / 2**20:,.0f} MB in {time.time() - began:.0f} s", flush=True)
    return file


def publish(home: Path, file: Path, number: int) -> None:
    """Let the pointer lead to a version of its own folder, as of a day later than those before it."""
    as_of = str(DAY + timedelta(days=number))
    folder = home / "published" / "versions" / f"{as_of}-bench"
    folder.mkdir(parents=True)
    os.link(file, folder / file.name)
    manifest = {"version": folder.name, "as_of_date": as_of, "code_version": "bench", "rows": {}}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    pointer = home / "published" / ".current"
    pointer.symlink_to(Path("versions") / folder.name)
    os.replace(pointer, home / "published" / "current")


@contextmanager
def serving(home: Path, file: Path) -> Iterator[Site]:
    """Airflow's API server with the page in it, and somebody who is logged in."""
    publish(home, file, 0)
    config = settings.load(home=home)
    with socket.socket() as probe:
        probe.bind((airflow_home.HOST, 0))
        port = probe.getsockname()[1]
    environment = os.environ | airflow_home.environment(config, port)
    command = [sys.executable, str(Path(company.__file__).with_name("serve.py")), str(home), str(port)]
    url = f"http://{airflow_home.HOST}:{port}"
    with open(home / "server.log", "wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT, cwd=REPOSITORY)
    try:
        login = {"username": "mark", "password": airflow_home.logins(config)["mark"]}
        token = _when_it_answers(process, home, f"{url}/auth/token", login)
        with httpx.Client(base_url=f"{url}/crm", headers={"Accept": "text/html", "Origin": url}, timeout=300) as client:
            client.cookies.set("_token", token)
            yield Site(home, file, psutil.Process(process.pid), client)
    finally:
        process.terminate()
        process.wait(30)


def _when_it_answers(process: subprocess.Popen, home: Path, url: str, login: dict[str, str]) -> str:
    while process.poll() is None:
        try:
            return httpx.post(url, json=login, timeout=60).raise_for_status().json()["access_token"]
        except httpx.HTTPError:
            time.sleep(0.5)
    raise SystemExit((home / "server.log").read_text(encoding="utf-8")[-2000:])


def time_pages(site: Site, times: int) -> None:
    """Each page: of a version that nobody has seen, and again."""
    time.sleep(LOOKED_FOR)  # the server is up, and may be preparing
    print(f"{'':26} {'new':>7} {'CPU':>7} {'then':>7} {'CPU':>7}   ms")
    for name, ask in PAGES.items():
        site.publish()
        new, most, until = 0.0, 0.0, time.time() + LOOKED_FOR
        while time.time() < until:
            worked = site.worked()
            new = max(new, site.ask(name, ask))
            most = max(most, site.worked() - worked)
            time.sleep(0.1)
        worked = site.worked()
        then = max(site.ask(name, ask) for _ in range(times))
        cpu = (site.worked() - worked) / times
        print(f"{name:26} {new:7.0f} {most * 1000:7.0f} {then:7.0f} {cpu * 1000:7.0f}", flush=True)


def time_files(site: Site) -> None:
    """The list of everybody in each format: to the first rows, to the end, and what memory it takes."""
    print(f"{'':26} {'begins':>7} {'whole':>7} {'CPU':>7} s {'lines':>11} {'before':>7} {'most':>7} MB")
    for kind in lists.KINDS:
        before, worked, began = site.memory("VmRSS"), site.worked(), time.perf_counter()
        site.forget()
        first, lines = None, 0
        with site.client.stream("POST", f"/audiences/{EVERYBODY}/download", data={"kind": kind}) as answer:
            answer.raise_for_status()
            for part in answer.iter_bytes():
                lines += part.count(b"\n")
                if lines > 1 and first is None:
                    first = time.perf_counter() - began
        whole, most = time.perf_counter() - began, site.memory("VmHWM")
        cpu = site.worked() - worked
        print(f"{kind:26} {first:7.1f} {whole:7.1f} {cpu:7.1f}   {lines:11,} {before:7.0f} {most:7.0f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--home", type=Path, help="where the company lies, and all that is made of it")
    parser.add_argument("--times", type=int, default=5)
    options = parser.parse_args()
    folder = options.home or Path(tempfile.gettempdir()) / "tangga-bench" / f"page-{options.customers}"
    file = made(folder, options.customers)
    with tempfile.TemporaryDirectory(dir=folder) as home, serving(Path(home), file) as site:
        print(f"load of the machine: {os.getloadavg()[0]:.1f}; the server has {site.memory('VmRSS'):.0f} MB")
        time_pages(site, options.times)
        time_files(site)


if __name__ == "__main__":
    main()
