"""A gateway's target: the runtime behind it, its tools, and the headers that travel on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from ringfence.deployed.assembly import Assembly, Resource
from ringfence.deployed.properties import Properties

TARGET: Final = "AWS::BedrockAgentCore::GatewayTarget"
_SERVER = "TargetConfiguration.Mcp.McpServer"


@dataclass(frozen=True)
class Target:
    """An MCP server on an AgentCore runtime, called as the gateway's role.

    Attributes:
        name: prefix of its tools, without the three underscores.
        tools: the static tool definitions, with bare names.
        headers: request headers that travel on to the runtime, lower case.
    """

    resource: Resource
    name: str
    runtime_arn: str
    qualifier: str
    tools: tuple[Mapping[str, Any], ...]
    headers: frozenset[str]


def targets_of(gateway: Resource, assembly: Assembly) -> tuple[Target, ...]:
    """The targets of a gateway.

    Raises:
        UnresolvedTemplate: one of them is no MCP server on a runtime with static tool definitions.
    """
    found = assembly.of_type(TARGET)
    names = (gateway.ref, gateway.arn)
    return tuple(_target(each) for each in found if each.properties.get("GatewayIdentifier") in names)


def _target(resource: Resource) -> Target:
    properties = Properties(resource)
    runtime_arn, qualifier = _runtime_of(properties)
    return Target(
        resource=resource,
        name=properties.text("Name"),
        runtime_arn=runtime_arn,
        qualifier=qualifier,
        tools=_tools(properties),
        headers=frozenset(name.lower() for name in properties.texts("MetadataConfiguration.AllowedRequestHeaders", ())),
    )


def _runtime_of(properties: Properties) -> tuple[str, str]:
    endpoint = properties.text(f"{_SERVER}.Endpoint")
    parts = urlsplit(endpoint)
    segments = parts.path.split("/")
    arn = unquote(segments[2]) if len(segments) == 4 else ""
    expected = f"bedrock-agentcore.{arn.split(':')[3]}.amazonaws.com" if arn.count(":") == 5 else ""
    if (
        parts.scheme != "https"
        or segments[1:2] != ["runtimes"]
        or segments[3:] != ["invocations"]
        or parts.netloc != expected
    ):
        what = f"is {endpoint!r}, not the invocation address of an AgentCore runtime"
        raise properties.problem(f"{_SERVER}.Endpoint", what)
    return arn, parse_qs(parts.query).get("qualifier", ["DEFAULT"])[0]


def _tools(properties: Properties) -> tuple[Mapping[str, Any], ...]:
    path = f"{_SERVER}.McpToolSchema.InlinePayload"
    payload = properties.at(path)
    if isinstance(payload, str):
        try:
            payload = json.loads(payload)
        except ValueError as error:
            raise properties.problem(path, f"is not JSON: {error}") from None
    tools = payload.get("tools") if isinstance(payload, dict) else payload
    if not isinstance(tools, list) or not all(isinstance(tool, dict) and "name" in tool for tool in tools):
        raise properties.problem(path, "is not a list of tool definitions")
    return tuple(tools)
