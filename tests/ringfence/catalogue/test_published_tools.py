"""What callers see of a tool."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import fastjsonschema
import pytest
import re2

from ringfence.catalogue.catalogue import Catalogue, load_catalogue
from ringfence.catalogue.checks.arguments import argument_problems
from ringfence.catalogue.files.catalogue_files import ServerFile
from ringfence.catalogue.files.tool_files import Argument, LockedTool, LockFile, ToolFile
from ringfence.catalogue.references import written_out
from ringfence.catalogue.shown.published import _narrowed, published_definition
from ringfence.cedar.schema import schema_of
from ringfence.department.department import load_department

ROOT = Path(__file__).resolve().parents[3]


def published(catalogue: Catalogue, server: str, tool: str) -> dict[str, Any]:
    return published_definition(catalogue.servers[server], catalogue.servers[server].tools[tool])


def test_a_hidden_argument_is_gone_with_the_definitions_only_it_used(catalogue: Catalogue) -> None:
    schema = published(catalogue, "iam", "list_users")["inputSchema"]
    assert set(schema["properties"]) == {"path_prefix", "max_items"}
    assert "required" not in schema
    assert "$defs" not in schema


def test_a_definition_stands_where_it_is_used(catalogue: Catalogue) -> None:
    schema = published(catalogue, "iam", "get_policy")["inputSchema"]
    locked = catalogue.servers["iam"].tools["get_policy"].definition["inputSchema"]
    assert "$ref" in json.dumps(locked)
    assert "$ref" not in json.dumps(schema)
    assert "$defs" not in schema
    assert schema["properties"]["version"] == locked["$defs"]["Version"]
    assert schema["required"] == ["arn"]


def test_a_forced_argument_accepts_its_one_value_and_may_be_left_out(catalogue: Catalogue) -> None:
    schema = published(catalogue, "cloudwatch", "query")["inputSchema"]
    assert schema["properties"]["region"] == {
        "description": "The region.",
        "type": "string",
        "const": "eu-west-2",
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
            assert properties["region"]["const"] == "eu-west-2", tool.name


VALUES = ("a.b", "c|d", "e-f", "g h", "(i)", "j+", "k$", "l^", "m\\n", "[o]", "{p}", "q*", "r?", "s#t&u~v", "w/x", "£")


def narrowed(*values: Any) -> dict[str, Any]:
    return _narrowed({"type": "string", "description": "Which."}, Argument(mode="allowed", values=values))


def test_text_of_several_values_is_held_by_a_pattern_that_every_dialect_reads_alike() -> None:
    part = narrowed(*VALUES)
    assert "enum" not in part
    assert part["type"] == "string"
    assert part["description"] == f"Which. One of: {', '.join(VALUES)}."
    validate = fastjsonschema.compile(part)
    wrong = [f"x{VALUES[0]}", f"{VALUES[0]}x", f"{VALUES[0]}\n", "aXb", "c", "d", "", "jj", "m\n", "A.B", "rr", "qqq"]
    for text in (*VALUES, *wrong):
        expected = text in VALUES
        assert bool(re2.search(part["pattern"], text)) is expected, text
        assert fits(validate, text) is expected, text
    shown = subprocess.run(
        [
            "node",
            "-e",
            "const [p, ...texts] = process.argv.slice(1);"
            "console.log(JSON.stringify(texts.map(t => new RegExp(p, 'u').test(t))))",
            part["pattern"],
            *VALUES,
            *wrong,
        ],
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    assert json.loads(shown) == [True] * len(VALUES) + [False] * len(wrong)


def fits(validate: Any, value: object) -> bool:
    try:
        validate(value)
    except fastjsonschema.JsonSchemaValueException:
        return False
    return True


def test_one_text_is_a_constant_and_numbers_keep_their_list() -> None:
    assert narrowed("a") == {"description": "Which.", "type": "string", "const": "a"}
    assert narrowed(1, 2) == {"description": "Which.", "type": "integer", "enum": [1, 2]}


def test_a_default_that_is_no_permitted_value_is_not_told() -> None:
    rule = Argument(mode="allowed", values=("a", "b"))
    assert _narrowed({"type": "string", "default": "a"}, rule)["default"] == "a"
    assert "default" not in _narrowed({"type": "string", "default": "c"}, rule)


def test_what_stands_beside_a_reference_wins_and_a_name_that_looks_like_one_stays() -> None:
    schema = {
        "properties": {
            "one": {"$ref": "#/$defs/Outer", "description": "Mine."},
            "$ref": {"type": "string"},
        },
        "$defs": {
            "Outer": {"description": "Theirs.", "properties": {"inner": {"anyOf": [{"$ref": "#/$defs/Inner"}]}}},
            "Inner": {"type": "integer"},
        },
    }
    assert written_out(schema) == {
        "properties": {
            "one": {"description": "Mine.", "properties": {"inner": {"anyOf": [{"type": "integer"}]}}},
            "$ref": {"type": "string"},
        }
    }


RECURSIVE = {
    "type": "object",
    "properties": {"tree": {"$ref": "#/$defs/Node"}, "name": {"type": "string"}},
    "$defs": {
        "Node": {"properties": {"children": {"type": "array", "items": {"$ref": "#/$defs/Leaf"}}}},
        "Leaf": {"properties": {"parent": {"$ref": "#/$defs/Node"}}},
    },
}


def problems_of(schema: dict[str, Any], **tool: Any) -> list[str]:
    made = ToolFile(level="read", **tool)
    file = ServerFile(name="x", title="x", description="x", package="x", version="1", module="x", tools={"look": made})
    locked = LockedTool(name="look", inputSchema=schema, sha256="0")
    lock = LockFile(server="x", package="x", version="1", tools=(locked,))
    return [str(problem) for problem in argument_problems(file, lock, "server.toml")]


def test_a_definition_that_leads_to_itself_is_refused_unless_nobody_sees_it() -> None:
    assert problems_of(RECURSIVE) == [
        'server.toml: tools.look = "Node": A definition of this tool\'s arguments refers to itself, so it cannot be '
        "written out. Hide the argument that uses it, or refuse the tool."
    ]
    assert problems_of(RECURSIVE, arguments={"tree": Argument(mode="hidden")}) == []
    assert problems_of(RECURSIVE, refused="Takes trees, which nobody needs here.") == []


def test_a_definition_that_is_not_there_is_told() -> None:
    (told,) = problems_of({"properties": {"tree": {"$ref": "#/$defs/Node"}}, "$defs": {}})
    assert "a definition that the lock does not hold" in told


@pytest.mark.parametrize(
    "rule",
    [Argument(mode="allowed", values=("a", 1)), Argument(mode="forced", value=["a", 1])],
    ids=["allowed", "forced"],
)
def test_values_of_several_types_cannot_be_compared(rule: Argument) -> None:
    (told,) = problems_of({"properties": {"which": {}}}, arguments={"which": rule})
    assert "policy c" in told
    assert "hide the argument" in told.lower()


def test_an_argument_of_several_kinds_that_a_permit_names_is_published_as_one() -> None:
    """Of a union the engine makes a record (`typeChoice0`), with which no text can be compared."""
    union = {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]}
    for rule in (
        Argument(mode="allowed", values=("a", "b")),
        Argument(mode="forced", value="a"),
        Argument(mode="commands", values=("aws s3 ls",)),
        Argument(mode="allowed", values=(1, 2)),
    ):
        part = _narrowed(union, rule)
        schema = schema_of({"x___t": {"type": "object", "properties": {"which": part}}})
        (kind,) = schema["AgentCore"]["commonTypes"]["x___tInput"]["attributes"].values()
        assert kind["name"] in ("String", "Long"), rule
