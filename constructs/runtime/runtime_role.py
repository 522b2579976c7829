"""The role an MCP runtime runs as: nearly nothing, and a way to the persona role."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as s3_assets

from constructs import Construct
from constructs.review_notes import acknowledge
from constructs.service_role import ServiceRole, Statement, allow
from ringfence.reading import names
from ringfence.reading.region import REGION

ANY_ID: Final = "?" * 10
"""The ten random characters that AgentCore appends to a name, as an IAM pattern."""

SESSION_TAGS: Final = ("call", "department", "persona", "tool")
"""The tags of every session of a persona role; the host sends exactly these, and the trust policy wants them all."""


@dataclass(frozen=True)
class PersonaRoleRef:
    """The persona role as a runtime must ask for it."""

    role_arn: str
    department: str
    persona: str

    @property
    def tags(self) -> dict[str, str]:
        """The condition that a request to assume the role meets: the tags whose value is fixed."""
        return {"aws:RequestTag/department": self.department, "aws:RequestTag/persona": self.persona}


@dataclass(frozen=True)
class CallLog:
    """Where a runtime records its calls.

    Attributes:
        group_name: the persona's log group.
        server: which streams there are this runtime's: those whose names begin with it.
    """

    group_name: str
    server: str


class RuntimeRole(Construct):
    """The execution role of one runtime.

    Any code in the microVM can read these credentials, so they open almost nothing by themselves: the persona role only
    with a named human and the call's tags, the public half of the token key, the runtime's own code, its own streams of
    the call record and its own output.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        runtime_name: str,
        call_log: CallLog,
        role_ref: PersonaRoleRef,
        token_key_arn: str,
        code: s3_assets.Asset,
        boundary: iam.IManagedPolicy,
        asset_key_arn: str | None = None,
    ) -> None:
        """Makes the role and its policy.

        Args:
            role_ref: the persona role it may assume, and how.
            token_key_arn: the key whose public half verifies Txn-Tokens.
            asset_key_arn: key of the bucket that holds the zip, or None where S3 encrypts it with a key of its own.
        """
        super().__init__(scope, construct_id)
        account = cdk.Stack.of(self).account
        logs = f"arn:aws:logs:{REGION}:{account}:log-group:"
        own_log = f"{logs}{names.runtime_output(f'{runtime_name}-{ANY_ID}')}:*"
        # The name of a stream may stand in the resource of both actions, as in the role that CloudTrail writes its
        # streams with (CloudTrail user guide, "Role policy document for CloudTrail to use CloudWatch Logs").
        own_records = f"{logs}{call_log.group_name}:log-stream:{call_log.server}/*"
        own_code = f"arn:aws:s3:::{code.s3_bucket_name}/{code.s3_object_key}"
        made = ServiceRole(
            self,
            "Default",
            service="bedrock-agentcore.amazonaws.com",
            # As CDK's own Runtime has it (aws-cdk-lib 2.275.0): the role is checked while the runtime has no id yet.
            source_arn=f"arn:aws:bedrock-agentcore:{REGION}:{account}:runtime/{runtime_name}*",
            purpose=f"Runs the MCP host {runtime_name}, which may only assume its persona's role, call by call.",
            statements=[
                *_assume(role_ref),
                allow("ReadTxnTokenPublicKey", ["kms:GetPublicKey"], token_key_arn),
                allow("ReadOwnCode", ["s3:GetObject", "s3:GetObjectVersion"], own_code),
                *_decrypt(asset_key_arn),
                allow("WriteOwnCallRecords", ["logs:CreateLogStream", "logs:PutLogEvents"], own_records),
                allow("WriteOwnLog", ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"], own_log),
                # AgentCore's documented execution role holds this (guide, "IAM permissions for AgentCore Runtime", read
                # 26 November 2026): without it, so we assume, the service may not find the group it writes output to.
                allow("DescribeLogGroups", ["logs:DescribeLogGroups"], "*"),
            ],
            boundary=boundary,
        )
        self.policy = made.policy
        self.arn = made.arn
        acknowledge(
            made.policy,
            "AgentCore appends a random id to the runtime's name, so the log group cannot be named before it exists; "
            "the name's fixed part belongs to this runtime alone.",
            f"AwsSolutions-IAM5[Resource::{own_log}]",
        )
        acknowledge(
            made.policy,
            "Each microVM writes a stream of its own; the part before the wildcard is this server's alone.",
            f"AwsSolutions-IAM5[Resource::{own_records}]",
        )
        acknowledge(
            made.policy,
            "DescribeLogGroups knows no resource; it shows the names of log groups and opens none of them.",
            "AwsSolutions-IAM5[Resource::*]",
        )


def _decrypt(asset_key_arn: str | None) -> list[Statement]:
    through_s3 = {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}}
    return [allow("DecryptOwnCode", ["kms:Decrypt"], asset_key_arn, through_s3)] if asset_key_arn else []


def _assume(role_ref: PersonaRoleRef) -> list[Statement]:
    """Three statements, because a key named in a condition must be in the context of the action it guards."""
    human = {"StringLike": {"sts:SourceIdentity": "?*"}}
    tags = {"ForAllValues:StringEquals": {"aws:TagKeys": list(SESSION_TAGS)}, "StringEquals": role_ref.tags}
    return [
        allow(
            "AssumePersonaRoleWithSourceIdentity",
            ["sts:AssumeRole"],
            role_ref.role_arn,
            {**human, "StringEquals": role_ref.tags},
        ),
        allow("SetSourceIdentity", ["sts:SetSourceIdentity"], role_ref.role_arn, human),
        allow("TagSession", ["sts:TagSession"], role_ref.role_arn, tags),
    ]
