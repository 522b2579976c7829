"""Proof 9: the deployment's log groups are out of every persona's reach, by the boundary and by the call's session."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from assurance import proof_records
from assurance.evidence import Evidence
from assurance.iam import Request, decide
from assurance.reach import Reach

READS = {
    "logs:FilterLogEvents",
    "logs:GetLogEvents",
    "logs:GetLogGroupFields",
    "logs:GetLogRecord",
    "logs:GetQueryResults",
    "logs:StartLiveTail",
    "logs:StartQuery",
}


def messages(evidence: Evidence) -> str:
    return "\n".join(str(finding) for finding in proof_records.prove(evidence).findings)


def test_no_log_group_of_the_deployment_is_in_anybodys_reach(each: Evidence, reaches: dict[str, Reach]) -> None:
    outcome = proof_records.prove(each, reaches[each.department.name])

    assert [str(finding) for finding in outcome.findings] == []
    assert {action.name for action in proof_records.on_groups(reaches[each.department.name].table)} >= READS
    names = "\n".join(proof_records.log_groups(each))
    for part in ("/ringfence/", "/aws/bedrock-agentcore/runtimes/", "aws-waf-logs-ringfence-", "/aws/vendedlogs/"):
        assert f"log-group:{part}" in names


def test_the_departments_own_workloads_stay_readable(evidence: Evidence) -> None:
    role = evidence.persona_roles["auditor"]
    (session,) = [each for each in evidence.sessions("auditor") if each.tool == "execute_log_insights_query"]
    context = {
        "aws:PrincipalArn": role.arn,
        "aws:RequestedRegion": "eu-west-2",
        "aws:ResourceAccount": evidence.department.account,
        "aws:SourceIdentity": "somebody",
    }
    for group in ("/aws/lambda/payments", "application", "/aws/eks/a/cluster"):
        resource = f"arn:aws:logs:eu-west-2:{evidence.department.account}:log-group:{group}"
        layers = {**role.layers(), "session": [session.policy]}
        assert decide(Request(role.arn, "logs:StartQuery", resource, context), layers).allowed


def without(resources: dict[str, Any], logical_id: str, sid: str) -> None:
    document = resources[logical_id]["Properties"]["PolicyDocument"]
    document["Statement"] = [each for each in document["Statement"] if each["Sid"] != sid]


def test_a_boundary_without_the_denial_is_found(planted: Callable[..., Evidence]) -> None:
    found = messages(planted(auditor=lambda resources: without(resources, "AuditorRoleBoundary", "DenyRecords")))

    assert "boundary of ringfence-example-production-auditor: nothing refuses logs:StartQuery on" in found
    assert "call auditor" not in found


@pytest.mark.parametrize("pattern", ["/ringfence/*", "/aws/vendedlogs/*", "/aws/bedrock-agentcore/*"])
def test_a_session_that_may_read_one_of_them_is_found(repacked: Callable[..., Evidence], pattern: str) -> None:
    def change(rules: dict[str, Any]) -> None:
        policy = rules["tools"]["execute_log_insights_query"]["session_policy"]
        text = json.dumps(policy).replace(f"log-group:{pattern}", "log-group:nothing")
        rules["tools"]["execute_log_insights_query"]["session_policy"] = json.loads(text)

    found = messages(repacked("AuditorCloudwatchRuntime", "runtime.json", change))
    assert "call auditor cloudwatch.execute_log_insights_query: nothing refuses logs:StartQuery on" in found
    assert "boundary" not in found
