"""Promises that hold for every resource of every stack, whoever wrote it."""

from __future__ import annotations

import fnmatch
import json
import re
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ringfence.compilers.iam import service_boundary
from ringfence.reading.region import foreign_regions
from tests.waiting import LAST_RESORT_SECONDS

# What delivers its log through `delivery.logs.amazonaws.com`.
DELIVERIES = {
    "AWS::Cognito::LogDeliveryConfiguration",
    "AWS::Route53Resolver::ResolverQueryLoggingConfig",
    "AWS::WAFv2::LoggingConfiguration",
}


def test_every_log_group_keeps_731_days_under_the_log_key_and_masks(synthesised: Any) -> None:
    groups = list(synthesised.resources("AWS::Logs::LogGroup"))
    # Cognito writes to no group that is encrypted with AWS KMS; it is the only one.
    sign_ins = f"/ringfence/{synthesised.department.name}/sign-ins"

    assert len(groups) >= 8
    assert [each.properties["LogGroupName"] for each in groups if "KmsKeyId" not in each.properties] == [sign_ins]
    for group in groups:
        assert group.properties["RetentionInDays"] == 731, str(group)
        if group.properties["LogGroupName"] != sign_ins:
            assert "LogKey" in json.dumps(group.properties["KmsKeyId"]), str(group)
        assert group.properties["DataProtectionPolicy"]["Statement"], str(group)
        assert group.whole["DeletionPolicy"] == "Retain", str(group)


def test_no_template_makes_a_log_group_that_agentcore_may_have_made(synthesised: Any) -> None:
    runtimes = list(synthesised.resources("AWS::BedrockAgentCore::Runtime"))
    kept = [text_of(each.properties["LogGroupName"]) for each in synthesised.resources("Custom::RuntimeLogGroup")]
    made = [text_of(each.properties["LogGroupName"]) for each in synthesised.resources("AWS::Logs::LogGroup")]

    assert kept == ["/aws/bedrock-agentcore/runtimes/X-DEFAULT"] * len(runtimes)
    assert not [name for name in made if name.startswith("/aws/bedrock-agentcore/")]


def test_log_delivery_may_write_to_every_group_that_is_delivered_to(synthesised: Any) -> None:
    document = json.loads(synthesised.only("audit", "LogDelivery").properties["PolicyDocument"])
    may = [resource.split(":log-group:")[1] for resource in document["Statement"][0]["Resource"]]
    groups = {(each.stack, each.logical_id): each for each in synthesised.resources("AWS::Logs::LogGroup")}
    delivered = [each for kind in DELIVERIES for each in synthesised.resources(kind)]

    assert {each.type for each in delivered} == DELIVERIES
    for each in delivered:
        named = set(re.findall(r'"(?:Ref|Fn::GetAtt)": \[?"(\w+)"', json.dumps(each.properties)))
        (group,) = [groups[each.stack, name] for name in named if (each.stack, name) in groups]
        name = text_of(group.properties["LogGroupName"])
        assert any(fnmatch.fnmatchcase(f"{name}:log-stream:x", pattern) for pattern in may), f"{each}: {name}"


def _allowing(part: Any) -> Any:
    """A template without what it denies."""
    if isinstance(part, dict):
        return {key: _allowing(each) for key, each in part.items()}
    if isinstance(part, list):
        return [_allowing(each) for each in part if not (isinstance(each, dict) and each.get("Effect") == "Deny")]
    return part


def test_nothing_of_one_department_names_what_belongs_to_another(assemblies: dict[str, Any]) -> None:
    """Names of log groups, runtimes and functions, held against every resource that a policy of the other admits."""
    for name, synthesised in assemblies.items():
        theirs = {
            text_of(each.properties[field])
            for kind, field in (
                ("AWS::Logs::LogGroup", "LogGroupName"),
                ("AWS::BedrockAgentCore::Runtime", "AgentRuntimeName"),
                ("AWS::Lambda::Function", "FunctionName"),
            )
            for other in assemblies
            if other != name
            for each in assemblies[other].resources(kind)
        }
        admitted = {
            match
            for template in synthesised.templates.values()
            for match in re.findall(
                r'arn:aws:(?:logs|lambda|bedrock-agentcore):[^"\\ ]+', json.dumps(_allowing(template))
            )
            # A boundary names every log group, policy engine and gateway, where each role's policy names some.
            if not re.search(r":(?:log-group:|policy-engine/|gateway/)\*$", match)
        }
        assert any("ringfence" in each for each in admitted) and len(theirs) > 20
        found = [
            (each, pattern)
            for each in sorted(theirs)
            for pattern in sorted(admitted)
            for part in [re.split(r":log-group:|:function:|runtime/", pattern)[-1]]
            if part.strip("*:") and fnmatch.fnmatchcase(each, part.split(":log-stream:")[0].removesuffix(":*"))
        ]
        assert found == []


def test_no_service_delivers_what_callers_ask_and_are_answered(synthesised: Any) -> None:
    """AgentCore's APPLICATION_LOGS, of gateways and of runtimes, hold the bodies of requests and answers."""
    delivered = [
        each for kind in ("Delivery", "DeliverySource") for each in synthesised.resources(f"AWS::Logs::{kind}")
    ]
    document = synthesised.only("audit", "LogDelivery").properties["PolicyDocument"]

    assert delivered == []
    assert "/aws/vendedlogs/" not in document, "nor may log delivery write there"


def test_every_role_has_a_boundary_and_no_managed_policy_of_aws(synthesised: Any) -> None:
    roles = list(synthesised.resources("AWS::IAM::Role"))

    assert roles
    for role in roles:
        assert "PermissionsBoundary" in role.properties, str(role)
        assert ":aws:policy/" not in json.dumps(role.properties.get("ManagedPolicyArns", [])), str(role)


# Services whose documentation says that they cannot be held to a source when they take a role, or does not say that
# they send one: a trust that asks for it fails the first deployment.
WITHOUT_SOURCE = {"cloudtrail.amazonaws.com", "lambda.amazonaws.com"}

# A role that a call hands to CloudFormation: nobody of another account can hand it over, and the service does not
# document these keys for the role of a stack.
HANDED_OVER = "cloudformation.amazonaws.com"


def test_no_role_trusts_a_service_without_saying_on_whose_behalf(synthesised: Any) -> None:
    account = synthesised.department.account
    for role in synthesised.resources("AWS::IAM::Role"):
        for trust in role.properties["AssumeRolePolicyDocument"]["Statement"]:
            if trust["Principal"] == {"Service": HANDED_OVER}:
                assert trust["Condition"] == {"StringEqualsIfExists": {"aws:SourceAccount": account}}, str(role)
            elif trust["Principal"].get("Service") in WITHOUT_SOURCE:
                held = {"lambda.amazonaws.com": {"StringEqualsIfExists": {"aws:SourceAccount": account}}}
                assert trust.get("Condition") == held.get(trust["Principal"]["Service"]), str(role)
                assert "Its trust names no source:" in role.whole["Metadata"]["ringfence:control"], str(role)
            elif "Service" in trust["Principal"]:
                assert trust["Condition"]["StringEquals"]["aws:SourceAccount"] == account, str(role)
                assert "aws:SourceArn" in trust["Condition"]["ArnLike"], str(role)


def test_service_roles_ask_for_nothing_that_their_boundary_refuses(synthesised: Any) -> None:
    boundary = service_boundary(synthesised.department)
    may = [
        action
        for statement in boundary["Statement"]
        if statement["Effect"] == "Allow"
        for action in listed(statement["Action"])
    ]
    bounded = {
        (role.stack, role.logical_id)
        for role in synthesised.resources("AWS::IAM::Role")
        if "ServiceBoundary" in json.dumps(role.properties["PermissionsBoundary"])
    }
    asked = 0
    for policy in synthesised.resources("AWS::IAM::ManagedPolicy"):
        holders = {(policy.stack, role.get("Ref")) for role in policy.properties.get("Roles", [])}
        if not holders & bounded:
            continue
        for statement in policy.properties["PolicyDocument"]["Statement"]:
            if statement["Effect"] == "Allow":
                for action in listed(statement["Action"]):
                    asked += 1
                    assert any(fnmatch.fnmatchcase(action, pattern) for pattern in may), f"{policy}: {action}"
    assert asked > 10


def test_acknowledged_findings_stand_beside_resources_with_a_reason(synthesised: Any) -> None:
    for stack, template in synthesised.templates.items():
        accepted: Counter[str] = Counter()
        for logical_id, resource in template["Resources"].items():
            for rule in resource.get("Metadata", {}).get("cdk_nag", {}).get("rules_to_suppress", []):
                assert len(rule["reason"]) > 40, f"{stack} {logical_id}: {rule}"
                accepted[rule["id"]] += 1
        assert all(count < len(template["Resources"]) / 2 for count in accepted.values()), "covers a whole stack"


def test_no_setting_names_another_region_but_iams(synthesised: Any) -> None:
    elsewhere = {
        each.logical_id: each.type for each in synthesised.resources() if foreign_regions(json.dumps(each.properties))
    }

    assert elsewhere.pop("EndpointIam") == "AWS::EC2::VPCEndpoint"
    # A tool's description is its author's text, and may mention any region; it sets nothing.
    assert set(elsewhere.values()) <= {"AWS::IAM::ManagedPolicy", "AWS::BedrockAgentCore::GatewayTarget"}


def test_two_syntheses_give_the_same_bytes(
    assemblies: dict[str, Any], synthesise: Callable[[str, Path], subprocess.Popen[str]], tmp_path: Path
) -> None:
    process = synthesise("example-sandbox", tmp_path / "again")
    _, said = process.communicate(timeout=LAST_RESORT_SECONDS)

    assert process.returncode == 0, said
    first = {path.name: path.read_bytes() for path in assemblies["example-sandbox"].folder.iterdir()}
    second = {path.name: path.read_bytes() for path in (tmp_path / "again").iterdir()}
    assert sorted(first) == sorted(second)
    assert [name for name in first if first[name] != second[name]] == []


def text_of(value: Any) -> str:
    """A name in which references stand as a word."""
    return value if isinstance(value, str) else "".join(p if isinstance(p, str) else "X" for p in value["Fn::Join"][1])


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
