"""Switching a persona off, decided by the templates' own policies: who may, what stops, what does not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ringfence.deployed.assembly import Assembly
from ringfence.rehearsal.aws.protocol.wire import AwsError
from ringfence.rehearsal.aws.server import LocalAws
from ringfence.rehearsal.scenarios.switching import key_behind
from tests.conftest import Synthesised

ACCOUNT = "111122223333"
NAME = "ringfence-example-production-switch-off"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/{NAME}"


@pytest.fixture(scope="module")
def aws(assemblies: dict[str, Synthesised]) -> Iterator[LocalAws]:
    with LocalAws(Assembly.load(assemblies["example-production"].folder)) as running:
        yield running


@pytest.fixture
def security(aws: LocalAws) -> dict[str, str]:
    return aws.credentials_for(f"arn:aws:iam::{ACCOUNT}:role/security-response", ROLE, "security-on-call")


def refused(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**parameters)
    return str(error.value.response["Error"]["Code"])


def test_it_is_asked_directly_whatever_proxy_the_environment_names(
    aws: LocalAws, security: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    assert aws.client("kms", security).list_aliases()["Aliases"]


@pytest.mark.parametrize(
    "principal", ["role/administrator", "role/security-responses", "user/security-response", "role/x/security-response"]
)
def test_nobody_else_takes_the_role(aws: LocalAws, principal: str) -> None:
    with pytest.raises(AwsError, match="may not assume"):
        aws.credentials_for(f"arn:aws:iam::{ACCOUNT}:{principal}", ROLE, "x")


def test_it_disables_the_keys_of_calls_and_no_other(aws: LocalAws, security: dict[str, str]) -> None:
    kms = aws.client("kms", security)
    key = key_behind(kms, "-operator-txn-token")
    kms.disable_key(KeyId=key)
    kms.enable_key(KeyId=key)
    for alias in ("-logs", "-data"):
        assert refused(kms.disable_key, KeyId=key_behind(kms, alias)) == "AccessDeniedException"
        assert refused(kms.enable_key, KeyId=key_behind(kms, alias)) == "AccessDeniedException"


def test_it_can_do_nothing_else(aws: LocalAws, security: dict[str, str]) -> None:
    kms, iam = aws.client("kms", security), aws.client("iam", security)
    key = key_behind(kms, "-operator-txn-token")
    digest = b"0" * 32
    signing = {"KeyId": key, "Message": digest, "MessageType": "DIGEST", "SigningAlgorithm": "ECDSA_SHA_256"}
    assert refused(kms.sign, **signing) == "AccessDeniedException"
    assert refused(iam.list_users) == "AccessDenied"
    assert refused(iam.create_user, UserName="x") == "AccessDenied"


def test_a_disabled_key_signs_nothing_until_it_is_enabled(aws: LocalAws, security: dict[str, str]) -> None:
    kms = aws.client("kms", security)
    key = key_behind(kms, "-operator-txn-token")
    roles = aws.assembly.of_type("AWS::Lambda::Function")
    signer = next(r.properties["Role"] for r in roles if "operator-request" in str(r.ref))
    interceptor = aws.client("kms", aws.issue_credentials(signer, "operator-request"))
    signing = {"KeyId": key, "Message": b"0" * 32, "MessageType": "DIGEST", "SigningAlgorithm": "ECDSA_SHA_256"}
    arn = aws._keys.arn_of(key)
    assert interceptor.sign(**{**signing, "KeyId": arn})["Signature"]
    kms.disable_key(KeyId=key)
    assert refused(interceptor.sign, **{**signing, "KeyId": arn}) == "DisabledException"
    kms.enable_key(KeyId=key)
    assert interceptor.sign(**{**signing, "KeyId": arn})["Signature"]
