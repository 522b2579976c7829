"""A tool's definition in the one form that is locked, and its digest, for whoever makes or holds a lock."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from callpath.digest import digest


def as_locked(definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return a tool definition, as a server listed it, in the form the lock holds.

    The description of a tool is its function's docstring, and Python 3.13 strips a docstring's indentation when it
    compiles it, earlier versions do not. Without this, a lock made with Python 3.11 would call every tool of the same
    server on 3.13 changed. A field that is null counts as absent. Nothing else is touched: any other difference, in
    fields we do not know too, is drift.
    """
    kept = {field: value for field, value in definition.items() if value is not None}
    if isinstance(kept.get("description"), str):
        kept["description"] = inspect.cleandoc(kept["description"])
    return kept


def definition_digest(definition: Mapping[str, Any]) -> str:
    """Return the SHA-256 that pins a tool, from its definition as a server listed it.

    Raises:
        ValueError: the definition is not exact JSON.
    """
    return digest(as_locked(definition))
