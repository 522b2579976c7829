"""What callers must be shown of a tool: its locked definition, held to the catalogue's argument rules.

Written against decisions 0007 and 0018 and what the files say of each mode, not against the compiler. Where a schema
could say one thing in several ways, it is judged by what it accepts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import fastjsonschema

from ringfence.proofs.examples import other_value
from ringfence.proofs.expected_permissions import HeldTool

TIMES: Final = ["2026-11-27T09:00:00+00:00", "2026-11-27T09:00:00Z", "2026-11-27T09:00"]
NO_TIMES: Final = ["", "yesterday", "2026-11-27", "09:00", "2026-11-27T09:00Z and more", "x2026-11-27T09:00Z"]

_EARLIER: Final = frozenset({"after", "begin", "begins", "from", "since", "start", "starts"})
_LATER: Final = frozenset({"before", "end", "ends", "to", "until"})
"""Words by which a name says which of two times an argument holds."""


def faults(shown: Mapping[str, Any], tool: HeldTool) -> Iterator[str]:
    """What is wrong with a tool's definition as a station of its calls holds it, in the words of a finding.

    Args:
        shown: `description` and `inputSchema`; the name differs between stations and is left aside.
    """
    surplus = shown.keys() - {"name", "description", "inputSchema"}
    if surplus:
        yield f"tells {', '.join(sorted(surplus))}"
    if shown.get("description") != tool.locked.get("description", ""):
        yield "has another description than the lock"
    schema, locked = shown.get("inputSchema", {}), _written_out(tool.locked["inputSchema"])
    hidden = {name for name, rule in tool.rules.items() if rule["mode"] == "hidden"}
    ours = hidden | {name for name, rule in tool.rules.items() if rule["mode"] == "forced"}
    asked = {name for name, rule in tool.rules.items() if rule.get("required")} | ({tool.operation} - {""})
    parts, original = schema.get("properties", {}), locked.get("properties", {})
    if set(parts) != set(original) - hidden:
        yield f"takes the arguments {sorted(parts)}, not {sorted(set(original) - hidden)}"
    required = (set(locked.get("required", [])) - ours) | asked
    if set(schema.get("required", [])) != required:
        yield f"requires {sorted(schema.get('required', []))}, not {sorted(required)}"
    about = {"type", "properties", "required", "additionalProperties"}
    if {key: value for key, value in schema.items() if key not in about} != {
        key: value for key, value in locked.items() if key not in about
    }:
        yield "says something else of its arguments as a whole than the lock"
    if schema.get("type") != "object" or schema.get("additionalProperties") is not False:
        yield "accepts arguments that the lock does not have"
    for name in sorted(set(parts) & set(original)):
        yield from (f"{name}: {fault}" for fault in _of_argument(name, parts[name], original[name], tool))


def shown_faults(shown: Mapping[str, Any], tool: HeldTool) -> Iterator[str]:
    """What is wrong with what a model reads of a tool, in the words of a finding; `faults` is about calls.

    Args:
        shown: the tool as the response interceptor lists it.
    """
    if surplus := shown.keys() - {"name", "description", "inputSchema", "annotations"}:
        yield f"tells {', '.join(sorted(surplus))}"
    if shown.get("name") != tool.alias:
        yield f"is called {shown.get('name')}"
    if shown.get("annotations", {}).get("readOnlyHint") is not (tool.level == "read"):
        yield "says otherwise than the catalogue whether it only reads"
    parts = shown.get("inputSchema", {}).get("properties", {})
    fixed = {name for name, rule in tool.rules.items() if rule["mode"] in ("hidden", "forced")}
    strange = set(parts) - (set(tool.locked["inputSchema"].get("properties", {})) - fixed)
    if strange:
        yield f"shows {', '.join(sorted(strange))}, which nobody may send"
    text = json.dumps(shown, ensure_ascii=False)
    for name in sorted({name for name in fixed if "_" in name} | {"us-east-1", "$ref"}):
        if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text):
            yield f"speaks of {name}"


def _of_argument(name: str, part: Mapping[str, Any], original: Mapping[str, Any], tool: HeldTool) -> Iterator[str]:
    if tool.window and name in (tool.window["begin"], tool.window["end"]):
        yield from _accepts(part, TIMES, [*NO_TIMES, None])
        if name == tool.window["begin"] and tool.window.get("told", "") not in part.get("description", ""):
            yield "does not tell what its window says"
        yield from _wrong_way_round(name, tool.window)
        return
    rule = tool.rules.get(name)
    if rule is None:
        if part != original:
            yield "differs from the lock, though no rule narrows it"
        return
    mode, values = rule["mode"], list(rule.get("values", []))
    if mode == "forced":
        yield from _accepts(part, [rule["value"]], [other_value(rule["value"]), None])
    elif mode == "allowed":
        yield from _accepts(part, values, _beside(values, tool.known if name == tool.operation else ()))
    elif mode == "commands":
        begun = [value + tail for value in values for tail in ("", " --example x")]
        beside = [f" {values[0]}", f"{values[0]}x", f"x {values[0]}", f"{values[0]}\n", f"{values[0]} a\nb", "", None]
        yield from _accepts(part, begun, [*beside, *(value for value in tool.known if value not in values)])
    else:
        yield from _of_form(part, rule, original)


def _wrong_way_round(name: str, window: Mapping[str, Any]) -> Iterator[str]:
    """A bound between two times that counts from the one whose own name says that it is the later, or the reverse."""
    others = _LATER if name == window["begin"] else _EARLIER
    if others.intersection(re.split(r"[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower())):
        yield f"is {'begin' if others is _LATER else 'end'} of its window, and its name says the reverse"


def _of_form(part: Mapping[str, Any], rule: Mapping[str, Any], original: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with an argument of which a rule says the form and not the values."""
    mode, kind = rule["mode"], part.get("type")
    if mode == "matching":
        yield from _matching(part, rule)
    if mode == "bounded":
        yield from _bounded(part, rule, original)
    if mode == "shaped":
        shape = _written_out(rule["shape"])
        if kind != "object" or any(part.get(key) != value for key, value in shape.items()):
            yield "is not held to its shape"
    if mode == "statement" and kind != "string":
        yield "is no text, and should hold a statement"


def _bounded(part: Mapping[str, Any], rule: Mapping[str, Any], original: Mapping[str, Any]) -> Iterator[str]:
    kinds = {"integer", "number", "array", "object"}
    (locked,) = (each for each in [original, *original.get("anyOf", [])] if each.get("type") in kinds)
    kind, least, most = locked["type"], rule.get("least", 1), rule.get("most")
    if kind in ("integer", "number"):
        if (part.get("type"), part.get("minimum"), part.get("maximum")) != (kind, least, most):
            yield f"is no {kind} from {least} to {most}"
        return
    wanted = dict(_with_numbers(locked, rule.get("numbers", {})))
    if most is not None:
        wanted["maxItems"] = most
    about = ("title", "description")
    if {key: value for key, value in part.items() if key not in about} != {
        key: value for key, value in wanted.items() if key not in about
    }:
        yield f"is not what the lock has, with its length and the numbers in it bounded: {most}, {rule.get('numbers')}"


def _with_numbers(schema: Any, numbers: Mapping[str, Any], name: str = "") -> Any:
    """A schema in which each number that is called so has its bounds."""
    if isinstance(schema, list):
        return [_with_numbers(each, numbers, name) for each in schema]
    if not isinstance(schema, dict):
        return schema
    bounds = dict(zip(("minimum", "maximum"), numbers.get(name, ()), strict=False))
    if schema.get("type") not in ("integer", "number"):
        bounds = {}
    inner = {
        key: {each: _with_numbers(value, numbers, each) for each, value in part.items()}
        if key == "properties"
        else _with_numbers(part, numbers, name if key == "anyOf" else "")
        for key, part in schema.items()
    }
    return inner | bounds


def _matching(part: Mapping[str, Any], rule: Mapping[str, Any]) -> Iterator[str]:
    if "most" in rule:
        if (part.get("type"), part.get("maxItems")) != ("array", rule["most"]):
            yield f"is no list of at most {rule['most']}"
        part = part.get("items", {})
    if part.get("type") != "string" or not _same_pattern(part.get("pattern"), rule["pattern"]):
        yield f"is not held to {rule['pattern']}"


def _same_pattern(found: Any, wanted: str) -> bool:
    r"""Whether two patterns are one but for how a dot is written: `\.` or `[.]`."""
    return str(found).replace("[.]", r"\.") == wanted.replace("[.]", r"\.")


def _beside(values: list[Any], known: tuple[str, ...]) -> list[Any]:
    """Values that are none of the listed ones, though some are near."""
    near = [near for value in values if isinstance(value, str) for near in (f"x{value}", f"{value}x", f"{value}\n")]
    unequal = [value.replace(".", "x") for value in values if isinstance(value, str)]
    found = [*near, *unequal, *known, other_value(values[0]), None, ""]
    return [value for value in found if value not in values]


def _accepts(part: Mapping[str, Any], values: list[Any], others: list[Any]) -> Iterator[str]:
    # `use_default` would write the schema's default into what is checked.
    check = fastjsonschema.compile(dict(part), use_default=False)

    def admits(value: Any) -> bool:
        try:
            check(value)
        except fastjsonschema.JsonSchemaValueException:
            return False
        return True

    yield from (f"refuses {value!r}, which the catalogue allows" for value in values if not admits(value))
    yield from (f"accepts {value!r}, which the catalogue does not allow" for value in others if admits(value))


def _written_out(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema with each definition where it is used; what stands beside a reference wins."""
    definitions = schema.get("$defs", {})

    def written(part: Any) -> Any:
        if isinstance(part, list):
            return [written(item) for item in part]
        if not isinstance(part, Mapping):
            return part
        reference = part.get("$ref")
        own = {key: written(value) for key, value in part.items() if not (key == "$ref" and isinstance(value, str))}
        return (
            {**written(definitions[reference.removeprefix("#/$defs/")]), **own} if isinstance(reference, str) else own
        )

    return {key: written(value) for key, value in schema.items() if key != "$defs"}
