"""Runs the code of the assembly's Lambda functions: their zip, the template's environment, the role's credentials."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
import uuid
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assets import local
from assurance.assembly import Assembly, Resource
from rehearsal.child_process import ChildProcess, base_environment
from rehearsal.problems import CannotStart, NotEmulated
from rehearsal.properties import Properties

_START_SECONDS = 30.0
# Lambda starts an environment per concurrent invocation; on a laptop four are plenty, further invocations queue.
_MOST_WORKERS = 4
_EVENT_LIMIT_BYTES = 6 * 1024 * 1024  # Lambda's limit for a synchronous request and for its response


class FunctionError(Exception):
    """An invocation failed as Lambda reports it: the handler raised, timed out, or its process died.

    Attributes:
        error_type: `errorType` of the answer.
    """

    def __init__(self, error_type: str, message: str) -> None:
        self.error_type = error_type
        super().__init__(f"{error_type}: {message}")


@dataclass(frozen=True)
class FunctionSpec:
    """What the template says about a function, as far as it matters on loopback.

    Attributes:
        timeout: seconds.
        memory: MB, told to the handler, not enforced.
        concurrency: reserved concurrent executions, or None.
    """

    logical_id: str
    arn: str
    name: str
    handler: str
    role_arn: str
    log_group: str
    environment: Mapping[str, str]
    timeout: int
    memory: int
    concurrency: int | None
    zip_path: Path

    @classmethod
    def read(cls, resource: Resource, assembly: Assembly) -> FunctionSpec:
        """Read a function's properties.

        Raises:
            NotEmulated: a property, or a value, that the rehearsal cannot honour.
        """
        properties = Properties(resource)
        code = properties.block("Code")
        code.without_effect("S3Bucket")
        archive = assembly.asset(code.text("S3Key"))
        code.done()
        logging = properties.block("LoggingConfig") if "LoggingConfig" in properties else None
        arn = resource.arn
        name = arn.rpartition(":")[2]
        log_group = f"/aws/lambda/{name}"
        if logging is not None:
            log_group = logging.text("LogGroup", log_group)
            logging.without_effect("LogFormat", "ApplicationLogLevel", "SystemLogLevel")
            logging.done()
        environment = properties.take("Environment", {"Variables": {}})
        if not properties.text("Runtime").startswith("python3."):
            raise properties.refuse("Runtime", "is not Python")
        properties.one_of("PackageType", ["Zip"], "Zip")
        spec = cls(
            logical_id=resource.logical_id,
            arn=arn,
            name=name,
            handler=properties.text("Handler"),
            role_arn=properties.text("Role"),
            log_group=log_group,
            environment={key: str(value) for key, value in environment["Variables"].items()},
            timeout=properties.number("Timeout", 3),
            memory=properties.number("MemorySize", 128),
            concurrency=int(concurrency)
            if (concurrency := properties.take("ReservedConcurrentExecutions", None))
            else None,
            zip_path=archive,
        )
        properties.without_effect(
            "FunctionName", "Description", "Architectures", "KmsKeyArn", "VpcConfig", "Tags", "TracingConfig",
            "RecursiveLoop", "RuntimeManagementConfig", "CodeSigningConfigArn", "SnapStart", "EphemeralStorage",
            "DeadLetterConfig",
        )  # fmt: skip
        properties.done()
        return spec


class Function:
    """One function: as many worker processes as invocations arrive at once, kept warm."""

    def __init__(
        self,
        spec: FunctionSpec,
        *,
        folder: Path,
        credentials: Mapping[str, str],
        endpoint_url: str,
        log: Callable[[str, str, str], None],
    ) -> None:
        """Unpack the zip and prepare the environment; no process starts yet.

        Args:
            spec: the template's description.
            folder: scratch folder of this rehearsal.
            credentials: `AWS_ACCESS_KEY_ID` and the like, for the function's role.
            endpoint_url: the local AWS.
            log: called with (log group, stream, line).
        """
        self.spec = spec
        self._log = log
        self._stream = f"{time.strftime('%Y/%m/%d')}/[$LATEST]{uuid.uuid4().hex}"
        self._code = folder / spec.name
        _unpack(spec.zip_path, self._code)
        bundle = spec.handler.partition(".")[0]
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
            # The zip holds ARM64 libraries; the same lock installed for this machine goes before them.
            "PYTHONPATH": os.pathsep.join([str(_local_packages(bundle)), str(self._code)]),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self._idle: queue.LifoQueue[_Worker] = queue.LifoQueue()
        self._slots = threading.BoundedSemaphore(min(spec.concurrency or _MOST_WORKERS, _MOST_WORKERS))
        self._workers: list[_Worker] = []
        self._lock = threading.Lock()
        self._stopped = False

    def warm(self) -> None:
        """Start one worker.

        Raises:
            CannotStart: the handler does not import.
        """
        self._idle.put(self._start_worker())

    def invoke(self, event: Mapping[str, Any]) -> Any:
        """Invoke the handler; thread safe.

        Raises:
            FunctionError: as Lambda would answer with `FunctionError: Unhandled`.
        """
        line = json.dumps(event)
        if len(line) > _EVENT_LIMIT_BYTES:
            raise FunctionError(
                "RequestEntityTooLargeException", f"the event has {len(line)} bytes; Lambda takes 6 MiB"
            )
        with self._slots:
            worker = self._borrow()
            try:
                return worker.invoke(line, timeout=self.spec.timeout)
            finally:
                if worker.alive:
                    self._idle.put(worker)
                else:
                    self._discard(worker)

    def stop(self) -> None:
        """End every worker."""
        with self._lock:
            self._stopped = True
            workers, self._workers = self._workers, []
        for worker in workers:
            worker.stop()

    def _borrow(self) -> _Worker:
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            return self._start_worker()

    def _discard(self, worker: _Worker) -> None:
        with self._lock:
            if worker in self._workers:
                self._workers.remove(worker)
        worker.stop()

    def _start_worker(self) -> _Worker:
        worker = _Worker(self)
        with self._lock:
            if not self._stopped:
                self._workers.append(worker)
                return worker
        worker.stop()
        raise CannotStart(f"the function {self.spec.name} was stopped", "Start the rehearsal again.")


class _Worker:
    """One process with the handler imported."""

    def __init__(self, function: Function) -> None:
        self._name = function.spec.name
        read_end, write_end = os.pipe()
        group, stream, log = function.spec.log_group, function._stream, function._log
        try:
            self._child = ChildProcess(
                [
                    sys.executable,
                    "-P",
                    str(Path(__file__).with_name("function_worker.py")),
                    function.spec.handler,
                    str(write_end),
                ],
                environment=function._environment,
                folder=function._code,
                on_line=lambda line: log(group, stream, line),
                stdin=subprocess.PIPE,
                pass_fds=[write_end],
            )
        finally:
            os.close(write_end)
        self._answers: queue.Queue[dict[str, Any] | None] = queue.Queue()
        threading.Thread(target=self._read, args=(read_end,), daemon=True).start()
        first = self._answer(_START_SECONDS)
        if not first or not first.get("ready"):
            cause = (first or {}).get("failed") or self._child.tail or "no answer"
            self.stop()
            raise CannotStart(
                f"the function {self._name} does not start: {cause}",
                "Run `make assets` if its packages changed; else read its handler's import.",
            )

    @property
    def alive(self) -> bool:
        """Whether it can take another event."""
        return self._child.alive

    def invoke(self, line: str, *, timeout: int) -> Any:
        """Hand over one event and wait for the answer."""
        request_id = str(uuid.uuid4())
        invocation = {
            "request_id": request_id,
            "deadline_ms": int((time.time() + timeout) * 1000),
            "event": json.loads(line),
        }
        try:
            self._child.write_line(json.dumps(invocation))
        except OSError:
            raise FunctionError("Runtime.ExitError", f"RequestId: {request_id} Error: Runtime exited") from None
        answer = self._answer(timeout)
        if answer is None:
            was_alive = self.alive
            self.stop()
            if was_alive:
                raise FunctionError(
                    "Sandbox.Timedout", f"RequestId: {request_id} Error: Task timed out after {timeout}.00 seconds"
                )
            raise FunctionError("Runtime.ExitError", f"RequestId: {request_id} Error: Runtime exited")
        if "error" in answer:
            raise FunctionError(str(answer["error"]["errorType"]), str(answer["error"]["errorMessage"]))
        return answer["result"]

    def stop(self) -> None:
        """End the process."""
        self._child.stop()

    def _answer(self, seconds: float) -> dict[str, Any] | None:
        try:
            return self._answers.get(timeout=seconds)
        except queue.Empty:
            return None

    def _read(self, descriptor: int) -> None:
        with os.fdopen(descriptor, encoding="utf-8") as stream:
            for line in stream:
                self._answers.put(json.loads(line))
        self._answers.put(None)


def _local_packages(bundle: str) -> Path:
    try:
        return local.packages(bundle)
    except KeyError:
        raise CannotStart(f"no packages are known for the function code {bundle}", "Run `make assets`.") from None


def _unpack(archive: Path, folder: Path) -> None:
    if not archive.is_file():
        raise CannotStart(f"the asset {archive.name} is missing", "Run `make synth`, which builds it.")
    try:
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(folder)
    except zipfile.BadZipFile:
        raise CannotStart(f"the asset {archive.name} is not a zip", "Run `make clean synth`.") from None


__all__ = ["Function", "FunctionError", "FunctionSpec", "NotEmulated"]
