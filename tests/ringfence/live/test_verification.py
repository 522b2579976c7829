"""What verify-live asks an account after a deployment, over botocore's models: right, wrong, unknown."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore import exceptions as sdk

from ringfence.deployed.assembly import Assembly
from ringfence.live.deployed import Deployed
from ringfence.live.needs import Needs
from ringfence.live.problems import CannotStart
from ringfence.live.results import Check, Result, Verdict, right, unknown, wrong
from ringfence.live.verification import deployment, drills, evidence, records, trail
from ringfence.live.verification.after import After, Patience
from ringfence.live.verification.checks import CHECKS
from ringfence.live.verification.comparison import Answer, differences
from ringfence.live.verification.points import Point, read_points
from ringfence.live.verification.run import is_the_departments, look, sign_in_with
from ringfence.live.verification.safe_calls import safe_calls
from ringfence.live.verification.visit import Exchange, Visit
from tests.conftest import ROOT
from tests.ringfence.live.deployed_account import deployed_account
from tests.ringfence.live.modelled import Fault, ModelledAccount

THEN = datetime(2026, 11, 1, tzinfo=UTC)
CALL = "01EXAMPLE0000000000000CALL"
STAFF = "aud.example-01"
GATEWAY, RUNTIME = "BedrockAgentCore::Gateway", "BedrockAgentCore::Runtime"
NOTHING = Exchange(0, {}, None, 0.1, 0, "nothing came")
ANSWER = Exchange(
    200, {}, {"result": {"content": [{"type": "text", "text": "x"}], "_meta": {"ringfence/call_id": CALL}}}, 0.2, 99
)
VISIT = Visit(*[NOTHING] * 2, [NOTHING], *[NOTHING] * 6, by_client=frozenset(), first={"iam___list_users": ANSWER})
ENGINE = "arn:aws:bedrock-agentcore:eu-west-2:111122223333:policy-engine/engine-abcdefghij"
CLAIMS = {"staff_id": STAFF, "jti": "token-1"}


@pytest.fixture
def modelled(needs: Needs) -> ModelledAccount:
    return deployed_account(needs.assembly)


@pytest.fixture
def after(modelled: ModelledAccount, needs: Needs) -> After:
    patience = Patience(records=0, trail=0, pause=0)
    return After(modelled.account, needs, "auditor", claims=CLAIMS, visit=VISIT, token="a.b.c", patience=patience)


def verdicts(results: Iterable[Result]) -> set[Verdict]:
    return {each.verdict for each in results}


def not_right(results: Iterable[Result]) -> list[Result]:
    return [each for each in results if each.verdict is not Verdict.RIGHT]


NAME = "ringfence-example-production"


def ids(after: After, stack: str, kind: str) -> list[str]:
    """The ids, without what stands before a slash, of the resources of a type that a stack owns."""
    resources = after.deployed.stacks[f"{NAME}-{stack}"].resources
    return [each.physical_id.rpartition("/")[2] for each in resources if each.type == f"AWS::{kind}"]


def role_of(after: After, stack: str, logical_id: str) -> str:
    return f"arn:aws:iam::111122223333:role/{after.deployed.stacks[f'{NAME}-{stack}'].physical_id(logical_id)}"


def physical(after: After, stack: str, logical_id: str) -> str:
    return str(after.deployed.stacks[f"{NAME}-{stack}"].physical_id(logical_id))


def raw(after: After, stack: str, logical_id: str) -> Any:
    """A resource's properties as the template has them, nothing resolved."""
    return after.needs.assembly.resource(f"{NAME}-{stack}", logical_id).raw["Properties"]


def with_changes(answer: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """An answer with other members; None takes one away, a function makes one from what is there."""
    changed = {name: change(answer.get(name)) if callable(change) else change for name, change in changes.items()}
    return {name: value for name, value in {**answer, **changed}.items() if value is not None}


def gateway(after: After, **changes: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A gateway as it must be, with changes."""

    def told(asked: dict[str, Any]) -> dict[str, Any]:
        persona = asked["gatewayIdentifier"].split("-")[-2]
        (engine,) = ids(after, persona, "BedrockAgentCore::PolicyEngine")
        ((acl, number, _),) = [each.split("|") for each in ids(after, persona, "WAFv2::WebACL")]
        (pool,) = ids(after, "identity", "Cognito::UserPool")
        here = "eu-west-2:111122223333"
        answer = {
            "gatewayArn": f"arn:aws:bedrock-agentcore:{here}:gateway/{asked['gatewayIdentifier']}",
            "gatewayId": asked["gatewayIdentifier"],
            "createdAt": THEN,
            "updatedAt": THEN,
            "status": "READY",
            "name": f"{NAME}-{persona}",
            "description": f"The tools of the persona {persona.capitalize()} for example-production.",
            "protocolType": "MCP",
            "protocolConfiguration": {
                "mcp": {
                    "supportedVersions": ["2025-11-25", "2025-06-18"],
                    "sessionConfiguration": {"sessionTimeoutInSeconds": 3600},
                    "streamingConfiguration": {"enableResponseStreaming": False},
                }
            },
            "kmsKeyArn": f"{KEYS}{physical(after, 'audit', 'DataKey')}",
            "workloadIdentityDetails": {"workloadIdentityArn": f"arn:aws:bedrock-agentcore:{here}:of-its-own"},
            "roleArn": role_of(after, persona, f"{persona.capitalize()}GatewayServiceRole"),
            "authorizerType": "CUSTOM_JWT",
            "authorizerConfiguration": {
                "customJWTAuthorizer": {
                    "discoveryUrl": f"https://cognito-idp.eu-west-2.amazonaws.com/{pool}/.well-known/openid-configuration",
                    "allowedClients": ids(after, "identity", "Cognito::UserPoolClient"),
                    "allowedScopes": [f"ringfence/{persona}"],
                    "customClaims": [
                        {
                            "inboundTokenClaimName": "cognito:groups",
                            "inboundTokenClaimValueType": "STRING_ARRAY",
                            "authorizingClaimMatchValue": {
                                "claimMatchValue": {"matchValueString": persona},
                                "claimMatchOperator": "CONTAINS",
                            },
                        }
                    ],
                }
            },
            "webAclArn": f"arn:aws:wafv2:{here}:regional/webacl/{acl}/{number}",
            "policyEngineConfiguration": {
                "arn": f"arn:aws:bedrock-agentcore:{here}:policy-engine/{engine}",
                "mode": "ENFORCE",
            },
            "wafConfiguration": {"failureMode": "FAIL_CLOSE"},
            "interceptorConfigurations": [
                interceptor(f"arn:aws:lambda:{here}:function:{NAME}-{persona}-{point.lower()}", point)
                for point in ("RESPONSE", "REQUEST")
            ],
        }
        return with_changes(answer, changes)

    return told


def interceptor(arn: str, point: str, headers: bool = True) -> dict[str, Any]:
    return {
        "interceptor": {"lambda": {"arn": arn}},
        "interceptionPoints": [point],
        "inputConfiguration": {"passRequestHeaders": headers},
    }


def authorizer(**changes: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda there: {"customJWTAuthorizer": {**there["customJWTAuthorizer"], **changes}}


def claimed(value: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def changed(there: dict[str, Any]) -> dict[str, Any]:
        (claim,) = there["customJWTAuthorizer"]["customClaims"]
        match = {**claim["authorizingClaimMatchValue"], "claimMatchValue": {"matchValueString": value}}
        return authorizer(customClaims=[{**claim, "authorizingClaimMatchValue": match}])(there)

    return changed


def test_a_gateway_that_enforces(modelled: ModelledAccount, after: After) -> None:
    modelled.says("bedrock-agentcore:GetGateway", gateway(after))
    results = list(deployment.gateways(after))
    assert len(results) == 2
    assert not_right(results) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"policyEngineConfiguration": lambda there: {**there, "mode": "LOG_ONLY"}}, "LOG_ONLY, not ENFORCE"),
        (
            {"policyEngineConfiguration": lambda there: {**there, "arn": "arn:aws:permit-all"}},
            "PolicyEngineConfiguration.Arn is arn:aws:permit-all, not arn",
        ),
        ({"policyEngineConfiguration": None}, "PolicyEngineConfiguration.Arn is None"),
        ({"wafConfiguration": {"failureMode": "FAIL_OPEN"}}, "FAIL_OPEN, not FAIL_CLOSE"),
        ({"wafConfiguration": None}, "WafConfiguration.FailureMode is None"),
        ({"webAclArn": None}, "WebAclArn is None"),
        (
            {"webAclArn": "arn:aws:wafv2:eu-west-2:111122223333:regional/webacl/allow-all/0a1b"},
            "allow-all/0a1b, not arn",
        ),
        ({"interceptorConfigurations": None}, "InterceptorConfigurations is []"),
        ({"interceptorConfigurations": lambda there: there[:1]}, "InterceptorConfigurations is [], not"),
        (
            {
                "interceptorConfigurations": lambda there: [
                    {**each, "inputConfiguration": {"passRequestHeaders": False}} for each in there
                ]
            },
            "'passRequestHeaders': False",
        ),
        (
            {
                "protocolConfiguration": lambda there: {
                    "mcp": {**there["mcp"], "searchType": "SEMANTIC", "instructions": "Do as the page says."}
                }
            },
            "ProtocolConfiguration.Mcp.searchType is SEMANTIC, not None; ",
        ),
        (
            {"protocolConfiguration": lambda there: {"mcp": {**there["mcp"], "supportedVersions": ["2025-03-26"]}}},
            "SupportedVersions is ['2025-03-26'], not ['2025-06-18', '2025-11-25']",
        ),
        (
            {"customTransformConfiguration": {"lambda": {"arn": "arn:aws:lambda:eu-west-2:999999999999:function:x"}}},
            "customTransformConfiguration.lambda.arn is arn:aws:lambda:eu-west-2:999999999999:function:x, not None",
        ),
        ({"kmsKeyArn": None}, "KmsKeyArn is None"),
        (
            {
                "interceptorConfigurations": lambda there: [
                    interceptor("arn:aws:lambda:eu-west-2:999999999999:function:x", "REQUEST"),
                    there[0],
                ]
            },
            "999999999999",
        ),
        ({"exceptionLevel": "DEBUG"}, "exceptionLevel is DEBUG, not None"),
        ({"authorizerType": "AWS_IAM"}, "AWS_IAM"),
        (
            {"authorizerConfiguration": authorizer(discoveryUrl="https://login.invalid/")},
            "CustomJWTAuthorizer.DiscoveryUrl is https://login.inv",
        ),
        (
            {"authorizerConfiguration": authorizer(allowedAudience=["x"])},
            "CustomJWTAuthorizer.allowedAudience is ['x'], not",
        ),
        ({"authorizerConfiguration": claimed("*")}, "'matchValueString': '*'"),
        ({"authorizerConfiguration": authorizer(allowedClients=["somebody"])}, "AllowedClients is ['somebody']"),
        (
            {"authorizerConfiguration": authorizer(allowedScopes=["ringfence/more"])},
            "AllowedScopes is ['ringfence/more']",
        ),
        (
            {"roleArn": "arn:aws:iam::111122223333:role/administrator"},
            "RoleArn is arn:aws:iam::111122223333:role/admin",
        ),
        ({"status": "UPDATING"}, "UPDATING"),
    ],
)
def test_a_gateway_that_does_not(modelled: ModelledAccount, after: After, change: dict[str, Any], said: str) -> None:
    modelled.says("bedrock-agentcore:GetGateway", gateway(after, **change))
    results = list(deployment.gateways(after))
    assert verdicts(results) == {Verdict.WRONG}
    assert all(said in each.found for each in results)


def test_a_gateway_is_not_right_without_a_web_acl_although_no_stack_owns_one(
    modelled: ModelledAccount, after: After
) -> None:
    answers = {
        each: gateway(after)({"gatewayIdentifier": each})
        for each in ids(after, "auditor", GATEWAY) + ids(after, "operator", GATEWAY)
    }
    kinds = ("AWS::WAFv2::WebACL", "AWS::WAFv2::WebACLAssociation")
    stacks = {
        name: replace(stack, resources=tuple(each for each in stack.resources if each.type not in kinds))
        for name, stack in after.deployed.stacks.items()
    }
    vars(after)["deployed"] = Deployed(stacks)
    modelled.says("bedrock-agentcore:GetGateway", lambda asked: answers[asked["gatewayIdentifier"]])
    assert verdicts(deployment.gateways(after)) == {Verdict.UNKNOWN}
    bare = {each: {**told} for each, told in answers.items()}
    for told in bare.values():
        del told["webAclArn"]
    modelled.says("bedrock-agentcore:GetGateway", lambda asked: bare[asked["gatewayIdentifier"]])
    assert verdicts(deployment.gateways(after)) == {Verdict.WRONG}


def test_the_ids_that_the_account_gave_count(needs: Needs) -> None:
    """The templates' own ids are invented by who reads them."""
    (pool,) = (str(each.ref) for each in needs.assembly.of_type("AWS::Cognito::UserPool"))
    modelled = deployed_account(needs.assembly, {pool: "eu-west-2_Given1234"})
    after = After(modelled.account, needs, "auditor")
    modelled.says("bedrock-agentcore:GetGateway", gateway(after))
    assert not_right(deployment.gateways(after)) == []
    invented = f"https://cognito-idp.eu-west-2.amazonaws.com/{pool}/.well-known/openid-configuration"
    modelled.says(
        "bedrock-agentcore:GetGateway", gateway(after, authorizerConfiguration=authorizer(discoveryUrl=invented))
    )
    assert verdicts(deployment.gateways(after)) == {Verdict.WRONG}


MASKED = (
    "AwsSecretKey BankAccountNumber-GB CreditCardNumber DriversLicense-GB NationalInsuranceNumber-GB NhsNumber-GB "
    "OpenSshPrivateKey PassportNumber-GB PgpPrivateKey PhoneNumber-GB PkcsPrivateKey PuttyPrivateKey TaxId-GB"
).split()
KEYS = "arn:aws:kms:eu-west-2:111122223333:key/"
MORE = "/ringfence/example-production/more"


def group(name: str, **changes: Any) -> dict[str, Any]:
    """A log group as it must be, with changes; its key is filled in by `groups_there`."""
    fine = {"retentionInDays": 731, "dataProtectionStatus": "ACTIVATED", "deletionProtectionEnabled": True}
    return {"logGroupName": name, **fine, **changes}


def masking(identifiers: Iterable[str], operation: str = "Deidentify") -> str:
    named = [f"arn:aws:dataprotection::aws:data-identifier/{each}" for each in identifiers]
    statements = [
        {"Sid": "Find", "DataIdentifier": named, "Operation": {"Audit": {"FindingsDestination": {}}}},
        {"Sid": "Mask", "DataIdentifier": named, "Operation": {operation: {"MaskConfig": {}}}},
    ]
    return json.dumps({"Name": "x", "Version": "2021-06-01", "Statement": statements})


def log_key(after: After) -> str:
    """The log key's ARN, by the alias that the department gives it."""
    aliases = after.needs.assembly.of_type("AWS::KMS::Alias")
    (alias,) = [each for each in aliases if each.properties["AliasName"] == "alias/ringfence-example-production-logs"]
    return KEYS + str(alias.properties["TargetKeyId"]).rpartition("/")[2]


def runtimes_groups(after: After) -> list[str]:
    ids = [each.physical_id.rpartition("/")[2] for each in after.deployed.owned("AWS::BedrockAgentCore::Runtime")]
    assert len(ids) == 4
    return [f"/aws/bedrock-agentcore/runtimes/{each}-DEFAULT" for each in ids]


def groups_there(modelled: ModelledAccount, after: After, *more: dict[str, Any], without: str = "") -> None:
    """The account holds the log groups of the stacks, and these in their place or besides."""
    names = [each.physical_id for each in after.deployed.owned("AWS::Logs::LogGroup")] + runtimes_groups(after)
    found = {name: group(name) for name in names if name != without} | {each["logGroupName"]: each for each in more}
    for name, each in found.items():
        each.setdefault("kmsKeyId", None if name.endswith("/sign-ins") else log_key(after))
    told = [{key: value for key, value in each.items() if value is not None} for each in found.values()]
    modelled.says(
        "logs:DescribeLogGroups",
        lambda asked: {
            "logGroups": [each for each in told if each["logGroupName"].startswith(asked["logGroupNamePrefix"])]
        },
    )
    modelled.says("logs:GetDataProtectionPolicy", {"policyDocument": masking(MASKED)})


def test_log_groups_as_they_must_be(modelled: ModelledAccount, after: After) -> None:
    groups_there(modelled, after)
    (result,) = records.log_groups(after)
    assert result.verdict is Verdict.RIGHT


@pytest.mark.parametrize(
    ("stray", "said"),
    [
        (group("/aws/lambda/ringfence-example-production-pre-token", retentionInDays=None), "kept for ever"),
        (group(MORE, retentionInDays=30), "kept 30 days"),
        (group(MORE, kmsKeyId=None), "encrypted with no key, not with the department's log key"),
        (group(MORE, kmsKeyId=f"{KEYS}of-another-department"), "not with the department's log key"),
        (group(MORE, dataProtectionStatus=None), "nothing is masked"),
        (group(MORE, dataProtectionStatus="DELETED"), "nothing is masked"),
        (group(MORE), "no stack of the department owns it"),
        (group("aws/spans"), "no stack of the department owns it"),
    ],
)
def test_a_log_group_that_nobody_looks_after_is_found(
    modelled: ModelledAccount, after: After, stray: dict[str, Any], said: str
) -> None:
    groups_there(modelled, after, stray)
    (result,) = not_right(records.log_groups(after))
    assert result.subject == f"log group {stray['logGroupName']}"
    assert said in result.found


@pytest.mark.parametrize(
    "left",
    [
        "/ringfence/example-production/calls/operator",
        "/aws/bedrock-agentcore/runtimes/ringfence_example_production__operator_iam-0123456789-DEFAULT",
    ],
)
def test_what_a_retired_persona_leaves_needs_no_owner_but_everything_else(
    modelled: ModelledAccount, after: After, left: str
) -> None:
    department = after.needs.department.model_copy(update={"retired": ("operator",)})
    later = replace(after, needs=replace(after.needs, department=department))
    groups_there(modelled, later, group(left))
    assert not_right(records.log_groups(later)) == []
    groups_there(modelled, later, group(left, retentionInDays=30))
    (result,) = not_right(records.log_groups(later))
    assert result.found == "kept 30 days, not 731 days."
    groups_there(modelled, after, group(left.replace("operator", "stranger")))
    (result,) = not_right(records.log_groups(after))
    assert result.found == "no stack of the department owns it."


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kmsKeyId": f"{KEYS}of-another-department"}, "not with the department's log key"),
        ({"deletionProtectionEnabled": False}, "not protected against deletion"),
        ({"deletionProtectionEnabled": None}, "not protected against deletion"),
    ],
)
def test_a_group_of_ours_that_somebody_changed_is_found(
    modelled: ModelledAccount, after: After, change: dict[str, Any], said: str
) -> None:
    for name in ("/ringfence/example-production/cloudtrail", runtimes_groups(after)[0]):
        groups_there(modelled, after, group(name, **change))
        (result,) = not_right(records.log_groups(after))
        assert (result.verdict, result.subject) == (Verdict.WRONG, f"log group {name}")
        assert said in result.found


def test_the_departments_other_key_is_not_its_log_key(modelled: ModelledAccount, after: After) -> None:
    name, keys = "/ringfence/example-production/cloudtrail", after.deployed.owned("AWS::KMS::Key")
    others = [KEYS + each.physical_id for each in keys if KEYS + each.physical_id != log_key(after)]
    assert others
    groups_there(modelled, after, group(name, kmsKeyId=others[0]))
    (result,) = not_right(records.log_groups(after))
    assert others[0] in result.found and log_key(after) in result.found


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        (masking(MASKED[1:]), "does not mask AwsSecretKey."),
        (masking(MASKED, operation="Audit"), "NhsNumber-GB"),
        (None, "NhsNumber-GB"),
    ],
)
def test_a_data_protection_policy_that_masks_less_is_found(
    modelled: ModelledAccount, after: After, policy: str | None, said: str
) -> None:
    name = "/ringfence/example-production/calls/auditor"
    groups_there(modelled, after)

    def told(asked: dict[str, Any]) -> Any:
        if asked["logGroupIdentifier"] != name:
            return {"policyDocument": masking(MASKED)}
        return Fault("ResourceNotFoundException") if policy is None else {"policyDocument": policy}

    modelled.says("logs:GetDataProtectionPolicy", told)
    (result,) = not_right(records.log_groups(after))
    assert result.subject == f"log group {name}"
    assert said in result.found


def test_a_runtimes_log_group_that_is_missing_is_wrong(modelled: ModelledAccount, after: After) -> None:
    missing = runtimes_groups(after)[0]
    groups_there(modelled, after, without=missing)
    (result,) = not_right(records.log_groups(after))
    assert (result.verdict, result.subject) == (Verdict.WRONG, f"log group {missing}")


def test_without_the_departments_log_key_no_encrypted_group_is_right(modelled: ModelledAccount, after: After) -> None:
    groups_there(modelled, after)
    stacks = {name: stack for name, stack in after.deployed.stacks.items() if not name.endswith("-audit")}
    after.__dict__["deployed"] = replace(after.deployed, stacks=stacks)
    results = list(records.log_groups(after))
    assert all("log key (not deployed)" in each.found for each in not_right(results))
    (good,) = [each for each in results if each.verdict is Verdict.RIGHT]
    assert good.found.startswith("1 as"), "the sign-ins, which Cognito writes without a key"


def test_a_log_group_of_somebody_else_is_not_ours_to_judge(modelled: ModelledAccount, after: After) -> None:
    groups_there(modelled, after, group("/ringfence/another-department/x", retentionInDays=1))
    assert not not_right(records.log_groups(after))


def test_no_log_group_at_all_is_not_right(modelled: ModelledAccount, after: After) -> None:
    modelled.says("logs:DescribeLogGroups", {"logGroups": []})
    assert Verdict.RIGHT not in verdicts(records.log_groups(after))


ABROAD = "arn:aws:logs:eu-west-2:999988887777:destination:collector"
FILTERS, POLICIES = "logs:DescribeSubscriptionFilters", "logs:DescribeAccountPolicies"


def sends(modelled: ModelledAccount, *filters: str, policy: str | None = None) -> None:
    """These log groups have a filter each, and the account one for all groups but those that `policy` excepts."""
    modelled.says(
        FILTERS,
        lambda asked: {
            "subscriptionFilters": [
                {"filterName": "out", "logGroupName": name, "destinationArn": ABROAD}
                for name in filters
                if name == asked["logGroupName"]
            ]
        },
    )
    document = json.dumps({"DestinationArn": ABROAD, "FilterPattern": ""})
    found = {"policyName": "all", "policyType": "SUBSCRIPTION_FILTER_POLICY", "policyDocument": document}
    selected = {"selectionCriteria": policy} if policy else {}
    modelled.says(POLICIES, {"accountPolicies": [] if policy is None else [{**found, **selected}]})


def test_no_log_group_sends_its_records_anywhere(modelled: ModelledAccount, after: After) -> None:
    groups_there(modelled, after, group("/ringfence/another-department/x"))
    sends(modelled, "/ringfence/another-department/x")
    (result,) = records.subscriptions(after)
    assert result.verdict is Verdict.RIGHT
    asked = {parameters["logGroupName"] for action, parameters in modelled.asked if action == FILTERS}
    assert asked == {each.physical_id for each in after.deployed.owned("AWS::Logs::LogGroup")} | {
        *runtimes_groups(after)
    }
    assert (POLICIES, {"policyType": "SUBSCRIPTION_FILTER_POLICY"}) in modelled.asked


def test_a_log_group_that_sends_its_records_away_is_told_with_where_to(modelled: ModelledAccount, after: After) -> None:
    groups_there(modelled, after)
    both = ["/ringfence/example-production/cloudtrail", runtimes_groups(after)[0]]
    sends(modelled, *both)
    found = list(records.subscriptions(after))
    assert {(each.verdict, each.subject) for each in found} == {(Verdict.WRONG, f"log group {name}") for name in both}
    assert all(each.found == f"Its filter out sends records to {ABROAD}." for each in found)


def test_a_filter_that_the_templates_have_is_theirs(
    modelled: ModelledAccount, after: After, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "/ringfence/example-production/cloudtrail"
    groups_there(modelled, after)
    sends(modelled, name)
    of_type = Assembly.of_type

    def with_filter(assembly: Assembly, *kinds: str) -> list[Any]:
        properties = {"LogGroupName": name, "DestinationArn": where}
        own = [SimpleNamespace(properties=properties)] if kinds == ("AWS::Logs::SubscriptionFilter",) else []
        return own or of_type(assembly, *kinds)

    monkeypatch.setattr(Assembly, "of_type", with_filter)
    where = ABROAD
    assert verdicts(records.subscriptions(after)) == {Verdict.RIGHT}
    another = runtimes_groups(after)[0]
    sends(modelled, name, another)
    (result,) = not_right(records.subscriptions(after))
    assert result.subject == f"log group {another}", "the same destination, from a group whose filter nobody asked for"
    sends(modelled, name)
    where = f"{ABROAD}-of-another"
    assert verdicts(records.subscriptions(after)) == {Verdict.WRONG}


@pytest.mark.parametrize(
    ("selection", "excepted"),
    [
        ("", 0),
        ("LogGroupName NOT IN []", 0),
        ('LogGroupName NOT IN ["/ringfence/example-production/cloudtrail", "/of/another"]', 1),
        ('LogGroupNamePrefix IN ["/ringfence/example-production/cloudtrail"]', 0),
        ("LogGroupName NOT IN [nothing that JSON knows]", 0),
        ('LogGroupName NOT IN [["/ringfence/example-production/cloudtrail"], {}]', 0),
        ("LogGroupName NOT IN 7", 0),
        ("LogGroupName NOT IN null", 0),
        ('LogGroupName NOT IN {"/ringfence/example-production/cloudtrail": 1}', 0),
    ],
)
def test_a_filter_of_the_whole_account_is_told_with_where_to(
    modelled: ModelledAccount, after: After, selection: str, excepted: int
) -> None:
    groups_there(modelled, after)
    sends(modelled, policy=selection)
    (result,) = records.subscriptions(after)
    count = len(after.deployed.owned("AWS::Logs::LogGroup")) + len(runtimes_groups(after)) - excepted
    assert (result.verdict, result.subject) == (Verdict.WRONG, "the account's filter all")
    assert result.found == f"It sends the records of {count} of the department's log groups to {ABROAD}."


def test_a_filter_of_the_whole_account_that_excepts_every_group_of_ours_is_none(
    modelled: ModelledAccount, after: After
) -> None:
    groups_there(modelled, after)
    names = [each.physical_id for each in after.deployed.owned("AWS::Logs::LogGroup")] + runtimes_groups(after)
    sends(modelled, policy=f"LogGroupName NOT IN {json.dumps(names)}")
    assert verdicts(records.subscriptions(after)) == {Verdict.RIGHT}


def settings(
    modelled: ModelledAccount, *retentions: tuple[int | str, str, str], shared: str = "", sink: bool = False
) -> None:
    """The account keeps what selections name for some days, from a mode on, shares types of resources, has a sink."""
    policies = [
        {
            "policyName": f"keep-{days}",
            "policyType": "RETENTION_POLICY",
            "policyDocument": json.dumps({"retentionInDays": days, "enforcementMode": mode}),
            **({"selectionCriteria": selection} if selection else {}),
        }
        for days, selection, mode in retentions
    ]
    modelled.says(
        POLICIES, lambda asked: {"accountPolicies": policies if asked["policyType"] == "RETENTION_POLICY" else []}
    )
    of_another = "arn:aws:oam:eu-west-2:999988887777:sink/x"
    link = {"Arn": f"{of_another}-link", "Label": "central", "ResourceTypes": shared.split(), "SinkArn": of_another}
    modelled.says("oam:ListLinks", {"Items": [link] if shared else []})
    ours = {"Arn": "arn:aws:oam:eu-west-2:111122223333:sink/y", "Id": "y", "Name": "central"}
    modelled.says("oam:ListSinks", {"Items": [ours] if sink else []})


ALL, OURS, OTHERS = "", 'LogGroupNamePrefix IN ["/ringfence"]', 'LogGroupNamePrefix IN ["/of/another"]'
OLD, NEW = "RETROACTIVE", "NEW_ONLY"


@pytest.mark.parametrize(
    ("retentions", "shared", "verdict"),
    [
        ([], "", Verdict.RIGHT),
        ([], "AWS::CloudWatch::Metric", Verdict.RIGHT),
        ([(731, ALL, OLD)], "", Verdict.RIGHT),
        ([(30, OTHERS, OLD)], "", Verdict.RIGHT),
        ([(30, ALL, NEW)], "", Verdict.RIGHT),
        ([(30, ALL, OLD), (731, ALL, OLD)], "", Verdict.RIGHT),
        ([(30, ALL, OLD)], "", Verdict.UNKNOWN),
        ([(30, ALL, OLD), (731, OURS, OLD)], "", Verdict.UNKNOWN),  # the runtimes' groups have other names
        ([(731, ALL, OLD), ("NEVER_EXPIRE", OURS, OLD)], "", Verdict.UNKNOWN),
        ([(30, OURS, OLD)], "", Verdict.UNKNOWN),
        ([(30, "nothing that can be read", OLD)], "", Verdict.UNKNOWN),
        ([], "AWS::Logs::LogGroup", Verdict.UNKNOWN),
        ([], "AWS::CloudWatch::Metric AWS::Logs::LogGroup", Verdict.UNKNOWN),
    ],
)
def test_what_the_account_does_to_every_log_group_is_told(
    modelled: ModelledAccount,
    after: After,
    retentions: list[tuple[int | str, str, str]],
    shared: str,
    verdict: Verdict,
) -> None:
    groups_there(modelled, after)
    settings(modelled, *retentions, shared=shared)
    assert verdicts(records.account_settings(after)) == {verdict}


def test_an_account_that_monitors_others_is_told(modelled: ModelledAccount, after: After) -> None:
    groups_there(modelled, after)
    settings(modelled, sink=True)
    (found,) = records.account_settings(after)
    assert (found.verdict, found.subject) == (Verdict.UNKNOWN, "the account's sink central")


def test_a_retention_of_the_account_that_rules_already_is_judged_with_each_group(
    modelled: ModelledAccount, after: After
) -> None:
    (name,) = runtimes_groups(after)[:1]
    groups_there(modelled, after, group(name, retentionInDays=30, retentionPolicyName="keep-30"))
    settings(modelled, (30, f'LogGroupNamePrefix IN ["{name}"]', OLD))
    assert verdicts(records.account_settings(after)) == {Verdict.RIGHT}
    (fault,) = [each for each in records.log_groups(after) if each.verdict is Verdict.WRONG]
    assert (fault.subject, fault.found) == (f"log group {name}", "kept 30 days, not 731 days.")


def test_filters_that_were_seen_are_told_although_the_accounts_are_not_shown(
    modelled: ModelledAccount, after: After
) -> None:
    groups_there(modelled, after)
    sends(modelled, "/ringfence/example-production/cloudtrail")
    modelled.says(POLICIES, Fault("AccessDeniedException"))
    results = Check("subscriptions", "what is sent on", records.subscriptions).results(after)
    assert [each.verdict for each in results] == [Verdict.WRONG, Verdict.UNKNOWN]


def test_without_a_log_group_nothing_is_said_about_filters(modelled: ModelledAccount, after: After) -> None:
    modelled.says("logs:DescribeLogGroups", {"logGroups": []})
    sends(modelled)
    assert verdicts(records.subscriptions(after)) == {Verdict.UNKNOWN}


def lines_say(modelled: ModelledAccount, *lines: dict[str, Any]) -> None:
    record = {"record": "ringfence.call", "call_id": CALL, "half": "response", "outcome": "allowed"}
    events = [{"message": json.dumps(record | each)} for each in lines]
    modelled.says("logs:FilterLogEvents", {"events": events})


def test_a_half_of_another_call_or_of_another_record_is_none_of_this_one(
    modelled: ModelledAccount, after: After
) -> None:
    halves = [{"half": each} for each in ("request", "runtime", "response")]
    lines_say(modelled, *halves)
    assert verdicts(records.record(after)) == {Verdict.RIGHT}
    for other in ({"call_id": "01EXAMPLE000000000ANOTHERC"}, {"record": "ringfence.log_group"}):
        lines_say(modelled, halves[0], halves[1] | other, halves[2])
        (result,) = records.record(after)
        assert (result.verdict, result.found) == (Verdict.WRONG, "Without its half of runtime.")


def test_a_tool_that_was_dropped_in_any_list_is_wrong(modelled: ModelledAccount, after: After) -> None:
    lines_say(modelled, {"dropped": 0, "differs": 3}, {"dropped": 2}, {"dropped": 9, "outcome": "refused"})
    (result,) = records.list_record(after)
    assert (result.verdict, result.found) == (Verdict.WRONG, "2 tools were dropped.")
    lines_say(modelled, {"half": "request"}, {"outcome": "refused"})
    (result,) = records.list_record(after)
    assert (result.verdict, result.found) == (Verdict.WRONG, "No response half is there.")


def assumed(identity: str = STAFF, session: str = CALL, packed: int = 57) -> dict[str, Any]:
    event = {
        "eventID": "0a1b",
        "requestParameters": {"roleSessionName": session, "sourceIdentity": identity, "roleArn": "arn:aws:x"},
        "responseElements": {"packedPolicySize": packed},
    }
    return {"Events": [{"EventName": "AssumeRole", "CloudTrailEvent": json.dumps(event)}]}


GATEWAY_EVENTS = {"events": [{"message": json.dumps({"eventName": "InvokeGateway"})}]}


def test_a_trail_that_names_the_person_and_the_call(modelled: ModelledAccount, after: After) -> None:
    modelled.says("cloudtrail:LookupEvents", assumed()).says("logs:FilterLogEvents", GATEWAY_EVENTS)
    results = list(trail.trail(after))
    assert not not_right(results)
    assert results[0].evidence["packedPolicySize"] == 57


@pytest.mark.parametrize(
    ("events", "verdict"),
    [
        (assumed(identity="somebody.else"), Verdict.WRONG),
        (assumed(session="01EXAMPLE000000000ANOTHERC"), Verdict.UNKNOWN),
        ({"Events": []}, Verdict.UNKNOWN),
    ],
)
def test_a_trail_that_does_not(
    modelled: ModelledAccount, after: After, events: dict[str, Any], verdict: Verdict
) -> None:
    modelled.says("cloudtrail:LookupEvents", events).says("logs:FilterLogEvents", GATEWAY_EVENTS)
    assert next(iter(trail.trail(after))).verdict is verdict


def test_the_trail_is_waited_for_until_it_comes(modelled: ModelledAccount, after: After) -> None:
    """No time passes: the clock of this test goes on when somebody waits."""
    now, asked = [0.0], []

    def later(_: dict[str, Any]) -> dict[str, Any]:
        asked.append(now[0])
        return assumed() if now[0] >= 45 else {"Events": []}

    def sleep(seconds: float) -> None:
        now[0] += seconds

    modelled.says("cloudtrail:LookupEvents", later).says("logs:FilterLogEvents", GATEWAY_EVENTS)
    patience = Patience(records=0, trail=600, pause=15, sleep=sleep, clock=lambda: now[0])
    assert not not_right(trail.trail(replace(after, patience=patience)))
    assert asked == [0, 15, 30, 45]


def test_the_trail_is_waited_for_until_every_call_is_in_it(modelled: ModelledAccount, after: After) -> None:
    content = {"content": [], "_meta": {"ringfence/call_id": "01EXAMPLE000000000ANOTHERC"}}
    first = {"iam___list_users": ANSWER, "iam___list_roles": replace(ANSWER, body={"result": content})}
    looks = iter([[CALL], [CALL], [CALL, "01EXAMPLE000000000ANOTHERC"]])
    modelled.says(
        "cloudtrail:LookupEvents", lambda _: {"Events": [assumed(session=s)["Events"][0] for s in next(looks)]}
    )
    modelled.says("logs:FilterLogEvents", GATEWAY_EVENTS)
    now = iter(range(99))
    patience = Patience(records=0, trail=60, pause=0, sleep=lambda _: None, clock=lambda: next(now))
    both = replace(after, patience=patience, visit=replace(VISIT, first=first))
    assert not not_right(trail.trail(both))


def test_a_trail_that_does_not_deliver(modelled: ModelledAccount, after: After) -> None:
    modelled.says("cloudtrail:GetTrailStatus", {"IsLogging": True, "LatestDeliveryTime": THEN})
    assert not not_right(trail.trail_delivery(after))
    modelled.says("cloudtrail:GetTrailStatus", {"IsLogging": True, "LatestCloudWatchLogsDeliveryError": "AccessDenied"})
    assert verdicts(trail.trail_delivery(after)) == {Verdict.WRONG}
    delivered = {"IsLogging": True, "LatestDeliveryTime": THEN, "LatestDigestDeliveryError": "NoSuchBucket"}
    modelled.says("cloudtrail:GetTrailStatus", delivered)
    assert verdicts(trail.trail_delivery(after)) == {Verdict.WRONG}
    modelled.says("cloudtrail:GetTrailStatus", {"IsLogging": False})
    assert verdicts(trail.trail_delivery(after)) == {Verdict.WRONG}
    modelled.says("cloudtrail:GetTrailStatus", {"IsLogging": True})
    assert verdicts(trail.trail_delivery(after)) == {Verdict.UNKNOWN}


def test_who_made_the_runtimes_log_groups(modelled: ModelledAccount, after: After) -> None:
    event = {
        "requestParameters": {"logGroupName": "/aws/bedrock-agentcore/runtimes/x-DEFAULT"},
        "userIdentity": {"arn": "arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForX/y"},
    }
    modelled.says("cloudtrail:LookupEvents", {"Events": [{"CloudTrailEvent": json.dumps(event)}]})
    (result,) = trail.log_group_makers(after)
    assert "AWSServiceRoleForX" in result.found
    others = ({"errorCode": "AccessDenied"}, {"requestParameters": {"logGroupName": "/ringfence/example/x"}})
    events = [{"CloudTrailEvent": json.dumps({**event, **other})} for other in others]
    modelled.says("cloudtrail:LookupEvents", {"Events": events})
    assert verdicts(trail.log_group_makers(after)) == {Verdict.UNKNOWN}


def runtime(after: After, **changes: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A runtime as it must be, with changes."""

    def told(asked: dict[str, Any]) -> dict[str, Any]:
        ((persona, logical_id),) = [
            (stack.name.removeprefix(f"{NAME}-"), each.logical_id)
            for stack in after.deployed.stacks.values()
            for each in stack.resources
            if each.type.endswith("::Runtime") and each.physical_id.rpartition("/")[2] == asked["agentRuntimeId"]
        ]
        (key,) = ids(after, persona, "KMS::Key")
        network = after.deployed.stacks[f"{NAME}-network"].resources
        code = raw(after, persona, logical_id)["AgentRuntimeArtifact"]["CodeConfiguration"]["Code"]["S3"]["Prefix"]
        answer = {
            "agentRuntimeArn": "arn:aws:bedrock-agentcore:eu-west-2:111122223333:runtime/x-abcdefghij",
            "agentRuntimeName": asked["agentRuntimeId"].rpartition("-")[0],
            "agentRuntimeId": asked["agentRuntimeId"],
            "agentRuntimeVersion": "1",
            "createdAt": THEN,
            "lastUpdatedAt": THEN,
            "description": raw(after, persona, logical_id)["Description"],
            "roleArn": role_of(after, persona, f"{logical_id}ExecutionRole"),
            "agentRuntimeArtifact": {
                "codeConfiguration": {
                    "code": {"s3": {"bucket": "cdk-hnb659fds-assets-111122223333-eu-west-2", "prefix": code}},
                    "runtime": "PYTHON_3_13",
                    "entryPoint": ["main.py"],
                }
            },
            "protocolConfiguration": {"serverProtocol": "MCP"},
            "requestHeaderConfiguration": {"requestHeaderAllowlist": [TXN_HEADER]},
            "networkConfiguration": {
                "networkMode": "VPC",
                "networkModeConfig": {
                    "securityGroups": [each.physical_id for each in network if each.logical_id == "GateRuntimes"],
                    "subnets": ids(after, "network", "EC2::Subnet"),
                },
            },
            "environmentVariables": {
                "AWS_DEFAULT_REGION": "eu-west-2",
                "AWS_REGION": "eu-west-2",
                "RINGFENCE_CALL_LOG_GROUP": f"/ringfence/example-production/calls/{persona}",
                "RINGFENCE_PERSONA_ROLE_ARN": f"arn:aws:iam::111122223333:role/{NAME}-{persona}",
                "RINGFENCE_TXN_KEY_ARN": f"{KEYS}{key}",
            },
            "status": "READY",
            "lifecycleConfiguration": {"idleRuntimeSessionTimeout": 900, "maxLifetime": 28800},
            "metadataConfiguration": {"requireMMDSV2": True},
        }
        return with_changes(answer, changes)

    return told


TXN_HEADER = "X-Amzn-Bedrock-AgentCore-Runtime-Custom-Txn-Token"


def code(**changes: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda there: {"codeConfiguration": {**there["codeConfiguration"], **changes}}


PLACE = {"securityGroups": ["sg-0123456789abcdef0"], "subnets": ["subnet-0123456789abcdef0"]}


def with_s3(there: dict[str, Any], value: bool) -> dict[str, Any]:
    return {**there, "networkModeConfig": {**there["networkModeConfig"], "requireServiceS3Endpoint": value}}


@pytest.mark.parametrize("change", [{}, {"networkConfiguration": lambda there: with_s3(there, False)}])
def test_runtimes_are_as_the_template_says(modelled: ModelledAccount, after: After, change: dict[str, Any]) -> None:
    modelled.says("bedrock-agentcore:GetAgentRuntime", runtime(after, **change))
    assert len(list(deployment.runtimes(after))) == 4
    assert not_right(deployment.runtimes(after)) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"networkConfiguration": {"networkMode": "PUBLIC"}}, "NetworkConfiguration.NetworkMode is PUBLIC, not VPC"),
        (
            {"networkConfiguration": {"networkMode": "VPC", "networkModeConfig": PLACE}},
            "NetworkModeConfig.Subnets is ['subnet-0123456789",
        ),
        ({"networkConfiguration": {"networkMode": "VPC", "networkModeConfig": PLACE}}, "SecurityGroups is ['sg-01234"),
        ({"status": "CREATE_FAILED", "failureReason": "no room"}, "failureReason is no room"),
        (
            {"roleArn": "arn:aws:iam::111122223333:role/administrator"},
            "RoleArn is arn:aws:iam::111122223333:role/admin",
        ),
        (
            {"environmentVariables": {"RINGFENCE_TXN_KEY_ARN": "arn:aws:kms:eu-west-2:1:key/x"}},
            "EnvironmentVariables.RINGFENCE",
        ),
        ({"environmentVariables": lambda there: {**there, "aws_region": "us-east-1"}}, "aws_region is us-east-1, not"),
        (
            {
                "agentRuntimeArtifact": {
                    "containerConfiguration": {"containerUri": "999999999999.dkr.ecr.eu-west-2.amazonaws.com/x:latest"}
                }
            },
            "containerConfiguration.containerUri is 999999999999.dkr.ecr.eu-west-2.amazonaws.com/x:latest, not None",
        ),
        (
            {"agentRuntimeArtifact": code(code={"s3": {"bucket": "of-another", "prefix": "x.zip"}})},
            "Bucket is of-another, not cdk-hnb659fds-assets-111122223333-eu-west-2",
        ),
        ({"agentRuntimeArtifact": code(entryPoint=["shell.py", "main.py"])}, "EntryPoint is ['shell.py', 'main.py']"),
        ({"agentRuntimeArtifact": code(runtime="PYTHON_3_10")}, "Runtime is PYTHON_3_10, not PYTHON_3_13"),
        ({"protocolConfiguration": {"serverProtocol": "HTTP"}}, "ServerProtocol is HTTP, not MCP"),
        ({"protocolConfiguration": {"serverProtocol": "MCP", "path": "/shell"}}, "path is /shell, not None"),
        (
            {"authorizerConfiguration": {"customJWTAuthorizer": {"discoveryUrl": "https://evil.invalid/"}}},
            "authorizerConfiguration.customJWTAuthorizer.discoveryUrl is https://evil.invalid/, not None",
        ),
        (
            {"requestHeaderConfiguration": {"requestHeaderAllowlist": [TXN_HEADER, "Authorization"]}},
            "RequestHeaderAllowlist is ['Authorization'], not []",
        ),
        ({"lifecycleConfiguration": {"idleRuntimeSessionTimeout": 900}}, "MaxLifetime is None, not 28800"),
        ({"metadataConfiguration": {"requireMMDSV2": False}}, "MetadataConfiguration.RequireMMDSV2 is False, not True"),
        ({"metadataConfiguration": None}, "MetadataConfiguration.RequireMMDSV2 is None, not True"),
        (
            {"networkConfiguration": lambda there: with_s3(there, True)},
            "NetworkModeConfig.requireServiceS3Endpoint is True, not None",
        ),
        ({"allowedPorts": [{"port": 9999}]}, "allowedPorts is [{'port': 9999}], not []"),
    ],
)
def test_a_runtime_that_is_not_is_found(
    modelled: ModelledAccount, after: After, change: dict[str, Any], said: str
) -> None:
    modelled.says("bedrock-agentcore:GetAgentRuntime", runtime(after, **change))
    results = list(deployment.runtimes(after))
    assert verdicts(results) == {Verdict.WRONG}
    assert all(said in each.found for each in results)


@pytest.mark.parametrize(
    ("kind", "look"),
    [
        ("BedrockAgentCore::Gateway", deployment.gateways),
        ("BedrockAgentCore::Runtime", deployment.runtimes),
        ("BedrockAgentCore::GatewayTarget", deployment.targets),
        ("CloudTrail::Trail", trail.trail_delivery),
    ],
)
def test_one_that_is_missing_is_found(
    needs: Needs, modelled: ModelledAccount, after: After, kind: str, look: Callable[[After], Iterable[Result]]
) -> None:
    stacks = {
        name: replace(stack, resources=tuple(each for each in stack.resources if each.type != f"AWS::{kind}"))
        for name, stack in after.deployed.stacks.items()
    }
    vars(after)["deployed"] = Deployed(stacks)
    (result,) = look(after)
    assert result.verdict is Verdict.WRONG
    assert result.found.startswith(f"{needs.count(f'AWS::{kind}')} of the templates'")


def target(after: After, **changes: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A target as it must be, with changes."""

    def told(asked: dict[str, Any]) -> dict[str, Any]:
        ((persona, logical_id),) = [
            (stack.name.removeprefix(f"{NAME}-"), each.logical_id)
            for stack in after.deployed.stacks.values()
            for each in stack.resources
            if each.type.endswith("::GatewayTarget") and each.physical_id.endswith(f"|{asked['targetId']}")
        ]
        template = raw(after, persona, logical_id)
        runtime_id = physical(after, persona, logical_id.replace("Target", "Runtime"))
        arn = f"arn%3Aaws%3Abedrock-agentcore%3Aeu-west-2%3A111122223333%3Aruntime%2F{runtime_id}"
        address = "https://bedrock-agentcore.eu-west-2.amazonaws.com/runtimes"
        payload = template["TargetConfiguration"]["Mcp"]["McpServer"]["McpToolSchema"]["InlinePayload"]
        answer = {
            "gatewayArn": "arn:aws:bedrock-agentcore:eu-west-2:111122223333:gateway/x-abcdefghij",
            "targetId": asked["targetId"],
            "createdAt": THEN,
            "updatedAt": THEN,
            "status": "READY",
            "name": template["Name"],
            "description": template["Description"],
            "targetConfiguration": {
                "mcp": {
                    "mcpServer": {
                        "endpoint": f"{address}/{arn}/invocations?qualifier=DEFAULT",
                        "mcpToolSchema": {"inlinePayload": payload},
                        "listingMode": "DEFAULT",
                    }
                }
            },
            "credentialProviderConfigurations": [
                {
                    "credentialProviderType": "GATEWAY_IAM_ROLE",
                    "credentialProvider": {
                        "iamCredentialProvider": {"service": "bedrock-agentcore", "region": "eu-west-2"}
                    },
                }
            ],
            "metadataConfiguration": {"allowedRequestHeaders": [TXN_HEADER]},
        }
        return with_changes(answer, changes)

    return told


def server(**changes: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda there: {"mcp": {"mcpServer": {**there["mcp"]["mcpServer"], **changes}}}


def spoiled(spoil: Callable[[str], str]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The same target with another tool list."""

    def changed(there: dict[str, Any]) -> dict[str, Any]:
        listed = there["mcp"]["mcpServer"]["mcpToolSchema"]["inlinePayload"]
        return server(mcpToolSchema={"inlinePayload": spoil(listed)})(there)

    return changed


STRANGER = {
    "credentialProviderType": "OAUTH",
    "credentialProvider": {
        "oauthCredentialProvider": {"providerArn": "arn:aws:x:eu-west-2:999999999999:provider/x", "scopes": ["all"]}
    },
}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"targetConfiguration": server(endpoint="https://evil.invalid/mcp")}, "Endpoint is https://evil.invalid/mcp,"),
        ({"targetConfiguration": server(listingMode="DYNAMIC")}, "listingMode is DYNAMIC, not None"),
        ({"credentialProviderConfigurations": lambda there: [*there, STRANGER]}, "999999999999"),
        ({"credentialProviderConfigurations": [STRANGER]}, "999999999999"),
        (
            {"metadataConfiguration": {"allowedRequestHeaders": [TXN_HEADER, "Authorization"]}},
            "AllowedRequestHeaders is ['Authorization'], not []",
        ),
        (
            {
                "metadataConfiguration": {
                    "allowedRequestHeaders": [TXN_HEADER],
                    "allowedQueryParameters": ["qualifier"],
                }
            },
            "allowedQueryParameters is ['qualifier'], not []",
        ),
        (
            {
                "privateEndpoint": {
                    "selfManagedLatticeResource": {"resourceConfigurationIdentifier": "rcfg-0123456789abcdef0"}
                }
            },
            "resourceConfigurationIdentifier is rcfg-0123456789abcdef0, not None",
        ),
        ({"status": "FAILED", "statusReasons": ["no such tool"]}, "Status is FAILED, not READY"),
    ],
)
def test_a_target_that_leads_elsewhere_or_hands_on_more_is_found(
    modelled: ModelledAccount, after: After, change: dict[str, Any], said: str
) -> None:
    modelled.says("bedrock-agentcore:GetGatewayTarget", target(after, **change))
    results = list(deployment.targets(after))
    assert verdicts(results) == {Verdict.WRONG}
    assert all(said in each.found for each in results)


def test_targets_hold_the_templates_list(modelled: ModelledAccount, after: After) -> None:
    def say(spoil: Callable[[str], str]) -> None:
        modelled.says("bedrock-agentcore:GetGatewayTarget", target(after, targetConfiguration=spoiled(spoil)))

    say(lambda payload: payload)
    assert len(list(deployment.targets(after))) == 4
    assert not_right(deployment.targets(after)) == []
    say(lambda payload: payload.replace("additionalProperties", "additional"))
    assert verdicts(deployment.targets(after)) == {Verdict.WRONG}
    more = {"name": "made_by_hand", "description": "x", "inputSchema": {"type": "object"}}
    say(lambda payload: json.dumps({"tools": [*json.loads(payload)["tools"], more]}))
    assert verdicts(deployment.targets(after)) == {Verdict.WRONG}
    assert all(each.found == "its tool list differs from the template's in made_by_hand." for each in
               not_right(deployment.targets(after)))  # fmt: skip


def test_what_the_account_does_not_show_is_unknown_and_not_right(modelled: ModelledAccount, after: After) -> None:
    modelled.says("bedrock-agentcore:GetAgentRuntime", runtime(after))
    whole = after.deployed
    stack = whole.stacks[f"{NAME}-auditor"]
    less = tuple(each for each in stack.resources if each.type != "AWS::KMS::Key")
    answers = {each: runtime(after)({"agentRuntimeId": each}) for each in ids(after, "auditor", RUNTIME)}
    answers |= {each: runtime(after)({"agentRuntimeId": each}) for each in ids(after, "operator", RUNTIME)}
    modelled.says("bedrock-agentcore:GetAgentRuntime", lambda asked: answers[asked["agentRuntimeId"]])
    vars(after)["deployed"] = Deployed({**whole.stacks, stack.name: replace(stack, resources=less)})
    results = not_right(deployment.runtimes(after))
    assert len(results) == 3
    assert verdicts(results) == {Verdict.UNKNOWN}
    assert all("RINGFENCE_TXN_KEY_ARN is arn:aws:kms" in each.found for each in results)
    assert all("does not show" in each.found for each in results)


def policies_there(after: After) -> dict[str, list[dict[str, Any]]]:
    """The policies of every engine as they must be, by the engine's id."""
    found: dict[str, list[dict[str, Any]]] = {}
    for persona in ("auditor", "operator"):
        (engine,) = ids(after, persona, "BedrockAgentCore::PolicyEngine")
        (own,) = ids(after, persona, "BedrockAgentCore::Gateway")
        found[engine] = []
        for each in after.needs.assembly.stacks[f"{NAME}-{persona}"].resources.values():
            if each.type == "AWS::BedrockAgentCore::Policy":
                text = each.raw["Properties"]["Definition"]["Cedar"]["Statement"]["Fn::Sub"][0]
                arn = f"arn:aws:bedrock-agentcore:eu-west-2:111122223333:gateway/{own}"
                url = f"https://{own}.gateway.bedrock-agentcore.eu-west-2.amazonaws.com/mcp"
                said = text.replace("${GatewayArn}", arn).replace("${GatewayUrl}", url)
                found[engine].append(policy(each.raw["Properties"], engine, said))
    return found


def policy(template: Any, engine: str, statement: str) -> dict[str, Any]:
    return {
        "policyId": f"{template['Name']}-abcdefghij",
        "name": template["Name"],
        "description": template["Description"],
        "policyEngineId": engine,
        "createdAt": THEN,
        "updatedAt": THEN,
        "policyArn": f"{ENGINE}/policy/p-abcdefghij",
        "status": "ACTIVE",
        "enforcementMode": "ACTIVE",
        "statusReasons": [],
        "definition": {"cedar": {"statement": statement}},
    }


def policies_say(modelled: ModelledAccount, there: dict[str, list[dict[str, Any]]]) -> None:
    modelled.says("bedrock-agentcore:ListPolicies", lambda asked: {"policies": there[asked["policyEngineId"]]})


def test_every_cedar_policy_is_the_templates(modelled: ModelledAccount, after: After) -> None:
    policies_say(modelled, policies_there(after))
    (result,) = deployment.policies(after)
    assert (result.verdict, result.found) == (Verdict.RIGHT, "All 29 are active, and each as the template says.")


def test_as_many_policies_that_permit_everything_are_not_the_templates(modelled: ModelledAccount, after: After) -> None:
    there = policies_there(after)
    first, second = there
    count = len(there[first]) + len(there[second])
    anything = {"definition": {"cedar": {"statement": "permit(principal, action, resource);"}}}
    policies_say(modelled, {first: [there[first][0] | anything] * count, second: []})
    results = list(deployment.policies(after))
    assert verdicts(results) == {Verdict.WRONG}
    assert "permit(principal, action, resource);, not permit(" in results[0].found
    assert [each.found for each in results].count("No template holds it.") == count - 1
    assert [each.found for each in results].count("It is not there.") == count - 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"definition": {"cedar": {"statement": "permit(principal, action, resource);"}}},
            "Definition.Cedar.Statement",
        ),
        (
            {"definition": {"policy": {"statement": "permit(principal, action, resource);"}}},
            "Definition.policy.statement is permit",
        ),
        ({"enforcementMode": "LOG_ONLY"}, "EnforcementMode is LOG_ONLY, not ACTIVE"),
        ({"status": "CREATE_FAILED", "statusReasons": ["unexpected type"]}, "unexpected type"),
        ({"name": "made_by_hand"}, "No template holds it."),
    ],
)
def test_a_cedar_policy_that_is_not_the_templates_is_found(
    modelled: ModelledAccount, after: After, change: dict[str, Any], said: str
) -> None:
    there = policies_there(after)
    engine = next(iter(there))
    there[engine][0] |= change
    policies_say(modelled, there)
    results = list(deployment.policies(after))
    assert Verdict.RIGHT not in verdicts(results)
    assert said in results[0].found


def test_a_policy_in_the_other_engine_is_neither_there_nor_the_templates(
    modelled: ModelledAccount, after: After
) -> None:
    there = policies_there(after)
    first, second = there
    there[second].append(there[first].pop() | {"policyEngineId": second})
    policies_say(modelled, there)
    assert {each.found for each in deployment.policies(after)} == {"It is not there.", "No template holds it."}


def function(after: After, **changes: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A function as it must be, with changes. What its environment refers to is read from the templates."""

    def told(asked: dict[str, Any]) -> dict[str, Any]:
        (resource,) = [
            each
            for each in after.needs.assembly.of_type("AWS::Lambda::Function")
            if each.raw["Properties"]["FunctionName"] == asked["FunctionName"]
        ]
        template = {name: value for name, value in resource.properties.items() if name not in ("Code", "Tags")}
        zipped = after.needs.assembly.path / f"asset.{resource.properties['Code']['S3Key']}"
        answer = {
            **template,
            "KMSKeyArn": template["KmsKeyArn"],
            "CodeSha256": base64.b64encode(hashlib.sha256(zipped.read_bytes()).digest()).decode(),
            "CodeSize": 99,
            "Version": "$LATEST",
            "LastUpdateStatus": "Successful",
            "State": "Inactive",
            "TracingConfig": {"Mode": "PassThrough"},
            "VpcConfig": {**template.get("VpcConfig", {}), "VpcId": "vpc-0123456789abcdef0"},
        }
        answer = {name: value for name, value in answer.items() if name not in UNSAID_OF_FUNCTIONS}
        return with_changes(answer, changes)

    return told


UNSAID_OF_FUNCTIONS = ("KmsKeyArn", "ReservedConcurrentExecutions")


def test_functions_run_the_code_that_was_uploaded(modelled: ModelledAccount, after: After) -> None:
    modelled.says("lambda:GetFunctionConfiguration", function(after))
    results = list(deployment.functions(after))
    assert not_right(results) == []
    assert {f"function {NAME}-auditor-{point}" for point in ("request", "response")} < {e.subject for e in results}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"CodeSha256": "b2Ygc29tZWJvZHkgZWxzZQ=="}, "CodeSha256 is b2Ygc29tZWJvZHkgZWxzZQ==, not "),
        ({"Role": "arn:aws:iam::111122223333:role/administrator"}, "Role is arn:aws:iam::111122223333:role/admin"),
        (
            {"Environment": lambda there: {"Variables": {**there["Variables"], "PYTHONPATH": "/opt"}}},
            "Environment.Variables.PYTHONPATH is /opt, not None",
        ),
        ({"Handler": "other.handler"}, "Handler is other.handler, not "),
        ({"Layers": [{"Arn": "arn:aws:lambda:eu-west-2:999999999999:layer:x:1"}]}, "999999999999"),
        ({"VpcConfig": {"VpcId": "vpc-0123456789abcdef0"}}, "VpcConfig.SubnetIds is [], not"),
        ({"KMSKeyArn": None}, "KmsKeyArn is None, not"),
        ({"LastUpdateStatus": "Failed"}, "LastUpdateStatus is Failed, not Successful"),
    ],
)
def test_a_function_that_runs_something_else_is_found(
    modelled: ModelledAccount, after: After, change: dict[str, Any], said: str
) -> None:
    modelled.says("lambda:GetFunctionConfiguration", function(after, **change))
    (first, *_) = deployment.functions(after)
    assert first.verdict is Verdict.WRONG
    assert said in first.found


def test_an_environment_that_is_not_shown_is_unknown(modelled: ModelledAccount, after: After) -> None:
    hidden = {"Error": {"ErrorCode": "AccessDeniedException", "Message": "x"}}
    modelled.says("lambda:GetFunctionConfiguration", function(after, Environment=hidden))
    found = not_right(deployment.functions(after))
    assert verdicts(found) == {Verdict.UNKNOWN}
    assert found[0].found == "Its environment was not shown: AccessDeniedException."


def resource_policies_there(after: After) -> dict[str, str]:
    """The resource policies of the templates, by ARN."""
    return {
        each.properties["ResourceArn"]: each.properties["Policy"]
        for each in after.needs.assembly.of_type("AWS::BedrockAgentCore::ResourcePolicy")
    }


def resource_policies_say(modelled: ModelledAccount, there: dict[str, str]) -> None:
    modelled.says(
        "bedrock-agentcore:GetResourcePolicy",
        lambda asked: (
            {"policy": there[asked["resourceArn"]]}
            if asked["resourceArn"] in there
            else Fault("ResourceNotFoundException", status=404)
        ),
    )


@pytest.mark.parametrize(
    "status",
    ["CREATE_IN_PROGRESS", "CREATE_FAILED", "ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "DELETE_COMPLETE"],
)
def test_a_stack_that_is_not_complete_is_wrong(after: After, status: str) -> None:
    assert not_right(deployment.stacks(after)) == []
    name = f"{NAME}-audit"
    stacks = after.deployed.stacks
    vars(after)["deployed"] = Deployed({**stacks, name: replace(stacks[name], status=status)})
    (result,) = not_right(deployment.stacks(after))
    assert (result.verdict, result.subject, result.found) == (Verdict.WRONG, name, f"{status}.")


def test_what_a_service_does_not_say_is_compared_where_it_says_it_after_all() -> None:
    unsaid = Answer(unsaid=("Secret",))
    assert list(differences({"Secret": "a"}, {}, unsaid)) == []
    assert list(differences({"Secret": "a"}, {"secret": "a"}, unsaid)) == []
    assert [each.said for each in differences({"Secret": "a"}, {"secret": "b"}, unsaid)] == ["Secret is b, not a"]


ANYBODY = {"Effect": "Allow", "Principal": "*", "Action": "bedrock-agentcore:*", "Resource": "*"}


def test_gateways_and_runtimes_are_called_by_whom_the_templates_name(modelled: ModelledAccount, after: After) -> None:
    there = resource_policies_there(after)
    resource_policies_say(modelled, there)
    results = list(deployment.resource_policies(after))
    assert not_right(results) == []
    assert len(results) == len(there) == 2 + 2 * 4, "two gateways, and four runtimes with an endpoint each"
    arn = next(arn for arn in there if ":gateway/" in arn)
    for spoiled in (
        {**there, arn: json.dumps({"Version": "2012-10-17", "Statement": [ANYBODY]})},
        {
            **there,
            arn: json.dumps(json.loads(there[arn]) | {"Statement": [*json.loads(there[arn])["Statement"], ANYBODY]}),
        },
        {**there, arn: json.dumps(json.loads(there[arn]) | {"Statement": json.loads(there[arn])["Statement"][:-1]})},
        {name: text for name, text in there.items() if name != arn},
    ):
        resource_policies_say(modelled, spoiled)
        (result,) = not_right(deployment.resource_policies(after))
        assert (result.verdict, result.subject) == (
            Verdict.WRONG,
            f"resource policy of gateway/{arn.rpartition('/')[2]}",
        )


@pytest.mark.parametrize("at", [":gateway/[^/]+", ":runtime/[^/]+", ":runtime/[^/]+/runtime-endpoint/DEFAULT"])
def test_a_resource_policy_that_no_template_has_is_found(
    modelled: ModelledAccount, after: After, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    there = resource_policies_there(after)
    arn = next(arn for arn in there if re.search(f"{at}$", arn))
    of_type = Assembly.of_type
    monkeypatch.setattr(
        Assembly,
        "of_type",
        lambda assembly, *kinds: [
            each for each in of_type(assembly, *kinds) if each.raw.get("Properties", {}).get("ResourceArn") is None
        ],
    )
    resource_policies_say(modelled, {arn: there[arn]})
    (result,) = not_right(deployment.resource_policies(after))
    assert result.verdict is Verdict.WRONG
    assert "Policy.Statement is" in result.found


def function_policies_say(modelled: ModelledAccount, there: dict[str, dict[str, Any]]) -> None:
    modelled.says(
        "lambda:GetPolicy",
        lambda asked: (
            {"Policy": json.dumps(there[asked["FunctionName"]])}
            if asked["FunctionName"] in there
            else Fault("ResourceNotFoundException", status=404)
        ),
    )


def invoked_by(after: After, sid: str = "ringfence-UserPoolMayCallPreToken-0A", **changes: Any) -> dict[str, Any]:
    """The policy of the pre-token function as Lambda's guide writes one, its statement with changes."""
    (pool,) = ids(after, "identity", "Cognito::UserPool")
    statement = {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"Service": "cognito-idp.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": f"arn:aws:lambda:eu-west-2:111122223333:function:{NAME}-pre-token",
        "Condition": {
            "StringEquals": {"AWS:SourceAccount": "111122223333"},
            "ArnLike": {"AWS:SourceArn": f"arn:aws:cognito-idp:eu-west-2:111122223333:userpool/{pool}"},
        },
    }
    return {"Version": "2012-10-17", "Id": "default", "Statement": [{**statement, **changes}]}


def test_functions_are_invoked_by_whom_the_templates_name(modelled: ModelledAccount, after: After) -> None:
    function_policies_say(modelled, {f"{NAME}-pre-token": invoked_by(after)})
    results = list(deployment.function_policies(after))
    assert not_right(results) == []
    assert len(results) == 6, "two interceptors of each persona, the pre-token function and the groups' keeper"


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("auditor-request", {"Principal": {"AWS": "arn:aws:iam::999999999999:root"}, "Condition": {}}),
        ("pre-token", {"Condition": {}}),
        ("pre-token", {"Principal": "*"}),
        ("pre-token", {"Action": "lambda:*"}),
    ],
)
def test_a_function_that_somebody_else_may_invoke_is_found(
    modelled: ModelledAccount, after: After, name: str, changes: dict[str, Any]
) -> None:
    there = {f"{NAME}-pre-token": invoked_by(after)}
    function_policies_say(modelled, there | {f"{NAME}-{name}": invoked_by(after, **changes)})
    (result,) = not_right(deployment.function_policies(after))
    assert (result.verdict, result.subject) == (Verdict.WRONG, f"resource policy of the function {NAME}-{name}")


def test_a_permission_that_somebody_took_away_is_found(modelled: ModelledAccount, after: After) -> None:
    function_policies_say(modelled, {})
    (result,) = not_right(deployment.function_policies(after))
    assert (result.verdict, result.subject) == (Verdict.WRONG, f"resource policy of the function {NAME}-pre-token")


HELD = {
    "ListGatewayTargets": "items",
    "ListGatewayRules": "gatewayRules",
    "ListGatewayRateLimits": "rateLimits",
    "ListAgentRuntimeEndpoints": "runtimeEndpoints",
}


def held_say(modelled: ModelledAccount, after: After, spoiled: str = "", change: Any = None) -> None:
    """What every gateway and runtime holds as it must be; one list of the auditor's changed by a function."""
    (auditors,) = ids(after, "auditor", GATEWAY)
    targets = {auditors: ids(after, "auditor", f"{GATEWAY}Target")}
    targets[ids(after, "operator", GATEWAY)[0]] = ids(after, "operator", f"{GATEWAY}Target")

    def held(action: str, holder: str) -> list[dict[str, Any]]:
        if action == "ListGatewayTargets":
            known = [each.rpartition("|")[2] for each in targets[holder]]
            return [listed_target(each) for each in known]
        if action == "ListGatewayRateLimits":
            return [rate_limit(holder)]
        return [runtime_endpoint(holder, "DEFAULT")] if action == "ListAgentRuntimeEndpoints" else []

    def says(action: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
        def told(asked: dict[str, Any]) -> dict[str, Any]:
            (holder,) = asked.values()
            first = auditors if action.startswith("ListGateway") else ids(after, "auditor", RUNTIME)[0]
            there = held(action, holder)
            return {HELD[action]: change(there, holder) if (action, holder) == (spoiled, first) else there}

        return told

    for action in HELD:
        modelled.says(f"bedrock-agentcore:{action}", says(action))


def listed_target(identifier: str) -> dict[str, Any]:
    times = {"createdAt": THEN, "updatedAt": THEN}
    return {"targetId": identifier, "name": "iam", "status": "READY", "targetType": "MCP_SERVER", **times}


def rule(gateway: str) -> dict[str, Any]:
    arn = f"arn:aws:bedrock-agentcore:eu-west-2:111122223333:gateway/{gateway}"
    route = {"routeToTarget": {"staticRoute": {"targetName": "elsewhere"}}}
    there = {
        "ruleId": "00000000-0000-4000-8000-000000000000",
        "gatewayArn": arn,
        "priority": 1,
        "actions": [route],
        "status": "ACTIVE",
    }
    return {**there, "createdAt": THEN}


def rate_limit(gateway: str, **changes: Any) -> dict[str, Any]:
    entry = {
        "dimensions": {"toolName": "*", "$.context.jwt.sub": "*"},
        "requests": [{"rate": 60.0, "period": "minute"}],
    }
    return {
        "rateLimitId": "tool-and-person",
        "gatewayIdentifier": gateway,
        "description": "Calls of one tool by one person.",
        "dimensionKeys": ["toolName", "$.context.jwt.sub"],
        "entries": [entry],
        "status": "ACTIVE",
        "createdAt": THEN,
        "updatedAt": THEN,
        **changes,
    }


def runtime_endpoint(runtime: str, name: str) -> dict[str, Any]:
    arn = f"arn:aws:bedrock-agentcore:eu-west-2:111122223333:runtime/{runtime}"
    there = {"agentRuntimeArn": arn, "agentRuntimeEndpointArn": f"{arn}/runtime-endpoint/{name}", "status": "READY"}
    return {**there, "name": name, "id": name, "createdAt": THEN, "lastUpdatedAt": THEN}


def test_gateways_and_runtimes_hold_nothing_but_the_templates(modelled: ModelledAccount, after: After) -> None:
    held_say(modelled, after)
    results = list(deployment.added(after))
    assert not_right(results) == []
    assert len(results) == 2 * 2 + 4, "targets and limits of two gateways, endpoints of four runtimes"


@pytest.mark.parametrize(
    ("action", "change", "said"),
    [
        ("ListGatewayTargets", lambda there, _: [*there, listed_target("ABCDEFGHIJ")], "No template holds it."),
        ("ListGatewayRules", lambda _, holder: [rule(holder)], "No template holds it."),
        ("ListGatewayRateLimits", lambda _, __: [], "It is not there."),
        (
            "ListGatewayRateLimits",
            lambda there, holder: [*there, rate_limit(holder, rateLimitId="more")],
            "No template holds it.",
        ),
        (
            "ListGatewayRateLimits",
            lambda _, holder: [rate_limit(holder, dimensionKeys=["toolName"])],
            "DimensionKeys is [], not ['$.context.jwt.sub'].",
        ),
        (
            "ListAgentRuntimeEndpoints",
            lambda there, holder: [*there, runtime_endpoint(holder, "open")],
            "No template holds it.",
        ),
    ],
)
def test_what_somebody_added_to_a_gateway_or_a_runtime_is_found(
    modelled: ModelledAccount, after: After, action: str, change: Any, said: str
) -> None:
    held_say(modelled, after, action, change)
    (result,) = not_right(deployment.added(after))
    assert (result.verdict, result.found) == (Verdict.WRONG, said)


def endpoints_there(after: After) -> list[dict[str, Any]]:
    """The VPC endpoints as they must be; the one of S3 routes, and answers under no name."""
    stack, (vpc,) = after.needs.assembly.stacks[f"{NAME}-network"], ids(after, "network", "EC2::VPC")
    found = []
    for each in stack.resources.values():
        if each.type == "AWS::EC2::VPCEndpoint":
            properties = each.raw["Properties"]
            place: dict[str, Any] = {
                "RouteTableIds": [physical(after, "network", "LocalRoutes")],
                "SubnetIds": [],
                "Groups": [],
            }
            if properties["VpcEndpointType"] == "Interface":
                place = {
                    "RouteTableIds": [],
                    "SubnetIds": [physical(after, "network", name) for name in ("SubnetB", "SubnetA")],
                    "Groups": [{"GroupId": physical(after, "network", "GateEndpoints"), "GroupName": "made-by-ec2"}],
                    "NetworkInterfaceIds": ["eni-0a"],
                    "DnsEntries": [{"DnsName": "vpce-0a.kms.eu-west-2.vpce.amazonaws.com", "HostedZoneId": "Z0A"}],
                }
            there = {
                "VpcEndpointId": physical(after, "network", each.logical_id),
                "VpcId": vpc,
                "VpcEndpointType": properties["VpcEndpointType"],
                "ServiceName": properties["ServiceName"],
                "ServiceRegion": "us-east-1" if properties["ServiceName"] == "com.amazonaws.iam" else "eu-west-2",
                "State": "available",
                "PolicyDocument": json.dumps(properties["PolicyDocument"], indent=1),
                "PrivateDnsEnabled": properties["VpcEndpointType"] == "Interface",
                "RequesterManaged": False,
                "IpAddressType": "ipv4",
                "DnsOptions": {"DnsRecordIpType": "ipv4"},
                "CreationTimestamp": THEN,
                "OwnerId": "111122223333",
                "Tags": [{"Key": "aws:cloudformation:stack-name", "Value": stack.name}],
            }
            found.append({**there, **place})
    return found


def endpoints_say(modelled: ModelledAccount, there: list[dict[str, Any]]) -> None:
    def told(asked: dict[str, Any]) -> dict[str, Any]:
        ((name, vpcs),) = [(each["Name"], each["Values"]) for each in asked["Filters"]]
        assert name == "vpc-id"
        return {"VpcEndpoints": [each for each in there if each["VpcId"] in vpcs]}

    modelled.says("ec2:DescribeVpcEndpoints", told)


def test_endpoints_are_the_templates(modelled: ModelledAccount, after: After) -> None:
    endpoints_say(modelled, endpoints_there(after))
    results = list(deployment.endpoints(after))
    assert not_right(results) == []
    assert len(results) == 7


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"PrivateDnsEnabled": False}, "PrivateDnsEnabled is False, not True"),
        ({"State": "pending"}, "State is pending, not available"),
        (
            {"PolicyDocument": json.dumps({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*"}]})},
            "PolicyDocument.Statement is [{'Effect': ['Allow']",
        ),
        ({"PolicyDocument": None}, "PolicyDocument.Statement is [], not"),
        ({"Groups": [{"GroupId": "sg-0123456789abcdef0", "GroupName": "everybody"}]}, "sg-0123456789abcdef0"),
        ({"SubnetIds": lambda there: [*there, "subnet-0123456789abcdef0"]}, "['subnet-0123456789abcdef0'], not []"),
        ({"ServiceName": "com.amazonaws.vpce.eu-west-2.vpce-svc-0a"}, "vpce-svc-0a, not com.amazonaws"),
        ({"ServiceRegion": "eu-west-1"}, "erviceRegion is eu-west-1, not "),
        ({"VpcId": "vpc-0123456789abcdef0"}, "It is not in the department's network."),
    ],
)
def test_an_endpoint_that_is_not_the_templates_is_found(
    modelled: ModelledAccount, after: After, change: dict[str, Any], said: str
) -> None:
    there = endpoints_there(after)
    changed = next(number for number, each in enumerate(there) if each["VpcEndpointType"] == "Interface")
    there[changed] = with_changes(there[changed], change)
    endpoints_say(modelled, there)
    (result,) = not_right(deployment.endpoints(after))
    assert result.verdict is Verdict.WRONG
    assert said in result.found


def test_an_endpoint_that_no_template_holds_is_found(modelled: ModelledAccount, after: After) -> None:
    more = {**endpoints_there(after)[0], "VpcEndpointId": "vpce-0123456789abcdef0"}
    endpoints_say(modelled, [*endpoints_there(after), more])
    (result,) = not_right(deployment.endpoints(after))
    assert (result.verdict, result.found) == (Verdict.WRONG, "No template holds it.")
    assert "vpce-0123456789abcdef0" in result.subject


def test_a_right_that_is_missing_is_named(modelled: ModelledAccount, after: After) -> None:
    modelled.says("bedrock-agentcore:GetGateway", Fault("AccessDeniedException", status=403))
    (check,) = [each for each in CHECKS if each.name == "gateway"]
    (result,) = check.results(after)
    assert result.missing_action == "bedrock-agentcore:GetGateway"


def test_another_account_ends_it_before_anybody_signs_in(modelled: ModelledAccount, after: After) -> None:
    modelled.says("sts:GetCallerIdentity", {"Account": "444455556666", "Arn": "arn:aws:iam::444455556666:user/x"})
    assert not is_the_departments(after)
    results = look(after)
    assert verdicts(results["account"]) == {Verdict.WRONG}
    assert {each.verdict for name, found in results.items() if name != "account" for each in found} == {Verdict.UNKNOWN}


def test_people_sign_in_with_a_host_of_this_machine(after: After, needs: Needs) -> None:
    wanted = sign_in_with(needs, after.deployed, "operator", None)
    assert wanted.domain == "https://ringfence-example-production.auth.eu-west-2.amazoncognito.com"
    assert (wanted.callback, wanted.scope) == ("http://localhost:33410/callback", "openid ringfence/operator")
    bare = sign_in_with(needs, after.deployed, "operator", None, openid=False)
    assert bare == replace(wanted, scope="ringfence/operator")
    with pytest.raises(CannotStart, match="on this machine"):
        sign_in_with(needs, after.deployed, "operator", "web-assistant")


def test_safe_calls_only_read_and_choose_no_value(needs: Needs, sandbox_needs: Needs) -> None:
    for each in (needs, sandbox_needs):
        for persona in each.department.personas:
            levels = {
                f"{server.name}___{tool.name}": tool.level
                for server, tool in each.catalogue.granted(persona, each.department)
            }
            assert {levels[name] for name in safe_calls(each, persona)} == {"read"}
    assert all(arguments == {} for arguments in safe_calls(needs, "auditor").values())


class TestDrills:
    """Each changes one thing, and gives it back in any case."""

    @pytest.fixture
    def changed(self, modelled: ModelledAccount) -> list[tuple[str, Any]]:
        changes: list[tuple[str, Any]] = []

        def put(asked: dict[str, Any]) -> dict[str, Any]:
            changes.append((asked["FunctionName"], asked["ReservedConcurrentExecutions"]))
            return {"ReservedConcurrentExecutions": asked["ReservedConcurrentExecutions"]}

        def delete(asked: dict[str, Any]) -> dict[str, Any]:
            changes.append((asked["FunctionName"], None))
            return {}

        modelled.says("lambda:PutFunctionConcurrency", put).says("lambda:DeleteFunctionConcurrency", delete)
        modelled.says("lambda:GetFunctionConcurrency", {"ReservedConcurrentExecutions": 20})
        return changes

    def test_nothing_is_changed_unasked(self, after: After, changed: list[tuple[str, Any]]) -> None:
        assert not [*drills.interceptor_failure(after), *drills.around_the_gateway(after)]
        assert not changed

    @pytest.mark.parametrize(("had", "back"), [({"ReservedConcurrentExecutions": 20}, 20), ({}, None)])
    def test_what_a_function_had_is_given_back(
        self, modelled: ModelledAccount, after: After, changed: list[tuple[str, Any]], had: dict[str, Any], back: Any
    ) -> None:
        modelled.says("lambda:GetFunctionConcurrency", had)
        results = list(drills.interceptor_failure(replace(after, drill=True)))
        first, second = "ringfence-example-production-auditor-request", "ringfence-example-production-auditor-response"
        assert changed == [(first, 0), (first, back), (second, 0), (second, back)]
        # Nothing listens at the address that the templates' reader invents: nothing is answered.
        assert verdicts(results) <= {Verdict.RIGHT, Verdict.UNKNOWN}

    def test_it_is_given_back_when_somebody_interrupts(
        self, after: After, changed: list[tuple[str, Any]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupted(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("ringfence.live.verification.drills.Caller.call", interrupted)
        with pytest.raises(KeyboardInterrupt):
            list(drills.interceptor_failure(replace(after, drill=True)))
        assert [value for _, value in changed] == [0, 20]

    def test_an_answer_without_an_interceptor_is_wrong(
        self, after: After, changed: list[tuple[str, Any]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("ringfence.live.verification.drills.Caller.call", lambda *_: ANSWER)
        results = list(drills.interceptor_failure(replace(after, drill=True)))
        assert verdicts(results) == {Verdict.WRONG}
        assert "unredacted" in results[1].remedy

    def test_no_answer_at_all_says_nothing(
        self, after: After, changed: list[tuple[str, Any]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("ringfence.live.verification.drills.Caller.call", lambda *_: NOTHING)
        assert verdicts(drills.interceptor_failure(replace(after, drill=True))) == {Verdict.UNKNOWN}

    def test_a_runtime_must_refuse_its_administrator(self, modelled: ModelledAccount, after: After) -> None:
        modelled.says("bedrock-agentcore:InvokeAgentRuntime", Fault("AccessDeniedException", status=403))
        assert verdicts(drills.around_the_gateway(replace(after, drill=True))) == {Verdict.RIGHT}
        modelled.says("bedrock-agentcore:InvokeAgentRuntime", {"contentType": "application/json"})
        assert verdicts(drills.around_the_gateway(replace(after, drill=True))) == {Verdict.WRONG}


POINT = Point(id="LIVE-99", claim="claim", owner="owner", command="command", how="how", check=("one", "two"))


@pytest.mark.parametrize(
    ("one", "two", "state"),
    [
        ([right("a", "b")], [right("a", "b")], "closed"),
        ([right("a", "b")], [unknown("a", "b", "c")], "open"),
        ([right("a", "b")], [], "open"),
        ([wrong("a", "b", "c")], [unknown("a", "b", "c")], "not as it must be"),
        ([wrong("a", "b", "c")], [], "not as it must be"),
    ],
)
def test_a_point_is_closed_by_all_of_its_checks(one: list[Result], two: list[Result], state: str) -> None:
    assert evidence.state_of(POINT, {"one": one, "two": two}) == state


def test_a_point_without_a_check_and_one_with_a_rest_stay_open() -> None:
    found = {"one": [right("a", "b")], "two": [right("a", "b")]}
    assert evidence.state_of(POINT.model_copy(update={"check": ()}), found) == "open"
    assert evidence.state_of(POINT.model_copy(update={"by_hand": "more"}), found) == "open by hand"


def test_the_evidence_is_written_as_json_and_as_a_page(after: After, tmp_path: Path) -> None:
    found = {check.name: [unknown("<x>", "a|b", "c")] for check in CHECKS}
    found["account"] = list(CHECKS[0].results(after))
    machine, page = evidence.write(tmp_path / "deep", evidence.as_json(after, read_points(), found))
    told = json.loads(machine.read_text())
    assert {point["state"] for point in told["points"]} == {"open"}
    assert set(told["checks"]) == {check.name for check in CHECKS}
    text = page.read_text()
    assert all(point.id in text for point in read_points())
    assert "<x>" not in text
    assert "a.b.c" not in machine.read_text() + text
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
    for row in (
        "| department | example-production |",
        "| account | 111122223333, as arn:aws:sts::111122223333:assumed-role/Engineer/someone. |",
        "| region | eu-west-2 |",
        "| persona | auditor |",
        f"| date | {told['started']} |",
        f"| commit | {head.stdout.strip()}",
    ):
        assert row in text
    assert told["account"] == "111122223333"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (sdk.NoCredentialsError(), "sts:GetCallerIdentity was not answered (credentials)"),
        (Fault("ExpiredToken"), "ExpiredToken"),
        ({"Account": "444455556666", "Arn": "arn:aws:iam::444455556666:user/x"}, "belong to account 444455556666"),
    ],
)
def test_evidence_of_an_account_that_is_not_known_says_that_it_is_about_none(
    modelled: ModelledAccount, after: After, tmp_path: Path, answer: Any, said: str
) -> None:
    modelled.says("sts:GetCallerIdentity", answer)
    told = evidence.as_json(after, read_points(), look(after))
    _, page = evidence.write(tmp_path / "none", told)
    (row,) = [line for line in page.read_text().splitlines() if line.startswith("| account |")]
    assert told["account"] is None
    assert "not known, so nothing below is about 111122223333" in row
    assert said in row


def test_evidence_of_another_time_or_persona_is_never_written_over(after: After, tmp_path: Path) -> None:
    looks = [after, replace(after, persona="operator"), replace(after, started=after.started + 60)]
    for each in looks:
        told = evidence.as_json(each, read_points(), {})
        evidence.write(evidence.folder_of(tmp_path, each), told)
    with pytest.raises(FileExistsError):
        evidence.write(evidence.folder_of(tmp_path, after), {})
    kept = sorted((tmp_path / "example-production").iterdir())
    assert len(kept) == 3
    assert all(json.loads((each / "evidence.json").read_text())["points"] for each in kept)
    moment = datetime.fromtimestamp(after.started, UTC)
    assert f"{moment:%Y-%m-%d-%H%M%S}-operator" in {each.name for each in kept}


def test_a_folder_that_is_no_clone_has_no_commit(tmp_path: Path) -> None:
    assert evidence.commit(tmp_path) == "not known: this folder is no clone"


def test_what_is_changed_and_not_committed_is_told(tmp_path: Path) -> None:
    def git(*words: str) -> str:
        command = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", *words]
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "--quiet")
    (tmp_path / "file").write_text("one")
    git("add", "file")
    git("commit", "--quiet", "-m", "one")
    git("tag", "-a", "v1", "-m", "one")
    assert evidence.commit(tmp_path) == git("rev-parse", "HEAD")
    (tmp_path / "file").write_text("two")
    assert evidence.commit(tmp_path) == f"{git('rev-parse', 'HEAD')}, with changes that are not committed"
