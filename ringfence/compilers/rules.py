"""The rule files that travel inside the zips: what the interceptors and the MCP host of one persona obey."""

from __future__ import annotations

import json
from typing import Any, Final

from callpath.digest import digest
from ringfence.catalogue.catalogue import Catalogue
from ringfence.catalogue.checks.arguments import accepts
from ringfence.catalogue.commands import command_options
from ringfence.catalogue.files.published_files import CaveatFile
from ringfence.catalogue.iam_statements import filled, filled_within
from ringfence.catalogue.servers import Server, Tool
from ringfence.catalogue.shown.published import published_definition
from ringfence.catalogue.shown.shown import shown_definition
from ringfence.catalogue.shown.shown_checks import check_shown
from ringfence.compilers.iam import session_policy
from ringfence.department.department import Department
from ringfence.department.not_held import operations_not_held, tools_not_held
from ringfence.reading import names
from ringfence.reading.region import REGION

METHODS: Final = (
    "initialize",
    "notifications/initialized",
    "notifications/cancelled",
    "ping",
    "tools/list",
    "tools/call",
)
"""MCP methods that pass. The gateway's policy covers tools only, so reading a resource, a prompt or a
completion stops here. So does `server/discover`: of MCP 2026-07-28, which no gateway lists, and whose headers nothing
checks for a target."""

EMPTY_LISTS: Final = {
    "resources/list": "resources",
    "resources/templates/list": "resourceTemplates",
    "prompts/list": "prompts",
}
"""Methods that hosts call when they connect, by the field of their answer (MCP 2025-11-25, schema reference). The
interceptors answer each with an empty list and forward none: a refusal there shows as a failed connection in some hosts
(DeusData/codebase-memory-mcp pull request 1015)."""

LIMITS: Final = {"request_bytes": 131_072, "response_bytes": 1_048_576, "depth": 32}
"""The most that interceptors let through; a department may choose less for an answer."""


def interceptor_rules(catalogue: Catalogue, department: Department, persona: str) -> dict[str, Any]:
    """Returns `rules.json` of a persona's request and response interceptors.

    `policy_version` is the digest of everything else in it, so that a call record says which rules decided.
    """
    granted = catalogue.granted(persona, department)
    listed = shown_definitions(catalogue, department, persona)
    check_shown(listed, persona=persona, most=catalogue.published.budgets.get(persona))
    tools = {
        names.published_tool(server.name, tool.name): {
            **_interceptor_tool(department, persona, server, tool),
            "shown": shown,
            "not_held": operations_not_held(catalogue, department, persona, server, tool),
            "examples": _examples(department, server, tool),
        }
        for (server, tool), shown in zip(granted, listed, strict=True)
    }
    rules: dict[str, Any] = {
        "version": 1,
        "department": department.name,
        "environment": department.environment,
        "account": department.account,
        "region": REGION,
        "persona": persona,
        "issuer": names.token_issuer(department.name, persona),
        "methods": list(METHODS),
        "empty_lists": dict(EMPTY_LISTS),
        "contact": department.contact or "",
        "not_held": tools_not_held(catalogue, department, persona),
        "next_steps": {rule: explained.next for rule, explained in sorted(catalogue.refusals.items())},
        "limits": {**LIMITS, "response_bytes": department.answers.most_bytes},
        "tools": tools,
        "redaction": [dict(rule) for rule in catalogue.redaction],
    }
    return {**rules, "policy_version": digest(rules)}


def shown_definitions(catalogue: Catalogue, department: Department, persona: str) -> list[dict[str, Any]]:
    """Returns what a persona's model reads: its tools as the response interceptor lists them, in order."""
    granted = catalogue.granted(persona, department)
    return [
        shown_definition(
            catalogue.servers[server.name],
            tool,
            held={other.name for owner, other in granted if owner.name == server.name},
            rules=catalogue.published,
        )
        for server, tool in granted
    ]


def runtime_rules(catalogue: Catalogue, department: Department, persona: str, server: str) -> dict[str, Any]:
    """Returns `runtime.json` of the MCP host that runs one server for one persona.

    The lock holds every tool of the server, also those that nobody is granted: the host compares it with what the
    server really offers and makes no call when they differ.
    """
    this = catalogue.servers[server]
    held = [tool for owner, tool in catalogue.granted(persona, department) if owner.name == server]
    return {
        "version": 1,
        "department": department.name,
        "persona": persona,
        "server": server,
        "account": department.account,
        "region": REGION,
        "issuer": names.token_issuer(department.name, persona),
        "audience": names.token_audience(department.name, persona, server),
        "module": this.module,
        "flags": _flags(this, held),
        "environment": {name: filled(value, department) for name, value in this.environment.items()},
        "commands": dict(this.commands),
        "explanations": [explanation.model_dump() for explanation in this.explanations],
        "lock": dict(this.lock),
        "tools": {tool.name: _runtime_tool(department, this, tool) for tool in held},
    }


def _examples(department: Department, server: Server, tool: Tool) -> dict[str, Any]:
    """Returns a value of each argument that has an example, of those that this persona may send."""
    schema = published_definition(server, tool)["inputSchema"]
    visible = schema["properties"]
    found = {name: filled_within(value, department) for name, value in tool.examples.items() if name in visible}
    return {name: value for name, value in found.items() if accepts(schema, name, value)}


def _caveat(caveat: CaveatFile, department: Department) -> dict[str, Any]:
    """Returns what the response interceptor needs of a caveat, with whom to ask; the source is the reviewer's."""
    says = " ".join(caveat.says.split()).replace("{contact}", department.contact or "your platform team")
    return {"when": dict(caveat.when), "empty": caveat.empty, "says": says}


def _flags(server: Server, held: list[Tool]) -> list[str]:
    """Returns how the server is started: its gates open only for what this persona holds."""
    flags = list(server.flags)
    if any(operation.level != "read" for tool in held for operation in tool.operations.values() or (tool,)):
        flags += server.write_flags
    if any(tool.sensitive for tool in held):
        flags += server.sensitive_flags
    return flags


def _runtime_tool(department: Department, server: Server, tool: Tool) -> dict[str, Any]:
    compiled: dict[str, Any] = {
        "level": tool.level,
        "definition": published_definition(server, tool),
        "forced": tool.forced,
        "filled": tool.filled,
        "timeout_seconds": tool.timeout_seconds,
        **_approval(tool),
        **_looking(tool),
        **_statements(tool),
    }
    if not tool.operation:
        return compiled | {"session_policy": session_policy(department, server, tool)}
    policies = {name: session_policy(department, server, tool, name) for name in tool.operations}
    return compiled | {"operations": {**_operations(tool), "session_policies": policies}}


def _operations(tool: Tool) -> dict[str, Any]:
    levels = {name: operation.level for name, operation in tool.operations.items()}
    operations = {"argument": tool.operation, "match": tool.match, "levels": levels}
    return operations | {"options": command_options(tool)} if tool.match == "command" else operations


def _approval(tool: Tool) -> dict[str, Any]:
    """Returns which calls need an approval: all, those of some operations, or, left out, none."""
    if not tool.operation:
        return {"approval": True} if tool.approval else {}
    held_back = [name for name, operation in tool.operations.items() if operation.approval]
    return {"approval": {"argument": tool.operation, "operations": held_back}} if held_back else {}


def _looking(tool: Tool) -> dict[str, Any]:
    """Returns what no text of a call may hold and between which times it may look; left out where nothing is said."""
    without: dict[str, Any] = {"without": dict(tool.without)} if tool.without else {}
    if tool.together:
        without["together"] = list(tool.together)
    return without | ({"window": tool.window.model_dump(exclude={"told"})} if tool.window else {})


def _statements(tool: Tool) -> dict[str, Any]:
    """Returns the arguments that hold SQL, with the kinds and places they may name; left out where there are none."""
    found = {
        name: {"kinds": sorted(rule.values), "locations": rule.pattern}
        for name, rule in tool.arguments.items()
        if rule.mode == "statement"
    }
    return {"statements": found} if found else {}


def to_json(rules: dict[str, Any]) -> bytes:
    """Returns a rule file's bytes: sorted keys, one key a line, the same for the same rules."""
    return (json.dumps(rules, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _interceptor_tool(department: Department, persona: str, server: Server, tool: Tool) -> dict[str, Any]:
    definition = published_definition(server, tool) | {"name": names.published_tool(server.name, tool.name)}
    return {
        "server": server.name,
        "tool": tool.name,
        "level": tool.level,
        "audience": names.token_audience(department.name, persona, server.name),
        "untrusted": tool.untrusted,
        # Either way its output needs care: marked where a department had to name it, or by the nature of what it reads.
        "sensitive": tool.sensitive or tool.personal,
        "forced": tool.forced,
        "definition": definition,
        "sha256": digest(definition),
        **({"caveats": [_caveat(each, department) for each in tool.caveats]} if tool.caveats else {}),
        **_approval(tool),
        **_looking(tool),
        **({"operations": _operations(tool)} if tool.operation else {}),
    }
