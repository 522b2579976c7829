"""Codes and refresh tokens: who holds which, how long, and how often they work."""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ringfence.deployed.user_pool import AppClient
from ringfence.rehearsal.identity.user_pool import User
from ringfence.rehearsal.sign_in.problems import OAuthError

CODE_SECONDS: Final = 300
"""A code works for five minutes (AWS re:Post, on Cognito's invalid_grant and PKCE, read 29 November 2026)."""

_MOST: Final = 10_000  # of each kind; the oldest go first


@dataclass(frozen=True)
class Grant:
    """What somebody granted a host by signing in.

    Attributes:
        scopes: what for.
        resource: what the tokens are bound to, if anything.
        signed_in_at: seconds since 1970.
        session: the browser's session in which it was, if any.
        nonce: what the host wants in the first ID token.
        challenge: the code challenge, if the host sent one.
        exchanged: whether its code is exchanged for tokens (`traits.toml`, grants_all_without_scope).
    """

    user: User
    client: AppClient
    scopes: tuple[str, ...]
    resource: str | None
    signed_in_at: int
    session: str | None = None
    nonce: str | None = None
    callback: str = ""
    challenge: str | None = None
    exchanged: bool = True


@dataclass(frozen=True)
class _Held:
    grant: Grant
    expires: float
    family: str  # of the sign-in: revoking one refresh token ends those that came of it


class Grants:
    """Everything that is outstanding. Safe to use from many threads."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        """Begin with nothing.

        Args:
            clock: seconds since 1970.
        """
        self._clock = clock
        self._lock = threading.Lock()
        self._codes: dict[str, _Held] = {}
        self._refresh: dict[str, _Held] = {}
        self._used: dict[str, None] = {}
        self._revoked: dict[str, None] = {}

    def code_for(self, grant: Grant) -> str:
        """A code that can be exchanged once, within five minutes."""
        return self._kept(self._codes, grant, CODE_SECONDS, family=secrets.token_urlsafe(12))

    def redeem(self, code: str, *, client_id: str, callback: str | None, verifier: str | None) -> Grant:
        """The grant behind a code, which is used up by this, right or wrong.

        Raises:
            OAuthError: the code is unknown, old or used, or the request is not that of whoever asked for it.
        """
        with self._lock:
            held = self._codes.pop(code, None)
            used = code in self._used
            _remember(self._used, code)
        if held is None:
            told = "has been used already" if used else "is not known here"
            raise OAuthError("invalid_grant", f"This code {told}; a code works once. Sign in again.")
        if held.expires <= self._clock():
            raise OAuthError(
                "invalid_grant",
                f"This code is older than {CODE_SECONDS // 60} minutes: sign in again, and look at the clock.",
            )
        _check_holder(held.grant, client_id)
        if callback != held.grant.callback:
            raise OAuthError(
                "invalid_grant", f"redirect_uri must be the one of the sign-in, {held.grant.callback}. Sign in again."
            )
        _check_verifier(held.grant.challenge, verifier or "")
        if not held.grant.exchanged:
            raise OAuthError("invalid_grant", "The sign-in named no scope. Set the host's scopes, and sign in again.")
        return held.grant

    def refresh_token_for(self, grant: Grant) -> str:
        """A refresh token, which lives as long as the client says."""
        return self._kept(self._refresh, grant, grant.client.refresh_lifetime, family=secrets.token_urlsafe(12))

    def refreshed(self, token: str, *, client_id: str) -> tuple[Grant, str | None]:
        """The grant behind a refresh token, and the token that takes its place where the client's tokens rotate.

        Raises:
            OAuthError: the token is unknown, expired, revoked or replaced, or another client's.
        """
        with self._lock:
            held = self._refresh.get(token)
            revoked = held is not None and held.family in self._revoked
        if held is None or held.expires <= self._clock():
            raise OAuthError(
                "invalid_grant", "This refresh token is not known, has expired or was replaced. Sign in again."
            )
        if revoked:
            raise OAuthError(
                "invalid_grant", "This refresh token has been revoked: its person signed out. Sign in again."
            )
        _check_holder(held.grant, client_id)
        grace = held.grant.client.grace
        if grace is None:
            return held.grant, None
        # The next lives as long as the first would have: rotation does not prolong a sign-in.
        following = secrets.token_urlsafe(48)
        with self._lock:
            self._refresh[following] = held
            self._refresh[token] = _Held(held.grant, min(held.expires, self._clock() + grace), held.family)
        return held.grant, following

    def revoke(self, token: str, *, client_id: str) -> None:
        """End a refresh token and all that came of the same sign-in; an unknown one is ended already (RFC 7009).

        Raises:
            OAuthError: it is another client's.
        """
        with self._lock:
            held = self._refresh.get(token)
        if held is not None:
            _check_holder(held.grant, client_id, error="invalid_request")
            with self._lock:
                _remember(self._revoked, held.family)

    def end_session(self, session: str) -> None:
        """Revoke every refresh token of a browser's session."""
        with self._lock:
            for held in self._refresh.values():
                if held.grant.session == session:
                    _remember(self._revoked, held.family)

    def _kept(self, store: dict[str, _Held], grant: Grant, seconds: float, *, family: str) -> str:
        secret = secrets.token_urlsafe(48)
        with self._lock:
            while len(store) >= _MOST:
                del store[next(iter(store))]
            store[secret] = _Held(grant, self._clock() + seconds, family)
        return secret


def _check_holder(grant: Grant, client_id: str, *, error: str = "invalid_grant") -> None:
    if grant.client.client_id != client_id:
        raise OAuthError(error, f"This was given to the host {grant.client.name}. Use that host's client id.")


def _check_verifier(challenge: str | None, verifier: str) -> None:
    """A verifier without a challenge is refused too: somebody took the challenge away (RFC 9700, section 4.8.2)."""
    if challenge is None and verifier:
        told = "code_verifier belongs to a code_challenge, and this sign-in was asked for without one"
    elif challenge is not None and _s256(verifier) != challenge:
        told = "code_verifier is not that of this sign-in's code_challenge"
    else:
        return
    raise OAuthError("invalid_grant", f"{told}. The code is used up: sign in again.")


def _remember(store: dict[str, None], key: str) -> None:
    while len(store) >= _MOST:
        del store[next(iter(store))]
    store[key] = None


def _s256(verifier: str) -> str:
    """The challenge that belongs to a verifier (RFC 7636, section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
