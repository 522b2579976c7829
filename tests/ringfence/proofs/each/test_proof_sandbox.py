"""Proof 13: what a call above `read` can do, it can do to what is the sandbox's, or what its owner marked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ringfence.iam.patterns import matches
from ringfence.proofs.each import sandbox
from ringfence.proofs.evidence import Evidence
from ringfence.proofs.sweeps.permission_sweeps import PermissionSweeps

CLUSTER = "arn:aws:eks:eu-west-2:111122223333:cluster/*"
SANDBOX = "aws:ResourceTag/ringfence:sandbox"
PATCH = "call developer eks.manage_k8s_resource.patch"


def messages(evidence: Evidence) -> str:
    return "\n".join(str(finding) for finding in sandbox.prove(evidence).findings)


def test_no_call_of_any_department_changes_what_is_not_open_to_it(
    each: Evidence, sweeps_of: dict[str, PermissionSweeps]
) -> None:
    outcome = sandbox.prove(each, sweeps_of[each.department.name])

    assert [str(finding) for finding in outcome.findings] == []
    assert outcome.holds


def test_every_exception_is_needed_and_says_why(
    evidences: dict[str, Evidence], sweeps_of: dict[str, PermissionSweeps]
) -> None:
    told = sandbox.prove(evidences["example-sandbox"], sweeps_of["example-sandbox"]).on_purpose

    for entry in sandbox.ELSEWHERE:
        assert any(entry.reason in line for line in told), entry
        assert not matches(entry.calls, "eks.manage_k8s_resource.patch") or entry.actions == "sts:GetCallerIdentity"


def allows(policy: dict[str, Any], action: str) -> list[dict[str, Any]]:
    return [each for each in policy["Statement"] if each["Effect"] == "Allow" and action in each["Action"]]


@pytest.mark.parametrize(
    "conditions",
    [
        {},
        {"StringEquals": {SANDBOX: ["true", "false"]}},
        {"StringLike": {SANDBOX: "*"}},
        {"StringEqualsIfExists": {SANDBOX: "true"}},
        {"StringEquals": {"aws:ResourceTag/owner": "somebody"}},
    ],
    ids=["without", "another value too", "any value", "where there is one", "another tag"],
)
def test_a_write_of_kubernetes_without_the_sandboxs_tag_is_found(
    evidences: dict[str, Evidence], repacked: Callable[..., Evidence], conditions: dict[str, Any]
) -> None:
    def change(rules: dict[str, Any]) -> None:
        policy = rules["tools"]["manage_k8s_resource"]["operations"]["session_policies"]["patch"]
        (statement,) = allows(policy, "eks:DescribeCluster")
        assert statement["Condition"]["StringEquals"].pop(SANDBOX) == "true"
        for operator, keys in conditions.items():
            statement["Condition"].setdefault(operator, {}).update(keys)

    # The role may describe any cluster, since the developer may read them.
    found = messages(repacked("DeveloperEksRuntime", "runtime.json", change, of=evidences["example-sandbox"]))

    assert f"{PATCH}: can eks:DescribeCluster on {CLUSTER}, sandbox or not" in found
    assert "manage_k8s_resource.create" not in found


def test_reading_may_look_at_any_cluster(
    evidences: dict[str, Evidence], sweeps_of: dict[str, PermissionSweeps]
) -> None:
    evidence = evidences["example-sandbox"]
    (session,) = [one for one in evidence.sessions("developer") if one.name == "eks.manage_k8s_resource.read"]

    assert {question.pattern for question in sweeps_of["example-sandbox"].of_session("developer", session)} == {CLUSTER}
