"""The role a call works as."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
import pytest

from constructs.runtime.persona_role import PersonaRole
from ringfence.reading.problems import ProblemsFound

RUNTIMES = ["arn:aws:iam::111122223333:role/runtime-iam", "arn:aws:iam::111122223333:role/runtime-cloudtrail"]
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "Read",
            "Effect": "Allow",
            "Action": ["iam:ListUsers"],
            "Resource": ["arn:aws:iam::111122223333:user/*"],
        }
    ],
}
BOUNDARY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Sid": "AtMost", "Effect": "Allow", "Action": ["iam:ListUsers"], "Resource": "*"},
        {"Sid": "Never", "Effect": "Deny", "Action": "logs:Unmask", "Resource": "*"},
    ],
}


@pytest.fixture
def role(bench: Any) -> PersonaRole:
    return PersonaRole(
        bench.stack,
        "AuditorRole",
        name="ringfence-example-production-auditor",
        role_ref=bench.role_ref,
        runtime_roles=RUNTIMES,
        policies=[POLICY],
        boundary=BOUNDARY,
    )


@pytest.fixture
def trust(bench: Any, role: PersonaRole) -> dict[str, Any]:
    found = bench.properties("AuditorRole")["AssumeRolePolicyDocument"]["Statement"]
    return {statement["Action"]: statement for statement in found}


def test_nobody_but_its_runtimes_can_assume_it(trust: dict[str, Any]) -> None:
    assert set(trust) == {"sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"}
    assert trust["sts:AssumeRole"]["Principal"] == {"AWS": RUNTIMES}
    assert all(statement["Effect"] == "Allow" for statement in trust.values())


def test_naming_and_tagging_open_it_to_nobody_who_may_not_assume_it(trust: dict[str, Any]) -> None:
    # The list of runtimes stands once, for want of room: without sts:AssumeRole the other two actions give no session.
    for action in ("sts:SetSourceIdentity", "sts:TagSession"):
        assert trust[action]["Principal"] == {"AWS": "arn:aws:iam::111122223333:root"}


@pytest.mark.parametrize(("runtimes", "fits"), [(11, True), (12, False)])
def test_a_trust_policy_that_iam_would_refuse_is_refused_before(bench: Any, runtimes: int, fits: bool) -> None:
    arns = [f"arn:aws:iam::111122223333:role/{'r' * 62}{index:02}" for index in range(runtimes)]

    def made() -> PersonaRole:
        return PersonaRole(
            bench.stack,
            "BuilderRole",
            name="ringfence-example-production-builder",
            role_ref=bench.role_ref,
            # What the stack hands over is known to CloudFormation only, so the longest name it may choose counts.
            runtime_roles=[cdk.Token.as_string({"Fn::GetAtt": [f"R{index}", "Arn"]}) for index in range(runtimes)],
            policies=[POLICY],
            boundary=BOUNDARY,
        )

    if not fits:
        with pytest.raises(ProblemsFound, match="trust policy of the role of the persona auditor"):
            made()
        return
    made()
    document = bench.properties("BuilderRole")["AssumeRolePolicyDocument"]
    document["Statement"][0]["Principal"]["AWS"] = arns
    assert 1900 < len(json.dumps(document, separators=(",", ":"))) <= 2048


def test_it_is_not_assumed_without_a_source_identity(trust: dict[str, Any]) -> None:
    for action in ("sts:AssumeRole", "sts:SetSourceIdentity"):
        assert trust[action]["Condition"]["StringLike"]["sts:SourceIdentity"] == "?*"


def test_tagging_is_not_tied_to_a_key_that_is_absent_from_its_context(trust: dict[str, Any]) -> None:
    assert "sts:SourceIdentity" not in str(trust["sts:TagSession"]["Condition"])


@pytest.mark.parametrize("action", ["sts:AssumeRole", "sts:TagSession"])
def test_every_session_names_department_persona_tool_and_call(trust: dict[str, Any], action: str) -> None:
    condition = trust[action]["Condition"]
    assert condition["StringEquals"] == {
        "aws:RequestTag/department": "example-production",
        "aws:RequestTag/persona": "auditor",
    }
    assert condition["StringLike"]["aws:RequestTag/call"] == "?*"
    assert condition["StringLike"]["aws:RequestTag/tool"] == "?*"


def test_no_further_tag_is_accepted(trust: dict[str, Any]) -> None:
    keys = trust["sts:TagSession"]["Condition"]["ForAllValues:StringEquals"]["aws:TagKeys"]
    assert keys == ["call", "department", "persona", "tool"]


def test_policy_and_boundary_are_the_compiled_ones(bench: Any, role: PersonaRole) -> None:
    properties = bench.properties("AuditorRole")
    assert properties["ManagedPolicyArns"] == [{"Ref": "AuditorRolePolicy"}]
    assert properties["PermissionsBoundary"] == {"Ref": "AuditorRoleBoundary"}
    assert bench.properties("AuditorRolePolicy")["PolicyDocument"] == POLICY
    assert bench.properties("AuditorRoleBoundary")["PolicyDocument"] == BOUNDARY


def test_a_session_lasts_an_hour_at_most(bench: Any, role: PersonaRole) -> None:
    assert bench.properties("AuditorRole")["MaxSessionDuration"] == 3600


def test_a_broad_persona_has_several_policies_under_names_that_say_so(bench: Any) -> None:
    PersonaRole(
        bench.stack,
        "BuilderRole",
        name="ringfence-example-production-builder",
        role_ref=bench.role_ref,
        runtime_roles=RUNTIMES,
        policies=[POLICY, {**POLICY, "Statement": [{**POLICY["Statement"][0], "Sid": "More"}]}],
        boundary=BOUNDARY,
    )
    attached = bench.properties("BuilderRole")["ManagedPolicyArns"]
    assert attached == [{"Ref": "BuilderRolePolicy"}, {"Ref": "BuilderRolePolicy2"}]
    second = bench.properties("BuilderRolePolicy2")
    assert second["ManagedPolicyName"] == "ringfence-example-production-builder-policy-2"
    told = bench.resource("BuilderRolePolicy2")["Metadata"]["ringfence:description"]
    assert told == "What the tools granted to the persona auditor need in AWS, part 2."
    assert second["PolicyDocument"]["Statement"][0]["Sid"] == "More"
