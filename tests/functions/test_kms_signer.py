"""The signer: one KMS key, asked for a digest's signature, by a client made late and once."""

from __future__ import annotations

import boto3
import pytest
from botocore.stub import Stubber
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from moto import mock_aws
from moto.kms.utils import ECDSAPrivateKey

from callpath.call_record import new_call_id
from callpath.digest import digest
from callpath.refusal import Refusal
from callpath.txn_token import TxnToken, Verifier
from request_interceptor.signer import Signer

NOW = 1_795_000_000
TOKEN = TxnToken(
    issuer="urn:ringfence:example-production:auditor:request-interceptor",
    audience="urn:ringfence:example-production:auditor:iam",
    issued_at=NOW,
    expires_at=NOW + 60,
    call_id=new_call_id(),
    staff_id="HO-204518",
    persona="auditor",
    tool="list_users",
    arguments_sha256=digest({}),
    token_id="0b6f1c1e-6a4b-4f0e-9a55-2f3f3a6f7a11",
    client_id="4example5client6id",
)


@pytest.fixture
def kms(monkeypatch):
    for name, value in {
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "eu-west-2",
    }.items():
        monkeypatch.setenv(name, value)
    # moto leaves MessageType=DIGEST unimplemented and would hash the digest once more.
    algorithm = ec.ECDSA(utils.Prehashed(hashes.SHA256()))
    monkeypatch.setattr(ECDSAPrivateKey, "sign", lambda key, data, _name: key.private_key.sign(data, algorithm))
    with mock_aws():
        yield boto3.client("kms", region_name="eu-west-2")


def test_what_kms_signs_the_runtime_accepts(kms):
    arn = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    token = Signer(key_id=arn).mint(TOKEN)
    public_key = kms.get_public_key(KeyId=arn)["PublicKey"]
    verifier = Verifier(public_key_der=public_key, issuer=TOKEN.issuer, audience=TOKEN.audience, clock=lambda: NOW)
    assert verifier.verify(token, tool="list_users", arguments={}) == TOKEN


def test_the_client_is_made_once(kms, monkeypatch):
    arn = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    signer = Signer(key_id=arn)
    signer.prepare()
    client = signer._client
    signer.mint(TOKEN)
    assert signer._client is client


def test_a_key_that_cannot_sign_such_tokens_signs_none(kms):
    arn = kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    with pytest.raises(Exception, match=r"(?i)algorithm"):
        Signer(key_id=arn).mint(TOKEN)


def test_a_disabled_key_is_a_refusal_that_says_who_to_ask(kms):
    arn = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    signer = Signer(key_id=arn)
    signer.prepare()
    with Stubber(signer._client) as stubber:
        stubber.add_client_error("sign", "DisabledException", f"{arn} is disabled.")
        with pytest.raises(Refusal) as refused:
            signer.mint(TOKEN)
    assert (refused.value.layer, refused.value.rule) == ("request", "switched-off")
    assert "security" in refused.value.message and arn not in refused.value.message
