"""The sign-in page in a real browser: with the keyboard alone, and without a fault that axe finds."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page

from tests.peers.browser import violations
from tests.ringfence.rehearsal.sign_in.serving import Served
from tests.ringfence.rehearsal.sign_in.test_bad_input import address, exchanged

BOTH = "openid ringfence/auditor ringfence/operator"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()  # nobody is signed in
    yield context.new_page()
    context.close()


@pytest.fixture
def host(served: Served) -> Iterator[list[str]]:
    """A host that listens at its callback, and what it was sent."""
    sent: list[str] = []

    class Callback(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/callback"):  # and not the browser's own request for an icon
                sent.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>Signed in</title><p>Go back to the host.</p>")

        def log_message(self, *_args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", served.callback_port), Callback)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield sent
    server.shutdown()
    server.server_close()


def focused(page: Page) -> str:
    """What has the focus: its name or its text."""
    return page.evaluate("document.activeElement.name || document.activeElement.textContent.trim()")


def test_the_keyboard_alone_signs_in(served: Served, page: Page, host: list[str]) -> None:
    page.goto(address(served, scope=BOTH))
    press, seen = page.keyboard.press, []
    for _ in range(2):
        press("Tab")
        seen.append(focused(page))
    press("ArrowDown")  # from the first person to the second
    press("Tab")
    seen.append(focused(page))
    press("Space")
    press("Tab")
    seen.append(focused(page))
    assert seen == ["Skip to main content", "person", "persona", "Sign in"]
    assert page.locator("input[name=person]:checked").input_value() == "ope.example-01"
    press("Shift+Tab")
    press("ArrowDown")
    assert page.locator("input[name=persona]:checked").input_value() == "operator"
    press("Enter")
    page.wait_for_url("**/callback?**")
    answer = parse_qs(urlsplit(host[0]).query)
    assert answer["state"] == ["s1"]
    assert exchanged(served, answer["code"][0]).status_code == 200


def test_what_is_left_out_is_named_and_its_link_leads_there(served: Served, page: Page) -> None:
    page.goto(address(served, scope=BOTH))
    page.get_by_role("button", name="Sign in").click()
    assert page.title().startswith("Error: ")
    page.get_by_role("link", name="Select who you are").focus()
    page.keyboard.press("Enter")
    assert focused(page) == "person"


def test_somebody_signs_in_again_and_out(served: Served, page: Page, host: list[str]) -> None:
    page.goto(address(served))
    page.get_by_label("aud.example-01").check()
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/callback?**")
    page.goto(address(served))
    page.get_by_role("button", name="Go on as aud.example-01").click()
    page.wait_for_url("**/callback?**")
    assert len(host) == 2
    page.goto(f"{served.base}/logout")
    assert "aud.example-01 is signed out of this browser." in page.inner_text("main")
    page.goto(address(served))
    assert page.get_by_text("Who are you?").is_visible()


def test_cancel_goes_back_to_the_host_and_says_so(served: Served, page: Page, host: list[str]) -> None:
    page.goto(address(served))
    page.get_by_role("link", name="Cancel").click()
    page.wait_for_url("**/callback?**")
    assert parse_qs(urlsplit(host[0]).query)["error"] == ["access_denied"]


def test_axe_finds_nothing_on_any_page(served: Served, page: Page, host: list[str]) -> None:
    found: dict[str, list[str]] = {}

    def judged(name: str) -> None:
        found[name] = violations(page)

    page.goto(address(served, scope=BOTH))
    judged("choice")
    page.get_by_role("button", name="Sign in").click()
    judged("choice with something left out")
    page.goto(address(served))
    page.get_by_label("vis.example-02").check()
    page.get_by_role("button", name="Sign in").click()
    judged("not a member")
    page.get_by_role("button", name="all the same").click()
    page.wait_for_url("**/callback?**")
    page.goto(address(served))
    judged("going on, not a member")
    page.goto(address(served, client_id="wrong"))
    judged("refused")
    page.goto(served.base)
    assert "This browser is signed in as vis.example-02." in page.inner_text("main")
    judged("front, signed in")
    page.goto(f"{served.base}/logout")
    judged("signed out")
    page.goto(served.base)
    judged("front")
    assert len(found) == 8
    assert not [*filter(None, found.values())], found


def test_the_keyboard_alone_signs_out_from_the_front_page(served: Served, page: Page, host: list[str]) -> None:
    page.goto(address(served))
    page.get_by_label("aud.example-01").check()
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/callback?**")
    page.goto(served.base)
    seen = []
    for _ in range(2):
        page.keyboard.press("Tab")
        seen.append(focused(page))
    assert seen == ["Skip to main content", "Sign out of this browser"]
    page.keyboard.press("Enter")
    page.wait_for_url("**/logout")
    assert "aud.example-01 is signed out of this browser." in page.inner_text("main")


@pytest.mark.parametrize("front", [True, False])
def test_a_narrow_screen_needs_no_scrolling_sideways(served: Served, page: Page, front: bool) -> None:
    page.set_viewport_size({"width": 320, "height": 640})  # WCAG 2.2, 1.4.10
    page.goto(served.base if front else address(served, redirect_uri=f"{served.callback}/{'long' * 40}"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
