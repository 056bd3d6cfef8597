"""Why somebody is erased: fixed words, as a free text would sooner or later hold a name."""

REASONS = (
    "the person asked for it",
    "the person withdrew consent",
    "their account was closed",
    "an authority ordered it",
    "the data were never lawful",
)
