"""The local AWS as a process: where it listens, what a client may do to it, and that it leaves moto to the next."""

from __future__ import annotations

import http.client
import json
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from moto.moto_api._internal.models import moto_api_backend

import ringfence.rehearsal.aws.server
from ringfence.deployed.assembly import Assembly
from ringfence.rehearsal.aws.protocol.http import on_loopback
from ringfence.rehearsal.aws.server import LocalAws
from ringfence.rehearsal.serving import HttpRequest, HttpResponse, HttpServer
from tests.waiting import LAST_RESORT_SECONDS


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """One with nothing in it."""
    folder: Path = tmp_path_factory.mktemp("assembly")
    artifact = {
        "type": "aws:cloudformation:stack",
        "environment": "aws://111122223333/eu-west-2",
        "properties": {"templateFile": "one.json"},
    }
    (folder / "manifest.json").write_text(json.dumps({"artifacts": {"one": artifact}}))
    (folder / "one.json").write_text(json.dumps({"Resources": {}}))
    return Assembly.load(folder)


@pytest.fixture
def aws(assembly: Assembly) -> Iterator[LocalAws]:
    with LocalAws(assembly) as running:
        yield running


def fails(*_: object, **__: object) -> NoReturn:
    raise RuntimeError("example fault")


# Clients


def test_it_listens_on_loopback_only(aws: LocalAws) -> None:
    assert aws.endpoint_url.startswith("http://127.0.0.1:")


def test_malformed_requests_get_an_answer(aws: LocalAws) -> None:
    host, port = aws.endpoint_url.removeprefix("http://").split(":")
    for method, path, headers, body, status in (
        ("GET", "/", {}, b"", 403),
        ("POST", "/", {"Authorization": "AWS4-HMAC-SHA256 nonsense"}, b"", 403),
        (
            "POST",
            "/",
            {"Authorization": "AWS4-HMAC-SHA256 Credential=A/20260101/eu-west-2/iam/aws4_request"},
            b"x",
            403,
        ),
        ("POST", "/", {"Content-Length": "999999999"}, b"", 400),
        ("POST", "/", {"Content-Length": "some"}, b"", 400),
    ):
        connection = http.client.HTTPConnection(host, int(port), timeout=LAST_RESORT_SECONDS)
        connection.putrequest(method, path)
        for name, value in headers.items():
            connection.putheader(name, value)
        if body and "Content-Length" not in headers:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        assert connection.getresponse().status == status, (method, headers)
        connection.close()


def test_a_client_that_hangs_up_before_its_answer_leaves_no_traceback(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    hung_up = threading.Event()

    def answer(request: HttpRequest) -> HttpResponse:
        if request.path == "/slow":
            assert hung_up.wait(LAST_RESORT_SECONDS)
        return HttpResponse(200, {}, b"x" * 4_000_000)  # more than the connection's buffers take

    server = on_loopback(answer)
    try:
        port = int(server.start().rpartition(":")[2])
        client = socket.create_connection(("127.0.0.1", port), timeout=LAST_RESORT_SECONDS)
        client.sendall(b"GET /slow HTTP/1.1\r\nHost: example.org\r\n\r\n")
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # end with a reset
        client.close()
        hung_up.set()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LAST_RESORT_SECONDS)
        connection.request("GET", "/")
        assert len(connection.getresponse().read()) == 4_000_000
        connection.close()
    finally:
        server.stop()
    assert (capfd.readouterr().err, caplog.text) == ("", "")


def test_any_other_fault_of_the_listener_is_told(caplog: pytest.LogCaptureFixture) -> None:
    server = on_loopback(fails)
    try:
        port = int(server.start().rpartition(":")[2])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LAST_RESORT_SECONDS)
        connection.request("GET", "/")
        answer = connection.getresponse()
        told = answer.read()
        connection.close()
    finally:
        server.stop()
    assert (answer.status, b"nothing is known about the outcome" in told, b"fault" in told) == (500, True, False)
    assert "RuntimeError: example fault" in caplog.text


# Starting and stopping: moto's state is one for the process, and whoever holds it must leave it whatever happens


def test_a_second_local_aws_does_not_disturb_the_first(aws: LocalAws, assembly: Assembly) -> None:
    with pytest.raises(RuntimeError, match="only one local AWS"):
        LocalAws(assembly).start()
    assert aws._moto.client("iam", "us-east-1").list_users()["Users"]


def test_one_that_never_started_stops_and_disturbs_nobody(aws: LocalAws, assembly: Assembly) -> None:
    LocalAws(assembly).stop()
    with pytest.raises(RuntimeError, match="only one local AWS"):
        LocalAws(assembly).start()


def test_a_taken_port_is_an_error_and_the_next_may_start(assembly: Assembly) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        with pytest.raises(OSError, match="in use"):
            LocalAws(assembly, port=taken.getsockname()[1]).start()
    with LocalAws(assembly) as next_one:
        assert next_one.endpoint_url


@pytest.mark.parametrize(
    ("owner", "name"),
    [(ringfence.rehearsal.aws.server, "load_fixtures"), (HttpServer, "start"), (type(moto_api_backend), "reset")],
    ids=["seeding", "listening", "emptying"],
)
def test_a_start_that_fails_leaves_the_next_free_to_start(
    assembly: Assembly, owner: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken, pytest.raises(RuntimeError, match="example fault"):
        broken.setattr(owner, name, fails)
        LocalAws(assembly).start()
    with LocalAws(assembly) as next_one:
        assert next_one.endpoint_url


@pytest.mark.parametrize(
    ("owner", "name"),
    [(HttpServer, "stop"), (type(moto_api_backend), "reset")],
    ids=["closing", "emptying"],
)
def test_a_stop_that_fails_leaves_the_next_free_to_start(
    assembly: Assembly, owner: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken_one = LocalAws(assembly)
    broken_one.start()
    listener = broken_one._server
    with monkeypatch.context() as broken, pytest.raises(RuntimeError, match="example fault"):
        broken.setattr(owner, name, fails)
        broken_one.stop()
    assert listener is not None
    listener.stop()
    with LocalAws(assembly) as next_one:
        assert next_one.endpoint_url
    broken_one.stop()  # again, which changes nothing
