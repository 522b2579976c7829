"""The definition of a tool that callers see: the locked one, narrowed to what they may send."""

from __future__ import annotations

import copy
import re
from typing import Any

from governance.catalogue_files import Argument
from governance.commands import commands_told
from governance.servers import Server, Tool


def published_definition(server: Server, tool: Tool) -> dict[str, Any]:
    """Returns a tool's definition as Ringfence publishes it.

    Hidden arguments are gone, forced ones accept their one value, allowed ones their values, matching ones their
    pattern, and no other argument is accepted. The output schema is dropped: redaction changes results, so the promise
    could not be kept.

    Returns:
        `{"name", "description", "inputSchema"}`, with the bare name of the tool.
    """
    schema = copy.deepcopy(dict(tool.definition["inputSchema"]))
    properties: dict[str, Any] = schema.setdefault("properties", {})
    required = [name for name in schema.get("required", [])]
    for name, rule in tool.arguments.items():
        if rule.mode == "hidden":
            properties.pop(name, None)
        elif name in properties:
            properties[name] = _narrowed(properties[name], rule)
            if rule.mode == "commands" and tool.match == "command":
                properties[name] |= {"description": commands_told(tool)}
        if rule.mode in ("hidden", "forced") and name in required:
            required.remove(name)
    if tool.operation in properties and tool.operation not in required:
        # Left out, the server would choose an operation itself.
        required.append(tool.operation)
    schema.pop("required", None)
    if required:
        schema["required"] = required
    schema["additionalProperties"] = False
    _prune_definitions(schema)
    return {"name": tool.name, "description": tool.definition.get("description", ""), "inputSchema": schema}


def _narrowed(original: dict[str, Any], rule: Argument) -> dict[str, Any]:
    described: dict[str, Any] = {key: original[key] for key in ("title", "description") if key in original}
    if rule.mode == "matching":
        return {**described, "type": "string", "pattern": rule.pattern}
    if rule.mode == "commands":
        told = f"{described.get('description', '')} Begins with one of: {', '.join(rule.values)}.".strip()
        return {**described, "description": told, "type": "string", "pattern": _beginning(rule.values)}
    if rule.mode == "allowed":
        default = {"default": original["default"]} if original.get("default") in rule.values else {}
        return {**described, **_type_of(rule.values[0]), "enum": list(rule.values), **default}
    if isinstance(rule.value, list):
        return {**described, **_type_of(rule.value), "const": rule.value, "default": rule.value}
    return {**described, **_type_of(rule.value), "enum": [rule.value], "default": rule.value}


def _beginning(commands: tuple[str, ...]) -> str:
    """Returns the pattern of a text that is one of some commands, or begins with one and a space, on one line."""
    # re.escape also escapes spaces and hyphens, which other dialects of regular expressions refuse.
    escaped = (re.escape(command).replace(r"\ ", " ").replace(r"\-", "-") for command in commands)
    return "^(?:" + "|".join(escaped) + r")(?: [^\n\r]*)?$"


def _type_of(value: object) -> dict[str, Any]:
    """Returns the JSON Schema type of a value; the gateway's schema and Cedar's derive from it."""
    if isinstance(value, list):
        return {"type": "array", **({"items": _type_of(value[0])} if value else {})}
    for kind, name in ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string")):
        if isinstance(value, kind):
            return {"type": name}
    return {"type": "object"}


def _prune_definitions(schema: dict[str, Any]) -> None:
    """Removes the `$defs` that nothing refers to any more, such as those of a hidden argument."""
    definitions = schema.get("$defs", {})
    kept: set[str] = set()
    waiting: list[object] = [{key: value for key, value in schema.items() if key != "$defs"}]
    while waiting:
        for name in _references(waiting.pop()):
            if name not in kept and name in definitions:
                kept.add(name)
                waiting.append(definitions[name])
    schema.pop("$defs", None)
    if kept:
        schema["$defs"] = {name: value for name, value in definitions.items() if name in kept}


def _references(value: object) -> list[str]:
    if isinstance(value, dict):
        reference = value.get("$ref")
        own = [reference.removeprefix("#/$defs/")] if isinstance(reference, str) else []
        return own + [name for item in value.values() for name in _references(item)]
    if isinstance(value, list):
        return [name for item in value for name in _references(item)]
    return []
