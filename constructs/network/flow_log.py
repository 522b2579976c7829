"""The record of every connection in the VPC."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from constructs import Construct
from constructs.audit.audit_log_group import AuditLogGroup
from constructs.review_notes import serves
from constructs.service_role import ServiceRole
from ringfence.reading.region import REGION


class FlowLog(Construct):
    """Accepted and rejected connections of a VPC, by the minute, kept for two years."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        department: str,
        vpc_id: str,
        log_key: kms.IKey,
        boundary: iam.IManagedPolicy,
    ) -> None:
        """Makes the flow log, its log group and its role."""
        super().__init__(scope, construct_id)
        log_group = AuditLogGroup(self, "Group", name=f"/ringfence/{department}/network-flows", key=log_key)
        delivery = ServiceRole(
            self,
            "Delivery",
            service="vpc-flow-logs.amazonaws.com",
            source_arn=f"arn:aws:ec2:{REGION}:{cdk.Stack.of(self).account}:vpc-flow-log/*",
            purpose="Lets the VPC flow log write to the department's log group.",
            statements=[
                {
                    "Sid": "WriteOwnLog",
                    "Effect": "Allow",
                    "Action": ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                    "Resource": log_group.arn,
                }
            ],
            boundary=boundary,
        )
        flow_log = ec2.CfnFlowLog(
            self,
            "Resource",
            resource_type="VPC",
            resource_id=vpc_id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_group_name=log_group.name,
            deliver_logs_permission_arn=delivery.arn,
            max_aggregation_interval=60,
        )
        flow_log.add_resource_dependency(delivery.policy)
        serves(flow_log, "Audit: every connection, accepted or rejected.")
