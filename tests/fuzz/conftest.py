"""Inputs that nobody wrote down: hypothesis makes them, the same few in every run of the tests, many in `make fuzz`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.database import DirectoryBasedExampleDatabase

from assurance.promise import Promise
from tests.functions.conftest import *  # noqa: F403 - the handlers, the rules they read and the events they get

ROOT = Path(__file__).parents[2]
# A handler is put up once for all inputs of a test, and is the same for each: it keeps nothing between two events.
_KEPT = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
settings.register_profile(
    "bounded", max_examples=200, derandomize=True, database=None, deadline=None, suppress_health_check=_KEPT
)
settings.register_profile(
    "long",
    max_examples=int(os.environ.get("EXAMPLES") or 5_000),
    deadline=None,
    database=DirectoryBasedExampleDatabase(ROOT / "build" / "fuzz"),
    print_blob=True,
    suppress_health_check=[*_KEPT, HealthCheck.data_too_large],
)
settings.load_profile(os.environ.get("FUZZ") or "bounded")


@pytest.fixture(scope="session")
def promise() -> Promise:
    """What the catalogue's files and the department's say, read without what compiles them."""
    return Promise.read("example-production", catalogue=ROOT / "catalogue", departments=ROOT / "departments")
