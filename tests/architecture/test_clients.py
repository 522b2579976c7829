"""Servers on this machine are asked directly: a proxy of the environment knows none, and may keep a token."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.architecture.imports import HOUSE, ROOT

ASK = {"AsyncClient", "Client", "delete", "get", "patch", "post", "put", "request", "stream", "urlopen"}


def clients() -> Iterator[tuple[str, ast.Call]]:
    """Every call that asks over HTTP, or makes what does, with its place."""
    for path in sorted((ROOT / HOUSE).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ASK:
                module = ast.unparse(node.func.value)
                if module in ("httpx", "httpx2", "urllib.request"):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def test_every_client_says_whether_it_takes_the_environments_proxy() -> None:
    found = list(clients())
    assert len(found) > 5
    assert [place for place, call in found if "trust_env" not in {each.arg for each in call.keywords}] == []
