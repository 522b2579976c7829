"""The bundles of the deployment: which lock, which sources and which Python each zip is made from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ringfence.assets.pruning import LeftOut, called_prefixes, folders_of, left_out_of

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"

# Lambda's newest Python (cdk-nag AwsSolutions-L1 demands it). Of AgentCore's, 3.10 and 3.11 can no longer be updated
# since 31 August 2026; 3.13 is deprecated on 30 June 2029 (AgentCore developer guide, supported language runtimes, read
# 28 November 2026). Each has a pinned interpreter in package.json, which makes its bytecode.
FUNCTION_PYTHON = "3.14"
RUNTIME_PYTHON = "3.13"
# glibc 2.28 is the floor of today's wheels and below Amazon Linux 2023's 2.34.
PLATFORM = "aarch64-manylinux_2_28"


@dataclass(frozen=True)
class Bundle:
    """Third-party packages of one lock, installed for one Python.

    Attributes:
        name: word used in file names and messages: a function, a server, or `host`.
        lock: requirements file with hashes.
        python: version of the deployed interpreter, as `3.13`.
        left_out: what of the packages is not deployed.
        shim: folder with our files that lie before the packages on the server's path, such as a `sitecustomize.py`;
            None for almost all. The packages themselves stay as they were published.
        own: the package that a server of ours is, which lies among those that it needs; None for all others.
    """

    name: str
    lock: Path
    python: str
    left_out: LeftOut
    shim: Path | None = None
    own: Path | None = None

    def own_files(self) -> dict[str, Path]:
        """Our files, of the shim or the server, by their place among the packages, in a stable order."""
        beside = {self.shim: self.shim, self.own: self.own.parent if self.own else None}
        return {
            path.relative_to(root).as_posix(): path
            for folder, root in beside.items()
            if folder and root
            for path in sorted(folder.rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts
        }


def functions() -> dict[str, Bundle]:
    """One bundle per Lambda function, by folder name below `lambda/`."""
    return {folder.name: _of(folder.name, folder, FUNCTION_PYTHON) for folder in folders_of("lambda")}


def servers() -> dict[str, Bundle]:
    """One bundle per MCP server of the catalogue: the awslabs package and its dependencies, unmodified."""
    return {folder.name: _of(folder.name, folder, RUNTIME_PYTHON) for folder in folders_of("catalogue/servers")}


def host() -> Bundle:
    """The MCP host's own packages, kept apart from every server's."""
    return _of("host", ROOT / "runtime", RUNTIME_PYTHON)


def _of(name: str, folder: Path, python: str) -> Bundle:
    described = folder / "server.toml"
    calls = called_prefixes(described) if described.is_file() else frozenset()
    shim, own = folder / "shim", ROOT / "servers" / name.replace("-", "_")
    left_out = left_out_of(name, calls=calls)
    return Bundle(
        name,
        folder / "requirements.lock",
        python,
        left_out,
        shim=shim if shim.is_dir() else None,
        own=own if own.is_dir() else None,
    )


def every() -> dict[str, Bundle]:
    """All bundles by name."""
    return {**functions(), "host": host(), **servers()}
