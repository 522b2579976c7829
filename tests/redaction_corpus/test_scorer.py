"""The scorer counts what a reader of the answer could still read, and what was taken from him without need."""

from __future__ import annotations

import json
import re
from functools import cache

import pytest

from tests.redaction_corpus.generator import corpus
from tests.redaction_corpus.model import Document, Span
from tests.redaction_corpus.scorer import Score, kept_characters, report, score, through_json

TEXT = "call 07700 900123 about order 4411\nand nothing else"
CALL = Document("log-1", "log", TEXT, (Span(5, 17, "phone", "prose"),))


@cache
def some() -> tuple[Document, ...]:
    """A part of the corpus, which takes a second to make."""
    return corpus()[::12]


def of(after: str, document: Document = CALL) -> Score:
    return score(lambda _: after, [document])


def by_labels(document: Document) -> str:
    """What a perfect redactor makes of a document."""
    parts, last = [], 0
    for span in document.spans:
        parts += [document.text[last : span.start], f"[REMOVED:{span.kind.upper()}:1]"]
        last = span.end
    return "".join([*parts, document.text[last:]])


def test_who_changes_nothing_finds_nothing() -> None:
    made = score(lambda text: text, some())
    assert {tally.found for tally in made.values.values()} == {0}
    assert (made.changed_characters, made.changed_documents, made.recall_of_disguises("plain")) == (0, 0, 0.0)


def test_who_takes_exactly_what_is_labelled_finds_all_and_changes_nothing_else() -> None:
    answers = {document.text: by_labels(document) for document in some()}
    made = score(answers.__getitem__, some())
    assert {kind: made.recall(kind) for kind, _ in made.values if made.recall(kind) < 1} == {}
    assert made.recall_of_disguises("plain") == made.recall_of_disguises("layered") == 1.0
    assert (made.changed_documents, made.changed_share) == (0, pytest.approx(0, abs=0.0005))


def test_who_takes_everything_is_told_so() -> None:
    made = score(lambda _: "", some())
    assert made.changed_documents == made.ordinary_documents > 0
    assert made.changed_share == 1.0


@pytest.mark.parametrize(
    ("after", "found"),
    [
        ("call [PHONE] about order 4411\nand nothing else", 1),
        ("call [PHONE]0123 about order 4411\nand nothing else", 1),
        ("call [PHONE]900123 about order 4411\nand nothing else", 0),
        ("call 07700 [PHONE] about order 4411\nand nothing else", 0),
        (TEXT, 0),
    ],
)
def test_a_value_counts_as_found_when_at_most_four_of_its_characters_remain(after: str, found: int) -> None:
    made = of(after)
    assert (made.values["phone", "prose"].found, made.changed_characters) == (found, 0)


def test_the_letters_of_a_mark_are_not_those_of_the_value() -> None:
    document = Document("log-2", "log", "key phonecall8 here", (Span(4, 14, "password", "keyed"),))
    assert of("key [phonemark] here", document).values["password", "keyed"].found == 0
    assert of("key [a phonecall] here", document).values["password", "keyed"].found == 1


def test_other_white_space_and_escaped_signs_are_no_change() -> None:
    document = Document("json-1", "json", '{"a": "<b>", "n": [1, 22, 333]}')
    assert of('{"a":"&lt;b>","n":[1,22,333]}', document).changed_characters == 0


def test_what_is_changed_beside_the_values_is_counted_by_letter() -> None:
    made = of("call [PHONE] about order [CARD]\nand nothing else")
    assert made.changed_characters == 4
    assert made.ordinary_characters == len("callaboutorder4411andnothingelse")


def test_a_value_that_only_its_surroundings_tell_is_reported_apart_where_it_is_bare() -> None:
    spans = (Span(0, 8, "account", "bare"), Span(9, 17, "account", "keyed"))
    made = of("12345678 [X]", Document("log-3", "log", "12345678 87654321", spans))
    assert made.recall("account") == 1.0
    assert made.values["account", "bare"].recall == 0.0


def test_the_frame_of_a_private_key_is_no_secret() -> None:
    frame = "-----{} PRIVATE KEY-----"
    text = f"{frame.format('BEGIN')}\nabcdefghij\n{frame.format('END')}"
    document = Document("log-4", "log", text, (Span(0, len(text), "private_key", "bare"),))
    assert of(text.replace("abcdefghij", "[X]"), document).values["private_key", "bare"].found == 1
    assert of(text, document).values["private_key", "bare"].found == 0


def test_a_function_of_json_is_scored_on_the_json() -> None:
    def redact(value: object) -> object:
        return json.loads(re.sub(r"\d{5,}", "0", json.dumps(value))) if isinstance(value, dict) else value

    document = Document("json-2", "json", '{"account": 12345678, "size": 12}', (Span(12, 20, "account", "number"),))
    made = score(through_json(redact), [document])
    assert (made.values["account", "number"].found, made.changed_characters) == (1, 0)


def test_a_line_that_moved_is_still_there() -> None:
    assert sum(kept_characters("one two\nthree", "new line\none two\nthree")) == len("one two\nthree")


def test_the_report_names_every_kind_and_disguise() -> None:
    told = report(score(lambda text: text, some()))
    for name in ("nino", "vault", "plain disguises", "base64 in base64", "ordinary characters changed: 0 of"):
        assert name in told
