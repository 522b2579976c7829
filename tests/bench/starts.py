"""What a start costs, for every server: from the first instruction to the first answer to `tools/list`."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from assets import bundles
from assets.local import packages
from assets.zips import runtime_zip
from governance.catalogue import Catalogue, load_catalogue
from governance.department import Department, load_department
from governance.rules import runtime_rules, to_json
from rehearsal.assets_of import compile_sources
from rehearsal.runtimes import unpack_runtime
from tests.bench import departments
from tests.bench.processes import ROOT, progress
from tests.bench.table import Row

ROUNDS: Final = 3
MOST_OF_BARE: Final = 1.1
MOST_OF_UNCOMPILED: Final = 0.5


def rows() -> list[Row]:
    """Processor seconds of host and server together, against the bare server and against the same without bytecode."""
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
            compile_sources(deployed)
            _copy_without_bytecode(deployed, uncompiled)
            taken = [
                (
                    _bare_start(rules, deployed, aws, stage),
                    _host_start(deployed, aws, key, stage),
                    _host_start(uncompiled, aws, key, stage),
                )
                for _ in range(ROUNDS + 1)
            ][1:]
        made += _rows_of(server, taken)
    return made


def _rows_of(server: str, taken: list[tuple[float, float, float]]) -> list[Row]:
    bare, hosted, uncompiled = (statistics.median(each) for each in zip(*taken, strict=True))
    to_bare = statistics.median(host / alone for alone, host, _ in taken)
    to_uncompiled = statistics.median(host / slow for _, host, slow in taken)
    note = f"{hosted:.2f} s against {bare:.2f} s of processor"
    return [
        Row(f"{server}: start to first tools/list, host to bare server", to_bare, "x", MOST_OF_BARE, note),
        Row("  to the same without bytecode", to_uncompiled, "x", MOST_OF_UNCOMPILED, f"{uncompiled:.2f} s"),
    ]


def _persona(catalogue: Catalogue, department: Department, server: str) -> str:
    """A persona that has the server."""
    return next(
        persona
        for persona in department.personas
        if server in {each.name for each in catalogue.servers_of(persona, department)}
    )


def _copy_without_bytecode(tree: Path, copy: Path) -> None:
    """Hard links, and real folders where the tree has links to folders."""
    for folder, below, names in os.walk(tree, followlinks=True):
        below[:] = [name for name in below if name != "__pycache__"]
        target = copy / Path(folder).relative_to(tree)
        target.mkdir(parents=True)
        for name in names:
            try:
                os.link(Path(folder) / name, target / name)
            except OSError:  # another file system
                (target / name).write_bytes((Path(folder) / name).read_bytes())


def _bare_start(rules: Mapping[str, Any], folder: Path, aws: Any, stage: Any) -> float:
    with bare_server(rules, folder / "packages" / "server", aws, stage) as (rpc, process):
        rpc("tools/list", {})
        return _processor_seconds(process.pid)


def _host_start(folder: Path, aws: Any, key: Any, stage: Any) -> float:
    with host(folder, aws, key, stage) as started:
        started.rpc("tools/list").raise_for_status()
        return _processor_seconds(started.process.pid)


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
    """The host of an unpacked runtime zip, ready."""
    port = stage.free_port()
    environment = {
        "PATH": os.environ["PATH"], "HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_REGION": stage.REGION, "AWS_DEFAULT_REGION": stage.REGION, "AWS_ENDPOINT_URL": aws.url,
        **aws.role_credentials(), "RINGFENCE_PERSONA_ROLE_ARN": stage.ROLE_ARN, "RINGFENCE_TXN_KEY_ARN": key[1],
        "RINGFENCE_CALL_LOG_GROUP": stage.CALL_LOG_GROUP,
        "RINGFENCE_BIND": f"127.0.0.1:{port}",
    }  # fmt: skip
    started = stage.Host(folder, environment, port)
    try:
        yield started.wait_ready()
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
