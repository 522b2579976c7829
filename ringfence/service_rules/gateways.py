"""AWS-GATE and AWS-CEDAR: what AgentCore's gateway and its policy engine refuse."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ringfence.reading.names import published_tool
from ringfence.reading.template import Breach, Resource, listed
from ringfence.service_rules.assembly import Assembly
from ringfence.service_rules.rule import READ, ServiceRule
from ringfence.service_rules.sizes import TOOL_LIST, tools_of

_PREFIX: Final = "AWS::BedrockAgentCore::"
_CUSTOM: Final = "x-amzn-bedrock-agentcore-runtime-custom-"
_HEADER: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")
RESTRICTED: Final = frozenset(
    """accept accept-charset accept-encoding accept-language accept-ranges authorization cache-control connection
    content-encoding content-language content-length content-location content-range content-security-policy
    content-security-policy-report-only content-type cookie date etag expires from host if-match if-modified-since
    if-none-match if-range if-unmodified-since keep-alive last-modified location pragma proxy-authorization
    proxy-connection range referer retry-after server set-cookie strict-transport-security te trailer transfer-encoding
    upgrade user-agent vary www-authenticate x-content-type-options""".split()
)
"""Headers that a gateway does not pass on (AgentCore guide, header propagation)."""
_ACTION: Final = re.compile(r'AgentCore::Action::"([^"]+)"')
_INPUT: Final = re.compile(r"context\.input\.([A-Za-z_][A-Za-z0-9_]*)|context\.input\[\"([^\"]+)\"\]")


def _firewall_setting(assembly: Assembly) -> Iterator[Breach]:
    for gateway in assembly.of_type(f"{_PREFIX}Gateway"):
        if gateway.at("WafConfiguration"):
            message = "A gateway has no web ACL when it is made, and takes no setting of one until it has."
            yield gateway.breach("WafConfiguration", message)


def _interceptors(assembly: Assembly) -> Iterator[Breach]:
    for gateway in assembly.of_type(f"{_PREFIX}Gateway"):
        configurations = listed(gateway.at("InterceptorConfigurations"))
        points = Counter(point for each in configurations for point in listed(each.get("InterceptionPoints")))
        if len(configurations) > 2 or any(count > 1 for count in points.values()):
            yield gateway.breach("InterceptorConfigurations", "A gateway has one interceptor for each of two points.")


def _headers(assembly: Assembly) -> Iterator[Breach]:
    for target in assembly.of_type(f"{_PREFIX}GatewayTarget"):
        for path in ("AllowedRequestHeaders", "AllowedResponseHeaders"):
            yield from _header_list(target, f"MetadataConfiguration.{path}", most=10)
    for runtime in assembly.of_type(f"{_PREFIX}Runtime"):
        yield from _header_list(runtime, "RequestHeaderConfiguration.RequestHeaderAllowlist", most=20)


def _header_list(resource: Resource, path: str, *, most: int) -> Iterator[Breach]:
    names = listed(resource.at(path))
    if len(names) > most:
        yield resource.breach(path, f"{len(names)} headers are listed; {most} are accepted.")
    for number, name in enumerate(names):
        lower = str(name).lower()
        reserved = lower.startswith(("x-amz-", "x-amzn-")) and not lower.startswith(_CUSTOM)
        if reserved or lower in RESTRICTED or not _HEADER.fullmatch(str(name)):
            yield resource.breach(f"{path}.{number}", f"The header {name} is not passed on.")


def _tool_lists(assembly: Assembly) -> Iterator[Breach]:
    for target in assembly.of_type(f"{_PREFIX}GatewayTarget"):
        if target.at(TOOL_LIST) is None:
            continue
        tools = tools_of(assembly.text(target.template, target.at(TOOL_LIST)))
        if not tools:
            yield target.breach(TOOL_LIST, 'The tool list is not an object with "tools".')
        for tool in tools:
            schema = tool.get("inputSchema")
            whole = tool.get("name") and tool.get("description") and isinstance(schema, Mapping)
            if not whole or not isinstance(schema, Mapping) or schema.get("type") != "object":
                message = f"The tool {tool.get('name')} lacks a description, or an input schema of type object."
                yield target.breach(TOOL_LIST, message)


def _enums(assembly: Assembly) -> Iterator[Breach]:
    for policy, statement, tools in _permits(assembly):
        for name in _ACTION.findall(statement):
            properties = (tools.get(name) or {}).get("properties") or {}
            for argument in sorted({first or second for first, second in _INPUT.findall(statement)}):
                if _is_text_enum(properties.get(argument)):
                    message = (
                        f"It reads {argument}, which its tool publishes with an enum of texts: an entity, no String."
                    )
                    yield policy.breach("Definition.Cedar.Statement", message)


def _is_text_enum(schema: Any) -> bool:
    if not isinstance(schema, Mapping):
        return False
    if any(isinstance(value, str) for value in listed(schema.get("enum"))):
        return True
    branches = [branch for key in ("anyOf", "oneOf", "allOf") for branch in listed(schema.get(key))]
    return any(_is_text_enum(branch) for branch in branches)


def _unknown_actions(assembly: Assembly) -> Iterator[Breach]:
    for policy, statement, tools in _permits(assembly):
        for name in _ACTION.findall(statement):
            if name not in tools:
                message = f"No target of the gateway publishes {name}."
                yield policy.breach("Definition.Cedar.Statement", message)


def _permits(assembly: Assembly) -> Iterator[tuple[Resource, str, Mapping[str, Mapping[str, Any]]]]:
    """Yields each Cedar policy with its statement and the input schemas of its gateway's tools, by published name."""
    published: dict[tuple[str, str], dict[str, Mapping[str, Any]]] = {}
    for target in assembly.of_type(f"{_PREFIX}GatewayTarget"):
        gateway = assembly.one(target, "GatewayIdentifier", f"{_PREFIX}Gateway")
        if gateway is not None:
            tools = published.setdefault((gateway.template, gateway.logical_id), {})
            for tool in tools_of(assembly.text(target.template, target.at(TOOL_LIST))):
                tools[published_tool(str(target.at("Name")), str(tool.get("name")))] = tool.get("inputSchema") or {}
    for policy in assembly.of_type(f"{_PREFIX}Policy"):
        gateway = assembly.one(policy, "Definition.Cedar.Statement", f"{_PREFIX}Gateway")
        if gateway is not None:
            statement = assembly.text(policy.template, policy.at("Definition.Cedar.Statement"))
            yield policy, statement, published.get((gateway.template, gateway.logical_id), {})


RULES: Final = (
    ServiceRule(
        "AWS-GATE-1",
        "No gateway is made with a setting for its web ACL.",
        "Leave WafConfiguration out: the service closes when the WAF cannot be asked, unless told otherwise.",
        "botocore 1.44.5: CreateGateway has no wafConfiguration; hashicorp/terraform-provider-aws#48710: "
        '"wafConfiguration can only be set when a WebACL is associated with the gateway"',
        READ,
        _firewall_setting,
    ),
    ServiceRule(
        "AWS-GATE-2",
        "A gateway has one interceptor at most for each point.",
        "Do both things in one function.",
        "botocore 1.44.5, CreateGateway, interceptorConfigurations: two at most; AgentCore guide, interceptors",
        READ,
        _interceptors,
    ),
    ServiceRule(
        "AWS-GATE-3",
        "Headers on a list are ones that gateway and runtime pass on.",
        "Use a name that begins X-Amzn-Bedrock-AgentCore-Runtime-Custom-.",
        "AgentCore guide, header propagation with Gateway, and pass custom headers to Runtime; botocore 1.44.5, "
        "MetadataConfiguration and RequestHeaderConfiguration",
        READ,
        _headers,
    ),
    ServiceRule(
        "AWS-GATE-4",
        "An inline tool list is MCP's: tools, each with name, description and an input schema of type object.",
        "Make it with constructs.gateway.gateway_target from the lock.",
        "botocore 1.44.5, McpToolSchemaConfiguration and ToolDefinition",
        READ,
        _tool_lists,
    ),
    ServiceRule(
        "AWS-CEDAR-1",
        "No Cedar policy reads an argument that its tool publishes with an enum of texts.",
        "Publish a pattern in place of the enum: the service makes an entity type of an enum, and the policy compares "
        "with a String.",
        "AgentCore guide, schema constraints, and the generator it refers to: cedar-policy-mcp-schema-generator 0.7.0",
        READ,
        _enums,
    ),
    ServiceRule(
        "AWS-CEDAR-2",
        "A Cedar policy names tools that a target of its gateway publishes.",
        "Correct the name: target, three underscores, tool.",
        "AgentCore guide, schema constraints: policies must validate against the schema made from the tools",
        READ,
        _unknown_actions,
    ),
)
