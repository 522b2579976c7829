"""Proof 3: no published path to more rights is open; and the paths it finds when one is opened."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ringfence.department.department import load_department
from ringfence.deployed.assembly import Assembly
from ringfence.iam.actions import load
from ringfence.proofs import registry
from ringfence.proofs.each import escalation
from ringfence.proofs.each.escalation import accepted_paths, agentcore_paths, published_paths
from ringfence.proofs.evidence import Evidence
from ringfence.proofs.findings import Outcome
from ringfence.proofs.sweeps.permission_sweeps import PermissionSweeps
from tests.ringfence.proofs.conftest import promise_of

ROOT = Path(__file__).resolve().parents[4]
LONDON = {"StringEquals": {"aws:RequestedRegion": "eu-west-2"}}
IN_US_EAST_1 = {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}
SERVICE_ROLE_POLICY = "AuditorInterceptorRequestExecutionPolicy"
Planted = Callable[..., Evidence]


def messages(outcome: Outcome) -> str:
    return "\n".join(str(finding) for finding in outcome.findings)


def grant(*logical_ids: str, actions: list[str], resource: str = "*", **condition: Any) -> Callable[[Any], None]:
    def change(resources: dict[str, Any]) -> None:
        for logical_id in logical_ids:
            allow = {"Sid": "Planted", "Effect": "Allow", "Action": actions, "Resource": resource}
            resources[logical_id]["Properties"]["PolicyDocument"]["Statement"].append(allow | condition)

    return change


def for_the_persona(planted: Planted, actions: list[str], resource: str = "*", **condition: Any) -> Outcome:
    change = grant("AuditorRolePolicy", "AuditorRoleBoundary", actions=actions, resource=resource, **condition)
    return escalation.prove(planted(auditor=change))


def test_no_path_is_open_to_any_role(each: Evidence, sweeps_of: dict[str, PermissionSweeps]) -> None:
    outcome = escalation.prove(each, sweeps_of[each.department.name])

    assert messages(outcome) == ""
    assert outcome.looked_at["roles"] == len(each.roles)


def test_a_reviewer_is_told_what_stands_open_on_purpose(
    evidences: dict[str, Evidence], sweeps_of: dict[str, PermissionSweeps]
) -> None:
    told = {name: escalation.prove(evidences[name], sweeps_of[name]).on_purpose for name in evidences}

    assert told["example-production"] == ()
    passes = [one for one in told["example-sandbox"] if " passes " in one]
    assert passes == [
        "DeveloperRole passes arn:aws:iam::111122223333:role/ringfence-example-sandbox-sandbox-stacks "
        "(StringEquals iam:PassedToService cloudformation.amazonaws.com)",
        "DeveloperSandboxStacksRole passes arn:aws:iam::111122223333:role/ringfence/sandbox/* "
        "(StringEquals iam:PassedToService lambda.amazonaws.com)",
    ]
    assert {one for one in told["example-sandbox"] if one not in passes} == {
        f"{entry.role} can take {entry.path}, see accepted_paths.toml" for entry in accepted_paths("sandbox")
    }


def test_it_compares_with_59_published_methods_and_agentcores_own() -> None:
    names = [path.name for path in published_paths()]

    assert len([name for name in names if name.startswith("cloudsplaining ")]) == 59
    assert {"agentcore bedrock-001", "agentcore bedrock-002", "agentcore runtime-command"} <= set(names)
    assert len(names) == len(set(names))


def test_every_action_of_our_own_table_exists() -> None:
    assert not {action for path in agentcore_paths() for action in path.actions if action not in load()}


@pytest.mark.parametrize("path", agentcore_paths(), ids=lambda path: path.name.split(" ")[1])
def test_each_agentcore_path_is_found_when_nothing_refuses_it(path: Any, planted: Planted) -> None:
    """The boundary's denials go as well: as long as they stand, most of these stay shut."""

    def change(resources: dict[str, Any]) -> None:
        grant("AuditorRolePolicy", "AuditorRoleBoundary", actions=sorted(path.actions))(resources)
        document = resources["AuditorRoleBoundary"]["Properties"]["PolicyDocument"]
        document["Statement"] = [each for each in document["Statement"] if each["Effect"] == "Allow"]

    found = messages(escalation.prove(planted(auditor=change)))

    assert f"role AuditorRole: can take {path.name}: " in found


def test_a_shell_in_a_runtime_stays_shut_although_policy_and_boundary_allow_it(planted: Planted) -> None:
    outcome = for_the_persona(planted, ["bedrock-agentcore:InvokeAgentRuntimeCommand"], Condition=LONDON)

    assert outcome.holds


def test_a_path_of_a_persona_is_found(planted: Planted) -> None:
    found = messages(for_the_persona(planted, ["iam:CreateAccessKey"], Condition=IN_US_EAST_1))

    assert "role AuditorRole: can take cloudsplaining CreateAccessKey: iam:createaccesskey" in found


def test_a_path_of_a_function_role_is_found(planted: Planted) -> None:
    fault = planted(
        auditor=grant(SERVICE_ROLE_POLICY, actions=["lambda:UpdateFunctionCode"]),
        audit=grant("ServiceBoundary", actions=["lambda:UpdateFunctionCode"]),
    )
    found = messages(escalation.prove(fault))

    assert "role AuditorInterceptorRequestExecutionRole: can take agentcore interceptor-code" in found
    assert "cloudsplaining EditExistingLambdaFunctionWithRole" in found


@pytest.mark.parametrize(
    ("resource", "condition", "expected"),
    [
        ("*", {}, "of this deployment"),
        ("arn:aws:iam::111122223333:role/ringfence-*", {}, "of this deployment"),
        (
            "arn:aws:iam::111122223333:role/sandbox-*",
            {},
            "to any service; a condition on iam:PassedToService",
        ),
    ],
)
def test_passing_a_role_is_found(resource: str, condition: dict[str, Any], expected: str, planted: Planted) -> None:
    region = {"StringEquals": {"aws:RequestedRegion": "us-east-1", **condition}}
    found = messages(for_the_persona(planted, ["iam:PassRole"], resource, Condition=region))

    assert "role AuditorRole: can pass" in found
    assert expected in found


def test_passing_named_roles_that_are_not_ours_to_named_services_is_no_path(planted: Planted) -> None:
    region = {"StringEquals": {"aws:RequestedRegion": "us-east-1", "iam:PassedToService": "lambda.amazonaws.com"}}
    outcome = for_the_persona(planted, ["iam:PassRole"], "arn:aws:iam::111122223333:role/sandbox-*", Condition=region)

    assert outcome.holds


REQUESTED = {"aws:RequestTag/ringfence:sandbox": "true"}
OF_THE_SANDBOX = {"aws:ResourceTag/ringfence:sandbox": "true"}


@pytest.mark.parametrize(
    ("action", "resource", "condition"),
    [
        ("emr-serverless:TagResource", "*", REQUESTED),
        ("emr-serverless:TagResource", "arn:aws:emr-serverless:eu-west-2:*:/applications/*", REQUESTED),
        ("glue:TagResource", "arn:aws:glue:eu-west-2:*:workflow/*", REQUESTED),
        ("glue:TagResource", "arn:aws:glue:eu-west-2:*:workflow/*ringfence-sandbox-*", REQUESTED),
        ("athena:TagResource", "*", {}),
        ("elasticmapreduce:AddTags", "*", {"elasticmapreduce:RequestTag/ringfence:sandbox": "true"}),
        ("s3:PutBucketTagging", "arn:aws:s3:::*", {}),
    ],
)
def test_tagging_something_else_into_the_sandbox_is_found(
    action: str, resource: str, condition: dict[str, Any], planted: Planted
) -> None:
    london = {"StringEquals": {**LONDON["StringEquals"], **condition}}
    found = messages(for_the_persona(planted, [action], resource, Condition=london))

    assert f"into the sandbox by {action}" in found


@pytest.mark.parametrize(
    ("action", "resource", "operator", "condition"),
    [
        ("glue:TagResource", "arn:aws:glue:eu-west-2:*:workflow/ringfence-sandbox-*", "StringEquals", REQUESTED),
        ("glue:TagResource", "*", "StringEquals", OF_THE_SANDBOX),
        ("ec2:CreateTags", "*", "StringEquals", {**REQUESTED, "ec2:CreateAction": "RunInstances"}),
        ("glue:TagResource", "*", "ForAllValues:StringEquals", {"aws:TagKeys": ["owner"]}),
        ("emr-serverless:CreateApplication", "*", "StringEquals", REQUESTED),
    ],
)
def test_tagging_the_sandbox_itself_or_what_is_being_made_is_no_way_in(
    action: str, resource: str, operator: str, condition: dict[str, Any], planted: Planted
) -> None:
    london = {**LONDON, operator: {**LONDON["StringEquals"], **condition} if operator == "StringEquals" else condition}
    outcome = for_the_persona(planted, [action], resource, Condition=london)

    assert outcome.holds, messages(outcome)


@pytest.fixture
def accepting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Accepts a path of the auditor's role on one resource pattern."""

    def accept(path: str, only_on: str, *, environment: str = "production") -> None:
        table = tmp_path / "accepted_paths.toml"
        monkeypatch.setattr(escalation, "ACCEPTED", table)
        entry = {
            "environment": environment,
            "role": "AuditorRole",
            "path": path,
            "reason": "For the test, and nothing else.",
        }
        lines = [f'{name} = "{value}"' for name, value in entry.items()]
        table.write_text("\n".join(["[[accepted]]", *lines, f'only_on = ["{only_on}"]', ""]))

    return accept


SANDBOX_USERS = "arn:aws:iam::*:user/sandbox-*"


@pytest.mark.parametrize(
    ("resource", "environment", "holds"),
    [(SANDBOX_USERS, "production", True), ("*", "production", False), (SANDBOX_USERS, "sandbox", False)],
)
def test_an_accepted_path_is_silent_on_the_accepted_resources_and_in_its_environment_only(
    resource: str, environment: str, holds: bool, planted: Planted, accepting: Callable[..., None]
) -> None:
    accepting("cloudsplaining CreateAccessKey", SANDBOX_USERS, environment=environment)
    outcome = for_the_persona(planted, ["iam:CreateAccessKey"], resource, Condition=IN_US_EAST_1)

    assert outcome.holds is holds


def test_an_accepted_path_that_is_shut_is_found(evidence: Evidence, accepting: Callable[..., None]) -> None:
    accepting("cloudsplaining AddUserToGroup", "*")

    assert "is accepted to take cloudsplaining AddUserToGroup" in messages(escalation.prove(evidence))


def test_what_a_sandbox_accepts_is_not_missed_in_production(evidence: Evidence, accepting: Callable[..., None]) -> None:
    accepting("cloudsplaining AddUserToGroup", "*", environment="sandbox")

    assert escalation.prove(evidence).holds


def test_a_production_department_whose_developer_only_reads_proves_clean(enabled: Path, catalogue: Any) -> None:
    department = load_department("example-restarts", catalogue=catalogue, root=ROOT / "tests" / "departments")
    expected = promise_of(department.name, departments=ROOT / "tests" / "departments")
    case = registry.Case(Evidence(Assembly.load(enabled), expected=expected, department=department))
    results = registry.run(case, ["actions", "escalation", "outside", "boundaries", "trust", "network", "round-trip"])

    assert department.environment == "production"
    assert "DeveloperRole" in case.sweeps.of_roles
    assert {result.name: messages(result.outcome) for result in results if not result.outcome.holds} == {}


STACKS_ROLE = "DeveloperSandboxStacksRole"
Change = Callable[[dict[str, Any]], None]


def passing(resources: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The statements by which the developer passes the sandbox's stack role on."""
    for resource in resources.values():
        if resource["Type"] == "AWS::IAM::ManagedPolicy":
            for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
                role = "role/ringfence-example-sandbox-sandbox-stacks"
                if "iam:PassRole" in statement.get("Action", ()) and role in str(statement["Resource"]):
                    yield statement


def to_any_service(resources: dict[str, Any]) -> None:
    for statement in passing(resources):
        del statement["Condition"]["StringEquals"]["iam:PassedToService"]


def to_lambda(resources: dict[str, Any]) -> None:
    for statement in passing(resources):
        statement["Condition"]["StringEquals"]["iam:PassedToService"] = "lambda.amazonaws.com"


def and_others(resources: dict[str, Any]) -> None:
    for statement in passing(resources):
        statement["Resource"] = "arn:aws:iam::111122223333:role/ringfence-example-sandbox-*"


def trusting_lambda(resources: dict[str, Any]) -> None:
    (trust,) = resources[STACKS_ROLE]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    trust["Principal"] = {"Service": ["cloudformation.amazonaws.com", "lambda.amazonaws.com"]}


def roles_anywhere(resources: dict[str, Any]) -> None:
    for part in ("Policy", "Boundary"):
        for statement in resources[f"{STACKS_ROLE}{part}"]["Properties"]["PolicyDocument"]["Statement"]:
            if "iam:PutRolePolicy" in statement.get("Action", ()):
                statement["Resource"] = "arn:aws:iam::111122223333:role/*"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (to_any_service, "role DeveloperRole: can pass {role}, which is for cloudformation.amazonaws.com alone"),
        (to_lambda, "role DeveloperRole: can pass {role}, which is for cloudformation.amazonaws.com alone"),
        (and_others, "role DeveloperRole: can pass arn:aws:iam::111122223333:role/ringfence-example-sandbox-*"),
        (trusting_lambda, "role DeveloperRole: can pass {role}, which is for cloudformation.amazonaws.com alone"),
        (roles_anywhere, f"role {STACKS_ROLE}: can take cloudsplaining PutRolePolicy"),
    ],
)
def test_the_sandboxes_stack_role_goes_to_its_service_alone(
    change: Change, expected: str, evidences: dict[str, Evidence]
) -> None:
    sandbox = evidences["example-sandbox"]
    name = "ringfence-example-sandbox-developer"
    template = copy.deepcopy(dict(sandbox.assembly.stacks[name].template))
    change(template["Resources"])
    changed = sandbox.beside(sandbox.assembly.edited({name: template}))
    role = "arn:aws:iam::111122223333:role/ringfence-example-sandbox-sandbox-stacks"

    assert expected.format(role=role) in messages(escalation.prove(changed))
