"""The questions of a preflight, in the order in which a deployment would meet the answers."""

from __future__ import annotations

from typing import Final

from ringfence.live.before import Before
from ringfence.live.preflight import (
    bootstrap,
    credentials,
    functions,
    models,
    names,
    network,
    placeholders,
    quotas,
    resource_types,
    service_roles,
    sign_in,
    stacks,
)
from ringfence.live.results import Check

FIRST: Final[Check[Before]] = Check("account", "whose account the credentials belong to", credentials.whose_account)
WITHOUT_THE_ACCOUNT: Final[tuple[Check[Before], ...]] = (
    Check("placeholders", "whether the file still holds the example's values", placeholders.placeholders),
    # Told beside credentials that do not work, too: they are asked for in that region.
    Check("region", "which region the environment names", credentials.which_region),
)
CHECKS: Final[tuple[Check[Before], ...]] = (
    Check("bootstrap", "the CDK's bootstrap stack", bootstrap.bootstrap),
    Check("deployment-rights", "the rights of the role that deploys", bootstrap.deployment_rights),
    Check("resource-types", "the CloudFormation types of the templates", resource_types.resource_types),
    Check("stacks", "the state of the department's stacks", stacks.stacks),
    Check("names", "whether the fixed names are free or ours", names.names),
    Check("zones", "which zone ids the zones have", network.zones),
    Check("prefix-list", "the S3 prefix list", network.prefix_list),
    Check("endpoint-services", "which endpoint services are offered", network.endpoint_services),
    Check("concurrency", "the concurrency of functions", functions.concurrency),
    Check("service-roles", "the roles that services make for themselves", service_roles.service_linked_roles),
    Check("domain", "the address of the sign-in page", sign_in.domain),
    Check("secret", "the identity provider's client secret", sign_in.secret),
    Check("models", "the models that hosts are to ask", models.on_demand),
    Check("quotas", "the account's limits", quotas.quotas),
)
NOT_ASKED: Final = (
    "whether the identity provider's issuer answers, and knows our client and redirect address",
    "whether another account holds the sign-in prefix, where Cognito does not tell us",
    "what an organisation's policies deny to the deployment",
    "whether AWS accepts each property: a type that is offered may still refuse one",
)
