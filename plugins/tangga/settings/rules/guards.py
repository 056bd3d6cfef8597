"""Rules of what goes on by itself, and what stops or waits for somebody."""

from __future__ import annotations

from pydantic import Field

from tangga.settings.types import Strict


class Gate(Strict):
    """What the inbound gate takes for normal. A partition is compared with the accepted runs of the days before it,
    at most `history_runs` of them: a snapshot from `snapshot_history` on, a daily load from `daily_history` on.
    `large_drop_share` fewer rows than their median stop, `small_drop_share` fewer warn, and so do more than
    `max_growth_factor` times as many; below `min_expected_rows` only a large drop is told, and only warns. Shares are
    0 to 1."""

    history_runs: int = Field(7, ge=1, le=366)
    snapshot_history: int = Field(1, ge=1)
    daily_history: int = Field(3, ge=1)
    large_drop_share: float = Field(0.4, gt=0, le=1)
    small_drop_share: float = Field(0.2, gt=0, le=1)
    max_growth_factor: float = Field(3.0, gt=1)
    min_expected_rows: int = Field(20, ge=1)
    max_extra_lag_days: float = Field(2.0, ge=0)
    max_emptied_share: float = Field(0.05, ge=0, le=1)
    max_invalid_email_share: float = Field(0.05, ge=0, le=1)
    max_quarantined_share: float = Field(0.01, ge=0, le=1)


class Activation(Strict):
    """What is sent without asking anybody. A list may lose or gain so many rows, or the share of it that the registry
    gives the audience, whichever is more; become empty when it had at most `emptied_rows`; and hold `max_list_rows`.
    Of the contacts that a tool knows it stops so many, or the share `max_stopped_share` (0-1), whichever is more.
    Beyond that somebody has to agree within `approval_hours`, which is also for how long a yes counts. A delivery fails
    when the tool has rejected more than `max_rejected_share` (0-1) of its rows; the others arrive."""

    removal_rows: int = Field(50, ge=0)
    growth_rows: int = Field(50, ge=0)
    emptied_rows: int = Field(10, ge=0)
    max_list_rows: int | None = Field(None, ge=1)
    stopped_rows: int = Field(50, ge=0)
    max_stopped_share: float = Field(0.05, ge=0, le=1)
    approval_hours: int = Field(24, ge=1, le=720)
    max_rejected_share: float = Field(0.05, ge=0, le=1)


class Erasure(Strict):
    """Hours after somebody asks to be forgotten: by which it has to be done, and by which somebody has to decide."""

    due_hours: int = Field(72, gt=0)
    approval_hours: int = Field(48, gt=0)
