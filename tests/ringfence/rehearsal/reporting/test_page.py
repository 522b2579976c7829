"""The page: every call with its layers, everything from a call as text alone, and readable by everybody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import html5lib
import pytest
from playwright.sync_api import Browser, Page

from ringfence.rehearsal.reporting.page import layers_of, page_of
from tests.peers.browser import violations
from tests.ringfence.rehearsal.reporting.documents import call, document, refused

ATTACKS = [
    "<script>document.title = 'taken'</script>",
    "</style><img src=x onerror=alert(1)>",
    "\"><iframe src='https://attacker.example.org/'></iframe>",
    "' autofocus onfocus=alert(1) x='",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert(1)",
    "&lt;b&gt;already escaped&lt;/b&gt;",
    "<!-- comment --!><b>bold</b>",
]
EITHER = {"outcome": "either", "layer": None, "rules": [], "aws": {}}


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page()
    yield opened
    opened.close()


def everywhere(text: str) -> dict[str, Any]:
    """A report that holds a text wherever a caller, a server or a department can put one."""
    aws = {**call()["aws_calls"][0], "source_identity": text, "session_name": text, "user_agent": text}
    hostile = refused(
        "request", scenario=text, step=text, tool=text, user=text, rule=text, refusal=text, note=text, problems=[text],
        held=False, aws_calls=[aws], call_id=text, persona=text,
    )  # fmt: skip
    return {**document(hostile, stopped_by=text), "granted_tools": {text: {text: text}}}


@pytest.mark.parametrize(
    ("played", "states"),
    [
        (call(), ["passed"] * 8),
        (refused("ingress"), ["stopped"] + ["not reached"] * 7),
        (refused("policy"), ["passed", "passed", "stopped"] + ["not reached"] * 5),
        (refused("policy", without=["request"]), ["passed", "switched off", "stopped"] + ["not reached"] * 5),
        (refused("runtime", enters="runtime"), ["gone around"] * 3 + ["stopped"] + ["not reached"] * 4),
        (refused("response"), ["passed"] * 7 + ["stopped"]),
        (refused(None), ["unknown"] * 8),
        (refused("aws", expected=EITHER), ["passed"] * 6 + ["no answer here", "not reached"]),
    ],
)
def test_a_call_is_a_row_of_its_layers_with_the_one_that_stopped_it(played: dict[str, Any], states: list[str]) -> None:
    layers = ["ingress", "request", "policy", "runtime", "credentials", "server", "aws", "response"]
    assert layers_of(played) == list(zip(layers, states, strict=True))


@pytest.mark.parametrize("attack", ATTACKS)
def test_whatever_a_call_holds_is_text_and_nothing_else(page: Page, attack: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: asked.append(dialog.message))
    page.set_content(page_of(everywhere(attack)))
    assert page.title() == "Rehearsal of example-production, 2026-03-01"
    assert page.locator("script, img, iframe, b, [onerror], [onfocus], [autofocus]").count() == 0
    assert page.locator("h4").first.text_content().endswith(attack)
    assert asked == []


def test_what_cannot_be_seen_in_a_text_is_spelt_out() -> None:
    made = page_of(document(call(step="admin\u202etxt.exe\u200b\x1b[2J\ud800")))
    assert "admin[U+202E]txt.exe[U+200B][U+001B][2J[U+D800]" in made
    assert made.encode()


def test_the_page_says_what_was_expected_and_what_was_seen(page: Page) -> None:
    otherwise = refused("aws", held=False, problems=["expected an answer"], expected=call()["expected"])
    page.set_content(page_of(document(call(), refused("request"), otherwise)))
    told = [" ".join(text.split()) for text in page.locator("ol.calls > li > dl").all_inner_texts()]
    assert told[0].startswith("Expected answered; AWS: iam:ListUsers allowed Seen answered, 120.4 ms AWS events")
    assert told[1].startswith("Expected refused by request, rule a-rule Seen refused by request, rule a-rule, 120.4 ms")
    assert "Seen refused by aws, rule a-rule, 120.4 ms Otherwise expected an answer" in told[2]
    assert "Not as it must be: 1 of 3 calls went otherwise" in page.locator(".verdict").inner_text()


def test_the_page_names_date_commit_and_digest() -> None:
    made = page_of(document(call()))
    assert "2026-03-01T09:30:00+00:00" in made
    assert "0123456789abcdef0123456789abcdef01234567</code></dd>" in made
    assert f"sha256 {'a' * 64}" in made
    changed = page_of({**document(call()), "changed": True})
    assert "0123456789abcdef0123456789abcdef01234567</code>, with changes that are not committed" in changed
    assert "not known: no Git checkout" in page_of({**document(call()), "commit": None, "changed": None})


def test_the_page_is_sound_html_and_asks_nothing_of_the_network() -> None:
    made = page_of(document(call(), refused("ingress")))
    html5lib.HTMLParser(strict=True).parse(made)
    assert not re.search(r"(?:src|href|action|url)\s*[=(]\s*[\"']?(?:https?:)?//", made)
    assert "<script" not in made


def test_details_are_printed_though_they_are_closed(page: Page) -> None:
    page.set_content(page_of(document(call())))
    hidden = page.get_by_text("Session policy: iam:ListUsers")
    assert not hidden.is_visible()
    page.emulate_media(media="print")
    assert hidden.is_visible()


@pytest.mark.parametrize("how", ["as it opens", "every detail open", "printed", "320 pixels wide"])
@pytest.mark.parametrize("text", ["plain", ATTACKS[0]])
def test_nobody_is_kept_from_reading_it(page: Page, how: str, text: str) -> None:
    page.set_content(page_of(everywhere(text)))
    if how == "every detail open":
        page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    if how == "printed":
        page.emulate_media(media="print")
    if how == "320 pixels wide":
        page.set_viewport_size({"width": 320, "height": 640})
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert violations(page) == []
