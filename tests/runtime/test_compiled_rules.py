"""The host runs the rules that are compiled from the catalogue, with the server they were compiled for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ringfence.assets.local import packages
from ringfence.catalogue.catalogue import load_catalogue
from ringfence.compilers.rules import runtime_rules
from ringfence.department.department import load_department
from tests.runtime.conftest import ACCOUNT


@pytest.fixture(scope="module")
def cloudwatch(start_host: Any, recorded_aws: Any) -> Any:
    catalogue = load_catalogue()
    department = load_department("example-production", catalogue=catalogue)
    assert department.account == ACCOUNT
    rules = runtime_rules(catalogue, department, "auditor", "cloudwatch")
    host = start_host(rules, server=packages("cloudwatch"))
    return host, rules


def call(cloudwatch: Any, token: Any, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    host, rules = cloudwatch
    minted = token(tool, arguments, issuer=rules["issuer"], audience=rules["audience"])
    return host.call(tool, arguments, minted)


def test_exactly_the_granted_tools_are_listed(cloudwatch: Any) -> None:
    host, rules = cloudwatch
    listed = host.rpc("tools/list").json()["result"]["tools"]
    assert {tool["name"]: tool for tool in listed} == {n: t["definition"] for n, t in rules["tools"].items()}
    assert len(rules["lock"]) == 19 > len(listed)


def test_the_forced_region_reaches_aws_and_another_is_refused(cloudwatch: Any, aws: Any, token: Any) -> None:
    aws.refuse["DescribeLogGroups"] = "AccessDeniedException"
    result = call(cloudwatch, token, "describe_log_groups", {})
    assert result["_meta"]["ringfence/rule"] == "access-denied"
    assert "logs:DescribeLogGroups (AccessDeniedException)" in result["content"][0]["text"]
    assert aws.of("DescribeLogGroups")
    elsewhere = call(cloudwatch, token, "describe_log_groups", {"region": "us-east-1"})
    assert elsewhere["_meta"]["ringfence/rule"] == "forced-argument"


def test_a_failure_the_server_calls_a_success_is_recorded_as_a_failure(cloudwatch: Any, aws: Any, token: Any) -> None:
    aws.refuse["StartQuery"] = "AccessDeniedException"
    arguments = {
        "log_group_names": ["/app"],
        "start_time": "2026-11-01T00:00:00+00:00",
        "end_time": "2026-11-01T01:00:00+00:00",
        "query_string": "fields @message",
        "limit": 5,
    }
    result = call(cloudwatch, token, "execute_log_insights_query", arguments)
    assert result["_meta"]["ringfence/layer"] == "aws", json.dumps(result)
    record = cloudwatch[0].records()[-1]
    assert record["cause"] == {"code": "AccessDeniedException", "operation": "StartQuery"}
    assert (record["outcome"], record["is_error"]) == ("refused", True)
