"""One process with a function's handler imported: an event in, an answer out, as Lambda's execution environment."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ringfence.deployed.functions import DeployedFunction
from ringfence.rehearsal.compute.child_process import ChildProcess
from ringfence.rehearsal.problems import CannotStart

_START_SECONDS = 180.0  # for one that hangs; one that ends is told at once
# A busy laptop is slower than Lambda: a function counts as hung after so many times the template's timeout.
_PATIENCE = 6
# "At 1,769 MB, a function has the equivalent of one vCPU", and less in proportion (Lambda developer guide,
# configuration-memory, read 28 November 2026).
_MB_PER_PROCESSOR = 1769
_WORKER = Path(__file__).with_name("function_worker.py")


class FunctionError(Exception):
    """An invocation failed as Lambda reports it: the handler raised, timed out, or its process died.

    Attributes:
        error_type: `errorType` of the answer.
    """

    def __init__(self, error_type: str, message: str) -> None:
        self.error_type = error_type
        super().__init__(f"{error_type}: {message}")


class FunctionProcess:
    """A started process; `wait` says when it takes events."""

    def __init__(
        self, spec: DeployedFunction, *, folder: Path, environment: Mapping[str, str], on_line: Callable[[str], None]
    ) -> None:
        """Start the process.

        Args:
            environment: the whole environment.
            on_line: called with each line the function prints.
        """
        self._spec = spec
        read_end, write_end = os.pipe()
        try:
            self._child = ChildProcess(
                [str(_WORKER), spec.handler, str(write_end)],
                environment=environment,
                folder=folder,
                on_line=on_line,
                stdin=subprocess.PIPE,
                pass_fds=[write_end],
            )
        finally:
            os.close(write_end)
        self._answers: queue.Queue[dict[str, Any] | None] = queue.Queue()  # None: the process ended
        threading.Thread(target=self._read, args=(read_end,), daemon=True).start()

    @property
    def alive(self) -> bool:
        """Whether it can take another event."""
        return self._child.alive

    def wait(self) -> None:
        """Wait until the handler is imported.

        Raises:
            CannotStart: it does not import, or not in time.
        """
        try:
            first = self._answers.get(timeout=_START_SECONDS)
        except queue.Empty:
            first = None
        if first is None or "ready" not in first:
            cause = (first or {}).get("failed") or self._child.tail or "no answer"
            self.stop()
            raise CannotStart(
                f"the function {self._spec.name} does not start: {cause}",
                "Run `make assets` if its packages changed; else read what its handler imports.",
            )

    def invoke(self, event: str) -> str:
        """Hand over one event and wait for the answer, both as JSON, for _PATIENCE times the template's timeout.

        How long a call takes here is this machine's business. What it would take on Lambda follows from the processor
        time it used and the share of a processor that the function's memory buys: that is held to the timeout.

        Raises:
            FunctionError: the handler raised, used more time or memory than the template gives, or the process died.
        """
        request_id, seconds = str(uuid.uuid4()), self._spec.timeout * _PATIENCE
        deadline_ms = int((time.time() + seconds) * 1000)
        try:
            self._child.write_line(json.dumps({"request_id": request_id, "deadline_ms": deadline_ms, "event": event}))
        except OSError:
            raise FunctionError("Runtime.ExitError", f"RequestId: {request_id} Error: Runtime exited") from None
        try:
            answer = self._answers.get(timeout=seconds)
        except queue.Empty:
            self.stop()
            raise self._timed_out(request_id) from None
        if answer is None:
            self.stop()
            raise FunctionError("Runtime.ExitError", f"RequestId: {request_id} Error: Runtime exited")
        self._hold_to_template(answer, request_id)
        if "error" in answer:
            raise FunctionError(str(answer["error"]["errorType"]), str(answer["error"]["errorMessage"]))
        return str(answer["payload"])

    def _hold_to_template(self, answer: Mapping[str, Any], request_id: str) -> None:
        if answer["memory_mb"] > self._spec.memory:
            self.stop()
            text = f"RequestId: {request_id} Error: Runtime exited with error: signal: killed"
            raise FunctionError("Runtime.OutOfMemory", text)
        share = min(1.0, self._spec.memory / _MB_PER_PROCESSOR)  # a handler runs on one processor, however many it has
        if answer["processor_seconds"] / share > self._spec.timeout:
            self.stop()
            raise self._timed_out(request_id)

    def _timed_out(self, request_id: str) -> FunctionError:
        text = f"RequestId: {request_id} Error: Task timed out after {self._spec.timeout}.00 seconds"
        return FunctionError("Sandbox.Timedout", text)

    def stop(self) -> None:
        """End the process."""
        self._child.stop()

    def _read(self, descriptor: int) -> None:
        with os.fdopen(descriptor, encoding="utf-8") as stream:
            for line in stream:
                self._answers.put(json.loads(line))
        self._answers.put(None)
