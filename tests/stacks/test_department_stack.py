"""What every stack of a department has in common."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_sqs as sqs

from constructs import Construct
from ringfence.catalogue.catalogue import Catalogue
from ringfence.department.department import load_department
from stacks.department_stack import DepartmentStack, logical_id

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def stack(catalogue: Catalogue, tmp_path: Path) -> DepartmentStack:
    department = load_department("example-production", catalogue=catalogue, root=ROOT / "departments")
    app = cdk.App(outdir=str(tmp_path / "cdk.out"))
    return DepartmentStack(app, "lab", department=department, description="A stack.")


def synthesise(stack: DepartmentStack) -> dict[str, Any]:
    template: dict[str, Any] = cdk.App.of(stack).synth().get_stack_by_name("lab").template
    return template


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("Auditor/Iam/Runtime/Resource", "AuditorIamRuntime"),
        ("Default/Vpc", "Vpc"),
        ("Host/claude-code", "HostClaudeCode"),
        ('Exports/Output{"Ref":"Vpc"}', "ExportsOutputRefVpc"),
    ],
)
def test_logical_ids_are_words(path: str, expected: str) -> None:
    assert logical_id(path) == expected


@pytest.mark.parametrize("path", ["Default/Resource", "-", "A" * 256])
def test_a_path_that_makes_no_logical_id_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="choose another name"):
        logical_id(path)


def test_two_resources_cannot_share_a_logical_id(stack: DepartmentStack) -> None:
    sqs.CfnQueue(stack, "AuditorCalls")
    sqs.CfnQueue(Construct(stack, "Auditor"), "Calls")

    with pytest.raises(RuntimeError, match='"AuditorCalls" and "Auditor/Calls" would both have the logical id'):
        synthesise(stack)


def test_zones_are_the_departments_and_nothing_is_looked_up(stack: DepartmentStack, tmp_path: Path) -> None:
    vpc = ec2.Vpc(stack, "Vpc", nat_gateways=0, restrict_default_security_group=False)

    assert vpc.availability_zones == ["eu-west-2a", "eu-west-2b"]
    synthesise(stack)
    manifest = json.loads((tmp_path / "cdk.out" / "manifest.json").read_text())
    assert "missing" not in manifest


def test_the_template_holds_nothing_that_the_stack_did_not_ask_for(stack: DepartmentStack) -> None:
    sqs.CfnQueue(stack, "Calls")

    assert synthesise(stack)["Resources"] == {"Calls": {"Type": "AWS::SQS::Queue"}}


def test_production_is_protected_and_everything_is_tagged(assemblies: dict[str, Any]) -> None:
    for name, protected in (("example-production", True), ("example-sandbox", False)):
        manifest = (assemblies[name].folder / "manifest.json").read_text()
        assert ('"terminationProtection": true' in manifest) is protected
        assert f'"ringfence:department": "{name}"' in manifest
