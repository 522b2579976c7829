"""Proof 2: a simulator that others wrote decides as our evaluator does, or the committed table says why not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ringfence.proofs.each import oracle
from ringfence.proofs.each.oracle import DIFFERENCES, Difference, differences, granted_services
from ringfence.proofs.evidence import Evidence
from ringfence.proofs.sweeps.permission_sweeps import PermissionSweeps

ROOT = Path(__file__).resolve().parents[4]
needs_simulator = pytest.mark.skipif(
    shutil.which("node") is None or not (ROOT / "node_modules/@cloud-copilot/iam-simulate").is_dir(),
    reason="Node or the policy simulator is not installed (make setup)",
)


@needs_simulator
def test_it_decides_as_we_do_on_every_action_of_a_sample_of_granted_services(
    each: Evidence, sweeps_of: dict[str, PermissionSweeps]
) -> None:
    sweeps = sweeps_of[each.department.name]
    # All services of the production example; a sample of a broad sandbox's, whose whole is the slow test's.
    services = frozenset(sorted(granted_services(sweeps))[:4])
    outcome = oracle.prove(each, sweeps, services=services, folder=ROOT)

    assert [str(finding) for finding in outcome.findings] == []
    assert outcome.looked_at["requests"] > 500


@needs_simulator
@pytest.mark.slow
def test_it_decides_as_we_do_on_every_action(
    request: pytest.FixtureRequest, each: Evidence, sweeps_of: dict[str, PermissionSweeps]
) -> None:
    if "slow" not in request.config.option.markexpr:
        pytest.skip("takes minutes; `pytest -m slow` runs it")
    outcome = oracle.prove(each, sweeps_of[each.department.name], folder=ROOT)

    assert [str(finding) for finding in outcome.findings] == []
    assert outcome.looked_at["requests"] > 22_000


@needs_simulator
def test_a_decision_that_differs_is_found(
    evidence: Evidence, sweeps_of: dict[str, PermissionSweeps], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oracle, "_ask_oracle", lambda asked, *_: ["Allowed"] * len(asked))
    outcome = oracle.prove(evidence, sweeps_of["example-production"], services=frozenset({"cloudtrail"}), folder=ROOT)

    assert any("cloudtrail:DeleteTrail" in finding.message for finding in outcome.findings)
    assert not any(
        finding.message.startswith("cloudtrail:LookupEvents on * is allowed") for finding in outcome.findings
    )


def test_every_known_difference_has_a_reason_and_hides_nothing_else() -> None:
    table = differences(ROOT / DIFFERENCES)

    assert table and all(len(each.reason) > 40 for each in table)
    assert not any(each.explains("iam:CreateUser", "Allowed", "denied") for each in table)
    assert not any(each.explains("iam:GetUser", "ExplicitlyDenied", "allowed") for each in table)
    assert Difference("kms:*", "error:*", "denied", "x").explains("kms:Sign", "error:why", "denied")
