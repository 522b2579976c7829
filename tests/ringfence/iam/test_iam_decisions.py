"""The policy evaluator against expectations worked out by hand from the IAM reference."""

# ruff: noqa: E501 - one case a line reads as a table

from __future__ import annotations

from typing import Any

import pytest

from ringfence.iam.evaluator import Decision, Policy, Request, UndecidablePolicy, decide, granted_resources

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/auditor"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/auditor/01CALL"
USER = f"arn:aws:iam::{ACCOUNT}:user/example"


def statement(**elements: Any) -> dict[str, Any]:
    return {"Sid": "S", "Effect": "Allow", "Action": "*", "Resource": "*", **elements}


def policy(*statements: dict[str, Any], version: str = "2012-10-17") -> dict[str, Any]:
    return {"Version": version, "Statement": list(statements)}


def without(element: str, **elements: Any) -> dict[str, Any]:
    made = statement(**elements)
    del made[element]
    return made


ALLOW_ALL = policy(statement())
REGION_LOCK = policy(
    statement(),
    without(
        "Action",
        Sid="OnlyLondon",
        Effect="Deny",
        NotAction=["iam:*", "sts:*"],
        Condition={"StringNotEquals": {"aws:RequestedRegion": "eu-west-2"}},
    ),
)


def ask(
    by_type: dict[str, list[Any]],
    action: str = "iam:ListUsers",
    resource: str = "*",
    principal: str = SESSION,
    **context: Any,
) -> Decision:
    keys: dict[str, object] = {"aws:PrincipalArn": ROLE} if principal == SESSION else {}
    keys |= {name.replace("__", ":").replace("_slash_", "/"): value for name, value in context.items()}
    return decide(Request(principal, action, resource, keys), by_type)


def identity(*statements: dict[str, Any]) -> dict[str, list[Any]]:
    return {"identity": [policy(*statements)]}


def conditioned(condition: dict[str, Any], *, effect: str = "Allow") -> dict[str, list[Any]]:
    return identity(statement(Effect=effect, Condition=condition))


# (name, policies by type, request, allowed, type that refused)
CASES: list[tuple[str, dict[str, list[Any]], dict[str, Any], bool, str | None]] = [
    # Actions
    ("nothing grants", {"identity": []}, {}, False, "identity"),
    ("an action grants", identity(statement(Action="iam:ListUsers")), {}, True, None),
    ("action case does not matter", identity(statement(Action="IAM:listusers")), {}, True, None),
    ("another action does not", identity(statement(Action="iam:GetUser")), {}, False, "identity"),
    ("an asterisk in an action", identity(statement(Action="iam:List*")), {}, True, None),
    ("a question mark is one character", identity(statement(Action="iam:ListUser?")), {}, True, None),
    ("a question mark is not none", identity(statement(Action="iam:ListUsers?")), {}, False, "identity"),
    ("NotAction leaves out", identity(without("Action", NotAction="iam:*")), {}, False, "identity"),
    ("NotAction admits the rest", identity(without("Action", NotAction="s3:*")), {}, True, None),
    ("a full stop is no wildcard", identity(statement(Action="iam.ListUsers")), {}, False, "identity"),
    # Explicit deny
    (
        "a deny wins over an allow",
        identity(statement(), statement(Sid="No", Effect="Deny", Action="iam:*")),
        {},
        False,
        "identity",
    ),
    ("a deny elsewhere does not matter", identity(statement(), statement(Effect="Deny", Action="s3:*")), {}, True, None),
    # Resources
    (
        "a resource pattern",
        identity(statement(Resource="arn:aws:s3:::reports/*")),
        {"action": "s3:GetObject", "resource": "arn:aws:s3:::reports/2026/may"},
        True,
        None,
    ),
    (
        "resource case matters",
        identity(statement(Resource="arn:aws:s3:::Reports/*")),
        {"action": "s3:GetObject", "resource": "arn:aws:s3:::reports/may"},
        False,
        "identity",
    ),
    (
        "the bucket is not its objects",
        identity(statement(Resource="arn:aws:s3:::reports/*")),
        {"action": "s3:ListBucket", "resource": "arn:aws:s3:::reports"},
        False,
        "identity",
    ),
    (
        "NotResource leaves out",
        identity(without("Resource", NotResource="arn:aws:s3:::secret/*")),
        {"action": "s3:GetObject", "resource": "arn:aws:s3:::secret/a"},
        False,
        "identity",
    ),
    (
        "NotResource admits the rest",
        identity(without("Resource", NotResource="arn:aws:s3:::secret/*")),
        {"action": "s3:GetObject", "resource": "arn:aws:s3:::open/a"},
        True,
        None,
    ),
    # Region lock by NotAction
    ("the lock lets London through", {"identity": [REGION_LOCK]}, {"action": "logs:StartQuery", "aws__RequestedRegion": "eu-west-2"}, True, None),
    ("the lock stops Ireland", {"identity": [REGION_LOCK]}, {"action": "logs:StartQuery", "aws__RequestedRegion": "eu-west-1"}, False, "identity"),
    ("the lock exempts IAM", {"identity": [REGION_LOCK]}, {"aws__RequestedRegion": "us-east-1"}, True, None),
    ("no region at all is not London", {"identity": [REGION_LOCK]}, {"action": "logs:StartQuery"}, False, "identity"),
    # Types of policy
    ("boundary allows, session does not", {"identity": [ALLOW_ALL], "boundary": [ALLOW_ALL], "session": [policy(statement(Action="iam:GetUser"))]}, {}, False, "session"),
    ("identity allows, boundary does not", {"identity": [ALLOW_ALL], "boundary": [policy(statement(Action="logs:*"))]}, {}, False, "boundary"),
    ("a boundary grants nothing", {"identity": [], "boundary": [ALLOW_ALL]}, {}, False, "identity"),
    ("a session policy grants nothing", {"identity": [], "session": [ALLOW_ALL]}, {}, False, "identity"),
    ("an empty session policy allows nothing", {"identity": [ALLOW_ALL], "session": [policy()]}, {}, False, "session"),
    ("every type allows", {"identity": [ALLOW_ALL], "boundary": [ALLOW_ALL], "session": [ALLOW_ALL], "scp": [ALLOW_ALL], "endpoint": [policy(statement(Principal="*"))]}, {}, True, None),
    ("an SCP denies", {"identity": [ALLOW_ALL], "scp": [ALLOW_ALL, policy(statement(Effect="Deny", Action="iam:*"))]}, {}, False, "scp"),
    ("an SCP that does not allow", {"identity": [ALLOW_ALL], "scp": [policy(statement(Action="s3:*"))]}, {}, False, "scp"),
    ("an endpoint for another account", {"identity": [ALLOW_ALL], "endpoint": [policy(statement(Principal="*", Condition={"StringEquals": {"aws:PrincipalAccount": "444455556666"}}))]}, {"aws__PrincipalAccount": ACCOUNT}, False, "endpoint"),
    ("two identity policies are a union", {"identity": [policy(statement(Action="s3:*")), policy(statement(Action="iam:*"))]}, {}, True, None),
    # Resource policies
    ("a resource policy that names the role grants", {"identity": [], "resource": [policy(statement(Principal={"AWS": ROLE}))]}, {}, True, None),
    ("a resource policy that names the account only delegates", {"identity": [], "resource": [policy(statement(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}))]}, {}, False, "identity"),
    ("a resource policy for another role", {"identity": [], "resource": [policy(statement(Principal={"AWS": ROLE + "-2"}))]}, {}, False, "identity"),
    ("a resource policy's deny counts", {"identity": [ALLOW_ALL], "resource": [policy(statement(Effect="Deny", Principal="*"))]}, {}, False, "resource"),
    ("a boundary limits what a resource policy grants", {"identity": [], "boundary": [policy(statement(Action="s3:*"))], "resource": [policy(statement(Principal={"AWS": ROLE}))]}, {}, False, "boundary"),
    ("a silent resource policy does not take away", {"identity": [ALLOW_ALL], "resource": [policy(statement(Principal={"AWS": ROLE + "-2"}))]}, {}, True, None),
    ("a service by a resource policy alone", {"resource": [policy(statement(Principal={"Service": "lambda.amazonaws.com"}))]}, {"principal": "lambda.amazonaws.com"}, True, None),
    ("another service", {"resource": [policy(statement(Principal={"Service": "lambda.amazonaws.com"}))]}, {"principal": "ec2.amazonaws.com"}, False, "resource"),
    ("NotPrincipal spares a caller listed with role, session and account", {"identity": [ALLOW_ALL], "resource": [policy(statement(Effect="Deny", NotPrincipal={"AWS": [ROLE, SESSION, f"arn:aws:iam::{ACCOUNT}:root"]}))]}, {}, True, None),
    ("NotPrincipal hits a caller listed by role only", {"identity": [ALLOW_ALL], "resource": [policy(statement(Effect="Deny", NotPrincipal={"AWS": ROLE}))]}, {}, False, "resource"),
    ("a key policy is a veto", {"identity": [ALLOW_ALL], "key": [policy(statement(Principal={"AWS": USER}))]}, {"action": "kms:Sign"}, False, "key"),
    ("a key policy that delegates to the account", {"identity": [ALLOW_ALL], "key": [policy(statement(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}))]}, {"action": "kms:Sign"}, True, None),
    # Trust policies
    ("a trust policy alone", {"trust": [policy(without("Resource", Action="sts:AssumeRole", Principal={"Service": "lambda.amazonaws.com"}))]}, {"principal": "lambda.amazonaws.com", "action": "sts:AssumeRole", "resource": ROLE}, True, None),
    ("a trust policy that wants the source account", {"trust": [policy(without("Resource", Action="sts:AssumeRole", Principal={"Service": "lambda.amazonaws.com"}, Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}}))]}, {"principal": "lambda.amazonaws.com", "action": "sts:AssumeRole", "resource": ROLE}, False, "trust"),
    ("permission to assume without trust", {"identity": [ALLOW_ALL], "trust": []}, {"action": "sts:AssumeRole", "resource": ROLE}, False, "trust"),
    # Missing keys
    ("StringEquals on an absent key", conditioned({"StringEquals": {"aws:SourceIdentity": "staff-1"}}), {}, False, "identity"),
    ("StringNotEquals on an absent key", conditioned({"StringNotEquals": {"aws:SourceIdentity": "x"}}), {}, True, None),
    ("IfExists on an absent key", conditioned({"StringEqualsIfExists": {"aws:SourceIdentity": "staff-1"}}), {}, True, None),
    ("IfExists on another value", conditioned({"StringEqualsIfExists": {"aws:SourceIdentity": "staff-1"}}), {"aws__SourceIdentity": "staff-2"}, False, "identity"),
    ("Null true wants the key absent", conditioned({"Null": {"aws:SourceIdentity": "true"}}), {}, True, None),
    ("Null true and the key is there", conditioned({"Null": {"aws:SourceIdentity": "true"}}), {"aws__SourceIdentity": "s"}, False, "identity"),
    ("Null false wants the key", conditioned({"Null": {"aws:SourceIdentity": "false"}}), {}, False, "identity"),
    ("deny without a source identity", {"identity": [ALLOW_ALL], "boundary": [policy(statement(), statement(Effect="Deny", Condition={"Null": {"aws:SourceIdentity": "true"}}))]}, {}, False, "boundary"),
    ("deny does not fire with one", {"identity": [ALLOW_ALL], "boundary": [policy(statement(), statement(Effect="Deny", Condition={"Null": {"aws:SourceIdentity": "true"}}))]}, {"aws__SourceIdentity": "staff-1"}, True, None),
    ("an empty list is an absent key", conditioned({"Null": {"aws:TagKeys": "true"}}), {"aws__TagKeys": []}, True, None),
    # Operators
    ("condition keys ignore case", conditioned({"StringEquals": {"AWS:requestedregion": "eu-west-2"}}), {"aws__RequestedRegion": "eu-west-2"}, True, None),
    ("StringEquals knows no wildcard", conditioned({"StringEquals": {"aws:SourceIdentity": "staff-*"}}), {"aws__SourceIdentity": "staff-1"}, False, "identity"),
    ("StringLike does", conditioned({"StringLike": {"aws:SourceIdentity": "?*"}}), {"aws__SourceIdentity": "staff-1"}, True, None),
    ("any of several values", conditioned({"StringEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-west-2"]}}), {"aws__RequestedRegion": "eu-west-2"}, True, None),
    ("none of several values", conditioned({"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-west-2"]}}), {"aws__RequestedRegion": "eu-west-2"}, False, "identity"),
    ("two keys must both hold", conditioned({"StringEquals": {"aws:RequestedRegion": "eu-west-2", "aws:SourceIdentity": "s"}}), {"aws__RequestedRegion": "eu-west-2"}, False, "identity"),
    ("StringEqualsIgnoreCase", conditioned({"StringEqualsIgnoreCase": {"aws:SourceIdentity": "STAFF"}}), {"aws__SourceIdentity": "staff"}, True, None),
    ("Bool", conditioned({"Bool": {"aws:SecureTransport": "true"}}), {"aws__SecureTransport": True}, True, None),
    ("Bool false", conditioned({"Bool": {"aws:SecureTransport": "false"}}, effect="Deny") | {"boundary": [ALLOW_ALL]}, {"aws__SecureTransport": False}, False, "identity"),
    ("IpAddress inside", conditioned({"IpAddress": {"aws:VpcSourceIp": "10.0.0.0/16"}}), {"aws__VpcSourceIp": "10.0.3.4"}, True, None),
    ("IpAddress outside", conditioned({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}), {"aws__SourceIp": "198.51.100.7"}, False, "identity"),
    ("NotIpAddress", conditioned({"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}), {"aws__SourceIp": "198.51.100.7"}, True, None),
    ("NumericLessThanEquals", conditioned({"NumericLessThanEquals": {"aws:MultiFactorAuthAge": "900"}}), {"aws__MultiFactorAuthAge": 900}, True, None),
    ("NumericLessThan compares numbers, not text", conditioned({"NumericLessThan": {"aws:MultiFactorAuthAge": "900"}}), {"aws__MultiFactorAuthAge": 1000}, False, "identity"),
    ("DateLessThan", conditioned({"DateLessThan": {"aws:CurrentTime": "2026-12-01T00:00:00Z"}}), {"aws__CurrentTime": "2026-11-22T09:00:00Z"}, True, None),
    ("DateGreaterThan with an epoch", conditioned({"DateGreaterThan": {"aws:TokenIssueTime": "2026-11-22T00:00:00Z"}}), {"aws__TokenIssueTime": 0}, False, "identity"),
    ("ArnLike compares part by part", conditioned({"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/aud*"}}), {}, True, None),
    ("an ArnLike asterisk does not cross a colon", conditioned({"ArnLike": {"aws:SourceArn": "arn:aws:*:function:x"}}), {"aws__SourceArn": f"arn:aws:lambda:eu-west-2:{ACCOUNT}:function:x"}, False, "identity"),
    ("ArnNotEquals on the caller", conditioned({"ArnNotEquals": {"aws:PrincipalArn": ROLE}}, effect="Deny") | {"resource": [policy(statement(Principal="*"))]}, {}, True, None),
    # Sets
    ("ForAllValues on an empty set", conditioned({"ForAllValues:StringEquals": {"aws:TagKeys": ["call"]}}), {"aws__TagKeys": []}, True, None),
    ("ForAllValues on an absent key", conditioned({"ForAllValues:StringEquals": {"aws:TagKeys": ["call"]}}), {}, True, None),
    ("ForAllValues with a stranger", conditioned({"ForAllValues:StringEquals": {"aws:TagKeys": ["call"]}}), {"aws__TagKeys": ["call", "admin"]}, False, "identity"),
    ("ForAnyValue with one that fits", conditioned({"ForAnyValue:StringEquals": {"aws:TagKeys": ["call"]}}), {"aws__TagKeys": ["call", "admin"]}, True, None),
    ("ForAnyValue on an empty set", conditioned({"ForAnyValue:StringEquals": {"aws:TagKeys": ["call"]}}), {"aws__TagKeys": []}, False, "identity"),
    ("ForAnyValue with a negation on an absent key", conditioned({"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["call"]}}), {}, False, "identity"),
    # Variables
    ("a variable in a resource", identity(statement(Resource="arn:aws:s3:::home/${aws:PrincipalTag/team}/*")), {"action": "s3:GetObject", "resource": "arn:aws:s3:::home/blue/a", "aws__PrincipalTag_slash_team": "blue"}, True, None),
    ("a variable's asterisk is no wildcard", identity(statement(Resource="arn:aws:s3:::home/${aws:PrincipalTag/team}/*")), {"action": "s3:GetObject", "resource": "arn:aws:s3:::home/blue/a", "aws__PrincipalTag_slash_team": "*"}, False, "identity"),
    ("a variable without a value matches nothing", identity(statement(Resource="arn:aws:s3:::home/${aws:PrincipalTag/team}/*")), {"action": "s3:GetObject", "resource": "arn:aws:s3:::home//a"}, False, "identity"),
    ("a variable's default", identity(statement(Resource="arn:aws:s3:::home/${aws:PrincipalTag/team, 'none'}/*")), {"action": "s3:GetObject", "resource": "arn:aws:s3:::home/none/a"}, True, None),
    ("a variable in a condition", conditioned({"StringEquals": {"sts:SourceIdentity": "${aws:RequestTag/user}"}}), {"sts__SourceIdentity": "s-1", "aws__RequestTag_slash_user": "s-1"}, True, None),
    ("an escaped asterisk", identity(statement(Resource="arn:aws:s3:::a/${*}")), {"action": "s3:GetObject", "resource": "arn:aws:s3:::a/b"}, False, "identity"),
    ("a colon in a variable does not shift an ARN", conditioned({"ArnLike": {"aws:SourceArn": "arn:aws:s3:::${aws:PrincipalTag/b}"}}), {"aws__SourceArn": "arn:aws:s3:::x:y", "aws__PrincipalTag_slash_b": "x:y"}, True, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("by_type", "request_", "allowed", "policy_type"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_decision(
    by_type: dict[str, list[Any]], request_: dict[str, Any], allowed: bool, policy_type: str | None
) -> None:
    decision = ask(by_type, **request_)
    assert (decision.allowed, decision.policy_type) == (allowed, policy_type), decision.reason


def test_old_policy_versions_know_no_variables() -> None:
    document = policy(statement(Resource="arn:aws:s3:::home/${aws:PrincipalTag/team}"), version="2008-10-17")
    refused = decide(
        Request(SESSION, "s3:Get", "arn:aws:s3:::home/blue", {"aws:PrincipalTag/team": "blue"}),
        {"identity": [document]},
    )
    assert not refused.allowed


def test_a_refusal_names_the_layer_and_the_statement() -> None:
    decision = ask(
        {
            "identity": [ALLOW_ALL],
            "boundary": [policy(statement(), statement(Sid="NoIam", Effect="Deny", Action="iam:*"))],
        }
    )
    assert (decision.policy_type, decision.sid, decision.explicit) == ("boundary", "NoIam", True)
    assert decision.reason == "iam:ListUsers on * is denied by NoIam of the boundary policy"


def test_an_unnamed_statement_is_called_by_its_place() -> None:
    denied = ask(identity(statement(), without("Sid", Effect="Deny")))
    assert denied.sid == "statement 2"


def test_an_explicit_deny_is_reported_before_a_missing_allow() -> None:
    by_type = {"identity": [], "boundary": [policy(statement(Sid="Never", Effect="Deny"))]}
    assert ask(by_type).sid == "Never"


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (policy(statement(Condition={"StringMatches": {"a": "b"}})), "StringMatches"),
        (policy(statement(Condition={"ForSomeValues:StringEquals": {"a": "b"}})), "ForSomeValues"),
        (policy(statement(Principle="*")), "Principle"),
        (policy(statement(Effect="Permit")), "Permit"),
        (policy(statement(NotAction="s3:*")), "exactly one of Action and NotAction"),
        (policy(without("Action")), "exactly one of Action and NotAction"),
        (policy(statement(NotResource="x")), "both Resource and NotResource"),
        (policy(statement(), version="2011-01-01"), "2011-01-01"),
        (policy(without("Resource")), "a resource is missing"),
        (policy(statement(Principal="*")), "unexpected in identity"),
        (policy(statement(Principal={"Robot": "x"})), "Robot"),
        (policy(statement(Action=[{"Ref": "X"}])), "text was expected"),
        ({"Version": "2012-10-17", "Statements": []}, "Statements"),
    ],
)
def test_what_the_evaluator_does_not_know_raises(document: dict[str, Any], says: str) -> None:
    with pytest.raises(UndecidablePolicy, match=says):
        ask({"identity": [document]})


def test_an_allow_for_not_principal_raises() -> None:
    document = policy({**statement(), "NotPrincipal": {"AWS": ROLE}})
    with pytest.raises(UndecidablePolicy, match="NotPrincipal"):
        ask({"resource": [document]})


def test_an_unknown_operator_raises_even_where_no_request_reaches_it() -> None:
    with pytest.raises(UndecidablePolicy):
        ask(identity(statement(), statement(Action="s3:*", Condition={"StringMatches": {"a": "b"}})))


def test_several_values_under_a_plain_operator_raise() -> None:
    with pytest.raises(UndecidablePolicy, match="ForAllValues or ForAnyValue"):
        ask(conditioned({"StringEquals": {"aws:TagKeys": "a"}}), aws__TagKeys=["a", "b"])


def test_an_unknown_layer_raises() -> None:
    with pytest.raises(UndecidablePolicy, match="'organisation'"):
        ask({"organisation": [ALLOW_ALL]})


def test_it_is_known_whether_the_resource_matters() -> None:
    by_type = {"identity": [policy(statement(Action="s3:*"), statement(Action="iam:GetUser", Resource=USER))]}
    assert not granted_resources("s3:GetObject", by_type)
    assert granted_resources("iam:GetUser", by_type)


def test_a_parsed_policy_decides_like_its_document() -> None:
    assert ask({"identity": [Policy.parse(ALLOW_ALL)]}).allowed


@pytest.mark.parametrize(
    "document",
    [
        "x",
        [],
        None,
        {"Statement": None},
        {"Statement": "x"},
        {"Statement": ["x"]},
        {"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Condition": "x"}]},
        {"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Condition": {"Bool": "x"}}]},
    ],
)
def test_a_document_of_another_form_is_refused(document: Any) -> None:
    with pytest.raises(UndecidablePolicy, match="object"):
        Policy.parse(document)
