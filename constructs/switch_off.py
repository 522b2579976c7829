"""The role with which security stops a persona's calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from constructs import Construct
from constructs.review_notes import acknowledge, serves
from ringfence.reading import names
from ringfence.reading.region import REGION


class SwitchOffRole(Construct):
    """May disable and enable the keys that sign Txn-Tokens, and nothing else: without a signature no call begins.

    Only sessions of the roles that the department names may take it. It holds no right to read, so that it can be given
    to whoever is on call, and each key's policy gives these two actions to nobody else.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        department: str,
        personas: Sequence[str],
        trusted: Sequence[str],
    ) -> None:
        """Makes the role and its boundary.

        Args:
            trusted: names of the roles of this account that may take it, with their paths, as the department's file has
                them.
        """
        super().__init__(scope, construct_id)
        account = cdk.Stack.of(self).account
        name = names.switch_off_role(department)
        document = _rights([names.txn_token_alias(department, persona) for persona in personas], account)
        boundary = iam.CfnManagedPolicy(
            self, "Boundary", managed_policy_name=f"{name}-boundary", policy_document=document
        )
        self.role = iam.CfnRole(
            self,
            "Role",
            role_name=name,
            description="Stops and starts the calls of a persona: disables and enables the key that vouches for them.",
            assume_role_policy_document={
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": "AllowSecurityRoles",
                        "Effect": "Allow",
                        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
                        "Action": "sts:AssumeRole",
                        "Condition": {
                            "ArnLike": {"aws:PrincipalArn": [f"arn:aws:iam::{account}:role/{each}" for each in trusted]}
                        },
                    }
                ],
            },
            managed_policy_arns=[boundary.ref],
            permissions_boundary=boundary.ref,
            max_session_duration=3600,
        )
        serves(self.role, "Incident response: every new call of a persona is stopped in a minute, by security alone.")
        keys = f"arn:aws:kms:{REGION}:{account}:key/*"
        acknowledge(
            boundary,
            "A key's id is drawn when it is made; the condition on its alias leaves only the keys that sign calls.",
            f"AwsSolutions-IAM5[Resource::{keys}]",
            "AwsSolutions-IAM5[Resource::*]",
        )

    @property
    def arn(self) -> str:
        """The role's ARN, as a reference."""
        return self.role.attr_arn


def _rights(aliases: list[str], account: str) -> dict[str, Any]:
    here = {"StringEquals": {"aws:RequestedRegion": REGION}}
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "DisableAndEnableTxnTokenKeys",
                "Effect": "Allow",
                "Action": ["kms:DescribeKey", "kms:DisableKey", "kms:EnableKey"],
                "Resource": f"arn:aws:kms:{REGION}:{account}:key/*",
                "Condition": {**here, "ForAnyValue:StringEquals": {"kms:ResourceAliases": aliases}},
            },
            {
                # DisableKey takes no alias: the key behind one has to be looked up. IAM holds this to no resource.
                "Sid": "ListKeyAliases",
                "Effect": "Allow",
                "Action": "kms:ListAliases",
                "Resource": "*",
                "Condition": here,
            },
        ],
    }
