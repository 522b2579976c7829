"""Markdown tables in which a value cannot break out of its cell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Returns a table; bars and line ends in a value are written so that they stay in it."""
    lines = [_line(heads), _line(["---"] * len(heads)), *(_line([_cell(value) for value in row]) for row in rows)]
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(value: str) -> str:
    return " ".join(value.split()).replace("\\", "\\\\").replace("|", "\\|") or " "
