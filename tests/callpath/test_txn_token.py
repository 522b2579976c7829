"""The transaction token: for this call, from our signer, once, within a minute, or not at all."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac
import json
import threading

import boto3
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa, utils
from moto import mock_aws
from moto.kms.utils import ECDSAPrivateKey

from callpath.call_record import new_call_id
from callpath.digest import digest
from callpath.refusal import Refusal
from callpath.txn_token import HEADER, LIFETIME_SECONDS, TxnToken, Verifier, mint, peek_call_id

NOW = 1_795_000_000
KEY_ID = "arn:aws:kms:eu-west-2:111122223333:key/00000000-0000-4000-8000-000000000000"
ARGUMENTS = {"max_items": 5, "region": "eu-west-2"}
PRIVATE_KEY = ec.generate_private_key(ec.SECP256R1())


def der(key) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def sign(data: bytes, key=PRIVATE_KEY) -> bytes:
    return key.sign(data, ec.ECDSA(utils.Prehashed(hashes.SHA256())))


def a_token(**changes) -> TxnToken:
    token = TxnToken(
        issuer="urn:ringfence:example-production:auditor:request-interceptor",
        audience="urn:ringfence:example-production:auditor:iam",
        issued_at=NOW,
        expires_at=NOW + LIFETIME_SECONDS,
        call_id=new_call_id(),
        staff_id="HO-204518",
        persona="auditor",
        tool="list_users",
        arguments_sha256=digest(ARGUMENTS),
        token_id="0b6f1c1e-6a4b-4f0e-9a55-2f3f3a6f7a11",
        client_id="4example5client6id",
        session="session-1",
    )
    return dataclasses.replace(token, **changes)


def minted(**changes) -> str:
    return mint(a_token(**changes), key_id=KEY_ID, sign=sign)


def part(value: object) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(header: dict, claims: dict) -> str:
    """A token with any header and claims, truly signed: what a fault in our own signer could produce."""
    signing_input = f"{part(header)}.{part(claims)}"
    r, s = utils.decode_dss_signature(sign(hashlib.sha256(signing_input.encode()).digest()))
    return f"{signing_input}.{part(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


@pytest.fixture
def clock():
    return [float(NOW + 1)]


@pytest.fixture
def verifier(clock) -> Verifier:
    token = a_token()
    return Verifier(
        public_key_der=der(PRIVATE_KEY), issuer=token.issuer, audience=token.audience, clock=lambda: clock[0]
    )


def rule_for(verifier: Verifier, token: str | None, *, tool: str = "list_users", arguments: dict = ARGUMENTS) -> str:
    with pytest.raises(Refusal) as caught:
        verifier.verify(token, tool=tool, arguments=arguments)
    assert caught.value.layer == "runtime"
    assert not token or token not in caught.value.message
    return caught.value.rule


def test_a_minted_token_says_what_was_minted(verifier):
    token = a_token(approval="APPROVAL-1")
    assert verifier.verify(mint(token, key_id=KEY_ID, sign=sign), tool="list_users", arguments=ARGUMENTS) == token


def test_the_token_is_a_transaction_token_in_the_ietfs_terms():
    header, claims, _ = (
        json.loads(base64.urlsafe_b64decode(text + "==")) for text in [*minted().split(".")[:2], part({"unused": True})]
    )
    assert header == {"alg": "ES256", "kid": KEY_ID, "typ": "txntoken+jwt"}
    assert claims["scope"] == "iam___list_users"
    assert claims["req_wl"] == claims["iss"] == "urn:ringfence:example-production:auditor:request-interceptor"
    assert claims["tctx"]["arguments_sha256"] == digest(ARGUMENTS)
    assert claims["rctx"] == {
        "client_id": "4example5client6id",
        "jti": "0b6f1c1e-6a4b-4f0e-9a55-2f3f3a6f7a11",
        "session": "session-1",
    }


def test_the_token_fits_a_header():
    assert HEADER.startswith("X-Amzn-Bedrock-AgentCore-Runtime-Custom-"), "AgentCore strips any other header"
    assert len(minted()) < 4096


# The most that each part can be: 32 characters of a department's name, 16 of a persona's, 128 of a tool's (MCP), 64 of
# a staff id (STS), 128 of what a record takes (`call_record.plain`).
LONGEST = {
    "issuer": f"urn:ringfence:{'d' * 32}:{'p' * 16}:request-interceptor",
    "audience": f"urn:ringfence:{'d' * 32}:{'p' * 16}:{'s' * 64}",
    "persona": "p" * 16,
    "tool": "t" * 128,
    "staff_id": "u" * 64,
    "token_id": "j" * 128,
    "client_id": "c" * 128,
    "session": "s" * 128,
    "approval": "a" * 128,
}


def test_the_longest_token_that_can_be_minted_fits_with_room_to_spare():
    assert len(minted(**LONGEST)) < 4096 * 3 // 4


def test_a_token_that_does_not_fit_its_header_is_not_minted():
    with pytest.raises(ValueError, match="characters; its header takes 4096"):
        minted(session="s" * 4096)


@pytest.mark.parametrize("length", [4096, 4097])
def test_a_token_beyond_the_header_is_not_even_looked_into(length):
    """A token of 4,096 characters is read, one more is not: `peek_call_id` stands for every reading."""
    head, tail = part({"typ": "x"}), part({"txn": "01M82D1GBV9C24C2NE7EYF6AR4"})
    token = f"{head}.{tail}."
    found = peek_call_id(token + "s" * (length - len(token)))
    assert found == ("01M82D1GBV9C24C2NE7EYF6AR4" if length == 4096 else None)


def test_the_signature_survives_small_numbers():
    # DER drops leading zeros of r and s and adds one for the sign; JOSE wants 32 bytes each. Enough tries meet both.
    verifier = Verifier(
        public_key_der=der(PRIVATE_KEY), issuer=a_token().issuer, audience=a_token().audience, clock=lambda: NOW
    )
    for _ in range(600):
        verifier.verify(minted(call_id=new_call_id()), tool="list_users", arguments=ARGUMENTS)


@pytest.mark.parametrize(
    "signature",
    [b"", b"\x30\x00", b"\x00" * 64, b"\x30\x06\x02\x01\x01\x02\x01", b"\x30\x08\x02\x01\x01\x02\x01\x01zz"],
)
def test_a_signature_that_is_not_ecdsa_is_not_passed_on(signature):
    with pytest.raises(ValueError, match="signature is not"):
        mint(a_token(), key_id=KEY_ID, sign=lambda _: signature)


@mock_aws
def test_kms_signs_and_its_public_key_verifies(monkeypatch):
    # moto leaves MessageType=DIGEST unimplemented and would hash the digest once more.
    monkeypatch.setattr(ECDSAPrivateKey, "sign", lambda key, message, _algorithm: sign(message, key.private_key))
    kms = boto3.client("kms", region_name="eu-west-2")
    key_id = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]

    def kms_sign(data: bytes) -> bytes:
        return kms.sign(KeyId=key_id, Message=data, MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_256")["Signature"]

    public_key = kms.get_public_key(KeyId=key_id)["PublicKey"]
    token = a_token()
    verifier = Verifier(public_key_der=public_key, issuer=token.issuer, audience=token.audience, clock=lambda: NOW)
    found = verifier.verify(mint(token, key_id=key_id, sign=kms_sign), tool="list_users", arguments=ARGUMENTS)
    assert found == token


@pytest.mark.parametrize("token", [None, "", "none"])
def test_no_token(verifier, token):
    assert rule_for(verifier, token) == "token-missing"


@pytest.mark.parametrize(
    "token", ["x", "a.b", "a.b.c", "....", "é.é.é", part([1]) + ".e30.", "x" * 9000 + ".e30.AA", "[" * 9000]
)
def test_rubbish(verifier, token):
    assert rule_for(verifier, token) == "token-malformed"


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "RS256", "ES384", "es256", None, ["ES256"]])
def test_any_algorithm_but_ours(verifier, algorithm):
    token = f"{part({'alg': algorithm, 'typ': 'txntoken+jwt'})}.{part(a_token().claims())}."
    assert rule_for(verifier, token) == "token-algorithm"


def test_our_public_key_used_as_a_shared_secret(verifier):
    signing_input = f"{part({'alg': 'HS256', 'typ': 'txntoken+jwt'})}.{part(a_token().claims())}"
    mac = hmac.new(der(PRIVATE_KEY), signing_input.encode(), hashlib.sha256).digest()
    assert rule_for(verifier, f"{signing_input}.{part(mac)}") == "token-algorithm"


@pytest.mark.parametrize("kind", ["JWT", "at+jwt", "TXNTOKEN+JWT", None])
def test_another_kind_of_token_from_our_own_signer(verifier, kind):
    assert rule_for(verifier, signed({"alg": "ES256", "typ": kind}, a_token().claims())) == "token-type"


@pytest.mark.parametrize(
    ("extra", "rule"),
    [
        ({"crit": ["exp"], "exp": NOW}, "token-critical"),
        ({"crit": []}, "token-critical"),
        ({"b64": False}, "token-malformed"),
        ({"jwk": {"kty": "EC"}}, "token-malformed"),
        ({"jku": "https://example.org/keys"}, "token-malformed"),
        ({"x5u": "https://example.org/cert"}, "token-malformed"),
    ],
)
def test_a_header_that_asks_for_something(verifier, extra, rule):
    header = {"alg": "ES256", "typ": "txntoken+jwt", **extra}
    assert rule_for(verifier, signed(header, a_token().claims())) == rule


def test_a_signature_of_another_key(verifier):
    other = ec.generate_private_key(ec.SECP256R1())
    token = mint(a_token(), key_id=KEY_ID, sign=lambda data: sign(data, other))
    assert rule_for(verifier, token) == "token-signature"


@pytest.mark.parametrize("position", [0, 1])
def test_any_changed_part(verifier, position):
    parts = minted().split(".")
    found = json.loads(base64.urlsafe_b64decode(parts[position] + "=="))
    found["sub" if position else "kid"] = "HO-000001"
    parts[position] = part(found)
    assert rule_for(verifier, ".".join(parts)) == "token-signature"


def test_a_cut_signature(verifier):
    assert rule_for(verifier, minted()[:-8]) == "token-signature"


def test_an_expired_token(verifier, clock):
    token = minted()
    clock[0] = NOW + LIFETIME_SECONDS
    assert rule_for(verifier, token) == "token-expired"


def test_a_token_from_the_future(verifier):
    assert rule_for(verifier, minted(issued_at=NOW + 7, expires_at=NOW + 20)) == "token-not-yet-valid"


def test_a_little_clock_drift_is_forgiven(verifier):
    token = minted(issued_at=NOW + 6, expires_at=NOW + 20)  # five seconds ahead of the verifier
    assert verifier.verify(token, tool="list_users", arguments=ARGUMENTS).issued_at == NOW + 6


@pytest.mark.parametrize("expires_at", [NOW + LIFETIME_SECONDS + 1, NOW + 10**9, NOW, NOW - 5])
def test_a_lifetime_that_is_not_one(verifier, expires_at):
    assert rule_for(verifier, minted(expires_at=expires_at)) == "token-lifetime"


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"issuer": "urn:ringfence:example-production:operator:request-interceptor"}, "token-issuer"),
        ({"issuer": "urn:ringfence:example-sandbox:auditor:request-interceptor"}, "token-issuer"),
        ({"audience": "urn:ringfence:example-production:auditor:cloudtrail"}, "token-audience"),
        ({"audience": "urn:ringfence:example-production:operator:iam"}, "token-audience"),
        ({"persona": "operator"}, "token-persona"),
        ({"tool": "list_roles"}, "token-tool"),
        ({"arguments_sha256": digest({})}, "token-arguments"),
    ],
)
def test_a_token_for_something_else(verifier, changes, rule):
    assert rule_for(verifier, minted(**changes)) == rule


def test_a_token_whose_scope_names_another_tool_than_its_context(verifier):
    claims = a_token().claims() | {"scope": "iam___list_roles"}
    assert rule_for(verifier, signed({"alg": "ES256", "typ": "txntoken+jwt"}, claims)) == "token-tool"


@pytest.mark.parametrize(
    "arguments",
    [{}, {"max_items": 6, "region": "eu-west-2"}, {"max_items": "5", "region": "eu-west-2"}, {**ARGUMENTS, "x": 1}],
)
def test_other_arguments_than_were_checked(verifier, arguments):
    assert rule_for(verifier, minted(), arguments=arguments) == "token-arguments"


def test_arguments_that_no_digest_can_stand_for(verifier):
    assert rule_for(verifier, minted(), arguments={"max_items": float("nan")}) == "token-arguments"


@pytest.mark.parametrize("claim", ["iss", "aud", "iat", "exp", "txn", "sub", "tctx", "rctx"])
@pytest.mark.parametrize("value", ["<absent>", None, [], {}, True, 1.5])
def test_a_claim_that_is_missing_or_odd(verifier, claim, value):
    claims = a_token().claims()
    if value == "<absent>":
        del claims[claim]
    else:
        claims[claim] = value
    assert rule_for(verifier, signed({"alg": "ES256", "typ": "txntoken+jwt"}, claims)) == "token-malformed"


def test_a_used_token(verifier):
    token = minted()
    verifier.verify(token, tool="list_users", arguments=ARGUMENTS)
    assert rule_for(verifier, token) == "token-replayed"


def test_a_token_that_was_refused_is_not_used_up(verifier):
    token = minted()
    assert rule_for(verifier, token, tool="list_roles") == "token-tool"
    verifier.verify(token, tool="list_users", arguments=ARGUMENTS)


def test_used_tokens_are_forgotten_when_they_have_expired_anyway(verifier, clock):
    verifier.verify(minted(), tool="list_users", arguments=ARGUMENTS)
    clock[0] += LIFETIME_SECONDS + 1
    later = {"issued_at": int(clock[0]), "expires_at": int(clock[0]) + 10}
    verifier.verify(minted(**later), tool="list_users", arguments=ARGUMENTS)
    assert len(verifier._used) == 1


def test_a_full_memory_refuses_rather_than_forgets(verifier, monkeypatch):
    monkeypatch.setattr("callpath.txn_token._MOST_REMEMBERED", 2)
    tokens = [minted(call_id=new_call_id()) for _ in range(3)]
    for token in tokens[:2]:
        verifier.verify(token, tool="list_users", arguments=ARGUMENTS)
    assert rule_for(verifier, tokens[2]) == "token-store-full"
    assert rule_for(verifier, tokens[0]) == "token-replayed"


def test_one_of_many_threads_gets_to_use_a_token(verifier):
    token, passed, start = minted(), [], threading.Barrier(16)

    def attempt() -> None:
        start.wait()
        try:
            passed.append(verifier.verify(token, tool="list_users", arguments=ARGUMENTS))
        except Refusal as refusal:
            assert refusal.rule == "token-replayed"

    threads = [threading.Thread(target=attempt) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(passed) == 1


@pytest.mark.parametrize("key", [ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)])
def test_only_a_p256_key_verifies(key):
    with pytest.raises(Exception):  # noqa: B017 - whichever library notices first
        Verifier(public_key_der=der(key), issuer="i", audience="a:b:c")


def test_the_call_id_can_be_read_for_correlation():
    token = a_token()
    assert peek_call_id(mint(token, key_id=KEY_ID, sign=sign)) == token.call_id


@pytest.mark.parametrize(
    "token",
    [None, "", "x", "a.b.c", f"e30.{part({'txn': '../../etc'})}.AA", f"e30.{part({'txn': 7})}.AA", "e30.W10.AA"],
)
def test_anything_else_has_no_call_id(token):
    assert peek_call_id(token) is None
