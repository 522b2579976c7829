"""What a reviewer needs to know about a resource, written beside it and carried into the template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from constructs import IConstruct

CONTROL = "ringfence:control"
DESCRIPTION = "ringfence:description"


def serves(resource: cdk.CfnResource, control: str) -> None:
    """Records in the template which control a resource serves, and why it is there."""
    resource.add_metadata(CONTROL, control)


def describe(policy: iam.CfnManagedPolicy, text: str) -> None:
    """Records in the template what a managed policy of a fixed name is for.

    IAM cannot change a policy's `Description`: CloudFormation would replace the policy, and refuses to, because its
    name is taken ("CloudFormation cannot update a stack when a custom-named resource requires replacing"). So the text
    stands beside the properties, where it can change.
    """
    policy.add_metadata(DESCRIPTION, text)


def acknowledge(scope: IConstruct, reason: str, *findings: str) -> None:
    """Accepts cdk-nag findings on one construct and its children, with the reason a security reviewer accepts.

    A finding is literal, with its detail: `AwsSolutions-IAM5[Resource::*]`. Never hand in a whole stack.
    """
    cdk.Validations.of(scope).acknowledge(*(cdk.Acknowledgment(id=finding, reason=reason) for finding in findings))


def wildcard_findings(document: Mapping[str, Any]) -> list[str]:
    """Returns the AwsSolutions-IAM5 findings on the wildcards that an IAM document allows, in order.

    For documents compiled from the catalogue, whose wildcards change with it.
    """
    allowed = [statement for statement in document["Statement"] if statement["Effect"] == "Allow"]
    found = [
        f"AwsSolutions-IAM5[{kind}::{value}]"
        for statement in allowed
        for kind in ("Action", "Resource")
        for value in _listed(statement.get(kind, []))
        if "*" in value
    ]
    return list(dict.fromkeys(found))


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
