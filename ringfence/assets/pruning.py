"""Takes out of installed packages what a deployment never uses: `left_out.toml`, data of AWS services never called."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ringfence import CannotGoOn

ROOT = Path(__file__).resolve().parents[2]
KINDS = ("lambda", "catalogue/servers")
# What botocore needs whatever service is called.
_SHARED_DATA = ("endpoints.json", "partitions.json", "_retry.json", "sdk-default-configuration.json")
# The AWS CLI brings a botocore of its own.
_BOTOCORE = ("botocore/data", "awscli/botocore/data")


class ListRefused(CannotGoOn):
    """`left_out.toml` is not of the form that is read here."""

    remedy = "Correct that list."


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
    rules = read_rules()
    every, own = rules.everywhere, rules.bundles.get(bundle, OfBundle())
    services = {rules.aws_services.get(prefix, prefix) for prefix in calls} | set(own.aws_services)
    return LeftOut(
        folders=every.folders,
        suffixes=every.suffixes,
        files=every.files,
        only=tuple(every.only.items()),
        paths=own.paths,
        aws_services=tuple(sorted(services)),
    )


def called_prefixes(server_toml: Path) -> frozenset[str]:
    """The prefixes of every IAM action that a server's description names, granted or not."""
    return _called_in(server_toml.read_text("utf-8"))


@cache
def _called_in(described: str) -> frozenset[str]:
    return frozenset(action.partition(":")[0] for action in _actions(tomllib.loads(described)))


def prune(target: Path, left_out: LeftOut) -> None:
    """Take it out of the packages below `target`.

    Raises:
        NothingToLeaveOut: a path, or an AWS service that is to stay, is not there.
        ListRefused: a path leads out of the packages; nothing has been taken out.
    """
    _refuse_outside(target, (*left_out.paths, *(folder for folder, _ in left_out.only)))
    for name in left_out.paths:
        if not (target / name).exists():
            raise NothingToLeaveOut(f"there is no {name} to leave out; mend ringfence/assets/left_out.toml")
        _remove(target / name)
    for folder, names in left_out.only:
        _keep_only(target / folder, set(names), missing="mend ringfence/assets/left_out.toml")
    shared = set(_SHARED_DATA) | {f"{name}.gz" for name in _SHARED_DATA}
    for folder in _BOTOCORE:
        if (target / folder).is_dir() and not left_out.aws_services:
            raise NothingToLeaveOut(
                f"{folder} is here, and no AWS service is named: say which in ringfence/assets/left_out.toml"
            )
        _keep_only(
            target / folder,
            set(left_out.aws_services),
            also=shared,
            missing="where botocore's folder has another name than the action's prefix, say so in "
            "ringfence/assets/left_out.toml",
        )
    for path in sorted(target.rglob("*"), reverse=True):  # what lies in a folder before the folder
        if path.is_dir():
            if path.name in left_out.folders:
                shutil.rmtree(path)
        elif path.suffix in left_out.suffixes or path.name in left_out.files:
            path.unlink()


def _refuse_outside(target: Path, names: Iterable[str]) -> None:
    for name in names:
        if target.resolve() not in (target / name).resolve().parents:
            raise ListRefused(f"left_out.toml: {name} is not below the packages")


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


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


_Names = Annotated[tuple[str, ...], Field(strict=False)]
# Below the packages and nowhere else: what is named is removed.
_Path = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$")]


class Everywhere(_Strict):
    """What is left out of all packages."""

    folders: _Names
    suffixes: tuple[Annotated[str, Field(pattern=r"^\.[a-z0-9]+$")], ...] = Field(strict=False)
    files: _Names
    only: dict[_Path, _Names]


class OfBundle(_Strict):
    """What is left out of one bundle's packages, and which AWS services stay besides those that it calls."""

    paths: Annotated[tuple[_Path, ...], Field(strict=False)] = ()
    aws_services: _Names = ()


class Rules(_Strict):
    """`left_out.toml`."""

    everywhere: Everywhere
    aws_services: dict[str, str]
    bundles: dict[str, OfBundle]


@cache
def read_rules(path: Path = ROOT / "ringfence" / "assets" / "left_out.toml") -> Rules:
    """The list of what is left out.

    Raises:
        ListRefused: everything that is wrong with it.
    """
    try:
        rules = Rules.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ListRefused(f"{path.name}: it cannot be read: {error.strerror}") from None
    except tomllib.TOMLDecodeError as error:
        raise ListRefused(f"{path.name}: this is not valid TOML: {error}") from None
    except ValidationError as error:
        told = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
        raise ListRefused(f"{path.name}: {'; '.join(told)}") from None
    built = ["host", *(folder.name for kind in KINDS for folder in folders_of(kind))]
    if unknown := sorted(rules.bundles.keys() - set(built)):
        wrong = "; ".join(f"bundles.{name} is no bundle" for name in unknown)
        raise ListRefused(f"{path.name}: {wrong}. Name one of: {', '.join(built)}")
    every = rules.everywhere
    lists = {"folders": every.folders, "suffixes": every.suffixes, "files": every.files} | {
        f"bundles.{name}.{key}": names for name, own in rules.bundles.items() for key, names in own
    }
    twice = [f"{where} names {each} twice" for where, names in lists.items() for each in _twice(names)]
    if twice:
        raise ListRefused(f"{path.name}: {'; '.join(twice)}")
    return rules


def folders_of(kind: str) -> list[Path]:
    """The folders of one of `KINDS` that hold a lock; a bundle is made from each, and has its name."""
    return sorted(path.parent for path in (ROOT / kind).glob("*/requirements.lock"))


def _twice(names: tuple[str, ...]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})
