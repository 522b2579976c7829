"""Guardrails count only where all of them hang on the same targets, and where the whole of their assembly is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ringfence.deployed.assembly import Assembly
from ringfence.deployed.guardrails import service_control
from ringfence.deployed.problems import UnresolvedTemplate
from ringfence.iam.evaluator import Policy
from tests.ringfence.deployed.test_assembly import write

DENY = {"Sid": "NoUsers", "Effect": "Deny", "Action": "iam:ListUsers", "Resource": "*"}


def guardrail(*targets: str, kind: str = "SERVICE_CONTROL_POLICY", **properties: Any) -> dict[str, Any]:
    content = {"Version": "2012-10-17", "Statement": [DENY]}
    made = {"Name": "x", "Type": kind, "Content": content, "TargetIds": list(targets), **properties}
    return {"Type": "AWS::Organizations::Policy", "Properties": made}


def read(folder: Path, *policies: dict[str, Any], **sections: Any) -> tuple[Policy, ...]:
    resources = {f"Policy{number}": each for number, each in enumerate(policies)}
    return service_control(Assembly.load(write(folder, {"Resources": resources, **sections})))


def test_service_control_policies_stand_beside_awss_own(tmp_path: Path) -> None:
    found = read(tmp_path, guardrail("ou-a", "ou-b"), guardrail("ou-b", "ou-a", kind="RESOURCE_CONTROL_POLICY"))

    assert [[each.sid for each in policy.statements] for policy in found] == [["FullAWSAccess"], ["NoUsers"]]


@pytest.mark.parametrize(
    ("policies", "told"),
    [
        ([guardrail()], r"property TargetIds is \[\]"),
        ([guardrail("ou-a"), guardrail()], r"property TargetIds is \[\]"),
        ([guardrail("ou-a"), guardrail("ou-b")], r"is \['ou-b'\], and another guardrail's \['ou-a'\]"),
        ([guardrail("ou-a", "ou-b"), guardrail("ou-a")], r"is \['ou-a'\]"),
        ([guardrail("ou-a", kind="TAG_POLICY")], "property Type is 'TAG_POLICY'"),
        ([guardrail("ou-a", Later=1)], "Later is unknown"),
        ([guardrail("ou-a"), {"Type": "AWS::Organizations::Account"}], "nothing reads this type"),
    ],
)
def test_what_may_not_hold_of_the_account_is_told(tmp_path: Path, policies: list[dict[str, Any]], told: str) -> None:
    with pytest.raises(UnresolvedTemplate, match=told):
        read(tmp_path, *policies)


def test_a_guardrail_without_targets_is_told(tmp_path: Path) -> None:
    policy = guardrail("ou-a")
    del policy["Properties"]["TargetIds"]
    with pytest.raises(UnresolvedTemplate, match="property TargetIds is missing"):
        read(tmp_path, policy)


@pytest.mark.parametrize("policies", [[], [guardrail("ou-a", kind="RESOURCE_CONTROL_POLICY")]])
def test_an_assembly_without_a_service_control_policy_is_told(tmp_path: Path, policies: list[dict[str, Any]]) -> None:
    """A department's own assembly, for one: a report must not say that guardrails counted where there were none."""
    with pytest.raises(UnresolvedTemplate, match="holds no service control policy") as refused:
        read(tmp_path, *policies)
    assert "--organisation-assembly" in str(refused.value)


def test_the_organisations_assembly_is_checked_like_any_other(tmp_path: Path) -> None:
    with pytest.raises(UnresolvedTemplate, match="Transform: is a section"):
        read(tmp_path, guardrail("ou-a"), Transform="AWS::Include")
