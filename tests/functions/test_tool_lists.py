"""What a host gets for `tools/list`: the list that the budgets are about, and nothing besides it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from response_interceptor import handler as response_handler
from ringfence.catalogue.catalogue import load_catalogue
from ringfence.compilers.rules import interceptor_rules, to_json
from ringfence.department.department import load_department
from tests.functions.conftest import function_on

MOST = {"auditor": 26_159 + 1_500, "operator": 14_448, "developer": 95_815}
"""Bytes: half of what the servers' own words and schemas took (52,318, 28,897 and 191,630, November 2026), and what a
tool of our own server says."""


@pytest.mark.parametrize(
    ("department", "persona"),
    [
        (department, persona)
        for department in ("example-production", "example-saml", "example-sandbox")
        for persona in MOST
        if persona != "developer" or department == "example-sandbox"
    ],
)
def test_the_answer_to_a_host_is_no_larger_than_the_personas_budget(
    department: str, persona: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, response_event: Any
) -> None:
    catalogue = load_catalogue()
    rules = interceptor_rules(catalogue, load_department(department, catalogue=catalogue), persona)
    path = tmp_path / "rules.json"
    path.write_bytes(to_json(rules))
    show = function_on(monkeypatch, response_handler, path)
    listed = [tool["definition"] for tool in rules["tools"].values()]

    answered = show(response_event({"tools": listed}, method="tools/list"))

    wire = json.dumps(answered.shown, ensure_ascii=False, separators=(",", ":")).encode()
    assert len(answered.result["tools"]) == len(listed) > 5
    assert len(wire) <= MOST[persona] + len('{"jsonrpc":"2.0","id":7,"result":}')
