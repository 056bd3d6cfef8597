"""What the databases have in common: kinds of columns, periods, and how they are lost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum


class Kind(Enum):
    """What a column of a database holds, as far as its type tells."""

    TEXT = "text"
    NUMBER = "number"
    INTEGER = "integer"
    TIME = "time"
    OTHER = "other"  # truth, lists, blobs, times of day: neither a number nor a time
    ANY = "any"  # its type tells nothing


@dataclass(frozen=True)
class Period:
    """The days from `first` up to, but without, `after`; `begin` and `end` are their instants in UTC,
    `naive_begin` and `naive_end` the same as a clock in the source's zone shows them."""

    first: date
    after: date
    begin: datetime
    end: datetime
    naive_begin: datetime
    naive_end: datetime


class Lost(Exception):
    """The database cannot be reached, or went away: another try may help. `remedy` is for the last one."""

    remedy = "see to it that the database runs and that this machine reaches it, or correct the connection in Airflow"
