"""Findings as SARIF: what is waived is suppressed with its reason, all else is open, and the form is the standard's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import jsonschema
import pytest
from aws_cdk import aws_s3 as s3

from ringfence.assets.bytecode.proof import Outcome
from ringfence.command_line import steps
from ringfence.command_line.entry import main
from ringfence.command_line.proving import proved
from ringfence.house_rules import Residency
from ringfence.review import written
from ringfence.review.results import Result, of_proofs
from ringfence.review.sarif import sarif_of
from stacks.checks import add_checks
from tests.ringfence.review.sarif_structure import STRUCTURE

FILE = "departments/example-production.toml"


def log_of(
    department: str, assembly: Path, output: Path, *, proofs: Path | None = None, waived: bool = False
) -> tuple[int, dict[str, Any]]:
    code = written.findings(assembly, department, proofs=proofs, waived=waived, output=output)
    log: dict[str, Any] = json.loads(output.read_text())
    jsonschema.validate(log, STRUCTURE)
    return code, log


def results_of(log: dict[str, Any]) -> list[dict[str, Any]]:
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in run["results"])
    return list(run["results"])


@pytest.fixture
def open_bucket(tmp_path: Path) -> Path:
    """The assembly of a stack with a bucket that nobody would deploy; its synthesis fails."""
    app = cdk.App(outdir=str(tmp_path / "cdk.out"))
    s3.CfnBucket(cdk.Stack(app, "lab"), "Open")
    add_checks(app, declared=Residency())
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    return tmp_path / "cdk.out"


def test_a_committed_department_has_no_open_finding_and_every_waiver_with_its_reason(
    assemblies: dict[str, Any], tmp_path: Path
) -> None:
    made = assemblies["example-production"]
    of = ("example-production", made.folder)
    code, log = log_of(*of, tmp_path / "open.sarif")
    assert (code, results_of(log)) == (0, [])
    code, log = log_of(*of, tmp_path / "waived.sarif", waived=True)
    written = [
        (note["id"], note["reason"])
        for each in made.resources()
        for note in each.whole.get("Metadata", {}).get("cdk_nag", {}).get("rules_to_suppress", ())
    ]
    told = [(each["ruleId"], each["suppressions"][0]["justification"]) for each in results_of(log)]
    assert code == 0
    assert sorted(told) == sorted(written)
    assert len(written) > 50


def test_findings_of_a_failed_synthesis_are_told_by_rule_and_construct(open_bucket: Path, tmp_path: Path) -> None:
    code, log = log_of("lab", open_bucket, tmp_path / "open.sarif")
    found = {each["ruleId"]: each for each in results_of(log)}
    assert code == 1
    assert {"AwsSolutions-S1", "GOV-KEY-2"} <= found.keys()
    place = found["GOV-KEY-2"]["locations"][0]
    assert place["logicalLocations"] == [{"fullyQualifiedName": "lab/Open", "kind": "resource"}]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "departments/lab.toml"
    assert found["GOV-KEY-2"]["level"] == "error"
    assert "suppressions" not in found["GOV-KEY-2"]


def test_a_check_that_broke_is_a_finding_and_not_silence(tmp_path: Path) -> None:
    broken = {"pluginName": "ringfence", "conclusion": "failure", "violations": [], "metadata": {"error": "it broke"}}
    (tmp_path / "validation-report.json").write_text(json.dumps({"pluginReports": [broken]}))
    code, log = log_of("lab", tmp_path, tmp_path / "open.sarif")
    assert code == 1
    assert [(each["ruleId"], each["message"]["text"]) for each in results_of(log)] == [
        ("plugin/ringfence", "template: it broke")
    ]


@pytest.mark.parametrize("called", [True, False])
def test_a_synthesis_that_failed_without_a_finding_never_ends_in_none(
    called: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a construct calls an error is a finding; where nothing says what stopped it, no file says that all is
    well."""

    def fails(_named: object, folder: Path) -> int:
        app = cdk.App(outdir=str(folder))
        stack = cdk.Stack(app, "lab")
        cdk.CfnWaitConditionHandle(stack, "Nothing")
        if called:
            cdk.Annotations.of(stack).add_error("This is not as it should be.")
        app.synth()
        return 1

    monkeypatch.setattr("ringfence.command_line.reviewing._REVIEW", tmp_path)
    monkeypatch.setattr(steps, "checked", lambda *_, **__: "")
    monkeypatch.setattr(steps, "build_assets", lambda: None)
    monkeypatch.setattr(steps, "app", fails)
    assert main(["findings", "--department", "lab"]) == 1
    told = [
        (each["ruleId"], each["message"]["text"])
        for file in tmp_path.glob("findings.sarif")
        for each in results_of(json.loads(file.read_text()))
    ]
    assert told == ([("construct/error", "lab: This is not as it should be.")] if called else [])
    assert bool([*tmp_path.glob("*.sarif")]) is called


def test_findings_of_the_proofs_are_told_and_one_about_a_record_names_it(
    assemblies: dict[str, Any], tmp_path: Path
) -> None:
    finding = {"subject": "example-production-auditor.txt", "message": "is new: Write iam:CreateUser *"}
    other = {"subject": "AuditorRole", "message": "may be taken by everybody"}
    proofs = [
        {"name": "golden", "findings": [finding], "looked_at": {"files": 3}},
        {"name": "trust", "findings": [other], "looked_at": {"roles": 9, "keys": 0}},
    ]
    (tmp_path / "proof.json").write_text(json.dumps({"proofs": proofs}))
    of = ("example-production", assemblies["example-production"].folder)
    code, log = log_of(*of, tmp_path / "open.sarif", proofs=tmp_path / "proof.json")
    told = [
        (each["ruleId"], each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], each["message"]["text"])
        for each in results_of(log)
    ]
    assert code == 1
    assert told == [
        (
            "proof/golden",
            "tests/golden/example-production-auditor.txt",
            "example-production-auditor.txt: is new: Write iam:CreateUser *",
        ),
        ("proof/trust", FILE, "AuditorRole: may be taken by everybody"),
        ("proof/trust", FILE, "keys: The proof looked at no keys, so it shows nothing."),
    ]


def test_bytecode_that_is_not_its_sources_is_a_finding_like_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prove_all(*_: object, report: Path, **__: object) -> int:
        report.write_text(json.dumps({"holds": True, "proofs": [{"name": "trust", "findings": [], "looked_at": {}}]}))
        return 0

    monkeypatch.setattr("ringfence.proofs.prove.prove", prove_all)
    differs = Outcome(zips=1, modules=2, findings=("a.zip: b.py has no bytecode beside it",))
    monkeypatch.setattr("ringfence.assets.bytecode.proof.check", lambda _folder: differs)
    assert proved(tmp_path, None, (), tmp_path / "proof.json") == 1
    report = json.loads((tmp_path / "proof.json").read_text())
    assert report["holds"] is False
    assert [*of_proofs(report, file=FILE)] == [
        Result("proof/bytecode", "a.zip", "b.py has no bytecode beside it", "error", FILE)
    ]


def test_a_value_makes_no_link_and_hides_nothing() -> None:
    hostile = Result("R", "[here](https://attacker.example.org)", "a\u202eb \\", "error", FILE)
    ((result,),) = [run["results"] for run in sarif_of([hostile], department="d")["runs"]]
    assert result["message"]["text"] == "\\[here\\](https://attacker.example.org): a\\[U+202E\\]b \\\\"


def test_nothing_that_is_invisible_stays_in_any_field() -> None:
    hostile = Result("R\u202e1", "a\u202eb", "m\u2066n", "error", FILE, waiver="because\u202eof\u200bthis")
    log = sarif_of([hostile], department="d")
    (run,) = log["runs"]
    (result,) = run["results"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [result["ruleId"]] == ["R[U+202E]1"]
    assert result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "a[U+202E]b"
    assert result["suppressions"][0]["justification"] == "because[U+202E]of[U+200B]this"
    assert not {"\u202e", "\u2066", "\u200b"} & set(json.dumps(log, ensure_ascii=False))


def test_results_of_one_rule_and_file_are_told_apart_and_stay_the_same_from_run_to_run() -> None:
    found = [Result("R", place, "is open", "error", FILE) for place in ("a", "b")]
    first, again = (
        [
            each["partialFingerprints"]["primaryLocationLineHash"]
            for each in sarif_of(run, department="d")["runs"][0]["results"]
        ]
        for run in (found, found[::-1])
    )
    assert len(set(first)) == 2
    assert first == again[::-1]


def test_waivers_are_listed_by_reason(assemblies: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["waivers", "--assembly", str(assemblies["example-production"].folder)]) == 0
    said = capsys.readouterr().out
    assert "\n\nCognito refuses any other: the group it writes to must not be encrypted with AWS KMS" in said
    assert "\n  ringfence::GOV-KEY-1  ringfence-example-production-identity/UserPoolSignInLogGroup\n" in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("waivers", "--assembly", "{tmp}"), "holds no template"),
        (("comment", "--assembly", "{tmp}", "--against", "{tmp}"), "holds no template"),
    ],
)
def test_what_cannot_be_read_is_named(
    arguments: tuple[str, ...], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([each.format(tmp=tmp_path) for each in arguments]) == 2
    assert words in capsys.readouterr().err
