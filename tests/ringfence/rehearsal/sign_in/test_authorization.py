"""What the rehearsal's authorization server gives, and what it refuses with a word on what to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest

from ringfence.rehearsal.identity.people import Person
from ringfence.rehearsal.identity.user_pool import User
from ringfence.rehearsal.sign_in import authorization
from ringfence.rehearsal.sign_in.authorization import Page, Redirect
from ringfence.rehearsal.sign_in.problems import OAuthError, Refused
from tests.ringfence.rehearsal.sign_in.conftest import CALLBACK, VERIFIER, Core
from tests.ringfence.rehearsal.sign_in.person import Form


def told(outcome: Page | Redirect) -> dict[str, str]:
    """What the host is told in its callback's query."""
    assert isinstance(outcome, Redirect)
    assert outcome.to.startswith(f"{CALLBACK}?")
    return {name: values[0] for name, values in parse_qs(urlsplit(outcome.to).query).items()}


def test_a_sign_in_gives_a_code_and_the_code_gives_tokens_of_the_pool(core: Core) -> None:
    answer = told(core.sign_in())
    assert answer["state"] == "s1"
    tokens = core.exchange(answer["code"])
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 900)
    claims = core.claims(tokens["access_token"])
    # The template's issuer: the gateway and the interceptor look for that.
    assert claims["iss"] == core.pool.issuer
    assert claims["scope"] == "openid ringfence/auditor"
    assert claims["cognito:groups"] == ["auditor"]
    assert claims["staff_id"] == "aud.example-01"
    assert claims["exp"] - claims["iat"] == 900
    assert "aud" not in claims


def test_the_id_token_names_the_issuer_that_the_host_found(core: Core) -> None:
    tokens = core.exchange(core.code(nonce="n1"))
    claims = core.claims(tokens["id_token"])
    assert claims["iss"] == core.server.document(f"/{core.pool.pool_id}/.well-known/openid-configuration")["issuer"]
    assert (claims["aud"], claims["nonce"], claims["token_use"]) == (core.client.client_id, "n1", "id")


def test_the_pre_token_function_is_told_what_is_asked_and_on_what_occasion(core: Core) -> None:
    tokens = core.exchange(core.code())
    core.refresh(tokens["refresh_token"])
    assert [each["triggerSource"] for each in core.pre_token.asked] == [
        "TokenGeneration_HostedAuth",  # before the person is sent back: a refusal is a page
        "TokenGeneration_HostedAuth",
        "TokenGeneration_RefreshTokens",
    ]
    assert core.pre_token.asked[0]["request"]["scopes"] == ["openid", "ringfence/auditor"]


@pytest.mark.parametrize("asked", ["openid ringfence/auditor ringfence/operator", None])
def test_a_host_that_asks_for_several_personas_gets_the_chosen_one(core: Core, asked: str | None) -> None:
    code = core.code(who="all.example-03", persona="operator", scope=asked)
    assert core.claims(core.exchange(code)["access_token"])["scope"] == "openid ringfence/operator"


# The person


def test_the_page_offers_everybody_and_only_the_personas_that_the_host_asks_for(core: Core) -> None:
    page = core.server.authorize(core.query(), session=None)
    assert isinstance(page, Page)
    form = Form(page.html)
    for name in ("aud.example-01", "ope.example-01", "all.example-03", "vis.example-02", "SG-Cloud-Audit"):
        assert name in form.text
    assert form.fields["persona"] == "auditor"
    assert "<script" not in page.html


def test_a_choice_left_out_is_asked_for_again_and_the_rest_is_kept(core: Core) -> None:
    form = {"request": core.query(scope=None), "person": "aud.example-01"}
    page = core.server.sign_in(form, session=None)
    assert isinstance(page, Page)
    assert page.status == 400
    assert "Select what you want to work as" in page.html
    assert "Select who you are" not in page.html
    assert Form(page.html).fields["person"] == "aud.example-01"


@pytest.mark.parametrize("who", ["vis.example-02", "ope.example-01"])
def test_a_person_in_no_group_of_the_persona_is_told_so_and_may_see_what_the_host_makes_of_it(
    core: Core, who: str
) -> None:
    form = {"request": core.query(), "person": who, "persona": "auditor"}
    page = core.server.sign_in(form, session=None)
    assert isinstance(page, Page)
    assert f"{who} is not a member of auditor" in page.html
    assert "[identity.groups]" in page.html
    went_on = core.server.sign_in({**form, "anyway": "yes"}, session=None)
    scope = core.claims(core.exchange(told(went_on)["code"])["access_token"])["scope"]
    assert scope == "openid"  # it opens no gateway


def test_two_personas_in_one_browser_are_one_person_at_a_time(core: Core) -> None:
    session = core.sign_in().session
    asked = core.query(scope="openid ringfence/operator")
    page = core.server.authorize(asked, session=session)
    assert isinstance(page, Page)
    assert "This browser has signed in as" in page.html
    assert "not a member of operator" in page.html
    again = Form(page.html).links["Choose somebody else"]
    anew = core.server.authorize(urlsplit(again).query, session=session)
    assert isinstance(anew, Page)
    assert "Who are you?" in anew.html


def test_somebody_who_holds_both_goes_on_in_the_same_session(core: Core) -> None:
    session = core.sign_in("all.example-03").session
    asked = core.query(scope="openid ringfence/operator")
    page = core.server.authorize(asked, session=session)
    assert isinstance(page, Page)
    form = Form(page.html)
    assert "Go on as all.example-03" in form.text
    outcome = core.server.sign_in(form.fields, session=session)
    assert isinstance(outcome, Redirect)
    assert outcome.session == session


@pytest.mark.parametrize(("seconds", "remembered"), [(3599, True), (3600, False)])
def test_a_browser_is_remembered_for_an_hour(
    core: Core, monkeypatch: pytest.MonkeyPatch, seconds: int, remembered: bool
) -> None:
    clock = SimpleNamespace(monotonic=lambda: 1000.0)
    monkeypatch.setattr(authorization, "time", clock)
    session = core.sign_in().session
    clock.monotonic = lambda: 1000.0 + seconds
    page = core.server.authorize(core.query(), session=session)
    assert isinstance(page, Page)
    assert ("Go on as aud.example-01" in page.html) is remembered


def test_another_person_gets_another_session(core: Core) -> None:
    """Whoever knows the first person's session, or planted one, does not come to be the second."""
    first = core.sign_in().session
    for known in (first, "planted"):
        form = {"request": core.query(), "person": "all.example-03", "persona": "auditor"}
        outcome = core.server.sign_in(form, session=known)
        assert isinstance(outcome, Redirect)
        assert outcome.session not in (None, known)
        page = core.server.authorize(core.query(), session=known)
        assert isinstance(page, Page)
        assert "Go on as all.example-03" not in page.html


def test_a_pre_token_function_that_refuses_is_a_page(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    nameless = Person(User("?", ("SG-Cloud-Audit",)), ("auditor",))
    monkeypatch.setitem(core.server._people, "?", nameless)
    with pytest.raises(Refused, match="no usable staff id"):
        core.server.sign_in({"request": core.query(), "person": "?", "persona": "auditor"}, session=None)


# What a host sends stands on pages only as text

HOSTILE = """&x="><img src=x onerror='alert(1)'>&y"""


def checked(html: str) -> str:
    """A page that holds none of the hostile markup, and no ampersand of an address as it came."""
    assert "<img" not in html
    assert re.search(r"&(?!(amp|quot|lt|gt|#x27);)", html) is None
    return html


def test_a_hostile_request_is_text_in_hidden_fields_and_comes_back_as_it_was(core: Core) -> None:
    query = core.query() + HOSTILE
    page = core.server.authorize(query, session=None)
    assert isinstance(page, Page)
    assert Form(checked(page.html)).fields["request"] == query


def test_a_hostile_request_is_text_in_the_links_to_choose_somebody_else(core: Core) -> None:
    query = core.query() + HOSTILE
    page = core.server.sign_in({"request": query, "person": "ope.example-01", "persona": "auditor"}, session=None)
    assert isinstance(page, Page)
    assert Form(checked(page.html)).links["Choose somebody else"] == f"/oauth2/authorize?{query}"
    page = core.server.authorize(query, session=core.sign_in().session)
    assert isinstance(page, Page)
    assert "x=%22%3E%3Cimg" in Form(checked(page.html)).links["Choose somebody else"]


# The host's request


@pytest.mark.parametrize(
    ("changes", "title", "names"),
    [
        ({"client_id": "wrong"}, "This host is not known", ("'wrong'", "claude-code", "make connect")),
        ({"client_id": None}, "This host is not known", ("without a client id",)),
        ({"redirect_uri": f"{CALLBACK}/"}, "callback address is not registered", (f"{CALLBACK}/", CALLBACK)),
        ({"redirect_uri": CALLBACK.replace("33410", "33411")}, "callback address is not registered", ("33411",)),
        (
            {"redirect_uri": CALLBACK.replace("localhost", "127.0.0.1")},
            "callback address is not registered",
            (CALLBACK,),
        ),
        ({"redirect_uri": None}, "callback address is not registered", ("redirect_uri",)),
        ({"scope": "openid"}, "The host asks for no persona", ("openid ringfence/auditor",)),
    ],
)
def test_what_only_the_person_can_be_told_is_a_page(
    core: Core, changes: dict[str, str | None], title: str, names: tuple[str, ...]
) -> None:
    with pytest.raises(Refused) as refused:
        core.server.authorize(core.query(**changes), session=None)
    assert title in refused.value.title
    assert all(name in str(refused.value) for name in names)


@pytest.mark.parametrize(
    ("changes", "error", "names"),
    [
        ({"response_type": "token"}, "unsupported_response_type", "code"),
        ({"response_type": None}, "invalid_request", "code"),
        ({"scope": "openid ringfence/root"}, "invalid_scope", "ringfence/root"),
        ({"code_challenge_method": "plain"}, "invalid_request", "S256"),
        ({"code_challenge_method": None}, "invalid_request", "S256"),
        ({"code_challenge": "short"}, "invalid_request", "43"),
        ({"code_challenge": None}, "invalid_request", "43"),
        ({"prompt": "none"}, "login_required", "prompt"),
    ],
)
def test_what_the_host_can_be_told_goes_to_its_callback(
    core: Core, changes: dict[str, str | None], error: str, names: str
) -> None:
    answer = told(core.server.authorize(core.query(**changes), session=None))
    assert (answer["error"], answer["state"]) == (error, "s1")
    assert names in answer["error_description"]


def test_a_parameter_sent_twice_is_refused(core: Core) -> None:
    answer = told(core.server.authorize(f"{core.query()}&scope=openid", session=None))
    assert (answer["error"], "scope" in answer["error_description"]) == ("invalid_request", True)


def test_a_request_without_pkce_is_admitted_as_by_cognito(core: Core) -> None:
    code = core.code(code_challenge=None, code_challenge_method=None)
    assert core.exchange(code, code_verifier="")["access_token"]


def test_a_verifier_without_a_challenge_is_refused(core: Core) -> None:
    """Somebody may have taken the challenge out of the address that the host opened (RFC 9700, section 4.8.2)."""
    code = core.code(code_challenge=None, code_challenge_method=None)
    refused = refusal(core.exchange, code)
    assert (refused.error, "asked for without one" in refused.description) == ("invalid_grant", True)


@pytest.mark.parametrize("scope", ['openid "quoted"', "openid back\\slash", "openid caf\u00e9", "openid \x1b[2J"])
def test_a_scope_comes_back_in_an_error_only_as_the_protocol_allows(core: Core, scope: str) -> None:
    """RFC 6749, section 4.1.2.1: printable ASCII without quotation mark and backslash."""
    answer = told(core.server.authorize(core.query(scope=scope), session=None))
    assert answer["error"] == "invalid_scope"
    assert answer["error_description"].isascii()
    assert answer["error_description"].isprintable()
    assert not set('"\\') & set(answer["error_description"])


# The token endpoint


def refusal(call: Callable[..., object], *arguments: object, **changes: str) -> OAuthError:
    with pytest.raises(OAuthError) as refused:
        call(*arguments, **changes)
    assert refused.value.description.isascii()
    assert '"' not in refused.value.description
    return refused.value


def test_a_code_works_once(core: Core) -> None:
    code = core.code()
    core.exchange(code)
    error = refusal(core.exchange, code)
    assert (error.error, "used already" in error.description) == ("invalid_grant", True)


@pytest.mark.parametrize(
    ("changes", "error", "names"),
    [
        ({"code_verifier": "x" * 43}, "invalid_grant", "code_verifier"),
        ({"code_verifier": ""}, "invalid_grant", "code_verifier"),
        ({"redirect_uri": f"{CALLBACK}/"}, "invalid_grant", CALLBACK),
        ({"client_id": "wrong"}, "invalid_client", "make connect"),
        ({"grant_type": "password"}, "unsupported_grant_type", "authorization_code"),
    ],
)
def test_an_exchange_that_is_not_the_sign_ins(core: Core, changes: dict[str, str], error: str, names: str) -> None:
    refused = refusal(core.exchange, core.code(), **changes)
    assert (refused.error, names in refused.description) == (error, True)


def test_a_wrong_verifier_uses_the_code_up(core: Core) -> None:
    code = core.code()
    refusal(core.exchange, code, code_verifier="x" * 43)
    assert "used already" in refusal(core.exchange, code).description


def test_an_exchange_says_where_the_code_was_sent(core: Core) -> None:
    form = {"grant_type": "authorization_code", "client_id": core.client.client_id, "code": core.code()}
    refused = refusal(core.server.token, {**form, "code_verifier": VERIFIER})
    assert (refused.error, CALLBACK in refused.description) == ("invalid_grant", True)


def test_another_host_cannot_exchange_the_code(core: Core) -> None:
    other = next(each for each in core.pool.clients if each != core.client)
    refused = refusal(core.exchange, core.code(), client_id=other.client_id)
    assert core.client.name in refused.description


@pytest.mark.parametrize(("seconds", "works"), [(299, True), (300, False), (600, False)])
def test_a_clock_set_ten_minutes_on_makes_a_fresh_code_old(core: Core, seconds: int, works: bool) -> None:
    code = core.code()
    core.clock.now += seconds
    if works:
        assert core.exchange(code)
    else:
        assert "clock" in refusal(core.exchange, code).description


# Refresh and sign-out


def test_a_refresh_token_is_exchanged_for_another_and_works_ten_seconds_more(core: Core) -> None:
    first = core.exchange(core.code())["refresh_token"]
    second = core.refresh(first)["refresh_token"]
    assert second != first
    core.clock.now += 9
    core.refresh(first)
    core.clock.now += 1
    assert "replaced" in refusal(core.refresh, first).description
    assert core.refresh(second)["access_token"]


def test_another_host_cannot_use_the_refresh_token(core: Core) -> None:
    token = core.exchange(core.code())["refresh_token"]
    other = next(each for each in core.pool.clients if each != core.client)
    refused = refusal(core.refresh, token, client_id=other.client_id)
    assert (refused.error, core.client.name in refused.description) == ("invalid_grant", True)
    assert core.refresh(token)["access_token"]


def test_rotation_does_not_prolong_a_sign_in(core: Core) -> None:
    token = core.exchange(core.code())["refresh_token"]
    for _ in range(8):
        core.clock.now += 3590
        token = core.refresh(token)["refresh_token"]
    core.clock.now += 80  # 8 hours
    assert refusal(core.refresh, token).error == "invalid_grant"


def test_after_sign_out_in_the_host_nothing_that_came_of_the_sign_in_is_refreshed(core: Core) -> None:
    first = core.exchange(core.code())["refresh_token"]
    second = core.refresh(first)["refresh_token"]
    core.server.revoke({"client_id": core.client.client_id, "token": second})
    for token in (first, second):
        assert "signed out" in refusal(core.refresh, token).description


def test_another_host_revokes_nothing(core: Core) -> None:
    token = core.exchange(core.code())["refresh_token"]
    other = next(each for each in core.pool.clients if each != core.client)
    with pytest.raises(OAuthError):
        core.server.revoke({"client_id": other.client_id, "token": token})
    assert core.refresh(token)["access_token"]


def test_sign_out_of_the_browser_forgets_the_person_and_says_that_hosts_stay_connected(core: Core) -> None:
    signed_in = core.sign_in()
    token = core.exchange(told(signed_in)["code"])["refresh_token"]
    page = core.server.sign_out("", session=signed_in.session)
    assert isinstance(page, Page)
    assert page.forgets
    assert "/oauth2/revoke" in page.html
    assert core.refresh(token)["access_token"]
    asked_again = core.server.authorize(core.query(), session=signed_in.session)
    assert isinstance(asked_again, Page)
    assert "Who are you?" in asked_again.html


def test_sign_out_sends_nobody_to_an_address_that_is_not_registered(core: Core) -> None:
    with pytest.raises(Refused, match="evil"):
        core.server.sign_out(f"client_id={core.client.client_id}&logout_uri=https://evil.example", session=None)
