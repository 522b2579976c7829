"""What staff need in AWS to ask a model in London: a policy for their role, and a record of what was asked."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from constructs import Construct
from constructs.audit.audit_log_group import AuditLogGroup
from constructs.review_notes import describe, serves
from constructs.service_role import ServiceRole
from ringfence.catalogue.models import Models, model_policy
from ringfence.reading import names
from ringfence.reading.region import REGION

SERVICE = "bedrock.amazonaws.com"
_STREAM = "aws/bedrock/modelinvocations"
"""The one log stream that Bedrock writes to (hashicorp/terraform-provider-aws has it in the test of its resource for
this setting; read 29 November 2026)."""
_NOT_KEPT = ("audio", "embedding", "image", "video")
"""What is no text needs a bucket (Bedrock user guide, model invocation logging, read 29 November 2026)."""


class LondonModels(Construct):
    """A managed policy for staff's roles, and what model invocation logging writes to, and as whom.

    The policy is attached to nothing here: staff's roles are the account's own. The setting that makes Bedrock write is
    one for the account and region, and CloudFormation has no type for it: `logging_command` sets it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        department: str,
        models: Models,
        log_key: kms.IKey,
        boundary: iam.IManagedPolicy,
    ) -> None:
        """Makes the policy, the log group and the role."""
        super().__init__(scope, construct_id)
        self.policy = iam.CfnManagedPolicy(
            self,
            "Policy",
            managed_policy_name=names.model_policy(department),
            policy_document=model_policy(models),
        )
        describe(
            self.policy,
            "For the roles of staff who ask models: the chosen ones in London, and no other way that is known.",
        )
        serves(self.policy, "Residency: a prompt is answered in London, by a model that the department chose.")
        self.log_group = AuditLogGroup(self, "Record", name=names.model_record(department), key=log_key)
        self._delivery = ServiceRole(
            self,
            "Delivery",
            service=SERVICE,
            source_arn=f"arn:aws:bedrock:{REGION}:{cdk.Stack.of(self).account}:*",
            purpose="Lets Bedrock record what its models are asked in the department's log group.",
            statements=[
                {
                    "Sid": "WriteOwnStream",
                    "Effect": "Allow",
                    "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                    "Resource": f"{self.log_group.arn_without_streams}:log-stream:{_STREAM}",
                }
            ],
            boundary=boundary,
        )

    @property
    def role_arn(self) -> str:
        """The ARN of the role that Bedrock writes as, as a reference."""
        return self._delivery.arn

    @property
    def logging_command(self) -> str:
        """The command line that makes Bedrock record every call of the account in London, as a reference."""
        setting: dict[str, Any] = {
            "cloudWatchConfig": {"logGroupName": self.log_group.name, "roleArn": self.role_arn},
            "textDataDeliveryEnabled": True,
            **{f"{each}DataDeliveryEnabled": False for each in _NOT_KEPT},
        }
        command = "aws bedrock put-model-invocation-logging-configuration"
        return f"{command} --region {REGION} --logging-config '{json.dumps(setting, separators=(',', ':'))}'"
