"""What callers see of a tool."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import fastjsonschema
import pytest

from governance.catalogue import Catalogue, load_catalogue
from governance.department import load_department
from governance.published import published_definition

ROOT = Path(__file__).resolve().parents[2]


def published(catalogue: Catalogue, server: str, tool: str) -> dict[str, Any]:
    return published_definition(catalogue.servers[server], catalogue.servers[server].tools[tool])


def test_a_hidden_argument_is_gone_with_the_definitions_only_it_used(catalogue: Catalogue) -> None:
    schema = published(catalogue, "iam", "list_users")["inputSchema"]
    assert set(schema["properties"]) == {"path_prefix", "max_items"}
    assert "required" not in schema
    assert "$defs" not in schema


def test_definitions_still_in_use_stay(catalogue: Catalogue) -> None:
    schema = published(catalogue, "iam", "get_policy")["inputSchema"]
    assert set(schema["$defs"]) == {"Version"}
    assert schema["required"] == ["arn"]


def test_a_forced_argument_accepts_its_one_value_and_may_be_left_out(catalogue: Catalogue) -> None:
    schema = published(catalogue, "cloudwatch", "query")["inputSchema"]
    assert schema["properties"]["region"] == {
        "description": "The region.",
        "type": "string",
        "enum": ["eu-west-2"],
        "default": "eu-west-2",
    }
    assert schema["required"] == ["query"]


def test_a_forced_list_is_a_constant_and_no_longer_required(catalogue: Catalogue) -> None:
    schema = published(catalogue, "cloudwatch", "batch")["inputSchema"]
    assert schema["properties"]["regions"]["const"] == ["eu-west-2"]
    assert "required" not in schema


@pytest.mark.parametrize(
    ("arguments", "accepted"),
    [
        ({"query": "x"}, True),
        ({"query": "x", "region": "eu-west-2", "order": "asc"}, True),
        ({"query": "x", "region": "us-east-1"}, False),
        ({"query": "x", "order": "sideways"}, False),
        ({"query": "x", "profile_name": "admin"}, False),
        ({"query": "x", "unknown": 1}, False),
        ({"query": ""}, False),
        ({}, False),
    ],
)
def test_the_published_schema_accepts_only_what_may_be_sent(
    catalogue: Catalogue, arguments: dict[str, object], accepted: bool
) -> None:
    validate = fastjsonschema.compile(published(catalogue, "cloudwatch", "query")["inputSchema"])
    if accepted:
        validate(arguments)
        return
    with pytest.raises(fastjsonschema.JsonSchemaValueException):
        validate(arguments)


def test_publishing_leaves_the_locked_definition_alone(catalogue: Catalogue) -> None:
    tool = catalogue.servers["cloudwatch"].tools["query"]
    before = json.dumps(tool.definition)
    published(catalogue, "cloudwatch", "query")["inputSchema"]["properties"].clear()
    assert json.dumps(tool.definition) == before


def test_nothing_but_name_description_and_input_is_published(catalogue: Catalogue) -> None:
    assert set(published(catalogue, "iam", "get_policy")) == {"name", "description", "inputSchema"}
    assert published(catalogue, "cloudwatch", "advise")["description"] == ""


def test_no_tool_of_the_real_auditor_takes_another_region_or_identity() -> None:
    catalogue = load_catalogue(ROOT / "catalogue")
    department = load_department("example-production", catalogue=catalogue, root=ROOT / "departments")
    for server, tool in catalogue.granted("auditor", department):
        properties = published_definition(server, tool)["inputSchema"]["properties"]
        assert not {"ctx", "confirmed", "profile_name"} & set(properties), tool.name
        if "region" in properties:
            assert properties["region"]["enum"] == ["eu-west-2"], tool.name
