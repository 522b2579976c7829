"""The policy engine of a gateway: Cedar, on the tools and policies of the template, decided by cedarpy.

The schema is the one that AWS's generator makes of the targets' tools (`ringfence.cedar.schema`). A policy that does
not pass strict validation against it is refused, as the deployment would refuse it (`ValidationMode`
FAIL_ON_ANY_FINDINGS), and so is a call whose arguments do not fit.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import cedarpy

from ringfence import CannotGoOn
from ringfence.cedar.schema import NoCedarSchema, schema_of
from ringfence.cedar.values import Misfit, Types, extension

USER = "AgentCore::OAuthUser"
GATEWAY = "AgentCore::Gateway"


class InvalidCedar(CannotGoOn):
    """A policy does not parse or does not fit the schema made from the tools, or the tools have no schema."""

    remedy = "Correct the policy, or the tool schema: the service validates policies against the gateway's tools."


@dataclass(frozen=True)
class Verdict:
    """What the engine decided.

    Attributes:
        allowed: whether a permit applied and no forbid did.
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
            tools: static tool definitions with published names (`iam___list_users`).
            policies: Cedar text by policy name, one policy each.

        Raises:
            InvalidCedar: a policy does not parse or validate, or a tool has no schema; the message names it.
        """
        self._gateway_arn = gateway_arn
        try:
            schema = schema_of({str(tool["name"]): tool.get("inputSchema") or {} for tool in tools})
        except NoCedarSchema as problem:
            raise InvalidCedar(f"the tools have no Cedar schema: {problem}") from None
        self._types = Types(schema)
        self._schema = read_once(schema)
        for name, text in policies.items():
            check_policy(name, text, self._schema)
        self._names = tuple(policies)
        self._policies = cedarpy.PolicySet.from_str("\n".join(policies.values()))

    def decide(self, *, claims: Mapping[str, Any], tool: str, arguments: Mapping[str, Any]) -> Verdict:
        """Decide one tool call. A tool without a schema and a request that does not fit it are denied."""
        try:
            request = self._request(claims, tool, arguments)
        except Misfit as misfit:
            return Verdict(False, (), (str(misfit),))
        result = cedarpy.is_authorized(request, self._policies, self._entities(claims), self._schema)
        deciding = tuple(self._names[int(reason.removeprefix("policy"))] for reason in result.diagnostics.reasons)
        errors = tuple(str(error) for error in result.diagnostics.errors)
        return Verdict(result.decision == cedarpy.Decision.Allow, deciding, errors)

    def allowed(self, *, claims: Mapping[str, Any], calls: Iterable[tuple[str, Mapping[str, Any]]]) -> list[bool]:
        """Whether each of many calls (tool, arguments) of one user is allowed, in their order."""
        requests = [self._request_or_none(claims, tool, arguments) for tool, arguments in calls]
        asked = [request for request in requests if request is not None]
        results = iter(cedarpy.is_authorized_batch(asked, self._policies, self._entities(claims), self._schema))
        return [request is not None and next(results).decision == cedarpy.Decision.Allow for request in requests]

    def listed(self, *, claims: Mapping[str, Any]) -> frozenset[str]:
        """Names of the tools that some arguments could be allowed for: what `tools/list` shows this user."""
        entities = self._entities(claims)
        return frozenset(
            tool
            for tool in self._types.tools
            if cedarpy.is_authorized_partial(self._scope(claims, tool), self._policies, entities, self._schema).decision
            != cedarpy.Decision.Deny
        )

    def _request_or_none(
        self, claims: Mapping[str, Any], tool: str, arguments: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        try:
            return self._request(claims, tool, arguments)
        except Misfit:
            return None

    def _request(self, claims: Mapping[str, Any], tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        return {
            **self._scope(claims, tool),
            "context": {
                "input": self._types.arguments(tool, arguments),
                "system": {"now": extension("datetime", _now())},
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


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_once(schema: Mapping[str, Any]) -> cedarpy.Schema:
    """A schema as the engine holds it: as text it would be read again for every policy."""
    return cedarpy.Schema.from_json_str(json.dumps(schema))


def check_policy(name: str, text: str, schema: cedarpy.Schema) -> None:
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
