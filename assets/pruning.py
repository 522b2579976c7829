"""Takes out of installed packages what a deployment never uses: `left_out.toml`, data of AWS services never called."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
# What botocore needs whatever service is called.
_SHARED_DATA = ("endpoints.json", "partitions.json", "_retry.json", "sdk-default-configuration.json")
# The AWS CLI brings a botocore of its own.
_BOTOCORE = ("botocore/data", "awscli/botocore/data")


class NothingToLeaveOut(Exception):
    """`left_out.toml` names something that the packages do not hold: the list is of another version."""


@dataclass(frozen=True)
class LeftOut:
    """What is taken out of one bundle's packages.

    Attributes:
        folders: names of folders, wherever they lie.
        suffixes: of files, wherever they lie.
        files: names of files, wherever they lie.
        only: folder below the packages, where there is one -> names in it that stay.
        paths: files or folders, below the packages.
        aws_services: folders of botocore's data that stay.
    """

    folders: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    only: tuple[tuple[str, tuple[str, ...]], ...] = ()
    paths: tuple[str, ...] = ()
    aws_services: tuple[str, ...] = ()

    def as_text(self) -> str:
        """Everything that decides what is taken out, for a cache's key."""
        return repr(self)


def left_out_of(bundle: str, *, calls: frozenset[str]) -> LeftOut:
    """What is taken out of a bundle's packages.

    Args:
        bundle: name of a function, a server, or `host`.
        calls: prefixes of the IAM actions that its code calls, as `elasticmapreduce`.
    """
    rules = _rules()
    own = rules["bundles"].get(bundle, {})
    folders = rules["aws_services"]
    services = {folders.get(prefix, prefix) for prefix in calls} | set(own.get("aws_services", ()))
    return LeftOut(
        **{key: tuple(rules["everywhere"][key]) for key in ("folders", "suffixes", "files")},
        only=tuple((folder, tuple(names)) for folder, names in rules["everywhere"]["only"].items()),
        paths=tuple(own.get("paths", ())),
        aws_services=tuple(sorted(services)),
    )


def called_prefixes(server_toml: Path) -> frozenset[str]:
    """The prefixes of every IAM action that a server's description names, granted or not."""
    return frozenset(action.partition(":")[0] for action in _actions(tomllib.loads(server_toml.read_text("utf-8"))))


def prune(target: Path, left_out: LeftOut) -> None:
    """Take it out of the packages below `target`.

    Raises:
        NothingToLeaveOut: a path, or an AWS service that is to stay, is not there.
    """
    for name in left_out.paths:
        if not (target / name).exists():
            raise NothingToLeaveOut(f"there is no {name} to leave out; mend assets/left_out.toml")
        _remove(target / name)
    for folder, names in left_out.only:
        _keep_only(target / folder, set(names), missing="mend assets/left_out.toml")
    shared = set(_SHARED_DATA) | {f"{name}.gz" for name in _SHARED_DATA}
    for folder in _BOTOCORE:
        if (target / folder).is_dir() and not left_out.aws_services:
            raise NothingToLeaveOut(f"{folder} is here, and no AWS service is named: say which in assets/left_out.toml")
        _keep_only(
            target / folder,
            set(left_out.aws_services),
            also=shared,
            missing="where botocore's folder has another name than the action's prefix, say so in assets/left_out.toml",
        )
    for path in sorted(target.rglob("*"), reverse=True):  # what lies in a folder before the folder
        if path.is_dir():
            if path.name in left_out.folders:
                shutil.rmtree(path)
        elif path.suffix in left_out.suffixes or path.name in left_out.files:
            path.unlink()


def _keep_only(folder: Path, names: set[str], *, also: frozenset[str] | set[str] = frozenset(), missing: str) -> None:
    """Take everything out of a folder, where there is one, but what is named; `also` need not be there."""
    if not folder.is_dir():
        return
    there = {path.name for path in folder.iterdir()}
    if names - there:
        raise NothingToLeaveOut(f"{folder.name} holds no {', '.join(sorted(names - there))}: {missing}")
    for name in there - names - also:
        _remove(folder / name)


def _remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def _actions(value: Any, key: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _actions(each, name)
    elif isinstance(value, list):
        for each in value:
            yield from _actions(each, key)
    elif key == "actions" and isinstance(value, str):
        yield value


@cache
def _rules() -> dict[str, Any]:
    return tomllib.loads((ROOT / "assets" / "left_out.toml").read_text(encoding="utf-8"))
