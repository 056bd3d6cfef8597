"""Whether a plan may go to a destination by itself, what a person is asked otherwise, and what they decided.

A yes is kept in the ledger for one destination and one plan's hash, and for `rules.activation.approval_hours`. The
delivery asks here again: whatever way it was started, it sends nothing that is beyond the limits and has no such yes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tangga import audiences, destinations
from tangga.activation import limits, plan, preview
from tangga.ledger import Ledger, opened
from tangga.settings import Settings

NOBODY = "nobody"
"""Who has decided when the time to decide ran out."""


@dataclass(frozen=True)
class Question:
    """What somebody is to agree to: this plan, to this account, although these reasons speak against it.

    `account` is the one that would be released by a yes; empty when there is none to release.
    """

    plan_hash: str
    account: str
    reasons: tuple[str, ...]
    subject: str
    body: str


def question(settings: Settings, destination: str, folder: Path) -> Question | None:
    """What has to be asked before a plan goes to a destination, None when it may go as it is.

    Raises `ActivationRefused` when the plan may not be sent any more, and `DestinationRefused` or `DestinationDown` when
    the destination cannot say which account it is.
    """
    planned = plan.confirm(settings, folder)
    with opened(settings) as ledger:
        account = _unreleased(settings, ledger, destination)
        reasons = _reasons(settings, destination, planned, account)
        if not reasons or _agreed(ledger, planned, destination):
            return None
    return Question(
        planned["hash"],
        account or "",
        tuple(reasons),
        f"Send the plan of {planned['as_of_date']} to {destination}?",
        _body(settings, destination, planned, account, reasons),
    )


def decide(settings: Settings, destination: str, folder: Path, asked: Question, *, approved: bool, by: str) -> None:
    """Keep what somebody answered; a yes releases the account that they were asked about.

    Raises `ActivationRefused` when the plan may not be sent any more, or is not the one that was asked about: then there
    is no yes.
    """
    with opened(settings) as ledger:
        if not approved:
            ledger.decide(asked.plan_hash, destination, "rejected", by, asked.reasons)
            return
        try:
            planned = plan.confirm(settings, folder)
        except plan.ActivationRefused as refused:
            raise plan.ActivationRefused(f"{by} agreed, and nothing is sent all the same: {refused}") from None
        if planned["hash"] != asked.plan_hash:
            raise plan.ActivationRefused(
                f"{by} agreed to another plan than {folder} holds now, so that nothing is sent; clear this task to be "
                "asked about this one."
            )
        until = datetime.now(UTC) + timedelta(hours=settings.rules.activation.approval_hours)
        if asked.account:
            ledger.release(destination, asked.account, by)
        ledger.decide(asked.plan_hash, destination, "approved", by, asked.reasons, until)


def required(settings: Settings, ledger: Ledger, destination: str, planned: dict) -> str:
    """For whoever is about to send: how it came that this plan may go ("within limits", or who agreed).

    Raises `ActivationRefused` when somebody has to agree and nobody has, or not for this plan, or too long ago. That the
    account is the released one is not asked here: the delivery has the destination open, and asks it.
    """
    reasons = _reasons(settings, destination, planned, None)
    said = ledger.decision(planned["hash"], destination)
    if _holds(said):
        return f"approved by {said['decided_by']} at {said['decided_at']:%Y-%m-%dT%H:%M:%SZ}"
    if not reasons:
        return "within limits"
    if said is None:
        why = "nobody has agreed to it"
    elif said["decision"] == "rejected":
        why = f"{said['decided_by']} has rejected it"
    else:
        why = f"what {said['decided_by']} agreed to has expired"
    raise plan.ActivationRefused(
        f"{destination}: this plan is beyond its limits, and {why}: {' '.join(reasons)} Clear 'approve' of this run to be "
        "asked."
    )


def _reasons(settings: Settings, destination: str, planned: dict, account: str | None) -> list[str]:
    holds_files = settings.destinations[destination].type == "files"
    found = limits.beyond(
        preview.counts(planned, destination), audiences.entry_of, settings.rules.activation, holds_files=holds_files
    )
    first = [f"Nothing was ever sent to this account ({account}): see that it is the right one."] if account else []
    return first + found


def _unreleased(settings: Settings, ledger: Ledger, destination: str) -> str | None:
    """The account that somebody has to release first; None when there is nothing to release."""
    with destinations.opened(settings, destination) as found:
        if not found.needs_release:
            return None
        account = found.account()
    return None if ledger.destination(destination)["account"] == account else account


def _agreed(ledger: Ledger, planned: dict, destination: str) -> bool:
    return _holds(ledger.decision(planned["hash"], destination))


def _holds(said: dict | None) -> bool:
    return bool(said) and said["decision"] == "approved" and said["expires_at"] > datetime.now(UTC)


def _body(settings: Settings, destination: str, planned: dict, account: str | None, reasons: list[str]) -> str:
    """In Markdown. It says the same of the same plan whenever it is asked: Airflow shows the first one again."""
    hours = settings.rules.activation.approval_hours
    return "\n".join([
        f"Destination **{destination}**{f', account **{account}**' if account else ''}; "
        f"plan `{planned['hash'][:12]}` of {planned['as_of_date']}, made from `{planned['published_version']}`.",
        "",
        "Somebody has to agree because:",
        "",
        *(f"- {reason}" for reason in reasons),
        "",
        *preview.table(planned, destination),
        "",
        f"A yes holds for this plan and {hours} hours; without an answer in {hours} hours nothing is sent.",
    ])  # fmt: skip
