"""Why a persona does not hold a tool or an operation, in a sentence that its caller reads when it is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ringfence.catalogue.catalogue import Catalogue
from ringfence.catalogue.grants import tools_in
from ringfence.catalogue.servers import Operation, Server, Tool
from ringfence.department.department import Department
from ringfence.reading import names

_LONGEST = 200  # characters of a reason that the catalogue gives
_NOT_GRANTED: Final = re.compile(r"\s*Not granted(?: here)?: ")


def tools_not_held(catalogue: Catalogue, department: Department, persona: str) -> dict[str, str]:
    """Returns the reason for each tool of the catalogue that a persona does not hold, by its published name."""
    held = {(server.name, tool.name) for server, tool in catalogue.granted(persona, department)}
    return {
        names.published_tool(server.name, tool.name): " ".join(_reasons(catalogue, department, persona, server, tool))
        for server in catalogue.servers.values()
        for tool in server.tools.values()
        if (server.name, tool.name) not in held
    }


def operations_not_held(
    catalogue: Catalogue, department: Department, persona: str, server: Server, tool: Tool
) -> dict[str, str]:
    """Returns the reason for each operation of a held tool that the persona may not ask for, by its name."""
    known = catalogue.servers[server.name].tools[tool.name].operations
    return {
        name: " ".join(_reasons(catalogue, department, persona, server, tool, operation))
        for name, operation in known.items()
        if name not in tool.operations and tool.match == "exact"
    }


def _reasons(
    catalogue: Catalogue,
    department: Department,
    persona: str,
    server: Server,
    tool: Tool,
    operation: Operation | None = None,
) -> Iterator[str]:
    subject = operation or tool
    place = ".".join([server.name, tool.name, *([operation.name] if operation else [])])
    holders = [name for name in catalogue.personas if _lists(catalogue, name, server, tool, operation)]
    if subject.refused:
        yield f"Nobody may have it: {_first_sentence(subject.refused)}"
    elif persona not in holders:
        others = [name for name in holders if name in department.personas]
        able = [name for name in others if _holds(catalogue, department, name, server, tool, operation)]
        if able:
            yield f"It belongs to the {' and the '.join(able)}: sign in as such."
        elif others:
            yield f"It belongs to the {' and the '.join(others)}, but is not held there either:"
            yield from _reasons(catalogue, department, others[0], server, tool, operation)
        elif holders:
            yield f"It belongs to the {' and the '.join(holders)}, whom this department does not have."
        else:
            yield "No persona of the department holds it."
            yield _not_granted(subject.note) or f"Its level is {subject.level}, and no review has given it to anybody."
    elif server.optional and server.name not in department.enabled(persona):
        yield f'It is switched off. The department can add [[enable]] with persona = "{persona}" and'
        yield f'server = "{server.name}" to its file.'
    elif subject.sensitive and place not in department.named(persona):
        yield "It is sensitive and switched off. The department can add [[sensitive]] with"
        yield f'persona = "{persona}" and tool = "{place}" to its file.'
    else:
        yield f"Its level is {subject.level}, which the {persona} does not hold in {department.environment}."


def _lists(catalogue: Catalogue, persona: str, server: Server, tool: Tool, operation: Operation | None) -> bool:
    listed = tools_in(catalogue.personas[persona].servers.get(server.name, ()))
    if tool.name not in listed:
        return False
    chosen = listed[tool.name]
    return operation is None or not chosen or operation.name in chosen


def _holds(
    catalogue: Catalogue, department: Department, persona: str, server: Server, tool: Tool, operation: Operation | None
) -> bool:
    held = {(owner.name, each.name): each for owner, each in catalogue.granted(persona, department)}
    found = held.get((server.name, tool.name))
    return found is not None and (operation is None or operation.name in found.operations)


def _not_granted(note: str) -> str:
    """Returns why nobody holds a tool, where its note says that; any other note is about what the tool does."""
    found = _NOT_GRANTED.match(note)
    return _first_sentence(note[found.end() :]) if found else ""


def _first_sentence(text: str) -> str:
    sentence = " ".join(text.split()).partition(". ")[0].rstrip(".")[:_LONGEST]
    return f"{sentence[:1].upper()}{sentence[1:]}." if sentence else ""
