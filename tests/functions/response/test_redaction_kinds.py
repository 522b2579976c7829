"""Every kind that is redacted, in the writings it has, and what looks like it and is something else.

All values are made up or published as examples: Ofcom's numbers for drama, HMRC's and the NHS's examples, test card
numbers, IBAN's examples.
"""

from __future__ import annotations

import json

import pytest

from response_interceptor.redaction import Redaction, Redactor
from tests.functions.marks import Numbers

UUID = "8f14e45f-ceea-4676-8c1e-12ab34cd56ef"
FOUND: dict[str, list[str]] = {
    "NINO": ["NI number <AB123456>", "nino: <ab 12 34 56 c>", "<AB/12/34/56/C>", "ni=<AB+12+34+56+C>"],
    "NHS": [
        "<943 476 5919>",
        "patient <943-476-5919>",
        "<943.476.5919>",
        "nhs_no=<9434765919>",
        "CHI <0101701233>",
        "<010170 1233> was seen",
        "nhs number\t<943 476\n5919>",
    ],
    "CARD": [
        "<4111 1111 1111 1111>",
        "pan=<5555555555554444>",
        "<3782-822463-10005>",
        "card: <4111111111111111>.",
        "paid by <4111111111111111> today",
        "card no. <4111 1111\n1111 1111> and more",
    ],
    "IBAN": [
        "<GB29 NWBK 6016 1331 9268 19>",
        "iban=<GB29NWBK60161331926819>",
        "<DE89370400440532013000>",
        "pay <GB29 NWBK 6016 1331 9268 19> and wait",
        "<NO93 8601 1117 947>",
        "<MT84 MALT 0110 0001 2345 MTLC AST0 01S>",
    ],
    "VAT": ["<GB 980 7806 84>", "VAT no. <980780684>", "vat_number: <GB980780684>"],
    "UTR": [
        "UTR <1123456789>",
        "Unique Taxpayer Reference: <11234 56789>",
        "tax ref <11234-56789>",
        "utr=<1123456789K>",
        "utr: <11234\n56789>",
    ],
    "PASSPORT": ["passport <123456789>", "Passport number: <AB1234567>", "passportNumber=<123 456 789>"],
    "MRZ": [
        "<P<GBRBLOGGS<<JO<SAM<<<<<<<<<<<<<<<<<<<<<<<<<>",
        "<L898902C36UTO7408122F1204159ZE184226B<<<<<10>",
        "<I<UTOD231458907<<<<<<<<<<<<<<<>",
        "<7408122F1204159UTO<<<<<<<<<<<6>",
        "<ERIKSSON<<ANNA<MARIA<<<<<<<<<<>",
    ],
    "DRIVING_LICENCE": ["<MORGA753116SM9IJ>", "licence <MORGA 753116 SM9IJ 35>", "driver number: <12345678>"],
    "PHONE": [
        "<020 7946 0958>",
        "<+44 7700 900123>",
        "<(01632) 960 001>",
        "tel:<07700900123>",
        "<+44 (0)20 7946 0958>",
        "mobile: <7700900123>",
        "<0044 7700 900 123>",
        "<+1 415 555 0100>",
        "<01632-960-001>",
    ],
    "POSTCODE": ["at <SW1A 1AA>", "postcode: <ec1a1bb>", "post_code=<M1+1AE>", "<W1A 0AX>,"],
    "SORT_CODE": [
        "sort code <12-34-56>",
        "sort_code=<123456>",
        "Sort Code: <12 34 56>",
        "sortCode: <20.30.40>",
        "Sort code | <12-34-56> |\nStatus | open |\n",
    ],
    "BANK_ACCOUNT": ["account number <12345678>", "acct no: <1234 5678>", "a/c <12345678>", "sort code and <12345678>"],
    "DOB": [
        "dob <01/02/1980>",
        "Date of birth: <1 February 1980>",
        "born on <3rd Mar 1975>",
        "birth_date=<19800201>",
        "DOB: <1980-02-01>",
        "D.O.B. <01.02.80>",
        "dateOfBirth: <1980-02-01T00:00:00Z>",
    ],
    "VRM": ["vehicle registration <AB12 CDE>", "VRM: <ab12cde>", "reg no <A123 BCD>", "number plate <ABC 123D>"],
    "EMAIL": ["<jo.bloggs@example.gov.uk>", "mailto:<jo+x@example.org>?subject=a", "Jo <<jo@example.org>>"],
    "PERSON_NAME": [
        "Dear <Jo Bloggs>,",
        "Mrs <Anne O'Neill> called",
        "full_name: <Jo Bloggs>",
        "Kind regards,\n<Jo Bloggs>",
        "From: <Jo Bloggs> <x",
        "surname=<Bloggs>",
        "The applicant, <Jo Bloggs>, wrote",
        "Tenant <Jo Bloggs> has moved",
        '"name": [{"use": "official", "text": "<Jo Bloggs>"}]',
        '"family": "<Bloggs>"',
    ],
    "ADDRESS": [
        "of <10 High Street, Leeds, LS1 4AP>",
        "address: <Flat 2, 10 Mill Lane, York YO1 7HH>",
        "<221B Baker Street>",
        "street_address=<221b+Kirkgate>&x=1",
        "address_line_1=<221B Kirkgate>",
        "moved to <Flat 2, 5A Kirkgate> in May",
        "she lives at <5A Kirkgate>.",
        '"address": [{"line": ["<5A Heol y Bont>"]}]',
        "lives at <Rose Cottage, Church Lane, Stoke-on-Trent, ST4 1AA>",
        "of <4 The Green, Milton Keynes MK9 3AA>",
    ],
    "AWS_ACCESS_KEY_ID": ["<AKIAIOSFODNN7EXAMPLE>"],
    "AWS_SECRET_KEY": ["aws_secret_access_key = <wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY>"],
    "AWS_SESSION_TOKEN": [f"<IQoJb3JpZ2luX2VjEJr{'A1b2' * 60}==>"],
    "AWS_PRESIGNED": [f"https://b.s3.amazonaws.com/k?X-Amz-Signature=<{'0a' * 32}>&x=1"],
    "AWS_BEDROCK_KEY": [f"<ABSK{'QmVk' * 30}>"],
    "COGNITO_SECRET": [
        "client_secret=<1example2secret3of4fifty5one6letters7and8digits9abcd>",
        "ClientSecret: <1example2secret3of4>",
        "the client secret for the pool is <1example2secret3of4fifty5one6letters7and8digits9abcd>",
    ],
    "JWT": ["<eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U>"],
    "PRIVATE_KEY": ["<-----BEGIN RSA PRIVATE KEY-----\nMIIBOgIBAAJB\n-----END RSA PRIVATE KEY----->"],
    "BEARER_TOKEN": [
        "Authorization: Bearer <abcdef0123456789>",
        "authorization=bearer%20<abcdef0123456789>",
        "**Authorization** | `Bearer` <abcdef0123456789abcd>",
        "| Authorization header | <abcdef0123456789abcd> |",
    ],
    "BASIC_AUTH": ["Authorization: Basic <dXNlcjpwYXNzd29yZA==>"],
    "URL_PASSWORD": [
        "postgres://app:<hunter2>@db.internal:5432/app",
        "redis://:<hunter2>@cache:6379",
        "amqp://a:<p@ss>@mq:5672",
        "jdbc:oracle:thin:scott/<tiger>@//db:1521/x",
        "app:<hunter2>@tcp(db:3306)/x",
        "sqlplus scott/<tiger2>@//db:1521/x",
    ],
    "PASSWORD": [
        "password=<hunter2>",
        "Password: <hunter2>",
        "DB_PASSWORD='<x y z>'",
        "Server=db;Uid=a;Pwd=<hunter2>;",
        "--password <hunter2>",
        "the password is <Tr0ub4dor&3>",
        "<x:password><hunter2></x:password>",
        "IDENTIFIED BY '<hunter2>'",
        "mysql -u root -p<hunter2> db",
        "https://example.org/?user=a&password=<hunter2>&x=1",
        "PGPASSWORD=<hunter2> psql",
        "- **Password:** `<hunter2>`",
        "| Password | <hunter2> |",
        "- name: DB_PASSWORD\n  value: <hunter2>",
        "Pwd={<a;b>};Server=x",
        "set the password to <Tr0ub4dor&3> today",
        "temporary password <Tr0ub4dor&3>",
    ],
    "SECRET": ["api_key=<9f86d081884c7d65>", "webhookSecret: <9f86d081884c7d65>", "x-api-key: <9f86d081884c7d659a2f>"],
    "GITHUB_TOKEN": [f"<ghp_{'a1B2' * 9}>", f"<github_pat_{'a1B2c' * 12}>"],
    "GITLAB_TOKEN": ["<glpat-a1B2c3D4e5F6g7H8i9J0>"],
    "SLACK_TOKEN": [
        "<xoxb-123456789012-abcdefABCDEF>",
        "https://hooks.slack.com/services/<T00000000/B00000000/abcdefABCDEF0123>",
    ],
    "STRIPE_KEY": ["<sk_test_a1B2c3D4e5F6g7H8>"],
    "GOOGLE_KEY": [f"<AIza{'a1B2c' * 7}>"],
    "AZURE_KEY": [
        f"AccountName=x;AccountKey=<{'a1B2' * 21}a1==>;EndpointSuffix=core.windows.net",
        f"the storage key <{'a1B2' * 21}a1==> was rotated",
    ],
    "TWILIO_KEY": [f"<SK{'0a1b' * 8}>"],
    "REGISTRY_TOKEN": [f"<npm_{'a1B2' * 9}>", f"<pypi-AgEIcHlwaS5vcmc{'a1B2' * 20}>"],
    "PROVIDER_TOKEN": [
        f"<hvs.{'a1B2' * 8}>",
        f"<SG.{'a1B2' * 5}.{'a1B2' * 10}ab>",
        f"team-{UUID}-<{UUID.replace('8', '9')}>",
    ],
}
"""By label: texts in which the value stands between angle brackets, which are not part of the text."""


def read(text: str) -> tuple[str, str]:
    """A text without the brackets around its value, and the value."""
    before, rest = (text[: text.index("<")], text[text.index("<") + 1 :])
    if text.startswith("<x:password>"):
        before, rest = "<x:password>", text.removeprefix("<x:password><")
    value, after = rest[: rest.rindex(">")], rest[rest.rindex(">") + 1 :]
    if text.startswith("<x:password>"):
        value, after = "hunter2", "</x:password>"
    if text.startswith("From:"):
        value, after = "Jo Bloggs", " <x"
    if text.startswith("Jo <<"):
        before, value, after = "Jo <", "jo@example.org", ">"
    return f"{before}{value}{after}", value


@pytest.fixture(scope="module")
def redactor(rules_json) -> Redactor:
    return Redactor(rules_json["redaction"])


def test_every_kind_has_an_example(rules_json):
    assert set(FOUND) == {rule["label"] for rule in rules_json["redaction"]}


@pytest.mark.parametrize(("label", "text"), [(label, text) for label, texts in FOUND.items() for text in texts])
def test_a_value_goes_and_what_stands_around_it_stays(redactor, label, text):
    text, value = read(text)
    shown = Redaction(redactor, Numbers()).text(text)
    assert shown == text.replace(value, f"[REDACTED:{label}:1]")


@pytest.mark.parametrize(("label", "text"), [(label, text) for label, texts in FOUND.items() for text in texts])
def test_a_value_goes_in_json_too(redactor, label, text):
    text, value = read(text)
    shown = Redaction(redactor, Numbers()).value({"rows": [{"message": text, "n": 1}, "x"]})
    assert shown == {"rows": [{"message": text.replace(value, f"[REDACTED:{label}:1]"), "n": 1}, "x"]}


@pytest.mark.parametrize(
    "text",
    [
        "<clientSecret>1example2secret3of4</clientSecret>",
        '<entry key="client_secret">1example2secret3of4</entry>',
        "<key>ClientSecret</key>\n  <string>1example2secret3of4</string>",
        '<property name="client_secret" value="1example2secret3of4"/>',
        "<td>client secret</td><td>1example2secret3of4</td>",
        "<clientSecret><![CDATA[1example2secret3of4]]></clientSecret>",
        '{"client_secret": {"S": "1example2secret3of4"}}',
        '[{"name": "CLIENT_SECRET", "value": "1example2secret3of4"}]',
        "env:\n  - name: CLIENT_SECRET\n    value: 1example2secret3of4\n",
        "INSERT INTO t (id, client_secret, note)\nVALUES (1, '1example2secret3of4', 'it''s (x)'),\n(2, NULL, '');",
    ],
)
def test_a_value_goes_from_elements_records_and_statements(redactor, text):
    shown = Redaction(redactor, Numbers()).text(text)
    assert shown == text.replace("1example2secret3of4", "[REDACTED:COGNITO_SECRET:1]")


@pytest.mark.parametrize(
    ("name", "value", "label"),
    [
        ("sort_code", "12-34-56", "SORT_CODE"),
        ("accountNumber", 12345678, "BANK_ACCOUNT"),
        ("dob", "1980-02-01", "DOB"),
        ("passport_number", 123456789, "PASSPORT"),
        ("utr", 1123456789, "UTR"),
        ("nhsNumber", 9434765919, "NHS"),
        ("DB_PASSWORD", "hunter2", "PASSWORD"),
        ("phone", 447700900123, "PHONE"),
        ("cardNumber", 4111111111111111, "CARD"),
        ("vehicle_registration", "AB12CDE", "VRM"),
        ("surname", "Bloggs", "PERSON_NAME"),
        ("postcode", "SW1A1AA", "POSTCODE"),
    ],
)
@pytest.mark.parametrize("form", ["field", "pair", "nested", "csv", "table", "psql"])
def test_a_name_beside_it_or_far_above_it_tells_what_it_is(redactor, name, value, label, form):
    given: object = {
        "field": {"a": 1, name: value},
        "pair": [{"name": name, "value": value}],
        "nested": {"body": json.dumps({name: value})},
        "csv": f"id,{name},x\n1,{value},a\n2,{value},b\n",
        "table": f"id    {name}    x\n1     {value}    a\n2     {value}    b\n",
        "psql": f" id | {name} | x\n----+-----+---\n  1 | {value} | a\n  2 | {value} | b\n",
    }[form]
    shown = json.dumps(Redaction(redactor, Numbers()).value(given))
    assert str(value) not in shown and f"[REDACTED:{label}:1]" in shown, shown


@pytest.mark.parametrize(
    "text",
    [
        "arn:aws:iam::111122223333:role/App",
        "arn:aws:sns:eu-west-2:111122223333:topic:9434765919",
        f"RequestId: {UUID} Duration: 102.25 ms Billed Duration: 103 ms Memory Size: 1024 MB Max Memory Used: 94 MB",
        '{"storedBytes": 4111111111111111, "timestamp": 1764325200123, "count": 9434765919}',
        "memory_bytes=5555555555554444 latency=4111111111111111 ns",
        "0.4111111111111111",
        "seq 4111111111111111",
        "2026-11-22T19:51:59.611Z",
        "1764325200 1764325200123 1764325200123456",
        "10.0.12.34 192.0.2.7:8443 2001:db8::1",
        "i-0abcdef1234567890 vpc-0a1b2c3d4e5f67890 ami-0abcdef1234567890",
        "sha256:" + "9f86d081" * 8,
        "d41d8cd98f00b204e9800998ecf8427e",
        '"ETag": "\\"9b2cf535f27731c974343645a3985328\\""',
        "v1.23.456 python3.13 nodejs22.x 5.10.234-225.910.amzn2.aarch64",
        "ip-10-0-12-34.eu-west-2.compute.internal",
        "getty@tty1.service lodash@4.17.21 git@github.com:org/repo.git user@host",
        '{"PasswordLastUsed": "2026-11-01T10:00:00Z", "PasswordEnabled": true, "MinimumPasswordLength": 14}',
        "password must be at least 14 characters",
        "Password: ********",
        'password = "${DB_PASSWORD}"',
        "password: null",
        "Invalid password for user",
        '"NextToken": null',
        "SecretArn: arn:aws:secretsmanager:eu-west-2:111122223333:secret:app/db-AbCdEf",
        '"SecretName": "app/db"',
        "kms key 1234abcd-12ab-34cd-56ef-1234567890ab",
        "TLS_AES_128_GCM_SHA256",
        "m5.4xlarge t3.micro r6g.16xlarge",
        "node M5 4GB",
        "Root=1-5e1b4151-5ac6c58f3b1a2b0c1d2e3f40",
        "cidr 10.0.0.0/16 port 5432 pid 12345678",
        "HTTP/1.1 200 12345678",
        "account 111122223333 at 20261122",
        "stats avg(latency) by bin(5m)",
        "GET /api/v1/users?page=2&limit=50 HTTP/1.1",
        "bearer token missing",
        "Authorization header is missing",
        "basic authentication required",
        "Dear Sir or Madam,",
        "born in the cloud",
        "sort by code, then by 12 columns",
        "passport service restarted 3 times",
        "deployment 20261122-093011 of build 41111111",
        "12:34:56.789 12-34-56 11/22/2026",
        "AWSLogs/111122223333/CloudTrail/eu-west-2/2026/11/22/",
        "cron(0 9 ? * MON-FRI *)",
    ],
)
def test_what_machines_write_stays(redactor, text):
    assert Redaction(redactor, Numbers()).text(text) is text
    assert Redaction(redactor, Numbers()).value({"message": text}) == {"message": text}
