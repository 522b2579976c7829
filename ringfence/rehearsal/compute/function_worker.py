"""Runs one Lambda function's handler in a process of its own; started by ringfence.rehearsal.compute.function_process,
never imported.

Usage: `python -P function_worker.py <module.path.handler> <answer fd>`. Events arrive as JSON lines on stdin, answers
go as JSON lines to the answer fd, and stdout and stderr stay what they are for a function: its log.
"""

from __future__ import annotations

import http.client
import importlib
import json
import os
import resource
import socket
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit


class InTheVpc(http.client.HTTPConnection):
    """A connection to any name of AWS, which the network leads to the local AWS, where nobody holds AWS's certificates.

    What uses botocore is led there by AWS_ENDPOINT_URL instead.
    """

    default_port = http.client.HTTPS_PORT

    def connect(self) -> None:
        """Connect to the local AWS, whatever the name."""
        local = urlsplit(os.environ["AWS_ENDPOINT_URL"])
        self.sock = socket.create_connection((local.hostname, local.port), self.timeout)


class Context:
    """The part of Lambda's context object that powertools and handlers read."""

    def __init__(self, *, request_id: str, deadline_ms: int) -> None:
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = "$LATEST"
        self.memory_limit_in_mb = int(os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"])
        self.invoked_function_arn = os.environ["RINGFENCE_REHEARSAL_FUNCTION_ARN"]
        self.aws_request_id = request_id
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self._deadline_ms = deadline_ms

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the timeout of the template."""
        return max(0, self._deadline_ms - int(time.time() * 1000))


def main() -> None:
    """Import the handler, say so, and answer events until stdin closes."""
    handler_path, answers = sys.argv[1], os.fdopen(int(sys.argv[2]), "w", encoding="utf-8")

    def answer(message: dict[str, Any]) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        answers.write(json.dumps(message) + "\n")
        answers.flush()

    http.client.HTTPSConnection = InTheVpc  # type: ignore[misc, assignment]
    try:
        module, _, name = handler_path.rpartition(".")
        handler = getattr(importlib.import_module(module), name)
    except BaseException as error:
        answer({"failed": f"{type(error).__name__}: {error}"})
        raise
    answer({"ready": True})
    for line in sys.stdin:
        invocation = json.loads(line)
        context = Context(request_id=invocation["request_id"], deadline_ms=invocation["deadline_ms"])
        spent = time.process_time()
        try:
            told = _handled(handler, invocation["event"], context)
        except Exception as error:
            traceback.print_exc()
            told = {"error": {"errorType": type(error).__name__, "errorMessage": str(error)}}
        answer({**told, "processor_seconds": time.process_time() - spent, "memory_mb": _most_memory()})


def _handled(handler: Callable[[Any, Context], Any], event: str, context: Context) -> dict[str, Any]:
    """The payload, or Lambda's error for an event or an answer that is not JSON in UTF-8."""
    try:
        read = json.loads(event)
    except (ValueError, RecursionError) as error:
        return _fault("Runtime.UnmarshalError", f"Unable to unmarshal input: {error}")
    result = handler(read, context)
    try:
        payload = json.dumps(result, ensure_ascii=False)
        payload.encode()
    except (TypeError, ValueError, RecursionError) as error:
        return _fault("Runtime.MarshalError", f"Unable to marshal response: {error}")
    return {"payload": payload}


def _fault(error_type: str, message: str) -> dict[str, Any]:
    return {"error": {"errorType": error_type, "errorMessage": message}}


def _most_memory() -> float:
    """The most memory that this process has had, in MB. On Linux `ru_maxrss` would count its parent's too."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM:"))
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # bytes on macOS


if __name__ == "__main__":
    main()
