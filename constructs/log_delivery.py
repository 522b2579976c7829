"""The logs that AWS services write about a gateway or a runtime."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs

from constructs import Construct
from constructs.audit_log_group import AuditLogGroup
from constructs.review_notes import serves
from governance.region import REGION


def log_group_arn(log_group: AuditLogGroup) -> str:
    """Returns a log group's ARN without the closing `:*`, the form in which deliveries and the WAF want it."""
    account = cdk.Stack.of(log_group).account
    return f"arn:aws:logs:{REGION}:{account}:log-group:{log_group.name}"


class LogDelivery(Construct):
    """The application log of a gateway or a runtime, delivered into a log group of ours.

    The right to write there is `LogDeliveryPermission`, once for the account.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        source_arn: str,
        log_group_name: str,
        log_key: kms.IKey,
    ) -> None:
        """Makes log group, source, destination and the delivery between them.

        Args:
            scope: parent.
            construct_id: a word or two.
            name: of source and destination, at most 60 characters: the name of what delivers, so that the source is
                replaced with it. CloudWatch Logs refuses to point an existing source at something new
                (aws-cloudformation/cloudformation-coverage-roadmap, issue 2513, May 2026).
            source_arn: the gateway or runtime.
            log_group_name: begins with `/aws/vendedlogs/`, as the delivery service wants it.
            log_key: the department's log key.
        """
        super().__init__(scope, construct_id)
        self.log_group = AuditLogGroup(self, "Log", name=log_group_name, key=log_key)
        source = logs.CfnDeliverySource(self, "Source", name=name, log_type="APPLICATION_LOGS", resource_arn=source_arn)
        destination = logs.CfnDeliveryDestination(
            self, "Destination", name=name, destination_resource_arn=log_group_arn(self.log_group)
        )
        self.delivery = logs.CfnDelivery(
            self, "Default", delivery_source_name=source.name, delivery_destination_arn=destination.attr_arn
        )
        # The delivery names its source by a plain string, in which CloudFormation sees no order.
        self.delivery.add_resource_dependency(source)
        serves(self.delivery, "Audit: the service's own account of what happened, beside ours.")
