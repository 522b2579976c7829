"""Starts the server's process: an allow-list of environment variables, a private empty home, pipes, its own session.

Free of asyncio on purpose. The server needs most of the start time, so it is started before the host imports the rest.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from runtime.settings import Settings

CREDENTIALS_PATH = "/credentials"
# Below the child's home. The leading dot keeps it apart from what callers may name there.
COMMANDS = ".commands"
SERVER_MAIN = str(Path(__file__).resolve().with_name("server_main.py"))


def loopback_listener() -> socket.socket:
    """A socket on a free port of 127.0.0.1, for the credentials endpoint."""
    # The protocol must be named for asyncio to switch Nagle's algorithm off.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    return listener


def credentials_url(listener: socket.socket) -> str:
    """Value of AWS_CONTAINER_CREDENTIALS_FULL_URI for that socket."""
    return f"http://127.0.0.1:{listener.getsockname()[1]}{CREDENTIALS_PATH}"


def new_token() -> str:
    """A token that only one child, and only this child, will know."""
    return os.urandom(32).hex()


def child_environment(settings: Settings, *, home: Path, credentials_url: str, token: str) -> dict[str, str]:
    """The child's whole environment. Nothing of the host's own environment is inherited beyond PATH and LANG.

    Both region variables are needed: boto3 reads only AWS_DEFAULT_REGION, some servers only AWS_REGION. COLUMNS keeps
    the tracebacks that mcp draws on stderr from being wrapped at 80 columns, so that their cause can be found.
    """
    path = os.environ.get("PATH", os.defpath)
    environment = {
        "PATH": f"{home / COMMANDS}{os.pathsep}{path}" if settings.commands else path,
        "LANG": os.environ.get("LANG", "C.UTF-8"),
        "HOME": str(home),
        "TMPDIR": str(home),
        "COLUMNS": "1000",
        "PYTHONPATH": str(settings.packages),
        "PYTHONDONTWRITEBYTECODE": "1",
        **settings.environment,
        "AWS_REGION": settings.region,
        "AWS_DEFAULT_REGION": settings.region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": credentials_url,
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": token,
        "AWS_SDK_UA_APP_ID": f"ringfence-{settings.persona}",
    }
    if settings.aws_endpoint_url:
        environment["AWS_ENDPOINT_URL"] = settings.aws_endpoint_url
    return environment


def write_commands(commands: Mapping[str, str], *, home: Path) -> None:
    """Write the commands the server looks for on its path, as scripts for the interpreter at hand.

    A zip would carry scripts without their mode, and with the path of the interpreter that built it.
    """
    if not commands:
        return
    folder = home / COMMANDS
    folder.mkdir()
    for name, module in commands.items():
        run = f'exec {shlex.quote(sys.executable)} -s -P -m {shlex.quote(module)} "$@"'
        missing = f"echo {shlex.quote(f'{name} is not part of this runtime')} >&2; exit 127"
        (folder / name).write_text(f"#!/bin/sh\n{run if module else missing}\n", encoding="utf-8")
        (folder / name).chmod(0o700)


class Spawned:
    """A child process just started, not yet spoken to: cheap to make before the event loop exists.

    To be made on the main thread: the child ends when the thread that started it does.
    """

    def __init__(self, settings: Settings, *, credentials_url: str, token: str) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="ringfence-"))
        write_commands(settings.commands, home=self.home)
        self.process = subprocess.Popen(
            # -s and -P: neither the user's site packages nor a file written into the work folder can become code.
            [sys.executable, "-s", "-P", SERVER_MAIN, str(os.getpid()), settings.module, *settings.flags],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=child_environment(settings, home=self.home, credentials_url=credentials_url, token=token),
            cwd=self.home,
            start_new_session=True,  # so that whatever the server starts itself ends with it
        )

    def kill(self) -> None:
        """End the child and everything it started, at once, and remove its home."""
        if self.process.returncode is not None:
            return  # already reaped: the process group's number may belong to somebody else by now
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        shutil.rmtree(self.home, ignore_errors=True)
