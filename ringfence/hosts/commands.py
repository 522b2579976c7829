"""What MCP hosts are told: `connect` for a person, `manage` for whoever manages their computers."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import httpx
from botocore.exceptions import BotoCoreError, ClientError

from ringfence.catalogue.catalogue import load_catalogue
from ringfence.catalogue.models import host_environment, permission_set
from ringfence.department.department import Department, load_department
from ringfence.hosts.connection import REHEARSAL, Connection, described, of_deployment, of_rehearsal, read_outputs
from ringfence.hosts.entries import entry
from ringfence.hosts.managed import managed_files
from ringfence.hosts.pages import page
from ringfence.hosts.programs import programs
from ringfence.reading.chosen_file import check_names
from ringfence.reading.problems import Problem, ProblemsFound, shown
from ringfence.reading.region import REGION

ROOT = Path(__file__).resolve().parents[2]
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]+")


@dataclass(frozen=True)
class Deployment:
    """What a host is to connect to.

    Attributes:
        department: Of a deployment; the rehearsal that serves where none is named.
        outputs: A file of the stacks' outputs; without it the account is asked.
        rehearsal: The file that a rehearsal writes while it serves, where it is not the usual one.
        departments: Where the departments' files are, where that is not the usual folder.
    """

    department: str = ""
    outputs: Path | None = None
    rehearsal: Path | None = None
    departments: Path | None = None

    def connection(self) -> Connection:
        """Returns what its hosts are told.

        Raises:
            ProblemsFound: there is none, or it is not sound.
        """
        if not self.department:
            return of_rehearsal(self.rehearsal or ROOT / REHEARSAL, kinds=load_catalogue(ROOT / "catalogue").hosts)
        department = self.file()
        return of_deployment(department, read_outputs(self.outputs) if self.outputs else _asked(department))

    def file(self) -> Department:
        """Returns the department, from its file."""
        return load_department(
            self.department, catalogue=load_catalogue(ROOT / "catalogue"), root=self.departments or ROOT / "departments"
        )


def connect(deployment: Deployment, host: str, persona: str, *, folder: Path | None, token: bool) -> None:
    """Prints or writes what a person puts into a host.

    Args:
        folder: Where it is written; it is printed where there is none.
        token: Whether an access token for scripts is printed instead, which a rehearsal alone gives.

    Raises:
        ProblemsFound: something is missing or wrong; each names the remedy.
    """
    connection = deployment.connection()
    _known_host(host, connection.clients)
    _known("PERSONA", persona, connection.gateways)
    if token:
        print(_token(connection, deployment.department, persona))
        return
    found = entry(connection, host, persona)
    text = _json(found.settings)
    if folder:
        path = folder / connection.department / f"{host}-{persona}.json"
        _write(path, text)
        print(f"{path}: belongs into {found.file}")
    else:
        print(f"Into {found.file}:", file=sys.stderr)
        print(text, end="")
    if found.command:
        print(f"Or, on a command line:\n{found.command}", file=sys.stderr)


def manage(deployment: Deployment, *, folder: Path) -> None:
    """Writes the centrally managed files of each host of a deployment.

    Raises:
        ProblemsFound: something is missing or wrong; each names the remedy.
    """
    kinds = load_catalogue(ROOT / "catalogue").hosts
    connection = deployment.connection()
    models = deployment.file().models if deployment.department else None
    if models:
        path = folder / connection.department / "models" / "permission-set.json"
        _write(path, _json(permission_set(connection.department, models)))
        print(f"{path}: properties of AWS::SSO::PermissionSet, for IAM Identity Center; docs/hosts.md has the commands")
    for host, client in connection.clients.items():
        files = managed_files(connection, host, host_environment(models) if models else None)
        for name, settings in files.items():
            path = folder / connection.department / host / name
            _write(path, _json(settings))
            print(f"{path}: belongs into {kinds[client.kind].managed[name]}")
        if not files:
            print(f"{host}: a host of the kind {client.kind} has no files that somebody else could manage")


def write_page(file: Path) -> None:
    """Writes docs/hosts.md from the catalogue."""
    catalogue = load_catalogue(ROOT / "catalogue")
    file.write_text(page(catalogue.hosts, catalogue.refused_hosts, programs()), encoding="utf-8")


def _asked(department: Department) -> dict[str, dict[str, str]]:
    """Returns the outputs that the account of the credentials has."""
    try:
        client = boto3.client("cloudformation", region_name=REGION)
        names = [f"ringfence-{department.name}-{each}" for each in ("identity", *department.personas)]
        return described([client.describe_stacks(StackName=name)["Stacks"][0] for name in names])
    except (BotoCoreError, ClientError) as error:
        remedy = "Name a file of outputs instead: OUTPUTS=outputs.json; or see `make preflight`."
        message = f"The account could not be asked: {str(error).rstrip('.')}."
        raise ProblemsFound("outputs", [Problem("credentials", "(asked)", message, remedy)]) from None


def _token(connection: Connection, department: str, persona: str) -> str:
    """Returns an access token from a rehearsal that gives any to scripts."""
    remedy = "Serve with `make rehearse KEEP=1 ARGS=--token`; a deployment gives tokens to people alone."
    if department:
        raise ProblemsFound("token", [Problem("DEPARTMENT", shown(department), "This is a deployment.", remedy)])
    address = connection.authorization_endpoint.removesuffix("/oauth2/authorize")
    try:
        answer = httpx.get(f"{address}/sign-in/{persona}", timeout=10, trust_env=False).raise_for_status()
    except httpx.HTTPStatusError:
        message = "The rehearsal that serves gives no token to scripts."
        raise ProblemsFound("token", [Problem("PERSONA", shown(persona), message, remedy)]) from None
    except httpx.HTTPError:
        message = f"Nothing answers at {address}: the rehearsal serves no more."
        raise ProblemsFound("token", [Problem("PERSONA", shown(persona), message, remedy)]) from None
    if not _TOKEN.fullmatch(answer.text.strip()):
        message = "What answers gives no token: it is no rehearsal of ours."
        raise ProblemsFound("token", [Problem("PERSONA", shown(persona), message, remedy)])
    return answer.text.strip()


def _known_host(name: str, clients: Iterable[str]) -> None:
    """Refuses a host that the department has not; says why nobody can have it, or how to have it."""
    names = list(clients)
    if name in names:
        return
    catalogue = load_catalogue(ROOT / "catalogue")
    there = ", ".join(names)
    if name in catalogue.refused_hosts:
        because = catalogue.refused_hosts[name].because
        raise ProblemsFound("connect", [Problem("HOST", shown(name), because, f"Choose one of: {there}.")])
    if name in catalogue.hosts:
        remedy = f'Add `[[hosts]]` with `kind = "{name}"` to its file, or choose one of: {there}.'
        raise ProblemsFound("connect", [Problem("HOST", shown(name), "The department has no such host.", remedy)])
    _known("HOST", name, names)


def _known(field: str, name: str, known: Iterable[str]) -> None:
    check_names("connect", field, [name], known=known, whose="The department")


def _json(settings: Mapping[str, Any]) -> str:
    return json.dumps(settings, indent=2) + "\n"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
