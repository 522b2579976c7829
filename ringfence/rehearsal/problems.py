"""What stops a rehearsal before it starts: always named, always with a remedy."""

from __future__ import annotations

from ringfence import CannotGoOn


class CannotStart(CannotGoOn):
    """The rehearsal cannot start."""


class NotEmulated(CannotStart):
    """The template asks for something the rehearsal cannot interpret; running on without it would prove nothing."""

    def __init__(self, resource: str, detail: str) -> None:
        super().__init__(
            f"{resource}: {detail}",
            "The rehearsal never skips configuration silently: teach ringfence/rehearsal/ this property, or "
            "take it out.",
        )
