"""Redaction: what has the shape of a secret or of UK personal data goes, in every disguise; look-alikes stay.

All values are made up: National Insurance numbers from published examples and unissued ranges where a rule allows it,
NHS numbers with computed check digits, AWS's own documentation keys.
"""

from __future__ import annotations

import base64
import binascii
import json
import random
import re
import string
from urllib.parse import quote

import pytest
import re2

from response_interceptor.redaction import Redaction, Redactor
from response_interceptor.redaction.gate import Re2Gate
from response_interceptor.redaction.rules import Rule
from response_interceptor.redaction.validators import nhs, nino
from response_interceptor.redaction.views import views
from tests.functions.marks import Numbers

NINO = "AB123456C"
NHS = "9434765919"
EMAIL = "jo.bloggs@example.gov.uk"
KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIBOgIBAAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf\n-----END RSA PRIVATE KEY-----"
VALUES = {
    "NINO": NINO,
    "NHS": NHS,
    "EMAIL": EMAIL,
    "AWS_ACCESS_KEY_ID": KEY_ID,
    "JWT": JWT,
    "PRIVATE_KEY": PEM,
    "AWS_SECRET_KEY": f"aws_secret_access_key = {SECRET_KEY}",
    "AWS_SESSION_TOKEN": "IQoJb3JpZ2luX2VjEJr" + "A1b2" * 60 + "==",
    "URL_PASSWORD": "postgres://app:hunter2@db.internal:5432/app",
    "AWS_PRESIGNED": "https://b.s3.amazonaws.com/k?X-Amz-Signature=" + "0a" * 32,
}


@pytest.fixture(scope="module")
def redactor(rules_json) -> Redactor:
    return Redactor(rules_json["redaction"])


@pytest.fixture
def redaction(redactor) -> Redaction:
    return Redaction(redactor, Numbers())


@pytest.mark.parametrize("label", VALUES)
@pytest.mark.parametrize("around", ["{}", "before {} after", "({})", '"{}"', "key={},next", "a\n{}\nb", "_{}_", "é{}é"])
def test_each_kind_of_value_is_replaced_by_its_label(redaction, label, around):
    text = redaction.text(around.format(VALUES[label]))
    assert f"[REDACTED:{label}:1]" in text
    assert redaction.counts == {label: 1}
    for secret in (NINO, NHS, EMAIL, KEY_ID, SECRET_KEY, JWT, "MIIBOg", "hunter2", "A1b2A1b2", "0a0a0a"):
        assert secret not in text


@pytest.mark.parametrize(
    "spelling",
    ["AB123456C", "ab123456c", "AB 12 34 56 C", "AB  12  34  56  C", "AB 123456 C", "AB-12-34-56-C", "AB.12.34.56.C",
     "Ab123456c"],
)  # fmt: skip
def test_national_insurance_numbers_as_people_write_them(redaction, spelling):
    assert redaction.text(f"NI: {spelling}.") == "NI: [REDACTED:NINO:1]."


@pytest.mark.parametrize("spelling", ["9434765919", "943 476 5919", "943-476-5919", "943 4765919"])
def test_nhs_numbers_as_people_write_them(redaction, spelling):
    assert redaction.text(f"ref {spelling};") == "ref [REDACTED:NHS:1];"


@pytest.mark.parametrize(
    "look_alike",
    [
        # Prefixes HMRC never issues, unissued letters, wrong lengths, other suffixes: part numbers.
        "BG123456A", "GB123456A", "KN123456A", "NK123456A", "NT123456A", "TN123456A", "ZZ123456A", "QQ123456C",
        "DA123456A", "AO123456A", "AB123456E", "AB12345C", "AB1234567C", "XAB123456C", "AB123456CD", "AB123456",
        # Ten digits that are no NHS number: wrong check digit, epochs, one digit throughout, longer numbers.
        "9434765918", "943 476 5918", "4010232138", "1700000000", "1609459200", "2000000002", "4444444444",
        "19434765919", "94347659190", "1700000000123",
        # Addresses of other things than people.
        "arn:aws:iam::111122223333:role/App", "git@localhost", "@example.gov.uk", "user@host", "a@b",
        # Keys that are none: too short, lower case, a SHA-1, a UUID, a path of forty characters.
        "AKIAIOSFODNN7EXAMPL", "akiaiosfodnn7example", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "8f14e45f-ceea-4676-8c1e-12ab34cd56ef", "AIDAACKCEVSQ6C2EXAMPLE",
        SECRET_KEY, f"secret access key: x{SECRET_KEY}", "eyJub3QiOiJhIHRva2VuIn0", "-----BEGIN PUBLIC KEY-----",
        "https://example.gov.uk:8443/path", "postgres://db.internal:5432/app",
        # Dates and times that look a little like a National Insurance number.
        "on 12-11-26 a report", "at 12:34:56 a",
    ],
)  # fmt: skip
def test_look_alikes_stay(redaction, look_alike):
    text = f"part {look_alike} in stock"
    assert redaction.text(text) is text
    assert not redaction.counts


def shows(text: str, value: str) -> bool:
    """Whether any form in which a text is looked at holds a value."""
    return any(value.encode() in view.data for view in views(text.encode()))


def percent(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


DISGUISES = {
    "plain": lambda value: value,
    "non-breaking spaces": lambda value: "\u00a0".join([value[:2], value[2:4], value[4:6], value[6:8], value[8:]]),
    "thin spaces": lambda value: "\u2009".join([value[:2], value[2:4], value[4:6], value[6:8], value[8:]]),
    "en dashes": lambda value: "\u2013".join([value[:2], value[2:4], value[4:6], value[6:8], value[8:]]),
    "zero-width spaces": lambda value: "\u200b".join(value),
    "soft hyphens": lambda value: "\u00ad".join(value),
    "tag characters": lambda value: "\U000e0041".join(value),
    "variation selectors": lambda value: "\U000e0100".join(value),
    "full width": lambda value: "".join(chr(ord(letter) + 0xFEE0) for letter in value),
    "mathematical bold": lambda value: value[:2] + "".join(chr(0x1D7CE + int(d)) for d in value[2:8]) + value[8:],
    "Arabic-Indic digits": lambda value: value[:2] + "".join(chr(0x660 + int(d)) for d in value[2:8]) + value[8:],
    "JSON escapes": lambda value: "".join(f"\\u{ord(letter):04x}" for letter in value),
    "doubled JSON escapes": lambda value: "".join(f"\\\\u{ord(letter):04X}" for letter in value),
    "hex escapes": lambda value: "".join(f"\\x{ord(letter):02x}" for letter in value),
    "percent": percent,
    "percent twice": lambda value: quote(percent(value)),
    "percent spaces": lambda value: "%20".join([value[:2], value[2:4], value[4:6], value[6:8], value[8:]]),
    "HTML entities": lambda value: "".join(f"&#{ord(letter)};" for letter in value),
    "HTML entities with zeros": lambda value: "".join(f"&#{ord(letter):012};" for letter in value),
    "long runs of backslashes": lambda value: "".join(f"{chr(92) * 33}u{ord(letter):04x}" for letter in value),
    "HTML hex entities": lambda value: "".join(f"&#x{ord(letter):x};" for letter in value),
    "after an escaped line break": lambda value: f"\\n{value}\\n",
}


@pytest.mark.parametrize("disguise", DISGUISES)
def test_no_disguise_saves_a_value(redaction, disguise):
    text = redaction.text(f"the number is {DISGUISES[disguise](NINO)} here")
    assert "[REDACTED:NINO:1]" in text
    assert not shows(text, NINO)


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("place", ["value", "key", "list", "json in text", "json in json in text", "after a duplicate"])
def test_no_place_in_json_saves_a_disguised_value(redaction, disguise, place):
    hidden = f"x {DISGUISES[disguise](NINO)} x"
    inner = json.dumps({"message": hidden})
    text = {
        "value": json.dumps({"a": hidden}),
        "key": json.dumps({hidden: 1}),
        "list": json.dumps([[1, [hidden]]]),
        "json in text": json.dumps({"a": inner}),
        "json in json in text": json.dumps([json.dumps({"a": inner})]),
        "after a duplicate": f'{{"a": {json.dumps(hidden)}, "a": "harmless"}}',
    }[place]
    shown = redaction.text(text)
    assert "REDACTED:NINO:1" in shown
    assert not shows(shown, NINO)
    assert NINO not in str(redaction.value({"structured": json.loads(text)}))


@pytest.mark.parametrize(
    "text", ["AB123456C", "the number is AB123456C, as asked", "mail jo.bloggs@example.gov.uk now"]
)
@pytest.mark.parametrize("pack", [base64.b64encode, base64.urlsafe_b64encode, binascii.hexlify,
                                  lambda data: base64.b64encode(base64.b64encode(data + b" is it"))])  # fmt: skip
@pytest.mark.parametrize("around", ["{}", '"{}"', '{{"body": "{}"}}', "https://example.org/?q={}&x=1", "body={}"])
def test_what_is_packed_is_unpacked_and_goes_whole(redaction, text, pack, around):
    packed = pack(text.encode()).decode()
    shown = redaction.text(around.format(packed))
    assert packed not in shown and "[REDACTED:" in shown


@pytest.mark.parametrize("text", ["a request that was well formed", "GetCallerIdentity of 2011-06-15 in eu-west-2"])
def test_what_is_packed_and_holds_nothing_stays(redaction, text):
    packed = base64.b64encode(text.encode()).decode()
    assert redaction.text(packed) is packed


@pytest.mark.parametrize("text", ['{ "b":1.50,  "a" : [ "x" ] }\n', '{ "b":1.50,  "part" : [ "BG123456A" ] }\n'])
def test_json_that_holds_nothing_is_left_as_it_was_written(redaction, text):
    assert redaction.text(text) is text


def test_text_that_hides_nothing_keeps_its_own_characters(redaction):
    text = "½ café ﬁle Ⅷ — AB123456C"
    assert redaction.text(text) == "½ café ﬁle Ⅷ — [REDACTED:NINO:1]"


def test_equal_values_stay_equal_and_different_ones_differ(redaction):
    found = redaction.text(f"{NINO} ab 12 34 56 c AB123456D CE123456D {EMAIL} {NINO}")
    assert found == (
        "[REDACTED:NINO:1] [REDACTED:NINO:1] [REDACTED:NINO:1] [REDACTED:NINO:2] [REDACTED:EMAIL:1] [REDACTED:NINO:1]"
    )
    assert redaction.counts == {"NINO": 5, "EMAIL": 1}


def test_neighbours_are_all_found(redaction):
    assert redaction.text("AB123456C,CE123456D AB123456A") == "[REDACTED:NINO:1],[REDACTED:NINO:2] [REDACTED:NINO:1]"


def test_a_look_alike_does_not_shield_a_value_that_begins_inside_it():
    rule = Rule.compiled({"label": "NHS", "regex": "[0-9]{3} [0-9]{3} [0-9]{4}", "validator": "nhs"})
    text = bytearray(b"111 943 476 5919")
    assert [(found.start, found.end) for found in rule.near_hits(text, [(0, 12)])] == [(4, 16)]


@pytest.mark.parametrize(
    "value",
    [
        {"SecretAccessKey": SECRET_KEY},
        {"field": "aws_secret_access_key", "value": SECRET_KEY},
        {"Key": "SecretKey", "Value": SECRET_KEY},
        {"secrets": [SECRET_KEY]},
        {"sec\u200bret": SECRET_KEY},
        {"Credentials": {"AccessKeyId": KEY_ID, "x": SECRET_KEY}},
        f"AWS_SECRET_ACCESS_KEY={SECRET_KEY}",
        f"{KEY_ID} {SECRET_KEY}",
        f"{KEY_ID},{SECRET_KEY}",
        json.dumps({"SecretAccessKey": SECRET_KEY}),
    ],
)
def test_a_secret_key_is_known_by_what_stands_beside_it(redaction, value):
    assert SECRET_KEY not in json.dumps(redaction.value(value), ensure_ascii=False)
    assert redaction.counts["AWS_SECRET_KEY"] == 1


@pytest.mark.parametrize(
    "value", [{"nhs_number": 9434765919}, {"nhsNumbers": [9434765919]}, {"field": "NHS number", "value": 9434765919}]
)
def test_a_number_that_is_named_goes_too(redaction, value):
    assert "9434765919" not in json.dumps(redaction.value(value))


@pytest.mark.parametrize("value", [{"storedBytes": 4294967296}, [9434765918], {"n": True}, {"epoch": 1764325200.0},
                                   {"ms": 1764325200123}, [0.5, 1e300, float("inf")], {"seq": 101701234}])  # fmt: skip
def test_a_number_that_no_rule_knows_stays(redaction, value):
    assert redaction.value(value) == value


@pytest.mark.parametrize(
    "value",
    [{"id": 9434765919}, [9434765919], {"id": -9434765919}, {"id": 9434765919.0}, {"nhs_number": 9434765919.0},
     {"id": 9434765919, "mail": "a@example.gov.uk"}],
)  # fmt: skip
@pytest.mark.parametrize("as_text", [False, True])
def test_a_number_goes_where_the_same_digits_as_text_would(redaction, value, as_text):
    shown = redaction.text(json.dumps(value)) if as_text else json.dumps(redaction.value(value))
    assert "9434765919" not in shown and redaction.counts["NHS"] == 1
    assert json.loads(shown), "what was JSON stays JSON"


def test_a_number_that_lost_its_leading_zero_goes_where_it_is_named(redaction):
    digit = next(digit for digit in range(10) if nhs(f"010170123{digit}"))
    assert redaction.value({"chi_number": int(f"010170123{digit}")}) == {"chi_number": "[REDACTED:NHS:1]"}


def test_a_number_that_is_too_large_for_json_does_not_become_another_word(redaction):
    shown = redaction.text('{"a": 1e999, "b": "AB123456C"}')
    assert "AB123456C" not in shown and "1e999" in shown


@pytest.mark.parametrize("text", ["NI number AB123456", "nino=AB 12 34 56", '{"nationalInsurance": "AB123456"}'])
def test_a_national_insurance_number_without_suffix_goes_where_it_is_named(redaction, text):
    assert "[REDACTED:NINO:1]" in redaction.text(text)


def test_a_scottish_number_goes_but_where_a_machine_counts(redaction):
    assert nhs("0101701230") is None
    chi = next(f"010170123{digit}" for digit in range(10) if nhs(f"010170123{digit}"))
    assert redaction.text(f"CHI number {chi}") == "CHI number [REDACTED:NHS:1]"
    assert redaction.text(f"sequence {chi}") == f"sequence {chi}"


@pytest.mark.parametrize("cut", ["", "\n-----END", "\\nMIIBOg"])
def test_a_private_key_without_its_end_goes_to_the_end_of_the_text(redaction, cut):
    text = redaction.text(f"log\n-----BEGIN PRIVATE KEY-----\nMIIBOg\nabc{cut}")
    assert text == "log\n[REDACTED:PRIVATE_KEY:1]"


def test_keys_that_become_equal_stay_two_keys(redaction):
    found = redaction.value({NINO: 1, "ab 12 34 56 c": 2})
    assert sorted(found.values()) == [1, 2]
    assert NINO not in found


def test_the_check_digit_of_an_nhs_number():
    # NHS Data Dictionary's worked example, and every other check digit of it.
    assert nhs("9434765919") == "9434765919"
    assert [digit for digit in range(10) if nhs(f"943476591{digit}")] == [9]


def test_unissued_prefixes():
    assert nino("AB123456C") == nino("ab 12 34 56 d") == "AB123456"
    assert nino("GB123456C") is None


@pytest.mark.parametrize(
    "text",
    ["AB1234567" * 11_000, "eyJ" * 33_000, "a@" * 50_000, "9434765918 " * 9_000, "-----BEGIN PRIVATE KEY" * 4_500,
     "A" * 100_000, "http://" * 14_000, "%41" * 33_000, "\\u0041" * 16_000, "{" * 100_000, "\u200bA" * 50_000,
     "secret " + "aB3/" * 25_000, "[" * 50_000 + "]" * 50_000, '{"a":' * 16_000, "&#65;" * 20_000],
)  # fmt: skip
def test_no_text_makes_redaction_slow(redaction, text):
    import time

    start = time.thread_time()
    redaction.text(text)
    assert time.thread_time() - start < 2.0


def test_the_slower_gate_points_at_the_same_values(rules_json, redactor):
    """Where the library of the quick gate cannot be loaded, RE2 takes its place, and nothing else changes."""
    other = Redactor(rules_json["redaction"], gate=Re2Gate)
    chance = random.Random(1146)  # noqa: S311 - repeatable, not secret
    values = [*VALUES.values(), "AB 12 34 56 C", "943 476 5919", "dob 1980-02-01", "sort code 12-34-56", "password=x1"]
    filler = ["", "x", "\n", "\t", '"', "\\", " ", "é", "%", "\u200b", "{", "n", "secret", "nhs", "0", "/", ": ", ","]
    for _ in range(1500):
        parts = [chance.choice(values) if chance.random() < 0.4 else chance.choice(filler) for _ in range(9)]
        parts.append(chance.choice(list(DISGUISES.values()))(NINO))
        text = "".join(parts)
        assert Redaction(redactor, Numbers()).text(text) == Redaction(other, Numbers()).text(text), text


def test_the_rules_mean_the_same_to_pythons_own_engine(rules_json):
    """RE2's syntax and Python's differ here and there; a rule both read alike is a rule a reviewer reads right."""
    chance = random.Random(2)  # noqa: S311 - repeatable, not secret
    alphabet = string.ascii_letters + string.digits + " .-@/+=_:\n"
    texts = [f" {value} " for value in VALUES.values()] + [f"x{value}x" for value in VALUES.values()]
    texts += ["".join(chance.choice(alphabet) for _ in range(60)) for _ in range(200)]
    for rule in rules_json["redaction"]:
        theirs = re2.compile(rule["regex"].encode())
        ours = re.compile(_as_python_writes_it(rule["regex"]).encode())
        for text in map(str.encode, texts):
            assert [m.span() for m in theirs.finditer(text)] == [m.span() for m in ours.finditer(text)], rule["id"]


def _as_python_writes_it(regex: str) -> str:
    """Python takes flags for the whole pattern at its beginning only, and has another sign for the end of the text."""
    return regex.replace(r"\z", r"\Z")


@pytest.mark.parametrize(
    "change", [{"regex": "("}, {"regex": "(?=x)"}, {"validator": "no-such"}, {"label": None}, {"beside": "z-a"}]
)
def test_a_rule_that_cannot_be_compiled_is_noticed(rules_json, change):
    rule = {**rules_json["redaction"][0], **change}
    rule = {name: value for name, value in rule.items() if value is not None}
    with pytest.raises((re2.error, KeyError)):
        Rule.compiled(rule)
