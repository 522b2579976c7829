"""What each role of a department, and each single call, could ever do: the sweeps that several proofs share."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from ringfence.deployed.resource_policies import grants_to
from ringfence.deployed.roles import Role
from ringfence.iam.actions import Action, ActionTable, load
from ringfence.iam.evaluator import EVERYONE, Policy
from ringfence.proofs.evidence import Evidence, Session
from ringfence.proofs.expected_permissions import PASSING
from ringfence.proofs.sweeps.permission_sweep import AllowedRequest, Caller, PoliciesByType, possible


class PermissionSweeps:
    """Sweeps over an assembly, each made once."""

    def __init__(self, evidence: Evidence, table: ActionTable | None = None) -> None:
        self.evidence = evidence
        self.table = load() if table is None else table
        self._sessions: dict[tuple[str, str], list[AllowedRequest]] = {}

    @cached_property
    def of_personas(self) -> dict[str, list[AllowedRequest]]:
        """By persona: what its role could do through the endpoints of the VPC, without any session policy."""
        return {persona: self._sweep(role, self.endpoint) for persona, role in self.evidence.persona_roles.items()}

    @cached_property
    def of_service_roles(self) -> dict[str, list[AllowedRequest]]:
        """By logical id: what every other role could do. AWS works as some of them from outside the VPC, so the
        endpoints do not count here."""
        return {
            role.resource.logical_id: self._sweep(role, lambda _: {}) for role in self.evidence.service_roles.values()
        }

    @cached_property
    def of_roles(self) -> dict[str, list[AllowedRequest]]:
        """By logical id: what every role could do from anywhere, endpoints and session policies left aside."""
        found = {
            role.resource.logical_id: self._sweep(role, lambda _: {}) for role in self.evidence.persona_roles.values()
        }
        return {**found, **self.of_service_roles}

    def of_session(self, persona: str, session: Session) -> list[AllowedRequest]:
        """What one call of a persona could do, under its session policy."""
        key = persona, session.name
        if key not in self._sessions:
            role = self.evidence.persona_roles[persona]
            by_type = {**self.by_type(role), "session": [session.policy]}
            self._sessions[key] = possible(self.caller(role), by_type, self.table, through=self.endpoint)
        return self._sessions[key]

    def caller(self, role: Role) -> Caller:
        """A session of a role, with the condition keys that hold for every request of it."""
        assembly = self.evidence.assembly
        context: dict[str, object] = {
            "aws:principalarn": role.arn,
            "aws:principalaccount": assembly.account,
            "aws:principaltype": "AssumedRole",
            "aws:securetransport": "true",
            **{f"aws:principaltag/{key.lower()}": value for key, value in role.tags.items()},
        }
        session = f"arn:aws:sts::{assembly.account}:assumed-role/{role.name}/anything"
        return Caller(session, assembly.account, assembly.region, context)

    def by_type(self, role: Role) -> dict[str, list[Policy]]:
        """The policies that go with a role: its own, its boundary, the organisation's, and those that name it."""
        by_type = role.by_type()
        if self.evidence.service_control:
            by_type["scp"] = list(self.evidence.service_control)
        named = grants_to(role, self.evidence.assembly)
        if named:
            by_type["resource"] = named
        return by_type

    def endpoint(self, action: Action) -> PoliciesByType:
        """The endpoint policy that an action meets; without an endpoint there is no way."""
        if action.name == PASSING:
            return {}  # no request of its own: it is decided with the request that hands the role over
        endpoint = self.evidence.endpoints.get(self.evidence.endpoint_for(action.service))
        if endpoint is None:
            return {"endpoint": []}
        return {"endpoint": [EVERYONE if endpoint.policy is None else endpoint.policy]}

    def _sweep(self, role: Role, through: Callable[[Action], PoliciesByType]) -> list[AllowedRequest]:
        return possible(self.caller(role), self.by_type(role), self.table, through=through)
