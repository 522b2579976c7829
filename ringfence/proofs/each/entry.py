"""Proof 14, entry: a call needs a token that the department's pool gave one of its hosts, for one persona and a quarter
of an hour, and comes from the department's networks in the United Kingdom. What watches sign-ins acts,
and what is written down of sign-ins and requests holds no token, is masked and is kept.

What is expected is read from the department's file, and from the decisions on gateways, tokens and sign-in. Where a
member would open something by being there, everything beside the expected is a surprise.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from ringfence.deployed.assembly import Assembly, Resource
from ringfence.deployed.gateways import DeployedGateway
from ringfence.iam.problems import UndecidablePolicy
from ringfence.proofs.each.callers import request_interceptor, strange_addresses
from ringfence.proofs.evidence import Evidence
from ringfence.proofs.findings import Finding, Outcome

ACCESS_MINUTES: Final = 15
REFRESH_HOURS: Final = 8
COUNTRY: Final = "GB"
RATE_PER_MINUTE: Final = 300
"""Requests of one address, where the department's file says nothing else."""
HEADER: Final = "X-Amzn-Bedrock-AgentCore-Runtime-Custom-Txn-Token"
"""All that a runtime is told of a request's headers: never whose token came to the gateway."""

_ELSEWHERE: Final = ("IE", "RU", "US")
_OF_PEOPLE: Final = ["custom:groups", "custom:staff_id"]
_POOL: Final = {
    "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": True},
    "AccountRecoverySetting": {"RecoveryMechanisms": [{"Name": "admin_only", "Priority": 1}]},
    "DeletionProtection": "ACTIVE",
    "EnabledMfas": ["SOFTWARE_TOKEN_MFA"],
    "MfaConfiguration": "ON",
    "UserPoolTier": "PLUS",
}
"""Nobody signs up or recovers an account alone, and nobody without a second factor."""

_TAKEOVER: Final = {"HighAction": "BLOCK", "LowAction": "MFA_REQUIRED", "MediumAction": "MFA_REQUIRED"}
_NOT_RECORDED: Final = [{"SingleHeader": {"Name": "authorization"}}]
"""The header that holds a caller's token."""
_MASKED: Final = frozenset(
    "AwsSecretKey BankAccountNumber-GB CreditCardNumber DriversLicense-GB NationalInsuranceNumber-GB NhsNumber-GB "
    "OpenSshPrivateKey PassportNumber-GB PgpPrivateKey PhoneNumber-GB PkcsPrivateKey PuttyPrivateKey TaxId-GB".split()
)
"""What CloudWatch Logs shows nobody without `logs:Unmask`, by the last part of its identifier."""
_RETENTION_DAYS: Final = 731


def prove(evidence: Evidence) -> Outcome:
    """Compare what admits a caller, from sign-in to the gateway, with the department's file."""
    assembly = evidence.assembly
    pools, clients = assembly.of_type("AWS::Cognito::UserPool"), assembly.of_type("AWS::Cognito::UserPoolClient")
    looked_at = {"pools": len(pools), "hosts": len(clients), "gateways": len(evidence.gateways)}
    if len(pools) != 1:
        return Outcome((Finding(str(assembly.path), f"holds {len(pools)} user pools, not one"),), looked_at)
    (pool,) = pools
    findings = [
        *_pool(evidence, pool),
        *_threats(assembly, pool),
        *_log_groups(assembly),
        *_providers(evidence, pool),
        *_clients(evidence, pool, clients),
    ]
    issuer = f"https://cognito-idp.{assembly.region}.amazonaws.com/{pool.ref}"
    ids = sorted(str(client.ref) for client in clients)
    findings += _resource_servers(evidence, pool)
    for persona, gateway in evidence.gateways.items():
        findings += _gateway(gateway, persona, issuer, ids)
        variables = request_interceptor(evidence, gateway).environment
        told = {"CLIENT_IDS": sorted(variables["CLIENT_IDS"].split(",")), "ISSUER": variables["ISSUER"]}
        findings += _same(f"request interceptor of {persona}", told, {"CLIENT_IDS": ids, "ISSUER": issuer})
        findings += _firewall(evidence, gateway)
    for runtime in evidence.runtimes:
        headers = {"RequestHeaderConfiguration": runtime.resource.properties.get("RequestHeaderConfiguration")}
        wanted = {"RequestHeaderConfiguration": {"RequestHeaderAllowlist": [HEADER]}}
        findings += _same(f"runtime {runtime.resource.logical_id}", headers, wanted)
    return Outcome(tuple(findings), looked_at)


def _resource_servers(evidence: Evidence, pool: Resource) -> Iterator[Finding]:
    """One that has the personas' scopes, and one without any for each gateway, called as hosts name it (RFC 8707)."""
    wanted = {"ringfence": sorted(evidence.expected.personas)}
    wanted |= {gateway.url: [] for gateway in evidence.gateways.values()}
    found = {}
    for server in evidence.assembly.of_type("AWS::Cognito::UserPoolResourceServer"):
        properties = server.properties
        found[properties["Identifier"]] = sorted(each["ScopeName"] for each in properties.get("Scopes", []))
        yield from _same(f"resource server {server.logical_id}", {"pool": properties["UserPoolId"]}, {"pool": pool.ref})
    yield from _same("the pool's resource servers", found, wanted)


def _same(subject: str, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[Finding]:
    for key in sorted({*found, *wanted}):
        if found.get(key) != wanted.get(key):
            yield Finding(subject, f"{key} is {found.get(key)!r}, not {wanted.get(key)!r}")


def _pool(evidence: Evidence, pool: Resource) -> Iterator[Finding]:
    properties, subject = pool.properties, f"user pool {pool.logical_id}"
    yield from _same(subject, {key: properties.get(key) for key in _POOL}, _POOL)
    if properties.get("UserPoolAddOns", {}).get("AdvancedSecurityMode") != "ENFORCED":
        yield Finding(subject, "does not act on what its threat protection finds")
    triggers = {name: each.get("LambdaVersion") for name, each in properties.get("LambdaConfig", {}).items()}
    yield from _same(subject, triggers, {"PreTokenGenerationConfig": "V2_0"})
    for trigger in properties.get("LambdaConfig", {}).values():
        if trigger["LambdaArn"] not in evidence.functions:
            yield Finding(subject, f"has its tokens made by {trigger['LambdaArn']}, which no template makes")


def _threats(assembly: Assembly, pool: Resource) -> Iterator[Finding]:
    """What becomes of a sign-in that may be somebody else's, and where each is written down.

    One attachment, for all clients, is wanted: a further one for a single client would have to be judged beside it.
    """
    found: dict[str, Any] = {
        "threat response": [
            {
                "UserPoolId": each["UserPoolId"],
                "ClientId": each.get("ClientId"),
                "takeover": {name: action["EventAction"] for name, action in _actions(each, "AccountTakeover").items()},
                "compromised": _actions(each, "CompromisedCredentials").get("EventAction"),
            }
            for each in _properties(assembly, "AWS::Cognito::UserPoolRiskConfigurationAttachment")
        ],
        "sign-in record": [
            (events["EventSource"], events["LogLevel"])
            for each in _properties(assembly, "AWS::Cognito::LogDeliveryConfiguration")
            for events in each["LogConfigurations"]
            if each["UserPoolId"] == pool.ref
        ],
    }
    response = {"UserPoolId": pool.ref, "ClientId": "ALL", "takeover": _TAKEOVER, "compromised": "BLOCK"}
    wanted = {"threat response": [response], "sign-in record": [("userAuthEvents", "INFO")]}
    yield from _same(f"user pool {pool.logical_id}", found, wanted)


def _properties(assembly: Assembly, kind: str) -> list[dict[str, Any]]:
    return [each.properties for each in assembly.of_type(kind)]


def _actions(properties: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    actions: Mapping[str, Any] = properties.get(f"{kind}RiskConfiguration", {}).get("Actions", {})
    return actions


def _log_groups(assembly: Assembly) -> Iterator[Finding]:
    """Every group keeps its records, and those that a template makes mask them; a runtime's is masked by its keeper."""
    for group in assembly.of_type("AWS::Logs::LogGroup", "Custom::RuntimeLogGroup"):
        subject = f"log group {group.logical_id}"
        kept = {"RetentionInDays": group.properties.get("RetentionInDays")}
        yield from _same(subject, kept, {"RetentionInDays": _RETENTION_DAYS})
        if group.type == "AWS::Logs::LogGroup":
            shown = _MASKED - _masked(group.properties.get("DataProtectionPolicy", {}))
            if shown:
                yield Finding(subject, f"shows {', '.join(sorted(shown))}")


def _masked(policy: Mapping[str, Any]) -> set[str]:
    masks: dict[str, Any] = {"Deidentify": {"MaskConfig": {}}}
    statements = [each for each in policy.get("Statement", []) if each["Operation"] == masks]
    return {identifier.rpartition("/")[2] for each in statements for identifier in each["DataIdentifier"]}


def _federated(evidence: Evidence) -> bool:
    return bool(evidence.expected.department["identity"]["provider"] != "none")


def _providers(evidence: Evidence, pool: Resource) -> Iterator[Finding]:
    """Whom the pool believes: the department's own provider, or nobody but itself."""
    identity = evidence.expected.department["identity"]
    providers = evidence.assembly.of_type("AWS::Cognito::UserPoolIdentityProvider")
    if len(providers) != int(_federated(evidence)):
        yield Finding(f"user pool {pool.logical_id}", f"believes {len(providers)} identity providers")
    for provider in providers if _federated(evidence) else ():
        properties = provider.properties
        details = properties["ProviderDetails"]
        if identity["provider"] == "oidc":
            mapping = {"custom:groups": identity.get("groups_claim", "groups")}
            mapping["custom:staff_id"] = identity["staff_id_claim"]
            found = {"issuer": details.get("oidc_issuer"), "client_id": details.get("client_id")}
            wanted = {"issuer": identity["issuer"], "client_id": identity["client_id"]}
        else:
            mapping = dict(zip(_OF_PEOPLE, (identity["groups_attribute"], identity["staff_id_attribute"]), strict=True))
            found, wanted = {"metadata": details.get("MetadataURL")}, {"metadata": identity["metadata_url"]}
        found |= {"kind": properties["ProviderType"], "mapping": properties["AttributeMapping"]}
        wanted |= {"kind": identity["provider"].upper(), "mapping": mapping}
        yield from _same(f"identity provider {provider.logical_id}", found, wanted)


def _clients(evidence: Evidence, pool: Resource, clients: list[Resource]) -> Iterator[Finding]:
    """The hosts of the department's file, each with no more than code flow, its addresses and short tokens."""
    hosts = evidence.expected.callbacks
    names = sorted(str(client.properties["ClientName"]) for client in clients)
    if names != sorted(hosts):
        yield Finding(f"user pool {pool.logical_id}", f"has the clients {names}, not {sorted(hosts)}")
    providers = [str(each.ref) for each in evidence.assembly.of_type("AWS::Cognito::UserPoolIdentityProvider")]
    federated = _federated(evidence)
    for client in clients:
        wanted = {
            "UserPoolId": pool.ref,
            "GenerateSecret": False,
            "AllowedOAuthFlowsUserPoolClient": True,
            "AllowedOAuthFlows": ["code"],
            "AllowedOAuthScopes": ["openid", *(f"ringfence/{each}" for each in evidence.expected.personas)],
            "CallbackURLs": [_with_path(url) for url in hosts.get(client.properties["ClientName"], [])],
            "SupportedIdentityProviders": providers or ["COGNITO"],
            # A flow that needs a function which the pool does not have, or one that never sends the password.
            "ExplicitAuthFlows": ["ALLOW_CUSTOM_AUTH" if federated else "ALLOW_USER_SRP_AUTH"],
            "ReadAttributes": _OF_PEOPLE,
            # A provider can fill only what the client may write; without one, people could hand themselves a group.
            "WriteAttributes": _OF_PEOPLE if federated else ["name"],
            "AccessTokenValidity": ACCESS_MINUTES,
            "IdTokenValidity": ACCESS_MINUTES,
            "RefreshTokenValidity": REFRESH_HOURS,
            "TokenValidityUnits": {"AccessToken": "minutes", "IdToken": "minutes", "RefreshToken": "hours"},
            "EnableTokenRevocation": True,
            "PreventUserExistenceErrors": "ENABLED",
        }
        left_aside = ("AuthSessionValidity", "ClientName", "RefreshTokenRotation")
        found = {key: value for key, value in client.properties.items() if key not in left_aside}
        yield from _same(f"host {client.properties['ClientName']}", found, wanted)
        if client.properties.get("RefreshTokenRotation", {}).get("Feature") != "ENABLED":
            yield Finding(f"host {client.properties['ClientName']}", "keeps a refresh token that was used")


def _with_path(url: str) -> str:
    return f"{url}/" if not urlsplit(url).path else url


def _gateway(gateway: DeployedGateway, persona: str, issuer: str, clients: list[str]) -> Iterator[Finding]:
    properties, subject = gateway.resource.properties, f"gateway {gateway.name}"
    configured = properties.get("AuthorizerConfiguration", {})
    authorizer = dict(configured.get("CustomJWTAuthorizer", {}))
    found = {"AuthorizerType": properties["AuthorizerType"], "ProtocolType": properties["ProtocolType"]}
    yield from _same(subject, found, {"AuthorizerType": "CUSTOM_JWT", "ProtocolType": "MCP"})
    authorizer["AllowedClients"] = sorted(authorizer.get("AllowedClients", []))
    holds = {"ClaimMatchOperator": "CONTAINS", "ClaimMatchValue": {"MatchValueString": persona}}
    claim = {"InboundTokenClaimName": "cognito:groups", "InboundTokenClaimValueType": "STRING_ARRAY"}
    wanted = {
        "DiscoveryUrl": f"{issuer}/.well-known/openid-configuration",
        "AllowedClients": clients,
        "AllowedScopes": [f"ringfence/{persona}"],
        "CustomClaims": [{**claim, "AuthorizingClaimMatchValue": holds}],
    }
    yield from _same(subject, authorizer, wanted)
    if set(configured) != {"CustomJWTAuthorizer"}:
        yield Finding(subject, f"admits callers by {sorted(configured) or 'no authorizer'}")
    if "ExceptionLevel" in properties:
        yield Finding(subject, "shows callers the inside of an error (ExceptionLevel)")
    protocol = properties.get("ProtocolConfiguration", {}).get("Mcp", {})
    # Notifications in a stream pass the response interceptor by; a search adds a tool that no policy names.
    if protocol.get("StreamingConfiguration") != {"EnableResponseStreaming": False}:
        yield Finding(subject, "may stream its answers, past the response interceptor")
    if "SearchType" in protocol:
        yield Finding(subject, "offers a search of its own, past the catalogue (SearchType)")


def _firewall(evidence: Evidence, gateway: DeployedGateway) -> Iterator[Finding]:
    """Which requests the firewall before a gateway lets through: of the department's networks, and of all others."""
    assembly, subject = evidence.assembly, f"firewall of gateway {gateway.name}"
    lists = {str(acl.attribute("Arn")): acl for acl in assembly.of_type("AWS::WAFv2::WebACL")}
    before = [
        str(each.properties["WebACLArn"])
        for each in assembly.of_type("AWS::WAFv2::WebACLAssociation")
        if each.properties["ResourceArn"] == gateway.arn
    ]
    if len(before) != 1 or before[0] not in lists:
        yield Finding(subject, "is not one that the templates make")
        return
    acl = lists[before[0]].properties
    logs = _properties(assembly, "AWS::WAFv2::LoggingConfiguration")
    recorded = [each.get("RedactedFields") for each in logs if each["ResourceArn"] == before[0]]
    yield from _same(subject, {"left out of its record": recorded}, {"left out of its record": [_NOT_RECORDED]})
    if set(acl["DefaultAction"]) != {"Block"}:
        yield Finding(subject, "lets through what no rule names")
    sets = {
        str(each.attribute("Arn")): [ipaddress.ip_network(address) for address in each.properties["Addresses"]]
        for each in assembly.of_type("AWS::WAFv2::IPSet")
    }
    ingress = evidence.expected.department["ingress"]
    networks = [ipaddress.ip_network(each) for each in ingress["allowed_networks"]]
    for network in networks:
        if not _admits(acl, network[0], COUNTRY, sets):
            yield Finding(subject, f"refuses {network}, which the department names")
        for country in sorted({*_countries(acl["Rules"]), *_ELSEWHERE} - {COUNTRY}):
            if _admits(acl, network[0], country, sets):
                yield Finding(subject, f"admits {network} in {country}")
    for address in map(ipaddress.ip_address, strange_addresses(networks, _all(sets))):
        if _admits(acl, address, COUNTRY, sets):
            yield Finding(subject, f"admits {address}, which is of no network of the department")
    yield from _rate(subject, acl["Rules"], ingress.get("rate_per_minute", RATE_PER_MINUTE))


def _all(sets: Mapping[str, list[Any]]) -> list[Any]:
    return [network for networks in sets.values() for network in networks]


def _admits(acl: Mapping[str, Any], address: Any, country: str, sets: Mapping[str, list[Any]]) -> bool:
    """Whether the first rule that speaks of a request lets it through, at a rate below any limit."""
    for rule in sorted(acl["Rules"], key=lambda each: int(each["Priority"])):
        if _speaks(rule["Statement"], address, country, sets) and "Count" not in rule["Action"]:
            return "Allow" in rule["Action"]
    return "Allow" in acl["DefaultAction"]


def _speaks(statement: Mapping[str, Any], address: Any, country: str, sets: Mapping[str, list[Any]]) -> bool:
    ((kind, content),) = statement.items()
    if kind == "AndStatement":
        return all(_speaks(each, address, country, sets) for each in content["Statements"])
    if kind == "RateBasedStatement":
        return False
    if kind == "IPSetReferenceStatement" and set(content) == {"Arn"}:
        return any(address in network for network in sets[str(content["Arn"])])
    if kind == "GeoMatchStatement" and set(content) == {"CountryCodes"}:
        return country in content["CountryCodes"]
    raise UndecidablePolicy(f"the firewall's {kind} with {sorted(content)} is unknown")


def _countries(value: Any) -> Iterator[str]:
    """Every country that a rule names, however deep."""
    if isinstance(value, Mapping):
        yield from value.get("CountryCodes", [])
        value = list(value.values())
    for each in value if isinstance(value, list) else ():
        yield from _countries(each)


def _rate(subject: str, rules: list[Mapping[str, Any]], most: int) -> Iterator[Finding]:
    limit = {"AggregateKeyType": "IP", "EvaluationWindowSec": 60, "Limit": most}
    first: Mapping[str, Any] = min(
        rules, key=lambda each: int(each["Priority"]), default={"Statement": {}, "Action": {}}
    )
    if first["Statement"] != {"RateBasedStatement": limit} or set(first["Action"]) != {"Block"}:
        yield Finding(subject, f"does not block an address first of all after {most} requests a minute")
