"""Roles that a persona's tools hand to services of AWS, compiled from the catalogue for one department."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ringfence.catalogue.catalogue import Catalogue
from ringfence.catalogue.files.catalogue_files import PassedRoleFile
from ringfence.catalogue.iam_statements import (
    LONGEST_MANAGED_POLICY,
    Document,
    allow_statements,
    document,
    needs,
    within,
)
from ringfence.catalogue.servers import Server
from ringfence.compilers.boundaries import made_boundary, passed_boundary
from ringfence.department.department import Department
from ringfence.reading import names


@dataclass(frozen=True)
class MadeRoles:
    """The boundary of every role that a passed role makes."""

    name: str
    purpose: str
    boundary: Document


@dataclass(frozen=True)
class CompiledPassedRole:
    """One role to make.

    Attributes:
        key: Its name in the catalogue, such as `sandbox-stacks`.
        service: The one service principal that trusts it.
        policy: What the service may do as this role.
        boundary: What it may never exceed.
        makes: The boundary of the roles it makes, if it makes any.
    """

    key: str
    name: str
    service: str
    purpose: str
    policy: Document
    boundary: Document
    makes: MadeRoles | None


def passed_roles(catalogue: Catalogue, department: Department, persona: str) -> list[CompiledPassedRole]:
    """Returns the roles that belong into a persona's stack, sorted by name.

    A role is the department's: the first of its personas that may pass it on brings it.

    Raises:
        ProblemsFound: a policy is longer than AWS accepts.
    """
    earlier = department.personas[: department.personas.index(persona)]
    brought = {key for other in earlier for key, _ in _held(catalogue, department, other)}
    return [
        _compiled(key, role, department) for key, role in _held(catalogue, department, persona) if key not in brought
    ]


def _held(catalogue: Catalogue, department: Department, persona: str) -> list[tuple[str, PassedRoleFile]]:
    return sorted(dict(_of_tools(catalogue, department, persona)).items())


def _of_tools(catalogue: Catalogue, department: Department, persona: str) -> Iterator[tuple[str, PassedRoleFile]]:
    for server, tool in catalogue.granted(persona, department):
        if tool.passes:
            yield tool.passes, _role(server, tool.passes)


def _role(server: Server, key: str) -> PassedRoleFile:
    return server.roles[key]


def _compiled(key: str, role: PassedRoleFile, department: Department) -> CompiledPassedRole:
    needed = needs(((role, grant) for grant in role.grants), department)
    made = None
    if role.makes is not None:
        most = needs(((role, grant) for grant in role.makes.grants), department)
        made = MadeRoles(
            name=names.passed_role(department.name, role.makes.name),
            purpose=role.makes.purpose,
            boundary=made_boundary(most, department),
        )
    return CompiledPassedRole(
        key=key,
        name=names.passed_role(department.name, key),
        service=role.service,
        purpose=role.purpose,
        policy=within(
            document(allow_statements(needed)),
            limit=LONGEST_MANAGED_POLICY,
            subject=f"policy of the passed role {key}",
            remedy="Name fewer actions or shorter resource patterns in server.toml.",
        ),
        boundary=passed_boundary(role, needed, department),
        makes=made,
    )
