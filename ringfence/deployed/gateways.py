"""The gateways of an assembly: who is let in, by which interceptors and policies, to which tools."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from ringfence.cedar.schema import schema_of
from ringfence.deployed.assembly import Assembly, Resource
from ringfence.deployed.properties import Properties
from ringfence.deployed.resource_policies import AGENTCORE, resource_policies
from ringfence.deployed.runtimes import DeployedRuntime
from ringfence.deployed.targets import TARGET, Target, targets_of

_JWT = "AuthorizerConfiguration.CustomJWTAuthorizer"
_MCP = "ProtocolConfiguration.Mcp"
_GROUPS = "cognito:groups"
_POLICY = "AWS::BedrockAgentCore::Policy"

SEPARATOR: Final = "___"
"""What AgentCore puts between a target's name and a tool's. Not taken from what makes the names: this judges it."""


def published(target: str, tool: str) -> str:
    """Returns the name under which a gateway publishes a tool of a target."""
    return f"{target}{SEPARATOR}{tool}"


@dataclass(frozen=True)
class ClaimRule:
    """A claim the token must carry: the value equals, contains, or contains any of `values`."""

    name: str
    kind: str
    operator: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class JwtAuthorizer:
    """The CUSTOM_JWT authorizer; empty where the gateway has none."""

    discovery_url: str
    clients: frozenset[str]
    audiences: frozenset[str]
    scopes: frozenset[str]
    claims: tuple[ClaimRule, ...]


@dataclass(frozen=True)
class Interceptor:
    """A Lambda interceptor.

    Attributes:
        pass_headers: whether the function sees the request's headers.
    """

    function_arn: str
    pass_headers: bool


@dataclass(frozen=True)
class CedarPolicy:
    """An active policy of a gateway's engine; LOG_ONLY policies do not decide, and are left out."""

    logical_id: str
    name: str
    statement: str


@dataclass(frozen=True)
class DeployedGateway:
    """One gateway.

    Attributes:
        url: where hosts connect.
        versions: MCP versions it supports, oldest first.
        session_seconds: how long an MCP session lives, or None where sessions are off.
        enforce: whether the policy engine decides (ENFORCE) or only watches (LOG_ONLY).
    """

    resource: Resource
    arn: str
    name: str
    url: str
    role_arn: str
    authorizer: JwtAuthorizer
    versions: tuple[str, ...]
    instructions: str
    session_seconds: int | None
    request: Interceptor | None
    response: Interceptor | None
    engine_arn: str
    enforce: bool
    engine: tuple[CedarPolicy, ...]
    targets: tuple[Target, ...]

    @property
    def scope(self) -> str:
        """The scope that opens it."""
        return min(self.authorizer.scopes)

    def interceptor(self, point: str) -> Interceptor:
        """The interceptor at `REQUEST` or `RESPONSE`.

        Raises:
            UnresolvedTemplate: there is none.
        """
        found = {"REQUEST": self.request, "RESPONSE": self.response}[point]
        if found is None:
            raise self.resource.problem(f"has no {point} interceptor")
        return found

    @property
    def groups(self) -> tuple[str, ...]:
        """Values of the groups claim that its authorizer demands; empty when it demands none."""
        return tuple(value for claim in self.authorizer.claims if claim.name == _GROUPS for value in claim.values)

    @cached_property
    def tools(self) -> dict[str, Mapping[str, Any]]:
        """Every tool by its published name, which its definition has too."""
        named = ((published(target.name, tool["name"]), tool) for target in self.targets for tool in target.tools)
        return {name: {**tool, "name": name, "inputSchema": tool.get("inputSchema") or {}} for name, tool in named}

    @property
    def policies(self) -> dict[str, str]:
        """Cedar text of its engine's active policies by logical id."""
        return {policy.logical_id: policy.statement for policy in self.engine}

    @cached_property
    def inputs(self) -> dict[str, Mapping[str, Any]]:
        """Input schema of every published tool."""
        return {name: tool["inputSchema"] for name, tool in self.tools.items()}

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The Cedar schema that the service derives from the tools."""
        return schema_of(self.inputs)


def gateways(assembly: Assembly, runtimes: Iterable[DeployedRuntime]) -> dict[str, DeployedGateway]:
    """Every gateway of an assembly by the persona whose runtimes it calls, sorted.

    Raises:
        UnresolvedTemplate: a gateway, target or policy is none of the department's, or not of the kind that is known
            here, or a gateway calls the runtimes of no persona, or of several.
    """
    persona_of = {runtime.arn: runtime.persona for runtime in runtimes}
    found: dict[str, DeployedGateway] = {}
    for resource in assembly.of_type("AWS::BedrockAgentCore::Gateway"):
        gateway = _gateway(resource, assembly)
        personas = {persona_of.get(target.runtime_arn, "nobody") for target in gateway.targets}
        if len(personas) != 1 or "nobody" in personas:
            raise resource.problem(f"calls runtimes of {sorted(personas)}")
        found[personas.pop()] = gateway
    _refuse_strays(found.values(), assembly)
    _refuse_stray_policies({gateway.arn for gateway in found.values()}, persona_of, assembly)
    return dict(sorted(found.items()))


def _refuse_strays(found: Collection[DeployedGateway], assembly: Assembly) -> None:
    """What stands at a gateway or an engine that no template makes would be judged by nobody."""
    gateways = {name for gateway in found for name in (gateway.resource.ref, gateway.arn)}
    for kind, key, known in (
        (TARGET, "GatewayIdentifier", gateways),
        (_POLICY, "PolicyEngineId", {_engine_id(gateway.engine_arn) for gateway in found}),
    ):
        for properties in map(Properties, assembly.of_type(kind)):
            if properties.text(key) not in known:
                raise properties.problem(key, f"is {properties.text(key)!r}, which is none of the department's")


def _refuse_stray_policies(gateways: Iterable[str], runtimes: Iterable[str], assembly: Assembly) -> None:
    """Neither a policy on what no template makes, nor one under another name for what is judged by its own."""
    known = {*gateways, *runtimes, *(f"{runtime}/runtime-endpoint/DEFAULT" for runtime in runtimes)}
    for resource, protected, _ in resource_policies(assembly, AGENTCORE):
        if protected not in known:
            raise resource.problem(f"property ResourceArn is {protected!r}, which is none of the department's")


def _gateway(resource: Resource, assembly: Assembly) -> DeployedGateway:
    properties = Properties(resource)
    interceptors = _interceptors(properties)
    engine_arn = properties.text("PolicyEngineConfiguration.Arn")
    seconds = f"{_MCP}.SessionConfiguration.SessionTimeoutInSeconds"
    return DeployedGateway(
        resource=resource,
        arn=resource.arn,
        name=properties.text("Name"),
        url=str(resource.attribute("GatewayUrl")),
        role_arn=properties.text("RoleArn"),
        authorizer=_authorizer(properties),
        versions=tuple(sorted(properties.texts(f"{_MCP}.SupportedVersions"))),
        instructions=properties.text(f"{_MCP}.Instructions", ""),
        session_seconds=None if properties.at(seconds, None) is None else properties.number(seconds),
        request=interceptors.get("REQUEST"),
        response=interceptors.get("RESPONSE"),
        engine_arn=engine_arn,
        enforce=properties.one_of("PolicyEngineConfiguration.Mode", ("ENFORCE", "LOG_ONLY")) == "ENFORCE",
        engine=tuple(_policies(engine_arn, assembly)),
        targets=targets_of(resource, assembly),
    )


def _authorizer(properties: Properties) -> JwtAuthorizer:
    return JwtAuthorizer(
        discovery_url=properties.text(f"{_JWT}.DiscoveryUrl", ""),
        clients=frozenset(properties.texts(f"{_JWT}.AllowedClients", ())),
        audiences=frozenset(properties.texts(f"{_JWT}.AllowedAudience", ())),
        scopes=frozenset(properties.texts(f"{_JWT}.AllowedScopes", ())),
        claims=tuple(_claim_rule(each) for each in properties.entries(f"{_JWT}.CustomClaims", ())),
    )


def _claim_rule(claim: Properties) -> ClaimRule:
    match = "AuthorizingClaimMatchValue"
    single = claim.at(f"{match}.ClaimMatchValue.MatchValueString", None)
    return ClaimRule(
        name=claim.text("InboundTokenClaimName"),
        kind=claim.one_of("InboundTokenClaimValueType", ("STRING", "STRING_ARRAY")),
        operator=claim.one_of(f"{match}.ClaimMatchOperator", ("EQUALS", "CONTAINS", "CONTAINS_ANY")),
        values=claim.texts(f"{match}.ClaimMatchValue.MatchValueStringList") if single is None else (str(single),),
    )


def _interceptors(properties: Properties) -> dict[str, Interceptor]:
    found: dict[str, Interceptor] = {}
    for entry in properties.entries("InterceptorConfigurations", ()):
        interceptor = Interceptor(
            entry.text("Interceptor.Lambda.Arn"), entry.flag("InputConfiguration.PassRequestHeaders", False)
        )
        for point in entry.texts("InterceptionPoints"):
            if point not in ("REQUEST", "RESPONSE") or point in found:
                raise entry.problem("InterceptionPoints", f"names the point {point} twice, or is unknown")
            found[point] = interceptor
    return found


def _engine_id(arn: str) -> str:
    return arn.rpartition("/")[2]


def _policies(engine_arn: str, assembly: Assembly) -> Iterator[CedarPolicy]:
    for resource in assembly.of_type(_POLICY):
        properties = Properties(resource)
        if properties.text("PolicyEngineId") != _engine_id(engine_arn):
            continue
        # `Policy` takes Dogwood, a superset of Cedar that cedarpy does not know; plain Cedar in it reads the same.
        kind = "Cedar" if properties.at("Definition.Cedar", None) else "Policy"
        if properties.one_of("EnforcementMode", ("ACTIVE", "LOG_ONLY"), "ACTIVE") == "ACTIVE":
            statement = properties.text(f"Definition.{kind}.Statement")
            yield CedarPolicy(resource.logical_id, properties.text("Name"), statement)
