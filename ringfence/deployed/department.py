"""A department as deployed: its name, its code, and the gateways in front of it, each of a persona."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ringfence.deployed.assembly import Assembly
from ringfence.deployed.functions import DeployedFunction, functions
from ringfence.deployed.gateways import DeployedGateway, gateways
from ringfence.deployed.problems import UnresolvedTemplate
from ringfence.deployed.resource_policies import AGENTCORE, resource_policies
from ringfence.deployed.roles import Role, roles
from ringfence.deployed.runtimes import DeployedRuntime, runtimes
from ringfence.deployed.user_pool import DeployedUserPool, user_pool
from ringfence.iam.evaluator import Policy

Honoured = Mapping[str, Mapping[str, tuple[str, ...]]]
_NETWORK = "-network"


@dataclass(frozen=True)
class DeployedDepartment:
    """One department.

    Attributes:
        gateways: by persona.
        functions: by ARN.
        roles: by ARN.
        user_pool: where people sign in.
        resource_policies: of runtimes, their endpoints and gateways, by what they protect.
    """

    name: str
    assembly: Assembly
    functions: Mapping[str, DeployedFunction]
    runtimes: tuple[DeployedRuntime, ...]
    gateways: Mapping[str, DeployedGateway]
    roles: Mapping[str, Role]
    user_pool: DeployedUserPool
    resource_policies: Mapping[str, Policy]

    @classmethod
    def read(cls, assembly: Assembly, honoured: Honoured | None = None) -> DeployedDepartment:
        """Read all of it.

        Args:
            assembly: where it is described.
            honoured: as `Assembly.check` takes it.

        Raises:
            UnresolvedTemplate: the assembly is not one department's, or holds what nothing here knows.
            UndecidablePolicy: a policy holds what the evaluator does not know.
        """
        assembly.check(honoured)
        code = runtimes(assembly)
        return cls(
            name=department_name(assembly),
            assembly=assembly,
            functions=functions(assembly),
            runtimes=code,
            gateways=gateways(assembly, code),
            roles=roles(assembly),
            user_pool=user_pool(assembly),
            resource_policies={arn: policy for _, arn, policy in resource_policies(assembly, AGENTCORE)},
        )

    def served_at(self, addresses: Mapping[str, str]) -> DeployedDepartment:
        """The same with each gateway at another address, wherever a template names it; by persona."""
        places = {persona: self.gateways[persona].resource for persona in addresses}
        attributes = {
            (place.stack, place.logical_id, "GatewayUrl"): addresses[persona] for persona, place in places.items()
        }
        return self.read(self.assembly.edited(attributes=attributes))


def department_name(assembly: Assembly) -> str:
    """The name of the department whose stacks these are: that of `ringfence-<department>-network`.

    Raises:
        UnresolvedTemplate: there is no such stack, more than one, or one of another department beside it.
    """
    networks = [name for name in assembly.stacks if name.startswith("ringfence-") and name.endswith(_NETWORK)]
    stem = networks[0].removesuffix(_NETWORK) if len(networks) == 1 else ""
    if not stem or not all(name.startswith(f"{stem}-") for name in assembly.stacks):
        held = ", ".join(sorted(assembly.stacks))
        what = f"holds the stacks {held}, not those of one department; synthesise one: make synth DEPARTMENT=NAME"
        raise UnresolvedTemplate(str(assembly.path), "manifest.json", what)
    return stem.removeprefix("ringfence-")
