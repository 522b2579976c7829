"""The key that signs Txn-Tokens."""

from __future__ import annotations

from typing import Any

import pytest

from callpath import txn_token
from constructs.runtime.txn_token_key import TXN_TOKEN_HEADER, TxnTokenKey
from ringfence.iam.evaluator import Request, decide

SIGNER = "arn:aws:iam::111122223333:role/request"
SWITCH = "arn:aws:iam::111122223333:role/ringfence-x-switch-off"
KEY = "arn:aws:kms:eu-west-2:111122223333:key/1"
VERIFIERS = ["arn:aws:iam::111122223333:role/iam", "arn:aws:iam::111122223333:role/cloudtrail"]


@pytest.fixture
def key(bench: Any) -> TxnTokenKey:
    return TxnTokenKey(bench.stack, "AuditorTxnToken", alias="alias/ringfence-x-auditor-txn-token", purpose="Signs.")


def statements(bench: Any) -> dict[str, Any]:
    found = bench.properties("AuditorTxnTokenKey")["KeyPolicy"]["Statement"]
    return {statement["Sid"]: statement for statement in found}


def actions(statement: dict[str, Any]) -> set[str]:
    value = statement["Action"]
    return {value} if isinstance(value, str) else set(value)


def test_it_is_a_p256_signing_key(bench: Any, key: TxnTokenKey) -> None:
    properties = bench.properties("AuditorTxnTokenKey")
    assert (properties["KeySpec"], properties["KeyUsage"]) == ("ECC_NIST_P256", "SIGN_VERIFY")


def test_only_the_signer_may_sign_and_only_with_the_one_algorithm(bench: Any, key: TxnTokenKey) -> None:
    key.admit(signer=SIGNER, verifiers=VERIFIERS, switched_by=SWITCH)
    allowing = [
        each for each in statements(bench).values() if each["Effect"] == "Allow" and "kms:Sign" in actions(each)
    ]
    assert len(allowing) == 1
    assert allowing[0]["Condition"] == {
        "ArnEquals": {"aws:PrincipalArn": SIGNER},
        "StringEquals": {"kms:SigningAlgorithm": "ECDSA_SHA_256"},
    }


def test_signing_is_denied_to_everybody_else_whatever_is_allowed_later(bench: Any, key: TxnTokenKey) -> None:
    key.admit(signer=SIGNER, verifiers=VERIFIERS, switched_by=SWITCH)
    denial = statements(bench)["DenySignExceptRequestInterceptor"]
    assert (denial["Effect"], denial["Principal"], actions(denial)) == ("Deny", {"AWS": "*"}, {"kms:Sign"})
    assert denial["Condition"] == {"ArnNotEquals": {"aws:PrincipalArn": SIGNER}}


def test_the_public_key_is_for_the_runtimes(bench: Any, key: TxnTokenKey) -> None:
    key.admit(signer=SIGNER, verifiers=VERIFIERS, switched_by=SWITCH)
    statement = statements(bench)["AllowGetPublicKeyByRuntimes"]
    assert statement["Condition"] == {"ArnEquals": {"aws:PrincipalArn": VERIFIERS}}
    assert actions(statement) == {"kms:GetPublicKey"}


def test_administrators_can_neither_use_the_key_nor_pass_it_on(bench: Any, key: TxnTokenKey) -> None:
    administration = actions(statements(bench)["AllowAccountToAdminister"])
    use = {
        "kms:Sign",
        "kms:Verify",
        "kms:GetPublicKey",
        "kms:CreateGrant",
        "kms:ReplicateKey",
        "kms:DeriveSharedSecret",
    }
    assert not administration & use
    assert not [action for action in administration if "*" in action]
    # An account that could not change the policy any more could never repair it.
    assert "kms:PutKeyPolicy" in administration


def test_until_somebody_is_admitted_nobody_can_use_the_key(bench: Any, key: TxnTokenKey) -> None:
    assert set(statements(bench)) == {"AllowAccountToAdminister"}


def test_template_and_code_name_the_same_header() -> None:
    assert TXN_TOKEN_HEADER == txn_token.HEADER


def held(bench: Any, role: str, *, session: bool = True, rights: Any = "kms:*") -> set[str]:
    """Which of the actions the key's policy and the caller's own leave to a role, or to a session of it."""
    account, name = role.split(":")[4], role.rpartition("/")[2]
    caller = f"arn:aws:sts::{account}:assumed-role/{name}/on-call" if session else role
    own = {"Sid": "Own", "Effect": "Allow", "Action": rights, "Resource": "*"}
    layers = {
        "identity": [{"Version": "2012-10-17", "Statement": [own]}],
        "key": [bench.properties("AuditorTxnTokenKey")["KeyPolicy"]],
    }
    asked = ("kms:DescribeKey", "kms:DisableKey", "kms:EnableKey", "kms:GetPublicKey", "kms:Sign")
    context = {
        "aws:PrincipalArn": role,
        "aws:PrincipalAccount": account,
        "kms:SigningAlgorithm": "ECDSA_SHA_256",
    }
    return {action for action in asked if decide(Request(caller, action, KEY, context), layers).allowed}


def test_only_security_switches_the_key_off_and_on(bench: Any, key: TxnTokenKey) -> None:
    key.admit(signer=SIGNER, verifiers=VERIFIERS, switched_by=SWITCH)
    both = {"kms:DescribeKey", "kms:DisableKey", "kms:EnableKey"}
    assert held(bench, SWITCH) == held(bench, SWITCH, session=False) == both
    # The account is named and nobody in it: without a policy of its own the role has nothing.
    assert held(bench, SWITCH, rights="kms:ListAliases") == set()


@pytest.mark.parametrize(
    "other",
    [
        "arn:aws:iam::111122223333:role/administrator",
        "arn:aws:iam::111122223333:role/ringfence-x-switch-off-too",
        "arn:aws:iam::111122223333:role/made/by/somebody/ringfence-x-switch-off",
        "arn:aws:iam::111122223333:user/ringfence-x-switch-off",
        "arn:aws:iam::111122223333:root",
        "arn:aws:iam::444455556666:role/ringfence-x-switch-off",
        SIGNER,
        VERIFIERS[0],
    ],
)
def test_no_other_principal_switches_it_whatever_its_own_policies_say(bench: Any, key: TxnTokenKey, other: str) -> None:
    key.admit(signer=SIGNER, verifiers=VERIFIERS, switched_by=SWITCH)
    assert not held(bench, other, session=":role/" in other) & {"kms:DisableKey", "kms:EnableKey"}


def test_signer_and_runtimes_hold_their_one_use_and_only_with_a_policy_of_their_own(
    bench: Any, key: TxnTokenKey
) -> None:
    key.admit(signer=SIGNER, verifiers=VERIFIERS, switched_by=SWITCH)
    looks = {"kms:DescribeKey"}  # with the account's administration
    assert held(bench, SIGNER) == held(bench, SIGNER, session=False) == {"kms:Sign"} | looks
    assert [held(bench, each) for each in VERIFIERS] == [{"kms:GetPublicKey"} | looks] * 2
    assert [held(bench, each, rights="kms:ListAliases") for each in (SIGNER, *VERIFIERS)] == [set()] * 3


@pytest.mark.parametrize(
    "other",
    [
        "arn:aws:iam::111122223333:role/administrator",
        "arn:aws:iam::111122223333:role/request-too",
        "arn:aws:iam::111122223333:role/made/by/somebody/request",
        "arn:aws:iam::111122223333:user/request",
        "arn:aws:iam::111122223333:root",
        "arn:aws:iam::444455556666:role/request",
        SWITCH,
    ],
)
def test_no_other_principal_signs_or_reads_the_public_key_whatever_its_own_policies_say(
    bench: Any, key: TxnTokenKey, other: str
) -> None:
    key.admit(signer=SIGNER, verifiers=VERIFIERS, switched_by=SWITCH)
    assert not held(bench, other, session=":role/" in other) & {"kms:Sign", "kms:GetPublicKey"}


def test_no_role_is_named_as_principal(bench: Any, key: TxnTokenKey) -> None:
    """One that was just made may not be visible to KMS; one that is made again has another id than the one stored."""
    key.admit(signer=SIGNER, verifiers=VERIFIERS, switched_by=SWITCH)
    root = "arn:aws:iam::111122223333:root"
    named = {sid: each["Principal"]["AWS"] for sid, each in statements(bench).items()}
    assert {sid: arn for sid, arn in named.items() if arn != root} == {"DenySignExceptRequestInterceptor": "*"}


def test_without_such_a_role_the_account_can_still_switch_it_off(bench: Any, key: TxnTokenKey) -> None:
    key.admit(signer=SIGNER, verifiers=VERIFIERS, switched_by=None)
    administrator = "arn:aws:iam::111122223333:role/administrator"
    assert held(bench, administrator) >= {"kms:DisableKey", "kms:EnableKey"}
    assert held(bench, administrator.replace("111122223333", "444455556666")) == set()
