"""How deeply a JSON value is nested, told without recursion, which would end at Python's stack."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

DEEPEST_RESULT = 64
"""Levels of objects and lists in a result: five times what an AWS API answers with, and far from Python's stack."""


def deeper_than(value: object, most: int) -> bool:
    """Say whether a value has more than `most` levels of objects and lists, itself included."""
    level: list[Any] = [value] if isinstance(value, dict | list) else []
    depth = 0
    while level:
        depth += 1
        if depth > most:
            return True
        level = [child for item in level for child in _containers(item)]
    return False


def _containers(item: dict[str, Any] | list[Any]) -> Iterator[Any]:
    children = item.values() if isinstance(item, dict) else item
    return (child for child in children if isinstance(child, dict | list))
