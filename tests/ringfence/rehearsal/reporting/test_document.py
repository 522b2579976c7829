"""report.json can be filed: it has the documented shape, keeps what was expected, and another department's stays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from callpath.refusal import LAYERS
from ringfence.rehearsal.reporting.document import write_report
from tests.peers.browser import chromium, violations
from tests.ringfence.rehearsal.conftest import ROOT
from tests.ringfence.rehearsal.reporting.documents import call, document, refused

SCHEMA = json.loads((ROOT / "docs" / "schemas" / "rehearsal-report.schema.json").read_text())
JUDGE = jsonschema.Draft202012Validator(SCHEMA)


def test_a_rehearsal_writes_the_documented_shape(rehearsed: Any) -> None:
    assert [error.message for error in JUDGE.iter_errors(rehearsed.report)] == []


def test_the_documented_shape_refuses_what_says_less() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert JUDGE.is_valid(document(call(), refused("ingress")))
    for name in SCHEMA["required"]:
        assert not JUDGE.is_valid({key: value for key, value in document(call()).items() if key != name}), name
    for name in SCHEMA["$defs"]["call"]["required"]:
        less = {**document(), "calls": [{key: value for key, value in call().items() if key != name}]}
        assert not JUDGE.is_valid(less), name


def test_the_documented_layers_are_those_of_the_call_path() -> None:
    assert tuple(SCHEMA["$defs"]["layer"]["enum"]) == LAYERS


def test_each_call_keeps_its_scene_what_was_expected_and_what_the_caller_was_told(rehearsed: Any) -> None:
    calls = rehearsed.report["calls"]
    (region,) = (each for each in calls if each["rule"] == "forced-argument")
    assert (region["scenario"], region["step"]) == ("asks for what was not granted", "ask for another region")
    assert region["expected"] == {"outcome": "refused", "layer": "request", "rules": ["forced-argument"], "aws": {}}
    assert region["held"] is True
    assert f"Call {region['call_id']}. " in region["refusal"]
    assert region["refusal"].endswith("ask the platform team, platform@example.org.")
    assert {each["refusal"] for each in calls if each["outcome"] == "allowed"} == {None}
    direct = next(each for each in calls if each["rule"] == "token-missing")
    assert (direct["enters"], direct["without"]) == ("runtime", [])
    cedar = next(each for each in calls if each["rule"] == "policy-denied")
    assert (cedar["enters"], cedar["without"]) == ("ingress", ["request"])


def test_the_page_of_a_rehearsal_lies_beside_it_and_everybody_can_read_it(rehearsed: Any) -> None:
    path = rehearsed.report_path.with_suffix(".html")
    assert f"as a page to {path}." in rehearsed.output
    with chromium() as browser:
        page = browser.new_page()
        page.goto(path.as_uri())
        assert page.locator("ol.calls > li").count() == len(rehearsed.report["calls"])
        assert page.locator("ol.layers .stopped").count() == len([c for c in rehearsed.report["calls"] if c["layer"]])
        assert violations(page) == []


def test_the_report_of_another_department_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two"):
        page = write_report(None, {**document(call()), "department": name})
        assert page == Path(f"build/rehearsal/{name}/report.html")
    held = {str(path): json.loads(path.read_text())["department"] for path in Path("build").rglob("report.json")}
    assert held == {
        "build/rehearsal/one/report.json": "one",
        "build/rehearsal/two/report.json": "two",
        "build/rehearsal/report.json": "two",
    }
    assert "Rehearsal of two" in Path("build/rehearsal/report.html").read_text()


def test_an_answer_that_is_no_unicode_can_be_filed(tmp_path: Path) -> None:
    write_report(tmp_path / "report.json", document(refused("server", refusal="half a character \ud83d")))
    assert json.loads((tmp_path / "report.json").read_text())["calls"][0]["refusal"] == "half a character \ud83d"
