"""Deterministic physical ids, shaped as AWS shapes them."""
