"""The role a call works as."""

from __future__ import annotations

from typing import Any

import pytest

from constructs.persona_role import PersonaRole

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
        hat=bench.hat,
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
    assert all(statement["Principal"] == {"AWS": RUNTIMES} for statement in trust.values())
    assert all(statement["Effect"] == "Allow" for statement in trust.values())


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
        hat=bench.hat,
        runtime_roles=RUNTIMES,
        policies=[POLICY, {**POLICY, "Statement": [{**POLICY["Statement"][0], "Sid": "More"}]}],
        boundary=BOUNDARY,
    )
    attached = bench.properties("BuilderRole")["ManagedPolicyArns"]
    assert attached == [{"Ref": "BuilderRolePolicy"}, {"Ref": "BuilderRolePolicy2"}]
    second = bench.properties("BuilderRolePolicy2")
    assert second["ManagedPolicyName"] == "ringfence-example-production-builder-policy-2"
    assert second["Description"].endswith(", part 2.")
    assert second["PolicyDocument"]["Statement"][0]["Sid"] == "More"
