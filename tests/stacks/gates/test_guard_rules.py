"""AWS's CloudFormation Guard rules, run by AWS's own engine over the examples' templates: nothing unexplained.

The engine and Control Tower's rules come with the package cdklabs.cdk-validator-cfnguard. The rules for NCSC and CAF
are in no package: `make guard RULES=<checkout>` runs them from a checkout of AWS's registry, held to a digest.
"""

from __future__ import annotations

import copy
import hashlib
import importlib.util
import json
import os
import platform
import re
import subprocess
import tarfile
import tomllib
from collections.abc import Collection, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import DEPARTMENTS, Synthesised

TABLE = tomllib.loads((Path(__file__).parent / "guard_findings.toml").read_text(encoding="utf-8"))
CHECKOUT = "GUARD_RULES_REGISTRY"
PACKS = ("control-tower", "ncsc")
# The rule on plain HTTP speaks of a template as a whole and names no resource, so every bucket policy is meant.
WITHOUT_RESOURCE = {"S3_BUCKET_SSL_REQUESTS_ONLY": "AWS::S3::BucketPolicy"}

_TYPE = re.compile(r"AWS::\w+::\w+")
Finding = tuple[str, str]  # rule, `<stack>/<logical id>`


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The engine's package, out of the archive that the wheel holds."""
    spec = importlib.util.find_spec("cdklabs.cdk_validator_cfnguard")
    assert spec is not None and spec.origin is not None
    (archive,) = (Path(spec.origin).parent / "_jsii").glob("*.tgz")
    folder = tmp_path_factory.mktemp("guard")
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    return folder / "package"


@pytest.fixture(scope="session")
def engine(package: Path) -> Path:
    machine = {"x86_64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}[platform.machine()]
    program = package / "bin" / ("macos" if platform.system() == "Darwin" else "ubuntu") / machine / "cfn-guard"
    program.chmod(0o755)
    return program


@pytest.fixture(scope="session", params=PACKS)
def pack(request: pytest.FixtureRequest, package: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    if request.param == "control-tower":
        return request.param, package / "rules" / "control-tower" / "cfn-guard"
    if CHECKOUT not in os.environ:
        pytest.skip(f"no package holds these rules: make guard RULES=<checkout of {TABLE['registry']['repository']}>")
    return request.param, registry_rules(Path(os.environ[CHECKOUT]), tmp_path_factory.mktemp("ncsc"))


def registry_rules(checkout: Path, folder: Path) -> Path:
    """The rules that the registry maps to the packs, held to the digest in the table."""
    named = {
        mapping["guardFilePath"]
        for name in TABLE["registry"]["packs"]
        for mapping in json.loads((checkout / "mappings" / f"rule_set_{name}.json").read_text())["mappings"]
    }
    digest = hashlib.sha256()
    for path in sorted(named):
        text = (checkout / path).read_bytes()
        digest.update(path.encode() + b"\0" + text + b"\0")
        (folder / Path(path).name).write_bytes(text)
    assert (len(named), digest.hexdigest()) == (TABLE["registry"]["rules"], TABLE["registry"]["sha256"])
    return folder


def findings(
    engine: Path, rules: Path, templates: dict[str, dict[str, Any]], folder: Path, *, of: Collection[str] = ("",)
) -> set[Finding]:
    """What the rules find in templates, by the end of each stack's name. Rules of other types have nothing to find.

    Args:
        of: names of the rules that are asked, where not all of them are.
    """
    for stack, template in templates.items():
        (folder / f"{stack}.json").write_text(json.dumps(template))
    types = {each["Type"] for template in templates.values() for each in template["Resources"].values()}
    texts = {str(path): path.read_text() for path in sorted(rules.rglob("*.guard"))}
    files = [path for path, text in texts.items() if types & {*_TYPE.findall(text)} and any(map(text.count, of))]
    assert files
    command = [str(engine), "validate", "--rules", *files, "--structured", "--output-format", "json"]
    for stack in templates:
        command += ["--data", str(folder / f"{stack}.json")]
    ran = subprocess.run([*command, "--show-summary", "none"], capture_output=True, text=True)
    assert ran.returncode in (0, 19), ran.stderr  # 19: something was found
    found: set[Finding] = set()
    for file in json.loads(ran.stdout):
        stack = Path(file["name"]).stem
        for told in file["not_compliant"]:
            name = told["Rule"]["name"]
            named = re.findall(r'"path": "/Resources/([A-Za-z0-9]+)', json.dumps(told))
            kind = WITHOUT_RESOURCE.get(name)
            named += [key for key, each in templates[stack]["Resources"].items() if each["Type"] == kind]
            assert named, f"{name} names no resource of {stack}"
            found |= {(name, f"{stack}/{resource}") for resource in named}
    return found


@pytest.fixture(scope="session")
def found(
    engine: Path, pack: tuple[str, Path], assemblies: dict[str, Synthesised], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, set[Finding]]:
    """What the pack finds, by department."""
    name, rules = pack
    templates = {department: assemblies[department].templates for department in DEPARTMENTS}
    return {each: findings(engine, rules, templates[each], tmp_path_factory.mktemp(name)) for each in templates}


def accepted(pack: str, finding: Finding) -> Iterator[dict[str, Any]]:
    rule, resource = finding
    for entry in TABLE[pack]:
        if entry["rule"] == rule and any(fnmatchcase(resource, pattern) for pattern in entry["resources"]):
            yield entry


def test_every_finding_is_accepted_with_a_reason(pack: tuple[str, Path], found: dict[str, set[Finding]]) -> None:
    unexplained = {
        f"{department}: {rule} on {resource}"
        for department, each in found.items()
        for rule, resource in each
        if len(list(accepted(pack[0], (rule, resource)))) != 1
    }
    assert not unexplained
    assert all(len(entry["reason"].strip()) > 60 for entry in TABLE[pack[0]])


def test_nothing_is_accepted_that_nobody_finds(pack: tuple[str, Path], found: dict[str, set[Finding]]) -> None:
    everything = {finding for each in found.values() for finding in each}
    for entry in TABLE[pack[0]]:
        for pattern in entry["resources"]:
            assert any(rule == entry["rule"] and fnmatchcase(at, pattern) for rule, at in everything), (entry, pattern)


def test_a_false_alarm_is_one(
    engine: Path,
    pack: tuple[str, Path],
    found: dict[str, set[Finding]],
    assemblies: dict[str, Synthesised],
    tmp_path: Path,
) -> None:
    """Said as the rule wants to read it, which means the same, the rule finds nothing."""
    false = [entry for entry in TABLE[pack[0]] if "content_with" in entry]
    assert len(false) == 2
    for department, each in found.items():
        templates = copy.deepcopy(assemblies[department].templates)
        meant = {(rule, at) for rule, at in each for entry in accepted(pack[0], (rule, at)) if entry in false}
        for rule, at in meant:
            stack, logical_id = at.split("/")
            (entry,) = accepted(pack[0], (rule, at))
            for path, value in entry["content_with"].items():
                write(templates[stack]["Resources"][logical_id], path.split("."), value)
        assert meant
        stacks = {at.partition("/")[0] for _, at in meant}
        names = {rule for rule, _ in meant}
        again = findings(engine, pack[1], {stack: templates[stack] for stack in stacks}, tmp_path, of=names)
        assert not meant & again


def write(resource: Any, path: list[str], value: Any) -> None:
    for part in path[:-1]:
        resource = resource[int(part) if isinstance(resource, list) else part]
    assert path[-1] in resource, path
    resource[path[-1]] = value


def test_a_lock_that_is_taken_away_is_found(
    engine: Path, pack: tuple[str, Path], assemblies: dict[str, Synthesised], tmp_path: Path
) -> None:
    templates = {"audit": copy.deepcopy(assemblies["example-production"].templates["audit"])}
    bucket = templates["audit"]["Resources"]["TrailBucket"]["Properties"]
    del bucket["PublicAccessBlockConfiguration"], bucket["VersioningConfiguration"]
    names = {"S3_BUCKET_VERSIONING_ENABLED", "s3_bucket_versioning_enabled_check"}
    found = findings(engine, pack[1], templates, tmp_path, of=names)
    assert {rule for rule, at in found if at == "audit/TrailBucket"} & names
