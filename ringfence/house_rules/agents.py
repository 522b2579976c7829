"""GOV-RUN and GOV-GATE: runtimes without a way out, gateways that decide before they answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ringfence.house_rules.declared import Residency
from ringfence.house_rules.rule import Rule
from ringfence.reading.template import Breach, Resource, Template, listed

GROUPS_CLAIM: Final = "cognito:groups"
_PREFIX: Final = "AWS::BedrockAgentCore::"
# A shell, a browser and a memory that cannot keep records for two years: none has a place here.
_UNWANTED: Final = {
    f"{_PREFIX}BrowserCustom": "A browser is a way to the internet.",
    f"{_PREFIX}BrowserProfile": "A browser is a way to the internet.",
    f"{_PREFIX}CodeInterpreterCustom": "A code interpreter runs whatever a model writes.",
    f"{_PREFIX}Memory": "AgentCore Memory keeps records for a year at most, and its strategies leave the region.",
}


def _in_vpc(template: Template, _: Residency) -> Iterator[Breach]:
    for runtime in template.of_type(f"{_PREFIX}Runtime"):
        mode = runtime.at("NetworkConfiguration.NetworkMode")
        if mode != "VPC":
            yield runtime.breach("NetworkConfiguration.NetworkMode", f"The runtime's network mode is {mode}, not VPC.")
        for part in ("Subnets", "SecurityGroups"):
            if not runtime.at(f"NetworkConfiguration.NetworkModeConfig.{part}"):
                yield runtime.breach(f"NetworkConfiguration.NetworkModeConfig.{part}", f"The runtime has no {part}.")


def _unwanted(template: Template, _: Residency) -> Iterator[Breach]:
    for resource in template.of_type(*_UNWANTED):
        yield resource.breach("", _UNWANTED[resource.type])


def _enforce(template: Template, _: Residency) -> Iterator[Breach]:
    for gateway in _gateways(template):
        mode = gateway.at("PolicyEngineConfiguration.Mode")
        if mode != "ENFORCE" or not gateway.at("PolicyEngineConfiguration.Arn"):
            was = "has no policy engine" if mode is None else f"runs its policy engine in {mode}"
            yield gateway.breach("PolicyEngineConfiguration", f"The gateway {was}, so Cedar refuses nothing.")


def _authorizer(template: Template, _: Residency) -> Iterator[Breach]:
    for gateway in _gateways(template):
        if gateway.at("AuthorizerType") != "CUSTOM_JWT":
            yield gateway.breach("AuthorizerType", f"The authorizer is {gateway.at('AuthorizerType')}, not CUSTOM_JWT.")
            continue
        jwt = "AuthorizerConfiguration.CustomJWTAuthorizer"
        for part in ("DiscoveryUrl", "AllowedClients", "AllowedScopes"):
            if not gateway.at(f"{jwt}.{part}"):
                yield gateway.breach(f"{jwt}.{part}", f"The authorizer names no {part}.")
        if not any(_asks_for_a_group(claim) for claim in listed(gateway.at(f"{jwt}.CustomClaims"))):
            yield gateway.breach(f"{jwt}.CustomClaims", f"No claim {GROUPS_CLAIM} is asked for: any persona may enter.")


def _asks_for_a_group(claim: Mapping[str, Any]) -> bool:
    match = claim.get("AuthorizingClaimMatchValue") or {}
    wanted = (match.get("ClaimMatchValue") or {}).get("MatchValueString")
    return (
        claim.get("InboundTokenClaimName") == GROUPS_CLAIM
        and claim.get("InboundTokenClaimValueType") == "STRING_ARRAY"
        and match.get("ClaimMatchOperator") == "CONTAINS"
        and bool(wanted)
    )


def _streaming(template: Template, _: Residency) -> Iterator[Breach]:
    path = "ProtocolConfiguration.Mcp.StreamingConfiguration.EnableResponseStreaming"
    for gateway in _gateways(template):
        if gateway.at(path) is not False:
            yield gateway.breach(path, "Response streaming is not switched off: its messages pass redaction by.")


def _search(template: Template, _: Residency) -> Iterator[Breach]:
    path = "ProtocolConfiguration.Mcp.SearchType"
    for gateway in _gateways(template):
        if gateway.at(path) is not None:
            yield gateway.breach(path, "Semantic search adds a tool that is not in the catalogue.")


def _gateways(template: Template) -> Iterator[Resource]:
    return template.of_type(f"{_PREFIX}Gateway")


_GATEWAY: Final = "Make it with constructs.gateway.governed_gateway.GovernedGateway."

RULES: Final = (
    Rule(
        "GOV-RUN-1",
        "Every AgentCore runtime is in VPC mode.",
        "Make it with constructs.runtime.mcp_runtime.McpRuntime.",
        _in_vpc,
    ),
    Rule(
        "GOV-RUN-2",
        "No code interpreter, browser or memory of AgentCore.",
        "Remove it; tools are MCP servers of the catalogue, records are log groups.",
        _unwanted,
    ),
    Rule("GOV-GATE-1", "Every gateway decides with a policy engine in ENFORCE.", _GATEWAY, _enforce),
    Rule("GOV-GATE-2", "Every gateway asks for a token with client, scope and group.", _GATEWAY, _authorizer),
    Rule("GOV-GATE-3", "No gateway streams responses.", _GATEWAY, _streaming),
    Rule("GOV-GATE-4", "No gateway has semantic search.", _GATEWAY, _search),
)
