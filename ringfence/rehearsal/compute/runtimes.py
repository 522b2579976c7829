"""Runs the assembly's AgentCore runtimes: the packaged host with the real MCP server, one process each, on 127.0.0.1.

The service starts one microVM per user session; here one process per runtime serves every session, which the host is
built for (a call's credentials belong to the call, not to the process).
"""

from __future__ import annotations

import json
import socket
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from ringfence.deployed.assembly import Assembly, Resource
from ringfence.rehearsal.compute.assets_of import asset_file, compile_sources, packages_of
from ringfence.rehearsal.compute.child_process import ChildProcess, base_environment
from ringfence.rehearsal.problems import CannotStart
from ringfence.rehearsal.template.properties import Properties

# More than the host gives its server (120 s), so that the host's own words are told; one that ends is told at once.
START_SECONDS = 180.0
_PATIENCE_SECONDS = 120.0
# The service forwards these without being told; every other header needs the runtime's allow-list.
_ALWAYS_FORWARDED = frozenset(
    {"accept", "content-type", "mcp-session-id", "mcp-protocol-version", "mcp-method", "mcp-name"}
)


@dataclass(frozen=True)
class RuntimeSpec:
    """What the template says about a runtime.

    Attributes:
        headers: lower-case names of the request headers that reach the container.
        server: the MCP server inside, from the packaged runtime.json.
        persona: whose calls it serves, from the packaged runtime.json.
    """

    logical_id: str
    arn: str
    name: str
    role_arn: str
    log_group: str
    entry_point: tuple[str, ...]
    environment: Mapping[str, str]
    headers: frozenset[str]
    zip_path: Path
    server: str
    persona: str

    @classmethod
    def read(cls, resource: Resource, assembly: Assembly) -> RuntimeSpec:
        """Read a runtime's properties.

        Raises:
            NotEmulated: a property, or a value, that the rehearsal cannot honour.
            CannotStart: its asset is missing or holds no runtime.json.
        """
        properties = Properties(resource)
        code = properties.block("AgentRuntimeArtifact").block("CodeConfiguration")
        entry_point = code.texts("EntryPoint")
        if not code.text("Runtime").startswith("PYTHON_3_"):
            raise code.refuse("Runtime", "is not Python")
        s3 = code.block("Code").block("S3")
        s3.without_effect("Bucket", "VersionId")
        archive = asset_file(assembly, s3.text("Prefix"), needed_by=resource.logical_id)
        s3.done()
        code.done()
        properties.one_of("ProtocolConfiguration", ["MCP"])
        headers: tuple[str, ...] = ()
        if "RequestHeaderConfiguration" in properties:
            block = properties.block("RequestHeaderConfiguration")
            headers = block.texts("RequestHeaderAllowlist")
            block.done()
        arn = resource.arn
        rules = _packaged_rules(archive)
        spec = cls(
            logical_id=resource.logical_id,
            arn=arn,
            name=properties.text("AgentRuntimeName"),
            role_arn=properties.text("RoleArn"),
            log_group=f"/aws/bedrock-agentcore/runtimes/{arn.rpartition('/')[2]}-DEFAULT",
            entry_point=entry_point,
            environment={key: str(value) for key, value in properties.take("EnvironmentVariables", {}).items()},
            headers=frozenset(name.lower() for name in headers) | _ALWAYS_FORWARDED,
            zip_path=archive,
            server=str(rules["server"]),
            persona=str(rules["persona"]),
        )
        network = properties.block("NetworkConfiguration")
        network.one_of("NetworkMode", ["VPC"])
        # AuthorizerConfiguration is not named here on purpose: a runtime with a JWT authoriser is not what we emulate.
        properties.without_effect("Description", "LifecycleConfiguration", "PlatformVersion", "Tags")
        properties.done()
        return spec


class Runtime:
    """One runtime's process."""

    def __init__(
        self,
        spec: RuntimeSpec,
        *,
        folder: Path,
        credentials: Mapping[str, str],
        endpoint_url: str,
        log: Callable[[str, str, str], None],
        server_packages: Path | None = None,
        tamper: Callable[[Path], object] | None = None,
    ) -> None:
        """Unpack and start; `wait` says when it serves.

        Args:
            spec: the template's description.
            folder: scratch folder for this process.
            credentials: `AWS_ACCESS_KEY_ID` and the like, for the runtime's role.
            endpoint_url: the local AWS.
            log: called with (log group, stream, line).
            server_packages: packages of the MCP server instead of the locked ones (a tampered server in an attack).
            tamper: called with the unpacked code before it starts.
        """
        self.spec = spec
        self._reserved = _reserved_port()
        self.port = int(self._reserved.getsockname()[1])
        self.started = time.monotonic()
        unpack_runtime(spec.zip_path, folder, server_packages=server_packages or packages_of(spec.server))
        if tamper is not None:
            tamper(folder)
        compile_sources(folder)
        home = folder / "tmp"  # so that nothing outlives the scratch folder, however the host ends
        home.mkdir()
        region = spec.arn.split(":")[3]
        stream = f"{time.strftime('%Y/%m/%d')}/[runtime-logs]{self.port}"
        self._client = httpx2.Client(
            base_url=f"http://127.0.0.1:{self.port}", timeout=_PATIENCE_SECONDS, trust_env=False
        )
        self._child = ChildProcess(
            spec.entry_point,
            environment={
                **base_environment(),
                "AWS_REGION": region,
                "AWS_DEFAULT_REGION": region,
                **spec.environment,
                **credentials,
                "AWS_ENDPOINT_URL": endpoint_url,
                "RINGFENCE_AWS_PATIENCE": "10",  # a busy machine is no AWS that does not answer
                "RINGFENCE_BIND": f"127.0.0.1:{self.port}",
                # `-P` keeps the working folder off the path; the service puts the code's root on it.
                "PYTHONPATH": str(folder),
                "TMPDIR": str(home),
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            folder=folder,
            on_line=lambda line: log(spec.log_group, stream, line),
        )

    def wait(self, seconds: float = START_SECONDS) -> None:
        """Wait until the server in it runs: calls would wait too, but not as long as a busy laptop may need.

        Raises:
            CannotStart: the host ended, or its server does not start; its last output is in the message.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not self._child.alive:
                raise CannotStart(
                    f"the runtime {self.spec.name} ended at its start:\n{self._child.tail}",
                    "The host names the cause above, such as a missing variable.",
                )
            try:
                health = self._client.get("/ping", timeout=5.0)
            except httpx2.TransportError:
                health = None
            if health is not None and health.status_code != httpx2.codes.OK:
                raise CannotStart(
                    f"the server of the runtime {self.spec.name} cannot be used:\n{self._child.tail}",
                    "The host names the cause above: a drifted lock, or a server that does not start.",
                )
            if health is not None and health.headers.get("ringfence-server") == "ready":
                return
            time.sleep(0.05)
        raise CannotStart(
            f"the server of the runtime {self.spec.name} is not ready after {seconds:.0f} s:\n{self._child.tail}",
            "Start the rehearsal again on a less busy machine, or run the host by itself.",
        )

    def post(self, *, headers: Mapping[str, str], body: bytes) -> httpx2.Response:
        """POST to `/mcp` as the service would: only allow-listed headers arrive.

        Raises:
            httpx2.TransportError: the host cannot be reached.
        """
        return self._post(headers, body)

    def _post(self, headers: Mapping[str, str], body: bytes, *, timeout: float = _PATIENCE_SECONDS) -> httpx2.Response:
        forwarded = {name: value for name, value in headers.items() if name.lower() in self.spec.headers}
        patience = httpx2.Timeout(timeout, connect=5.0)
        return self._client.post("/mcp", headers=forwarded, content=body, timeout=patience)

    def initialized(self, *, headers: Mapping[str, str], body: bytes, seconds: float) -> bool:
        """POST `initialize`, and say whether an answer came within that many seconds of the start of the process."""
        deadline = self.started + seconds
        while True:
            try:
                answer = self._post(headers, body, timeout=max(deadline - time.monotonic(), 1.0))
                return answer.status_code == httpx2.codes.OK
            except httpx2.TimeoutException:
                return False
            except httpx2.TransportError:  # it does not listen yet
                if time.monotonic() > deadline:
                    return False
                time.sleep(0.05)

    def stop(self) -> None:
        """End the host and its server."""
        self._child.stop()
        self._client.close()
        self._reserved.close()


def unpack_runtime(archive: Path, folder: Path, *, server_packages: Path) -> None:
    """Lay out a runtime zip for this machine: our files from it, with the packages of the same locks for here."""
    folder.mkdir(parents=True)
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder, [name for name in opened.namelist() if not name.startswith("packages/")])
    (folder / "packages").mkdir(exist_ok=True)
    (folder / "packages" / "host").symlink_to(packages_of("host"))
    (folder / "packages" / "server").symlink_to(server_packages)


def _packaged_rules(archive: Path) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(archive) as opened:
            rules = json.loads(opened.read("runtime.json"))
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise CannotStart(
            f"{archive.name} holds no runtime.json ({error})", "Run `make synth`, which builds it."
        ) from None
    return dict(rules)


def _reserved_port() -> socket.socket:
    """Holds a free port for the host, which sets SO_REUSEADDR too; until it binds, nobody else is given that port."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    return held
