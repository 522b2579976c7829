"""Proof 9: the deployment's log groups are out of every persona's reach, by the boundary and by the call's session."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from ringfence.iam.evaluator import Request, decide
from ringfence.proofs.each import records
from ringfence.proofs.evidence import Evidence
from ringfence.proofs.sweeps.permission_sweeps import PermissionSweeps

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
    return "\n".join(str(finding) for finding in records.prove(evidence).findings)


def test_no_log_group_of_the_deployment_is_in_anybodys_reach(
    each: Evidence, sweeps_of: dict[str, PermissionSweeps]
) -> None:
    outcome = records.prove(each, sweeps_of[each.department.name])

    assert [str(finding) for finding in outcome.findings] == []
    assert {action.name for action in records.on_groups(sweeps_of[each.department.name].table)} >= READS
    names = "\n".join(records.log_groups(each))
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
        by_type = {**role.by_type(), "session": [session.policy]}
        assert decide(Request(role.arn, "logs:StartQuery", resource, context), by_type).allowed


def without(resources: dict[str, Any], logical_id: str, sid: str) -> None:
    document = resources[logical_id]["Properties"]["PolicyDocument"]
    document["Statement"] = [each for each in document["Statement"] if each["Sid"] != sid]


def test_a_boundary_without_the_denial_is_found(planted: Callable[..., Evidence]) -> None:
    found = messages(planted(auditor=lambda resources: without(resources, "AuditorRoleBoundary", "DenyAuditLogs")))

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


def own(sid: str, **elements: Any) -> Callable[[dict[str, Any]], None]:
    """One statement of a runtime's own policy, changed."""

    def change(resources: dict[str, Any]) -> None:
        document = resources["AuditorIamRuntimeExecutionPolicy"]["Properties"]["PolicyDocument"]
        (statement,) = [each for each in document["Statement"] if each["Sid"] == sid]
        statement.update(elements)

    return change


RECORDS = "arn:aws:logs:eu-west-2:111122223333:log-group:/ringfence/example-production/calls"
CODE = "arn:aws:s3:::cdk-hnb659fds-assets-111122223333-eu-west-2"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            own("WriteOwnCallRecords", Resource=f"{RECORDS}/auditor:log-stream:*"),
            f"can logs:PutLogEvents on {RECORDS}/auditor:log-stream:cloudtrail/anything, which is not its own",
        ),
        (
            own("WriteOwnCallRecords", Resource=f"{RECORDS}/*:log-stream:iam/*"),
            f"can logs:PutLogEvents on {RECORDS}/operator:log-stream:iam/anything, which is not its own",
        ),
        (
            own("WriteOwnCallRecords", Resource=f"{RECORDS}/auditor:log-stream:other/*"),
            f"cannot logs:PutLogEvents on {RECORDS}/auditor:log-stream:iam/anything, where its calls are recorded",
        ),
        (own("ReadOwnCode", Resource=f"{CODE}/*"), f"can read {CODE}/"),
    ],
    ids=["any stream", "another persona's", "not its own", "any code"],
)
def test_a_runtime_that_is_not_held_to_its_own_is_found(
    planted: Callable[..., Evidence], change: Callable[[dict[str, Any]], None], expected: str
) -> None:
    found = messages(planted(auditor=change))

    assert f"role AuditorIamRuntimeExecutionRole: {expected}" in found


def selector(index: int, *fields: dict[str, Any]) -> Callable[[dict[str, Any]], None]:
    def change(resources: dict[str, Any]) -> None:
        resources["Trail"]["Properties"]["AdvancedEventSelectors"][index]["FieldSelectors"].extend(fields)

    return change


def left_out(*more: str) -> Callable[[dict[str, Any]], None]:
    """The events of these are left out too; without any, those of the record's own buckets are recorded."""

    def change(resources: dict[str, Any]) -> None:
        field = resources["Trail"]["Properties"]["AdvancedEventSelectors"][4]["FieldSelectors"][-1]
        field["NotStartsWith"] = [*field["NotStartsWith"], *more] if more else ["arn:aws:s3:::elsewhere/"]

    return change


def set_on_trail(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda resources: resources["Trail"]["Properties"].update({name: value})


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (selector(0, {"Field": "readOnly", "Equals": ["false"]}), "every event of {'eventCategory': 'Management'}"),
        (
            selector(0, {"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]}),
            "every event of {'eventCategory': 'Management'}",
        ),
        (
            selector(2, {"Field": "resources.ARN", "StartsWith": ["arn:aws:bedrock-agentcore:eu-west-2:"]}),
            "every event of {'eventCategory': 'Data', 'resources.type': 'AWS::BedrockAgentCore::Runtime'}",
        ),
        (
            lambda resources: resources["Trail"]["Properties"]["AdvancedEventSelectors"].pop(1),
            "every event of {'eventCategory': 'Data', 'resources.type': 'AWS::BedrockAgentCore::Gateway'}",
        ),
        (selector(4, {"Field": "eventName", "NotEquals": ["DeleteObject"]}), "does not hold of S3 objects what"),
        (left_out("arn:aws:s3:::fisheries-catch/"), "does not hold of S3 objects what the department chose"),
        (left_out(), "does not hold of S3 objects what the department chose"),
        (
            lambda resources: resources["Trail"]["Properties"]["AdvancedEventSelectors"].pop(),
            "does not hold of S3 objects what the department chose",
        ),
        (set_on_trail("IsLogging", False), "IsLogging is False, not True"),
        (set_on_trail("IsMultiRegionTrail", False), "IsMultiRegionTrail is False, not True"),
        (set_on_trail("EnableLogFileValidation", False), "EnableLogFileValidation is False, not True"),
        (lambda resources: resources.update({"Planted": resources["Trail"]}), "holds 2 trails, not one"),
    ],
    ids=[
        "writing alone",
        "without keys",
        "some runtimes",
        "no gateway",
        "not what is deleted",
        "a bucket hidden",
        "its own as well",
        "no objects",
        "off",
        "London alone",
        "no digest",
        "two",
    ],
)
def test_a_trail_that_leaves_something_out_is_found(
    planted: Callable[..., Evidence], change: Callable[[dict[str, Any]], None], expected: str
) -> None:
    assert expected in messages(planted(audit=change))


ELSEWHERE = "arn:aws:s3:::somebody-elses"


def put(logical_id: str, name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda resources: resources[logical_id]["Properties"].update({name: value})


@pytest.mark.parametrize(
    ("stack", "change", "expected"),
    [
        ("audit", set_on_trail("S3BucketName", "somebody-elses"), "sends records to somebody-elses"),
        ("audit", lambda resources: resources["Trail"]["Properties"].pop("CloudWatchLogsLogGroupArn"), "to nowhere"),
        ("network", put("DnsQueryLog", "DestinationArn", ELSEWHERE), f"DnsQueryLog: sends records to {ELSEWHERE}"),
        ("network", put("FlowLog", "LogGroupName", "/somebody/elses"), "FlowLog: sends records to /somebody/elses"),
        (
            "identity",
            put(
                "UserPoolSignInLog",
                "LogConfigurations",
                [{"CloudWatchLogsConfiguration": {"LogGroupArn": f"{ELSEWHERE}:*"}}],
            ),
            f"UserPoolSignInLog: sends records to {ELSEWHERE}",
        ),
        (
            "auditor",
            put("AuditorDoorLogging", "LogDestinationConfigs", [ELSEWHERE]),
            f"AuditorDoorLogging: sends records to {ELSEWHERE}",
        ),
        (
            "audit",
            put("TrailBucket", "LoggingConfiguration", {"DestinationBucketName": "somebody-elses"}),
            "TrailBucket: sends records to somebody-elses",
        ),
        (
            "audit",
            lambda resources: resources["TrailBucket"]["Properties"].pop("LoggingConfiguration"),
            "TrailBucket: sends records to nowhere",
        ),
    ],
)
def test_records_that_go_to_another_place_are_found(
    planted: Callable[..., Evidence], stack: str, change: Callable[[dict[str, Any]], None], expected: str
) -> None:
    assert expected in messages(planted(**{stack: change}))


@pytest.mark.parametrize("name", ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"])
@pytest.mark.parametrize(("value", "told"), [(False, "false"), (None, "missing")])
def test_a_bucket_of_records_that_may_be_opened_is_found(
    planted: Callable[..., Evidence], name: str, value: bool | None, told: str
) -> None:
    def change(resources: dict[str, Any]) -> None:
        closed = resources["TrailBucketAccessLog"]["Properties"]["PublicAccessBlockConfiguration"]
        resources["TrailBucketAccessLog"]["Properties"]["PublicAccessBlockConfiguration"] = {
            key: each for key, each in {**closed, name: value}.items() if each is not None
        }

    assert f"bucket TrailBucketAccessLog: {name} is {told}, not true" in messages(planted(audit=change))
