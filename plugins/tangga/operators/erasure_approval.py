"""Asking a person whether somebody is to be erased."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk.exceptions import AirflowSkipException

from tangga.progress import note


class ErasureApproval(ApprovalOperator):
    """Lets an erasure go on when somebody has agreed, at once when somebody has before.

    A no ends the request. Without an answer it stays open, and is named as overdue from its due time on.
    """

    template_fields = ("request_id", "body")

    def __init__(self, *, request_id: str, body: str, **kwargs):
        super().__init__(subject="Erase a person?", body=body, defaults=self.REJECT, **kwargs)
        self.request_id = request_id

    def execute(self, context) -> None:
        from tangga import settings
        from tangga.erasure import requests

        config = settings.load()
        state = requests.take(config, self.request_id)["state"]
        if state == "rejected":
            raise AirflowSkipException(f"Erasure {self.request_id} was rejected; ask anew if that was wrong.")
        if state != "asked":
            note("agreed to before")
            return
        self.subject = f"Erase the person of request {self.request_id}?"
        self.response_timeout = timedelta(hours=config.rules.erasure.approval_hours)
        super().execute(context)

    def execute_complete(self, context, event: dict[str, Any]) -> None:
        from tangga import settings
        from tangga.erasure import steps

        self.validate_chosen_options(event["chosen_options"])
        approved = event["chosen_options"] == [self.APPROVE]
        by = (event["responded_by_user"] or {}).get("id")
        if by is None:
            raise AirflowSkipException("Nobody answered in time; trigger crm_erase with the request to ask again.")
        steps.decide(settings.load(), self.request_id, approved, by)
        if not approved:
            raise AirflowSkipException(f"{by} said no; nothing was erased, and what was given is forgotten.")
        note(f"agreed by {by}")
