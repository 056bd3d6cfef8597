"""How a list is written: for the company's own programs, for spreadsheets, for the importers of e-mail tools.

Each format says where its files lie and what stands in them, as a query over the rows of a list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tangga.campaigns import fields
from tangga.destinations.hubspot import properties as hubspot
from tangga.destinations.mailchimp import fields as mailchimp
from tangga.engine import literal
from tangga.settings import HubSpotDestination, MailchimpDestination
from tangga.settings.types import Strict

COLUMNS = (
    *("email", "first_name", "last_name", "customer_id", "rung", "segment", "why", "entry_key"),
    *fields.FIELDS,
)
OF_CAMPAIGNS = ("entered_on", "step", "template", "is_due")
"""Columns that the lists of campaigns have besides: the step that is due, and whether it is to be sent now."""

_TYPES = {"next_birthday": pa.date32(), "entered_on": pa.date32(), "step": pa.int32(), "is_due": pa.bool_()}
NOBODY = pa.schema([(name, _TYPES.get(name, pa.string())) for name in (*COLUMNS, *OF_CAMPAIGNS)]).empty_table()
"""The rows of a list that nobody is on."""

_BEGINS_BADLY = r"^([\t\r\n])"
_FORMULA = r"""(^|[;|\t\r\n])(["\pZ\x{feff}\x{200b}\x0b\x0c]*[=+\-@\x{ff1d}\x{ff0b}\x{ff0d}\x{ff20}])"""
"""Where a spreadsheet would find a formula, also behind signs that it passes over, and in full-width forms: at the
beginning of a cell, and of the cells that it falls into where the file is read with another separator than a comma."""

_QUOTED, _QUOTED_CELL = literal(r"'\1"), literal(r"\1'\2")


@dataclass(frozen=True)
class Format:
    """`folder` lies below that of the destination. `query` gives the SQL of a list, from its name and whether it is a
    campaign's, over the relation `list`; `options` are those of DuckDB's `copy`."""

    folder: str
    suffix: str
    query: Callable[[str, bool], str]
    options: str = "format csv, header true"

    def path(self, list_name: str) -> str:
        """The file of a list, below the destination's folder."""
        file = f"{list_name}{self.suffix}"
        return f"{self.folder}/{file}" if self.folder else file


def is_empty(file: Path) -> bool:
    """Whether nobody is in a file; of one that cannot be read nobody knows."""
    try:
        if file.suffix == ".parquet":
            return pq.read_metadata(file).num_rows == 0
        with file.open("rb") as lines:
            return len(list(islice(lines, 2))) < 2
    except (OSError, pa.ArrowException):
        return False


def safe(column: str) -> str:
    """SQL of a text that no spreadsheet runs as a formula, with whatever separator it reads the file."""
    begun = f"regexp_replace(cast({column} as varchar), {literal(_BEGINS_BADLY)}, {_QUOTED})"
    return f"regexp_replace({begun}, {literal(_FORMULA)}, {_QUOTED_CELL}, 'g')"


def _plain(list_name: str, is_campaign: bool) -> str:
    cells = [f"{safe(name)} as {name}" for name in COLUMNS]
    cells += OF_CAMPAIGNS if is_campaign else ()
    return f"select {', '.join(cells)} from list order by customer_id"


def _spreadsheet(list_name: str, is_campaign: bool) -> str:
    """Excel reads UTF-8 only where a byte order mark says so: it stands before the first header."""
    first, *others = [*COLUMNS, *(OF_CAMPAIGNS if is_campaign else ())]
    cells = [f'{safe(first)} as "\ufeff{first}"', *(f"{safe(name)} as {name}" for name in others)]
    return f"select {', '.join(cells)} from list order by customer_id"


def _parquet(list_name: str, is_campaign: bool) -> str:
    columns = ", ".join((*COLUMNS, *OF_CAMPAIGNS) if is_campaign else COLUMNS)
    return f"select {columns} from list order by customer_id"


def _mailchimp(list_name: str, is_campaign: bool) -> str:
    """https://mailchimp.com/help/format-guidelines-for-your-import-file/"""
    tag = literal(_default(MailchimpDestination, "tag_prefix") + list_name)
    step = f"{tag} || case when is_due then coalesce(',' || {tag} || ':' || step, '') else '' end"
    cells = {"Email Address": safe("email"), "First Name": safe("first_name"), "Last Name": safe("last_name")}
    cells["Tags"] = step if is_campaign else tag
    for field in mailchimp.FIELDS:
        if field.is_ours and field.column in COLUMNS:
            is_birthday = field.kind == "birthday"
            cells[field.tag] = f"strftime(cast({field.column} as date), '%m/%d')" if is_birthday else safe(field.column)
    return _by_address(cells)


def _hubspot(list_name: str, is_campaign: bool) -> str:
    """https://knowledge.hubspot.com/import-and-export/set-up-your-import-file"""
    cells = {"Email": safe("email"), "First Name": safe("first_name"), "Last Name": safe("last_name")}
    cells[_default(HubSpotDestination, "key_property")] = safe("customer_id")
    known = (told for told in hubspot.PROPERTIES if told.is_ours and told.column in COLUMNS)
    return _by_address(cells | {told.name: safe(told.column) for told in known})


def _default(settings: type[Strict], key: str) -> str:
    return settings.model_fields[key].default


def _by_address(cells: dict[str, str]) -> str:
    """One row an address, by which these tools tell people apart: the words are those of its first customer."""
    named = ", ".join(f'{cell} as "{header}"' for header, cell in cells.items())
    return (
        f"select {named} from list where email is not null "
        "qualify row_number() over (partition by email order by customer_id) = 1 order by customer_id"
    )


FORMATS: dict[str, Format] = {
    "plain": Format("", ".csv", _plain),
    "spreadsheet": Format("spreadsheet", ".csv", _spreadsheet),
    "mailchimp": Format("mailchimp", ".csv", _mailchimp),
    "hubspot": Format("hubspot", ".csv", _hubspot),
    "parquet": Format("parquet", ".parquet", _parquet, "format parquet, compression zstd"),
}
