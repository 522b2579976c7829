"""Names made from the longest name a department may have: AWS refuses what is too long in mid-deployment only."""

from __future__ import annotations

import json
from pathlib import Path

import aws_cdk as cdk
import pytest

from governance.catalogue import Catalogue
from governance.department import Department, load_department
from governance.service_rules import breaches
from governance.template import Template
from stacks.audit import AuditStack
from stacks.identity import IdentityStack
from stacks.network import NetworkStack
from stacks.persona import PersonaStack

ROOT = Path(__file__).resolve().parents[2]
LONGEST = "a-department-of-28-letters-x"


@pytest.fixture(scope="module")
def templates(catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> list[Template]:
    department = load_department("example-sandbox", catalogue=catalogue, root=ROOT / "departments")
    restarts = load_department("example-restarts", catalogue=catalogue, root=ROOT / "tests" / "departments")
    longest = department.model_copy(update={"name": LONGEST, "enable": restarts.enable})
    return synthesise(catalogue, longest, tmp_path_factory.mktemp("longest"))


def synthesise(catalogue: Catalogue, department: Department, folder: Path) -> list[Template]:
    app = cdk.App(outdir=str(folder))
    audit = AuditStack(app, "audit", department=department)
    network = NetworkStack(app, "network", department=department, catalogue=catalogue, audit=audit)
    identity = IdentityStack(app, "identity", department=department, catalogue=catalogue, network=network, audit=audit)
    for persona in department.personas:
        PersonaStack(
            app,
            persona,
            department=department,
            catalogue=catalogue,
            persona=persona,
            network=network,
            identity=identity,
            audit=audit,
        )
    app.synth()
    paths = sorted(folder.glob("*.template.json"))
    return [Template(json.loads(path.read_text()), path.name.removesuffix(".template.json")) for path in paths]


def test_the_name_is_the_longest_a_department_may_have() -> None:
    assert len(LONGEST) == 28


def test_every_name_and_document_of_the_longest_department_still_fits(templates: list[Template]) -> None:
    assert {"audit", "auditor", "developer", "identity", "network", "operator"} == {each.name for each in templates}

    assert [f"{rule.id} {breach}" for rule, breach in breaches(templates) if fits(rule.id)] == []


def fits(rule: str) -> bool:
    return rule.startswith(("AWS-NAME-", "AWS-SIZE-", "AWS-CODE-1"))
