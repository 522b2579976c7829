"""A start that cannot work ends at once, with a line that names the remedy and exit code 2."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import Any

import pytest

from tests.runtime.conftest import ROOT, SCRIPTED, scripted_rules


def test_a_taken_port_is_named(start_host: Any, aws: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        bind = f"127.0.0.1:{taken.getsockname()[1]}"
        host = start_host(scripted_rules(), server=SCRIPTED, ready=False, RINGFENCE_BIND=bind)
        assert host.exit_code() == 2
    assert host.stderr() == f"{bind} is taken: end the process that holds it, or set RINGFENCE_BIND.\n"


def test_the_memory_is_hidden_before_the_server_starts() -> None:
    """prctl(2): option 3 asks whether others of the same user may look, which is 1 unless a process says otherwise."""
    look = (
        "import ctypes\nfrom types import SimpleNamespace\nfrom runtime import host\n"
        "libc = ctypes.CDLL(None)\nbefore = libc.prctl(3, 0, 0, 0, 0)\n"
        "def start(*_, **__):\n"
        "    raise host.StartFault(5, f'{before} before, {libc.prctl(3, 0, 0, 0, 0)} at the start')\n"
        "host.load_settings, host.Spawned = lambda *_: SimpleNamespace(bind=('127.0.0.1', 0)), start\n"
        "raise SystemExit(host.main())\n"
    )
    told = subprocess.run([sys.executable, "-c", look], cwd=ROOT, capture_output=True, text=True)
    assert (told.returncode, told.stderr) == (5, "1 before, 0 at the start\n")


def test_missing_rules_are_named(start_host: Any, aws: Any) -> None:
    host = start_host(None, server=SCRIPTED, ready=False)
    assert host.exit_code() == 2
    assert host.stderr().startswith("runtime.json is missing beside main.py: deploy a zip made by `make assets`")
    assert host.stderr().count("\n") == 1


def test_all_missing_variables_are_named_at_once(start_host: Any, aws: Any) -> None:
    names = (
        "RINGFENCE_PERSONA_ROLE_ARN", "RINGFENCE_TXN_KEY_ARN", "RINGFENCE_CALL_LOG_GROUP", "AWS_REGION",
        "AWS_DEFAULT_REGION",
    )  # fmt: skip
    host = start_host(scripted_rules(), server=SCRIPTED, ready=False, without=names)
    assert host.exit_code() == 2
    assert [line.split(" is not set: ")[0] for line in host.stderr().splitlines()] == list(names)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("AWS_REGION", "us-east-1", "AWS_REGION is not eu-west-2"),
        ("RINGFENCE_PERSONA_ROLE_ARN", "auditor", "is not the ARN of an IAM role"),
        ("RINGFENCE_PERSONA_ROLE_ARN", "arn:aws:iam::444455556666:role/x", "belongs to another account"),
        ("RINGFENCE_TXN_KEY_ARN", "arn:aws:kms:us-east-1:111122223333:key/x", "belongs to another account or region"),
        ("RINGFENCE_CALL_LOG_GROUP", "/ringfence/test/calls/operator", "(/ringfence/test/calls/auditor)"),
        ("RINGFENCE_CALL_LOG_GROUP", "/ringfence/other/calls/auditor", "(/ringfence/test/calls/auditor)"),
        ("RINGFENCE_CALL_LOG_GROUP", "calls", "is not the log group of this department and persona"),
        ("RINGFENCE_BIND", "8000", "RINGFENCE_BIND is not <address>:<port>"),
        ("RINGFENCE_AWS_PATIENCE", "0", "RINGFENCE_AWS_PATIENCE is not a whole number from 1 to 99: leave it out"),
        ("RINGFENCE_AWS_PATIENCE", "many", "RINGFENCE_AWS_PATIENCE is not a whole number from 1 to 99: leave it out"),
    ],
)
def test_a_wrong_variable_is_named(start_host: Any, aws: Any, name: str, value: str, told: str) -> None:
    host = start_host(scripted_rules(), server=SCRIPTED, ready=False, **{name: value})
    assert host.exit_code() == 2
    assert told in host.stderr()


@pytest.mark.parametrize("missing", ["lock", "module", "tools", "issuer"])
def test_incomplete_rules_are_refused(start_host: Any, aws: Any, missing: str) -> None:
    rules = scripted_rules()
    del rules[missing]
    host = start_host(rules, server=SCRIPTED, ready=False)
    assert host.exit_code() == 2
    assert missing in host.stderr() and "Traceback" not in host.stderr()
