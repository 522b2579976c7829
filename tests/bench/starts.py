"""What a start costs, for every server: from the first instruction to the first answer to `tools/list`."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from ringfence.assets import bundles
from ringfence.assets.bytecode.interpreters import compile_at_hand
from ringfence.assets.local import packages
from ringfence.assets.zips import runtime_zip
from ringfence.catalogue.catalogue import Catalogue, load_catalogue
from ringfence.compilers.rules import runtime_rules, to_json
from ringfence.department.department import Department, load_department
from ringfence.reading import names
from ringfence.rehearsal.compute.runtimes import unpack_runtime
from tests.bench import departments
from tests.bench.processes import ROOT, progress
from tests.bench.table import Row

ROUNDS: Final = 3
MOST_OF_BARE: Final = 1.1
MOST_OF_UNCOMPILED: Final = 0.5


@dataclass(frozen=True)
class Start:
    """Processor seconds of a host with all that it started.

    Attributes:
        listed: until it has answered `tools/list`, which may come from its lock, before the server is there.
        serving: until it takes calls.
    """

    listed: float
    serving: float


def rows() -> list[Row]:
    """Processor time of host and server together, against the bare server and against the same without bytecode."""
    from tests.bench.callpath import local_aws
    from tests.runtime import conftest as stage

    aws, key, _ = local_aws()
    catalogue = load_catalogue(ROOT / "catalogue")
    department = load_department(
        departments.EVERYTHING, catalogue=catalogue, root=departments.measured_home() / "departments"
    )
    made = []
    for server in sorted(bundles.servers()):
        progress(f"{server}: {ROUNDS + 1} rounds of three starts")
        with tempfile.TemporaryDirectory(prefix="ringfence-bench-") as scratch:
            rules = runtime_rules(catalogue, department, _persona(catalogue, department, server), server)
            deployed, uncompiled = (Path(scratch) / name for name in ("deployed", "uncompiled"))
            unpack_runtime(
                runtime_zip(server, files={"runtime.json": to_json(rules)}).path,
                deployed,
                server_packages=packages(server),
            )
            compile_at_hand(deployed)
            _copy_without_bytecode(deployed, uncompiled)
            taken = [
                (
                    _bare_start(rules, deployed, aws, stage),
                    _host_start(deployed, aws, key, stage),
                    _host_start(uncompiled, aws, key, stage),
                )
                for _ in range(ROUNDS + 1)
            ][1:]
        made += rows_of(server, taken)
    return made


def rows_of(server: str, taken: Sequence[tuple[float, Start, Start]]) -> list[Row]:
    """The rows of one server.

    Args:
        server: its name.
        taken: by round, the bare server until its first `tools/list`, the host, and the host without bytecode.
    """
    bare = [alone for alone, _, _ in taken]
    listed, serving = [host.listed for _, host, _ in taken], [host.serving for _, host, _ in taken]
    # A host without bytecode that lists when its server is there: how every start was.
    before = [uncompiled.serving for _, _, uncompiled in taken]
    return [
        _ratio(f"{server}: start to first tools/list, host to bare server", listed, bare, MOST_OF_BARE),
        _ratio("  to a host that waits for a server without bytecode", listed, before, MOST_OF_UNCOMPILED),
        _ratio("  until it takes calls, to the bare server", serving, bare),
        _ratio("  until it takes calls, to the same without bytecode", serving, before),
    ]


def _ratio(what: str, ours: Sequence[float], theirs: Sequence[float], goal: float | None = None) -> Row:
    ratio = statistics.median(one / two for one, two in zip(ours, theirs, strict=True))
    note = f"{statistics.median(ours):.2f} s against {statistics.median(theirs):.2f} s of processor"
    return Row(what, ratio, "x", goal, note)


def _persona(catalogue: Catalogue, department: Department, server: str) -> str:
    """A persona that has the server."""
    return next(
        persona
        for persona in department.personas
        if server in {each.name for each in catalogue.servers_of(persona, department)}
    )


def _copy_without_bytecode(tree: Path, copy: Path) -> None:
    """Hard links, and real folders where the tree has links to folders."""
    for folder, below, files in os.walk(tree, followlinks=True):
        below[:] = [name for name in below if name != "__pycache__"]
        target = copy / Path(folder).relative_to(tree)
        target.mkdir(parents=True)
        for name in files:
            try:
                os.link(Path(folder) / name, target / name)
            except OSError:  # another file system
                (target / name).write_bytes((Path(folder) / name).read_bytes())


def _bare_start(rules: Mapping[str, Any], folder: Path, aws: Any, stage: Any) -> float:
    with bare_server(rules, folder / "packages" / "server", aws, stage) as (rpc, process):
        rpc("tools/list", {})
        return _processor_seconds(process.pid)


def _host_start(folder: Path, aws: Any, key: Any, stage: Any) -> Start:
    with host(folder, aws, key, stage) as started:
        ping = f"http://127.0.0.1:{started.port}/ping"
        listed = _processor_seconds_at(started, lambda: started.rpc("tools/list"))
        return Start(listed, serving=_processor_seconds_at(started, lambda: started.http.get(ping)))


def _processor_seconds_at(started: Any, ask: Callable[[], httpx.Response]) -> float:
    """Its processor time when a question is first answered well, and not with the word that the server still starts."""
    while True:
        try:
            answer = ask()
            if answer.status_code == httpx.codes.OK and answer.headers.get("ringfence-server") != "starting":
                return _processor_seconds(started.process.pid)
        except httpx.TransportError:  # it does not listen yet
            if started.process.poll() is not None:
                raise RuntimeError(f"the host ended: {started.stderr()}") from None
        time.sleep(0.01)


@contextmanager
def bare_server(
    rules: Mapping[str, Any], installed: Path, aws: Any, stage: Any
) -> Iterator[tuple[Callable[[str, dict[str, Any]], dict[str, Any]], subprocess.Popen[bytes]]]:
    """A server as the host would start it, without the host; it has been initialised."""
    with tempfile.TemporaryDirectory() as home:
        environment = {
            "PATH": os.environ["PATH"], "PYTHONPATH": str(installed), "HOME": home, "TMPDIR": home,
            "PYTHONDONTWRITEBYTECODE": "1", **rules["environment"], "AWS_REGION": stage.REGION,
            "AWS_DEFAULT_REGION": stage.REGION, "AWS_ENDPOINT_URL": aws.url, **aws.role_credentials(),
        }  # fmt: skip
        server = subprocess.Popen(
            [sys.executable, "-s", "-P", "-m", rules["module"], *rules["flags"]],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, cwd=home,
        )  # fmt: skip
        assert server.stdin and server.stdout
        number = 0

        def rpc(method: str, params: dict[str, Any]) -> dict[str, Any]:
            nonlocal number
            number += 1
            server.stdin.write(json.dumps({**message(method, params), "id": number}).encode() + b"\n")
            server.stdin.flush()
            while line := server.stdout.readline():
                answer = json.loads(line)
                if answer.get("id") == number and "method" not in answer:
                    return answer
            raise RuntimeError(f"{rules['module']} stopped before it answered {method}")

        try:
            client = {"name": "bench", "version": "1"}
            rpc("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client})
            server.stdin.write(b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n')
            yield rpc, server
        finally:
            server.kill()
            server.wait()


@contextmanager
def host(folder: Path, aws: Any, key: Any, stage: Any) -> Iterator[Any]:
    """The host of an unpacked runtime zip, just started."""
    port = stage.free_port()
    rules = json.loads((folder / "runtime.json").read_text())
    environment = {
        "PATH": os.environ["PATH"], "HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_REGION": stage.REGION, "AWS_DEFAULT_REGION": stage.REGION, "AWS_ENDPOINT_URL": aws.url,
        **aws.role_credentials(), "RINGFENCE_PERSONA_ROLE_ARN": stage.ROLE_ARN, "RINGFENCE_TXN_KEY_ARN": key[1],
        "RINGFENCE_CALL_LOG_GROUP": names.runtime_records(rules["department"], rules["persona"]),
        "RINGFENCE_BIND": f"127.0.0.1:{port}",
    }  # fmt: skip
    started = stage.Host(folder, environment, port)
    try:
        yield started
    finally:
        started.stop()


def message(method: str, params: dict[str, Any]) -> dict[str, Any]:
    """A JSON-RPC message without an id."""
    return {"jsonrpc": "2.0", "method": method, "params": params}


def _processor_seconds(root: int) -> float:
    """User and system time so far of a process, of what it started, and of what has already ended among these."""
    ticks, waiting = 0, [root]
    while waiting:
        pid = waiting.pop()
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            for task in Path(f"/proc/{pid}/task").iterdir():
                waiting += [int(child) for child in (task / "children").read_text().split()]
        except OSError:
            continue  # it ended meanwhile, and its parent has its time
        ticks += sum(int(field) for field in fields[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")
