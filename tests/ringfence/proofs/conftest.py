"""The synthesised departments as the proofs see them, and ways to plant a fault in a copy."""

from __future__ import annotations

import copy
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ringfence.deployed.assembly import Assembly
from ringfence.proofs.evidence import Evidence
from ringfence.proofs.expected_permissions import ExpectedPermissions
from ringfence.proofs.sweeps.permission_sweeps import PermissionSweeps
from tests.conftest import DEPARTMENTS

ROOT = Path(__file__).resolve().parents[3]
PRODUCTION = "example-production"


def promise_of(name: str, *, departments: Path = ROOT / "departments") -> ExpectedPermissions:
    """What the project's catalogue promises a department."""
    return ExpectedPermissions.read(name, catalogue=ROOT / "catalogue", departments=departments)


Change = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="session")
def evidences(assemblies: dict[str, Any]) -> dict[str, Evidence]:
    return {
        name: Evidence(Assembly.load(made.folder), expected=promise_of(name), department=made.department)
        for name, made in assemblies.items()
    }


@pytest.fixture(scope="session")
def sweeps_of(evidences: dict[str, Evidence]) -> dict[str, PermissionSweeps]:
    """Sweeps, made once for all proofs."""
    return {name: PermissionSweeps(evidence) for name, evidence in evidences.items()}


@pytest.fixture(scope="session", params=DEPARTMENTS)
def each(request: pytest.FixtureRequest, evidences: dict[str, Evidence]) -> Evidence:
    """Each committed department in turn."""
    return evidences[request.param]


@pytest.fixture(scope="session")
def evidence(evidences: dict[str, Evidence]) -> Evidence:
    """The production example."""
    return evidences[PRODUCTION]


@pytest.fixture
def planted(evidence: Evidence) -> Callable[..., Evidence]:
    """Plants faults: `planted(network=change)` gives the evidence with a changed copy of that stack's resources."""

    def plant(**changes: Change) -> Evidence:
        templates = {}
        for stack, change in changes.items():
            name = f"ringfence-{evidence.department.name}-{stack}"
            template = copy.deepcopy(dict(evidence.assembly.stacks[name].template))
            change(template["Resources"])
            templates[name] = template
        return evidence.beside(evidence.assembly.edited(templates))

    return plant


@pytest.fixture
def repacked(evidence: Evidence, tmp_path: Path) -> Callable[..., Evidence]:
    """Plants a fault in a rule file inside a zip: `repacked("AuditorIamRuntime", "runtime.json", change)`; of the
    production example, or `of` another department."""

    def repack(logical_id: str, name: str, change: Change, *, of: Evidence = evidence) -> Evidence:
        (resource,) = (found for found in of.assembly.resources() if found.logical_id == logical_id)
        if name == "runtime.json":
            key = resource.properties["AgentRuntimeArtifact"]["CodeConfiguration"]["Code"]["S3"]["Prefix"]
        else:
            key = resource.properties["Code"]["S3Key"]
        with zipfile.ZipFile(of.assembly.asset(key)) as archive:
            rules = json.loads(archive.read(name))
        change(rules)
        path = tmp_path / "changed.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(name, json.dumps(rules))
        return of.beside(of.assembly.edited(assets={key: path}))

    return repack
