"""What the rehearsal alone cannot do, told in its own name and not in AWS's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ringfence.rehearsal.aws.authorization.record import AwsCall

_CODES = frozenset(
    {"NotImplemented", "UndecidablePolicy", "UnknownOperationException", "UnknownService", "UnmappedResource"}
)


def is_gap(call: AwsCall) -> bool:
    """Whether the local AWS refused a request, or a part of it, because it does not emulate it."""
    return call.error_code in _CODES or "not emulated" in str(call.event.get("errorMessage", ""))


def with_gaps(body: Any, calls: Iterable[AwsCall]) -> Any:
    """A JSON-RPC answer with a sentence behind its result for each request that the local AWS does not emulate.

    Args:
        body: the answer, as the response interceptor shows it.
        calls: the requests to AWS of this call.
    """
    asked = sorted({call.call for call in calls if is_gap(call)})
    result = body.get("result") if isinstance(body, dict) else None
    if not asked or not isinstance(result, dict) or not isinstance(result.get("content"), list):
        return body
    note = f"Note by the rehearsal: it does not emulate this use of {', '.join(asked)}; AWS would answer."
    return {**body, "result": {**result, "content": [*result["content"], {"type": "text", "text": note}]}}
