"""Policy documents and statements: which statements speak about a request."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from ringfence.iam.conditions import check_operators, holds
from ringfence.iam.patterns import Context, any_of, filled, lowered, matches
from ringfence.iam.problems import UndecidablePolicy

_ELEMENTS = {
    "Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal", "Condition",
}  # fmt: skip
_SERVICE = re.compile(r"[a-z0-9.-]+\.amazonaws\.com")
_ACCOUNT_ROOT = re.compile(r"arn:[a-z-]+:iam::(\d{12}):root")


@dataclass(frozen=True)
class Request:
    """One AWS request to be decided.

    Attributes:
        principal_arn: session ARN, user ARN, role ARN, or a service principal such as `lambda.amazonaws.com`.
        action: `service:Action`.
        resource: the ARN the action works on, or `*` for actions without a resource.
        context: condition keys and their values (text, number, boolean, or a list for keys with several values). For a
            role session `aws:PrincipalArn` holds the ARN of the role.
    """

    principal_arn: str
    action: str
    resource: str
    context: Mapping[str, object] = field(default_factory=dict)

    def lowered_context(self) -> dict[str, object]:
        """The context with lower-case keys."""
        return lowered(self.context)

    def identities(self) -> list[str]:
        """What a `Principal` element may call this caller by: session, role or user, account root, account id."""
        if _SERVICE.fullmatch(self.principal_arn):
            return [self.principal_arn]
        named = [self.principal_arn]
        role = self.lowered_context().get("aws:principalarn")
        if role and str(role) not in named:
            named.append(str(role))
        parts = self.principal_arn.split(":")
        if len(parts) >= 6:
            named += [f"arn:{parts[1]}:iam::{parts[4]}:root", parts[4]]
        return named

    @property
    def is_service(self) -> bool:
        """Whether an AWS service itself is calling."""
        return _SERVICE.fullmatch(self.principal_arn) is not None


@dataclass(frozen=True)
class Statement:
    """One statement, with its elements as lists."""

    sid: str
    allows: bool
    actions: tuple[str, ...]
    not_actions: tuple[str, ...]
    resources: tuple[str, ...]
    not_resources: tuple[str, ...]
    principals: Mapping[str, tuple[str, ...]] | None
    not_principals: Mapping[str, tuple[str, ...]] | None
    condition: Mapping[str, Mapping[str, object]]
    variables: bool

    def covers_action(self, action: str) -> bool:
        """Whether the action is one the statement speaks about (case does not matter)."""
        return bool(self.actions) == (self._listed_actions.fullmatch(action) is not None)

    @cached_property
    def _listed_actions(self) -> re.Pattern[str]:
        """One pattern of all that are listed: a sweep asks each statement about thousands of actions."""
        return any_of(self.actions or self.not_actions, ignore_case=True)

    def covers_resource(self, resource: str, context: Context) -> bool:
        """Whether the resource is one the statement speaks about (case matters). Without the element: every one."""
        if self.resources:
            return self._any_resource(self.resources, resource, context)
        return not (self.not_resources and self._any_resource(self.not_resources, resource, context))

    def _any_resource(self, patterns: Sequence[str], resource: str, context: Context) -> bool:
        ready = (filled(pattern, context) if self.variables else pattern for pattern in patterns)
        return any(pattern is not None and matches(pattern, resource) for pattern in ready)

    @property
    def restricts_resources(self) -> bool:
        """Whether the outcome depends on which resource is meant."""
        return bool(self.not_resources) or any(pattern != "*" for pattern in self.resources)

    def covers_principal(self, request: Request) -> bool:
        """Whether the caller is one the statement speaks about; always, when it has no principal element."""
        if self.principals is not None:
            return any(_is_named(self.principals, identity, request) for identity in request.identities())
        if self.not_principals is not None:
            # AWS spares only callers whose every identity is listed: session, role and account.
            named = [identity for identity in request.identities() if not identity.isdigit()]
            return not all(_is_named(self.not_principals, identity, request) for identity in named)
        return True

    def names_directly(self, request: Request) -> bool:
        """Whether the principal element grants to the caller itself; naming the account only delegates to IAM."""
        identities = [name for name in request.identities() if not name.isdigit() and not name.endswith(":root")]
        return any(_is_named(self.principals or {}, identity, request) for identity in identities)

    def applies(self, request: Request, context: Context) -> bool:
        """Whether the statement speaks about this request."""
        return (
            self.covers_action(request.action)
            and self.covers_resource(request.resource, context)
            and self.covers_principal(request)
            and holds(self.condition, context, variables=self.variables)
        )


def _is_named(principals: Mapping[str, tuple[str, ...]], identity: str, request: Request) -> bool:
    kind = "Service" if request.is_service else "AWS"
    for listed in principals.get(kind, ()):
        root = _ACCOUNT_ROOT.fullmatch(listed)
        if listed in ("*", identity) or (root and identity == root.group(1)):
            return True
    return False


@dataclass(frozen=True)
class Policy:
    """A policy document, read once and checked for elements the evaluator does not know.

    Attributes:
        document: what it was read from; None for a policy put together from statements of others.
    """

    statements: tuple[Statement, ...]
    document: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Policy:
        """Read a document.

        Raises:
            UndecidablePolicy: an element, effect, principal or operator is unknown, or a needed element is missing.
        """
        if not isinstance(document, Mapping):
            raise UndecidablePolicy(f"a policy document is an object, not {document!r}")
        unknown = set(document) - {"Version", "Statement", "Id"}
        if unknown:
            raise UndecidablePolicy(f"policy document has unknown elements {sorted(unknown)}")
        version = document.get("Version", "2008-10-17")
        if version not in ("2008-10-17", "2012-10-17"):
            raise UndecidablePolicy(f"policy version {version!r} is unknown")
        statements = document.get("Statement", [])
        listed = [statements] if isinstance(statements, Mapping) else statements
        if not isinstance(listed, list | tuple) or not all(isinstance(raw, Mapping) for raw in listed):
            raise UndecidablePolicy(f"Statement is an object or a list of objects, not {statements!r}")
        return cls(
            tuple(_statement(raw, index, variables=version == "2012-10-17") for index, raw in enumerate(listed, 1)),
            document,
        )


def _statement(raw: Mapping[str, Any], index: int, *, variables: bool) -> Statement:
    sid = str(raw.get("Sid") or f"statement {index}")
    unknown = set(raw) - _ELEMENTS
    if unknown:
        raise UndecidablePolicy(f"{sid} has unknown elements {sorted(unknown)}")
    if raw.get("Effect") not in ("Allow", "Deny"):
        raise UndecidablePolicy(f"{sid} has effect {raw.get('Effect')!r}")
    _exactly_one(raw, sid, "Action", "NotAction")
    _at_most_one(raw, sid, "Resource", "NotResource")
    _at_most_one(raw, sid, "Principal", "NotPrincipal")
    if "NotPrincipal" in raw and raw["Effect"] == "Allow":
        raise UndecidablePolicy(f"{sid} allows NotPrincipal, which admits everyone else in the world")
    condition = raw.get("Condition", {})
    if not isinstance(condition, Mapping) or not all(isinstance(keys, Mapping) for keys in condition.values()):
        raise UndecidablePolicy(f"{sid}: Condition is an object of objects, not {condition!r}")
    check_operators(condition)
    return Statement(
        sid=sid,
        allows=raw["Effect"] == "Allow",
        actions=_texts(raw.get("Action")),
        not_actions=_texts(raw.get("NotAction")),
        resources=_texts(raw.get("Resource")),
        not_resources=_texts(raw.get("NotResource")),
        principals=_principals(raw.get("Principal"), sid),
        not_principals=_principals(raw.get("NotPrincipal"), sid),
        condition=condition,
        variables=variables,
    )


def _exactly_one(raw: Mapping[str, Any], sid: str, first: str, second: str) -> None:
    if (first in raw) == (second in raw):
        raise UndecidablePolicy(f"{sid} needs exactly one of {first} and {second}")


def _at_most_one(raw: Mapping[str, Any], sid: str, first: str, second: str) -> None:
    if first in raw and second in raw:
        raise UndecidablePolicy(f"{sid} has both {first} and {second}")


def _texts(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    items = value if isinstance(value, list | tuple) else [value]
    if not all(isinstance(item, str) for item in items):
        raise UndecidablePolicy(f"text was expected, not {value!r}")
    return tuple(items)


def _principals(value: object, sid: str) -> Mapping[str, tuple[str, ...]] | None:
    if value is None:
        return None
    if value == "*":
        return {"AWS": ("*",), "Service": ("*",)}
    if not isinstance(value, Mapping):
        raise UndecidablePolicy(f"{sid} has principal {value!r}")
    unknown = set(value) - {"AWS", "Service", "Federated", "CanonicalUser"}
    if unknown:
        raise UndecidablePolicy(f"{sid} has unknown principal types {sorted(unknown)}")
    return {kind: _texts(listed) for kind, listed in value.items()}


def _allowing_everything(**of_a_resource: str) -> Policy:
    statement = {"Sid": "Everything", "Effect": "Allow", **of_a_resource, "Action": "*", "Resource": "*"}
    return Policy.parse({"Version": "2012-10-17", "Statement": [statement]})


EVERYTHING: Final = _allowing_everything()
"""Allows whoever holds it everything, so that only the other policies decide."""
EVERYONE: Final = _allowing_everything(Principal="*")
"""The same for a resource: everybody may do everything with it."""
