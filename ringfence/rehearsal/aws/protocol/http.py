"""The HTTP side of the local AWS."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from http import HTTPStatus

from ringfence.rehearsal.serving import HttpRequest, HttpResponse, HttpServer

_BODY_LIMIT_BYTES = 8 * 1024 * 1024


def on_loopback(answer: Callable[[HttpRequest], HttpResponse], *, port: int = 0) -> HttpServer:
    """A server of AWS's protocols on 127.0.0.1, not yet started.

    Args:
        answer: answers one request; called from several threads.
        port: the port; 0 picks a free one.

    Raises:
        OSError: the port is taken.
    """
    bound = socket.create_server(("127.0.0.1", port))
    return HttpServer(answer, bound=bound, name="The local AWS", body_limit=_BODY_LIMIT_BYTES, refusal=_refusal)


def _refusal(status: HTTPStatus, text: str) -> HttpResponse:
    told = status if status >= HTTPStatus.INTERNAL_SERVER_ERROR else HTTPStatus.BAD_REQUEST
    return HttpResponse(told, {"Content-Type": "application/json"}, json.dumps(text).encode())
