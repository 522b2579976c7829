"""Runs the assembly's AgentCore runtimes: the packaged host with the real MCP server, one process each, on 127.0.0.1.

The service starts one microVM per user session; here one process per runtime serves every session, which the host is
built for (a call's credentials belong to the call, not to the process).
"""

from __future__ import annotations

import socket
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx2

from ringfence.assets import local
from ringfence.assets.bytecode.interpreters import compile_at_hand
from ringfence.deployed.runtimes import DeployedRuntime
from ringfence.rehearsal.compute.child_process import ChildProcess, base_environment
from ringfence.rehearsal.problems import CannotStart

# More than the host gives its server (120 s), so that the host's own words are told; one that ends is told at once.
START_SECONDS = 180.0
_PATIENCE_SECONDS = 120.0


class Runtime:
    """One runtime's process."""

    def __init__(
        self,
        spec: DeployedRuntime,
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
            credentials: `AWS_ACCESS_KEY_ID` and the like, for the runtime's role.
            log: called with (log group, stream, line).
            server_packages: packages of the MCP server instead of the locked ones (a tampered server in an attack).
            tamper: called with the unpacked code before it starts.
        """
        self.spec = spec
        self._reserved = _reserved_port()
        self.port = int(self._reserved.getsockname()[1])
        self.started = time.monotonic()
        unpack_runtime(spec.zip_path, folder, server_packages=server_packages or local.packages(spec.server))
        if tamper is not None:
            tamper(folder)
        compile_at_hand(folder)
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
    (folder / "packages" / "host").symlink_to(local.packages("host"))
    (folder / "packages" / "server").symlink_to(server_packages)


def _reserved_port() -> socket.socket:
    """Holds a free port for the host, which sets SO_REUSEADDR too; until it binds, nobody else is given that port."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    return held
