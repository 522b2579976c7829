"""Serves a gateway on 127.0.0.1."""

from __future__ import annotations

import json
import socket
from http import HTTPStatus

from ringfence.rehearsal.gateway.gateway import Gateway
from ringfence.rehearsal.gateway.messages import INTERNAL_ERROR, INVALID_REQUEST, Answer, error_body
from ringfence.rehearsal.loopback import REFUSED, is_from_another_site, is_from_here
from ringfence.rehearsal.serving import HttpRequest, HttpResponse, HttpServer

# Interceptors are Lambda functions, and Lambda takes 6 MiB; the event repeats the body as text.
BODY_LIMIT_BYTES = 2 * 1024 * 1024


def address_of(port: int) -> str:
    """The address of the gateway that is served on a port."""
    return f"http://127.0.0.1:{port}/mcp"


class GatewayServer:
    """A gateway behind a port."""

    def __init__(self, gateway: Gateway, *, bound: socket.socket) -> None:
        """Start serving.

        Args:
            gateway: what to serve.
            bound: a socket from `ports.take_port`.
        """
        self.gateway = gateway
        self.url = gateway.address = address_of(bound.getsockname()[1])
        self._server = HttpServer(
            self._answer, bound=bound, name="The gateway", body_limit=BODY_LIMIT_BYTES, refusal=_refusal
        )
        self._server.start()

    def stop(self) -> None:
        """Stop serving."""
        self._server.stop()

    def _answer(self, request: HttpRequest) -> HttpResponse:
        if not is_from_here(request.headers) or is_from_another_site(request.headers):
            return _refusal(HTTPStatus.FORBIDDEN, REFUSED)
        return _response(self.gateway.handle(request))


def _refusal(status: HTTPStatus, text: str) -> HttpResponse:
    return _response(Answer(status, error_body(None, INTERNAL_ERROR if status >= 500 else INVALID_REQUEST, text)))


def _response(answer: Answer) -> HttpResponse:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    headers.pop("content-type", None)
    if answer.body is None:
        return HttpResponse(answer.status, headers, b"")
    return HttpResponse(
        answer.status, {**headers, "content-type": "application/json"}, json.dumps(answer.body).encode()
    )
