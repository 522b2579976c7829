"""Serves a gateway on 127.0.0.1: bounds what comes in, and hands each request to a thread."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any, TypeVar

import uvicorn

from ringfence.rehearsal.gateway.gateway import Gateway
from ringfence.rehearsal.gateway.messages import INTERNAL_ERROR, INVALID_REQUEST, Answer, HttpRequest, error_body
from ringfence.rehearsal.loopback import REFUSED, is_from_another_site, is_from_here

# Interceptors are Lambda functions, and Lambda takes 6 MiB; the event repeats the body as text.
BODY_LIMIT_BYTES = 2 * 1024 * 1024
# A refused body is still read this far, or the client would see a reset connection instead of the refusal.
_DRAIN_LIMIT_BYTES = 16 * 1024 * 1024
_BODY_SECONDS = 30.0
_THREADS = 32
_LOGGER = logging.getLogger("ringfence.rehearsal.gateway.gateway")

_Scope = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
_Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
_Found = TypeVar("_Found")


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
        self._socket = bound
        self.port = int(self._socket.getsockname()[1])
        self.url = address_of(self.port)
        gateway.address = self.url
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="gateway")
        self._waited_for: set[asyncio.Future[Any]] = set()
        configuration = uvicorn.Config(
            self._application,
            interface="asgi3",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=1,
            h11_max_incomplete_event_size=64 * 1024,
            server_header=False,
        )
        self._server = uvicorn.Server(configuration)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop serving; a request that is still handled, or has not wholly arrived, is told so."""
        for waited_for in tuple(self._waited_for):
            waited_for.get_loop().call_soon_threadsafe(waited_for.cancel)
        self._server.should_exit = True
        self._thread.join(2.0)
        self._socket.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _application(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        if scope["type"] != "http":
            return
        body = await self._until_the_end(asyncio.ensure_future(_body(receive)))
        if isinstance(body, bytes):
            request = HttpRequest(scope["method"], scope["path"], _headers(scope["headers"]), body)
            answer = await self._handle(request)
        elif body is None:
            return  # the client left while it was sending
        else:
            answer = body
        await _send_answer(send, answer)

    async def _handle(self, request: HttpRequest) -> Answer:
        if not is_from_here(request.headers) or is_from_another_site(request.headers):
            return Answer(HTTPStatus.FORBIDDEN, error_body(None, INVALID_REQUEST, REFUSED))
        handled = asyncio.get_running_loop().run_in_executor(self._pool, self.gateway.handle, request)
        try:
            return await self._until_the_end(handled)
        except Exception:
            _LOGGER.exception("the gateway failed")
            text = "The gateway failed; nothing is known about the outcome"
            return Answer(HTTPStatus.INTERNAL_SERVER_ERROR, error_body(None, INTERNAL_ERROR, text))

    async def _until_the_end(self, waited_for: asyncio.Future[_Found]) -> _Found | Answer:
        """What is waited for, or the answer to a request that `stop` does not wait for."""
        self._waited_for.add(waited_for)
        try:
            return await waited_for
        except asyncio.CancelledError:  # raised further it would be a traceback before the rehearsal's last line
            text = "The gateway ends; nothing is known about the outcome"
            return Answer(HTTPStatus.SERVICE_UNAVAILABLE, error_body(None, INTERNAL_ERROR, text))
        finally:
            self._waited_for.discard(waited_for)


async def _body(receive: _Receive) -> bytes | Answer | None:
    """The body, the answer to one that is refused, or None when the client left."""
    chunks: list[bytes] = []
    size, more = 0, True
    while more and size <= _DRAIN_LIMIT_BYTES:
        try:
            event = await asyncio.wait_for(receive(), _BODY_SECONDS)
        except TimeoutError:
            text = f"The body did not arrive within {_BODY_SECONDS:.0f} s"
            return Answer(HTTPStatus.REQUEST_TIMEOUT, error_body(None, INVALID_REQUEST, text), {"Connection": "close"})
        if event["type"] == "http.disconnect":
            return None
        size += len(event.get("body", b""))
        if size <= BODY_LIMIT_BYTES:
            chunks.append(event.get("body", b""))
        more = event.get("more_body", False)
    if size <= BODY_LIMIT_BYTES:
        return b"".join(chunks)
    text = f"The body is larger than {BODY_LIMIT_BYTES} bytes"
    return Answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, error_body(None, INVALID_REQUEST, text), {"Connection": "close"})


def _headers(raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Header names in lower case; values of a repeated header joined, as HTTP has it."""
    headers: dict[str, str] = {}
    for encoded, value in raw:
        name = encoded.decode("latin-1").lower()
        text = value.decode("latin-1")
        headers[name] = f"{headers[name]}, {text}" if name in headers else text
    return headers


async def _send_answer(send: _Send, answer: Answer) -> None:
    body = b"" if answer.body is None else json.dumps(answer.body).encode()
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()]
    headers = [(name, value) for name, value in headers if name not in (b"content-length", b"content-type")]
    headers.append((b"content-length", str(len(body)).encode()))
    if body:
        headers.append((b"content-type", b"application/json"))
    await send({"type": "http.response.start", "status": int(answer.status), "headers": headers})
    await send({"type": "http.response.body", "body": body})
