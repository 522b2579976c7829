"""Runs the code of the assembly's Lambda functions: their zip, the template's environment, the role's credentials."""

from __future__ import annotations

import json
import os
import queue
import threading
import time
import uuid
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ringfence.assets import local
from ringfence.assets.bytecode.interpreters import compile_at_hand
from ringfence.deployed.functions import DeployedFunction
from ringfence.rehearsal.compute.child_process import base_environment
from ringfence.rehearsal.compute.function_process import FunctionError, FunctionProcess
from ringfence.rehearsal.problems import CannotStart

# Lambda starts an environment per concurrent invocation; on a laptop four are plenty, further invocations queue.
_MOST_PROCESSES = 4
# "For synchronous invocations, the maximum payload size is 6 MB" (Lambda API reference, Invoke). The worse reading is
# AgentCore's: "a 6 MB limit for the request and response combined" (gateway-interceptors-configuration in its guide;
# both read 28 November 2026); and of decimal megabytes, with all text spelt in ASCII.
_PAYLOAD_BYTES = 6_000_000


class Function:
    """One function: as many processes as invocations arrive at once, kept warm."""

    def __init__(
        self,
        spec: DeployedFunction,
        *,
        folder: Path,
        credentials: Mapping[str, str],
        endpoint_url: str,
        log: Callable[[str, str, str], None],
    ) -> None:
        """Unpack the zip and prepare the environment; no process starts yet.

        Args:
            folder: scratch folder of this rehearsal.
            credentials: `AWS_ACCESS_KEY_ID` and the like, for the function's role.
            log: called with (log group, stream, line).
        """
        self.spec = spec
        self._log = log
        self._stream = f"{time.strftime('%Y/%m/%d')}/[$LATEST]{uuid.uuid4().hex}"
        self._code = folder / spec.name
        bundle = spec.handler.partition(".")[0]
        packages = local.packages(bundle)
        # The zip's packages are ARM64's: the same lock installed for this machine comes instead. What is not unpacked
        # need not be removed either, and Ctrl-C ends the sooner.
        installed = {entry.name for entry in packages.iterdir()}
        with zipfile.ZipFile(spec.zip_path) as archive:
            own = [name for name in archive.namelist() if name.partition("/")[0] not in installed]
            archive.extractall(self._code, own)
        for sources in (bundle, "callpath"):
            compile_at_hand(self._code / sources)
        self._environment = {
            **base_environment(),
            **spec.environment,
            **credentials,
            "AWS_ENDPOINT_URL": endpoint_url,
            "AWS_REGION": spec.arn.split(":")[3],
            "AWS_DEFAULT_REGION": spec.arn.split(":")[3],
            "AWS_LAMBDA_FUNCTION_NAME": spec.name,
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory),
            "AWS_LAMBDA_LOG_GROUP_NAME": spec.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": self._stream,
            "RINGFENCE_REHEARSAL_FUNCTION_ARN": spec.arn,
            "PYTHONPATH": os.pathsep.join([str(packages), str(self._code)]),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self._idle: queue.LifoQueue[FunctionProcess] = queue.LifoQueue()
        self._slots = threading.BoundedSemaphore(min(spec.concurrency or _MOST_PROCESSES, _MOST_PROCESSES))
        self._processes: list[FunctionProcess] = []
        self._lock = threading.Lock()
        self._stopped = False

    def warm(self) -> None:
        """Start one process.

        Raises:
            CannotStart: the handler does not import.
        """
        self._idle.put(self._start_process())

    def invoke(self, event: Mapping[str, Any]) -> Any:
        """Invoke the handler; thread safe.

        Raises:
            FunctionError: as Lambda would answer with `FunctionError: Unhandled`.
        """
        sent = json.dumps(event)
        if len(sent) > _PAYLOAD_BYTES:
            raise FunctionError("RequestEntityTooLargeException", f"the event has {len(sent)} bytes; Lambda takes 6 MB")
        with self._slots:
            process = self._borrow()
            try:
                answer = json.loads(process.invoke(sent))
            finally:
                if process.alive:
                    self._idle.put(process)
                else:
                    self._discard(process)
        if len(sent) + len(json.dumps(answer)) > _PAYLOAD_BYTES:
            text = "event and response payload together exceed the maximum allowed payload size (6 MB)"
            raise FunctionError("Function.ResponseSizeTooLarge", text)
        return answer

    def stop(self) -> None:
        """End every process."""
        with self._lock:
            self._stopped = True
            processes, self._processes = self._processes, []
        for process in processes:
            process.stop()

    def _borrow(self) -> FunctionProcess:
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            return self._start_process()

    def _discard(self, process: FunctionProcess) -> None:
        with self._lock:
            if process in self._processes:
                self._processes.remove(process)
        process.stop()

    def _start_process(self) -> FunctionProcess:
        with self._lock:  # held while it starts, so that `stop` either prevents it or finds it
            if self._stopped:
                raise CannotStart(f"the function {self.spec.name} was stopped", "Start the rehearsal again.")
            process = FunctionProcess(
                self.spec,
                folder=self._code,
                environment=self._environment,
                on_line=lambda line: self._log(self.spec.log_group, self._stream, line),
            )
            self._processes.append(process)
        process.wait()
        return process
