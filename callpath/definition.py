"""A tool's definition in the one form that is locked, digested and published."""

from __future__ import annotations

import inspect
from typing import Any


def as_locked(definition: dict[str, Any]) -> dict[str, Any]:
    """Return a tool definition, as a server listed it, in the form the lock holds.

    The description of a tool is its function's docstring, and Python 3.13 strips a docstring's indentation when it
    compiles it, earlier versions do not. Without this, a lock made with Python 3.11 would call every tool of the same
    server on 3.13 changed. Nothing else is touched: any other difference is drift.
    """
    description = definition.get("description")
    if not isinstance(description, str):
        return dict(definition)
    return {**definition, "description": inspect.cleandoc(description)}
