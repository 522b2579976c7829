"""The account's own record of who did what."""

from __future__ import annotations

from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from constructs import Construct
from constructs.audit.audit_bucket import AuditBucket
from constructs.audit.audit_log_group import AuditLogGroup
from constructs.review_notes import acknowledge, serves
from constructs.service_role import ServiceRole
from ringfence.reading.region import REGION

CLOUDTRAIL: Final = "cloudtrail.amazonaws.com"
NO_SOURCE: Final = (
    "CloudTrail supports neither aws:SourceArn nor aws:SourceAccount for the role that writes to CloudWatch Logs "
    "(CloudTrail user guide on that role's policy, read 28 November 2026)."
)

# AgentCore calls are data events: a trail without these selectors does not hold a single tool call.
DATA_EVENTS: Final = {
    "GatewayCalls": "AWS::BedrockAgentCore::Gateway",
    "RuntimeCalls": "AWS::BedrockAgentCore::Runtime",
    "RuntimeEndpointCalls": "AWS::BedrockAgentCore::RuntimeEndpoint",
}


def trail_arn(department: str, account: str) -> str:
    """Returns the trail's ARN, which its key, bucket and role must know before it exists."""
    return f"arn:aws:cloudtrail:{REGION}:{account}:trail/ringfence-{department}"


class AuditTrail(Construct):
    """A multi-region trail with validated log files, to a locked bucket and to a log group for queries.

    Multi-region because IAM answers from us-east-1: a London-only trail would miss every IAM call. The records
    themselves are written in eu-west-2 only.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        department: str,
        log_key: kms.IKey,
        data_key: kms.IKey,
        boundary: iam.IManagedPolicy,
        compliance: bool,
    ) -> None:
        """Makes the trail, its bucket, log group and role.

        Args:
            data_key: encrypts the log files; its policy admits this trail.
            compliance: see `AuditBucket`.
        """
        super().__init__(scope, construct_id)
        account = cdk.Stack.of(self).account
        arn = trail_arn(department, account)
        self.bucket = AuditBucket(
            self,
            "Bucket",
            key=data_key,
            compliance=compliance,
            statements=_writers(arn, account),
            prefix=f"AWSLogs/{account}/",
        )
        self.log_group = AuditLogGroup(self, "LogGroup", name=f"/ringfence/{department}/cloudtrail", key=log_key)
        delivery = self._delivery_role(department, boundary)
        self.trail = cloudtrail.CfnTrail(
            self,
            "Resource",
            trail_name=f"ringfence-{department}",
            is_logging=True,
            is_multi_region_trail=True,
            include_global_service_events=True,
            enable_log_file_validation=True,
            s3_bucket_name=self.bucket.bucket.ref,
            kms_key_id=data_key.key_arn,
            cloud_watch_logs_log_group_arn=self.log_group.arn,
            cloud_watch_logs_role_arn=delivery.arn,
            advanced_event_selectors=[
                _selector("ManagementEvents", eventCategory="Management"),
                *(
                    _selector(name, **{"eventCategory": "Data", "resources.type": kind})
                    for name, kind in DATA_EVENTS.items()
                ),
            ],
        )
        # CloudTrail tries both destinations when it is created.
        self.trail.add_resource_dependency(self.bucket.policy)
        self.trail.add_resource_dependency(delivery.policy)
        serves(self.trail, "Audit: every API call and every AgentCore gateway and runtime call, with the human's name.")

    def _delivery_role(self, department: str, boundary: iam.IManagedPolicy) -> ServiceRole:
        account = cdk.Stack.of(self).account
        # CloudTrail names its streams so; the log group's own ARN would admit any other stream too.
        group = f"arn:aws:logs:{REGION}:{account}:log-group:/ringfence/{department}/cloudtrail"
        streams = f"{group}:log-stream:{account}_CloudTrail_{REGION}*"
        role = ServiceRole(
            self,
            "Delivery",
            service=CLOUDTRAIL,
            sends_no_source=NO_SOURCE,
            purpose="Lets CloudTrail write its events to the department's log group.",
            statements=[
                {
                    "Sid": "WriteOwnStreams",
                    "Effect": "Allow",
                    "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                    "Resource": streams,
                }
            ],
            boundary=boundary,
        )
        acknowledge(
            role.policy,
            "CloudTrail numbers its streams; the pattern fixes the account, the region and the log group.",
            f"AwsSolutions-IAM5[Resource::{streams}]",
        )
        return role


def _selector(name: str, **fields: str) -> cloudtrail.CfnTrail.AdvancedEventSelectorProperty:
    return cloudtrail.CfnTrail.AdvancedEventSelectorProperty(
        name=name,
        field_selectors=[
            cloudtrail.CfnTrail.AdvancedFieldSelectorProperty(field=field, equal_to=[value])
            for field, value in fields.items()
        ],
    )


def _writers(arn: str, account: str) -> list[dict[str, Any]]:
    """The two statements CloudTrail asks of a bucket, for this trail alone."""
    only_this_trail = {"aws:SourceArn": arn, "aws:SourceAccount": account}
    trusted = {"Effect": "Allow", "Principal": {"Service": CLOUDTRAIL}}
    owned = {"s3:x-amz-acl": "bucket-owner-full-control"}
    return [
        {
            "Sid": "AllowCloudTrailBucketCheck",
            **trusted,
            "Action": "s3:GetBucketAcl",
            "Condition": {"StringEquals": only_this_trail},
        },
        {
            "Sid": "AllowCloudTrailWrite",
            **trusted,
            "Action": "s3:PutObject",
            "Condition": {"StringEquals": {**only_this_trail, **owned}},
        },
    ]
