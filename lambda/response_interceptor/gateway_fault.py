"""What AgentCore's own errors mean to a caller. Its words name a log that a caller cannot read, and clients do not try
again by themselves."""

from __future__ import annotations

from typing import Any

from callpath.call_record import is_call_id
from callpath.refusal import Refusal

# AgentCore developer guide, "MCP protocol contract", error handling, read 28 November 2026: these come with HTTP 200,
# and of -32005 the guide says that the caller must retry. Both are told before anything has run.
_TRANSIENT = {
    -32003: Refusal(
        "runtime", "throttled", "AWS takes no more calls for this tool just now: wait a few seconds and call again"
    ),
    -32005: Refusal(
        "runtime",
        "session-busy",
        "The tool's session is being started or ended just now: wait a few seconds and call again",
    ),
}
_RUNTIME_FAULT = -32010
# Seen with this code by others: "Runtime initialization time exceeded. Please make sure that initialization completes
# in 30s."
_NOT_STARTED = Refusal(
    "runtime",
    "runtime-not-started",
    "The tool's runtime did not start in time, so nothing has run: call again, and if it stays so, tell your platform "
    "team",
)
RUNTIME_ENDED = "runtime-ended"
_ENDED = Refusal(
    "runtime",
    RUNTIME_ENDED,
    "The tool's runtime failed while it worked; the call may have taken effect, so check before calling again",
)


def gateway_fault(error: Any) -> Refusal | None:
    """Return what an error of the service means, or None for an error of ours or one that has no meaning here."""
    if not isinstance(error, dict) or type(code := error.get("code")) is not int:
        return None
    data = error.get("data")
    if isinstance(data, dict) and is_call_id(data.get("call_id")):
        return None  # an earlier layer of ours refused, and said so better
    if code == _RUNTIME_FAULT:
        return _NOT_STARTED if "initialization" in str(error.get("message")).lower() else _ENDED
    return _TRANSIENT.get(code)
