"""`make sql`: ask the newest published warehouse, read-only; with DuckDB's own shell where it is installed.

    python -m tangga.local.sql [--question NAME | --file FILE] [--out FILE.csv] [--config tangga.yml] [--home DIRECTORY]

A question is a file of dbt_project/analyses. Its answer is a table on a terminal, and CSV in a file or a pipe. What is
opened is the file of one version, which is never written again: publishing goes on beside it, and whoever asks sees one
day until they leave.

Exit code 0: asked; 1: there is nothing to ask, or DuckDB refused; 2: the settings or the arguments cannot be used.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb

from tangga import dbt, publish
from tangga.engine import literal
from tangga.local import command
from tangga.settings import Settings

_HELP = """\
  A statement ends with a semicolon, and may go over several lines.
  .tables            the tables, with what they mean
  .columns <table>   the columns of one, with what they mean
  .questions         the questions that have an answer already
  .ask <question>    its answer
  .quit              leave (or Ctrl-D)"""
_TABLE = "schema_name || '.' || table_name"


def questions() -> dict[str, Path]:
    """Name -> file of the questions that have an answer, in the order of their names."""
    return {file.stem: file for file in sorted((dbt.PROJECT / "analyses").glob("*.sql"))}


def ask(con: duckdb.DuckDBPyConnection, sql: str, out: Path | None = None) -> None:
    """Show the rows of the last of some statements, or write them as CSV: to a file, or where the standard output goes
    when that is no terminal. Raises `duckdb.Error`."""
    answer = con.sql(sql)
    if answer is None:
        return
    if out:
        answer.to_csv(str(out), header=True)
    elif sys.stdout.isatty():
        answer.show(max_rows=100, max_width=shutil.get_terminal_size((160, 40)).columns)
    else:
        with tempfile.TemporaryDirectory() as folder:
            answer.to_csv(f"{folder}/answer.csv", header=True)
            sys.stdout.write(Path(folder, "answer.csv").read_text(encoding="utf-8"))


def shell(con: duckdb.DuckDBPyConnection) -> None:
    """Read statements and commands from the standard input until it ends."""
    if sys.stdin.isatty():
        import readline

        readline.set_completer_delims(" \t\n,()")
        names = [name for (name,) in con.execute(f"select {_TABLE} from duckdb_tables() order by 1").fetchall()]
        readline.set_completer(lambda text, state: [*(n for n in names if n.startswith(text)), None][state])
        readline.parse_and_bind("tab: complete")
    for text in _statements():
        try:
            _obey(con, text) if text.startswith(".") else ask(con, text)
        except (duckdb.Error, LookupError) as error:
            print(error, file=sys.stderr)


def _statements() -> Iterator[str]:
    """What is typed in, a command or a whole statement at a time."""
    lines: list[str] = []
    while True:
        try:
            line = input(("...> " if lines else "crm> ") if sys.stdin.isatty() else "")
        except KeyboardInterrupt:  # takes back what was begun
            print()
            lines = []
            continue
        except EOFError:
            if any(line.strip() for line in lines):
                yield "\n".join(lines)
            return
        if not lines and line.strip() in (".quit", ".exit"):
            return
        if not lines and line.startswith("."):
            yield line.strip()
            continue
        lines.append(line)
        if line.rstrip().endswith(";"):
            yield "\n".join(lines)
            lines = []


def _obey(con: duckdb.DuckDBPyConnection, typed: str) -> None:
    word, _, rest = typed.partition(" ")
    if word == ".tables":
        ask(con, f"select {_TABLE} as name, comment as meaning from duckdb_tables() order by 1")
    elif word == ".columns":
        named = literal(rest.strip().removesuffix(";"))
        which = f"where {named} in ({_TABLE}, table_name) order by schema_name, column_index"
        ask(con, f"select column_name as name, data_type as type, comment as meaning from duckdb_columns() {which}")
    elif word == ".questions":
        print(*questions(), sep="\n")
    elif word == ".ask":
        ask(con, _question(rest.strip()).read_text(encoding="utf-8"))
    else:
        print(_HELP)


def _question(name: str) -> Path:
    """The file of a question. Raises `LookupError`."""
    if name not in questions():
        raise LookupError(f"There is no question {name!r}; there are: {', '.join(questions())}.")
    return questions()[name]


def main(arguments: list[str] | None = None) -> int:
    parser = command.parser("sql", "Ask the newest published warehouse.")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--question", help="the name of a file of dbt_project/analyses, without .sql")
    what.add_argument("--file", type=Path, help="a file of SQL")
    parser.add_argument("--out", type=Path, help="write the answer to this file, as CSV")
    options = parser.parse_args(arguments)
    settings = command.begin(options)
    try:
        file = _question(options.question) if options.question else options.file
        sql = file.read_text(encoding="utf-8") if file else None
    except (LookupError, OSError, UnicodeDecodeError) as error:
        print(error, file=sys.stderr)
        return 2
    version = publish.current(settings)
    if version is None:
        print(f"Nothing is published in {settings.home} yet: run `make run` first.", file=sys.stderr)
        return 1
    return _show(settings, sql, options.out) if sql else _open(settings)


def _show(settings: Settings, sql: str, out: Path | None) -> int:
    """Answer one question."""
    try:
        with duckdb.connect(str(publish.database(settings)), read_only=True) as con:
            ask(con, sql, out)
    except duckdb.Error as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _open(settings: Settings) -> int:
    """A shell, DuckDB's own or this one."""
    version, file = publish.current(settings), publish.database(settings)
    print(f"{settings.business.name} as of {version.as_of_date}, read-only: {file}", file=sys.stderr)
    if own := shutil.which("duckdb"):
        os.execv(own, [own, "-readonly", str(file)])
    if sys.stdin.isatty():
        print(f"DuckDB's own shell is not installed; this one knows little:\n{_HELP}")
    with duckdb.connect(str(file), read_only=True) as con:
        shell(con)
    return 0


if __name__ == "__main__":
    sys.exit(main())
