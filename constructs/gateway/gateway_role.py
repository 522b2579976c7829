"""The role a gateway works as."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from constructs import Construct
from constructs.review_notes import acknowledge
from constructs.runtime.runtime_role import ANY_ID
from constructs.service_role import ServiceRole, Statement, allow
from ringfence.reading.region import REGION


@dataclass(frozen=True)
class InterceptorPair:
    """ARNs of the functions that see every request before, and every answer after, the gateway's policy and target."""

    request_arn: str
    response_arn: str


class GatewayRole(Construct):
    """A gateway's role: it asks its own policy engine, calls its own two interceptors and its own runtimes."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        gateway_name: str,
        engine_arn: str,
        interceptors: InterceptorPair,
        data_key: kms.IKey,
        boundary: iam.IManagedPolicy,
    ) -> None:
        """Makes the role with what it needs before the gateway exists."""
        super().__init__(scope, construct_id)
        named = f"arn:aws:bedrock-agentcore:{REGION}:{cdk.Stack.of(self).account}:gateway/{gateway_name}"
        gateway = f"{named}-{ANY_ID}"
        self._made = ServiceRole(
            self,
            "Default",
            service="bedrock-agentcore.amazonaws.com",
            # Whether the service has drawn the id when it first takes the role is not documented; so it is not named.
            source_arn=f"{named}*",
            purpose=f"The gateway {gateway_name}: asks its policy engine, calls its interceptors and its runtimes.",
            statements=[
                allow(
                    "AuthorizeWithPolicyEngine",
                    [
                        "bedrock-agentcore:AuthorizeAction",
                        "bedrock-agentcore:GetPolicyEngine",
                        "bedrock-agentcore:PartiallyAuthorizeActions",
                    ],
                    [engine_arn, gateway],
                ),
                allow(
                    "CallOwnInterceptors",
                    ["lambda:InvokeFunction"],
                    [interceptors.request_arn, interceptors.response_arn],
                ),
                *_encryption(data_key),
            ],
            boundary=boundary,
        )
        acknowledge(
            self._made.policy,
            "AgentCore appends ten random characters to the gateway's name, and the gateway cannot be created before "
            "this policy; the fixed part belongs to this gateway alone.",
            f"AwsSolutions-IAM5[Resource::{gateway}]",
        )

    @property
    def arn(self) -> str:
        """The role's ARN, as a reference."""
        return self._made.arn

    @property
    def policy(self) -> iam.CfnManagedPolicy:
        """What the gateway must wait for."""
        return self._made.policy

    def allow_invoking(self, runtime_arns: Sequence[str]) -> iam.CfnManagedPolicy:
        """Lets the gateway call these runtimes and no others.

        In a policy of its own: the role's first one must exist before the gateway, and the runtimes come later.

        Returns:
            The policy, for the gateway's targets to wait for.
        """
        # AgentCore wants the action allowed on the runtime and on its endpoint (DG resource-based-policies).
        resources = [arn for runtime in runtime_arns for arn in (runtime, f"{runtime}/runtime-endpoint/DEFAULT")]
        statement = allow("InvokeOwnRuntimes", ["bedrock-agentcore:InvokeAgentRuntime"], resources)
        return iam.CfnManagedPolicy(
            self,
            "InvokePolicy",
            description="Lets the gateway call the runtimes of its own persona.",
            policy_document={"Version": "2012-10-17", "Statement": [statement]},
            roles=[self._made.role.ref],
        )


def _encryption(data_key: kms.IKey) -> list[Statement]:
    """Returns the four rights of DG gateway-encryption.

    The guide adds `kms:ViaService` to all of them, but people who deployed that saw targets fail: AgentCore encrypts
    targets as this role itself, and the condition refuses it. So only the grant keeps conditions.
    """
    return [
        allow("EncryptOwnConfiguration", ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"], [data_key.key_arn]),
        allow(
            "CreateKeyGrants",
            ["kms:CreateGrant"],
            [data_key.key_arn],
            {
                "StringEquals": {"kms:GrantConstraintType": "EncryptionContextSubset"},
                "ForAllValues:StringEquals": {"kms:GrantOperations": ["Decrypt", "GenerateDataKey"]},
            },
        ),
    ]
