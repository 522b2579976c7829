"""The account on a terminal: headings, what was expected, and requests that are no MCP in their own words."""

from __future__ import annotations

import io

import pytest

from ringfence.rehearsal.gateway.request_trace import RequestTrace
from ringfence.rehearsal.reporting.console_report import ConsoleReport, what_was_asked
from ringfence.rehearsal.scenarios.calls import Expected, Outcome, Transcript

REFUSED = Outcome(refused=True, layer="request", rule="unknown-tool", text="No.")


def told(*steps: tuple[str, str, Outcome, Expected]) -> list[str]:
    stream = io.StringIO()
    transcript = Transcript(persona="auditor", calls_for=lambda _: (), tell=ConsoleReport(stream).tell)
    for scenario, step, outcome, expected in steps:
        transcript.scenario = scenario
        transcript.add(step, user="aud.example-01", tool="iam___x", outcome=outcome, latency_ms=7, expected=expected)
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
    ConsoleReport(stream).items("Not emulated:", ["WAF", "word " * 40])
    lines = stream.getvalue().splitlines()
    assert lines[:2] == ["Not emulated:", "  - WAF"]
    assert all(len(line) <= 120 for line in lines)


@pytest.mark.parametrize(
    ("trace", "shown"),
    [
        (
            RequestTrace("GET", "/\x1b]0;PWNED\x07\x1b[2J\n \u2713 tools/call", 404),
            "GET /[U+001B]]0;PWNED[U+0007][U+001B][2J[U+000A] \u2713 tools/call",
        ),
        (
            RequestTrace("POST", "/mcp", 200, "tools/call\x1b[8m", "iam\u202e\ud800"),
            "tools/call[U+001B][8m iam[U+202E][U+D800]",
        ),
        (RequestTrace("POST", "/mcp", 200, "x", layer="server", rule="a\rb"), "refused by server: a[U+000D]b"),
        (RequestTrace("GET", "/.well-known/\x1b[2J", 200), "/.well-known/[U+001B][2J"),
    ],
)
def test_what_a_caller_sends_writes_nothing_but_one_visible_line(trace: RequestTrace, shown: str) -> None:
    stream = io.StringIO()
    ConsoleReport(stream).show_request(trace, persona="auditor")
    assert " auditor: " in stream.getvalue()
    assert shown in stream.getvalue()
    assert stream.getvalue().removesuffix("\n").isprintable()


def test_an_answered_list_has_the_mark_of_an_answer() -> None:
    stream = io.StringIO()
    ConsoleReport(stream).show_request(
        RequestTrace("POST", "/mcp", 200, "prompts/list", layer="request"), persona="auditor"
    )
    assert stream.getvalue() == " ✓ auditor: prompts/list → answered  [0 ms]\n"


def test_what_a_server_answers_writes_nothing_but_visible_lines() -> None:
    hostile = Outcome(refused=True, layer="server", text="no\x1b[2J\n \u2713 fine")
    lines = told(("asks", "create a user", hostile, Expected()))
    assert lines[2].startswith(" \u2717 create a user: refused by server (no[U+001B][2J[U+000A] \u2713 fine)")
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize(("method", "mark"), [("GET", "·"), ("POST", "✗"), ("DELETE", "✗")])
def test_that_there_is_no_stream_of_events_is_a_normal_answer(method: str, mark: str) -> None:
    stream = io.StringIO()
    ConsoleReport(stream).show_request(RequestTrace(method, "/mcp", 405), persona="auditor")
    assert stream.getvalue().startswith(f" {mark} auditor: ")


@pytest.mark.parametrize(
    ("trace", "words"),
    [
        (RequestTrace("GET", "/mcp", 405), "asks for a stream of events → there is none here (HTTP 405)"),
        (
            RequestTrace("GET", "/.well-known/oauth-protected-resource", 200),
            "reads where to sign in, /.well-known/oauth-protected-resource → told",
        ),
        (RequestTrace("DELETE", "/mcp", 204), "ends its session → ended"),
        (RequestTrace("DELETE", "/mcp", 404), "DELETE /mcp → refused with HTTP 404"),
        (RequestTrace("GET", "/favicon.ico", 404), "GET /favicon.ico → refused with HTTP 404"),
        (RequestTrace("POST", "/mcp", 200, "tools/list"), "tools/list → answered"),
        (RequestTrace("POST", "/mcp", 200, "prompts/list", layer="request"), "prompts/list → answered"),
        (RequestTrace("POST", "/mcp", 400, "x", words="Only y"), "x → refused with HTTP 400: Only y"),
        (
            RequestTrace("POST", "/mcp", 200, "tools/call", "iam___x", layer="request", rule="unknown-tool"),
            "tools/call iam___x → refused by request: unknown-tool",
        ),
        (
            RequestTrace("GET", "/mcp", 401, layer="ingress", rule="token-missing"),
            "GET /mcp → refused by ingress: token-missing",
        ),
    ],
)  # fmt: skip
def test_a_request_of_ones_own_client_is_told_in_words(trace: RequestTrace, words: str) -> None:
    assert what_was_asked(trace) == words
