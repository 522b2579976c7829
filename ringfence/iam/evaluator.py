"""Decides an AWS request from policy documents, type by type.

The rules, after the IAM reference: an explicit Deny in any decides. Otherwise every type that is present must
allow, with one union: in the same account an identity policy or a resource policy that names the caller may grant. A
boundary, session policy, service control policy (`scp`), resource control policy (`rcp`) or endpoint policy only
limits. A role's trust policy (`trust`) and a key policy (`key`) are vetoes of their own: if present, they must allow.

Two simplifications, both on the strict side: a resource policy that names a role *session* lifts neither boundary nor
session policy here, and a trust policy that names a role does not replace that role's own permission to assume.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ringfence.iam.policy import EVERYONE, EVERYTHING, Policy, Request, Statement
from ringfence.iam.problems import UndecidablePolicy

__all__ = ["EVERYONE", "EVERYTHING", "POLICY_TYPES", "Decision", "Policy", "Request", "UndecidablePolicy", "decide"]

# In the order in which a refusal is reported.
POLICY_TYPES = ("scp", "rcp", "endpoint", "boundary", "session", "identity", "resource", "trust", "key")
_WITH_PRINCIPAL = ("rcp", "endpoint", "resource", "trust", "key")
_IMPLICIT_ORDER = ("identity", "boundary", "session", "scp", "rcp", "endpoint", "trust", "key")

Document = Policy | Mapping[str, Any]


@dataclass(frozen=True)
class Decision:
    """The outcome.

    Attributes:
        policy_type: the type of the policy that refused, or None.
        sid: the statement that decided: the Deny, or the granting Allow; None when no statement matched.
        explicit: whether a Deny statement refused, as opposed to nothing allowing.
    """

    allowed: bool
    policy_type: str | None
    sid: str | None
    explicit: bool
    reason: str


def decide(request: Request, by_type: Mapping[str, Iterable[Document]]) -> Decision:
    """Decide a request.

    Args:
        by_type: policy documents by type (see `POLICY_TYPES`). A type that is present but empty allows nothing; leave a
            type out when it does not exist (a role without a boundary has no `boundary` key).

    Raises:
        UndecidablePolicy: a policy type, element or operator is unknown.
    """
    parsed = {policy_type: _parse(policy_type, documents) for policy_type, documents in by_type.items()}
    context = request.lowered_context()
    speaking = {
        policy_type: [s for policy in policies for s in policy.statements if s.applies(request, context)]
        for policy_type, policies in parsed.items()
    }
    return _explicit_deny(request, speaking) or _implicit_deny(request, speaking) or _allow(request, speaking)


def granted_resources(action: str, by_type: Mapping[str, Iterable[Document]]) -> bool:
    """Whether any statement about an action restricts it to certain resources.

    When this is False, the outcome does not depend on which resource the request is about.
    """
    return any(
        statement.covers_action(action) and statement.restricts_resources
        for policy_type, documents in by_type.items()
        for policy in _parse(policy_type, documents)
        for statement in policy.statements
    )


def _parse(policy_type: str, documents: Iterable[Document]) -> list[Policy]:
    if policy_type not in POLICY_TYPES:
        raise UndecidablePolicy(f"policy type {policy_type!r} is unknown; types are {', '.join(POLICY_TYPES)}")
    policies = [document if isinstance(document, Policy) else Policy.parse(document) for document in documents]
    for policy in policies:
        for statement in policy.statements:
            _check_shape(policy_type, statement)
    return policies


def _check_shape(policy_type: str, statement: Statement) -> None:
    has_principal = statement.principals is not None or statement.not_principals is not None
    if has_principal != (policy_type in _WITH_PRINCIPAL):
        raise UndecidablePolicy(
            f"{statement.sid}: a principal is {'un' if has_principal else ''}expected in {policy_type}"
        )
    if policy_type != "trust" and not (statement.resources or statement.not_resources):
        raise UndecidablePolicy(f"{statement.sid}: a resource is missing in {policy_type}")


def _explicit_deny(request: Request, speaking: Mapping[str, list[Statement]]) -> Decision | None:
    for policy_type in POLICY_TYPES:
        for statement in speaking.get(policy_type, []):
            if not statement.allows:
                reason = (
                    f"{request.action} on {request.resource} is denied by {statement.sid} of the {policy_type} policy"
                )
                return Decision(False, policy_type, statement.sid, True, reason)
    return None


def _implicit_deny(request: Request, speaking: Mapping[str, list[Statement]]) -> Decision | None:
    granted_by_resource = any(statement.names_directly(request) for statement in speaking.get("resource", []))
    for policy_type in _IMPLICIT_ORDER:
        if policy_type not in speaking or speaking[policy_type]:
            continue
        if policy_type == "identity" and granted_by_resource:
            continue
        reason = f"{request.action} on {request.resource} is allowed by no statement of the {policy_type} policy"
        return Decision(False, policy_type, None, False, reason)
    if "identity" not in speaking and "trust" not in speaking and not granted_by_resource:
        policy_type = "resource" if "resource" in speaking else "identity"
        reason = f"{request.action} on {request.resource} is granted by no policy"
        return Decision(False, policy_type, None, False, reason)
    return None


def _allow(request: Request, speaking: Mapping[str, list[Statement]]) -> Decision:
    granting = next(
        speaking[policy_type][0] for policy_type in ("identity", "resource", "trust") if speaking.get(policy_type)
    )
    reason = f"{request.action} on {request.resource} is allowed by {granting.sid}"
    return Decision(True, None, granting.sid, False, reason)
