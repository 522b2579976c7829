"""Shorter lists of IAM actions that still cover no action but the listed ones."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ringfence.catalogue.actions import known_actions

_WORD = re.compile(r"[A-Z][a-z0-9]*|[A-Z]+(?![a-z])")


def shortened(actions: Iterable[str]) -> list[str]:
    """Returns names and patterns (`glue:GetJob*`) that cover exactly these actions, of all that AWS has; sorted.

    Only beginnings of whole words become patterns, so that a reviewer can read them. An action that AWS adds later may
    match one; what uses these lists, a boundary, grants nothing by itself.

    Args:
        actions: Full names such as `glue:GetJob`.
    """
    by_service: dict[str, set[str]] = {}
    for action in actions:
        prefix, _, name = action.partition(":")
        by_service.setdefault(prefix, set()).add(name)
    return [f"{prefix}:{part}" for prefix, names in sorted(by_service.items()) for part in _parts(prefix, names)]


def _parts(prefix: str, names: set[str]) -> list[str]:
    # IAM compares actions without regard to case.
    existing = {name.lower(): name for name in known_actions().get(prefix, ())}
    found: list[str] = []
    covered: set[str] = set()
    for beginning in sorted({each for name in names for each in _beginnings(name)}, key=lambda each: (len(each), each)):
        matched = {name for low, name in existing.items() if low.startswith(beginning.lower())}
        if len(matched - covered) > 1 and matched <= names:
            found.append(f"{beginning}*")
            covered |= matched
    return sorted([*found, *(names - covered)])


def _beginnings(name: str) -> list[str]:
    """Returns `Get`, `GetJob` and so on, of `GetJobRun`: every beginning that ends with a word."""
    ends = [match.end() for match in _WORD.finditer(name)]
    return [name[:end] for end in ends]
