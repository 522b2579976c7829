"""What the template says about a gateway: authorizer, interceptors, policy engine, targets. Read strictly."""

from __future__ import annotations

from dataclasses import dataclass

from ringfence.deployed.assembly import Assembly, Resource
from ringfence.rehearsal.template.properties import Properties
from ringfence.rehearsal.template.target_spec import Target, read_target

_CLAIM_TYPES = ("STRING", "STRING_ARRAY")
_CLAIM_OPERATORS = ("EQUALS", "CONTAINS", "CONTAINS_ANY")


@dataclass(frozen=True)
class ClaimRule:
    """A claim the token must carry: the value equals, contains, or contains any of `values`."""

    name: str
    kind: str
    operator: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class JwtAuthorizer:
    """The CUSTOM_JWT authorizer."""

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
    """A policy of the gateway's engine; LOG_ONLY policies do not decide."""

    name: str
    statement: str


@dataclass(frozen=True)
class GatewaySpec:
    """One gateway.

    Attributes:
        stack: the name of its stack.
        versions: MCP versions it supports, oldest first.
        session_seconds: how long an MCP session lives, or None where sessions are off.
        enforce: whether the policy engine decides (ENFORCE) or only watches (LOG_ONLY).
    """

    stack: str
    logical_id: str
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
    policies: tuple[CedarPolicy, ...]
    targets: tuple[Target, ...]

    @property
    def persona(self) -> str:
        """The persona this gateway serves: the last word of its name."""
        return self.name.rpartition("-")[2]

    @property
    def scope(self) -> str:
        """The scope that opens it."""
        return min(self.authorizer.scopes)


def read_gateways(assembly: Assembly) -> tuple[GatewaySpec, ...]:
    """Every gateway of the assembly.

    Raises:
        NotEmulated: a property, or a value, that the rehearsal cannot honour.
    """
    return tuple(_gateway(resource, assembly) for resource in assembly.of_type("AWS::BedrockAgentCore::Gateway"))


def _gateway(resource: Resource, assembly: Assembly) -> GatewaySpec:
    properties = Properties(resource)
    properties.one_of("AuthorizerType", ["CUSTOM_JWT"])
    properties.one_of("ProtocolType", ["MCP"])
    protocol = properties.block("ProtocolConfiguration")
    mcp = protocol.block("Mcp")
    protocol.done()
    versions, instructions = mcp.texts("SupportedVersions"), mcp.text("Instructions", "")
    session_seconds = _session_seconds(mcp)
    if "StreamingConfiguration" in mcp:
        streaming = mcp.block("StreamingConfiguration")
        if streaming.flag("EnableResponseStreaming", False):
            raise streaming.refuse("EnableResponseStreaming", "is true; the rehearsal answers with JSON only")
        streaming.done()
    mcp.done()
    request, response = _interceptors(properties)
    engine = properties.block("PolicyEngineConfiguration")
    engine_arn, mode = engine.text("Arn"), engine.one_of("Mode", ["ENFORCE", "LOG_ONLY"])
    engine.done()
    spec = GatewaySpec(
        stack=resource.stack,
        logical_id=resource.logical_id,
        arn=resource.arn,
        name=properties.text("Name"),
        url=str(resource.attribute("GatewayUrl")),
        role_arn=properties.text("RoleArn"),
        authorizer=_authorizer(properties.block("AuthorizerConfiguration")),
        versions=tuple(sorted(versions)),
        instructions=instructions,
        session_seconds=session_seconds,
        request=request,
        response=response,
        engine_arn=engine_arn,
        enforce=mode == "ENFORCE",
        policies=_policies(engine_arn, assembly),
        targets=tuple(
            read_target(item)
            for item in assembly.of_type("AWS::BedrockAgentCore::GatewayTarget")
            if item.properties.get("GatewayIdentifier") in (resource.ref, resource.arn)
        ),
    )
    # WAF stands in the report as not emulated; ExceptionLevel only makes the service's own messages longer.
    properties.without_effect("Description", "Tags", "KmsKeyArn", "WafConfiguration", "ExceptionLevel")
    properties.done()
    return spec


def _session_seconds(mcp: Properties) -> int | None:
    if "SessionConfiguration" not in mcp:
        return None
    session = mcp.block("SessionConfiguration")
    seconds = session.number("SessionTimeoutInSeconds")
    session.done()
    return seconds


def _authorizer(configuration: Properties) -> JwtAuthorizer:
    block = configuration.block("CustomJWTAuthorizer")
    configuration.done()
    authorizer = JwtAuthorizer(
        discovery_url=block.text("DiscoveryUrl"),
        clients=frozenset(block.texts("AllowedClients", ())),
        audiences=frozenset(block.texts("AllowedAudience", ())),
        scopes=frozenset(block.texts("AllowedScopes", ())),
        claims=tuple(_claim_rule(item) for item in block.blocks("CustomClaims", [])),
    )
    block.without_effect("AdvertisedScopeMapping")  # metadata for clients
    block.done()
    return authorizer


def _claim_rule(block: Properties) -> ClaimRule:
    name, kind = block.text("InboundTokenClaimName"), block.one_of("InboundTokenClaimValueType", _CLAIM_TYPES)
    match = block.block("AuthorizingClaimMatchValue")
    block.done()
    operator = match.one_of("ClaimMatchOperator", _CLAIM_OPERATORS)
    value = match.block("ClaimMatchValue")
    match.done()
    single = "MatchValueString" in value
    values = (value.text("MatchValueString"),) if single else value.texts("MatchValueStringList")
    value.done()
    return ClaimRule(name, kind, operator, values)


def _interceptors(properties: Properties) -> tuple[Interceptor | None, Interceptor | None]:
    found: dict[str, Interceptor] = {}
    for block in properties.blocks("InterceptorConfigurations", []):
        points = block.texts("InterceptionPoints")
        interceptor = block.block("Interceptor")
        function = interceptor.block("Lambda")
        arn = function.text("Arn")
        function.done()
        interceptor.done()
        pass_headers = False
        if "InputConfiguration" in block:
            configuration = block.block("InputConfiguration")
            pass_headers = configuration.flag("PassRequestHeaders", False)
            configuration.done()
        block.done()
        for point in points:
            if point not in ("REQUEST", "RESPONSE") or point in found:
                raise properties.refuse("InterceptorConfigurations", f"names the point {point} twice, or is unknown")
            found[point] = Interceptor(arn, pass_headers)
    return found.get("REQUEST"), found.get("RESPONSE")


def _policies(engine_arn: str, assembly: Assembly) -> tuple[CedarPolicy, ...]:
    engine_id = engine_arn.rpartition("/")[2]
    policies = []
    for resource in assembly.of_type("AWS::BedrockAgentCore::Policy"):
        properties = Properties(resource)
        if properties.text("PolicyEngineId") != engine_id:
            continue
        definition = properties.block("Definition")
        # `Policy` takes Dogwood, a superset of Cedar that cedarpy does not know; plain Cedar in it reads the same.
        cedar = definition.block("Cedar") if "Cedar" in definition else definition.block("Policy")
        statement = cedar.text("Statement")
        cedar.done()
        definition.done()
        name = properties.text("Name")
        mode = properties.one_of("EnforcementMode", ["ACTIVE", "LOG_ONLY"], "ACTIVE")
        properties.one_of("ValidationMode", ["FAIL_ON_ANY_FINDINGS"], "FAIL_ON_ANY_FINDINGS")
        properties.without_effect("Description")
        properties.done()
        if mode == "ACTIVE":
            policies.append(CedarPolicy(name, statement))
    return tuple(policies)
