"""The department's keys: rotated, kept, and open to services for this account's own records only."""

from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk import assertions

from constructs.audit.encryption_keys import EncryptionKeys

ACCOUNT = "111122223333"
TRAIL = f"arn:aws:cloudtrail:eu-west-2:{ACCOUNT}:trail/ringfence-example"


@pytest.fixture(scope="module")
def keys() -> dict[str, dict]:
    stack = cdk.Stack(cdk.App(), "Keys", env=cdk.Environment(account=ACCOUNT, region="eu-west-2"))
    EncryptionKeys(stack, "Keys", department="example", trail_arn=TRAIL)
    found = assertions.Template.from_stack(stack).find_resources("AWS::KMS::Key")
    return {
        statement["Sid"]: statement
        for key in found.values()
        for statement in key["Properties"]["KeyPolicy"]["Statement"]
        if key["Properties"]["EnableKeyRotation"] and key["DeletionPolicy"] == "Retain"
    }


@pytest.mark.parametrize(
    ("sid", "service", "condition"),
    [
        ("AllowCloudWatchLogs", "logs.eu-west-2.amazonaws.com", "kms:EncryptionContext:aws:logs:arn"),
        ("AllowCloudTrail", "cloudtrail.amazonaws.com", "aws:SourceArn"),
    ],
)
def test_a_service_uses_a_key_for_this_account_only(keys: dict, sid: str, service: str, condition: str) -> None:
    statement = keys[sid]
    assert statement["Principal"] == {"Service": service}
    values = [block[condition] for block in statement["Condition"].values() if condition in block]
    assert len(values) == 1
    assert f":{ACCOUNT}:" in values[0]


def test_cloudtrail_may_do_what_a_bucket_with_a_bucket_key_takes(keys: dict) -> None:
    # CloudTrail user guide on its key policies: with an S3 Bucket Key, Decrypt to make or change a trail.
    assert keys["AllowCloudTrail"]["Action"] == ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*"]


def test_the_account_is_admitted_as_policy_engines_make_their_grants_in_the_callers_name(keys: dict) -> None:
    # AgentCore guide, policy-encryption: the key policy must admit the account's principal, not the service.
    owner = keys["EnableIamPolicies"]

    assert owner["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    assert (owner["Action"], "Condition" in owner) == ("kms:*", False)
    assert not any("bedrock-agentcore" in str(each["Principal"]) for each in keys.values())
