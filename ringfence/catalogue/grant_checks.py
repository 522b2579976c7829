"""What must hold between the personas' grants and the servers' tools."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ringfence.catalogue.checks.arguments import TIMES, choices, numbers_in, words
from ringfence.catalogue.files.tool_files import LEVELS
from ringfence.catalogue.files.words import LOG_GROUPS, LOG_GROUPS_OF
from ringfence.catalogue.iam_statements import LONGEST_SESSION_POLICY, compact, session_document
from ringfence.catalogue.references import RecursiveSchema
from ringfence.catalogue.servers import Persona, Server, Tool
from ringfence.catalogue.shown.published import published_definition
from ringfence.reading import names
from ringfence.reading.problems import Problem, shown

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

_READING_LOGS: Final = frozenset(
    f"logs:{name}"
    for name in (
        "FilterLogEvents",
        "GetLogEvents",
        "GetLogGroupFields",
        "GetLogRecord",
        "GetQueryResults",
        "ListAnomalies",
        "StartLiveTail",
        "StartQuery",
    )
)
"""Actions that return what stands in a log group (Service Authorization Reference, read 28 November 2026); an anomaly
brings samples of a detector's groups (`logSamples`, `patternString`; botocore 1.44.5)."""

_HOSTILE: Final[Mapping[str, tuple[str, ...]]] = {
    "logs:StartQuery": (
        "fields unmask(@message)",
        "SOURCE logGroups()",
        "filter id in (SOURCE logGroups() | fields id)",
        "fields a | join left=l right=r where l.a=r.a (fields a)",
        "fields a | lookup people id OUTPUT name",
        "pattern @message | diff",
        "fields a | logcompare timeshift 365d",
        "# a comment\nfields a",
        "fields substr(a, 0, 5), substr(a, 5)",
        "fields a | limit 10000",
    ),
    "cloudwatch:GetMetricData": ("SEARCH(':aws.AccountId=\"111122223333\"', 'Sum')",),
}
"""Texts by the action that a tool asks with them: what a caller could write where a query may be written, and what
decision 32 refuses. The action's own permission does not tell such a text from another."""

_LONGEST_TOOL: Final = 64
"""Characters of a tool's name that every MCP host accepts."""


def persona_problems(
    personas: Mapping[str, Persona],
    servers: Mapping[str, Server],
    *,
    known: set[str],
    refused: Mapping[str, str],
) -> list[Problem]:
    """Returns what is wrong with the personas' grants.

    Args:
        known: Names of all server folders; one that could not be read has been reported already.
        refused: Reasons of the refused servers.
    """
    problems = []
    for persona in personas.values():
        for server_name, grants in persona.servers.items():
            field = f"personas.toml: personas.{persona.name}.servers.{server_name}"
            if server_name in refused:
                problems.append(_refused(field, server_name, f"Server {server_name}", refused[server_name]))
            elif server_name not in known:
                message = "The catalogue has no such server."
                remedy = f"Use one of: {', '.join(sorted(known - refused.keys()))}."
                problems.append(Problem(field, shown(server_name), message, remedy))
            elif server_name in servers:
                problems += _grants(field, persona, servers[server_name], grants)
    return problems


def _refused(field: str, value: str, subject: str, reason: str) -> Problem:
    return Problem(field, shown(value), f"{subject} is refused: {reason}", "Remove the grant.")


def _grants(field: str, persona: Persona, server: Server, grants: tuple[str, ...]) -> Iterator[Problem]:
    whole = {grant for grant in grants if "." not in grant}
    for index, grant in enumerate(grants):
        name, dot, operation = grant.partition(".")
        if grant in grants[:index] or (dot and name in whole):
            yield Problem(field, shown(grant), "The tool is granted twice.", "Name it once.")
        elif name not in server.tools:
            near = difflib.get_close_matches(name, list(server.tools), n=1)
            remedy = f"Did you mean `{near[0]}`?" if near else "Remove it."
            yield Problem(field, shown(grant), f"Server {server.name} has no such tool.", remedy)
        elif server.tools[name].refused:
            yield _refused(field, grant, f"Tool {name} of server {server.name}", server.tools[name].refused)
        elif dot and operation not in server.tools[name].operations:
            near = difflib.get_close_matches(operation, list(server.tools[name].operations), n=1)
            remedy = f"Did you mean `{name}.{near[0]}`?" if near else f"Write `{name}`."
            yield Problem(field, shown(grant), f"Tool {name} has no such operation.", remedy)
        else:
            yield from _grant(field, persona, server, server.tools[name], operation)


def _grant(field: str, persona: Persona, server: Server, tool: Tool, operation: str) -> Iterator[Problem]:
    published = names.published_tool(server.name, tool.name)
    if len(published) > _LONGEST_TOOL:
        message = f"Its published name {published} is longer than {_LONGEST_TOOL} characters; some hosts refuse it."
        yield Problem(field, shown(tool.name), message, "Shorten the server's name.")
    yield from _level(field, persona, tool, operation)
    yield from _bounds(field, server, tool)
    for grant in (tool.operations[operation] if operation else tool).grants:
        for resource in grant.resources if _READING_LOGS & {*grant.actions} else ():
            if not LOG_GROUPS_OF.search(resource):
                message = f"Tool {tool.name} reads log groups that the department's word does not cover."
                remedy = f"Write {LOG_GROUPS} in the resource, or `{{log_groups:/aws/eks/}}` for those that begin so"
                remedy += ", or `{log_groups:*}` where IAM does not know the group."
                yield Problem(field, shown(resource), message, remedy)
    properties = tool.definition["inputSchema"].get("properties", {})
    for argument in _STEERING:
        if argument in properties and argument not in tool.arguments:
            message = f"Its argument {argument} could lead a call to another region or other credentials."
            yield Problem(field, shown(tool.name), message, f"Force or hide `{argument}` in server.toml.")
    carried = {prefix for endpoint in server.endpoints for prefix in endpoint.prefixes}
    for action in sorted({action for grant in tool.grants for action in grant.called}):
        if action.partition(":")[0] not in carried:
            message = f"No endpoint of server {server.name} carries {action}, which tool {tool.name} needs."
            yield Problem(field, shown(action), message, "Add the prefix to an endpoint in server.toml.")


def _bounds(field: str, server: Server, tool: Tool) -> Iterator[Problem]:
    """Yields what of a call has no bound: how far back it looks, its numbers, and what it asks."""
    try:
        properties = published_definition(server, tool)["inputSchema"]["properties"]
    except (LookupError, RecursiveSchema, TypeError):  # a mistake in its rules, which has been told already
        return
    held = {tool.window.begin, tool.window.end} if tool.window else set()
    for name, part in properties.items():
        if not tool.no_window and name not in held and TIMES & words(name) and _takes_text(part):
            message = f"Its argument {name} is a time, and nothing bounds how far apart its times may be."
            remedy = "Give the tool a `window` in server.toml, or say under `no_window` why it needs none."
            yield Problem(field, shown(tool.name), message, remedy)
    for path, number in numbers_in({"properties": properties}):
        if not {"minimum", "maximum"} <= number.keys():
            remedy = "Bound it in server.toml (`least`, `most`, `numbers`), or hide the argument."
            yield Problem(field, shown(tool.name), f"Its number {path} has no least or no most.", remedy)
    yield from _queries(field, tool, properties)


def _queries(field: str, tool: Tool, properties: Mapping[str, Any]) -> Iterator[Problem]:
    """Yields what a query could look at beyond its bounds: groups that no rule holds, texts that nothing refuses."""
    actions = {action for grant in tool.grants for action in grant.actions}
    texts: list[str] = []
    for name in properties if _READING_LOGS & actions else ():
        if "log" in words(name) and {"group", "groups"} & words(name):
            rule = tool.arguments.get(name)
            if rule is None or (rule.mode == "matching" and LOG_GROUPS not in rule.pattern):
                message = f"Its argument {name} names log groups, and no rule holds it to the department's word."
                remedy = f"Give it the mode `matching` with {LOG_GROUPS} in its pattern, or hide it."
                yield Problem(field, shown(tool.name), message, remedy)
            texts += [f"{pattern.removesuffix('*')}x" for pattern in names.UNREADABLE_LOG_GROUPS]
    for action, hostile in _HOSTILE.items():
        if action in actions and _takes_query(properties, any_text=action == "logs:StartQuery"):
            texts += hostile
    passing = [text for text in texts if not any(re.search(each, text) for each in tool.without.values())]
    if passing:
        message = f"Its arguments may hold what no query may: {', '.join(map(repr, dict.fromkeys(passing)))}."
        yield Problem(field, shown(tool.name), message, "Refuse it under `without` in server.toml.")


def _takes_query(part: Any, *, any_text: bool) -> bool:
    """Returns whether a schema takes a query: free text of any name, or only what is called an expression."""
    if isinstance(part, list):
        return any(_takes_query(each, any_text=any_text) for each in part)
    if not isinstance(part, dict):
        return False
    free = part.get("type") == "string" and not {"const", "enum", "pattern"} & part.keys()
    inner = any(_takes_query(each, any_text=any_text) for each in part.values())
    return inner or (free if any_text else "expression" in part)


def _takes_text(part: Mapping[str, Any]) -> bool:
    return any(choice.get("type") == "string" for choice in choices(dict(part)))


def _level(field: str, persona: Persona, tool: Tool, operation: str) -> Iterator[Problem]:
    """Yields a grant that no environment could ever give, and an operation that is refused by name."""
    most = sorted({*persona.levels, *persona.sandbox_levels}, key=LEVELS.index)
    may = f"this persona may hold {', '.join(most)} only"
    if operation:
        chosen = tool.operations[operation]
        if chosen.refused:
            yield _refused(field, f"{tool.name}.{operation}", f"Operation {operation} of {tool.name}", chosen.refused)
        elif chosen.level not in most:
            message = f"The operation's level is {chosen.level}; {may}."
            yield Problem(field, shown(f"{tool.name}.{operation}"), message, "Remove the grant.")
    elif not tool.operation:
        if tool.level not in most:
            yield Problem(field, shown(tool.name), f"The tool's level is {tool.level}; {may}.", "Remove the grant.")
    elif not any(each.level in most and not each.refused for each in tool.operations.values()):
        message = f"None of the tool's operations could ever be permitted; {may}."
        yield Problem(field, shown(tool.name), message, "Remove the grant.")


def session_problems(personas: Mapping[str, Persona], servers: Mapping[str, Server]) -> list[Problem]:
    """Returns the granted tools and operations whose session policy is longer than STS accepts.

    An account id always has twelve digits; the department's name is taken to be the longest there can be.
    """
    granted = {
        (server, grant.partition(".")[0])
        for persona in personas.values()
        for server, grants in persona.servers.items()
        for grant in grants
    }
    problems = []
    for server_name, tool_name in sorted(granted):
        server = servers.get(server_name)
        if server is None or tool_name not in server.tools:
            continue
        tool = server.tools[tool_name]
        for operation in tool.operations or (None,):
            field = f"servers/{server_name}/server.toml: tools.{tool_name}"
            field += f".operations.{operation}.grants" if operation else ".grants"
            size = _session_size(server, tool, operation)
            if size > LONGEST_SESSION_POLICY:
                limit = f"beside the tags it may have {LONGEST_SESSION_POLICY}"
                message = f"The session policy of a call has {size} characters; {limit}."
                remedy = "Name fewer actions or shorter resource patterns."
                problems.append(Problem(field, f"{size} characters", message, remedy))
    return problems


@dataclass(frozen=True)
class _LongestPlace:
    """A department with the longest name there can be."""

    account: str = "0" * 12
    name: str = "x" * 28


def _session_size(server: Server, tool: Tool, operation: str | None) -> int:
    try:
        return len(compact(session_document(_LongestPlace(), server, tool, operation)))
    except (KeyError, ValueError):  # no endpoint carries an action, or no argument decides: told already
        return 0
