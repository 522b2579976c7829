"""A production file holds no value of the examples, and an example says that it is one."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from governance.catalogue import load_catalogue
from governance.department import Department, load_department
from governance.problems import ProblemsFound

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = (ROOT / "departments" / "example-production.toml").read_text(encoding="utf-8")
Load = Callable[..., Department]

# What a department would write instead of the example's values.
REAL = (
    ('name = "example-production"', 'name = "fisheries"'),
    ('"111122223333"', '"000000000042"'),
    ("pl-0123456789abcdef0", "pl-4f6a09c2"),
    ("00000000-0000-4000-8000-000000000000", "7d1f3c55-9b0e-4c7e-8a51-3f6a2f0f9c10"),
    ("login.example.org", "login.fisheries.internal"),
    ('"ringfence-example-production"', '"ringfence-fisheries"'),
    ("ringfence/example-production/", "ringfence/fisheries/"),
    ('"203.0.113.0/24"', '"192.88.99.0/24"'),
    ("assistant.example.org", "assistant.fisheries.internal"),
)


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Loads a copy of the production example as a platform engineer edited it."""

    def _load(*changes: tuple[str, str], name: str = "fisheries", beside: dict[str, str] | None = None) -> Department:
        text = EXAMPLE
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new)
        for each, content in {**(beside or {}), name: text}.items():
            (tmp_path / f"{each}.toml").write_text(content, encoding="utf-8")
        return load_department(name, catalogue=load_catalogue(ROOT / "catalogue"), root=tmp_path)

    return _load


def refused(load: Load, *changes: tuple[str, str], **given: object) -> dict[str, str]:
    with pytest.raises(ProblemsFound) as found:
        load(*changes, **given)
    assert all(problem.message and problem.remedy for problem in found.value.problems)
    return {problem.field: str(problem) for problem in found.value.problems}


def test_a_file_with_values_of_its_own_loads(load: Load) -> None:
    department = load(*REAL)

    assert not department.is_example


def test_a_copy_that_is_only_renamed_is_refused_with_every_made_up_value_at_once(load: Load) -> None:
    found = refused(load, REAL[0])

    assert set(found) == {
        "account",
        "network.s3_prefix_list",
        "identity.issuer",
        "identity.domain_prefix",
        "identity.client_id",
        "identity.client_secret_name",
        "identity.client_secret_version",
        "door.allowed_networks[0]",
        "hosts[1].callback_urls[0]",
    }
    assert "(withheld)" in found["identity.client_secret_name"], "somebody may have pasted a secret there"


@pytest.mark.parametrize("left", range(1, len(REAL)))
def test_each_made_up_value_that_is_left_is_refused(load: Load, left: int) -> None:
    assert refused(load, *(change for place, change in enumerate(REAL) if place != left))


@pytest.mark.parametrize(
    ("field", "old", "new"),
    [
        ("account", "000000000042", "123456789012"),
        ("account", "000000000042", "000000000000"),
        ("network.s3_prefix_list", "pl-4f6a09c2", "pl-12345678"),
        ("network.s3_prefix_list", "pl-4f6a09c2", "pl-00000000"),
        ("identity.issuer", "login.fisheries.internal", "login.example.com"),
        ("identity.issuer", "login.fisheries.internal", "login.fisheries.test"),
        ("identity.issuer", "login.fisheries.internal", "LOGIN.EXAMPLE.ORG."),
        ("identity.issuer", "login.fisheries.internal", "localhost"),
        ("hosts[1].callback_urls[0]", "assistant.fisheries.internal", "assistant.invalid"),
        ("door.allowed_networks[0]", "192.88.99.0/24", "192.0.2.128/25"),
        ("door.allowed_networks[0]", "192.88.99.0/24", "198.51.100.7/32"),
        ("door.allowed_networks[0]", "192.88.99.0/24", "203.0.112.0/20"),
        ("door.allowed_networks[0]", "192.88.99.0/24", "2001:db8::/32"),
        ("identity.domain_prefix", 'domain_prefix = "ringfence-fisheries"', 'domain_prefix = "ringfence-example"'),
    ],
)
def test_other_made_up_values_are_told_by_what_they_are(load: Load, field: str, old: str, new: str) -> None:
    assert field in refused(load, *REAL, (old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("login.fisheries.internal", "login.example.org.fisheries.internal"),
        ("login.fisheries.internal", "examples.internal"),
        ("192.88.99.0/24", "203.0.114.0/24"),
        ('domain_prefix = "ringfence-fisheries"', 'domain_prefix = "ringfence-examples"'),
    ],
)
def test_what_only_looks_like_an_example_is_accepted(load: Load, old: str, new: str) -> None:
    assert load(*REAL, (old, new))


def test_a_name_made_for_the_department_beside_it_is_refused(load: Load) -> None:
    beside = {"fisheries-research": "# not read here", "forestry": ""}
    sound = load(*REAL, beside=beside)

    assert sound.identity.domain_prefix == "ringfence-fisheries"
    for other in ("forestry", "fisheries-research"):
        change = ("ringfence/fisheries/", f"ringfence/{other}/")
        found = refused(load, *REAL, change, beside=beside)
        assert set(found) == {"identity.client_secret_name"}
        assert f'"{other}"' in found["identity.client_secret_name"]


def test_two_departments_cannot_share_an_address_to_sign_in_at(load: Load) -> None:
    other = EXAMPLE.replace('"ringfence-example-production"', '"ringfence-fisheries"', 1)
    found = refused(load, *REAL, beside={"example-production": other})

    assert set(found) == {"identity.domain_prefix"}
    assert "example-production has this prefix" in found["identity.domain_prefix"]


@pytest.mark.parametrize("other", ["fisheries-research", "fish"])
def test_no_department_of_an_account_is_named_as_another_begins(load: Load, other: str) -> None:
    def beside(name: str, account: str) -> dict[str, str]:
        return {name: f'name = "{name}"\naccount = "{account}"\n'}

    renamed = [(old, new.replace('"fisheries"', '"fish-eries"')) for old, new in REAL] if other == "fish" else [*REAL]
    name = "fish-eries" if other == "fish" else "fisheries"
    assert load(*renamed, name=name, beside=beside(other, "000000000043"))
    assert load(*renamed, name=name, beside=beside("fis", "000000000042"))

    found = refused(load, *renamed, name=name, beside=beside(other, "000000000042"))
    assert set(found) == {"name"}
    assert f"Department {other} is in this account too" in found["name"]


@pytest.mark.parametrize(
    ("name", "example"),
    [("example", True), ("example-fisheries", True), ("examples", False), ("my-example", False), ("fisheries", False)],
)
def test_an_example_is_what_is_called_one(load: Load, name: str, example: bool) -> None:
    changes = [(old, re.sub("fisheries", name, new) if old.startswith("name") else new) for old, new in REAL]

    assert load(*changes, name=name).is_example is example


def test_a_sandbox_may_keep_made_up_values_until_it_is_deployed(tmp_path: Path) -> None:
    text = (ROOT / "departments" / "example-sandbox.toml").read_text(encoding="utf-8")
    (tmp_path / "trial.toml").write_text(text.replace('name = "example-sandbox"', 'name = "trial"'), encoding="utf-8")

    assert load_department("trial", catalogue=load_catalogue(ROOT / "catalogue"), root=tmp_path).name == "trial"
