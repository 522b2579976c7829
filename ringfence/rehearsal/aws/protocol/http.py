"""The HTTP side of the local AWS: a threaded server on 127.0.0.1."""

from __future__ import annotations

import functools
import json
import logging
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler

from ringfence.rehearsal.aws.protocol.wire import HttpRequest, HttpResponse
from ringfence.rehearsal.loopback import PatientServer

_LOG = logging.getLogger(__name__)
_MAX_BODY = 8 * 1024 * 1024
_SILENCE_SECONDS = 120


class Loopback:
    """Serves a function of HTTP requests on 127.0.0.1.

    Args:
        answer: answers one request; called from several threads.
        port: the port; 0 picks a free one.

    Raises:
        OSError: the port is taken.
    """

    def __init__(self, answer: Callable[[HttpRequest], HttpResponse], *, port: int = 0) -> None:
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.answer = answer
        serve = functools.partial(self._server.serve_forever, poll_interval=0.05)
        self._thread = threading.Thread(target=serve, name="local-aws", daemon=True)

    def start(self) -> str:
        """Serve in a thread of its own; returns the URL."""
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        """Stop serving, where that has begun, and free the port."""
        try:
            if self._thread.is_alive():  # shutting down what never served would wait for ever
                self._server.shutdown()
        finally:
            self._server.server_close()


class _Server(PatientServer):
    request_queue_size = 64
    answer: Callable[[HttpRequest], HttpResponse]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _SILENCE_SECONDS
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)

    def _serve(self) -> None:
        try:
            body = self._body()
        except ValueError as fault:
            self.close_connection = True
            self._send(HttpResponse(400, {"Content-Type": "application/json"}, json.dumps(str(fault)).encode()))
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        self._send(self.server.answer(HttpRequest(self.command, self.path, headers, body)))

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = _serve

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding"):
            raise ValueError("chunked bodies are not supported by the local AWS")
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 <= length <= _MAX_BODY:
            raise ValueError(f"the body is larger than {_MAX_BODY} bytes")
        return self.rfile.read(length)

    def _send(self, response: HttpResponse) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)

    def log_message(self, format: str, *args: object) -> None:
        _LOG.debug(format, *args)
