"""The invented people of a rehearsal: somebody of each persona, somebody who holds them all, and a visitor."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from ringfence.rehearsal.compute.functions import Function
from ringfence.rehearsal.identity.user_pool import User, UserPool
from ringfence.rehearsal.problems import CannotStart

VISITOR: Final = User("vis.example-02", ("SG-Visitors",))
"""Somebody whose groups map to nothing."""

_HOLDS_ALL: Final = "all.example-03"


@dataclass(frozen=True)
class Person:
    """Somebody who can be chosen on the sign-in page.

    Attributes:
        personas: what their groups give them; none for the visitor.
    """

    user: User
    personas: tuple[str, ...]


def staff_id_of(persona: str) -> str:
    """The staff identifier of whoever plays a persona."""
    return f"{persona[:3]}.example-01"


def member(persona: str, *, functions: Iterable[Function], pool: UserPool) -> User:
    """Somebody whose groups map to a persona.

    Raises:
        CannotStart: no group does.
    """
    return User(staff_id_of(persona), _groups(persona, _mapping(functions), pool))


def everybody(personas: Iterable[str], *, functions: Iterable[Function], pool: UserPool) -> tuple[Person, ...]:
    """Everybody who can be chosen on the sign-in page: members first, in the order of the personas."""
    mapping, asked = _mapping(functions), tuple(personas)
    groups = {persona: _groups(persona, mapping, pool) for persona in asked}
    people = [Person(User(staff_id_of(persona), groups[persona]), (persona,)) for persona in asked]
    if len(asked) > 1:
        people.append(Person(User(_HOLDS_ALL, tuple(name for names in groups.values() for name in names)), asked))
    return (*people, Person(VISITOR, ()))


def _mapping(functions: Iterable[Function]) -> Mapping[str, list[str]]:
    """The department's groups by persona, from the pre-token function's own settings."""
    for function in functions:
        groups: dict[str, list[str]] = json.loads(function.spec.environment.get("GROUPS", "{}"))
        if groups:
            return groups
    return {}


def _groups(persona: str, mapping: Mapping[str, list[str]], pool: UserPool) -> tuple[str, ...]:
    if mapping.get(persona):
        return (str(mapping[persona][0]),)
    if pool.federated:
        raise CannotStart(
            f"no group of the department's provider maps to {persona}", "Name one under [identity.groups]."
        )
    return (persona,)
