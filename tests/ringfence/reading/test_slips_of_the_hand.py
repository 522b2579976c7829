"""What people write into a department's file by mistake, and what they are told: the mistake, and the right line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ringfence.catalogue.catalogue import Catalogue
from ringfence.department.department import load_department
from ringfence.organisation.organisation import load_organisation
from ringfence.reading.problems import ProblemsFound

ROOT = Path(__file__).resolve().parents[3]
PRODUCTION = (ROOT / "departments" / "example-production.toml").read_text(encoding="utf-8")
Told = Callable[..., list[str]]


@pytest.fixture
def told(tmp_path: Path, real: Catalogue) -> Told:
    """What is said of the production example with some of its text replaced; a line for each problem."""

    def _told(*changes: tuple[str, str], encoding: str = "utf-8") -> list[str]:
        text = PRODUCTION
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new, 1)
        (tmp_path / "example-production.toml").write_text(text, encoding=encoding)
        try:
            load_department("example-production", catalogue=real, root=tmp_path)
        except ProblemsFound as problem:
            return [line.strip() for line in str(problem).splitlines()[1:]]
        return []

    return _told


ACCOUNT = 'account = "111122223333"'


@pytest.mark.parametrize(
    ("old", "new", "said", "remedy"),
    [
        (ACCOUNT, "account = 011122223333", "cannot begin with 0", '`account = "011122223333"`'),
        (ACCOUNT, "account = \u201c111122223333\u201d", "left double quotation mark", "straight ones"),
        (ACCOUNT, "account = \u2018111122223333\u2019", "left single quotation mark", "straight ones"),
        (ACCOUNT, f"{ACCOUNT}\n{ACCOUNT}", "The key `account` stands here for the second time, first in line", "Keep"),
        (ACCOUNT, "account = 1111-2222-3333", "Text stands in quotes", '`account = "1111-2222-3333"`'),
        (ACCOUNT, 'account = "111122223333', "The text of `account` does not end", 'Put " at its end'),
        (ACCOUNT, 'account: "111122223333"', "`account` is followed by a colon", "`account = …`"),
        (ACCOUNT, 'account =\u00a0"111122223333"', "nobody sees (no-break space)", "Delete it"),
        (ACCOUNT, f"\u200b{ACCOUNT}", "nobody sees (zero width space)", "Delete it"),
        (ACCOUNT, "account =", "`account` has no value", "Write one"),
        ('environment = "production"', "environment = production", "Text stands in", '`environment = "production"`'),
        ("[network]", "[ingress]\n[network]\n[network]", "The table [network] stands here for the second time", "one"),
        ("[network]", "[network", "The heading does not end", "Close its square bracket"),
        ("rate_per_minute = 300", "rate_per_minute = True", '"True" is no value', "`rate_per_minute = true`"),
    ],
)
def test_what_is_not_toml_is_told_by_its_mistake_and_its_line(
    told: Told, old: str, new: str, said: str, remedy: str
) -> None:
    (problem,) = told((old, new))
    assert "This is not valid TOML, line " in problem
    assert said in problem and remedy in problem


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('= "production"', '= "prodution"', 'environment = "prodution": This value is not known.'),
        (ACCOUNT, 'account = ["111122223333"]', "must be text in quotes. Write one text, without square brackets."),
        ('= ["auditor", "operator"]', '= "auditor, operator"', "This must be a list in square brackets."),
    ],
)
def test_a_slip_in_a_value_is_told_once_and_without_what_follows_from_it(
    told: Told, old: str, new: str, said: str
) -> None:
    (problem,) = told((old, new))
    assert said in problem


def test_the_nearest_value_is_named_where_there_is_one(told: Told) -> None:
    (problem,) = told(('environment = "production"', 'environment = "prodution"'))
    assert problem.endswith("Did you mean `production`? Use one of: 'production' or 'sandbox'.")
    (problem,) = told(('environment = "production"', 'environment = "live"'))
    assert problem.endswith("not known. Use one of: 'production' or 'sandbox'.")


def test_the_line_that_is_told_is_the_files(told: Told) -> None:
    number = PRODUCTION[: PRODUCTION.index(ACCOUNT)].count("\n") + 1
    (problem,) = told((ACCOUNT, f"{ACCOUNT}\n{ACCOUNT}"))
    assert f"line {number + 1}: " in problem and f"first in line {number}." in problem


def test_a_secret_in_quotes_that_are_none_is_not_repeated(told: Told) -> None:
    line = 'client_secret_name = "ringfence/example-production/oidc-client-secret"'
    (problem,) = told((line, "client_secret_name = hunter2"))
    assert "Text stands in quotes" in problem and "hunter2" not in problem


def test_typographic_quotes_within_a_text_are_a_text(told: Told) -> None:
    reason = "Only the directory team makes and names groups here, in letters, digits and dashes."
    assert told((reason, "Only the \u201cdirectory team\u201d makes and names groups here, nobody else.")) == []


@pytest.mark.parametrize("encoding", ["utf-8-sig"])
def test_what_windows_writes_before_a_file_is_skipped(told: Told, encoding: str) -> None:
    """hukkin/tomli issue 304: Notepad and PowerShell begin a file with a byte order mark."""
    assert told(encoding=encoding) == []


def test_utf_16_is_told_as_what_to_save_it_as(told: Told) -> None:
    (problem,) = told(encoding="utf-16")
    assert "is not UTF-8" in problem and "Save the file as UTF-8" in problem


def test_an_account_as_a_number_is_told_with_the_line_as_it_must_read(told: Told) -> None:
    (problem,) = told((ACCOUNT, "account = 111122223333"))
    assert 'This must be text in quotes. Write `account = "111122223333"`.' in problem


def test_two_slips_in_personas_are_two_problems(told: Told) -> None:
    """Not a third for each group that then seems to be missing, nor a fourth for each that seems to be too many."""
    problems = told(('personas = ["auditor", "operator"]', 'personas = ["auditer", "Operator"]'))
    assert [problem.partition(": ")[0] for problem in problems] == [
        'personas[0] = "auditer"',
        'personas[1] = "Operator"',
    ]
    assert "Did you mean `auditor`?" in problems[0] and "Did you mean `operator`?" in problems[1]


def test_a_slip_in_the_groups_is_one_problem(told: Told) -> None:
    (problem,) = told(('auditor = ["SG-Cloud-Audit"]', 'auditro = ["SG-Cloud-Audit"]'))
    assert problem.startswith('identity.groups.auditro = "auditro":') and "Did you mean `auditor`?" in problem


def test_a_slip_in_a_choice_is_one_problem(told: Told) -> None:
    choice = '[[enable]]\npersona = "operater"\nserver = "aws-api"\nreason = "Operators look at what hangs at night."\n'
    (problem,) = told(("[[hosts]]", f"{choice}[[hosts]]"))
    assert problem.startswith('enable[0].persona = "operater"') and "Did you mean `operator`?" in problem


def test_saml_with_the_keys_of_oidc_left_is_one_mistake(told: Told) -> None:
    (problem,) = told(('provider = "oidc"', 'provider = "saml"'))
    keys = "issuer, client_id, client_secret_name, client_secret_version, groups_claim, staff_id_claim"
    assert problem == (
        f'identity.provider = "saml": {keys}: these keys belong to "oidc". Remove them; "saml" needs metadata_url, '
        "groups_attribute, staff_id_attribute (departments/example-saml.toml shows how)."
    )


def test_one_foreign_key_beside_the_right_ones_is_to_be_removed(told: Told) -> None:
    (problem,) = told(('groups_claim = "groups"', 'groups_attribute = "groups"'))
    assert 'groups_attribute: these keys belong to "saml". Remove them, or correct the provider.' in problem


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("example-production.toml", True),
        ("departments/example-production", True),
        ("departments/example-production.toml", True),
        ("./departments/example-production.toml", True),
        (str(ROOT / "departments" / "example-production.toml"), True),
        (" example-production ", True),
        ("organisations/example", False),
        ("../departments/example-production.toml", False),
    ],
)
def test_a_department_is_named_by_its_name_or_its_files(
    real: Catalogue, monkeypatch: pytest.MonkeyPatch, written: str, means: bool
) -> None:
    monkeypatch.chdir(ROOT)
    if means:
        assert load_department(written, catalogue=real).name == "example-production"
    else:
        with pytest.raises(ProblemsFound, match="There is no file departments/"):
            load_department(written, catalogue=real)


@pytest.mark.parametrize("written", ["exampel-production", "Example-Production", "departments/example-prodution.toml"])
def test_the_nearest_department_is_told(real: Catalogue, monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.chdir(ROOT)
    with pytest.raises(ProblemsFound, match=r"There is no file .*Did you mean `example-production`\?"):
        load_department(written, catalogue=real)


def test_the_nearest_organisation_is_told_and_its_path_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert load_organisation("organisations/example.toml").name == "example"
    with pytest.raises(ProblemsFound, match=r"Did you mean `example`\?"):
        load_organisation("exmaple")


def test_the_shared_address_space_is_private_enough_for_a_network_without_a_route(told: Told) -> None:
    """oxidecomputer/omicron issue 6389: 100.64.0.0/10 inside a VPC, as landing zones plan it."""
    assert told(('cidr = "10.64.0.0/22"', 'cidr = "100.64.8.0/22"')) == []
    (problem,) = told(('cidr = "10.64.0.0/22"', 'cidr = "100.128.0.0/22"'))
    assert "must be private" in problem and "100.64/10" in problem


def test_a_network_of_ipv6_in_use_elsewhere_is_no_matter(told: Told) -> None:
    (problem,) = told(('["10.0.0.0/16"]', '["10.0.0.0/16", "2a00:1450::/32"]'))
    assert "cannot overlap this one, which is of IPv4. Leave it out." in problem


@pytest.mark.parametrize("key", ["vpc_id", "subnet_ids", "transit_gateway", "route53_profile", "endpoints"])
def test_who_would_bring_a_network_is_told_that_there_is_one(told: Told, key: str) -> None:
    """ministryofjustice/modernisation-platform issue 13221: endpoints in one shared VPC."""
    (problem,) = told(("[network]\n", f'[network]\n{key} = "x"\n'))
    assert "Ringfence brings its own network and endpoints" in problem and "docs/decisions/0011" in problem
