"""A grant is found however it is written: the sweep asks under a condition that holds, or says that it cannot."""

from __future__ import annotations

from typing import Any

import pytest

from ringfence.iam import actions
from ringfence.iam.evaluator import Policy
from ringfence.iam.problems import UndecidablePolicy
from ringfence.proofs.sweeps.permission_sweep import Caller, possible, summary

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/x"
TABLE = actions.load()
DENIALS = (
    {"StringNotEquals": {"aws:ResourceAccount": ACCOUNT}},
    {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-2", "us-east-1"]}},
    {"Bool": {"aws:ViaAWSMCPService": "true"}},
    {"Null": {"aws:SourceIdentity": "true"}},
)
BOUNDARY = [
    {"Effect": "Allow", "Action": "*", "Resource": "*"},
    *({"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition} for condition in DENIALS),
]


def policy(*statements: dict[str, Any]) -> Policy:
    return Policy.parse({"Version": "2012-10-17", "Statement": list(statements)})


def asked(grant: dict[str, Any]) -> list[str]:
    """The resources on which a role with this grant, under a boundary like ours, could do what it grants."""
    caller = Caller(ROLE, ACCOUNT, "eu-west-2", {"aws:principalaccount": ACCOUNT})
    by_type = {"identity": [policy({"Effect": "Allow", **grant})], "boundary": [policy(*BOUNDARY)]}
    return [each.request.resource for each in possible(caller, by_type, TABLE)]


@pytest.mark.parametrize(
    "resource",
    [
        f"arn:aws:iam::{ACCOUNT}:role/prod",
        "arn:aws:iam::*:role/prod",
        "arn:aws:iam::**:role/prod",
        "arn:aws:iam::1*:role/prod",
        "arn:aws:iam::*1*:role/prod",
        "arn:aws:iam::*3333:role/prod",
        "arn:aws:iam::????????????:role/prod",
        "arn:aws:iam::${aws:PrincipalAccount}:role/prod",
        "arn:aws:iam::*:role/*prod*",
        "arn:*",
        "*",
    ],
)
def test_however_the_account_is_written(resource: str) -> None:
    assert asked({"Action": "iam:PassRole", "Resource": resource})


@pytest.mark.parametrize("account", ["999999999999", "2*", "*4"])
def test_but_not_on_an_account_that_is_not_ours(account: str) -> None:
    assert not asked({"Action": "iam:PassRole", "Resource": f"arn:aws:iam::{account}:role/prod"})


@pytest.mark.parametrize(
    "condition",
    [
        {"StringLike": {"aws:RequestedRegion": "*"}},
        {"StringLike": {"aws:RequestedRegion": "eu-*"}},
        {"StringLike": {"aws:RequestedRegion": "eu-west-?"}},
        {"StringLike": {"aws:RequestedRegion": "us-*"}},
        {"StringEqualsIfExists": {"aws:RequestedRegion": ["us-west-2", "eu-west-2"]}},
        {"StringNotEquals": {"aws:RequestedRegion": "us-west-2"}},
        {"StringNotEquals": {"aws:RequestedRegion": ["us-west-2", "eu-west-2"]}},
        {"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}},
        {"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}},
        {"NumericLessThan": {"aws:MultiFactorAuthAge": "100"}},
        {"NumericGreaterThan": {"aws:MultiFactorAuthAge": "100"}},
        {"NumericGreaterThanEquals": {"aws:MultiFactorAuthAge": "100"}},
        {"Bool": {"aws:ViaAWSMCPService": ["true", "false"]}},
        {"StringEquals": {"aws:ViaAWSMCPService": ["true", "false"]}},
        {"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["anything"]}},
        {"ForAnyValue:StringLike": {"aws:TagKeys": ["a*", "b*"]}},
        {"StringNotEquals": {"aws:UserAgent": ["anything"]}},
        {"StringNotLike": {"aws:UserAgent": ["any*"]}},
    ],
)
def test_under_whatever_condition_that_can_hold(condition: dict[str, Any]) -> None:
    assert asked({"Action": "iam:PassRole", "Resource": "*", "Condition": condition})


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:RequestedRegion": "us-west-2"}},
        {"StringEquals": {"aws:ViaAWSMCPService": "true"}},
    ],
)
def test_but_not_under_one_that_is_denied(condition: dict[str, Any]) -> None:
    assert not asked({"Action": "iam:PassRole", "Resource": "*", "Condition": condition})


@pytest.mark.parametrize(
    "condition",
    [
        {"StringLike": {"aws:UserAgent": "a*"}, "StringNotEquals": {"aws:UserAgent": "aanything"}},
        {"Null": {"aws:SourceIdentity": "true"}},
        {
            "Bool": {"aws:ViaAWSMCPService": ["true", "false"]},
            "StringEquals": {f"aws:RequestTag/{key}": ["a", "b", "c"] for key in "vwxyz"},
        },
    ],
)
def test_a_condition_that_no_request_is_made_up_for_is_no_proof(condition: dict[str, Any]) -> None:
    with pytest.raises(UndecidablePolicy, match=r"no request can be made up|too many combinations"):
        asked({"Action": "iam:PassRole", "Resource": "*", "Condition": condition})


@pytest.mark.parametrize("resource", [f"arn:aws:sqs:eu-west-2:{ACCOUNT}:*", f"arn:aws:sns:eu-west-2:{ACCOUNT}:x", "*"])
def test_where_a_bare_name_ends_an_arn_all_of_the_account_is_not_all_there_is(resource: str) -> None:
    caller = Caller(ROLE, ACCOUNT, "eu-west-2", {"aws:principalaccount": ACCOUNT})
    actions_on_it = ["sqs:GetQueueUrl", "sns:GetTopicAttributes"]
    granted = policy({"Effect": "Allow", "Action": actions_on_it, "Resource": resource})
    found = {one.resource for one in summary(possible(caller, {"identity": [granted]}, TABLE))}
    assert found == {resource}
