"""The function that makes or adopts the log groups of runtimes, and what it may do."""

from __future__ import annotations

import fnmatch
import hashlib
import json
from typing import Any

import pytest

from constructs.audit.audit_log_group import AuditLogGroup
from constructs.runtime.runtime_log_group import RuntimeLogGroup, RuntimeLogGroupKeeper

PREFIX = "/aws/bedrock-agentcore/runtimes/ringfence_example_production__"
GROUPS = f"arn:aws:logs:eu-west-2:111122223333:log-group:{PREFIX}*"


@pytest.fixture
def keeper(bench: Any) -> RuntimeLogGroupKeeper:
    return RuntimeLogGroupKeeper(bench.stack, "Keeper", placement=bench.placement)


@pytest.fixture
def statements(bench: Any, keeper: RuntimeLogGroupKeeper) -> dict[str, Any]:
    found = bench.properties("KeeperExecutionPolicy")["PolicyDocument"]["Statement"]
    return {statement["Sid"]: statement for statement in found}


def test_it_may_give_and_nothing_else(statements: dict[str, Any]) -> None:
    assert statements["ManageRuntimeLogGroups"]["Action"] == [
        "logs:AssociateKmsKey",
        "logs:CreateLogGroup",
        "logs:PutDataProtectionPolicy",
        "logs:PutLogGroupDeletionProtection",
        "logs:PutRetentionPolicy",
    ]
    assert statements["ManageRuntimeLogGroups"]["Resource"] == [GROUPS]


@pytest.mark.parametrize(
    "name",
    [
        "/ringfence/example-production/calls/auditor",
        "/ringfence/example-production/cloudtrail",
        "/aws/bedrock-agentcore/runtimes/another_agent-a1b2c3d4e5-DEFAULT",
        "/aws/bedrock-agentcore/runtimes/ringfence_example_sandbox__auditor_iam-a1b2c3d4e5-DEFAULT",
        "/aws/bedrock-agentcore/runtimes/ringfence_example__auditor_iam-a1b2c3d4e5-DEFAULT",
        "/aws/bedrock-agentcore/runtimes/ringfence_example_production_two__auditor_iam-a1b2c3d4e5-DEFAULT",
        "/aws/lambda/anything",
    ],
)
def test_no_other_log_group_is_open_to_it(statements: dict[str, Any], name: str) -> None:
    arn = f"arn:aws:logs:eu-west-2:111122223333:log-group:{name}"
    assert not fnmatch.fnmatchcase(arn, GROUPS)
    wide = [each for sid, each in statements.items() if sid != "WriteOwnLog" and each["Effect"] == "Allow"]
    assert not [
        action
        for statement in wide
        for action in statement["Action"]
        if action.startswith("logs:") and statement["Resource"] != [GROUPS]
    ]


def test_its_settings_are_those_of_every_log_group(bench: Any, keeper: RuntimeLogGroupKeeper) -> None:
    AuditLogGroup(bench.stack, "Other", name="/other", key=bench.log_key)
    other, settings = bench.properties("Other"), bench.properties("KeeperFunction")["Environment"]["Variables"]
    assert json.loads(settings["MASKING_POLICY"]) == other["DataProtectionPolicy"]
    assert int(settings["RETENTION_DAYS"]) == other["RetentionInDays"] == 731
    assert settings["LOG_KEY_ARN"] == other["KmsKeyId"]
    assert settings["LOG_GROUP_PREFIX"] == PREFIX


def test_its_role_has_the_name_that_the_organisations_guardrail_excepts(bench: Any, keeper: Any) -> None:
    assert bench.properties("KeeperExecutionRole")["RoleName"] == "ringfence-example-production-log-keeper"


def test_it_has_time_to_answer_before_cloudformation_stops_waiting(bench: Any, keeper: RuntimeLogGroupKeeper) -> None:
    RuntimeLogGroup(bench.stack, "Log", runtime_id="r-a1b2c3d4e5", key=bench.log_key, keeper_arn=keeper.arn)
    timeout = bench.properties("KeeperFunction")["Timeout"]
    # Lambda runs a failed event again after one minute, and again after two.
    assert 3 * timeout + 60 + 120 < bench.properties("Log")["ServiceTimeout"] <= 3600


def test_its_resource_asks_for_what_every_log_group_has(bench: Any, keeper: RuntimeLogGroupKeeper) -> None:
    RuntimeLogGroup(bench.stack, "Log", runtime_id="r-a1b2c3d4e5", key=bench.log_key, keeper_arn=keeper.arn)
    AuditLogGroup(bench.stack, "Other", name="/other", key=bench.log_key)
    asked, other = bench.properties("Log"), bench.properties("Other")
    assert asked["DeletionProtectionEnabled"] is other["DeletionProtectionEnabled"] is True
    assert asked["RetentionInDays"] == other["RetentionInDays"] == 731
    assert asked["KmsKeyId"] == other["KmsKeyId"] == bench.log_key.key_arn


def test_another_masking_policy_calls_the_keeper_again(bench: Any, keeper: RuntimeLogGroupKeeper) -> None:
    RuntimeLogGroup(bench.stack, "Log", runtime_id="r-a1b2c3d4e5", key=bench.log_key, keeper_arn=keeper.arn)
    policy = bench.properties("KeeperFunction")["Environment"]["Variables"]["MASKING_POLICY"]
    assert bench.properties("Log")["MaskingPolicyDigest"] == hashlib.sha256(policy.encode()).hexdigest()
