"""What a department's residency register declares, as the house rules ask for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ringfence.department.residency import DeclaredException


@dataclass(frozen=True)
class Residency:
    """The declared exceptions.

    Attributes:
        endpoints: (endpoint service, region) pairs, such as `("iam", "us-east-1")`.
        prefixes: (IAM action prefix, region) pairs.
    """

    endpoints: frozenset[tuple[str, str]] = frozenset()
    prefixes: frozenset[tuple[str, str]] = frozenset()

    @classmethod
    def of(cls, register: Iterable[DeclaredException]) -> Residency:
        """Returns the declared pairs of a department's register."""
        entries = list(register)
        return cls(
            endpoints=frozenset((entry.service, entry.region) for entry in entries),
            prefixes=frozenset(
                (action.partition(":")[0], entry.region) for entry in entries for action in entry.actions
            ),
        )

    @property
    def regions(self) -> frozenset[str]:
        """The regions of all exceptions."""
        return frozenset(region for _, region in self.endpoints | self.prefixes)
