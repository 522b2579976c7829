"""One attack of the corpus."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from rehearsal.ablation.scene import Scene
from rehearsal.ablation.seen import Seen


class Does(StrEnum):
    """What an attack would do if nothing stopped it."""

    CHANGES = "changes"
    CARRIES_OUT = "carries out"
    READS = "reads"
    MISLEADS = "misleads"

    @property
    def needs_two(self) -> bool:
        """Whether two layers must stop it independently."""
        return self in (Does.CHANGES, Does.CARRIES_OUT)


@dataclass(frozen=True)
class Attack:
    """One attack.

    Attributes:
        name: in kebab-case, once in the corpus.
        family: what kind it is of, for the matrix.
        does: what it would do.
        play: carries it out once.
        alone: why one layer has to do, or the empty text; an attack that two layers stop needs no reason.
        meets: rules or statements of which each must be among those that stop it, or it was stopped for another reason
            than the one that it is about.
    """

    name: str
    family: str
    does: Does
    play: Callable[[Scene], Seen]
    alone: str = ""
    meets: tuple[str, ...] = ()
