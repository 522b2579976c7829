"""A function can reach what it was given and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from constructs.isolated_function import NETWORK_INTERFACE_ACTIONS, Code, IsolatedFunction

ARN = "arn:aws:lambda:eu-west-2:111122223333:function:ringfence-example-production-pre-token"


@pytest.fixture
def template(bench: Any) -> dict[str, Any]:
    IsolatedFunction(
        bench.stack,
        "PreToken",
        name="pre-token",
        purpose="Maps groups.",
        code=Code(asset=bench.code, handler="pre_token.handler.handler", environment={"SETTING": "value"}),
        placement=bench.placement,
        statements=[{"Sid": "Extra", "Effect": "Allow", "Action": "kms:Sign", "Resource": "arn:aws:kms:::key/x"}],
    )
    return bench.template["Resources"]


def statements(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    document = template["PreTokenExecutionPolicy"]["Properties"]["PolicyDocument"]
    return {statement["Sid"]: statement for statement in document["Statement"]}


def test_it_stands_in_the_isolated_subnets_with_its_settings_encrypted(bench: Any, template: dict[str, Any]) -> None:
    function = template["PreTokenFunction"]["Properties"]

    assert function["VpcConfig"] == {
        "SubnetIds": ["subnet-11111111", "subnet-22222222"],
        "SecurityGroupIds": ["sg-33333333"],
    }
    assert function["KmsKeyArn"] == bench.data_key.key_arn
    assert (function["Runtime"], function["Architectures"]) == ("python3.14", ["arm64"])
    assert function["LoggingConfig"]["LogGroup"] == {"Ref": "PreTokenLogGroup"}
    assert "TracingConfig" not in function, "tracing would need one more way out of the VPC"


def test_it_starts_only_when_its_role_has_its_rights(template: dict[str, Any]) -> None:
    assert template["PreTokenFunction"]["DependsOn"] == ["PreTokenExecutionPolicy"]


@pytest.mark.parametrize(("reserved", "expected"), [(0, None), (20, 20)])
def test_executions_are_reserved_only_where_the_department_says_so(
    bench: Any, reserved: int, expected: int | None
) -> None:
    # An account begins with 10 executions in all, and Lambda refuses to reserve any of them.
    IsolatedFunction(
        bench.stack,
        "PreToken",
        name="pre-token",
        purpose="Maps groups.",
        code=Code(asset=bench.code, handler="pre_token.handler.handler", environment={}),
        placement=replace(bench.placement, reserved_concurrency=reserved),
    )

    assert bench.properties("PreTokenFunction").get("ReservedConcurrentExecutions") == expected


def test_lambda_takes_its_role_with_no_other_account_where_it_says_for_which(
    bench: Any, template: dict[str, Any]
) -> None:
    role = template["PreTokenExecutionRole"]["Properties"]

    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}
    # IfExists: no source says that Lambda sends the key (LIVE-18).
    assert trust["Condition"] == {"StringEqualsIfExists": {"aws:SourceAccount": "111122223333"}}
    assert "names no source" in template["PreTokenExecutionRole"]["Metadata"]["ringfence:control"]
    assert role["PermissionsBoundary"] == bench.boundary.managed_policy_arn
    assert "ManagedPolicyArns" not in role


def test_its_code_cannot_use_the_network_rights_that_lambda_needs(template: dict[str, Any]) -> None:
    denied = statements(template)["DenyNetworkInterfacesToFunctionCode"]

    assert denied["Effect"] == "Deny"
    assert denied["Condition"] == {"ArnEquals": {"lambda:SourceFunctionArn": ARN}}
    granted = {
        action
        for statement in statements(template).values()
        if statement["Effect"] == "Allow"
        for action in statement["Action"]
        if action.startswith("ec2:")
    }
    assert granted and granted <= set(denied["Action"]) == set(NETWORK_INTERFACE_ACTIONS)


def test_lambda_may_tend_interfaces_in_the_form_that_its_own_check_wants(template: dict[str, Any]) -> None:
    # Lambda developer guide on DeleteNetworkInterface: every resource id of the account, and not interfaces alone.
    tend = statements(template)["ManageNetworkInterfaces"]

    assert tend["Resource"] == ["arn:aws:ec2:eu-west-2:111122223333:*/*"]
    assert "ec2:DeleteNetworkInterface" in tend["Action"]
    assert "ec2:CreateNetworkInterface" not in tend["Action"], "that one names subnets and group"


def test_it_writes_its_own_log_reads_its_own_settings_and_gets_what_it_was_given(template: dict[str, Any]) -> None:
    found = statements(template)

    assert found["WriteOwnLog"]["Resource"] == [{"Fn::GetAtt": ["PreTokenLogGroup", "Arn"]}]
    assert found["DecryptOwnEnvironment"]["Condition"] == {
        "StringEquals": {"kms:EncryptionContext:aws:lambda:FunctionArn": ARN}
    }
    assert found["Extra"]["Action"] == "kms:Sign"
    assert "logs:CreateLogGroup" not in str(found), "a group made by the function would have no retention"
