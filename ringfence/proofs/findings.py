"""What a proof says: how much it looked at, and everything that is not as it should be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, order=True)
class Finding:
    """One surprise.

    Attributes:
        subject: what it is about: a role, a tool, a resource of a stack, an action.
        message: what is there and what should be, in one sentence.
    """

    subject: str
    message: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.message}"


@dataclass(frozen=True)
class Outcome:
    """The outcome of one proof.

    Attributes:
        findings: surprises; the proof holds when there are none.
        looked_at: how many of what were looked at, in words and numbers. A proof that looked at nothing proves nothing.
        on_purpose: what stands open with a reason, in words: a reviewer is told, and nothing is wrong.
    """

    findings: tuple[Finding, ...]
    looked_at: Mapping[str, int] = field(default_factory=dict)
    on_purpose: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether nothing was found, and something was looked at."""
        return not self.findings and all(self.looked_at.values())
