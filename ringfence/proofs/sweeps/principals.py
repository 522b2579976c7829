"""Whoever a policy of a resource comes to name: nobody is known beforehand, so each of them is asked about.

A request of theirs is made as favourable as the policy's own conditions want, but for what AWS says of who asks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from ringfence.iam.evaluator import EVERYTHING, Policy, Request, decide
from ringfence.iam.policy import Statement
from ringfence.proofs.sweeps.witness import FOREIGN_ACCOUNT, avoid_deny, in_account, sample, satisfy_allow, witnesses

_ACCOUNT: Final = re.compile(r"(?<!\d)\d{12}(?!\d)")
_WHO: Final = "aws:principalarn"


def named_in(policy: Policy, account: str) -> set[str]:
    """Every principal that a policy names, be it to allow or to spare it: in a principal element, by the ARN that a
    condition compares, or by the account, for which a role of it stands."""
    accounts = accounts_in(policy.statements, account)
    found = {f"arn:aws:iam::{each}:{name}" for each in accounts for name in ("root", "role/anything")}
    for statement in policy.statements:
        for listed in (statement.principals or {}, statement.not_principals or {}):
            found |= {name for kind in ("AWS", "Service") for name in listed.get(kind, ()) if not _wide(name)}
        compared = [values for keys in statement.condition.values() for key, values in keys.items() if _is_who(key)]
        for values in compared:
            for pattern in values if isinstance(values, list | tuple) else [values]:
                found |= {_fitting(str(pattern), each) for each in accounts}
    return found


def accounts_in(statements: Sequence[Statement], account: str) -> set[str]:
    """Ours, one that is made up, and each that statements name in principals or conditions."""
    told = str([(each.principals, each.not_principals, each.condition) for each in statements])
    return {account, FOREIGN_ACCOUNT, *_ACCOUNT.findall(told)}


def _wide(name: str) -> bool:
    """Everybody, or an account by its number: `accounts_in` has it."""
    return name == "*" or name.isdigit()


def _is_who(key: str) -> bool:
    return key.lower() == _WHO


def _fitting(pattern: str, account: str) -> str:
    """An ARN that fits a pattern of principals, of an account where the pattern leaves that open."""
    known = {"aws:principalaccount": account}
    text = in_account(pattern, account, known)
    return sample(text if text.startswith("arn:") else f"arn:aws:iam::{account}:{text}", known)


def facts(principal: str) -> dict[str, object]:
    """What AWS says of a principal in its request; nothing but the name for a service, or for nobody."""
    if not principal.startswith("arn:"):
        return {_WHO: [], "aws:principalaccount": []}
    return {_WHO: principal, "aws:principalaccount": principal.split(":")[4]}


def admits(policy: Policy, policy_type: str, principal: str, action: str, resource: str, **told: object) -> bool:
    """Whether a policy lets in a principal that has every right of its own, under what any of its statements asks.

    Args:
        policy_type: `key` for what only the policy itself can allow, as a key's; `resource` for what a right of the
            principal's own allows as well, unless the policy denies it.
        told: further keys of the request's context; an empty list for one that it does not have.
    """
    spared = avoid_deny(each for each in policy.statements if not each.allows)
    wanted = [satisfy_allow([each]) for each in policy.statements if each.allows] or [{}]
    return any(
        _decided(policy, policy_type, Request(principal, action, resource, context | told))
        for context in ({**spared, **each, **facts(principal)} for each in wanted)
    )


def _decided(policy: Policy, policy_type: str, request: Request) -> bool:
    by_type = {"identity": [EVERYTHING], policy_type: [policy]}
    if request.is_service and policy_type == "resource":
        del by_type["identity"]  # a service has no rights of its own
    return decide(request, by_type).allowed


def serves_others(
    policy: Policy, policy_type: str, statement: Statement, account: str, action: str, resource: str
) -> Iterator[str]:
    """The services that a statement lets in though they work for a resource of another account.

    Raises:
        UndecidablePolicy: no request can be made up that satisfies the statement's condition.
    """
    for service in (statement.principals or {}).get("Service", ()) if statement.allows else ():
        for usual in witnesses([statement]):
            for strange in sorted(accounts_in([statement], account) - {account}):
                theirs = {key: _moved(value, account, strange) for key, value in usual.items()}
                request = Request(service, action, resource, {**theirs, "aws:sourceaccount": strange})
                identity = {} if policy_type == "trust" else {"identity": [EVERYTHING]}
                if decide(request, {**identity, policy_type: [policy]}).allowed:
                    yield service


def _moved(value: object, account: str, strange: str) -> object:
    if isinstance(value, list):
        return [_moved(each, account, strange) for each in value]
    return value.replace(f":{account}:", f":{strange}:") if isinstance(value, str) else value
