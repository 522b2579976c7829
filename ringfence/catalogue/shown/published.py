"""The definition of a tool that callers see: the locked one, narrowed to what they may send."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from callpath.looking import TIME
from ringfence.catalogue.checks.arguments import NUMBERS, bounded_part, choices, visible
from ringfence.catalogue.commands import commands_told
from ringfence.catalogue.files.tool_files import Argument
from ringfence.catalogue.references import written_out
from ringfence.catalogue.servers import Server, Tool

_SYNTAX: Final = re.compile(r"[\\^$.*+?()\[\]{}|]")
"""What means something in a regular expression; ECMA's dialect refuses a backslash before anything else."""


def published_definition(server: Server, tool: Tool) -> dict[str, Any]:
    """Returns a tool's definition as Ringfence publishes it.

    Hidden arguments are gone, forced ones accept their one value, allowed ones their values, matching ones their
    pattern, and no other argument is accepted. References are written out, since not every host and no policy engine
    is sure to follow them. The output schema is dropped: redaction changes results, so the promise could not be kept.

    Text that the gateway's policy compares has no `enum`: AWS's generator of Cedar schemas, to which the AgentCore
    developer guide refers (Schema constraints, read 28 November 2026), makes an entity type of it, which no text
    equals. It is held by `pattern` or `const`, which leave it a String, and its description names the values.

    Returns:
        `{"name", "description", "inputSchema"}`, with the bare name of the tool.

    Raises:
        RecursiveSchema: an argument's definition refers to itself; the catalogue's checks refuse such a tool before.
    """
    schema = written_out(visible(tool.definition["inputSchema"], tool.arguments))
    properties: dict[str, Any] = schema["properties"]
    required = [name for name in schema.get("required", [])]
    for name, rule in tool.arguments.items():
        if name in properties:
            properties[name] = _narrowed(properties[name], rule)
            if rule.mode == "commands" and tool.match == "command":
                properties[name] |= {"description": commands_told(tool)}
        if rule.mode in ("hidden", "forced") and name in required:
            required.remove(name)
        if rule.required and name not in required:
            required.append(name)
    for name, told in _window(tool).items():
        properties[name] = {"type": "string", "pattern": TIME, **_described(properties[name], told)}
    if tool.operation in properties and tool.operation not in required:
        # Left out, the server would choose an operation itself.
        required.append(tool.operation)
    schema.pop("required", None)
    if required:
        schema["required"] = required
    schema["additionalProperties"] = False
    return {"name": tool.name, "description": tool.definition.get("description", ""), "inputSchema": schema}


def _window(tool: Tool) -> dict[str, str]:
    """Returns what is told of the two arguments between whose times a tool looks."""
    if tool.window is None:
        return {}
    far = f"At most {tool.window.hours} hours"
    return {
        tool.window.begin: f"{far} before `{tool.window.end}`. {tool.window.told}".strip(),
        tool.window.end: f"{far} after `{tool.window.begin}`, and not without it.",
    }


def _described(original: dict[str, Any], told: str) -> dict[str, Any]:
    return {**_about(original), "description": f"{original.get('description', '')} {told}".strip()}


def _about(original: dict[str, Any]) -> dict[str, Any]:
    return {key: original[key] for key in ("title", "description") if key in original}


def _narrowed(original: dict[str, Any], rule: Argument) -> dict[str, Any]:
    described = _about(original)
    if rule.mode == "matching":
        text = {"type": "string", "pattern": rule.pattern}
        return {**described, **({"type": "array", "items": text, "maxItems": rule.most} if rule.most else text)}
    if rule.mode == "bounded":
        return {**_bounded(original, rule), **described}
    if rule.mode == "shaped":
        return {**described, "type": "object", "additionalProperties": True, **written_out(rule.shape)}
    if rule.mode == "statement":
        told = f"{described.get('description', '')} One SQL statement: {', '.join(rule.values)}.".strip()
        return {**described, "description": told, "type": "string"}
    if rule.mode == "commands":
        told = f"{described.get('description', '')} Begins with one of: {', '.join(rule.values)}.".strip()
        return {**described, "description": told, "type": "string", "pattern": _beginning(rule.values)}
    if rule.mode == "allowed":
        default = {"default": original["default"]} if original.get("default") in rule.values else {}
        return {**described, **_one_of(rule.values, described.get("description", "")), **default}
    return {**described, **_type_of(rule.value), "const": rule.value, "default": rule.value}


def _bounded(original: dict[str, Any], rule: Argument) -> dict[str, Any]:
    kind, part = bounded_part(original)
    if kind in NUMBERS:
        default = original.get("default")
        kept = {"default": default} if isinstance(default, int) and rule.least <= default <= (rule.most or 0) else {}
        return {"type": kind, "minimum": rule.least, "maximum": rule.most, **kept}
    within: dict[str, Any] = _numbers_within(part, rule.numbers)
    return {**within, "maxItems": rule.most} if kind == "array" else within


def _numbers_within(part: Any, bounds: Mapping[str, tuple[int, int]]) -> Any:
    """Returns a schema in which the numbers of these names have their bounds, however deep they stand."""
    if isinstance(part, list):
        return [_numbers_within(item, bounds) for item in part]
    if not isinstance(part, dict):
        return part
    found = {key: _numbers_within(value, bounds) for key, value in part.items()}
    for name, (least, most) in bounds.items():
        number = found.get("properties", {}).get(name)
        for choice in choices(number) if isinstance(number, dict) else ():
            if choice.get("type") in NUMBERS:
                choice |= {"minimum": least, "maximum": most}
    return found


def _one_of(values: Sequence[Any], description: str) -> dict[str, Any]:
    """Returns the schema of an argument that takes one of some values, all of one type."""
    kind = _type_of(values[0])
    if kind != {"type": "string"}:
        return {**kind, "enum": list(values)}
    if len(values) == 1:
        return {**kind, "const": values[0]}
    told = f"{description} One of: {', '.join(values)}.".strip()
    return {"description": told, **kind, "pattern": "^(?:" + "|".join(map(_escaped, values)) + ")$"}


def _escaped(text: str) -> str:
    """Returns a text as a pattern that fits it and nothing else, in Python, RE2 and ECMA alike."""
    return _SYNTAX.sub(r"\\\g<0>", text)


def _beginning(commands: tuple[str, ...]) -> str:
    """Returns the pattern of a text that is one of some commands, or begins with one and a space, on one line."""
    return "^(?:" + "|".join(map(_escaped, commands)) + r")(?: [^\n\r]*)?$"


def _type_of(value: object) -> dict[str, Any]:
    """Returns the JSON Schema type of a value; the gateway's schema and Cedar's derive from it."""
    if isinstance(value, list):
        return {"type": "array", **({"items": _type_of(value[0])} if value else {})}
    for kind, name in ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string")):
        if isinstance(value, kind):
            return {"type": name}
    return {"type": "object"}
