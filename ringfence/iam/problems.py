"""What stops a decision."""

from __future__ import annotations

from ringfence import CannotGoOn


class UndecidablePolicy(CannotGoOn):
    """A policy uses an element or operator that the evaluator does not know; guessing would prove nothing."""

    remedy = "Correct the policy, or teach ringfence/iam/ what it uses."
