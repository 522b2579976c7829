"""The server under the local AWS, the gateways and the sign-in page: no client holds it up, each gets a word.

What they answer to bodies that are too large, and to clients that hang up, is tested with each of them.
"""

from __future__ import annotations

import http.client
import logging
import socket
import statistics
import time
from collections.abc import Callable, Iterator

import pytest

from ringfence.rehearsal import serving
from ringfence.rehearsal.serving import HttpRequest, HttpResponse, HttpServer
from tests.waiting import LAST_RESORT_SECONDS

Ask = Callable[[bytes], bytes]
WHOLE = b"GET /a%20b?c=d HTTP/1.1\r\nHost: example.org\r\n\r\n"


def echo(request: HttpRequest) -> HttpResponse:
    return HttpResponse(200, {}, f"{request.path} {request.query} {request.headers.get('a')}".encode())


@pytest.fixture
def serving_on(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of a server that waits a second for its clients."""
    monkeypatch.setattr(serving, "SILENCE_SECONDS", 1)
    bound = socket.create_server(("127.0.0.1", 0))
    address = bound.getsockname()
    server = HttpServer(
        echo, bound=bound, name="It", body_limit=8, refusal=lambda status, text: HttpResponse(status, {}, text.encode())
    )
    server.start()
    yield address[1]
    server.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=LAST_RESORT_SECONDS)


@pytest.fixture
def ask(serving_on: int) -> Ask:
    """Sends some bytes and no more, and returns all that comes back until the server cuts the connection."""

    def sent(request: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", serving_on), timeout=LAST_RESORT_SECONDS) as client:
            client.sendall(request)
            return b"".join(iter(lambda: client.recv(65536), b""))

    return sent


@pytest.mark.parametrize("sent", [b"", WHOLE[:-2]], ids=["nothing", "half a head"])
def test_who_sends_no_request_is_cut(ask: Ask, sent: bytes) -> None:
    assert ask(sent) == b""


@pytest.mark.parametrize("more", [b"", WHOLE[:-2]], ids=["nothing", "half a head"])
def test_who_sends_nothing_more_is_cut_after_the_answer(ask: Ask, more: bytes) -> None:
    answer = ask(WHOLE + more)
    assert answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(b"/a%20b c=d None")
    assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize(
    ("head", "body", "status", "told"),
    [
        (b"Content-Length: 8", b"1234567", 408, b"The body did not arrive within 1 s"),
        (b"Content-Length: 8", b"12345678", 200, b"/  None"),
        (b"Content-Length: 9", b"123456789", 413, b"The body is larger than 8 bytes"),
        (b"Content-Length: 99999999999", b"", 413, b"The body is larger than 8 bytes"),
        (b"Transfer-Encoding: chunked", b"9\r\n123456789\r\n0\r\n\r\n", 413, b"The body is larger than 8 bytes"),
        (b"Content-Length: " + b"9" * 5000, b"", 400, b"Invalid HTTP request"),
        (b"A: 1\r\na: 2", b"", 200, b"/  1, 2"),
    ],
    ids=["late", "whole", "large", "huge", "in chunks", "no number", "a header twice"],
)
def test_a_request_is_answered_or_told_why_not(ask: Ask, head: bytes, body: bytes, status: int, told: bytes) -> None:
    answer = ask(b"POST / HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n" + head + b"\r\n\r\n" + body)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert told in answer


def test_a_head_of_more_than_64_kib_is_refused(ask: Ask) -> None:
    assert ask(WHOLE[:-2].ljust(64 * 1024 + 1, b"x")).startswith(b"HTTP/1.1 400 ")


def test_no_answer_waits_for_an_acknowledgement_of_its_head(serving_on: int) -> None:
    """A client acknowledges within 40 ms what it has nothing to say to; the fastest answers wait for nobody."""
    client, seconds = http.client.HTTPConnection("127.0.0.1", serving_on, timeout=LAST_RESORT_SECONDS), []
    for _ in range(30):
        begun = time.perf_counter()
        client.request("GET", "/")
        client.getresponse().read()
        seconds.append(time.perf_counter() - begun)
    client.close()
    assert statistics.quantiles(seconds, n=10)[0] < 0.03


def test_no_request_line_is_logged_whoever_else_has_a_log_of_uvicorn(
    ask: Ask, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("uvicorn.access"), "propagate", True)
    caplog.set_level(logging.INFO, logger="uvicorn.access")
    assert b" 200 " in ask(WHOLE)
    assert caplog.text == ""
