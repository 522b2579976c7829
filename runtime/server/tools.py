"""The lock: the server's tools, as it lists them itself, must be exactly the ones that were reviewed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from callpath.definition import definition_digest


def lock_differences(lock: Mapping[str, str], listed: Iterable[Mapping[str, Any]]) -> list[str]:
    """Say, one line each, how the listed tools differ from the lock. An empty list means they are the same."""
    found: dict[str, str] = {}
    differences = []
    for definition in listed:
        name = str(definition.get("name"))
        if name in found:
            differences.append(f"tool {name}: listed twice")
        try:
            found[name] = definition_digest(definition)
        except ValueError:
            found[name] = "unreadable"
    differences += [
        f"tool {name}: in the lock, but the server does not list it" for name in sorted(lock.keys() - found)
    ]
    differences += [f"tool {name}: listed by the server, but not in the lock" for name in sorted(found.keys() - lock)]
    differences += [
        f"tool {name}: changed (lock {lock[name]}, server {found[name]})"
        for name in sorted(lock.keys() & found)
        if lock[name] != found[name]
    ]
    return differences
