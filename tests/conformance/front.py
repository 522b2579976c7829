"""What a host would do that the suite cannot: sign in, use the gateway's names of tools, keep to the agreed revision.

The suite sends no token; it calls its tools by their own names, which a gateway publishes behind the target's; and two
of its scenarios say `MCP-Protocol-Version: 2025-03-26` after they have agreed on another revision, which a gateway
that does not list it must refuse (MCP 2025-11-25, transports, "Protocol Version Header"). Nothing else is touched:
address, origin, session, status and body are the suite's and the gateway's.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

import httpx2

from ringfence.deployed.gateways import published
from ringfence.rehearsal.gateway.http import address_of
from ringfence.rehearsal.ports import take_port
from ringfence.rehearsal.serving import HttpRequest, HttpResponse, HttpServer
from tests.waiting import LAST_RESORT_SECONDS

_VERSION: Final = "mcp-protocol-version"
_OF_THE_CONNECTION: Final = ("content-length", "connection", "transfer-encoding", "date", "accept-encoding")


class Front:
    """Listens on loopback and asks a gateway the same, as somebody who is signed in. Use as a context manager."""

    def __init__(self, gateway: str, *, token: Callable[[], str], target: str) -> None:
        """Take a port.

        Args:
            gateway: its address.
            token: gives a fresh access token.
            target: whose tools the suite means; empty for a gateway without them.
        """
        self._gateway, self._token, self._prefix = gateway, token, published(target, "") if target else ""
        self._agreed = ""
        bound = take_port(0, name="The front")
        self.url = address_of(bound.getsockname()[1])
        self._client = httpx2.Client(timeout=LAST_RESORT_SECONDS, trust_env=False)
        self._server = HttpServer(self._answer, bound=bound, name="The front", body_limit=1 << 20, refusal=_refusal)

    def __enter__(self) -> Front:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()
        self._client.close()

    def _answer(self, request: HttpRequest) -> HttpResponse:
        headers = {name: value for name, value in request.headers.items() if name not in _OF_THE_CONNECTION}
        headers["authorization"] = f"Bearer {self._token()}"
        if _VERSION in headers:
            headers[_VERSION] = self._agreed or headers[_VERSION]
        body = self._asked(request.body)
        answer = self._client.request(request.method, self._gateway, headers=headers, content=body)
        kept = {name: value for name, value in answer.headers.items() if name not in _OF_THE_CONNECTION}
        return HttpResponse(answer.status_code, kept, self._told(answer.content))

    def _asked(self, body: bytes) -> bytes:
        message = _object(body)
        if message.get("method") != "tools/call":
            return body
        named = {**message["params"], "name": self._prefix + message["params"]["name"]}
        return json.dumps({**message, "params": named}).encode()

    def _told(self, body: bytes) -> bytes:
        result = _object(body).get("result")
        if not isinstance(result, dict):
            return body
        self._agreed = result.get("protocolVersion", self._agreed)
        if "tools" not in result:
            return body
        tools = [{**tool, "name": tool["name"].removeprefix(self._prefix)} for tool in result["tools"]]
        return json.dumps({**_object(body), "result": {**result, "tools": tools}}).encode()


def _object(body: bytes) -> dict[str, Any]:
    try:
        message = json.loads(body)
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}


def _refusal(status: HTTPStatus, text: str) -> HttpResponse:
    return HttpResponse(status, {"content-type": "text/plain"}, text.encode())
