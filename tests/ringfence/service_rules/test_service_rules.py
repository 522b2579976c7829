"""Each service rule passes templates that keep it and fails ones that break it, naming template, resource and place.

The templates stand in `service_rules/*.yaml`: what keeps a rule, and changes to it (merged, `null` takes away) that
break it, with every place that must be told.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
import yaml
from botocore.model import ServiceModel

from ringfence.reading.template import Breach, Template
from ringfence.service_rules import RULES, Assembly, ServiceRule, breaches
from ringfence.service_rules.names import DESCRIPTIONS, NAMES, Form

FOLDER = Path(__file__).with_name("service_rules")
RULE = {rule.id: rule for rule in RULES}


class Loader(yaml.SafeLoader):
    """YAML, with short ways to write long things."""


def _times(loader: yaml.SafeLoader, node: yaml.SequenceNode) -> str:
    text, count = loader.construct_sequence(node)
    return str(text) * int(count)


def _each(loader: yaml.SafeLoader, node: yaml.SequenceNode) -> dict[str, Any]:
    count, thing = loader.construct_sequence(node, deep=True)
    return {f"N{number}": copy.deepcopy(thing) for number in range(1, count + 1)}


def _list(loader: yaml.SafeLoader, node: yaml.SequenceNode) -> str:
    return json.dumps({"tools": loader.construct_sequence(node, deep=True)})


def _tools(loader: yaml.SafeLoader, node: yaml.SequenceNode) -> str:
    count, name = loader.construct_sequence(node)
    return json.dumps({"tools": [{"name": f"{name}{number}"} for number in range(int(count))]})


Loader.add_constructor("!times", _times)
Loader.add_constructor("!tools", _tools)
Loader.add_constructor("!each", _each)
Loader.add_constructor("!list", _list)


@cache
def fixtures() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path in sorted(FOLDER.glob("*.yaml")):
        here = yaml.load(path.read_text(encoding="utf-8"), Loader)  # noqa: S506 (a SafeLoader)
        assert not set(here) & set(found), path
        found |= here
    return found


def merged(value: Any, change: Any) -> Any:
    """JSON Merge Patch (RFC 7396), except that an intrinsic function replaces what was there."""
    if not isinstance(change, dict) or any(key == "Ref" or key.startswith("Fn::") for key in change):
        return change
    whole = dict(value) if isinstance(value, dict) else {}
    for key, item in change.items():
        if item is None:
            whole.pop(key, None)
        else:
            whole[key] = merged(whole.get(key), item)
    return whole


def places(rule: str, templates: dict[str, Any]) -> list[str]:
    assembly = Assembly(Template(content, name) for name, content in templates.items())
    return [f"{each.template} {each.logical_id} {each.path}" for each in RULE[rule].find(assembly)]


BROKEN = [(rule, number) for rule in sorted(RULE) for number in range(len(fixtures().get(rule, {}).get("breaks", ())))]


def test_every_rule_has_a_template_that_keeps_it_and_one_that_breaks_it() -> None:
    assert set(fixtures()) == set(RULE)
    assert all(each["keeps"] and each["breaks"] for each in fixtures().values())


@pytest.mark.parametrize("rule", sorted(RULE))
def test_templates_that_keep_a_rule_pass(rule: str) -> None:
    assert places(rule, fixtures()[rule]["keeps"]) == []


@pytest.mark.parametrize(("rule", "number"), BROKEN, ids=[f"{rule} {number}" for rule, number in BROKEN])
def test_a_breach_is_told_where_it_is_and_nowhere_else(rule: str, number: int) -> None:
    broken = fixtures()[rule]["breaks"][number]

    assert sorted(places(rule, merged(fixtures()[rule]["keeps"], broken["change"]))) == sorted(broken["at"])


def test_every_rule_says_what_to_do_and_by_what_source() -> None:
    assert len(RULE) == len(RULES), "a number is used twice"
    for rule in RULES:
        assert re.fullmatch(r"AWS-[A-Z]+-\d+", rule.id)
        assert rule.fix.endswith(".") and rule.promise.endswith("."), rule.id
        assert len(rule.source) > 20 and re.fullmatch(r"\d{1,2} [A-Z][a-z]+ 20\d\d", rule.read), rule.id


def test_an_empty_assembly_and_one_without_properties_break_nothing_by_accident() -> None:
    types = {kind for kind, _ in (*NAMES, *DESCRIPTIONS)}
    bare = {"Resources": {f"N{number}": {"Type": kind} for number, kind in enumerate(sorted(types))}}

    assert list(breaches([])) == []
    assert {rule.id for rule, _ in breaches([Template(bare, "bare")])} == {
        "AWS-KEY-3",
        "AWS-NET-3",
        "AWS-SIZE-4",
    }


def test_every_breach_of_every_rule_is_told_in_the_rules_order(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaking(name: str) -> ServiceRule:
        def find(_: Assembly) -> Iterator[Breach]:
            yield from (Breach(logical_id, "", "") for logical_id in ("First", "Second"))

        return ServiceRule(name, "", "", "", "", find)

    monkeypatch.setattr("ringfence.service_rules.RULES", (breaking("AWS-B-1"), breaking("AWS-A-1")))

    assert [f"{rule.id} {breach.logical_id}" for rule, breach in breaches([])] == [
        "AWS-B-1 First",
        "AWS-B-1 Second",
        "AWS-A-1 First",
        "AWS-A-1 Second",
    ]


@cache
def model(service: str) -> ServiceModel:
    loader = botocore.session.get_session().get_component("data_loader")
    return ServiceModel(loader.load_service_model(service, "service-2"))


WITH_MODEL = [(key, form) for key, form in (*NAMES.items(), *DESCRIPTIONS.items()) if form.model]


@pytest.mark.parametrize(("key", "form"), WITH_MODEL, ids=[" ".join(key) for key, _ in WITH_MODEL])
def test_names_and_descriptions_are_held_to_what_the_api_says(key: tuple[str, str], form: Form) -> None:
    service, operation, member = form.model  # type: ignore[misc]
    metadata = model(service).operation_model(operation).input_shape.members[member].metadata

    assert form.pattern == metadata.get("pattern", ".*")
    assert form.longest == metadata.get("max")
