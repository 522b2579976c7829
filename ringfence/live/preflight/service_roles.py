"""Roles that services make for themselves: there already, or the deployment may have them made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from ringfence.live.before import Before
from ringfence.live.results import Result, right, unknown, wrong
from ringfence.reading.documents import Strict, read_checked


class ServiceRole(Strict):
    """A role that a service makes for itself.

    Attributes:
        needed_by: the resource type whose first use makes it.
        before: why it should be there before the first deployment; None where it need not.
    """

    name: Annotated[str, Field(pattern=r"^AWSServiceRoleFor\w+$")]
    service: Annotated[str, Field(pattern=r"^[a-z0-9.-]+\.amazonaws\.com$")]
    needed_by: Annotated[str, Field(pattern=r"^AWS::\w+::\w+$")]
    before: str | None = None
    source: str


class ServiceRoles(Strict):
    """The whole file."""

    role: Annotated[tuple[ServiceRole, ...], Field(strict=False, min_length=1)]


DATA: Final = Path(__file__).resolve().parents[1] / "data" / "service_linked_roles.toml"
_ACTION: Final = "iam:CreateServiceLinkedRole"


def service_linked_roles(before: Before) -> Iterator[Result]:
    """Looks for each role that a type of the templates needs."""
    types = set(before.needs.types())
    for role in read_roles():
        if role.needed_by in types:
            yield _role(before, role)


def read_roles(path: Path = DATA) -> tuple[ServiceRole, ...]:
    """Returns the roles; raises as `read_checked`."""
    return read_checked(path, ServiceRoles, distinct={"role": ("name",)}).role


def _role(before: Before, role: ServiceRole) -> Result:
    subject, command = role.name, f"aws iam create-service-linked-role --aws-service-name {role.service}"
    if before.account.ask("iam:GetRole", absent=("NoSuchEntity",), RoleName=role.name) is not None:
        return right(subject, "It is there.")
    if role.before:
        return wrong(subject, f"It is not there yet, and {role.before}.", command)
    deployer = before.needs.bootstrap.deployment_role
    arn = f"arn:aws:iam::{before.needs.account}:role/aws-service-role/{role.service}/{role.name}"
    answers = before.account.pages(
        "iam:SimulatePrincipalPolicy",
        "EvaluationResults",
        absent=("NoSuchEntity",),
        PolicySourceArn=f"arn:aws:iam::{before.needs.account}:role/{deployer}",
        ActionNames=[_ACTION],
        ResourceArns=[arn],
        ContextEntries=[
            {
                "ContextKeyName": "iam:AWSServiceName",
                "ContextKeyValues": [role.service],
                "ContextKeyType": "string",
            }
        ],
    )
    if not answers:
        return unknown(subject, f"It is not there yet, and neither is {deployer}, which would make it.", command)
    if all(answer["EvalDecision"] == "allowed" for answer in answers):
        return right(subject, f"Not there yet; {deployer} may have it made.")
    return wrong(subject, f"It is not there yet, and {deployer} may not have it made.", command)
