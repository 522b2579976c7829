"""A Lambda function that can reach what it was given and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3_assets as s3_assets

from constructs import Construct
from constructs.audit.audit_log_group import AuditLogGroup
from constructs.review_notes import acknowledge, serves
from constructs.service_role import ServiceRole, Statement, allow
from ringfence.assets.bundles import FUNCTION_PYTHON
from ringfence.assets.zips import Asset
from ringfence.reading.region import REGION

NETWORK_INTERFACE_ACTIONS: Final = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DetachNetworkInterface",
    "ec2:UnassignPrivateIpAddresses",
)


ANY_IN_EC2: Final = f"arn:aws:ec2:{REGION}:{{account}}:*/*"
"""Every EC2 resource of an account, as Lambda's guide writes it (see `IsolatedFunction`)."""

NO_SOURCE: Final = (
    "AWS recommends aws:SourceAccount in the trust of a service's role, and no source says that Lambda sends it, or "
    "aws:SourceArn, for the role a function runs as: the account counts where it is sent (IAM user guide, confused "
    "deputy; Lambda developer guide; read 29 November 2026)."
)


@dataclass(frozen=True)
class FunctionPlacement:
    """What all functions of a department share.

    Attributes:
        department: name; function and log group names begin with it.
        security_group_id: the functions' group, open towards the endpoints only.
        reserved_concurrency: executions reserved for, and allowed to, each function; 0 reserves none.
    """

    department: str
    subnet_ids: Sequence[str]
    security_group_id: str
    log_key: kms.IKey
    data_key: kms.IKey
    boundary: iam.IManagedPolicy
    reserved_concurrency: int = 0


@dataclass(frozen=True)
class Code:
    """What a function runs.

    Attributes:
        asset: zip made by `ringfence.assets.zips.function_zip`.
        handler: dotted path, as `pre_token.handler.handler`.
        environment: plain settings; never a secret.
        timeout_seconds: callers wait this long at most.
        memory_mb: which also sets the share of a processor.
        without_dead_letters: why no dead-letter queue is needed, for the reviewer.
    """

    asset: Asset
    handler: str
    environment: Mapping[str, str]
    timeout_seconds: int = 5
    memory_mb: int = 512
    without_dead_letters: str = (
        "Called synchronously: the caller sees every failure and refuses the call. A dead-letter queue is for "
        "asynchronous events, which this function has none of."
    )


class IsolatedFunction(Construct):
    """A function in the isolated subnets, with its own role, log group and encrypted environment.

    Lambda tries the role's network-interface rights when it makes the function, before there is an interface to name:
    deleting and numbering must be allowed on every EC2 resource of the account, `arn:aws:ec2:<region>:<account>:*/*`
    (Lambda developer guide, "Giving Lambda functions access to resources in a VPC", read 28 November 2026).

    Its code cannot use the network-interface rights that Lambda itself needs to attach it to the VPC: they are denied
    to requests that come from the function (`lambda:SourceFunctionArn`), as AWS documents for functions in a VPC.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        purpose: str,
        code: Code,
        placement: FunctionPlacement,
        statements: Sequence[Statement] = (),
    ) -> None:
        """Makes the function.

        Args:
            name: word after the department's name in the function's name, as `pre-token`; fixed, because the role's
                conditions name the function before it exists.
            statements: further rights of this function's role, as plain IAM statements with a Sid.
        """
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        self.name = f"ringfence-{placement.department}-{name}"
        self.arn = f"arn:aws:lambda:{REGION}:{stack.account}:function:{self.name}"
        self.log_group = AuditLogGroup(
            self, "LogGroup", name=f"/ringfence/{placement.department}/functions/{name}", key=placement.log_key
        )
        role = ServiceRole(
            self,
            "Execution",
            service="lambda.amazonaws.com",
            sends_no_source=NO_SOURCE,
            may_send_account=True,
            purpose=f"Runs {self.name}. {purpose}",
            statements=[*self._statements(placement), *statements],
            boundary=placement.boundary,
        )
        self.role = role.role
        self.policy = role.policy
        package = s3_assets.Asset(
            self,
            "Code",
            path=str(Path(code.asset.path).resolve()),
            asset_hash=code.asset.sha256,
            asset_hash_type=cdk.AssetHashType.CUSTOM,
        )
        self.function = lambda_.CfnFunction(
            self,
            "Function",
            function_name=self.name,
            description=purpose,
            runtime=f"python{FUNCTION_PYTHON}",
            architectures=["arm64"],
            handler=code.handler,
            code=lambda_.CfnFunction.CodeProperty(s3_bucket=package.s3_bucket_name, s3_key=package.s3_object_key),
            role=role.arn,
            environment=lambda_.CfnFunction.EnvironmentProperty(variables=dict(code.environment)),
            kms_key_arn=placement.data_key.key_arn,
            vpc_config=lambda_.CfnFunction.VpcConfigProperty(
                subnet_ids=list(placement.subnet_ids), security_group_ids=[placement.security_group_id]
            ),
            logging_config=lambda_.CfnFunction.LoggingConfigProperty(
                log_format="JSON", log_group=self.log_group.name, system_log_level="INFO"
            ),
            memory_size=code.memory_mb,
            timeout=code.timeout_seconds,
            reserved_concurrent_executions=placement.reserved_concurrency or None,
        )
        # The function must not start before its role may attach it to the network and read its environment.
        self.function.add_resource_dependency(role.policy)
        self._note_for_reviewers(role, code, placement)

    def _statements(self, placement: FunctionPlacement) -> list[Statement]:
        ec2 = f"arn:aws:ec2:{REGION}:{cdk.Stack.of(self).account}"
        interfaces = f"{ec2}:network-interface/*"
        places = [f"{ec2}:subnet/{subnet}" for subnet in placement.subnet_ids]
        return [
            allow("WriteOwnLog", ["logs:CreateLogStream", "logs:PutLogEvents"], [self.log_group.arn]),
            allow(
                "DecryptOwnEnvironment",
                ["kms:Decrypt"],
                [placement.data_key.key_arn],
                {"StringEquals": {"kms:EncryptionContext:aws:lambda:FunctionArn": self.arn}},
            ),
            allow(
                "CreateNetworkInterfaces",
                ["ec2:CreateNetworkInterface"],
                [interfaces, *places, f"{ec2}:security-group/{placement.security_group_id}"],
            ),
            allow(
                "ManageNetworkInterfaces",
                ["ec2:AssignPrivateIpAddresses", "ec2:DeleteNetworkInterface", "ec2:UnassignPrivateIpAddresses"],
                [ANY_IN_EC2.format(account=cdk.Stack.of(self).account)],
            ),
            allow("DescribeNetworkInterfaces", ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"], ["*"]),
            {
                "Sid": "DenyNetworkInterfacesToFunctionCode",
                "Effect": "Deny",
                "Action": list(NETWORK_INTERFACE_ACTIONS),
                "Resource": "*",
                "Condition": {"ArnEquals": {"lambda:SourceFunctionArn": self.arn}},
            },
        ]

    def _note_for_reviewers(self, role: ServiceRole, code: Code, placement: FunctionPlacement) -> None:
        serves(self.function, "Isolation: no internet route, own role, own log.")
        account = cdk.Stack.of(self).account
        interfaces = f"arn:aws:ec2:{REGION}:{account}:network-interface/*"
        acknowledge(
            role.policy,
            "Lambda names network interfaces only once they exist, tries its rights before that, and EC2 describe "
            "actions know no resource; all are denied to the function's own code in the same policy.",
            "AwsSolutions-IAM5[Resource::*]",
            f"AwsSolutions-IAM5[Resource::{interfaces}]",
            f"AwsSolutions-IAM5[Resource::{ANY_IN_EC2.format(account=account)}]",
        )
        if not placement.reserved_concurrency:
            acknowledge(
                self.function,
                "The department reserves no executions, because an account begins with 10 in all and Lambda refuses to "
                "reserve any of them; [functions] reserved_concurrency in its file does, once its quota is raised.",
                "NIST.800.53.R5-LambdaConcurrency",
            )
        acknowledge(self.function, code.without_dead_letters, "NIST.800.53.R5-LambdaDLQ")
