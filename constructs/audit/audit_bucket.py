"""The bucket that nobody can edit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from constructs import Construct
from constructs.review_notes import acknowledge, serves
from ringfence.house_rules.records import RETENTION_DAYS

IN_LONDON_ONLY: Final = (
    "Replication would copy the records to another region, and they stay in eu-west-2. S3 keeps them in at least three "
    "zones, versioned and locked."
)


class AuditBucket(Construct):
    """A bucket whose objects are locked for 731 days, with a second bucket for its own access log.

    In compliance mode not even the account's root user can shorten the lock, which is what production wants and what an
    evaluation does not: there it is governance mode. A day after its lock ends an object expires, because personal data
    must not be kept for longer than the duty asks.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        key: kms.IKey,
        compliance: bool,
        statements: Sequence[Mapping[str, Any]],
        prefix: str,
    ) -> None:
        """Makes both buckets and their policies.

        Args:
            compliance: True locks in compliance mode, False in governance mode.
            statements: who may write, as bucket policy statements without `Resource`; it is filled in with the bucket
                or, for `s3:PutObject`, with the objects below `prefix`.
            prefix: where the writer puts its objects.
        """
        super().__init__(scope, construct_id)
        self._access_log = self._access_log_bucket()
        self.bucket = s3.CfnBucket(
            self,
            "Resource",
            bucket_encryption=_encryption(
                s3.CfnBucket.ServerSideEncryptionByDefaultProperty(
                    sse_algorithm="aws:kms", kms_master_key_id=key.key_arn
                )
            ),
            public_access_block_configuration=_not_public(),
            ownership_controls=_owner_enforced(),
            versioning_configuration=s3.CfnBucket.VersioningConfigurationProperty(status="Enabled"),
            object_lock_enabled=True,
            object_lock_configuration=s3.CfnBucket.ObjectLockConfigurationProperty(
                object_lock_enabled="Enabled",
                rule=s3.CfnBucket.ObjectLockRuleProperty(
                    default_retention=s3.CfnBucket.DefaultRetentionProperty(
                        mode="COMPLIANCE" if compliance else "GOVERNANCE", days=RETENTION_DAYS
                    )
                ),
            ),
            logging_configuration=s3.CfnBucket.LoggingConfigurationProperty(
                destination_bucket_name=self._access_log.ref, log_file_prefix="access/"
            ),
            lifecycle_configuration=_expiry(RETENTION_DAYS + 1),
        )
        self.bucket.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        serves(self.bucket, "Evidence: Object Lock for two years, versioned, encrypted with the department's key.")
        acknowledge(self.bucket, IN_LONDON_ONLY, "NIST.800.53.R5-S3BucketReplicationEnabled")
        self.policy = self._bucket_policy(
            "Policy",
            self.bucket,
            [_with_resource(statement, self.bucket.attr_arn, prefix) for statement in statements],
        )
        self._access_log_policy()

    @property
    def both_arns(self) -> tuple[str, str]:
        """The bucket's ARN and that of its access log's, as references."""
        return self.bucket.attr_arn, self._access_log.attr_arn

    def _access_log_bucket(self) -> s3.CfnBucket:
        bucket = s3.CfnBucket(
            self,
            "AccessLog",
            bucket_encryption=_encryption(s3.CfnBucket.ServerSideEncryptionByDefaultProperty(sse_algorithm="AES256")),
            public_access_block_configuration=_not_public(),
            ownership_controls=_owner_enforced(),
            versioning_configuration=s3.CfnBucket.VersioningConfigurationProperty(status="Enabled"),
            lifecycle_configuration=_expiry(RETENTION_DAYS),
        )
        bucket.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        serves(bucket, "Evidence: who read or tried to change the audit trail.")
        acknowledge(
            bucket,
            "S3 delivers access logs only to buckets encrypted with its own keys and without a default lock.",
            "NIST.800.53.R5-S3DefaultEncryptionKMS",
            "ringfence::GOV-KEY-2",
        )
        acknowledge(bucket, IN_LONDON_ONLY, "NIST.800.53.R5-S3BucketReplicationEnabled")
        acknowledge(
            bucket,
            "This is the access log itself: logging it to itself would never end.",
            "NIST.800.53.R5-S3BucketLoggingEnabled",
            "AwsSolutions-S1",
        )
        return bucket

    def _access_log_policy(self) -> None:
        self._bucket_policy(
            "AccessLogPolicy",
            self._access_log,
            [
                {
                    "Sid": "AllowServerAccessLogs",
                    "Effect": "Allow",
                    "Principal": {"Service": "logging.s3.amazonaws.com"},
                    "Action": "s3:PutObject",
                    "Resource": f"{self._access_log.attr_arn}/access/*",
                    "Condition": {
                        "StringEquals": {"aws:SourceAccount": cdk.Stack.of(self).account},
                        "ArnLike": {"aws:SourceArn": self.bucket.attr_arn},
                    },
                }
            ],
        )

    def _bucket_policy(
        self, construct_id: str, bucket: s3.CfnBucket, statements: Sequence[Mapping[str, Any]]
    ) -> s3.CfnBucketPolicy:
        everything = [bucket.attr_arn, f"{bucket.attr_arn}/*"]
        denied = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": everything}
        refusals = [
            {"Sid": "DenyPlainHttp", **denied, "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
            {"Sid": "DenyOldTls", **denied, "Condition": {"NumericLessThan": {"s3:TlsVersion": "1.2"}}},
        ]
        policy = s3.CfnBucketPolicy(
            self,
            construct_id,
            bucket=bucket.ref,
            policy_document={"Version": "2012-10-17", "Statement": [*refusals, *statements]},
        )
        # A bucket that stays must keep its policy, or plain HTTP would be open again.
        policy.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        return policy


def _with_resource(statement: Mapping[str, Any], bucket_arn: str, prefix: str) -> dict[str, Any]:
    writes_objects = statement["Action"] == "s3:PutObject"
    return {**statement, "Resource": f"{bucket_arn}/{prefix}*" if writes_objects else bucket_arn}


def _encryption(default: s3.CfnBucket.ServerSideEncryptionByDefaultProperty) -> s3.CfnBucket.BucketEncryptionProperty:
    rule = s3.CfnBucket.ServerSideEncryptionRuleProperty(
        bucket_key_enabled=True if default.kms_master_key_id else None, server_side_encryption_by_default=default
    )
    return s3.CfnBucket.BucketEncryptionProperty(server_side_encryption_configuration=[rule])


def _not_public() -> s3.CfnBucket.PublicAccessBlockConfigurationProperty:
    return s3.CfnBucket.PublicAccessBlockConfigurationProperty(
        block_public_acls=True, block_public_policy=True, ignore_public_acls=True, restrict_public_buckets=True
    )


def _owner_enforced() -> s3.CfnBucket.OwnershipControlsProperty:
    rule = s3.CfnBucket.OwnershipControlsRuleProperty(object_ownership="BucketOwnerEnforced")
    return s3.CfnBucket.OwnershipControlsProperty(rules=[rule])


def _expiry(days: int) -> s3.CfnBucket.LifecycleConfigurationProperty:
    return s3.CfnBucket.LifecycleConfigurationProperty(
        rules=[
            s3.CfnBucket.RuleProperty(
                id="ExpireAfterTheDuty",
                status="Enabled",
                expiration_in_days=days,
                noncurrent_version_expiration=s3.CfnBucket.NoncurrentVersionExpirationProperty(noncurrent_days=30),
                abort_incomplete_multipart_upload=s3.CfnBucket.AbortIncompleteMultipartUploadProperty(
                    days_after_initiation=7
                ),
            )
        ]
    )
