"""Proof 14: whose tokens a gateway takes, from where, and how people get one; and every way it could be another's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ringfence.deployed.problems import UnresolvedTemplate
from ringfence.iam.problems import UndecidablePolicy
from ringfence.proofs.each import entry
from ringfence.proofs.evidence import Evidence

Resources = dict[str, Any]
Change = Callable[[Resources], None]
Planted = Callable[..., Evidence]

OTHER_POOL = "https://cognito-idp.eu-west-2.amazonaws.com/eu-west-2_AAAAAAAAA"
RULE = ("Rules", 1)
GEO = (*RULE, "Statement", "AndStatement", "Statements", 1, "GeoMatchStatement")
JWT = ("AuthorizerConfiguration", "CustomJWTAuthorizer")
TAKEOVER = ("AccountTakeoverRiskConfiguration", "Actions", "HighAction")
FOREIGN = "arn:aws:lambda:eu-west-2:999999999999:function:planted"
IDENTIFIER = "arn:aws:dataprotection::aws:data-identifier/"
PROTOCOL = ("ProtocolConfiguration", "Mcp")
VARIABLES = ("Environment", "Variables")


def messages(evidence: Evidence) -> str:
    return "\n".join(str(finding) for finding in entry.prove(evidence).findings)


def put(logical_id: str, *path: Any) -> Change:
    """Sets a member, however deep: `put("Name", "Member", 0, "Deeper", value)`."""

    def change(resources: Resources) -> None:
        place, (*way, last, value) = resources[logical_id]["Properties"], path
        for step in way:
            place = place[step]
        place[last] = value

    return change


def without(logical_id: str, name: str) -> Change:
    return lambda resources: resources[logical_id]["Properties"].pop(name)


def gone(logical_id: str) -> Change:
    return lambda resources: resources.pop(logical_id)


def copied(logical_id: str) -> Change:
    return lambda resources: resources.update({"Planted": resources[logical_id]})


def one_more(logical_id: str, *path: Any, value: Any) -> Change:
    def change(resources: Resources) -> None:
        place = resources[logical_id]["Properties"]
        for step in path:
            place = place[step]
        place.append(value)

    return change


def swapped(resources: Resources) -> None:
    rules = resources["AuditorDoor"]["Properties"]["Rules"]
    rules[0]["Priority"], rules[1]["Priority"] = rules[1]["Priority"], rules[0]["Priority"]


def masked(resources: Resources, logical_id: str) -> list[str]:
    """The identifiers of what a log group's policy masks."""
    identifiers: list[str] = resources[logical_id]["Properties"]["DataProtectionPolicy"]["Statement"][1][
        "DataIdentifier"
    ]
    return identifiers


def let_in(country: str) -> Change:
    """A rule of its own, before the others, for a country."""
    match = {"GeoMatchStatement": {"CountryCodes": [country]}}
    rule = {"Name": "Planted", "Priority": -1, "Statement": match, "Action": {"Allow": {}}}
    return one_more("AuditorDoor", "Rules", value=rule)


FAULTS: list[tuple[str, str, Change, str]] = [
    ("another pool", "auditor", put("AuditorGateway", *JWT, "DiscoveryUrl", OTHER_POOL), "DiscoveryUrl is"),
    ("any client", "auditor", without("AuditorGateway", "AuthorizerConfiguration"), "AllowedClients is []"),
    ("one client more", "auditor", one_more("AuditorGateway", *JWT, "AllowedClients", value="anybody"), "anybody"),
    ("no scope", "auditor", put("AuditorGateway", *JWT, "AllowedScopes", []), "AllowedScopes is []"),
    ("another persona", "auditor", put("AuditorGateway", *JWT, "AllowedScopes", ["ringfence/operator"]), "operator"),
    ("any group", "auditor", put("AuditorGateway", *JWT, "CustomClaims", []), "CustomClaims is"),
    ("an audience", "auditor", put("AuditorGateway", *JWT, "AllowedAudience", ["x"]), "AllowedAudience is ['x']"),
    ("no token", "auditor", put("AuditorGateway", "AuthorizerType", "NONE"), "AuthorizerType is 'NONE'"),
    ("errors told", "auditor", put("AuditorGateway", "ExceptionLevel", "DEBUG"), "the inside of an error"),
    ("search", "auditor", put("AuditorGateway", *PROTOCOL, "SearchType", "SEMANTIC"), "a search of its own"),
    (
        "streaming",
        "auditor",
        put("AuditorGateway", *PROTOCOL, "StreamingConfiguration", "EnableResponseStreaming", True),
        "may stream its answers",
    ),
    (
        "a client of the interceptor",
        "auditor",
        put("AuditorInterceptorRequestFunction", *VARIABLES, "CLIENT_IDS", "x"),
        "request interceptor of auditor: CLIENT_IDS is ['x']",
    ),
    (
        "another issuer",
        "auditor",
        put("AuditorInterceptorRequestFunction", *VARIABLES, "ISSUER", OTHER_POOL),
        "request interceptor of auditor: ISSUER is",
    ),
    (
        "the user's token at the runtime",
        "auditor",
        one_more("AuditorIamRuntime", "RequestHeaderConfiguration", "RequestHeaderAllowlist", value="Authorization"),
        "runtime AuditorIamRuntime: RequestHeaderConfiguration",
    ),
    ("another country", "auditor", put("AuditorDoor", *GEO, "CountryCodes", ["GB", "RU"]), "203.0.113.0/24 in RU"),
    ("a rare country", "auditor", put("AuditorDoor", *GEO, "CountryCodes", ["GB", "TV"]), "203.0.113.0/24 in TV"),
    ("a rule before", "auditor", let_in("FR"), "admits 203.0.113.0/24 in FR"),
    ("everybody", "auditor", put("AuditorDoor", "DefaultAction", {"Allow": {}}), "lets through what no rule names"),
    ("one network more", "auditor", one_more("AuditorDoorNetworksV4", "Addresses", value="192.0.2.8/32"), "192.0.2.8"),
    ("a wider network", "auditor", put("AuditorDoorNetworksV4", "Addresses", ["203.0.112.0/23"]), "203.0.112.255"),
    ("no network", "auditor", put("AuditorDoorNetworksV4", "Addresses", []), "refuses 203.0.113.0/24"),
    ("no firewall", "auditor", gone("AuditorDoorAssociation"), "is not one that the templates make"),
    (
        "another firewall",
        "auditor",
        put("AuditorDoorAssociation", "WebACLArn", "arn:aws:wafv2:eu-west-2:111122223333:regional/webacl/x/y"),
        "is not one that the templates make",
    ),
    (
        "a higher rate",
        "auditor",
        put("AuditorDoor", "Rules", 0, "Statement", "RateBasedStatement", "Limit", 20_000),
        "after 300 requests a minute",
    ),
    (
        "a rate that is counted",
        "auditor",
        put("AuditorDoor", "Rules", 0, "Action", {"Count": {}}),
        "after 300 requests",
    ),
    ("a rate too late", "auditor", swapped, "does not block an address first of all"),
    (
        "signing up",
        "identity",
        put("UserPool", "AdminCreateUserConfig", "AllowAdminCreateUserOnly", False),
        "user pool UserPool: AdminCreateUserConfig is",
    ),
    ("one factor", "identity", put("UserPool", "MfaConfiguration", "OPTIONAL"), "MfaConfiguration is 'OPTIONAL'"),
    (
        "audited threats",
        "identity",
        put("UserPool", "UserPoolAddOns", "AdvancedSecurityMode", "AUDIT"),
        "does not act on what its threat protection finds",
    ),
    (
        "an older trigger",
        "identity",
        put("UserPool", "LambdaConfig", "PreTokenGenerationConfig", "LambdaVersion", "V1_0"),
        "PreTokenGenerationConfig is 'V1_0'",
    ),
    (
        "a long token",
        "identity",
        put("HostClaudeCode", "AccessTokenValidity", 1440),
        "AccessTokenValidity is 1440",
    ),
    (
        "hours for minutes",
        "identity",
        put("HostClaudeCode", "TokenValidityUnits", "AccessToken", "hours"),
        "TokenValidityUnits is",
    ),
    (
        "a month of sign-in",
        "identity",
        put("HostWebAssistant", "RefreshTokenValidity", 720),
        "RefreshTokenValidity is 720",
    ),
    (
        "refresh tokens kept",
        "identity",
        put("HostClaudeCode", "RefreshTokenRotation", "Feature", "DISABLED"),
        "keeps a refresh token that was used",
    ),
    (
        "tokens by address",
        "identity",
        put("HostClaudeCode", "AllowedOAuthFlows", ["implicit"]),
        "AllowedOAuthFlows",
    ),
    (
        "people as administrators",
        "identity",
        one_more("HostClaudeCode", "AllowedOAuthScopes", value="aws.cognito.signin.user.admin"),
        "AllowedOAuthScopes is",
    ),
    ("another return", "identity", one_more("HostClaudeCode", "CallbackURLs", value="https://x.test/"), "x.test"),
    (
        "a password",
        "identity",
        put("HostClaudeCode", "ExplicitAuthFlows", ["ALLOW_USER_PASSWORD_AUTH"]),
        "PASSWORD",
    ),
    (
        "sign-in past the provider",
        "identity",
        put("HostClaudeCode", "SupportedIdentityProviders", ["COGNITO"]),
        "SupportedIdentityProviders is ['COGNITO']",
    ),
    ("a host that nobody named", "identity", put("HostWebAssistant", "ClientName", "x"), "has the clients"),
    (
        "a claim of one's own",
        "identity",
        put("IdentityProvider", "AttributeMapping", "custom:groups", "nick"),
        "mapping is",
    ),
    (
        "another provider",
        "identity",
        put("IdentityProvider", "ProviderDetails", "oidc_issuer", "https://x.test"),
        "issuer is 'https://x.test'",
    ),
    (
        "an audience of another name",
        "auditor",
        put("AuditorAudience", "Identifier", "https://x.test/mcp"),
        "https://x.test",
    ),
    ("an audience with a scope", "auditor", put("AuditorAudience", "Scopes", [{"ScopeName": "all"}]), "['all']"),
    (
        "tokens of another function",
        "identity",
        put("UserPool", "LambdaConfig", "PreTokenGenerationConfig", "LambdaArn", FOREIGN),
        f"has its tokens made by {FOREIGN}",
    ),
    ("no threat response", "identity", gone("UserPoolThreatResponse"), "threat response is []"),
    ("two threat responses", "identity", copied("UserPoolThreatResponse"), "threat response is [{"),
    ("one host's threats", "identity", put("UserPoolThreatResponse", "ClientId", "x"), "'ClientId': 'x'"),
    ("a takeover", "identity", put("UserPoolThreatResponse", *TAKEOVER, "EventAction", "NO_ACTION"), "NO_ACTION"),
    ("a risk that nobody weighs", "identity", without("UserPoolThreatResponse", TAKEOVER[0]), "'takeover': {}"),
    (
        "passwords of others",
        "identity",
        put("UserPoolThreatResponse", "CompromisedCredentialsRiskConfiguration", "Actions", "EventAction", "NO_ACTION"),
        "'compromised': 'NO_ACTION'",
    ),
    ("no record of sign-ins", "identity", gone("UserPoolSignInLog"), "sign-in record is []"),
    (
        "errors alone",
        "identity",
        put("UserPoolSignInLog", "LogConfigurations", 0, "LogLevel", "ERROR"),
        "sign-in record is [('userAuthEvents', 'ERROR')]",
    ),
    (
        "other events",
        "identity",
        put("UserPoolSignInLog", "LogConfigurations", 0, "EventSource", "userNotification"),
        "sign-in record is [('userNotification', 'INFO')]",
    ),
    ("no record of requests", "auditor", gone("AuditorDoorLogging"), "left out of its record is []"),
    (
        "tokens in the record",
        "auditor",
        without("AuditorDoorLogging", "RedactedFields"),
        "left out of its record is [None]",
    ),
    ("unmasked", "auditor", without("AuditorCalls", "DataProtectionPolicy"), "AuditorCalls: shows AwsSecretKey, Bank"),
    (
        "found and shown",
        "auditor",
        put(
            "AuditorCalls", "DataProtectionPolicy", "Statement", 1, "Operation", {"Audit": {"FindingsDestination": {}}}
        ),
        "AuditorCalls: shows AwsSecretKey, Bank",
    ),
    (
        "one kind shown",
        "network",
        lambda resources: masked(resources, "FlowLogGroup").remove(f"{IDENTIFIER}NhsNumber-GB"),
        "log group FlowLogGroup: shows NhsNumber-GB",
    ),
    ("a day", "auditor", put("AuditorCalls", "RetentionInDays", 1), "AuditorCalls: RetentionInDays is 1, not 731"),
    ("a runtime's day", "auditor", put("AuditorIamRuntimeLog", "RetentionInDays", 1), "RetentionInDays is 1, not 731"),
    ("one provider more", "identity", copied("IdentityProvider"), "believes 2 identity providers"),
    ("one pool more", "identity", copied("UserPool"), "holds 2 user pools, not one"),
]


def test_each_department_takes_its_own_tokens_from_its_own_networks(each: Evidence) -> None:
    outcome = entry.prove(each)

    assert [str(finding) for finding in outcome.findings] == []
    assert outcome.holds


@pytest.mark.parametrize(
    ("stack", "change", "expected"), [each[1:] for each in FAULTS], ids=[each[0] for each in FAULTS]
)
def test_another_way_in_is_found(stack: str, change: Change, expected: str, planted: Planted) -> None:
    found = messages(planted(**{stack: change}))

    assert expected in found


def test_a_further_trigger_is_no_template_that_is_read(planted: Planted) -> None:
    with pytest.raises(UnresolvedTemplate, match=r"LambdaConfig\.PreSignUp is unknown"):
        messages(planted(identity=put("UserPool", "LambdaConfig", "PreSignUp", {"LambdaVersion": "V1_0"})))


def test_a_firewall_rule_that_cannot_be_judged_is_no_proof(planted: Planted) -> None:
    strange = {"NotStatement": {"Statement": {}}}

    with pytest.raises(UndecidablePolicy, match="NotStatement"):
        messages(planted(auditor=put("AuditorDoor", *RULE, "Statement", strange)))
