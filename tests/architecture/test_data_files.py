"""Each data file is refused on each kind of mistake, by whatever reads it, before anything comes of it."""

from __future__ import annotations

import copy
import json
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ringfence.assets import pruning
from ringfence.catalogue.bypasses import bypasses
from ringfence.catalogue.catalogue import load_catalogue
from ringfence.catalogue.models import known_models
from ringfence.department.department import load_department
from ringfence.deployment import rights, schemas
from ringfence.hosts.programs import programs
from ringfence.live.preflight.quotas import read_quotas
from ringfence.live.preflight.service_roles import read_roles
from ringfence.live.verification.points import read_points
from ringfence.organisation.organisation import load_organisation
from ringfence.proofs.each import escalation, outside
from ringfence.reading.problems import ProblemsFound

ROOT = Path(__file__).resolve().parents[2]
ROOMS = (
    "catalogue",
    "departments",
    "organisations",
    *(f"ringfence/{room}" for room in ("proofs", "deployment", "live", "assets")),
)
KINDS = ("unknown key", "unknown key inside", "missing key", "wrong type", "misspelt value", "duplicate", "not TOML")

Place = tuple[str | int, ...]


def of_catalogue(path: Path) -> None:
    load_catalogue(next(parent for parent in path.parents if parent.name == "catalogue"))


def of_department(path: Path) -> None:
    load_department(path.stem, catalogue=load_catalogue(ROOT / "catalogue"), root=path.parent)


@dataclass(frozen=True)
class DataFile:
    """A data file and where mistakes are made in it.

    Attributes:
        path: below the project's folder.
        read: what reads it.
        inside: a table in it.
        required: a key of that table.
        number: a place at which a number is of the wrong type.
        misspelt: a place and a value that nothing knows there.
        twice: a list of which the first entry comes once more.
    """

    path: str
    read: Callable[[Path], Any]
    inside: Place
    required: str
    number: Place
    misspelt: tuple[Place, Any]
    twice: Place


def entries(path: str, read: Callable[[Path], Any], name: str, required: str, misspelt: tuple[str, Any]) -> DataFile:
    """A file that is one list of tables."""
    inside: Place = (name, 0)
    return DataFile(path, read, inside, required, (*inside, required), ((*inside, misspelt[0]), misspelt[1]), (name,))


IAM = ("tools", "list_users")
FILES = [
    DataFile(
        "catalogue/personas.toml",
        of_catalogue,
        ("personas", "auditor"),
        "levels",
        ("personas", "auditor", "title"),
        (("personas", "auditor", "levels"), ["raed"]),
        ("personas", "auditor", "servers", "iam"),
    ),
    DataFile(
        "catalogue/servers/*/server.toml",
        of_catalogue,
        IAM,
        "level",
        (*IAM, "untrusted"),
        ((*IAM, "level"), "raed"),
        ("endpoints",),
    ),
    DataFile(
        "catalogue/hosts.toml",
        of_catalogue,
        ("kinds", "vscode"),
        "title",
        ("kinds", "kiro", "callback_port"),
        (("kinds", "kiro", "callback_port"), 8080),
        ("kinds", "cursor", "callback_urls"),
    ),
    entries("catalogue/programs.toml", programs, "program", "version", ("language", "perl")),
    entries("catalogue/models.toml", known_models, "model", "told", ("told", "heard")),
    entries("catalogue/redaction.toml", of_catalogue, "rules", "regex", ("validator", "upn")),
    entries("catalogue/execution.toml", of_catalogue, "parameter", "because", ("action", "glue:Start*")),
    DataFile(
        "catalogue/refusals.toml",
        of_catalogue,
        ("rules", "unknown-tool"),
        "means",
        ("rules", "unknown-tool", "next"),
        (("rules", "unknown-tool", "layers"), []),
        ("rules", "unknown-tool", "layers"),
    ),
    entries("catalogue/published.toml", of_catalogue, "instead", "why", ("pattern", "(")),
    entries("catalogue/bypasses.toml", bypasses, "bypass", "because", ("state", "no bypasses")),
    DataFile(
        "departments/*.toml",
        of_department,
        ("network",),
        "cidr",
        ("network", "cidr"),
        (("environment",), "prodution"),
        ("hosts",),
    ),
    DataFile(
        "organisations/*.toml",
        lambda path: load_organisation(path.stem, root=path.parent, departments=ROOT / "departments"),
        ("elsewhere", 0),
        "reason",
        ("elsewhere", 0, "reason"),
        (("elsewhere", 0, "region"), "us-east"),
        ("accounts",),
    ),
    entries(
        "ringfence/proofs/data/accepted_paths.toml",
        partial(escalation.accepted_paths, "sandbox"),
        "accepted",
        "reason",
        ("environment", "sandpit"),
    ),
    entries(
        "ringfence/proofs/data/agentcore_paths.toml",
        escalation.agentcore_paths,
        "paths",
        "title",
        ("actions", ["iam-PassRole"]),
    ),
    entries(
        "ringfence/proofs/data/outside_account.toml",
        outside.accepted,
        "accepted",
        "role",
        ("action", "kms-ListAliases"),
    ),
    entries("ringfence/deployment/data/kept.toml", schemas.kept, "kept", "why", ("change", "add")),
    entries("ringfence/deployment/data/rights.toml", rights.load, "scope", "resources", ("sid", "some words")),
    entries("ringfence/live/data/points.toml", read_points, "point", "claim", ("id", "LIFE-01")),
    entries("ringfence/live/data/quotas.toml", read_quotas, "quota", "remedy", ("in_use", "runtime")),
    entries("ringfence/live/data/service_linked_roles.toml", read_roles, "role", "source", ("needed_by", "Runtime")),
    DataFile(
        "ringfence/assets/left_out.toml",
        pruning.read_rules,
        ("everywhere",),
        "files",
        ("bundles", "eks", "paths"),
        (("everywhere", "suffixes"), ["pyi"]),
        ("everywhere", "files"),
    ),
]


def examples(file: DataFile) -> Path:
    """The file, or one of those that have its form."""
    found = {"catalogue/servers/*/server.toml": "catalogue/servers/iam/server.toml"}
    return ROOT / found.get(file.path, sorted(ROOT.glob(file.path))[0].relative_to(ROOT).as_posix())


def written(content: dict[str, Any]) -> str:
    """A document as TOML; what JSON and TOML write alike is written as JSON."""

    def value(each: Any) -> str:
        if isinstance(each, dict):
            return "{ " + ", ".join(f"{json.dumps(key)} = {value(item)}" for key, item in each.items()) + " }"
        return "[" + ", ".join(map(value, each)) + "]" if isinstance(each, list) else json.dumps(each)

    return "".join(f"{json.dumps(key)} = {value(each)}\n" for key, each in content.items())


def at(content: Any, place: Place) -> Any:
    for step in place:
        content = content[step]
    return content


def mistaken(file: DataFile, content: dict[str, Any], kind: str) -> str:
    """The file's text with one mistake."""
    content = copy.deepcopy(content)
    if kind == "unknown key":
        content["surprise"] = 1
    elif kind == "unknown key inside":
        at(content, file.inside)["surprise"] = 1
    elif kind == "missing key":
        del at(content, file.inside)[file.required]
    elif kind == "wrong type":
        at(content, file.number[:-1])[file.number[-1]] = 7
    elif kind == "misspelt value":
        (*place, last), value = file.misspelt
        at(content, tuple(place))[last] = value
    elif kind == "duplicate":
        listed = at(content, file.twice)
        listed.append(copy.deepcopy(listed[0]))
    return written(content) + ("surprise" if kind == "not TOML" else "")


@pytest.fixture
def copied(tmp_path: Path) -> Callable[[DataFile, str], Path]:
    """The file's folder in a place of its own, with another text for the file."""

    def make(file: DataFile, text: str) -> Path:
        original = examples(file)
        place = tmp_path / original.relative_to(ROOT)
        steps = [parent for parent in original.parents if ROOT in parent.parents]
        for folder in reversed(steps):
            (tmp_path / folder.relative_to(ROOT)).mkdir(exist_ok=True)
            for beside in folder.iterdir():
                if beside != original and beside not in steps:
                    (tmp_path / beside.relative_to(ROOT)).symlink_to(beside)
        place.write_text(text, encoding="utf-8")
        return place

    return make


def test_every_data_file_is_here() -> None:
    there = {path for room in ROOMS for path in (ROOT / room).rglob("*.toml") if "shim" not in path.parts}
    assert there == {path for file in FILES for path in ROOT.glob(file.path)}


@pytest.mark.parametrize("file", FILES, ids=[file.path for file in FILES])
def test_a_data_file_is_taken_as_it_is(file: DataFile, copied: Callable[[DataFile, str], Path]) -> None:
    file.read(copied(file, written(tomllib.loads(examples(file).read_text(encoding="utf-8")))))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("file", FILES, ids=[file.path for file in FILES])
def test_a_mistake_in_a_data_file_is_refused(
    file: DataFile, kind: str, copied: Callable[[DataFile, str], Path]
) -> None:
    content = tomllib.loads(examples(file).read_text(encoding="utf-8"))

    with pytest.raises((ProblemsFound, pruning.ListRefused)):
        file.read(copied(file, mistaken(file, content, kind)))


def redaction_mistakes() -> Iterator[tuple[dict[str, Any], str]]:
    yield {"validater": "nhs"}, "Did you mean `validator`?"
    yield {"near": 40}, "keywords is missing"
    yield {"keywords": ["nhs"]}, "near is missing"
    yield {"near": 40, "keywords": [""]}, "an empty one is everywhere"
    yield {"near": -1, "keywords": ["nhs"]}, "at least 0"
    yield {"validator": "upn"}, "Use one of: 'address', 'assigned', "
    yield {"gate": "(?!a)b"}, "RE2 refuses its gate"
    yield {"cell": "("}, "RE2 refuses its cell"
    yield {"regex": "(?<=a)b"}, "RE2 refuses its regex"
    yield {"beside": "z-a"}, "RE2 refuses its beside"
    yield {"label": "nhs]"}, "A label has capitals"


@pytest.mark.parametrize(("mistake", "told"), list(redaction_mistakes()))
def test_a_redaction_rule_that_would_find_nothing_or_fail_is_refused(
    mistake: dict[str, Any], told: str, copied: Callable[[DataFile, str], Path]
) -> None:
    (file,) = (each for each in FILES if each.path == "catalogue/redaction.toml")
    rule = {"id": "added", "description": "Added.", "label": "ADDED", "regex": "x", **mistake}
    content = tomllib.loads(examples(file).read_text(encoding="utf-8"))
    content["rules"].append(rule)

    with pytest.raises(ProblemsFound) as refused:
        file.read(copied(file, written(content)))
    assert told in str(refused.value)


def test_a_rule_may_name_exactly_the_validators_that_the_function_has() -> None:
    from typing import get_args

    from response_interceptor.redaction.validators import VALIDATORS
    from ringfence.catalogue.files.catalogue_files import Validator

    assert set(get_args(Validator)) == set(VALIDATORS)
