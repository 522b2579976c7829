"""The rights that CloudFormation needs to deploy a department, as managed policies for `cdk bootstrap`.

Compiled from the templates: for each resource the actions of its type's handlers (`deployment.schemas`), less what is
spared and with what comes beside (`data/rights.toml`), each on the department's own resources wherever IAM lets an
action be held to a resource.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from assurance.actions import ActionTable
from assurance.assembly import Assembly
from deployment.rights import Rights, Scope
from deployment.schemas import schema_of
from governance.compaction import shortened
from governance.problems import Problem, ProblemsFound

LONGEST_POLICY: Final = 6_144
"""Characters of a managed policy, white space not counted (IAM quotas)."""

MOST_POLICIES: Final = 10
"""Managed policies that one role may have unless the account's quota was raised (IAM quotas)."""

STEM_LENGTH: Final = 20
"""How much of a long name is surely left: of a stack's in what CloudFormation makes up, of a gateway's in ours."""

_SECRET: Final = re.compile(r"\{\{resolve:secretsmanager:([^:}]+)")
_AUDIT: Final = re.compile(r"ringfence-(.+)-audit")
_GLOBAL: Final = frozenset({"iam", "organizations"})
_EVERYWHERE: Final = Scope(sid="ActionsWithoutResource", actions=("*",), resources=("*",))

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Place:
    """What the texts of `data/rights.toml` stand for in one department.

    Attributes:
        department: Its name.
        account: Twelve digits.
        region: Where it is deployed.
        qualifier: The CDK bootstrap's.
        secret: Name of the identity provider's secret in Secrets Manager; empty without one.
    """

    department: str
    account: str
    region: str
    qualifier: str
    secret: str

    @classmethod
    def of(cls, assembly: Assembly) -> Place:
        """Reads it from the assembly.

        Raises:
            ProblemsFound: the assembly is not a department's.
        """
        found = [match[1] for name in assembly.stacks if (match := _AUDIT.fullmatch(name))]
        if len(found) != 1:
            message = "An assembly with one stack `ringfence-<department>-audit` is needed."
            remedy = "Synthesise one department: make synth DEPARTMENT=<name>."
            raise ProblemsFound("assembly", [Problem("stacks", ", ".join(assembly.stacks), message, remedy)])
        templates = [stack.template for stack in assembly.stacks.values()]
        version = templates[0]["Parameters"]["BootstrapVersion"]["Default"]
        secrets = sorted({name for template in templates for name in _SECRET.findall(json.dumps(template))})
        return cls(found[0], assembly.account, assembly.region, version.split("/")[2], secrets[0] if secrets else "")

    @property
    def stem(self) -> str:
        """The beginning of every name that CloudFormation makes up in the department's stacks."""
        return f"ringfence-{self.department}-"[:STEM_LENGTH]

    def fill(self, value: Any) -> Any:
        """Returns a text, list or table of the file with this department's values in it."""
        if isinstance(value, str):
            return value.format(stem=self.stem, **self.__dict__)
        if isinstance(value, Mapping):
            return {key: self.fill(item) for key, item in value.items()}
        return [self.fill(item) for item in value]


def needed_actions(assembly: Assembly, rights: Rights) -> dict[str, frozenset[str]]:
    """Returns every IAM action that making, changing and removing the assembly takes, each with the types that ask it.

    Raises:
        LookupError: a resource type has no schema.
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

    Args:
        assembly: One department's cloud assembly.
        rights: The reviewed rules.
        table: Every action IAM knows.

    Raises:
        ProblemsFound: an action has no rule, or the policies are more than a role can have.
        LookupError: a resource type has no schema.
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
        raise ProblemsFound("deployment/data/rights.toml", problems)
    order = [scope.sid for scope in rights.scope]
    narrow = [_statement(*chosen[sid], place) for sid in order if sid in chosen]
    documents = list(_packed([*narrow, *_without_resource(chosen, place)]))
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


def _packed(statements: Sequence[dict[str, Any]]) -> Iterator[Document]:
    """Yields documents that hold the statements in order, each as full as IAM allows."""
    current: list[dict[str, Any]] = []
    for statement in statements:
        if current and size({"Version": "2012-10-17", "Statement": [*current, statement]}) > LONGEST_POLICY:
            yield {"Version": "2012-10-17", "Statement": current}
            current = []
        current.append(statement)
    yield {"Version": "2012-10-17", "Statement": current}


def size(document: Document) -> int:
    """Returns a document's length as IAM counts it: characters without white space."""
    return len(re.sub(r"\s", "", json.dumps(document)))
