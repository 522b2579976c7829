"""What each persona's list of tools takes of every conversation, beside the servers' own words for the same tools."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ringfence.catalogue.catalogue import load_catalogue
from ringfence.compilers.rules import shown_definitions
from ringfence.department.department import load_department
from tests.bench.processes import ROOT
from tests.bench.table import Row

DEPARTMENT: Final = "example-sandbox"
_IN_A_TOKEN: Final = 4
"""Characters: a rule of thumb for English and JSON, not any model's own count."""


def rows() -> list[Row]:
    """Bytes and tokens of each persona's list, and their share of the servers' own."""
    catalogue = load_catalogue(ROOT / "catalogue")
    department = load_department(DEPARTMENT, catalogue=catalogue, root=ROOT / "departments")
    found = []
    for persona in department.personas:
        theirs = [tool.definition for _, tool in catalogue.granted(persona, department)]
        found += rows_of(persona, shown_definitions(catalogue, department, persona), theirs)
    return found


def rows_of(persona: str, ours: Sequence[Mapping[str, Any]], theirs: Sequence[Mapping[str, Any]]) -> list[Row]:
    """The rows of one persona: `theirs` are the definitions as its servers list them."""
    shown, locked = listed(ours), listed(theirs)
    size = len(shown.encode())
    note = f"{len(ours)} tools; the servers' own: {len(locked.encode()) / 1000:.1f} kB"
    return [
        Row(f"{persona}: list of tools", size / 1000, "kB", note=note),
        Row(f"{persona}: in tokens", len(shown) / _IN_A_TOKEN, "", note=f"characters / {_IN_A_TOKEN}, an estimate"),
        Row(f"{persona}: to the servers' own", size / len(locked.encode()), "x", goal=0.5),
    ]


def listed(tools: Sequence[Mapping[str, Any]]) -> str:
    """An answer to `tools/list`, as JSON without spaces."""
    return json.dumps({"tools": list(tools)}, ensure_ascii=False, separators=(",", ":"))
