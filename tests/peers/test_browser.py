"""The browser starts and axe judges: a page that is sound, and one with a fault planted."""

from __future__ import annotations

from tests.peers.browser import chromium, violations

_FAINT = "<p style='color: #ccc'>Grey on white.</p>"
_SOUND = "<!doctype html><html lang=en><title>A page</title><main><h1>A page</h1><p>Text.</p>{}</main></html>"


def test_a_fault_on_a_page_is_named_and_a_sound_page_has_none() -> None:
    with chromium() as browser:
        page = browser.new_page()
        page.set_content(_SOUND.format(""))
        assert violations(page) == []
        assert page.locator("p").inner_text() == "Text.", "the browser has no font, so that nothing is seen or judged"
        page.set_content(_SOUND.format(_FAINT))
        assert violations(page) == ["color-contrast: p:nth-child(3)"]
        page.set_content(_SOUND.format("<img src='data:,'>"))
        assert violations(page) == ["image-alt: img"]
