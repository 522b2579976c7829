"""The committed record of what every role can do, and the command that compares, writes and reports."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ringfence.command_line.entry import main
from ringfence.proofs import golden, registry
from ringfence.proofs.evidence import Evidence
from ringfence.proofs.prove import prove
from ringfence.proofs.sweeps.permission_sweeps import PermissionSweeps

ROOT = Path(__file__).resolve().parents[3]
GOLDEN = ROOT / golden.FOLDER


def test_what_every_role_can_do_is_the_committed_record(each: Evidence, sweeps_of: dict[str, PermissionSweeps]) -> None:
    """After a wanted change: ringfence prove --write-golden, and read the diff."""
    outcome = golden.prove(each, GOLDEN, sweeps_of[each.department.name])

    assert [str(finding) for finding in outcome.findings] == []


def test_the_record_names_level_action_resource_and_calls() -> None:
    lines = (GOLDEN / "example-production-auditor.txt").read_text().splitlines()
    (line,) = (each for each in lines if each.split()[:2] == ["Read", "iam:GetRolePolicy"])

    assert line.split() == [
        *("Read", "iam:GetRolePolicy", "arn:aws:iam::111122223333:role/*"),
        *("in", "us-east-1", "by", "iam.get_role_policy"),
    ]


def test_the_record_tells_of_each_call_above_read_on_what_and_when() -> None:
    """The role may describe any cluster; that a change in Kubernetes may not stands in the call's session alone."""
    lines = (GOLDEN / "example-sandbox-developer.txt").read_text().splitlines()
    after = lines[lines.index("[eks.manage_k8s_resource.patch]") + 1 :]

    assert after[0].split() == [
        *("Read", "eks:DescribeCluster", "arn:aws:eks:eu-west-2:111122223333:cluster/*"),
        *("when", "StringEquals", "aws:ResourceTag/ringfence:sandbox", "true"),
    ]
    assert after[1] == ""


def test_a_change_shows_as_the_lines_that_came_and_went(
    evidence: Evidence, sweeps_of: dict[str, PermissionSweeps], tmp_path: Path
) -> None:
    golden.write(evidence, tmp_path, sweeps_of["example-production"])
    changed = tmp_path / "example-production-auditor.txt"
    changed.write_text(changed.read_text().replace("iam:GetUserPolicy ", "iam:DeleteUser    "))
    (tmp_path / "example-production-developer.txt").write_text("")
    (tmp_path / "example-production-service-roles.txt").unlink()
    findings = [str(finding) for finding in golden.prove(evidence, tmp_path, sweeps_of["example-production"]).findings]

    assert any("is gone: Read" in each and "iam:DeleteUser" in each for each in findings)
    assert any("is new: Read" in each and "iam:GetUserPolicy" in each for each in findings)
    assert any("example-production-developer.txt: is in the record, but" in each for each in findings)
    assert any("example-production-service-roles.txt: is not in the record" in each for each in findings)
    assert "make record DEPARTMENT=example-production" in findings[-1]


def test_an_example_without_a_record_is_told_and_what_writes_it(
    evidence: Evidence, sweeps_of: dict[str, PermissionSweeps], tmp_path: Path
) -> None:
    """Nothing was compared, so nothing holds; one line says so, and not one for each file."""
    (finding,) = golden.prove(evidence, tmp_path, sweeps_of["example-production"]).findings

    assert str(finding).startswith("example-production: has no record in tests/golden yet: ")
    assert "`make record DEPARTMENT=example-production` writes the record" in str(finding)


def test_a_department_of_somebodys_own_needs_no_record_and_is_told_that_nothing_was_compared(
    evidence: Evidence, sweeps_of: dict[str, PermissionSweeps], tmp_path: Path
) -> None:
    own = evidence.department.model_copy(update={"name": "fisheries"})
    fisheries = Evidence(evidence.assembly, expected=evidence.expected, department=own)
    outcome = golden.prove(fisheries, tmp_path, sweeps_of["example-production"])
    assert outcome.holds
    (note,) = outcome.on_purpose
    assert "nothing was compared: `make record DEPARTMENT=fisheries`" in note

    golden.write(fisheries, tmp_path, sweeps_of["example-production"])
    kept = tmp_path / "fisheries-auditor.txt"
    kept.write_text(kept.read_text() + "more\n")
    assert not golden.prove(fisheries, tmp_path, sweeps_of["example-production"]).holds, "once it wants one, it counts"


def test_the_record_of_a_department_whose_name_begins_alike_is_not_this_ones(
    evidence: Evidence, sweeps_of: dict[str, PermissionSweeps], tmp_path: Path
) -> None:
    golden.write(evidence, tmp_path, sweeps_of["example-production"])
    for path in list(tmp_path.iterdir()):
        text = path.read_text().replace(" of example-production ", " of example-production-two ")
        (tmp_path / path.name.replace("production-", "production-two-")).write_text(text)

    assert golden.prove(evidence, tmp_path, sweeps_of["example-production"]).findings == ()


@pytest.fixture
def linked(evidence: Evidence, tmp_path: Path) -> Callable[[str, Callable[[dict[str, Any]], None]], Path]:
    """A copy of the assembly on disk, links mostly, with one template changed."""

    def copy(stack: str, change: Callable[[dict[str, Any]], None]) -> Path:
        folder = tmp_path / "cdk.out"
        folder.mkdir()
        for path in evidence.assembly.path.iterdir():
            (folder / path.name).symlink_to(path)
        template = folder / f"ringfence-example-production-{stack}.template.json"
        content = json.loads(template.read_text())
        change(content["Resources"])
        template.unlink()
        template.write_text(json.dumps(content))
        return folder

    return copy


def run(assembly: Path, report: Path, *only: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.chdir(ROOT)
    return prove(assembly, organisation=None, only=only, write_golden=False, report=report)


def test_the_command_says_that_every_proof_holds(
    evidence: Evidence, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "new" / "proof.json"
    code = run(evidence.assembly.path, report, monkeypatch=monkeypatch)
    shown, progress = capsys.readouterr()

    assert code == 0, shown
    told = [line.removeprefix("proofs: proof ") for line in progress.splitlines()]
    count = len(registry.default_names())
    assert told == [f"{number} of {count}: {name}" for number, name in enumerate(registry.default_names(), 1)]
    written = json.loads(report.read_text())
    assert written["holds"] is True
    assert [each["name"] for each in written["proofs"]] == registry.default_names()
    assert all(each["looked_at"] for each in written["proofs"])
    assert "holds  actions" in shown
    assert "22,091 actions" in shown


def test_it_ends_with_1_and_names_the_surprise(
    linked: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    anywhere = {"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}
    way = {"Type": "AWS::EC2::SecurityGroupEgress", "Properties": {"GroupId": {"Ref": "GateRuntimes"}, **anywhere}}
    folder = linked("network", lambda resources: resources.update({"Way": way}))
    report = tmp_path / "proof.json"
    code = run(folder, report, "network", monkeypatch=monkeypatch)

    assert code == 1
    assert "FAILS  network" in capsys.readouterr().out
    (proof,) = json.loads(report.read_text())["proofs"]
    assert proof["findings"][0]["subject"].endswith("Way")


@pytest.mark.parametrize(
    ("problem", "told"),
    [
        ("no assembly", "manifest.json: is missing"),
        ("an unknown intrinsic", "Fn::Transform"),
        ("an unknown operator", "StringSortOfEquals"),
    ],
)
def test_it_ends_with_2_when_it_cannot_judge(
    problem: str,
    told: str,
    linked: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def change(resources: dict[str, Any]) -> None:
        statement = resources["AuditorRolePolicy"]["Properties"]["PolicyDocument"]["Statement"][0]
        if problem == "an unknown operator":
            statement["Condition"] = {"StringSortOfEquals": {"aws:RequestedRegion": "eu-west-2"}}
        else:
            statement["Resource"] = {"Fn::Transform": {"Name": "x"}}

    folder = tmp_path / "absent" if problem == "no assembly" else linked("auditor", change)
    assert main(["prove", "--assembly", str(folder), "--output", str(tmp_path / "proof.json")]) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "proof.json").exists()


def test_an_assembly_without_a_persona_of_the_file_is_an_older_one(
    linked: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = linked("auditor", lambda _: None)
    manifest = folder / "manifest.json"
    content = json.loads(manifest.read_text())
    content["artifacts"] = {name: each for name, each in content["artifacts"].items() if "operator" not in name}
    manifest.unlink()
    manifest.write_text(json.dumps(content))

    assert main(["prove", "--assembly", str(folder), "--output", str(tmp_path / "proof.json")]) == 2
    assert "has no stack for operator. Synthesise it again (make synth DEPARTMENT=" in capsys.readouterr().err


def test_only_takes_several_names(evidence: Evidence, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = tmp_path / "proof.json"
    monkeypatch.chdir(ROOT)
    chosen = ("--only", "cedar", "--only", "network", "--only", "round-trip")
    assert main(["prove", "--assembly", str(evidence.assembly.path), "--output", str(report), *chosen]) == 0
    assert {each["name"] for each in json.loads(report.read_text())["proofs"]} == {"cedar", "network", "round-trip"}


def test_its_help_names_every_proof(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", "--help"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in registry.PROOFS)
