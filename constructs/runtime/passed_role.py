"""A role that a tool hands to a service of AWS, which then works as it."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from constructs import Construct
from constructs.review_notes import acknowledge, describe, serves, wildcard_findings
from ringfence.compilers.passed_roles import CompiledPassedRole


class PassedRole(Construct):
    """The role, its policy and its boundary, and the boundary of the roles it makes: all compiled from the catalogue.

    One service trusts it, and the persona may pass it to that service only. Whatever text a caller hands the service,
    it can do no more than this role; and a role made by it can do no more than the boundary it must carry.
    """

    def __init__(self, scope: Construct, construct_id: str, *, compiled: CompiledPassedRole) -> None:
        """Makes the role."""
        super().__init__(scope, construct_id)
        if compiled.makes is not None:
            made = self._managed("MadeBoundary", compiled.makes.name, compiled.makes.purpose, compiled.makes.boundary)
            serves(made, "Least privilege: caps every role that this role makes, which it can make with this only.")
        boundary = self._managed(
            "Boundary",
            f"{compiled.name}-boundary",
            f"The most that {compiled.service} can do for a caller, whatever else is attached to its role.",
            compiled.boundary,
        )
        serves(boundary, "Least privilege: caps the role that is passed on, also against later attachments.")
        policy = self._managed(
            "Policy", f"{compiled.name}-policy", f"What {compiled.service} does for a caller.", compiled.policy
        )
        self.role = iam.CfnRole(
            self,
            "Resource",
            role_name=compiled.name,
            description=compiled.purpose,
            assume_role_policy_document=_trust(compiled.service, cdk.Stack.of(self).account),
            managed_policy_arns=[policy.ref],
            permissions_boundary=boundary.ref,
            max_session_duration=3600,
        )
        serves(self.role, "Least privilege: a call makes no resource itself; one service does, within this role.")

    def _managed(
        self, construct_id: str, name: str, description: str, document: dict[str, Any]
    ) -> iam.CfnManagedPolicy:
        policy = iam.CfnManagedPolicy(self, construct_id, managed_policy_name=name, policy_document=document)
        describe(policy, description)
        acknowledge(
            policy,
            "Each pattern is a name that belongs to the sandbox's developers, reviewed with the role in "
            "catalogue/servers; what is read without one is a list of names.",
            *wildcard_findings(document),
        )
        return policy


def _trust(service: str, account: str) -> dict[str, Any]:
    """Names the service, and this account where the service says for whom it works.

    A role cannot be passed across accounts, so nobody else's request can bring it in; CloudFormation documents the key
    for its extensions and stack sets only, so its absence must not shut the service out.
    """
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "AllowServiceForThisAccount",
                "Effect": "Allow",
                "Principal": {"Service": service},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEqualsIfExists": {"aws:SourceAccount": account}},
            }
        ],
    }
