"""What AWS's answers, logs and queries are full of, and what is nobody's: it must stay as it is.

Much of it looks like personal data or a secret on purpose: times in seconds whose digits add up as an NHS number's do,
sequence numbers with a card's last digit, sizes that end as VAT numbers do or read as postcodes, fields that are called
after a password or a card and hold a count.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random

from tests.redaction_corpus.values import check_digits
from tests.redaction_corpus.values.credentials import BASE32, HEX, LOWER, WORD, chars

ACCOUNT, REGION = "111122223333", "eu-west-2"
SERVICES = "payments-api case-worker notify-bridge ledger-sync document-store victoria-metrics jordan-exports".split()
ROLES = "Auditor Operator AWSServiceRoleForAutoScaling PaymentsTaskRole GrafanaReader JenkinsAgent".split()
EVENTS = "DescribeInstances GetSecretValue AssumeRole PutObject ListUsers UpdatePassword GetPasswordData".split()
_UNLIKE_A_CARD = ("17",)
"""No card begins so (ISO/IEC 7812-1)."""
START = datetime(2026, 3, 1, tzinfo=UTC)


def moment(rng: Random) -> datetime:
    """A time in the year of the corpus."""
    return START + timedelta(milliseconds=rng.randint(0, 20_000_000_000))


def epoch(rng: Random) -> str:
    """Seconds since 1970, of which every third has the last digit of an NHS number."""
    seconds = str(int(moment(rng).timestamp()))
    return seconds[:9] + (check_digits.nhs(seconds[:9]) or seconds[9]) if rng.random() < 0.35 else seconds


def millis(rng: Random) -> str:
    """Milliseconds since 1970."""
    return f"{int(moment(rng).timestamp())}{rng.randint(0, 999):03}"


def luhn_number(rng: Random, starts: tuple[str, ...] = ("17", "49", "51")) -> str:
    """A sequence number of sixteen digits whose last is a card's; it stands where its name says that it is none."""
    digits = f"{rng.choice(starts)}{rng.randint(0, 10**13 - 1):013}"
    return digits + check_digits.luhn(digits)


def size(rng: Random) -> str:
    """Bytes: nine digits, of which every third ends as a VAT number does."""
    digits = str(rng.randint(10**6, 10**7 - 1))
    return digits + (check_digits.vat(digits, shifted=True) if rng.random() < 0.35 else f"{rng.randint(0, 99):02}")


def request_id(rng: Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def arn(rng: Random) -> str:
    service = rng.choice(SERVICES)
    return rng.choice(
        (
            f"arn:aws:iam::{ACCOUNT}:role/{rng.choice(ROLES)}", f"arn:aws:s3:::{service}-{ACCOUNT}-{REGION}",
            f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{service}:{rng.randint(1, 90)}",
            f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{request_id(rng)}",
            f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{service}/db-password-{chars(rng, WORD, 6)}",
            f"arn:aws:sts::{ACCOUNT}:assumed-role/{rng.choice(ROLES)}/session-{rng.randint(10**8, 10**9 - 1)}",
            f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/app/{service}/{chars(rng, HEX, 16)}",
        )
    )  # fmt: skip


def host(rng: Random) -> str:
    a, b = rng.randint(0, 255), rng.randint(0, 255)
    return rng.choice(
        (
            f"ip-10-0-{a}-{b}.{REGION}.compute.internal", f"10.0.{a}.{b}", f"192.0.2.{a}:{rng.randint(1024, 65535)}",
            f"{rng.choice(SERVICES)}.svc.cluster.local:8443", f"2001:db8:{a:x}:{b:x}::1", f"s3.{REGION}.amazonaws.com",
        )
    )  # fmt: skip


def token(rng: Random) -> str:
    """A pagination token: the next call needs it as it is."""
    return base64.b64encode(rng.randbytes(rng.choice((48, 72)))).decode()


def identifier(rng: Random) -> str:
    """A name or id that a service gave."""
    return rng.choice(
        (
            f"i-0{chars(rng, HEX, 16)}", f"vol-0{chars(rng, HEX, 16)}", f"sg-0{chars(rng, HEX, 16)}",
            f"ami-0{chars(rng, HEX, 16)}",
            f"AROA{chars(rng, BASE32, 17)}", f"AIDA{chars(rng, BASE32, 17)}", f"{REGION}_{chars(rng, WORD, 9)}",
            f"1-{chars(rng, HEX, 8)}-{chars(rng, HEX, 24)}", request_id(rng),
            f"{rng.choice(SERVICES)}-7d4b9c6f5d-{chars(rng, LOWER, 5)}",
            f"sha256:{chars(rng, HEX, 64)}", chars(rng, HEX, 40),
            f'"{chars(rng, HEX, 32)}-{rng.randint(2, 9)}"'.strip('"'),
            f"{rng.randint(1, 40)}.{rng.randint(10, 99)}.{rng.randint(10, 99)}",
            f"CVE-2026-{rng.randint(10000, 99999)}",
            f"OPS-{rng.randint(1000, 99999)}", f"@aws-sdk/client-s3@3.{rng.randint(100, 999)}.0",
            f"{rng.choice(SERVICES)}@{chars(rng, HEX, 12)}",
            f"v{rng.randint(1, 9)}.{rng.randint(0, 30)}.{rng.randint(0, 30)}-rc.{rng.randint(1, 9)}",
            f"euw2-az{rng.randint(1, 3)}",
        )
    )  # fmt: skip


def _stamp(rng: Random) -> str:
    return f"{moment(rng):%Y-%m-%dT%H:%M:%S}.{rng.randint(0, 999):03}Z"


FACTS: dict[str, Callable[[Random], object]] = {
    "requestId": request_id, "accountId": lambda _: ACCOUNT, "account": lambda _: ACCOUNT, "resourceArn": arn,
    "createdAt": lambda rng: int(epoch(rng)), "timestamp": lambda rng: int(millis(rng)),
    "sizeInBytes": lambda rng: int(size(rng)),
    "sequenceNumber": luhn_number, "NextToken": token, "hostname": host,
    "ip_address": lambda rng: f"198.51.100.{rng.randint(1, 254)}",
    "resourceId": identifier, "version": lambda rng: f"{rng.randint(1, 30)}.{rng.randint(1, 30)}.{rng.randint(1, 99)}",
    "lastModified": _stamp, "PasswordLastUsed": _stamp, "passwordResetRequired": lambda _: False,
    "MinimumPasswordLength": lambda rng: rng.randint(8, 20), "password_attempts": lambda rng: rng.randint(0, 5),
    "max_tokens": lambda _: 4096, "token_count": lambda rng: rng.randint(100, 99_999), "token_type": lambda _: "Bearer",
    "email_verified": lambda _: True, "emails_sent": lambda rng: rng.randint(1, 90_000),
    "phone_count": lambda rng: rng.randint(1, 4),
    "postcode_lookup_ms": lambda rng: rng.randint(1, 900), "card_declined_total": lambda rng: rng.randint(0, 90_000),
    "nino_check_ms": lambda rng: rng.randint(1, 900), "dob_errors": lambda rng: rng.randint(0, 9),
    "vat_rate": lambda _: 20, "secretName": lambda rng: f"{rng.choice(SERVICES)}-credentials",
    "secret_rotation_days": lambda _: 30,
    "address": lambda rng: f"10.0.{rng.randint(0, 255)}.{rng.randint(0, 255)}",
    "name": lambda rng: rng.choice(SERVICES),
    "userName": lambda rng: rng.choice(ROLES), "KeyId": request_id, "clientId": lambda rng: chars(rng, LOWER, 26),
    "digest": lambda rng: "sha512-" + base64.b64encode(rng.randbytes(64)).decode(),
    "commit": lambda rng: chars(rng, HEX, 40),
    "durationMs": lambda rng: round(rng.uniform(0.1, 90_000), 3), "ratio": lambda rng: rng.random(),
    "port": lambda rng: rng.randint(1024, 65535),
    "checksumCRC32": lambda rng: rng.randint(10**9, 4 * 10**9), "pid": lambda rng: rng.randint(2, 4_000_000),
}  # fmt: skip
"""Fields of answers and log lines, with what makes a value for each."""


def facts(rng: Random, count: int) -> list[tuple[str, object]]:
    """Fields and values."""
    return [(key, FACTS[key](rng)) for key in rng.sample(list(FACTS), count)]


def sentence(rng: Random) -> str:
    """A remark as people and programs make them."""
    return rng.choice(
        (
            f"The alarm cleared at {moment(rng):%H:%M:%S} after {rng.randint(2, 90)} minutes.",
            f"Moved {rng.randint(2, 9)} buckets of S3 {rng.randint(1, 9)}GB each to {rng.choice(SERVICES)}.",
            f"Each EC2 {rng.randint(1, 9)}GB node was replaced between {moment(rng):%Y-%m-%d} and "
            f"{moment(rng):%d/%m/%Y}.",
            f"Password policy asks for {rng.randint(12, 20)} characters; nobody's password was changed.",
            f"Role {rng.choice(ROLES)} read {size(rng)} bytes with request {request_id(rng)}.",
            f"Ticket OPS-{rng.randint(1000, 99999)} follows CVE-2026-{rng.randint(10000, 99999)} and RFC "
            f"{rng.randint(2000, 9700)}.",
            f"Account {ACCOUNT} in {REGION} is at {rng.randint(10, 99)} % of its quota of {rng.randint(1000, 9999)}.",
            "Victoria Metrics and Grafana were upgraded to "
            f"{rng.randint(1, 12)}.{rng.randint(1, 40)}.{rng.randint(1, 20)} in May.",
            f"The job copied rows {rng.randint(10**7, 10**8)} to {rng.randint(10**8, 10**9 - 1)} in "
            f"{rng.randint(10, 99)}-{rng.randint(10, 59)}-{rng.randint(10, 59)}.",
            f"Build {luhn_number(rng, _UNLIKE_A_CARD)} of {rng.choice(SERVICES)} took {rng.uniform(1, 900):.2f} s "
            f"on {host(rng)}.",
            "The secret rotates every 30 days and the token is never logged.",
            f"Two of {rng.randint(3, 9)} nodes in euw2-az{rng.randint(1, 3)} refused the certificate that ends on "
            f"{moment(rng):%d %B %Y}.",
        )
    )  # fmt: skip


def line(rng: Random) -> str:
    """A line of a log that some AWS service or a program in a container writes."""
    key, value = rng.choice(facts(rng, 1))
    return rng.choice(
        (
            f"{_stamp(rng)} INFO {rng.choice(SERVICES)} request_id={request_id(rng)} {key}={value} status=200",
            f"REPORT RequestId: {request_id(rng)}\tDuration: {rng.uniform(1, 900):.2f} ms\tBilled Duration: "
            f"{rng.randint(1, 900)} ms\tMemory Size: 1024 MB\tMax Memory Used: {rng.randint(60, 900)} MB",
            f"2 {ACCOUNT} eni-0{chars(rng, HEX, 16)} 10.0.{rng.randint(0, 255)}.{rng.randint(0, 255)} "
            f"198.51.100.{rng.randint(1, 254)} 443 {rng.randint(1024, 65535)} 6 {rng.randint(1, 900)} {size(rng)} "
            f"{epoch(rng)} {epoch(rng)} ACCEPT OK",
            f"I{moment(rng):%m%d %H:%M:%S}.{rng.randint(0, 999_999):06} {rng.randint(1, 99)} "
            f"controller.go:{rng.randint(10, 900)}] synced {identifier(rng)} "
            f"resourceVersion={rng.randint(10**8, 10**9 - 1)}",
            f"[{moment(rng):%d/%b/%Y:%H:%M:%S +0000}] {host(rng)} \"GET /health?build={rng.randint(10**7, 10**8)} "
            f"HTTP/1.1\" 200 {size(rng)} {rng.uniform(0, 3):.3f}",
            f"{millis(rng)} WARN retry {rng.randint(1, 5)} of {arn(rng)} after {rng.randint(10, 900)} ms, "
            f"etag={chars(rng, HEX, 32)}",
            f"{_stamp(rng)} DEBUG offset={luhn_number(rng)} lag={rng.randint(0, 10**6)} "
            f"partition={rng.randint(0, 63)} {sentence(rng)}",
        )
    )  # fmt: skip
