"""What a name says of the number or word beside it: whether it is a value, and whose name it is."""

from __future__ import annotations

import base64
import json

import pytest

from response_interceptor.redaction import Marks, Redaction, Redactor
from tests.functions.marks import Numbers

MARKS = Marks(b"key", "session")
RIGHT, WRONG = "4857773457", "4857773456"  # ten digits with a right check digit, and with a wrong one


@pytest.fixture(scope="module")
def redactor(rules_json) -> Redactor:
    return Redactor(rules_json["redaction"])


@pytest.mark.parametrize(
    "text",
    [
        # A name that goes on says something about such values.
        'PHONE_CACHE_SIZE="4857773457"', "utr.batch.length=1123456789", '{"passportCheckMs": 123456789}',
        "password_policy: Strict-2026", "DOB_FORMAT=01/02/1980", '{"sortCodeLookupCount": 123456}',
        # What stands between has a name of its own.
        '{"column": "sort_code", "type": "int", "width": 123456}', "nhs_number='' rows=4857773457",
        "account number unknown, rowcount=12345678", "<utr_errors>2</utr_errors><total>1123456789</total>",
        # A new sentence speaks of something else.
        "The customer has no phone. Build 485777345712 failed.",
        # A table's name and its figures.
        "bank_accounts | 12345678 | 4857773", "passports\t123456789\t8 kB",
        # Parts of ids, times and addresses of machines.
        "driving licence.id=12345678-0c85-4d69-90e6-6c74fae98ef4", "nhs number checked 2026-07-21 16:41:36",
        "patient host 198.51.100.91", "vehicle registration took 34ms", "nhs: 4857773457 rows",
        # What code and plans have in a value's place.
        "password = (sensitive value)", "password = (known after apply)", "password = os.environ['DB_PW1']",
        "password = secret(settings.db_arn2)", "db_password = var.db_password", "password: props.dbPassword",
        'password = data["pw1"]', "password=!Ref DbPassword",
        # Sizes of files, samples and aggregates.
        "-rw-r--r--  1 app app 4857773457 Nov 28 10:57 export.csv", '{"recordsScanned": 4857773457.0}',
        '{"field": "count(*)", "value": "4857773457"}', "checksumCRC32=4857773457",
        # A right check digit by chance: in a row of numbers, or among others as long that have it not.
        f"10.0.0.1 443 6 {RIGHT} 1777901216 OK", f"id,amount\n1,{RIGHT},x\n2,{WRONG},y\n", f"[{RIGHT}.0, {WRONG}.0]",
        # Machines' addresses of messages; words before a number.
        "Message-ID: <8c175a1a-e7ff-4118-ac8a-bdf3a2970e89@mail.internal>", "ring on 00 44 29 x",
        '"bytesTransferredIn": 4857773457', '"Amount": "4857773457"', f"[{RIGHT}.0,\n  0.871]",
        # A line's end after base64 is no quoted-printable.
        f"key: {'QUJD' * 40}QUI=\nkind: Secret",
    ],
)  # fmt: skip
def test_what_is_no_value_stays(redactor, text):
    assert Redaction(redactor, Numbers()).text(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"{RIGHT}\n4857773457\n", "[REDACTED:NHS:1]\n[REDACTED:NHS:1]\n"),
        (f"1,{RIGHT},a\n", "1,[REDACTED:NHS:1],a\n"),
        ('{"type": "passport", "number": "123456789"}', '{"type": "passport", "number": "[REDACTED:PASSPORT:1]"}'),
        ("sort code is as follows: 12-34-56", "sort code is as follows: [REDACTED:SORT_CODE:1]"),
        (
            '"sortcode": {\n' + " " * 40 + '"S": "123456"',
            '"sortcode": {\n' + " " * 40 + '"S": "[REDACTED:SORT_CODE:1]"',
        ),
        ("GET /?full_name=Jo%20Bloggs HTTP/1.1", "GET /?full_name=[REDACTED:PERSON_NAME:1] HTTP/1.1"),
        ("NO9386011117947 paid in full", "[REDACTED:IBAN:1] paid in full"),  # the shortest that the registry has
        ("of 10 Kings\u2019 Road", "of [REDACTED:ADDRESS:1]"),
        ("Encoding: quoted-printable\n\nTo: jo=40example.org", "Encoding: quoted-printable\n\nTo: [REDACTED:EMAIL:1]"),
        ("lookup(5555555555554444) -> 1", "lookup([REDACTED:CARD:1]) -> 1"),
        (
            "secret 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",
            "secret [REDACTED:PROVIDER_TOKEN:1]",
        ),
        (
            "<mrz>1837566693GBR3712177F2812070&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;8</mrz>",
            "<mrz>[REDACTED:MRZ:1]</mrz>",
        ),
        ("FullName:Jo Bloggs Retries:0", "FullName:[REDACTED:PERSON_NAME:1] Retries:0"),
        ("?full_name=Jo+Bloggs HTTP/1.1", "?full_name=[REDACTED:PERSON_NAME:1] HTTP/1.1"),
        ("?a=1&email=jo.bloggs@example.org", "?a=1&email=[REDACTED:EMAIL:1]"),
        ("b+1-jo=example.org@lists.example.net", "[REDACTED:EMAIL:1]"),
        ("From: BLOGGS, Jo <jo@example.org>", "From: [REDACTED:PERSON_NAME:1] <[REDACTED:EMAIL:1]>"),
        ("password: V2ludGVyLVBlYmJsZS0xMA==", "password: [REDACTED:PASSWORD:1]"),
        ("password=!KB*xrx7", "password=[REDACTED:PASSWORD:1]"),
        ("Authorization: Basic dXNlcjpwYXNzd29yZDE=\nx-id: 1", "Authorization: Basic [REDACTED:BASIC_AUTH:1]\nx-id: 1"),
    ],
)
def test_what_is_a_value_goes_and_no_more(redactor, text, shown):
    assert Redaction(redactor, Numbers()).text(text) == shown


def packed(value: str) -> str:
    return base64.b64encode(value.encode()).decode()


@pytest.mark.parametrize(
    ("name", "value", "label"),
    [
        ("sort_code", "12-34-56", "SORT_CODE"),
        ("accountNumber", "12345678", "BANK_ACCOUNT"),
        ("dob", "1980-02-01", "DOB"),
        ("passport_number", "123456789", "PASSPORT"),
        ("email", "jo@example.org", "EMAIL"),
        ("iban", "GB29NWBK60161331926819", "IBAN"),
        ("accessKeyId", "AKIAIOSFODNN7EXAMPLE", "AWS_ACCESS_KEY_ID"),
        ("phone", "02079460958", "PHONE"),
    ],
)
@pytest.mark.parametrize(
    "disguise",
    [
        packed,
        lambda value: packed(value).rstrip("="),
        lambda value: base64.urlsafe_b64encode(value.encode()).decode(),
        lambda value: value.encode().hex(),
        lambda value: packed(packed(value)),
        lambda value: packed(value.encode().hex()),
        lambda value: packed("".join(f"\\u{ord(letter):04x}" for letter in value)),
        lambda value: packed("".join(chr(ord(letter) + 0xFEE0) for letter in value)),
        lambda value: f"{value[:3]}\t{value[3:]}",
        lambda value: f"{value[:3]}\n{value[3:]}",
        lambda value: f"{value[:3]}\r\n   {value[3:]}",
    ],
)
def test_a_name_tells_what_is_packed_or_broken_in_two(redactor, name, value, label, disguise):
    for form in (f"{name}={disguise(value)} x=1", json.dumps({name: disguise(value), "x": 1})):
        shown = Redaction(redactor, Numbers()).text(form)
        assert shown == form.replace(
            json.dumps(disguise(value))[1:-1] if "{" in form else disguise(value), f"[REDACTED:{label}:1]"
        )


@pytest.mark.parametrize("text", ["sort code 1980-02-011980-02-01", "dob: 1980\n 02-01", "nhs 4857773457-4857773457"])
def test_a_second_look_finds_no_more(redactor, text):
    once = Redaction(redactor, MARKS).text(text)
    assert Redaction(redactor, MARKS).text(once) == once
