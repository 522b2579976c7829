"""A synthesised department, running: local AWS, functions, runtimes, pool and gateways, wired as the templates say."""

from __future__ import annotations

import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

from ringfence.deployed.department import DeployedDepartment
from ringfence.deployed.functions import DeployedFunction
from ringfence.deployed.gateways import DeployedGateway
from ringfence.deployed.runtimes import DeployedRuntime
from ringfence.rehearsal.aws.authorization.service_roles import Permissions
from ringfence.rehearsal.aws.authorization.trust import AGENTCORE, LAMBDA
from ringfence.rehearsal.aws.server import LocalAws
from ringfence.rehearsal.compute.custom_resources import make
from ringfence.rehearsal.compute.functions import Function
from ringfence.rehearsal.compute.runtimes import Runtime
from ringfence.rehearsal.coverage import NOT_EMULATED, emulated
from ringfence.rehearsal.gateway.gateway import Gateway
from ringfence.rehearsal.gateway.http import GatewayServer, address_of
from ringfence.rehearsal.identity.authorizer import Authorizer
from ringfence.rehearsal.identity.people import everybody, member
from ringfence.rehearsal.identity.user_pool import UserPool
from ringfence.rehearsal.ports import SIGN_IN_NAME, ports, take_port
from ringfence.rehearsal.problems import CannotStart
from ringfence.rehearsal.sign_in.authorization import AuthorizationServer
from ringfence.rehearsal.sign_in.server import SignInServer
from ringfence.rehearsal.sign_in.traits import Traits

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
        sign_in: where hosts and people sign in.
        gateways: gateway servers by persona.
        runtime_log_groups: AgentCore's log groups as the department's custom resources left them.
    """

    def __init__(
        self,
        deployed: DeployedDepartment,
        *,
        port: int = 0,
        progress: Progress,
        gives_tokens: bool = False,
        traits: Traits | None = None,
        tamper: Callable[[Path], object] | None = None,
    ) -> None:
        """Nothing starts yet.

        Args:
            deployed: what to run, as its templates describe it.
            port: port of the sign-in page, which the gateways' follow; 0 takes free ones.
            gives_tokens: whether a script may ask for an access token for a persona, by GET /sign-in/<persona>.
            traits: in which ways the sign-in is as awkward as Cognito's; None for all.
            tamper: called with the unpacked code of each runtime before it starts, for an attack.

        Raises:
            CannotGoOn: the department has no gateway.
        """
        self._deployed = deployed
        self.permissions = Permissions(deployed)
        self.name, self.assembly = deployed.name, deployed.assembly
        self.emulated: tuple[str, ...] = ()
        self.not_emulated = tuple(NOT_EMULATED)
        self.functions: dict[str, Function] = {}
        self.runtimes: dict[str, Runtime] = {}
        self.gateways: dict[str, GatewayServer] = {}
        if not self._deployed.gateways:
            raise CannotStart("the assembly holds no gateway", "Give the department at least one persona.")
        self._port = port
        self._gives_tokens = gives_tokens
        self._traits = traits
        self._progress = progress
        self._tamper = tamper
        self._folder: Path | None = None
        self._stops: list[Callable[[], None]] = []
        self._stopped = False
        self._ports: dict[str, socket.socket] = {}  # taken, not yet served
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
        spec: DeployedRuntime,
        *,
        folder: str,
        server_packages: Path | None = None,
        tamper: Callable[[Path], object] | None = None,
    ) -> Runtime:
        """Start a runtime's process; `Runtime.wait` says when it serves.

        Args:
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
        for name, port in ports(list(self._deployed.gateways), first=self._port).items():
            self._ports[name] = take_port(port, name=name)
        # From here on a gateway's address is the one at which it is served, wherever a template names it.
        addresses = {name: address_of(self._ports[name].getsockname()[1]) for name in self._deployed.gateways}
        self._deployed = self._deployed.served_at(addresses)
        self.assembly = self._deployed.assembly
        self.permissions = Permissions(self._deployed)
        self._folder = Path(tempfile.mkdtemp(prefix="ringfence-rehearsal-"))
        self._start_aws()
        started = time.monotonic()
        # On threads, where no Ctrl-C can come between a process's start and its entry among those to stop.
        # The runtimes first: the servers inside take longest, and wait for nothing else.
        runtimes = [self._pool.submit(self.start_runtime, spec, folder=spec.name) for spec in self._deployed.runtimes]
        functions = [self._pool.submit(self._start_function, spec) for spec in self._deployed.functions.values()]
        self.runtimes = {runtime.spec.arn: runtime for runtime in (future.result() for future in runtimes)}
        self.functions = {function.spec.arn: function for function in (future.result() for future in functions)}
        self._progress(f"{len(self.functions)} functions warm after {time.monotonic() - started:.1f} s")
        self.runtime_log_groups = make(self.assembly, functions=self.functions, aws=self.aws)
        self._progress(f"{len(self.runtime_log_groups)} log groups of AgentCore kept or made")
        self._start_sign_in()
        for waiting in [self._pool.submit(self._wait, runtime, started) for runtime in self.runtimes.values()]:
            waiting.result()
        for persona, gateway in self._deployed.gateways.items():
            self._start_gateway(persona, gateway)
        self.emulated = emulated(self.assembly)

    def _close_ports(self) -> None:
        while self._ports:
            self._ports.popitem()[1].close()

    def _start_aws(self) -> None:
        started = time.monotonic()
        self.aws = LocalAws(self.assembly)
        self._will_stop(self.aws.stop)
        self.aws.start()
        self._progress(f"local AWS at {self.aws.endpoint_url} after {time.monotonic() - started:.1f} s")

    def _start_function(self, spec: DeployedFunction) -> Function:
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

    def _start_sign_in(self) -> None:
        self.pool = UserPool(self._deployed.user_pool, functions=self.functions)
        gateways = self._deployed.gateways
        bound, scopes = self._ports.pop(SIGN_IN_NAME), {persona: spec.scope for persona, spec in gateways.items()}
        authorization = AuthorizationServer(
            self.pool,
            base=f"http://127.0.0.1:{bound.getsockname()[1]}",
            department=self.name,
            scopes=scopes,
            gateways={persona: spec.url for persona, spec in gateways.items()},
            people=everybody(scopes, functions=self.functions.values(), pool=self.pool),
            traits=self._traits,
        )
        self.sign_in = SignInServer(
            authorization,
            self.pool,
            department=self.name,
            bound=bound,
            token_for=self._token_for if self._gives_tokens else None,
        )
        self._will_stop(self.sign_in.stop)
        self._progress(f"sign-in at {authorization.base}")

    def _token_for(self, persona: str) -> str | None:
        if persona not in self.gateways:
            return None
        return self.pool.sign_in(
            member(persona, functions=self.functions.values(), pool=self.pool), self.pool.clients[0]
        )

    def _wait(self, runtime: Runtime, started: float) -> None:
        runtime.wait()
        self._progress(f"runtime {runtime.spec.name} serves after {time.monotonic() - started:.1f} s")

    def _start_gateway(self, persona: str, spec: DeployedGateway) -> None:
        gateway = Gateway(
            spec,
            authorizer=Authorizer(spec.authorizer, fetch=self.sign_in.fetch),
            functions=self.functions,
            runtimes=self.runtimes,
            permissions=self.permissions,
        )
        gateway.issuer = self.sign_in.issuer
        gateway.calls_for = self.aws.calls_for
        server = GatewayServer(gateway, bound=self._ports.pop(persona))  # from here on the server closes it
        self._will_stop(server.stop)
        self.gateways[persona] = server
        self._progress(f"gateway {spec.name} at {server.url}")

    def _credentials(self, role_arn: str, session_name: str) -> Mapping[str, str]:
        issued = self.aws.issue_credentials(role_arn, session_name)
        return {
            "AWS_ACCESS_KEY_ID": issued["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": issued["SecretAccessKey"],
            "AWS_SESSION_TOKEN": issued["SessionToken"],
        }

    def _log(self, group: str, stream: str, line: str) -> None:
        self.aws.put_log_event(group, stream, line)
