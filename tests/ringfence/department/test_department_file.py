"""What a department file may say, and how its mistakes are told."""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ringfence.catalogue.catalogue import Catalogue, load_catalogue
from ringfence.department.department import Department, load_department
from ringfence.reading.problems import ProblemsFound

ROOT = Path(__file__).resolve().parents[3]
Write = Callable[..., Path]


# The sound department's values are made up, which only an example or a sandbox may have.
NOT_PRODUCTION = ('environment = "production"', 'environment = "sandbox"')


def problems(folder: Path, catalogue: Catalogue, name: str = "example") -> dict[str, str]:
    """Returns what loading refuses, as text by field; an empty dict if it accepts."""
    try:
        load_department(name, catalogue=catalogue, root=folder)
    except ProblemsFound as error:
        found: dict[str, str] = {}
        for problem in error.problems:
            found[problem.field] = f"{found.get(problem.field, '')} {problem}"
            assert problem.message.endswith("."), problem
            assert problem.remedy.endswith((".", "?")), problem
        return found
    return {}


@pytest.mark.parametrize("name", ["example-production", "example-sandbox", "example-saml"])
def test_the_committed_examples_load_with_the_real_catalogue(name: str) -> None:
    department = load_department(name, catalogue=load_catalogue(ROOT / "catalogue"), root=ROOT / "departments")
    assert department.name == name
    assert department.region == "eu-west-2"


def test_a_sound_file_gives_a_department(department: Department) -> None:
    assert department.region == "eu-west-2"
    assert department.ingress.rate_per_minute == 300
    assert department.identity.provider == "oidc"
    assert department.groups == {"auditor": ("SG-Cloud-Audit",)}


def test_a_department_cannot_be_changed(department: Department) -> None:
    with pytest.raises(ValueError, match="frozen"):
        department.name = "other"  # type: ignore[misc]


def test_subnets_are_quarters_so_that_a_third_zone_renumbers_nothing(
    write_department: Write, catalogue: Catalogue
) -> None:
    two = load_department("example", catalogue=catalogue, root=write_department())
    assert two.subnet_cidrs == ("10.64.0.0/24", "10.64.1.0/24")
    folder = write_department(('"eu-west-2b"]', '"eu-west-2b", "eu-west-2c"]'))
    three = load_department("example", catalogue=catalogue, root=folder)
    assert three.subnet_cidrs == (*two.subnet_cidrs, "10.64.2.0/24")


def _sandbox_with_auditor() -> str:
    """The committed sandbox, with the one persona that the tests' own catalogue has."""
    text = (ROOT / "departments" / "example-sandbox.toml").read_text(encoding="utf-8")
    return text.replace('personas = ["auditor", "operator", "developer"]', 'personas = ["auditor"]')


def test_without_a_provider_a_persona_is_its_own_group(write_department: Write, catalogue: Catalogue) -> None:
    text = _sandbox_with_auditor()
    folder = write_department(name="example-sandbox", text=text)
    sandbox = load_department("example-sandbox", catalogue=catalogue, root=folder)
    assert sandbox.identity.provider == "none"
    assert sandbox.groups == {"auditor": ("auditor",)}


MISTAKES = """
name = "Example Department"
account = 111122223333
environment = "staging"
availability_zones = ["eu-west-1a"]
personas = ["auditor", "superuser"]
retired = ["auditor", "nobody"]
txn_token_keys = { nobody = 2, auditor = 0 }
region = "eu-west-1"
acount = "111122223333"
[network]
cidr = "10.64.0.7/22"
s3_prefix_list = "pl-xyz"
existing_networks = ["10.64.0.0/16"]
[identity]
provider = "oidc"
domain_prefix = "my-aws-login"
issuer = "http://login.example.org"
client_id = "ringfence"
client_secret = "hunter2-hunter2"
client_secret_name = "hunter3 hunter3"
client_secret_version = "hunter6"
staff_id_claims = "employee_id"
[identity.groups]
operator = ["Ops"]
[ingress]
allowed_networks = ["0.0.0.0/0", "10.0.0.0/8", "203.0.113.0/24", "203.0.113.0/25"]
rate_per_minute = 1
[[hosts]]
kind = "custom"
name = "desktop"
callback_urls = ["http://assistant.example.org/callback"]
[[hosts]]
kind = "custom"
name = "desktop"
callback_urls = []
"""


def test_a_file_full_of_mistakes_tells_all_of_them_at_once(write_department: Write, catalogue: Catalogue) -> None:
    found = problems(write_department(text=MISTAKES), catalogue)
    expected = {
        "name": "lower-case",
        "account": "text in quotes",
        "environment": "'production' or 'sandbox'",
        "availability_zones": "Fewer than two zones",
        "availability_zones[0]": "not a zone of eu-west-2",
        "personas[1]": "no such persona",
        "retired[0]": "holds this persona",
        "retired[1]": "no such persona",
        "txn_token_keys.nobody": "no such persona",
        "txn_token_keys.auditor": "at least 1",
        "region": "The region is not a setting",
        "acount": "Did you mean `account`?",
        "network.cidr": "Write `10.64.0.0/22`",
        "network.s3_prefix_list": "not the id of a prefix list",
        "identity.domain_prefix": 'holds "aws"',
        "identity.issuer": "not an https address",
        "identity.client_secret": "not known",
        "identity.client_secret_name": "not the name of a Secrets Manager secret",
        "identity.client_secret_version": "not the id of a secret's version",
        "identity.staff_id_claim": "required",
        "identity.staff_id_claims": "Did you mean `staff_id_claim`?",
        "identity.groups.auditor": "No group of yours",
        "identity.groups.operator": "does not have this persona",
        "ingress.allowed_networks[0]": "whole internet",
        "ingress.allowed_networks[1]": "private (RFC 1918)",
        "ingress.allowed_networks[3]": "overlaps 203.0.113.0/24",
        "ingress.rate_per_minute": "at least 10",
        "hosts[0].callback_urls[0]": "must be https",
        "hosts[1].name": "Two hosts have this name",
        "hosts[1].callback_urls": "This is empty",
    }
    for field, text in expected.items():
        assert text in found.get(field, "(not reported)"), field
    assert set(found) == set(expected)


def test_no_message_repeats_a_secret(write_department: Write, catalogue: Catalogue) -> None:
    text = MISTAKES.replace("http://login.example.org", "https://someone:hunter4@login.example.org")
    text = text.replace('provider = "oidc"', 'provider = "ldap"\nkeys = { inner = "hunter5" }')
    for variant in (MISTAKES, text, text.replace('"ldap"', '"oidc"')):
        with pytest.raises(ProblemsFound) as refused:
            load_department("example", catalogue=catalogue, root=write_department(text=variant))
        assert "hunter" not in str(refused.value)


def test_an_unknown_provider_does_not_hide_the_other_mistakes(write_department: Write, catalogue: Catalogue) -> None:
    folder = write_department(
        ('provider = "oidc"', 'provider = "ldap"'),
        ('domain_prefix = "ringfence-example"', 'domain_prefix = "Ringfence!"'),
        ('cidr = "10.64.0.0/22"', 'cidr = "8.8.8.0/22"'),
    )
    assert {"identity", "identity.domain_prefix", "network.cidr"} == set(problems(folder, catalogue))


def test_production_needs_an_identity_provider(write_department: Write, catalogue: Catalogue) -> None:
    text = _sandbox_with_auditor()
    text = text.replace('environment = "sandbox"', 'environment = "production"')
    found = problems(write_department(name="example-sandbox", text=text), catalogue, "example-sandbox")
    assert set(found) == {"identity.provider"}
    assert '"oidc" or "saml"' in found["identity.provider"]


def test_a_missing_provider_is_told(write_department: Write, catalogue: Catalogue) -> None:
    found = problems(write_department(('provider = "oidc"\n', "")), catalogue)
    assert "missing or not known" in found["identity"]


@pytest.mark.parametrize("table", ["network", "identity", "ingress", "hosts"])
def test_a_missing_table_is_told(write_department: Write, catalogue: Catalogue, table: str) -> None:
    text = {
        "network": '[network]\ncidr = "10.64.0.0/22"\ns3_prefix_list = "pl-0123456789abcdef0"\n',
        "ingress": '[ingress]\nallowed_networks = ["203.0.113.0/24"]\n',
        "hosts": '[[hosts]]\nkind = "custom"\nname = "desktop"\ncallback_urls = ["http://localhost:33418/callback"]\n',
    }
    folder = write_department()
    source = (folder / "example.toml").read_text(encoding="utf-8")
    start = source.index("[identity]")
    cut = text.get(table, source[start : source.index("[ingress]")])
    found = problems(write_department((cut, "")), catalogue)
    assert "required" in found[table]


def test_a_table_by_its_old_name_is_refused_with_the_new_one(write_department: Write, catalogue: Catalogue) -> None:
    found = problems(write_department(("[ingress]", "[door]")), catalogue)
    assert set(found) == {"door"}, "that the new one is missing is the same fault"
    assert "`[door]` is now `[ingress]`. Rename it." in found["door"]


@pytest.mark.parametrize("value", ['"text"', "[]", "17", "true", "[1, 2]", '{ a = "b" }'])
@pytest.mark.parametrize(
    "key",
    ["name", "account", "environment", "availability_zones", "personas", "network", "identity", "ingress", "hosts"],
)
def test_a_value_of_the_wrong_kind_is_a_problem_and_never_a_crash(
    write_department: Write, catalogue: Catalogue, key: str, value: str
) -> None:
    lines = [
        'name = "example"',
        'account = "111122223333"',
        'environment = "production"',
        'availability_zones = ["eu-west-2a", "eu-west-2b"]',
        'personas = ["auditor"]',
    ]
    text = "\n".join([f"{key} = {value}", *(line for line in lines if not line.startswith(f"{key} "))])
    assert any(field.startswith(key) for field in problems(write_department(text=text), catalogue))


WRONG: list[Any] = [5, 3.5, True, "x", "", [], ["x"], [[]], {}, {"a": 1}, [{}], date(2026, 11, 28), 10**30, ["x"] * 30]
FULL: dict[str, Any] = {
    "retired": ["operator"],
    "txn_token_keys": {"auditor": 1},
    "log_groups": {"auditor": ["/aws/lambda/*"]},
    "enable": [{"persona": "auditor", "server": "eks", "reason": "one"}],
    "sensitive": [{"persona": "auditor", "tool": "a.b", "reason": "one"}],
}


def places_in(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*at, key)
        yield from places_in(item, (*at, key))


def test_no_value_of_any_field_crashes_or_is_answered_in_the_words_of_a_library(
    catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = tomllib.loads((ROOT / "departments" / "example-production.toml").read_text()) | FULL
    (tmp_path / "example-production.toml").write_text("")
    told = ""
    for place in places_in(sound):
        for value in WRONG:
            changed = copy.deepcopy(sound)
            inner = changed
            for step in place[:-1]:
                inner = inner[step]
            inner[place[-1]] = value
            monkeypatch.setattr("ringfence.department.department.read_toml", lambda _, found=changed: found)
            try:
                load_department("example-production", catalogue=catalogue, root=tmp_path)
            except ProblemsFound as problem:
                told += f"{problem}\n"
    assert told.count("log_groups") > 10
    assert [line for line in told.splitlines() if re.search(r"[Ii]nput should|[Tt]uple|validat|pydantic", line)] == []


@pytest.mark.parametrize(
    ("old", "new", "field", "told"),
    [
        ('"111122223333"', '"1111-2222-3333"', "account", "12 digits"),
        ('"111122223333"', '"' + 12 * r"\uff11" + '"', "account", "12 digits"),
        ('"10.64.0.0/22"', '"203.0.113.0/24"', "network.cidr", "must be private"),
        ('"10.64.0.0/22"', '"10.64.0.0/25"', "network.cidr", "too small"),
        ('"10.64.0.0/22"', '"10.64.0.0/16"', "network.cidr", "larger"),
        ('"10.64.0.0/22"', '"10.64.0.0"', "network.cidr", "CIDR"),
        ('"10.64.0.0/22"', '"fd00::/56"', "network.cidr", "IPv4"),
        ('"10.64.0.0/22"', '"172.15.0.0/22"', "network.cidr", "must be private"),
        (
            '"10.64.0.0/22"',
            '"10.64.0.0/22"\nexisting_networks = ["10.0.0.0/8"]',
            "network.cidr",
            "overlaps existing_networks[0]",
        ),
        ('"203.0.113.0/24"', '"203.0.113.9/24"', "ingress.allowed_networks[0]", "Write `203.0.113.0/24`"),
        ('"203.0.113.0/24"', '"20.0.0.0/8"', "ingress.allowed_networks[0]", "wider"),
        ('"203.0.113.0/24"', '"127.0.0.1/32"', "ingress.allowed_networks[0]", "loopback"),
        ('"203.0.113.0/24"', '"169.254.169.254/32"', "ingress.allowed_networks[0]", "link-local"),
        ('"203.0.113.0/24"', '"::/0"', "ingress.allowed_networks[0]", "whole internet"),
        ('"eu-west-2b"', '"eu-west-2a"', "availability_zones", "twice"),
        ('"eu-west-2b"', '"euw2-az2"', "availability_zones[1]", "zone id"),
        ('"eu-west-2b"', '"us-east-1a"', "availability_zones[1]", "not a zone of eu-west-2"),
        ('["eu-west-2a", "eu-west-2b"]', '["eu-west-2a"]', "availability_zones", "Fewer than two"),
        ('personas = ["auditor"]', "personas = []", "personas", "No persona"),
        ('personas = ["auditor"]', 'personas = ["auditor", "auditor"]', "personas[1]", "twice"),
        ('["SG-Cloud-Audit"]', "[]", "identity.groups.auditor", "empty"),
        ('["SG-Cloud-Audit"]', '["a,b"]', "identity.groups.auditor[0]", "commas"),
        ('["SG-Cloud-Audit"]', '["a", "a"]', "identity.groups.auditor", "twice"),
        (
            '"https://login.example.org"',
            '"https://cognito-idp.us-east-1.example.org/p"',
            "identity.issuer",
            "us-east-1",
        ),
        ('"https://login.example.org"', '"https://*.example.org"', "identity.issuer", "`*`"),
        (
            '"https://login.example.org"',
            '"https://login.example.org/.well-known/openid-configuration"',
            "identity.issuer",
            "not the issuer",
        ),
        ('"http://localhost:33418/callback"', '"http://10.0.0.1/cb"', "hosts[0].callback_urls[0]", "must be https"),
        ('"http://localhost:33418/callback"', '"http://localhost.example.org/"', "hosts[0].callback_urls[0]", "https"),
        ('"http://localhost:33418/callback"', '"https://a.example.org/#x"', "hosts[0].callback_urls[0]", "`#`"),
        ('"http://localhost:33418/callback"', '"https://a:99999/"', "hosts[0].callback_urls[0]", "not a web address"),
        ('name = "example"', 'name = "example-two"', "name", "called example.toml"),
    ],
)
def test_one_mistake_is_told_at_its_field(
    write_department: Write, catalogue: Catalogue, old: str, new: str, field: str, told: str
) -> None:
    found = problems(write_department((old, new)), catalogue)
    assert field in found
    assert told in found[field]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8123/callback",
        "http://[::1]:8123/",
        "http://localhost/",
        "https://assistant.example.org/cb?x=1",
    ],
)
def test_callbacks_to_this_computer_and_over_https_are_accepted(
    write_department: Write, catalogue: Catalogue, url: str
) -> None:
    assert problems(write_department(("http://localhost:33418/callback", url)), catalogue) == {}


@pytest.mark.parametrize("name", ["ab", "Example", "example--two", "example-", "a" * 29, "1example", "exämple"])
def test_names_that_gateways_cannot_carry_are_refused(write_department: Write, catalogue: Catalogue, name: str) -> None:
    folder = write_department(('name = "example"', f'name = "{name}"'), name=name)
    assert "lower-case letters" in problems(folder, catalogue, name)["name"]


def test_a_missing_file_lists_the_departments_there_are(write_department: Write, catalogue: Catalogue) -> None:
    folder = write_department()
    with pytest.raises(ProblemsFound, match="Choose one of: example"):
        load_department("fisheries", catalogue=catalogue, root=folder)


@pytest.mark.parametrize("name", ["sandbox", "sandbox-team"])
def test_a_name_that_would_give_its_resources_to_the_developers_of_a_sandbox_is_refused(
    write_department: Write, catalogue: Catalogue, name: str
) -> None:
    folder = write_department(('name = "example"', f'name = "{name}"'), NOT_PRODUCTION, name=name)
    told = problems(folder, catalogue, name)
    assert set(told) == {"name"}
    assert "ringfence-sandbox-*" in told["name"] and "Put another word first" in told["name"]


def test_a_name_that_ends_in_sandbox_is_fine(write_department: Write, catalogue: Catalogue) -> None:
    folder = write_department(('name = "example"', 'name = "team-sandbox"'), NOT_PRODUCTION, name="team-sandbox")
    assert problems(folder, catalogue, "team-sandbox") == {}


def test_a_name_cannot_lead_out_of_the_folder(write_department: Write, catalogue: Catalogue, tmp_path: Path) -> None:
    folder = write_department()
    (tmp_path / "secret.toml").write_text('password = "x"', encoding="utf-8")
    with pytest.raises(ProblemsFound, match=r"There is no file .*\.\./secret\.toml\."):
        load_department("../secret", catalogue=catalogue, root=folder)


def test_malformed_toml_is_told_with_its_line(write_department: Write, catalogue: Catalogue) -> None:
    found = problems(write_department(('account = "111122223333"', "account = 1111-2222")), catalogue)
    assert "line 3" in found["file"]


def test_bytes_that_are_not_utf8_are_told(write_department: Write, catalogue: Catalogue) -> None:
    folder = write_department()
    (folder / "example.toml").write_bytes(b'name = "\xff"')
    assert "not UTF-8" in problems(folder, catalogue)["file"]


def test_an_empty_file_is_a_problem_and_not_a_crash(write_department: Write, catalogue: Catalogue) -> None:
    assert "required" in problems(write_department(text=""), catalogue)["account"]


def test_a_byte_order_mark_changes_nothing(write_department: Write, catalogue: Catalogue) -> None:
    file = write_department() / "example.toml"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert problems(file.parent, catalogue) == {}


@pytest.mark.parametrize("heading", ["[functions]", "[ingress]", "[identity]", "[[hosts]]"])
def test_a_key_of_the_top_below_a_heading_is_told_where_it_belongs(
    write_department: Write, catalogue: Catalogue, heading: str
) -> None:
    text = (write_department() / "example.toml").read_text()
    there = heading in text
    moved = f"{heading}\ntxn_token_keys = {{ auditor = 2 }}\n"
    folder = write_department(text=text.replace(f"{heading}\n", moved, 1) if there else f"{text}\n{moved}")
    (told,) = problems(folder, catalogue).values()
    assert "belongs to the top of the file" in told and "above the first heading" in told


def test_the_group_of_a_persona_that_was_taken_out_is_told_with_what_else_to_do(
    write_department: Write, catalogue: Catalogue
) -> None:
    mapped = ("[identity.groups]\n", '[identity.groups]\noperator = ["SG-Cloud-Operate"]\n')
    told = problems(write_department(mapped), catalogue)["identity.groups.operator"]
    assert "`retired`" in told
    retired = ("[network]", 'retired = ["operator"]\n[network]')
    assert "`retired`" not in problems(write_department(mapped, retired), catalogue)["identity.groups.operator"]


@pytest.mark.parametrize(
    ("field", "text", "told"),
    [
        ("functions.reserved_concurrency", "[functions]\nreserved_concurrency = -1", "at least 0"),
        ("functions.reserved_concurrency", "[functions]\nreserved_concurrency = 501", "at most 500"),
        (
            "functions.reserved_concurrency",
            '[functions]\nreserved_concurrency = "20"',
            '= "20": This must be a whole number. Write it without quotes',
        ),
        ("functions.reserved_concurrency", "[functions]\nreserved_concurrency = 20.0", "without a point"),
        ("functions.reserved_concurency", "[functions]\nreserved_concurency = 20", "reserved_concurrency"),
        ("answers.most_bytes", "[answers]\nmost_bytes = 19999", "at least 20000"),
        ("answers.most_bytes", "[answers]\nmost_bytes = 1048577", "at most 1048576"),
        ("answers.most", "[answers]\nmost = 30000", "most_bytes"),
        ("bootstrap.qualifier", '[bootstrap]\nqualifier = "Landing-Zone"', "lower-case letters and digits"),
        ("bootstrap.qualifier", '[bootstrap]\nqualifier = "elevenchars"', "1 to 10"),
        ("bootstrap.key_arn", '[bootstrap]\nkey_arn = "alias/cdk-hnb659fds-assets-key"', "not the ARN of a KMS key"),
        (
            "bootstrap.key_arn",
            '[bootstrap]\nkey_arn = "arn:aws:kms:eu-west-2:444455556666:key/12345678-1234-1234-1234-123456789012"',
            "another account",
        ),
    ],
)
def test_a_wrong_reserve_or_bootstrap_is_told(
    write_department: Write, catalogue: Catalogue, field: str, text: str, told: str
) -> None:
    found = problems(write_department(("[[hosts]]", f"{text}\n[[hosts]]")), catalogue)

    assert set(found) == {field}
    assert told in found[field]


def test_without_a_word_nothing_is_reserved_and_the_bootstrap_is_the_cdks_own(department: Department) -> None:
    assert department.functions.reserved_concurrency == 0
    assert department.bootstrap.key_arn is None
    # CDK developer guide, "Customize AWS CDK bootstrapping": the default qualifier.
    assert department.asset_bucket == "cdk-hnb659fds-assets-111122223333-eu-west-2"


def test_a_department_chooses_its_reserve_and_its_bootstrap(write_department: Write, catalogue: Catalogue) -> None:
    key = "arn:aws:kms:eu-west-2:111122223333:key/12345678-1234-1234-1234-123456789012"
    chosen = f'[functions]\nreserved_concurrency = 20\n[bootstrap]\nqualifier = "landingzon"\nkey_arn = "{key}"\n'
    folder = write_department(("[[hosts]]", f"{chosen}[[hosts]]"))

    department = load_department("example", catalogue=catalogue, root=folder)
    assert department.functions.reserved_concurrency == 20
    assert department.asset_bucket == "cdk-landingzon-assets-111122223333-eu-west-2"
    assert department.bootstrap.key_arn == key


@pytest.mark.parametrize(
    "role",
    [
        "security-response",
        "security/on-call",
        "a/b.c/on-call",
        "aws-reserved/sso.amazonaws.com/AWSReservedSSO_Security_*",
        "aws-reserved/sso.amazonaws.com/eu-west-2/AWSReservedSSO_Security_0123456789abcdef",
    ],
)
def test_a_role_of_security_is_named_with_its_path(write_department: Write, catalogue: Catalogue, role: str) -> None:
    folder = write_department(('["security-response"]', f'["{role}"]'))
    loaded = load_department("example", catalogue=catalogue, root=folder)
    assert loaded.security is not None and loaded.security.roles == (role,)


@pytest.mark.parametrize(
    "role",
    [
        "",
        "*",
        "security/*",
        "security-?",
        "/security/on-call",
        "security//on-call",
        "security/",
        f"security/{'x' * 65}",
        "arn:aws:iam::111122223333:role/security/on-call",
        "role/security/on-call",
        "on call",
        "ringfence-example-auditor",
        "aws-reserved/sso.amazonaws.com/*",
    ],
)
def test_what_names_no_one_role_of_security_is_told(write_department: Write, catalogue: Catalogue, role: str) -> None:
    found = problems(write_department(('["security-response"]', f'["{role}"]')), catalogue)
    assert set(found) == {"security.roles[0]"}
    assert "after `role/` in the role's ARN, its path included" in found["security.roles[0]"]


CONTACT = "the platform team, platform@fisheries.internal"


@pytest.mark.parametrize(
    "contact",
    [
        "platform@fisheries.internal",
        "the platform team (platform.team@fisheries.internal), 9 to 5",
        "the service desk, https://desk.fisheries.internal/aws/",
        "https://desk.fisheries.internal:8443",
        "the on-call engineer, 01632 960 123",
        "+44 (0)1632 960123, or the duty manager",
        "the desk on (01632) 960-123",
        "noreplying@fisheries.internal",
        "Asketh and sons, 01632 960123",
    ],
)
def test_a_contact_is_one_that_somebody_can_use(write_department: Write, catalogue: Catalogue, contact: str) -> None:
    loaded = load_department("example", catalogue=catalogue, root=write_department((CONTACT, contact)))
    assert loaded.contact == contact


@pytest.mark.parametrize(
    "contact",
    [
        "ask us",
        "the platform team",
        "platform@intranet",
        "platform at fisheries.internal",
        "on chat, @fisheries.internal",
        "platform@@fisheries.internal",
        "http://desk.fisheries.internal",
        "https://desk/aws",
        "extension 4123",
        "960 123, ask for the desk",
        "ticket 2026-11-29-0001",
        "0123456789012345678",
        "the desk, 01632 9601",
        "the desk, +4416 3296",
    ],
)
def test_a_contact_by_which_nobody_is_reached_is_refused(
    write_department: Write, catalogue: Catalogue, contact: str
) -> None:
    found = problems(write_department((CONTACT, contact)), catalogue)
    assert set(found) == {"contact"}
    assert found["contact"].strip() == (
        f'contact = "{contact}": Nobody can be reached by this: it holds no e-mail address, https address or whole '
        "telephone number. Write whom refused callers may ask and how, as `the platform team, platform@<your domain>`."
    )


@pytest.mark.parametrize(
    ("contact", "said"),
    [
        ("the desk, 0000000000", "Nobody answers at 0000000000."),
        ("the desk, +00 000 000 000", "Nobody answers at +00 000 000 000."),
        ("noreply@fisheries.internal", "Nobody answers at noreply@fisheries.internal."),
        ("the desk, no-reply+aws@fisheries.internal", "Nobody answers at no-reply+aws@fisheries.internal."),
        ("do.not.reply@fisheries.internal, or 01632 960123", "Nobody answers at do.not.reply@fisheries.internal."),
        ("Ask the platform team on 01632 960123", "Refused callers read this behind the word `Ask`."),
    ],
)
def test_a_contact_of_no_use_to_whoever_is_refused_is_told_so(
    write_department: Write, catalogue: Catalogue, contact: str, said: str
) -> None:
    found = problems(write_department((CONTACT, contact)), catalogue)
    assert set(found) == {"contact"} and said in found["contact"]


@pytest.mark.parametrize("sign", ["<", ">", "[", "]", r"\n", r"\r", r"\t", r"\u001b", r"\u2028", "`", "{", "|", "&"])
def test_a_contact_holds_no_sign_that_a_page_or_a_terminal_reads(
    write_department: Write, catalogue: Catalogue, sign: str
) -> None:
    found = problems(write_department((CONTACT, f"the desk {sign} team, desk@fisheries.internal")), catalogue)
    assert set(found) == {"contact"}
    assert "A contact is one line of 6 to 120 letters, digits and plain signs" in found["contact"]


@pytest.mark.parametrize(
    "contact",
    [
        "https://user:pw@evil.example.org/x",
        "the desk, https://desk.fisheries.internal@evil.example.org",
        "https://desk.fisheries.internal:443@evil.example.org/x",
        "desk@fisheries.internal, or https://a:b@evil.example.org",
    ],
)
def test_a_contacts_web_address_names_nobody_before_its_host(
    write_department: Write, catalogue: Catalogue, contact: str
) -> None:
    found = problems(write_department((CONTACT, contact)), catalogue)
    assert set(found) == {"contact"}
    assert "the host behind it is another one" in found["contact"]


ID = "5f3b1c9e-2d47-4a8b-9c61-7e0d2f4a6b83"
WORD = ('plain_names = "Only the directory team names groups."\n', "")


@pytest.mark.parametrize("name", ["SG-Cloud-Audit", f"{ID}x", "S-1", "all staff"])
def test_a_group_is_named_by_its_id_or_with_the_reason_why_names_are_plain(
    write_department: Write, catalogue: Catalogue, name: str
) -> None:
    found = problems(write_department(WORD, ("SG-Cloud-Audit", name)), catalogue)
    assert "`plain_names`" in found["identity.groups.auditor"]


def test_what_is_advised_for_a_persona_without_a_group_is_taken(write_department: Write, catalogue: Catalogue) -> None:
    """Whoever wrote the group's name there was told next that names count for nothing."""
    found = problems(write_department(WORD, ('auditor = ["SG-Cloud-Audit"]', "")), catalogue)
    assert '`auditor = ["<object id of the group>"]`' in found["identity.groups.auditor"]


def test_an_id_needs_no_reason_and_a_name_with_one_passes(write_department: Write, catalogue: Catalogue) -> None:
    assert problems(write_department(WORD, ("SG-Cloud-Audit", ID)), catalogue) == {}
    assert problems(write_department(), catalogue) == {}


def test_the_reason_why_names_are_plain_is_a_sentence(write_department: Write, catalogue: Catalogue) -> None:
    found = problems(write_department((WORD[0], 'plain_names = "yes"\n')), catalogue)
    assert "A reason is one line" in found["identity.plain_names"]


def test_the_runbook_names_every_part_from_which_a_retired_persona_goes(tmp_path: Path) -> None:
    real = load_catalogue(ROOT / "catalogue")
    text = (ROOT / "departments" / "example-production.toml").read_text(encoding="utf-8")
    retired = text.replace('personas = ["auditor", "operator"]', 'personas = ["auditor"]\nretired = ["operator"]', 1)
    assert retired != text
    (tmp_path / "example-production.toml").write_text(
        retired.replace("[network]", "txn_token_keys = { operator = 2 }\n[network]", 1)
        + '[log_groups]\noperator = ["/a/*"]\n'
        + '[[enable]]\npersona = "operator"\nserver = "aws-api"\nreason = "Restarts are the work of this persona."\n'
        + '[[sensitive]]\npersona = "operator"\ntool = "eks.get_pod_logs"\nreason = "Faults are found by them."\n',
        encoding="utf-8",
    )
    with pytest.raises(ProblemsFound) as found:
        load_department("example-production", catalogue=real, root=tmp_path)
    refused = {problem.field.partition(".operator")[0].partition("[")[0] for problem in found.value.problems}
    page = (ROOT / "docs" / "runbooks" / "personas.md").read_text(encoding="utf-8")
    section = page.partition("## Take one away")[2].partition("```")[0]

    assert {"enable", "identity.groups", "log_groups", "sensitive"} <= refused
    assert [part for part in sorted(refused) if f"{part}]" not in section and f"`{part}`" not in section] == []


@pytest.mark.parametrize(
    ("audit", "field", "told"),
    [
        ('s3_data_events = "some"', "audit.s3_data_events", "neither writes, all, none nor which buckets"),
        ("s3_data_events = true", "audit.s3_data_events", "neither writes, all, none nor which buckets"),
        ("s3_data_events = []", "audit.s3_data_events", "neither writes, all, none nor which buckets"),
        (f"s3_data_events = {[f'bucket-{n}' for n in range(101)]}", "audit.s3_data_events", "at most 100"),
        ('s3_data_events = ["s3://catch"]', "audit.s3_data_events", "without `s3://` or an ARN"),
        (
            's3_data_events = ["arn:aws:s3:::catch"]',
            "audit.s3_data_events",
            '"arn:aws:s3:::catch" is no name of a bucket',
        ),
        ('s3_data_events = ["catch", 7]', "audit.s3_data_events", "7 is no name of a bucket"),
        ('s3_data_events = ["catch..es"]', "audit.s3_data_events", "is no name of a bucket"),
        ('s3_data_events = ["*"]', "audit.s3_data_events", "is no name of a bucket"),
        ('s3_data_events = ["catch", "catch"]', "audit.s3_data_events", "named twice"),
        ('s3_data_events = "none"', "audit.reason", "Say why the department does without them"),
        ('s3_data_events = "none"\nreason = "no"', "audit.reason", "A reason is one line of at least"),
        ('s3_data_events = "all"\nreason = "We want to see who reads what."', "audit.reason", "Remove it."),
        ('s3_events = "all"', "audit.s3_events", "Did you mean `s3_data_events`?"),
    ],
)
def test_what_the_trail_cannot_record_is_told(
    write_department: Write, catalogue: Catalogue, audit: str, field: str, told: str
) -> None:
    found = problems(write_department(("[security]", f"[audit]\n{audit}\n\n[security]")), catalogue)

    assert set(found) == {field}
    assert told in found[field]


def test_events_of_s3_objects_are_chosen_by_a_word_or_by_buckets(write_department: Write, catalogue: Catalogue) -> None:
    chosen = '[audit]\ns3_data_events = ["fisheries-catch", "a.b-1"]\n\n[security]'
    sound = load_department("example", catalogue=catalogue, root=write_department())
    named = load_department("example", catalogue=catalogue, root=write_department(("[security]", chosen)))

    assert sound.audit.s3_data_events == "writes"
    assert named.audit.s3_data_events == ("fisheries-catch", "a.b-1")
