"""One policy of the organisation, on its targets."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_organizations as organizations

from constructs import Construct
from constructs.review_notes import serves
from ringfence.organisation.policies import Guardrail


class OrganisationGuardrail(Construct):
    """A service or resource control policy. It grants nothing: it takes away from whatever other policies grant."""

    def __init__(self, scope: Construct, construct_id: str, *, guardrail: Guardrail, targets: Sequence[str]) -> None:
        """Makes the policy and hangs it on its targets.

        Args:
            targets: root or organisational units.
        """
        super().__init__(scope, construct_id)
        self._resource = resource = organizations.CfnPolicy(
            self,
            "Default",
            name=guardrail.name,
            description=guardrail.purpose,
            type=guardrail.kind,
            content=guardrail.content,
            target_ids=list(targets),
        )
        # Taking a guardrail away must be a decision of its own, not a side effect of removing a stack. One whose own
        # making failed has guarded nothing, and its name would stand in the way of the next attempt.
        resource.apply_removal_policy(cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
        serves(resource, f"Guardrail: {guardrail.purpose} Binds every principal below the targets, whoever it is.")

    def after(self, other: OrganisationGuardrail) -> None:
        """Makes this one once the other stands: AWS Organizations refuses changes that come at once.

        It answers ConcurrentModificationException then (Organizations API reference, read 28 November 2026).
        """
        self._resource.add_resource_dependency(other._resource)
