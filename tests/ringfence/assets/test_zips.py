"""The zips: reproducible, for ARM64 only, complete, and honest about what is missing."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ringfence.assets import build, bundles, zips
from ringfence.assets.bytecode import interpreters
from ringfence.assets.zips import (
    AssetMissing,
    AssetRefused,
    BaseZip,
    Entry,
    base_zips,
    function_zip,
    runtime_zip,
    write_base_zip,
)
from tests.waiting import LAST_RESORT_SECONDS, running, wait_until


@pytest.fixture
def scratch_assets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(zips, "ASSETS", tmp_path / "assets")
    return tmp_path / "assets"


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compiled")
    (folder / "package").mkdir()
    (folder / "package" / "module.py").write_text("VALUE = 1\n")
    interpreters.compile_pinned(folder, bundles.RUNTIME_PYTHON)
    return folder


@pytest.fixture
def tree(compiled: Path, tmp_path: Path) -> Path:
    return shutil.copytree(compiled, tmp_path / "tree")


def base(tmp_path: Path, *, limit: int = 10_000) -> BaseZip:
    source = tmp_path / "handler.py"
    source.write_text("def handler(): ...\n")
    return BaseZip("example", (Entry("handler.py", source),), (("", bundles.host()),), limit)


def test_the_same_packages_give_the_same_bytes(scratch_assets: Path, tree: Path, tmp_path: Path) -> None:
    made = base(tmp_path)
    write_base_zip(made, {"": tree})
    first = made.path.read_bytes()
    made.path.unlink()
    write_base_zip(made, {"": tree})
    assert made.path.read_bytes() == first


def test_a_zip_holds_bytecode_of_the_deployed_python_and_no_dates(
    scratch_assets: Path, tree: Path, tmp_path: Path
) -> None:
    made = base(tmp_path)
    write_base_zip(made, {"": tree})
    with zipfile.ZipFile(made.path) as archive:
        assert archive.namelist() == ["package/__pycache__/module.cpython-313.pyc", "package/module.py"]
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_library_for_another_processor_is_refused(scratch_assets: Path, tree: Path, tmp_path: Path) -> None:
    x86_64 = (62).to_bytes(2, "little")
    (tree / "package" / "fast.so").write_bytes(b"\x7fELF" + b"\0" * 14 + x86_64 + b"\0" * 40)
    with pytest.raises(AssetRefused, match=r"package/fast\.so is built for ELF machine 62, not for aarch64"):
        write_base_zip(base(tmp_path), {"": tree})
    assert list(scratch_assets.iterdir()) == []


def test_a_zip_over_its_limit_is_refused(scratch_assets: Path, tree: Path, tmp_path: Path) -> None:
    with pytest.raises(AssetRefused, match="the limit is 5"):
        write_base_zip(base(tmp_path, limit=5), {"": tree})


def test_a_missing_zip_names_the_remedy(scratch_assets: Path) -> None:
    with pytest.raises(AssetMissing, match="Run `make assets`"):
        function_zip("pre_token", files={})
    with pytest.raises(AssetMissing, match="there is no zip runtime-nothing"):
        runtime_zip("nothing", files={})


def test_other_rules_give_another_asset_and_the_same_rules_the_same() -> None:
    first = function_zip("request_interceptor", files={"rules.json": b"{}"})
    again = function_zip("request_interceptor", files={"rules.json": b"{}"})
    other = function_zip("request_interceptor", files={"rules.json": b"{ }"})
    assert first == again
    assert first.sha256 != other.sha256
    with zipfile.ZipFile(first.path) as archive:
        assert archive.read("rules.json") == b"{}"
        assert "request_interceptor/handler.py" in archive.namelist()
        assert {"callpath/txn_token.py", "callpath/__pycache__/txn_token.cpython-314.pyc"} <= set(archive.namelist())


@pytest.mark.parametrize("server", sorted(bundles.servers()))
def test_a_runtime_zip_keeps_host_and_server_packages_apart(server: str) -> None:
    asset = runtime_zip(server, files={"runtime.json": b"{}"})
    with zipfile.ZipFile(asset.path) as archive:
        names = archive.namelist()
    assert {"main.py", "runtime.json", "runtime/host.py", "callpath/txn_token.py"} <= set(names)
    assert "runtime/__pycache__/host.cpython-313.pyc" in names
    assert any(name.startswith("packages/host/uvicorn/") for name in names)
    own = bundles.servers()[server].own
    code = f"packages/server/{own.name}/server.py" if own else "packages/server/awslabs/"
    assert any(name.startswith(code) for name in names)
    assert len(names) == len(set(names))


def test_every_lock_pins_every_package_with_hashes() -> None:
    for bundle in bundles.every().values():
        lines = bundle.lock.read_text().splitlines()
        pins = [number for number, line in enumerate(lines) if line and not line.startswith((" ", "#"))]
        assert pins
        for number in pins:
            assert "==" in lines[number], f"{bundle.lock}: {lines[number]}"
            assert lines[number + 1].strip().startswith("--hash=sha256:"), f"{bundle.lock}: {lines[number]}"


@pytest.mark.parametrize("built", [True, False])
def test_the_table_is_printed_after_a_build_and_never_where_json_may_follow(
    built: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(build, "build_zips", lambda: built)
    monkeypatch.setattr(build, "remove_stale", lambda: None)
    assert build.build(local=False) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert ("aarch64 libraries" in said.err) is built


def test_what_another_build_removes_meanwhile_is_no_fault(
    scratch_assets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = scratch_assets / "runtime-old.zip"
    scratch_assets.mkdir()
    (scratch_assets / "runtime-gone.zip").symlink_to("removed")  # listed, and not there when it is looked at
    old.write_bytes(b"")
    os.utime(old, (0, 0))
    monkeypatch.setattr(build, "ASSETS", scratch_assets)
    monkeypatch.setattr(build, "COMPILED", tmp_path / "sources")
    build.remove_stale()
    assert not old.exists()


INTO = """
import sys
from pathlib import Path
from ringfence.assets import bundles
bundles.BUILD = Path(sys.argv[1])
sys.argv = ["ringfence", "assets"]
from ringfence.command_line.entry import run
run()
"""
SLOW_UV = """
import os, sys, time
from pathlib import Path
Path(os.environ["STARTED"], str(os.getpid())).touch()
time.sleep(3600)
"""


@pytest.mark.parametrize("send", [os.killpg, os.kill], ids=["ctrl-c", "a signal to this process alone"])
def test_interrupted_it_says_so_in_one_line_and_leaves_nothing_half_made(
    send: Callable[[int, int], None], tmp_path: Path
) -> None:
    started = tmp_path / "started"
    for folder in (started, tmp_path / "uv"):
        folder.mkdir()
    (tmp_path / "uv" / "__init__.py").touch()
    (tmp_path / "uv" / "__main__.py").write_text(SLOW_UV)
    process = subprocess.Popen(
        [sys.executable, "-c", INTO, str(tmp_path / "build")],
        cwd=bundles.ROOT,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{bundles.ROOT}", "STARTED": str(started)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    wait_until(lambda: process.poll() is not None or len(list(started.iterdir())) == 2)
    send(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=LAST_RESORT_SECONDS)
    assert process.returncode == 130, said
    [at_work, empty, interrupted] = said.splitlines()
    assert (
        re.fullmatch(r"assets: 0 of \d+ installed for ARM64; begun: \S+ and \S+, which take longest", at_work)
        and not empty
    )
    assert interrupted == "assets: interrupted; what is built is kept."
    wait_until(lambda: not any(running(each.name) for each in started.iterdir()), what=lambda: "the end of uv")
    assert not [path for path in (tmp_path / "build").rglob("*") if path.parent != tmp_path / "build"]


def test_the_build_says_what_is_done_as_it_is_done(capfd: pytest.CaptureFixture[str]) -> None:
    build._two_at_a_time(len, ["iam", "eks"], "zipped")
    said = capfd.readouterr().err
    assert said.startswith("assets: 0 of 2 zipped; begun: iam and eks, which take longest\n")
    assert sorted(re.findall(r"^assets: (\d) of 2 zipped: (?:iam|eks), \d+\.\d s$", said, re.MULTILINE)) == ["1", "2"]


def test_nothing_is_built_twice() -> None:
    assert build.build_zips() is False


def test_every_native_library_was_checked() -> None:
    for made in base_zips().values():
        with zipfile.ZipFile(made.path) as archive:
            libraries = [name for name in archive.namelist() if ".so" in Path(name).name]
            for name in libraries:
                header = archive.open(name).read(20)
                assert header[:4] != b"\x7fELF" or int.from_bytes(header[18:20], "little") == 183, name
