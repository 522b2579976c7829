"""Cedar for the gateway's policy engine: one permit for each persona and tool, and nothing else, so all else is denied.

How the service presents a call (AgentCore developer guide, Policy): the principal is an `AgentCore::OAuthUser` whose
tags are the token's claims, always as text, arrays as JSON text; the action is `<target>___<tool>`; the tool's
arguments are in `context.input`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ringfence.catalogue.catalogue import Catalogue
from ringfence.catalogue.files.tool_files import Argument
from ringfence.catalogue.iam_statements import spread
from ringfence.catalogue.servers import Server, Tool
from ringfence.catalogue.shown.published import published_definition
from ringfence.cedar.schema import NoCedarSchema, findings, schema_of
from ringfence.department.department import Department
from ringfence.reading import names
from ringfence.reading.problems import Problem, ProblemsFound, shown

GROUPS_CLAIM: Final = "cognito:groups"
SHORTEST: Final = 35
LONGEST: Final = 10_000
LARGEST_SCHEMA: Final = 400_000
LARGEST_SET: Final = 200_000
"""Bytes of one engine's schema and of one gateway's policies (developer guide, Quotas and Limitations, read 28 November
2026; earlier editions of the second had a schema of 200 KB, then of 100 KB)."""
_LONGEST_ARN: Final = len("arn:aws:bedrock-agentcore:eu-west-2:111122223333:gateway/") + 59
_LONGEST_URL: Final = len("https://.gateway.bedrock-agentcore.eu-west-2.amazonaws.com/mcp") + 59
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED: Final = ("true", "false", "if", "then", "else", "in", "is", "like", "has", "__cedar")
_NOT_PARSED: Final = (
    "// Cedar cannot parse a command line: the request interceptor and the MCP host hold its options to their list."
)


@dataclass(frozen=True)
class CedarPolicy:
    """One policy of a persona's engine.

    Attributes:
        name: Name for AWS, unique in the account.
        tool: Published name of the tool it permits.
    """

    name: str
    tool: str
    text: str


def permit_statements(
    catalogue: Catalogue, department: Department, persona: str, gateway_arn: str, gateway_url: str
) -> list[CedarPolicy]:
    """Returns the permits of one persona, one for each granted tool, in the catalogue's stable order.

    Args:
        persona: The persona; the caller's groups claim must hold exactly this name.
        gateway_arn: ARN of the persona's gateway; a deploy-time placeholder will do.
        gateway_url: Where hosts connect, which a token's audience must be, where it has one; likewise.

    Raises:
        ProblemsFound: the service would refuse a statement, all of them together, or the schema of the tools.
    """
    granted = list(catalogue.granted(persona, department))
    policies = [
        CedarPolicy(
            name=names.cedar_policy(department.name, persona, server.name, tool.name),
            tool=names.published_tool(server.name, tool.name),
            text=_permit(server, tool, gateway_arn, [_holds_group(persona), _is_meant_for(gateway_url)]),
        )
        for server, tool in granted
    ]
    inputs = {
        policy.tool: published_definition(server, tool)["inputSchema"]
        for policy, (server, tool) in zip(policies, granted, strict=True)
    }
    if problems := [*_sizes(policies), *_misfits(policies, inputs)]:
        raise ProblemsFound(f"Cedar policies of {department.name} {persona}", problems)
    return policies


def _sizes(policies: list[CedarPolicy]) -> Iterator[Problem]:
    fewer = "Name fewer allowed values in server.toml."
    for policy in policies:
        if not SHORTEST <= len(policy.text) <= LONGEST:
            message = f"A Cedar statement has {SHORTEST} to {LONGEST} characters."
            yield Problem(policy.tool, f"{len(policy.text)} characters", message, fewer)
    together = sum(len(policy.text.encode()) + _LONGEST_ARN + _LONGEST_URL for policy in policies)
    if together > LARGEST_SET:
        message = f"The policies of one gateway have at most {LARGEST_SET} bytes together."
        yield Problem("policies", f"{together} bytes", message, f"Grant fewer tools in personas.toml. {fewer}")


def _misfits(policies: list[CedarPolicy], inputs: Mapping[str, Mapping[str, Any]]) -> Iterator[Problem]:
    """Yields what the engine would say: it types the tools' arguments itself and refuses what does not fit."""
    try:
        schema = schema_of(inputs)
    except NoCedarSchema as problem:
        yield Problem("tools", shown(str(problem)), "The policy engine cannot express this tool.", "Refuse the tool.")
        return
    size = len(spread(schema).encode())
    if size > LARGEST_SCHEMA:
        message = f"The schema of one gateway's tools has at most {LARGEST_SCHEMA} bytes."
        yield Problem("tools", f"{size} bytes", message, "Grant fewer tools in personas.toml, or hide large arguments.")
    if not findings([policy.text for policy in policies], schema):
        return
    for policy in policies:
        for finding in findings([policy.text], schema):
            message = "The policy does not fit the schema that the engine makes from the tools."
            yield Problem(policy.tool, shown(finding), message, "Correct the argument's rule in server.toml.")


def _permit(server: Server, tool: Tool, gateway_arn: str, caller: list[str]) -> str:
    published = names.published_tool(server.name, tool.name)
    conditions = [*caller, *_argument_conditions(tool)]
    return (
        "permit(\n"
        "  principal is AgentCore::OAuthUser,\n"
        f"  action == AgentCore::Action::{_quoted(published)},\n"
        f"  resource == AgentCore::Gateway::{_quoted(gateway_arn)}\n"
        ") when {\n  " + " &&\n  ".join(conditions) + "\n};"
    )


def _holds_group(persona: str) -> str:
    """Returns the condition that the groups claim holds this persona.

    The claim arrives as text such as `["auditor"]`. The quotes belong to the pattern: without them `["nonauditor"]`
    would match as well.
    """
    claim = _quoted(GROUPS_CLAIM)
    pattern = _quoted(f'"{persona}"').replace("*", r"\*")
    return f'principal.hasTag({claim}) &&\n  principal.getTag({claim}) like "*{pattern[1:-1]}*"'


def _is_meant_for(gateway_url: str) -> str:
    """Returns the condition that a token which names an audience names this gateway.

    Cognito's access tokens have one only where the host asked for it (RFC 8707), and the hosts that do not ask stay.
    """
    return f'(if principal.hasTag("aud") then principal.getTag("aud") == {_quoted(gateway_url)} else true)'


def _argument_conditions(tool: Tool) -> list[str]:
    conditions = []
    for name, rule in tool.arguments.items():
        has, value = f"context.input has {_attribute(name)}", f"context.input{_access(name)}"
        if rule.mode == "forced":
            conditions.append(f"{has} &&\n  {value} == {_literal(rule.value)}")
        elif name == tool.operation:
            # Without it the server would choose an operation itself, so its absence is no permission.
            told = f"{_NOT_PARSED}\n  " if rule.mode == "commands" else ""
            conditions.append(f"{told}{has} &&\n  {_admitted(value, rule)}")
        elif rule.mode in ("allowed", "commands"):
            # Cedar's validator learns from `if`, not from `!has ||`, that the argument is there.
            conditions.append(f"(if {has} then {_admitted(value, rule)} else true)")
    return conditions


def _admitted(value: str, rule: Argument) -> str:
    """Returns the condition that an argument is one of its values, or begins with one of its commands."""
    if rule.mode == "allowed":
        return f"{_literal(list(rule.values))}.contains({value})"
    begun = [_quoted(command).replace("*", r"\*")[:-1] + ' *"' for command in rule.values]
    exact = f"{_literal(list(rule.values))}.contains({value})"
    return "(" + " ||\n  ".join([exact, *(f"{value} like {pattern}" for pattern in begun)]) + ")"


def _attribute(name: str) -> str:
    return name if _IDENTIFIER.fullmatch(name) and name not in _RESERVED else _quoted(name)


def _access(name: str) -> str:
    plain = _attribute(name)
    return f".{plain}" if plain == name else f"[{plain}]"


def _literal(value: object) -> str:
    """Returns a value as Cedar writes it.

    Raises:
        ValueError: Cedar has no such value, or equality on it would surprise (fractions, null).
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, list):
        return "[" + ", ".join(_literal(item) for item in value) + "]"
    raise ValueError(
        f"a value of type {type(value).__name__} cannot be a condition in Cedar; hide the argument instead"
    )


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
