"""What must be refused, and by which layer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from callpath.txn_token import HEADER
from ringfence.rehearsal.compute.runtimes import Runtime
from ringfence.rehearsal.scenarios.calls import THROUGH_THE_GATEWAY, Expected, Outcome, Way
from ringfence.rehearsal.scenarios.granted import of_its_servers_and_not_granted
from ringfence.rehearsal.scenarios.mcp_user import McpUser, Reply, probe
from ringfence.rehearsal.scenarios.scenario_context import ScenarioContext
from ringfence.rehearsal.scenarios.tampered_server import SERVER, STOLEN_ACTION, TOOL

_LIST_USERS = "iam___list_users"
_TOKENS = "comes with a token that does not open the gateway"
_PAST_THE_GATEWAY = Way(enters="runtime")


async def refused_requests(context: ScenarioContext, user: McpUser) -> None:
    """Requests that the request interceptor stops."""
    context.transcript.scenario = "asks for what was not granted"
    await _refused(
        context, user, "change something: create a user", "iam___create_user", {"user_name": "x"}, "unknown-tool"
    )
    await _refused(
        context, user, "use a tool that no persona has", "cloudtrail___lake_query", {"sql": "SELECT 1"}, "unknown-tool"
    )
    await _refused(
        context, user, "send an argument the tool does not have", _LIST_USERS, {"confirmed": True}, "unknown-argument"
    )
    await _refused(
        context,
        user,
        "ask for another region",
        "cloudwatch___get_active_alarms",
        {"region": "us-east-1"},
        "forced-argument",
    )
    reply = await user.read_resource()
    _add(
        context,
        "read a resource, which policy would not see",
        "resources/read",
        _completed(context, reply),
        Expected("request", ("method-refused",)),
    )


async def refused_to_everybody(context: ScenarioContext, user: McpUser) -> None:
    """What no persona may do, for a persona that is played in short."""
    context.transcript.scenario = "asks for what was not granted"
    for tool in ("iam___create_user", *of_its_servers_and_not_granted(context)[:1]):
        await _refused(context, user, f"use a tool that it does not hold: {tool}", tool, {}, "unknown-tool")
    await refused_by_cedar(context, user)
    context.transcript.scenario = _TOKENS
    reply = await probe(context.server.url, context.token(context.visitor))
    expected = Expected("ingress", ("insufficient-scope",))
    _add(
        context,
        "sign in without a group of the persona",
        "initialize",
        _completed(context, reply),
        expected,
        user=context.visitor.staff_id,
    )


async def refused_at_ingress(context: ScenarioContext) -> None:
    """Tokens that do not open the gateway."""
    context.transcript.scenario = _TOKENS
    visitor, member = context.visitor, context.member
    for step, token, user, rule, status in (
        (
            "sign in without a group of the persona",
            context.token(visitor),
            visitor,
            "insufficient-scope",
            HTTPStatus.FORBIDDEN,
        ),
        (
            "come without the persona's group, with a token that the pre-token function never saw",
            context.token(visitor, without_trigger=True),
            visitor,
            "claim-missing",
            HTTPStatus.FORBIDDEN,
        ),
        ("come with an expired token", context.token(age=7200), member, "token-expired", HTTPStatus.UNAUTHORIZED),
        (
            "come with a token signed by somebody else",
            context.token(foreign=True),
            member,
            "token-signature",
            HTTPStatus.UNAUTHORIZED,
        ),
    ):
        reply = await probe(context.server.url, token)
        outcome = context.completed(reply.outcome)
        context.transcript.add(
            step,
            user=user.staff_id,
            tool="initialize",
            outcome=outcome,
            latency_ms=reply.latency_ms,
            expected=Expected("ingress", (rule,)),
            note=f"HTTP {status.value}",
        )


def refused_by_the_runtime(context: ScenarioContext) -> None:
    """Requests that go around the gateway."""
    context.transcript.scenario = "others go around the gateway, to a runtime"
    decision = context.invoke_as_administrator("iam")
    _add(
        context,
        "invoke the runtime as an administrator of the account, past the gateway",
        _LIST_USERS,
        Reply(Outcome(not decision.allowed, "runtime", f"invoke-{decision.policy_type}", None, decision.reason), 0.0),
        Expected("runtime", ("invoke-resource",)),
        user="SomeAdministrator",
        way=_PAST_THE_GATEWAY,
    )
    _direct(context, "reach the runtime without a Txn-Token", {}, None, "token-missing")
    trace = next(
        trace
        for trace in reversed(context.gateway.traces)
        if trace.tool == _LIST_USERS and trace.forwarded is not None and trace.layer is None
    )
    used = (trace.forwarded or ({}, b""))[0][HEADER.lower()]
    _direct(context, "replay the Txn-Token of an earlier call", {}, used, "token-replayed")
    fresh = context.minted_token(_LIST_USERS, {})
    _direct(context, "use a Txn-Token for other arguments", {"path_prefix": "/other/"}, fresh, "token-arguments")


async def refused_by_cedar(context: ScenarioContext, user: McpUser) -> None:
    """The same change once more, with the request interceptor switched off: the policy engine stops it alone."""
    context.transcript.scenario = "the request interceptor is switched off"
    with switched_off(context, "request"):
        reply = await user.call("iam___create_user", {"user_name": "x"})
        _add(
            context,
            "create a user with the request interceptor switched off",
            "iam___create_user",
            _completed(context, reply),
            Expected("policy"),
            way=Way(without=("request",)),
        )


async def refused_by_aws(context: ScenarioContext, user: McpUser, tampered: Runtime) -> None:
    """A server that tries an action its tool does not declare: everything before IAM finds the call in order."""
    context.transcript.scenario = "a server was tampered with"
    genuine = context.runtime(SERVER)
    context.gateway.runtimes[genuine.spec.arn] = tampered
    try:
        reply = await user.call(f"{SERVER}___{TOOL}", {})
    finally:
        context.gateway.runtimes[genuine.spec.arn] = genuine
    _add(
        context,
        "call a tool of a server that was tampered with and tries to create a user",
        f"{SERVER}___{TOOL}",
        reply,
        Expected("aws", aws={STOLEN_ACTION: "refused"}),
    )


@contextmanager
def switched_off(context: ScenarioContext, *layers: str) -> Iterator[None]:
    """Switch layers of the gateway off for a while."""
    context.gateway.switched_off |= set(layers)
    try:
        yield
    finally:
        context.gateway.switched_off -= set(layers)


async def _refused(
    context: ScenarioContext, user: McpUser, step: str, tool: str, arguments: dict[str, object], rule: str
) -> None:
    reply = await user.call(tool, arguments)
    _add(context, step, tool, _completed(context, reply), Expected("request", (rule,)))


def _completed(context: ScenarioContext, reply: Reply) -> Reply:
    return Reply(context.completed(reply.outcome), reply.latency_ms)


def _direct(context: ScenarioContext, step: str, arguments: dict[str, object], token: str | None, rule: str) -> None:
    reply = context.post_to_runtime("iam", "list_users", arguments, headers={HEADER: token} if token else {})
    user = context.member.staff_id if token else ""
    _add(context, step, _LIST_USERS, reply, Expected("runtime", (rule,)), user=user, way=_PAST_THE_GATEWAY)


def _add(
    context: ScenarioContext,
    step: str,
    tool: str,
    reply: Reply,
    expected: Expected,
    *,
    user: str | None = None,
    way: Way = THROUGH_THE_GATEWAY,
) -> None:
    context.transcript.add(
        step,
        user=context.member.staff_id if user is None else user,
        tool=tool,
        outcome=reply.outcome,
        latency_ms=reply.latency_ms,
        expected=expected,
        way=way,
    )
