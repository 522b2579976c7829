"""The execution role of a runtime."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import aws_s3_assets as s3_assets

from constructs.runtime.runtime_role import SESSION_TAGS, CallLog, RuntimeRole

KEY = "arn:aws:kms:eu-west-2:111122223333:key/token"


@pytest.fixture
def made(bench: Any) -> RuntimeRole:
    return RuntimeRole(
        bench.stack,
        "Execution",
        runtime_name="ringfence_auditor_iam",
        call_log=CallLog("/ringfence/example-production/calls/auditor", "iam"),
        role_ref=bench.role_ref,
        token_key_arn=KEY,
        code=s3_assets.Asset(bench.stack, "Code", path=str(bench.code.path)),
        boundary=bench.boundary,
    )


@pytest.fixture
def statements(bench: Any, made: RuntimeRole) -> dict[str, Any]:
    found = bench.properties("ExecutionPolicy")["PolicyDocument"]["Statement"]
    return {statement["Sid"]: statement for statement in found}


def test_agentcore_may_assume_it_for_this_runtime_of_this_account_only_even_before_it_has_its_id(
    bench: Any, made: RuntimeRole
) -> None:
    trust = bench.properties("ExecutionRole")["AssumeRolePolicyDocument"]["Statement"]
    assert len(trust) == 1
    assert trust[0]["Principal"] == {"Service": "bedrock-agentcore.amazonaws.com"}
    assert trust[0]["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "111122223333"},
        "ArnLike": {"aws:SourceArn": "arn:aws:bedrock-agentcore:eu-west-2:111122223333:runtime/ringfence_auditor_iam*"},
    }


def test_the_service_boundary_stands_above_it(bench: Any, made: RuntimeRole) -> None:
    assert bench.properties("ExecutionRole")["PermissionsBoundary"].endswith("service-boundary")


def test_it_can_do_exactly_what_a_host_needs(statements: dict[str, Any]) -> None:
    allowed = {action for statement in statements.values() for action in statement["Action"]}
    assert allowed == {
        "kms:GetPublicKey",
        "logs:CreateLogStream",
        "logs:DescribeLogGroups",
        "logs:DescribeLogStreams",
        "logs:PutLogEvents",
        "s3:GetObject",
        "s3:GetObjectVersion",
        "sts:AssumeRole",
        "sts:SetSourceIdentity",
        "sts:TagSession",
    }


def test_the_persona_role_is_assumed_only_for_a_named_human(bench: Any, statements: dict[str, Any]) -> None:
    for sid in ("AssumePersonaRoleWithSourceIdentity", "SetSourceIdentity"):
        assert statements[sid]["Resource"] == bench.role_ref.role_arn
        assert statements[sid]["Condition"]["StringLike"] == {"sts:SourceIdentity": "?*"}


def test_a_session_carries_the_four_tags_and_no_others(statements: dict[str, Any]) -> None:
    condition = statements["TagSession"]["Condition"]
    assert condition["ForAllValues:StringEquals"] == {"aws:TagKeys": list(SESSION_TAGS)}
    # ForAllValues is also true of no tag at all; the fixed values make their presence a duty.
    assert condition["StringEquals"] == {
        "aws:RequestTag/department": "example-production",
        "aws:RequestTag/persona": "auditor",
    }


def test_it_reads_its_own_code_and_no_other_object(statements: dict[str, Any]) -> None:
    assert "*" not in statements["ReadOwnCode"]["Resource"]
    assert statements["ReadOwnCode"]["Resource"].startswith("arn:aws:s3:::cdk-hnb659fds-assets-111122223333-eu-west-2/")


def test_it_decrypts_its_code_only_where_the_bootstrap_bucket_has_a_key_and_only_through_s3(
    bench: Any, statements: dict[str, Any]
) -> None:
    assert "DecryptOwnCode" not in statements
    key = "arn:aws:kms:eu-west-2:111122223333:key/12345678-1234-1234-1234-123456789012"
    role = RuntimeRole(
        bench.stack,
        "WithKey",
        runtime_name="ringfence_auditor_iam",
        call_log=CallLog("/ringfence/example-production/calls/auditor", "iam"),
        role_ref=bench.role_ref,
        token_key_arn=KEY,
        code=s3_assets.Asset(bench.stack, "OtherCode", path=str(bench.code.path)),
        boundary=bench.boundary,
        asset_key_arn=key,
    )

    found = {each["Sid"]: each for each in role.policy.policy_document["Statement"]}
    assert found["DecryptOwnCode"] == {
        "Sid": "DecryptOwnCode",
        "Effect": "Allow",
        "Action": ["kms:Decrypt"],
        "Resource": key,
        "Condition": {"StringEquals": {"kms:ViaService": "s3.eu-west-2.amazonaws.com"}},
    }


def test_it_records_its_calls_in_streams_of_its_own_server_and_reads_none(statements: dict[str, Any]) -> None:
    assert statements["WriteOwnCallRecords"]["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert statements["WriteOwnCallRecords"]["Resource"] == (
        "arn:aws:logs:eu-west-2:111122223333:log-group:/ringfence/example-production/calls/auditor:log-stream:iam/*"
    )


def test_on_every_log_group_it_may_do_no_more_than_see_names(statements: dict[str, Any]) -> None:
    wide = {
        action
        for statement in statements.values()
        if statement["Resource"] == "*" or statement["Resource"].endswith(":log-group:*")
        for action in statement["Action"]
    }
    assert wide == {"logs:DescribeLogGroups"}


def test_it_cannot_make_log_groups(statements: dict[str, Any]) -> None:
    assert statements["WriteOwnLog"]["Resource"] == (
        "arn:aws:logs:eu-west-2:111122223333:log-group:"
        "/aws/bedrock-agentcore/runtimes/ringfence_auditor_iam-??????????-DEFAULT:*"
    )
