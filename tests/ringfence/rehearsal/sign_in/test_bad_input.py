"""What comes in wrong over HTTP, from a host or a browser, is answered with what to do."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from types import SimpleNamespace
from urllib.parse import urlencode

import httpx2
import pytest
from mcp import Client
from mcp.client.auth import OAuthRegistrationError
from mcp.client.streamable_http import streamable_http_client

from ringfence.rehearsal.ports import take_port
from ringfence.rehearsal.sign_in.server import SignInServer
from tests.ringfence.rehearsal.sign_in.conftest import CHALLENGE, VERIFIER
from tests.ringfence.rehearsal.sign_in.person import Form, Person
from tests.ringfence.rehearsal.sign_in.serving import Served
from tests.ringfence.rehearsal.sign_in.test_hosts_sign_in import SdkHost
from tests.waiting import LAST_RESORT_SECONDS

DIRECTLY = {"trust_env": False, "timeout": 60}


def address(served: Served, **changes: str) -> str:
    """The address that a host opens in the browser."""
    asked = {
        "response_type": "code",
        "client_id": served.client.client_id,
        "redirect_uri": served.callback,
        "scope": "openid ringfence/auditor",
        "state": "s1",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        **changes,
    }
    return f"{served.base}/oauth2/authorize?{urlencode(asked)}"


def exchanged(served: Served, code: str, **more: list[str]) -> httpx2.Response:
    form = {
        "grant_type": "authorization_code",
        "client_id": served.client.client_id,
        "code": code,
        "redirect_uri": served.callback,
        "code_verifier": VERIFIER,
        **more,
    }
    return httpx2.post(f"{served.base}/oauth2/token", data=form, **DIRECTLY)


def token(served: Served, **choices: str) -> str:
    code = httpx2.URL(Person().signs_in(address(served), **choices)).params["code"]
    return exchanged(served, code).json()["access_token"]


def listed(served: Served, bearer: str) -> httpx2.Response:
    """What the auditor's gateway answers to `tools/list`."""
    headers = {"Accept": "application/json, text/event-stream", "Authorization": f"Bearer {bearer}"}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    return httpx2.post(served.auditor, json=body, headers=headers, **DIRECTLY)


def test_a_browser_that_hangs_up_leaves_no_traceback(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    bound = take_port(0, name="the sign-in page")
    server = SignInServer(SimpleNamespace(issuer=""), SimpleNamespace(), department="d", bound=bound)
    try:
        client = socket.create_connection(bound.getsockname(), timeout=LAST_RESORT_SECONDS)
        client.sendall(b"GET / HTTP/1.1\r\n")
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # end with a reset
        client.close()
        there = httpx2.put(f"http://127.0.0.1:{bound.getsockname()[1]}/", **DIRECTLY)
    finally:
        server.stop()
    assert (there.status_code, capfd.readouterr().err, caplog.text) == (404, "", "")


def test_a_wrong_client_is_a_page(served: Served) -> None:
    page = Person().opens(address(served, client_id="wrong"))
    assert page.status_code == 400
    assert "This host is not known" in Form(page.text).text


def test_a_callback_off_by_one_character_is_a_page_and_no_redirect(served: Served) -> None:
    page = Person().opens(address(served, redirect_uri=f"{served.callback}/"))
    assert page.status_code == 400
    assert f"The nearest that it may use is {served.callback}." in Form(page.text).text


def test_a_code_used_twice(served: Served) -> None:
    code = httpx2.URL(Person().signs_in(address(served))).params["code"]
    assert exchanged(served, code).status_code == 200
    again = exchanged(served, code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert again.headers["Cache-Control"] == "no-store"


def test_a_token_for_another_spelling_of_the_address_is_told_why_it_opens_nothing(served: Served) -> None:
    """Claude Code asked for the origin and a slash (anthropics/claude-code, issue 52871)."""
    spelt = served.auditor.removesuffix("mcp")
    code = httpx2.URL(Person().signs_in(address(served, resource=spelt))).params["code"]
    answer = listed(served, exchanged(served, code).json()["access_token"]).json()
    assert "result" not in answer
    assert (answer["error"]["data"]["layer"], answer["error"]["data"]["rule"]) == ("policy", "nothing-permitted")
    assert "exactly the address" in answer["error"]["message"]


def test_a_person_in_no_group_who_goes_on_is_told_at_the_gateway(served: Served) -> None:
    person = Person()
    page = person.submits(person.opens(address(served)), person="vis.example-02")
    assert page.status_code == 200
    code = httpx2.URL(person.submits(page).headers["location"]).params["code"]
    answer = listed(served, exchanged(served, code).json()["access_token"])
    assert answer.status_code == 403
    assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize(("minutes", "status"), [(-10, 200), (10, 200), (-30, 401)])
def test_a_clock_that_is_off_still_works_or_is_named(
    served: Served, monkeypatch: pytest.MonkeyPatch, minutes: int, status: int
) -> None:
    """Ten minutes are within a token's quarter of an hour; beyond that the answer says what to look at."""
    monkeypatch.setattr(served.department.pool, "clock", lambda: time.time() + 60 * minutes)
    answer = listed(served, token(served))
    assert answer.status_code == status
    if status == 401:
        assert "expired 15 minutes ago" in answer.text
        assert "clock" in answer.text


def test_a_host_that_registers_itself_is_told_what_to_do_instead(served: Served) -> None:
    async def connect() -> None:
        async with (
            httpx2.AsyncClient(auth=SdkHost(served).provider, **DIRECTLY) as http,
            Client(streamable_http_client(served.auditor, http_client=http)),
        ):
            pass

    with pytest.RaisesGroup(OAuthRegistrationError, allow_unwrapped=True, flatten_subgroups=True) as raised:
        asyncio.run(connect())
    assert "make connect HOST=" in repr(
        raised.value.exceptions if hasattr(raised.value, "exceptions") else raised.value
    )
    answer = httpx2.post(f"{served.base}/register", json={"redirect_uris": [served.callback]}, **DIRECTLY)
    assert answer.status_code == 400
    assert "make connect HOST=" in answer.json()["error_description"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
@pytest.mark.parametrize("path", ["/", "/oauth2/authorize", "/oauth2/token", "/logout"])
def test_a_foreign_host_or_origin_is_a_page(served: Served, headers: dict[str, str], path: str) -> None:
    ask = httpx2.post if path.endswith("token") else httpx2.get
    answer = ask(f"{served.base}{path}", headers=headers, **DIRECTLY)
    assert answer.status_code == 403
    assert "This page is not for other sites" in answer.text
    assert served.base in answer.text


def test_another_page_of_this_computer_cannot_sign_anybody_in(served: Served) -> None:
    form = Form(Person().opens(address(served)).text)
    chosen = {**form.fields, "person": "aud.example-01"}
    answer = httpx2.post(f"{served.base}/login", data=chosen, headers={"Origin": "http://localhost:3000"}, **DIRECTLY)
    assert answer.status_code == 400
    assert "This form came from another page" in answer.text


@pytest.mark.parametrize(
    ("body", "kind", "told"),
    [
        (b"{}", "application/json", "application/x-www-form-urlencoded"),
        (b"a=%ff", "application/x-www-form-urlencoded", "No host here"),
        (b"\xff", "application/x-www-form-urlencoded", "UTF-8"),
        (b"&".join(b"a=1" for _ in range(60)), "application/x-www-form-urlencoded", "50 fields"),
        (b"a" * 70_000, "application/x-www-form-urlencoded", "65536 bytes"),
        (b"resource=a&resource=b", "application/x-www-form-urlencoded", "more than once"),
    ],
)
def test_a_body_that_is_no_form(served: Served, body: bytes, kind: str, told: str) -> None:
    answer = httpx2.post(f"{served.base}/oauth2/token", content=body, headers={"Content-Type": kind}, **DIRECTLY)
    assert answer.status_code in (400, 401)
    assert told in answer.json()["error_description"]


def test_a_parameter_sent_twice_gives_no_token(served: Served) -> None:
    """RFC 6749, section 3.2. A resource that is dropped would give a token that is bound to nothing."""
    code = httpx2.URL(Person().signs_in(address(served))).params["code"]
    answer = exchanged(served, code, resource=[served.auditor, served.auditor])
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert exchanged(served, code).status_code == 200  # the code was not looked at


MANY = "&".join(f"a{number}=1" for number in range(60))


def test_a_request_of_too_many_parameters_is_a_page(served: Served) -> None:
    for answer in (
        httpx2.get(f"{served.base}/oauth2/authorize?{MANY}", **DIRECTLY),
        httpx2.post(f"{served.base}/login", data={"request": MANY}, **DIRECTLY),
        httpx2.get(f"{served.base}/logout?{MANY}", **DIRECTLY),
    ):
        assert answer.status_code == 400
        assert "more than 50 parameters" in Form(answer.text).text


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"redirect_uris": 5}', "make connect"),
        (b"[" * 30_000, "JSON object"),
        (b"[]", "JSON object"),
    ],
)
def test_a_registration_that_makes_no_sense_is_answered(served: Served, body: bytes, told: str) -> None:
    answer = httpx2.post(f"{served.base}/register", content=body, **DIRECTLY)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert told in answer.json()["error_description"]


@pytest.mark.parametrize("length", [b"\xb2", b"9" * 5000, b"-1", b""])
def test_a_length_that_is_no_number_is_answered(served: Served, length: bytes) -> None:
    host, port = httpx2.URL(served.base).host, httpx2.URL(served.base).port
    with socket.create_connection((host, port), timeout=60) as connection:
        named = f"Host: {host}:{port}".encode()
        connection.sendall(
            b"\r\n".join([b"POST /oauth2/token HTTP/1.1", named, b"Content-Length: " + length, b"", b""])
        )
        answer = connection.recv(65536)
    assert b" 400 " in answer.splitlines()[0]


def test_a_client_id_is_text_on_the_page_that_refuses_it(served: Served) -> None:
    page = httpx2.get(address(served, client_id="<img src=x onerror=alert(1)>"), **DIRECTLY)
    assert page.status_code == 400
    assert "<img" not in page.text
    assert "<img src=x onerror=alert(1)>" in Form(page.text).text


@pytest.mark.parametrize(("site", "status"), [("cross-site", 403), ("same-origin", 405), ("none", 405)])
def test_a_picture_or_link_of_another_site_does_not_reach_the_gateway(served: Served, site: str, status: int) -> None:
    """Such a request has no Origin, and names this computer as its host."""
    token_held = {"Authorization": f"Bearer {token(served)}", "Sec-Fetch-Site": site}
    assert httpx2.get(served.auditor, headers=token_held, **DIRECTLY).status_code == status


def test_a_host_that_is_a_web_page_may_send_the_browser_to_the_sign_in(served: Served) -> None:
    page = httpx2.get(address(served), headers={"Sec-Fetch-Site": "cross-site"}, **DIRECTLY)
    assert page.status_code == 200


def test_a_gateway_reads_the_keys_of_sign_in_from_this_machine_and_not_from_a_proxy(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    found = served.department.sign_in.fetch(f"{served.department.pool.issuer}/.well-known/jwks.json")
    assert [key["kty"] for key in found["keys"]] == ["RSA"]


def test_what_is_not_there_says_what_is(served: Served) -> None:
    assert "/oauth2/token" in httpx2.get(f"{served.base}/authorize", **DIRECTLY).text
    lost = httpx2.get(f"{served.base}/.well-known/oauth-authorization-server", **DIRECTLY)
    assert lost.status_code == 404
    assert "/.well-known/openid-configuration" in lost.text
    assert httpx2.get(f"{served.base}/sign-in/auditor", **DIRECTLY).status_code == 404  # no script asked for tokens
