"""Proof 1: what every role and every call can do over all AWS actions; and the faults it finds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from ringfence.iam.actions import ActionTable, load
from ringfence.iam.evaluator import Policy, Request, decide
from ringfence.proofs.each import actions
from ringfence.proofs.evidence import Evidence
from ringfence.proofs.findings import Outcome
from ringfence.proofs.sweeps.permission_sweep import allowed_requests, possible
from ringfence.proofs.sweeps.permission_sweeps import PermissionSweeps

ROLE_POLICY, BOUNDARY = "AuditorRolePolicy", "AuditorRoleBoundary"
Planted = Callable[..., Evidence]


def statements(resources: dict[str, Any], logical_id: str) -> list[dict[str, Any]]:
    return resources[logical_id]["Properties"]["PolicyDocument"]["Statement"]


def sid(resources: dict[str, Any], logical_id: str, name: str) -> dict[str, Any]:
    (found,) = (each for each in statements(resources, logical_id) if each["Sid"] == name)
    return found


def forget(resources: dict[str, Any], logical_id: str, name: str) -> None:
    kept = [each for each in statements(resources, logical_id) if each["Sid"] != name]
    resources[logical_id]["Properties"]["PolicyDocument"]["Statement"] = kept


def messages(outcome: Outcome) -> str:
    return "\n".join(str(finding) for finding in outcome.findings)


def add_action(action: str, *, logical_ids: tuple[str, ...], **condition: Any) -> Callable[[dict[str, Any]], None]:
    def change(resources: dict[str, Any]) -> None:
        for logical_id in logical_ids:
            allow = {"Sid": "Planted", "Effect": "Allow", "Action": [action], "Resource": "*"}
            if "Endpoint" in logical_id:
                allow["Principal"] = {"AWS": "*"}
            statements(resources, logical_id).append(allow | condition)

    return change


def test_every_persona_and_call_can_do_what_the_catalogue_promises_and_nothing_else(
    each: Evidence, sweeps_of: dict[str, PermissionSweeps]
) -> None:
    outcome = actions.prove(each, sweeps_of[each.department.name])

    assert messages(outcome) == ""
    assert outcome.holds
    assert outcome.looked_at["actions"] == 22_091
    assert outcome.looked_at["personas"] == len(each.department.personas)


def test_all_personas_together_take_less_than_ten_seconds(each: Evidence) -> None:
    sweeps = PermissionSweeps(each)
    # Of the processor, so that neighbours on a busy machine do not decide the test.
    started = time.process_time()
    for persona in sweeps.of_personas:
        for session in each.sessions(persona):
            sweeps.of_session(persona, session)

    assert time.process_time() - started < 10


def test_the_auditor_can_change_nothing(each: Evidence, sweeps_of: dict[str, PermissionSweeps]) -> None:
    levels = {question.action.level for question in sweeps_of[each.department.name].of_personas["auditor"]}

    assert levels == {"List", "Read"}


def test_the_sweep_decides_as_the_plain_evaluator_does(each: Evidence, sweeps_of: dict[str, PermissionSweeps]) -> None:
    """What it says is allowed is; and of a sample of all the rest nothing is, in any context that allowed something."""
    sweeps = sweeps_of[each.department.name]
    for role in each.roles.values():
        by_type = sweeps.by_type(role)
        swept = sweeps.of_roles[role.resource.logical_id]
        names = {question.action.name for question in swept}
        rest = [action for action in list(sweeps.table)[::199] if action.name not in names]

        assert len(rest) > 100
        assert all(decide(question.request, by_type).allowed for question in swept)
        for question in swept[:: max(1, len(swept) // 3)]:
            for action in rest:
                request = Request(question.request.principal_arn, action.name, "*", question.request.context)
                assert not decide(request, by_type).allowed, (role.name, action.name)


@pytest.mark.parametrize(
    "granting",
    [
        {"Action": "*"},
        {"Action": ["iam:Get*", "S3:getobject"]},
        {"NotAction": ["iam:*", "rds:*"]},
        {"Action": "s3:*", "Condition": {"StringEquals": {"aws:RequestedRegion": ["eu-west-2", "eu-west-1"]}}},
        {"Action": "iam:*", "Condition": {"Null": {"aws:SourceIdentity": "false"}}},
        {"Action": "rds:*", "Condition": {"StringNotEquals": {"aws:RequestedRegion": "us-east-1"}}},
        {"Action": "sts:*", "Resource": "arn:aws:iam::111122223333:role/${aws:PrincipalTag/team}-*"},
    ],
)
def test_so_it_does_under_policies_of_every_kind(
    granting: dict[str, Any], sweeps_of: dict[str, PermissionSweeps]
) -> None:
    sweeps = next(iter(sweeps_of.values()))
    caller = sweeps.caller(next(iter(sweeps.evidence.roles.values())))
    allow = {"Sid": "A", "Effect": "Allow", "Resource": "*", **granting}
    deny = {"Sid": "D", "Effect": "Deny", "Action": "rds:Delete*", "Resource": "*"}
    by_type = {"identity": [Policy.parse({"Version": "2012-10-17", "Statement": [allow, deny]})]}
    sample = ActionTable(action for action in load() if action.service in ("iam", "s3", "sts", "rds"))
    plain = {action.name for action in list(sample)[::3] if list(allowed_requests(caller, action, by_type))}
    fast = {question.action.name for question in possible(caller, by_type, sample)}

    assert plain == fast & {action.name for action in list(sample)[::3]}
    assert fast


def test_an_action_added_to_the_policy_alone_can_not_be_done(planted: Planted) -> None:
    fault = planted(auditor=add_action("iam:CreateUser", logical_ids=(ROLE_POLICY,)))

    assert actions.prove(fault).holds, "the boundary and the endpoint policy still refuse it"


def test_a_writing_action_in_policy_boundary_and_endpoint_is_found(planted: Planted) -> None:
    london = {"Condition": {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}}
    add = add_action("iam:CreateUser", logical_ids=(ROLE_POLICY, BOUNDARY), **london)

    def change(resources: dict[str, Any]) -> None:
        add(resources)
        forget(resources, BOUNDARY, "DenyOtherAccounts")

    fault = planted(
        auditor=change,
        network=add_action("iam:CreateUser", logical_ids=("EndpointIam",)),
    )
    found = messages(actions.prove(fault))

    assert (
        "persona auditor: can do iam:CreateUser (Write) on * in us-east-1, which the catalogue does not promise"
        in found
    )
    assert "persona auditor: can do iam:CreateUser, whose level at AWS is Write" in found
    assert "iam:CreateUser on arn:aws:iam::000000000000:user/*, in another account" in found


def test_a_wider_resource_is_found(planted: Planted) -> None:
    def change(resources: dict[str, Any]) -> None:
        sid(resources, ROLE_POLICY, "AllowIamOnGroup")["Resource"] = "*"

    found = messages(actions.prove(planted(auditor=change)))

    assert "can do iam:GetGroup (Read) on * in us-east-1, which the catalogue does not promise" in found


def test_a_lost_grant_is_found(planted: Planted) -> None:
    def change(resources: dict[str, Any]) -> None:
        sid(resources, BOUNDARY, "AllowAtMostInLondon")["Action"].remove("logs:StartQuery")

    found = messages(actions.prove(planted(auditor=change)))

    assert "persona auditor: cannot do logs:StartQuery" in found
    assert "call auditor cloudwatch.execute_log_insights_query: cannot do logs:StartQuery" in found


def test_an_endpoint_that_forgets_an_action_is_found(planted: Planted) -> None:
    def change(resources: dict[str, Any]) -> None:
        for statement in statements(resources, "EndpointMonitoring"):
            statement["Action"] = ["cloudwatch:DescribeAlarms"]

    assert "cannot do cloudwatch:GetMetricData" in messages(actions.prove(planted(network=change)))


def test_a_region_lock_that_is_gone_everywhere_is_found(planted: Planted) -> None:
    def change(resources: dict[str, Any]) -> None:
        for logical_id in (ROLE_POLICY, BOUNDARY):
            for statement in statements(resources, logical_id):
                if statement["Effect"] == "Allow":
                    statement.pop("Condition", None)
        kept = [each for each in statements(resources, BOUNDARY) if each["Sid"] != "DenyOtherRegions"]
        resources[BOUNDARY]["Properties"]["PolicyDocument"]["Statement"] = kept

    found = messages(actions.prove(planted(auditor=change)))

    assert "persona auditor: can do cloudtrail:LookupEvents in eu-west-1, not only eu-west-2" in found
    assert "persona auditor: can do cloudtrail:LookupEvents in no named region, not only eu-west-2" in found


def test_a_service_role_that_reaches_another_region_is_found(planted: Planted) -> None:
    def change(resources: dict[str, Any]) -> None:
        kept = [each for each in statements(resources, "ServiceBoundary") if each["Sid"] != "DenyOtherRegions"]
        for statement in kept:
            if statement["Sid"] == "AllowWritingLogs":
                statement.pop("Condition")
        resources["ServiceBoundary"]["Properties"]["PolicyDocument"]["Statement"] = kept

    found = messages(actions.prove(planted(audit=change)))

    assert "role AuditorInterceptorRequestExecutionRole: can do logs:PutLogEvents in us-east-1" in found


def test_a_service_that_another_account_could_be_reached_through_is_found(planted: Planted) -> None:
    def widen(resources: dict[str, Any]) -> None:
        sid(resources, ROLE_POLICY, "AllowIamOnGroup")["Resource"] = "arn:aws:iam::*:group/*"
        forget(resources, BOUNDARY, "DenyOtherAccounts")

    def open_endpoint(resources: dict[str, Any]) -> None:
        del resources["EndpointIam"]["Properties"]["PolicyDocument"]

    found = messages(actions.prove(planted(auditor=widen, network=open_endpoint)))

    assert "can do iam:GetGroup on arn:aws:iam::000000000000:group/*, in another account" in found


def test_a_session_policy_that_allows_more_than_its_tool_is_found(repacked: Callable[..., Evidence]) -> None:
    def change(rules: dict[str, Any]) -> None:
        rules["tools"]["list_users"]["session_policy"]["Statement"][0]["Action"] = "*"

    found = messages(actions.prove(repacked("AuditorIamRuntime", "runtime.json", change)))

    assert "call auditor iam.list_users: can do iam:ListRoles" in found


def test_a_session_policy_that_is_missing_is_found(repacked: Callable[..., Evidence]) -> None:
    fault = repacked("AuditorIamRuntime", "runtime.json", lambda rules: rules["tools"].pop("list_users"))

    found = messages(actions.prove(fault))

    assert "call auditor iam.list_users: is granted by the catalogue, but no runtime" in found


def test_service_control_policies_count_where_an_organisation_is_given(evidence: Evidence, planted: Planted) -> None:
    def change(resources: dict[str, Any]) -> None:
        deny = {"Sid": "NoUsers", "Effect": "Deny", "Action": "iam:ListUsers", "Resource": "*"}
        resources["Control"] = {
            "Type": "AWS::Organizations::Policy",
            "Properties": {
                "Name": "x",
                "TargetIds": ["ou-exam-ringfenc"],
                "Type": "SERVICE_CONTROL_POLICY",
                "Content": {"Version": "2012-10-17", "Statement": [deny]},
            },
        }

    organisation = planted(network=change).assembly
    under = Evidence(
        evidence.assembly,
        expected=evidence.expected,
        department=evidence.department,
        organisation=organisation,
    )

    assert "persona auditor: cannot do iam:ListUsers" in messages(actions.prove(under))
