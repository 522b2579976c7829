"""What stops a decision."""

from __future__ import annotations


class UndecidablePolicy(Exception):
    """A policy uses an element or operator that the evaluator does not know; guessing would prove nothing."""
