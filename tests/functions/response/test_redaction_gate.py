"""What is looked at quickly says the same as what is looked at slowly."""

from __future__ import annotations

import hmac
import re

import pytest
import re2

from response_interceptor.neutralise import has_links
from response_interceptor.redaction import Marks, Redaction, Redactor, gate, validators
from tests.functions.marks import Numbers

IBAN = "GB82 WEST 1234 5698 7654 32"
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


@pytest.fixture(scope="module")
def redactor(rules_json) -> Redactor:
    return Redactor(rules_json["redaction"])


@pytest.mark.parametrize("engine", [gate.hyperscan, None], ids=["hyperscan", "RE2"])
def test_a_sign_is_seen_wherever_it_stands_and_nowhere_else(engine, monkeypatch):
    monkeypatch.setattr(gate, "hyperscan", engine)
    occurs = gate.occurs(r"\][(:]|<")

    assert [occurs(text) for text in (b"](", b"a" * 5_000 + b"]:", b"x <b", b"\xff<")] == [True] * 4
    assert [occurs(text) for text in (b"", b"]", b"( ]", b"\xff")] == [False] * 4


@pytest.mark.parametrize(
    ("text", "links"),
    [("[a](b)", True), ("[a]: b", True), ("<b>", True), ("@{img}", True), ("[a] (b) @ {é\ud800", False)],
)
def test_links_are_suspected_where_one_may_begin(text, links):
    assert has_links(text) is links


def test_a_tag_is_a_keyed_digest_as_the_standard_library_makes_it():
    def base32(text: str, key: bytes) -> str:
        bits = int.from_bytes(hmac.digest(key, text.encode(), "sha256")[:5])
        return "".join(_LETTERS[bits >> 35 - 5 * place & 31] for place in range(8))

    of_session = hmac.digest(b"key", b"session", "sha256")
    for bare in ("AB123456", "é", "x" * 1_000):
        begun = f"[REDACTED:NINO:{base32(f'value NINO {bare}', of_session)}"
        expected = f"{begun}{base32(f'mark {begun}', of_session)[:4]}]".encode()
        assert Marks(b"key", "session").of("NINO", bare) == expected


@pytest.mark.parametrize("uuid", ["be040712-ad75-4c5e-9abc-012345678901", "BE040712-AD75-4C5E-9ABC-012345678901"])
def test_the_rest_of_a_uuid_is_no_account_though_its_check_digits_were_right(redactor, uuid):
    redaction = Redaction(redactor, Numbers())

    assert redaction.text(f'INFO [{uuid}] {{"requestId": "{uuid}"}} {uuid}') == (
        f'INFO [{uuid}] {{"requestId": "{uuid}"}} {uuid}'
    )


@pytest.mark.parametrize("around", ["{uuid} {value}", "{uuid}-{value}", "{value}-{uuid}", "{part}-{value}", "x{value}"])
def test_a_value_beside_a_uuid_or_a_part_of_one_goes(redactor, around):
    redaction = Redaction(redactor, Numbers())
    uuid = "be040712-be04-4c5e-9abc-012345678901"

    shown = redaction.text(around.format(uuid=uuid, part="be040712-be04", value=IBAN))

    assert (IBAN in shown) is (around == "x{value}")
    assert re.search(r"\[REDACTED:IBAN:", shown) or around == "x{value}"


@pytest.mark.parametrize("written", [str.upper, str.lower, str.title])
def test_no_country_of_an_iban_is_spared_by_the_gate(rules_json, written):
    (rule,) = (each for each in rules_json["redaction"] if each["id"] == "iban")

    for country in validators.IBAN_LENGTHS:
        assert re2.search(rule["gate"], f"to {written(country)}29NWBK60161331926819."), country


@pytest.mark.parametrize("before", ["", "[REDACTED:" + "A" * 31 + ":abc]"])
def test_what_is_rare_is_found_where_the_text_begins_with_what_looks_like_a_mark(redactor, before):
    line = "1234567897GBR8001014F3001019ZE184226B1234510"

    assert line not in Redaction(redactor, Numbers()).text(f"{before}\n{line}\n")
