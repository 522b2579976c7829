"""A reader of the page sees which rules are waived, what each asks for, and why it is waived."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ringfence.deployed.assembly import Assembly
from ringfence.rehearsal.reporting.page import page_of
from ringfence.rehearsal.reporting.waived import waived_of
from tests.ringfence.rehearsal.conftest import ROOT
from tests.ringfence.rehearsal.reporting.documents import call, document


def assembly_of(folder: Path, **templates: str) -> Assembly:
    """An assembly whose stacks have these templates."""
    artifacts = {}
    for name, text in templates.items():
        (folder / f"{name}.json").write_text(text)
        properties = {"templateFile": f"{name}.json"}
        environment = "aws://111122223333/eu-west-2"
        artifacts[name] = {"type": "aws:cloudformation:stack", "environment": environment, "properties": properties}
    (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    return Assembly.load(folder)


def template(**waivers: list[tuple[str, str]]) -> str:
    return json.dumps(
        {
            "Resources": {
                "Plain": {"Type": "AWS::S3::Bucket"},
                **{
                    name: {
                        "Type": "AWS::S3::Bucket",
                        "Metadata": {"cdk_nag": {"rules_to_suppress": [{"id": i, "reason": r} for i, r in told]}},
                    }
                    for name, told in waivers.items()
                },
            }
        }
    )


def test_waivers_are_told_by_rule_and_reason_with_every_place(tmp_path: Path) -> None:
    first = template(
        One=[("AwsSolutions-S1", "It is the log."), ("AwsSolutions-IAM5[Resource::*]", "No resource.")],
        Two=[("AwsSolutions-IAM5[Resource::arn:x/*]", "No resource."), ("Other-1", "Because.")],
    )
    second = template(One=[("AwsSolutions-S1", "Another reason.")])

    found = waived_of(assembly_of(tmp_path, **{"a-audit": first, "b-network": second}))

    assert [(each["rule"], each["reasons"]) for each in found] == [
        ("AwsSolutions-IAM5", [{"reason": "No resource.", "places": ["a-audit/One", "a-audit/Two"]}]),
        (
            "AwsSolutions-S1",
            [
                {"reason": "Another reason.", "places": ["b-network/One"]},
                {"reason": "It is the log.", "places": ["a-audit/One"]},
            ],
        ),
        ("Other-1", [{"reason": "Because.", "places": ["a-audit/Two"]}]),
    ]
    assert found[1]["means"] == "A bucket logs who accesses it."
    assert "rules.toml" in found[2]["means"]


def test_every_rule_that_an_example_waives_has_its_sentence(tmp_path: Path) -> None:
    """The committed templates, and the house's own words for its own rules."""
    snapshots = sorted((ROOT / "tests/stacks/__snapshots__/test_snapshots").glob("*.json"))
    assembly = assembly_of(tmp_path, **{f"stack-{place}": path.read_text() for place, path in enumerate(snapshots)})
    found = {each["rule"]: each["means"] for each in waived_of(assembly)}
    assert len(found) > 10
    assert {rule for rule, means in found.items() if "rules.toml" in means} == set()
    house = "".join(path.read_text() for path in (ROOT / "ringfence" / "house_rules").glob("*.py"))
    assert [rule for rule, means in found.items() if rule.startswith("ringfence::") and means not in house] == []


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "\u202eback"])
def test_a_waiver_is_text_on_the_page(text: str) -> None:
    waived: list[dict[str, Any]] = [
        {"rule": "A-1", "means": "It asks.", "reasons": [{"reason": text, "places": ["audit/One", "audit/Two"]}]}
    ]
    page = page_of({**document(call()), "waived": waived})
    assert text not in page
    assert "It asks." in page and "audit/One, audit/Two" in page


def test_a_rehearsal_tells_what_its_templates_waive(rehearsed: Any) -> None:
    assert "ringfence::GOV-IAM-2" in {each["rule"] for each in rehearsed.report["waived"]}
