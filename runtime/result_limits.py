"""What of a server's answer the way back to the caller can carry.

Behind the host stand a gateway and the response interceptor, a Lambda function. "Lambda synchronous invocation has a 6
MB limit for the request and response combined" (AgentCore developer guide, gateway-interceptors-configuration, read 28
November 2026), and what the gateway shows when its interceptor cannot be invoked is not documented. So nothing leaves
the host that could be too large for the interceptor, or that its JSON reader would refuse.
"""

from __future__ import annotations

import json
from typing import Any

from callpath.json_limits import DEEPEST_RESULT, deeper_than
from callpath.refusal import Refusal

LARGEST_RESULT = 2_000_000
"""Bytes of JSON in ASCII, the longest of its spellings. With the request (128 KiB, twice in the event, at most three
times as long in ASCII) and what the interceptor answers (1 MiB, likewise) this is below six million."""

_LEFT_OUT = "[left out: structured content, with which the answer would be too large]"


def carried(result: dict[str, Any], *, server: str, tool: str) -> dict[str, Any]:
    """Return the result as it may go on: without its structured content if it is too large with it, since text repeats
    that, and without halves of surrogate pairs, which not every JSON reader takes.

    Raises:
        Refusal: rule `result-too-large`; or `server-error` for one that is not JSON that all read alike.
    """
    if deeper_than(result, DEEPEST_RESULT):
        raise Refusal(
            "server", "server-error", f"The {server} server's answer to {tool} is nested too deeply to be read"
        )
    written = _written(result, server=server, tool=tool)
    if len(written) > LARGEST_RESULT and result.get("structuredContent") is not None and result.get("content"):
        result = {name: value for name, value in result.items() if name != "structuredContent"}
        result["content"] = [*result["content"], {"type": "text", "text": _LEFT_OUT}]
        written = _written(result, server=server, tool=tool)
    if len(written) > LARGEST_RESULT:
        raise Refusal(
            "server",
            "result-too-large",
            f"The {server} server's answer to {tool} is larger than {LARGEST_RESULT} bytes and is not shown; the call "
            "itself was made: ask for less, for example a shorter time or fewer items",
        )
    if "\\ud" in written:
        whole: dict[str, Any] = json.loads(json.dumps(result, ensure_ascii=False).encode("utf-8", "replace"))
        return whole
    return result


def _written(result: dict[str, Any], *, server: str, tool: str) -> str:
    try:
        return json.dumps(result, separators=(",", ":"), allow_nan=False)
    except ValueError:
        raise Refusal(
            "server", "server-error", f"The {server} server's answer to {tool} holds a number that JSON does not have"
        ) from None
