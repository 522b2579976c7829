"""What JSON is taken here: of bounded depth, with each field once, and ids that can be repeated in an answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from callpath.characters import hides
from callpath.digest import LARGEST_INTEGER

DEEPEST_RESULT = 64
"""Levels of objects and lists in a result: five times what an AWS API answers with, and far from Python's stack."""

_LONGEST_ID = 128


class RepeatedField(ValueError):
    """An object has a field twice: one reader sees the first value and another the last."""


def without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object's fields; the `object_pairs_hook` of whoever reads a request.

    Raises:
        RepeatedField: a field is given twice.
    """
    found = dict(pairs)
    if len(found) != len(pairs):
        raise RepeatedField
    return found


def usable_id(found: object) -> str | int | None:
    """Return the id of a JSON-RPC message, or None for one that is none: text of 1 to 128 visible characters, or a
    whole number that JSON carries exactly. Lambda could not post an answer that repeats half a surrogate pair.
    """
    if isinstance(found, str):
        return found if 1 <= len(found) <= _LONGEST_ID and not hides(found) else None
    return found if type(found) is int and abs(found) <= LARGEST_INTEGER else None


def deeper_than(value: object, most: int) -> bool:
    """Say whether a value has more than `most` levels of objects and lists, itself included; without recursion, which
    would end at Python's stack.
    """
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
