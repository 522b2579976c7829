"""`python -m ringfence.hosts connect` for a person, `python -m ringfence.hosts managed` for whoever manages their
computers."""

from __future__ import annotations

import argparse
import difflib
import json
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import boto3
import httpx
from botocore.exceptions import BotoCoreError, ClientError

from ringfence.catalogue.catalogue import Catalogue, load_catalogue
from ringfence.catalogue.models import host_environment, permission_set
from ringfence.department.department import Department, load_department
from ringfence.hosts.connection import REHEARSAL, Connection, described, of_deployment, of_rehearsal, read_outputs
from ringfence.hosts.entries import entry
from ringfence.hosts.managed import managed_files
from ringfence.hosts.pages import page
from ringfence.hosts.programs import programs
from ringfence.reading.problems import Problem, ProblemsFound, shown
from ringfence.reading.region import REGION

ROOT = Path(__file__).resolve().parents[2]
EXIT_CANNOT = 2
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]+")
_EXIT_CODES = "exit codes: 0 printed or written; 2 something is missing or wrong (the message names the remedy)."


def main(arguments: list[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except ProblemsFound as found:
        print(found, file=sys.stderr)
        return EXIT_CANNOT
    return 0


def _connect(options: argparse.Namespace) -> None:
    connection = _connection(options)
    _known_host(options.host, connection.clients)
    _known("PERSONA", options.persona, connection.gateways)
    if options.token:
        print(_token(connection, options))
        return
    found = entry(connection, options.host, options.persona)
    text = _json(found.settings)
    if options.write:
        path = options.folder / connection.department / f"{options.host}-{options.persona}.json"
        _write(path, text)
        print(f"{path}: belongs into {found.file}")
    else:
        print(f"Into {found.file}:", file=sys.stderr)
        print(text, end="")
    if found.command:
        print(f"Or, on a command line:\n{found.command}", file=sys.stderr)


def _managed(options: argparse.Namespace) -> None:
    catalogue = load_catalogue(ROOT / "catalogue")
    kinds = catalogue.hosts
    connection = _connection(options)
    models = _department(options, catalogue).models if options.department else None
    if models:
        path = options.folder / connection.department / "models" / "permission-set.json"
        _write(path, _json(permission_set(connection.department, models)))
        print(f"{path}: properties of AWS::SSO::PermissionSet, for IAM Identity Center; docs/hosts.md has the commands")
    for host, client in connection.clients.items():
        files = managed_files(connection, host, host_environment(models) if models else None)
        for name, settings in files.items():
            path = options.folder / connection.department / host / name
            _write(path, _json(settings))
            print(f"{path}: belongs into {kinds[client.kind].managed[name]}")
        if not files:
            print(f"{host}: a host of the kind {client.kind} has no files that somebody else could manage")


def _describe(options: argparse.Namespace) -> None:
    catalogue = load_catalogue(ROOT / "catalogue")
    options.page.write_text(page(catalogue.hosts, catalogue.refused_hosts, programs()), encoding="utf-8")


def _connection(options: argparse.Namespace) -> Connection:
    catalogue = load_catalogue(ROOT / "catalogue")
    if not options.department:
        return of_rehearsal(options.rehearsal, kinds=catalogue.hosts)
    department = _department(options, catalogue)
    return of_deployment(department, read_outputs(options.outputs) if options.outputs else _asked(department))


def _department(options: argparse.Namespace, catalogue: Catalogue) -> Department:
    return load_department(options.department, catalogue=catalogue, root=options.departments)


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


def _token(connection: Connection, options: argparse.Namespace) -> str:
    """Returns an access token from a rehearsal that gives any to scripts."""
    remedy = "Serve with `make rehearse KEEP=1 ARGS=--token`; a deployment gives tokens to people alone."
    if options.department:
        raise ProblemsFound(
            "token", [Problem("DEPARTMENT", shown(options.department), "This is a deployment.", remedy)]
        )
    address = connection.authorization_endpoint.removesuffix("/oauth2/authorize")
    try:
        answer = httpx.get(f"{address}/sign-in/{options.persona}", timeout=10).raise_for_status()
    except httpx.HTTPStatusError:
        message = "The rehearsal that serves gives no token to scripts."
        raise ProblemsFound("token", [Problem("PERSONA", shown(options.persona), message, remedy)]) from None
    except httpx.HTTPError:
        message = f"Nothing answers at {address}: the rehearsal serves no more."
        raise ProblemsFound("token", [Problem("PERSONA", shown(options.persona), message, remedy)]) from None
    if not _TOKEN.fullmatch(answer.text.strip()):
        message = "What answers gives no token: it is no rehearsal of ours."
        raise ProblemsFound("token", [Problem("PERSONA", shown(options.persona), message, remedy)])
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
    names = list(known)
    if name in names:
        return
    near = difflib.get_close_matches(name, names, n=1)
    remedy = f"Did you mean `{near[0]}`?" if near else f"Choose one of: {', '.join(names)}."
    raise ProblemsFound("connect", [Problem(field, shown(name), "The department has none of this name.", remedy)])


def _json(settings: Mapping[str, Any]) -> str:
    return json.dumps(settings, indent=2) + "\n"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hosts", description=__doc__, epilog=_EXIT_CODES, allow_abbrev=False)
    commands = parser.add_subparsers(required=True)
    connect = commands.add_parser("connect", help="what a person puts into a host", allow_abbrev=False)
    connect.add_argument("--host", required=True, help="name of a host of the department")
    connect.add_argument("--persona", required=True, help="name of a persona of the department")
    connect.add_argument("--write", action="store_true", help="write it below build/hosts/ instead of printing it")
    connect.add_argument("--token", action="store_true", help="print an access token for scripts, in a rehearsal")
    connect.set_defaults(run=_connect)
    managed = commands.add_parser("managed", help="the centrally managed files of each host", allow_abbrev=False)
    managed.set_defaults(run=_managed)
    for each in (connect, managed):
        each.add_argument("--department", default="", help="of a deployment; without it, the rehearsal that serves")
        each.add_argument("--outputs", type=Path, help="a file of the stacks' outputs; without it the account is asked")
        each.add_argument("--rehearsal", type=Path, default=ROOT / REHEARSAL, help=argparse.SUPPRESS)
        each.add_argument("--departments", type=Path, default=ROOT / "departments", help=argparse.SUPPRESS)
        each.add_argument("--folder", type=Path, default=Path("build/hosts"), help=argparse.SUPPRESS)
    describe = commands.add_parser("describe", help="write docs/hosts.md from the catalogue", allow_abbrev=False)
    describe.add_argument("--page", type=Path, default=ROOT / "docs" / "hosts.md", help=argparse.SUPPRESS)
    describe.set_defaults(run=_describe)
    return parser


if __name__ == "__main__":
    sys.exit(main())
