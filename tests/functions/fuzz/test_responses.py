"""Whatever a server answers: it is shown clean or not at all, cleaning twice is cleaning once, and JSON stays JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from callpath.characters import hides
from response_interceptor.neutralise import shown, unlinked
from response_interceptor.redaction import Marks, Redaction, Redactor
from response_interceptor.redaction.gate import Re2Gate
from response_interceptor.redaction.marks import FORM
from response_interceptor.shortened import shortened_json
from tests.functions.fuzz.inputs import JSON, TEXTS, changed

REAL = {
    "content": [{"type": "text", "text": '{"Users": [{"UserName": "a", "password": "hunter2"}], "n": 9434765919}'}],
    "structuredContent": {"Users": [{"UserName": "AB123456C", "Mail": "a.person@example.gov.uk"}]},
    "isError": False,
}
# Letters and digits beside a number make it another one.
PERSONAL = re.compile(
    r"(?<![A-Za-z0-9])AB123456C(?![A-Za-z0-9])|(?<![A-Za-z0-9])a\.person@example\.gov\.uk(?![A-Za-z0-9])"
)
MARKDOWN = MarkdownIt("commonmark")
MARKS = Marks(b"key", "session")
MARK = re.compile(FORM)
# What rules look for, in pieces that come together by chance.
PIECES = st.lists(
    st.sampled_from(
        "AB 12 34 56 C|943 476 5919|4111111111111111|GB29NWBK60161331926819|dob |1980-02-01|sort code |12-34-56"
        "|password|: |=|hunter2|Bearer |eyJhbGciOiJIUzI1NiJ9.|a@b.org|https://u:p@h|Dear Jo Bloggs"
        "|10 High Street, Leeds LS1 4AP|P<GBRBLOGGS<<JO<<<<<<<<<<<<<<<<<<<<<<<<<<"
        "|insert into t (dob, x) values (|secret|key|'|\"|\\|%41|&#65;|\u200b"
        "|\n|\t| |, |)|-----BEGIN PRIVATE KEY-----|[REDACTED:NINO:|1]|QUIxMjM0NTZDIGlzIGl0|<password>|</|é".split("|")
    ),
    max_size=14,
).map("".join)


@pytest.fixture(scope="session")
def redactor(rules_json: dict[str, Any], expected: Any) -> Redactor:
    return Redactor([dict(rule) for rule in expected.redaction])


@given(st.data())
def test_an_answer_that_is_changed_is_shown_clean_or_not_at_all(
    show: Callable[..., Any], response_event: Callable[..., dict[str, Any]], untrusted_tool: str, data: st.DataObject
) -> None:
    event = response_event(REAL, tool=untrusted_tool)
    event["mcp"]["gatewayResponse"]["body"] = data.draw(changed(st.just(event["mcp"]["gatewayResponse"]["body"])))
    answered = show(event)
    assert answered.record["outcome"] in ("allowed", "failed", "refused")
    for text in _texts(answered.shown):
        assert not hides(text)
        assert not PERSONAL.search(text)


@given(st.data())
def test_an_event_that_is_changed_is_answered_and_recorded(
    show: Callable[..., Any], response_event: Callable[..., dict[str, Any]], untrusted_tool: str, data: st.DataObject
) -> None:
    answered = show(data.draw(changed(st.just(response_event(REAL, tool=untrusted_tool)))))
    assert "transformedGatewayResponse" in answered.content


@given(JSON)
def test_any_event_at_all_is_answered(show: Callable[..., Any], event: Any) -> None:
    assert "transformedGatewayResponse" in show(event).content


@pytest.fixture(scope="module")
def slower(rules_json: dict[str, Any]) -> Redactor:
    """Where the library of the quick gate cannot be loaded."""
    return Redactor(rules_json["redaction"], gate=Re2Gate)


@given(TEXTS)
def test_neutralising_twice_is_neutralising_once_and_nothing_is_rendered(text: str) -> None:
    once = unlinked(shown(text)[0])[0]
    assert unlinked(shown(once)[0])[0] == once
    assert not hides(once)
    html = MARKDOWN.render(once)
    assert not any(f"<{tag}" in html for tag in ("a ", "img", "script", "iframe"))


@given(TEXTS)
def test_redacting_twice_is_redacting_once(redactor: Redactor, text: str) -> None:
    once = Redaction(redactor, MARKS).text(text)
    again = Redaction(redactor, MARKS)
    assert again.text(once) == once
    assert again.counts.total() == 0


@given(PIECES)
def test_what_is_put_together_by_chance_is_redacted_once_and_holds_no_mark_but_ours(
    redactor: Redactor, text: str
) -> None:
    once = Redaction(redactor, MARKS).text(text)
    assert Redaction(redactor, MARKS).text(once) == once
    assert all(MARKS.is_genuine(mark[0].encode()) for mark in MARK.finditer(once))


@given(PIECES)
def test_the_slower_gate_points_at_the_same_places(redactor: Redactor, slower: Redactor, text: str) -> None:
    assert Redaction(redactor, MARKS).text(text) == Redaction(slower, MARKS).text(text)


@given(JSON)
def test_json_within_text_stays_json_and_a_value_keeps_its_shape(redactor: Redactor, value: Any) -> None:
    try:
        text = json.dumps(value, allow_nan=False)
    except ValueError:
        assume(False)
    shown_text = Redaction(redactor, MARKS).text(text)
    if isinstance(value, dict | list):
        assert type(json.loads(shown_text)) is type(value)
    assert _shape(Redaction(redactor, MARKS).value(value)) == _shape(value)


@given(JSON, st.integers(min_value=0, max_value=400))
def test_json_of_any_shape_is_cut_to_json_that_fits(value: Any, room: int) -> None:
    try:
        text = json.dumps(value, allow_nan=False)
    except ValueError:
        assume(False)
    shorter = shortened_json(text, room)
    assume(shorter is not None)
    assert isinstance(json.loads(shorter[0]), type(value))
    assert len(json.dumps(shorter[0], ensure_ascii=False).encode("utf-8", "replace")) <= room


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return ["object", *(_shape(item) for item in value.values())]
    if isinstance(value, list):
        return ["list", *(_shape(item) for item in value)]
    return "part"


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in _texts(part)]
    return [text for item in value for text in _texts(item)] if isinstance(value, list) else []
