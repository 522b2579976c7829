"""The guardrails that hold in every department's account, deployed once with the management account."""

from __future__ import annotations

import aws_cdk as cdk

from constructs import Construct
from constructs.guardrail import OrganisationGuardrail
from ringfence.catalogue.catalogue import Catalogue
from ringfence.organisation.organisation import Organisation
from ringfence.organisation.policies import guardrails
from ringfence.reading.region import REGION


class OrganisationStack(cdk.Stack):
    """Service and resource control policies. Stands beside the departments: none of their stacks needs it."""

    def __init__(
        self, scope: Construct, construct_id: str, *, organisation: Organisation, catalogue: Catalogue
    ) -> None:
        """Composes the stack.

        Raises:
            ProblemsFound: a guardrail is longer than AWS accepts.
        """
        super().__init__(
            scope,
            construct_id,
            env=cdk.Environment(account=organisation.management_account, region=REGION),
            description=f"Ringfence guardrails of the organisation {organisation.name}.",
            termination_protection=True,
            analytics_reporting=False,
            synthesizer=cdk.DefaultStackSynthesizer(qualifier=organisation.bootstrap.qualifier),
        )
        before: OrganisationGuardrail | None = None
        for guardrail in guardrails(organisation, catalogue):
            made = OrganisationGuardrail(self, guardrail.topic, guardrail=guardrail, targets=organisation.targets)
            if before is not None:
                made.after(before)
            before = made
