"""The departments that `tests/conftest.py` synthesises, each in turn, and the production example's parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ringfence.department.department import Department
from tests.conftest import DEPARTMENTS

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = "example-production"


@pytest.fixture(params=DEPARTMENTS)
def synthesised(request: pytest.FixtureRequest, assemblies: dict[str, Any]) -> Any:
    """Each department in turn."""
    return assemblies[request.param]


# The production example, for tests that look at one persona closely.


@pytest.fixture(scope="session")
def department(assemblies: dict[str, Any]) -> Department:
    return assemblies[PRODUCTION].department


@pytest.fixture(scope="session")
def assembly(assemblies: dict[str, Any]) -> Path:
    """The folder of the synthesised department."""
    return assemblies[PRODUCTION].folder


@pytest.fixture(scope="session")
def template(assemblies: dict[str, Any]) -> dict[str, Any]:
    """The persona stack's template."""
    return assemblies[PRODUCTION].templates["auditor"]


@pytest.fixture(scope="session")
def resources(template: dict[str, Any]) -> dict[str, Any]:
    """The persona stack's resources by logical id."""
    return template["Resources"]
