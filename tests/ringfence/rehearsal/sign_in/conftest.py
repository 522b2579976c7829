"""A department that is served once for every test of the sign-in, and a host whose callback nobody else has."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from pre_token.mapping import PersonaMapping, SignInRefused, token_claims
from ringfence.deployed.assembly import Assembly, Resource
from ringfence.deployed.user_pool import AppClient, user_pool
from ringfence.rehearsal.compute.function_process import FunctionError
from ringfence.rehearsal.identity.people import everybody
from ringfence.rehearsal.identity.user_pool import UserPool
from ringfence.rehearsal.sign_in.authorization import AuthorizationServer, Redirect
from tests.ringfence.rehearsal.sign_in.serving import HOST, with_callbacks

CALLBACK = "http://localhost:33410/callback"
# The example of RFC 7636, appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


class PreToken:
    """The department's own mapping, called where the rehearsal would start the function's process."""

    def __init__(self, resource: Resource) -> None:
        self.spec = SimpleNamespace(environment=resource.properties["Environment"]["Variables"])
        self.asked: list[dict[str, Any]] = []
        self._mapping = PersonaMapping.from_environment(
            groups=self.spec.environment["GROUPS"],
            scope_prefix=self.spec.environment["SCOPE_PREFIX"],
            group_names=self.spec.environment.get("GROUP_NAMES", ""),
        )

    def invoke(self, event: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(event)
        try:
            return {"response": {"claimsAndScopeOverrideDetails": token_claims(event, mapping=self._mapping)}}
        except SignInRefused as refusal:
            raise FunctionError("SignInRefused", str(refusal)) from None


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class Core:
    """The authorization server without its HTTP.

    Attributes:
        server: what decides.
        pool: whose tokens it gives.
        clock: what it takes for the time.
        pre_token: what fills its tokens.
    """

    server: AuthorizationServer
    pool: UserPool
    clock: Clock
    pre_token: PreToken

    @property
    def client(self) -> AppClient:
        """The host that the tests play."""
        return next(each for each in self.pool.clients if each.name == HOST)

    def query(self, **changes: str | None) -> str:
        """A sound request of the host's, or one with changes; None leaves a parameter out."""
        asked: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.client.client_id,
            "redirect_uri": CALLBACK,
            "scope": "openid ringfence/auditor",
            "state": "s1",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **changes,
        }
        return urlencode({name: value for name, value in asked.items() if value is not None})

    def sign_in(self, who: str = "aud.example-01", persona: str = "auditor", **changes: str | None) -> Redirect:
        """Somebody signs in, and goes back to the host."""
        form = {"request": self.query(**changes), "person": who, "persona": persona}
        outcome = self.server.sign_in(form, session=None)
        assert isinstance(outcome, Redirect), outcome.html
        return outcome

    def code(self, **changes: str | None) -> str:
        """The code of a sign-in."""
        return parse_qs(urlsplit(self.sign_in(**changes).to).query)["code"][0]

    def exchange(self, code: str, **changes: str) -> dict[str, Any]:
        """What the token endpoint answers for a code."""
        form = {
            "grant_type": "authorization_code",
            "client_id": self.client.client_id,
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
        }
        return self.server.token({**form, **changes})

    def refresh(self, token: str, **changes: str) -> dict[str, Any]:
        """What it answers for a refresh token."""
        form = {"grant_type": "refresh_token", "client_id": self.client.client_id, "refresh_token": token}
        return self.server.token({**form, **changes})

    def claims(self, token: str) -> dict[str, Any]:
        """What a token says, once its signature holds."""
        return dict(jwt.decode(token, KeySet.import_key_set(self.pool.keys), algorithms=["RS256"]).claims)


@pytest.fixture(scope="session")
def assembly(production: Path) -> Assembly:
    return with_callbacks(Assembly.load(production), CALLBACK)


@pytest.fixture
def core(assembly: Assembly) -> Core:
    functions = {item.arn: item for item in assembly.of_type("AWS::Lambda::Function")}
    arn = next(arn for arn in functions if arn.endswith("pre-token"))
    pre_token, clock = PreToken(functions[arn]), Clock()
    pool = UserPool(user_pool(assembly), functions={arn: pre_token}, clock=clock)
    scopes = {"auditor": "ringfence/auditor", "operator": "ringfence/operator"}
    server = AuthorizationServer(
        pool,
        base="http://127.0.0.1:8710",
        department="example-production",
        scopes=scopes,
        gateways={persona: f"http://127.0.0.1/{persona}/mcp" for persona in scopes},
        people=everybody(scopes, functions=[pre_token], pool=pool),
    )
    return Core(server, pool, clock, pre_token)
