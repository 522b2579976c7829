"""What the service would refuse when a gateway is created, refused before the rehearsal starts."""

from __future__ import annotations

from collections.abc import Container

from ringfence.deployed.gateways import DeployedGateway
from ringfence.rehearsal.aws.authorization.service_roles import Permissions
from ringfence.rehearsal.aws.authorization.trust import AGENTCORE
from ringfence.rehearsal.problems import CannotStart


def check_parts(
    spec: DeployedGateway, *, functions: Container[str], runtimes: Container[str], permissions: Permissions
) -> None:
    """Make sure that a gateway's parts exist and that its role may use them.

    Args:
        functions: ARNs of the functions there are.
        runtimes: ARNs of the runtimes there are.

    Raises:
        CannotStart: a part is missing, the role cannot be assumed, or it lacks a right the service needs.
    """
    permissions.check_trust(spec.role_arn, service=AGENTCORE, source_arn=spec.arn)
    for interceptor in (spec.request, spec.response):
        if interceptor is not None and interceptor.function_arn not in functions:
            raise CannotStart(
                f"the gateway {spec.name} uses the function {interceptor.function_arn}, which is not in the assembly",
                "Interceptors must be functions of the department's own stacks.",
            )
    for target in spec.targets:
        if target.runtime_arn not in runtimes:
            raise CannotStart(
                f"the target {target.name} names the runtime {target.runtime_arn}, which is not in the assembly",
                "Targets must be runtimes of the department's own stacks.",
            )
    # Developer guide, Policy: the gateway's role needs these on the engine, and the two deciding ones on the gateway.
    for action, resource in (
        ("GetPolicyEngine", spec.engine_arn),
        ("AuthorizeAction", spec.engine_arn),
        ("AuthorizeAction", spec.arn),
        ("PartiallyAuthorizeActions", spec.engine_arn),
        ("PartiallyAuthorizeActions", spec.arn),
    ):
        decision = permissions.decide(spec.role_arn, f"bedrock-agentcore:{action}", resource)
        if not decision.allowed:
            raise CannotStart(
                f"the role of the gateway {spec.name} cannot use its policy engine: {decision.reason}",
                f"Allow bedrock-agentcore:{action} in the gateway role's policy.",
            )
