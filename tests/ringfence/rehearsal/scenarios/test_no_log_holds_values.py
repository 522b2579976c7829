"""What callers ask and are answered is in no log: not in a record, and not in a line that any process prints.

Every log group of the local AWS is searched, and every line of every process, for words that occur nowhere else. The
trail is left out on purpose: CloudTrail itself records the parameters of requests to AWS.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from ringfence.rehearsal.aws.services.fixtures import LOG_GROUP
from ringfence.rehearsal.scenarios.persona_scenarios import context_of, query_of
from ringfence.rehearsal.scenarios.scenario_context import ScenarioContext
from ringfence.rehearsal.serving import HttpRequest
from tests.ringfence.rehearsal.sign_in.serving import Served

# By where it is sent: in an argument that is taken, one that AWS refuses, one that is unknown, a header, a result.
CANARIES = {place: f"zq{place}canaryqz" for place in ("argument", "error", "unknown", "header", "result", "host")}


@pytest.fixture(scope="module")
def context(served: Served) -> ScenarioContext:
    return context_of(served.department, tell=lambda _call: None)


def logged(context: ScenarioContext) -> dict[str, list[str]]:
    """The lines of every log group but the trail's and the workload's, by name."""
    aws = context.department.aws
    groups = [str(each["name"]) for each in context.department.runtime_log_groups]
    groups += [str(each.ref) for each in context.department.assembly.of_type("AWS::Logs::LogGroup")]
    return {name: aws.log_lines(name) for name in groups if not name.endswith("/cloudtrail")}


def call(context: ScenarioContext, tool: str, arguments: dict[str, Any], token: str) -> str:
    headers = {
        "content-type": "application/json",
        "authorization": f"Bearer {token}",
        "x-canary": CANARIES["header"],
        "user-agent": CANARIES["host"],
    }
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}
    answer = context.gateway.handle(HttpRequest("POST", "/mcp", headers, json.dumps(body).encode()))
    return json.dumps(answer.body)


def test_no_log_group_and_no_printed_line_holds_what_was_asked_or_answered(context: ScenarioContext) -> None:
    token = context.token()
    context.department.aws.put_log_event(LOG_GROUP, "example", f"ERROR {CANARIES['result']}")
    query = query_of(LOG_GROUP, f"fields @message | filter @message not like /{CANARIES['argument']}/ | limit 50")

    answered = call(context, "cloudwatch___execute_log_insights_query", query, token)
    failed = call(context, "iam___get_user", {"user_name": CANARIES["error"]}, token)
    refused = call(context, "iam___list_users", {CANARIES["unknown"]: CANARIES["argument"]}, token)

    assert CANARIES["result"] in answered, "the answer itself holds it"
    assert "isError" in failed and "isError" in refused
    lines = logged(context)
    assert sum(bool(held) for name, held in lines.items() if name.startswith("/ringfence/")) >= 3, (
        "records were written"
    )
    found = [
        (name, place, line)
        for name, held in lines.items()
        for line in held
        for place, canary in {**CANARIES, "token": token}.items()
        if canary in line
    ]
    assert found == []


@pytest.mark.parametrize("group", ["functions/auditor-request", "calls/auditor", "cloudtrail"])
def test_a_persona_is_refused_the_log_groups_that_watch_it(context: ScenarioContext, group: str) -> None:
    name = f"/ringfence/example-production/{group}"
    query = query_of(name, "fields @message | limit 5")
    before = len(context.department.aws.record)
    answer = call(context, "cloudwatch___execute_log_insights_query", query, context.token())

    assert [each.call for each in context.department.aws.record[before:] if each.call == "logs:StartQuery"] == []
    assert "isError" in answer
    assert "ringfence.call" not in answer and "eventName" not in answer
