"""A synthesised department, running: local AWS, functions, runtimes, pool and gateways, wired as the templates say."""

from __future__ import annotations

import json
import shutil
import socket
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any

from assurance.assembly import Assembly
from rehearsal.authorizer import Authorizer
from rehearsal.aws import LocalAws
from rehearsal.coverage import NOT_EMULATED, check_read, check_types
from rehearsal.custom_resources import make
from rehearsal.function_spec import FunctionSpec
from rehearsal.functions import Function
from rehearsal.gateway import Gateway
from rehearsal.gateway_http import GatewayServer, take_port
from rehearsal.gateway_spec import GatewaySpec, read_gateways
from rehearsal.identity import UserPool
from rehearsal.identity_server import IdentityServer
from rehearsal.permissions import AGENTCORE, LAMBDA, Permissions
from rehearsal.problems import CannotStart
from rehearsal.runtimes import Runtime, RuntimeSpec

Progress = Callable[[str], None]


class RunningDepartment:
    """Starts everything, and ends everything it started. Use as a context manager.

    Attributes:
        name: the department's name, from its stacks' names.
        emulated: the resource types that were read, once it has started.
        not_emulated: what is not emulated, in words.
        aws: the local AWS.
        permissions: the service-side decisions.
        functions: Lambda functions by ARN.
        runtimes: AgentCore runtimes by ARN.
        pool: the user pool.
        gateways: gateway servers by persona.
        runtime_log_groups: AgentCore's log groups as the department's custom resources left them.
    """

    def __init__(
        self,
        assembly: Assembly,
        *,
        port: int = 0,
        sign_in: Callable[[str], str | None],
        progress: Progress,
        tamper: Callable[[Path], object] | None = None,
    ) -> None:
        """Read the assembly; nothing starts yet.

        Args:
            assembly: what to run.
            port: port of the first gateway; 0 takes a free one.
            sign_in: gives an access token for a name, for whoever connects a client of their own.
            progress: told about each step.
            tamper: called with the unpacked code of each runtime before it starts, for an attack.

        Raises:
            CannotStart: the assembly is not one department, or holds something unknown.
        """
        self.assembly = assembly
        self.name = _department_name(assembly)
        check_types(assembly)
        self.emulated: tuple[str, ...] = ()
        self.not_emulated = tuple(NOT_EMULATED)
        self.permissions = Permissions(assembly)
        self.functions: dict[str, Function] = {}
        self.runtimes: dict[str, Runtime] = {}
        self.gateways: dict[str, GatewayServer] = {}
        self._function_specs = [FunctionSpec.read(item, assembly) for item in assembly.of_type("AWS::Lambda::Function")]
        self._runtime_specs = [
            RuntimeSpec.read(item, assembly) for item in assembly.of_type("AWS::BedrockAgentCore::Runtime")
        ]
        self._gateway_specs = read_gateways(assembly)
        if not self._gateway_specs:
            raise CannotStart("the assembly holds no gateway", "Give the department at least one persona.")
        self._port = port
        self._sign_in = sign_in
        self._progress = progress
        self._tamper = tamper
        self._folder: Path | None = None
        self._stops: list[Callable[[], None]] = []
        self._stopped = False
        self._ports: list[socket.socket] = []  # taken, not yet served
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(8, thread_name_prefix="start")

    def __enter__(self) -> RunningDepartment:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def folder(self) -> Path:
        """Scratch folder; gone after `stop`."""
        if self._folder is None:
            raise RuntimeError("the department has not been started")
        return self._folder

    def start_runtime(
        self,
        spec: RuntimeSpec,
        *,
        folder: str,
        server_packages: Path | None = None,
        tamper: Callable[[Path], object] | None = None,
    ) -> Runtime:
        """Start a runtime's process; `Runtime.wait` says when it serves.

        Args:
            spec: the template's description.
            folder: name of its folder in the scratch folder.
            server_packages: packages of the MCP server instead of the locked ones, for an attack.
            tamper: called with the unpacked code before it starts, to show what holds when a layer does not.
        """
        self.permissions.check_trust(spec.role_arn, service=AGENTCORE, source_arn=spec.arn)
        runtime = Runtime(
            spec,
            folder=self.folder / folder,
            credentials=self._credentials(spec.role_arn, spec.name),
            endpoint_url=self.aws.endpoint_url,
            log=self._log,
            server_packages=server_packages,
            tamper=tamper or self._tamper,
        )
        self._will_stop(runtime.stop)
        return runtime

    def stop(self) -> None:
        """End everything, all at once; may be called twice."""
        with self._lock:
            self._stopped = True
            stops, self._stops = self._stops, []
        # Each on a thread of its own: a child may take seconds to end, and a second Ctrl-C must not leave the others.
        threads = [threading.Thread(target=self._stop_one, args=(stop,)) for stop in reversed(stops)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        # Whatever was still starting finds itself stopped; only then is the folder nobody's.
        self._pool.shutdown(cancel_futures=True)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _stop_one(self, stop: Callable[[], None]) -> None:
        try:
            stop()
        except Exception as error:  # the rest must still be stopped
            self._progress(f"could not stop cleanly: {type(error).__name__}: {error}")

    def _will_stop(self, stop: Callable[[], None]) -> None:
        """Remember how to end something that was started; ends it at once when the department has been stopped."""
        with self._lock:
            if not self._stopped:
                self._stops.append(stop)
                return
        stop()
        raise CannotStart("the department was stopped while it started", "Start the rehearsal again.")

    def _start(self) -> None:
        # Ports first: a taken one should be told at once, not after everything else has started.
        self._will_stop(self._close_ports)
        for index in range(len(self._gateway_specs)):
            self._ports.append(take_port(self._port + index if self._port else 0))
        self._folder = Path(tempfile.mkdtemp(prefix="ringfence-rehearsal-"))
        self._start_aws()
        started = time.monotonic()
        # On threads, where no Ctrl-C can come between a process's start and its entry among those to stop.
        # The runtimes first: the servers inside take longest, and wait for nothing else.
        runtimes = [self._pool.submit(self.start_runtime, spec, folder=spec.name) for spec in self._runtime_specs]
        functions = [self._pool.submit(self._start_function, spec) for spec in self._function_specs]
        self.runtimes = {runtime.spec.arn: runtime for runtime in (future.result() for future in runtimes)}
        self.functions = {function.spec.arn: function for function in (future.result() for future in functions)}
        self._progress(f"{len(self.functions)} functions warm after {time.monotonic() - started:.1f} s")
        self.runtime_log_groups = make(self.assembly, functions=self.functions, aws=self.aws)
        self._progress(f"{len(self.runtime_log_groups)} log groups of AgentCore kept or made")
        self._start_identity()
        for waiting in [self._pool.submit(self._wait, runtime, started) for runtime in self.runtimes.values()]:
            waiting.result()
        for spec in self._gateway_specs:
            self._start_gateway(spec)
        self.emulated = check_read(self.assembly)

    def _close_ports(self) -> None:
        while self._ports:
            self._ports.pop().close()

    def _start_aws(self) -> None:
        started = time.monotonic()
        self.aws = LocalAws(self.assembly)
        self._will_stop(self.aws.stop)
        self.aws.start()
        self._progress(f"local AWS at {self.aws.endpoint_url} after {time.monotonic() - started:.1f} s")

    def _start_function(self, spec: FunctionSpec) -> Function:
        self.permissions.check_trust(spec.role_arn, service=LAMBDA, source_arn=spec.arn)
        function = Function(
            spec,
            folder=self.folder,
            credentials=self._credentials(spec.role_arn, spec.name),
            endpoint_url=self.aws.endpoint_url,
            log=self._log,
        )
        self._will_stop(function.stop)
        function.warm()
        return function

    def _start_identity(self) -> None:
        self.pool = UserPool(self.assembly, functions=self.functions)
        self.identity = IdentityServer(self.pool, sign_in=self._sign_in)
        self._will_stop(self.identity.stop)

    def _wait(self, runtime: Runtime, started: float) -> None:
        runtime.wait()
        self._progress(f"runtime {runtime.spec.name} serves after {time.monotonic() - started:.1f} s")

    def _start_gateway(self, spec: GatewaySpec) -> None:
        gateway = Gateway(
            spec,
            authorizer=Authorizer(spec.authorizer, fetch=self._fetch),
            functions=self.functions,
            runtimes=self.runtimes,
            permissions=self.permissions,
        )
        server = GatewayServer(gateway, bound=self._ports.pop(0))  # from here on the server closes it
        self._will_stop(server.stop)
        self.gateways[spec.persona] = server
        self._progress(f"gateway {spec.name} at {server.url}")

    def _fetch(self, url: str) -> Mapping[str, Any]:
        with urllib.request.urlopen(self.identity.local_url(url), timeout=60) as response:  # noqa: S310 - loopback
            document: Mapping[str, Any] = json.load(response)
        return document

    def _credentials(self, role_arn: str, session_name: str) -> Mapping[str, str]:
        issued = self.aws.issue_credentials(role_arn, session_name)
        return {
            "AWS_ACCESS_KEY_ID": issued["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": issued["SecretAccessKey"],
            "AWS_SESSION_TOKEN": issued["SessionToken"],
        }

    def _log(self, group: str, stream: str, line: str) -> None:
        self.aws.put_log_event(group, stream, line)


def _department_name(assembly: Assembly) -> str:
    names = {stack.removeprefix("ringfence-").rpartition("-")[0] for stack in assembly.stacks}
    if len(names) != 1 or not all(stack.startswith("ringfence-") for stack in assembly.stacks):
        raise CannotStart(
            f"the assembly holds the stacks {', '.join(sorted(assembly.stacks))}, not those of one department",
            "Synthesise one department: cdk synth -c department=NAME.",
        )
    return names.pop()
