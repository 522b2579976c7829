"""What a persona effectively holds: by operation, environment and the department's own reasons, at every lock alike."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cedarpy
import pytest

from callpath.arguments import ToolRule, check_arguments
from callpath.refusal import Refusal
from ringfence.catalogue.catalogue import Catalogue, load_catalogue
from ringfence.catalogue.servers import Server, Tool
from ringfence.catalogue.shown.published import published_definition
from ringfence.cedar.schema import findings, schema_of
from ringfence.compilers import cedar, iam, rules
from ringfence.department.department import Department, load_department
from ringfence.iam.evaluator import Request, decide

Load = Callable[..., Department]
GATEWAY = "arn:aws:bedrock-agentcore:eu-west-2:111122223333:gateway/g"
DESCRIBE, REBOOT = "aws ec2 describe-instances", "aws ec2 reboot-instances"


def held(catalogue: Catalogue, department: Department) -> dict[str, list[str]]:
    granted = catalogue.granted("developer", department)
    return {f"{server.name}.{tool.name}": list(tool.operations) for server, tool in granted}


def tool_of(catalogue: Catalogue, department: Department, name: str) -> tuple[Server, Tool]:
    (found,) = [pair for pair in catalogue.granted("developer", department) if f"{pair[0].name}.{pair[1].name}" == name]
    return found


def test_production_leaves_only_what_production_levels_allow(wide: Catalogue, wide_department: Load) -> None:
    assert held(wide, wide_department("production")) == {"data.manage_jobs": ["get-job"]}


def test_a_sandbox_adds_its_levels_and_no_more(wide: Catalogue, wide_department: Load) -> None:
    assert held(wide, wide_department()) == {
        "data.manage_jobs": ["get-job", "start-job", "start-query"],  # delete-job is of level permissions
        "data.upload": [],
    }


def test_sensitive_tools_and_operations_are_off_until_the_department_names_them(
    wide: Catalogue, wide_department: Load
) -> None:
    assert held(wide, wide_department("production", sensitive=True)) == {
        "data.manage_jobs": ["get-job", "get-run"],
        "data.read_logs": [],
    }


def test_an_optional_server_is_off_until_the_department_enables_it(wide: Catalogue, wide_department: Load) -> None:
    assert held(wide, wide_department("production", enable=True))["cli.call"] == [DESCRIBE]
    # describe-images is classified and not among the operations this persona is granted.
    assert held(wide, wide_department(enable=True))["cli.call"] == [DESCRIBE, REBOOT]


def test_a_refused_operation_is_not_held_with_the_rest_of_its_tool(
    wide_root: Path, wide: Catalogue, wide_department: Load
) -> None:
    department = wide_department()
    path = wide_root / "servers/data/server.toml"
    start = "[tools.manage_jobs.operations.start-job]\n"
    refusal = 'refused = "A started job outlives the call and nobody answers for it."\n'
    path.write_text(path.read_text(encoding="utf-8").replace(start, start + refusal), encoding="utf-8")
    assert held(load_catalogue(wide_root), department)["data.manage_jobs"] == ["get-job", "start-query"]


def test_a_refused_tool_is_not_held_even_if_a_persona_came_to_list_it(wide: Catalogue, wide_department: Load) -> None:
    persona = replace(wide.personas["developer"], servers={"data": ("templates", "manage_jobs")})
    crooked = replace(wide, personas={**wide.personas, "developer": persona})
    assert list(held(crooked, wide_department())) == ["data.manage_jobs"]


def test_the_servers_of_a_persona_are_those_it_holds_a_tool_of(wide: Catalogue, wide_department: Load) -> None:
    assert [server.name for server in wide.servers_of("developer", wide_department())] == ["data"]
    assert [server.name for server in wide.servers_of("developer", wide_department(enable=True))] == ["cli", "data"]


def test_endpoints_follow_what_is_effectively_granted(wide: Catalogue, wide_department: Load) -> None:
    def services(department: Department) -> set[str]:
        return {each.service for each in iam.services(wide, department)} - {"iam", "monitoring", "kms", "sts"}

    assert services(wide_department("production")) == {"glue", "logs", "s3"}
    assert services(wide_department()) == {"athena", "glue", "logs", "s3"}
    assert services(wide_department(enable=True)) == {"athena", "ec2", "glue", "logs", "s3"}
    (s3,) = [each for each in iam.services(wide, wide_department()) if each.service == "s3"]
    assert s3.kind == "gateway"
    policy = iam.endpoint_policy(wide, wide_department("production"), "glue")
    assert [statement["Action"] for statement in policy["Statement"]] == [["glue:GetJob"]]


def test_the_published_argument_lists_exactly_the_permitted_operations(wide: Catalogue, wide_department: Load) -> None:
    tools = rules.interceptor_rules(wide, wide_department(), "developer")["tools"]
    schema = tools["data___manage_jobs"]["definition"]["inputSchema"]
    assert schema["properties"]["operation"]["pattern"] == "^(?:get-job|start-job|start-query)$"
    assert schema["properties"]["operation"]["description"] == "What to do. One of: get-job, start-job, start-query."
    assert schema["required"] == ["operation"]  # the server's own schema leaves it out and then chooses itself


COMMANDS = [
    (DESCRIBE, True),
    (f"{DESCRIBE} --max-items 5", True),
    (f"{DESCRIBE}s", False),
    ("aws ec2 describe-images", False),
    ("aws  ec2 describe-instances", False),
    (f"aws ec2 describe-images {DESCRIBE}", False),
    (f" {DESCRIBE}", False),
    (f"{DESCRIBE}\naws iam create-user", False),
    (f"{DESCRIBE} x\n", False),
    ("", False),
]


@pytest.mark.parametrize(("command", "allowed"), COMMANDS)
def test_a_command_must_begin_with_a_permitted_one(
    wide: Catalogue, wide_department: Load, command: str, allowed: bool
) -> None:
    entry = rules.runtime_rules(wide, wide_department(enable=True), "developer", "cli")["tools"]["call"]
    rule = ToolRule(name="call", input_schema=entry["definition"]["inputSchema"], forced={})
    if allowed:
        assert check_arguments(rule, {"command": command}) == {"command": command}
        return
    with pytest.raises(Refusal) as refused:
        check_arguments(rule, {"command": command})
    assert "the form that the schema of the tool gives" in refused.value.message
    assert DESCRIBE in rule.input_schema["properties"]["command"]["description"]


def permitted(catalogue: Catalogue, department: Department, action: str, arguments: dict[str, Any]) -> bool:
    text = "\n".join(
        each.text for each in cedar.permit_statements(catalogue, department, "developer", GATEWAY, f"https://{GATEWAY}")
    )
    inputs = {
        f"{server.name}___{tool.name}": published_definition(server, tool)["inputSchema"]
        for server, tool in catalogue.granted("developer", department)
    }
    assert not findings([text], schema_of(inputs))
    person = {"uid": {"type": "AgentCore::OAuthUser", "id": "u"}, "attrs": {}, "parents": []}
    request = {
        "principal": 'AgentCore::OAuthUser::"u"',
        "action": f'AgentCore::Action::"{action}"',
        "resource": f'AgentCore::Gateway::"{GATEWAY}"',
        "context": {"input": arguments},
    }
    entity = {**person, "tags": {cedar.GROUPS_CLAIM: '["developer"]'}}
    return cedarpy.is_authorized(request, text, [entity]).decision == cedarpy.Decision.Allow


@pytest.mark.parametrize("operation", ["get-job", "get-run", "start-job", "start-query", "delete-job", "GET-JOB", None])
def test_cedar_permits_exactly_the_effective_operations(
    wide: Catalogue, wide_department: Load, operation: str | None
) -> None:
    department = wide_department("production", sensitive=True)
    arguments = {} if operation is None else {"operation": operation}
    expected = operation in tool_of(wide, department, "data.manage_jobs")[1].operations
    assert permitted(wide, department, "data___manage_jobs", arguments) is expected


@pytest.mark.parametrize(("command", "allowed"), [each for each in COMMANDS if "\n" not in each[0]])
def test_cedar_permits_exactly_the_effective_commands(
    wide: Catalogue, wide_department: Load, command: str, allowed: bool
) -> None:
    assert permitted(wide, wide_department(enable=True), "cli___call", {"command": command}) is allowed


def test_each_operation_has_its_own_session_policy(wide: Catalogue, wide_department: Load) -> None:
    department = wide_department()
    server, tool = tool_of(wide, department, "data.manage_jobs")
    entry = rules.runtime_rules(wide, department, "developer", "data")["tools"]["manage_jobs"]
    assert "session_policy" not in entry
    actions = {
        name: [statement["Action"] for statement in policy["Statement"]]
        for name, policy in entry["operations"]["session_policies"].items()
    }
    assert actions == {
        "get-job": [["glue:GetJob"]],
        "start-job": [["glue:StartJobRun"]],
        "start-query": [["athena:StartQueryExecution"]],
    }
    assert entry["operations"]["levels"] == {"get-job": "read", "start-job": "write", "start-query": "write"}
    for wrong in (None, "delete-job", "get-run"):
        with pytest.raises(ValueError, match="no session policy for operation"):
            iam.session_policy(department, server, tool, wrong)


def test_a_grants_own_conditions_hold_beside_the_region_lock(wide: Catalogue, wide_department: Load) -> None:
    department = wide_department()
    documents = iam.persona_policies(wide, department, "developer")
    run = "arn:aws:glue:eu-west-2:111122223333:job/x"

    def may(**context: str) -> bool:
        given = {key.replace("__", ":"): value for key, value in context.items()}
        request = Request(principal_arn="arn:aws:iam::111122223333:role/r", action="glue:StartJobRun", resource=run,
                          context=given)  # fmt: skip
        return decide(request, {"identity": documents}).allowed

    tag = {"aws:ResourceTag/ringfence:sandbox": "true"}
    assert may(**{"aws:RequestedRegion": "eu-west-2", **tag})
    assert not may(**{"aws:RequestedRegion": "eu-west-2"})
    assert not may(**{"aws:RequestedRegion": "eu-west-1", **tag})
    assert not may(**{"aws:RequestedRegion": "eu-west-2", "aws:ResourceTag/ringfence:sandbox": "false"})


def test_calls_that_need_an_approval_are_marked_in_both_places(wide: Catalogue, wide_department: Load) -> None:
    department = wide_department(enable=True)
    at_gateway = rules.interceptor_rules(wide, department, "developer")["tools"]
    assert at_gateway["data___upload"]["approval"] is True
    assert at_gateway["data___manage_jobs"]["approval"] == {"argument": "operation", "operations": ["start-query"]}
    assert at_gateway["cli___call"]["approval"] == {"argument": "command", "operations": [REBOOT]}
    assert at_gateway["cli___call"]["operations"]["match"] == "command"
    in_runtime = rules.runtime_rules(wide, department, "developer", "data")["tools"]
    assert in_runtime["upload"]["approval"] is True
    assert in_runtime["manage_jobs"]["approval"]["operations"] == ["start-query"]
    auditor = rules.interceptor_rules(wide, department, "auditor")["tools"]
    assert not [name for name, entry in auditor.items() if "approval" in entry or "operations" in entry]


@pytest.mark.parametrize(
    ("environment", "sensitive", "flags"),
    [
        ("production", False, ["--auth=iam"]),
        ("production", True, ["--auth=iam", "--allow-sensitive-data-access"]),
        ("sandbox", False, ["--auth=iam", "--allow-write"]),
        ("sandbox", True, ["--auth=iam", "--allow-write", "--allow-sensitive-data-access"]),
    ],
)
def test_a_servers_gates_open_only_for_what_its_persona_holds(
    wide: Catalogue, wide_department: Load, environment: str, sensitive: bool, flags: list[str]
) -> None:
    department = wide_department(environment, sensitive=sensitive)
    assert rules.runtime_rules(wide, department, "developer", "data")["flags"] == flags


def test_every_lock_holds_the_same_actions(wide: Catalogue, wide_department: Load) -> None:
    department = wide_department(enable=True, sensitive=True)
    policies = iam.persona_policies(wide, department, "developer")
    identity = {action for each in policies for s in each["Statement"] for action in s["Action"]}
    boundary = iam.persona_boundary(wide, department, "developer")
    at_most = {action for s in boundary["Statement"] if s["Effect"] == "Allow" for action in s["Action"]}
    sessions: set[str] = set()
    for server in wide.servers_of("developer", department):
        text = json.dumps(rules.runtime_rules(wide, department, "developer", server.name))
        sessions |= set(re.findall(r'"((?!aws:)[a-z0-9]+:[A-Z]\w+)"', text))
    assert identity == at_most == sessions
    assert "glue:DeleteJob" not in identity
    assert "ec2:DescribeImages" not in identity


def test_tools_that_may_change_something_are_named_as_they_are_published() -> None:
    catalogue = load_catalogue()
    sandbox = load_department("example-sandbox", catalogue=catalogue)
    changing = set(catalogue.changing("developer", sandbox))
    assert {"serverless___sam_deploy", "dataprocessing___upload_to_s3", "eks___manage_k8s_resource"} <= changing
    assert not {"serverless___list_registries", "dataprocessing___list_s3_buckets"} & changing
    assert catalogue.changing("auditor", sandbox) == []
