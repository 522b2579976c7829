"""What there is to connect to: a rehearsal that serves, or a deployment by its stacks' outputs."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ringfence.catalogue.hosts import CUSTOM
from ringfence.department.department import Department
from ringfence.reading.placeholder_checks import is_example
from ringfence.reading.problems import ABSENT, Problem, ProblemsFound, shown

REHEARSAL: Final = Path("build/rehearsal/connect.json")
"""What a rehearsal writes while it serves."""

_NAME: Final = re.compile(r"[a-z](?:-?[a-z0-9]){1,40}")
_PLAIN: Final = re.compile(r"[A-Za-z0-9._~:/?#=@%+\[\] -]+")
"""Of addresses, scopes and ids: nothing that moves a cursor, ends a quotation or begins another command."""
_STACK: Final = re.compile(rf"ringfence-({_NAME.pattern})-(?:audit|network|identity)")
_START: Final = "Start one in another terminal: `make rehearse KEEP=1`; or name a deployment with DEPARTMENT=<name>."


@dataclass(frozen=True)
class Gateway:
    """Where one persona works.

    Attributes:
        scope: What is asked for at sign-in, with `openid`.
        name: What hosts call it, such as `rf-aud`.
    """

    url: str
    scope: str
    name: str


@dataclass(frozen=True)
class Client:
    """What one host is at the sign-in.

    Attributes:
        kind: Of `catalogue/hosts.toml`, or `custom`.
        client_id: There is no secret.
        callback_urls: Where it receives the code.
    """

    kind: str
    client_id: str
    callback_urls: tuple[str, ...]


@dataclass(frozen=True)
class Connection:
    """Everything that hosts ask for.

    Attributes:
        metadata_url: The sign-in's own description, where hosts can be given it: an https address.
        gateways: By persona, in the department's order.
    """

    department: str
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    metadata_url: str | None
    gateways: Mapping[str, Gateway]
    clients: Mapping[str, Client]

    def __post_init__(self) -> None:
        """Refuses words that a terminal or a shell would read as its own: they are printed, and pasted from there."""
        servers = [gateway.name for gateway in self.gateways.values()]
        if strange := [name for name in servers if name and not _NAME.fullmatch(name)]:
            raise ValueError(f"{shown(strange[0])} is no name")
        if strange := [word for word in self._words() if word and not _PLAIN.fullmatch(word)]:
            raise ValueError(f"{shown(strange[0])} is no address, scope or id")

    def _words(self) -> Iterator[str | None]:
        yield from (self.issuer, self.authorization_endpoint, self.token_endpoint, self.metadata_url)
        for gateway in self.gateways.values():
            yield from (gateway.url, gateway.scope)
        for client in self.clients.values():
            yield from (client.client_id, *client.callback_urls)

    @property
    def names(self) -> dict[str, str]:
        """What hosts call each persona's server."""
        return {persona: gateway.name for persona, gateway in self.gateways.items()}


def of_rehearsal(path: Path = REHEARSAL, *, kinds: Collection[str]) -> Connection:
    """Returns what the serving rehearsal has written.

    Args:
        kinds: The kinds of host that there are, `custom` aside.

    Raises:
        ProblemsFound: none serves, or the file is not what a rehearsal writes.
    """
    if not path.is_file():
        raise ProblemsFound("rehearsal", [Problem(str(path), ABSENT, "No rehearsal is serving.", _START)])
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        _check_words(found, kinds)
        return Connection(
            department=found["department"],
            issuer=found["issuer"],
            authorization_endpoint=found["authorization_endpoint"],
            token_endpoint=found["token_endpoint"],
            metadata_url=None,  # hosts take https addresses only (Claude Code's documentation, read 29 November 2026)
            gateways={
                persona: Gateway(each["url"], each["scope"], each["name"])
                for persona, each in found["gateways"].items()
            },
            clients={
                name: Client(each["kind"], each["client_id"], tuple(each["callback_urls"]))
                for name, each in found["clients"].items()
            },
        )
    except (ValueError, KeyError, TypeError) as error:
        message = f"This is not what a rehearsal writes ({type(error).__name__}: {error})."
        raise ProblemsFound("rehearsal", [Problem(str(path), "(unreadable)", message, "Start it anew.")]) from None


def _check_words(found: Mapping[str, Any], kinds: Collection[str]) -> None:
    """Raises a ValueError for a name that could not be a file's below ours, or a kind of which nothing is known."""
    for name in (found["department"], *found["gateways"], *found["clients"]):
        if not _NAME.fullmatch(name):
            raise ValueError(f"{shown(name)} is no name")
    for name, each in found["clients"].items():
        if each["kind"] not in (*kinds, CUSTOM):
            raise ValueError(f"{name} is of the kind {shown(each['kind'])}, which catalogue/hosts.toml does not have")


def of_deployment(department: Department, outputs: Mapping[str, Mapping[str, str]]) -> Connection:
    """Returns what a deployment's stacks tell.

    Args:
        department: The department's file: its personas and hosts.
        outputs: By stack and key.

    Raises:
        ProblemsFound: the outputs are another department's, or some are missing: all at once.
    """
    missing = list(_of_others(department.name, outputs))
    if missing:
        raise ProblemsFound(f"outputs of {department.name}", missing)

    def told(stack: str, key: str) -> str:
        name = f"ringfence-{department.name}-{stack}"
        value = outputs.get(name, {}).get(key)
        if value is None:
            known = "The stack has no such output." if name in outputs else "There is no such stack."
            remedy = f"Deploy it: `make deploy DEPARTMENT={department.name}`."
            if is_example(department.name):
                remedy = "An example is never deployed: name your own department, DEPARTMENT=<name>."
            missing.append(Problem(f"{name}.{key}", ABSENT, known, remedy))
        return value or ""

    try:
        connection = Connection(
            department=department.name,
            issuer=told("identity", "SignInIssuer"),
            authorization_endpoint=told("identity", "AuthorizationEndpoint"),
            token_endpoint=told("identity", "TokenEndpoint"),
            metadata_url=told("identity", "SignInMetadataUrl"),
            gateways={
                each: Gateway(told(each, "GatewayUrl"), told(each, "Scope"), told(each, "ServerName"))
                for each in department.personas
            },
            clients={
                host.name: Client(host.kind, told("identity", f"{_word(host.name)}ClientId"), tuple(host.callback_urls))
                for host in department.hosts
            },
        )
    except (ValueError, TypeError) as error:
        message = f"This is not what the stacks tell ({error})."
        missing.append(Problem("OUTPUTS", "(as read)", message, "Take them from CloudFormation anew."))
        raise ProblemsFound(f"outputs of {department.name}", missing) from None
    if missing:
        raise ProblemsFound(f"outputs of {department.name}", missing)
    return connection


def _of_others(name: str, outputs: Iterable[str]) -> Iterator[Problem]:
    """Yields a problem where the stacks are those of other departments alone."""
    owners = sorted({found[1] for found in map(_STACK.fullmatch, outputs) if found})
    if owners and name not in owners:
        theirs = " and ".join(owners)
        message = f"These are the outputs of {theirs}, and not of {name}."
        remedy = f"Name their department, DEPARTMENT={owners[0]}, or give the outputs of {name}'s own stacks."
        yield Problem("OUTPUTS", shown(theirs), message, remedy)


def read_outputs(path: Path) -> dict[str, dict[str, str]]:
    """Returns outputs by stack and key, from what `describe-stacks` or `cdk deploy --outputs-file` wrote.

    Raises:
        ProblemsFound: the file is missing, or is neither.
    """
    remedy = "Write one: `aws cloudformation describe-stacks --region eu-west-2 > outputs.json`."
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        problem = Problem(str(path), ABSENT, f"It cannot be read ({type(error).__name__}).", remedy)
        raise ProblemsFound("outputs", [problem]) from None
    try:
        return described(found["Stacks"]) if "Stacks" in found else {name: dict(each) for name, each in found.items()}
    except (TypeError, KeyError, ValueError, AttributeError):
        problem = Problem(str(path), "(unreadable)", "It holds no stacks' outputs.", remedy)
        raise ProblemsFound("outputs", [problem]) from None


def described(stacks: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """Returns outputs by stack and key, of stacks as CloudFormation describes them."""
    return {
        stack["StackName"]: {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}
        for stack in stacks
    }


def _word(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("-"))
