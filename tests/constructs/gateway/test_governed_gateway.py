"""The policy enforcement point."""

from __future__ import annotations

from typing import Any

import pytest

from constructs.gateway.gateway_role import InterceptorPair
from constructs.gateway.governed_gateway import GovernedGateway, SignIn

FUNCTION = "arn:aws:lambda:eu-west-2:111122223333:function"
PAIR = InterceptorPair(request_arn=f"{FUNCTION}:request", response_arn=f"{FUNCTION}:response")
DISCOVERY = "https://cognito-idp.eu-west-2.amazonaws.com/eu-west-2_EXAMPLE12/.well-known/openid-configuration"
NAME = "ringfence-example-production-auditor"


@pytest.fixture
def gateway(bench: Any) -> GovernedGateway:
    return GovernedGateway(
        bench.stack,
        "AuditorGateway",
        name=NAME,
        purpose="The auditor's tools.",
        sign_in=SignIn(
            discovery_url=DISCOVERY, client_ids=["desktop", "web"], scope="ringfence/auditor", group="auditor"
        ),
        interceptors=PAIR,
        data_key=bench.data_key,
        boundary=bench.boundary,
    )


@pytest.fixture
def properties(bench: Any, gateway: GovernedGateway) -> dict[str, Any]:
    return bench.properties("AuditorGateway")


@pytest.fixture
def statements(bench: Any, gateway: GovernedGateway) -> dict[str, Any]:
    found = bench.properties("AuditorGatewayServicePolicy")["PolicyDocument"]["Statement"]
    return {statement["Sid"]: statement for statement in found}


def test_cedar_decides_in_enforce_mode(properties: dict[str, Any]) -> None:
    assert properties["PolicyEngineConfiguration"] == {
        "Arn": {"Fn::GetAtt": ["AuditorGatewayPolicyEngine", "PolicyEngineArn"]},
        "Mode": "ENFORCE",
    }


def test_a_token_must_come_from_our_pool_our_host_with_the_scope_and_the_group(properties: dict[str, Any]) -> None:
    assert properties["AuthorizerType"] == "CUSTOM_JWT"
    assert properties["AuthorizerConfiguration"]["CustomJWTAuthorizer"] == {
        "DiscoveryUrl": DISCOVERY,
        "AllowedClients": ["desktop", "web"],
        "AllowedScopes": ["ringfence/auditor"],
        "CustomClaims": [
            {
                "InboundTokenClaimName": "cognito:groups",
                "InboundTokenClaimValueType": "STRING_ARRAY",
                "AuthorizingClaimMatchValue": {
                    "ClaimMatchOperator": "CONTAINS",
                    "ClaimMatchValue": {"MatchValueString": "auditor"},
                },
            }
        ],
    }


def test_response_streaming_is_off_so_that_nothing_passes_redaction_by(properties: dict[str, Any]) -> None:
    mcp = properties["ProtocolConfiguration"]["Mcp"]
    assert mcp["StreamingConfiguration"] == {"EnableResponseStreaming": False}


def test_semantic_search_would_add_a_tool_nobody_granted(properties: dict[str, Any]) -> None:
    assert "SearchType" not in properties["ProtocolConfiguration"]["Mcp"]


def test_sessions_are_bound_to_their_user_and_end(properties: dict[str, Any]) -> None:
    mcp = properties["ProtocolConfiguration"]["Mcp"]
    assert mcp["SessionConfiguration"] == {"SessionTimeoutInSeconds": 3600}
    assert mcp["SupportedVersions"] == ["2025-06-18", "2025-11-25"]


def test_both_interceptors_see_the_headers(properties: dict[str, Any]) -> None:
    found = {
        (tuple(each["InterceptionPoints"]), each["Interceptor"]["Lambda"]["Arn"]): each["InputConfiguration"]
        for each in properties["InterceptorConfigurations"]
    }
    assert found == {
        (("REQUEST",), PAIR.request_arn): {"PassRequestHeaders": True},
        (("RESPONSE",), PAIR.response_arn): {"PassRequestHeaders": True},
    }


def test_nothing_is_said_about_the_firewall_which_creation_would_refuse(properties: dict[str, Any]) -> None:
    assert "WafConfiguration" not in properties


def test_errors_show_callers_nothing_of_the_inside(properties: dict[str, Any]) -> None:
    assert "ExceptionLevel" not in properties


def test_gateway_and_engine_are_encrypted_with_the_departments_key(bench: Any, properties: dict[str, Any]) -> None:
    assert properties["KmsKeyArn"] == bench.data_key.key_arn
    assert bench.properties("AuditorGatewayPolicyEngine")["EncryptionKeyArn"] == bench.data_key.key_arn


def test_the_role_is_ready_before_the_gateway_asks_its_engine(bench: Any, gateway: GovernedGateway) -> None:
    assert bench.resource("AuditorGateway")["DependsOn"] == ["AuditorGatewayServicePolicy"]


def test_agentcore_may_assume_the_role_for_this_gateway_only(bench: Any, gateway: GovernedGateway) -> None:
    trust = bench.properties("AuditorGatewayServiceRole")["AssumeRolePolicyDocument"]["Statement"]
    assert len(trust) == 1
    assert trust[0]["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "111122223333"},
        "ArnLike": {"aws:SourceArn": f"arn:aws:bedrock-agentcore:eu-west-2:111122223333:gateway/{NAME}*"},
    }


def test_the_role_calls_its_two_functions_and_its_own_engine(statements: dict[str, Any]) -> None:
    assert statements["CallOwnInterceptors"]["Resource"] == [PAIR.request_arn, PAIR.response_arn]
    assert statements["AuthorizeWithPolicyEngine"]["Resource"] == [
        {"Fn::GetAtt": ["AuditorGatewayPolicyEngine", "PolicyEngineArn"]},
        f"arn:aws:bedrock-agentcore:eu-west-2:111122223333:gateway/{NAME}-??????????",
    ]


def test_the_key_is_granted_for_reading_and_writing_only(bench: Any, statements: dict[str, Any]) -> None:
    grant = statements["CreateKeyGrants"]
    assert grant["Resource"] == [bench.data_key.key_arn]
    assert grant["Condition"] == {
        "StringEquals": {"kms:GrantConstraintType": "EncryptionContextSubset"},
        "ForAllValues:StringEquals": {"kms:GrantOperations": ["Decrypt", "GenerateDataKey"]},
    }


def test_it_invokes_exactly_the_runtimes_it_is_told(bench: Any, gateway: GovernedGateway) -> None:
    gateway.role.allow_invoking(["arn:one", "arn:two"])
    statement = bench.properties("AuditorGatewayServiceInvokePolicy")["PolicyDocument"]["Statement"]
    assert statement == [
        {
            "Sid": "InvokeOwnRuntimes",
            "Effect": "Allow",
            "Action": ["bedrock-agentcore:InvokeAgentRuntime"],
            "Resource": [
                "arn:one",
                "arn:one/runtime-endpoint/DEFAULT",
                "arn:two",
                "arn:two/runtime-endpoint/DEFAULT",
            ],
        }
    ]
