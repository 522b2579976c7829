"""Proves from a synthesised assembly what every persona, call and role can do."""

OFFERS = ("golden", "prove", "registry")
