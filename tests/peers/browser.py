"""Chromium for pages, out of an npm package: no browser of the system, no download, no root.

`@sparticuz/chromium` carries the browser packed, and the libraries that a bare Debian may lack; both are unpacked once
into `build/browser/`. Accessibility is judged by axe-core, which runs in the page.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

_HERE = Path(__file__).parent
_ROOT = _HERE.parents[1]
_PACKAGE = _HERE / "node_modules" / "@sparticuz" / "chromium" / "package.json"
_UNPACK = "import chromium from '@sparticuz/chromium'; console.log(await chromium.executablePath())"
# The package's own list names folders of AWS Lambda, where this font is not: without one a page has no text to judge.
_FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{folder}/fonts/fonts</dir><cachedir>{folder}/fonts/cache</cachedir></fontconfig>
"""
_WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# As root no browser sandbox works; the pages are ours. Nothing is asked of the network in the background.
_ARGUMENTS = (
    "--headless=shell --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()


@contextmanager
def chromium() -> Iterator[Browser]:
    """A running Chromium, ended with the block."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_executable(), args=_ARGUMENTS, env=_environment())
        try:
            yield browser
        finally:
            browser.close()


def violations(page: Page) -> list[str]:
    """What axe finds on a page against WCAG 2.2 AA and its own best practice, as `rule: element`."""
    page.evaluate((_HERE / "node_modules" / "axe-core" / "axe.min.js").read_text())  # past a page's own script policy
    found = page.evaluate("tags => axe.run({runOnly: tags})", [*_WCAG, "best-practice"])
    return [f"{rule['id']}: {node['target'][0]}" for rule in found["violations"] for node in rule["nodes"]]


def _unpacked() -> Path:
    """The folder of this version of the browser; another version is unpacked beside it."""
    return _ROOT / "build" / "browser" / str(json.loads(_PACKAGE.read_text())["version"])


def _font_list() -> Path:
    return _unpacked() / "fonts" / "here.conf"


def _executable() -> str:
    folder = _unpacked()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:  # two test processes may come at once
        fcntl.flock(lock, fcntl.LOCK_EX)
        asked = [_ROOT / ".venv" / "bin" / "node", "--input-type=module", "-e", _UNPACK]
        # As on Amazon Linux, the package unpacks its libraries too.
        environment = {**_environment(), "AWS_EXECUTION_ENV": "AWS_Lambda_nodejs24.x"}
        told = subprocess.run(asked, cwd=_HERE, env=environment, capture_output=True, text=True, check=True)
        _font_list().write_text(_FONTS.format(folder=folder))
    return told.stdout.strip()


def _environment() -> dict[str, str]:
    """The environment in which the package unpacks into our folder, and the browser finds its libraries and fonts."""
    folder = _unpacked()
    libraries = f"{folder}/al2023/lib:{os.environ.get('LD_LIBRARY_PATH', '')}".rstrip(":")
    return {**os.environ, "TMPDIR": str(folder), "LD_LIBRARY_PATH": libraries, "FONTCONFIG_FILE": str(_font_list())}
