"""Deliberate faults, nothing of it without `--drill`: each is undone in any case, and says how to undo it by hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from ringfence.live.deployed import StackResource
from ringfence.live.results import Result, right, unknown, wrong
from ringfence.live.verification.after import After, gateway_url
from ringfence.live.verification.safe_calls import safe_calls
from ringfence.live.verification.visit import Caller, Exchange

# What a drill may do besides reading (`account.Account.change`).
CONCURRENCY: Final = "lambda:PutFunctionConcurrency"
NO_CONCURRENCY: Final = "lambda:DeleteFunctionConcurrency"
INVOKE: Final = "bedrock-agentcore:InvokeAgentRuntime"
_DENIED: Final = ("AccessDeniedException", "AccessDenied")


def interceptor_failure(after: After) -> Iterator[Result]:
    """Lets each interceptor in turn run nowhere, and calls: nothing may be answered."""
    if not after.drill:
        return
    calls = safe_calls(after.needs, after.persona)
    if not after.token or not calls:
        yield unknown("interceptors' failure", "Nobody signed in, or there is no safe call.", "Sign in first.")
        return
    tool, arguments = next(iter(calls.items()))
    caller = Caller(gateway_url(after.deployed, after.department, after.persona), after.token)
    caller.open()
    for point in ("request", "response"):
        function = _interceptor(after, point)
        if function is None:
            yield unknown(f"{point} interceptor", "Its function is not among the stack's.", "Report this.")
            continue
        with _switched_off(after, function.physical_id):
            after.tell(f"call {tool} while {function.physical_id} may run nowhere")
            exchange = caller.call(tool, arguments)
        yield _judged(point, exchange)


def _judged(point: str, exchange: Exchange) -> Result:
    subject = f"{point} interceptor that does not run"
    if not exchange.status:
        return unknown(subject, f"Nothing came back: {exchange.trouble}.", "Try again: was the gateway reached at all?")
    if exchange.outcome.refused:
        return right(subject, f"Nothing was answered ({exchange.status}).", evidence=exchange.as_json())
    found = "The gateway answered all the same."
    worse = "Do not go live: answers would be unredacted." if point == "response" else "Do not go live."
    return wrong(subject, found, worse, evidence=exchange.as_json())


def _interceptor(after: After, point: str) -> StackResource | None:
    name = f"ringfence-{after.department}-{after.persona}-{point}"
    owned = after.deployed.owned("AWS::Lambda::Function")
    return next((each for each in owned if each.physical_id == name), None)


@contextmanager
def _switched_off(after: After, function: str) -> Iterator[None]:
    """Reserves no concurrency at all for a function, and gives back what it had."""
    before = after.account.ask("lambda:GetFunctionConcurrency", FunctionName=function) or {}
    had: Any = before.get("ReservedConcurrentExecutions")
    undo = (
        f"aws lambda put-function-concurrency --function-name {function} --reserved-concurrent-executions {had}"
        if had is not None
        else f"aws lambda delete-function-concurrency --function-name {function}"
    )
    after.tell(f"should this be cut off, undo it with: {undo}")
    try:
        after.account.change(CONCURRENCY, FunctionName=function, ReservedConcurrentExecutions=0)
        yield
    finally:
        if had is not None:
            after.account.change(CONCURRENCY, FunctionName=function, ReservedConcurrentExecutions=had)
        else:
            after.account.change(NO_CONCURRENCY, FunctionName=function)


def around_the_gateway(after: After) -> Iterator[Result]:
    """Invokes each runtime with these credentials, past the gateway: its resource policy must refuse."""
    if not after.drill:
        return
    for resource in after.deployed.owned("AWS::BedrockAgentCore::Runtime"):
        runtime = resource.physical_id.rpartition("/")[2]
        arn = f"arn:aws:bedrock-agentcore:{after.needs.department.region}:{after.needs.account}:runtime/{runtime}"
        body = b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}'
        answer = after.account.change(
            INVOKE,
            refused=_DENIED,
            agentRuntimeArn=arn,
            payload=body,
            contentType="application/json",
            accept="application/json, text/event-stream",
        )
        if answer is None:
            yield right(f"runtime {runtime}", "It refuses whoever is not its gateway.")
        else:
            remedy = "Do not go live: compare the runtime's resource policies."
            yield wrong(f"runtime {runtime}", "It answered past its gateway.", remedy)
