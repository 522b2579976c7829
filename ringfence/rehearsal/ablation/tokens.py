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
from ringfence.rehearsal.ablation.scene import Scene
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


def _at_the_gateway(name: str, token: Callable[[Scene], str | None], *meets: str, alone: str = "") -> Attack:
    def play(scene: Scene) -> Seen:
        tool, arguments = scene.home
        return scene.call(tool, arguments, token=token(scene))

    return Attack(name, _INGRESS, Does.CARRIES_OUT, play, alone, meets)


def _claims(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims


def _part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _unsigned(scene: Scene) -> str:
    return f"{_part({'alg': 'none', 'typ': 'JWT'})}.{_part(_claims(scene.stage.token()))}."


def _signed_with_the_public_key(scene: Scene) -> str:
    head, claims = {"alg": "HS256", "typ": "JWT"}, _claims(scene.stage.token())
    document = scene.stage.department.pool.keys
    signed = f"{_part(head)}.{_part(claims)}"
    code = hmac.new(json.dumps(document).encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(code).rstrip(b'=').decode()}"


_STRANGER = RSAKey.generate_key(2048, {"kid": "x", "use": "sig", "alg": "RS256"})


def _of_another_pool(scene: Scene) -> str:
    """A genuine token of somebody else's pool: signed by its key, and saying so."""
    issuer = "https://cognito-idp.eu-west-2.amazonaws.com/eu-west-2_Other"
    return jwt.encode({"alg": "RS256", "kid": "x"}, {**_claims(scene.stage.token()), "iss": issuer}, _STRANGER)


def _of_another_client(scene: Scene) -> str:
    """A genuine token that the pool gave to a client which is none of the department's hosts."""
    return scene.stage.department.pool.signed({**_claims(scene.stage.token()), "client_id": "another-host"})


def _id_token(scene: Scene) -> str:
    """The token that the pool gives a host beside the access token: it names the client as audience, and no scope."""
    claims = _claims(scene.stage.token())
    client = claims.pop("client_id")
    claims.pop("scope")
    return scene.stage.department.pool.signed({**claims, "aud": client, "token_use": "id"})


def _for_another_gateway(scene: Scene) -> str:
    """A genuine token of a person of this persona, given to a host for another server than this gateway."""
    resource = "https://another-gateway.example.org/mcp"
    return scene.stage.department.pool.signed({**_claims(scene.stage.token()), "aud": resource})


def _of_another_persona(scene: Scene) -> str | None:
    return scene.others[0].token() if scene.others else None


def _at_ingress() -> list[Attack]:
    return [
        _at_the_gateway("no-token", lambda _: None, "token-missing"),
        _at_the_gateway("an-expired-token", lambda scene: scene.stage.token(age=7200), "token-expired"),
        _at_the_gateway(
            "a-token-signed-by-somebody-else",
            lambda scene: scene.stage.token(foreign=True),
            "token-signature",
            alone=_INGRESS_ALONE,
        ),
        _at_the_gateway("an-unsigned-token", _unsigned, "token-signature", alone=_INGRESS_ALONE),
        _at_the_gateway(
            "a-token-signed-with-the-public-key", _signed_with_the_public_key, "token-signature", alone=_INGRESS_ALONE
        ),
        _at_the_gateway(
            "a-person-without-a-persona",
            lambda scene: scene.stage.token(scene.stage.visitor),
            "insufficient-scope",
            "wrong-scope",
            "policy-denied",
        ),
        _at_the_gateway(
            "a-token-that-no-group-mapping-saw",
            lambda scene: scene.stage.token(scene.stage.visitor, without_trigger=True),
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


def _at_the_port(name: str, token: Callable[[Scene, str, str, dict[str, Any]], str | None], rule: str) -> Attack:
    def play(scene: Scene) -> Seen:
        published, arguments = scene.home
        server, _, tool = published.partition(SEPARATOR)
        return scene.invoke(server, tool, arguments, token(scene, server, tool, arguments))

    return Attack(name, _PORT, Does.CARRIES_OUT, play, meets=(f"token-{rule}",))


def _changed(**changes: Any) -> Callable[[Scene, str, str, dict[str, Any]], str]:
    return lambda scene, server, tool, arguments: scene.signer.token(server, tool, arguments, **changes)


def _of(department: str, persona: str) -> dict[str, str]:
    base = f"urn:ringfence:{department}:{persona}"
    return {"issuer": f"{base}:request-interceptor", "audience": f"{base}:iam"}


def _replayed(scene: Scene, server: str, tool: str, arguments: dict[str, Any]) -> str:
    """A Txn-Token that has been used: the runtime remembers it, until its check is off."""
    token = scene.signer.token(server, tool, arguments)
    scene.stage.post_to_runtime(server, tool, arguments, headers={HEADER: token})
    return token


def _self_signed(scene: Scene, server: str, tool: str, arguments: dict[str, Any]) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, utils
    from cryptography.hazmat.primitives.hashes import SHA256

    key = ec.generate_private_key(ec.SECP256R1())
    statement: TxnToken = scene.signer.statement(server, tool, arguments)

    def sign(message: bytes) -> bytes:
        return key.sign(message, ec.ECDSA(utils.Prehashed(SHA256())))

    return mint(statement, key_id=scene.signer.key_id, sign=sign)


def _unsigned_txn(scene: Scene, server: str, tool: str, arguments: dict[str, Any]) -> str:
    claims = scene.signer.statement(server, tool, arguments).claims()
    return f"{_part({'alg': 'none', 'typ': 'txntoken+jwt'})}.{_part(claims)}."


def _smuggled(scene: Scene) -> Seen:
    """A client sends somebody else's Txn-Token, which has been used, with a call of its own through the gateway."""
    published, arguments = scene.home
    server, _, tool = published.partition(SEPARATOR)
    token = scene.signer.token(server, tool, arguments, staff_id="somebody.else")
    scene.stage.post_to_runtime(server, tool, arguments, headers={HEADER: token})
    seen = scene.call(published, arguments, headers={HEADER: token})
    if seen.stopped_by == THROUGH and scene.last_person() == scene.stage.member.staff_id:
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
