"""The functions' tests run the real handlers on the rules that the example department really compiles to."""

from __future__ import annotations

import base64
import io
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from callpath.txn_token import TxnToken, mint
from request_interceptor import handler as request_handler
from response_interceptor import handler as response_handler
from ringfence.catalogue.catalogue import load_catalogue
from ringfence.compilers.rules import interceptor_rules, to_json
from ringfence.department.department import load_department

ISSUER = "https://cognito-idp.eu-west-2.amazonaws.com/eu-west-2_Example"
CLIENT_ID = "4example5client6id"
KEY_ID = "arn:aws:kms:eu-west-2:111122223333:key/00000000-0000-4000-8000-000000000000"
PRIVATE_KEY = ec.generate_private_key(ec.SECP256R1())


class LocalSigner:
    """Signs with a real key, without KMS."""

    def mint(self, token: TxnToken) -> str:
        return mint(token, key_id=KEY_ID, sign=self.sign)

    @staticmethod
    def sign(digest: bytes) -> bytes:
        return PRIVATE_KEY.sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))


@dataclass
class Answered:
    """What a handler answered, and what it wrote while it did."""

    content: dict[str, Any]
    lines: list[dict[str, Any]]

    @property
    def record(self) -> dict[str, Any]:
        (record,) = [line for line in self.lines if line.get("record") == "ringfence.call"]
        return record

    @property
    def passed_on(self) -> dict[str, Any]:
        assert list(self.content) == ["transformedGatewayRequest"], self.content
        return self.content["transformedGatewayRequest"]

    @property
    def shown(self) -> dict[str, Any]:
        assert list(self.content) == ["transformedGatewayResponse"], self.content
        return self.content["transformedGatewayResponse"]["body"]

    @property
    def result(self) -> dict[str, Any]:
        assert "result" in self.shown, self.shown
        return self.shown["result"]

    @property
    def texts(self) -> list[str]:
        return [part["text"] for part in self.result["content"]]

    @property
    def rule(self) -> str | None:
        """The rule by which the call was refused, told the same by answer and record."""
        told = self.result["_meta"] if "result" in self.shown else self.shown["error"]["data"]
        told = {name.removeprefix("ringfence/"): value for name, value in told.items()}
        assert self.record["outcome"] == told.get("outcome", "refused")
        assert (self.record["layer"], self.record["rule"]) == (told["layer"], told["rule"])
        assert self.record["call_id"] == told["call_id"]
        assert told["call_id"] in json.dumps(self.shown.get("result", {}).get("content") or self.shown["error"])
        return told["rule"]


@dataclass
class Function:
    """One handler with its log."""

    module: ModuleType
    log: io.StringIO = field(default_factory=io.StringIO)

    def __call__(self, event: Any) -> Answered:
        before = self.log.tell()
        answer = self.module.handler(event, None)
        # As Lambda's runtime interface client posts it (awslambdaric 4.2.2), and as a strict reader would take it.
        json.dumps(answer, ensure_ascii=False, allow_nan=False).encode()
        assert answer["interceptorOutputVersion"] == "1.0"
        written = self.log.getvalue()[before:]
        return Answered(answer["mcp"], [json.loads(line) for line in written.splitlines()])


@pytest.fixture(scope="session")
def rules_json() -> dict[str, Any]:
    catalogue = load_catalogue()
    department = load_department("example-production", catalogue=catalogue)
    return interceptor_rules(catalogue, department, "auditor")


@pytest.fixture(scope="session")
def rules_path(rules_json: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("zip") / "rules.json"
    path.write_bytes(to_json(rules_json))
    return path


@pytest.fixture(scope="session")
def public_key_der() -> bytes:
    return PRIVATE_KEY.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, rules_path: Path) -> Function:
    """The request interceptor."""
    monkeypatch.setenv("ISSUER", ISSUER)
    monkeypatch.setenv("CLIENT_IDS", f"another-host,{CLIENT_ID}")
    monkeypatch.setenv("TXN_KEY_ID", KEY_ID)
    monkeypatch.setattr(request_handler, "signer", LocalSigner)
    return function_on(monkeypatch, request_handler, rules_path)


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch, rules_path: Path) -> Function:
    """The response interceptor."""
    return function_on(monkeypatch, response_handler, rules_path)


@cache
def read_once(read: Callable[[Path], Any], path: Path, _changed: int) -> Any:
    """What a function makes of a file of rules: the patterns in it take longer to compile than most tests."""
    return read(path)


def function_on(monkeypatch: pytest.MonkeyPatch, module: ModuleType, rules_path: Path) -> Function:
    function, read = Function(module), module.read_rules
    monkeypatch.setattr(module, "read_rules", lambda path: read_once(read, path, path.stat().st_mtime_ns))
    if rules_path != module.RULES_PATH:
        monkeypatch.setattr(module, "RULES_PATH", rules_path)
    module.rules.cache_clear()
    if hasattr(module, "trusted"):
        module.trusted.cache_clear()
    for handler in module.LOGGER.handlers:
        monkeypatch.setattr(handler, "stream", function.log)
    return function


@pytest.fixture
def claims() -> dict[str, Any]:
    """The claims of a good access token of an auditor."""
    return {
        "iss": ISSUER,
        "client_id": CLIENT_ID,
        "token_use": "access",
        "exp": int(time.time()) + 900,
        "scope": "openid ringfence/auditor",
        "cognito:groups": ["auditor"],
        "staff_id": "HO-204518",
        "jti": "0b6f1c1e-6a4b-4f0e-9a55-2f3f3a6f7a11",
        "sub": "5d0c3c0a-93b2-4b0c-8f0b-0d8ed2c0c5f1",
    }


def access_token(claims: Any) -> str:
    """A token as the gateway lets it through: it has verified the signature, so this one needs none that is real."""
    parts = [json.dumps({"alg": "RS256", "kid": "k"}), json.dumps(claims), "signature"]
    return ".".join(base64.urlsafe_b64encode(part.encode()).rstrip(b"=").decode() for part in parts)


@pytest.fixture
def request_event(claims: dict[str, Any]) -> Callable[..., dict[str, Any]]:
    """Makes an event of the REQUEST phase, as the gateway sends it."""

    def make(
        method: str = "tools/call", params: Any = None, *, headers: dict[str, Any] | None = None, **changes: Any
    ) -> dict[str, Any]:
        sent = {"User-Agent": "test", "mcp-session-id": "session-1"}
        sent["authorization"] = f"Bearer {access_token(changes.pop('claims', claims))}"
        body: Any = {"jsonrpc": "2.0", "id": 7, "method": method}
        if method.startswith("notifications/"):
            del body["id"]
        if params is not None:
            body["params"] = params
        body = changes.pop("body", body | changes)
        return {
            "interceptorInputVersion": "1.0",
            "mcp": {
                "rawGatewayRequest": {"body": json.dumps(body)},
                "gatewayRequest": {
                    "path": "/mcp",
                    "httpMethod": "POST",
                    "headers": {name: value for name, value in (sent | (headers or {})).items() if value is not None},
                    "body": body,
                },
            },
        }

    return make


@pytest.fixture
def tool_call(request_event: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Makes the event of a tool call."""
    return lambda tool, **arguments: request_event(params={"name": tool, "arguments": arguments})


@pytest.fixture
def response_event() -> Callable[..., dict[str, Any]]:
    """Makes an event of the RESPONSE phase, as the gateway sends it."""

    def make(
        result: Any = None, *, tool: str = "iam___list_users", method: str = "tools/call", **changes: Any
    ) -> dict[str, Any]:
        params: dict[str, Any] = {"name": tool, "arguments": {}} if method == "tools/call" else {}
        body = changes.pop("body", {"jsonrpc": "2.0", "id": 7, "result": result})
        return {
            "interceptorInputVersion": "1.0",
            "mcp": {
                "gatewayRequest": {
                    "path": "/mcp",
                    "httpMethod": "POST",
                    "headers": changes.pop("headers", {}),
                    "body": changes.pop("asked", {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}),
                },
                "gatewayResponse": {"statusCode": 200, "headers": {}, "body": body} | changes,
            },
        }

    return make


@pytest.fixture
def tool_result(response_event: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Makes the event of a tool's result with these texts."""

    def make(*texts: str, tool: str = "iam___list_users", **more: Any) -> dict[str, Any]:
        content = [{"type": "text", "text": text} for text in texts]
        return response_event({"content": content, "isError": False} | more, tool=tool)

    return make


@pytest.fixture(scope="session")
def trusted_tool(rules_json: dict[str, Any]) -> str:
    """The published name of a tool whose output is AWS's own words."""
    return next(name for name, tool in rules_json["tools"].items() if not tool["untrusted"])


@pytest.fixture(scope="session")
def untrusted_tool(rules_json: dict[str, Any]) -> str:
    """The published name of a tool whose output carries other people's words."""
    return next(name for name, tool in rules_json["tools"].items() if tool["untrusted"])
