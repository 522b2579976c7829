"""What an organisation file may say, and what its mistakes are answered with: all at once, with place and remedy."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ringfence.catalogue.catalogue import Catalogue
from ringfence.organisation.organisation import elsewhere, load_organisation, register
from ringfence.organisation.policies import LONGEST, guardrails
from ringfence.reading.problems import ProblemsFound
from tests.bench.departments import examples

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def organisations(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "organisations" / "example.toml", tmp_path / "example.toml")
    return tmp_path


def change(organisations: Path, *changes: tuple[str, str]) -> None:
    path = organisations / "example.toml"
    text = path.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)


def load(organisations: Path):
    return load_organisation("example", root=organisations, departments=ROOT / "departments")


def test_the_example_loads_and_exempts_two_exact_roles_of_the_callers_own_account(organisations: Path) -> None:
    own = "${aws:PrincipalAccount}"

    assert load(organisations).exempt_arns == [
        f"arn:aws:iam::{own}:role/cdk-hnb659fds-cfn-exec-role-{own}-eu-west-2",
        f"arn:aws:iam::{own}:role/ringfence-break-glass",
    ]


def test_what_the_catalogue_needs_elsewhere_is_added_by_itself(organisations: Path, real: Catalogue) -> None:
    organisation = load(organisations)

    assert "iam" in elsewhere(organisation, real)["us-east-1"]
    assert ("iam", "us-east-1") in {(entry.service, entry.region) for entry in register(organisation, real)}


def test_all_mistakes_are_told_at_once(organisations: Path) -> None:
    change(
        organisations,
        ('name = "example"', 'name = "other"'),
        ('id = "o-exampleorg1"', 'id = "example"'),
        ('management_account = "000000000000"', 'management_account = "111122223333"'),
        ('"ou-exam-ringfenc"', '"111122223333"'),
        ('break_glass_role = "ringfence-break-glass"', 'break_glass_role = "ringfence-*"'),
        ('reason = "AWS runs', 'because = "AWS runs'),
    )

    with pytest.raises(ProblemsFound) as found:
        load(organisations)

    told = {problem.field for problem in found.value.problems}
    assert told == {
        "name",
        "id",
        "management_account",
        "targets[0]",
        "break_glass_role",
        "elsewhere[0].reason",
        "elsewhere[0].because",
    }
    assert all(problem.remedy for problem in found.value.problems)


def test_a_departments_account_must_be_in_the_organisation(organisations: Path) -> None:
    change(organisations, ('accounts = ["111122223333"]', 'accounts = ["000000000001"]'))

    with pytest.raises(ProblemsFound, match="Department example-production lives in"):
        load(organisations)


def test_a_region_is_not_a_setting_of_an_organisation(organisations: Path) -> None:
    change(organisations, ('name = "example"', 'name = "example"\nregion = "eu-west-1"'))

    with pytest.raises(ProblemsFound, match="everything runs in eu-west-2"):
        load(organisations)


def test_a_guardrail_that_is_too_long_is_refused_with_its_size(organisations: Path, real: Catalogue) -> None:
    many = ", ".join(f'"a-service-with-a-long-prefix-{number}"' for number in range(100))
    change(organisations, ('"account", "organizations", "support"', many))

    with pytest.raises(ProblemsFound) as found:
        guardrails(load(organisations), real)

    (problem,) = found.value.problems
    assert problem.field == "ringfence-residency"
    assert str(LONGEST) in problem.message


@pytest.mark.parametrize("name", ["nowhere", "../departments/example-production"])
def test_an_unknown_organisation_is_named_with_what_there_is(organisations: Path, name: str) -> None:
    with pytest.raises(ProblemsFound, match="Choose one of: example"):
        load_organisation(name, root=organisations, departments=ROOT / "departments")


def test_a_department_that_is_deployed_as_another_role_than_the_exempt_one_is_told(
    organisations: Path, tmp_path: Path
) -> None:
    departments = tmp_path / "departments"
    departments.mkdir()
    text = (ROOT / "departments" / "example-production.toml").read_text(encoding="utf-8")
    (departments / "example-production.toml").write_text(f'{text}\n[bootstrap]\nqualifier = "landingzon"\n', "utf-8")

    with pytest.raises(ProblemsFound) as found:
        load_organisation("example", root=organisations, departments=departments)

    (problem,) = found.value.problems
    assert problem.field == "deployment_role"
    assert "cdk-landingzon-cfn-exec-role-111122223333-eu-west-2" in problem.message

    change(organisations, ("cdk-hnb659fds-cfn-exec-role", "cdk-landingzon-cfn-exec-role"))
    assert load_organisation("example", root=organisations, departments=departments)


@pytest.fixture
def beside_the_examples(tmp_path: Path) -> Path:
    """The examples, and a department of somebody's own in an account of its own."""
    departments = tmp_path / "departments"
    departments.mkdir()
    for name in examples(ROOT / "departments"):
        shutil.copy(ROOT / "departments" / f"{name}.toml", departments)
    text = (departments / "example-sandbox.toml").read_text(encoding="utf-8")
    own = text.replace("example-sandbox", "mine").replace("111122223333", "222233334444")
    (departments / "mine.toml").write_text(own, encoding="utf-8")
    return departments


def test_the_example_organisation_is_compared_with_the_examples_alone(
    organisations: Path, beside_the_examples: Path
) -> None:
    """`make test` makes it, whatever departments there are."""
    assert load_organisation("example", root=organisations, departments=beside_the_examples)
    assert examples(beside_the_examples) == ["example-production", "example-saml", "example-sandbox"]
    change(organisations, ('accounts = ["111122223333"]', 'accounts = ["222233334444"]'))
    with pytest.raises(ProblemsFound, match="Department example-production lives in"):
        load_organisation("example", root=organisations, departments=beside_the_examples)


def test_an_organisation_of_ones_own_is_compared_with_ones_own_departments_alone(
    organisations: Path, beside_the_examples: Path
) -> None:
    text = (organisations / "example.toml").read_text(encoding="utf-8").replace('name = "example"', 'name = "ours"')
    (organisations / "ours.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ProblemsFound, match="Department mine lives in") as found:
        load_organisation("ours", root=organisations, departments=beside_the_examples)
    assert len(found.value.problems) == 1
    (organisations / "ours.toml").write_text(text.replace("111122223333", "222233334444"), encoding="utf-8")
    assert load_organisation("ours", root=organisations, departments=beside_the_examples)


def test_the_management_account_may_have_a_bootstrap_of_its_own(organisations: Path) -> None:
    change(organisations, ("[[elsewhere]]", '[bootstrap]\nqualifier = "landingzon"\n\n[[elsewhere]]'))

    assert load(organisations).bootstrap.qualifier == "landingzon"
