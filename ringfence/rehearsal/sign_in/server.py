"""Serves the authorization server on 127.0.0.1: parse, ask the core, answer."""

from __future__ import annotations

import base64
import binascii
import json
import socket
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

import httpx2

from ringfence.rehearsal.compute.function_process import FunctionError
from ringfence.rehearsal.identity.user_pool import UserPool
from ringfence.rehearsal.loopback import REFUSED, is_from_here
from ringfence.rehearsal.problems import CannotStart
from ringfence.rehearsal.serving import HttpRequest, HttpResponse, HttpServer
from ringfence.rehearsal.sign_in import pages
from ringfence.rehearsal.sign_in.authorization import SESSION_SECONDS, AuthorizationServer, Page, Redirect
from ringfence.rehearsal.sign_in.problems import OAuthError, Refused

_BODY_LIMIT_BYTES: Final = 64 * 1024
_COOKIE: Final = "ringfence_rehearsal"
_HTML: Final = "text/html; charset=utf-8"
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
        self._pool, self._department, self._token_for = pool, department, token_for
        self._server = HttpServer(
            self._answer, bound=bound, name="The sign-in page", body_limit=_BODY_LIMIT_BYTES, refusal=_refusal
        )
        self._server.start()

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
        answer = httpx2.get(here, timeout=60, trust_env=False).raise_for_status()
        document: Mapping[str, Any] = json.loads(answer.text.replace(self.issuer, self._pool.issuer))
        return document

    def stop(self) -> None:
        """Stop serving."""
        self._server.stop()

    def _answer(self, request: HttpRequest) -> HttpResponse:
        from_here = is_from_here(request.headers)
        try:
            if not from_here:
                raise Refused("This page is not for other sites", f"{REFUSED}.", f"Open {self.authorization.base}.")
            answers = {"GET": self._get, "POST": self._post}
            return answers.get(request.method, _nothing_here)(request)
        except OAuthError as error:
            return _error(error)
        except Refused as problem:
            status = HTTPStatus.BAD_REQUEST if from_here else HTTPStatus.FORBIDDEN
            return _response(status, _HTML, pages.refused(self._department, problem))

    def _get(self, request: HttpRequest) -> HttpResponse:
        path, session = request.path, _session(request)
        if path == "/":
            return _outcome(self.authorization.front(session=session))
        if path in ("/oauth2/authorize", "/login"):
            return _outcome(self.authorization.authorize(request.query, session=session))
        if path == "/logout":
            return _outcome(self.authorization.sign_out(request.query, session=session))
        if path.startswith("/sign-in/"):
            return self._token(request)
        if (document := self.authorization.document(path)) is not None:
            return _json(document)
        if path.startswith("/.well-known/"):
            told = f"Nothing is published here, as with Cognito, but at {self.issuer}"
            return _json({"error": f"{told}/.well-known/openid-configuration"}, HTTPStatus.NOT_FOUND)
        return _nothing_here(request)

    def _post(self, request: HttpRequest) -> HttpResponse:
        if request.path == "/login":
            _check_own_page(request)
            return _outcome(self.authorization.sign_in(_form(request), session=_session(request)))
        if request.path == "/oauth2/token":
            return _json(self.authorization.token(_form(request)))
        if request.path == "/oauth2/revoke":
            self.authorization.revoke(_form(request))
            return _response(HTTPStatus.OK, "text/plain", "")
        if request.path in _REGISTER:
            return _json(self.authorization.register(_object(request)), HTTPStatus.CREATED)
        return _nothing_here(request)

    def _token(self, request: HttpRequest) -> HttpResponse:
        try:
            token = self._token_for(request.path.removeprefix("/sign-in/")) if self._token_for else None
        except FunctionError as error:
            return _response(HTTPStatus.BAD_GATEWAY, "text/plain", f"the pre-token function failed: {error}\n")
        return _nothing_here(request) if token is None else _response(HTTPStatus.OK, "text/plain", token + "\n")


def _check_own_page(request: HttpRequest) -> None:
    """Another program's page on this computer must not sign anybody in by itself."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise Refused(
            "This form came from another page",
            f"It came from {origin}, and not from the sign-in page.",
            "Start the sign-in again in the host.",
        )


def _session(request: HttpRequest) -> str | None:
    try:
        cookie = SimpleCookie(request.headers.get("cookie", "")).get(_COOKIE)
    except CookieError:
        return None
    return cookie.value if cookie else None


def _form(request: HttpRequest) -> dict[str, str]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise OAuthError("invalid_request", f"The body must be {_FORM}.")
    try:
        found = parse_qs(request.body.decode(), keep_blank_values=True, max_num_fields=50)
    except ValueError:
        raise OAuthError("invalid_request", "The body is not a form in UTF-8 of at most 50 fields.") from None
    if any(len(values) > 1 for values in found.values()):  # RFC 6749, section 3.2, forbids it
        raise OAuthError("invalid_request", "A parameter was sent more than once. Send each once.")
    return {**_basic(request), **{name: values[0] for name, values in found.items()}}


def _basic(request: HttpRequest) -> dict[str, str]:
    """The client id of a host that sends it as HTTP Basic, with an empty secret."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return {}
    try:
        client_id = base64.b64decode(encoded, validate=True).decode().partition(":")[0]
    except (binascii.Error, ValueError):
        raise OAuthError("invalid_client", "The Authorization header is no HTTP Basic. Leave it out.") from None
    return {"client_id": unquote(client_id)}


def _object(request: HttpRequest) -> Mapping[str, Any]:
    try:
        found = json.loads(request.body or b"{}")
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise OAuthError("invalid_request", "The body must be a JSON object.")
    return found


def _nothing_here(_request: HttpRequest) -> HttpResponse:
    known = "/, /oauth2/authorize, /oauth2/token, /oauth2/revoke, /logout"
    return _json({"error": f"Nothing is served here. Known are {known}."}, HTTPStatus.NOT_FOUND)


def _outcome(outcome: Page | Redirect) -> HttpResponse:
    headers = {}
    if outcome.forgets:
        headers["Set-Cookie"] = f"{_COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
    if isinstance(outcome, Page):
        return _response(HTTPStatus(outcome.status), _HTML, outcome.html, headers, leads_to=outcome.leads_to)
    if outcome.session is not None:
        kept = f"{_COOKIE}={outcome.session}; Path=/; Max-Age={SESSION_SECONDS}; HttpOnly; SameSite=Lax"
        headers["Set-Cookie"] = kept
    return _response(HTTPStatus.SEE_OTHER, "text/plain", "", {**headers, "Location": outcome.to})


def _refusal(status: HTTPStatus, text: str) -> HttpResponse:
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _json(OAuthError("server_error", text).document, status)
    return _error(OAuthError("invalid_request", text))


def _error(error: OAuthError) -> HttpResponse:
    status = HTTPStatus.UNAUTHORIZED if error.error == "invalid_client" else HTTPStatus.BAD_REQUEST
    return _json(error.document, status)


def _json(document: Mapping[str, Any], status: HTTPStatus = HTTPStatus.OK) -> HttpResponse:
    return _response(status, "application/json", json.dumps(document))


def _response(
    status: HTTPStatus,
    kind: str,
    text: str,
    headers: Mapping[str, str] | None = None,
    leads_to: str | None = None,
) -> HttpResponse:
    # No CORS header: which ones Cognito sends is not in its guide (LIVE-82), and no other page of this computer may
    # read a token. A host that is itself a web page, such as MCP Inspector's, cannot sign in here; its CLI can.
    told = {
        "Content-Type": kind,
        "Cache-Control": "no-store",
        "Content-Security-Policy": _policy(leads_to),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",  # with less, the form would come from nowhere
    }
    return HttpResponse(status, {**told, **(headers or {})}, text.encode())


def _policy(leads_to: str | None) -> str:
    """No script, nothing from elsewhere, in no frame; the form leads to this server and then to the host's callback."""
    parts = urlsplit(leads_to or "")
    callback = f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") else f"{parts.scheme}:"
    forms = f"'self' {callback}" if leads_to else "'self'"
    parts_of_it = ("default-src 'none'", f"style-src {pages.STYLE_HASH}", f"form-action {forms}", "base-uri 'none'")
    return "; ".join([*parts_of_it, "frame-ancestors 'none'"])
