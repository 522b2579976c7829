"""Each of Cognito's awkward traits: with it a host stumbles, and without it the host does not."""

from __future__ import annotations

import datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from ringfence.rehearsal.sign_in.authorization import Page
from ringfence.rehearsal.sign_in.problems import OAuthError, Refused
from ringfence.rehearsal.sign_in.traits import Traits, described
from tests.ringfence.rehearsal.sign_in.conftest import CALLBACK, Core

RESOURCE = "http://127.0.0.1:8711/mcp"


def switch_off(core: Core, name: str) -> None:
    core.server.traits = Traits().without(name)


def metadata(core: Core) -> dict:
    return core.server.document(f"/{core.pool.pool_id}/.well-known/openid-configuration")


def test_every_trait_has_a_sentence_a_source_and_a_day() -> None:
    for trait in described().values():
        assert trait.says.endswith(".")
        assert urlsplit(trait.source).scheme == "https"
        assert trait.read <= datetime.date(2027, 1, 1)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("[registers_nobody]", "[registers_somebody]", "registers_nobody, registers_somebody"),
        ('says = "A host', 'tells = "A host', "registers_nobody must have says"),
        ("read = 2026-11-29", 'read = "lately"', "must have says"),
    ],
)
def test_a_file_that_tells_of_other_traits_is_refused(tmp_path: Path, old: str, new: str, told: str) -> None:
    text = Path(described.__globals__["_DATA"]).read_text()
    path = tmp_path / "traits.toml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ValueError, match=told):
        described(path)


def test_a_trait_that_is_none_cannot_be_switched_off() -> None:
    with pytest.raises(TypeError):
        Traits().without("registers_no_one")


def test_registers_nobody(core: Core) -> None:
    with pytest.raises(OAuthError, match="make connect"):
        core.server.register({"redirect_uris": [CALLBACK]})
    assert "registration_endpoint" not in metadata(core)
    switch_off(core, "registers_nobody")
    assert metadata(core)["registration_endpoint"] == "http://127.0.0.1:8710/register"
    client_id = core.server.register({"redirect_uris": ["http://localhost:1/cb"]})["client_id"]
    assert core.code(client_id=client_id, redirect_uri="http://localhost:1/cb")
    for wrong in ({}, {"redirect_uris": 5}, {"redirect_uris": [5]}, {"redirect_uris": CALLBACK}):
        with pytest.raises(OAuthError, match="redirect_uris"):
            core.server.register(wrong)


def test_tells_no_challenge_method(core: Core) -> None:
    assert "code_challenge_methods_supported" not in metadata(core)
    switch_off(core, "tells_no_challenge_method")
    assert metadata(core)["code_challenge_methods_supported"] == ["S256"]


def test_asks_for_no_challenge(core: Core) -> None:
    without = {"code_challenge": None, "code_challenge_method": None}
    assert core.exchange(core.code(**without), code_verifier="")["access_token"]
    switch_off(core, "asks_for_no_challenge")
    told = core.server.authorize(core.query(**without), session=None).to
    assert "error=invalid_request" in told
    assert "code_challenge" in told
    assert core.exchange(core.code())["access_token"]


def test_publishes_openid_only(core: Core) -> None:
    pool = core.pool.pool_id
    others = [
        f"/.well-known/oauth-authorization-server/{pool}",
        f"/.well-known/openid-configuration/{pool}",
        f"/{pool}/.well-known/oauth-authorization-server",
    ]
    assert [core.server.document(path) for path in others] == [None, None, None]
    switch_off(core, "publishes_openid_only")
    assert [core.server.document(path) for path in others] == [metadata(core)] * 3


def test_compares_callbacks_exactly(core: Core) -> None:
    elsewhere = CALLBACK.replace("33410", "50000")
    with pytest.raises(Refused, match="character for character"):
        core.server.authorize(core.query(redirect_uri=elsewhere), session=None)
    switch_off(core, "compares_callbacks_exactly")
    assert isinstance(core.server.authorize(core.query(redirect_uri=elsewhere), session=None), Page)
    with pytest.raises(Refused):
        core.server.authorize(core.query(redirect_uri=f"{elsewhere}/"), session=None)
    with pytest.raises(Refused):
        core.server.authorize(core.query(redirect_uri="https://evil.example/callback"), session=None)


def test_takes_any_resource(core: Core) -> None:
    """Another spelling of a gateway's address is no fault at the sign-in: the token is then good for nothing here."""
    for resource in (f"{RESOURCE}x", "http://localhost:8711/", "https://gateway.example.org/", "app://gateway"):
        claims = core.claims(core.exchange(core.code(resource=resource))["access_token"])
        assert claims["aud"] == resource
    switch_off(core, "takes_any_resource")
    with pytest.raises(OAuthError, match=f"No resource server of the user pool is called {RESOURCE}x") as refused:
        core.exchange(core.code(resource=f"{RESOURCE}x"))
    assert refused.value.error == "invalid_grant"


@pytest.mark.parametrize(
    "resource", ["gateway", "http://gateway.example.org/mcp", "https://", "http://[", "ringfence/x"]
)
def test_a_resource_that_is_no_address_of_a_kind_that_cognito_takes(core: Core, resource: str) -> None:
    told = parse_qs(urlsplit(core.server.authorize(core.query(resource=resource), session=None).to).query)
    assert told["error"] == ["invalid_request"]
    assert "exactly its address" in told["error_description"][0]


def test_a_resource_binds_at_the_sign_in_alone(core: Core) -> None:
    """Cognito's token endpoint has no such parameter; a refresh carries the audience over."""
    other = "http://127.0.0.1:8712/mcp"
    tokens = core.exchange(core.code(resource=RESOURCE), resource=other)
    assert core.claims(tokens["access_token"])["aud"] == RESOURCE
    tokens = core.refresh(tokens["refresh_token"], resource=other)
    assert core.claims(tokens["access_token"])["aud"] == RESOURCE
    assert "aud" not in core.claims(core.exchange(core.code(), resource=RESOURCE)["access_token"])


def test_binds_on_request_only(core: Core) -> None:
    assert "aud" not in core.claims(core.exchange(core.code())["access_token"])
    switch_off(core, "binds_on_request_only")
    assert core.claims(core.exchange(core.code())["access_token"])["aud"] == core.client.client_id


def test_remembers_the_browser(core: Core) -> None:
    session = core.sign_in().session
    assert "Go on as aud.example-01" in core.server.authorize(core.query(), session=session).html
    assert "Who are you?" in core.server.authorize(core.query(prompt="login"), session=session).html
    switch_off(core, "remembers_the_browser")
    assert "Who are you?" in core.server.authorize(core.query(), session=session).html


def test_sign_out_leaves_refresh_tokens(core: Core) -> None:
    switch_off(core, "sign_out_leaves_refresh_tokens")
    signed_in = core.sign_in()
    code = urlsplit(signed_in.to).query.partition("code=")[2]
    token = core.exchange(code)["refresh_token"]
    assert "/oauth2/revoke" not in core.server.sign_out("", session=signed_in.session).html
    with pytest.raises(OAuthError, match="signed out"):
        core.refresh(token)


def test_claims_without_openid(core: Core) -> None:
    """VS Code and MCP Inspector ask for the scope that the gateway advertises, the persona's alone."""

    def filled(scope: str) -> bool:
        claims = core.claims(core.exchange(core.code(scope=scope))["access_token"])
        assert claims["scope"] == scope
        return claims.get("cognito:groups") == ["auditor"] and claims.get("staff_id") == "aud.example-01"

    assert filled("ringfence/auditor")
    switch_off(core, "claims_without_openid")
    assert not filled("ringfence/auditor")
    assert filled("openid ringfence/auditor")


def test_grants_all_without_scope(core: Core) -> None:
    tokens = core.exchange(core.code(scope=None))
    assert core.claims(tokens["access_token"])["scope"] == "openid ringfence/auditor"
    switch_off(core, "grants_all_without_scope")
    with pytest.raises(OAuthError, match="named no scope") as refused:
        core.exchange(core.code(scope=None))
    assert refused.value.error == "invalid_grant"
    assert core.exchange(core.code())["access_token"]
