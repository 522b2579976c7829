"""The wings and rooms of the house and who may use whom: arrows run one way (docs/architecture.md)."""

from __future__ import annotations

import importlib
import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests.architecture.imports import (
    BESIDE,
    HOUSE,
    ROOT,
    TOPS,
    WINGS,
    arrows,
    binds_the_house,
    files,
    floors,
    imports,
    inside,
    named,
    named_in,
    offers,
    room_of,
)
from tests.architecture.picture import PICTURE, drawn

# room -> the rooms it imports from, no more and no fewer. A new arrow is a decision, so it is written down here.
USES = {
    "app": {
        "ringfence.catalogue",
        "ringfence.department",
        "ringfence.house_rules",
        "ringfence.organisation",
        "ringfence.reading",
        "stacks",
    },
    "ringfence.command_line": {
        "ringfence.assets",
        "ringfence.authoring",
        "ringfence.compilers",
        "ringfence.deployment",
        "ringfence.hosts",
        "ringfence.iam",
        "ringfence.live",
        "ringfence.proofs",
        "ringfence.reading",
        "ringfence.rehearsal",
        "ringfence.review",
    },
    "ringfence.review": {"ringfence.deployment", "ringfence.proofs", "ringfence.reading"},
    "stacks": {
        "constructs",
        "ringfence.assets",
        "ringfence.catalogue",
        "ringfence.compilers",
        "ringfence.department",
        "ringfence.house_rules",
        "ringfence.organisation",
        "ringfence.reading",
    },
    "constructs": {
        "ringfence.assets",
        "ringfence.catalogue",
        "ringfence.compilers",
        "ringfence.department",
        "ringfence.house_rules",
        "ringfence.organisation",
        "ringfence.reading",
        "ringfence.service_rules",
    },
    "ringfence.deployment": {
        "ringfence.compilers",
        "ringfence.deployed",
        "ringfence.iam",
        "ringfence.live",
        "ringfence.reading",
        "ringfence.service_rules",
    },
    "ringfence.authoring": {
        "ringfence.catalogue",
        "ringfence.department",
        "ringfence.organisation",
        "ringfence.reading",
    },
    "ringfence.live": {
        "callpath",
        "ringfence.catalogue",
        "ringfence.compilers",
        "ringfence.department",
        "ringfence.deployed",
        "ringfence.house_rules",
        "ringfence.reading",
        "ringfence.rehearsal",
    },
    "ringfence.service_rules": {
        "ringfence.catalogue",
        "ringfence.cedar",
        "ringfence.compilers",
        "ringfence.organisation",
        "ringfence.reading",
    },
    "ringfence.compilers": {
        "callpath",
        "ringfence.catalogue",
        "ringfence.cedar",
        "ringfence.department",
        "ringfence.reading",
    },
    "ringfence.hosts": {"ringfence.catalogue", "ringfence.department", "ringfence.reading"},
    "ringfence.house_rules": {"ringfence.catalogue", "ringfence.department", "ringfence.reading"},
    "ringfence.organisation": {"ringfence.catalogue", "ringfence.department", "ringfence.reading"},
    "ringfence.proofs": {
        "ringfence.catalogue",
        "ringfence.cedar",
        "ringfence.department",
        "ringfence.deployed",
        "ringfence.iam",
        "ringfence.reading",
    },
    "ringfence.department": {"ringfence.catalogue", "ringfence.reading"},
    "ringfence.rehearsal": {
        "callpath",
        "ringfence.assets",
        "ringfence.cedar",
        "ringfence.deployed",
        "ringfence.iam",
        "ringfence.reading",
    },
    "ringfence.catalogue": {"callpath", "ringfence.reading"},
    "ringfence.deployed": {"ringfence.cedar", "ringfence.iam"},
    "lambda": {"callpath"},
    "ringfence.assets": {"callpath", "ringfence.iam"},
    "ringfence.cedar": {"callpath"},
    "ringfence.reading": {"callpath"},
    "runtime": {"callpath"},
    "callpath": set(),
    "ringfence.iam": set(),
    "servers": set(),
}
ROOMS = sorted(room for room in USES if room.startswith(f"{HOUSE}."))
PACKAGES = sorted({module.rpartition(".")[0] for module in files()} - {""})
MOST_FILES = 15
# Made by a tool, or said in every folder: not what a reader has to look through.
NOT_COUNTED = {"__init__.py", "requirements.in", "requirements.lock"}


def tracked() -> list[Path]:
    listed = subprocess.check_output(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT)
    return [Path(line) for line in listed.decode().splitlines() if (ROOT / line).exists()]


def test_the_top_level_is_the_wings() -> None:
    folders = {path.parts[0] for path in tracked() if len(path.parts) > 1 and path.parts[0][0] != "."}
    assert folders == {*(name for wing in WINGS.values() for name in wing), *BESIDE} - {"app"}


def test_every_room_is_known_and_says_what_it_is_for() -> None:
    assert arrows().keys() == USES.keys()
    folders = {path.parts[1] for path in tracked() if path.parts[0] == HOUSE and len(path.parts) > 2}
    assert {f"{HOUSE}.{name}" for name in folders} == set(ROOMS)
    for package in PACKAGES:
        if package.split(".")[0] == HOUSE:
            assert files()[package].read_text(encoding="utf-8").startswith('"""'), f"{package} has no docstring"


@pytest.mark.parametrize("room", USES)
def test_a_room_uses_the_rooms_that_it_may_and_no_others(room: str) -> None:
    assert arrows()[room] == USES[room]


@pytest.mark.parametrize(
    "source", ['import_module("ringfence.compilers.endpoints")', "from ringfence.compilers import endpoints"]
)
def test_a_room_is_reached_by_its_name_as_text_too(source: str) -> None:
    assert "ringfence.compilers.endpoints" in named_in(source)


@pytest.mark.parametrize("source", ["import ringfence", "import ringfence as house", "import ringfence.compilers"])
def test_to_import_the_house_whole_is_seen(source: str) -> None:
    assert binds_the_house(source)
    assert not binds_the_house("import ringfence.compilers as compilers\nfrom ringfence import CannotGoOn")


def test_no_module_imports_the_house_whole() -> None:
    assert [name for name, path in files().items() if binds_the_house(path.read_text(encoding="utf-8"))] == []


def test_no_rooms_use_each_other_in_a_circle() -> None:
    assert floors(arrows())[0] == ["callpath", "ringfence.iam", "servers"]


def test_a_circle_is_told() -> None:
    with pytest.raises(ValueError, match="a circle among a, b"):
        floors({"a": {"b"}, "b": {"a", "c"}, "c": set()})


@pytest.mark.parametrize("package", PACKAGES)
def test_no_files_or_folders_inside_a_room_use_each_other_in_a_circle(package: str) -> None:
    assert floors(inside(package))


@pytest.mark.parametrize("room", ROOMS)
def test_others_use_what_a_room_offers_and_all_of_it(room: str) -> None:
    taken = {
        used.removeprefix(f"{room}.")
        for module, every in imports().items()
        for used in every
        if room_of(module) != room and used.startswith(f"{room}.")
    }
    assert taken == set(offers(room))


def test_no_folder_of_code_has_more_files_than_a_reader_can_look_through() -> None:
    code = {path.parent for path in tracked() if path.suffix == ".py"}
    counted = Counter(path.parent for path in tracked() if path.parent in code and path.name not in NOT_COUNTED)
    assert {str(folder): count for folder, count in counted.items() if count > MOST_FILES and folder.parts} == {}


def test_the_picture_is_current() -> None:
    assert PICTURE.read_text(encoding="utf-8") == drawn(), "run `make pages`"


def test_the_proofs_take_nothing_from_the_compilers_that_they_judge() -> None:
    """The department's own fields, and AWS's generator of Cedar schemas: no more, but how any data file is read."""
    judged = {f"{HOUSE}.{room}" for room in ("catalogue", "department", "organisation", "compilers")}
    judges = {f"{HOUSE}.{room}" for room in ("proofs", "deployed", "iam", "cedar")}
    found = {
        (module, name)
        for module, path in files().items()
        if room_of(module) in judges
        for name in named(path)
        if room_of(name) in judged
    }
    evidence = f"{HOUSE}.proofs.evidence"
    assert found == {
        (evidence, f"{HOUSE}.catalogue.catalogue.load_catalogue"),
        (evidence, f"{HOUSE}.department.department.Department"),
        (evidence, f"{HOUSE}.department.department.load_department"),
    }


def test_a_template_is_read_before_a_rehearsal_begins_and_in_one_place() -> None:
    rooms = {f"{HOUSE}.rehearsal": f"{HOUSE}.rehearsal.template", f"{HOUSE}.proofs": f"{HOUSE}.proofs.evidence"}
    found = {(room_of(module), module) for module in saying(r"\bAssembly\.load\(|\bDeployedDepartment\.read\(")}
    assert {each for each in found if each[0] in rooms} == set(rooms.items())


def test_in_a_rehearsal_only_what_makes_a_templates_resources_goes_back_to_them() -> None:
    """The local AWS makes what the stacks would, and two pages of the report tell what the templates hold."""
    made = ("server", *(f"services.{each}" for each in ("fixtures", "keys", "operations", "queries")))
    told = ("compute.custom_resources", "coverage", "reporting.waived")
    found = {module for module in saying(r"\.of_type\(|\.resources\(\)|\.raw\b") if ".rehearsal." in module}
    assert found == {f"{HOUSE}.rehearsal.{each}" for each in (*(f"aws.{name}" for name in made), *told)}


def saying(words: str) -> set[str]:
    """The modules whose text holds a pattern."""
    return {name for name, path in files().items() if re.search(words, path.read_text(encoding="utf-8"))}


def test_only_constructs_and_stacks_and_the_app_know_the_cdk() -> None:
    knows = {
        room_of(module)
        for module, path in files().items()
        if any(name.split(".")[0] in {"aws_cdk", "cdk_nag"} for name in named(path))
    }
    assert knows <= {"app", "stacks", "constructs"}


def test_functions_do_not_import_each_other() -> None:
    for module, used in imports().items():
        if room_of(module) == "lambda":
            others = {each.split(".")[0] for each in used} & (TOPS.keys() - {module.split(".")[0]})
            assert not others, f"{module} imports {others}"


def test_the_constructs_folder_joins_the_pypi_package_and_does_not_hide_it() -> None:
    """An `__init__.py` there breaks the CDK: `No module named 'constructs._jsii'`."""
    assert not (ROOT / "constructs" / "__init__.py").exists()
    package = importlib.import_module("constructs")
    assert "site-packages" in str(package.__file__)
    assert package.Construct
    assert importlib.import_module("constructs.audit.audit_log_group")
