"""Proof 3: no published way to gain rights is open to any role of the templates, no role can be passed on, and nothing
can be tagged into the sandbox."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field

from ringfence import CannotGoOn
from ringfence.deployed.roles import Role
from ringfence.iam.actions import Action
from ringfence.iam.evaluator import decide
from ringfence.iam.patterns import matches
from ringfence.proofs.evidence import Evidence
from ringfence.proofs.expected_permissions import PASSING
from ringfence.proofs.findings import Finding, Outcome
from ringfence.proofs.sweeps.permission_sweep import Allowed, AllowedRequest, summary
from ringfence.proofs.sweeps.permission_sweeps import PermissionSweeps
from ringfence.reading.documents import Strict, read_checked

OWN_PATHS: Final = Path(__file__).parents[1] / "data" / "agentcore_paths.toml"
ACCEPTED: Final = Path(__file__).parents[1] / "data" / "accepted_paths.toml"
_PASSED_TO: Final = "iam:PassedToService"
SANDBOX_TAG: Final = "ringfence:sandbox"
"""Whoever may write to what bears this tag must not be able to put it on anything."""
_SANDBOX_NAME: Final = "ringfence-sandbox-"
_SANDBOX_ROLES: Final = ":role/ringfence/sandbox/"


@dataclass(frozen=True)
class EscalationPath:
    """A published way to gain rights: whoever can do all the actions can take it.

    Attributes:
        name: where it is published, and its name there.
        actions: in lower case.
    """

    name: str
    actions: frozenset[str]


class Accepted(Strict):
    """A path that stands open on purpose.

    Attributes:
        environment: the environment of the departments it holds in; in others the path is as shut as any.
        role: logical id of the role.
        reason: why a reviewer may accept it.
        only_on: resource patterns that the path's actions must keep to.
    """

    environment: Literal["production", "sandbox"]
    role: str
    path: str
    reason: Annotated[str, Field(min_length=20)]
    only_on: Annotated[tuple[str, ...], Field(strict=False, min_length=1)]

    def covers(self, role: str, path: EscalationPath, questions: list[AllowedRequest]) -> bool:
        """Whether this is about a role's path, and the role can take it on these resources only."""
        taken = [question for question in questions if question.action.name.lower() in path.actions]
        confined = all(any(matches(wide, each.pattern) for wide in self.only_on) for each in taken)
        return (self.role, self.path) == (role, path.name) and confined


class AcceptedFile(Strict):
    """`accepted_paths.toml`."""

    accepted: Annotated[tuple[Accepted, ...], Field(strict=False)] = ()


class OwnPath(Strict):
    """One of AgentCore's ways, as our table has it."""

    id: str
    title: str
    actions: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[a-z0-9-]+:[A-Za-z0-9]+$")], ...], Field(strict=False, min_length=1)
    ]
    source: str


class OwnPaths(Strict):
    """`agentcore_paths.toml`."""

    paths: Annotated[tuple[OwnPath, ...], Field(strict=False, min_length=1)]


@cache
def published_paths() -> tuple[EscalationPath, ...]:
    """The methods that cloudsplaining lists, and our own table of AgentCore's.

    Raises:
        CannotGoOn: cloudsplaining, a development dependency, is not installed.
    """
    if find_spec("cloudsplaining") is None:
        raise CannotGoOn("cloudsplaining is not installed", "Run `make setup`.")
    from cloudsplaining.shared.constants import PRIVILEGE_ESCALATION_METHODS

    methods = [
        EscalationPath(f"cloudsplaining {name}", frozenset(action.lower() for action in actions))
        for name, actions in PRIVILEGE_ESCALATION_METHODS.items()
    ]
    return (*methods, *agentcore_paths())


@cache
def agentcore_paths(path: Path = OWN_PATHS) -> tuple[EscalationPath, ...]:
    """Our own table of AgentCore's ways; raises as `read_checked`."""
    return tuple(
        EscalationPath(f"agentcore {own.id}", frozenset(action.lower() for action in own.actions))
        for own in read_checked(path, OwnPaths, distinct={"paths": ("id",)}).paths
    )


def accepted_paths(environment: str, path: Path | None = None) -> tuple[Accepted, ...]:
    """Paths that stand open on purpose in the departments of an environment; raises as `read_checked`."""
    keys = {"accepted": ("environment", "role", "path")}
    found = read_checked(path or ACCEPTED, AcceptedFile, distinct=keys).accepted
    return tuple(entry for entry in found if entry.environment == environment)


def prove(evidence: Evidence, sweeps: PermissionSweeps | None = None) -> Outcome:
    """Compare every role's effective actions, in the most favourable context, with every published path."""
    sweeps = PermissionSweeps(evidence) if sweeps is None else sweeps
    paths = published_paths()
    findings: list[Finding] = []
    opened: set[tuple[str, str]] = set()
    on_purpose: list[str] = []
    accepted = accepted_paths(evidence.department.environment)
    for role, questions in sweeps.of_roles.items():
        passed = summary(question for question in questions if question.action.name == PASSING)
        unconfined = [finding for one in passed for finding in _unconfined(role, one, evidence)]
        findings += unconfined
        on_purpose += [f"{role} passes {one.resource} ({', '.join(_services(one))})" for one in passed]
        findings += _tags_into_the_sandbox(role, questions)
        able = {question.action.name.lower() for question in questions}
        if not unconfined and not any(_ours(one, evidence) for one in passed):
            # A role that only certain services can be given, and that is none of ours, brings no rights.
            able.discard(PASSING.lower())
        for path in paths:
            if path.actions <= able:
                opened.add((role, path.name))
                if any(entry.covers(role, path, questions) for entry in accepted):
                    on_purpose.append(f"{role} can take {path.name}, see {ACCEPTED.name}")
                else:
                    findings.append(Finding(f"role {role}", f"can take {path.name}: {', '.join(sorted(path.actions))}"))
    findings += _unknown_actions(paths, sweeps)
    findings += [
        Finding(f"role {entry.role}", f"is accepted to take {entry.path} in {ACCEPTED.name}, but cannot; remove it")
        for entry in accepted
        if entry.role in sweeps.of_roles and (entry.role, entry.path) not in opened
    ]
    looked_at = {"roles": len(sweeps.of_roles), "published paths": len(paths)}
    return Outcome(tuple(findings), looked_at, tuple(on_purpose))


def _services(passed: Allowed) -> list[str]:
    return [condition for condition in passed.conditions if _PASSED_TO in condition]


def _ours(passed: Allowed, evidence: Evidence) -> list[Role]:
    return [role for arn, role in evidence.roles.items() if matches(passed.resource, arn)]


def _unconfined(role: str, passed: Allowed, evidence: Evidence) -> Iterator[Finding]:
    """Role passing that is not confined to named roles and services; a role of ours, to the service it is made for."""
    where = f"can pass {passed.resource}"
    name = passed.resource.partition(":role/")[2]
    services = _services(passed)
    for own in _ours(passed, evidence):
        passed_role = evidence.passed_roles.get(own.arn)
        named = (each.principals or {"": ("*",)} for each in own.trust.statements if each.allows)
        trusted = {principal for principals in named for kind in principals.values() for principal in kind}
        if passed_role is None or passed.resource != own.arn:
            yield Finding(f"role {role}", f"{where}, which covers {own.arn} of this deployment")
        elif services != [f"StringEquals {_PASSED_TO} {passed_role.service}"] or trusted != {passed_role.service}:
            yield Finding(f"role {role}", f"{where}, which is for {passed_role.service} alone, and not only to it")
    if not name or name.startswith("*"):
        yield Finding(f"role {role}", f"{where}, which names no role")
    elif not services:
        yield Finding(f"role {role}", f"{where} to any service; a condition on {_PASSED_TO} is missing")


def _tags_into_the_sandbox(role: str, questions: list[AllowedRequest]) -> Iterator[Finding]:
    """Tagging that could put the sandbox's tag on something that is not the sandbox's, by its name or by its tag.

    Asked again for each possible tagging: for a resource without any tag, outside its creation.
    """
    found: list[AllowedRequest] = []
    for question in questions:
        if _tags(question.action) and not _is_named_for_the_sandbox(question.request.resource):
            asked = replace(question.request, context=_tagging_what_is_there(question))
            if decide(asked, question.by_type).allowed:
                found.append(question)
    for one in summary(found):
        yield Finding(f"role {role}", f"can tag {one.resource} into the sandbox by {one.action}")


def _tags(action: Action) -> bool:
    name = action.name.partition(":")[2]
    return action.level == "Tagging" or ("Tag" in name and action.level not in ("List", "Read"))


def _is_named_for_the_sandbox(resource: str) -> bool:
    named = any(part.startswith(_SANDBOX_NAME) for part in re.split("[:/]", resource))
    return named or _SANDBOX_ROLES in resource


def _tagging_what_is_there(question: AllowedRequest) -> dict[str, object]:
    context = {
        key: value
        for key, value in question.request.context.items()
        if ":resourcetag/" not in key and not key.endswith(":createaction")
    }
    keys = context.get("aws:tagkeys")
    context["aws:tagkeys"] = [*(keys if isinstance(keys, list) else []), SANDBOX_TAG]
    for service in ("aws", question.action.service):
        context[f"{service}:requesttag/{SANDBOX_TAG}"] = "true"
    return context


def _unknown_actions(paths: tuple[EscalationPath, ...], sweeps: PermissionSweeps) -> Iterator[Finding]:
    """A path with an action that does not exist could never be found open."""
    for path in paths:
        if path.name.startswith("agentcore "):
            for action in sorted(action for action in path.actions if action not in sweeps.table):
                yield Finding(path.name, f"names {action}, which AWS does not have")
