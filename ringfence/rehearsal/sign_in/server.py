"""Serves the authorization server on 127.0.0.1: parse, ask the core, answer."""

from __future__ import annotations

import base64
import binascii
import json
import re
import socket
import threading
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from ringfence.rehearsal.compute.function_process import FunctionError
from ringfence.rehearsal.identity.user_pool import UserPool
from ringfence.rehearsal.loopback import REFUSED, PatientServer, is_from_here
from ringfence.rehearsal.problems import CannotStart
from ringfence.rehearsal.sign_in import pages
from ringfence.rehearsal.sign_in.authorization import SESSION_SECONDS, AuthorizationServer, Page, Redirect
from ringfence.rehearsal.sign_in.problems import OAuthError, Refused

_BODY_LIMIT_BYTES: Final = 64 * 1024
_LENGTH: Final = re.compile(r"[0-9]{1,9}")
_COOKIE: Final = "ringfence_rehearsal"
_FORM: Final = "application/x-www-form-urlencoded"
_REGISTER: Final = ("/register", "/oauth2/register")


class SignInServer:
    """The sign-in page, the token endpoint and what the pool publishes, on 127.0.0.1.

    Attributes:
        authorization: what decides.
        issuer: by what name hosts know it.
    """

    def __init__(
        self,
        authorization: AuthorizationServer,
        pool: UserPool,
        *,
        department: str,
        bound: socket.socket,
        token_for: Callable[[str], str | None] | None = None,
    ) -> None:
        """Start serving.

        Args:
            authorization: what decides.
            pool: whose template's issuer stands in the gateways' authorizers.
            department: the department's name, for the pages.
            bound: a socket from `take_port`.
            token_for: gives scripts an access token for a persona, None for an unknown one; without it, nobody does.
        """
        self.authorization = authorization
        self.issuer = authorization.issuer
        self._pool = pool
        handler = partial(_Handler, served=_Served(authorization, department, token_for))
        server = PatientServer(bound.getsockname()[:2], handler, bind_and_activate=False)
        server.socket.close()
        server.socket = bound
        self._server = server
        threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()

    def fetch(self, url: str) -> Mapping[str, Any]:
        """What the template's issuer publishes at an address, as a gateway reads it: served here, under its own name.

        Raises:
            CannotStart: the address is not the pool's.
        """
        if not url.startswith(self._pool.issuer + "/"):
            raise CannotStart(
                f"{url} is not served by the user pool {self._pool.pool_id} of this assembly",
                "The gateway must trust the issuer of the department's own pool.",
            )
        here = self.issuer + url.removeprefix(self._pool.issuer)
        with urllib.request.urlopen(here, timeout=60) as response:  # noqa: S310 - loopback
            document: Mapping[str, Any] = json.loads(response.read().decode().replace(self.issuer, self._pool.issuer))
        return document

    def stop(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()


@dataclass(frozen=True)
class _Served:
    authorization: AuthorizationServer
    department: str
    token_for: Callable[[str], str | None] | None


class _Handler(BaseHTTPRequestHandler):
    """One connection. What it serves is given before the request, which the base class reads while it is made."""

    timeout = 30  # a browser opens connections that it may never use

    def __init__(self, *connection: Any, served: _Served) -> None:
        self._served = served
        self._authorization = served.authorization
        super().__init__(*connection)

    def do_GET(self) -> None:
        self._answered(self._get)

    def do_POST(self) -> None:
        self._answered(self._post)

    def _answered(self, answer: Callable[[str, str], None]) -> None:
        path, _, query = self.path.partition("?")
        try:
            if not self._is_from_here():
                raise Refused("This page is not for other sites", f"{REFUSED}.", f"Open {self._authorization.base}.")
            answer(path, query)
        except OAuthError as error:
            status = HTTPStatus.UNAUTHORIZED if error.error == "invalid_client" else HTTPStatus.BAD_REQUEST
            self._send_json(error.document, status)
        except Refused as problem:
            status = HTTPStatus.BAD_REQUEST if self._is_from_here() else HTTPStatus.FORBIDDEN
            self._send(status, "text/html; charset=utf-8", pages.refused(self._served.department, problem))

    def _get(self, path: str, query: str) -> None:
        if path == "/":
            self._send_outcome(self._authorization.front(session=self._session()))
        elif path in ("/oauth2/authorize", "/login"):
            self._send_outcome(self._authorization.authorize(query, session=self._session()))
        elif path == "/logout":
            self._send_outcome(self._authorization.sign_out(query, session=self._session()))
        elif path.startswith("/sign-in/"):
            self._send_token(path.removeprefix("/sign-in/"))
        elif (document := self._authorization.document(path)) is not None:
            self._send_json(document)
        elif path.startswith("/.well-known/"):
            told = f"Nothing is published here, as with Cognito, but at {self._authorization.issuer}"
            self._send_json({"error": f"{told}/.well-known/openid-configuration"}, HTTPStatus.NOT_FOUND)
        else:
            self._nothing_here()

    def _post(self, path: str, _query: str) -> None:
        if path == "/login":
            self._check_own_page()
            self._send_outcome(self._authorization.sign_in(self._form(), session=self._session()))
        elif path == "/oauth2/token":
            self._send_json(self._authorization.token(self._form()))
        elif path == "/oauth2/revoke":
            self._authorization.revoke(self._form())
            self._send(HTTPStatus.OK, "text/plain", "")
        elif path in _REGISTER:
            self._send_json(self._authorization.register(self._json()), HTTPStatus.CREATED)
        else:
            self._nothing_here()

    def _is_from_here(self) -> bool:
        return is_from_here({name.lower(): value for name, value in self.headers.items()})

    def _check_own_page(self) -> None:
        """Another program's page on this computer must not sign anybody in by itself."""
        origin = self.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != self.headers.get("Host"):
            raise Refused(
                "This form came from another page",
                f"It came from {origin}, and not from the sign-in page.",
                "Start the sign-in again in the host.",
            )

    def _session(self) -> str | None:
        try:
            cookie = SimpleCookie(self.headers.get("Cookie", "")).get(_COOKIE)
        except CookieError:
            return None
        return cookie.value if cookie else None

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not _LENGTH.fullmatch(length) or int(length) > _BODY_LIMIT_BYTES:
            raise OAuthError(
                "invalid_request", f"The body must be at most {_BODY_LIMIT_BYTES} bytes, and say how long."
            )
        return self.rfile.read(int(length))

    def _form(self) -> dict[str, str]:
        body, kind = self._body(), self.headers.get_content_type()
        if kind != _FORM:
            raise OAuthError("invalid_request", f"The body must be {_FORM}.")
        try:
            found = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=50)
        except ValueError:
            raise OAuthError("invalid_request", "The body is not a form in UTF-8 of at most 50 fields.") from None
        if any(len(values) > 1 for values in found.values()):  # RFC 6749, section 3.2, forbids it
            raise OAuthError("invalid_request", "A parameter was sent more than once. Send each once.")
        return {**self._basic(), **{name: values[0] for name, values in found.items()}}

    def _basic(self) -> dict[str, str]:
        """The client id of a host that sends it as HTTP Basic, with an empty secret."""
        scheme, _, encoded = self.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return {}
        try:
            client_id = base64.b64decode(encoded, validate=True).decode().partition(":")[0]
        except (binascii.Error, ValueError):
            raise OAuthError("invalid_client", "The Authorization header is no HTTP Basic. Leave it out.") from None
        return {"client_id": unquote(client_id)}

    def _json(self) -> Mapping[str, Any]:
        try:
            found = json.loads(self._body() or b"{}")
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise OAuthError("invalid_request", "The body must be a JSON object.")
        return found

    def _nothing_here(self) -> None:
        known = "/, /oauth2/authorize, /oauth2/token, /oauth2/revoke, /logout"
        self._send_json({"error": f"Nothing is served here. Known are {known}."}, HTTPStatus.NOT_FOUND)

    def _send_token(self, persona: str) -> None:
        try:
            token = self._served.token_for(persona) if self._served.token_for else None
        except FunctionError as error:
            self._send(HTTPStatus.BAD_GATEWAY, "text/plain", f"the pre-token function failed: {error}\n")
            return
        if token is None:
            self._nothing_here()
        else:
            self._send(HTTPStatus.OK, "text/plain", token + "\n")

    def _send_outcome(self, outcome: Page | Redirect) -> None:
        headers = {}
        if outcome.forgets:
            headers["Set-Cookie"] = f"{_COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
        if isinstance(outcome, Page):
            to = outcome.leads_to
            self._send(HTTPStatus(outcome.status), "text/html; charset=utf-8", outcome.html, headers, leads_to=to)
            return
        if outcome.session is not None:
            kept = f"{_COOKIE}={outcome.session}; Path=/; Max-Age={SESSION_SECONDS}; HttpOnly; SameSite=Lax"
            headers["Set-Cookie"] = kept
        self._send(HTTPStatus.SEE_OTHER, "text/plain", "", {**headers, "Location": outcome.to})

    def _send_json(self, document: Mapping[str, Any], status: HTTPStatus = HTTPStatus.OK) -> None:
        self._send(status, "application/json", json.dumps(document))

    def _send(
        self,
        status: HTTPStatus,
        kind: str,
        text: str,
        headers: Mapping[str, str] | None = None,
        leads_to: str | None = None,
    ) -> None:
        body = text.encode()
        self.send_response(status)
        # No CORS header: which ones Cognito sends is not in its guide (LIVE-82), and no other page of this computer may
        # read a token. A host that is itself a web page, such as MCP Inspector's, cannot sign in here; its CLI can.
        told = {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            "Content-Security-Policy": _policy(leads_to),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",  # with less, the form would come from nowhere
        }
        for name, value in {**told, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Quiet: a request line may hold a code."""


def _policy(leads_to: str | None) -> str:
    """No script, nothing from elsewhere, in no frame; the form leads to this server and then to the host's callback."""
    parts = urlsplit(leads_to or "")
    callback = f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") else f"{parts.scheme}:"
    forms = f"'self' {callback}" if leads_to else "'self'"
    parts_of_it = ("default-src 'none'", f"style-src {pages.STYLE_HASH}", f"form-action {forms}", "base-uri 'none'")
    return "; ".join([*parts_of_it, "frame-ancestors 'none'"])
