"""What must hold between the personas' grants and the servers' tools."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from governance import names
from governance.problems import Problem, shown

if TYPE_CHECKING:
    from governance.catalogue import Persona, Server, Tool

_STEERING: Final = (
    "region",
    "regions",
    "region_name",
    "aws_region",
    "profile",
    "profile_name",
    "endpoint_url",
)
"""Arguments with which a caller could leave the region or choose other credentials; a granted tool must pin them."""

_LONGEST_TOOL: Final = 64
"""Characters of a tool's name that every MCP host accepts."""


def persona_problems(
    personas: Mapping[str, Persona], servers: Mapping[str, Server], *, known: set[str]
) -> list[Problem]:
    """Returns what is wrong with the personas' grants.

    Args:
        personas: The personas.
        servers: The servers that could be read.
        known: Names of all server folders; one that could not be read has been reported already.
    """
    return [problem for persona in personas.values() for problem in _grants(persona, servers, known)]


def _grants(persona: Persona, servers: Mapping[str, Server], known: set[str]) -> Iterator[Problem]:
    for server_name, tools in persona.servers.items():
        field = f"personas.toml: personas.{persona.name}.servers.{server_name}"
        if server_name not in known:
            message = "The catalogue has no such server."
            yield Problem(field, shown(server_name), message, f"Use one of: {', '.join(sorted(known))}.")
        server = servers.get(server_name)
        if server is None:
            continue
        for index, name in enumerate(tools):
            if name in tools[:index]:
                yield Problem(field, shown(name), "The tool is granted twice.", "Name it once.")
            elif name not in server.tools:
                near = difflib.get_close_matches(name, list(server.tools), n=1)
                remedy = f"Did you mean `{near[0]}`?" if near else "Remove it."
                yield Problem(field, shown(name), f"Server {server_name} has no such tool.", remedy)
            else:
                yield from _grant(field, persona, server, server.tools[name])


def _grant(field: str, persona: Persona, server: Server, tool: Tool) -> Iterator[Problem]:
    published = names.published_tool(server.name, tool.name)
    if len(published) > _LONGEST_TOOL:
        message = f"Its published name {published} is longer than {_LONGEST_TOOL} characters; some hosts refuse it."
        yield Problem(field, shown(tool.name), message, "Shorten the server's name.")
    if tool.level not in persona.levels:
        message = f"The tool's level is {tool.level}; this persona may hold {', '.join(persona.levels)} only."
        yield Problem(field, shown(tool.name), message, "Remove the grant.")
    properties = tool.definition["inputSchema"].get("properties", {})
    for argument in _STEERING:
        if argument in properties and argument not in tool.arguments:
            message = f"Its argument {argument} could lead a call to another region or other credentials."
            yield Problem(field, shown(tool.name), message, f"Force or hide `{argument}` in server.toml.")
    carried = {prefix for endpoint in server.endpoints for prefix in endpoint.prefixes}
    for action in sorted({action for grant in tool.grants for action in grant.actions}):
        if action.partition(":")[0] not in carried:
            message = f"No endpoint of server {server.name} carries {action}, which tool {tool.name} needs."
            yield Problem(field, shown(action), message, "Add the prefix to an endpoint in server.toml.")
