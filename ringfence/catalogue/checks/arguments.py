"""What must hold for a server's argument rules, each against the tool's own schema."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Final

import fastjsonschema

from callpath.statement_kinds import READS, WRITES
from ringfence.catalogue.files.catalogue_files import ServerFile
from ringfence.catalogue.files.tool_files import Argument, LockFile, ToolFile
from ringfence.catalogue.references import RecursiveSchema, written_out
from ringfence.reading.problems import ABSENT, Problem, shown


def _refuse_remote(uri: str) -> None:
    raise fastjsonschema.JsonSchemaDefinitionException(f"a schema must not refer to {uri}")


NUMBERS: Final = frozenset(("integer", "number"))
"""Types of JSON Schema of which a bounded argument has a least and a most."""

_BEGINS: Final = frozenset("after begin begins from since start starts".split())
_ENDS: Final = frozenset("before end ends to until".split())
TIMES: Final = _BEGINS | _ENDS | {"date", "datetime", "time", "timestamp"}
"""Words in the name of an argument that takes text by which it is a time."""

_NO_REMOTE_SCHEMA: Final = dict.fromkeys(("http", "https", "ftp", "file", ""), _refuse_remote)
"""The library would otherwise fetch what a `$ref` names, so a lock could make the build talk to the network."""


def argument_rules(file: ServerFile, tool: ToolFile, definition: Mapping[str, Any]) -> dict[str, Argument]:
    """Returns a tool's argument rules: the server's, for arguments that the tool has, and the tool's own over them."""
    properties = definition["inputSchema"].get("properties", {})
    inherited = {name: rule for name, rule in file.arguments.items() if name in properties}
    return dict(sorted({**inherited, **tool.arguments}.items()))


def argument_problems(file: ServerFile, lock: LockFile, place: str) -> Iterator[Problem]:
    """Yields what is wrong with the argument rules of one server."""
    schemas = {tool.name: tool.inputSchema for tool in lock.tools}
    everywhere = {name for schema in schemas.values() for name in schema.get("properties", {})}
    for name in file.arguments:
        if name not in everywhere:
            field = f"{place}: arguments.{name}"
            yield Problem(field, shown(name), "No tool of this server has such an argument.", "Remove the rule.")
    for tool_name, tool in file.tools.items():
        if tool_name not in schemas:
            continue
        schema = schemas[tool_name]
        for name in tool.arguments:
            if name not in schema.get("properties", {}):
                field = f"{place}: tools.{tool_name}.arguments.{name}"
                yield Problem(field, shown(name), "The tool has no such argument.", "Remove the rule.")
        rules = argument_rules(file, tool, {"inputSchema": schema})
        for name, rule in rules.items():
            if name in schema.get("properties", {}):
                own = name in tool.arguments
                field = f"{place}: tools.{tool_name}.arguments.{name}" if own else f"{place}: arguments.{name}"
                yield from _rule(field, name, rule, schema, tool_name)
        yield from _window(f"{place}: tools.{tool_name}.window", tool, schema, rules)
        if not tool.refused:
            yield from _writable(f"{place}: tools.{tool_name}", schema, rules)


def _window(field: str, tool: ToolFile, schema: dict[str, Any], rules: Mapping[str, Argument]) -> Iterator[Problem]:
    """Yields what is wrong with the two arguments that hold times."""
    if tool.window is None:
        return
    for key, name in (("begin", tool.window.begin), ("end", tool.window.end)):
        if name not in schema.get("properties", {}) or not _takes_text(schema, name):
            yield Problem(
                f"{field}.{key}", shown(name), "The tool has no such argument that takes text.", "Correct it."
            )
        elif name in rules:
            yield Problem(f"{field}.{key}", shown(name), "The argument has a rule besides.", "Remove one of the two.")
    if tool.window.begin == tool.window.end:
        yield Problem(f"{field}.end", shown(tool.window.end), "Both times are the same argument.", "Correct it.")
    elif _ENDS & words(tool.window.begin) or _BEGINS & words(tool.window.end):
        value = f"{tool.window.begin}, {tool.window.end}"
        yield Problem(field, shown(value), "By their names the later time is `begin`.", "Exchange `begin` and `end`.")


def words(name: str) -> frozenset[str]:
    """Returns the words of an argument's name, in lower case: of `createdBefore`, `created` and `before`."""
    return frozenset(re.findall(r"[a-z]+", re.sub(r"([A-Z])", r"_\1", name).lower()))


def visible(schema: Mapping[str, Any], rules: Mapping[str, Argument]) -> dict[str, Any]:
    """Returns an input schema without its hidden arguments."""
    properties = {
        name: part
        for name, part in schema.get("properties", {}).items()
        if name not in rules or rules[name].mode != "hidden"
    }
    return {**schema, "properties": properties}


def _writable(field: str, schema: Mapping[str, Any], rules: Mapping[str, Argument]) -> Iterator[Problem]:
    """Yields what could not be published: references are written out, which never ends where one leads to itself."""
    try:
        written_out(visible(schema, rules))
    except RecursiveSchema as recursive:
        message = "A definition of this tool's arguments refers to itself, so it cannot be written out."
        yield Problem(
            field, shown(recursive.definition), message, "Hide the argument that uses it, or refuse the tool."
        )
    except KeyError as unknown:
        message = "The tool's arguments refer to a definition that the lock does not hold."
        yield Problem(field, shown(unknown.args[0]), message, "Run `make lock`.")


def _rule(field: str, name: str, rule: Argument, schema: dict[str, Any], tool: str) -> Iterator[Problem]:
    if rule.mode == "forced" and not rule.has_value:
        yield Problem(f"{field}.value", ABSENT, "A forced argument needs its value.", "Add `value`.")
    listed = rule.mode in ("allowed", "commands", "statement")
    if listed and not rule.values:
        yield Problem(f"{field}.values", ABSENT, f"The mode {rule.mode} needs its values.", "Add `values`.")
    if not listed and rule.values:
        yield Problem(f"{field}.values", shown(rule.values), f"A {rule.mode} argument has no `values`.", "Remove them.")
    if listed and rule.has_value:
        yield Problem(f"{field}.value", shown(rule.value), f"The mode {rule.mode} has `values`.", "Remove `value`.")
    if rule.mode == "hidden" and not rule.has_value and name in schema.get("required", []):
        message = f"Tool {tool} requires this argument, so hiding it needs a value for the host to send."
        yield Problem(f"{field}.value", ABSENT, message, "Add `value`.")
    if rule.required and rule.mode in ("hidden", "forced"):
        message = f"A {rule.mode} argument is sent by us, so no call can be asked for it."
        yield Problem(f"{field}.required", "true", message, "Remove `required`.")
    if (rule.mode == "shaped") != bool(rule.shape):
        yield Problem(
            f"{field}.shape", shown(rule.shape), "A shaped argument, and no other, has a `shape`.", "Correct it."
        )
    yield from _types(field, rule)
    yield from _most(field, name, rule, schema)
    yield from _pattern(field, name, rule, schema)
    yield from _values(field, name, rule, schema, tool)
    if rule.mode == "statement":
        yield from _kinds(field, rule)


def _kinds(field: str, rule: Argument) -> Iterator[Problem]:
    """Yields what is wrong with the kinds of statement that an argument may hold, and the places these may name."""
    known = sorted(READS | WRITES)
    for index, kind in enumerate(rule.values):
        if kind not in known:
            near = difflib.get_close_matches(str(kind).lower(), known, n=1)
            remedy = f"Did you mean `{near[0]}`?" if near else f"Use one of: {', '.join(known)}."
            yield Problem(f"{field}.values", shown(kind), "No kind of statement that can be granted.", remedy)
        elif kind in rule.values[:index]:
            yield Problem(f"{field}.values", shown(kind), "The kind is named twice.", "Name it once.")
    writes = [kind for kind in sorted(WRITES) if kind in rule.values]
    if writes and not rule.pattern:
        message = f"Statements of the kind {writes[0]} write, and nothing holds the places that they name."
        yield Problem(f"{field}.pattern", ABSENT, message, "Add `pattern`, such as `^s3://bucket/.*$`.")
    if rule.pattern and not writes:
        message = "No kind of these writes, so nothing asks for the places that it names."
        yield Problem(f"{field}.pattern", shown(rule.pattern), message, "Remove it.")


def _values(field: str, name: str, rule: Argument, schema: dict[str, Any], tool: str) -> Iterator[Problem]:
    for value in [rule.value] if rule.has_value else rule.values:
        if not accepts(schema, name, value):
            message = f"The schema of tool {tool} does not accept this value."
            yield Problem(f"{field}.value", shown(value), message, "Correct it.")
        if rule.mode == "commands" and not isinstance(value, str):
            yield Problem(f"{field}.values", shown(value), "A command is text.", "Write it in quotes.")
        if rule.mode != "hidden" and not _comparable(value):
            message = "The gateway's policy can compare text, whole numbers, true and false, and lists of these only."
            yield Problem(f"{field}.value", shown(value), message, "Hide the argument instead.")


def _types(field: str, rule: Argument) -> Iterator[Problem]:
    if len({type(value) for value in rule.values}) > 1:
        message = "The values are of several types, and the gateway's policy compares with one."
        yield Problem(f"{field}.values", shown(rule.values), message, "Keep one type, or hide the argument.")


def _most(field: str, name: str, rule: Argument, schema: dict[str, Any]) -> Iterator[Problem]:
    """Yields what is wrong with how much an argument may hold."""
    if rule.mode == "bounded":
        yield from _bounded(field, name, rule, schema)
    elif rule.numbers or rule.least != 1:
        message = "Only a bounded argument has `least` and `numbers`."
        yield Problem(field, shown(name), message, "Remove them.")
    listed = rule.mode == "matching" and _takes(schema, name, "array")
    if listed and rule.most is None:
        yield Problem(f"{field}.most", ABSENT, "A list needs the most texts that it may hold.", "Add `most`.")
    if rule.most is not None and not listed and rule.mode != "bounded":
        yield Problem(f"{field}.most", shown(rule.most), "Only a number or a list has a most.", "Remove it.")


def _bounded(field: str, name: str, rule: Argument, schema: dict[str, Any]) -> Iterator[Problem]:
    try:
        own = written_out({"$defs": schema.get("$defs", {}), **schema["properties"][name]})
    except (RecursiveSchema, KeyError):  # told as what could not be published
        return
    kind, part = bounded_part(own)
    if not kind:
        yield Problem(field, shown(name), "The argument takes no number, no list and no object.", "Remove the rule.")
    if kind in (*NUMBERS, "array") and rule.most is None:
        yield Problem(f"{field}.most", ABSENT, "A bounded argument needs the most that it may be.", "Add `most`.")
    if kind == "object" and rule.most is not None:
        yield Problem(f"{field}.most", shown(rule.most), "Only a number or a list has a most.", "Remove it.")
    inside = {path.rpartition(".")[2] for path, _ in numbers_in(part)} if kind in ("array", "object") else set()
    for number, (least, most) in rule.numbers.items():
        if number not in inside:
            yield Problem(
                f"{field}.numbers", shown(number), "No number of this name stands in the argument.", "Remove it."
            )
        if least > most:
            yield Problem(
                f"{field}.numbers.{number}", shown([least, most]), "The least is more than the most.", "Exchange them."
            )
    if rule.most is not None and rule.least > rule.most:
        yield Problem(f"{field}.least", shown(rule.least), "The least is more than the most.", "Exchange them.")


def _pattern(field: str, name: str, rule: Argument, schema: dict[str, Any]) -> Iterator[Problem]:
    """Yields what is wrong with the pattern of a matching argument, and a pattern where none belongs."""
    if rule.mode == "statement" and not _takes_text(schema, name):
        yield Problem(field, shown(name), "The argument takes no text.", "Remove the rule, or hide the argument.")
    if rule.mode == "statement" and rule.pattern and not _is_whole(rule.pattern):
        message = "A pattern for addresses must hold the whole address."
        yield Problem(f"{field}.pattern", shown(rule.pattern), message, "Write it as `^s3://bucket/.*$`.")
    if rule.mode != "matching":
        if rule.pattern and rule.mode != "statement":
            message = f"A {rule.mode} argument has no `pattern`."
            yield Problem(f"{field}.pattern", shown(rule.pattern), message, "Remove it.")
        return
    if rule.has_value:
        yield Problem(f"{field}.value", shown(rule.value), "A matching argument has a `pattern`.", "Remove `value`.")
    if not _is_whole(rule.pattern):
        message = "A matching argument needs a pattern for the whole text."
        yield Problem(f"{field}.pattern", shown(rule.pattern), message, "Write it as `^[a-z0-9-]+$`.")
    if not _takes_text(schema, name) and not _takes(schema, name, "array"):
        yield Problem(field, shown(name), "The argument takes no text.", "Remove the rule, or hide the argument.")


def _is_whole(pattern: str) -> bool:
    """Returns whether a pattern is one that works and holds a text from its beginning to its end."""
    try:
        re.compile(pattern)
    except re.error:
        return False
    # Beside a | the anchors would hold only the first and the last alternative.
    return pattern.startswith("^") and pattern.endswith("$") and "|" not in pattern


def _takes_text(schema: dict[str, Any], name: str) -> bool:
    return _takes(schema, name, "string")


def _takes(schema: dict[str, Any], name: str, kind: str) -> bool:
    return any(choice.get("type") == kind for choice in choices(schema["properties"][name]))


def choices(part: dict[str, Any]) -> list[dict[str, Any]]:
    """Returns a schema and the forms between which it leaves the choice."""
    return [part, *part.get("anyOf", [])]


def bounded_part(part: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Returns the type and the schema of what a bounded argument takes; no type where nothing of it can be bounded."""
    for choice in choices(part):
        if (kind := choice.get("type")) in (*NUMBERS, "array", "object"):
            return kind, choice
    return "", {}


def numbers_in(part: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields the numbers that a written-out schema takes, each with the names of the properties that lead to it."""
    if isinstance(part, list):
        for item in part:
            yield from numbers_in(item, path)
    elif isinstance(part, dict):
        kind = part.get("type", ())
        if NUMBERS & {*([kind] if isinstance(kind, str) else kind)} and not {"const", "enum"} & part.keys():
            yield path, part
        for key, value in part.items():
            if key in ("properties", "patternProperties"):
                for name, property_ in value.items():
                    yield from numbers_in(property_, f"{path}.{name}" if path else name)
            elif key not in ("const", "default", "enum", "examples"):
                yield from numbers_in(value, path)


def _comparable(value: object) -> bool:
    """Returns whether Cedar can hold an argument to a value."""
    if isinstance(value, list):
        one_type = len({type(item) for item in value}) == 1
        return one_type and all(_comparable(item) and not isinstance(item, list) for item in value)
    return isinstance(value, bool | int) or (isinstance(value, str) and value.isprintable())


def accepts(schema: dict[str, Any], name: str, value: object) -> bool:
    """Returns whether the tool's own schema accepts a value for one argument."""
    part = {"$defs": schema.get("$defs", {}), **schema["properties"][name]}
    try:
        _compiled(json.dumps(part))(value)
    except fastjsonschema.JsonSchemaException:
        return False
    return True


@cache
def _compiled(schema: str) -> Callable[[object], object]:
    """Return the validator of a schema. Every tool's arguments and examples are asked about the same few."""
    # Without use_default=False the library would write the schema's defaults into the value.
    validate: Callable[[object], object] = fastjsonschema.compile(
        json.loads(schema), handlers=_NO_REMOTE_SCHEMA, use_default=False
    )
    return validate
