"""Waiting for a person, when one is needed."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, TaskAwaitingInput
from airflow.sdk.execution_time.comms import CreateHITLDetailPayload

from tangga.progress import note


class PlanApproval(ApprovalOperator):
    """Lets a plan go on to a destination, at once when it is within limits, else when somebody has agreed.

    Rejected, or not answered in time, it ends as skipped: Airflow does not skip by itself what comes after an approval
    in a mapped group. The answer is kept in the ledger, see `tangga.activation.approval`.
    """

    template_fields = ("destination", "plan_folder")

    def __init__(self, *, destination: str, plan_folder: str, **kwargs):
        super().__init__(subject="", defaults=self.REJECT, map_index_template="{{ task.destination }}", **kwargs)
        self.destination, self.plan_folder = destination, plan_folder

    def execute(self, context) -> None:
        from tangga import settings
        from tangga.activation import approval

        config = settings.load()
        asked = approval.question(config, self.destination, Path(self.plan_folder))
        if asked is None:
            note("within limits, or agreed to")
            return
        self.subject, self.body = asked.subject, asked.body
        self.response_timeout = timedelta(hours=config.rules.activation.approval_hours)
        try:
            super().execute(context)
        except TaskAwaitingInput as parked:
            self._see_that_it_is_asked(context)
            note(f"waits for a person: {' '.join(asked.reasons)}")
            parked.kwargs = {"asked": asdict(asked) | {"reasons": list(asked.reasons)}}  # as the page reads it
            raise

    def execute_complete(self, context, event: dict[str, Any], asked: dict[str, Any]) -> None:
        from tangga import settings
        from tangga.activation import approval, plan

        self.validate_chosen_options(event["chosen_options"])
        approved = event["chosen_options"] == [self.APPROVE]
        by = (event["responded_by_user"] or {}).get("id") or approval.NOBODY
        question = approval.Question(**{**asked, "reasons": tuple(asked["reasons"])})
        try:
            approval.decide(
                settings.load(), self.destination, Path(self.plan_folder), question, approved=approved, by=by
            )
        except plan.ActivationRefused as refused:
            raise AirflowFailException(str(refused)) from None
        if not approved:
            raise AirflowSkipException(
                f"Nothing is sent to {self.destination}: "
                + ("nobody answered in time" if by == approval.NOBODY else f"{by} said no")
                + "; clear this task to be asked again."
            )
        note(f"agreed by {by}")

    def _see_that_it_is_asked(self, context) -> None:
        """Of a task that was cleared Airflow keeps the question of before: a yes to it would be one to another plan."""
        from airflow.sdk.execution_time.task_runner import SUPERVISOR_COMMS

        shown = SUPERVISOR_COMMS.send(
            CreateHITLDetailPayload(
                ti_id=context["task_instance"].id,
                options=self.options,
                subject=self.subject,
                body=self.body,
                params={},
                assigned_users=[],
            )
        )
        if (shown.subject, shown.body) != (self.subject, self.body):
            raise AirflowFailException(
                f"The plan for {self.destination} is another than this task has asked about before, and Airflow would "
                "show the old one; trigger crm_activate for the day anew, which asks about this one."
            )
