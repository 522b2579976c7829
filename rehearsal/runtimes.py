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

from assurance.assembly import Assembly, Resource
from rehearsal.assets_of import asset_file, compile_sources, packages_of
from rehearsal.child_process import ChildProcess, base_environment
from rehearsal.problems import CannotStart
from rehearsal.properties import Properties

START_SECONDS = 60.0
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
        self.port = _free_port()
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
            base_url=f"http://127.0.0.1:{self.port}", timeout=httpx2.Timeout(120.0, connect=5.0), trust_env=False
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
                "RINGFENCE_BIND": f"127.0.0.1:{self.port}",
                # `-P` keeps the working folder off the path; the service puts the code's root on it.
                "PYTHONPATH": str(folder),
                "TMPDIR": str(home),
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            folder=folder,
            on_line=lambda line: log(spec.log_group, stream, line),
        )

    @property
    def process_id(self) -> int:
        """Id of the host process."""
        return self._child.process.pid

    def wait(self, seconds: float = START_SECONDS) -> None:
        """Wait until `/ping` answers.

        Raises:
            CannotStart: the host ended, or did not answer in time; its last output is in the message.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not self._child.alive:
                raise CannotStart(
                    f"the runtime {self.spec.name} ended at its start:\n{self._child.tail}",
                    "The host names the cause above: a drifted lock, a missing variable, a server that does not start.",
                )
            try:
                if self._client.get("/ping", timeout=1.0).status_code == httpx2.codes.OK:
                    return
            except httpx2.TransportError:
                time.sleep(0.05)
        raise CannotStart(
            f"the runtime {self.spec.name} did not answer /ping within {seconds:.0f} s:\n{self._child.tail}",
            "Start the rehearsal again on a less busy machine, or run the host by itself.",
        )

    def post(self, *, headers: Mapping[str, str], body: bytes) -> httpx2.Response:
        """POST to `/mcp` as the service would: only allow-listed headers arrive.

        Raises:
            httpx2.TransportError: the host cannot be reached.
        """
        forwarded = {name: value for name, value in headers.items() if name.lower() in self.spec.headers}
        return self._client.post("/mcp", headers=forwarded, content=body)

    def stop(self) -> None:
        """End the host and its server."""
        self._child.stop()
        self._client.close()


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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
