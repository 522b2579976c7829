"""Starts a runtime zip on an ARM64 Python under qemu and asks it for its tools.

It shows that the wheels in the zip are for this processor and this C library, that the host starts the real server with
them, and that the tools equal the lock. It does not show the AgentCore service, its role or its network.

Needs `qemu-user-static` and a Debian machine; the interpreter comes from Debian's own arm64 packages, unpacked into a
folder without root rights.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
import zipfile
from pathlib import Path

import httpx2

from ringfence import CannotGoOn
from ringfence.assets.bundles import BUILD, RUNTIME_PYTHON

QEMU = "qemu-aarch64-static"
SUITE = "trixie"  # the Debian release that carries RUNTIME_PYTHON
# numpy brings every library but this one.
PACKAGES = (f"python{RUNTIME_PYTHON}", "libstdc++6")
START_SECONDS = 180


class SmokeFailed(CannotGoOn):
    """The zip did not start, or something that the smoke run needs is missing."""

    remedy = "Correct what is named, and run `make smoke-arm64` again."


def start_under_qemu(assembly: Path, server: str) -> None:
    """Starts the runtime zip of a server of a cloud assembly; raises `SmokeFailed` where it does not start."""
    if shutil.which(QEMU) is None:
        raise SmokeFailed(f"{QEMU} is not installed", "On Debian: apt-get install qemu-user-static.")
    archive = runtime_zip_of(assembly, server)
    seconds, tools = start_and_list(archive, arm64_python())
    print(f"smoke-arm64: {archive.name} started on aarch64 Python {RUNTIME_PYTHON} in {seconds:.1f} s under emulation")
    print(f"smoke-arm64: tools/list answered {len(tools)} tools: {', '.join(tools)}")


def runtime_zip_of(assembly: Path, server: str) -> Path:
    """The asset of `server`'s runtime in a cloud assembly."""
    for path in sorted(assembly.glob("asset.*.zip")):
        with zipfile.ZipFile(path) as archive:
            if "runtime.json" in archive.namelist() and json.loads(archive.read("runtime.json"))["server"] == server:
                return path
    raise SmokeFailed(f"{assembly} holds no runtime zip for {server}", "Run `make synth` first.")


def arm64_python() -> Path:
    """Unpack Debian's arm64 Python below build/, once; returns the root folder."""
    root = BUILD / f"arm64-{'-'.join(PACKAGES)}"
    if (root / "usr" / "bin" / f"python{RUNTIME_PYTHON}").exists():
        return root
    root.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root.parent) as scratch:
        state, tree = Path(scratch) / "apt", Path(scratch) / "root"
        for folder in ("lists/partial", "archives/partial", "etc"):
            (state / folder).mkdir(parents=True)
        (state / "status").touch()
        (state / "etc" / "sources.list").write_text(f"deb [arch=arm64] {_debian_mirror()} {SUITE} main\n")
        options = _apt_options(state)
        _run("apt-get", *options, "update")
        _run(
            "apt-get",
            *options,
            "install",
            "--download-only",
            "--no-install-recommends",
            "-y",
            *PACKAGES,
        )
        for package in sorted((state / "archives").glob("*.deb")):
            _run("dpkg-deb", "-x", str(package), str(tree))
        if not (tree / "lib").exists():  # the link that Debian's installer makes: programs ask for /lib/ld-linux-…
            (tree / "lib").symlink_to("usr/lib")
        shutil.rmtree(root, ignore_errors=True)
        os.replace(tree, root)
    return root


def start_and_list(archive: Path, root: Path) -> tuple[float, list[str]]:
    """Start the zip's host under qemu, list its tools, stop it; returns seconds to the answer and tool names.

    The list comes from the lock; that the server runs, and has listed the same, is what /ping says.
    """
    with tempfile.TemporaryDirectory(prefix="ringfence-arm64-") as scratch:
        folder = Path(scratch)
        with zipfile.ZipFile(archive) as zipped:
            zipped.extractall(folder / "code")
        python = _python_shim(folder, root)
        port = _free_port()
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": scratch,
            "AWS_REGION": "eu-west-2",
            "AWS_DEFAULT_REGION": "eu-west-2",
            "RINGFENCE_BIND": f"127.0.0.1:{port}",
            "RINGFENCE_CALL_LOG_GROUP": _call_log_group(folder / "code"),
            "RINGFENCE_PERSONA_ROLE_ARN": "arn:aws:iam::111122223333:role/smoke",
            "RINGFENCE_TXN_KEY_ARN": "arn:aws:kms:eu-west-2:111122223333:key/00000000-0000-0000-0000-000000000000",
        }
        started = time.monotonic()
        output = folder / "output"
        with output.open("wb") as sink:
            host = subprocess.Popen(
                [str(python), "main.py"], cwd=folder / "code", env=environment, stdout=sink, stderr=sink
            )
            try:
                _wait_for_the_server(host, port, output)
                tools = _list_tools(port)
            finally:
                host.terminate()
                try:
                    host.wait(20)
                except subprocess.TimeoutExpired:
                    host.kill()
                    host.wait()
        return time.monotonic() - started, tools


def _call_log_group(code: Path) -> str:
    rules = json.loads((code / "runtime.json").read_text())
    return f"/ringfence/{rules['department']}/calls/{rules['persona']}"


def _python_shim(folder: Path, root: Path) -> Path:
    """A script that runs the ARM64 Python under qemu; it is also what that Python believes it is called.

    The host starts its server with `sys.executable`, and a kernel without binfmt support cannot execute ARM64 files.
    """
    shim = folder / "python3"
    libraries = ":".join(str(root / part) for part in ("usr/lib/aarch64-linux-gnu", "lib/aarch64-linux-gnu"))
    # The default emulated processor authenticates pointers, which makes imports six times slower.
    shim.write_text(
        f"""#!/bin/sh
exec {QEMU} -cpu cortex-a72 -L '{root}' -0 '{shim}' -E PYTHONHOME='{root}/usr' -E LD_LIBRARY_PATH='{libraries}' \\
  '{root}/usr/bin/python{RUNTIME_PYTHON}' "$@"
"""
    )
    shim.chmod(0o755)
    return shim


def _wait_for_the_server(host: subprocess.Popen[bytes], port: int, output: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if host.poll() is not None:
            raise SmokeFailed(
                f"the host ended with code {host.returncode}:\n{output.read_text(errors='replace')[-2000:]}"
            )
        try:
            answer = httpx2.get(f"http://127.0.0.1:{port}/ping", timeout=30, trust_env=False)
            if answer.is_error:  # the server does not start, or is not the locked one
                break
            if answer.headers["ringfence-server"] == "ready":
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.5)
    raise SmokeFailed(f"no server within {START_SECONDS} s:\n{output.read_text(errors='replace')[-2000:]}")


def _list_tools(port: int) -> list[str]:
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    headers = {"Accept": "application/json, text/event-stream"}
    answer = httpx2.post(f"http://127.0.0.1:{port}/mcp", json=message, headers=headers, timeout=30, trust_env=False)
    return [tool["name"] for tool in answer.raise_for_status().json()["result"]["tools"]]


def _apt_options(state: Path) -> list[str]:
    settings = {
        "Dir::State": state,
        "Dir::State::lists": state / "lists",
        "Dir::State::status": state / "status",
        "Dir::Cache": state,
        "Dir::Cache::archives": state / "archives",
        "Dir::Etc::sourcelist": state / "etc" / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "APT::Architecture": "arm64",
        "APT::Architectures": "arm64",
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
    }
    return [part for name, value in settings.items() for part in ("-o", f"{name}={value}")]


def _debian_mirror() -> str:
    """The mirror that this machine's own apt uses: the project names none."""
    sources = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    for path in sources:
        text = path.read_text() if path.is_file() else ""
        found = re.search(r"^(?:URIs:|deb(?: \[[^]]*\])?)\s+(https?://\S+)", text, re.MULTILINE)
        if found:
            return found.group(1)
    raise SmokeFailed("this machine's apt sources name no Debian mirror")


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SmokeFailed(f"`{' '.join(command[:1])} …` failed:\n{(done.stderr or done.stdout).strip()[-1500:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
