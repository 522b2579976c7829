"""Every tool that a persona is granted, called once: a persona that can do nothing must not pass for one that works.

A call is made from the published schema where that leaves nothing open, and else from the examples that `server.toml`
gives with the tool. What the local AWS does not emulate is listed with that as the reason, told from what it decided.
"""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from callpath.arguments import ToolRule, check_arguments
from callpath.refusal import Refusal
from ringfence.deployed.gateways import SEPARATOR, published
from ringfence.rehearsal.scenarios.calls import Expected
from ringfence.rehearsal.scenarios.mcp_user import McpUser
from ringfence.rehearsal.scenarios.scenario_context import ScenarioContext

CATALOGUE = Path(__file__).resolve().parents[3] / "catalogue" / "servers"
ANSWERED = "answered"
_NOT_CALLED = "not called"
# What the local AWS answers where it is at its end, and not the policies.
_NOT_EMULATED = ("NotImplemented", "UnknownOperationException", "UnknownService")
# What the examples of server.toml would change, by the prefix of its ARN: tagged as the department's sandbox.
_SANDBOX = {
    "elasticmapreduce": "cluster/j-EXAMPLE000001",
    "emr-serverless": "/applications/00example0000001/jobruns/00example0000002",
    "glue": "session/example",
}


async def each_granted_tool(context: ScenarioContext, user: McpUser) -> None:
    """Call every tool of the gateway that no call was answered of yet, those of different servers at once."""
    context.transcript.scenario = "calls each granted tool that was not called yet"
    aws = context.department.aws
    for prefix, resource in _SANDBOX.items():
        aws.tag(f"arn:aws:{prefix}:{aws.region}:{aws.account}:{resource}", {"ringfence:sandbox": "true"})
    left = [tool for tool, said in granted_tools(context).items() if said != ANSWERED]
    examples = {tool: example_of(context, tool) for tool in left}  # what cannot be called is told before anything is
    servers = {tool.partition(SEPARATOR)[0] for tool in left}
    await asyncio.gather(
        *(
            _each(context, user, {tool: each for tool, each in examples.items() if tool.startswith(server + SEPARATOR)})
            for server in servers
        )
    )


def granted_tools(context: ScenarioContext) -> dict[str, str]:
    """What the play shows of each granted tool: `answered`, or why it is not, by published name."""
    said = {tool: _NOT_CALLED for tool in sorted(context.published)} | context.transcript.unanswered
    for call in context.transcript.calls:
        name = published(call.server, call.tool)
        if name in said and not call.outcome.refused and call.outcome.layer is None:
            said[name] = ANSWERED
        elif said.get(name) == _NOT_CALLED:
            said[name] = "called and not answered"
    return said


def problems_of(context: ScenarioContext) -> list[str]:
    """What is not shown of a persona's tools although it must be."""
    said = granted_tools(context)
    problems = [f"{tool} of {context.persona} was never called" for tool, why in said.items() if why == _NOT_CALLED]
    if ANSWERED not in said.values():
        problems.append(f"not one tool of {context.persona} was answered, so nothing shows that it can do anything")
    return problems


async def _each(
    context: ScenarioContext, user: McpUser, examples: Mapping[str, tuple[dict[str, Any] | None, str]]
) -> None:
    for tool, (arguments, why) in examples.items():
        if arguments is None:
            context.transcript.unanswered[tool] = why
            continue
        reply = await user.call(shown_name(tool), arguments)
        excuse = _excuse(context, reply.outcome.call_id)
        if excuse:
            context.transcript.unanswered[tool] = excuse
        context.transcript.add(
            tool.replace(SEPARATOR, "."),
            user=context.member.staff_id,
            tool=tool,
            outcome=reply.outcome,
            latency_ms=reply.latency_ms,
            expected=Expected(excuse=excuse),
            note=excuse or _unmapped(context, reply.outcome.call_id),
        )


def shown_name(tool: str) -> str:
    """What a model calls a tool, by the gateway's name for it."""
    server, _, name = tool.partition(SEPARATOR)
    described = tomllib.loads((CATALOGUE / server / "server.toml").read_text(encoding="utf-8"))
    return published(described.get("alias", server), described["tools"][name].get("alias", name))


def example_of(context: ScenarioContext, tool: str) -> tuple[dict[str, Any] | None, str]:
    """Arguments that the published schema accepts, or none and the reason.

    Raises:
        NoExample: the schema leaves something open, and no example of `server.toml` fits.
    """
    schema = context.gateway.spec.inputs[tool]
    server, _, name = tool.partition(SEPARATOR)
    path = CATALOGUE / server / "server.toml"
    described: Mapping[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))["tools"][name]
    if "no_example" in described:
        return None, str(described["no_example"])
    for example in (*described.get("examples", ()), _from_schema(schema)):
        if example is not None:
            filled = _filled(example, context)
            try:
                check_arguments(ToolRule(name, dict(schema), {}), filled)
            except Refusal:
                continue
            return filled, ""
    raise NoExample(
        f"no call of {tool} can be made for {context.persona}: its schema leaves arguments open, and no example fits; "
        f"write one under [tools.{name}] of catalogue/servers/{server}/server.toml, as `examples = [{{ … }}]`"
    )


class NoExample(Exception):
    """A granted tool cannot be called, because nobody says with what."""


def of_its_servers_and_not_granted(context: ScenarioContext) -> list[str]:
    """Tools of the persona's servers that its gateway does not hold, by published name."""
    found = []
    for server in sorted(target.name for target in context.gateway.spec.targets):
        described = tomllib.loads((CATALOGUE / server / "server.toml").read_text(encoding="utf-8"))
        found += [published(server, tool) for tool in described["tools"]]
    return [tool for tool in found if tool not in context.published]


def _from_schema(schema: Mapping[str, Any]) -> dict[str, Any] | None:
    """The least call, where the schema itself says every value that it needs."""
    made = {}
    for name in schema.get("required", ()):
        part = schema["properties"][name]
        if "const" not in part and not part.get("enum"):
            return None
        made[name] = part["const"] if "const" in part else part["enum"][0]
    return made


def _filled(value: Any, context: ScenarioContext) -> Any:
    """An example with the department's account and name in it."""
    if isinstance(value, Mapping):
        return {key: _filled(each, context) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, context) for each in value]
    if isinstance(value, str):
        value = value.replace("{account}", context.department.assembly.account)
        return value.replace("{department}", context.department.name)
    return value


def _unmapped(context: ScenarioContext, call_id: str | None) -> str:
    """What the local AWS said of a request whose resource it does not know, which a server may keep to itself."""
    calls = context.department.aws.calls_for(call_id) if call_id else ()
    return next((str(call.event["errorMessage"]) for call in calls if call.error_code == "UnmappedResource"), "")


def _excuse(context: ScenarioContext, call_id: str | None) -> str:
    """Which AWS request of a call the local AWS could not answer, in a sentence, or nothing."""
    for call in context.department.aws.calls_for(call_id) if call_id else ():
        message, admitted = str(call.event.get("errorMessage", "")).lower(), call.decision == "allowed"
        if call.error_code in _NOT_EMULATED or "is not emulated" in message:
            decided = "which the policies admit" if admitted else "so nothing is shown of its policies"
            return f"called; the local AWS does not emulate {call.call}, {decided}"
        if admitted and ("does not exist" in message or "NotFound" in str(call.error_code)):
            return f"called; the policies admit {call.call}, and the local AWS holds nothing of that name"
    return ""
