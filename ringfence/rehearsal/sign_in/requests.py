"""A host's request to have somebody signed in, read and checked as Cognito does."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

from ringfence.deployed.user_pool import AppClient
from ringfence.rehearsal.sign_in.problems import OAuthError, Refused
from ringfence.rehearsal.sign_in.traits import Traits

_CONNECT: Final = "make connect HOST=<host> PERSONA=<persona> prints what the host needs"
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_MOST_FIELDS: Final = 50
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class Request:
    """A sound request.

    Attributes:
        callback: where the answer goes.
        scopes: what is asked for; all that the client may where the host names none.
        names_scopes: whether the host names any.
        state: what the host wants back.
        challenge: the S256 code challenge; None where the host sends none, which a trait admits.
        resource: the address that the tokens are meant for, if the host says so (RFC 8707).
        nonce: what the host wants in the ID token.
        asks_again: whether the host wants the person to choose anew (`prompt=login` or `select_account`).
    """

    query: str
    client: AppClient
    callback: str
    scopes: tuple[str, ...]
    names_scopes: bool
    state: str | None
    challenge: str | None
    resource: str | None
    nonce: str | None
    asks_again: bool

    def answered(self, **parameters: str | None) -> str:
        """The callback with an answer in its query."""
        return callback_with(self.callback, state=self.state, **parameters)


def callback_with(callback: str, **parameters: str | None) -> str:
    """A callback with parameters added to its query; those that are None are left out."""
    added = urlencode({name: value for name, value in parameters.items() if value is not None})
    return f"{callback}{'&' if urlsplit(callback).query else '?'}{added}"


def read_request(query: str, *, clients: Sequence[AppClient], traits: Traits) -> Request | str:
    """Read the query of `/oauth2/authorize`.

    Returns:
        The request, or the address at which the host is told what is wrong with it.

    Raises:
        Refused: nobody can be told but the person, since the client or its callback is not known.
    """
    try:
        parameters = parse_qs(query, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise Refused(
            "The host's request is too long",
            f"It has more than {_MOST_FIELDS} parameters.",
            f"Start the sign-in again in the host. {_CONNECT}.",
        ) from None
    client = _client(_first(parameters, "client_id"), clients)
    callback = _callback(_first(parameters, "redirect_uri"), client, traits)
    try:
        return _read(query, parameters, client, callback, traits)
    except OAuthError as error:
        return callback_with(callback, state=_first(parameters, "state"), **error.document)


def _read(query: str, parameters: Mapping[str, list[str]], client: AppClient, callback: str, traits: Traits) -> Request:
    repeated = sorted(name for name, values in parameters.items() if len(values) > 1)
    if repeated:
        raise OAuthError("invalid_request", f"Sent more than once: {', '.join(map(_plain, repeated))}. Send it once.")
    if (kind := _first(parameters, "response_type")) != "code":
        raise OAuthError(
            "unsupported_response_type" if kind else "invalid_request",
            "response_type must be code: clients of Ringfence may use the authorization code grant only.",
        )
    if _first(parameters, "prompt") == "none":
        raise OAuthError("login_required", "prompt is none, but somebody must choose who they are. Leave it out.")
    return Request(
        query=query,
        client=client,
        callback=callback,
        scopes=_scopes(_first(parameters, "scope"), client),
        names_scopes=_first(parameters, "scope") is not None,
        state=_first(parameters, "state"),
        challenge=_challenge(parameters, needed=not traits.asks_for_no_challenge),
        resource=_resource(_first(parameters, "resource")),
        nonce=_first(parameters, "nonce"),
        asks_again=_first(parameters, "prompt") in ("login", "select_account"),
    )


def _first(parameters: Mapping[str, list[str]], name: str) -> str | None:
    return (parameters.get(name) or [""])[0] or None


def _client(client_id: str | None, clients: Sequence[AppClient]) -> AppClient:
    for client in clients:
        if client.client_id == client_id:
            return client
    known = ", ".join(f"{client.name} ({client.client_id})" for client in clients)
    asked = f"The host came with the client id {client_id!r}" if client_id else "The host came without a client id"
    raise Refused("This host is not known", f"{asked}. Known are {known}.", f"Give the host its own: {_CONNECT}.")


def _callback(asked: str | None, client: AppClient, traits: Traits) -> str:
    if asked in client.callbacks or (
        asked and not traits.compares_callbacks_exactly and _differs_in_port(asked, client)
    ):
        return str(asked)
    if asked is None:
        text = f"{client.name} did not say where the answer goes (redirect_uri)."
    else:
        near = difflib.get_close_matches(asked, client.callbacks, n=1, cutoff=0.0)
        text = f"{client.name} wants the answer sent to {asked}. The nearest that it may use is {near[0]}."
    raise Refused(
        "The host's callback address is not registered",
        f"{text} Cognito compares the two character for character: scheme, name, port, path and the last slash.",
        f"Set the host's callback port, or correct its entry under [[hosts]] in the department file. {_CONNECT}.",
    )


def _differs_in_port(asked: str, client: AppClient) -> bool:
    return any(_without_port(asked) == _without_port(known) for known in client.callbacks)


def _without_port(url: str) -> tuple[str, str | None, str, str] | None:
    parts = urlsplit(url)
    loopback = parts.scheme == "http" and parts.hostname in _LOOPBACK
    return (parts.scheme, parts.hostname, parts.path, parts.query) if loopback else None


def _scopes(asked: str | None, client: AppClient) -> tuple[str, ...]:
    if asked is None:
        return client.scopes
    scopes = tuple(dict.fromkeys(asked.split()))
    unknown = [_plain(scope) for scope in scopes if scope not in client.scopes]
    if unknown:
        raise OAuthError(
            "invalid_scope",
            f"This client may not ask for {', '.join(unknown)}. It may ask for {' '.join(client.scopes)}.",
        )
    return scopes


def _resource(asked: str | None) -> str | None:
    """The address that the token is meant for, in a form that Cognito takes (`traits.toml`, takes_any_resource)."""
    if asked is None or _is_address(asked):
        return asked
    raise OAuthError(
        "invalid_request",
        f"resource is {_plain(asked)}. It must be an address: https, http on loopback, or an app's own scheme. "
        "Connect to the gateway by exactly its address.",
    )


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.scheme and parts.netloc) and (parts.scheme != "http" or parts.hostname in _LOOPBACK)


def _challenge(parameters: Mapping[str, list[str]], *, needed: bool) -> str | None:
    challenge, method = _first(parameters, "code_challenge"), _first(parameters, "code_challenge_method")
    if challenge is None and method is None and not needed:
        return None
    if method != "S256" or challenge is None or not _CHALLENGE.fullmatch(challenge):
        raise OAuthError(
            "invalid_request",
            "PKCE needs code_challenge_method=S256 and a code_challenge of 43 characters of base64url. "
            "Cognito knows no other method.",
        )
    return challenge


def _plain(text: str) -> str:
    """A text as an error description may hold it."""
    return "".join(letter if " " <= letter <= "~" and letter not in '"\\' else "?" for letter in text[:100])
