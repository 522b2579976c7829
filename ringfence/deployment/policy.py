"""The rights that CloudFormation needs to deploy a department, as managed policies for `cdk bootstrap`.

Compiled from the templates: for each resource the actions of its type's handlers (`ringfence.deployment.schemas`), less
what is spared and with what comes beside (`data/rights.toml`), each on the department's own resources wherever IAM lets
an action be held to a resource.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from ringfence.compilers.compaction import shortened
from ringfence.deployed.assembly import Assembly
from ringfence.deployment.place import Place
from ringfence.deployment.rights import Rights, Scope
from ringfence.deployment.schemas import schema_of
from ringfence.iam.actions import ActionTable
from ringfence.reading.problems import Problem, ProblemsFound

LONGEST_POLICY: Final = 6_144
"""Characters of a managed policy, white space not counted (IAM quotas)."""

MOST_POLICIES: Final = 10
"""Managed policies that one role may have unless the account's quota was raised (IAM quotas)."""

_GLOBAL: Final = frozenset({"iam", "organizations"})
_EVERYWHERE: Final = Scope(sid="ActionsWithoutResource", actions=("*",), resources=("*",))

Document = Mapping[str, Any]


def needed_actions(assembly: Assembly, rights: Rights) -> dict[str, frozenset[str]]:
    """Returns every IAM action that making, changing and removing the assembly takes, each with the types that ask it.

    Raises:
        CannotGoOn: a resource type has no schema.
    """
    asked: dict[str, set[str]] = {}
    for resource in assembly.resources():
        properties = resource.raw.get("Properties", {})
        for action in schema_of(resource.type).permissions:
            if rights.needs(action, resource.type, properties):
                asked.setdefault(action, set()).add(resource.type)
    types = {resource.type for resource in assembly.resources()}
    for extra in rights.beside:
        for action in extra.actions:
            if not extra.types or types & set(extra.types):
                asked.setdefault(action, set()).update(types & set(extra.types))
    return {action: frozenset(who) for action, who in asked.items()}


def policies(assembly: Assembly, rights: Rights, table: ActionTable) -> list[Document]:
    """Returns the managed policies, each within IAM's size.

    Raises:
        ProblemsFound: an action has no rule, or the policies are more than a role can have.
        CannotGoOn: a resource type has no schema.
    """
    place = Place.of(assembly)
    chosen: dict[str, tuple[Scope, set[str]]] = {}
    problems = []
    for action, types in sorted(needed_actions(assembly, rights).items()):
        scope = _scope(action, rights, table)
        if scope is None:
            problems.append(_unruled(action, types))
        else:
            chosen.setdefault(scope.sid, (scope, set()))[1].add(table[action].name)
    if problems:
        raise ProblemsFound("ringfence/deployment/data/rights.toml", problems)
    order = [scope.sid for scope in rights.scope]
    narrow = [_statement(*chosen[sid], place) for sid in order if sid in chosen]
    documents = _packed([*narrow, *_without_resource(chosen, place)])
    if len(documents) > MOST_POLICIES:
        message = f"The rights fill {len(documents)} managed policies; a role may have {MOST_POLICIES}."
        raise ProblemsFound("deployment", [Problem("policies", str(len(documents)), message, "Join scopes.")])
    return documents


def _scope(action: str, rights: Rights, table: ActionTable) -> Scope | None:
    if action not in table:
        return None
    found = rights.scope_of(action)
    if not table[action].resources and (found is None or found.resources != ("*",)):
        return _EVERYWHERE
    return found


def _unruled(action: str, types: Iterable[str]) -> Problem:
    message = f"The schema of {', '.join(sorted(types)) or 'no type'} lists it, and no rule says to which resources."
    return Problem("action", action, message, "Add a [[scope]] for it, or spare it with a reason.")


def _statement(scope: Scope, actions: Iterable[str], place: Place) -> dict[str, Any]:
    statement = {
        "Sid": scope.sid,
        "Effect": "Allow",
        "Action": shortened(actions),
        "Resource": place.fill(scope.resources),
    }
    return {**statement, "Condition": place.fill(scope.condition)} if scope.condition else statement


def _without_resource(chosen: Mapping[str, tuple[Scope, set[str]]], place: Place) -> Iterator[dict[str, Any]]:
    """Yields the actions that IAM holds to no resource: in the department's region, or where global services answer."""
    _, actions = chosen.get(_EVERYWHERE.sid, (_EVERYWHERE, set()))
    for sid, regions, here in (
        (_EVERYWHERE.sid, [place.region], {name for name in actions if name.split(":")[0] not in _GLOBAL}),
        ("GlobalActionsWithoutResource", ["us-east-1"], {name for name in actions if name.split(":")[0] in _GLOBAL}),
    ):
        if here:
            condition = {"StringEquals": {"aws:RequestedRegion": regions}}
            yield {"Sid": sid, "Effect": "Allow", "Action": shortened(here), "Resource": "*", "Condition": condition}


def _packed(statements: Sequence[dict[str, Any]]) -> list[Document]:
    """Returns documents within IAM's size, each statement in the first that has room for it."""
    documents: list[list[dict[str, Any]]] = []
    for statement in statements:
        for held in documents:
            if size(_document([*held, statement])) <= LONGEST_POLICY:
                held.append(statement)
                break
        else:
            documents.append([statement])
    return [_document(held) for held in documents]


def _document(statements: Sequence[dict[str, Any]]) -> Document:
    return {"Version": "2012-10-17", "Statement": statements}


def size(document: Document) -> int:
    """Returns a document's length as IAM counts it: characters without white space."""
    return len(re.sub(r"\s", "", json.dumps(document)))
