"""A department as deployed: its name, its code, and the gateways in front of it, each of a persona."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ringfence.deployed.assembly import Assembly
from ringfence.deployed.functions import DeployedFunction, functions
from ringfence.deployed.gateways import DeployedGateway, gateways
from ringfence.deployed.problems import UnresolvedTemplate
from ringfence.deployed.runtimes import DeployedRuntime, runtimes

_NETWORK = "-network"


@dataclass(frozen=True)
class DeployedDepartment:
    """One department.

    Attributes:
        gateways: by persona.
        functions: by ARN.
    """

    name: str
    assembly: Assembly
    functions: Mapping[str, DeployedFunction]
    runtimes: tuple[DeployedRuntime, ...]
    gateways: Mapping[str, DeployedGateway]

    @classmethod
    def read(cls, assembly: Assembly) -> DeployedDepartment:
        """Read all of it.

        Raises:
            UnresolvedTemplate: the assembly is not one department's, or holds what nothing here knows.
        """
        assembly.check()
        code = runtimes(assembly)
        return cls(department_name(assembly), assembly, functions(assembly), code, gateways(assembly, code))

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
