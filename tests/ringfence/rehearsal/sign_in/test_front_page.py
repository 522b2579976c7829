"""The page at the sign-in server's own address: what is printed when a rehearsal serves leads somewhere."""

from __future__ import annotations

import base64
import hashlib
import shlex
from html.parser import HTMLParser
from pathlib import Path

import httpx2
import pytest

from ringfence.command_line.entry import main
from ringfence.rehearsal.connect import connections, written
from ringfence.rehearsal.identity.people import Person as Invented
from ringfence.rehearsal.identity.user_pool import User
from ringfence.rehearsal.sign_in import pages
from tests.ringfence.rehearsal.sign_in.person import Form, Person
from tests.ringfence.rehearsal.sign_in.serving import Served
from tests.ringfence.rehearsal.sign_in.test_bad_input import DIRECTLY, address

HOSTILE = "<img src=x onerror=alert(1)>&\"'"


class Elements(HTMLParser):
    """The names of all elements, and the texts of those of one kind."""

    def __init__(self, html: str, kind: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.texts: list[str] = []
        self._kind = kind
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        if tag == self._kind:
            self.texts.append("")

    def handle_data(self, data: str) -> None:
        if self.names and self.names[-1] == self._kind:
            self.texts[-1] += data


def test_it_names_department_gateways_and_people_to_whoever_has_no_cookie(served: Served) -> None:
    answer = httpx2.get(served.base, **DIRECTLY)
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    shown = Form(answer.text).text
    assert "Rehearsal of example-production" in shown
    for persona, server in served.department.gateways.items():
        assert f"{persona}{server.url}" in shown
    assert "aud.example-01Member of SG-Cloud-Audit; may work as auditor" in shown
    assert "all.example-03Member of SG-Cloud-Audit and SG-Cloud-Operations; may work as auditor or operator" in shown
    assert "vis.example-02Member of SG-Visitors; may work as no persona" in shown
    assert "This browser is signed in as nobody." in shown


def test_a_page_allows_itself_one_style_and_one_form_and_its_cookie_is_read_by_no_script(served: Served) -> None:
    person = Person()
    form = person.opens(address(served))
    _, _, style = form.text.partition("<style>")
    style, _, _ = style.partition("</style>")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    signed_in = person.submits(form, person="aud.example-01")
    front = person.opens(served.base)
    for page, forms in ((form, f"'self' http://localhost:{served.callback_port}"), (front, "'self'")):
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert page.headers["Content-Security-Policy"] == (
            f"default-src 'none'; style-src 'sha256-{digest}'; form-action {forms}; base-uri 'none'; "
            "frame-ancestors 'none'"
        )
    left = person.opens(f"{served.base}{Form(front.text).links['Sign out of this browser']}")
    for answer, lasts in ((signed_in, "3600"), (left, "0")):
        _, *flags = answer.headers["Set-Cookie"].split("; ")
        assert flags == ["Path=/", f"Max-Age={lasts}", "HttpOnly", "SameSite=Lax"]


def test_each_line_for_a_host_prints_what_it_needs(
    served: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = "\n".join(Elements(httpx2.get(served.base, **DIRECTLY).text, "code").texts)
    lines = [shlex.split(line) for line in told.splitlines() if line.startswith("make ")]
    with written(tmp_path / "connect.json", connections(served.department)):
        for make, goal, host, persona in lines:
            assert (make, goal) == ("make", "connect")
            words = ["connect", "--host", host.removeprefix("HOST="), "--persona", persona.removeprefix("PERSONA=")]
            assert main([*words, "--rehearsal", str(tmp_path / "connect.json")]) == 0
    assert served.auditor in capsys.readouterr().out
    hosts = {client.name for client in served.department.pool.clients}
    assert {(host, persona) for _, _, host, persona in lines} == {
        (f"HOST={host}", f"PERSONA={persona}") for host in hosts for persona in served.department.gateways
    }


def test_it_says_who_is_signed_in_and_leads_to_signing_out(served: Served) -> None:
    person = Person()
    person.signs_in(address(served))
    front = person.opens(f"{served.base}/")
    assert "This browser is signed in as aud.example-01." in Form(front.text).text
    leave = person.opens(f"{served.base}{Form(front.text).links['Sign out of this browser']}")
    assert "aud.example-01 is signed out of this browser." in Form(leave.text).text
    assert "This browser is signed in as nobody." in Form(person.opens(served.base).text).text


@pytest.mark.parametrize(
    ("callbacks", "elsewhere"),
    [
        (["https://assistant.example.org/oauth/callback"], True),
        (["https://assistant.example.org/oauth/callback", "http://localhost:33418/callback"], False),
        (["http://127.0.0.1:6276/oauth/callback"], False),
        (["cursor://anysphere.cursor-mcp/oauth/callback"], False),
    ],
)
def test_a_host_whose_sign_in_ends_elsewhere_is_told_so(callbacks: list[str], elsewhere: bool) -> None:
    shown = Form(pages.front("d", gateways={"p": "u"}, hosts={"h": callbacks}, people=[], signed_in=None)).text
    assert ("Its sign-in ends at assistant.example.org, not on this computer" in shown) is elsewhere


def test_it_says_how_another_host_comes_in() -> None:
    shown = Form(pages.front("d", gateways={"p": "u"}, hosts={}, people=[], signed_in=None)).text
    assert "Another host needs [[hosts]] in departments/d.toml first; then serve again." in shown


def test_names_are_text_wherever_they_come_from() -> None:
    person = Invented(User(HOSTILE, (HOSTILE,)), (HOSTILE,))
    host = {HOSTILE: [f"https://{HOSTILE}/"]}
    html = pages.front(HOSTILE, gateways={HOSTILE: HOSTILE}, hosts=host, people=[person], signed_in=person)
    sound = pages.front("d", gateways={"p": "u"}, hosts={"h": ["https://h/"]}, people=[person], signed_in=person)
    assert Elements(html, "code").names == Elements(sound, "code").names
    # Title, heading, gateway (2), file, host, where it ends, command (2), person (3), who is signed in, footer.
    assert Form(html).text.count(HOSTILE) == 14
    command = Elements(html, "code").texts[2]
    assert shlex.split(command) == ["make", "connect", f"HOST={HOSTILE}", f"PERSONA={HOSTILE}"]
