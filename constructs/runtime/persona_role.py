"""The role a call works as: what one persona may do in AWS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from constructs import Construct
from constructs.review_notes import acknowledge, describe, serves
from constructs.runtime.runtime_role import SESSION_TAGS, PersonaRoleRef
from ringfence.catalogue.iam_statements import LONGEST_ROLE_NAME, LONGEST_TRUST_POLICY, within

Document = Mapping[str, Any]


class PersonaRole(Construct):
    """The persona's role, its policies and its boundary, all compiled from the catalogue.

    Only the persona's own runtimes may assume it, only for a named human, and only with the tags that name the call. So
    every AWS event of the role carries `sourceIdentity`, and no administrator can wear it from a console.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        role_ref: PersonaRoleRef,
        runtime_roles: Sequence[str],
        policies: Sequence[Document],
        boundary: Document,
    ) -> None:
        """Makes the role.

        Args:
            role_ref: the tags of every session.
            runtime_roles: ARNs of the execution roles of this persona's runtimes.
            policies: what the persona may do, as IAM documents; a broad persona needs more than one holds.
            boundary: what it may never exceed, as an IAM document.
        """
        super().__init__(scope, construct_id)
        self.boundary = iam.CfnManagedPolicy(
            self,
            "Boundary",
            managed_policy_name=f"{name}-boundary",
            policy_document=dict(boundary),
        )
        describe(
            self.boundary,
            f"The most that any call of the persona {role_ref.persona} can do, whatever else is attached.",
        )
        self.policies = [self._policy(name, role_ref, number, policy) for number, policy in enumerate(policies, 1)]
        self.role = iam.CfnRole(
            self,
            "Resource",
            role_name=name,
            description=f"AWS calls of the persona {role_ref.persona}: one session a tool call, 15 minutes at most.",
            assume_role_policy_document=_trust(runtime_roles, role_ref, cdk.Stack.of(self).account),
            managed_policy_arns=[policy.ref for policy in self.policies],
            permissions_boundary=self.boundary.ref,
            # The host asks for 15 minutes; a role assumed by a role never gets more than this.
            max_session_duration=3600,
        )
        serves(self.role, "Accountability: every session names the human and the call it works for.")
        acknowledge(
            self.boundary,
            "A boundary grants nothing: it names the actions at most, and the policy beside it names the resources.",
            *_wildcard_findings(boundary),
        )
        serves(self.boundary, "Least privilege: caps the persona role, also against later attachments.")

    def _policy(self, name: str, role_ref: PersonaRoleRef, number: int, document: Document) -> iam.CfnManagedPolicy:
        part = "" if number == 1 else str(number)
        policy = iam.CfnManagedPolicy(
            self,
            f"Policy{part}",
            managed_policy_name=f"{name}-policy{part and f'-{part}'}",
            policy_document=dict(document),
        )
        describe(
            policy, f"What the tools granted to the persona {role_ref.persona} need in AWS{part and f', part {part}'}."
        )
        acknowledge(
            policy,
            "Each pattern is what a granted tool needs, reviewed with the tool in catalogue/servers. A call gets only "
            "its tool's part of it, by session policy, and the VPC endpoints admit nothing outside the account.",
            *_wildcard_findings(document),
        )
        return policy

    @property
    def arn(self) -> str:
        """The role's ARN, as a reference."""
        return self.role.attr_arn


def _wildcard_findings(document: Document) -> list[str]:
    """Returns the ids under which cdk-nag reports the wildcards that a document allows."""
    allowed = [statement for statement in document["Statement"] if statement["Effect"] == "Allow"]
    resources = {f"Resource::{name}" for each in allowed for name in _names(each["Resource"]) if "*" in name}
    actions = {f"Action::{name}" for each in allowed for name in _names(each["Action"]) if "*" in name}
    return [f"AwsSolutions-IAM5[{detail}]" for detail in sorted(resources | actions)]


def _names(value: str | Sequence[str]) -> Sequence[str]:
    return [value] if isinstance(value, str) else value


def _trust(runtime_roles: Sequence[str], role_ref: PersonaRoleRef, account: str) -> Document:
    """Returns the trust policy, if IAM will accept it.

    Raises:
        ProblemsFound: it is longer than IAM accepts.
    """
    longest = [f"arn:aws:iam::{account}:role/{'x' * LONGEST_ROLE_NAME}"] * len(runtime_roles)
    within(
        _trust_of(longest, role_ref, account),
        limit=LONGEST_TRUST_POLICY,
        subject=f"trust policy of the role of the persona {role_ref.persona}",
        remedy="Grant the persona fewer servers in personas.toml: each has a runtime, whose role is named there.",
    )
    return _trust_of(runtime_roles, role_ref, account)


def _trust_of(runtime_roles: Sequence[str], role_ref: PersonaRoleRef, account: str) -> dict[str, Any]:
    """Three statements, since `sts:TagSession` has no `sts:SourceIdentity` in its context: one shared condition on it
    would refuse every session.

    The runtimes are named in the first alone, for want of room. The other two say how a session is named and tagged;
    without the first they let nobody in, and within the account they still need the caller's own policy.
    """
    human = {"sts:SourceIdentity": "?*"}
    present = {f"aws:RequestTag/{tag}": "?*" for tag in SESSION_TAGS if f"aws:RequestTag/{tag}" not in role_ref.tags}
    here = f"arn:aws:iam::{account}:root"
    statements: list[tuple[str, Sequence[str] | str, str, dict[str, Any]]] = [
        (
            "AllowRuntimesWithSourceIdentity",
            list(runtime_roles),
            "sts:AssumeRole",
            {"StringLike": human | present, "StringEquals": role_ref.tags},
        ),
        ("SetSourceIdentity", here, "sts:SetSourceIdentity", {"StringLike": human}),
        (
            "TagSession",
            here,
            "sts:TagSession",
            {
                "ForAllValues:StringEquals": {"aws:TagKeys": list(SESSION_TAGS)},
                "StringEquals": role_ref.tags,
                "StringLike": present,
            },
        ),
    ]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": sid, "Effect": "Allow", "Principal": {"AWS": who}, "Action": action, "Condition": condition}
            for sid, who, action, condition in statements
        ],
    }
