"""What the catalogue says about the tools is complete, real and no wider than it must be."""

from __future__ import annotations

import fnmatch
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ringfence.assets.local import packages
from ringfence.iam.actions import load
from tests.catalogue.sdk import service_model

CATALOGUE = Path(__file__).resolve().parents[2] / "catalogue"
EVERY: dict[str, dict[str, Any]] = {
    path.parent.name: tomllib.loads(path.read_text()) for path in sorted(CATALOGUE.glob("servers/*/server.toml"))
}
SERVERS = {name: content for name, content in EVERY.items() if "refused" not in content}
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
    # What is created has no ARN yet; the tag it must carry is a condition.
    "elasticmapreduce:AddTags",
}
# Actions of the Auditor whose names do not say that they read; AWS's own level of both is Read.
READS_BY_ANOTHER_NAME = {"iam:GenerateCredentialReport", "logs:StartQuery"}


def classified() -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Every (server, tool, operation, what is written about it); the operation is empty for a tool without any."""
    for server, content in SERVERS.items():
        for tool, rule in content["tools"].items():
            for operation, written in rule.get("operations", {"": rule}).items():
                yield server, tool, operation, written


def role_grants() -> Iterator[tuple[str, str, str, list[str]]]:
    """The same of the roles that tools pass to services, and of the roles that those make."""
    for server, content in SERVERS.items():
        for name, role in content.get("roles", {}).items():
            for grant in (*role["grants"], *role.get("makes", {}).get("grants", [])):
                for action in grant["actions"]:
                    yield server, name, action, grant.get("resources", ["*"])


def all_grants() -> Iterator[tuple[str, str, str, list[str]]]:
    """Every (server, tool, action, resources)."""
    for server, tool, _, rule in classified():
        for grant in rule["grants"]:
            for action in grant["actions"]:
                yield server, tool, action, grant.get("resources", ["*"])


def auditor_actions() -> set[str]:
    return {action for server, tool, action, _ in all_grants() if tool in AUDITOR.get(server, [])}


def granted_tools(server: str) -> set[str]:
    """Tools of a server of which a persona may hold something."""
    return {grant.partition(".")[0] for persona in PERSONAS.values() for grant in persona["servers"].get(server, [])}


def test_every_tool_is_classified_and_every_classified_tool_exists() -> None:
    assert {name: set(content["tools"]) for name, content in SERVERS.items()} == {
        name: set(tools) for name, tools in LOCKS.items()
    }


def test_every_tool_has_one_level_or_one_for_each_operation() -> None:
    for server, tool, operation, rule in classified():
        assert rule["level"] in ("read", "write", "permissions", "execute", "credential"), (
            f"{server} {tool} {operation}"
        )
    for server, content in SERVERS.items():
        for tool, rule in content["tools"].items():
            assert ("level" in rule) != ("operations" in rule) == ("operation" in rule), f"{server} {tool}"


# Commands are AWS's own, and no texts of the server: tests/catalogue/test_aws_api_commands.py.
WITH_OPERATIONS = sorted(
    {
        server
        for server, tool, operation, _ in classified()
        if operation and "match" not in SERVERS[server]["tools"][tool]
    }
)


@pytest.mark.parametrize("server", WITH_OPERATIONS)
def test_operations_are_those_the_servers_own_code_compares_with(server: str) -> None:
    """The exact texts of the installed source: a free string in the schema says nothing."""
    package = packages(server).joinpath(*SERVERS[server]["module"].split(".")[:-1])
    source = "\n".join(path.read_text(encoding="utf-8") for path in package.rglob("*.py"))
    for tool, rule in SERVERS[server]["tools"].items():
        described = str(LOCKS[server][tool]["inputSchema"]["properties"].get(rule.get("operation", ""), ""))
        for operation in rule.get("operations", {}):
            assert f"'{operation}'" in source, f"{tool}: {operation}"
            assert operation in described + LOCKS[server][tool]["description"], f"{tool}: {operation}"


def test_the_auditor_holds_nothing_but_reads() -> None:
    levels = {SERVERS[server]["tools"][tool]["level"] for server, tools in AUDITOR.items() for tool in tools}
    assert levels == {"read"} == set(PERSONAS["auditor"]["levels"])
    verbs = ("Describe", "Get", "List", "Lookup", "Simulate")
    assert {a for a in auditor_actions() if not a.split(":")[1].startswith(verbs)} == READS_BY_ANOTHER_NAME


def test_nothing_can_unmask_protected_logs() -> None:
    assert not [action for _, _, action, _ in all_grants() if action.lower() == "logs:unmask"]


# AWS asks for a permission that has another name than the call.
NOT_THE_OPERATIONS_NAME = {
    "iam:PassRole",
    "s3:GetObjectVersion",
    "s3:ListAllMyBuckets",
    "s3:ListBucket",
    "s3:ListMultipartUploadParts",
}


def test_every_action_exists_in_aws() -> None:
    operations: dict[str, set[str]] = {}
    for server, tool, action, _ in (*all_grants(), *role_grants()):
        prefix, name = action.split(":")
        if prefix not in operations:
            operations[prefix] = {operation.lower() for operation in service_model(prefix).operation_names}
        assert name.lower() in operations[prefix] or action in NOT_THE_OPERATIONS_NAME, f"{server} {tool}: {action}"
        assert action in load(), f"{server} {tool}: {action} is no IAM action"


# AWS's own, and S3's, whose ARNs name no account: the endpoint and the organisation hold those to this account.
OF_NO_ACCOUNT = {
    "arn:aws:iam::aws:policy/*",
    "arn:aws:route53:::hostedzone/*",
    "arn:aws:s3:::*",
    "arn:aws:s3:::*glue*",
    "arn:aws:s3:::ringfence-sandbox-*",
    "arn:aws:s3:::ringfence-sandbox-*/*",
    "arn:aws:s3:::ringfence-sandbox-*/athena-results/*",
}


def test_resources_are_as_narrow_as_aws_allows() -> None:
    wrong = []
    for server, tool, action, patterns in (*all_grants(), *role_grants()):
        formats = load()[action].resources
        if patterns == ["*"]:
            if formats and action not in NEEDS_ALL:
                wrong.append(
                    f"{server} {tool}: {action} could name {formats} in server.toml; if not, add it to NEEDS_ALL"
                )
            continue
        # AWS ignores a statement whose resource is not of a type that the action has.
        for pattern in patterns:
            if not any(_is_of_format(pattern, form) for form in formats):
                wrong.append(f"{server} {tool}: {action} on {pattern}, not {formats}")
            if ":{account}:" not in pattern and pattern not in OF_NO_ACCOUNT:
                wrong.append(
                    f"{server} {tool}: {pattern} may be of another account; if it is not, add it to OF_NO_ACCOUNT"
                )
    assert not wrong, "\n".join(wrong)


def _is_of_format(pattern: str, form: str) -> bool:
    glob = form.replace("${Partition}", "aws").replace("${Region}", "{region}")
    return any(
        fnmatch.fnmatchcase(pattern, re.sub(r"\$\{\w+\}", "*", glob.replace("${Account}", account)))
        for account in ("{account}", "aws")
    )


# Where a call goes and who makes it is never the caller's choice, and a confirmation is never the model's.
PINNED = {
    "account_identifiers": ("hidden", None),
    "confirmed": ("hidden", None),
    "catalog_id": ("hidden", None),
    "config_env": ("hidden", "ringfence"),
    "config_file": ("hidden", None),
    "ctx": ("hidden", {"content": []}),
    "debug": ("hidden", None),
    "include_linked_accounts": ("hidden", None),
    "profile": ("hidden", None),
    "profile_name": ("hidden", None),
    "region": ("forced", "eu-west-2"),
    "region_name": ("forced", "eu-west-2"),
    "regions": ("forced", ["eu-west-2"]),
}


def test_steering_arguments_are_pinned_on_every_tool() -> None:
    for server, tools in LOCKS.items():
        for name, definition in tools.items():
            rules = SERVERS[server].get("arguments", {}) | SERVERS[server]["tools"][name].get("arguments", {})
            for argument in PINNED.keys() & definition["inputSchema"].get("properties", {}).keys():
                if (name, argument) == ("manage_aws_glue_usage_profiles", "profile_name"):
                    continue  # a profile of Glue's, and a tool that nobody holds
                rule = rules.get(argument, {})
                assert (rule.get("mode"), rule.get("value")) == PINNED[argument], f"{server} {name}: {argument}"


STEERS_NOTHING = {
    "account",  # of a policy that is written as text
    "account_label",  # a word that the caller wants to see again in the answer
    "execution_role_arn",  # of start-job-run, which nobody holds
}


def test_an_argument_that_looks_like_a_region_or_a_profile_is_not_overlooked() -> None:
    suspicious = ("account", "confirm", "credential", "ctx", "endpoint", "profile", "region", "role_arn", "url")
    found = {
        argument
        for tools in LOCKS.values()
        for definition in tools.values()
        for argument in definition["inputSchema"].get("properties", {})
        if any(word in argument.lower() for word in suspicious)
    }
    assert found - STEERS_NOTHING <= set(PINNED), "add it to PINNED and pin it in server.toml, or to STEERS_NOTHING"


def test_endpoints_are_those_that_granted_tools_need() -> None:
    """Of a server of which nobody holds anything, no endpoint is made."""
    for name, content in SERVERS.items():
        granted = granted_tools(name) or set(content["tools"])
        carried = [prefix for endpoint in content.get("endpoints", []) for prefix in endpoint["prefixes"]]
        needed = {
            action.split(":")[0] for server, tool, action, _ in all_grants() if server == name and tool in granted
        }
        assert sorted(carried) == sorted(needed), f"correct the endpoints in catalogue/servers/{name}/server.toml"


def test_only_iam_leaves_london_and_says_why() -> None:
    foreign = {
        (name, endpoint["service"], endpoint["region"]): endpoint.get("reason", "")
        for name, content in SERVERS.items()
        for endpoint in content.get("endpoints", [])
        if endpoint.get("region", "eu-west-2") != "eu-west-2"
    }
    assert {key[1:] for key in foreign} == {("iam", "us-east-1")}
    assert all(len(reason) > 40 for reason in foreign.values())


def test_what_could_be_read_and_nobody_is_granted_says_why() -> None:
    for server, tool, operation, rule in classified():
        whole = SERVERS[server]["tools"][tool]
        if rule["level"] == "read" and tool not in granted_tools(server):
            why = whole.get("refused") or rule.get("refused") or whole.get("note", "") + rule.get("note", "")
            assert why == whole.get("refused") or why.startswith("Not granted"), (
                f"{server} {tool} {operation}: grant it in personas.toml, or begin its note in server.toml with "
                "`Not granted:` and say why"
            )


def test_no_persona_may_change_permissions_or_make_credentials_and_one_tool_passes_one_role() -> None:
    levels = {name: set(persona["levels"]) for name, persona in PERSONAS.items()}
    ours = {name: levels[name] for name in ("auditor", "operator", "developer")}
    assert ours == {"auditor": {"read"}, "operator": {"read", "write"}, "developer": {"read"}}
    assert set().union(*levels.values()) <= {"read", "write"}
    assert {level for persona in PERSONAS.values() for level in persona.get("sandbox_levels", [])} <= {"read", "write"}
    for server, tool, operation, rule in classified():
        for grant in rule["grants"]:
            if "iam:PassRole" in grant["actions"] or any(a.startswith("iam:Put") for a in grant["actions"]):
                assert rule["level"] == "permissions", f"{server} {tool} {operation}"
    passing = {(server, tool): rule["passes"] for server, tool, _, rule in classified() if rule.get("passes")}
    assert passing == {("serverless", "sam_deploy"): "sandbox-stacks"}


def test_what_the_operator_holds_above_read_are_restarts_by_tag_and_with_an_approval() -> None:
    above = {}
    for server, tool, operation, rule in classified():
        granted = PERSONAS["operator"]["servers"].get(server, [])
        if rule["level"] != "read" and {tool, f"{tool}.{operation}"} & set(granted):
            assert rule["approval"] is True, operation
            (grant,) = rule["grants"]
            (action,) = grant["actions"]
            assert grant["conditions"] == {"StringEquals": {"aws:ResourceTag/ringfence:restart": "allowed"}}, operation
            assert "*" not in grant["resources"], operation
            above[operation] = action
    assert above == {
        "aws autoscaling start-instance-refresh": "autoscaling:StartInstanceRefresh",
        "aws ec2 reboot-instances": "ec2:RebootInstances",
        "aws ecs update-service": "ecs:UpdateService",
        "aws rds reboot-db-instance": "rds:RebootDBInstance",
    }


def test_a_page_is_no_longer_than_any_of_a_tools_operations_takes() -> None:
    """A longer one passes the gateway and is refused by AWS (botocore's models: the most of MaxResults)."""
    checked = 0
    for server, tool, operation, rule in classified():
        own = SERVERS[server]["tools"][tool].get("arguments", {}).get("max_results", {})
        most = {**SERVERS[server].get("arguments", {}).get("max_results", {}), **own}.get("most")
        takes = "max_results" in LOCKS[server][tool]["inputSchema"].get("properties", {})
        for grant in rule.get("grants", []) if takes and most and "refused" not in rule else ():
            for prefix, _, name in (action.partition(":") for action in grant["actions"]):
                model = service_model(prefix)
                if not name.startswith(("List", "Get", "Search")) or name not in model.operation_names:
                    continue
                members = model.operation_model(name).input_shape.members
                told = [shape.metadata for key, shape in members.items() if key.lower() == "maxresults"]
                limits = [each["max"] for each in told if "max" in each]
                assert all(most <= limit for limit in limits), f"{server} {tool} {operation}: {name} takes {limits}"
                checked += len(limits)
    assert checked > 15


# Writes of the developer that name neither the sandbox's tag nor its names, and why that is right.
HARMLESS = {
    "glue:GetDatabase": "reads",
    "sts:GetCallerIdentity": "asks who one is",
}


def test_every_write_of_the_developer_is_held_to_the_sandbox_by_tag_or_name() -> None:
    developer = PERSONAS["developer"]["servers"]
    checked = 0
    for server, tool, operation, rule in classified():
        if tool not in developer.get(server, []) or rule["level"] != "write" or "refused" in rule:
            continue
        for grant in rule["grants"]:
            tagged = any("/ringfence:sandbox" in key for test in grant.get("conditions", {}).values() for key in test)
            named = all(
                "ringfence-sandbox-" in resource or resource.endswith(":catalog")
                for resource in grant.get("resources", ["*"])
            )
            reads = all(action.split(":")[1].startswith(("Get", "List", "Describe")) for action in grant["actions"])
            assert tagged or named or reads or set(grant["actions"]) <= HARMLESS.keys(), f"{server} {tool} {operation}"
            checked += 1
    assert checked > 50


@pytest.mark.parametrize("name", sorted(EVERY.keys() - SERVERS.keys()))
def test_a_refused_server_says_why_and_has_nothing_to_start(name: str) -> None:
    assert len(EVERY[name]["refused"]) > 80
    assert [path.name for path in (CATALOGUE / "servers" / name).iterdir()] == ["server.toml"]


def test_the_described_package_is_the_installed_one() -> None:
    for name, content in SERVERS.items():
        if (CATALOGUE.parent / "servers" / content["module"]).is_dir():
            continue  # a server of ours: its code is the repository's, and lies in no package
        pin = f"{content['package']}=={content['version']}"
        assert pin in (CATALOGUE / "servers" / name / "requirements.in").read_text().split()


def test_no_server_is_always_started_with_a_flag_that_lets_it_write_or_show_more() -> None:
    flags = {flag for content in SERVERS.values() for flag in content.get("flags", [])}
    assert not {flag for flag in flags if flag.startswith("--allow")}
