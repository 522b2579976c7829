"""What a model reads of the tools it is given: nothing that the locks refuse, within a budget."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import fastjsonschema
import pytest

from ringfence.catalogue.catalogue import Catalogue
from ringfence.catalogue.files.published_files import Instead, PublishedFile
from ringfence.catalogue.shown.published import published_definition
from ringfence.catalogue.shown.shown import Unsaid, _narrowed, shown_name
from ringfence.catalogue.shown.shown_checks import check_shown, name_problems
from ringfence.compilers.rules import shown_definitions
from ringfence.department.department import Department
from ringfence.reading.problems import ProblemsFound

BUDGETS = {"auditor": 27_659, "operator": 14_448, "developer": 95_815}
"""Bytes: half of what the servers' own words and schemas took (52,318, 28,897 and 191,630, November 2026), and 1,500
for what a tool of our own server says."""


@pytest.fixture(scope="module")
def read(real: Catalogue, sandbox: Department) -> dict[str, dict[str, dict[str, Any]]]:
    """What each persona's model reads, by the tool's name."""
    return {
        persona: {tool["name"]: tool for tool in shown_definitions(real, sandbox, persona)} for persona in real.personas
    }


@pytest.mark.parametrize("persona", BUDGETS)
def test_a_personas_list_of_tools_weighs_half_of_what_the_servers_own_weighs(read: Any, persona: str) -> None:
    listed = {"tools": list(read[persona].values())}
    size = len(json.dumps(listed, ensure_ascii=False, separators=(",", ":")).encode())
    assert BUDGETS[persona] / 3 < size <= BUDGETS[persona]


def test_no_description_is_cut_by_a_host(read: Any) -> None:
    assert {name for tools in read.values() for name, tool in tools.items() if len(tool["description"]) > 2048} == set()
    assert {name for tools in read.values() for name, tool in tools.items() if len(tool["description"]) < 15} == set()


def test_every_name_leaves_room_for_a_hosts_own(read: Any) -> None:
    """`mcp__ringfence-auditor__` and the like stand before it, and 64 characters are the most that some hosts take."""
    names = [name for tools in read.values() for name in tools]
    assert max(map(len, names)) <= 40 and "data___emr_serverless_applications" in names
    assert len(set(names)) == len({(name, json.dumps(tool)) for tools in read.values() for name, tool in tools.items()})


def test_no_text_calls_a_tool_otherwise_than_the_list_does(read: Any, real: Catalogue) -> None:
    old = {tool.name for server in real.servers.values() for tool in server.tools.values() if tool.alias}
    assert len(old) > 20
    for tools in read.values():
        for name, tool in tools.items():
            assert not old & set(re.findall(r"\w+", json.dumps(tool))), name


@pytest.mark.parametrize(
    ("server", "tool", "alias", "told"),
    [
        ("iam", "get_user", "g" * 35, "41 characters, and hosts have room for 40"),
        ("iam", "get_user", "list_users", "Another tool is called iam___list_users, too"),
        ("cloudwatch", "get_recommended_metric_alarms", "", "42 characters, and hosts have room for 40"),
    ],
)
def test_a_name_that_hosts_refuse_is_a_mistake_of_the_catalogue(
    real: Catalogue, server: str, tool: str, alias: str, told: str
) -> None:
    this = real.servers[server]
    tools = {**this.tools, tool: replace(this.tools[tool], alias=alias)}
    problems = list(name_problems({**real.servers, server: replace(this, tools=tools)}))
    assert told in problems[0].message and problems[0].field == f"servers/{server}/server.toml: tools.{tool}.alias"
    assert list(name_problems(real.servers)) == []


@pytest.mark.parametrize(
    ("description", "most", "told"),
    [("x" * 2049, 100_000, "tool x: "), ("x" * 1000, 1000, "published.toml: budgets.auditor: ")],
)
def test_a_list_that_does_not_fit_is_a_mistake_of_the_catalogue(description: str, most: int, told: str) -> None:
    tools = [{"name": "x", "description": description, "inputSchema": {}, "annotations": {}}]
    with pytest.raises(ProblemsFound) as found:
        check_shown(tools, persona="auditor", most=most)
    assert f"{found.value.problems[0].field}: ".startswith(told)
    check_shown([{**tools[0], "description": "x" * 800}], persona="auditor", most=1000)


@pytest.mark.parametrize(
    "words",
    ["us-east-1", "AWS_REGION", "AWS_PROFILE", "profile_name", "--allow-", "$ref", "Args:", '"title": {"', "kubectl"],
)
def test_nothing_is_told_that_a_caller_cannot_do(read: Any, words: str) -> None:
    told = [name for tools in read.values() for name, tool in tools.items() if words in json.dumps(tool)]
    assert told == []


def test_no_argument_is_told_that_nobody_may_send(read: Any, real: Catalogue, sandbox: Department) -> None:
    for persona, tools in read.items():
        for server, tool in real.granted(persona, sandbox):
            properties = tools[shown_name(server, tool)]["inputSchema"]["properties"]
            gone = {name for name, rule in tool.arguments.items() if rule.mode in ("hidden", "forced")}
            assert not gone & set(properties), tool.name


def test_refused_operations_are_neither_offered_nor_described(read: Any) -> None:
    clusters = read["developer"]["data___emr_clusters"]
    assert "create-cluster" not in json.dumps(clusters)
    assert clusters["inputSchema"]["properties"]["operation"]["enum"] == [
        "describe-cluster",
        "describe-security-configuration",
        "list-clusters",
        "list-security-configurations",
        "modify-cluster",
        "modify-cluster-attributes",
        "terminate-clusters",
    ]
    assert "bootstrap_actions" not in clusters["inputSchema"]["properties"], "which only create-cluster takes"
    assert "deploy" not in read["developer"]["eks___manage_eks_stacks"]["description"]


def test_an_optional_choice_shows_its_values_and_a_number_its_bounds(read: Any) -> None:
    properties = read["auditor"]["cloudtrail___lookup_events"]["inputSchema"]["properties"]
    assert properties["attribute_key"]["type"] == "string"
    assert "EventName" in properties["attribute_key"]["enum"]
    assert (properties["max_results"]["minimum"], properties["max_results"]["maximum"]) == (1, 50)


def test_what_cannot_be_seen_or_done_is_told(read: Any) -> None:
    assert "events of IAM, CloudFront" in read["auditor"]["cloudtrail___lookup_events"]["description"]
    assert "hello-world" in read["developer"]["serverless___sam_deploy"]["description"]


def test_a_host_can_tell_reads_from_changes(read: Any) -> None:
    assert read["auditor"]["iam___list_users"]["annotations"] == {"title": "List users", "readOnlyHint": True}
    assert read["developer"]["serverless___sam_deploy"]["annotations"] == {
        "title": "Sam deploy",
        "readOnlyHint": False,
        "destructiveHint": True,
    }


def test_what_is_shown_is_accepted_by_the_schema_that_calls_are_held_to(real: Catalogue, sandbox: Department) -> None:
    """Each value, bound and default that a model reads is one that the lock takes."""
    looked_at = 0
    for persona in real.personas:
        for (server, tool), shown in zip(
            real.granted(persona, sandbox), shown_definitions(real, sandbox, persona), strict=True
        ):
            held = published_definition(server, tool)["inputSchema"]
            assert shown["inputSchema"].get("required", []) == [
                name for name in held.get("required", []) if name not in tool.forced
            ]
            for name, part in shown["inputSchema"]["properties"].items():
                check = fastjsonschema.compile(held["properties"][name])
                values = [*part.get("enum", []), *(part[key] for key in ("const", "default", "minimum") if key in part)]
                for value in values:
                    looked_at += 1
                    check(value)
    assert looked_at > 200


RULES = PublishedFile(
    sections=("args", "return"),
    phrases=("us-east-1",),
    instead=(Instead(pattern=r"\bIMPORTANT: ", words="", why="Every tool says so."),),
)
UNSAID = Unsaid(
    words={"ctx", "profile_name"}, plain={"region"}, refused={"create-it", "drop"}, permitted={"read-it", "stop-it"}
)


@pytest.mark.parametrize(
    ("theirs", "left"),
    [
        ("Reads it. Defaults to us-east-1. Quickly.", "Reads it. Quickly."),
        ("Reads it. Give profile_name for another account.", "Reads it."),
        ("IMPORTANT: Reads\nit well.", "Reads it well."),
        ("Reads it.\n\nArgs:\n    ctx: x\n\nTips:\n- a", "Reads it.\n\nTips:\n- a"),
        ("Reads it.\n\nReturns:\n--------\nDictionary containing:\n    - a: b", "Reads it."),
        ("## Operations\n- **create-it**: Makes it\n  - Required: x\n- **read-it**: Reads it\n  - Required: y", None),
        ("For create-it, read-it, and drop operations.", "For read-it operations."),
        ("For drop, read-it or create-it.", "For read-it."),
        ("Token for drop and read-it operations.", "Token for read-it operations."),
        ("At most (1-1000 for drop, 0-50 for read-it).", "At most (0-50 for read-it)."),
        ("Its name (required for read-it, optional for create-it).", "Its name (required for read-it)."),
        ('How: "read-it" for looking, "drop" for losing', 'How: "read-it" for looking'),
        ("Lists buckets that have a name and are in the specified region.", "Lists buckets that have a name."),
        ("Lists buckets of a given Region. Give the `region` too.", "Lists buckets."),
        ("The region argument counts. A region has zones.", "A region has zones."),
        ("Looks after it, including creating and reading it. It has parts.", "It has parts."),
        ("Stops it. Creates others.", "Stops it."),
        (
            "Query:\n\n```\n# not a heading\nfields @message\n```",
            "Query:\n\n```\n# not a heading\nfields @message\n```",
        ),
        ("## Requirements\n- us-east-1\n\n## Notes\n- a", "## Notes\n- a"),
        ("", ""),
    ],
)
def test_words_that_go_and_words_that_stay(theirs: str, left: str | None) -> None:
    expected = "## Operations\n- **read-it**: Reads it\n  - Required: y" if left is None else left
    assert _narrowed(theirs, UNSAID, RULES) == expected


def test_the_lock_keeps_the_servers_own_words(real: Catalogue) -> None:
    locked = real.servers["cloudtrail"].tools["lookup_events"].definition["description"]
    assert re.search(r"^Returns:$", locked, re.M)
