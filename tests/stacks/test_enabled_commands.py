"""The optional server aws-api: nowhere by default, and in a department that enables it only its listed commands."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import cedarpy
import pytest

NAME = "example-restarts"
STATUS = "aws ec2 describe-instance-status"
RESTARTS = {
    "autoscaling:StartInstanceRefresh",
    "ec2:RebootInstances",
    "ecs:UpdateService",
    "rds:RebootDBInstance",
}


def resources(assembly: Path, stack: str, kind: str) -> dict[str, dict[str, Any]]:
    template = json.loads((assembly / f"ringfence-{NAME}-{stack}.template.json").read_text())
    return {name: each["Properties"] for name, each in template["Resources"].items() if each["Type"] == kind}


def rules_in(assembly: Path, file: str, *, where: str) -> list[dict[str, Any]]:
    """The rule files of one name in the assembly's zips, of those whose text holds `where`."""
    found = []
    for path in assembly.glob("asset.*.zip"):
        with zipfile.ZipFile(path) as archive:
            if file in archive.namelist():
                content = json.loads(archive.read(file))
                if where in json.dumps(content):
                    found.append(content)
    return found


def test_the_committed_departments_have_no_trace_of_it(assemblies: dict[str, Any]) -> None:
    for name, synthesised in assemblies.items():
        assert synthesised.templates
        for stack, template in synthesised.templates.items():
            text = json.dumps(template)
            for trace in ("aws-api___", "AwsApi", "aws_api", "call_aws", "com.amazonaws.eu-west-2.ecs", *RESTARTS):
                assert trace not in text, f"{name} {stack}: {trace}"


def test_an_enabled_department_has_one_runtime_and_one_permit_of_it_for_each_persona(enabled: Path) -> None:
    for persona in ("Operator", "Developer"):
        assert f"{persona}AwsApiRuntime" in resources(enabled, persona.lower(), "AWS::BedrockAgentCore::Runtime")
        permits = resources(enabled, persona.lower(), "AWS::BedrockAgentCore::Policy")
        assert [name for name in permits if "AwsApi" in name] == [f"{persona}AwsApiCallAwsPermit"]


@pytest.mark.parametrize(
    ("command", "permitted"),
    [
        (STATUS, True),
        (f"{STATUS} --instance-ids i-01234567", True),
        (f"{STATUS} --region us-east-1", True),  # what Cedar cannot tell, and says so
        (f"{STATUS}es", False),
        ("aws ec2 describe-instances", False),
        ("aws lambda put-function-concurrency --function-name f", False),
        ("aws iam create-user --user-name x", False),
    ],
)
def test_the_permit_admits_commands_by_their_beginning_and_says_that_it_can_do_no_more(
    enabled: Path, command: str, permitted: bool
) -> None:
    permit = resources(enabled, "operator", "AWS::BedrockAgentCore::Policy")["OperatorAwsApiCallAwsPermit"]
    text, _ = permit["Definition"]["Cedar"]["Statement"]["Fn::Sub"]
    assert "Cedar cannot parse a command line" in text
    user = 'AgentCore::OAuthUser::"u"'
    request = {
        "principal": user,
        "action": 'AgentCore::Action::"aws-api___call_aws"',
        "resource": 'AgentCore::Gateway::"${GatewayArn}"',
        "context": {"input": {"cli_command": command}},
    }
    entity = {
        "uid": {"type": "AgentCore::OAuthUser", "id": "u"},
        "attrs": {},
        "parents": [],
        "tags": {"cognito:groups": '["operator"]'},
    }
    assert (cedarpy.is_authorized(request, text, [entity]).decision == cedarpy.Decision.Allow) is permitted


def test_the_developer_restarts_nothing_and_the_operator_nothing_but_the_listed(enabled: Path) -> None:
    operator = rules_in(enabled, "runtime.json", where='"persona": "operator"')
    developer = rules_in(enabled, "runtime.json", where='"persona": "developer"')
    for found, above in ((operator, RESTARTS), (developer, set())):
        (rules,) = [each for each in found if each["server"] == "aws-api"]
        tool = rules["tools"]["call_aws"]
        writes = {
            action
            for name, policy in tool["operations"]["session_policies"].items()
            if tool["operations"]["levels"][name] != "read"
            for statement in policy["Statement"]
            for action in statement["Action"]
        }
        assert writes == above
        held_back = set(tool.get("approval", {}).get("operations", []))
        assert held_back == {name for name, level in tool["operations"]["levels"].items() if level != "read"}
        assert rules["environment"]["READ_OPERATIONS_ONLY"] == "true"


def test_its_endpoints_let_through_what_its_commands_need(enabled: Path) -> None:
    endpoints = resources(enabled, "network", "AWS::EC2::VPCEndpoint")
    names = {json.dumps(endpoint["ServiceName"]) for endpoint in endpoints.values()}
    for service in ("autoscaling", "ec2", "ecs", "lambda", "rds"):
        assert any(f'eu-west-2.{service}"' in name for name in names), service
    (ecs,) = [each for each in endpoints.values() if 'eu-west-2.ecs"' in json.dumps(each["ServiceName"])]
    actions = {action for each in ecs["PolicyDocument"]["Statement"] for action in each["Action"]}
    assert actions == {"ecs:DescribeServices", "ecs:ListClusters", "ecs:ListServices", "ecs:UpdateService"}


def test_the_zip_carries_the_server_as_published_and_the_shim_beside_it(enabled: Path) -> None:
    held = 0
    for path in enabled.glob("asset.*.zip"):
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            if "packages/server/awslabs/aws_api_mcp_server/server.py" in names:
                assert {"packages/server/sitecustomize.py", "packages/server/service_reference.json"} <= names
                held += 1
            elif "packages/server/awslabs/eks_mcp_server/server.py" not in names:  # eks has a shim of its own
                assert "packages/server/sitecustomize.py" not in names
    assert held == 2
