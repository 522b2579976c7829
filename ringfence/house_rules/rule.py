"""What a house rule is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ringfence.house_rules.declared import Residency
from ringfence.reading.template import Breach, Template


@dataclass(frozen=True)
class Rule:
    """One house rule.

    Attributes:
        id: `GOV-<topic>-<number>`; a number is never used again.
        promise: what holds for every template, as a sentence.
        fix: what to do about a breach.
        find: yields the breaches in a template.
    """

    id: str
    promise: str
    fix: str
    find: Callable[[Template, Residency], Iterator[Breach]]
