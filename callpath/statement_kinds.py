"""The kinds of SQL statement that a catalogue can grant, by the names that the host's parser gives them."""

from __future__ import annotations

from typing import Final

READS: Final = frozenset({"describe", "explain", "select", "show"})
"""Kinds that only read."""

WRITES: Final = frozenset({"alter", "create", "delete", "drop", "insert", "merge", "unload", "update"})
"""Kinds that write what their own text says; what runs another text, such as `execute` or `call`, is none of them."""
