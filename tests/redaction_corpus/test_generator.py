"""The corpus is what it says: labelled where the values are, of every kind, and the same each time."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import quopri
import re
import subprocess
import sys
import unicodedata
from collections import Counter
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.redaction_corpus.disguises import LAYERED, PLAIN, disguised
from tests.redaction_corpus.generator import SEED, chance, corpus
from tests.redaction_corpus.values import check_digits
from tests.redaction_corpus.values.kinds import MAKERS, kinds

ROOM = Path(__file__).parent
UNESCAPED = {"log", "ticket", "markdown", "stack_trace"}
"""Formats that write a value as it is."""
BODY = "[A-Za-z0-9+/=\n]+"
FORMS = {
    "nino": r"[A-Z]{2}\d{6}[ABCD]", "nhs": r"999\d{7}", "chi": r"[0-3]\d[01]\d{7}", "utr": r"K?\d{10}K?",
    "passport": r"\d{9}",
    "mrz": r"[PI]<[A-Z]{3}[A-Z0-9<\n]{69,90}", "driving_licence": r"[A-Z]{1,5}9*\d{6}[A-Z][A-Z9]9[A-Z]{2}(\d{2})?",
    "vehicle": r"[A-Z]{2}\d{2}[A-Z]{3}|[A-Z]\d{3}[A-Z]{3}|[A-Z]{3}\d{3}[A-Z]", "phone": r"(\+?0{0,2}440?|0)\d{9,10}",
    "postcode": r"[A-Z]{1,2}\d[A-Z\d]?\d[A-Z]{2}", "sort_code": r"\d{6}", "account": r"\d{8}",
    "iban": r"[A-Z]{2}\d{2}[A-Z0-9]{14,20}", "card": r"\d{15,16}", "vat": r"(GB|XI)\d{9}(\d{3})?",
    "email": r"\S+@\S*EXAMPLE\S+",
}  # fmt: skip
"""What is left of a value without separators, in capitals."""
SECRETS = {
    "aws_access_key": r"(AKIA|ASIA)[A-Z2-7]{9}[A-Z0-9]{7}", "aws_secret_key": r"[A-Za-z0-9+/]{40}",
    "cognito_secret": "[a-z0-9]{51,52}",
    "presigned_url": "[0-9a-f]{64}", "jwt": r"eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+",
    "github": r"gh[pousr]_\w{36}|github_pat_\w{82}",
    "gitlab": r"gl[a-z]+-[\w-]{20}", "slack": r"xox[bp]-\d+-\d+-\w{24}", "stripe": r"[sr]k_(live|test)_\w+",
    "npm": r"npm_\w{36}",
    "pypi": r"pypi-[\w-]{100,}", "twilio": "SK[0-9a-f]{32}", "sendgrid": r"SG\.[\w-]{22}\.[\w-]{43}",
    "vault": r"hvs\.[\w-]{90,}",
    "private_key": f"-----BEGIN ([A-Z]+ )?PRIVATE KEY-----\n{BODY}-----END ([A-Z]+ )?PRIVATE KEY-----",
}  # fmt: skip


@cache
def counted() -> Counter[tuple[str, str]]:
    return Counter((span.kind, span.context) for each in corpus() for span in each.spans if span.layers == "none")


def digest(seed: int) -> str:
    return hashlib.sha256(repr(corpus(seed)).encode()).hexdigest()


def test_the_same_seed_gives_the_same_documents_in_another_process() -> None:
    code = "from tests.redaction_corpus.test_generator import digest, SEED; print(digest(SEED))"
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": "."}
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOM.parents[1], env=environment, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == digest(SEED)
    assert digest(SEED + 1) != digest(SEED)


def test_there_are_two_thousand_documents_in_fifteen_formats() -> None:
    formats = Counter(document.format for document in corpus())
    assert sum(formats.values()) >= 2000
    assert len(formats) == 15
    assert min(formats.values()) >= 40
    assert len({document.name for document in corpus()}) == len(corpus())


@pytest.mark.parametrize("kind", kinds())
def test_every_kind_comes_forty_times_in_each_of_its_contexts(kind: str) -> None:
    assert {context for name, context in counted() if name == kind} == set(kinds()[kind].contexts)
    assert min(counted()[kind, context] for context in kinds()[kind].contexts) >= 40


def test_every_disguise_comes_twenty_times() -> None:
    worn = Counter((span.layers, span.disguise) for document in corpus() for span in document.spans if span.disguise)
    assert set(worn) == {("plain", name) for name in PLAIN} | {("layered", name) for name in LAYERED}
    assert min(worn.values()) >= 20


def test_every_format_has_documents_of_ordinary_text_alone() -> None:
    ordinary = Counter(document.format for document in corpus() if not document.spans)
    assert set(ordinary) == {document.format for document in corpus()}
    assert min(ordinary.values()) >= 20


def test_labels_lie_in_their_document_one_after_another() -> None:
    for document in corpus():
        end = 0
        for span in document.spans:
            assert end <= span.start < span.end <= len(document.text), document.name
            end = span.end
        assert not re.search("[\ue000-\ue002]", document.text), document.name


def test_json_is_json() -> None:
    for document in corpus():
        if document.format in ("json", "cloudtrail"):
            json.loads(document.text, strict=False)


@pytest.mark.parametrize("kind", [*FORMS, *SECRETS])
def test_what_is_labelled_has_the_form_of_its_kind(kind: str) -> None:
    labelled = [
        document.text[span.start : span.end]
        for document in corpus()
        if document.format in UNESCAPED
        for span in document.spans
        if (span.kind, span.layers) == (kind, "none") and span.context not in ("query", "number")
    ]
    assert len(labelled) >= 5
    for value in labelled:
        if kind in FORMS:
            assert re.fullmatch(FORMS[kind], re.sub(r"[ ./()-]" if kind != "email" else " ", "", value).upper()), value
        else:
            assert re.fullmatch(SECRETS[kind], value), value


def test_check_digits_are_those_that_issuers_publish() -> None:
    """NHS Data Dictionary; OECD; ISO 13616's and card schemes' examples; ICAO Doc 9303's specimens."""
    assert check_digits.nhs("943476591") == "9"
    assert check_digits.utr("955839661") == "1"
    assert check_digits.vat("3332894", shifted=False) == "54"
    assert check_digits.vat("1234567", shifted=True) == "27"
    assert check_digits.luhn("411111111111111") == "1"
    assert check_digits.luhn("37828224631000") == "5"
    assert check_digits.iban("GB", "WEST12345698765432") == "82"
    assert (check_digits.mrz("L898902C3"), check_digits.mrz("740812"), check_digits.mrz("D23145890")) == ("6", "2", "7")


@given(seed=st.integers(0, 10**6), kind=st.sampled_from(sorted(MAKERS)))
@settings(max_examples=300, deadline=None)
def test_a_value_is_decided_by_the_seed_alone_and_is_ascii(seed: int, kind: str) -> None:
    value = MAKERS[kind](chance(seed))
    assert value == MAKERS[kind](chance(seed))
    assert value.isascii()
    assert value.strip() == value != ""


UNDO = {
    "fullwidth": lambda text: unicodedata.normalize("NFKC", text),
    "mathematical": lambda text: unicodedata.normalize("NFKC", text),
    "invisible": lambda text: re.sub("[\u200b-\u200d\u2060\ufeff\u00ad]", "", text),
    "combining": lambda text: "".join(each for each in text if not unicodedata.category(each).startswith("M")),
    "json_unicode": lambda text: json.loads(f'"{text}"'),
    "json_in_json": lambda text: json.loads(f'"{text}"'),
    "percent": unquote,
    "percent_specials": unquote,
    "html_decimal": html.unescape,
    "html_hex": html.unescape,
    "html_named": lambda text: html.unescape(text).replace("\u00a0", " ").replace("\u2010", "-"),
    "quoted_printable": lambda text: quopri.decodestring(text.encode()).decode(),
    "base64": lambda text: base64.b64decode(text, validate=True).decode(),
    "base64_url": lambda text: base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode(),
    "hex": lambda text: bytes.fromhex(text).decode(),
    "tab_inside": lambda text: text.replace("\t", ""),
    "line_break_inside": lambda text: re.sub("=?\r?\n", "", text),
}


def test_only_look_alikes_are_not_undone_by_a_decoder() -> None:
    assert set(PLAIN) - set(UNDO) == {"confusable"}


@given(seed=st.integers(0, 10**6), name=st.sampled_from(sorted(UNDO)), kind=st.sampled_from(["nino", "email", "card"]))
@settings(max_examples=300, deadline=None)
def test_a_disguise_hides_the_value_and_nothing_but_the_value(seed: int, name: str, kind: str) -> None:
    value = MAKERS[kind](chance(seed))
    worn = disguised(chance(seed), name, value)
    assert UNDO[name](worn.text) == value
    assert (worn.bounds[0], worn.bounds[-1]) == (0, len(worn.text))
    assert list(worn.bounds) == sorted(worn.bounds)


@pytest.mark.parametrize(
    ("name", "outer", "inner"),
    [
        ("base64 in base64", "base64", "base64"),
        ("hex in base64", "base64", "hex"),
        ("percent in percent", "percent_specials", "percent"),
        ("html in percent", "percent_specials", "html_decimal"),
    ],
)
def test_layers_come_off_from_the_outside(name: str, outer: str, inner: str) -> None:
    worn = disguised(chance(3), name, "QQ 12 34 56 C")
    assert UNDO[inner](UNDO[outer](worn.text)) == "QQ 12 34 56 C"


def test_no_file_of_the_corpus_holds_a_secret() -> None:
    """Secrets come from the seed when the corpus is made: hosting sites refuse a push that holds one."""
    shapes = [SECRETS[kind] for kind in SECRETS if kind not in ("aws_secret_key", "cognito_secret", "presigned_url")]
    for path in ROOM.rglob("*.*"):
        if path.suffix in (".py", ".toml"):
            found = [re.search(shape, path.read_text(encoding="utf-8")) for shape in shapes]
            assert not any(found), path
