"""The shape of what the catalogue says about words: `published.toml`, and the caveats of a tool."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from ringfence.catalogue.actions import known_actions
from ringfence.reading.documents import Strict, fault

_ACTIONS: Final = re.compile(r"\{actions:([a-z0-9-]+)\}")
_DATE: Final = re.compile(r"20\d\d-[01]\d-[0-3]\d")


def _expression(text: str) -> str:
    try:
        re.compile(text)
    except re.error:
        raise fault("This is not a regular expression.", "Correct it.") from None
    return text


def _with_actions(text: str) -> str:
    """Returns the expression with the names of a service's actions for `{actions:<prefix>}`."""
    services = known_actions()
    if unknown := [each for each in _ACTIONS.findall(text) if each not in services]:
        raise fault(f"There is no service {unknown[0]}.", "Write a prefix of ringfence/iam/actions.txt, as `iam`.")
    return _ACTIONS.sub(lambda found: f"(?:{'|'.join(services[found[1]])})", text)


def _date(text: str) -> str:
    if _DATE.fullmatch(text) is None:
        raise fault("This is not a date.", "Write the day on which the source was read, as `2026-11-29`.")
    return text


def _once(layers: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(layers)) < len(layers):
        raise fault("A layer is named twice.", "Name each once.")
    return layers


Expression = Annotated[str, AfterValidator(_expression)]
Sentence = Annotated[str, Field(min_length=20, max_length=600)]


class Instead(Strict):
    """Words of a server that mean something else here."""

    pattern: Expression
    words: str
    why: Annotated[str, Field(min_length=10)]


class PublishedFile(Strict):
    """`published.toml`: what is left of the servers' own words.

    Attributes:
        sections: How the headings of sections begin that are gone, in lower case.
        phrases: A sentence that holds one is gone.
        instead: Words that are replaced before that.
        budgets: By persona, the bytes that its list of tools may take.
    """

    sections: Annotated[tuple[str, ...], Field(strict=False)] = ()
    phrases: Annotated[tuple[str, ...], Field(strict=False)] = ()
    instead: Annotated[tuple[Instead, ...], Field(strict=False)] = ()
    budgets: dict[str, Annotated[int, Field(ge=1_000, le=1_000_000)]] = Field(default_factory=dict)


class RefusalFile(Strict):
    """One rule by which a call is refused or fails.

    Attributes:
        layers: Where it is decided: request, policy, runtime, credentials, server, aws or response.
    """

    layers: Annotated[tuple[str, ...], Field(strict=False, min_length=1), AfterValidator(_once)]
    means: Sentence
    next: Annotated[str, Field(min_length=8, max_length=300)]


class RefusalsFile(Strict):
    """`refusals.toml`: every rule, by its id."""

    rules: dict[str, RefusalFile]


class CaveatFile(Strict):
    """When an answer cannot contain what was asked, and what is then said beside it.

    Attributes:
        when: By argument, what its value matches from beginning to end, in any letter case; all of them must. For
            `{actions:<prefix>}` stand the names of that service's actions.
        empty: The list of the answer that must be empty; without it the caveat holds for every answer. `a.b` is the
            list b of each object in the list a.
        says: One or two sentences for the caller, with where to ask instead.
        source: Where the service's behaviour is documented.
    """

    when: dict[str, Annotated[Expression, AfterValidator(_with_actions)]] = Field(default_factory=dict)
    empty: str = ""
    says: Sentence
    source: Annotated[str, Field(min_length=10)]
    read: Annotated[str, AfterValidator(_date)]
