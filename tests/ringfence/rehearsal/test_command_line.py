"""`ringfence rehearse`: what stops it is named with a remedy, and whatever ends it, nothing is left
behind."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from ringfence.command_line.entry import main
from tests.ringfence.rehearsal.conftest import free_ports, start_rehearsal, working_in
from tests.waiting import LAST_RESORT_SECONDS, wait_until

ROOT = Path(__file__).resolve().parents[3]
TOKEN = re.compile(r"\beyJ[\w-]+\.[\w-]+\.")


@dataclass
class Done:
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def run(capsys):
    """The command, in this process: what it needs is loaded once."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}

    def run_command(*arguments: str) -> Done:
        code = main(["rehearse", *arguments])
        said = capsys.readouterr()
        return Done(code, said.out, said.err)

    yield run_command
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_help_says_what_it_does_and_what_the_exit_codes_mean(run):
    done = run("--help")
    assert done.returncode == 0
    for word in ("--department", "--assembly", "--keep", "--port", "--output", "Exit codes", "127.0.0.1"):
        assert word in done.stdout


@pytest.mark.parametrize("port", ["0", "65536", "x", "-1"])
def test_a_port_that_is_none(run, port):
    done = run(f"--port={port}")
    assert done.returncode == 2
    assert "Invalid value for '--port'" in done.stderr


def test_no_assembly(run, tmp_path):
    done = run("--assembly", str(tmp_path))
    assert done.returncode == 2
    assert "no cloud assembly" in done.stderr
    assert "make synth" in done.stderr


def test_a_damaged_assembly(run, tmp_path):
    (tmp_path / "manifest.json").write_text("{")
    done = run("--assembly", str(tmp_path))
    assert done.returncode == 2
    assert "cannot be read" in done.stderr


def test_another_department(run, production):
    done = run("--assembly", str(production), "--department", "another")
    assert done.returncode == 2
    assert "holds ringfence-example-production-audit.template.json, and not another" in done.stderr


def test_a_missing_asset(run, production, tmp_path):
    folder = tmp_path / "assembly"
    shutil.copytree(production, folder, ignore=shutil.ignore_patterns("*.zip"))
    done = run("--assembly", str(folder))
    assert done.returncode == 2
    assert "is missing" in done.stderr
    assert "make synth" in done.stderr


def test_a_taken_port(run, production):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run("--assembly", str(production), "--port", str(port))
    assert done.returncode == 2
    assert str(port) in done.stderr
    assert "--port" in done.stderr


@pytest.mark.slow
def test_a_department_without_an_auditor_is_played_by_whoever_it_has(run, tmp_path, request):
    if "slow" not in request.config.option.markexpr:
        pytest.skip("starts nine processes; `pytest -m slow` runs it")
    enabled, report = request.getfixturevalue("enabled"), tmp_path / "report.json"
    done = run("--assembly", str(enabled), "--output", str(report))
    assert done.returncode == 0, done.stdout + done.stderr
    assert {call["persona"] for call in json.loads(report.read_text())["calls"]} == {"developer", "operator"}


@pytest.mark.parametrize(
    ("number", "code", "seen", "whose"),
    [
        (signal.SIGINT, 130, "local AWS at", "production"),
        (signal.SIGINT, 130, "answered, as expected", "small"),  # in the middle of the play
        (signal.SIGTERM, 143, "local AWS at", "production"),
        (signal.SIGKILL, -signal.SIGKILL, "serves after", "production"),  # a host with its server; the rest starts
    ],
)
def test_ended_before_its_time_it_leaves_nothing_running(request, tmp_path, number, code, seen, whose):
    command = [
        sys.executable,
        "-m",
        "ringfence",
        "rehearse",
        "--assembly",
        str(request.getfixturevalue(whose)),
        "--output",
        str(tmp_path / "r.json"),
    ]
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "TMPDIR": str(scratch)}, stdout=subprocess.PIPE, text=True
    )
    for line in process.stdout:
        if seen in line:
            break
    wait_until(lambda: working_in(scratch) or process.poll() is not None)
    assert process.poll() is None, "it ended by itself"
    process.send_signal(number)
    assert process.wait(LAST_RESORT_SECONDS) == code
    process.stdout.close()
    # What was killed outright cannot end the others: they notice.
    wait_until(lambda: not working_in(scratch), what=lambda: f"the end of {working_in(scratch)}")
    assert number is signal.SIGKILL or not list(scratch.iterdir())


def test_ctrl_c_ends_the_serving_with_all_that_it_started(rehearsed, small, tmp_path):
    """The terminal sends SIGINT to the whole group. Beside another one that serves on, and without its --token."""
    scratch = tmp_path / "scratch"
    serving = start_rehearsal(small, tmp_path / "report.json", scratch, "--keep", *free_ports())
    serving.wait_for("Requests from here on")
    assert TOKEN.search(rehearsed.output), "with --token they are printed, and found"
    assert not TOKEN.search(serving.output)
    assert len(working_in(scratch)) > 5 and (tmp_path / "connect.json").is_file()
    address = urlsplit(serving.url)
    with socket.create_connection((address.hostname, address.port)) as host:
        host.sendall(b"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99\r\n\r\n{")  # and goes on later
        os.killpg(serving.process.pid, signal.SIGINT)
        # What the calls deserve: the last resort would end it with 130.
        assert serving.process.wait(LAST_RESORT_SECONDS) == 0, serving.output
    wait_until(lambda: serving.output.endswith("\nStopping."), what=lambda: f"the last line in:\n{serving.output}")
    assert working_in(scratch) == [] and list(scratch.iterdir()) == []
    assert not (tmp_path / "connect.json").exists()
    assert rehearsed.process.poll() is None


def test_while_it_serves_each_request_names_its_persona_and_the_printed_address_is_a_page(rehearsed):
    rehearsed.wait_for("Requests from here on")
    addresses = dict(re.findall(r"Serving (\w+) at (\S+) until", rehearsed.output))
    assert set(addresses) == {"auditor", "operator"}
    for persona, url in addresses.items():
        httpx2.get(url, trust_env=False, timeout=LAST_RESORT_SECONDS)
        rehearsed.wait_for(f" {persona}: GET /mcp → refused by ingress")
    base = re.search(r"what each host is told: (\S+)", rehearsed.output)[1]
    page = httpx2.get(base, trust_env=False, timeout=LAST_RESORT_SECONDS)
    assert page.status_code == 200
    assert all(url in page.text for url in addresses.values())
