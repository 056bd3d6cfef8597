"""Whether a plan may go to a destination by itself, what a person is asked otherwise, and what they decided.

A yes is kept in the ledger for one destination and one plan's hash, and for `rules.activation.approval_hours`. The
delivery asks here again: whatever way it was started, it sends nothing that is beyond the limits and has no such yes.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tangga import audiences
from tangga.activation import limits, plan, preview
from tangga.destinations import open_destination
from tangga.destinations.destination import DestinationRefused, is_same_account
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

    Raises `ActivationRefused` when the plan may not be sent any more, and `DestinationRefused` or `DestinationDown`
    when the destination cannot say which account it is.
    """
    planned = plan.confirm(settings, folder)
    entry = plan.entry_of(settings, planned, destination)
    if entry.get("refused"):
        raise DestinationRefused(entry["refused"])
    plan_hash = entry["hash"]
    with opened(settings) as ledger:
        account = _unreleased(settings, ledger, destination, planned)
        reasons = _reasons(settings, destination, planned, account)
        if not reasons or _holds(ledger.decision(plan_hash, destination)):
            return None
    hours = settings.rules.activation.approval_hours
    where = f"Destination **{destination}**" + (f", account **{account}**" if account else "")
    lines = [
        f"{where}, plan `{plan_hash[:12]}` of {planned['as_of_date']}. Somebody has to agree because:",
        "",
        *(f"- {reason}" for reason in reasons),
        "",
        *preview.table(planned, destination),
        "",
        f"A yes holds for this plan and {hours} hours. Without an answer within {hours} hours nothing is sent.",
    ]
    subject = f"Send the lists of {planned['as_of_date']} to {destination}?"
    # No clock in it: Airflow shows a question that is asked again as it was asked first.
    return Question(plan_hash, account or "", tuple(reasons), subject, "\n".join(lines))


def decide(settings: Settings, destination: str, folder: Path, asked: Question, *, approved: bool, by: str) -> None:
    """Keep what somebody answered; a yes releases the account that they were asked about.

    Raises `ActivationRefused` when the plan may not be sent any more, or is not the one that was asked about: then
    there is no yes.
    """
    with opened(settings) as ledger:
        if not approved:
            ledger.decide(asked.plan_hash, destination, "rejected", by, asked.reasons)
            return
        try:
            planned = plan.confirm(settings, folder)
            entry = planned["destinations"].get(destination, {})
            confirm_basis(ledger, destination, entry)
            _confirm_no_other(ledger, destination, entry, asked.account)
        except plan.ActivationRefused as refused:
            raise plan.ActivationRefused(f"{by} agreed, and nothing is sent all the same: {refused}") from None
        if entry.get("hash") != asked.plan_hash:
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

    Raises `ActivationRefused` when somebody has to agree and nobody has, or not for this plan, or too long ago. That
    the account is the released one is not asked here: the delivery has the destination open, and asks it.
    """
    reasons = _reasons(settings, destination, planned, None)
    said = ledger.decision(planned["destinations"][destination]["hash"], destination)
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
        f"{destination}: this plan is beyond its limits, and {why}: {' '.join(reasons)} Clear 'approve' of this run to "
        "be asked."
    )


def confirm_basis(ledger: Ledger, destination: str, entry: dict) -> None:
    """The plan must have been made from what the destination has acknowledged, but for what it has done itself. Raises
    `ActivationRefused`."""
    if entry.get("basis") is None:
        return
    if ledger.destination(destination)["position"] != entry["basis"] + ledger.acknowledged(destination, entry["hash"]):
        raise plan.ActivationRefused(
            f"{destination}: something else was delivered there, or another account was released, since this plan was "
            "made; trigger crm_activate again for a new one."
        )


def _confirm_no_other(ledger: Ledger, destination: str, entry: dict, account: str) -> None:
    """Another account that this very plan has been delivered to since must not be forgotten for the one asked about."""
    known = ledger.destination(destination)
    is_other = account and known["account"] and not is_same_account(known["account"], account)
    if is_other and entry.get("basis") not in (None, known["position"]):
        raise plan.ActivationRefused(
            f"{destination}: something was delivered to another account ({known['account']}) since this plan was made; "
            "trigger crm_activate again, which asks about the account that the connection leads to now."
        )


def expected(settings: Settings, destination: str, planned: dict) -> list[str]:
    """Why somebody would have to agree, as far as it can be told without calling the destination."""
    with opened(settings) as ledger, closing(open_destination(settings, destination, planned, "")) as found:
        known = not found.needs_release or ledger.destination(destination)["account"]
    named = getattr(settings.destinations[destination], "connection", None) or destination
    return _reasons(settings, destination, planned, None if known else f"connection {named}")


def _reasons(settings: Settings, destination: str, planned: dict, account: str | None) -> list[str]:
    holds_files = settings.destinations[destination].type == "files"
    found = limits.beyond(
        preview.counts(planned, destination), audiences.load(), settings.rules.activation, holds_files=holds_files
    )
    first = [f"Nothing was ever sent to this account ({account}): see that it is the right one."] if account else []
    return first + stops_beyond(settings, planned["destinations"][destination]) + found


def stops_beyond(settings: Settings, entry: dict) -> list[str]:
    """Why somebody would have to agree before those who said no are stopped at a destination; `entry` is what the plan
    says of it."""
    stopped, known = entry["operations"].get("stop", 0), entry.get("people", {}).get("before", 0)
    return limits.many_stopped(stopped, known, settings.rules.activation)


def _unreleased(settings: Settings, ledger: Ledger, destination: str, planned: dict) -> str | None:
    """The account that somebody has to release first; None when there is nothing to release."""
    with closing(open_destination(settings, destination, planned, "")) as found:
        if not found.needs_release:
            return None
        account = found.account()
        if not is_same_account(ledger.destination(destination)["account"], account):
            _refuse_a_new_name(settings, ledger, destination, account)
            return account
        found.account(ledger.list_names(destination))  # what was deleted there is told before anybody is asked
    return None


def _refuse_a_new_name(settings: Settings, ledger: Ledger, destination: str, account: str) -> None:
    """Under another name nobody would know any more who is on the lists there: they would stay, whatever they say."""
    for name in ledger.names_of(account):
        if name not in settings.destinations:
            raise plan.ActivationRefused(
                f"{destination}: leads to the account that has been delivered to as '{name}' ({account}), which "
                f"{settings.config_path.name} does not name any more; nobody would take off those who are on its "
                f"lists. Call it '{name}' again."
            )


def _holds(said: dict | None) -> bool:
    if said is None or said["decision"] != "approved":
        return False
    return said["expires_at"] is not None and said["expires_at"] > datetime.now(UTC)
