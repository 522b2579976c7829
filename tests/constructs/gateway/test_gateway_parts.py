"""What hangs on a gateway: target, policies, web ACL and limit."""

from __future__ import annotations

import json
from typing import Any

import pytest

from constructs.gateway.cedar_policies import GATEWAY_ARN, CedarPolicies
from constructs.gateway.gateway_rate_limit import GatewayRateLimit
from constructs.gateway.gateway_role import InterceptorPair
from constructs.gateway.gateway_target import GatewayTarget, make_in_groups
from constructs.gateway.gateway_web_acl import GatewayWebAcl
from constructs.gateway.governed_gateway import GovernedGateway, SignIn
from constructs.runtime.mcp_runtime import McpRuntime, RuntimePlacement
from constructs.runtime.runtime_role import CallLog
from constructs.runtime.txn_token_key import TXN_TOKEN_HEADER
from ringfence.compilers.cedar import CedarPolicy

DEFINITIONS = [{"name": "list_users", "description": "Lists.", "inputSchema": {"type": "object", "properties": {}}}]


@pytest.fixture
def gateway(bench: Any) -> GovernedGateway:
    function = "arn:aws:lambda:eu-west-2:111122223333:function:f"
    return GovernedGateway(
        bench.stack,
        "AuditorGateway",
        name="ringfence-example-production-auditor",
        purpose="The auditor's tools.",
        sign_in=SignIn(
            discovery_url="https://x/.well-known/openid-configuration", client_ids=["c"], scope="s", group="g"
        ),
        interceptors=InterceptorPair(request_arn=function, response_arn=function),
        data_key=bench.data_key,
        boundary=bench.boundary,
    )


@pytest.fixture
def runtime(bench: Any) -> McpRuntime:
    return McpRuntime(
        bench.stack,
        "AuditorIamRuntime",
        name="ringfence_auditor_iam",
        purpose="IAM.",
        code=bench.code,
        call_log=CallLog("/ringfence/example-production/calls/auditor", "iam"),
        role_ref=bench.role_ref,
        token_key_arn="arn:aws:kms:eu-west-2:111122223333:key/token",
        placement=RuntimePlacement(
            subnet_ids=["subnet-1"],
            security_group_id="sg-1",
            log_key=bench.log_key,
            log_group_keeper_arn="arn:aws:lambda:eu-west-2:111122223333:function:keeper",
            boundary=bench.boundary,
        ),
    )


def make_target(bench: Any, name: str, gateway: GovernedGateway, runtime: McpRuntime) -> GatewayTarget:
    return GatewayTarget(
        bench.stack,
        name,
        server="iam",
        purpose="IAM.",
        gateway_id=gateway.gateway_id,
        runtime=runtime,
        definitions=DEFINITIONS,
    )


@pytest.fixture
def target(bench: Any, gateway: GovernedGateway, runtime: McpRuntime) -> GatewayTarget:
    return make_target(bench, "AuditorIamTarget", gateway, runtime)


def test_the_target_lists_the_reviewed_tools_and_never_asks_the_server(bench: Any, target: GatewayTarget) -> None:
    server = bench.properties("AuditorIamTarget")["TargetConfiguration"]["Mcp"]["McpServer"]
    assert json.loads(server["McpToolSchema"]["InlinePayload"]) == {"tools": DEFINITIONS}
    assert "ListingMode" not in server


def test_no_more_than_five_targets_of_a_gateway_are_made_at_once(
    bench: Any, gateway: GovernedGateway, runtime: McpRuntime
) -> None:
    names = [f"Target{number}" for number in range(12)]
    make_in_groups([make_target(bench, name, gateway, runtime) for name in names])
    waits = {name: {each for each in bench.resource(name)["DependsOn"] if each in names} for name in names}
    assert [waits[name] for name in names] == [
        *[set()] * 5,
        *[set(names[:5])] * 5,
        *[set(names[5:10])] * 2,
    ]


def test_the_target_calls_the_runtime_as_the_gateway_role(bench: Any, target: GatewayTarget) -> None:
    properties = bench.properties("AuditorIamTarget")
    assert properties["CredentialProviderConfigurations"] == [
        {
            "CredentialProviderType": "GATEWAY_IAM_ROLE",
            "CredentialProvider": {"IamCredentialProvider": {"Service": "bedrock-agentcore", "Region": "eu-west-2"}},
        }
    ]
    text, names = properties["TargetConfiguration"]["Mcp"]["McpServer"]["Endpoint"]["Fn::Sub"]
    assert text == (
        "https://bedrock-agentcore.eu-west-2.amazonaws.com/runtimes/arn%3Aaws%3Abedrock-agentcore%3Aeu-west-2"
        "%3A111122223333%3Aruntime%2F${RuntimeId}/invocations?qualifier=DEFAULT"
    )
    assert names == {"RuntimeId": {"Fn::GetAtt": ["AuditorIamRuntime", "AgentRuntimeId"]}}


def test_the_target_hands_on_the_txn_token_and_no_other_header(bench: Any, target: GatewayTarget) -> None:
    assert bench.properties("AuditorIamTarget")["MetadataConfiguration"] == {
        "AllowedRequestHeaders": [TXN_TOKEN_HEADER]
    }


def test_nothing_can_invoke_a_runtime_before_its_log_group_stands(bench: Any, target: GatewayTarget) -> None:
    assert "AuditorIamRuntimeLog" in bench.resource("AuditorIamTarget")["DependsOn"]


def test_each_policy_fails_on_any_finding_and_waits_for_the_tools(
    bench: Any, gateway: GovernedGateway, target: GatewayTarget
) -> None:
    text = f'permit(principal, action, resource == AgentCore::Gateway::"{GATEWAY_ARN}");'
    policy = CedarPolicy(name="iam_list_users", tool="iam___list_users", text=text)
    CedarPolicies(bench.stack, "Auditor", gateway=gateway, targets=[target], policies=[policy])
    resource = bench.resource("AuditorIamListUsersPermit")
    assert resource["Properties"]["ValidationMode"] == "FAIL_ON_ANY_FINDINGS"
    assert resource["Properties"]["EnforcementMode"] == "ACTIVE"
    assert resource["DependsOn"] == ["AuditorIamTarget"]
    assert resource["Properties"]["Definition"]["Cedar"]["Statement"] == {
        "Fn::Sub": [
            text,
            {
                "GatewayArn": {"Fn::GetAtt": ["AuditorGateway", "GatewayArn"]},
                "GatewayUrl": {"Fn::GetAtt": ["AuditorGateway", "GatewayUrl"]},
            },
        ]
    }


def test_policies_are_made_one_after_another_since_the_service_fails_at_several_at_once(
    bench: Any, gateway: GovernedGateway, target: GatewayTarget
) -> None:
    named = ("iam___list_users", "iam___list_roles", "cloudtrail___lookup_events")
    policies = [CedarPolicy(name=f"p{index}", tool=tool, text="permit") for index, tool in enumerate(named)]
    CedarPolicies(bench.stack, "Auditor", gateway=gateway, targets=[target], policies=policies)
    first, second, third = (
        f"Auditor{word}Permit" for word in ("IamListUsers", "IamListRoles", "CloudtrailLookupEvents")
    )
    assert bench.resource(first)["DependsOn"] == ["AuditorIamTarget"]
    assert bench.resource(second)["DependsOn"] == [first]
    assert bench.resource(third)["DependsOn"] == [second]


@pytest.fixture
def web_acl(bench: Any, gateway: GovernedGateway) -> GatewayWebAcl:
    return GatewayWebAcl(
        bench.stack,
        "AuditorDoor",
        name="ringfence-example-production-auditor",
        gateway=gateway,
        allowed_networks=["203.0.113.0/24", "2001:db8::/32"],
        rate_per_minute=300,
        deployment_role_arn="arn:aws:iam::111122223333:role/deployment",
        log_key=bench.log_key,
    )


def test_the_web_acl_blocks_unless_a_rule_allows_it(bench: Any, web_acl: GatewayWebAcl) -> None:
    assert bench.properties("AuditorDoor")["DefaultAction"] == {"Block": {}}


def test_only_the_departments_networks_in_the_uk_are_admitted(bench: Any, web_acl: GatewayWebAcl) -> None:
    rules = bench.properties("AuditorDoor")["Rules"]
    opening = [rule for rule in rules if "Allow" in rule["Action"]]
    sets = []
    for rule in opening:
        first, second = rule["Statement"]["AndStatement"]["Statements"]
        sets.append(first["IPSetReferenceStatement"]["Arn"]["Fn::GetAtt"][0])
        assert second == {"GeoMatchStatement": {"CountryCodes": ["GB"]}}
    assert [bench.properties(name)["Addresses"] for name in sets] == [["203.0.113.0/24"], ["2001:db8::/32"]]


def test_a_flood_from_an_admitted_address_is_blocked_first(bench: Any, web_acl: GatewayWebAcl) -> None:
    rules = sorted(bench.properties("AuditorDoor")["Rules"], key=lambda rule: rule["Priority"])
    assert rules[0]["Action"] == {"Block": {}}
    assert rules[0]["Statement"]["RateBasedStatement"] == {
        "AggregateKeyType": "IP",
        "Limit": 300,
        "EvaluationWindowSec": 60,
    }


def test_the_web_acl_is_before_this_gateway(bench: Any, web_acl: GatewayWebAcl) -> None:
    association = bench.properties("AuditorDoorAssociation")
    assert association["ResourceArn"] == {"Fn::GetAtt": ["AuditorGateway", "GatewayArn"]}


def test_the_gateway_itself_refuses_other_networks_should_the_firewall_be_gone(
    bench: Any, web_acl: GatewayWebAcl
) -> None:
    properties = bench.properties("AuditorDoorCallers")
    text, filled = properties["Policy"]["Fn::Sub"]
    networks = ["203.0.113.0/24", "2001:db8::/32"]
    allow, deny = json.loads(text)["Statement"]

    assert properties["ResourceArn"] == filled["Arn"] == {"Fn::GetAtt": ["AuditorGateway", "GatewayArn"]}
    for statement in (allow, deny):
        # AgentCore refuses a resource of "*", and tokens of people match no principal but the wildcard.
        assert (statement["Principal"], statement["Resource"]) == ("*", "${Arn}")
        assert statement["Action"] == "bedrock-agentcore:InvokeGateway"
    assert (allow["Effect"], allow["Condition"]["IpAddress"]["aws:SourceIp"]) == ("Allow", networks)
    spared = {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/deployment"}
    assert deny["Effect"] == "Deny"
    assert deny["Condition"] == {"NotIpAddress": {"aws:SourceIp": networks}, "ArnNotEquals": spared}


def test_the_web_acls_record_holds_no_token(bench: Any, web_acl: GatewayWebAcl) -> None:
    logging = bench.properties("AuditorDoorLogging")
    assert logging["RedactedFields"] == [{"SingleHeader": {"Name": "authorization"}}]
    assert bench.properties("AuditorDoorLog")["LogGroupName"].startswith("aws-waf-logs-")
    shown = [rule["VisibilityConfig"]["SampledRequestsEnabled"] for rule in bench.properties("AuditorDoor")["Rules"]]
    assert not any(shown)


def test_one_person_looks_sixty_times_a_minute_and_changes_twenty_times(bench: Any, gateway: GovernedGateway) -> None:
    GatewayRateLimit(bench.stack, "AuditorCallLimit", gateway_id=gateway.gateway_id, changing=["iam___b", "iam___a"])
    properties = bench.properties("AuditorCallLimit")
    assert properties["DimensionKeys"] == ["toolName", "$.context.jwt.sub"]
    rates = {entry["Dimensions"]["toolName"]: entry["Requests"] for entry in properties["Entries"]}
    assert rates == {
        "iam___a": [{"Period": "minute", "Rate": 20}],
        "iam___b": [{"Period": "minute", "Rate": 20}],
        "*": [{"Period": "minute", "Rate": 60}],
    }
    # AgentCore takes a star only behind every value.
    assert {entry["Dimensions"]["$.context.jwt.sub"] for entry in properties["Entries"]} == {"*"}
