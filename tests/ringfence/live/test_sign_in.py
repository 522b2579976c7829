"""Signing in: authorization code with PKCE, against a token endpoint that checks the proof itself."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from ringfence.live.problems import CannotStart
from ringfence.live.verification.sign_in import SignIn, claims_of, loopback_callback, sign_in

CLIENT = "1example23456789"


class Cognito(ThreadingHTTPServer):
    """A token endpoint: gives a token for the code and verifier that belong together, once."""

    daemon_threads = True

    def __init__(self) -> None:
        self.challenges: dict[str, str] = {}
        super().__init__(("127.0.0.1", 0), Token)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Token(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Cognito)
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        verifier = hashlib.sha256(form["code_verifier"][0].encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).rstrip(b"=").decode()
        good = self.path == "/oauth2/token" and form["client_id"] == [CLIENT]
        good = good and self.server.challenges.pop(form["code"][0], None) == challenge
        body = json.dumps({"access_token": "a.b.c"} if good else {"error": "invalid_grant"}).encode()
        self.send_response(200 if good else 400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def cognito() -> Iterator[Cognito]:
    server = Cognito()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def wanted(cognito: Cognito) -> SignIn:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return SignIn(cognito.url, CLIENT, f"http://localhost:{port}/callback", "openid ringfence/auditor")


def signed_in(wanted: SignIn, cognito: Cognito, *, challenge: str = "", seconds: float = 60, **answer: str) -> str:
    """Signs in, with a browser that comes back with what Cognito would answer."""
    told: list[str] = []
    asked = threading.Event()

    def tell(address: str) -> None:
        told.append(address)
        asked.set()

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(sign_in, wanted, tell=tell, seconds=seconds)
        assert asked.wait(60)
        query = {name: values[0] for name, values in parse_qs(urlsplit(told[0]).query).items()}
        assert (query["response_type"], query["code_challenge_method"]) == ("code", "S256")
        assert query["scope"] == "openid ringfence/auditor"
        cognito.challenges["code-1"] = challenge or query["code_challenge"]
        back = wanted.callback.replace("localhost", "127.0.0.1")
        httpx2.get(back, params={"state": query["state"], **answer} if answer else {}, trust_env=False)
        return future.result()


def test_a_sign_in_gives_a_token(wanted: SignIn, cognito: Cognito) -> None:
    assert signed_in(wanted, cognito, code="code-1") == "a.b.c"


def test_an_answer_to_another_sign_in_is_refused(wanted: SignIn, cognito: Cognito) -> None:
    with pytest.raises(CannotStart, match="does not belong"):
        signed_in(wanted, cognito, code="code-1", state="another")


def test_a_refusal_of_the_page_is_told(wanted: SignIn, cognito: Cognito) -> None:
    with pytest.raises(CannotStart, match="no usable staff id"):
        signed_in(wanted, cognito, error="invalid_request", error_description="no usable staff id")


def test_a_code_of_somebody_else_is_refused_by_its_proof(wanted: SignIn, cognito: Cognito) -> None:
    with pytest.raises(CannotStart, match="invalid_grant"):
        signed_in(wanted, cognito, challenge="another", code="code-1")


def test_nobody_comes(wanted: SignIn) -> None:
    with pytest.raises(CannotStart, match="nobody signed in"):
        sign_in(wanted, tell=lambda _: None, seconds=0)


def test_a_taken_callback_port_is_told(wanted: SignIn) -> None:
    with socket.create_server(("127.0.0.1", urlsplit(wanted.callback).port or 0)):
        with pytest.raises(CannotStart, match="cannot be listened on"):
            sign_in(wanted, tell=lambda _: None, seconds=0)


def test_only_a_loopback_address_can_be_listened_on() -> None:
    urls = ["https://assistant.example.org/callback", "http://[::1]:33418/callback", "http://localhost:1/callback"]
    assert loopback_callback(urls) == "http://[::1]:33418/callback"
    assert loopback_callback(urls[:1]) is None


@pytest.mark.parametrize("token", ["", "a", "a.b.c", "a.W10.c"])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(CannotStart, match="no access token"):
        claims_of(token)
