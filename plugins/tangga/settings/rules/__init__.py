"""`rules:` in `tangga.yml`: the business rules that are single numbers or names, with their defaults."""

from __future__ import annotations

from tangga.settings.rules.contact import Audiences, Caps, Consent, Pressure, Uplift
from tangga.settings.rules.customers import (
    CurrencyRules,
    Economics,
    Identity,
    Journey,
    Lifecycle,
    Needs,
    Recommendations,
    Retention,
    Rfm,
    Value,
)
from tangga.settings.rules.feedback import Ces, Csat, Feedback, Nps, Service
from tangga.settings.rules.guards import Activation, Erasure, Gate
from tangga.settings.types import Strict


class Rules(Strict):
    """The business rules that are single numbers; those that are tables live in dbt_project/seeds."""

    currency: CurrencyRules = CurrencyRules()
    identity: Identity = Identity()
    rfm: Rfm = Rfm()
    lifecycle: Lifecycle = Lifecycle()
    journey: Journey = Journey()
    consent: Consent = Consent()
    nps: Nps = Nps()
    audiences: Audiences = Audiences()
    caps: Caps = Caps()
    pressure: Pressure = Pressure()
    uplift: Uplift = Uplift()
    economics: Economics = Economics()
    value: Value = Value()
    needs: Needs = Needs()
    recommendations: Recommendations = Recommendations()
    gate: Gate = Gate()
    activation: Activation = Activation()
    csat: Csat = Csat()
    ces: Ces = Ces()
    feedback: Feedback = Feedback()
    service: Service = Service()
    retention: Retention = Retention()
    erasure: Erasure = Erasure()
