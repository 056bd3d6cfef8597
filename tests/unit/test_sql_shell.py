"""`make sql`, as a process of its own: what it answers, and that it holds up no publishing."""

import os
import pty
import subprocess
import sys

import pytest

from tangga import publish
from tangga.settings import REPOSITORY
from tests.unit import publications

SEGMENT = "select segment from customer.customer_rfm"
ENVIRONMENT = os.environ | {
    "PYTHONPATH": os.pathsep.join([str(REPOSITORY / "plugins"), str(REPOSITORY)]),
    "PATH": "/usr/bin:/bin",
}


@pytest.fixture
def home(tmp_path):
    """A home with a published version."""
    found = publications.home(tmp_path / "home")
    publish.publish(found, publications.DAY, "abc")
    return found


@pytest.fixture
def question(tmp_path):
    file = tmp_path / "question.sql"
    file.write_text(SEGMENT)
    return file


def command(home, *arguments):
    return [sys.executable, "-m", "tangga.local.sql", "--home", str(home), *map(str, arguments)]


def sql(home, *arguments, typed="", **environment):
    return subprocess.run(
        command(home, *arguments),
        input=typed,
        capture_output=True,
        text=True,
        check=False,
        env=ENVIRONMENT | environment,
        timeout=60,
    )


def test_an_answer_is_csv_in_a_pipe(home, question):
    assert sql(home.home, "--file", question).stdout == "segment\nChampions\n"


def test_an_answer_is_csv_in_a_file(home, question, tmp_path):
    assert sql(home.home, "--file", question, "--out", tmp_path / "answer.csv").stdout == ""
    assert (tmp_path / "answer.csv").read_text() == "segment\nChampions\n"


def test_an_answer_is_a_table_on_a_terminal(home, question):
    ours, theirs = pty.openpty()
    subprocess.run(command(home.home, "--file", question), stdout=theirs, env=ENVIRONMENT, check=True, timeout=60)
    os.close(theirs)
    shown = os.read(ours, 9999).decode()
    assert "│ Champions │" in shown


def test_it_reads_statements_and_commands(home):
    done = sql(
        home.home,
        typed=f"{SEGMENT}\n  where true;\n.columns customer_rfm\nselect nope;\n.ask nope\nselect 7 as last",
    )
    assert done.returncode == 0
    columns = "name,type,meaning\ncustomer_id,VARCHAR,The customer_id.\nsegment,VARCHAR,The segment.\n"
    assert done.stdout == f"segment\nChampions\n{columns}last\n7\n"
    assert "nope" in done.stderr and "There is no question 'nope'; there are: are_we_" in done.stderr


def test_nothing_can_be_written(home):
    done = sql(home.home, typed="create table x as select 1;")
    assert "read-only" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--question", "nope"], 2, "There is no question 'nope'; there are: are_we_mailing_anyone_too_much,"),
        (["--file", "nope.sql"], 2, "No such file or directory: 'nope.sql'"),
        (["--config", "nope.yml"], 2, "nope.yml"),
        (["--question", "how_concentrated_is_revenue"], 1, "Table with name fct_orders does not exist"),
    ],
)
def test_what_cannot_be_asked_is_said(home, arguments, status, said):
    done = sql(home.home, *arguments)
    assert done.returncode == status
    assert said in done.stderr and "Traceback" not in done.stderr


def test_before_the_first_run_it_says_what_to_do(tmp_path):
    done = sql(tmp_path)
    assert done.returncode == 1
    assert done.stderr == f"Nothing is published in {tmp_path} yet: run `make run` first.\n"


def test_the_shell_of_duckdb_is_preferred(home, tmp_path):
    own = tmp_path / "bin" / "duckdb"
    own.parent.mkdir()
    own.write_text('#!/bin/sh\necho "$@"\n')
    own.chmod(0o755)
    done = sql(home.home, PATH=f"{own.parent}:/usr/bin:/bin")
    assert done.stdout == f"-readonly {publish.database(home)}\n"


def test_who_holds_a_version_open_and_who_publishes_do_not_meet(home, question):
    with subprocess.Popen(
        command(home.home), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, env=ENVIRONMENT
    ) as reader:

        def ask():
            reader.stdin.write(f"{SEGMENT};\n")
            return [reader.stdout.readline() for _ in range(2)]

        assert ask() == ["segment\n", "Champions\n"]
        publications.build(home, "Lost")
        publish.publish(home, publications.DAY, "abc")
        assert ask() == ["segment\n", "Champions\n"]
        assert sql(home.home, "--file", question).stdout == "segment\nLost\n"
        reader.stdin.close()
