"""The host with the real aws-api server: one command, its own session, and a restart held back for an approval."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ringfence.assets.local import packages
from ringfence.catalogue.catalogue import load_catalogue
from ringfence.compilers.rules import runtime_rules
from ringfence.department.department import load_department

STATUS = "aws ec2 describe-instance-status --instance-ids i-0123456789abcdef0"
REBOOT = "aws ec2 reboot-instances --instance-ids i-0123456789abcdef0"


@pytest.fixture(scope="module")
def rules() -> dict[str, Any]:
    """runtime.json of a department's operator, with the server enabled."""
    catalogue = load_catalogue()
    department = load_department("example-restarts", catalogue=catalogue, root=Path("tests/departments"))
    return runtime_rules(catalogue, department, "operator", "aws-api")


@pytest.fixture(scope="module")
def host(start_host: Any, rules: dict[str, Any]) -> Any:
    return start_host(rules, server=packages("aws-api"))


@pytest.fixture
def call(host: Any, rules: dict[str, Any], token: Any, aws: Any) -> Any:
    def make(command: str, **fields: Any) -> dict[str, Any]:
        arguments = {"cli_command": command}
        signed = {"issuer": rules["issuer"], "audience": rules["audience"], "persona": "operator", **fields}
        return host.call("call_aws", arguments, token("call_aws", arguments, **signed))

    return make


def test_the_model_is_told_exactly_the_commands_it_has(host: Any) -> None:
    (tool,) = host.rpc("tools/list").json()["result"]["tools"]
    told = tool["inputSchema"]["properties"]["cli_command"]["description"].splitlines()
    assert "- aws ec2 reboot-instances --instance-ids <value> ... (needs an approval)" in told
    assert (
        "- aws ecs update-service --cluster <value> --force-new-deployment --service <value> (needs an approval)"
        in told
    )
    assert len(told) == 1 + 9
    assert "list" not in tool["inputSchema"]["properties"]["cli_command"]["type"]


def test_a_read_runs_under_the_policy_of_its_own_command(call: Any, aws: Any) -> None:
    aws.refuse["DescribeInstanceStatus"] = "UnauthorizedOperation"
    result = call(STATUS)
    (assumed,) = aws.of("AssumeRole")
    (statement,) = json.loads(assumed.parameters["Policy"])["Statement"]
    assert statement["Action"] in ("ec2:DescribeInstanceStatus", ["ec2:DescribeInstanceStatus"])
    (described,) = aws.of("DescribeInstanceStatus")
    assert "app/ringfence-operator" in described.user_agent
    assert aws.issued[described.access_key] == "staff-1001"  # the session of this call, not the host's
    assert result["_meta"]["ringfence/layer"] == "aws", json.dumps(result)
    assert result["_meta"]["ringfence/rule"] == "access-denied"


def test_a_restart_without_an_approval_reaches_neither_sts_nor_the_server(call: Any, aws: Any, host: Any) -> None:
    result = call(REBOOT)
    assert result["_meta"]["ringfence/rule"] == "approval-required"
    assert "call_aws (aws ec2 reboot-instances) needs an approval" in result["content"][0]["text"]
    assert not aws.of("AssumeRole") and not aws.of("RebootInstances")
    assert host.records()[-1]["level"] in ("write", None)


def test_even_with_an_approval_the_server_does_not_write_and_the_failure_shows(call: Any, aws: Any) -> None:
    result = call(REBOOT, approval="approval-1")
    assert aws.of("AssumeRole") and not aws.of("RebootInstances")
    assert result["_meta"]["ringfence/layer"] == "server"
    assert "failed while running call_aws" in result["content"][0]["text"]
    assert "denied by security policy" in result["content"][1]["text"]


@pytest.mark.parametrize(
    ("command", "rule"),
    [
        (f"{STATUS} --region us-east-1", "wrong-value"),
        (f"{STATUS} --profile x", "unknown-option"),
        (f"{STATUS} ; id", "malformed-command"),
        ("aws ec2 describe-instances", "wrong-value"),  # the developer's, not the operator's
        ("aws secretsmanager get-secret-value --secret-id x", "wrong-value"),
    ],
)
def test_the_host_does_not_trust_the_gateway_to_have_looked(call: Any, aws: Any, command: str, rule: str) -> None:
    result = call(command)
    assert (result["_meta"]["ringfence/layer"], result["_meta"]["ringfence/rule"]) == ("runtime", rule)
    assert not aws.of("AssumeRole")
