"""What AWS and the services on it print that is nobody's: identifiers, times, sizes, names of machines."""

from __future__ import annotations

import base64
from random import Random
from typing import Final

from tests.redaction_corpus.second.credentials import HEX, WORD, some

ACCOUNT: Final = "111122223333"
REGION: Final = "eu-west-2"
SERVICES: Final = (
    "claims-api payments-worker eligibility-svc letter-render case-store notify-gateway address-lookup licence-check "
    "passport-renewal-api vehicle-tax-svc birth-register session-cache account-linker password-reset-api"
).split()
_LOWER: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
_POD: Final = "bcdfghjklmnpqrstvwxz2456789"


def uuid(rng: Random) -> str:
    """Version 4."""
    text = some(rng, 32, HEX)
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{rng.choice('89ab')}{text[17:20]}-{text[20:]}"


def seconds(rng: Random) -> int:
    """Since 1970, in 2026."""
    return rng.randint(1767225600, 1795910400)


def millis(rng: Random) -> int:
    """Since 1970, in 2026."""
    return seconds(rng) * 1000 + rng.randint(0, 999)


def iso(rng: Random, fraction: bool = True) -> str:
    """A time of 2026 as logs have it."""
    day = f"2026-{rng.randint(1, 11):02}-{rng.randint(1, 28):02}"
    clock = f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}:{rng.randint(0, 59):02}"
    return f"{day}T{clock}.{rng.randint(0, 999):03}Z" if fraction else f"{day}T{clock}Z"


def stamp(rng: Random) -> str:
    """A time of 2026 with a space, as Logs Insights has it."""
    return iso(rng)[:-1].replace("T", " ")


def inside(rng: Random) -> str:
    """An address of a machine in a private network."""
    return f"10.{rng.randint(0, 120)}.{rng.randint(0, 255)}.{rng.randint(4, 250)}"


def outside(rng: Random) -> str:
    """An address of a documentation network."""
    return f"{rng.choice(('192.0.2', '198.51.100', '203.0.113'))}.{rng.randint(1, 254)}"


def node(rng: Random) -> str:
    """The private DNS name of an instance."""
    return f"ip-{inside(rng).replace('.', '-')}.{REGION}.compute.internal"


def pod(rng: Random, service: str = "") -> str:
    """A pod of a deployment."""
    return f"{service or rng.choice(SERVICES)}-{some(rng, 9, HEX)}-{some(rng, 5, _POD)}"


def resource(rng: Random, prefix: str) -> str:
    """An EC2 identifier: i, vpc, subnet, eni, sg, vol, ami."""
    return f"{prefix}-0{some(rng, 16, HEX)}"


def digest(rng: Random) -> str:
    """Of an image."""
    return f"sha256:{some(rng, 64, HEX)}"


def base64_of(rng: Random, count: int) -> str:
    """Bytes by chance: a page's token, a request's second identifier."""
    return base64.b64encode(rng.randbytes(count)).decode()


def trace(rng: Random) -> str:
    """Of X-Ray."""
    return f"1-{some(rng, 8, HEX)}-{some(rng, 24, HEX)}"


def stream(rng: Random) -> str:
    """A log stream of a function."""
    return f"2026/{rng.randint(1, 11):02}/{rng.randint(1, 28):02}/[$LATEST]{some(rng, 32, HEX)}"


def role(rng: Random) -> str:
    """The ARN of an assumed role's session."""
    return f"arn:aws:sts::{ACCOUNT}:assumed-role/{rng.choice(SERVICES)}-role/{rng.choice(SERVICES)}"


def principal(rng: Random) -> str:
    """A role's unique identifier with a session's name."""
    return f"AROA{some(rng, 17, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')}:{rng.choice(SERVICES)}"


def version(rng: Random) -> str:
    """Of a program."""
    return f"{rng.randint(0, 12)}.{rng.randint(0, 40)}.{rng.randint(0, 30)}"


def object_version(rng: Random) -> str:
    """Of an object in a bucket."""
    return some(rng, 32, WORD + "._")


def head(rng: Random) -> str:
    """The beginning of a log line, in one of several manners."""
    service, level = rng.choice(SERVICES), rng.choice(("INFO", "INFO", "WARN", "ERROR", "DEBUG"))
    return rng.choice(
        (
            f"{iso(rng)} {level} [{service},{some(rng, 32, HEX)},{some(rng, 16, HEX)}] {rng.randint(1, 99)} ---",
            f"{iso(rng)}\t{uuid(rng)}\t{level}\t",
            f"[{level}]\t{iso(rng)}\t{uuid(rng)}\t",
            (
                f"{stamp(rng).replace('.', ',')} {level:5} [http-nio-8080-exec-{rng.randint(1, 40)}] "
                f"u.g.{service}.Handler:"
            ),
            (
                f"{level[0]}{rng.randint(1, 11):02}{rng.randint(1, 28):02} "
                f"{iso(rng)[11:-1]}{rng.randint(100, 999)}       1 handler.go:{rng.randint(20, 900)}]"
            ),
            f"time={iso(rng)} level={level.lower()} svc={service} trace_id={some(rng, 32, HEX)}",
            f"{service} | {stamp(rng)} {level}:",
        )
    )


def quiet_lines(rng: Random, count: int) -> list[str]:
    """Log lines without any value."""
    lines = (
        lambda: (
            f"{head(rng)} request completed status=200 duration_ms={rng.randint(1, 9000)} "
            f"bytes={rng.randint(90, 99999)}"
        ),
        lambda: f"{head(rng)} polled queue, {rng.randint(0, 10)} messages, next poll in {rng.randint(1, 20)}s",
        lambda: f"START RequestId: {uuid(rng)} Version: $LATEST",
        lambda: (
            f"REPORT RequestId: {uuid(rng)}\tDuration: {rng.randint(1, 9000)}.{rng.randint(10, 99)} ms\t"
            f"Billed Duration: {rng.randint(1, 9000)} ms\tMemory Size: 512 MB\tMax Memory Used: "
            f"{rng.randint(60, 500)} MB"
        ),
        lambda: f"{head(rng)} cache hit ratio 0.{rng.randint(10, 99)} keys={rng.randint(1000, 9999999)}",
        lambda: (
            f"{head(rng)} connected to {inside(rng)}:{rng.choice((5432, 6379, 8080, 9092))} in {rng.randint(1, 90)} ms"
        ),
    )
    return [rng.choice(lines)() for _ in range(count)]
