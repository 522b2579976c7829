"""What the assembly's roles may ask AWS services to do on their behalf, decided with the synthesised policies."""

from __future__ import annotations

from collections.abc import Mapping

from ringfence.deployed.department import DeployedDepartment
from ringfence.deployed.roles import Role
from ringfence.iam.evaluator import Decision, Policy, Request, decide
from ringfence.rehearsal.aws.authorization.trust import taken_by_service
from ringfence.rehearsal.problems import CannotStart


class Permissions:
    """Decides service-side actions: invoking a function, invoking a runtime, working as a role.

    Attributes:
        roles: of the assembly, by ARN.
        switched_off: `resource` leaves the resource policies of runtimes out, to show that the other layers hold.
    """

    def __init__(self, department: DeployedDepartment) -> None:
        self.switched_off: set[str] = set()
        self._account, self._region = department.assembly.account, department.assembly.region
        self.roles, self._resource_policies = department.roles, department.resource_policies

    def role(self, arn: str, *, needed_by: str) -> Role:
        """A role of the assembly.

        Raises:
            CannotStart: the assembly holds no such role.
        """
        if arn not in self.roles:
            raise CannotStart(f"{needed_by} uses the role {arn}, which the assembly does not hold", "Own roles only.")
        return self.roles[arn]

    def check_trust(self, role_arn: str, *, service: str, source_arn: str) -> None:
        """Make sure that a service may work as a role on behalf of one resource.

        Raises:
            CannotStart: the trust policy does not let it; the service would fail at its first call.
        """
        role = self.role(role_arn, needed_by=source_arn)
        decision = taken_by_service(role.trust, role_arn, service=service, source_arn=source_arn)
        if not decision.allowed:
            raise CannotStart(
                f"{service} may not work as {role.name} for {source_arn}: {decision.reason}",
                f"Correct the trust policy of {role.resource.logical_id}.",
            )

    def decide(self, role_arn: str, action: str, resource: str) -> Decision:
        """Whether a role of the assembly may do something to a resource of the assembly."""
        role = self.role(role_arn, needed_by=resource)
        return self._decide(role.arn, role.by_type(), action, resource)

    def decide_for_outsider(self, principal_arn: str, policy: Policy, action: str, resource: str) -> Decision:
        """The same for a principal of this account that is not in the assembly."""
        return self._decide(principal_arn, {"identity": [policy]}, action, resource)

    def _decide(self, principal_arn: str, by_type: Mapping[str, list[Policy]], action: str, resource: str) -> Decision:
        context = {
            "aws:PrincipalArn": principal_arn,
            "aws:PrincipalAccount": self._account,
            "aws:ResourceAccount": self._account,
            "aws:RequestedRegion": self._region,
        }
        applied = dict(by_type)
        if resource in self._resource_policies and "resource" not in self.switched_off:
            applied["resource"] = [self._resource_policies[resource]]
        return decide(Request(principal_arn, action, resource, context), applied)
