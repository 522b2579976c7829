"""JSON that is too long, cut so that it stays JSON: lists keep their first items, and objects their small fields."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from callpath.json_limits import DEEPEST_RESULT, deeper_than
from callpath.json_text import written

_LEAST = 16  # bytes below which nothing of a value is worth keeping


def shortened_json(text: str, room: int) -> tuple[str, str] | None:
    """Return as much of a JSON text as fits, and what is missing from it; None where the text is no object or list.

    Args:
        text: the text.
        room: bytes it may take as a string of JSON, in which its quotes are escaped.
    """
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if deeper_than(value, DEEPEST_RESULT):
        return None
    most = room
    while most > _LEAST:
        missing: Counter[str] = Counter()
        shorter = written(_fitted(value, most, missing))
        text = shorter.decode("utf-8", "surrogatepass")
        size = len(written(text))
        if size <= room:
            return text, _told(missing)
        most = min(len(shorter) * room // size, most - 1)
    return None


def _fitted(value: Any, room: int, missing: Counter[str]) -> Any:
    if _size(value) <= room:
        return value
    if isinstance(value, list):
        return _fitted_list(value, room, missing)
    if isinstance(value, dict):
        return _fitted_fields(value, room, missing)
    if isinstance(value, str):
        missing["characters"] += len(value) - max(0, room // 4)
        return value[: max(0, room // 4)]  # a character takes four bytes at most, or six as an escape: seldom
    return value


def _fitted_list(items: list[Any], room: int, missing: Counter[str]) -> list[Any]:
    kept: list[Any] = []
    left = room - 2
    for item in items:
        size = _size(item) + 1
        if size > left:
            break
        kept.append(item)
        left -= size
    if not kept and left > _LEAST:
        kept.append(_fitted(items[0], left - 2, missing))
    missing["items"] += len(items) - len(kept)
    return kept


def _fitted_fields(fields: dict[str, Any], room: int, missing: Counter[str]) -> dict[str, Any]:
    sizes = {name: _size(value) + _size(name) + 4 for name, value in fields.items()}
    left, kept, waiting = room - 2, dict[str, Any](), len(fields)
    for name in sorted(fields, key=sizes.__getitem__):
        share = left // waiting if waiting > 1 and sizes[name] > left else left
        waiting -= 1
        if sizes[name] <= left:
            kept[name] = fields[name]
            left -= sizes[name]
        elif (space := share - _size(name) - 4) > _LEAST:
            kept[name] = _fitted(fields[name], space, missing)
            left -= _size(kept[name]) + _size(name) + 4
        else:
            missing["fields"] += 1
    return {name: kept[name] for name in fields if name in kept}


def _told(missing: Counter[str]) -> str:
    return " and ".join(f"{count} {what}" for what, count in missing.items() if count)


def _size(value: Any) -> int:
    return len(written(value))
