"""The gateways of an assembly as a caller meets them: the tools they publish and the policies that decide."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from ringfence.cedar.schema import schema_of
from ringfence.deployed.assembly import Assembly, Resource
from ringfence.deployed.problems import UnresolvedTemplate

SEPARATOR: Final = "___"
"""What AgentCore puts between a target's name and a tool's. Not taken from what makes the names: this judges it."""


def published(target: str, tool: str) -> str:
    """Returns the name under which a gateway publishes a tool of a target."""
    return f"{target}{SEPARATOR}{tool}"


@dataclass(frozen=True)
class Target:
    """One target: an MCP server on a runtime, and the tools it is said to have.

    Attributes:
        name: prefix of its tools.
        runtime_arn: the runtime it calls.
        tools: definitions with bare names, as the template has them.
    """

    resource: Resource
    name: str
    runtime_arn: str
    tools: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class DeployedGateway:
    """One gateway.

    Attributes:
        url: where hosts connect.
        enforce: whether its policy engine decides.
        policies: Cedar text of its engine's active policies by logical id.
        groups: values of the groups claim that its authorizer demands; empty when it demands none.
    """

    resource: Resource
    arn: str
    url: str
    name: str
    enforce: bool
    policies: Mapping[str, str]
    targets: tuple[Target, ...]
    groups: tuple[str, ...]

    @cached_property
    def inputs(self) -> dict[str, Mapping[str, Any]]:
        """Input schema of every published tool."""
        return {
            published(target.name, tool["name"]): tool.get("inputSchema") or {}
            for target in self.targets
            for tool in target.tools
        }

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The Cedar schema that the service derives from the tools."""
        return schema_of(self.inputs)


def gateways(assembly: Assembly) -> dict[str, DeployedGateway]:
    """Every gateway of an assembly, by name.

    Raises:
        UnresolvedTemplate: a gateway, target or policy is not of the kind that can be judged.
    """
    found = (_gateway(resource, assembly) for resource in assembly.of_type("AWS::BedrockAgentCore::Gateway"))
    return {gateway.name: gateway for gateway in found}


def _gateway(resource: Resource, assembly: Assembly) -> DeployedGateway:
    properties = resource.properties
    engine = properties.get("PolicyEngineConfiguration", {})
    targets = [
        _target(target)
        for target in assembly.of_type("AWS::BedrockAgentCore::GatewayTarget")
        if str(target.properties["GatewayIdentifier"]) in (str(resource.ref), resource.arn)
    ]
    return DeployedGateway(
        resource=resource,
        arn=resource.arn,
        url=str(resource.attribute("GatewayUrl")),
        name=str(properties["Name"]),
        enforce=engine.get("Mode") == "ENFORCE",
        policies=_policies(str(engine.get("Arn", "")), assembly),
        targets=tuple(targets),
        groups=_groups(properties),
    )


def _policies(engine: str, assembly: Assembly) -> dict[str, str]:
    found = {}
    for resource in assembly.of_type("AWS::BedrockAgentCore::Policy"):
        properties = resource.properties
        if properties["PolicyEngineId"] != engine.rpartition("/")[2]:
            continue
        if properties.get("EnforcementMode", "ACTIVE") == "ACTIVE":
            definition = properties["Definition"]
            found[resource.logical_id] = str((definition.get("Cedar") or definition["Policy"])["Statement"])
    return found


def _target(resource: Resource) -> Target:
    try:
        server = resource.properties["TargetConfiguration"]["Mcp"]["McpServer"]
        payload = server["McpToolSchema"]["InlinePayload"]
        path = urlsplit(server["Endpoint"]).path.split("/")
        runtime = unquote(path[path.index("runtimes") + 1])
    except (KeyError, ValueError, IndexError):
        raise UnresolvedTemplate(
            resource.stack, resource.logical_id, "is no MCP server on a runtime with static tool definitions"
        ) from None
    content = json.loads(payload) if isinstance(payload, str) else payload
    tools = content["tools"] if isinstance(content, Mapping) else content
    return Target(resource, str(resource.properties["Name"]), runtime, tuple(tools))


def _groups(properties: Mapping[str, Any]) -> tuple[str, ...]:
    jwt = properties.get("AuthorizerConfiguration", {}).get("CustomJWTAuthorizer", {})
    values: list[str] = []
    for claim in jwt.get("CustomClaims", []):
        if claim.get("InboundTokenClaimName") == "cognito:groups":
            matched = claim["AuthorizingClaimMatchValue"]["ClaimMatchValue"]
            values += matched.get("MatchValueStringList") or [matched["MatchValueString"]]
    return tuple(values)
