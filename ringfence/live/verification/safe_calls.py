"""Calls that verify-live may make as a person: of granted tools that only read, and that need no argument."""

from __future__ import annotations

from typing import Any

from ringfence.catalogue.shown.published import published_definition
from ringfence.live.needs import Needs
from ringfence.reading.names import published_tool


def safe_calls(needs: Needs, persona: str) -> dict[str, dict[str, Any]]:
    """Returns one call for each server of a persona that has such a tool: arguments by published name.

    Sensitive tools are left out, and a tool that asks for an argument is called only where its schema says the one
    value that the argument may have.
    """
    chosen: dict[str, tuple[str, dict[str, Any]]] = {}
    for server, tool in needs.catalogue.granted(persona, needs.department):
        if server.name in chosen or tool.level != "read" or tool.sensitive or tool.approval:
            continue
        arguments = _only_arguments(published_definition(server, tool)["inputSchema"])
        if arguments is not None:
            chosen[server.name] = (published_tool(server.name, tool.name), arguments)
    return dict(sorted(chosen.values()))


def _only_arguments(schema: dict[str, Any]) -> dict[str, Any] | None:
    arguments: dict[str, Any] = {}
    for name in schema.get("required", []):
        values = schema["properties"][name].get("enum", [])
        if len(values) != 1:
            return None
        arguments[name] = values[0]
    return arguments
