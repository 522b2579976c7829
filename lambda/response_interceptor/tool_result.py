"""A tool's result: text only, redacted, made harmless, cut to size, and marked when its words are not AWS's or
ours, or look like ours.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from callpath.characters import hides
from callpath.json_limits import DEEPEST_RESULT, deeper_than
from callpath.json_text import written
from callpath.refusal import META_CALL_ID, META_LAYER, META_OUTCOME, META_RULE, Refusal
from response_interceptor.answer_context import AnswerContext
from response_interceptor.neutralise import (
    closing_mark,
    has_links,
    looks_like_ours,
    needs_a_look,
    opening_mark,
    shown,
    unlinked,
)
from response_interceptor.redaction import Redaction
from response_interceptor.rules import Rules
from response_interceptor.shortened import shortened_json

# Kept free for the marks and the note about what was cut, which come after the cut.
_MARKS_SIZE = 1024
_MOST_OF_A_CHARACTER = 6  # bytes in JSON: \u0001


class Cleaner:
    """Cleans the texts of one response: redaction first, then what is hidden, then links, whoever wrote them: a server
    that was changed may say anything, also where its words are usually AWS's.

    Attributes:
        untrusted: whether the words are others', and so are marked.
    """

    def __init__(self, *, redaction: Redaction, context: AnswerContext, untrusted: bool, contact: str) -> None:
        self.redaction = redaction
        self._context = context
        self._contact = contact
        self.untrusted = untrusted

    def text(self, text: str) -> str:
        """Return a clean text."""
        return self._harmless(self.redaction.text(text))

    def own(self, text: str) -> str:
        """Return a sentence of ours, clean but for the department's contact: whom to ask is no secret of anybody's."""
        parts = text.split(self._contact) if self._contact else [text]
        return self._contact.join([self.text(part) if part else part for part in parts])

    def value(self, value: Any) -> Any:
        """Return a JSON value with clean texts and keys."""
        value = self.redaction.value(value)
        try:
            written = json.dumps(value, ensure_ascii=False, allow_nan=False)
        except ValueError:
            message = "The answer holds a number that JSON does not have"
            raise Refusal("response", "unexpected-result", message) from None
        return self._each(value) if self._needs_care(written) else value

    def _needs_care(self, written: str) -> bool:
        """Say whether a look at each text of a JSON value is worth it; most need none."""
        # JSON writes control characters as escapes, so that any backslash but those before quotes and lines counts.
        controls = any(sign in written for sign in ("\\u", "\\b", "\\f", "\\r", "\x7f"))
        return controls or hides(written) or has_links(written)

    def _each(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._harmless(value)
        if isinstance(value, dict):
            return {self._harmless(key): self._each(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._each(item) for item in value]
        return value

    def _harmless(self, text: str) -> str:
        if not needs_a_look(text):
            return text
        text, hidden = shown(text)
        text, links = unlinked(text)
        self._context.neutralised += hidden + links
        return text


def clean_result(
    result: dict[str, Any], *, cleaner: Cleaner, rules: Rules, context: AnswerContext, new_nonce: Callable[[], str]
) -> dict[str, Any]:
    """Return a tool result that is safe to show, built anew from its text, its structured content and its error flag.

    Raises:
        Refusal: it is no tool result, or it asks for something (an `input_required` result) instead of answering.
    """
    content = result.get("content")
    if not isinstance(content, list) or result.get("resultType", "complete") != "complete":
        raise Refusal("response", "unexpected-result", "The tool's answer is not a complete result")
    if deeper_than(result.get("structuredContent"), DEEPEST_RESULT):
        raise Refusal(
            "response", "unexpected-result", f"The tool's answer is nested deeper than {DEEPEST_RESULT} levels"
        )
    ours = len(content) if context.own_words else int(context.own_sentence)
    texts = [text for place, part in enumerate(content) if (text := _text(part, cleaner, context, own=place < ours))]
    # Each part begins a line, or a host that joins them would see "![x]" of one and "(target)" of the next as an image.
    texts = [*texts[:1], *(f"\n{text}" for text in texts[1:])]
    structured = cleaner.value(result["structuredContent"]) if _is_object(result.get("structuredContent")) else None
    texts, structured = _cut(texts, structured, limit=rules.response_bytes - _MARKS_SIZE, context=context)
    if cleaner.untrusted or (not context.own_words and looks_like_ours(texts, structured)):
        first, theirs = (texts[:1], texts[1:]) if context.own_sentence else ([], texts)
        theirs, structured = _marked(theirs, structured, source=source_of(context, rules), nonce=new_nonce())
        texts = first + theirs
    clean: dict[str, Any] = {"content": [{"type": "text", "text": text} for text in texts]}
    if structured is not None:
        clean["structuredContent"] = structured
    clean["isError"] = result.get("isError") is True
    clean["_meta"] = {META_CALL_ID: context.call_id}
    if context.rule is not None:
        clean["_meta"] |= {META_LAYER: context.layer, META_RULE: context.rule, META_OUTCOME: context.outcome}
    return clean


def source_of(context: AnswerContext, rules: Rules) -> str:
    """Return whose words an answer holds, for the mark around it."""
    source = f"{context.tool.server}.{context.tool.name}" if context.tool else "gateway"
    return f"source={source} account={rules.account} call={context.call_id}"


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _text(part: Any, cleaner: Cleaner, context: AnswerContext, *, own: bool) -> str:
    """Return the clean text of one part of a result's content, or a note about a part that cannot be checked."""
    kind = part.get("type") if isinstance(part, dict) else None
    if kind == "text" and isinstance(part.get("text"), str):
        return cleaner.own(part["text"]) if own else cleaner.text(part["text"])
    if kind == "resource" and isinstance(part.get("resource"), dict) and isinstance(part["resource"].get("text"), str):
        return cleaner.text(part["resource"]["text"])
    context.dropped += 1
    named = kind if kind in ("image", "audio", "resource", "resource_link") else "unknown"
    return f"[left out: a part of type {named}; only text can be checked and shown]"


def _marked(
    texts: list[str], structured: dict[str, Any] | None, *, source: str, nonce: str
) -> tuple[list[str], dict[str, Any] | None]:
    """Mark a result as other people's words: lines around its texts, and a field beside its structured content."""
    if texts:
        texts = [f"{opening_mark(nonce, source)}\n{texts[0]}", *texts[1:]]
        texts[-1] = f"{texts[-1]}\n{closing_mark(nonce)}"
    if structured is not None:
        structured = {"untrusted": opening_mark(nonce, source), "data": structured}
    return texts, structured


def _cut(texts: list[str], structured: Any, *, limit: int, context: AnswerContext) -> tuple[list[str], Any]:
    """Cut a result to `limit` bytes of JSON: structured content goes first, since texts repeat it, then text's end.

    A text of JSON is cut so that it stays JSON.
    """
    if structured is None and sum(map(len, texts)) * _MOST_OF_A_CHARACTER + len(texts) * _MARKS_SIZE <= limit:
        return texts, structured
    sizes = [_size(text) for text in texts]
    whole = sum(sizes)
    if whole + (_size(structured) if structured is not None else 0) <= limit:
        return texts, structured
    context.truncated = True
    room = limit - _MARKS_SIZE
    kept: list[str] = []
    missing = ""
    for text, size in zip(texts, sizes, strict=True):
        if size <= room:
            kept.append(text)
        elif (shorter := shortened_json(text, max(room, 0))) is not None:
            kept.append(shorter[0])
            missing = f"Of its JSON, which stays valid, {shorter[1] or 'no more than blanks'} are missing. "
        else:
            kept.append(_beginning(text, size=size, room=room))
        room -= min(size, room)
        if room <= 0:
            break
    left_out = "structured content and " if structured is not None else ""
    kept.append(
        f"[truncated: {left_out}everything beyond {limit} bytes is left out; {whole} bytes of text were found. "
        f"{missing}Ask for less, for example a shorter time or fewer items]"
    )
    return kept, None


def _beginning(text: str, *, size: int, room: int) -> str:
    """Return as much of the beginning of a text as fits into `room` bytes of JSON."""
    length = len(text) * max(room, 0) // size
    while length and _size(text[:length]) > room:
        length = length * 9 // 10
    return text[:length]


def _size(value: Any) -> int:
    text = (
        written(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    )
    return len(text) + len('{"type": "text", "text": }, ')
