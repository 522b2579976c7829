"""A server in AgentCore Runtime."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from constructs.runtime.mcp_runtime import McpRuntime, RuntimePlacement
from constructs.runtime.runtime_role import CallLog
from constructs.runtime.txn_token_key import TXN_TOKEN_HEADER
from ringfence.assets.zips import Asset
from ringfence.catalogue.grants import with_operations
from ringfence.catalogue.servers import Operation

KEEPER = "arn:aws:lambda:eu-west-2:111122223333:function:ringfence-example-production-runtime-log-group"


@pytest.fixture
def runtime(bench: Any) -> McpRuntime:
    return make(bench, "AuditorIamRuntime", bench.code)


def make(bench: Any, construct_id: str, code: Asset) -> McpRuntime:
    return McpRuntime(
        bench.stack,
        construct_id,
        name="ringfence_auditor_iam",
        purpose="IAM for the auditor.",
        code=code,
        call_log=CallLog("/ringfence/example-production/calls/auditor", "iam"),
        role_ref=bench.role_ref,
        token_key_arn="arn:aws:kms:eu-west-2:111122223333:key/token",
        placement=RuntimePlacement(
            subnet_ids=["subnet-11111111", "subnet-22222222"],
            security_group_id="sg-44444444",
            log_key=bench.log_key,
            log_group_keeper_arn=KEEPER,
            boundary=bench.boundary,
        ),
    )


@pytest.fixture
def properties(bench: Any, runtime: McpRuntime) -> dict[str, Any]:
    return bench.properties("AuditorIamRuntime")


def test_it_stands_in_the_vpc_and_not_on_the_internet(properties: dict[str, Any]) -> None:
    assert properties["NetworkConfiguration"] == {
        "NetworkMode": "VPC",
        "NetworkModeConfig": {
            "SecurityGroups": ["sg-44444444"],
            "Subnets": ["subnet-11111111", "subnet-22222222"],
        },
    }


def test_it_takes_the_txn_token_header_and_no_other(properties: dict[str, Any]) -> None:
    assert properties["RequestHeaderConfiguration"] == {"RequestHeaderAllowlist": [TXN_TOKEN_HEADER]}


def test_inbound_calls_are_signed_with_iam_since_no_authorizer_is_set(properties: dict[str, Any]) -> None:
    assert "AuthorizerConfiguration" not in properties


def test_it_speaks_mcp_and_runs_our_main(properties: dict[str, Any]) -> None:
    assert properties["ProtocolConfiguration"] == "MCP"
    code = properties["AgentRuntimeArtifact"]["CodeConfiguration"]
    assert (code["EntryPoint"], code["Runtime"]) == (["main.py"], "PYTHON_3_13")


def test_new_content_is_a_new_object_because_agentcore_does_not_notice_an_overwritten_one(bench: Any) -> None:
    for name, content in {"First": "c0de", "Same": "c0de", "Other": "beef"}.items():
        make(bench, name, replace(bench.code, sha256=content))
    first, same, other = (
        bench.properties(name)["AgentRuntimeArtifact"]["CodeConfiguration"]["Code"]["S3"]["Prefix"]
        for name in ("First", "Same", "Other")
    )
    assert first == same != other


def test_a_session_ends_after_fifteen_idle_minutes_and_after_eight_hours(properties: dict[str, Any]) -> None:
    assert properties["LifecycleConfiguration"] == {"IdleRuntimeSessionTimeout": 900, "MaxLifetime": 28800}


def test_the_environment_holds_what_the_host_reads_and_nothing_secret(bench: Any, properties: dict[str, Any]) -> None:
    assert properties["EnvironmentVariables"] == {
        "AWS_DEFAULT_REGION": "eu-west-2",
        "AWS_REGION": "eu-west-2",
        "RINGFENCE_CALL_LOG_GROUP": "/ringfence/example-production/calls/auditor",
        "RINGFENCE_PERSONA_ROLE_ARN": bench.role_ref.role_arn,
        "RINGFENCE_TXN_KEY_ARN": "arn:aws:kms:eu-west-2:111122223333:key/token",
    }


def test_its_role_can_do_its_work_before_it_is_made(bench: Any, runtime: McpRuntime) -> None:
    assert "AuditorIamRuntimeExecutionPolicy" in bench.resource("AuditorIamRuntime")["DependsOn"]


def test_it_can_wait_for_the_first_one_which_brings_the_service_linked_roles(bench: Any, runtime: McpRuntime) -> None:
    second = make(bench, "AuditorCloudtrailRuntime", bench.code)
    second.after(runtime)
    assert "AuditorIamRuntime" in bench.resource("AuditorCloudtrailRuntime")["DependsOn"]


def test_the_log_group_of_its_output_is_kept_as_every_other_whoever_makes_it(bench: Any, runtime: McpRuntime) -> None:
    resource, log = bench.resource("AuditorIamRuntimeLog"), bench.properties("AuditorIamRuntimeLog")
    assert resource["Type"] == "Custom::RuntimeLogGroup"
    assert log["ServiceToken"] == KEEPER
    assert log["ServiceTimeout"] == 600, "CloudFormation would wait an hour"
    assert log["LogGroupName"] == {
        "Fn::Join": [
            "",
            [
                "/aws/bedrock-agentcore/runtimes/",
                {"Fn::GetAtt": ["AuditorIamRuntime", "AgentRuntimeId"]},
                "-DEFAULT",
            ],
        ]
    }
    assert log["RetentionInDays"] == 731
    assert log["DeletionProtectionEnabled"] is True
    assert log["KmsKeyId"] == bench.log_key.key_arn
    groups = [each for each in bench.template["Resources"].values() if each["Type"] == "AWS::Logs::LogGroup"]
    assert groups == [], "one that is there already would fail the deployment"


def test_the_template_says_which_tool_does_what(bench: Any, runtime: McpRuntime, catalogue: Any) -> None:
    runtime.show_tools([catalogue.servers["iam"].tools["list_users"]])
    assert bench.resource("AuditorIamRuntime")["Metadata"]["ringfence:tools"] == {
        "list_users": {"level": "read", "actions": ["iam:ListUsers"]}
    }


def test_the_template_says_what_each_operation_does_and_why_it_is_there(
    bench: Any, runtime: McpRuntime, catalogue: Any
) -> None:
    reads = catalogue.servers["iam"].tools["list_users"]
    look = Operation("look", "read", reads.grants)
    change = Operation("change", "write", reads.grants, sensitive=True, approval=True)
    tool = with_operations(replace(reads, operation="do"), {"change": change, "look": look})
    runtime.show_tools([tool], sensitive={"list_users.change": "They change their own users."}, enabled="It is needed.")
    metadata = bench.resource("AuditorIamRuntime")["Metadata"]
    assert metadata["ringfence:enabled"] == "It is needed."
    assert metadata["ringfence:tools"]["list_users"] == {
        "level": "write",
        "actions": ["iam:ListUsers"],
        "operations": {
            "change": {
                "level": "write",
                "actions": ["iam:ListUsers"],
                "approval": "needed",
                "sensitive": "They change their own users.",
            },
            "look": {"level": "read", "actions": ["iam:ListUsers"]},
        },
    }
