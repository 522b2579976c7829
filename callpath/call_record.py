"""The call record: three halves joined by the call id, written before anyone is answered.

A record holds names, digests, sizes and counts. Argument values and results are never in it, which is why it may be
kept for two years.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from callpath.digest import canonical_digest
from callpath.refusal import OUTCOMES

RECORD = "ringfence.call"
VERSION = 1
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PLAIN = re.compile(r"[\x21-\x7e]{1,128}")
UNDECLARED = "(undeclared)"


def new_call_id() -> str:
    """Return a call id: 26 characters that sort by time (a ULID), fit for an STS role session name."""
    number = time.time_ns() // 1_000_000 << 80 | secrets.randbits(80)
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -5, -5))


def is_call_id(text: object) -> bool:
    """Say whether something has the shape of a call id."""
    return isinstance(text, str) and len(text) == 26 and set(text) <= set(_ALPHABET)


@dataclass(frozen=True, kw_only=True)
class ArgumentSummary:
    """What a record may say about the arguments of a call.

    Attributes:
        sha256: digest of the arguments; None when they could not be read.
        names: names of the arguments, sorted; a name the tool does not declare becomes `(undeclared)`, because a
            caller can put data into a name.
        size: bytes of the canonical form; None when they could not be read.
    """

    sha256: str | None = None
    names: tuple[str, ...] = ()
    size: int | None = None


def summarise_arguments(arguments: object, *, declared: Collection[str]) -> ArgumentSummary:
    """Return the summary of any arguments, however malformed."""
    names: tuple[str, ...] = ()
    if isinstance(arguments, dict):
        names = tuple(sorted({name if name in declared else UNDECLARED for name in arguments}))
    sha256, size = canonical_digest(arguments)
    return ArgumentSummary(sha256=sha256, names=names, size=size)


def request_record(
    *,
    call_id: str,
    department: str,
    persona: str,
    policy_version: str,
    outcome: str,
    staff_id: str | None = None,
    client_id: str | None = None,
    token_id: str | None = None,
    session: str | None = None,
    method: str | None = None,
    server: str | None = None,
    tool: str | None = None,
    level: str | None = None,
    arguments: ArgumentSummary | None = None,
    layer: str | None = None,
    rule: str | None = None,
    request_sha256: str | None = None,
    now: float | None = None,
) -> dict[str, object]:
    """Return the first half of a call record: what was asked, by whom, and what the request interceptor decided."""
    arguments = arguments or ArgumentSummary()
    return {
        **_opening("request", call_id, now),
        "department": department,
        "persona": persona,
        "staff_id": plain(staff_id),
        "client_id": plain(client_id),
        "token_id": plain(token_id),
        "session": plain(session),
        "method": plain(method),
        "server": server,
        "tool": plain(tool),
        "level": level,
        "arguments_sha256": arguments.sha256,
        "argument_names": list(arguments.names),
        "argument_bytes": arguments.size,
        "request_sha256": request_sha256,
        **_verdict(outcome, layer, rule),
        "policy_version": policy_version,
    }


def response_record(
    *,
    call_id: str,
    department: str,
    persona: str,
    policy_version: str,
    outcome: str,
    method: str | None = None,
    server: str | None = None,
    tool: str | None = None,
    level: str | None = None,
    layer: str | None = None,
    rule: str | None = None,
    result_sha256: str | None = None,
    result_bytes: int | None = None,
    is_error: bool = False,
    redactions: Mapping[str, int] | None = None,
    neutralised: int = 0,
    dropped: int = 0,
    differs: int = 0,
    truncated: bool = False,
    derived: bool = False,
    request_sha256: str | None = None,
    now: float | None = None,
) -> dict[str, object]:
    """Return the second half: what came back, and what was taken out of it.

    Args:
        call_id: the call.
        department: the department's name.
        persona: the persona's name.
        policy_version: version of the rules that were applied.
        outcome: one of `callpath.refusal.OUTCOMES`.
        method: the MCP method that is being answered.
        server: the server's name.
        tool: the tool's bare name.
        level: the tool's level.
        layer: who refused, if anyone did.
        rule: why.
        result_sha256: digest of the result as the caller receives it.
        result_bytes: size of the result as the caller receives it.
        is_error: the result is an error.
        redactions: number of values replaced, by label.
        neutralised: number of hidden characters and links made harmless.
        dropped: number of tools, content parts or keys left out.
        differs: number of listed tools whose schema came back otherwise than it was published; the lock's is shown.
        truncated: the result was cut to the size cap.
        derived: the gateway lost the request interceptor's refusal, which was found again in the request; the request's
            half has another call id.
        request_sha256: digest of the request where no answer came back, and with it no call id: the request's half has
            the same.
        now: seconds since 1970; the present when left out.
    """
    return {
        **_opening("response", call_id, now),
        "department": department,
        "persona": persona,
        "method": plain(method),
        "server": server,
        "tool": plain(tool),
        "level": level,
        **_verdict(outcome, layer, rule),
        "policy_version": policy_version,
        "result_sha256": result_sha256,
        "result_bytes": result_bytes,
        "is_error": is_error,
        "redactions": dict(sorted((redactions or {}).items())),
        "neutralised": neutralised,
        "dropped": dropped,
        "differs": differs,
        "truncated": truncated,
        "derived": derived,
        "request_sha256": request_sha256,
    }


def runtime_record(
    *,
    call_id: str,
    department: str,
    persona: str,
    outcome: str,
    staff_id: str | None = None,
    server: str | None = None,
    tool: str | None = None,
    level: str | None = None,
    arguments_sha256: str | None = None,
    layer: str | None = None,
    rule: str | None = None,
    aws_role_session: str | None = None,
    cause_code: str | None = None,
    cause_operation: str | None = None,
    latency_ms: int | None = None,
    now: float | None = None,
) -> dict[str, object]:
    """Return what the runtime saw: the role session the call ran in, and AWS's own reason if AWS refused."""
    cause = {"code": plain(cause_code), "operation": plain(cause_operation)}
    return {
        **_opening("runtime", call_id, now),
        "department": department,
        "persona": persona,
        "staff_id": plain(staff_id),
        "server": server,
        "tool": plain(tool),
        "level": level,
        "arguments_sha256": arguments_sha256,
        **_verdict(outcome, layer, rule),
        "aws_role_session": plain(aws_role_session),
        "cause": cause if cause_code else None,
        "latency_ms": latency_ms,
    }


def plain(text: object) -> str | None:
    """Return text that is safe in a record (1 to 128 visible ASCII characters), or None for anything else."""
    return text if isinstance(text, str) and _PLAIN.fullmatch(text) else None


def _opening(half: str, call_id: str, now: float | None) -> dict[str, object]:
    moment = datetime.now(UTC) if now is None else datetime.fromtimestamp(now, UTC)
    return {
        "record": RECORD,
        "version": VERSION,
        "half": half,
        "call_id": call_id,
        "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }


def _verdict(outcome: str, layer: str | None, rule: str | None) -> dict[str, object]:
    if outcome not in OUTCOMES:
        raise ValueError(f"outcome is {outcome!r}; use one of {', '.join(OUTCOMES)}")
    return {"outcome": outcome, "layer": layer, "rule": rule}
