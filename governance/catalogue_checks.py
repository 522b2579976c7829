"""What must hold between a server's classification, its lock, and the personas' grants."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import fastjsonschema

from callpath.digest import digest
from governance.catalogue_files import Argument, LockFile, ServerFile, ToolFile
from governance.problems import ABSENT, Problem, shown
from governance.region import REGION

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

_CHANGING: Final = (
    "Add",
    "Attach",
    "Create",
    "Delete",
    "Detach",
    "Modify",
    "PassRole",
    "Put",
    "Remove",
    "Set",
    "Tag",
    "Untag",
    "Update",
)
"""Beginnings of IAM action names that change something, so that a tool of level read cannot have them."""


def _refuse_remote(uri: str) -> None:
    raise fastjsonschema.JsonSchemaDefinitionException(f"a schema must not refer to {uri}")


_NO_REMOTE_SCHEMA: Final = dict.fromkeys(("http", "https", "ftp", "file", ""), _refuse_remote)
"""The library would otherwise fetch what a `$ref` names, so a lock could make the build talk to the network."""


def argument_rules(file: ServerFile, tool: ToolFile, definition: Mapping[str, Any]) -> dict[str, Argument]:
    """Returns a tool's argument rules: the server's, for arguments that the tool has, and the tool's own over them."""
    properties = definition["inputSchema"].get("properties", {})
    inherited = {name: rule for name, rule in file.arguments.items() if name in properties}
    return dict(sorted({**inherited, **tool.arguments}.items()))


def server_problems(folder: str, file: ServerFile, lock: LockFile) -> list[Problem]:
    """Returns what is wrong between `server.toml` and `tools.lock.json` of one server."""
    place = f"servers/{folder}/server.toml"
    return [
        *_identity(folder, file, lock, place),
        *_endpoints(file, place),
        *_locked_tools(folder, lock),
        *_classified_tools(file, lock, place),
        *_arguments(file, lock, place),
    ]


def _identity(folder: str, file: ServerFile, lock: LockFile, place: str) -> Iterator[Problem]:
    if file.name != folder:
        yield Problem(f"{place}: name", shown(file.name), f"The folder is called {folder}.", "Make them equal.")
    for key in ("package", "version"):
        written, locked = getattr(file, key), getattr(lock, key)
        if written != locked:
            yield Problem(f"{place}: {key}", shown(written), f"The lock was made with {locked}.", "Run `make lock`.")
    if lock.server != file.name:
        yield Problem(f"{place}: name", shown(file.name), f"The lock is of {lock.server}.", "Run `make lock`.")


def _endpoints(file: ServerFile, place: str) -> Iterator[Problem]:
    carried: set[str] = set()
    for index, endpoint in enumerate(file.endpoints):
        field = f"{place}: endpoints[{index}]"
        if endpoint.region != REGION and not endpoint.reason.strip():
            yield Problem(
                f"{field}.region",
                shown(endpoint.region),
                f"This endpoint leaves {REGION} and gives no reason.",
                "Add a `reason`; it goes into the residency register.",
            )
        for prefix in endpoint.prefixes:
            if prefix in carried:
                yield Problem(f"{field}.prefixes", shown(prefix), "Two endpoints carry this prefix.", "Keep one.")
            carried.add(prefix)


def _locked_tools(folder: str, lock: LockFile) -> Iterator[Problem]:
    place = f"servers/{folder}/tools.lock.json"
    names = [tool.name for tool in lock.tools]
    if names != sorted(set(names)):
        yield Problem(place, f"{len(names)} tools", "The tools are not sorted and unique.", "Run `make lock`.")
    for tool in lock.tools:
        definition = tool.model_dump(exclude={"sha256"}, exclude_unset=True)
        if digest(definition) != tool.sha256:
            yield Problem(
                f"{place}: {tool.name}.sha256",
                shown(tool.sha256),
                "The digest is not the digest of this definition: the lock was edited.",
                "Restore the file, or run `make lock` and review the difference.",
            )


def _classified_tools(file: ServerFile, lock: LockFile, place: str) -> Iterator[Problem]:
    locked = [tool.name for tool in lock.tools]
    for name in file.tools:
        if name not in locked:
            near = difflib.get_close_matches(name, locked, n=1)
            remedy = f"Did you mean `{near[0]}`?" if near else "Remove it, or run `make lock`."
            yield Problem(f"{place}: tools.{name}", shown(name), "The server has no such tool.", remedy)
    for name in locked:
        if name not in file.tools:
            remedy = f"Add [tools.{name}] with its level; a tool without one could be granted unseen."
            yield Problem(
                f"{place}: tools.{name}", ABSENT, "The server has this tool and it is not classified.", remedy
            )
    for name, tool in file.tools.items():
        for index, grant in enumerate(tool.grants):
            for action in grant.actions:
                if tool.level == "read" and action.partition(":")[2].startswith(_CHANGING):
                    field = f"{place}: tools.{name}.grants[{index}]"
                    remedy = "Raise the level, or remove the action."
                    yield Problem(field, shown(action), "A tool of level read cannot have this action.", remedy)


def _arguments(file: ServerFile, lock: LockFile, place: str) -> Iterator[Problem]:
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


def _rule(field: str, name: str, rule: Argument, schema: dict[str, Any], tool: str) -> Iterator[Problem]:
    if rule.mode == "forced" and not rule.has_value:
        yield Problem(f"{field}.value", ABSENT, "A forced argument needs its value.", "Add `value`.")
    if rule.mode == "allowed" and not rule.values:
        yield Problem(f"{field}.values", ABSENT, "An allowed argument needs its values.", "Add `values`.")
    if rule.mode != "allowed" and rule.values:
        yield Problem(f"{field}.values", shown(rule.values), f"A {rule.mode} argument has no `values`.", "Remove them.")
    if rule.mode == "allowed" and rule.has_value:
        yield Problem(f"{field}.value", shown(rule.value), "An allowed argument has `values`.", "Remove `value`.")
    if rule.mode == "hidden" and not rule.has_value and name in schema.get("required", []):
        message = f"Tool {tool} requires this argument, so hiding it needs a value for the host to send."
        yield Problem(f"{field}.value", ABSENT, message, "Add `value`.")
    for value in [rule.value] if rule.has_value else rule.values:
        if not _accepts(schema, name, value):
            message = f"The schema of tool {tool} does not accept this value."
            yield Problem(f"{field}.value", shown(value), message, "Correct it.")


def _accepts(schema: dict[str, Any], name: str, value: object) -> bool:
    """Returns whether the tool's own schema accepts a value for one argument."""
    part = {"$defs": schema.get("$defs", {}), **schema["properties"][name]}
    try:
        # Without use_default=False the library would write the schema's defaults into the value.
        fastjsonschema.compile(part, handlers=_NO_REMOTE_SCHEMA, use_default=False)(value)
    except fastjsonschema.JsonSchemaException:
        return False
    return True


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
