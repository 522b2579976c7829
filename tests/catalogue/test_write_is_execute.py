"""A write that runs code with somebody else's role is no write: the table of such parameters, over all tools."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ringfence.catalogue.actions import is_known
from ringfence.catalogue.catalogue import load_catalogue
from ringfence.catalogue.files.tool_files import LEVELS
from ringfence.department.department import load_department

ROOT = Path(__file__).parents[2]
TABLE = tomllib.loads((ROOT / "catalogue" / "execution.toml").read_text())["parameter"]


def uses(entry: dict[str, Any]) -> Iterator[tuple[str, Any, str, str]]:
    """Each tool or operation that calls the action and has one of the arguments: name, tool, level, argument."""
    for server in load_catalogue(ROOT / "catalogue").servers.values():
        for tool in server.tools.values():
            parts = tool.operations.values() or (tool,)
            for part in parts:
                called = {action for grant in part.grants for action in grant.actions}
                if entry["action"] in called and not part.refused and not tool.refused:
                    for name in set(entry["arguments"]) & set(tool.definition["inputSchema"].get("properties", {})):
                        yield f"{server.name}.{tool.name}.{part.name}", tool, part.level, name


@pytest.mark.parametrize("entry", TABLE, ids=[entry["action"] for entry in TABLE])
def test_no_tool_of_the_level_write_takes_code(entry: dict[str, Any]) -> None:
    assert is_known(entry["action"])
    assert len(entry["because"]) > 20
    found = list(uses(entry))
    assert found, "no tool has such an argument: remove the entry, or correct it"
    for place, tool, level, name in found:
        held = name in tool.arguments and tool.arguments[name].mode in ("hidden", "shaped")
        assert held or LEVELS.index(level) > LEVELS.index("write"), f"{place} takes {name}: {entry['because']}"


def test_no_persona_holds_a_level_that_runs_code() -> None:
    catalogue = load_catalogue(ROOT / "catalogue")
    for name in ("example-production", "example-sandbox"):
        department = load_department(name, catalogue=catalogue, root=ROOT / "departments")
        for persona in department.personas:
            for _, tool in catalogue.granted(persona, department):
                assert LEVELS.index(tool.level) <= LEVELS.index("write"), tool.name
