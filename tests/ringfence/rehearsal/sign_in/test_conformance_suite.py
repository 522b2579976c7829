"""Part of the public conformance suite at the auditor's gateway, with its real servers; `make conformance` runs all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from ringfence.rehearsal.scenarios.persona_scenarios import context_of
from ringfence.rehearsal.scenarios.scenario_context import ScenarioContext
from tests.conformance.front import Front
from tests.conformance.suite import as_expected, run
from tests.ringfence.rehearsal.sign_in.serving import Served

NAMES = (
    "server-initialize",
    "tools-list",
    "dns-rebinding-protection",
    "server-sse-multiple-streams",
    "prompts-get-simple",
)


@pytest.fixture(scope="module")
def context(served: Served) -> ScenarioContext:
    return context_of(served.department, tell=lambda _call: None)


@pytest.fixture(scope="module")
def front(served: Served, context: ScenarioContext) -> Iterator[Front]:
    with Front(served.auditor, token=context.token, target="") as listening:
        yield listening


def test_what_needs_no_server_of_the_suites_own_comes_to_what_the_table_says(front: Front, tmp_path: Path) -> None:
    found = run(front.url, tmp_path, *NAMES)
    assert [name for name, outcome in found.items() if not as_expected(name, outcome)] == []


def test_a_revision_that_the_gateway_does_not_list_is_refused(served: Served, context: ScenarioContext) -> None:
    headers = {"authorization": f"Bearer {context.token()}", "mcp-protocol-version": "2025-03-26"}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    answer = httpx2.post(served.auditor, json=message, headers=headers, trust_env=False)
    assert answer.status_code == 400 and "2025-06-18, 2025-11-25" in answer.text


def test_what_stands_between_hides_no_foreign_host_and_mends_no_request(front: Front) -> None:
    foreign = httpx2.post(front.url, json={}, headers={"host": "example.org"}, trust_env=False)
    assert foreign.status_code == 403 and "Only programs on this computer" in foreign.text
    assert httpx2.post(front.url, content=b"{", trust_env=False).status_code == 415
