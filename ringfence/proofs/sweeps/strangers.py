"""Requests that leave the account: what a policy must refuse, whatever it allows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from ringfence.iam.evaluator import Request
from ringfence.iam.policy import Statement
from ringfence.proofs.sweeps.witness import FOREIGN_ACCOUNT, account_of, sample, satisfy_allow

_ACCOUNTS: Final = ("aws:principalaccount", "aws:resourceaccount")


@dataclass(frozen=True)
class Stranger:
    """A request that leaves the account, by who sends it or by what it is about.

    Attributes:
        whose: `principals of`, or `what is owned by`.
        request: what a statement wants but for that.
    """

    whose: str
    request: Request


def strange_requests(statement: Statement, account: str) -> Iterator[Stranger]:
    """Requests of an account that is not ours, and about what it owns: one made up, those that the statement itself
    comes to name, and none at all, as of a caller without an account."""
    usual = satisfy_allow([statement])
    for action in statement.actions or ("*",):
        for pattern in statement.resources or ("*",):
            for strange in (*_accounts_beside(statement, account), None):
                who = f"arn:aws:sts::{strange or account}:assumed-role/any/call"
                facts = {"aws:principalarn": who, "aws:principalaccount": strange, "aws:principalorgid": "o-another000"}
                here = {**usual, **facts, "aws:resourceaccount": account}
                yield Stranger("principals of", _asked(who, action, sample(pattern, usual), here))
                if account_of(pattern, account) is None:
                    continue  # what AWS owns is no account's
                who = f"arn:aws:sts::{account}:assumed-role/any/call"
                facts = {"aws:principalarn": who, "aws:principalaccount": account, "aws:resourceaccount": strange}
                resource = sample(_owned_by(pattern, strange or account), usual)
                yield Stranger("what is owned by", _asked(who, action, resource, {**usual, **facts}))


def _asked(principal: str, action: str, resource: str, context: Mapping[str, object]) -> Request:
    told = {key: value for key, value in context.items() if value is not None}
    return Request(principal, sample(action, {}), resource, told)


def _accounts_beside(statement: Statement, account: str) -> list[str]:
    """Accounts that are not ours: one made up, and each that fits what a statement says of accounts."""
    named = [
        sample(str(value), {})
        for keys in statement.condition.values()
        for key, values in keys.items()
        if key.lower() in _ACCOUNTS
        for value in (values if isinstance(values, list | tuple) else [values])
    ]
    named += [sample(account_of(resource, account) or account, {}) for resource in statement.resources]
    return [each for each in dict.fromkeys([FOREIGN_ACCOUNT, *named]) if each != account]


def _owned_by(pattern: str, account: str) -> str:
    parts = pattern.split(":", 5)
    return ":".join([*parts[:4], account, parts[5]]) if len(parts) == 6 and parts[4] else pattern
