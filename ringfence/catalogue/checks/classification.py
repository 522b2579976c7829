"""What must hold between a server's classification and its lock."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from callpath.digest import digest
from ringfence.catalogue import actions
from ringfence.catalogue.checks import operations
from ringfence.catalogue.checks.arguments import argument_problems
from ringfence.catalogue.checks.operations import REASON_REMEDY
from ringfence.catalogue.files.catalogue_files import RefusedServerFile, ServerFile
from ringfence.catalogue.files.tool_files import Grant, LockFile
from ringfence.catalogue.files.words import LOG_GROUPS, LOG_GROUPS_OF
from ringfence.catalogue.servers import Server
from ringfence.reading.problems import ABSENT, Problem, shown
from ringfence.reading.region import REGION, foreign_regions
from ringfence.reading.values import SHORTEST_REASON

_CHANGING: Final = (
    "Add",
    "Attach",
    "Create",
    "Delete",
    "Detach",
    "Modify",
    "PassRole",
    "Put",
    "Remove",
    "Set",
    "Tag",
    "Untag",
    "Update",
)
"""Beginnings of IAM action names that change something, so that a tool of level read cannot have them."""


def server_problems(folder: str, file: ServerFile, lock: LockFile) -> list[Problem]:
    """Returns what is wrong between `server.toml` and `tools.lock.json` of one server."""
    place = f"servers/{folder}/server.toml"
    return [
        *_identity(folder, file, lock, place),
        *_endpoints(file, place),
        *_start(file, place),
        *_locked_tools(folder, lock),
        *_classified_tools(file, lock, place),
        *_needs(file, place),
        *_passed_roles(file, place),
        *operations.operation_problems(file, lock, place),
        *argument_problems(file, lock, place),
    ]


def _identity(folder: str, file: ServerFile, lock: LockFile, place: str) -> Iterator[Problem]:
    if file.name != folder:
        yield Problem(f"{place}: name", shown(file.name), f"The folder is called {folder}.", "Make them equal.")
    for key in ("package", "version"):
        written, locked = getattr(file, key), getattr(lock, key)
        if written != locked:
            yield Problem(f"{place}: {key}", shown(written), f"The lock was made with {locked}.", "Run `make lock`.")
    if lock.server != file.name:
        yield Problem(f"{place}: name", shown(file.name), f"The lock is of {lock.server}.", "Run `make lock`.")


def _endpoints(file: ServerFile, place: str) -> Iterator[Problem]:
    carried: set[str] = set()
    for index, endpoint in enumerate(file.endpoints):
        field = f"{place}: endpoints[{index}]"
        if endpoint.region != REGION and not endpoint.reason.strip():
            yield Problem(
                f"{field}.region",
                shown(endpoint.region),
                f"This endpoint leaves {REGION} and gives no reason.",
                "Add a `reason`; it goes into the residency register.",
            )
        for prefix in endpoint.prefixes:
            if prefix in carried:
                yield Problem(f"{field}.prefixes", shown(prefix), "Two endpoints carry this prefix.", "Keep one.")
            carried.add(prefix)


def _start(file: ServerFile, place: str) -> Iterator[Problem]:
    settings = {f"environment.{name}": value for name, value in file.environment.items()}
    for key in ("flags", "write_flags", "sensitive_flags"):
        settings |= {f"{key}[{index}]": flag for index, flag in enumerate(getattr(file, key))}
    for field, text in settings.items():
        for region in foreign_regions(text):
            message = f"This would start the server in {region}."
            yield Problem(f"{place}: {field}", shown(text, field=field), message, f"Only {REGION} is allowed.")


def _locked_tools(folder: str, lock: LockFile) -> Iterator[Problem]:
    place = f"servers/{folder}/tools.lock.json"
    names = [tool.name for tool in lock.tools]
    if names != sorted(set(names)):
        yield Problem(place, f"{len(names)} tools", "The tools are not sorted and unique.", "Run `make lock`.")
    for tool in lock.tools:
        definition = tool.model_dump(exclude={"sha256"}, exclude_unset=True)
        if digest(definition) != tool.sha256:
            yield Problem(
                f"{place}: {tool.name}.sha256",
                shown(tool.sha256),
                "The digest is not the digest of this definition: the lock was edited.",
                "Restore the file, or run `make lock` and review the difference.",
            )
        for reference in _references(tool.inputSchema):
            if not reference.startswith("#/$defs/"):
                field, message = f"{place}: {tool.name}.inputSchema", "The schema refers to something outside itself."
                yield Problem(field, shown(reference), message, "This tool cannot be published; report it there.")


def _references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)


def _classified_tools(file: ServerFile, lock: LockFile, place: str) -> Iterator[Problem]:
    locked = [tool.name for tool in lock.tools]
    for name in file.tools:
        if name not in locked:
            near = difflib.get_close_matches(name, locked, n=1)
            remedy = f"Did you mean `{near[0]}`?" if near else "Remove it, or run `make lock`."
            yield Problem(f"{place}: tools.{name}", shown(name), "The server has no such tool.", remedy)
    for name in locked:
        if name not in file.tools:
            remedy = f"Add [tools.{name}] with its level; a tool without one could be granted unseen."
            yield Problem(
                f"{place}: tools.{name}", ABSENT, "The server has this tool and it is not classified.", remedy
            )


def _needs(file: ServerFile, place: str) -> Iterator[Problem]:
    for name, tool in file.tools.items():
        yield from _grants(f"{place}: tools.{name}", tool.grants, tool.level)
        for key, operation in tool.operations.items():
            yield from _grants(f"{place}: tools.{name}.operations.{key}", operation.grants, operation.level)


def _grants(field: str, grants: Iterable[Grant], level: str | None) -> Iterator[Problem]:
    for index, grant in enumerate(grants):
        for action in grant.actions:
            if not actions.is_known(action):
                near = actions.nearest(action)
                remedy = f"Did you mean `{near}`?" if near else "Look it up in AWS's Service Authorization Reference."
                yield Problem(f"{field}.grants[{index}]", shown(action), "AWS has no such IAM action.", remedy)
            if level == "read" and action.partition(":")[2].startswith(_CHANGING):
                message = "A tool or operation of level read cannot have this action."
                remedy = "Raise the level, or remove the action."
                yield Problem(f"{field}.grants[{index}]", shown(action), message, remedy)


def _passed_roles(file: ServerFile, place: str) -> Iterator[Problem]:
    passed = {tool.passes: name for name, tool in file.tools.items() if tool.passes}
    for key, name in passed.items():
        field = f"{place}: tools.{name}.passes"
        if key not in file.roles:
            remedy = f"Add [roles.{key}], or use one of: {', '.join(file.roles) or 'none yet'}."
            yield Problem(field, shown(key), "The server has no such role.", remedy)
        if file.tools[name].operations:
            message = "A tool with operations passes no role: the right would be in the session of each of them."
            yield Problem(field, shown(key), message, "Describe the tool without operations, or refuse it.")
    for key, role in file.roles.items():
        field = f"{place}: roles.{key}"
        if key not in passed:
            yield Problem(field, shown(key), "No tool passes this role.", "Remove it, or name it under `passes`.")
        for at, grants in ((field, role.grants), (f"{field}.makes", role.makes.grants if role.makes else ())):
            yield from _grants(at, grants, None)
            yield from _of_no_persona(at, grants)
        for index, grant in enumerate(role.grants):
            yield from _limits(f"{field}.grants[{index}]", grant)


def _of_no_persona(field: str, grants: Iterable[Grant]) -> Iterator[Problem]:
    for index, grant in enumerate(grants):
        for resource in grant.resources:
            if LOG_GROUPS_OF.search(resource):
                message = f"A role is no persona's, so nothing says which log groups {LOG_GROUPS} would be."
                yield Problem(f"{field}.grants[{index}].resources", shown(resource), message, "Name the log groups.")


_UNLIMITED: Final = {
    "iam:AttachRolePolicy": "iam:PermissionsBoundary",
    "iam:CreateRole": "iam:PermissionsBoundary",
    "iam:PassRole": "iam:PassedToService",
    "iam:PutRolePolicy": "iam:PermissionsBoundary",
}
"""What a passed role may do under a condition on this key only: else it could make or use a role beyond itself."""


def _limits(field: str, grant: Grant) -> Iterator[Problem]:
    held = grant.conditions.get("StringEquals", {})
    for action in grant.actions:
        key = _UNLIMITED.get(action)
        if key is not None and key not in held:
            message = f"Without a condition on {key} the role could be used to gain any rights."
            yield Problem(field, shown(action), message, f'Add `conditions.StringEquals."{key}"`.')


def refused_server_problems(folder: str, file: RefusedServerFile) -> Iterator[Problem]:
    """Yields what is wrong with a server that stands in the catalogue only to be refused."""
    place = f"servers/{folder}/server.toml"
    if file.name != folder:
        yield Problem(f"{place}: name", shown(file.name), f"The folder is called {folder}.", "Make them equal.")
    if len(file.refused.strip()) < SHORTEST_REASON:
        yield Problem(f"{place}: refused", shown(file.refused), "This is no reason.", REASON_REMEDY)


def shared_endpoint_problems(servers: Mapping[str, Server]) -> list[Problem]:
    """Returns where two servers disagree about one endpoint: a VPC has one endpoint for a service."""
    regions: dict[str, tuple[str, str]] = {}
    problems = []
    for server in servers.values():
        for endpoint in server.endpoints:
            first, region = regions.setdefault(endpoint.service, (server.name, endpoint.region))
            if region != endpoint.region:
                field = f"servers/{server.name}/server.toml: endpoints"
                message = f"Server {first} has endpoint {endpoint.service} in {region}."
                problems.append(Problem(field, shown(endpoint.region), message, "Make them equal."))
    return problems
