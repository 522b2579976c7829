"""The residency register: every declared exception to eu-west-2, with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ringfence.catalogue.catalogue import Catalogue
from ringfence.catalogue.servers import Server, Tool
from ringfence.department.department import Department
from ringfence.reading.region import REGION


@dataclass(frozen=True)
class DeclaredException:
    """One service outside eu-west-2 that a department talks to.

    Attributes:
        service: Endpoint service suffix, such as `iam`.
        region: Where it runs.
        actions: The IAM actions that go there, sorted.
        servers: The MCP servers that need it, sorted.
        reason: Why there is no way round it.
    """

    service: str
    region: str
    actions: tuple[str, ...]
    servers: tuple[str, ...]
    reason: str


def _answered(server: Server, tool: Tool) -> Iterator[tuple[str, str, str, str]]:
    """Yields where AWS answers what a tool asks, and what a service asks as the role that the tool passes to it.

    Each is an action, the service's name, its region and the reason.
    """
    for action in (action for grant in tool.grants for action in grant.called):
        endpoint = server.endpoint_of(action)
        yield action, endpoint.service, endpoint.region, endpoint.reason
    if tool.passes:
        role = server.roles[tool.passes]
        for action in (action for grant in role.grants for action in grant.called):
            prefix = action.partition(":")[0]
            if prefix in role.elsewhere:
                yield action, prefix, role.elsewhere[prefix].region, role.elsewhere[prefix].reason


def register(catalogue: Catalogue, department: Department) -> list[DeclaredException]:
    """Returns a department's exceptions to eu-west-2, sorted by service and region; an empty list is the ideal."""
    actions: dict[tuple[str, str], set[str]] = {}
    servers: dict[tuple[str, str], set[str]] = {}
    reasons: dict[tuple[str, str], list[str]] = {}
    for persona in department.personas:
        for server, tool in catalogue.granted(persona, department):
            for action, service, region, reason in _answered(server, tool):
                if region == REGION:
                    continue
                key = (service, region)
                actions.setdefault(key, set()).add(action)
                servers.setdefault(key, set()).add(server.name)
                if reason not in reasons.setdefault(key, []):
                    reasons[key].append(reason)
    return [
        DeclaredException(
            service=service,
            region=region,
            actions=tuple(sorted(actions[service, region])),
            servers=tuple(sorted(servers[service, region])),
            reason=" ".join(reasons[service, region]),
        )
        for service, region in sorted(actions)
    ]
