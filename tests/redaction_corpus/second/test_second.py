"""The second corpus is the same each time, its labels stand where the values are, and there is enough of each kind."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from hashlib import sha256
from urllib.parse import unquote_plus

import pytest

from tests.redaction_corpus.model import LAYERED, NONE, PLAIN, Document, Span
from tests.redaction_corpus.second.corpus import SEED, corpus
from tests.redaction_corpus.second.disguises import LAYERS, SINGLE
from tests.redaction_corpus.second.ink import KINDS, VALUES, Ink
from tests.redaction_corpus.second.people import CARDS
from tests.redaction_corpus.values.kinds import KEYWORD, kinds

# Of the texts alone: what a label says of its context may be put right, and is no other corpus. Since the first run one
# line names a registry of example.org; the run after it gave the same figures.
FIRST = "0fdda40d815aba90b3c3cefeee31a5e0731ccd6e8f7664be407b8bff01c9e8d2"
COMPACT = re.compile(r"[ \-]")
SHAPES = {
    "nino": r"(?i)[A-Z]{2}\d{6}[A-D]",
    "nhs": r"999\d{7}",
    "chi": r"\d{10}",
    "utr": r"\d{10}K?",
    "passport": r"\d{9}",
    "driving_licence": r"[A-Z9]{5}\d{6}[A-Z9]{2}9[A-Z]{2}",
    "sort_code": r"\d{6}",
    "account": r"\d{8}",
    "aws_access_key": r"A[KS]IA[A-Z2-7]{16}",
    "github": r"gh[pousr]_\w{36}|github_pat_\w{82}",
    "sendgrid": r"SG\.[\w]{1,22}\.[\w]{1,43}",
}


def found(document: Document, span: Span) -> str:
    return document.text[span.start : span.end]


def of_kind(kind: str) -> list[str]:
    """Its values as people write them: what a query or a path has in percent is taken out of it."""
    return [
        unquote_plus(found(document, span))
        for document in corpus()
        for span in document.spans
        if (span.kind, span.layers) == (kind, NONE)
    ]


def test_a_seed_always_makes_the_same_documents() -> None:
    first = corpus()
    corpus.cache_clear()
    assert corpus() == first
    assert {each.text for each in corpus(SEED + 1)}.isdisjoint(each.text for each in first if each.spans)


def test_it_is_still_the_corpus_of_the_first_run() -> None:
    texts = "\0".join(each.text for each in corpus())
    assert sha256(texts.encode()).hexdigest() == FIRST, "another corpus: run it and report the figures anew"


def test_names_are_unique_and_no_mark_of_the_writing_remains() -> None:
    names = Counter(document.name for document in corpus())
    assert {name: count for name, count in names.items() if count > 1} == {}
    assert [each.name for each in corpus() if re.search("[\ue000-\uf8ff]", each.text)] == []


def test_labels_are_in_order_within_the_text_and_none_is_empty() -> None:
    for document in corpus():
        end = 0
        for span in document.spans:
            assert end <= span.start < span.end <= len(document.text), document.name
            assert found(document, span) == found(document, span).strip(), document.name
            end = span.end


@pytest.mark.parametrize("kind", SHAPES)
def test_a_label_stands_exactly_at_its_value(kind: str) -> None:
    values = of_kind(kind)
    assert [value for value in values if not re.fullmatch(SHAPES[kind], COMPACT.sub("", value))] == [] != values


def test_a_value_is_not_left_without_a_label_elsewhere_in_its_document() -> None:
    for document in corpus():
        bare = list(document.text)
        for span in document.spans:
            bare[span.start : span.end] = "\0" * (span.end - span.start)
        rest = "".join(bare)
        long = [each for each in (found(document, span) for span in document.spans) if len(each) > 7]
        assert [each for each in long if each in rest] == [], document.name


def test_cards_are_those_of_schemes_and_pass_their_check() -> None:
    for number in CARDS:
        doubled = [int(digit) * (1 + at % 2) for at, digit in enumerate(reversed(number))]
        assert sum(each // 10 + each % 10 for each in doubled) % 10 == 0, number
    assert {COMPACT.sub("", value) for value in of_kind("card")} <= set(CARDS)


def test_each_kind_has_values_a_form_and_a_source() -> None:
    assert set(VALUES) == set(KINDS) == set(kinds())
    assert [kind for kind, about in KINDS.items() if not (about["source"] and about["safe"] and about["keys"])] == []


def test_there_is_enough_of_everything() -> None:
    assert len(corpus()) >= 1300
    assert sum(not document.spans for document in corpus()) >= 300
    spans = [span for document in corpus() for span in document.spans]
    plain = Counter(
        span.kind
        for span in spans
        if span.layers == NONE and (span.context, kinds()[span.kind].form) != ("bare", KEYWORD)
    )
    assert {kind: plain[kind] for kind in kinds() if plain[kind] < 20} == {}
    where = Counter(span.context for span in spans)
    assert {each for each in ("keyed", "column", "prose", "query", "bare", "number") if where[each] < 50} == set()
    hidden = defaultdict(set)
    for span in spans:
        hidden[span.layers].add(span.disguise)
    assert hidden[PLAIN] >= set(SINGLE)
    assert hidden[LAYERED] == set(LAYERS)


def test_a_number_of_json_loses_its_quotes_at_any_depth() -> None:
    ink = Ink("one")
    made = ink.finish("n", "n", f'{{"a": "{{\\"b\\": \\"{ink.number("account")}\\"}}"}}')
    assert re.fullmatch(r'\{"a": "\{\\"b\\": \d{8}\}"\}', made.text)
    assert re.fullmatch(r"\d{8}", found(made, made.spans[0]))
