"""`make check` and `make new`: a mistake is told before anything is built, and a new file says what it still lacks."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from ringfence.command_line.entry import main

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project's data, in which the commands run."""
    for name in ("departments", "organisations"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "catalogue").symlink_to(ROOT / "catalogue")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize("written", ["example-production", "departments/example-production.toml"])
def test_a_sound_file_is_said_to_be_sound(project: Path, capsys: pytest.CaptureFixture[str], written: str) -> None:
    assert main(["check", "--department", written]) == 0
    assert capsys.readouterr().out == "departments/example-production.toml: nothing is wrong.\n"


def test_a_sound_organisation_too(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--organisation", "example"]) == 0
    assert capsys.readouterr().out == "organisations/example.toml: nothing is wrong.\n"


def test_before_another_command_only_what_is_wrong_is_said(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--quiet", "--department", "example-production"]) == 0
    assert capsys.readouterr() == ("", "")


def test_every_problem_is_told_at_once_with_exit_code_1(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = project / "departments" / "example-production.toml"
    edit(file, '"eu-west-2b"', '"us-east-1a"')
    edit(file, '"auditor", "operator"', '"auditor", "operater"')
    assert main(["check", "--department", "example-production"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("departments/example-production.toml: 2 problems\n")
    assert "availability_zones[1]" in said.err and "Did you mean `operator`?" in said.err


@pytest.mark.parametrize(
    "words",
    [[], ["chek"], ["check", "--department", "a", "--organisation", "b"], ["check", "--departement", "a"], ["new"]],
)
def test_what_is_no_command_ends_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert "Usage:" in capsys.readouterr().err


def test_one_group_for_two_personas_is_told_and_admitted(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(project / "departments" / "example-production.toml", '["SG-Cloud-Operations"]', '["SG-Cloud-Audit"]')
    assert main(["check", "--department", "example-production"]) == 0
    assert 'identity.groups = "SG-Cloud-Audit": Whoever is in this group has auditor and operator.' in (
        capsys.readouterr().out
    )


def test_a_model_that_may_end_is_told_with_the_day(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = project / "departments" / "example-production.toml"
    chosen = '[models]\nmain = "anthropic.claude-sonnet-4-6"\nstrongest = "anthropic.claude-opus-4-6-v1"\n'
    edit(file, "[[hosts]]", f"{chosen}\n[[hosts]]")
    assert main(["check", "--department", "example-production"]) == 0
    (_, told) = capsys.readouterr().out.splitlines()
    assert 'models = "anthropic.claude-opus-4-6-v1": AWS may end this model on 5 February 2027 or later.' in told


def test_the_made_up_values_of_a_sandbox_are_told_and_admitted(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing of it is refused before a deployment is, and then late."""
    assert main(["new", "--department", "play", "--from", "example-sandbox"]) == 0
    capsys.readouterr()
    assert main(["check", "--department", "play"]) == 0
    said = capsys.readouterr().out
    assert "nothing is wrong; 4 things to look at:" in said
    assert 'account = "111122223333": This account id is made up.' in said


def test_a_check_builds_nothing_and_needs_no_node(project: Path) -> None:
    """Neither the CDK nor anything of the zips is even read."""
    code = (
        "import sys; from ringfence.command_line.entry import main; main(sys.argv[1:]); "
        "print([each for each in sys.modules if each.split('.')[0] in ('aws_cdk', 'jsii', 'assets', 'boto3')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "check", "--quiet", "--department", "example-production"],
        cwd=project, env={"PATH": "", "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("[]\n", "")
    assert sorted(path.name for path in project.iterdir()) == ["catalogue", "departments", "organisations"]


def test_a_new_department_says_what_is_still_to_be_filled_in(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "--department", "fisheries"]) == 0
    said = capsys.readouterr().out
    fields = {line.split(" = ")[0].strip() for line in said.splitlines() if " = " in line}
    assert said.startswith("departments/fisheries.toml: made from departments/example-production.toml.\n")
    assert said.endswith("make check DEPARTMENT=fisheries\n")
    assert {"account", "network.s3_prefix_list", "identity.issuer", "identity.client_id"} <= fields
    assert {"identity.client_secret_version", "ingress.allowed_networks[0]"} <= fields

    assert main(["check", "--department", "fisheries"]) == 1, "until they are"
    refused = capsys.readouterr().err
    assert {line.split(" = ")[0].strip() for line in refused.splitlines()[1:]} == fields


def test_a_new_department_bears_its_own_name_where_the_name_is_its_to_choose(project: Path) -> None:
    assert main(["new", "--department", "departments/fisheries.toml"]) == 0
    text = (project / "departments" / "fisheries.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text)
    assert data["name"] == "fisheries"
    assert data["identity"]["domain_prefix"] == "ringfence-fisheries"
    assert data["identity"]["client_secret_name"] == "ringfence/fisheries/oidc-client-secret"
    assert data["identity"]["client_id"] == "ringfence-example-production", "the provider says what it is"
    assert text.startswith("# The department fisheries."), "not that it is an example"
    example = tomllib.loads((project / "departments" / "example-production.toml").read_text(encoding="utf-8"))
    assert {**data, "name": 0, "identity": 0} == {**example, "name": 0, "identity": 0}


def test_a_new_department_says_what_no_rule_can_tell_from_real_values(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new", "--department", "fisheries"]) == 0
    _, _, check = capsys.readouterr().out.partition("Yours to check, as example-production has them:\n")
    assert [line.split(";")[0].strip() for line in check.splitlines()[:-1]] == [
        'network.existing_networks: ["10.0.0.0/16"]',
        'identity.groups.auditor: ["SG-Cloud-Audit"]',
        'identity.groups.operator: ["SG-Cloud-Operations"]',
        'security.roles: ["security-response"]',
    ]


def test_what_another_departments_team_chose_is_named_where_a_file_is_made_from_theirs(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """None of it is made up, so no rule refuses it: `make check` would say that nothing is wrong."""
    text = (project / "departments" / "example-production.toml").read_text(encoding="utf-8")
    for old, new in (
        ('name = "example-production"', 'name = "fisheries"'),
        ("111122223333", "290417386655"),
        ("platform@example.org", "platform@fisheries.gov.uk"),
        ("203.0.113.0/24", "51.140.7.0/24"),
        ("login.example.org", "login.fisheries.gov.uk"),
        ('client_id = "ringfence-example-production"', 'client_id = "0oa1k2"'),
        ("00000000-0000-4000-8000-000000000000", "5b1f6d2e-8a47-4c39-b0d1-7e6a92c4f583"),
        ("assistant.example.org", "assistant.fisheries.gov.uk"),
    ):
        assert old in text
        text = text.replace(old, new)
    granted = """
[[enable]]
persona = "operator"
server = "aws-api"
reason = "Fisheries' operators look at what hangs at night."
[[sensitive]]
persona = "auditor"
tool = "iam.list_users"
reason = "Fisheries' auditors ask it every week."
"""
    (project / "departments" / "fisheries.toml").write_text(text + granted, encoding="utf-8")
    assert main(["new", "--department", "waterways", "--from", "fisheries"]) == 0
    said, _, check = capsys.readouterr().out.partition("Yours to check, as fisheries has them:\n")
    named = [line.split("; ")[0].strip() for line in check.splitlines()[:-1]]
    assert named == [
        'account: "290417386655"',
        'contact: "the platform team, platform@fisheries.gov.uk"',
        'ingress.allowed_networks: ["51.140.7.0/24"]',
        'identity.issuer: "https://login.fisheries.gov.uk/department"',
        'identity.client_id: "0oa1k2"',
        'identity.client_secret_version: "5b1f6d2e-8a47-4c39-b0d1-7e6a92c4f583"',
        'hosts[0]: "claude-code"',
        'hosts[1]: "vscode"',
        'hosts[2]: "custom", "web-assistant", ["https://assistant.fisheries.gov.uk/oauth/callback"]',
        'network.existing_networks: ["10.0.0.0/16"]',
        'identity.groups.auditor: ["SG-Cloud-Audit"]',
        'identity.groups.operator: ["SG-Cloud-Operations"]',
        'security.roles: ["security-response"]',
        'enable[0]: "operator", "aws-api", "Fisheries\' operators look at what hangs at night."',
        'sensitive[0]: "auditor", "iam.list_users", "Fisheries\' auditors ask it every week."',
    ]
    assert "fisheries.gov.uk" not in said


def test_an_assurance_about_groups_is_not_taken_over(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "--department", "fisheries"]) == 0
    assert 'identity.groups.auditor = "SG-Cloud-Audit": A list of groups arrives as one text' in capsys.readouterr().out
    text = (project / "departments" / "fisheries.toml").read_text(encoding="utf-8")
    assert "plain_names" not in tomllib.loads(text)["identity"]
    assert '#   plain_names = "<why no group here' in text


def test_the_address_of_an_example_that_refused_callers_would_read_is_told_with_its_own_remedy(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new", "--department", "fisheries"]) == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("  contact = "))
    assert line.endswith("Write an address at which whoever is refused reaches your team.")


def test_the_group_id_of_the_example_with_saml_is_made_up(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "--department", "fisheries", "--from", "example-saml"]) == 0
    assert 'identity.groups.auditor[0] = "3f2c8a51-9b7e-4d06-8c1f-5e0a7d94b236": This id is made up.' in (
        capsys.readouterr().out
    )


def test_a_new_example_is_told_that_it_is_never_deployed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "--department", "example-fisheries"]) == 0
    assert "It is an example, as its name says, and is never deployed" in capsys.readouterr().out


def test_a_further_department_of_somebodys_own_is_made_from_their_first(project: Path) -> None:
    assert main(["new", "--department", "fisheries"]) == 0
    assert main(["new", "--department", "waterways", "--from", "fisheries"]) == 0
    data = tomllib.loads((project / "departments" / "waterways.toml").read_text(encoding="utf-8"))
    assert data["identity"]["domain_prefix"] == "ringfence-waterways"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["example-sandbox"], "There is a file departments/example-sandbox.toml already."),
        (["Fisheries"], "lower-case letters"),
        (["../fisheries"], "lower-case letters"),
        (['a"b'], "lower-case letters"),
        (["fish\neries"], "lower-case letters"),
        (["sandbox-team"], "Put another word first"),
        (["fisheries", "--from", "example-prodution"], "Did you mean `example-production`?"),
    ],
)
def test_a_name_that_cannot_be_writes_nothing(
    project: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    before = {path: path.read_bytes() for path in project.rglob("*.toml")}
    assert main(["new", "--department", *words]) == 1
    assert said in capsys.readouterr().err
    assert {path: path.read_bytes() for path in project.rglob("*.toml")} == before


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ('security = "none"', ["security"]),
        ('identity = "none"\nnetwork = [1]', ["network", "identity"]),
        ('[identity]\ngroups = ["SG-Cloud-Audit"]', ["identity.groups"]),
        ("[identity.groups]\nauditor = 1\n[[network]]", ["network"]),
    ],
)
def test_a_file_without_the_tables_to_begin_with_is_told_as_its_own_fault(
    project: Path, capsys: pytest.CaptureFixture[str], text: str, fields: list[str]
) -> None:
    (project / "departments" / "begun.toml").write_text(f'name = "begun"\n{text}\n', encoding="utf-8")
    assert main(["new", "--department", "fisheries", "--from", "begun"]) == 1
    head, *told = capsys.readouterr().err.splitlines()
    assert head == f"departments/begun.toml: {len(fields)} problem{'s' * (len(fields) > 1)}"
    for field, line in zip(fields, told, strict=True):
        assert line.startswith(f"  {field} = ")
        assert line.endswith(
            f"This must be a table. Write its keys below a heading of its own, `[{field}]`, or begin with another "
            "department."
        )
    assert not (project / "departments" / "fisheries.toml").exists()


def test_a_link_that_leads_nowhere_is_not_written_through(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    elsewhere = project / "elsewhere.toml"
    (project / "departments" / "fisheries.toml").symlink_to(elsewhere)
    assert main(["new", "--department", "fisheries"]) == 1
    assert "There is a file departments/fisheries.toml already." in capsys.readouterr().err
    assert not elsewhere.exists()
