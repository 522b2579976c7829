"""Signs somebody in as an MCP host does: authorization code with PKCE, on a loopback address of the file."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2

from ringfence.live.problems import CannotStart

_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_SECONDS: Final = 30.0


@dataclass(frozen=True)
class SignIn:
    """With which client somebody signs in, and for what.

    Attributes:
        domain: the sign-in page's address, `https://<prefix>.auth.eu-west-2.amazoncognito.com`.
        client_id: a public client of the pool.
        callback: one of its callback addresses, on loopback.
        scope: the scopes to ask for.
    """

    domain: str
    client_id: str
    callback: str
    scope: str


def loopback_callback(urls: list[str]) -> str | None:
    """Returns the first callback address that this machine can receive, or None."""
    return next((url for url in urls if urlsplit(url).scheme == "http" and urlsplit(url).hostname in _LOOPBACK), None)


def sign_in(wanted: SignIn, *, tell: Callable[[str], None], seconds: float) -> str:
    """Returns an access token of whoever signs in with a browser.

    Args:
        tell: gets the address to open.
        seconds: how long to wait for the person.

    Raises:
        CannotStart: nobody signed in, or Cognito refused.
    """
    verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    asked = {
        "response_type": "code",
        "client_id": wanted.client_id,
        "redirect_uri": wanted.callback,
        "scope": wanted.scope,
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    with _Receiver(wanted.callback) as receiver:
        tell(f"{wanted.domain}/oauth2/authorize?{urlencode(asked)}")
        answer = receiver.wait(seconds)
    if answer.get("state") != state:
        raise CannotStart("the answer of the sign-in page does not belong to this sign-in", "Start again.")
    if "code" not in answer:
        told = answer.get("error_description") or answer.get("error") or "no reason"
        raise CannotStart(f"the sign-in page refused: {told}", "See the troubleshooting runbook for this message.")
    return _exchange(wanted, answer["code"], verifier)


def _exchange(wanted: SignIn, code: str, verifier: str) -> str:
    form = {
        "grant_type": "authorization_code",
        "client_id": wanted.client_id,
        "redirect_uri": wanted.callback,
        "code": code,
        "code_verifier": verifier,
    }
    try:
        response = httpx2.post(f"{wanted.domain}/oauth2/token", data=form, timeout=_SECONDS, trust_env=True)
        body = response.json()
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
        raise CannotStart(f"the token endpoint did not answer: {type(error).__name__}", "Try again.") from None
    if not isinstance(body, dict) or "access_token" not in body:
        told = body.get("error", "") if isinstance(body, dict) else ""
        raise CannotStart(f"the token endpoint refused: {response.status_code} {told}".rstrip(), "Start again.")
    return str(body["access_token"])


def claims_of(token: str) -> dict[str, Any]:
    """Returns what an access token says, without checking who signed it: the gateway does that.

    Raises:
        CannotStart: it is no JSON Web Token.
    """
    try:
        part = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        if not isinstance(claims, dict):
            raise ValueError
    except (IndexError, ValueError):
        raise CannotStart("the token is no access token", "Put a whole one into RINGFENCE_TOKEN.") from None
    return claims


class _Receiver:
    """Listens on a loopback callback address for one answer."""

    def __init__(self, callback: str) -> None:
        parts = urlsplit(callback)
        self._path = parts.path or "/"
        self._answer: dict[str, str] = {}
        self._come = threading.Event()
        try:
            # Loopback alone, whatever name the file gives it.
            self._server = HTTPServer(("127.0.0.1", parts.port or 80), self._handler())
        except OSError as error:
            raise CannotStart(
                f"the callback address {callback} cannot be listened on: {error.strerror}",
                "Close the program that listens there, or give a token in RINGFENCE_TOKEN.",
            ) from None

    def __enter__(self) -> _Receiver:
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait(self, seconds: float) -> dict[str, str]:
        if not self._come.wait(seconds):
            raise CannotStart(f"nobody signed in within {seconds:.0f} seconds", "Start again.")
        return self._answer

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                address = urlsplit(self.path)
                ours = address.path == receiver._path
                self.send_response(200 if ours else 404)
                self.send_header("Content-Type", "text/plain; charset=utf-8")
                self.end_headers()
                self.wfile.write(b"Received. You may close this page.\n" if ours else b"Nothing is here.\n")
                if ours:
                    receiver._answer = {name: values[0] for name, values in parse_qs(address.query).items()}
                    receiver._come.set()

            def log_message(self, *_: object) -> None:
                """Quiet: the address holds the code."""

        return Handler
