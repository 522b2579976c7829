"""What the template says about a gateway's target: the runtime behind it, its tools, the headers that travel on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from ringfence.deployed.assembly import Resource
from ringfence.rehearsal.template.properties import Properties


@dataclass(frozen=True)
class Target:
    """An MCP-server target on an AgentCore runtime, called as the gateway's role.

    Attributes:
        name: prefix of its tools, without the three underscores.
        tools: the static tool definitions, bare names.
        headers: request headers that travel on to the runtime, lower case.
    """

    logical_id: str
    name: str
    runtime_arn: str
    qualifier: str
    tools: tuple[Mapping[str, Any], ...]
    headers: frozenset[str]


def read_target(resource: Resource) -> Target:
    """Read a target.

    Raises:
        NotEmulated: a property, or a value, that the rehearsal cannot honour.
    """
    properties = Properties(resource)
    configuration = properties.block("TargetConfiguration")
    mcp = configuration.block("Mcp")
    configuration.done()
    server = mcp.block("McpServer")
    mcp.done()
    runtime_arn, qualifier = _runtime_of(server)
    server.one_of("ListingMode", ["DEFAULT"], "DEFAULT")
    schema = server.block("McpToolSchema")
    tools = _tools(schema)
    server.without_effect("ResourcePriority")
    server.done()
    for credential in properties.blocks("CredentialProviderConfigurations"):
        credential.one_of("CredentialProviderType", ["GATEWAY_IAM_ROLE"])
        if "CredentialProvider" in credential:
            provider = credential.block("CredentialProvider")
            iam = provider.block("IamCredentialProvider")
            iam.one_of("Service", ["bedrock-agentcore"])
            iam.one_of("Region", [runtime_arn.split(":")[3]], runtime_arn.split(":")[3])
            iam.done()
            provider.done()
        credential.done()
    headers: tuple[str, ...] = ()
    if "MetadataConfiguration" in properties:
        metadata = properties.block("MetadataConfiguration")
        headers = metadata.texts("AllowedRequestHeaders", ())
        metadata.without_effect("AllowedResponseHeaders", "AllowedQueryParameters")
        metadata.done()
    target = Target(
        logical_id=resource.logical_id,
        name=properties.text("Name"),
        runtime_arn=runtime_arn,
        qualifier=qualifier,
        tools=tools,
        headers=frozenset(name.lower() for name in headers),
    )
    properties.without_effect("GatewayIdentifier", "Description")
    properties.done()
    return target


def _runtime_of(server: Properties) -> tuple[str, str]:
    endpoint = server.text("Endpoint")
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
        raise server.refuse("Endpoint", f"is {endpoint!r}, not the invocation address of an AgentCore runtime")
    return arn, parse_qs(parts.query).get("qualifier", ["DEFAULT"])[0]


def _tools(schema: Properties) -> tuple[Mapping[str, Any], ...]:
    payload = schema.take("InlinePayload")
    schema.done()
    if isinstance(payload, str):
        try:
            payload = json.loads(payload)
        except ValueError as error:
            raise schema.refuse("InlinePayload", f"is not JSON: {error}") from None
    tools = payload.get("tools") if isinstance(payload, dict) else payload
    if not isinstance(tools, list) or not all(isinstance(tool, dict) and "name" in tool for tool in tools):
        raise schema.refuse("InlinePayload", "is not a list of tool definitions")
    return tuple(tools)
