"""The role an AWS service works as on a department's behalf."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from constructs import Construct
from constructs.review_notes import serves

Statement = Mapping[str, Any]


def allow(
    sid: str, actions: Sequence[str], resources: str | Sequence[str], condition: Statement | None = None
) -> Statement:
    """Returns a statement of a role's policy that allows these actions on these resources."""
    statement = {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}
    return {**statement, "Condition": condition} if condition else statement


class ServiceRole(Construct):
    """A role for one service, one resource and one purpose.

    Its trust names the service, this account and the one resource the service may work for, so that nobody can make the
    service use the role on behalf of something else (the confused deputy). A service that does not send these keys when
    it takes a role could not meet the condition, and the template says why there is none. Where no source says whether
    it does, the account is named for the case that it does. What such a role needs protection by is then
    `iam:PassRole`: nobody outside the account can hand it to the service.
    Its rights are one customer-managed policy, written out in full, and the department's service boundary stands above.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        service: str,
        source_arn: str | None = None,
        sends_no_source: str = "",
        may_send_account: bool = False,
        purpose: str,
        statements: Sequence[Statement],
        boundary: iam.IManagedPolicy,
    ) -> None:
        """Makes the role and its policy.

        Args:
            scope: parent; its stack's account is the one the trust names.
            service: service principal, as `cloudtrail.amazonaws.com`.
            source_arn: ARN, or ARN pattern, of the resource for which the service may assume the role.
            sends_no_source: instead of it, why the service cannot be held to one, with the source of the fact.
            may_send_account: whether the service is all the same held to this account where it names one.
            statements: IAM statements as plain JSON objects, each with a Sid.

        Raises:
            ValueError: a source and a reason for none are both given, or both missing.
        """
        super().__init__(scope, construct_id)
        if (source_arn is None) != bool(sends_no_source):
            raise ValueError(f"{service}: give the resource it works for, or why it cannot be held to one")
        account = cdk.Stack.of(self).account
        tied: dict[str, Any] = {}
        if source_arn:
            tied = {"StringEquals": {"aws:SourceAccount": account}, "ArnLike": {"aws:SourceArn": source_arn}}
        elif may_send_account:
            tied = {"StringEqualsIfExists": {"aws:SourceAccount": account}}
        self.role = iam.CfnRole(
            self,
            "Role",
            description=purpose,
            assume_role_policy_document=_document(
                {
                    "Sid": "AllowServiceForThisResource" if source_arn else "AllowService",
                    "Effect": "Allow",
                    "Principal": {"Service": service},
                    "Action": "sts:AssumeRole",
                    **({"Condition": tied} if tied else {}),
                }
            ),
            permissions_boundary=boundary.managed_policy_arn,
        )
        self.policy = iam.CfnManagedPolicy(
            self,
            "Policy",
            description=purpose,
            policy_document=_document(*statements),
            roles=[self.role.ref],
        )
        deputy = (
            f". Its trust names no source: {sends_no_source}" if sends_no_source else ", closed to confused deputies."
        )
        serves(self.role, f"Least privilege: one role per purpose, bounded{deputy}")

    @property
    def arn(self) -> str:
        """The role's ARN, as a reference."""
        return self.role.attr_arn


def _document(*statements: Statement) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}
