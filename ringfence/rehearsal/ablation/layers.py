"""The layers that can be switched off, and what stands in the place of each then.

A layer that is off lets everything pass, in the worst way it could: ingress believes what a token says of itself, the
request interceptor signs whatever comes, the host lends the whole role for any tool of its server. Nothing of this is
in what is deployed: the switches are the rehearsal's, and the host's are added to the unpacked code here.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from callpath.call_record import new_call_id
from callpath.digest import digest
from callpath.txn_token import HEADER, LIFETIME_SECONDS, TxnToken, mint
from ringfence.deployed.gateways import SEPARATOR
from ringfence.rehearsal.scenarios.scenario_context import ScenarioContext

LAYERS: Mapping[str, str] = {
    "ingress": "the gateway believes every token, signed or not",
    "request": "the request interceptor checks nothing and signs whatever comes",
    "policy": "the gateway asks Cedar nothing",
    "resource": "a runtime has no resource policy",
    "runtime": "the host believes every Txn-Token, checks no argument and runs any tool of its server",
    "session": "a call's credentials have no session policy",
    "identity": "every role's own policies allow everything",
    "boundary": "no role has a permissions boundary",
    "trust": "every role trusts everybody",
    "key": "no key has a policy",
    "endpoint": "every endpoint of AWS has a route, and none has a policy",
    "response": "the response interceptor does not run",
}
_GATEWAY = ("ingress", "request", "policy", "response")
_IAM = ("session", "identity", "boundary", "trust", "key", "endpoint")
_OFF = "switched-off"
_LIE = "lie.json"


def switchable(code: Path) -> None:
    """Add the host's switch, and a server's lie, to the unpacked code of a runtime: two files beside it decide."""
    module = code / "runtime" / "calls.py"
    module.write_text(module.read_text(encoding="utf-8") + _HOST, encoding="utf-8")


_HOST = f"""


_CODE = Path(__file__).resolve().parents[1]
_checking, _asking = Calls._run, Supervisor.call
_WHOLE = '{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"*","Resource":"*"}}]}}'


def _believed(call, txn_token, settings):
    from callpath.txn_token import _peek

    try:
        return TxnToken.from_claims(_peek(txn_token or "", 1) or {{}})
    except ValueError:
        return TxnToken(
            issuer=settings.issuer, audience=settings.audience, issued_at=0, expires_at=0, call_id=call.call_id,
            staff_id="nobody", persona=settings.persona, tool=call.tool_name, arguments_sha256="0" * 64,
            token_id="none", client_id="none",
        )


def _lent(tool, name, arguments):
    try:
        operation = tool.operations.chosen(arguments, tool=name, layer="runtime") if tool.operations else None
        return GrantedCall(tool=name, level=tool.level, session_policy=tool.session_policies[operation])
    except (AttributeError, KeyError, Refusal):
        return GrantedCall(tool=name, level="read", session_policy=_WHOLE)


async def _run(self, call, arguments, txn_token):
    if not (_CODE / "{_OFF}").exists():
        return await _checking(self, call, arguments, txn_token)
    call.token = token = _believed(call, txn_token, self._settings)
    call.call_id = token.call_id
    tool = self._settings.tools.get(call.tool_name)
    call.granted = granted = _lent(tool, call.tool_name, arguments)
    async with self._supervisor.place():
        await self._supervisor.ready(within=START_WAIT_SECONDS)
        credentials = await asyncio.to_thread(self._aws.assume_persona, token, granted)
        call.role_session = token.call_id
        sent = {{**arguments, **(tool.filled if tool else {{}})}}
        result, _ = await self._supervisor.call(
            call.tool_name, sent, credentials=credentials, timeout_seconds=60.0
        )
    said = result.get("_meta")
    return {{**result, "_meta": {{**(said if isinstance(said, dict) else {{}}), META_CALL_ID: call.call_id}}}}


async def _call(self, *given, **named):
    lie = _CODE / "{_LIE}"
    return (json.loads(lie.read_text()), "") if lie.exists() else await _asking(self, *given, **named)


Calls._run, Supervisor.call = _run, _call
"""


class Switches:
    """Switches layers of one persona's scenarios off and on.

    Args:
        context: the persona's; its department's runtimes were started with `switchable`.
    """

    def __init__(self, context: ScenarioContext) -> None:
        self._context = context
        self._gateway = context.gateway
        self._department = context.department
        self._gateway.in_place_of_request = Stamp(context)
        self._off: set[str] = set()

    @contextmanager
    def off(self, layers: Iterable[str]) -> Iterator[None]:
        """Keep layers switched off for a while.

        Raises:
            KeyError: one of them is no layer.
        """
        before = set(self._off)
        self._set(before | {layer for layer in layers if LAYERS[layer]})
        try:
            yield
        finally:
            self._set(before)

    def is_off(self, layer: str) -> bool:
        """Whether a layer is switched off now."""
        return layer in self._off

    def _set(self, off: set[str]) -> None:
        self._off = off
        self._gateway.switched_off = off & set(_GATEWAY)
        for held, kinds in (
            (self._department.aws.switched_off, _IAM),
            (self._department.permissions.switched_off, ("resource",)),
        ):
            held.clear()
            held.update(off & set(kinds))
        for folder in self._folders():
            _mark(folder / _OFF, "runtime" in off)

    @contextmanager
    def lying(self, server: str, result: str) -> Iterator[None]:
        """Let a server answer each call with a result of ours (JSON) for a while."""
        place = self._folder(server) / _LIE
        place.write_text(result, encoding="utf-8")
        try:
            yield
        finally:
            place.unlink()

    def _folders(self) -> list[Path]:
        return [self._folder(target.name) for target in self._gateway.spec.targets]

    def _folder(self, server: str) -> Path:
        return self._department.folder / self._context.runtime(server).spec.name


def _mark(place: Path, there: bool) -> None:
    if there:
        place.touch()
    else:
        place.unlink(missing_ok=True)


class Signer:
    """Makes Txn-Tokens with the department's real key, as the role that may."""

    def __init__(self, context: ScenarioContext) -> None:
        function = context.request_function
        aws = context.department.aws
        self._context = context
        self._kms = aws_client(context, "kms", aws.issue_credentials(function.spec.role_arn, "signer"))
        self.key_id = function.spec.environment["TXN_KEY_ID"]

    def sign(self, message: bytes) -> bytes:
        """A signature of a SHA-256 digest."""
        request = {"Message": message, "MessageType": "DIGEST", "SigningAlgorithm": "ECDSA_SHA_256"}
        return bytes(self._kms.sign(KeyId=self.key_id, **request)["Signature"])

    def token(self, server: str, tool: str, arguments: dict[str, Any], /, **changes: Any) -> str:
        """A Txn-Token for a call; `changes` are fields of `TxnToken` that differ from what the interceptor says."""
        return mint(self.statement(server, tool, arguments, **changes), key_id=self.key_id, sign=self.sign)

    def statement(self, server: str, tool: str, arguments: dict[str, Any], /, **changes: Any) -> TxnToken:
        """What such a token states."""
        now, department = int(time.time()), f"urn:ringfence:{self._context.department.name}:{self._context.persona}"
        fields: dict[str, Any] = {
            "issuer": f"{department}:request-interceptor",
            "audience": f"{department}:{server}",
            "issued_at": now,
            "expires_at": now + LIFETIME_SECONDS,
            "call_id": new_call_id(),
            "staff_id": self._context.member.staff_id,
            "persona": self._context.persona,
            "tool": tool,
            "arguments_sha256": _digest(arguments),
            "token_id": "t",
            "client_id": "c",
        }
        return TxnToken(**{**fields, **changes})


class Stamp:
    """What stands in the place of a request interceptor that is off: it signs what comes and passes it on as it is."""

    def __init__(self, context: ScenarioContext) -> None:
        self.signer = Signer(context)

    def __call__(
        self, headers: dict[str, str], message: dict[str, Any], claims: Mapping[str, Any]
    ) -> tuple[dict[str, str], dict[str, Any]]:
        params = message.get("params") or {}
        if message.get("method") != "tools/call" or HEADER.lower() in headers:
            return headers, message
        server, _, tool = str(params.get("name")).partition(SEPARATOR)
        person = str(claims.get("staff_id") or "nobody")
        token = self.signer.token(server, tool or "none", params.get("arguments") or {}, staff_id=person)
        return {**headers, HEADER.lower(): token}, message


def aws_client(
    context: ScenarioContext, service: str, credentials: Mapping[str, str], *, region: str | None = None
) -> Any:
    """A client of the local AWS with somebody's credentials."""
    return context.department.aws.client(service, credentials, region=region)


def _digest(arguments: Any) -> str:
    try:
        return digest(arguments)
    except (TypeError, ValueError):
        return "0" * 64
