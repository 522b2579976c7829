"""What a persona effectively holds in one department: the catalogue's grants, narrowed by what the department says."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import replace
from typing import Final

from ringfence.catalogue.files.tool_files import LEVELS, Argument, Grant, Level, Mode
from ringfence.catalogue.files.words import LOG_GROUPS, LOG_GROUPS_OF
from ringfence.catalogue.servers import Choices, Operation, Persona, Server, Tool
from ringfence.reading.region import REGION

_ANY_OF_A_NAME: Final = "[A-Za-z0-9_./#-]*"
"""What `*` stands for in the name of a log group (CloudWatch Logs API, CreateLogGroup, read 28 November 2026)."""


def granted(servers: Mapping[str, Server], persona: Persona, department: Choices) -> list[tuple[Server, Tool]]:
    """Returns a persona's effective tools with their servers, sorted by server and tool."""
    levels = persona.levels_in(department.environment)
    enabled, named = department.enabled(persona.name), department.named(persona.name)
    found = []
    for server in (servers[name] for name in sorted(persona.servers)):
        if server.optional and server.name not in enabled:
            continue
        for name, chosen in sorted(tools_in(persona.servers[server.name]).items()):
            held = _held(server, server.tools[name], chosen, levels, named)
            if held is not None:
                found.append((server, placed(held, department.account, department.queried(persona.name))))
    return found


def placed(tool: Tool, account: str, queried: tuple[str, ...]) -> Tool:
    """Returns a tool that reaches the log groups of an account that may be queried, and no others."""
    facts = {"{account}": account, "{region}": REGION, LOG_GROUPS: _pattern_of(queried)}
    return replace(
        tool,
        grants=_granted_on(tool.grants, queried),
        operations={
            name: replace(operation, grants=_granted_on(operation.grants, queried))
            for name, operation in tool.operations.items()
        },
        arguments={
            name: rule.model_copy(update={"pattern": _with_facts(rule.pattern, facts)})
            if rule.mode == "matching"
            else rule
            for name, rule in tool.arguments.items()
        },
    )


def _granted_on(grants: tuple[Grant, ...], queried: tuple[str, ...]) -> tuple[Grant, ...]:
    named = [
        (grant, tuple(made for resource in grant.resources for made in _on_groups(resource, queried)))
        for grant in grants
    ]
    return tuple(grant.model_copy(update={"resources": resources}) for grant, resources in named if resources)


def unreached(grants: tuple[Grant, ...], queried: tuple[str, ...]) -> list[str]:
    """Returns the forms of log groups that grants are for, where none of the groups that may be queried has one."""
    found = [LOG_GROUPS_OF.search(resource) for grant in grants for resource in grant.resources]
    begins = [each[1] or "" for each in found if each]
    if any(_beginning_with(begin, pattern) for begin in begins for pattern in queried):
        return []
    return list(dict.fromkeys(f"{begin}*" for begin in begins))


def _on_groups(resource: str, queried: tuple[str, ...]) -> list[str]:
    """Returns what a resource stands for: itself, or the log groups it leaves to the department, perhaps none."""
    found = LOG_GROUPS_OF.search(resource)
    if found is None:
        return [resource]
    each = (_beginning_with(found[1] or "", pattern) for pattern in queried)
    # IAM compares an action on a group with the ARN that ends in `:*` (botocore 1.44.5, logs: LogGroup.arn).
    groups = [pattern if pattern.endswith("*") else f"{pattern}:*" for pattern in each if pattern]
    return list(dict.fromkeys(resource.replace(found[0], group) for group in groups))


def _beginning_with(begin: str, pattern: str) -> str:
    """Returns the pattern of the names that fit a pattern and begin so; empty where there are none.

    Those that begin with `*` are all or none of them.
    """
    if begin == "*":
        return pattern if pattern == "*" else ""
    stem, star, _ = pattern.partition("*")
    if stem.startswith(begin):
        return pattern
    return f"{begin}*" if star and begin.startswith(stem) else ""


def _pattern_of(queried: tuple[str, ...]) -> str:
    """Returns the regular expression of the names of log groups that one of some patterns covers."""
    # In a name, a dot is all that means something to a regular expression.
    names = (pattern.replace(".", r"\.").replace("*", _ANY_OF_A_NAME) for pattern in queried)
    return f"(?:{'|'.join(names)})"


def _with_facts(text: str, facts: Mapping[str, str]) -> str:
    for placeholder, fact in facts.items():
        text = text.replace(placeholder, fact)
    return text


def tools_in(grants: Iterable[str]) -> dict[str, frozenset[str]]:
    """Returns a persona's grants on one server by tool: the operations it is held to, or none for all of them.

    A grant is `tool` or `tool.operation`; an operation may hold further dots, a tool's name has none.
    """
    chosen: dict[str, frozenset[str]] = {}
    for grant in grants:
        tool, dot, operation = grant.partition(".")
        chosen[tool] = chosen.get(tool, frozenset()) | ({operation} if dot else frozenset())
    return chosen


def _held(
    server: Server, tool: Tool, chosen: frozenset[str], levels: tuple[Level, ...], named: Container[str]
) -> Tool | None:
    """Returns the tool as it is held, or None where nothing of it is left."""
    place = f"{server.name}.{tool.name}"
    if tool.refused:
        return None
    if not tool.operation:
        return tool if tool.level in levels and (not tool.sensitive or place in named) else None
    permitted = {
        name: operation
        for name, operation in tool.operations.items()
        if (not chosen or name in chosen)
        and operation.level in levels
        and not operation.refused
        and (not operation.sensitive or f"{place}.{name}" in named)
    }
    return narrowed(with_operations(tool, permitted)) if permitted else None


def with_operations(tool: Tool, operations: Mapping[str, Operation]) -> Tool:
    """Returns a tool whose level, needs and marks follow from its operations, of which there is at least one."""
    each = tuple(operations.values())
    return replace(
        tool,
        level=max((operation.level for operation in each), key=LEVELS.index),
        grants=tuple(grant for operation in each for grant in operation.grants),
        sensitive=any(operation.sensitive for operation in each),
        personal=any(operation.personal for operation in each),
        approval=False,
        operations=dict(operations),
    )


def narrowed(tool: Tool) -> Tool:
    """Returns a tool with operations whose deciding argument admits exactly those."""
    mode: Mode = "commands" if tool.match == "command" else "allowed"
    rule = Argument(mode=mode, values=tuple(tool.operations))
    return replace(tool, arguments=dict(sorted({**tool.arguments, tool.operation: rule}.items())))
