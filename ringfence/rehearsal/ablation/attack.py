"""One attack of the corpus."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from ringfence.rehearsal.ablation.attack_target import AttackTarget
from ringfence.rehearsal.ablation.seen import Seen


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
class Asks:
    """A call or a request to AWS, as far as it can be misspelt.

    Attributes:
        tool: published name of the tool, or empty for a request to AWS.
        arguments: names of the arguments.
        action: the AWS action that the attack is about, or empty.
        odd: names among these that no lock holds, on purpose.
    """

    tool: str = ""
    arguments: tuple[str, ...] = ()
    action: str = ""
    odd: tuple[str, ...] = ()


@dataclass(frozen=True)
class Attack:
    """One attack.

    Attributes:
        name: in kebab-case, once in the corpus.
        family: what kind it is of, for the matrix.
        does: what it would do.
        alone: why one layer has to do, or the empty text; an attack that two layers stop needs no reason.
        meets: rules or statements of which each must be among those that stop it, or it was stopped for another reason
            than the one that it is about.
        sends: what is sent, for the table; empty where the name says it.
        asks: what a call asks for, so that the corpus can be held to what there is; None for what is no such call.
    """

    name: str
    family: str
    does: Does
    carry_out: Callable[[AttackTarget], Seen]
    alone: str = ""
    meets: tuple[str, ...] = ()
    sends: str = ""
    asks: Asks | None = None
