"""An organisation: whose accounts the departments live in, and the guardrails that bind them all."""

OFFERS = ("organisation", "policies")
