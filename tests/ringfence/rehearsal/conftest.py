"""A rehearsal run once for many assertions, and the assembly it runs."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Browser

from ringfence.deployed.assembly import Assembly
from ringfence.rehearsal.compute.child_process import LIFELINE, ending_with_parent
from ringfence.rehearsal.department import RunningDepartment
from ringfence.rehearsal.template import of_assembly
from tests.conftest import unit_of
from tests.peers.browser import chromium
from tests.ringfence.rehearsal.sign_in.serving import HOST, Served, free_port, with_callbacks
from tests.waiting import LAST_RESORT_SECONDS, wait_until

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def production(assemblies: dict[str, Any]) -> Path:
    """The cloud assembly of example-production."""
    folder: Path = assemblies["example-production"].folder
    return folder


@pytest.fixture(scope="session")
def small(production: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same without the auditor: a third of the work, with a process of every kind."""
    folder = tmp_path_factory.mktemp("small") / "assembly"
    shutil.copytree(production, folder, copy_function=os.link)
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    for name in [each for each in manifest["artifacts"] if "-auditor" in each]:
        del manifest["artifacts"][name]
    path.unlink()  # the other name of production's own
    path.write_text(json.dumps(manifest))
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser; who needs cookies of their own opens a context in it."""
    with chromium() as started:
        yield started


@dataclass
class Rehearsal:
    """A rehearsal that keeps serving."""

    process: subprocess.Popen[str]
    report_path: Path
    lines: list[str] = field(default_factory=list)

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    @property
    def report(self) -> dict:
        return json.loads(self.report_path.read_text())

    @property
    def url(self) -> str:
        return re.search(r"Serving \w+ at (\S+) until", self.output)[1]

    def sign_in_url(self) -> str:
        return re.search(r"curl -s (\S+)", self.output)[1]

    def token(self) -> str:
        return httpx2.get(self.sign_in_url(), trust_env=False, timeout=LAST_RESORT_SECONDS).text.strip()

    def wait_for(self, text: str) -> None:
        wait_until(
            lambda: text in self.output or self.process.poll() is not None, what=lambda: f"{text!r} in:\n{self.output}"
        )
        assert text in self.output, f"it ended with {self.process.returncode}:\n{self.output}"


def start_rehearsal(assembly: Path, report: Path, scratch: Path, *arguments: str, home: Path = ROOT) -> Rehearsal:
    """`ringfence rehearse` of the project or a copy, which ends with this run and works in a scratch folder."""
    scratch.mkdir()
    transcript = str(home / "ringfence" / "__main__.py")
    process = subprocess.Popen(
        ending_with_parent(transcript, "rehearse", "--assembly", str(assembly), "--output", str(report), *arguments),
        cwd=home,
        env={**os.environ, "PYTHONPATH": str(home), "TMPDIR": str(scratch)},
        pass_fds=[LIFELINE],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    rehearsal = Rehearsal(process, report)
    threading.Thread(target=lambda: rehearsal.lines.extend(line.rstrip("\n") for line in process.stdout)).start()
    return rehearsal


def free_ports() -> tuple[str, str]:
    """An option that moves a rehearsal to ports that nobody listens on at this moment."""
    for first in range(20_000 + os.getpid() % 500 * 10, 30_000, 10):
        try:
            for port in range(first, first + 4):
                with socket.socket() as found:
                    found.bind(("127.0.0.1", port))
        except OSError:
            continue
        return ("--port", str(first))
    raise AssertionError("no ports are free")


_SERVING = ExitStack()


@pytest.fixture(scope="session")
def served(production: Path) -> Served:
    """example-production in this process, whose host `HOST` has a callback that nobody else listens on.

    Serves until the last test of its unit: one local AWS runs in a process, and other files start their own.
    """
    port = free_port()
    callbacks = [f"http://localhost:{port}/{path}" for path in ("callback", "oauth/callback")]
    assembly = with_callbacks(Assembly.load(production), *callbacks)
    department = _SERVING.enter_context(RunningDepartment(of_assembly(assembly), progress=lambda _text: None))
    client = next(each for each in department.pool.clients if each.name == HOST)
    return Served(department, client, port)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    if nextitem is None or unit_of(nextitem.path) != "the department":
        _SERVING.close()


@pytest.fixture(scope="session")
def rehearsed(production: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """example-production, played, and still serving; at its end nothing is left of it."""
    folder = tmp_path_factory.mktemp("report")
    report, scratch = folder / "deep" / "report.json", folder / "scratch"
    rehearsal = start_rehearsal(production, report, scratch, "--keep", "--token", *free_ports())
    try:
        rehearsal.wait_for("Requests from here on")
        yield rehearsal
    finally:
        if rehearsal.process.poll() is None:
            assert len(working_in(scratch)) > 10
            rehearsal.process.send_signal(signal.SIGINT)
            rehearsal.process.wait(LAST_RESORT_SECONDS)
    assert working_in(scratch) == [] and list(scratch.iterdir()) == []


def working_in(folder: Path) -> list[str]:
    """Processes whose working folder lies in a folder, removed or not."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and os.readlink(process / "cwd").startswith(str(folder)):
                found.append(process.name)
        except OSError:
            continue
    return found
