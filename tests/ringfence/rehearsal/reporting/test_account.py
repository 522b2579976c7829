"""The account on a terminal: headings, what was expected, and requests that are no MCP in their own words."""

from __future__ import annotations

import io

import pytest

from ringfence.rehearsal.gateway.passage import Passage
from ringfence.rehearsal.reporting.account import Account, what_passed
from ringfence.rehearsal.scenarios.calls import Expected, Outcome, Script

REFUSED = Outcome(refused=True, layer="request", rule="unknown-tool", text="No.")


def told(*steps: tuple[str, str, Outcome, Expected]) -> list[str]:
    stream = io.StringIO()
    script = Script(persona="auditor", calls_for=lambda _: (), tell=Account(stream).tell)
    for scene, step, outcome, expected in steps:
        script.scene = scene
        script.add(step, user="aud.example-01", tool="iam___x", outcome=outcome, latency_ms=7, expected=expected)
    return stream.getvalue().splitlines()


def test_a_scene_has_its_heading_once() -> None:
    answered, expected = Outcome(refused=False), Expected()
    lines = told(
        ("reads", "one", answered, expected),
        ("reads", "two", answered, expected),
        ("asks", "three", answered, expected),
    )
    assert [line for line in lines if line.startswith("Auditor")] == ["Auditor: reads", "Auditor: asks"]


def test_a_call_as_expected_says_so_in_two_lines() -> None:
    lines = told(("asks", "create a user", REFUSED, Expected("request", ("unknown-tool",))))
    assert lines[2:] == [" ✓ create a user: refused by request (unknown-tool), as expected", "     iam.x [7 ms]"]


def test_a_call_that_went_otherwise_says_what_was_expected() -> None:
    lines = told(("asks", "create a user", Outcome(refused=False), Expected("request", ("unknown-tool",))))
    assert lines[2] == " ✗ create a user: answered; expected: refused by request (unknown-tool)"
    assert lines[4] == "     ✗ expected a refusal by the layer request, but it was answered"


def test_a_long_list_is_an_item_a_line() -> None:
    stream = io.StringIO()
    Account(stream).items("Not emulated:", ["WAF", "word " * 40])
    lines = stream.getvalue().splitlines()
    assert lines[:2] == ["Not emulated:", "  - WAF"]
    assert all(len(line) <= 120 for line in lines)


@pytest.mark.parametrize(
    ("passage", "shown"),
    [
        (
            Passage("GET", "/\x1b]0;PWNED\x07\x1b[2J\n \u2713 tools/call", 404),
            "GET /[U+001B]]0;PWNED[U+0007][U+001B][2J[U+000A] \u2713 tools/call",
        ),
        (
            Passage("POST", "/mcp", 200, "tools/call\x1b[8m", "iam\u202e\ud800"),
            "tools/call[U+001B][8m iam[U+202E][U+D800]",
        ),
        (Passage("POST", "/mcp", 200, "x", layer="server", rule="a\rb"), "refused by server: a[U+000D]b"),
        (Passage("GET", "/.well-known/\x1b[2J", 200), "/.well-known/[U+001B][2J"),
    ],
)
def test_what_a_caller_sends_writes_nothing_but_one_visible_line(passage: Passage, shown: str) -> None:
    stream = io.StringIO()
    Account(stream).tell_passage(passage, persona="auditor")
    assert " auditor: " in stream.getvalue()
    assert shown in stream.getvalue()
    assert stream.getvalue().removesuffix("\n").isprintable()


def test_an_answered_list_has_the_mark_of_an_answer() -> None:
    stream = io.StringIO()
    Account(stream).tell_passage(Passage("POST", "/mcp", 200, "prompts/list", layer="request"), persona="auditor")
    assert stream.getvalue() == " ✓ auditor: prompts/list → answered  [0 ms]\n"


def test_what_a_server_answers_writes_nothing_but_visible_lines() -> None:
    hostile = Outcome(refused=True, layer="server", text="no\x1b[2J\n \u2713 fine")
    lines = told(("asks", "create a user", hostile, Expected()))
    assert lines[2].startswith(" \u2717 create a user: refused by server (no[U+001B][2J[U+000A] \u2713 fine)")
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize(
    ("passage", "words"),
    [
        (Passage("GET", "/mcp", 405), "asks for a stream of events → there is none here (HTTP 405)"),
        (
            Passage("GET", "/.well-known/oauth-protected-resource", 200),
            "reads where to sign in, /.well-known/oauth-protected-resource → told",
        ),
        (Passage("DELETE", "/mcp", 204), "ends its session → ended"),
        (Passage("DELETE", "/mcp", 404), "DELETE /mcp → refused with HTTP 404"),
        (Passage("GET", "/favicon.ico", 404), "GET /favicon.ico → refused with HTTP 404"),
        (Passage("POST", "/mcp", 200, "tools/list"), "tools/list → answered"),
        (Passage("POST", "/mcp", 200, "prompts/list", layer="request"), "prompts/list → answered"),
        (Passage("POST", "/mcp", 400, "x", words="Only y"), "x → refused with HTTP 400: Only y"),
        (
            Passage("POST", "/mcp", 200, "tools/call", "iam___x", layer="request", rule="unknown-tool"),
            "tools/call iam___x → refused by request: unknown-tool",
        ),
        (
            Passage("GET", "/mcp", 401, layer="ingress", rule="token-missing"),
            "GET /mcp → refused by ingress: token-missing",
        ),
    ],
)  # fmt: skip
def test_a_request_of_ones_own_client_is_told_in_words(passage: Passage, words: str) -> None:
    assert what_passed(passage) == words
