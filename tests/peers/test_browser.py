"""The browser starts and axe judges: a page that is sound, and one with a fault planted."""

from __future__ import annotations

from tests.peers.browser import chromium, violations

_SOUND = "<!doctype html><html lang=en><title>A page</title><main><h1>A page</h1><p>Text.</p>{}</main></html>"


def test_a_fault_on_a_page_is_named_and_a_sound_page_has_none() -> None:
    with chromium() as browser:
        page = browser.new_page()
        page.set_content(_SOUND.format(""))
        assert violations(page) == []
        page.set_content(_SOUND.format("<img src='data:,'>"))
        assert violations(page) == ["image-alt: img"]
