"""The bundles of the deployment: which lock, which sources and which Python each zip is made from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"

# Lambda's newest Python (cdk-nag AwsSolutions-L1 demands it); AgentCore direct code deployment offers 3.10 to 3.14.
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
        aws_services: botocore service models to keep; None keeps all. A function that calls one service does not
            carry the models of four hundred.
        shim: folder with our files that lie before the packages on the server's path, such as a `sitecustomize.py`;
            None for almost all. The packages themselves stay as they were published.
        left_out: files of the packages that are not deployed: programs for another processor that nothing here calls.
    """

    name: str
    lock: Path
    python: str
    aws_services: tuple[str, ...] | None = None
    shim: Path | None = None
    left_out: tuple[str, ...] = ()

    def shim_files(self) -> dict[str, Path]:
        """The files of the shim, those in its folders too, by their place among the packages, in a stable order."""
        if self.shim is None:
            return {}
        found = (path for path in self.shim.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        return {path.relative_to(self.shim).as_posix(): path for path in sorted(found)}


# `sam local` runs this emulator in Docker; there is no Docker in a runtime.
_LEFT_OUT = {"serverless": ("samcli/local/rapid/aws-lambda-rie-x86_64",)}


def functions() -> dict[str, Bundle]:
    """One bundle per Lambda function, by folder name below `lambda/`."""
    kept = {"request_interceptor": ("kms",), "runtime_log_group": ("logs",)}
    folders = sorted(path.parent for path in (ROOT / "lambda").glob("*/requirements.lock"))
    return {
        folder.name: Bundle(folder.name, folder / "requirements.lock", FUNCTION_PYTHON, kept.get(folder.name))
        for folder in folders
    }


def servers() -> dict[str, Bundle]:
    """One bundle per MCP server of the catalogue: the awslabs package and its dependencies, unmodified."""
    folders = sorted(path.parent for path in (ROOT / "catalogue" / "servers").glob("*/requirements.lock"))
    return {
        folder.name: Bundle(
            folder.name,
            folder / "requirements.lock",
            RUNTIME_PYTHON,
            shim=folder / "shim" if (folder / "shim").is_dir() else None,
            left_out=_LEFT_OUT.get(folder.name, ()),
        )
        for folder in folders
    }


def host() -> Bundle:
    """The MCP host's own packages, kept apart from every server's."""
    return Bundle("host", ROOT / "runtime" / "requirements.lock", RUNTIME_PYTHON, ("kms", "logs", "sts"))


def every() -> dict[str, Bundle]:
    """All bundles by name."""
    return {**functions(), "host": host(), **servers()}
