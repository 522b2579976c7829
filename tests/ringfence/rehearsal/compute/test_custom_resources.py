"""AgentCore's log groups, made or adopted by the real function as its own role, through the endpoints' policies."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest

from ringfence.deployed.assembly import Assembly, Resource
from ringfence.deployed.functions import functions
from ringfence.rehearsal.aws.server import LocalAws
from ringfence.rehearsal.compute.custom_resources import RUNTIME_LOG_GROUP, ask, make
from ringfence.rehearsal.compute.functions import Function
from ringfence.rehearsal.problems import CannotStart

NETWORK = "ringfence-example-production-network"
KEPT = {"retention_days": 731, "masked": True, "deletion_protected": True}


@pytest.fixture(scope="module")
def department(production: Path) -> Assembly:
    return Assembly.load(production)


@contextmanager
def running(assembly: Assembly, folder: Path) -> Iterator[tuple[LocalAws, dict[str, Function]]]:
    (spec,) = (
        each for each in functions(assembly).values() if each.resource.logical_id == "RuntimeLogGroupKeeperFunction"
    )
    with LocalAws(assembly) as aws:
        issued = aws.issue_credentials(spec.role_arn, spec.name)
        credentials = {
            "AWS_ACCESS_KEY_ID": issued["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": issued["SecretAccessKey"],
            "AWS_SESSION_TOKEN": issued["SessionToken"],
        }
        keeper = Function(
            spec, folder=folder, credentials=credentials, endpoint_url=aws.endpoint_url, log=aws.put_log_event
        )
        try:
            yield aws, {spec.arn: keeper}
        finally:
            keeper.stop()


@pytest.fixture
def kept(department: Assembly, tmp_path: Path) -> Iterator[tuple[LocalAws, dict[str, Function]]]:
    with running(department, tmp_path) as both:
        yield both


def changed(assembly: Assembly, stack: str, change: Callable[[dict[str, Any]], None]) -> Assembly:
    template = copy.deepcopy(dict(assembly.stacks[stack].template))
    change(template["Resources"])
    return assembly.edited({stack: template})


def a_log_group(assembly: Assembly) -> Resource:
    return assembly.of_type(RUNTIME_LOG_GROUP)[0]


def ordered(resource: Resource, **properties: Any) -> Any:
    """The custom resource with other properties."""
    return SimpleNamespace(
        stack=resource.stack,
        type=resource.type,
        logical_id=resource.logical_id,
        ref=resource.ref,
        properties={**resource.properties, **properties},
    )


def test_a_bare_group_that_agentcore_has_made_ends_as_every_log_group_is(department: Assembly, kept: Any) -> None:
    aws, functions = kept
    runtimes = department.of_type("AWS::BedrockAgentCore::Runtime")
    names = {f"/aws/bedrock-agentcore/runtimes/{each.arn.rpartition('/')[2]}-DEFAULT" for each in runtimes}
    bare = {"retention_days": None, "key": None, "masked": False, "deletion_protected": False}
    assert all(aws.log_groups.as_json(name) == {"name": name, **bare} for name in names)
    (key,) = [each.arn for each in department.of_type("AWS::KMS::Key") if each.logical_id == "LogKey"]

    made = make(department, functions=functions, aws=aws)

    assert {each["name"] for each in made} == names and len(names) == 5
    assert all(each == {"name": each["name"], "key": key, **KEPT, "was_there": True} for each in made)
    wrote = [call for call in aws.record if call.call.startswith("logs:")]
    assert all(call.decision == "allowed" or call.call == "logs:CreateLogGroup" for call in wrote)


def test_a_group_that_nobody_has_made_is_made(department: Assembly, kept: Any) -> None:
    aws, functions = kept
    for resource in department.of_type(RUNTIME_LOG_GROUP):
        aws._moto.client("logs").delete_log_group(logGroupName=str(resource.ref))

    made = make(department, functions=functions, aws=aws)

    assert [each["was_there"] for each in made] == [False] * 5
    assert all(KEPT.items() <= each.items() for each in made)


def test_it_may_be_asked_again_and_a_removed_one_leaves_its_group(department: Assembly, kept: Any) -> None:
    aws, functions = kept
    resource, (keeper,) = a_log_group(department), functions.values()
    for request in ("Create", "Create", "Update", "Delete", "Create"):
        answer = ask(resource, request, function=keeper, aws=aws)
        assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", resource.ref), answer
        assert KEPT.items() <= aws.log_groups.as_json(str(resource.ref)).items()


def test_another_group_is_refused_by_the_code_and_would_be_by_iam(department: Assembly, kept: Any) -> None:
    aws, functions = kept
    (keeper,) = functions.values()
    other = "/ringfence/example-production/cloudtrail"
    answer = ask(ordered(a_log_group(department), LogGroupName=other), "Create", function=keeper, aws=aws)
    assert answer["Status"] == "FAILED" and "name a runtime's group" in answer["Reason"]
    assert not [call for call in aws.record if call.call.startswith("logs:")]

    # The same with code that would do it: a prefix that covers everything.
    function = replace_environment(keeper, LOG_GROUP_PREFIX="/ringfence/example-production/calls/")
    wide = ordered(a_log_group(department), LogGroupName="/ringfence/example-production/calls/a-a1b2c3d4e5-x")
    answer = ask(wide, "Create", function=function, aws=aws)
    function.stop()
    assert answer["Status"] == "FAILED"
    assert "logs:CreateLogGroup was answered with AccessDeniedException" in answer["Reason"]


def replace_environment(function: Function, **settings: str) -> Function:
    twin = copy.copy(function)
    twin._environment = {**function._environment, **settings}
    twin._idle, twin._processes = type(function._idle)(), []
    return twin


@pytest.mark.parametrize(
    ("endpoint", "sid", "told"),
    [
        ("S3", "AllowAnsweringCloudFormation", "CloudFormation got no answer: NotAnswered: .*status 403"),
        ("Logs", "AllowManagingRuntimeLogGroups", "logs:CreateLogGroup was answered with AccessDeniedException"),
    ],
)
def test_without_its_statement_an_endpoint_lets_no_answer_out_and_nothing_be_kept(
    endpoint: str, sid: str, told: str, department: Assembly, tmp_path: Path
) -> None:
    def shut(resources: dict[str, Any]) -> None:
        policy = resources[f"Endpoint{endpoint}"]["Properties"]["PolicyDocument"]
        policy["Statement"] = [each for each in policy["Statement"] if each["Sid"] != sid]

    with (
        running(changed(department, NETWORK, shut), tmp_path) as (aws, functions),
        pytest.raises(CannotStart, match=told),
    ):
        make(department, functions=functions, aws=aws)


def test_an_answer_to_a_stack_of_another_account_does_not_pass(kept: Any) -> None:
    """Somebody's own stack would be a way out for whatever stands in the VPC and holds the address."""
    aws, _ = kept

    def put(account: str, stack: str = "ringfence-example-production-auditor") -> int:
        stack_id = f"arn:aws:cloudformation:eu-west-2:{account}:stack/{stack}/1"
        bucket = aws.answers_of_custom_resources
        address = bucket.address(stack_id, "Resource", "1").replace(f"https://{bucket.host}", aws.endpoint_url)
        headers = {"Host": bucket.host}
        return httpx2.put(address, content=json.dumps({}), headers=headers, trust_env=False).status_code

    assert put("111122223333") == 200
    assert put("444455556666") == 403
    assert put("111122223333", "somebody-elses") == 403


def test_a_group_that_is_not_as_the_template_says_stops_the_rehearsal(department: Assembly, kept: Any) -> None:
    aws, functions = kept
    aws.log_groups.answers["PutLogGroupDeletionProtection"] = lambda _: None
    with pytest.raises(
        CannotStart, match=r"should be .*'deletion_protected': True.*but is .*'deletion_protected': False"
    ):
        make(department, functions=functions, aws=aws)
