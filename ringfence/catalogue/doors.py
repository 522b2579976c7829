"""Doors past the governed path: to models, to MCP servers that AWS hosts, to keys that outlive a session.

`catalogue/doors.toml` lists every one among AWS's actions, with what is denied of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field

from ringfence.catalogue.actions import known_actions
from ringfence.reading.documents import Strict, read_checked
from ringfence.reading.problems import Problem, ProblemsFound, shown

FILE: Final = Path(__file__).resolve().parents[2] / "catalogue" / "doors.toml"
KINDS: Final = ("inference", "key", "mcp")
Kind = Literal["inference", "key", "mcp"]


class DoorFile(Strict):
    """What one service offers of one kind.

    Attributes:
        prefix: of its IAM actions.
        state: `denied` as a whole, `governed` by `deny`, or `no door`.
        deny: names of actions, with `*` for their ends.
        because: why, in a sentence or two.
    """

    prefix: str
    kind: Kind
    state: Literal["denied", "governed", "no door"]
    deny: Annotated[tuple[str, ...], Field(strict=False)] = ()
    because: Annotated[str, Field(min_length=20)]

    @property
    def denied(self) -> tuple[str, ...]:
        """Returns the actions that nobody may ask for, as policies write them."""
        names = ("*",) if self.state == "denied" else self.deny
        return tuple(f"{self.prefix}:{name}" for name in names)


class DoorsFile(Strict):
    """`doors.toml`: how such actions look by kind (`Action` or `prefix:Action`), and each service that has one."""

    looks_like: dict[Kind, Annotated[tuple[str, ...], Field(strict=False, min_length=1)]]
    door: Annotated[tuple[DoorFile, ...], Field(strict=False)]


@cache
def doors(path: Path = FILE) -> DoorsFile:
    """Returns every door.

    Raises:
        ProblemsFound: everything that is wrong with the file, at once.
    """
    file = read_checked(path, DoorsFile)
    problems = [*_unsound(file), *(_stray(door, known_actions()) for door in file.door)]
    if found := [problem for problem in problems if problem is not None]:
        raise ProblemsFound(path.name, found)
    return file


def denied(*kinds: Kind) -> list[str]:
    """Returns the actions that are denied to everybody, of some kinds or of all, sorted and each once."""
    wanted = kinds or KINDS
    return sorted({action for door in doors().door if door.kind in wanted for action in door.denied})


def unlisted(actions: Mapping[str, Iterable[str]]) -> list[str]:
    """Returns the doors among a table's actions that the file does not list, as `kind prefix:Action`.

    Args:
        actions: names of actions by prefix.
    """
    listed = {(door.prefix, door.kind) for door in doors().door}
    listed |= {(door.prefix, kind) for door in doors().door if door.state == "denied" for kind in KINDS}
    looks = {kind: re.compile("|".join(f"(?:{each})" for each in parts)) for kind, parts in doors().looks_like.items()}
    return sorted(
        f"{kind} {prefix}:{name}"
        for kind, pattern in looks.items()
        for prefix, names in actions.items()
        if (prefix, kind) not in listed
        for name in names
        if pattern.fullmatch(name) or pattern.fullmatch(f"{prefix}:{name}")
    )


def _unsound(file: DoorsFile) -> list[Problem]:
    keys = [(door.prefix, door.kind) for door in file.door]
    whole = {door.prefix for door in file.door if door.state == "denied"}
    told = {key for key in keys if keys.count(key) > 1}
    told |= {(door.prefix, door.kind) for door in file.door if door.prefix in whole and door.state != "denied"}
    return [
        Problem("doors.toml: door", shown(" ".join(key)), "Two entries are about this.", "Join them.")
        for key in sorted(told)
    ]


def _stray(door: DoorFile, actions: Mapping[str, tuple[str, ...]]) -> Problem | None:
    """Returns what is wrong with an entry: it is about nothing that AWS has, or denies too much or too little."""
    place = f"doors.toml: door {door.prefix} {door.kind}"
    if door.prefix not in actions:
        return Problem(f"{place}.prefix", shown(door.prefix), "AWS has no such prefix.", "Correct it, or remove it.")
    if (door.state == "governed") != bool(door.deny):
        return Problem(f"{place}.deny", shown(door.deny), "Only a governed door lists what is denied.", "Correct it.")
    for pattern in door.deny:
        name = re.compile(re.escape(pattern).replace(r"\*", ".*"))
        if not any(name.fullmatch(each) for each in actions[door.prefix]):
            return Problem(f"{place}.deny", shown(pattern), "AWS has no such action.", "Correct it, or remove it.")
    return None
