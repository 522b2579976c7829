"""Proof 11: each role is taken by whoever works as it, a persona's for a named human; and every other way to one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ringfence.proofs.each import trust as proof_trust
from ringfence.proofs.evidence import Evidence
from ringfence.proofs.findings import Outcome
from ringfence.proofs.sweeps.permission_sweeps import PermissionSweeps

Planted = Callable[..., Evidence]
Change = Callable[[dict[str, Any]], None]
PERSONA = "AuditorRole"
RUNTIME = "AuditorIamRuntimeExecutionRole"
ACCOUNT = {"AWS": "arn:aws:iam::111122223333:root"}


def messages(outcome: Outcome) -> str:
    return "\n".join(str(finding) for finding in outcome.findings)


def trust(role: str, index: int, **elements: Any) -> Change:
    def change(resources: dict[str, Any]) -> None:
        resources[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"][index].update(elements)

    return change


def without_condition(role: str, index: int, operator: str, key: str) -> Change:
    def change(resources: dict[str, Any]) -> None:
        statement = resources[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"][index]
        del statement["Condition"][operator][key]

    return change


def own(sid: str, edit: Change) -> Change:
    """One statement of the runtime's own policy, changed."""

    def change(resources: dict[str, Any]) -> None:
        document = resources["AuditorIamRuntimeExecutionPolicy"]["Properties"]["PolicyDocument"]
        (statement,) = [each for each in document["Statement"] if each["Sid"] == sid]
        edit(statement)

    return change


def put(operator: str, key: str, value: Any) -> Change:
    return lambda statement: statement["Condition"][operator].update({key: value})


def drop(operator: str, key: str) -> Change:
    return lambda statement: statement["Condition"][operator].pop(key)


def and_another_tag(resources: dict[str, Any]) -> None:
    statement = resources[PERSONA]["Properties"]["AssumeRolePolicyDocument"]["Statement"][2]
    statement["Condition"]["ForAllValues:StringEquals"]["aws:TagKeys"].append("other")


NAMED = "AssumePersonaRoleWithSourceIdentity"
FAULTS: list[tuple[str, Change, str]] = [
    (
        "the account",
        trust(PERSONA, 0, Principal=ACCOUNT),
        "trust of role AuditorRole: admits arn:aws:iam::111122223333:role/administrator, which does not work as it",
    ),
    ("a service", trust(PERSONA, 0, Principal={"Service": "ec2.amazonaws.com"}), "AuditorRole: admits ec2.amazonaws"),
    ("anybody's", trust(PERSONA, 0, Principal="*"), "admits arn:aws:iam::000000000000:user/somebody, which"),
    ("federated", trust(PERSONA, 0, Principal={"Federated": "example.org"}), "admits federated principals"),
    (
        "a web identity",
        trust(PERSONA, 0, Action="sts:AssumeRoleWithWebIdentity"),
        "sts:AssumeRoleWithWebIdentity (Allow",
    ),
    (
        "a function of another account",
        trust("AuditorInterceptorRequestExecutionRole", 0, Principal={"AWS": "arn:aws:iam::000000000000:root"}),
        "AuditorInterceptorRequestExecutionRole: admits arn:aws:iam::000000000000:role/administrator, which",
    ),
    (
        "a gateway for others",
        trust("AuditorGatewayServiceRole", 0, Condition={}),
        "AuditorGatewayServiceRole: lets bedrock-agentcore.amazonaws.com take it for another account",
    ),
    (
        "an empty name",
        trust(PERSONA, 1, Condition={"StringLike": {"sts:SourceIdentity": "*"}}),
        "trust of role AuditorRole: admits sts:SetSourceIdentity for nobody",
    ),
    (
        "no name",
        without_condition(PERSONA, 0, "StringLike", "sts:SourceIdentity"),
        "trust of role AuditorRole: admits sts:AssumeRole for nobody",
    ),
    (
        "any department",
        without_condition(PERSONA, 0, "StringEquals", "aws:RequestTag/department"),
        "trust of role AuditorRole: admits sts:AssumeRole with another tag department",
    ),
    (
        "any persona",
        without_condition(PERSONA, 2, "StringEquals", "aws:RequestTag/persona"),
        "trust of role AuditorRole: admits sts:TagSession with another tag persona",
    ),
    (
        "no call",
        without_condition(PERSONA, 0, "StringLike", "aws:RequestTag/call"),
        "trust of role AuditorRole: admits sts:AssumeRole without the tag call",
    ),
    ("a further tag", and_another_tag, "trust of role AuditorRole: admits sts:TagSession with a further tag"),
    (
        "a name that tagging does not know",
        trust(PERSONA, 2, Condition={"StringLike": {"sts:SourceIdentity": "?*"}}),
        f"refuses sts:TagSession to {RUNTIME}, whose calls need it",
    ),
    (
        "the runtime's empty name",
        own(NAMED, put("StringLike", "sts:SourceIdentity", "*")),
        f"role {RUNTIME}: admits sts:AssumeRole for nobody",
    ),
    (
        "the runtime's lack of a name",
        own("SetSourceIdentity", drop("StringLike", "sts:SourceIdentity")),
        f"role {RUNTIME}: admits sts:SetSourceIdentity for nobody",
    ),
    (
        "the runtime's choice of persona",
        own(NAMED, drop("StringEquals", "aws:RequestTag/persona")),
        f"role {RUNTIME}: admits sts:AssumeRole with another tag persona",
    ),
    (
        "the runtime's further tag",
        own("TagSession", lambda statement: statement["Condition"].pop("ForAllValues:StringEquals")),
        f"role {RUNTIME}: admits sts:TagSession with a further tag",
    ),
]


def test_every_role_of_every_department_is_taken_by_its_own(
    each: Evidence, sweeps_of: dict[str, PermissionSweeps]
) -> None:
    outcome = proof_trust.prove(each, sweeps_of[each.department.name])

    assert messages(outcome) == ""
    assert outcome.holds


@pytest.mark.parametrize(("change", "expected"), [each[1:] for each in FAULTS], ids=[each[0] for each in FAULTS])
def test_another_way_to_take_a_role_is_found(
    change: Change, expected: str, planted: Planted, sweeps_of: dict[str, PermissionSweeps]
) -> None:
    # Only the last step looks at the sweep; the real one serves.
    found = messages(proof_trust.prove(planted(auditor=change), sweeps_of["example-production"]))

    assert expected in found


FRIEND = "999988887777"


@pytest.mark.parametrize("index", [0, 1, 2], ids=["taking", "naming", "tagging"])
@pytest.mark.parametrize(
    ("friend", "told"),
    [
        (f"arn:aws:iam::{FRIEND}:root", f"arn:aws:iam::{FRIEND}:root"),
        (FRIEND, f"arn:aws:iam::{FRIEND}:root"),
        (f"arn:aws:iam::{FRIEND}:role/friend", f"arn:aws:iam::{FRIEND}:role/friend"),
        (f"arn:aws:sts::{FRIEND}:assumed-role/friend/anybody", f"arn:aws:sts::{FRIEND}:assumed-role/friend/anybody"),
    ],
    ids=["account", "number", "role", "session"],
)
def test_whoever_a_trust_names_beside_its_own_is_found(
    friend: str, told: str, index: int, planted: Planted, sweeps_of: dict[str, PermissionSweeps]
) -> None:
    def change(resources: dict[str, Any]) -> None:
        statement = resources[PERSONA]["Properties"]["AssumeRolePolicyDocument"]["Statement"][index]
        named = statement["Principal"]["AWS"]
        statement["Principal"]["AWS"] = [*(named if isinstance(named, list) else [named]), friend]

    found = messages(proof_trust.prove(planted(auditor=change), sweeps_of["example-production"]))

    assert f"trust of role AuditorRole: admits {told}, which does not work as it" in found


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("aws:PrincipalArn", f"arn:aws:iam::{FRIEND}:role/friend"),
        ("aws:PrincipalArn", "*role/friend"),
        ("aws:PrincipalAccount", FRIEND),
        ("aws:PrincipalOrgID", "o-another000"),
    ],
)
def test_whoever_a_trusts_condition_names_is_found(
    key: str, value: str, planted: Planted, sweeps_of: dict[str, PermissionSweeps]
) -> None:
    condition = {"StringLike": {"sts:SourceIdentity": "?*", key: value}}
    change = trust(PERSONA, 0, Principal={"AWS": "*"}, Condition=condition)
    found = messages(proof_trust.prove(planted(auditor=change), sweeps_of["example-production"]))

    assert "trust of role AuditorRole: admits arn:aws:iam::" in found


@pytest.mark.parametrize("service", ["glue.amazonaws.com", "lambda.amazonaws.com"])
def test_another_service_that_a_trust_names_is_found(
    service: str, planted: Planted, sweeps_of: dict[str, PermissionSweeps]
) -> None:
    change = trust("AuditorGatewayServiceRole", 0, Principal={"Service": ["bedrock-agentcore.amazonaws.com", service]})
    found = messages(proof_trust.prove(planted(auditor=change), sweeps_of["example-production"]))

    assert f"trust of role AuditorGatewayServiceRole: admits {service}, which does not work as it" in found


def test_a_service_that_works_for_two_accounts_is_found(
    planted: Planted, sweeps_of: dict[str, PermissionSweeps]
) -> None:
    condition = {"StringEquals": {"aws:SourceAccount": ["111122223333", FRIEND]}}
    change = trust("AuditorGatewayServiceRole", 0, Condition=condition)
    found = messages(proof_trust.prove(planted(auditor=change), sweeps_of["example-production"]))

    assert "AuditorGatewayServiceRole: lets bedrock-agentcore.amazonaws.com take it for another account" in found


def test_a_runtime_that_can_become_another_persona_is_found(planted: Planted) -> None:
    operator = "arn:aws:iam::111122223333:role/ringfence-example-production-operator"
    weakened = planted(auditor=own(NAMED, lambda statement: statement.update(Resource=operator)))

    assert f"role {RUNTIME}: can become {operator}" in messages(proof_trust.prove(weakened))


SECURITY = "arn:aws:iam::111122223333:role/security-response"


@pytest.mark.parametrize(
    ("trusted", "stranger"),
    [
        (f"{SECURITY}*", f"{SECURITY}x"),
        ("arn:aws:iam::111122223333:role/*security-response", "arn:aws:iam::111122223333:role/xsecurity-response"),
        ("arn:aws:iam::111122223333:role/*security-response", "arn:aws:iam::111122223333:role/path/security-response"),
        ("arn:aws:iam::111122223333:role/security-respons*", "arn:aws:iam::111122223333:role/security-respons"),
    ],
    ids=["longer", "longer before", "another path", "shorter"],
)
def test_a_role_called_nearly_as_securitys_cannot_switch_off(planted: Planted, trusted: str, stranger: str) -> None:
    def change(resources: dict[str, Any]) -> None:
        (statement,) = resources["SwitchOffRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        statement["Condition"]["ArnLike"]["aws:PrincipalArn"] = [trusted]

    (stack,) = [
        name.rpartition("-")[2]
        for name, each in planted().assembly.stacks.items()
        if "SwitchOffRole" in each.template["Resources"]
    ]
    found = messages(proof_trust.prove(planted(**{stack: change})))

    assert f"trust of role SwitchOffRole: admits {stranger}, which does not work as it" in found


@pytest.mark.parametrize("named", ["on-call/AWSReservedSSO_Security_*", "security-response"])
def test_names_nearly_as_a_departments_are_none_that_it_names(named: str) -> None:
    near = [each for each in proof_trust.near_names([named, "security-respons"]) if "response" in each or "SSO" in each]

    assert near
    assert "on-call/AWSReservedSSO_Security_abcx" not in near
    assert "security-respons" not in near


def test_a_session_that_outlasts_an_hour_is_found(planted: Planted) -> None:
    longer = planted(auditor=lambda resources: resources[PERSONA]["Properties"].update(MaxSessionDuration=43200))

    assert "role AuditorRole: gives sessions of 43200 seconds" in messages(proof_trust.prove(longer))


def test_whoever_must_take_a_role_is_named_by_the_templates(evidence: Evidence) -> None:
    taken = proof_trust.callers(evidence)

    assert len(taken["arn:aws:iam::111122223333:role/ringfence-example-production-auditor"]) == 4
    assert taken["arn:aws:iam::111122223333:role/ringfence-example-production-switch-off"] == {
        "arn:aws:iam::111122223333:role/security-response": ("sts:AssumeRole",)
    }
