"""What must hold for a department's own choices: the optional servers it enables, the sensitive tools it names.

Like `department_checks`, this reads the parsed file, so that its problems are told together with all others.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any

from ringfence.catalogue.catalogue import Catalogue
from ringfence.catalogue.grants import tools_in, unreached
from ringfence.catalogue.servers import Operation, Persona, Server, Tool
from ringfence.department.department_checks import meant, unknown_persona
from ringfence.reading.names import UNREADABLE_LOG_GROUPS
from ringfence.reading.problems import Problem, shown


def problems(data: dict[str, Any], *, catalogue: Catalogue) -> list[Problem]:
    """Returns what is wrong with `[[enable]]`, `[[sensitive]]` and `[log_groups]`."""
    return [*_enabled(data, catalogue), *_named(data, catalogue), *_queried(data, catalogue)]


def _queried(data: dict[str, Any], catalogue: Catalogue) -> Iterator[Problem]:
    chosen = data.get("log_groups")
    for persona, groups in chosen.items() if isinstance(chosen, dict) else ():
        yield from _persona(f"log_groups.{persona}", persona, data, catalogue)
        for index, group in enumerate(groups if isinstance(groups, list) else ()):
            if group in groups[:index]:
                yield Problem(f"log_groups.{persona}[{index}]", shown(group), "It is named twice.", "Keep one of them.")
            if isinstance(group, str) and any(group.startswith(each[:-1]) for each in UNREADABLE_LOG_GROUPS):
                message = "No persona may query these: they hold what people asked and did, or what services deliver."
                yield Problem(f"log_groups.{persona}[{index}]", shown(group), message, "Remove this choice.")


def _enabled(data: dict[str, Any], catalogue: Catalogue) -> Iterator[Problem]:
    seen: set[tuple[str, str]] = set()
    for index, choice in _choices(data, "enable"):
        field = f"enable[{index}]"
        persona, server = choice.get("persona"), choice.get("server")
        unknown = list(_persona(f"{field}.persona", persona, data, catalogue))
        yield from unknown
        if not isinstance(server, str):
            continue
        yield from _server(f"{field}.server", server, catalogue)
        if not isinstance(persona, str) or unknown:
            continue
        if (persona, server) in seen:
            yield Problem(field, shown(server), "The server is enabled twice for this persona.", "Keep one of them.")
        seen.add((persona, server))
        found = catalogue.personas.get(persona)
        if found and server in catalogue.servers and server not in found.servers:
            message = f"The catalogue grants persona {persona} no tool of this server."
            yield Problem(f"{field}.server", shown(server), message, "Remove this choice.")


def _server(field: str, server: str, catalogue: Catalogue) -> Iterator[Problem]:
    if server in catalogue.refused:
        message = f"Server {server} is refused: {catalogue.refused[server]}"
        yield Problem(field, shown(server), message, "Remove this choice.")
    elif server not in catalogue.servers:
        optional = [name for name, each in sorted(catalogue.servers.items()) if each.optional]
        remedy = f"Use one of: {', '.join(optional)}." if optional else "Remove this choice."
        yield Problem(field, shown(server), "The catalogue has no such server.", remedy)
    elif not catalogue.servers[server].optional:
        message = "This server is not optional: whoever is granted its tools has it."
        yield Problem(field, shown(server), message, "Remove this choice.")


def _named(data: dict[str, Any], catalogue: Catalogue) -> Iterator[Problem]:
    seen: set[tuple[str, str]] = set()
    for index, choice in _choices(data, "sensitive"):
        field = f"sensitive[{index}]"
        persona, place = choice.get("persona"), choice.get("tool")
        yield from _persona(f"{field}.persona", persona, data, catalogue)
        if not isinstance(place, str):
            continue
        holder = catalogue.personas.get(persona) if isinstance(persona, str) else None
        yield from _tool(f"{field}.tool", place, holder, data, catalogue)
        if isinstance(persona, str) and (persona, place) in seen:
            yield Problem(field, shown(place), "It is named twice for this persona.", "Keep one of them.")
        seen.add((str(persona), place))


def _tool(
    field: str, place: str, persona: Persona | None, data: dict[str, Any], catalogue: Catalogue
) -> Iterator[Problem]:
    server_name, _, rest = place.partition(".")
    tool_name, _, operation_name = rest.partition(".")
    server = catalogue.servers.get(server_name)
    if server_name in catalogue.refused:
        message = f"Server {server_name} is refused: {catalogue.refused[server_name]}"
        yield Problem(field, shown(place), message, "Remove this choice.")
    elif server is None or tool_name not in server.tools:
        known = [f"{name}.{tool}" for name, each in catalogue.servers.items() for tool in each.tools]
        near = difflib.get_close_matches(f"{server_name}.{tool_name}", known, n=1)
        remedy = f"Did you mean `{near[0]}`?" if near else "Write `server.tool` or `server.tool.operation`."
        yield Problem(field, shown(place), "The catalogue has no such tool.", remedy)
    else:
        wrong = list(_subject(field, place, server, server.tools[tool_name], operation_name))
        yield from wrong
        subject = server.tools[tool_name].operations.get(operation_name, server.tools[tool_name])
        if persona is not None and not wrong:
            yield from _held(field, place, persona, server, subject, data)


def _subject(field: str, place: str, server: Server, tool: Tool, operation: str) -> Iterator[Problem]:
    sensitive = [name for name, each in tool.operations.items() if each.sensitive]
    if tool.refused:
        yield Problem(field, shown(place), f"Tool {tool.name} is refused: {tool.refused}", "Remove this choice.")
    elif tool.operation and operation not in tool.operations:
        ways = ", ".join(f"{server.name}.{tool.name}.{name}" for name in sensitive)
        remedy = f"Name the operation: {ways}." if ways else "Remove this choice; none of its operations is sensitive."
        yield Problem(field, shown(place), "This does not name an operation of the tool.", remedy)
    elif operation and not tool.operation:
        message = "The tool has no operations."
        yield Problem(field, shown(place), message, f"Write `{server.name}.{tool.name}`.")
    elif tool.operation and tool.operations[operation].refused:
        message = f"The operation is refused: {tool.operations[operation].refused}"
        yield Problem(field, shown(place), message, "Remove this choice.")
    elif not (tool.operations[operation].sensitive if tool.operation else tool.sensitive):
        message = "This is not sensitive: whoever is granted it has it already."
        yield Problem(field, shown(place), message, "Remove this choice.")


def _held(
    field: str, place: str, persona: Persona, server: Server, subject: Tool | Operation, data: dict[str, Any]
) -> Iterator[Problem]:
    """Yields a choice without effect, since the persona does not come with the tool or may not hold its level here."""
    tool_name, _, operation = place.partition(".")[2].partition(".")
    chosen = tools_in(persona.servers.get(server.name, ()))
    levels = persona.levels_in(str(data.get("environment")))
    if tool_name not in chosen or (operation and chosen[tool_name] and operation not in chosen[tool_name]):
        message = f"The catalogue does not grant it to persona {persona.name}."
        yield Problem(field, shown(place), message, "Remove this choice, or add the grant to personas.toml.")
    elif subject.level not in levels:
        message = f"Its level is {subject.level}; persona {persona.name} holds {', '.join(levels)} here."
        yield Problem(field, shown(place), message, "Remove this choice.")
    elif server.optional and (persona.name, server.name) not in _enabled_pairs(data):
        message = f"Server {server.name} is optional and not enabled for persona {persona.name}."
        yield Problem(field, shown(place), message, "Enable it under [[enable]], or remove this choice.")
    elif beyond := unreached(subject.grants, _patterns(data, persona.name)):
        message = f"It reads log groups of the form {', '.join(beyond)}, none of which this persona may query."
        yield Problem(
            field, shown(place), message, f"Add such groups to log_groups.{persona.name}, or remove this choice."
        )


def _patterns(data: dict[str, Any], persona: str) -> tuple[str, ...]:
    chosen = data.get("log_groups")
    found = chosen.get(persona) if isinstance(chosen, dict) else None
    return tuple(each for each in found if isinstance(each, str)) if isinstance(found, list) and found else ("*",)


def _persona(field: str, persona: object, data: dict[str, Any], catalogue: Catalogue) -> Iterator[Problem]:
    if not isinstance(persona, str):
        return
    if persona not in catalogue.personas:
        yield unknown_persona(field, persona, catalogue.personas)
    elif persona not in meant(data.get("personas"), catalogue.personas):
        message = "This department does not have this persona."
        yield Problem(field, shown(persona), message, "Add it to `personas`, or remove this choice.")


def _enabled_pairs(data: dict[str, Any]) -> set[tuple[object, object]]:
    return {(choice.get("persona"), choice.get("server")) for _, choice in _choices(data, "enable")}


def _choices(data: dict[str, Any], key: str) -> list[tuple[int, dict[str, Any]]]:
    written = data.get(key)
    return [
        (index, each)
        for index, each in enumerate(written if isinstance(written, list) else [])
        if isinstance(each, dict)
    ]
