"""What the catalogue promises: each persona's tools and operations with their level and their IAM needs.

Read from the catalogue's data, past the compilers of IAM documents, so that a fault of a compiler shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from governance import names
from governance.catalogue import Catalogue
from governance.catalogue_files import Grant, PassedRoleFile
from governance.department import Department
from governance.region import REGION
from governance.servers import Server, Tool

_OF_NO_ACCOUNT: Final = ("arn:aws:s3:::", "arn:aws:route53:::")
"""How the ARNs begin that name no account."""


@dataclass(frozen=True)
class Need:
    """One action that a call may make.

    Attributes:
        action: `service:Action`.
        resources: ARN patterns, account and region filled in.
        region: where AWS answers it.
        condition: the IAM condition block beyond the region.
    """

    action: str
    resources: tuple[str, ...]
    region: str
    condition: Mapping[str, Any]


@dataclass(frozen=True)
class HandedRole:
    """A role that a tool hands to a service of AWS.

    Attributes:
        service: the one service principal that may have it.
        needs: what that service may do as it.
    """

    service: str
    needs: tuple[Need, ...]


@dataclass(frozen=True)
class Call:
    """One thing a persona may ask for: a tool, or one operation of a tool.

    Attributes:
        server: the MCP server.
        tool: bare name.
        operation: the value of the deciding argument, or None for a tool without operations.
        argument: the deciding argument's name, or None.
        level: read, write, permissions, execute or credential.
        needs: the IAM actions.
    """

    server: str
    tool: str
    operation: str | None
    argument: str | None
    level: str
    needs: tuple[Need, ...]

    @property
    def name(self) -> str:
        """`server.tool` or `server.tool.operation`."""
        return ".".join(part for part in (self.server, self.tool, self.operation) if part)

    @property
    def published(self) -> str:
        """The name at the gateway."""
        return names.published_tool(self.server, self.tool)


def promised(catalogue: Catalogue, department: Department, persona: str) -> tuple[Call, ...]:
    """What a persona of a department may ask for, sorted by name."""
    granted = granted_tools(catalogue, department, persona)
    calls = [call for server, tool in granted for call in _calls(server, tool, department)]
    return tuple(sorted(calls, key=lambda call: call.name))


def handed_roles(catalogue: Catalogue, department: Department) -> dict[str, HandedRole]:
    """The roles that tools of a department's personas hand on, by ARN."""
    found = {}
    for persona in department.personas:
        for server, tool in granted_tools(catalogue, department, persona):
            if tool.passes:
                role = server.roles[tool.passes]
                arn = f"arn:aws:iam::{department.account}:role/ringfence-{department.name}-{tool.passes}"
                found[arn] = HandedRole(role.service, _needs(role, role.grants, department))
    return found


def granted_tools(catalogue: Catalogue, department: Department, persona: str) -> list[tuple[Server, Tool]]:
    """The tools of a persona in a department, as the catalogue effectively grants them."""
    return catalogue.granted(persona, department)


def operations_of(server: Server, tool: str) -> tuple[str, ...]:
    """Every operation of a tool that the catalogue knows, granted or not."""
    return tuple(server.tools[tool].operations)


def flags_of(server: Server, tools: Iterable[Tool]) -> list[str]:
    """How a persona's server is started: its gates for writing and sensitive data open only if a tool needs them."""
    held = list(tools)
    levels = {one.level for tool in held for one in (tool.operations.values() or (tool,))}
    writes = list(server.write_flags) if levels - {"read"} else []
    sensitive = list(server.sensitive_flags) if any(tool.sensitive for tool in held) else []
    return [*server.flags, *writes, *sensitive]


def _calls(server: Server, tool: Tool, department: Department) -> list[Call]:
    if not tool.operation:
        return [Call(server.name, tool.name, None, None, tool.level, _needs(server, tool.grants, department))]
    return [
        Call(server.name, tool.name, name, tool.operation, one.level, _needs(server, one.grants, department))
        for name, one in tool.operations.items()
    ]


def _needs(owner: Server | PassedRoleFile, grants: tuple[Grant, ...], department: Department) -> tuple[Need, ...]:
    facts = {"{account}": department.account, "{department}": department.name, "{region}": REGION}

    def filled(text: str) -> str:
        for placeholder, fact in facts.items():
            text = text.replace(placeholder, fact)
        return text

    return tuple(
        Need(
            action=action,
            resources=tuple(filled(resource) for resource in grant.resources),
            region=owner.region_of(action),
            condition=_condition(grant, filled, department),
        )
        for grant in grants
        for action in grant.actions
    )


def _condition(grant: Grant, filled: Callable[[str], str], department: Department) -> dict[str, Any]:
    found: dict[str, Any] = {
        operator: {key: _each(values, filled) for key, values in keys.items()}
        for operator, keys in grant.conditions.items()
    }
    if any(resource.startswith(_OF_NO_ACCOUNT) for resource in grant.resources):
        # A name alone does not say whose it is.
        found["StringEquals"] = found.get("StringEquals", {}) | {"aws:ResourceAccount": department.account}
    return found


def _each(values: str | tuple[str, ...], change: Callable[[str], str]) -> str | list[str]:
    return change(values) if isinstance(values, str) else [change(value) for value in values]
