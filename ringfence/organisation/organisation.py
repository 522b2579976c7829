"""An organisation: whose accounts the departments live in, and where the guardrails hang."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from ringfence.catalogue.catalogue import Catalogue
from ringfence.department.residency import DeclaredException
from ringfence.reading.bootstrap import DEFAULT_QUALIFIER, Bootstrap
from ringfence.reading.chosen_file import named_file
from ringfence.reading.documents import Strict, as_model, each_once, fault, read_toml
from ringfence.reading.placeholder_checks import is_example
from ringfence.reading.problems import Problem, ProblemsFound, shown
from ringfence.reading.region import REGION
from ringfence.reading.values import Account

_MOST_TARGETS = 100


def _shaped(pattern: str, message: str, remedy: str) -> AfterValidator:
    def check(text: str) -> str:
        if re.fullmatch(pattern, text) is None:
            raise fault(message, remedy)
        return text

    return AfterValidator(check)


OrganisationId = Annotated[
    str,
    _shaped(r"o-[a-z0-9]{10,32}", "This is not the id of an organisation.", "It looks like `o-exampleorg1`."),
]
Target = Annotated[
    str,
    _shaped(
        r"r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}",
        "Guardrails hang on the root or on an organisational unit.",
        "Write its id, such as `r-exam` or `ou-exam-ringfenc`.",
    ),
]
RoleName = Annotated[
    str,
    _shaped(
        r"(?:[\w+=,.@-]|\{account\}){1,90}",
        "This is not the name of a role; wildcards would exempt whoever chooses a fitting name.",
        "Write the exact name, with {account} where the account id stands.",
    ),
]
Region = Annotated[
    str,
    _shaped(r"[a-z]{2}(?:-[a-z]+)+-\d", "This is not the name of a region.", "Write it as in `us-east-1`."),
]
Prefix = Annotated[
    str,
    _shaped(r"[a-z0-9-]+", "This is not an IAM action prefix.", "Write the part before the colon, as in `support`."),
]
Reason = Annotated[
    str,
    _shaped(r"(?s).{20,}", "A reviewer needs the reason.", "Say in a sentence why there is no way round it."),
]


class Elsewhere(Strict):
    """Services that must be reachable outside eu-west-2.

    Attributes:
        prefixes: IAM action prefixes.
        region: The one region they answer in.
    """

    prefixes: Annotated[tuple[Prefix, ...], Field(strict=False, min_length=1), AfterValidator(each_once)]
    region: Region
    reason: Reason


class Organisation(Strict):
    """One organisation, as its file describes it. Make one with `load_organisation`.

    Attributes:
        name: Also the file's name.
        id: The organisation's id, which resource control policies compare callers with.
        management_account: Where the guardrails are deployed, and which they do not bind.
        targets: Root or organisational units.
        deployment_role: Role name that CloudFormation works as; `{account}` stands for its account.
        break_glass_role: Role name for emergencies.
        elsewhere: What must be reachable outside eu-west-2 besides what the catalogue declares.
        bootstrap: How the management account was bootstrapped.
    """

    name: str
    id: OrganisationId
    management_account: Account
    accounts: Annotated[tuple[Account, ...], Field(strict=False, min_length=1), AfterValidator(each_once)]
    targets: Annotated[
        tuple[Target, ...], Field(strict=False, min_length=1, max_length=_MOST_TARGETS), AfterValidator(each_once)
    ]
    deployment_role: RoleName
    break_glass_role: RoleName
    elsewhere: Annotated[tuple[Elsewhere, ...], Field(strict=False)] = ()
    bootstrap: Bootstrap = Bootstrap()

    @property
    def break_glass_arn(self) -> str:
        """The emergency role in the caller's own account, as a policy pattern."""
        return _in_own_account(self.break_glass_role)

    @property
    def deployment_arn(self) -> str:
        """The role that CloudFormation works as, in the caller's own account, as a policy pattern."""
        return _in_own_account(self.deployment_role)

    @property
    def exempt_arns(self) -> list[str]:
        """Both roles in the caller's own account, as policy patterns."""
        return [self.deployment_arn, self.break_glass_arn]


def _in_own_account(role: str) -> str:
    account = "${aws:PrincipalAccount}"
    return f"arn:aws:iam::{account}:role/{role.replace('{account}', account)}"


def load_organisation(
    name: str, *, root: Path = Path("organisations"), departments: Path = Path("departments")
) -> Organisation:
    """Returns the organisation that `<root>/<name>.toml` describes.

    Args:
        name: The organisation's name, which is also its file's name; the file's path means the same.
        departments: Folder of the department files, whose accounts must be in the organisation: those of the examples
            where the organisation is one, else those of the others.

    Raises:
        ProblemsFound: everything that is wrong with the file, at once.
    """
    path = named_file("organisation", name, root)
    name, data = path.stem, read_toml(path)
    organisation, problems = as_model(data, Organisation)
    problems += _whole_problems(data, file_name=name, departments=departments)
    if problems or organisation is None:
        raise ProblemsFound(str(path), problems)
    return organisation


def elsewhere(organisation: Organisation, catalogue: Catalogue) -> dict[str, tuple[str, ...]]:
    """Returns the IAM action prefixes that may be used outside eu-west-2, by the one region each answers in."""
    found: dict[str, set[str]] = {}
    for entry in organisation.elsewhere:
        found.setdefault(entry.region, set()).update(entry.prefixes)
    for server in catalogue.servers.values():
        for endpoint in server.endpoints:
            if endpoint.region != REGION:
                found.setdefault(endpoint.region, set()).update(endpoint.prefixes)
    return {region: tuple(sorted(prefixes)) for region, prefixes in sorted(found.items())}


def register(organisation: Organisation, catalogue: Catalogue) -> list[DeclaredException]:
    """Returns the organisation's exceptions to eu-west-2 as a residency register, for the house rules."""
    reasons = {entry.region: entry.reason for entry in organisation.elsewhere}
    return [
        DeclaredException(prefix, region, (f"{prefix}:*",), (), reasons.get(region, "An MCP server needs it."))
        for region, prefixes in elsewhere(organisation, catalogue).items()
        for prefix in prefixes
    ]


def _whole_problems(data: dict[str, Any], *, file_name: str, departments: Path) -> Iterable[Problem]:
    if "name" in data and data["name"] != file_name:
        yield Problem(
            "name", shown(data["name"]), "This is not the file's name.", f'Write `name = "{file_name}"` or rename it.'
        )
    listed = data.get("accounts")
    accounts: list[Any] = listed if isinstance(listed, list) else []
    if data.get("management_account") in accounts:
        yield Problem(
            "management_account",
            shown(data["management_account"]),
            "Guardrails do not bind the management account, so no department may live in it.",
            "Name the department's own account in `accounts`.",
        )
    for path in sorted(departments.glob("*.toml")):
        if is_example(path.stem) != is_example(file_name):
            continue  # an organisation that is an example holds the examples' accounts, every other one the others'
        department = read_toml(path)
        account = department.get("account")
        yield from _deployment_role(path.stem, department, data.get("deployment_role"))
        if account not in accounts:
            yield Problem(
                "accounts",
                shown(accounts),
                f"Department {path.stem} lives in {shown(account)}, which is not among them.",
                "Add the account, and see that it is below one of the targets.",
            )


def _deployment_role(name: str, department: dict[str, Any], role: object) -> Iterable[Problem]:
    """Yields a department whose deployments the guardrails would deny: CloudFormation works there as another role."""
    account, bootstrap = department.get("account"), department.get("bootstrap", {})
    qualifier = bootstrap.get("qualifier", DEFAULT_QUALIFIER) if isinstance(bootstrap, dict) else None
    if not (isinstance(account, str) and isinstance(qualifier, str) and isinstance(role, str)):
        return
    works_as = Bootstrap.model_construct(qualifier=qualifier).deployment_role(account)
    if role.replace("{account}", account) != works_as:
        yield Problem(
            "deployment_role",
            shown(role),
            f"Department {name} is deployed as {works_as}, which the guardrails would not let do its work.",
            "Write that name with {account} for the account, and one qualifier for all departments.",
        )
