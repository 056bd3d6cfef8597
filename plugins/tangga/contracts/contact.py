"""Contact: who the customers are, what they agreed to, and whom they brought."""

from tangga.contracts.contract import CHANNELS, CONTACT_OR_EMAIL, Column, Contract

CONTACTS = Contract(
    entity="contacts",
    dataset="contact",
    key=("contact_id",),
    occurred="updated_at",
    columns=(
        Column("contact_id", "id", "The person, as the source numbers them.", required=True, example="000123"),
        Column(
            "updated_at",
            "instant",
            "When this record was last changed.",
            required=True,
            example="2026-03-09T14:30:00+07:00",
        ),
        Column("email", "email", "E-mail address.", example="ani@example.com"),
        Column("phone", "phone", "Telephone number; stored as E.164.", example="0812-3456-7890"),
        Column("first_name", "text", "Given name.", example="Ani"),
        Column("last_name", "text", "Family name.", example="Wijaya"),
        Column("gender", "text", "As the source says it.", example="female"),
        Column("birth_date", "date", "Date of birth.", example="1990-02-28"),
        Column("occupation", "text", "Occupation.", example="teacher"),
        Column("city", "text", "City.", example="Jakarta"),
        Column("country", "text", "ISO 3166-1 alpha-2 country.", example="ID"),
        Column("language", "text", "ISO 639-1 language.", example="id"),
        Column("signup_at", "instant", "When the person first signed up.", example="2025-11-02 09:15:00"),
        Column("acquisition_channel", "text", "Where the person came from.", example="instagram"),
        Column("interests", "text", "Interests the person named, separated by '|'.", example="coffee|batik"),
    ),
)

CONSENTS = Contract(
    entity="consents",
    dataset="contact",
    key=("contact_id", "email", "channel", "purpose", "status_at"),
    occurred="status_at",
    columns=(
        *CONTACT_OR_EMAIL,
        Column(
            "channel", "text", "The channel that the consent is for.", required=True, allowed=CHANNELS, example="email"
        ),
        Column(
            "status",
            "text",
            "What the person decided.",
            required=True,
            allowed=("granted", "denied", "revoked"),
            example="granted",
        ),
        Column("status_at", "instant", "When they decided.", required=True, example="2026-03-09T14:30:00+07:00"),
        Column("purpose", "text", "What the consent is for; empty means marketing.", example="marketing"),
        Column(
            "method",
            "text",
            "How it was given.",
            allowed=("single_opt_in", "double_opt_in", "import"),
            example="double_opt_in",
        ),
        Column("source", "text", "Where it was given.", example="checkout form"),
        Column("wording_version", "text", "Which wording the person saw.", example="2025-01"),
        Column("ip", "text", "Network address of the person.", example="203.0.113.7"),
    ),
    any_of=("contact_id", "email"),
)

REFERRALS = Contract(
    entity="referrals",
    dataset="contact",
    key=("referrer_contact_id", "referred_contact_id"),
    occurred="referred_at",
    columns=(
        Column("referrer_contact_id", "id", "Who brought somebody.", required=True, example="000123"),
        Column("referred_contact_id", "id", "Who was brought.", required=True, example="000456"),
        Column("referred_at", "instant", "When.", required=True, example="2026-03-09T14:30:00+07:00"),
        Column("code", "text", "Referral code used.", example="ANI10"),
    ),
)
