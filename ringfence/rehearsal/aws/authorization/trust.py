"""Whether somebody may take a role: what its trust policy alone decides, for a service or for a principal."""

from __future__ import annotations

from typing import Any

from ringfence.iam.evaluator import Decision, Policy, Request, decide

AGENTCORE = "bedrock-agentcore.amazonaws.com"
LAMBDA = "lambda.amazonaws.com"


def taken_by_service(trust: Policy, role_arn: str, *, service: str, source_arn: str) -> Decision:
    """Whether a service may work as a role on behalf of one resource.

    AWS recommends that a service's trust asks for these, and no source says that Lambda sends them for the role a
    function runs as (IAM user guide, confused deputy; Lambda developer guide; read 29 November 2026). So here it does
    not: a trust that insists would fail the first deployment.
    """
    context: dict[str, Any] = {"aws:PrincipalIsAWSService": True}
    if service != LAMBDA:
        context |= {"aws:SourceAccount": source_arn.split(":")[4], "aws:SourceArn": source_arn}
    return decide(Request(service, "sts:AssumeRole", role_arn, context), {"trust": [trust]})


def taken_by_principal(trust: Policy, role_arn: str, *, principal_arn: str) -> Decision:
    """Whether a role or a user may take a role without naming a session's human or tags."""
    request = Request(principal_arn, "sts:AssumeRole", role_arn, {"aws:PrincipalArn": principal_arn})
    return decide(request, {"trust": [trust]})
