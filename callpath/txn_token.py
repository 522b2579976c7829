"""The transaction token: one signed, single-use statement of who asked for which call, after the IETF's OAuth
Transaction Tokens (draft-ietf-oauth-transaction-tokens). The request interceptor mints it, the runtime verifies it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from callpath.digest import digest
from callpath.refusal import Refusal

HEADER = "X-Amzn-Bedrock-AgentCore-Runtime-Custom-Txn-Token"
TYPE = "txntoken+jwt"
ALGORITHM = "ES256"
LIFETIME_SECONDS = 60
# Lambda and the runtime keep time by the same service; this is for the last bit of drift, not for clocks that are off.
CLOCK_DRIFT_SECONDS = 5
# What the header carries: a runtime takes values of at most 4 KB, a gateway passes on printable ASCII of at most 4 KB
# (AgentCore developer guide, "runtime-header-allowlist" and "gateway-headers", read 28 November 2026).
LONGEST_TOKEN = 4096
# Stands in the header of a request that needs no token. The header must be written, or a client's own would pass; what
# a gateway makes of an empty value is not documented, and an illegal one is answered with a misleading error.
NO_TOKEN = "none"  # noqa: S105 - the absence of one
_MOST_REMEMBERED = 20_000
_CALL_ID = re.compile(r"[0-9A-Z]{26}")


@dataclass(frozen=True, kw_only=True)
class TxnToken:
    """One call, as its token states it.

    Attributes:
        issuer: `urn:ringfence:<department>:<persona>:request-interceptor`.
        audience: `urn:ringfence:<department>:<persona>:<server>`.
        issued_at: seconds since 1970.
        expires_at: seconds since 1970, at most `LIFETIME_SECONDS` after `issued_at`.
        call_id: the call (claim `txn`).
        staff_id: the person (claim `sub`).
        persona: what the person works as.
        tool: the tool's bare name on its server.
        arguments_sha256: `callpath.digest.digest` of the arguments.
        token_id: `jti` of the person's own access token.
        client_id: the MCP host's OAuth client.
        session: the MCP session, if there is one.
        approval: the approval this call uses up, if it needs one.
    """

    issuer: str
    audience: str
    issued_at: int
    expires_at: int
    call_id: str
    staff_id: str
    persona: str
    tool: str
    arguments_sha256: str
    token_id: str
    client_id: str
    session: str | None = None
    approval: str | None = None

    @property
    def published_tool(self) -> str:
        """The tool's name on the gateway, `<server>___<tool>`."""
        return f"{self.audience.rsplit(':', 1)[-1]}___{self.tool}"

    def claims(self) -> dict[str, object]:
        """Return the JWT claims."""
        return {
            "iss": self.issuer,
            "aud": self.audience,
            "iat": self.issued_at,
            "exp": self.expires_at,
            "txn": self.call_id,
            "sub": self.staff_id,
            "scope": self.published_tool,
            "req_wl": self.issuer,
            "tctx": {
                "persona": self.persona,
                "tool": self.tool,
                "arguments_sha256": self.arguments_sha256,
                "approval": self.approval,
            },
            "rctx": {"jti": self.token_id, "client_id": self.client_id, "session": self.session},
        }

    @classmethod
    def from_claims(cls, claims: dict[str, Any]) -> TxnToken:
        """Build a token from verified claims.

        Raises:
            ValueError: a claim is missing or has the wrong type.
        """
        for name in ("tctx", "rctx"):
            if not isinstance(claims.get(name), dict):
                raise ValueError(f"claim {name} must be an object")
        flat = {
            "issuer": claims.get("iss"),
            "audience": claims.get("aud"),
            "issued_at": claims.get("iat"),
            "expires_at": claims.get("exp"),
            "call_id": claims.get("txn"),
            "staff_id": claims.get("sub"),
            "persona": claims["tctx"].get("persona"),
            "tool": claims["tctx"].get("tool"),
            "arguments_sha256": claims["tctx"].get("arguments_sha256"),
            "approval": claims["tctx"].get("approval"),
            "token_id": claims["rctx"].get("jti"),
            "client_id": claims["rctx"].get("client_id"),
            "session": claims["rctx"].get("session"),
        }
        for name, value in flat.items():
            optional = name in ("session", "approval") and value is None
            expected = int if name.endswith("_at") else str
            if not optional and (type(value) is not expected or value == ""):
                raise ValueError(f"the claim for {name} is missing or has the wrong type")
        return cls(**flat)


def mint(token: TxnToken, *, key_id: str, sign: Callable[[bytes], bytes]) -> str:
    """Return the token as a signed JWT.

    Args:
        token: the statement to sign.
        key_id: the ARN of the KMS key, for the `kid` header.
        sign: gets the SHA-256 digest of the signing input (32 bytes), returns a DER-encoded ECDSA P-256 signature:
            `kms.sign(MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_256")`.

    Raises:
        ValueError: the signature is not DER-encoded ECDSA P-256, or the token is longer than its header may be.
    """
    header = {"alg": ALGORITHM, "kid": key_id, "typ": TYPE}
    signing_input = f"{_encode(_json(header))}.{_encode(_json(token.claims()))}".encode("ascii")
    signature = _raw_signature(sign(hashlib.sha256(signing_input).digest()))
    minted = f"{signing_input.decode('ascii')}.{_encode(signature)}"
    if len(minted) > LONGEST_TOKEN:
        raise ValueError(f"the transaction token has {len(minted)} characters; its header takes {LONGEST_TOKEN}")
    return minted


class Verifier:
    """Accepts each token of one issuer for one audience once.

    Safe to share between threads. Nothing in a token is believed before its signature is verified.
    """

    def __init__(
        self, *, public_key_der: bytes, issuer: str, audience: str, clock: Callable[[], float] = time.time
    ) -> None:
        # Imported here because joserfc brings cryptography (0.1 s to load), which the functions do without.
        from joserfc.jwk import ECKey
        from joserfc.jws import JWSRegistry

        self._key = ECKey.import_key(public_key_der)
        if self._key.curve_name != "P-256":
            raise ValueError("the token verification key is not on curve P-256: use a KMS key of spec ECC_NIST_P256")
        self._registry = JWSRegistry(algorithms=[ALGORITHM])
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._used: dict[str, int] = {}
        self._lock = threading.Lock()

    def verify(self, token: str | None, *, tool: str, arguments: dict[str, object]) -> TxnToken:
        """Return the statement of a token that is valid for this very call, and use the token up.

        Args:
            token: the header's value.
            tool: the bare name of the tool about to run.
            arguments: the arguments about to be used.

        Raises:
            Refusal: layer `runtime`, with a rule `token-...` for each reason.
        """
        if not token or token == NO_TOKEN:
            raise _refused("missing", "The call carries no transaction token: call the tool through the gateway")
        self._check_header(token)
        verified = self._claims(token)
        self._check_time(verified)
        self._check_purpose(verified, tool=tool, arguments=arguments)
        self._use_up(verified)
        return verified

    def _check_header(self, token: str) -> None:
        header = _peek(token, 0)
        if header is None:
            raise _refused("malformed", "The transaction token is not a signed JWT")
        if header.get("alg") != ALGORITHM:
            raise _refused("algorithm", f"The transaction token must be signed with {ALGORITHM}")
        if header.get("typ") != TYPE:
            raise _refused("type", f"The token is not a transaction token (typ {TYPE})")
        if surplus := header.keys() - {"alg", "kid", "typ"}:
            rule = "critical" if "crit" in surplus else "malformed"
            raise _refused(rule, "The transaction token's header asks for something this runtime does not know")

    def _claims(self, token: str) -> TxnToken:
        from joserfc import jwt
        from joserfc.errors import BadSignatureError, JoseError

        try:
            claims = jwt.decode(token, self._key, registry=self._registry).claims
            verified = TxnToken.from_claims(claims)
        except BadSignatureError:
            raise _refused("signature", "The transaction token's signature is not the request interceptor's") from None
        except (JoseError, ValueError, TypeError):
            raise _refused("malformed", "The transaction token lacks claims or has claims of the wrong type") from None
        if claims.get("scope") != verified.published_tool:
            raise _refused("tool", "The transaction token contradicts itself about its tool")
        return verified

    def _check_time(self, token: TxnToken) -> None:
        now = self._clock()
        if not 0 < token.expires_at - token.issued_at <= LIFETIME_SECONDS:
            raise _refused("lifetime", f"The transaction token must live between 1 and {LIFETIME_SECONDS} seconds")
        if token.issued_at > now + CLOCK_DRIFT_SECONDS:
            raise _refused("not-yet-valid", "The transaction token was issued in the future: check the clocks")
        if token.expires_at <= now:
            raise _refused("expired", "The transaction token has expired: call the tool again")

    def _check_purpose(self, token: TxnToken, *, tool: str, arguments: dict[str, object]) -> None:
        if token.issuer != self._issuer:
            raise _refused("issuer", "The transaction token comes from another issuer")
        if token.audience != self._audience:
            raise _refused("audience", "The transaction token is meant for another persona or server")
        if token.persona != self._audience.split(":")[-2]:
            raise _refused("persona", "The transaction token names another persona than this runtime serves")
        if token.tool != tool:
            raise _refused("tool", "The transaction token was issued for another tool")
        try:
            same = token.arguments_sha256 == digest(arguments)
        except ValueError:
            same = False
        if not same:
            raise _refused("arguments", "The transaction token was issued for other arguments")

    def _use_up(self, token: TxnToken) -> None:
        with self._lock:
            now = self._clock()
            for call_id in [call_id for call_id, expires_at in self._used.items() if expires_at <= now]:
                del self._used[call_id]
            if token.call_id in self._used:
                raise _refused("replayed", "The transaction token has been used: call the tool again")
            if len(self._used) >= _MOST_REMEMBERED:
                raise _refused("store-full", "Too many calls within a minute: wait a minute and call the tool again")
            self._used[token.call_id] = token.expires_at


def peek_call_id(token: str | None) -> str | None:
    """Return the call id a token claims, unverified: for correlation only, never for a decision."""
    claims = _peek(token, 1) if token else None
    call_id = claims.get("txn") if claims else None
    return call_id if isinstance(call_id, str) and _CALL_ID.fullmatch(call_id) else None


def _refused(reason: str, message: str) -> Refusal:
    return Refusal("runtime", f"token-{reason}", message)


def _peek(token: str, part: int) -> dict[str, Any] | None:
    """Return one part of a JWT as an object, or None when the token is no JWT."""
    if len(token) > LONGEST_TOKEN or token.count(".") != 2 or not token.isascii():
        return None
    text = token.split(".")[part]
    try:
        found = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode("ascii")


def _encode(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode("ascii")


def _raw_signature(der: bytes) -> bytes:
    """Turn a DER ECDSA signature, SEQUENCE { INTEGER r, INTEGER s }, into JOSE's r || s (RFC 7518, 3.4)."""
    # A P-256 signature is at most 72 bytes, so every DER length fits one byte.
    if len(der) < 8 or der[0] != 0x30 or der[1] != len(der) - 2:
        raise ValueError("the signature is not DER-encoded ECDSA")
    r, rest = _der_integer(der[2:])
    s, rest = _der_integer(rest)
    if rest or max(r.bit_length(), s.bit_length()) > 256:
        raise ValueError("the signature is not ECDSA over P-256")
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _der_integer(data: bytes) -> tuple[int, bytes]:
    if len(data) < 3 or data[0] != 0x02 or len(data) < 2 + data[1]:
        raise ValueError("the signature is not DER-encoded ECDSA")
    end = 2 + data[1]
    return int.from_bytes(data[2:end], "big"), data[end:]
