"""The kinds of value that `tangga.yml` holds, each with what to say when it is not one."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


class Strict(BaseModel):
    """A block of keys: none may be unknown, and none changes after it was read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _time_zone(name: str) -> str:
    if name not in available_timezones() - {"localtime"}:
        raise ValueError(f"'{name}' is not a time zone; use an IANA name such as Asia/Jakarta")
    return name


def _encoding(name: str) -> str:
    """Lines are found before they are decoded, so ASCII must be itself; escapes could smuggle in anything."""
    plain = b"xn--bcher-kva." + bytes(range(92)) + bytes(range(93, 128)) + rb"\u0041"
    try:
        is_usable = plain.decode(name) == plain.decode("ascii")
    except (LookupError, UnicodeError):
        is_usable = False
    if not is_usable:
        raise ValueError(f"'{name}' is not an encoding that can be read; use utf-8, latin-1, windows-1252, ...")
    return name


def _date_format(text: str) -> str:
    if not re.fullmatch(r"(%-?[dmyYHIMS]|%[bBaAjpfz%]|[^%])+", text) or not re.search("%-?[yY]", text):
        raise ValueError(f"'{text}' is not a date format; write it like %d/%m/%Y %H:%M:%S, with the year")
    return text


def _delimiter(text: str) -> str:
    if len(text) != 1 or text in '"\r\n\0':
        raise ValueError("use one character, such as ';' or '|', that is neither a quote nor a line's end")
    return text


def _shaped(pattern: str, advice: str) -> AfterValidator:
    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"'{text}' cannot be used; {advice}")
        return text

    return AfterValidator(check)


def _connection_id(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", text):  # never repeated: who mistakes it for an address gives the password
        raise ValueError("give the id of an Airflow connection, such as crm_db; address and password belong there")
    return text


def is_uri(path: str) -> bool:
    """Whether a path of `tangga.yml` leads to an object store, or another remote file system."""
    return "://" in path


def _source_path(text: str) -> str:
    scheme, _, rest = text.partition("://")
    if not rest:
        return text
    if not re.fullmatch("[a-z][a-z0-9+.-]*", scheme) or "@" in rest:  # never repeated, as below
        raise ValueError("write it like s3://bucket/folder; address, login and secret belong to an Airflow connection")
    if scheme in ("file", "local"):
        raise ValueError("write a folder of this machine as a plain path")
    return text


def _storage_path(text: str) -> str:
    if urlsplit(text).scheme not in _ATOMIC or "@" in text or not urlsplit(text).netloc:
        raise ValueError(f"write it like s3://bucket/folder, with one of {', '.join(_ATOMIC)}")
    return text


def table_parts(text: str) -> list[str]:
    """`schema.table` as its parts, exactly as written; double quotes around a part let it hold dots."""
    parts = re.findall(r'"(?:[^"]|"")*"|[^."]+', text)
    return [part[1:-1].replace('""', '"') if part.startswith('"') else part for part in parts]


def _table_name(text: str) -> str:
    part = r'("([^"\0]|"")+"|[^."\0]+)'
    if not re.fullmatch(rf"{part}(\.{part})?", text):
        raise ValueError(f"'{text}' is not a table; write table or schema.table, a name with a dot in double quotes")
    return text


_ATOMIC = ("s3", "gs", "abfs")
"""Stores in which an object is seen whole or not at all."""

Text = Annotated[str, Field(min_length=1)]
SourcePath = Annotated[str, Field(min_length=1), AfterValidator(_source_path)]
StoragePath = Annotated[str, AfterValidator(_storage_path)]
ConnectionId = Annotated[str, AfterValidator(_connection_id)]
TableName = Annotated[str, AfterValidator(_table_name)]
Name = Annotated[str, _shaped("[a-z][a-z0-9_]*", "use small letters, digits and _, a letter first")]
NameOrNone = Annotated[str, _shaped("([a-z][a-z0-9_]*)?", "use small letters, digits and _, a letter first")]
Currency = Annotated[str, _shaped("[A-Z]{3}", "use an ISO 4217 code such as IDR")]
Country = Annotated[str, _shaped("[A-Z]{2}", "use an ISO 3166 code such as ID")]
Language = Annotated[str, _shaped("[a-z]{2}", "write the ISO 639-1 code, such as en")]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
Encoding = Annotated[str, AfterValidator(_encoding)]
DateFormat = Annotated[str, AfterValidator(_date_format)]
Delimiter = Annotated[str, AfterValidator(_delimiter)]
