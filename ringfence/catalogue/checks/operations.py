"""What must hold for levels, refusals and operations: everything a tool can do is classified once, or refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ringfence.catalogue.checks.arguments import TIMES, accepts, words
from ringfence.catalogue.commands import command_problems
from ringfence.catalogue.files.catalogue_files import ServerFile
from ringfence.catalogue.files.tool_files import LockFile, ToolFile
from ringfence.reading.problems import ABSENT, Problem, shown
from ringfence.reading.values import SHORTEST_REASON

REASON_REMEDY: Final = f"Give the reason in a sentence of at least {SHORTEST_REASON} characters."


def operation_problems(file: ServerFile, lock: LockFile, place: str) -> Iterator[Problem]:
    """Yields what is wrong with the levels, refusals and operations of one server."""
    schemas = {tool.name: tool.inputSchema for tool in lock.tools}
    for name, tool in file.tools.items():
        field = f"{place}: tools.{name}"
        yield from _reasons(field, tool)
        yield from _examples(field, tool, schemas.get(name, {}))
        yield from _no_window(field, tool, schemas.get(name, {}))
        yield from command_problems(field, tool)
        if not tool.operation:
            yield from _single(field, tool)
        elif name in schemas:
            yield from _deciding(field, tool)
            yield from _argument(field, tool, schemas[name])


def _reasons(field: str, tool: ToolFile) -> Iterator[Problem]:
    told = {field: tool.refused} | {f"{field}.operations.{key}": each.refused for key, each in tool.operations.items()}
    for where, reason in told.items():
        if reason and len(reason.strip()) < SHORTEST_REASON:
            yield Problem(f"{where}.refused", shown(reason), "This is no reason.", REASON_REMEDY)


def _no_window(field: str, tool: ToolFile, schema: dict[str, Any]) -> Iterator[Problem]:
    if tool.no_window and tool.window:
        yield Problem(f"{field}.no_window", shown(tool.no_window), "There is a window.", "Remove one of the two.")
    elif tool.no_window and len(tool.no_window.strip()) < SHORTEST_REASON:
        yield Problem(f"{field}.no_window", shown(tool.no_window), "This is no reason.", REASON_REMEDY)
    elif tool.no_window and not any(TIMES & words(name) for name in schema.get("properties", {})):
        yield Problem(f"{field}.no_window", shown(tool.no_window), "None of its arguments is a time.", "Remove it.")


def _examples(field: str, tool: ToolFile, schema: dict[str, Any]) -> Iterator[Problem]:
    if tool.no_example and tool.examples:
        yield Problem(f"{field}.no_example", shown(tool.no_example), "There are examples.", "Remove one of the two.")
    elif tool.no_example and len(tool.no_example.strip()) < SHORTEST_REASON:
        yield Problem(f"{field}.no_example", shown(tool.no_example), "This is no reason.", REASON_REMEDY)
    for index, example in enumerate(tool.examples):
        for name, value in example.items():
            where = f"{field}.examples[{index}].{name}"
            if name not in schema.get("properties", {}):
                yield Problem(where, shown(value), "The tool has no such argument.", "Correct its name.")
            elif not accepts(schema, name, value):
                yield Problem(where, shown(value), "The tool's own schema does not accept this.", "Correct it.")


def _single(field: str, tool: ToolFile) -> Iterator[Problem]:
    if tool.level is None:
        message = "The tool has no level, so it could be granted unseen."
        yield Problem(f"{field}.level", ABSENT, message, "Add `level`, or `operation` and a level for each operation.")
    if tool.operations:
        message = "The tool has operations, and no argument that decides between them."
        yield Problem(f"{field}.operation", ABSENT, message, "Add `operation` with the argument's name.")


def _deciding(field: str, tool: ToolFile) -> Iterator[Problem]:
    for key in ("level", "grants"):
        if key in tool.model_fields_set:
            message = f"A tool with operations has no {key} of its own: each operation has."
            yield Problem(f"{field}.{key}", shown(getattr(tool, key) or "[]"), message, "Move it to the operations.")
    if not tool.operations:
        message = "No operation is classified, so none could ever be permitted."
        yield Problem(
            f"{field}.operations", ABSENT, message, f"Add [tools.<tool>.operations.<value of {tool.operation}>]."
        )
    seen: dict[str, str] = {}
    for key, operation in tool.operations.items():
        # Some servers fold case and hyphens before they decide, so such a pair would be one operation in two levels.
        first = seen.setdefault(key.casefold().replace("_", "-").strip(), key)
        if first != key:
            levels = f"{tool.operations[first].level} and {operation.level}"
            message = (
                f"It is the operation `{first}` in another spelling, so one operation stands in two places ({levels})."
            )
            yield Problem(f"{field}.operations.{key}", shown(key), message, "Keep one of them.")


def _argument(field: str, tool: ToolFile, schema: dict[str, Any]) -> Iterator[Problem]:
    name = tool.operation
    if name not in schema.get("properties", {}):
        yield Problem(f"{field}.operation", shown(name), "The tool has no such argument.", "Name one of its arguments.")
        return
    if name in tool.arguments:
        message = "This argument decides the operation: its values follow from [operations]."
        yield Problem(f"{field}.arguments.{name}", shown(tool.arguments[name].mode), message, "Remove the rule.")
    for key in tool.operations:
        if not accepts(schema, name, key):
            message = f"The schema of the tool does not accept this value for `{name}`."
            yield Problem(f"{field}.operations.{key}", shown(key), message, "Correct it, or remove it.")
        if not key.isprintable() or key != key.strip():
            message = "An operation's name is one line of visible text."
            yield Problem(f"{field}.operations.{key}", shown(key), message, "Correct it.")
    for value in _declared_values(schema, name):
        if tool.match == "exact" and value not in tool.operations:
            message = "The tool has this operation and it is not classified."
            yield Problem(
                f"{field}.operations.{value}", ABSENT, message, f"Add [tools.….operations.{value}] with its level."
            )


def _declared_values(schema: dict[str, Any], name: str) -> list[str]:
    """Returns the values that the tool's own schema lists for an argument; most servers list none."""
    part = schema["properties"][name]
    reference = part.get("$ref")
    if isinstance(reference, str):
        part = schema.get("$defs", {}).get(reference.removeprefix("#/$defs/"), {})
    return [value for value in part.get("enum", []) if isinstance(value, str)]
