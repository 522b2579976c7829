"""The organisation's stack: synthesised by the app with every gate, and fitting the departments it protects."""

from __future__ import annotations

import fnmatch
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cloudformation_validate import CompositeEngine, ValidateConfig
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from ringfence.deployed.assembly import Assembly
from ringfence.proofs.each.mutation import KINDS, verdicts
from ringfence.proofs.evidence import Evidence
from ringfence.proofs.sweeps.permission_sweeps import PermissionSweeps
from tests.conftest import run_app
from tests.waiting import LAST_RESORT_SECONDS

ROOT = Path(__file__).resolve().parents[2]


def synthesise(folder: Path, context: dict[str, str]) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "CDK_OUTDIR": str(folder),
        "CDK_CONTEXT_JSON": json.dumps(context),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    command = [sys.executable, "app.py"]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LAST_RESORT_SECONDS, check=False
    )


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("organisation") / "out"
    assert run_app("--organisation", "example", output=folder) == 0, "see stderr"
    (template,) = folder.glob("*.template.json")
    return template


@pytest.fixture(scope="module")
def organisation_template(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def test_organisation_template(organisation_template: dict[str, Any], snapshot: SnapshotAssertion) -> None:
    assert organisation_template == snapshot.use_extension(JSONSnapshotExtension)


def test_policies_hang_on_the_targets_within_awss_limits(organisation_template: dict[str, Any]) -> None:
    policies = [each["Properties"] for each in organisation_template["Resources"].values()]

    assert {each["Type"] for each in policies} == {"SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"}
    for policy in policies:
        assert len(json.dumps(policy["Content"], separators=(",", ":"))) <= 5120, policy["Name"]
        assert policy["TargetIds"] == ["ou-exam-ringfenc"]
    for kind in ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"):
        assert sum(policy["Type"] == kind for policy in policies) <= 4, "AWS's own is the fifth"


def test_guardrails_are_made_one_after_another_and_a_failed_attempt_leaves_none(
    organisation_template: dict[str, Any],
) -> None:
    # Organizations API reference: changes that come at once are answered with ConcurrentModificationException, and a
    # second policy of the same name with DuplicatePolicyException.
    resources = organisation_template["Resources"]
    waits_for = {name: each.get("DependsOn", []) for name, each in resources.items()}

    assert sorted(len(before) for before in waits_for.values()) == [0, *[1] * (len(resources) - 1)]
    assert len({before for each in waits_for.values() for before in each}) == len(resources) - 1, (
        "not one after another"
    )
    for each in resources.values():
        assert (each["DeletionPolicy"], each["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


def test_awss_checkers_find_no_fault(path: Path) -> None:
    cfn_lint = Path(sys.executable).with_name("cfn-lint")
    run = subprocess.run([cfn_lint, "--regions", "eu-west-2", "--template", path], capture_output=True, text=True)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")

    found = CompositeEngine().validate_template(str(path), ValidateConfig()).diagnostics
    assert [each for each in found if each.rule_id[0] in "EF" or each.rule_id == "W3030"] == []


def test_a_department_and_an_organisation_at_once_are_refused(tmp_path: Path) -> None:
    run = synthesise(tmp_path / "out", {"organisation": "example", "department": "example-sandbox"})

    assert run.returncode == 1
    assert "Give one of the two" in run.stderr
    assert "Traceback" not in run.stderr


def test_the_evidence_of_every_department_is_among_what_is_protected(
    synthesised: Any, organisation_template: dict[str, Any]
) -> None:
    statements = {
        each["Sid"]: each
        for guardrail in ("Records", "Evidence")
        for each in organisation_template["Resources"][guardrail]["Properties"]["Content"]["Statement"]
    }

    def protected(sid: str, arn: str) -> bool:
        return any(fnmatch.fnmatchcase(arn, pattern) for pattern in statements[sid]["Resource"])

    assembly = Assembly.load(synthesised.folder)
    looked_at = set()
    for kind, sid in (
        ("AWS::Logs::LogGroup", "ProtectLogGroups"),
        ("AWS::CloudTrail::Trail", "ProtectTrails"),
        ("AWS::S3::Bucket", "ProtectAuditBuckets"),
        ("AWS::IAM::Role", "ProtectRolesAndBoundaries"),
        ("AWS::IAM::ManagedPolicy", "ProtectRolesAndBoundaries"),
    ):
        for resource in assembly.of_type(kind):
            looked_at.add(kind)
            assert protected(sid, resource.arn), f"{resource.stack} {resource.logical_id}: {resource.arn}"
    assert len(looked_at) == 5
    aliases = {resource.properties["AliasName"] for resource in assembly.of_type("AWS::KMS::Alias")}
    pattern = statements["ProtectKeys"]["Condition"]["ForAnyValue:StringLike"]["kms:ResourceAliases"]
    assert aliases and all(fnmatch.fnmatchcase(alias, pattern) for alias in aliases)
    keys = {resource.logical_id for resource in assembly.of_type("AWS::KMS::Key")}
    assert len(keys) == len(aliases), "a key without an alias is protected by nothing"


def test_no_statement_of_any_lock_can_be_taken_out_unnoticed(synthesised: Any, path: Path) -> None:
    evidence = Evidence.load(synthesised.folder, root=ROOT, organisation=path.parent)
    found = list(verdicts(evidence, PermissionSweeps(evidence)))

    assert {verdict.kind for verdict in found} == set(KINDS)
    assert [f"{each.kind} {each.subject} {each.sid}" for each in found if each.noticed is None] == []
