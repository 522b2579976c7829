"""Which IAM actions exist: the table that `ringfence/iam/actions.txt` holds (`ringfence actions` makes
it).

Only names are read here. They find spelling mistakes in the catalogue, and show that a wildcard in a boundary covers no
action but granted ones.
"""

from __future__ import annotations

import difflib
from functools import cache
from pathlib import Path
from typing import Final

TABLE: Final = Path(__file__).resolve().parents[1] / "iam" / "actions.txt"
_LEVELS: Final = frozenset("LRWTP")


@cache
def known_actions() -> dict[str, tuple[str, ...]]:
    """Returns the names of all actions by their prefix: `{"iam": ("AddUserToGroup", ...)}`.

    Raises:
        OSError: the table is missing.
    """
    found: dict[str, list[str]] = {}
    prefix = ""
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            prefix = line.strip("[]")
        elif line[:1] in _LEVELS and line[1:2] == " ":
            found.setdefault(prefix, []).append(line.split(" ", 2)[1])
    return {prefix: tuple(names) for prefix, names in found.items()}


def is_known(action: str) -> bool:
    """Returns whether AWS has an action, spelt exactly so."""
    prefix, _, name = action.partition(":")
    return name in known_actions().get(prefix, ())


def nearest(action: str) -> str | None:
    """Returns the action that somebody probably meant."""
    prefix, _, name = action.partition(":")
    prefixes = difflib.get_close_matches(prefix, known_actions(), n=1)
    names = difflib.get_close_matches(name, known_actions()[prefixes[0]], n=1) if prefixes else []
    return f"{prefixes[0]}:{names[0]}" if names else None
