"""Feedback: what they said."""

from tangga.contracts.contract import CONTACT_OR_EMAIL, Column, Contract

SURVEY_RESPONSES = Contract(
    entity="survey_responses",
    dataset="feedback",
    key=("response_id",),
    occurred="answered_at",
    columns=(
        Column("response_id", "id", "The answer.", required=True, example="N-31"),
        *CONTACT_OR_EMAIL,
        Column("survey", "text", "Which survey.", required=True, example="after delivery"),
        Column(
            "kind", "text", "Which question was asked.", required=True, allowed=("nps", "csat", "ces"), example="nps"
        ),
        Column(
            "answered_at",
            "instant",
            "When it was answered; empty while it is not.",
            example="2026-03-10T08:00:00+07:00",
        ),
        Column("score", "integer", "nps 0-10, csat 1-5, ces 1-7; empty while not answered.", example="9"),
        Column("comment", "text", "In the person's words.", example="Fast, and well packed"),
        Column("sent_at", "instant", "When it was sent.", example="2026-03-09T08:00:00+07:00"),
        Column("touchpoint", "text", "What the survey asked about.", example="delivery"),
        Column("order_id", "id", "The order it asked about.", example="A-1001"),
    ),
    any_of=("answered_at", "sent_at"),
)

TICKETS = Contract(
    entity="tickets",
    dataset="feedback",
    key=("ticket_id",),
    occurred="opened_at",
    columns=(
        Column("ticket_id", "id", "The ticket.", required=True, example="T-204"),
        *CONTACT_OR_EMAIL,
        Column(
            "kind",
            "text",
            "What the person wanted.",
            required=True,
            allowed=("question", "request", "complaint"),
            example="complaint",
        ),
        Column("opened_at", "instant", "When it was opened.", required=True, example="2026-03-09T14:30:00+07:00"),
        Column("channel", "text", "Where it came in.", example="email"),
        Column("topic", "text", "What it was about.", example="late delivery"),
        Column("first_replied_at", "instant", "First answer.", example="2026-03-09T15:10:00+07:00"),
        Column("resolved_at", "instant", "When it was resolved.", example="2026-03-10T11:00:00+07:00"),
        Column("reopened_count", "integer", "How often it was opened again.", minimum=0, example="0"),
        Column("csat_score", "integer", "Satisfaction with the answer, 1-5.", minimum=1, maximum=5, example="4"),
    ),
    any_of=("contact_id", "email"),
)

SURVEY_SCORES = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}
"""Lowest and highest score of each kind of question."""
