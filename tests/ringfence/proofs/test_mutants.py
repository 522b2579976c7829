"""A statement that nothing needs survives; one that something needs is missed, and what misses it is named."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ringfence.deployed.assembly import Assembly
from ringfence.iam.actions import Action
from ringfence.iam.evaluator import EVERYTHING, Policy, Request
from ringfence.proofs.each.mutation import _boundaries
from ringfence.proofs.evidence import Evidence
from ringfence.proofs.sweeps.forbidden_requests import OF_ROLES
from ringfence.proofs.sweeps.mutants import (
    of_boundary,
    of_endpoint,
    of_organisation,
    of_trust,
    without,
)
from ringfence.proofs.sweeps.permission_sweep import AllowedRequest

ACCOUNT = "111122223333"
ANOTHER = "444455556666"
ROLE = "arn:aws:iam::111122223333:role/some"


def policy(*statements: dict[str, Any]) -> Policy:
    return Policy.parse({"Version": "2012-10-17", "Statement": list(statements)})


def allow(sid: str, action: str, **more: Any) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": "*", **more}


def deny(sid: str, action: str, **more: Any) -> dict[str, Any]:
    return {**allow(sid, action, **more), "Effect": "Deny"}


def question(action: str) -> AllowedRequest:
    request = Request(ROLE, action, "*", {"aws:RequestedRegion": "eu-west-2"})
    return AllowedRequest(Action(action, "Read", ()), request, {"identity": [EVERYTHING]}, "*", ())


def survivors(found: Any) -> list[str]:
    return [verdict.sid for verdict in found if verdict.noticed is None]


def test_an_allow_of_a_boundary_is_needed_for_what_a_role_does() -> None:
    boundary = policy(allow("Used", "s3:GetObject"), allow("Unused", "s3:PutObject"))

    verdicts = list(of_boundary("b", boundary, [question("s3:GetObject")], account=ACCOUNT))

    assert survivors(verdicts) == ["Unused"]
    assert verdicts[0].noticed == "s3:GetObject on * would be lost"


def test_two_allows_for_the_same_thing_are_one_too_many() -> None:
    boundary = policy(allow("One", "s3:GetObject"), allow("Other", "s3:Get*"))

    assert survivors(of_boundary("b", boundary, [question("s3:GetObject")], account=ACCOUNT)) == ["One", "Other"]


def test_a_deny_of_a_boundary_is_needed_only_for_a_named_danger() -> None:
    boundary = policy(deny("Unmask", "logs:Unmask"), deny("Nonsense", "ec2:DescribeVpcs"))

    verdicts = list(of_boundary("b", boundary, [], account=ACCOUNT))

    assert survivors(verdicts) == ["Nonsense"]
    assert "masked data in clear" in str(verdicts[0].noticed)


def test_a_danger_that_is_denied_twice_shows_neither_to_be_needed() -> None:
    boundary = policy(deny("Model", "bedrock-mantle:CreateInference"), deny("Models", "bedrock-mantle:*"))

    assert survivors(of_boundary("b", boundary, [], account=ACCOUNT)) == ["Model", "Models"]


def test_dangers_lie_in_the_account_of_the_roles() -> None:
    """In another account each would be refused for that alone, and no statement would be missed."""
    others = deny("Others", "*", Condition={"StringNotEquals": {"aws:ResourceAccount": ANOTHER}})
    records = {**deny("Records", "logs:StartQuery"), "Resource": f"arn:aws:logs:*:{ANOTHER}:log-group:/ringfence/*"}

    assert survivors(of_boundary("b", policy(others, records), [], account=ANOTHER)) == []


def test_every_deny_of_every_boundary_is_needed_in_whatever_account(evidence: Evidence, tmp_path: Path) -> None:
    """No department of anybody's has the example's account."""
    for file in (path for path in evidence.assembly.path.glob("*.json") if path.is_file()):
        (tmp_path / file.name).write_text(file.read_text().replace(ACCOUNT, ANOTHER))
    elsewhere = evidence.beside(Assembly.load(tmp_path))
    nothing_is_done: Any = SimpleNamespace(of_roles={})

    verdicts = [each for each in _boundaries(elsewhere, nothing_is_done) if each.sid.startswith("Deny")]

    assert len(verdicts) > 20
    assert survivors(verdicts) == []


def test_an_endpoint_statement_is_needed_for_what_goes_through() -> None:
    everyone = {"Principal": "*"}
    endpoint = policy(allow("Used", "s3:GetObject", **everyone), allow("Unused", "s3:PutObject", **everyone))

    assert survivors(of_endpoint("e", endpoint, [question("s3:GetObject")])) == ["Unused"]


def test_a_trust_statement_is_needed_for_who_must_come_in() -> None:
    trust = policy(
        {
            "Sid": "Function",
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        },
        {"Sid": "Nobody", "Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
    )

    assert survivors(of_trust("r", trust, ROLE, {"lambda.amazonaws.com": ["sts:AssumeRole"]})) == ["Nobody"]


def test_a_condition_is_needed_for_whom_it_keeps_out() -> None:
    function = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ours = {"StringEquals": {"aws:SourceAccount": "111122223333"}}
    useless = {"ForAllValues:StringLike": {"aws:TagKeys": "*"}}
    trust = policy({**function, "Sid": "Function", "Condition": {**ours, **useless}})

    verdicts = list(of_trust("r", trust, ROLE, {"lambda.amazonaws.com": ["sts:AssumeRole"]}))

    assert [verdict.sid for verdict in verdicts if verdict.noticed] == [
        "Function",
        "Function without its aws:SourceAccount",
    ]
    assert survivors(verdicts) == ["Function without its aws:TagKeys"]


def test_a_condition_that_another_statement_makes_up_for_survives() -> None:
    held = allow("Held", "s3:GetObject", Principal="*", Condition={"StringEquals": {"aws:PrincipalAccount": "1"}})
    loose = allow("Loose", "s3:GetObject", Principal="*")

    assert survivors(of_endpoint("e", policy(held, loose), [question("s3:GetObject")])) == [
        "Held",
        "Held without its aws:PrincipalAccount",
    ]


def test_a_guardrail_is_needed_for_a_danger_that_no_other_guardrail_denies() -> None:
    policies = {
        "a": policy(deny("Stop", "cloudtrail:StopLogging"), deny("Twice", "s3:*")),
        "b": policy(deny("S3", "s3:*")),
    }
    forbidden_requests = [Request(ROLE, "cloudtrail:StopLogging", "*"), Request(ROLE, "s3:PutObject", "*")]

    assert survivors(of_organisation("scp", policies, EVERYTHING, forbidden_requests)) == ["Twice", "S3"]


def test_every_danger_is_possible_for_a_role_without_any_boundary() -> None:
    assert len({forbidden.name for forbidden in OF_ROLES}) == len(OF_ROLES)
    for forbidden in OF_ROLES:
        assert EVERYTHING.statements[0].covers_action(forbidden.action)


def test_without_leaves_the_others_in_their_order() -> None:
    whole = policy(allow("One", "a:A"), allow("Two", "b:B"), allow("Three", "c:C"))

    assert [each.sid for each in without(whole, whole.statements[1]).statements] == ["One", "Three"]
