"""`ringfence preflight` and `ringfence verify-live` on a command line."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from ringfence.command_line.entry import main
from tests.conftest import ROOT, Synthesised


def environment(**more: str) -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.upper().startswith(("AWS_", "HTTP", "NO_PROXY"))
    }
    nowhere = {"AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent"}
    return {**kept, **nowhere, "AWS_EC2_METADATA_DISABLED": "true", **more}


def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ringfence", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment(**more), capture_output=True, text=True)


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The same in this process, for what is told without asking anybody."""

    def run_here(*arguments: str) -> subprocess.CompletedProcess[str]:
        with patch.dict(os.environ, environment(), clear=True):
            code = main(list(arguments))
        said = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, code, said.out, said.err)

    return run_here


@pytest.fixture(scope="session")
def production(assemblies: dict[str, Synthesised]) -> str:
    return str(assemblies["example-production"].folder)


OF = ("--department", "example-production")
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example"}


def test_without_credentials_it_could_not_ask(production: str) -> None:
    done = run("preflight", *OF, "--assembly", production)
    assert done.returncode == 1, "the example's own values are wrong, whoever asks"
    assert "NoCredentialsError" in done.stdout and "AWS_PROFILE" in done.stdout
    assert 'wrong     account: "111122223333": This account id is made up.' in done.stdout
    assert done.stdout.count("Not asked, because") == 1


def test_without_a_network_it_could_not_ask_and_says_so_as_json(production: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{probe.getsockname()[1]}"  # bound, but not listening
        done = run("preflight", *OF, "--assembly", production, "--json", AWS_ENDPOINT_URL=nowhere, **CREDENTIALS)
    report = json.loads(done.stdout)
    assert done.returncode == report["exit_code"] == 1
    assert "unreachable" in report["checks"][0]["results"][0]["found"]


@pytest.mark.parametrize("command", ["preflight", "verify-live"])
def test_a_folder_without_an_assembly_is_told_with_one_remedy(
    here: Callable[..., Any], command: str, tmp_path: Path
) -> None:
    done = here(command, *OF, "--assembly", str(tmp_path / "nope"))
    assert done.returncode == 2
    assert done.stderr == (
        f"{tmp_path}/nope is no cloud assembly: it holds no manifest.json. "
        "Synthesise it first: make synth DEPARTMENT=example-production.\n"
    )


def test_a_reader_that_leaves_changes_no_verdict(production: str) -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "ringfence", "preflight", *OF, "--assembly", production]
    done = subprocess.run(command, cwd=ROOT, env=environment(), stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert done.returncode == 1, "as with a reader: the example's own values are wrong"
    assert "BrokenPipe" not in done.stderr and "Traceback" not in done.stderr


def test_the_policy_needs_neither_credentials_nor_a_department(here: Callable[..., Any]) -> None:
    done = here("preflight", "--policy")
    assert done.returncode == 0
    assert "ec2:DescribeAvailabilityZones" in json.loads(done.stdout)["Statement"][0]["Action"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--assembly", "/nonexistent"), "make synth DEPARTMENT=example-production"),
        (
            ("--department", "example-sandbox"),
            "audit.template.json, and not example-sandbox; name a folder of example-",
        ),
        (("--colour",), "No such option '--colour'"),
    ],
)
def test_what_is_missing_on_this_machine_is_told_in_one_sentence(
    here: Callable[..., Any], production: str, arguments: tuple[str, ...], said: str
) -> None:
    done = here("preflight", *OF, "--assembly", production, *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_help_says_what_it_does_and_how_it_ends(here: Callable[..., Any]) -> None:
    done = here("preflight", "--help")
    assert "only read" in done.stdout and "Exit codes" in done.stdout


@pytest.mark.parametrize("module", ["ringfence", "tests.busy", "ringfence.assets.bytecode.check"])
def test_the_help_of_the_other_commands_is_no_traceback(module: str) -> None:
    done = subprocess.run([sys.executable, "-m", module, "--help"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "exit" in done.stdout.lower() or module == "ringfence.assets.bytecode.check"


class Silent(ThreadingHTTPServer):
    """Takes a request and never answers, until told to."""

    daemon_threads = True

    def __init__(self) -> None:
        self.asked, self.end = threading.Event(), threading.Event()
        super().__init__(("127.0.0.1", 0), SilentHandler)


class SilentHandler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Silent)
        self.server.asked.set()
        self.server.end.wait()

    def log_message(self, *_: object) -> None:
        pass


def test_ctrl_c_ends_it_while_aws_is_silent(production: str) -> None:
    server = Silent()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    command = [sys.executable, "-m", "ringfence", "preflight", *OF, "--assembly", production]
    # As a child of a shell in the background, which would ignore Ctrl-C.
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(AWS_ENDPOINT_URL=address, **CREDENTIALS),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    try:
        assert server.asked.wait(120), "it never asked"
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    finally:
        server.end.set()
        process.kill()
        server.shutdown()
        server.server_close()
    assert process.returncode == 130
    assert "nothing was changed" in said and "Traceback" not in said


class Throttling(BaseHTTPRequestHandler):
    """Asks everybody to slow down."""

    count = 0

    def do_POST(self) -> None:
        type(self).count += 1
        body = b"<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>"
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def test_a_throttled_account_is_asked_four_times_and_then_told(production: str) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Throttling)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        address = f"http://127.0.0.1:{server.server_address[1]}"
        done = run("preflight", *OF, "--assembly", production, AWS_ENDPOINT_URL=address, **CREDENTIALS)
    finally:
        server.shutdown()
        server.server_close()
    assert "throttled" in done.stdout
    assert Throttling.count == 4


def test_the_assembly_must_be_of_the_files_account(production: str, tmp_path: Path) -> None:
    copy = tmp_path / "cdk.out"
    copy.mkdir()
    for file in Path(production).glob("*.json"):
        text = file.read_text()
        (copy / file.name).write_text(text.replace("aws://111122223333/", "aws://444455556666/"))
    done = run("preflight", *OF, "--assembly", str(copy))
    assert done.returncode == 2
    assert "444455556666" in done.stderr and "111122223333" in done.stderr


def test_verify_asks_nobody_to_sign_in_before_it_knows_the_account(production: str, tmp_path: Path) -> None:
    done = run("verify-live", *OF, "--assembly", production, "--output", str(tmp_path), "--wait", "0")
    assert done.returncode == 2
    assert "Open this address" not in done.stderr
    assert "No evidence is written" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_verify_knows_the_departments_personas(production: str) -> None:
    done = run("verify-live", *OF, "--assembly", production, "--persona", "developer")
    assert done.returncode == 2
    assert "Choose one of: auditor, operator." in done.stderr


def test_a_drill_needs_more_rights_and_says_which() -> None:
    reads, drill = (json.loads(run("verify-live", "--policy", *more).stdout) for more in ((), ("--drill",)))
    assert len(reads["Statement"]) == 1
    assert drill["Statement"][1]["Action"] == [
        "bedrock-agentcore:InvokeAgentRuntime",
        "lambda:DeleteFunctionConcurrency",
        "lambda:PutFunctionConcurrency",
    ]
