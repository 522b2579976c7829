"""Example arguments for a tool, made from its input schema: the least that fits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_DEEPEST = 8


def example_arguments(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The required arguments of a tool, each with a value of its type."""
    value = _example({"type": "object", **schema}, schema, 0)
    return value if isinstance(value, dict) else {}


def other_value(value: object) -> object:
    """A value of the same type that is not the given one."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, list):
        return [other_value(value[0])] if value else ["other"]
    return f"{value}-other"


def _example(part: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> Any:
    if depth > _DEEPEST:
        return None
    if "$ref" in part:
        target = (root.get("$defs") or {}).get(str(part["$ref"]).removeprefix("#/$defs/"), {})
        return _example(target, root, depth + 1)
    if "const" in part:
        return part["const"]
    if part.get("enum"):
        return part["enum"][0]
    choices = part.get("anyOf") or part.get("oneOf")
    if choices:
        return _example(choices[0], root, depth + 1)
    return _of_type(part, root, depth)


def _of_type(part: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> Any:
    kind = part.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object" or (kind is None and "properties" in part):
        properties = part.get("properties") or {}
        return {name: _example(properties.get(name, {}), root, depth + 1) for name in part.get("required") or ()}
    if kind == "array":
        least = int(part.get("minItems", 0))
        return [_example(part.get("items") or {}, root, depth + 1) for _ in range(least)]
    plain: dict[str, Any] = {"integer": part.get("minimum", 1), "number": 1.5, "boolean": False, "null": None}
    return plain.get(str(kind), "example")
