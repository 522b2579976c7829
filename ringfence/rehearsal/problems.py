"""What stops a rehearsal before it starts: always named, always with a remedy."""

from __future__ import annotations


class CannotStart(Exception):
    """The rehearsal cannot start.

    Attributes:
        what: the fault, in one sentence that names the thing.
        remedy: what to do about it.
    """

    def __init__(self, what: str, remedy: str) -> None:
        self.what = what
        self.remedy = remedy
        super().__init__(f"{what}. {remedy}")


class CannotInterpret(CannotStart):
    """The template holds what nothing here can read, so nothing may be concluded from it."""

    def __init__(self, problem: Exception) -> None:
        super().__init__(
            f"the template cannot be interpreted: {problem}",
            "Correct the template, or teach ringfence/deployed/ to read it.",
        )


class NotEmulated(CannotStart):
    """The template asks for something the rehearsal cannot interpret; running on without it would prove nothing."""

    def __init__(self, resource: str, detail: str) -> None:
        super().__init__(
            f"{resource}: {detail}",
            "The rehearsal never skips configuration silently: teach ringfence/rehearsal/ this property, or "
            "take it out.",
        )
