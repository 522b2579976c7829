"""What the visit saw, judged: session, tools, calls, refusals, times and sizes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, Final

from ringfence.compilers.rules import interceptor_rules
from ringfence.live.results import Result, right, unknown, wrong
from ringfence.live.verification.after import After
from ringfence.live.verification.visit import SESSION, Exchange, Visit

COLD_START_LIMIT: Final = 30.0
"""Seconds in which a runtime has to be ready (AgentCore's own error message, seen live by many in 2026)."""
NO_ANSWER: Final = "no-answer"
"""The response interceptor's rule where the gateway does not show it the refusal that ended a request before."""
Judge = Callable[[After, Visit], Iterator[Result]]


def _of_a_visit(judge: Judge) -> Callable[[After], Iterator[Result]]:
    @wraps(judge)
    def judged(after: After) -> Iterator[Result]:
        if after.visit is None:
            found = "Nobody signed in, so the gateway was not visited."
            yield unknown(judge.__name__.replace("_", " "), found, "Sign in, or give a token in RINGFENCE_TOKEN.")
        else:
            yield from judge(after, after.visit)

    return judged


@_of_a_visit
def sign_in(after: After, _visit: Visit) -> Iterator[Result]:
    """Looks at what the access token says."""
    claims, scope = after.claims, f"ringfence/{after.persona}"
    differs = []
    if claims.get("token_use") != "access":
        differs.append(f"token_use is {claims.get('token_use')}, not access")
    if after.persona not in claims.get("cognito:groups", []):
        differs.append(f"cognito:groups does not hold {after.persona}")
    if scope not in str(claims.get("scope", "")).split():
        differs.append(f"the scope {scope} is missing")
    if not after.staff_id:
        differs.append("it names no staff identifier")
    kept = ("token_use", "cognito:groups", "scope", "client_id", "version", "exp", "iat")
    evidence = {name: claims[name] for name in kept if name in claims}
    if differs:
        remedy = "Compare identity.groups with the person's groups, and the pre-token function's log."
        yield wrong("access token", f"{'; '.join(differs)}.", remedy, evidence=evidence)
    else:
        yield right("access token", "It holds persona, scope and staff identifier.", evidence=evidence)


@_of_a_visit
def session(_after: After, seen: Visit) -> Iterator[Result]:
    """Looks whether sessions are given out, held, and told from invented ones."""
    kept = seen.initialize.headers.get(SESSION)
    if seen.initialize.status == 200 and kept:
        yield right("initialize", "Answered, with Mcp-Session-Id.", evidence=seen.initialize.as_json())
    else:
        found = f"Answered with {seen.initialize.status} and {'a' if kept else 'no'} Mcp-Session-Id."
        yield wrong(
            "initialize", found, "The response interceptor must pass the header on.", evidence=_said(seen.initialize)
        )
    status = seen.initialized.status
    if status in (200, 202) and seen.initialized.body is None:
        yield right("notifications/initialized", f"{status}, without a body.")
    else:
        remedy = "Compare the interceptors' logs: how does the gateway hand a notification on?"
        yield wrong("notifications/initialized", f"{status}.", remedy, evidence=_said(seen.initialized))
    invented = seen.invented_session.status
    if invented in (400, 404):
        yield right("an invented session", f"Refused with {invented}.")
    else:
        remedy = "Do not go live: a session must belong to its person."
        yield wrong("an invented session", f"Answered with {invented}.", remedy, evidence=_said(seen.invented_session))


@_of_a_visit
def tools(after: After, seen: Visit) -> Iterator[Result]:
    """Compares the listed tools with what lock and catalogue make of them."""
    compiled = interceptor_rules(after.needs.catalogue, after.needs.department, after.persona)["tools"]
    wanted = {tool["shown"]["name"]: tool["shown"] for tool in compiled.values()}
    listed = {tool.get("name"): tool for tool in seen.tools}
    for name in sorted(wanted.keys() | listed.keys(), key=str):
        if name not in listed:
            remedy = "Look at the response half of the record: a dropped tool came back changed from the gateway."
            yield wrong(f"tool {name}", "It is not listed.", remedy)
        elif name not in wanted:
            yield wrong(f"tool {name}", "It is listed and not granted.", "Do not go live; compare the target's list.")
        else:
            parts = ("description", "inputSchema", "annotations")
            differs = [part for part in parts if listed[name].get(part) != wanted[name][part]]
            if differs:
                yield wrong(
                    f"tool {name}", f"{' and '.join(differs)} differ from what was compiled.", "Do not go live."
                )
    if wanted and listed == {name: {**listed.get(name, {}), **definition} for name, definition in wanted.items()}:
        yield right("tools", f"All {len(wanted)}, as compiled.")
    shown = seen.by_client
    if shown == wanted.keys():
        yield right("a real MCP client", "It is shown the same.")
    else:
        told = shown if isinstance(shown, str) else f"{len(shown)} tools, not {len(wanted)}"
        yield wrong("a real MCP client", f"It is shown something else: {told}.", "Compare with what is said above.")


@_of_a_visit
def calls(after: After, seen: Visit) -> Iterator[Result]:
    """Looks at the safe calls: each must be answered, under a call id."""
    if not seen.first:
        found = f"No tool of {after.persona} can be called without an argument of somebody's choice."
        yield unknown("calls", found, "Call one with an MCP host, and look for its record.")
    for tool, exchange in seen.first.items():
        if exchange.outcome.refused:
            said = exchange.outcome.text[:200]
            found = (
                f"Refused ({exchange.outcome.layer or 'no layer'}, {exchange.outcome.rule or exchange.status}): {said}"
            )
            yield wrong(
                f"call {tool}", found, "See the troubleshooting runbook for this message.", evidence=_said(exchange)
            )
        elif not exchange.call_id:
            yield wrong(f"call {tool}", "Answered without a call id.", "The response interceptor did not run.")
        else:
            yield right(f"call {tool}", f"Answered, call {exchange.call_id}.", evidence=exchange.as_json())


@_of_a_visit
def refusals(_after: After, seen: Visit) -> Iterator[Result]:
    """Looks whether each layer that a caller can meet refuses, and says why."""
    for subject, exchange in (("no token", seen.without_token), ("a spoiled token", seen.spoiled_token)):
        if exchange.status in (401, 403):
            yield right(f"ingress: {subject}", f"Refused with {exchange.status}.")
        else:
            yield wrong(
                f"ingress: {subject}", f"Answered with {exchange.status}.", "Do not go live.", evidence=_said(exchange)
            )
    for subject, exchange in (
        ("a tool that nobody has", seen.unknown_tool),
        ("an argument that is not declared", seen.undeclared_argument),
        ("resources/read", seen.resources),
    ):
        outcome = exchange.outcome
        if outcome.refused and outcome.call_id and (outcome.layer == "request" or outcome.rule == NO_ANSWER):
            told = "the gateway did not show the reason on" if outcome.rule == NO_ANSWER else outcome.rule
            yield right(
                f"request: {subject}", f"Refused ({told}), call {outcome.call_id}.", evidence=exchange.as_json()
            )
        elif outcome.refused:
            found = f"Refused, but not told by the request layer: {outcome.layer or outcome.text[:120] or 'no body'}."
            remedy = "Compare the request half of the record: was it asked, and did its answer arrive?"
            yield wrong(f"request: {subject}", found, remedy, evidence=_said(exchange))
        else:
            yield wrong(f"request: {subject}", "It was answered.", "Do not go live.", evidence=_said(exchange))


@_of_a_visit
def cold_start(_after: After, seen: Visit) -> Iterator[Result]:
    """Compares the first call of each server with its second."""
    for tool, first in seen.first.items():
        second = seen.second.get(tool)
        times = {"first": round(first.seconds, 2), "second": round(second.seconds, 2) if second else None}
        told = f"{times['first']} s, then {times['second']} s."
        if first.seconds >= COLD_START_LIMIT:
            remedy = "Look at the runtime's log for its start, and make its zip smaller."
            yield wrong(f"first call of {tool}", told, remedy, evidence=times)
        else:
            yield right(f"first call of {tool}", told, evidence=times)


@_of_a_visit
def result_size(_after: After, seen: Visit) -> Iterator[Result]:
    """Looks at the largest answer that this account gave."""
    sizes = {tool: max(seen.first[tool].size, seen.second[tool].size) for tool in seen.first}
    if not sizes:
        yield unknown("largest answer", "No call was made.", "Call one with an MCP host.")
    else:
        yield right("largest answer", f"{max(sizes.values())} bytes arrived.", evidence=sizes)


def _said(exchange: Exchange) -> dict[str, Any]:
    return exchange.as_json() | {"headers": sorted(exchange.headers)}
