"""The department's two customer-managed keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from constructs import Construct
from constructs.review_notes import serves
from ringfence.reading.region import REGION


class EncryptionKeys(Construct):
    """One key for log groups and one for everything else at rest, so that reading logs and reading data stay apart.

    Services get in only on behalf of this account's own log groups and trail. Losing a key loses the records under it:
    both are kept when the stack goes, and wait 30 days when someone deletes them.
    """

    def __init__(self, scope: Construct, construct_id: str, *, department: str, trail_arn: str) -> None:
        """Makes both keys.

        Args:
            trail_arn: the one CloudTrail trail that may encrypt with the data key.
        """
        super().__init__(scope, construct_id)
        account = cdk.Stack.of(self).account
        logs_arn = f"arn:aws:logs:{REGION}:{account}"
        self.log_key = self._key(
            "LogKey",
            alias=f"ringfence-{department}-logs",
            purpose="Encrypts every log group of the department.",
            statements=[
                {
                    "Sid": "AllowCloudWatchLogs",
                    "Effect": "Allow",
                    "Principal": {"Service": f"logs.{REGION}.amazonaws.com"},
                    "Action": [
                        "kms:Decrypt",
                        "kms:DescribeKey",
                        "kms:Encrypt",
                        "kms:GenerateDataKey*",
                        "kms:ReEncrypt*",
                    ],
                    "Resource": "*",
                    "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": f"{logs_arn}:log-group:*"}},
                }
            ],
        )
        self.data_key = self._key(
            "DataKey",
            alias=f"ringfence-{department}-data",
            purpose="Encrypts the audit trail, gateways, policy engines and the functions' settings.",
            statements=[
                {
                    "Sid": "AllowCloudTrail",
                    "Effect": "Allow",
                    "Principal": {"Service": "cloudtrail.amazonaws.com"},
                    # Decrypt because the bucket has an S3 Bucket Key: without it no trail can be made or changed
                    # (CloudTrail user guide on its key policies, read 28 November 2026).
                    "Action": ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*"],
                    "Resource": "*",
                    "Condition": {"StringEquals": {"aws:SourceAccount": account, "aws:SourceArn": trail_arn}},
                },
            ],
        )

    def _key(self, construct_id: str, *, alias: str, purpose: str, statements: Sequence[Mapping[str, Any]]) -> kms.Key:
        owner = {
            # Without this statement IAM policies could not name the key, and nobody could repair its policy. It is also
            # all that a policy engine asks of its key: it makes its grants as the caller, so the key must admit the
            # account, not the service (AgentCore guide, policy-encryption, read 28 November 2026).
            "Sid": "EnableIamPolicies",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{cdk.Stack.of(self).account}:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
        key = kms.Key(
            self,
            construct_id,
            alias=alias,
            description=purpose,
            enable_key_rotation=True,
            pending_window=cdk.Duration.days(30),
            policy=iam.PolicyDocument.from_json({"Version": "2012-10-17", "Statement": [owner, *statements]}),
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        resource = key.node.default_child
        assert isinstance(resource, kms.CfnKey)  # noqa: S101 - narrows the type of what CDK just made
        serves(resource, "Encryption at rest: the department's own key, rotated every year.")
        return key
