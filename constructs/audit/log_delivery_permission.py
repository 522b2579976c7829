"""The permission that AWS's log delivery service needs to write into a department's log groups."""

from __future__ import annotations

import json

import aws_cdk as cdk
from aws_cdk import aws_logs as logs

from constructs import Construct
from constructs.review_notes import serves
from ringfence.reading.region import REGION


class LogDeliveryPermission(Construct):
    """One resource policy for all services that deliver logs: DNS queries, sign-ins and web ACLs.

    CloudWatch Logs allows ten such policies in an account and region. Without this one the services would write their
    own, wider ones.
    """

    def __init__(self, scope: Construct, construct_id: str, *, department: str) -> None:
        """Makes the policy for the log groups whose names begin as this department's do."""
        super().__init__(scope, construct_id)
        account = cdk.Stack.of(self).account
        groups = f"arn:aws:logs:{REGION}:{account}:log-group"
        self.policy = logs.CfnResourcePolicy(
            self,
            "Resource",
            policy_name=f"ringfence-{department}-log-delivery",
            policy_document=json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Sid": "AllowLogDelivery",
                            "Effect": "Allow",
                            "Principal": {"Service": "delivery.logs.amazonaws.com"},
                            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                            "Resource": [
                                # A web ACL's: WAF insists on this beginning.
                                f"{groups}:aws-waf-logs-ringfence-{department}-*:log-stream:*",
                                f"{groups}:/ringfence/{department}/*:log-stream:*",
                            ],
                            "Condition": {
                                "StringEquals": {"aws:SourceAccount": account},
                                "ArnLike": {"aws:SourceArn": f"arn:aws:logs:{REGION}:{account}:*"},
                            },
                        }
                    ],
                }
            ),
        )
        serves(self.policy, "Audit: lets log delivery write here, for this account's own sources only.")
