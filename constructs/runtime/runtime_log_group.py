"""The log group that AgentCore writes a runtime's output to, made or adopted."""

from __future__ import annotations

import hashlib
import json
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_kms as kms

from constructs import Construct
from constructs.audit.audit_log_group import masking_policy
from constructs.isolated_function import Code, FunctionPlacement, IsolatedFunction
from constructs.review_notes import acknowledge, serves
from ringfence.assets.zips import function_zip
from ringfence.compilers.boundaries import KEEPING_RUNTIME_OUTPUT
from ringfence.house_rules.records import RETENTION_DAYS
from ringfence.reading import names
from ringfence.reading.region import REGION

TYPE: Final = "Custom::RuntimeLogGroup"
ANSWER_SECONDS: Final = 600
"""How long CloudFormation waits. A function that was not called for weeks is pending while Lambda gives it network
interfaces again, and Lambda repeats an event after one and two minutes (Lambda developer guide)."""

_MASKING: Final = json.dumps(masking_policy(), separators=(",", ":"))


class RuntimeLogGroupKeeper(Construct):
    """The function behind every `RuntimeLogGroup` of a department.

    Its role may act on the log groups of this department's runtimes and no others, and neither read nor delete; its
    code refuses every other too, and sets the values in its settings and no others, whoever asks.
    """

    def __init__(self, scope: Construct, construct_id: str, *, placement: FunctionPlacement) -> None:
        """Makes the function.

        Args:
            placement: what all functions share, but with a security group that leads to S3 as well.
        """
        super().__init__(scope, construct_id)
        prefix = names.runtime_outputs(placement.department)
        groups = f"arn:aws:logs:{REGION}:{cdk.Stack.of(self).account}:log-group:{prefix}*"
        keeper = IsolatedFunction(
            self,
            "Default",
            name="runtime-log-group",
            purpose="Makes or adopts the log group of each runtime: two years, own key, masked, deletion protected.",
            code=Code(
                asset=function_zip("runtime_log_group", files={}),
                handler="runtime_log_group.handler.handler",
                environment={
                    "LOG_GROUP_PREFIX": prefix,
                    "LOG_KEY_ARN": placement.log_key.key_arn,
                    "MASKING_POLICY": _MASKING,
                    "RETENTION_DAYS": str(RETENTION_DAYS),
                },
                timeout_seconds=60,
                without_dead_letters="CloudFormation calls it and waits for its answer: what fails is among the "
                "stack's events, and an answer that never comes fails the stack's operation after ten minutes.",
            ),
            placement=placement,
            statements=[
                {
                    "Sid": "ManageRuntimeLogGroups",
                    "Effect": "Allow",
                    "Action": list(KEEPING_RUNTIME_OUTPUT),
                    "Resource": [groups],
                }
            ],
        )
        # The organisation's guardrail lets nobody but this role, and CloudFormation's, change log groups.
        keeper.role.role_name = names.log_group_keeper(placement.department)
        acknowledge(
            keeper.policy,
            "AgentCore gives each runtime a random id, and its log group's name carries it; the fixed part of the name "
            "belongs to the runtimes of this department alone.",
            f"AwsSolutions-IAM5[Resource::{groups}]",
        )
        # Written out, as the function's name is fixed: CloudFormation takes no other service token later on.
        self.arn = keeper.arn


class RuntimeLogGroup(Construct):
    """One runtime's output, kept as every log group is, whether AgentCore or we made the group first.

    The properties are named as those of AWS::Logs::LogGroup are, so that the same rules read them.
    """

    def __init__(self, scope: Construct, construct_id: str, *, runtime_id: str, key: kms.IKey, keeper_arn: str) -> None:
        """Makes the custom resource.

        Args:
            runtime_id: the runtime's id, its random part included.
        """
        super().__init__(scope, construct_id)
        self.resource = cdk.CfnResource(
            self,
            "Resource",
            type=TYPE,
            properties={
                "ServiceToken": keeper_arn,
                "ServiceTimeout": ANSWER_SECONDS,
                "LogGroupName": names.runtime_output(runtime_id),
                "RetentionInDays": RETENTION_DAYS,
                "KmsKeyId": key.key_arn,
                "DeletionProtectionEnabled": True,
                # Another policy is another digest, so that CloudFormation calls the keeper, which holds the policy.
                "MaskingPolicyDigest": hashlib.sha256(_MASKING.encode()).hexdigest(),
            },
        )
        serves(
            self.resource, "Retention: two years, under the department's own key, deletion protected; kept for good."
        )
