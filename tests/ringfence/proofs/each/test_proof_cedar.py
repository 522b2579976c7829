"""Proof 6: Cedar decides as the catalogue says for every group; and the mistakes in policies that it finds."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from ringfence.proofs.each import cedar
from ringfence.proofs.each.cedar import ABSENT, tricky_groups
from ringfence.proofs.evidence import Evidence
from ringfence.proofs.examples import example_arguments, other_value
from ringfence.proofs.findings import Outcome

PERMIT = "AuditorIamListUsersPermit"
Planted = Callable[..., Evidence]


def messages(outcome: Outcome) -> str:
    return "\n".join(str(finding) for finding in outcome.findings)


def reworded(logical_id: str, old: str, new: str) -> Callable[[dict[str, Any]], None]:
    def change(resources: dict[str, Any]) -> None:
        text = resources[logical_id]["Properties"]["Definition"]["Cedar"]["Statement"]["Fn::Sub"]
        assert old in text[0]
        text[0] = text[0].replace(old, new)

    return change


def test_every_call_is_decided_as_the_catalogue_says(each: Evidence) -> None:
    outcome = cedar.prove(each)

    assert messages(outcome) == ""
    assert outcome.holds
    assert outcome.looked_at["decisions"] > 1000


def test_the_claims_hold_the_traps_that_are_known() -> None:
    claims = tricky_groups("auditor", ("auditor", "operator"))

    for trap in (["NonAuditor"], "auditor", [], ["operator"], ABSENT):
        assert (trap, False) in claims
    assert (["auditor", "x"], True) in claims


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"*\\"auditor\\"*"', '"*auditor*"', ["a caller with groups ['nonauditor']", "a caller with groups 'auditor'"]),
        (
            'principal.getTag("aud") == "${GatewayUrl}"',
            "true",
            ["a token for 'https://ringfence-example", "a token for ''"],
        ),
        ('principal.getTag("cognito:groups") like "*\\"auditor\\"*"', "true", ["a caller with groups []"]),
    ],
    ids=["a group pattern without quotes", "tokens for another gateway", "no group"],
)
def test_a_permit_that_takes_more_callers_is_found(old: str, new: str, told: list[str], planted: Planted) -> None:
    found = messages(cedar.prove(planted(auditor=reworded(PERMIT, old, new))))
    assert all(f"permits iam___list_users (as the schema asks) to {each}" in found for each in told)


def test_a_permit_that_asks_every_token_for_an_audience_is_found(planted: Planted) -> None:
    """Claude Code 2.1.251 sends no `resource` (anthropics/claude-code, issue 90497): its tokens have none."""
    fault = planted(auditor=reworded(PERMIT, "else true)\n};", "else false)\n};"))
    assert "denies iam___list_users (as the schema asks) to a caller with groups ['auditor']" in messages(
        cedar.prove(fault)
    )


def test_a_permit_for_every_tool_is_found(planted: Planted) -> None:
    """It opens the other tools without their own conditions; the region of a forced one, for instance."""

    def change(resources: dict[str, Any]) -> None:
        text = resources[PERMIT]["Properties"]["Definition"]["Cedar"]["Statement"]["Fn::Sub"]
        text[0] = text[0].replace('action == AgentCore::Action::"iam___list_users"', "action")
        for logical_id in [name for name in resources if name.endswith("Permit") and name != PERMIT]:
            del resources[logical_id]

    found = cedar.prove(planted(auditor=change))

    assert "another region) to a caller" in messages(found)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "context.input has operation &&\n  {values}",
            "(if context.input has operation then {values} else true)",
            "permits dataprocessing___manage_aws_glue_jobs without operation as soon as no schema asks for it",
        ),
        (
            "context.input has operation &&\n  {values}",
            "{values}",
            "leans on a schema that asks for the deciding argument",
        ),
    ],
    ids=["left open", "not asked for"],
)
def test_a_deciding_argument_that_only_the_schema_asks_for_is_found(
    old: str, new: str, expected: str, evidences: dict[str, Evidence]
) -> None:
    sandbox, stack = evidences["example-sandbox"], "ringfence-example-sandbox-developer"
    template = copy.deepcopy(dict(sandbox.assembly.stacks[stack].template))
    permit = template["Resources"]["DeveloperDataprocessingManageAwsGlueJobsPermit"]
    text = permit["Properties"]["Definition"]["Cedar"]["Statement"]["Fn::Sub"]
    (values,) = [line.strip() for line in text[0].splitlines() if ".contains(context.input.operation)" in line]
    assert old.format(values=values) in text[0]
    text[0] = text[0].replace(old.format(values=values), new.format(values=values))

    assert expected in messages(cedar.prove(sandbox.beside(sandbox.assembly.edited({stack: template}))))


def test_a_missing_permit_is_found(planted: Planted) -> None:
    fault = planted(auditor=lambda resources: resources.pop(PERMIT))

    assert "denies iam___list_users (as the schema asks) to a caller with groups ['auditor']" in messages(
        cedar.prove(fault)
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('principal.hasTag("cognito:groups") &&', ""),
        ('principal.getTag("cognito:groups") like "*\\"auditor\\"*"', 'principal.department == "x"'),
        ('iam___list_users"', 'iam___list_usres"'),
        ("permit(", "permit(("),
    ],
    ids=["getTag without hasTag", "an unknown attribute", "an unknown action", "a syntax error"],
)
def test_a_policy_that_does_not_fit_the_tools_is_found(old: str, new: str, planted: Planted) -> None:
    found = messages(cedar.prove(planted(auditor=reworded(PERMIT, old, new))))

    assert f"the Cedar policy {PERMIT} does not" in found


@pytest.mark.parametrize(
    ("where", "expected"),
    [("mode", "does not enforce its policy engine's decisions"), ("policy", "denies iam___list_users")],
)
def test_policies_that_only_watch_are_found(where: str, expected: str, planted: Planted) -> None:
    def change(resources: dict[str, Any]) -> None:
        if where == "mode":
            resources["AuditorGateway"]["Properties"]["PolicyEngineConfiguration"]["Mode"] = "LOG_ONLY"
        else:
            resources[PERMIT]["Properties"]["EnforcementMode"] = "LOG_ONLY"

    assert expected in messages(cedar.prove(planted(auditor=change)))


def test_a_tool_that_the_catalogue_does_not_grant_is_found(evidence: Evidence) -> None:
    held_by = copy.deepcopy(dict(evidence.expected.held_by))
    held_by["auditor"]["servers"]["iam"].remove("list_users")
    fewer = dataclasses.replace(evidence.expected, held_by=held_by)
    other = Evidence(evidence.assembly, expected=fewer, department=evidence.department)

    assert "permits iam___list_users (published, but not granted)" in messages(cedar.prove(other))


def test_examples_have_the_types_of_their_schema() -> None:
    schema = {
        "required": ["name", "count", "flags", "nested", "choice", "maybe"],
        "properties": {
            "name": {"type": "string"},
            "count": {"type": "integer", "minimum": 5},
            "flags": {"type": "array", "items": {"type": "boolean"}, "minItems": 1},
            "nested": {"$ref": "#/$defs/Part"},
            "choice": {"enum": ["a", "b"]},
            "maybe": {"anyOf": [{"type": "number"}, {"type": "null"}]},
            "left_out": {"type": "string"},
        },
        "$defs": {"Part": {"type": "object", "required": ["x"], "properties": {"x": {"const": 1}}}},
    }

    assert example_arguments(schema) == {
        "name": "example",
        "count": 5,
        "flags": [False],
        "nested": {"x": 1},
        "choice": "a",
        "maybe": 1.5,
    }
    assert [other_value(value) for value in (True, 2, "a", ["b"])] == [False, 3, "a-other", ["b-other"]]
