"""What must be refused, and by which layer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from callpath.txn_token import HEADER
from ringfence.rehearsal.compute.runtimes import Runtime
from ringfence.rehearsal.scenarios.calls import THROUGH_THE_GATEWAY, Expected, Outcome, Way
from ringfence.rehearsal.scenarios.granted import of_its_servers_and_not_granted
from ringfence.rehearsal.scenarios.mcp_user import McpUser, Reply, knock
from ringfence.rehearsal.scenarios.stage import Stage
from ringfence.rehearsal.scenarios.tampered_server import SERVER, STOLEN_ACTION, TOOL

_LIST_USERS = "iam___list_users"
_TOKENS = "comes with a token that does not open the gateway"
_PAST_THE_GATEWAY = Way(enters="runtime")


async def refused_requests(stage: Stage, user: McpUser) -> None:
    """Requests that the request interceptor stops."""
    stage.script.scene = "asks for what was not granted"
    await _refused(
        stage, user, "change something: create a user", "iam___create_user", {"user_name": "x"}, "unknown-tool"
    )
    await _refused(
        stage, user, "use a tool that no persona has", "cloudtrail___lake_query", {"sql": "SELECT 1"}, "unknown-tool"
    )
    await _refused(
        stage, user, "send an argument the tool does not have", _LIST_USERS, {"confirmed": True}, "unknown-argument"
    )
    await _refused(
        stage,
        user,
        "ask for another region",
        "cloudwatch___get_active_alarms",
        {"region": "us-east-1"},
        "forced-argument",
    )
    reply = await user.read_resource()
    _add(
        stage,
        "read a resource, which policy would not see",
        "resources/read",
        _completed(stage, reply),
        Expected("request", ("method-refused",)),
    )


async def refused_to_everybody(stage: Stage, user: McpUser) -> None:
    """What no persona may do, for a persona that is played in short."""
    stage.script.scene = "asks for what was not granted"
    for tool in ("iam___create_user", *of_its_servers_and_not_granted(stage)[:1]):
        await _refused(stage, user, f"use a tool that it does not hold: {tool}", tool, {}, "unknown-tool")
    await refused_by_cedar(stage, user)
    stage.script.scene = _TOKENS
    reply = await knock(stage.server.url, stage.token(stage.visitor))
    expected = Expected("ingress", ("insufficient-scope",))
    _add(
        stage,
        "sign in without a group of the persona",
        "initialize",
        _completed(stage, reply),
        expected,
        user=stage.visitor.staff_id,
    )


async def refused_at_ingress(stage: Stage) -> None:
    """Tokens that do not open the gateway."""
    stage.script.scene = _TOKENS
    visitor, member = stage.visitor, stage.member
    for step, token, user, rule, status in (
        (
            "sign in without a group of the persona",
            stage.token(visitor),
            visitor,
            "insufficient-scope",
            HTTPStatus.FORBIDDEN,
        ),
        (
            "come without the persona's group, with a token that the pre-token function never saw",
            stage.token(visitor, without_trigger=True),
            visitor,
            "claim-missing",
            HTTPStatus.FORBIDDEN,
        ),
        ("come with an expired token", stage.token(age=7200), member, "token-expired", HTTPStatus.UNAUTHORIZED),
        (
            "come with a token signed by somebody else",
            stage.token(foreign=True),
            member,
            "token-signature",
            HTTPStatus.UNAUTHORIZED,
        ),
    ):
        reply = await knock(stage.server.url, token)
        outcome = stage.completed(reply.outcome)
        stage.script.add(
            step,
            user=user.staff_id,
            tool="initialize",
            outcome=outcome,
            latency_ms=reply.latency_ms,
            expected=Expected("ingress", (rule,)),
            note=f"HTTP {status.value}",
        )


def refused_by_the_runtime(stage: Stage) -> None:
    """Requests that go around the gateway."""
    stage.script.scene = "others go around the gateway, to a runtime"
    decision = stage.invoke_as_administrator("iam")
    _add(
        stage,
        "invoke the runtime as an administrator of the account, past the gateway",
        _LIST_USERS,
        Reply(Outcome(not decision.allowed, "runtime", f"invoke-{decision.policy_type}", None, decision.reason), 0.0),
        Expected("runtime", ("invoke-resource",)),
        user="SomeAdministrator",
        way=_PAST_THE_GATEWAY,
    )
    _direct(stage, "reach the runtime without a Txn-Token", {}, None, "token-missing")
    passage = next(
        passage
        for passage in reversed(stage.gateway.passages)
        if passage.tool == _LIST_USERS and passage.forwarded is not None and passage.layer is None
    )
    used = (passage.forwarded or ({}, b""))[0][HEADER.lower()]
    _direct(stage, "replay the Txn-Token of an earlier call", {}, used, "token-replayed")
    fresh = stage.minted_token(_LIST_USERS, {})
    _direct(stage, "use a Txn-Token for other arguments", {"path_prefix": "/other/"}, fresh, "token-arguments")


async def refused_by_cedar(stage: Stage, user: McpUser) -> None:
    """The same change once more, with the request interceptor switched off: the policy engine stops it alone."""
    stage.script.scene = "the request interceptor is switched off"
    with switched_off(stage, "request"):
        reply = await user.call("iam___create_user", {"user_name": "x"})
        _add(
            stage,
            "create a user with the request interceptor switched off",
            "iam___create_user",
            _completed(stage, reply),
            Expected("policy"),
            way=Way(without=("request",)),
        )


async def refused_by_aws(stage: Stage, user: McpUser, tampered: Runtime) -> None:
    """A server that tries an action its tool does not declare: everything before IAM finds the call in order."""
    stage.script.scene = "a server was tampered with"
    genuine = stage.runtime(SERVER)
    stage.gateway.runtimes[genuine.spec.arn] = tampered
    try:
        reply = await user.call(f"{SERVER}___{TOOL}", {})
    finally:
        stage.gateway.runtimes[genuine.spec.arn] = genuine
    _add(
        stage,
        "call a tool of a server that was tampered with and tries to create a user",
        f"{SERVER}___{TOOL}",
        reply,
        Expected("aws", aws={STOLEN_ACTION: "refused"}),
    )


@contextmanager
def switched_off(stage: Stage, *layers: str) -> Iterator[None]:
    """Switch layers of the gateway off for a while."""
    stage.gateway.switched_off |= set(layers)
    try:
        yield
    finally:
        stage.gateway.switched_off -= set(layers)


async def _refused(stage: Stage, user: McpUser, step: str, tool: str, arguments: dict[str, object], rule: str) -> None:
    reply = await user.call(tool, arguments)
    _add(stage, step, tool, _completed(stage, reply), Expected("request", (rule,)))


def _completed(stage: Stage, reply: Reply) -> Reply:
    return Reply(stage.completed(reply.outcome), reply.latency_ms)


def _direct(stage: Stage, step: str, arguments: dict[str, object], token: str | None, rule: str) -> None:
    reply = stage.post_to_runtime("iam", "list_users", arguments, headers={HEADER: token} if token else {})
    user = stage.member.staff_id if token else ""
    _add(stage, step, _LIST_USERS, reply, Expected("runtime", (rule,)), user=user, way=_PAST_THE_GATEWAY)


def _add(
    stage: Stage,
    step: str,
    tool: str,
    reply: Reply,
    expected: Expected,
    *,
    user: str | None = None,
    way: Way = THROUGH_THE_GATEWAY,
) -> None:
    stage.script.add(
        step,
        user=stage.member.staff_id if user is None else user,
        tool=tool,
        outcome=reply.outcome,
        latency_ms=reply.latency_ms,
        expected=expected,
        way=way,
    )
