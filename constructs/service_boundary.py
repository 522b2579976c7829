"""The most that any function, gateway, runtime or delivery role of a department may ever do."""

from __future__ import annotations

from aws_cdk import aws_iam as iam

from constructs import Construct
from constructs.review_notes import acknowledge, describe, serves, wildcard_findings
from ringfence.compilers.iam import service_boundary
from ringfence.department.department import Department


class ServiceBoundary(Construct):
    """The permissions boundary of all service roles, compiled from the department."""

    def __init__(self, scope: Construct, construct_id: str, *, department: Department) -> None:
        """Makes the managed policy."""
        super().__init__(scope, construct_id)
        document = service_boundary(department)
        resource = iam.CfnManagedPolicy(
            self,
            "Resource",
            managed_policy_name=f"ringfence-{department.name}-service-boundary",
            policy_document=document,
        )
        describe(resource, "The most a Ringfence service role may do. A boundary grants nothing.")
        serves(resource, "Least privilege: caps every service role, whatever is attached to it later.")
        acknowledge(
            resource,
            "A boundary grants nothing: what a role may do is this and its own policy, which names its resources.",
            *wildcard_findings(document),
        )
        self.policy = iam.ManagedPolicy.from_managed_policy_arn(self, "Reference", resource.ref)
