"""What a service rule is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ringfence.reading.template import Breach
from ringfence.service_rules.assembly import Assembly


@dataclass(frozen=True)
class ServiceRule:
    """One thing that a service of AWS demands although CloudFormation's schema does not.

    Attributes:
        id: `AWS-<topic>-<number>`; a number is never used again.
        promise: what holds for every assembly of ours, as a sentence.
        find: yields the breaches in all templates that are deployed into one account.
    """

    id: str
    promise: str
    fix: str
    source: str
    read: str
    find: Callable[[Assembly], Iterator[Breach]]


READ = "28 November 2026"
"""The day the sources of the present rules were read."""
