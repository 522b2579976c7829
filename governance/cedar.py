"""Cedar for the gateway's policy engine: one permit for each persona and tool, and nothing else, so all else is denied.

How the service presents a call (AgentCore developer guide, Policy): the principal is an `AgentCore::OAuthUser` whose
tags are the token's claims, always as text, arrays as JSON text; the action is `<target>___<tool>`; the tool's
arguments are in `context.input`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from callpath.digest import digest
from governance import names
from governance.catalogue import Catalogue
from governance.catalogue_files import Argument
from governance.department import Department
from governance.problems import Problem, ProblemsFound
from governance.published import published_definition
from governance.servers import Server, Tool

GROUPS_CLAIM: Final = "cognito:groups"
SHORTEST: Final = 35
LONGEST: Final = 10_000
_LONGEST_NAME: Final = 48
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED: Final = ("true", "false", "if", "then", "else", "in", "is", "like", "has", "__cedar")
_NOT_PARSED: Final = (
    "// Cedar cannot parse a command line: the request interceptor and the MCP host hold its options to their list."
)
_SCALARS: Final = {
    "string": {"type": "String"},
    "integer": {"type": "Long"},
    "boolean": {"type": "Boolean"},
    "number": {"type": "Extension", "name": "decimal"},
}


@dataclass(frozen=True)
class CedarPolicy:
    """One policy of a persona's engine.

    Attributes:
        name: Name for AWS, unique in the engine: letters, digits and underscores, at most 48.
        tool: Published name of the tool it permits.
        text: The Cedar statement.
    """

    name: str
    tool: str
    text: str


def permit_statements(
    catalogue: Catalogue, department: Department, persona: str, gateway_arn: str
) -> list[CedarPolicy]:
    """Returns the permits of one persona, one for each granted tool, in the catalogue's stable order.

    Args:
        catalogue: The catalogue.
        department: The department, for messages.
        persona: The persona; the caller's groups claim must hold exactly this name.
        gateway_arn: ARN of the persona's gateway; a deploy-time placeholder will do.

    Raises:
        ProblemsFound: a statement is shorter or longer than the service accepts.
    """
    policies = [_permit(server, tool, persona, gateway_arn) for server, tool in catalogue.granted(persona, department)]
    problems = [
        Problem(policy.tool, f"{len(policy.text)} characters", message, "Name fewer allowed values in server.toml.")
        for policy in policies
        if not SHORTEST <= len(policy.text) <= LONGEST
        for message in [f"A Cedar statement has {SHORTEST} to {LONGEST} characters."]
    ]
    if problems:
        raise ProblemsFound(f"Cedar policies of {department.name} {persona}", problems)
    return policies


def _permit(server: Server, tool: Tool, persona: str, gateway_arn: str) -> CedarPolicy:
    published = names.published_tool(server.name, tool.name)
    conditions = [_holds_group(persona), *_argument_conditions(tool)]
    text = (
        "permit(\n"
        "  principal is AgentCore::OAuthUser,\n"
        f"  action == AgentCore::Action::{_quoted(published)},\n"
        f"  resource == AgentCore::Gateway::{_quoted(gateway_arn)}\n"
        ") when {\n  " + " &&\n  ".join(conditions) + "\n};"
    )
    return CedarPolicy(name=_policy_name(server, tool), tool=published, text=text)


def _holds_group(persona: str) -> str:
    """Returns the condition that the groups claim holds this persona.

    The claim arrives as text such as `["auditor"]`. The quotes belong to the pattern: without them `["nonauditor"]`
    would match as well.
    """
    claim = _quoted(GROUPS_CLAIM)
    pattern = _quoted(f'"{persona}"').replace("*", r"\*")
    return f'principal.hasTag({claim}) &&\n  principal.getTag({claim}) like "*{pattern[1:-1]}*"'


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


def _policy_name(server: Server, tool: Tool) -> str:
    name = f"{server.name}_{tool.name}".replace("-", "_")
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[: _LONGEST_NAME - 9]}_{digest(name)[:8]}"


def schema(catalogue: Catalogue, department: Department, persona: str) -> dict[str, Any]:
    """Returns a Cedar schema (JSON form) like the one the service derives from the gateway's tools.

    It is our reading of the documentation, for validating the permits and for the rehearsal; the service makes its own.
    An argument whose type has no counterpart in Cedar (a union of several kinds) is left out.
    """
    actions: dict[str, Any] = {"Mcp": {}, "CallTool": {"memberOf": [{"id": "Mcp"}]}}
    for server, tool in catalogue.granted(persona, department):
        actions[server.name] = {"memberOf": [{"id": "CallTool"}]}
        input_schema = published_definition(server, tool)["inputSchema"]
        actions[names.published_tool(server.name, tool.name)] = {
            "memberOf": [{"id": "CallTool"}, {"id": server.name}],
            "appliesTo": {
                "principalTypes": ["OAuthUser"],
                "resourceTypes": ["Gateway"],
                "context": _record({"input": {**_record_of(input_schema, input_schema), "required": True}}),
            },
        }
    entity_types = {
        "OAuthUser": {"shape": _record({}), "tags": {"type": "String"}},
        "Gateway": {"shape": _record({})},
    }
    return {"AgentCore": {"entityTypes": entity_types, "actions": actions}}


def _record(attributes: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Record", "attributes": attributes}


def _record_of(part: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    required = part.get("required", [])
    attributes: dict[str, Any] = {}
    for name, property_schema in part.get("properties", {}).items():
        kind = _cedar_type(property_schema, root)
        if kind is not None:
            attributes[name] = {**kind, "required": name in required}
    return _record(attributes)


def _cedar_type(part: dict[str, Any], root: dict[str, Any], depth: int = 0) -> dict[str, Any] | None:
    """Returns the Cedar type of a JSON Schema, or None where Cedar has no counterpart."""
    if depth > 8:  # a schema that refers to itself
        return None
    if "$ref" in part:
        target = root.get("$defs", {}).get(str(part["$ref"]).removeprefix("#/$defs/"))
        return None if target is None else _cedar_type(target, root, depth + 1)
    choices = [choice for choice in part.get("anyOf", []) if choice.get("type") != "null"]
    if choices:
        return _cedar_type(choices[0], root, depth + 1) if len(choices) == 1 else None
    kind = part.get("type")
    if kind == "array":
        element = _cedar_type(part.get("items", {}), root, depth + 1)
        return None if element is None else {"type": "Set", "element": element}
    if kind == "object":
        return _record_of(part, root)
    return _SCALARS.get(kind) if isinstance(kind, str) else None
