"""The account's own record of who did what."""

from __future__ import annotations

from collections.abc import Sequence
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
from ringfence.department.audit import ALL, NONE, WRITES, Audit
from ringfence.reading.region import REGION

CLOUDTRAIL: Final = "cloudtrail.amazonaws.com"
NO_SOURCE: Final = (
    "CloudTrail supports neither aws:SourceArn nor aws:SourceAccount for the role that writes to CloudWatch Logs "
    "(CloudTrail user guide on that role's policy, read 28 November 2026)."
)

INDEXED: Final = (
    "eventName",
    "sourceIPAddress",
    "userIdentity.arn",
    "userIdentity.sessionContext.sourceIdentity",
    "userIdentity.accessKeyId",
    "errorCode",
)
"""Fields of an event by which questions are asked: a query that compares one with `=` or `in` reads only the events
that can match (CloudWatch Logs API reference, PutIndexPolicy; read 29 November 2026)."""
_OBJECTS: Final = "AWS::S3::Object"

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
        audit: Audit,
    ) -> None:
        """Makes the trail, its bucket, log group and role.

        Args:
            data_key: encrypts the log files; its policy admits this trail.
            audit: which events of S3 objects are recorded.
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
        self.log_group = AuditLogGroup(
            self, "LogGroup", name=f"/ringfence/{department}/cloudtrail", key=log_key, indexed=INDEXED
        )
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
                _selector("ManagementEvents", _equal("eventCategory", "Management")),
                *(_data_selector(name, kind) for name, kind in DATA_EVENTS.items()),
                *_objects(audit, without=self.bucket.both_arns),
            ],
        )
        # CloudTrail tries both destinations when it is created.
        self.trail.add_resource_dependency(self.bucket.policy)
        self.trail.add_resource_dependency(delivery.policy)
        serves(self.trail, "Audit: every API call and every AgentCore gateway and runtime call, with the human's name.")
        if audit.reason:
            self.trail.add_metadata("ringfence:no-s3-data-events", audit.reason)

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


def _objects(audit: Audit, *, without: Sequence[str]) -> list[cloudtrail.CfnTrail.AdvancedEventSelectorProperty]:
    """Returns the selector of S3 objects' events, or none.

    Args:
        without: ARNs of the buckets of the record itself, whose every event would make another one.
    """
    if audit.s3_data_events == NONE:
        return []
    writes = [_equal("readOnly", "false")] if audit.s3_data_events == WRITES else []
    everywhere = audit.s3_data_events in (WRITES, ALL)
    named = {} if everywhere else {"starts_with": [f"arn:aws:s3:::{name}/" for name in audit.s3_data_events]}
    places = _field("resources.ARN", not_starts_with=[f"{arn}/" for arn in without], **named)
    return [_data_selector("ObjectEvents", _OBJECTS, *writes, places)]


def _data_selector(
    name: str, kind: str, *more: cloudtrail.CfnTrail.AdvancedFieldSelectorProperty
) -> cloudtrail.CfnTrail.AdvancedEventSelectorProperty:
    return _selector(name, _equal("eventCategory", "Data"), _equal("resources.type", kind), *more)


def _selector(
    name: str, *fields: cloudtrail.CfnTrail.AdvancedFieldSelectorProperty
) -> cloudtrail.CfnTrail.AdvancedEventSelectorProperty:
    return cloudtrail.CfnTrail.AdvancedEventSelectorProperty(name=name, field_selectors=list(fields))


def _equal(field: str, value: str) -> cloudtrail.CfnTrail.AdvancedFieldSelectorProperty:
    return _field(field, equal_to=[value])


def _field(field: str, **tests: Sequence[str]) -> cloudtrail.CfnTrail.AdvancedFieldSelectorProperty:
    return cloudtrail.CfnTrail.AdvancedFieldSelectorProperty(field=field, **tests)


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
