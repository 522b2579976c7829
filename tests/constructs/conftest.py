"""A bench to try one construct on: a department's empty stack, and stand-ins for what other stacks hand over."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from constructs.isolated_function import FunctionPlacement
from constructs.runtime.runtime_role import PersonaRoleRef
from ringfence.assets.zips import Asset
from ringfence.catalogue.catalogue import Catalogue, load_catalogue
from ringfence.department.department import Department, load_department
from stacks.department_stack import DepartmentStack

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT = "111122223333"
KEY = f"arn:aws:kms:eu-west-2:{ACCOUNT}:key/12345678-1234-1234-1234-12345678901"


@dataclass(frozen=True)
class Bench:
    """The stack under test and what constructs ask for."""

    stack: DepartmentStack
    log_key: kms.IKey
    data_key: kms.IKey
    boundary: iam.IManagedPolicy
    code: Asset
    role_ref: PersonaRoleRef

    @property
    def placement(self) -> FunctionPlacement:
        return FunctionPlacement(
            department="example-production",
            subnet_ids=["subnet-11111111", "subnet-22222222"],
            security_group_id="sg-33333333",
            log_key=self.log_key,
            data_key=self.data_key,
            boundary=self.boundary,
        )

    @cached_property
    def template(self) -> dict[str, Any]:
        """The stack's template, fixed at the first look. Synthesising it also finds circles between resources."""
        return assertions.Template.from_stack(self.stack).to_json()

    def resource(self, logical_id: str) -> dict[str, Any]:
        resources = self.template["Resources"]
        assert logical_id in resources, f"no {logical_id}; there are {', '.join(sorted(resources))}"
        return resources[logical_id]

    def properties(self, logical_id: str) -> dict[str, Any]:
        return self.resource(logical_id)["Properties"]


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load_catalogue(ROOT / "catalogue")


@pytest.fixture(scope="session")
def department(catalogue: Catalogue) -> Department:
    return load_department("example-production", catalogue=catalogue, root=ROOT / "departments")


@pytest.fixture
def bench(department: Department, tmp_path: Path) -> Bench:
    stack = DepartmentStack(
        cdk.App(outdir=str(tmp_path / "cdk.out")), "bench", department=department, description="One construct."
    )
    code = tmp_path / "code.zip"
    code.write_bytes(b"not looked into")
    return Bench(
        stack=stack,
        log_key=kms.Key.from_key_arn(stack, "LogKey", f"{KEY}1"),
        data_key=kms.Key.from_key_arn(stack, "DataKey", f"{KEY}2"),
        boundary=iam.ManagedPolicy.from_managed_policy_arn(
            stack, "Boundary", f"arn:aws:iam::{ACCOUNT}:policy/ringfence-example-production-service-boundary"
        ),
        code=Asset(path=code, sha256="c0de"),
        role_ref=PersonaRoleRef(
            role_arn=f"arn:aws:iam::{ACCOUNT}:role/ringfence-example-production-auditor",
            department="example-production",
            persona="auditor",
        ),
    )
