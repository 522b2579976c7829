"""The built-in scenarios: an auditor's morning through a real MCP client, and everything that must be refused.

Every other persona is played in short: what it is shown, each tool that it is granted, and what is refused. A
developer of a sandbox deploys something new there.
"""

from __future__ import annotations

import asyncio
import datetime
import re
from collections.abc import Callable

from ringfence.assets import local
from ringfence.deployed.gateways import SEPARATOR
from ringfence.rehearsal.aws.services.fixtures import LOG_GROUP
from ringfence.rehearsal.compute.runtimes import Runtime
from ringfence.rehearsal.department import RunningDepartment
from ringfence.rehearsal.identity import people
from ringfence.rehearsal.identity.user_pool import User
from ringfence.rehearsal.scenarios import attacks, sandbox
from ringfence.rehearsal.scenarios.calls import Expected, ScenarioCall, Transcript
from ringfence.rehearsal.scenarios.granted import each_granted_tool, shown_name
from ringfence.rehearsal.scenarios.mcp_user import McpUser, Reply, signed_in
from ringfence.rehearsal.scenarios.scenario_context import ScenarioContext
from ringfence.rehearsal.scenarios.switching import switched_off_and_on
from ringfence.rehearsal.scenarios.tampered_server import SERVER, tampered_packages

PERSONA = "auditor"
_ERRORS = "fields @timestamp, @message | filter @message like /ERROR/ | limit 20"


def context_of(
    department: RunningDepartment, *, tell: Callable[[ScenarioCall], None], persona: str = PERSONA
) -> ScenarioContext:
    """Invent the people in front of a persona's gateway, from what the template says about groups.

    Raises:
        CannotStart: no group maps to the persona.
    """
    return ScenarioContext(
        department=department,
        persona=persona,
        member=member(department, persona),
        visitor=people.VISITOR,
        client=department.pool.clients[0],
        transcript=Transcript(persona=persona, calls_for=department.aws.calls_for, tell=tell),
    )


def contexts_of(department: RunningDepartment, *, tell: Callable[[ScenarioCall], None]) -> list[ScenarioContext]:
    """A context for each persona that the department has; the auditor, whose play is the longest, comes first."""
    personas = sorted(department.gateways, key=lambda persona: (persona != PERSONA, persona))
    return [context_of(department, tell=tell, persona=persona) for persona in personas]


def member(department: RunningDepartment, persona: str) -> User:
    """Somebody whose groups map to a persona."""
    return people.member(persona, functions=department.functions.values(), pool=department.pool)


async def run_scenarios(context: ScenarioContext) -> None:
    """Play every scenario in order; what does not hold is in the calls of the transcript."""
    if context.persona == PERSONA:
        await _run_auditor(context)
    else:
        await _run_short(context)


async def _run_short(context: ScenarioContext) -> None:
    async with signed_in(context.server.url, context.token()) as user:
        await _lists_exactly_the_granted_tools(context, user)
        await sandbox.deploys(context, user)
        await each_granted_tool(context, user)
        await attacks.refused_to_everybody(context, user)


async def _run_auditor(context: ScenarioContext) -> None:
    tampered = await asyncio.to_thread(_start_tampered, context)
    async with signed_in(context.server.url, context.token()) as user:
        await _lists_exactly_the_granted_tools(context, user)
        await _looks_around(context, user)
        await _calls_at_once(context, user)
        await each_granted_tool(context, user)
        await attacks.refused_requests(context, user)
        await attacks.refused_at_ingress(context)
        await asyncio.to_thread(attacks.refused_by_the_runtime, context)
        await attacks.refused_by_cedar(context, user)
        await asyncio.to_thread(tampered.wait)
        await attacks.refused_by_aws(context, user, tampered)
        await _reads_the_trail(context, user)
        await switched_off_and_on(context, user)


async def _lists_exactly_the_granted_tools(context: ScenarioContext, user: McpUser) -> None:
    listed, granted = set(await user.tools()), {shown_name(tool) for tool in context.published}
    if listed != granted:
        raise ScenarioStopped(f"the client was shown {sorted(listed ^ granted)} too much or too little")


class ScenarioStopped(Exception):
    """A scenario went so wrong that the rest cannot be played."""


async def _looks_around(context: ScenarioContext, user: McpUser) -> None:
    context.transcript.scenario = "reads the account"
    users = await _answered(context, user, "list the account's users", "iam___list_users", {}, "iam:ListUsers")
    await _answered(context, user, "list its roles", "iam___list_roles", {"max_items": 5}, "iam:ListRoles")
    name = _some_user(users)
    await _answered(
        context, user, "look at one user", "iam___get_user", {"user_name": name}, "iam:GetUser", text=(name,)
    )
    await _answered(
        context, user, "see which alarms ring", "cloudwatch___get_active_alarms", {}, "cloudwatch:DescribeAlarms"
    )
    await _answered(
        context,
        user,
        "list the log groups",
        "cloudwatch___describe_log_groups",
        {"max_items": 50},
        "logs:DescribeLogGroups",
    )
    await _query_logs(context, user)


def _some_user(listed: ScenarioCall) -> str:
    names = re.findall(r'"[Uu]ser_?[Nn]ame"\s*:\s*"([^"]+)"', listed.outcome.text)
    if not names:
        raise ScenarioStopped(f"the local AWS lists no user: {listed.outcome.text[:300]}")
    return str(names[0])


async def _query_logs(context: ScenarioContext, user: McpUser) -> None:
    """The auditor queries the log of a workload; no persona reads those that watch the personas."""
    call = await _answered(
        context,
        user,
        "query a workload's log with Logs Insights",
        "cloudwatch___execute_log_insights_query",
        query_of(LOG_GROUP, _ERRORS),
        "logs:StartQuery",
        text=("/payments",),
    )
    found = re.search(r'"query_?[Ii]d"\s*:\s*"([^"]+)"', call.outcome.text)
    if found is not None:
        await _answered(
            context,
            user,
            "fetch the same results again",
            "cloudwatch___get_logs_insight_query_results",
            {"query_id": found.group(1)},
            "logs:GetQueryResults",
        )


async def _calls_at_once(context: ScenarioContext, user: McpUser) -> None:
    """Calls in parallel: each uses its own credentials (`ScenarioCall.check` compares session and person)."""
    context.transcript.scenario = "six calls at once, each with credentials of its own"
    tools = {
        "iam___list_roles": ({"max_items": 1}, "iam:ListRoles"),
        "iam___list_policies": ({"max_items": 1}, "iam:ListPolicies"),
        "iam___list_groups": ({}, "iam:ListGroups"),
        "cloudwatch___get_active_alarms": ({"max_items": 1}, "cloudwatch:DescribeAlarms"),
        "cloudwatch___describe_log_groups": ({"max_items": 1}, "logs:DescribeLogGroups"),
        "cloudtrail___lookup_events": ({"max_results": 1}, "cloudtrail:LookupEvents"),
    }
    replies = await asyncio.gather(*(user.call(tool, dict(arguments)) for tool, (arguments, _) in tools.items()))
    for (tool, (_, action)), reply in zip(tools.items(), replies, strict=True):
        _add(context, tool.replace(SEPARATOR, "."), tool, reply, Expected(aws={action: "allowed"}))
    ids = [reply.outcome.call_id for reply in replies]
    if len(set(ids)) != len(ids):
        context.transcript.calls[-1].problems.append("calls in parallel share a call id")


async def _reads_the_trail(context: ScenarioContext, user: McpUser) -> None:
    """CloudTrail reads like a sentence: the attempt of the tampered server, with the person and the call.

    The auditor sees for whom and for which call credentials were made. The attempt itself stands in the department's
    own trail, which no persona reads.
    """
    context.transcript.scenario = "finds the person and the call in CloudTrail"
    stolen = context.transcript.calls[-1]
    names = (context.member.staff_id, stolen.outcome.call_id or "no call id")
    await _answered(
        context,
        user,
        "find in CloudTrail for whom and for which call credentials were made",
        "cloudtrail___lookup_events",
        {"attribute_key": "EventName", "attribute_value": "AssumeRole", "max_results": 3},
        "cloudtrail:LookupEvents",
        text=names,
    )
    for group in context.department.aws.trail_log_groups:
        lines = context.department.aws.log_lines(group)
        if not any("AccessDenied" in line and all(name in line for name in names) for line in lines):
            stolen.problems.append("the trail's log group does not show the attempt with its person and call")


def query_of(group: str, text: str) -> dict[str, object]:
    """Arguments of a Logs Insights query on one log group, over the last hour."""
    now = datetime.datetime.now(datetime.UTC)
    return {
        "log_group_names": [group],
        "start_time": (now - datetime.timedelta(hours=1)).isoformat(timespec="seconds"),
        "end_time": (now + datetime.timedelta(minutes=1)).isoformat(timespec="seconds"),
        "query_string": text,
        "limit": 50,
    }


def _start_tampered(context: ScenarioContext) -> Runtime:
    spec = context.runtime(SERVER).spec
    genuine = local.packages(SERVER)
    packages = tampered_packages(genuine, context.department.folder / "tampered-packages")
    return context.department.start_runtime(spec, folder="tampered", server_packages=packages)


async def _answered(
    context: ScenarioContext,
    user: McpUser,
    step: str,
    tool: str,
    arguments: dict[str, object],
    action: str,
    *,
    text: tuple[str, ...] = (),
) -> ScenarioCall:
    reply = await user.call(shown_name(tool), arguments)
    return _add(context, step, tool, reply, Expected(aws={action: "allowed"}, text=text))


def _add(context: ScenarioContext, step: str, tool: str, reply: Reply, expected: Expected) -> ScenarioCall:
    return context.transcript.add(
        step,
        user=context.member.staff_id,
        tool=tool,
        outcome=reply.outcome,
        latency_ms=reply.latency_ms,
        expected=expected,
    )
