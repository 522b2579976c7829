"""A server's tools are what is locked, and whoever changes either is told."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from callpath.definition import as_locked, definition_digest
from ringfence import CannotGoOn
from ringfence.assets import lock
from ringfence.assets.listing import ServerFailed, list_tools
from ringfence.assets.local import packages
from tests.waiting import LAST_RESORT_SECONDS, running, wait_until

SERVERS = tuple(sorted(path.parent.name for path in lock.SERVERS.glob("*/requirements.lock")))


@pytest.fixture(scope="module")
def live_locks() -> Iterator[dict[str, Future[dict[str, Any]]]]:
    """Every server started, a few at a time: one after another they would take a minute."""

    def start(name: str) -> dict[str, Any]:
        return lock.live_lock(
            lock.read_server(lock.SERVERS / name), installed=packages(name), timeout_seconds=LAST_RESORT_SECONDS
        )

    with ThreadPoolExecutor(max_workers=3) as pool:
        yield {name: pool.submit(start, name) for name in SERVERS}


@pytest.mark.parametrize("name", SERVERS)
def test_the_started_server_lists_exactly_what_is_locked(
    name: str, live_locks: dict[str, Future[dict[str, Any]]]
) -> None:
    live = live_locks[name].result()
    path = lock.SERVERS / name / "tools.lock.json"
    assert list(lock.differences(lock.read_lock(path), live)) == [], "review the changes and run `make lock`"
    assert path.read_text() == lock.lock_text(live), "the lock's form differs: run `make lock`"


@pytest.fixture
def tampered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the cloudtrail folder that `ringfence.assets.lock` works on; its lock may be changed."""
    folder = tmp_path / "servers" / "cloudtrail"
    shutil.copytree(lock.SERVERS / "cloudtrail", folder)
    monkeypatch.setattr(lock, "SERVERS", folder.parent)
    return folder / "tools.lock.json"


def change(path: Path, tool_name: str, **fields: object) -> None:
    """Changes one tool of a lock, digest included, as if the server had been another when it was locked."""
    content = json.loads(path.read_text())
    for tool in content["tools"]:
        if tool["name"] == tool_name:
            tool.update(fields)
            tool["sha256"] = definition_digest({key: value for key, value in tool.items() if key != "sha256"})
    path.write_text(lock.lock_text(content))


def pinned(*, check: bool) -> int:
    return lock.pin(["cloudtrail"], check=check, timeout_seconds=LAST_RESORT_SECONDS)


def test_check_fails_and_shows_what_drifted_and_make_lock_mends_it(
    tampered: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    original = tampered.read_text()
    change(tampered, "lookup_events", description="Look up some events.\nRun lake_query first.")
    change(tampered, "lake_query", inputSchema={"type": "object", "properties": {}})
    change(tampered, "get_query_status", name="get_query_state")
    drifted = tampered.read_text()

    assert pinned(check=True) == 1
    shown = capsys.readouterr().out
    assert "cloudtrail: removed: get_query_state" in shown
    assert "cloudtrail: added: get_query_status" in shown
    assert "cloudtrail: changed: lookup_events, description" in shown
    assert "-Run lake_query first." in shown
    assert "cloudtrail: changed: lake_query, inputSchema" in shown
    assert "changed: list_event_data_stores" not in shown
    assert tampered.read_text() == drifted, "--check must not write"

    assert pinned(check=False) == 0
    assert tampered.read_text() == original
    assert pinned(check=True) == 0


def test_a_definition_that_does_not_match_its_own_digest_is_found() -> None:
    locked = lock.read_lock(lock.SERVERS / "cloudtrail" / "tools.lock.json")
    edited = json.loads(json.dumps(locked))
    edited["tools"][0]["sha256"] = "0" * 64
    assert list(lock.differences(edited, locked)) == [
        f"edited by hand: {locked['tools'][0]['name']}; its sha256 is not that of the definition beside it"
    ]


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda folder: (folder / "tools.lock.json").unlink(), "does not exist. Run `make lock`."),
        (lambda folder: (folder / "tools.lock.json").write_text("[]"), "holds no list of tools"),
        (lambda folder: (folder / "tools.lock.json").write_text("{"), "is not valid JSON"),
        (lambda folder: (folder / "server.toml").write_text("name = "), "is not valid"),
        (lambda folder: (folder / "server.toml").write_text('name = "cloudtrail"'), "lacks the key 'package'"),
    ],
)
def test_a_broken_folder_is_refused_in_plain_words(tampered: Path, spoil: object, expected: str) -> None:
    spoil(tampered.parent)  # type: ignore[operator]
    with pytest.raises(CannotGoOn, match=f"^cloudtrail: .*{re.escape(expected)}"):
        pinned(check=True)


def test_another_version_than_the_described_one_is_not_locked(tampered: Path) -> None:
    path = tampered.parent / "server.toml"
    path.write_text(path.read_text().replace('version = "0.1.1"', 'version = "0.1.2"'))
    with pytest.raises(lock.LockFailed, match=r"says awslabs.cloudtrail-mcp-server 0\.1\.2.*installs 0\.1\.1"):
        lock.live_lock(
            lock.read_server(tampered.parent), installed=packages("cloudtrail"), timeout_seconds=LAST_RESORT_SECONDS
        )


def test_a_lock_made_with_an_older_python_is_the_lock_of_a_newer_one() -> None:
    # What `def f(): """First.\n\n        Second.\n    """` has as __doc__ before and since Python 3.13.
    before = {"name": "f", "description": "First.\n\n        Second.\n            Third.\n        "}
    since = {"name": "f", "description": "First.\n\nSecond.\n    Third.\n"}
    assert as_locked(before) == as_locked(since)
    assert definition_digest(before) == definition_digest(since)
    assert definition_digest(before) != definition_digest({**before, "description": "First.\n\nSecond.\nThird."})
    assert definition_digest(before) != definition_digest({**before, "title": "a field the lock does not have"})


def write_server(folder: Path, body: str) -> None:
    """A stand-in for a server that misbehaves; the awslabs servers cannot be made to."""
    (folder / "bad_server.py").write_text("import json, os, subprocess, sys, time\n" + body)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("raise SystemExit('no region, no start')", "no region, no start"),
        ("sys.stdin.readline(); sys.exit(3)", "it ended with code 3"),
        ("print('Starting...', flush=True); time.sleep(3600)", "not a JSON-RPC message"),
        (
            "sys.stdin.readline(); print(json.dumps({'id': 1, 'error': {'code': -32600}}), flush=True)",
            "refused initialize",
        ),
        ("sys.stderr.write('x' * 3_000_000); sys.exit('flooded')", "flooded"),
    ],
)
def test_a_server_that_does_not_list_is_an_error_that_says_why(tmp_path: Path, body: str, expected: str) -> None:
    write_server(tmp_path, body)
    with pytest.raises(ServerFailed, match=expected) as caught:
        list_tools(module="bad_server", packages=tmp_path, timeout_seconds=LAST_RESORT_SECONDS)
    assert len(str(caught.value)) < 3000


def test_a_server_that_hangs_is_killed_with_what_it_started(tmp_path: Path) -> None:
    write_server(
        tmp_path,
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(3600)'])\n"
        f"open({str(tmp_path / 'new')!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')\n"
        f"os.rename({str(tmp_path / 'new')!r}, {str(tmp_path / 'pids')!r})\n"
        "time.sleep(3600)\n",
    )
    for patience in (2.0, 20.0, LAST_RESORT_SECONDS):  # until it had the time to start something
        with pytest.raises(ServerFailed, match="did not answer initialize in time"):
            list_tools(module="bad_server", packages=tmp_path, timeout_seconds=patience)
        if (tmp_path / "pids").exists():
            break
    for pid in (tmp_path / "pids").read_text().split():
        wait_until(lambda pid=pid: not running(pid), what=lambda pid=pid: f"the end of {pid}")


def test_a_server_gets_nothing_of_our_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("HTTPS_PROXY", "http://203.0.113.9:3128")
    write_server(tmp_path, "sys.exit(json.dumps(dict(os.environ)))")
    with pytest.raises(ServerFailed) as caught:
        list_tools(
            module="bad_server", packages=tmp_path, environment={"OF_ITS_OWN": "1"}, timeout_seconds=LAST_RESORT_SECONDS
        )
    seen = json.loads(caught.value.what.splitlines()[-1])
    assert seen["OF_ITS_OWN"] == "1"
    assert seen["HOME"] != os.environ.get("HOME")
    assert set(seen) - {"OF_ITS_OWN", "LC_CTYPE"} == {
        "AWS_DEFAULT_REGION", "AWS_EC2_METADATA_DISABLED", "AWS_REGION", "HOME", "LANG", "PATH",
        "PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "TMPDIR",
    }  # fmt: skip
    assert sys.executable not in seen["PATH"]
