"""A department: the one file that says where, for whom and for what Ringfence is deployed."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from ringfence.catalogue import models
from ringfence.catalogue.catalogue import Catalogue
from ringfence.catalogue.files.words import LOG_GROUPS_OF
from ringfence.catalogue.hosts import CUSTOM
from ringfence.catalogue.models import Models
from ringfence.catalogue.servers import Operation, Tool
from ringfence.department import audit, choice_checks, department_checks, host_checks
from ringfence.department.audit import Audit
from ringfence.department.identity import PROVIDERS, AnyIdentity, Identity, of_another_provider
from ringfence.reading import placeholder_checks
from ringfence.reading.bootstrap import DepartmentBootstrap
from ringfence.reading.chosen_file import named_file
from ringfence.reading.documents import Strict, as_model, read_toml
from ringfence.reading.problems import Problem, ProblemsFound, shown
from ringfence.reading.region import REGION
from ringfence.reading.values import (
    Account,
    CallbackUrl,
    CallerNetwork,
    Contact,
    HostName,
    LogGroups,
    Name,
    Network,
    PrefixList,
    Reason,
    RoleName,
    VpcNetwork,
    Zone,
)

_SUBNET_BITS = 2
"""The network is cut into four equal parts, so that a third zone later does not renumber the first two."""


class PrivateNetwork(Strict):
    """The VPC's addresses.

    Attributes:
        cidr: The VPC's network, private, /20 to /24.
        s3_prefix_list: Id of AWS's prefix list for S3 in eu-west-2, which is the only way out to code zips.
        existing_networks: Networks in use elsewhere that this one must not overlap.
    """

    cidr: VpcNetwork
    s3_prefix_list: PrefixList
    existing_networks: Annotated[tuple[Network, ...], Field(strict=False)] = ()


class Ingress(Strict):
    """Whose calls the gateway admits.

    Attributes:
        rate_per_minute: Requests per minute and source address before ingress refuses.
    """

    allowed_networks: Annotated[tuple[CallerNetwork, ...], Field(strict=False, min_length=1)]
    rate_per_minute: Annotated[int, Field(ge=10, le=20_000)] = 300


class Answers(Strict):
    """What a tool may answer.

    Attributes:
        most_bytes: Bytes of an answer beyond which it is cut. Some 25,000 tokens, which Claude Code takes by itself
            (decision 48).
    """

    most_bytes: Annotated[int, Field(ge=20_000, le=1_048_576)] = 100_000


class Functions(Strict):
    """The department's Lambda functions.

    Attributes:
        reserved_concurrency: Executions reserved for, and allowed to, each function; 0 reserves none.
    """

    reserved_concurrency: Annotated[int, Field(ge=0, le=500)] = 0


class Host(Strict):
    """An MCP host that staff use, such as an editor or a desktop assistant; it becomes a public PKCE client.

    Attributes:
        kind: Of `catalogue/hosts.toml`, or `custom`.
        name: Short name, unique in the department; the kind's, where the file gives none.
        callback_urls: Where the host receives the sign-in code; the kind's, unless it is `custom`.
    """

    kind: str = ""  # where it is absent, host_checks tells which there are
    name: HostName = ""
    callback_urls: Annotated[tuple[CallbackUrl, ...], Field(strict=False, min_length=1)] = ()

    def completed(self, catalogue: Catalogue) -> Host:
        """Returns the host with what its kind says of it."""
        if self.kind == CUSTOM:
            return self
        callbacks = catalogue.hosts[self.kind].callback_urls
        return self.model_copy(update={"name": self.name or self.kind, "callback_urls": callbacks})


class Security(Strict):
    """Who may switch a persona off, without being able to do anything else.

    Attributes:
        roles: Names of IAM roles of the account, each with its path, whose sessions may take the role
            `ringfence-<department>-switch-off`.
    """

    roles: Annotated[tuple[RoleName, ...], Field(strict=False, min_length=1)]


class Enable(Strict):
    """An optional server that one persona gets."""

    persona: str
    server: str
    reason: Reason


class Sensitive(Strict):
    """A sensitive tool (`server.tool`) or operation (`server.tool.operation`) that one persona gets."""

    persona: str
    tool: str
    reason: Reason


class Department(Strict):
    """One department, as its file describes it. Make one with `load_department`, which also checks it as a whole.

    Attributes:
        contact: Whom refused callers may ask, as they read it behind the word "Ask".
    """

    name: Name
    account: Account
    environment: Literal["production", "sandbox"]
    contact: Contact | None = None
    availability_zones: Annotated[tuple[Zone, ...], Field(strict=False)]
    personas: Annotated[tuple[str, ...], Field(strict=False)]
    retired: Annotated[tuple[str, ...], Field(strict=False)] = ()
    txn_token_keys: dict[str, Annotated[int, Field(ge=1, le=999)]] = Field(default_factory=dict)
    network: PrivateNetwork
    identity: Identity
    ingress: Ingress
    # Each has outputs of its own, and a stack has 200 at most.
    hosts: Annotated[tuple[Host, ...], Field(strict=False, min_length=1, max_length=20)]
    security: Security | None = None
    audit: Audit = Audit()
    models: Models | None = None
    functions: Functions = Functions()
    answers: Answers = Answers()
    bootstrap: DepartmentBootstrap = DepartmentBootstrap()
    enable: Annotated[tuple[Enable, ...], Field(strict=False)] = ()
    sensitive: Annotated[tuple[Sensitive, ...], Field(strict=False)] = ()
    log_groups: dict[str, Annotated[tuple[LogGroups, ...], Field(strict=False, min_length=1, max_length=8)]] = Field(
        default_factory=dict
    )

    @property
    def region(self) -> str:
        """The region, which no department can choose."""
        return REGION

    @property
    def is_example(self) -> bool:
        """Whether its name says that it is an example: it is synthesised and tested, and never deployed."""
        return placeholder_checks.is_example(self.name)

    @property
    def asset_bucket(self) -> str:
        """The bootstrap bucket that holds the code zips."""
        return self.bootstrap.asset_bucket(self.account)

    @property
    def subnet_cidrs(self) -> tuple[str, ...]:
        """One subnet for each zone, in the zones' order, cut from the network's four equal parts."""
        parts = ipaddress.IPv4Network(self.network.cidr).subnets(prefixlen_diff=_SUBNET_BITS)
        return tuple(str(part) for part, _ in zip(parts, self.availability_zones, strict=False))

    @property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """The department's group names for each persona; without a provider a persona is its own group."""
        return {persona: self.identity.groups.get(persona, (persona,)) for persona in self.personas}

    def enabled(self, persona: str) -> dict[str, str]:
        """Returns the optional servers that a persona gets, each with the department's reason."""
        return {choice.server: choice.reason for choice in self.enable if choice.persona == persona}

    def named(self, persona: str) -> dict[str, str]:
        """Returns the sensitive tools and operations that a persona gets, each with the department's reason."""
        return {choice.tool: choice.reason for choice in self.sensitive if choice.persona == persona}

    def queried(self, persona: str) -> tuple[str, ...]:
        """Returns the patterns of log groups that a persona may query; the boundary denies those that nobody reads."""
        return self.log_groups.get(persona, ("*",))

    def sensitive_reasons(self, persona: str, server: str) -> dict[str, str]:
        """Returns the reasons of a persona's sensitive tools on one server, by `tool` or `tool.operation`."""
        named = self.named(persona).items()
        return {place.removeprefix(f"{server}."): why for place, why in named if place.startswith(f"{server}.")}


def load_department(name: str, *, catalogue: Catalogue, root: Path = Path("departments")) -> Department:
    """Returns the department that `<root>/<name>.toml` describes.

    Args:
        name: The department's name, which is also its file's name; the file's path means the same.

    Raises:
        ProblemsFound: everything that is wrong with the file, at once.
    """
    path = named_file("department", name, root)
    department, problems = judged(read_toml(path), file_name=path.stem, catalogue=catalogue, root=root)
    if problems or department is None:
        raise ProblemsFound(str(path), problems)
    return department.model_copy(update={"hosts": tuple(host.completed(catalogue) for host in department.hosts)})


def judged(
    data: dict[str, Any], *, file_name: str, catalogue: Catalogue, root: Path
) -> tuple[Department | None, list[Problem]]:
    """Returns the department that a parsed file describes, and everything that is wrong with it, in reading order.

    Args:
        file_name: The name it has, or is to have, without `.toml`.
    """
    department, found = as_model(data, Department)
    problems = [problem for problem in found if not problem.field.startswith("identity.")]
    problems += _identity_problems(data.get("identity"))
    problems += department_checks.problems(data, file_name=file_name, personas=tuple(catalogue.personas))
    problems += choice_checks.problems(data, catalogue=catalogue)
    problems += host_checks.problems(data, kinds=catalogue.hosts, refused=catalogue.refused_hosts)
    problems += [*audit.problems(data), *models.problems(data, models.known_models())]
    others = others_beside(file_name, root)
    problems += placeholder_checks.problems(data, file_name=file_name, others=others)
    problems += department_checks.clashes(data, others)
    if department is not None and not problems:
        problems += [*_empty_handed(department, catalogue), *_unqueried(department, catalogue)]
    return department, sorted(problems, key=_reading_order)


def others_beside(name: str, root: Path) -> dict[str, dict[str, Any]]:
    """Returns the department files beside this one, by name. One that cannot be read is told when it is its turn."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(root.glob("*.toml")):
        try:
            found[path.stem] = read_toml(path)
        except ProblemsFound:
            continue
    return {other: data for other, data in found.items() if other != name}


def _empty_handed(department: Department, catalogue: Catalogue) -> Iterable[Problem]:
    """Yields the personas that would get a gateway without a single tool."""
    for index, persona in enumerate(department.personas):
        if not catalogue.granted(persona, department):
            message = f"In a {department.environment} department this persona holds no tool."
            remedy = "Remove it, or enable a server for it under [[enable]]."
            yield Problem(f"personas[{index}]", shown(persona), message, remedy)


def _unqueried(department: Department, catalogue: Catalogue) -> Iterable[Problem]:
    """Yields log groups that are chosen for a persona none of whose tools reads one."""
    for persona in department.log_groups:
        # The catalogue's own words: what `granted` returns says which groups, and no longer that they were chosen.
        subjects: list[Tool | Operation] = []
        for server, held in catalogue.granted(persona, department):
            tool = server.tools[held.name]
            subjects += [tool.operations[name] for name in held.operations] or [tool]
        grants = [grant for subject in subjects for grant in subject.grants]
        if not any(LOG_GROUPS_OF.search(resource) for grant in grants for resource in grant.resources):
            message = "None of this persona's tools here reads a log group, so this has no effect."
            remedy = "Remove it, or name such a tool under [[sensitive]]."
            yield Problem(f"log_groups.{persona}", shown(department.log_groups[persona]), message, remedy)


def _reading_order(problem: Problem) -> int:
    """Returns the place of a problem's part of the file, so that problems come in the order of the examples."""
    part = re.split(r"[.\[]", problem.field)[0]
    known = list(Department.model_fields)
    return known.index(part) if part in known else len(known)


def _identity_problems(identity: object) -> Iterable[Problem]:
    """Yields the problems of the identity part, read by the model of its own provider.

    Read with the whole, pydantic puts the provider's name into the places it reports, and stops at an unknown provider.
    """
    if isinstance(identity, dict):
        model = PROVIDERS.get(str(identity.get("provider")), AnyIdentity)
        _, found = as_model(identity, model, prefix="identity", whole=Department)
        yield from of_another_provider(identity, found)
