"""Access tokens and Txn-Tokens that are stolen, forged, replayed or somebody else's."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey

from callpath.txn_token import HEADER, TxnToken, mint
from ringfence.deployed.gateways import SEPARATOR
from ringfence.rehearsal.ablation.attack import Attack, Does
from ringfence.rehearsal.ablation.attack_target import AttackTarget
from ringfence.rehearsal.ablation.seen import THROUGH, Seen

_INGRESS_ALONE = (
    "only the gateway's authorizer has Cognito's keys: the request interceptor reads the claims once more but cannot "
    "check the signature, having no way to fetch the keys (docs/decisions/0003); the authorizer is AWS's, and its "
    "absence is refused at synthesis and noticed by verify-live"
)
_POLICY_ALONE = (
    "scope, group and client of the token are the persona's own, and Cedar alone knows the address that the token has "
    "to name: the authorizer can only ask for an audience of every token, and those of hosts that send no resource "
    "have none; the address of a gateway cannot be told to the request interceptor, which the gateway names "
    "(docs/decisions/0036)"
)
_INGRESS = "tokens at ingress"
_PORT = "Txn-Tokens at the runtime"


def _at_the_gateway(name: str, token: Callable[[AttackTarget], str | None], *meets: str, alone: str = "") -> Attack:
    def carry_out(target: AttackTarget) -> Seen:
        tool, arguments = target.home
        return target.call(tool, arguments, token=token(target))

    return Attack(name, _INGRESS, Does.CARRIES_OUT, carry_out, alone, meets)


def _claims(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims


def _part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _unsigned(target: AttackTarget) -> str:
    return f"{_part({'alg': 'none', 'typ': 'JWT'})}.{_part(_claims(target.context.token()))}."


def _signed_with_the_public_key(target: AttackTarget) -> str:
    head, claims = {"alg": "HS256", "typ": "JWT"}, _claims(target.context.token())
    document = target.context.department.pool.keys
    signed = f"{_part(head)}.{_part(claims)}"
    code = hmac.new(json.dumps(document).encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(code).rstrip(b'=').decode()}"


_STRANGER = RSAKey.generate_key(2048, {"kid": "x", "use": "sig", "alg": "RS256"})


def _of_another_pool(target: AttackTarget) -> str:
    """A genuine token of somebody else's pool: signed by its key, and saying so."""
    issuer = "https://cognito-idp.eu-west-2.amazonaws.com/eu-west-2_Other"
    return jwt.encode({"alg": "RS256", "kid": "x"}, {**_claims(target.context.token()), "iss": issuer}, _STRANGER)


def _of_another_client(target: AttackTarget) -> str:
    """A genuine token that the pool gave to a client which is none of the department's hosts."""
    return target.context.department.pool.signed({**_claims(target.context.token()), "client_id": "another-host"})


def _id_token(target: AttackTarget) -> str:
    """The token that the pool gives a host beside the access token: it names the client as audience, and no scope."""
    claims = _claims(target.context.token())
    client = claims.pop("client_id")
    claims.pop("scope")
    return target.context.department.pool.signed({**claims, "aud": client, "token_use": "id"})


def _for_another_gateway(target: AttackTarget) -> str:
    """A genuine token of a person of this persona, given to a host for another server than this gateway."""
    resource = "https://another-gateway.example.org/mcp"
    return target.context.department.pool.signed({**_claims(target.context.token()), "aud": resource})


def _of_another_persona(target: AttackTarget) -> str | None:
    return target.others[0].token() if target.others else None


def _at_ingress() -> list[Attack]:
    return [
        _at_the_gateway("no-token", lambda _: None, "token-missing"),
        _at_the_gateway("an-expired-token", lambda target: target.context.token(age=7200), "token-expired"),
        _at_the_gateway(
            "a-token-signed-by-somebody-else",
            lambda target: target.context.token(foreign=True),
            "token-signature",
            alone=_INGRESS_ALONE,
        ),
        _at_the_gateway("an-unsigned-token", _unsigned, "token-signature", alone=_INGRESS_ALONE),
        _at_the_gateway(
            "a-token-signed-with-the-public-key", _signed_with_the_public_key, "token-signature", alone=_INGRESS_ALONE
        ),
        _at_the_gateway(
            "a-person-without-a-persona",
            lambda target: target.context.token(target.context.visitor),
            "insufficient-scope",
            "wrong-scope",
            "policy-denied",
        ),
        _at_the_gateway(
            "a-token-that-no-group-mapping-saw",
            lambda target: target.context.token(target.context.visitor, without_trigger=True),
            "claim-missing",
            "policy-denied",
        ),
        _at_the_gateway(
            "a-persona-at-anothers-gateway", _of_another_persona, "insufficient-scope", "wrong-scope", "policy-denied"
        ),
        _at_the_gateway("a-token-of-another-client", _of_another_client, "token-client", "wrong-client"),
        _at_the_gateway("a-token-of-another-pool", _of_another_pool, "token-signature", "wrong-issuer"),
        _at_the_gateway("a-token-for-another-gateway", _for_another_gateway, "policy-denied", alone=_POLICY_ALONE),
        _at_the_gateway("an-id-token", _id_token, "token-client", "wrong-token-use"),
    ]


# Past the gateway, at a runtime's own port


def _at_the_port(name: str, token: Callable[[AttackTarget, str, str, dict[str, Any]], str | None], rule: str) -> Attack:
    def carry_out(target: AttackTarget) -> Seen:
        published, arguments = target.home
        server, _, tool = published.partition(SEPARATOR)
        return target.invoke(server, tool, arguments, token(target, server, tool, arguments))

    return Attack(name, _PORT, Does.CARRIES_OUT, carry_out, meets=(f"token-{rule}",))


def _changed(**changes: Any) -> Callable[[AttackTarget, str, str, dict[str, Any]], str]:
    return lambda target, server, tool, arguments: target.signer.token(server, tool, arguments, **changes)


def _of(department: str, persona: str) -> dict[str, str]:
    base = f"urn:ringfence:{department}:{persona}"
    return {"issuer": f"{base}:request-interceptor", "audience": f"{base}:iam"}


def _replayed(target: AttackTarget, server: str, tool: str, arguments: dict[str, Any]) -> str:
    """A Txn-Token that has been used: the runtime remembers it, until its check is off."""
    token = target.signer.token(server, tool, arguments)
    target.context.post_to_runtime(server, tool, arguments, headers={HEADER: token})
    return token


def _self_signed(target: AttackTarget, server: str, tool: str, arguments: dict[str, Any]) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, utils
    from cryptography.hazmat.primitives.hashes import SHA256

    key = ec.generate_private_key(ec.SECP256R1())
    statement: TxnToken = target.signer.statement(server, tool, arguments)

    def sign(message: bytes) -> bytes:
        return key.sign(message, ec.ECDSA(utils.Prehashed(SHA256())))

    return mint(statement, key_id=target.signer.key_id, sign=sign)


def _unsigned_txn(target: AttackTarget, server: str, tool: str, arguments: dict[str, Any]) -> str:
    claims = target.signer.statement(server, tool, arguments).claims()
    return f"{_part({'alg': 'none', 'typ': 'txntoken+jwt'})}.{_part(claims)}."


def _smuggled(target: AttackTarget) -> Seen:
    """A client sends somebody else's Txn-Token, which has been used, with a call of its own through the gateway."""
    published, arguments = target.home
    server, _, tool = published.partition(SEPARATOR)
    token = target.signer.token(server, tool, arguments, staff_id="somebody.else")
    target.context.post_to_runtime(server, tool, arguments, headers={HEADER: token})
    seen = target.call(published, arguments, headers={HEADER: token})
    if seen.stopped_by == THROUGH and target.last_person() == target.context.member.staff_id:
        return Seen("request", "overwritten", seen.text)
    return seen


def _ports() -> list[Attack]:
    minute, year = 60, 365 * 86_400
    another = _changed(**_of("example-sandbox", "another"), persona="another")
    return [
        _at_the_port("past-the-gateway-without-a-token", lambda *_: None, "missing"),
        _at_the_port("past-the-gateway-with-rubbish", lambda *_: "rubbish", "malformed"),
        _at_the_port("a-replayed-txn-token", _replayed, "replayed"),
        _at_the_port("a-txn-token-of-ones-own-key", _self_signed, "signature"),
        _at_the_port("an-unsigned-txn-token", _unsigned_txn, "algorithm"),
        _at_the_port("a-txn-token-of-yesterday", _changed(issued_at=1000, expires_at=1000 + minute), "expired"),
        _at_the_port("a-txn-token-for-a-year", _changed(expires_at=int(time.time()) + year), "lifetime"),
        _at_the_port("a-txn-token-for-another-tool", _changed(tool="another_tool"), "tool"),
        _at_the_port("a-txn-token-for-other-arguments", _changed(arguments_sha256="0" * 64), "arguments"),
        _at_the_port("a-txn-token-of-another-persona", another, "issuer"),
        _at_the_port("a-txn-token-of-another-department", _changed(**_of("another-department", "auditor")), "issuer"),
        Attack(
            "a-txn-token-of-the-clients-own",
            _PORT,
            Does.CARRIES_OUT,
            _smuggled,
            meets=("overwritten", "token-replayed"),
        ),
    ]


TOKENS = (*_at_ingress(), *_ports())
