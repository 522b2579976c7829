"""Serves HTTP on 127.0.0.1 with uvicorn: bounds what comes in, and hands each request to a thread.

A client is answered, or told why not, or cut; none can make another one wait.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

SILENCE_SECONDS = 30
"""How long a connection may be idle or in the middle of a request's head, and how long a body may take."""

_HEAD_LIMIT_BYTES: Final = 64 * 1024
# A refused body is still read this far, or the client would see a reset connection instead of the refusal.
_DRAIN_LIMIT_BYTES: Final = 16 * 1024 * 1024
_THREADS: Final = 32
_UNKNOWN: Final = "nothing is known about the outcome"
_LOG = logging.getLogger(__name__)

_Scope = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
_Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True)
class HttpRequest:
    """A request as it came in; header names are in lower case, values of a repeated one joined, as HTTP has it."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """The path without its query, still percent-encoded."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """The query string."""
        return self.target.partition("?")[2]


@dataclass(frozen=True)
class HttpResponse:
    """An answer on its way out; its length is told without being said here."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpServer:
    """Serves a function of HTTP requests.

    Args:
        answer: answers one request; called from several threads.
        bound: a listening socket on 127.0.0.1, from `ports.take_port` as a rule; `stop` closes it.
        name: what is served, as the first words of a refusal.
        body_limit: bytes.
        refusal: an answer with a status and a text, in the form that the clients of this server understand.
    """

    def __init__(
        self,
        answer: Callable[[HttpRequest], HttpResponse],
        *,
        bound: socket.socket,
        name: str,
        body_limit: int,
        refusal: Callable[[HTTPStatus, str], HttpResponse],
    ) -> None:
        self._answer, self._bound, self._name = answer, bound, name
        self._body_limit, self._refusal = body_limit, refusal
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix=name)
        configuration = uvicorn.Config(
            self._application,
            interface="asgi3",
            http=_Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=SILENCE_SECONDS,
            timeout_graceful_shutdown=1,
            h11_max_incomplete_event_size=_HEAD_LIMIT_BYTES,
        )
        self._server = uvicorn.Server(configuration)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [bound]}, name=name, daemon=True)

    def start(self) -> str:
        """Serve in a thread of its own; returns the URL."""
        port = self._bound.getsockname()[1]
        self._thread.start()
        return f"http://127.0.0.1:{port}"

    def stop(self) -> None:
        """Stop serving, where that has begun, and free the port; whoever still waits for an answer is told so."""
        for task in tuple(self._server.server_state.tasks):
            task.get_loop().call_soon_threadsafe(task.cancel)
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(2.0)
        self._bound.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _application(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        headers, more = _headers(scope["headers"]), {}
        try:
            body = await self._body(int(headers.get("content-length", 0)), receive)
            target = b"?".join(part for part in (scope["raw_path"], scope["query_string"]) if part)
            request = HttpRequest(scope["method"], target.decode("latin-1"), headers, body)
            response = await asyncio.get_running_loop().run_in_executor(self._pool, self._answer, request)
        except _Refused as refused:
            response, more = self._refusal(*refused.args), {"connection": "close"}
        except asyncio.CancelledError:  # raised further it would be a traceback before the rehearsal's last line
            response = self._refusal(HTTPStatus.SERVICE_UNAVAILABLE, f"{self._name} ends; {_UNKNOWN}")
        except Exception:
            _LOG.exception("%s failed", self._name)
            response = self._refusal(HTTPStatus.INTERNAL_SERVER_ERROR, f"{self._name} failed; {_UNKNOWN}")
        told = {**response.headers, **more, "content-length": str(len(response.body))}
        encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in told.items()]
        await send({"type": "http.response.start", "status": int(response.status), "headers": encoded})
        await send({"type": "http.response.body", "body": response.body})

    async def _body(self, declared: int, receive: _Receive) -> bytes:
        body, more = bytearray(), declared <= _DRAIN_LIMIT_BYTES
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                while more and len(body) <= _DRAIN_LIMIT_BYTES:
                    event = await receive()
                    if event["type"] == "http.disconnect":
                        raise _Refused(HTTPStatus.BAD_REQUEST, "The body ended early")  # nobody is left to hear it
                    body += event["body"]
                    more = event["more_body"]
        except TimeoutError:
            text = f"The body did not arrive within {SILENCE_SECONDS} s"
            raise _Refused(HTTPStatus.REQUEST_TIMEOUT, text) from None
        if max(declared, len(body)) > self._body_limit:
            raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body is larger than {self._body_limit} bytes")
        return bytes(body)


class _Refused(Exception):
    """A request that is not read to its end; the arguments of the refusal."""


class _Connection(H11Protocol):
    """uvicorn's, which waits so long only after an answer: here for the first request, the rest of a head, a reader."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.access_log = False  # a request line may hold a code, and another uvicorn of this process may have a log
        # asyncio does so where the socket names its protocol, which one from `socket.socket()` does not; a body, sent
        # after its head, would wait 40 ms for the client's acknowledgement.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._wait()

    def data_received(self, data: bytes) -> None:
        try:
            super().data_received(data)
        except ValueError:  # h11 0.16 reads a Content-Length of any number of digits; int() takes 4300
            self.send_400_response("Invalid HTTP request received.")
        self._wait()

    def timeout_keep_alive_handler(self) -> None:
        self.transport.abort()  # closing it would wait for whoever does not read

    def _wait(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self._unset_keepalive_if_required()
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )


def _headers(raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for encoded, value in raw:
        name, text = encoded.decode("latin-1"), value.decode("latin-1")
        headers[name] = f"{headers[name]}, {text}" if name in headers else text
    return headers
