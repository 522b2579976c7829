"""Whoever a policy comes to name, and whoever's code comes to run, is told and wants confirming by name."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from ringfence.deployment.changes import changes
from ringfence.deployment.templates import in_folder
from tests.conftest import Synthesised

FRIEND = "arn:aws:iam::999988887777:root"
DEPARTMENT = "example-production"
Resources = dict[str, Any]


def trusting(resources: Resources, logical_id: str) -> None:
    statement = resources[logical_id]["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]
    named = statement["Principal"].get("AWS", [])
    statement["Principal"]["AWS"] = [*(named if isinstance(named, list) else [named]), FRIEND]


def using(resources: Resources, logical_id: str) -> None:
    resources[logical_id]["Properties"]["KeyPolicy"]["Statement"].append(
        {"Sid": "AllowFriend", "Effect": "Allow", "Principal": {"AWS": FRIEND}, "Action": "kms:*", "Resource": "*"}
    )


def calling(resources: Resources, logical_id: str) -> None:
    text = resources[logical_id]["Properties"]["Policy"]["Fn::Sub"]
    document = json.loads(text[0])
    condition = document["Statement"][1]["Condition"]["ArnNotEquals"]
    condition["aws:PrincipalArn"] = [condition["aws:PrincipalArn"], FRIEND]
    text[0] = json.dumps(document)


def supplying(resources: Resources, logical_id: str) -> None:
    properties = resources[logical_id]["Properties"]
    if "Code" in properties:
        properties["Code"]["S3Bucket"] = FRIEND
    else:
        properties["AgentRuntimeArtifact"]["CodeConfiguration"]["Code"]["S3"]["Bucket"] = FRIEND


@pytest.mark.parametrize(
    ("stack", "logical_id", "change", "told"),
    [
        ("auditor", "AuditorRole", trusting, "names"),
        ("auditor", "AuditorGatewayServiceRole", trusting, "names"),
        ("audit", "SwitchOffRole", trusting, "names"),
        ("auditor", "AuditorTxnTokenKey", using, "names"),
        ("auditor", "AuditorDoorCallers", calling, "names"),
        ("auditor", "AuditorIamRuntime", supplying, "runs what"),
        ("auditor", "AuditorInterceptorRequestFunction", supplying, "runs what"),
    ],
)
def test_whoever_a_deployed_resource_comes_to_name_is_told(
    stack: str, logical_id: str, change: Callable[[Resources, str], None], told: str, assemblies: dict[str, Synthesised]
) -> None:
    before = in_folder(assemblies[DEPARTMENT].folder)
    name = f"ringfence-{DEPARTMENT}-{stack}"
    after = {**before, name: copy.deepcopy(before[name])}
    change(after[name]["Resources"], logical_id)

    assert changes(before, before) == []
    (found,) = changes(before, after)
    assert (found.kind, found.name, bool(found.loses)) == ("weakened", f"{name}/{logical_id}", True)
    assert f"it now {told} " in found.why
    assert FRIEND in found.why
    assert bool(changes(after, before)) == (told == "runs what")


def role(principal: Any, **condition: Any) -> Resources:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Condition": condition}
    return {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Statement": [statement]}}}


SERVICE = role({"Service": "lambda.amazonaws.com"})
OWN = role({"AWS": {"Fn::GetAtt": ["Other", "Arn"]}})


@pytest.mark.parametrize(
    ("before", "after", "come"),
    [
        ({"It": SERVICE}, {"It": SERVICE, "New": SERVICE}, []),
        ({"It": SERVICE}, {"It": SERVICE, "New": role({"Service": "glue.amazonaws.com"})}, ["glue.amazonaws.com"]),
        ({"It": SERVICE}, {"It": OWN}, []),
        ({"It": OWN}, {"It": role("*")}, ["everybody"]),
        ({"It": OWN}, {"It": role({"AWS": "999988887777"})}, ["999988887777"]),
        (
            {"It": role({"AWS": "*"})},
            {"It": role({"AWS": "*"}, StringEquals={"aws:PrincipalOrgID": "o-another0000"})},
            ["o-another0000"],
        ),
        ({}, {"It": role({"AWS": FRIEND})}, [FRIEND]),
    ],
    ids=["known", "another service", "its own", "everybody", "an account", "an organisation", "an empty stack"],
)
def test_what_something_named_before_is_not_new(before: Resources, after: Resources, come: list[str]) -> None:
    found = changes({"one": {"Resources": before}}, {"one": {"Resources": after}})

    assert [each.why for each in found] == [f"it now names {each}." for each in come]


def test_a_first_deployment_names_nobody_new() -> None:
    assert changes({}, {"one": {"Resources": {"It": role({"AWS": FRIEND})}}}) == []
