"""What the catalogue says about the tools is complete, real and no wider than it must be."""

from __future__ import annotations

import fnmatch
import json
import tomllib
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import botocore.session
import pytest

CATALOGUE = Path(__file__).resolve().parents[2] / "catalogue"
SERVERS: dict[str, dict[str, Any]] = {
    path.parent.name: tomllib.loads(path.read_text()) for path in sorted(CATALOGUE.glob("servers/*/server.toml"))
}
LOCKS: dict[str, dict[str, dict[str, Any]]] = {
    name: {
        tool["name"]: tool
        for tool in json.loads((CATALOGUE / "servers" / name / "tools.lock.json").read_text())["tools"]
    }
    for name in SERVERS
}
PERSONAS: dict[str, Any] = tomllib.loads((CATALOGUE / "personas.toml").read_text())["personas"]
AUDITOR: dict[str, list[str]] = PERSONAS["auditor"]["servers"]

# Actions that have a resource type and still need "*": see the notes beside them in cloudwatch/server.toml.
NEEDS_ALL = {
    "cloudwatch:DescribeAlarmHistory",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:GetMetricData",
    "cloudwatch:ListMetrics",
    "logs:ListLogAnomalyDetectors",
}
# The one action of the Auditor whose name does not say that it reads.
READS_BY_ANOTHER_NAME = {"logs:StartQuery"}


def all_grants() -> Iterator[tuple[str, str, str, list[str]]]:
    """Every (server, tool, action, resources)."""
    for server, content in SERVERS.items():
        for tool, rule in content["tools"].items():
            for grant in rule["grants"]:
                for action in grant["actions"]:
                    yield server, tool, action, grant.get("resources", ["*"])


def auditor_actions() -> set[str]:
    return {action for server, tool, action, _ in all_grants() if tool in AUDITOR.get(server, [])}


@pytest.fixture(scope="module")
def iam_actions() -> dict[str, Any]:
    """AWS's own list of actions and resource types, as cfn-lint carries it."""
    path = resources.files("cfnlint") / "data" / "AdditionalSpecs" / "Policies.json"
    return dict(json.loads(path.read_text(encoding="utf-8")))


def test_every_tool_is_classified_and_every_classified_tool_exists() -> None:
    assert {name: set(content["tools"]) for name, content in SERVERS.items()} == {
        name: set(tools) for name, tools in LOCKS.items()
    }
    assert sum(map(len, LOCKS.values())) == 53


def test_the_auditor_holds_nothing_but_reads() -> None:
    levels = {SERVERS[server]["tools"][tool]["level"] for server, tools in AUDITOR.items() for tool in tools}
    assert levels == {"read"} == set(PERSONAS["auditor"]["levels"])
    verbs = ("Describe", "Get", "List", "Lookup", "Simulate")
    assert {a for a in auditor_actions() if not a.split(":")[1].startswith(verbs)} == READS_BY_ANOTHER_NAME


def test_nothing_can_unmask_protected_logs() -> None:
    assert not [action for _, _, action, _ in all_grants() if action.lower() == "logs:unmask"]


def test_every_action_exists_in_aws(iam_actions: dict[str, Any]) -> None:
    session = botocore.session.get_session()
    operations = {
        prefix: set(session.get_service_model(prefix).operation_names)
        for prefix in ("cloudtrail", "cloudwatch", "iam", "logs")
    }
    for server, tool, action, _ in all_grants():
        prefix, name = action.split(":")
        assert name in operations[prefix], f"{server} {tool}: {action} is no operation"
        assert name.lower() in iam_actions[prefix]["Actions"], f"{server} {tool}: {action} is no IAM action"


def test_resources_are_as_narrow_as_aws_allows(iam_actions: dict[str, Any]) -> None:
    for server, tool, action, patterns in all_grants():
        prefix, name = action.split(":")
        types = iam_actions[prefix]["Actions"][name.lower()].get("Resources", [])
        if patterns == ["*"]:
            assert not types or action in NEEDS_ALL, f"{server} {tool}: {action} could name {types}"
            continue
        # AWS ignores a statement whose resource is not of a type that the action has.
        formats = [form for kind in types for form in iam_actions[prefix]["Resources"][kind]["ARNFormats"]]
        for pattern in patterns:
            assert any(_is_of_format(pattern, form) for form in formats), f"{server} {tool}: {action} on {pattern}"
            assert ":{account}:" in pattern or pattern == "arn:aws:iam::aws:policy/*", f"{server} {tool}: {pattern}"


def _is_of_format(pattern: str, form: str) -> bool:
    glob = form.replace("${Partition}", "aws").replace("${Region}", "{region}").replace(".*", "*")
    accounts = ("{account}", "aws")
    return any(fnmatch.fnmatchcase(pattern, glob.replace("${Account}", account)) for account in accounts)


# Where a call goes and who makes it is never the caller's choice, and a confirmation is never the model's.
PINNED = {
    "account_identifiers": ("hidden", None),
    "confirmed": ("hidden", None),
    "ctx": ("hidden", {"content": []}),
    "include_linked_accounts": ("hidden", None),
    "profile_name": ("hidden", None),
    "region": ("forced", "eu-west-2"),
    "regions": ("forced", ["eu-west-2"]),
}


def test_steering_arguments_are_pinned_on_every_tool() -> None:
    for server, tools in LOCKS.items():
        for name, definition in tools.items():
            rules = SERVERS[server].get("arguments", {}) | SERVERS[server]["tools"][name].get("arguments", {})
            for argument in PINNED.keys() & definition["inputSchema"].get("properties", {}).keys():
                rule = rules.get(argument, {})
                assert (rule.get("mode"), rule.get("value")) == PINNED[argument], f"{server} {name}: {argument}"


def test_an_argument_that_looks_like_a_region_or_a_profile_is_not_overlooked() -> None:
    suspicious = ("account", "confirm", "credential", "ctx", "endpoint", "profile", "region", "role_arn", "url")
    found = {
        argument
        for tools in LOCKS.values()
        for definition in tools.values()
        for argument in definition["inputSchema"].get("properties", {})
        if any(word in argument.lower() for word in suspicious)
    }
    # account_label is a word that the caller wants to see again in the answer.
    assert found - {"account_label"} == set(PINNED)


def test_endpoints_are_those_that_granted_tools_need() -> None:
    for name, content in SERVERS.items():
        carried = [prefix for endpoint in content["endpoints"] for prefix in endpoint["prefixes"]]
        granted = {tool for persona in PERSONAS.values() for tool in persona["servers"].get(name, [])}
        needed = {
            action.split(":")[0] for server, tool, action, _ in all_grants() if server == name and tool in granted
        }
        assert sorted(carried) == sorted(needed)


def test_only_iam_leaves_london_and_says_why() -> None:
    foreign = {
        (name, endpoint["service"], endpoint["region"]): endpoint.get("reason", "")
        for name, content in SERVERS.items()
        for endpoint in content["endpoints"]
        if endpoint.get("region", "eu-west-2") != "eu-west-2"
    }
    assert list(foreign) == [("iam", "iam", "us-east-1")]
    assert len(foreign["iam", "iam", "us-east-1"]) > 40


def test_a_read_that_nobody_is_granted_says_why() -> None:
    for name, content in SERVERS.items():
        granted = {tool for persona in PERSONAS.values() for tool in persona["servers"].get(name, [])}
        for tool, rule in content["tools"].items():
            if rule["level"] == "read" and tool not in granted:
                assert rule.get("note", "").startswith("Not granted: "), f"{name} {tool}"


def test_the_described_package_is_the_installed_one() -> None:
    for name, content in SERVERS.items():
        pin = f"{content['package']}=={content['version']}"
        assert (CATALOGUE / "servers" / name / "requirements.in").read_text().split() == [pin]


def test_no_server_is_started_with_a_flag_that_lets_it_write() -> None:
    assert {name: content["flags"] for name, content in SERVERS.items() if content["flags"]} == {}
