"""Bypasses: ways past the governed path, to models, to MCP servers that AWS hosts, to keys that outlive a session.

`catalogue/bypasses.toml` lists every one among AWS's actions, with what is denied of it.
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

FILE: Final = Path(__file__).resolve().parents[2] / "catalogue" / "bypasses.toml"
KINDS: Final = ("inference", "key", "mcp")
Kind = Literal["inference", "key", "mcp"]


class BypassFile(Strict):
    """What one service offers of one kind.

    Attributes:
        prefix: of its IAM actions.
        state: `denied` as a whole, `governed` by `deny`, or `no bypass`.
        deny: names of actions, with `*` for their ends.
        because: why, in a sentence or two.
    """

    prefix: str
    kind: Kind
    state: Literal["denied", "governed", "no bypass"]
    deny: Annotated[tuple[str, ...], Field(strict=False)] = ()
    because: Annotated[str, Field(min_length=20)]

    @property
    def denied(self) -> tuple[str, ...]:
        """Returns the actions that nobody may ask for, as policies write them."""
        names = ("*",) if self.state == "denied" else self.deny
        return tuple(f"{self.prefix}:{name}" for name in names)


class BypassesFile(Strict):
    """`bypasses.toml`: how such actions look by kind (`Action` or `prefix:Action`), and each service that has one."""

    looks_like: dict[Kind, Annotated[tuple[str, ...], Field(strict=False, min_length=1)]]
    bypass: Annotated[tuple[BypassFile, ...], Field(strict=False)]


@cache
def bypasses(path: Path = FILE) -> BypassesFile:
    """Returns every bypass; raises as `read_checked`."""
    file = read_checked(path, BypassesFile)
    problems = [*_unsound(file), *(_stray(bypass, known_actions()) for bypass in file.bypass)]
    if found := [problem for problem in problems if problem is not None]:
        raise ProblemsFound(path.name, found)
    return file


def denied(*kinds: Kind) -> list[str]:
    """Returns the actions that are denied to everybody, of some kinds or of all, sorted and each once."""
    wanted = kinds or KINDS
    return sorted({action for bypass in bypasses().bypass if bypass.kind in wanted for action in bypass.denied})


def unlisted(actions: Mapping[str, Iterable[str]]) -> list[str]:
    """Returns the bypasses among a table's actions that the file does not list, as `kind prefix:Action`.

    Args:
        actions: names of actions by prefix.
    """
    listed = {(bypass.prefix, bypass.kind) for bypass in bypasses().bypass}
    listed |= {(bypass.prefix, kind) for bypass in bypasses().bypass if bypass.state == "denied" for kind in KINDS}
    looks = {
        kind: re.compile("|".join(f"(?:{each})" for each in parts)) for kind, parts in bypasses().looks_like.items()
    }
    return sorted(
        f"{kind} {prefix}:{name}"
        for kind, pattern in looks.items()
        for prefix, names in actions.items()
        if (prefix, kind) not in listed
        for name in names
        if pattern.fullmatch(name) or pattern.fullmatch(f"{prefix}:{name}")
    )


def _unsound(file: BypassesFile) -> list[Problem]:
    keys = [(bypass.prefix, bypass.kind) for bypass in file.bypass]
    whole = {bypass.prefix for bypass in file.bypass if bypass.state == "denied"}
    told = {key for key in keys if keys.count(key) > 1}
    told |= {
        (bypass.prefix, bypass.kind) for bypass in file.bypass if bypass.prefix in whole and bypass.state != "denied"
    }
    return [
        Problem("bypasses.toml: bypass", shown(" ".join(key)), "Two entries are about this.", "Join them.")
        for key in sorted(told)
    ]


def _stray(bypass: BypassFile, actions: Mapping[str, tuple[str, ...]]) -> Problem | None:
    """Returns what is wrong with an entry: it is about nothing that AWS has, or denies too much or too little."""
    place = f"bypasses.toml: bypass {bypass.prefix} {bypass.kind}"
    if bypass.prefix not in actions:
        return Problem(f"{place}.prefix", shown(bypass.prefix), "AWS has no such prefix.", "Correct it, or remove it.")
    if (bypass.state == "governed") != bool(bypass.deny):
        return Problem(
            f"{place}.deny", shown(bypass.deny), "Only a governed bypass lists what is denied.", "Correct it."
        )
    for pattern in bypass.deny:
        name = re.compile(re.escape(pattern).replace(r"\*", ".*"))
        if not any(name.fullmatch(each) for each in actions[bypass.prefix]):
            return Problem(f"{place}.deny", shown(pattern), "AWS has no such action.", "Correct it, or remove it.")
    return None
