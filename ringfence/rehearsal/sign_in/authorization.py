"""What the rehearsal's authorization server decides: pure, but for the pre-token function that fills each token."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, urlencode

from ringfence.deployed.user_pool import AppClient
from ringfence.rehearsal.compute.function_process import FunctionError
from ringfence.rehearsal.identity.authorizer import unverified_claims
from ringfence.rehearsal.identity.people import Person
from ringfence.rehearsal.identity.user_pool import UserPool
from ringfence.rehearsal.sign_in import pages
from ringfence.rehearsal.sign_in.grants import Grant, Grants
from ringfence.rehearsal.sign_in.problems import NO_REGISTRATION, OAuthError, Refused
from ringfence.rehearsal.sign_in.requests import Request, read_request
from ringfence.rehearsal.sign_in.traits import Traits

SESSION_SECONDS: Final = 3600
"""How long a browser is remembered (AWS re:Post on Cognito's logout endpoint, read 29 November 2026)."""

_MOST_SESSIONS: Final = 1000


@dataclass(frozen=True)
class Page:
    """A page for the browser.

    Attributes:
        status: 200, or 400 where the request is at fault.
        leads_to: the address to which its form may lead in the end, apart from this server.
        forgets: whether the browser's session ends.
    """

    html: str
    status: int = 200
    leads_to: str | None = None
    forgets: bool = False


@dataclass(frozen=True)
class Redirect:
    """The browser goes elsewhere.

    Attributes:
        to: where.
        session: the browser's session from now on; None leaves it as it is.
        forgets: whether the browser's session ends.
    """

    to: str
    session: str | None = None
    forgets: bool = False


@dataclass(frozen=True)
class _Session:
    person: Person
    expires: float


class AuthorizationServer:
    """Signs the invented people in, and gives hosts their tokens. Safe to use from many threads.

    Attributes:
        base: its own address, without a path.
        traits: in which ways it is as awkward as Cognito; a test may change it.
    """

    def __init__(
        self,
        pool: UserPool,
        *,
        base: str,
        department: str,
        scopes: Mapping[str, str],
        gateways: Mapping[str, str],
        people: Sequence[Person],
        traits: Traits | None = None,
    ) -> None:
        """Begin with nobody signed in.

        Args:
            base: its own address, without a path.
            scopes: the scope of each persona.
            gateways: the address of each persona's gateway, for the front page.
            traits: in which ways it is as awkward as Cognito; None for all.
        """
        self.base = base
        self.traits = traits or Traits()
        self.clients: tuple[AppClient, ...] = pool.clients
        self._pool = pool
        self._department = department
        self._scopes = dict(scopes)
        self._gateways = dict(gateways)
        self._people = {person.user.staff_id: person for person in people}
        self._grants = Grants(clock=self._now)
        self._sessions: dict[str, _Session] = {}
        self._lock = threading.Lock()

    def _now(self) -> float:
        return self._pool.clock()

    # Discovery

    @property
    def issuer(self) -> str:
        """By what name hosts know it."""
        return f"{self.base}/{self._pool.pool_id}"

    def document(self, path: str) -> Mapping[str, Any] | None:
        """What is published at a path, or None."""
        own = f"/{self._pool.pool_id}"
        if path == f"{own}/.well-known/jwks.json":
            return self._pool.keys
        paths = {f"{own}/.well-known/openid-configuration"}
        if not self.traits.publishes_openid_only:
            paths |= {f"/.well-known/{kind}{own}" for kind in ("openid-configuration", "oauth-authorization-server")}
            paths |= {f"{own}/.well-known/oauth-authorization-server"}
        return self._metadata() if path in paths else None

    def _metadata(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.base}/oauth2/authorize",
            "token_endpoint": f"{self.base}/oauth2/token",
            "revocation_endpoint": f"{self.base}/oauth2/revoke",
            "end_session_endpoint": f"{self.base}/logout",
            "jwks_uri": f"{self.issuer}/.well-known/jwks.json",
            "response_types_supported": ["code", "token"],
            "scopes_supported": ["openid", "email", "phone", "profile"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        }
        if not self.traits.tells_no_challenge_method:
            found["code_challenge_methods_supported"] = ["S256"]
        if not self.traits.registers_nobody:
            found["registration_endpoint"] = f"{self.base}/register"
        return found

    # The browser

    def front(self, *, session: str | None) -> Page:
        """The page at the server's own address."""
        html = pages.front(
            self._department,
            gateways=self._gateways,
            hosts={client.name: client.callbacks for client in self._pool.clients},
            people=tuple(self._people.values()),
            signed_in=self._remembered(session),
        )
        return Page(html)

    def authorize(self, query: str, *, session: str | None) -> Page | Redirect:
        """The page on which somebody says who they are, for a host's request.

        Args:
            query: of `/oauth2/authorize`.

        Raises:
            Refused: the host or its callback is not known, or it asks for no persona.
        """
        request = read_request(query, clients=self.clients, traits=self.traits)
        if not isinstance(request, Request):
            return Redirect(request)
        personas, remembered = self._personas(request), self._remembered(session)
        if remembered is None or request.asks_again:
            return self._choice(request, personas)
        again = f"/oauth2/authorize?{urlencode({**_flat(query), 'prompt': 'select_account'})}"
        html = pages.going_on(self._department, request, remembered, personas, again=again)
        return Page(html, leads_to=request.callback)

    def sign_in(self, form: Mapping[str, str], *, session: str | None) -> Page | Redirect:
        """What comes of the page's form.

        Args:
            form: `request`, the host's query; `person` and `persona`, the choice; `anyway`, if it does not fit.

        Raises:
            Refused: the host or its callback is not known, or the pre-token function refused.
        """
        request = read_request(form.get("request", ""), clients=self.clients, traits=self.traits)
        if not isinstance(request, Request):
            return Redirect(request)
        personas = self._personas(request)
        person, persona = self._people.get(form.get("person", "")), form.get("persona", "")
        if person is None or persona not in personas:
            return self._choice(request, personas, form=form)
        scopes = tuple(each for each in request.scopes if each in (self._scopes[persona], "openid"))
        if self._scopes[persona] not in self._granted(person, request, scopes) and not form.get("anyway"):
            html = pages.not_a_member(self._department, request, person, persona)
            return Page(html, leads_to=request.callback)
        kept = self._begin(person, session)
        grant = Grant(
            user=person.user,
            client=request.client,
            scopes=scopes,
            resource=request.resource,
            signed_in_at=int(self._now()),
            session=kept,
            nonce=request.nonce,
            callback=request.callback,
            challenge=request.challenge,
            exchanged=request.names_scopes or self.traits.grants_all_without_scope,
        )
        return Redirect(request.answered(code=self._grants.code_for(grant)), session=kept)

    def sign_out(self, query: str, *, session: str | None) -> Page | Redirect:
        """End the browser's session, as Cognito's `/logout` does.

        Raises:
            Refused: the address to go on to is not one of the client's.
        """
        with self._lock:
            ended = self._sessions.pop(session or "", None)
        if session is not None and not self.traits.sign_out_leaves_refresh_tokens:
            self._grants.end_session(session)
        asked = _flat(query)
        if "redirect_uri" in asked:
            return Redirect(f"/oauth2/authorize?{query}", forgets=True)
        wanted = asked.get("logout_uri")
        if wanted is None:
            leaves = self.traits.sign_out_leaves_refresh_tokens
            return Page(pages.signed_out(self._department, ended.person if ended else None, leaves), forgets=True)
        client = next((each for each in self.clients if each.client_id == asked.get("client_id")), None)
        if client is None or wanted not in client.sign_out_addresses:
            raise Refused(
                "The sign-out address is not registered",
                f"{wanted} is no sign-out address of this host. You are signed out all the same.",
                "Close this page.",
            )
        return Redirect(wanted, forgets=True)

    def _personas(self, request: Request) -> tuple[str, ...]:
        personas = tuple(persona for persona, scope in self._scopes.items() if scope in request.scopes)
        if not personas:
            known = ", ".join(f"openid {scope}" for scope in self._scopes.values())
            raise Refused(
                "The host asks for no persona",
                f"{request.client.name} asks for {' '.join(request.scopes)} only. The token would open no gateway.",
                f"Set the host's scopes to one of: {known}.",
            )
        return personas

    def _choice(self, request: Request, personas: Sequence[str], *, form: Mapping[str, str] | None = None) -> Page:
        html = pages.choice(self._department, request, tuple(self._people.values()), personas, form=form)
        return Page(html, status=200 if form is None else 400, leads_to=request.callback)

    def _granted(self, person: Person, request: Request, scopes: Sequence[str]) -> set[str]:
        """The scopes that the pre-token function leaves in a token."""
        try:
            token = self._pool.sign_in(person.user, request.client, scopes=scopes)
        except FunctionError as error:
            raise Refused(
                "The department's pre-token function refused this sign-in",
                f"{person.user.staff_id} gets no token: {error}",
                "Go back and choose somebody else, or mend what the function says.",
            ) from None
        return set(str(unverified_claims(f"Bearer {token}").get("scope", "")).split())

    def _remembered(self, session: str | None) -> Person | None:
        with self._lock:
            found = self._sessions.get(session or "")
        if found is None or found.expires <= time.monotonic() or not self.traits.remembers_the_browser:
            return None
        return found.person

    def _begin(self, person: Person, session: str | None) -> str:
        """The browser's session; another person gets another."""
        kept = session if session is not None and self._remembered(session) == person else secrets.token_urlsafe(32)
        with self._lock:
            while len(self._sessions) >= _MOST_SESSIONS:
                del self._sessions[next(iter(self._sessions))]
            self._sessions[kept] = _Session(person, time.monotonic() + SESSION_SECONDS)
        return kept

    # The host

    def token(self, form: Mapping[str, str]) -> dict[str, Any]:
        """What `/oauth2/token` answers.

        Raises:
            OAuthError: there are no tokens for this.
        """
        client_id, kind = self._known(form), form.get("grant_type")
        if kind == "authorization_code":
            grant = self._grants.redeem(
                form.get("code", ""),
                client_id=client_id,
                callback=form.get("redirect_uri"),
                verifier=form.get("code_verifier"),
            )
            self._check_resource(grant)
            refresh = self._grants.refresh_token_for(grant)
            return {**self._tokens(grant, "TokenGeneration_HostedAuth"), "refresh_token": refresh}
        if kind == "refresh_token":
            grant, following = self._grants.refreshed(form.get("refresh_token", ""), client_id=client_id)
            tokens = self._tokens(grant, "TokenGeneration_RefreshTokens")
            return tokens if following is None else {**tokens, "refresh_token": following}
        raise OAuthError(
            "unsupported_grant_type" if kind else "invalid_request",
            "grant_type must be authorization_code or refresh_token.",
        )

    def revoke(self, form: Mapping[str, str]) -> None:
        """What `/oauth2/revoke` does: ends a refresh token and its sign-in. Access tokens live on until they expire.

        Raises:
            OAuthError: the host is not known, or the token is another's.
        """
        self._grants.revoke(form.get("token", ""), client_id=self._known(form))

    def register(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """A host that would register itself (RFC 7591): nobody can, unless a test lets them.

        Raises:
            OAuthError: the trait is on, or the host names no callback.
        """
        if self.traits.registers_nobody:
            raise OAuthError("invalid_request", NO_REGISTRATION)
        named = asked.get("redirect_uris")
        callbacks = [each for each in named if isinstance(each, str)] if isinstance(named, list) else []
        if not callbacks:
            raise OAuthError("invalid_redirect_uri", "redirect_uris must name at least one address.")
        model = self.clients[0]
        made = AppClient(
            secrets.token_hex(13), "registered", model.scopes, model.lifetime, tuple(callbacks), grace=model.grace
        )
        self.clients = (*self.clients, made)
        return {"client_id": made.client_id, "redirect_uris": callbacks, "token_endpoint_auth_method": "none"}

    def _known(self, form: Mapping[str, str]) -> str:
        client_id = form.get("client_id", "")
        if client_id not in {client.client_id for client in self.clients}:
            raise OAuthError(
                "invalid_client",
                "No host here has this client id. make connect HOST=<host> PERSONA=<persona> prints the right one.",
            )
        return client_id

    def _check_resource(self, grant: Grant) -> None:
        """Refuse a name that no resource server has, where that trait is switched off.

        Cognito's token endpoint has no `resource`: what a host sends there is not read. A refresh keeps the audience.
        """
        resource = grant.resource
        if resource and not self.traits.takes_any_resource and resource not in self._pool.resource_servers:
            known = ", ".join(sorted(self._pool.resource_servers)) or "none"
            raise OAuthError(
                "invalid_grant",
                f"No resource server of the user pool is called {resource}. Known are: {known}. "
                "Connect to the gateway by exactly its address.",
            )

    def _tokens(self, grant: Grant, trigger: str) -> dict[str, Any]:
        audience = grant.resource
        if audience is None and not self.traits.binds_on_request_only:
            audience = grant.client.client_id
        try:
            access = self._pool.sign_in(
                grant.user,
                grant.client,
                scopes=grant.scopes,
                audience=audience,
                trigger=trigger,
                without_trigger="openid" not in grant.scopes and not self.traits.claims_without_openid,
            )
        except FunctionError as error:
            raise OAuthError("invalid_grant", f"The pre-token function refused: {error}".replace('"', "'")) from None
        tokens = {"access_token": access, "token_type": "Bearer", "expires_in": grant.client.lifetime}
        if "openid" in grant.scopes:
            tokens["id_token"] = self._id_token(grant, unverified_claims(f"Bearer {access}"))
        return tokens

    def _id_token(self, grant: Grant, access: Mapping[str, Any]) -> str:
        """What the host may know of the person. It names the issuer that the host found, not the template's."""
        same = {name: access[name] for name in ("sub", "iat", "exp", "jti", "cognito:groups") if name in access}
        own = {
            "iss": self.issuer,
            "aud": grant.client.client_id,
            "token_use": "id",
            "auth_time": grant.signed_in_at,
            "cognito:username": access["username"],
        }
        return self._pool.signed({**same, **own, **({"nonce": grant.nonce} if grant.nonce else {})})


def _flat(query: str) -> dict[str, str]:
    try:
        return {name: values[0] for name, values in parse_qs(query, max_num_fields=50).items()}
    except ValueError:
        raise Refused(
            "The address is too long", "It has more than 50 parameters.", "Open it with fewer of them."
        ) from None
