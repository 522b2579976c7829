"""What a reviewer needs to know about a resource, written beside it and carried into the template."""

from __future__ import annotations

import aws_cdk as cdk

from constructs import IConstruct

CONTROL = "ringfence:control"


def serves(resource: cdk.CfnResource, control: str) -> None:
    """Records in the template which control a resource serves, and why it is there."""
    resource.add_metadata(CONTROL, control)


def acknowledge(scope: IConstruct, reason: str, *findings: str) -> None:
    """Accepts cdk-nag findings on one construct and its children, with the reason a security reviewer accepts.

    A finding is literal, with its detail: `AwsSolutions-IAM5[Resource::*]`. Never hand in a whole stack.
    """
    cdk.Validations.of(scope).acknowledge(*(cdk.Acknowledgment(id=finding, reason=reason) for finding in findings))
