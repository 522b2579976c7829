"""The policy engine of a gateway: Cedar, on the tools and policies of the template, decided by cedarpy.

The schema is generated from the targets' static tool schemas, as the service does (AgentCore developer guide, Policy):
a principal whose claims are string tags, one action per tool in the groups CallTool and Mcp, the tool's arguments in
`context.input`. A policy that does not pass strict validation against it is refused, as the deployment would refuse it
(`ValidationMode` FAIL_ON_ANY_FINDINGS).
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import cedarpy

USER = "AgentCore::OAuthUser"
GATEWAY = "AgentCore::Gateway"
# The service stores a JSON number as a Cedar decimal, which has four places.
_DECIMAL_PLACES = Decimal("0.0001")


class InvalidCedar(Exception):
    """A policy does not parse, or does not fit the schema made from the tools."""


@dataclass(frozen=True)
class Verdict:
    """What the engine decided.

    Attributes:
        allowed: whether a permit applied and no forbid did.
        policies: names of the policies that decided.
        errors: evaluation errors; a policy with an error never allows.
    """

    allowed: bool
    policies: tuple[str, ...]
    errors: tuple[str, ...]


class CedarEngine:
    """Decides tool calls with the policies of one policy engine."""

    def __init__(self, *, gateway_arn: str, tools: Iterable[Mapping[str, Any]], policies: Mapping[str, str]) -> None:
        """Compile and validate.

        Args:
            gateway_arn: the resource of every request.
            tools: static tool definitions with published names (`iam___list_users`).
            policies: Cedar text by policy name, one policy each.

        Raises:
            InvalidCedar: a policy does not parse or validate; the message names it.
        """
        self._gateway_arn = gateway_arn
        self._inputs = {str(tool["name"]): tool.get("inputSchema") or {} for tool in tools}
        schema = schema_of(self._inputs)
        for name, text in policies.items():
            check_policy(name, text, schema)
        self._names = tuple(policies)
        self._policies = cedarpy.PolicySet.from_str("\n".join(policies.values()))
        self._schema = cedarpy.Schema.from_json_str(json.dumps(schema))

    def decide(self, *, claims: Mapping[str, Any], tool: str, arguments: Mapping[str, Any]) -> Verdict:
        """Decide one tool call. A tool without a schema and a request that does not fit it are denied."""
        if tool not in self._inputs:
            return Verdict(False, (), (f"no such action: {tool}",))
        request = self._request(claims, tool, arguments)
        result = cedarpy.is_authorized(request, self._policies, self._entities(claims), self._schema)
        deciding = tuple(self._names[int(reason.removeprefix("policy"))] for reason in result.diagnostics.reasons)
        errors = tuple(str(error) for error in result.diagnostics.errors)
        return Verdict(result.decision == cedarpy.Decision.Allow, deciding, errors)

    def allowed(self, *, claims: Mapping[str, Any], calls: Iterable[tuple[str, Mapping[str, Any]]]) -> list[bool]:
        """Whether each of many calls (tool, arguments) of one user is allowed, in their order."""
        listed = list(calls)
        known = [(tool, arguments) for tool, arguments in listed if tool in self._inputs]
        requests = [self._request(claims, tool, arguments) for tool, arguments in known]
        results = iter(cedarpy.is_authorized_batch(requests, self._policies, self._entities(claims), self._schema))
        return [tool in self._inputs and next(results).decision == cedarpy.Decision.Allow for tool, _ in listed]

    def listed(self, *, claims: Mapping[str, Any]) -> frozenset[str]:
        """Names of the tools that some arguments could be allowed for: what `tools/list` shows this user."""
        entities = self._entities(claims)
        return frozenset(
            tool
            for tool in self._inputs
            if cedarpy.is_authorized_partial(self._scope(claims, tool), self._policies, entities, self._schema).decision
            != cedarpy.Decision.Deny
        )

    def _request(self, claims: Mapping[str, Any], tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        return {
            **self._scope(claims, tool),
            "context": {
                "input": input_of(arguments, self._inputs[tool]),
                "system": {"now": _extension("datetime", _now())},
            },
        }

    def _scope(self, claims: Mapping[str, Any], tool: str) -> dict[str, str]:
        return {
            "principal": f"{USER}::{json.dumps(str(claims['sub']))}",
            "action": f"AgentCore::Action::{json.dumps(tool)}",
            "resource": f"{GATEWAY}::{json.dumps(self._gateway_arn)}",
        }

    def _entities(self, claims: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [
            {"uid": {"type": USER, "id": str(claims["sub"])}, "attrs": {}, "parents": [], "tags": tags_of(claims)},
            {"uid": {"type": GATEWAY, "id": self._gateway_arn}, "attrs": {}, "parents": []},
        ]


def tags_of(claims: Mapping[str, Any]) -> dict[str, str]:
    """Claims as the service's tags: always strings, everything else as JSON text."""
    return {
        name: value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
        for name, value in claims.items()
    }


def schema_of(inputs: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Cedar schema (JSON form) for tools by published name."""
    actions: dict[str, Any] = {"Mcp": {}, "CallTool": {"memberOf": [{"id": "Mcp"}]}}
    for name, schema in inputs.items():
        actions[name] = {
            "memberOf": [{"id": "CallTool"}],
            "appliesTo": {
                "principalTypes": ["OAuthUser", "IamEntity"],
                "resourceTypes": ["Gateway"],
                "context": _record(
                    {"input": _record_of(schema), "system": _record({"now": _extension_type("datetime")})}
                ),
            },
        }
    empty = _record({})
    return {
        "AgentCore": {
            "entityTypes": {
                "OAuthUser": {"shape": empty, "tags": {"type": "String"}},
                "IamEntity": {"shape": _record({"id": {"type": "String"}})},
                "Gateway": {"shape": empty},
            },
            "actions": actions,
        }
    }


def input_of(arguments: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments as `context.input`: what the schema types, as the schema types it; nulls are absent."""
    properties = schema.get("properties") or {}
    converted = {}
    for name, value in arguments.items():
        kind = _type_of(properties[name]) if name in properties else None
        if value is not None and (kind is not None or name not in properties):
            # An argument outside the schema is kept as it is: the request then does not fit and is denied.
            converted[name] = _value_of(value, kind)
    return converted


def _record(attributes: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Record", "attributes": attributes}


def _extension_type(name: str) -> dict[str, Any]:
    return {"type": "Extension", "name": name}


def _record_of(schema: Mapping[str, Any]) -> dict[str, Any]:
    required = set(schema.get("required") or ())
    attributes = {}
    for name, definition in (schema.get("properties") or {}).items():
        kind = _type_of(definition)
        if kind is not None:
            attributes[name] = {**kind, "required": name in required and not _nullable(definition)}
    return _record(attributes)


def _nullable(definition: Mapping[str, Any]) -> bool:
    choices = definition.get("anyOf") or definition.get("oneOf") or ()
    kinds = definition.get("type")
    return any(choice.get("type") == "null" for choice in choices) or (isinstance(kinds, list) and "null" in kinds)


def _type_of(definition: Mapping[str, Any]) -> dict[str, Any] | None:
    """Cedar type of a JSON schema, or None where Cedar has none (unions): such an argument is no attribute."""
    choices = [
        choice for choice in definition.get("anyOf") or definition.get("oneOf") or () if choice.get("type") != "null"
    ]
    if choices:
        return _type_of(choices[0]) if len(choices) == 1 else None
    kind = definition.get("type")
    if isinstance(kind, list):
        kinds = [item for item in kind if item != "null"]
        kind = kinds[0] if len(kinds) == 1 else None
    if kind is None:
        kind = _kind_of_values(definition)
    if kind == "array":
        element = _type_of(definition.get("items") or {})
        return None if element is None else {"type": "Set", "element": element}
    if kind == "object":
        return _record_of(definition)
    simple = {
        "string": {"type": "String"},
        "integer": {"type": "Long"},
        "boolean": {"type": "Boolean"},
        "number": _extension_type("decimal"),
    }
    return simple.get(str(kind))


def _kind_of_values(definition: Mapping[str, Any]) -> str | None:
    values = [definition["const"]] if "const" in definition else list(definition.get("enum") or ())
    kinds = {
        "boolean"
        if isinstance(value, bool)
        else "string"
        if isinstance(value, str)
        else "integer"
        if isinstance(value, int)
        else "array"
        if isinstance(value, list)
        else "other"
        for value in values
    }
    return kinds.pop() if len(kinds) == 1 else None


def _value_of(value: Any, kind: Mapping[str, Any] | None) -> Any:
    if kind is None:
        return value
    if kind.get("name") == "decimal" and isinstance(value, int | float) and not isinstance(value, bool):
        return _extension("decimal", str(Decimal(str(value)).quantize(_DECIMAL_PLACES)))
    if kind["type"] == "Set" and isinstance(value, list):
        return [_value_of(item, kind["element"]) for item in value]
    if kind["type"] == "Record" and isinstance(value, Mapping):
        attributes = kind["attributes"]
        return {name: _value_of(item, attributes[name]) for name, item in value.items() if name in attributes}
    return value


def _extension(function: str, argument: str) -> dict[str, Any]:
    return {"__extn": {"fn": function, "arg": argument}}


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def check_policy(name: str, text: str, schema: dict[str, Any]) -> None:
    """Make sure that a text is one policy and fits a schema.

    Raises:
        InvalidCedar: it does not.
    """
    try:
        parsed = json.loads(cedarpy.policies_to_json_str(text))
    except ValueError as error:
        raise InvalidCedar(f"the Cedar policy {name} does not parse: {error}") from None
    if len(parsed.get("staticPolicies") or {}) != 1 or parsed.get("templates"):
        raise InvalidCedar(f"the Cedar policy {name} must hold exactly one policy")
    result = cedarpy.validate_policies(text, schema)
    if not result.validation_passed:
        findings = "; ".join(str(finding.error) for finding in result.errors)
        raise InvalidCedar(f"the Cedar policy {name} does not validate: {findings}")
