"""A production file holds no value of the examples, and an example says that it is one."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ringfence.catalogue.catalogue import Catalogue, load_catalogue
from ringfence.department.department import Department, load_department
from ringfence.reading.problems import ProblemsFound

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = (ROOT / "departments" / "example-production.toml").read_text(encoding="utf-8")
Load = Callable[..., Department]

# What a department would write instead of the example's values. Nobody can know which account is whose: 000000000042 is
# in no document of AWS's and follows no pattern, which is all that the check can tell. Nothing is ever sent to it.
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
    ("platform@example.org", "platform@fisheries.internal"),
)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    """The real one; the department's file alone is edited here."""
    return load_catalogue(ROOT / "catalogue")


@pytest.fixture
def load(tmp_path: Path, catalogue: Catalogue) -> Load:
    """Loads a copy of the production example as a platform engineer edited it."""

    def _load(*changes: tuple[str, str], name: str = "fisheries", beside: dict[str, str] | None = None) -> Department:
        text = EXAMPLE
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new)
        for each, content in {**(beside or {}), name: text}.items():
            (tmp_path / f"{each}.toml").write_text(content, encoding="utf-8")
        return load_department(name, catalogue=catalogue, root=tmp_path)

    return _load


def refused(load: Load, *changes: tuple[str, str], **given: object) -> dict[str, str]:
    with pytest.raises(ProblemsFound) as found:
        load(*changes, **given)
    assert all(problem.message and problem.remedy for problem in found.value.problems)
    return {problem.field: str(problem) for problem in found.value.problems}


def test_a_file_with_values_of_its_own_loads(load: Load) -> None:
    department = load(*REAL)

    assert not department.is_example


def test_a_copy_that_nobody_has_edited_yet_breaks_no_example(load: Load) -> None:
    assert load(name="example-production", beside={"waterways": EXAMPLE}).is_example


@pytest.mark.parametrize("changes", [REAL[:1], ()], ids=["renamed", "its name field too is the example's"])
def test_a_copy_is_refused_with_every_made_up_value_at_once(load: Load, changes: tuple[tuple[str, str], ...]) -> None:
    found = refused(load, *changes)

    assert set(found) == {
        *(() if changes else ("name",)),
        "account",
        "contact",
        "network.s3_prefix_list",
        "identity.issuer",
        "identity.domain_prefix",
        "identity.client_id",
        "identity.client_secret_name",
        "identity.client_secret_version",
        "ingress.allowed_networks[0]",
        "hosts[2].callback_urls[0]",
    }
    assert "(withheld)" in found["identity.client_secret_name"], "somebody may have pasted a secret there"


@pytest.mark.parametrize("left", range(1, len(REAL)))
def test_each_made_up_value_that_is_left_is_refused(load: Load, left: int) -> None:
    assert refused(load, *(change for place, change in enumerate(REAL) if place != left))


BOOTSTRAP = '#   key_arn = "arn:aws:kms:eu-west-2:111122223333:key/12345678-1234-1234-1234-123456789012"'
ACCOUNT, PREFIX_LIST, NETWORK = "000000000042", "pl-4f6a09c2", "192.88.99.0/24"
VERSION, ISSUER = "7d1f3c55-9b0e-4c7e-8a51-3f6a2f0f9c10", "login.fisheries.internal"
CASES = {
    "account": (
        ACCOUNT,
        "111122223333 123456789012 444455556666 555566667777 777788889999 999900001111 000000000000 999999999999 "
        "012345678901 987654321098 210987654321 112233445566 121212121212 123412341234 "
        "123456123456 000000000001 100000000000 123456654321 100000000001",
    ),
    "network.s3_prefix_list": (
        PREFIX_LIST,
        "pl-00000000 pl-00000000000000000 pl-12345678 pl-01234567 pl-abcdef01 pl-1a2b3c4d pl-0123456789abcdef0 "
        "pl-1234567890abcdef0 pl-0a1b2c3d4e5f6a7b8 pl-11112222 pl-0123456789ABCDEF0 pl-abababab "
        "pl-00000001 pl-deadbeef pl-DEADBEEFDEADBEEF0 pl-abcdabcd pl-c0ffee00 pl-feedface pl-EXAMPLE pl-xxxxxxxx",
    ),
    "identity.client_secret_version": (
        VERSION,
        "00000000-0000-0000-0000-000000000000 00000000-0000-4000-8000-000000000000 "
        "12345678-1234-1234-1234-123456789012 11111111-2222-4333-8444-555555555555 "
        "a1b2c3d4-e5f6-7890-abcd-ef1234567890 A1B2C3D4-5678-90AB-CDEF-123456789ABC "
        "EXAMPLE1-90ab-cdef-fedc-ba987EXAMPLE deadbeef-dead-4eef-8ead-beefdeadbeef",
    ),
    "identity.issuer": (
        ISSUER,
        "login.example.com login.example.net login.example.org example.org LOGIN.EXAMPLE.ORG. Login.Example.Org "
        "login.fisheries.test login.invalid login.example localhost example.gov.uk Login.Example.GOV.UK "
        "idp.example.service.example.co.uk 192.0.2.7 "
        "your-department.gov.uk login.your-department.gov.uk login.microsoftonline.com/common "
        "login.windows.net/common login.microsoftonline.us/common login.microsoftonline.com//common/v2.0 "
        "login.microsoftonline.com/{tenant}/v2.0 login.microsoftonline.com/TENANT_ID/ idp.yourdepartment.gov.uk "
        "127.0.0.1 [::1] fisheries.local",
    ),
    "hosts[2].callback_urls[0]": (
        "assistant.fisheries.internal",
        "assistant.invalid ASSISTANT.Example.COM a.localhost",
    ),
    "ingress.allowed_networks[0]": (
        NETWORK,
        "192.0.2.0/24 192.0.2.128/25 198.51.100.0/24 198.51.100.7/32 203.0.113.0/24 203.0.113.64/26 2001:db8::/32 "
        "2001:DB8:1::/48 3fff::/20 ::ffff:192.0.2.0/120 ::ffff:192.0.2.7/128 "
        "127.0.0.1/32 169.254.0.0/16 224.0.0.0/4 198.18.0.0/15 198.19.4.0/24 64:ff9b::192.0.2.0/120",
    ),
    "identity.domain_prefix": (
        'domain_prefix = "ringfence-fisheries"',
        'domain_prefix="ringfence-example" domain_prefix="ringfence-example-sandbox"',
    ),
    "identity.client_id": (
        'client_id = "ringfence-fisheries"',
        'client_id="Ringfence-EXAMPLE-Production" client_id="ringfence@example.org" '
        'client_id="CHANGEME" client_id="change-me" client_id="your-client-id" client_id="TODO" '
        'client_id="FIXME" client_id="CLIENT_ID" client_id="{client_id}" client_id="${CLIENT_ID}" client_id="dummy" '
        'client_id="TBC"',
    ),
    "contact": (
        "the platform team, platform@fisheries.internal",
        "platform@example.org desk,https://desk.example.gov.uk/aws platform@your-domain.gov.uk",
    ),
    "identity.client_secret_name": ("ringfence/fisheries/", "Ringfence/Example-Sandbox/"),
    "identity.groups.auditor[0]": (
        "SG-Cloud-Audit",
        "cloud-audit@Example.org 00000000-0000-0000-0000-000000000000",
    ),
    "bootstrap.key_arn": (
        BOOTSTRAP,
        f"key_arn='arn:aws:kms:eu-west-2:111122223333:key/{VERSION}' "
        f"key_arn='arn:aws:kms:eu-west-2:{ACCOUNT}:key/12345678-1234-1234-1234-123456789012'",
    ),
}


@pytest.mark.parametrize(
    ("field", "old", "new"), [(field, old, new) for field, (old, values) in CASES.items() for new in values.split()]
)
def test_other_made_up_values_are_told_by_what_they_are(load: Load, field: str, old: str, new: str) -> None:
    bootstrap = [("#   [bootstrap]", "[bootstrap]")] if field == "bootstrap.key_arn" else []
    found = refused(load, *bootstrap, *[each for each in REAL if each[0] in EXAMPLE], (old, new))
    assert set(found) == {field}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("login.fisheries.internal", "login.example.org.fisheries.internal"),
        ("login.fisheries.internal", "examples.internal"),
        ("192.88.99.0/24", "203.0.114.0/24"),
        ("192.88.99.0/24", "203.0.112.0/20"),  # holds a documentation network, and real ones
        ('domain_prefix = "ringfence-fisheries"', 'domain_prefix = "ringfence-examples"'),
        ("000000000042", "012345678910"),
        ("000000000042", "111122223344"),
        ("pl-4f6a09c2", "pl-7ca54015"),
        (VERSION, "00000000-9b0e-4c7e-8a51-3f6a2f0f9c10"),
        ("SG-Cloud-Audit", "cloud.audit.test"),
        ("SG-Cloud-Audit", "Example audit"),
        ("000000000042", "100000000042"),
        ("pl-4f6a09c2", "pl-deadb0ff"),
        ("login.fisheries.internal", "yours.internal"),
        ('client_id = "ringfence-fisheries"', 'client_id = "todos"'),
        ('client_id = "ringfence-fisheries"', 'client_id = "dummy-free"'),
        ("000000000042", "123456654312"),
        ("pl-4f6a09c2", "pl-c0ffee12"),
        ("pl-4f6a09c2", "pl-abcdbacd"),
        ("login.fisheries.internal", "login.microsoftonline.com/7d1f3c55-9b0e-4c7e-8a51-3f6a2f0f9c10/v2.0"),
        ("login.fisheries.internal", "login.localfisheries.internal/realms/commons"),
        ("assistant.fisheries.internal", "assistant.fisheries.local"),
        ("https://assistant.fisheries.internal", "http://127.0.0.1:8080"),
        ("192.88.99.0/24", "198.20.0.0/24"),
    ],
)
def test_what_only_looks_like_an_example_is_accepted(load: Load, old: str, new: str) -> None:
    assert load(*REAL, (old, new))


SAML = re.compile(r"issuer = .*\nclient_id = .*|client_secret_(?:name|version) = .*|(?:groups|staff_id)_claim = .*")
METADATA = (
    'metadata_url = "https://{host}/saml/metadata"\ngroups_attribute = "groups"\nstaff_id_attribute = "employee_id"'
)


@pytest.mark.parametrize("host", ["login.example.org", "LOGIN.EXAMPLE.ORG", "login.example.gov.uk", "saml.test"])
def test_a_made_up_metadata_address_is_told(tmp_path: Path, catalogue: Catalogue, host: str) -> None:
    text = EXAMPLE
    for old, new in REAL:
        text = text.replace(old, new)
    text = SAML.sub("", text).replace('provider = "oidc"', f'provider = "saml"\n{METADATA.format(host=host)}')
    (tmp_path / "fisheries.toml").write_text(text, encoding="utf-8")

    with pytest.raises(ProblemsFound) as found:
        load_department("fisheries", catalogue=catalogue, root=tmp_path)
    assert [problem.field for problem in found.value.problems] == ["identity.metadata_url"]


def test_an_environment_that_is_no_sandbox_is_read_as_production(load: Load) -> None:
    found = refused(load, REAL[0], ('environment = "production"', 'environment = "Production"'))

    assert {"environment", "account", "identity.issuer"} <= set(found)


def test_a_name_made_for_the_department_beside_it_is_refused(load: Load) -> None:
    beside = {"fisheries-research": "# not read here", "forestry": "", "forestry-north": ""}
    sound = load(*REAL, beside=beside)

    assert sound.identity.domain_prefix == "ringfence-fisheries"
    for other in ("forestry", "forestry-north", "fisheries-research"):
        change = ("ringfence/fisheries/", f"ringfence/{other}/")
        found = refused(load, *REAL, change, beside=beside)
        assert set(found) == {"identity.client_secret_name"}
        assert f'"{other}"' in found["identity.client_secret_name"]


def test_two_departments_cannot_share_an_address_to_sign_in_at(load: Load) -> None:
    other = EXAMPLE.replace('"ringfence-example-production"', '"ringfence-fisheries"', 1)
    found = refused(load, *REAL, beside={"waterways": other})

    assert set(found) == {"identity.domain_prefix"}
    assert "waterways has this prefix" in found["identity.domain_prefix"]


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


def test_a_sandbox_may_keep_made_up_values_until_it_is_deployed(tmp_path: Path, catalogue: Catalogue) -> None:
    text = (ROOT / "departments" / "example-sandbox.toml").read_text(encoding="utf-8")
    (tmp_path / "trial.toml").write_text(text.replace('name = "example-sandbox"', 'name = "trial"'), encoding="utf-8")

    assert load_department("trial", catalogue=catalogue, root=tmp_path).name == "trial"
