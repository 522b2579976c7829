"""Proof 6: the gateways' Cedar policies fit their tools, and decide every call as the catalogue says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ringfence.cedar.engine import CedarEngine, InvalidCedar, check_policy, read_once
from ringfence.deployed.gateways import DeployedGateway, published
from ringfence.proofs.evidence import Evidence
from ringfence.proofs.examples import example_arguments, other_value
from ringfence.proofs.expected_permissions import HeldTool
from ringfence.proofs.findings import Finding, Outcome

GROUPS_CLAIM: Final = "cognito:groups"
ABSENT: Final = object()
_USER: Final = "11112222-3333-4444-5555-666677778888"


@dataclass(frozen=True)
class Attempt:
    """One call with the answer that the catalogue gives to it, for somebody who holds the persona.

    Attributes:
        tool: published name.
        arguments: what the caller sends.
        granted: whether the policies should permit it.
        what: what is special about it, for the message.
    """

    tool: str
    arguments: Mapping[str, Any]
    granted: bool
    what: str


def prove(evidence: Evidence) -> Outcome:
    """Validate every policy, and decide every attempt under every groups claim."""
    findings: list[Finding] = []
    decisions = policies = 0
    for persona, gateway in evidence.gateways.items():
        subject = f"gateway {gateway.name}"
        if not gateway.enforce:
            findings.append(Finding(subject, "does not enforce its policy engine's decisions"))
        faults = list(_invalid(gateway))
        findings += faults
        policies += len(gateway.policies)
        if faults:
            continue
        attempts = list(attempts_of(evidence, persona, gateway))
        groups = tricky_groups(persona, tuple(evidence.expected.held_by))
        decisions += len(attempts) * len(groups)
        engine = CedarEngine(gateway_arn=gateway.arn, tools=gateway.tools.values(), policies=gateway.policies)
        findings += _sweep(subject, engine, attempts, groups)
        others = [each.url for each in evidence.gateways.values() if each is not gateway]
        findings += _audiences(subject, engine, gateway.url, attempts, persona, others)
        findings += _deciding_left_out(subject, gateway, evidence.expected.tools(persona), attempts, persona)
    return Outcome(tuple(findings), {"policies": policies, "decisions": decisions})


def tricky_groups(persona: str, personas: tuple[str, ...]) -> list[tuple[Any, bool]]:
    """Values of the groups claim, and whether each makes its bearer the persona."""
    others = [name for name in personas if name != persona]
    return [
        ([persona], True),
        ([persona, "x"], True),
        (["x", persona], True),
        (["x", persona, *others], True),
        (ABSENT, False),
        ([], False),
        ("", False),
        (persona, False),  # plain text, not a list
        ("[]", False),
        ([f"Non{persona.title()}"], False),
        ([f"non{persona}"], False),
        ([f"{persona}s"], False),
        ([f"{persona} "], False),
        ([persona.upper()], False),
        ([f'x"{persona}"x'], False),
        ([f"x,{persona}"], False),
        ("*", False),
        ([f"*{persona[1:]}"], False),
        *(([name], False) for name in others),
        *([(others, False)] if others else []),
    ]


def _invalid(gateway: DeployedGateway) -> Iterator[Finding]:
    schema = read_once(gateway.schema)
    for name, text in gateway.policies.items():
        try:
            check_policy(name, text, schema)
        except InvalidCedar as problem:
            yield Finding(f"gateway {gateway.name}", str(problem))


def _sweep(
    subject: str, engine: CedarEngine, attempts: list[Attempt], groups: list[tuple[Any, bool]]
) -> Iterator[Finding]:
    calls = [(attempt.tool, attempt.arguments) for attempt in attempts]
    for claim, is_member in groups:
        claims = {"sub": _USER, "scope": "x", **({} if claim is ABSENT else {GROUPS_CLAIM: claim})}
        shown = "no groups claim" if claim is ABSENT else f"groups {claim!r}"
        for attempt, allowed in zip(attempts, engine.allowed(claims=claims, calls=calls), strict=True):
            if allowed != (attempt.granted and is_member):
                verb = "permits" if allowed else "denies"
                yield Finding(subject, f"{verb} {attempt.tool} ({attempt.what}) to a caller with {shown}")


def _audiences(
    subject: str, engine: CedarEngine, url: str, attempts: list[Attempt], persona: str, others: list[str]
) -> Iterator[Finding]:
    """Every call with a token that names an audience: this gateway, written as hosts send it, and no other."""
    wrong = [*others, f"{url}/", url.upper(), url.removesuffix("/mcp"), [url], [], ""]
    calls = [(attempt.tool, attempt.arguments) for attempt in attempts]
    for audience in (url, *wrong):
        claims = {"sub": _USER, "scope": "x", GROUPS_CLAIM: [persona], "aud": audience}
        for attempt, allowed in zip(attempts, engine.allowed(claims=claims, calls=calls), strict=True):
            if allowed != (attempt.granted and audience == url):
                verb = "permits" if allowed else "denies"
                yield Finding(subject, f"{verb} {attempt.tool} ({attempt.what}) to a token for {audience!r}")


def _deciding_left_out(
    subject: str, gateway: DeployedGateway, tools: tuple[HeldTool, ...], attempts: list[Attempt], persona: str
) -> Iterator[Finding]:
    """Calls without the argument that decides what a tool does, as if no schema asked for it.

    The engine denies them today for the schema alone, which is the server's and may change.
    """
    deciding = {tool.published: tool.operation for tool in tools if tool.operation}
    calls = [
        (attempt.tool, attempt.arguments)
        for attempt in attempts
        if attempt.tool in deciding and deciding[attempt.tool] not in attempt.arguments
    ]
    loosened = [
        {"name": name, "inputSchema": {**schema, "required": _others(schema.get("required"), deciding.get(name))}}
        for name, schema in gateway.inputs.items()
    ]
    try:
        engine = CedarEngine(gateway_arn=gateway.arn, tools=loosened, policies=gateway.policies) if calls else None
    except InvalidCedar as problem:
        yield Finding(subject, f"leans on a schema that asks for the deciding argument: {problem}")
        return
    claims = {"sub": _USER, "scope": "x", GROUPS_CLAIM: [persona]}
    allowed = engine.allowed(claims=claims, calls=calls) if engine else []
    for (name, _), permitted in zip(calls, allowed, strict=True):
        if permitted:
            yield Finding(subject, f"permits {name} without {deciding[name]} as soon as no schema asks for it")


def _others(names: list[str] | None, but: str | None) -> list[str]:
    return [name for name in names or () if name != but]


def attempts_of(evidence: Evidence, persona: str, gateway: DeployedGateway) -> Iterator[Attempt]:
    """Calls of every tool, with the answer that the catalogue gives to each."""
    granted = {tool.published: tool for tool in evidence.expected.tools(persona)}
    for name in sorted(set(granted) - set(gateway.inputs)):
        yield Attempt(name, {}, True, "granted, but not published")
    for name, schema in gateway.inputs.items():
        if name not in granted:
            yield Attempt(name, example_arguments(schema), False, "published, but not granted")
            continue
        yield from _of_tool(name, granted[name], schema)
    for server, tool in sorted({place[:2] for place in evidence.expected.places}):
        name = published(server, tool)
        if name not in granted and name not in gateway.inputs:
            yield Attempt(name, {}, False, "not granted")


def _of_tool(name: str, tool: HeldTool, schema: Mapping[str, Any]) -> Iterator[Attempt]:
    listed = {argument: rule["values"][0] for argument, rule in tool.rules.items() if rule.get("values")}
    example = example_arguments(schema)
    # A pattern says no example: what must be there and is one of a list is the first of the list.
    chosen = {name: value for name, value in listed.items() if name in example or name == tool.operation}
    base = {**example, **tool.sent("forced"), **chosen}
    yield Attempt(name, base, True, "as the schema asks")
    for argument, rule in sorted(tool.rules.items()):
        if argument not in (schema.get("properties") or {}):
            continue
        if rule["mode"] == "forced":
            without = {key: value for key, value in base.items() if key != argument}
            yield Attempt(name, without, False, f"without {argument}")
            yield Attempt(name, {**base, argument: other_value(rule["value"])}, False, f"another {argument}")
        elif rule["mode"] in ("allowed", "commands"):
            yield from _of_values(name, base, argument, rule, tool.known)
    if tool.operation:
        # Left out, the server would choose an operation itself.
        without = {key: value for key, value in base.items() if key != tool.operation}
        yield Attempt(name, without, False, f"without {tool.operation}")


def _of_values(
    name: str, base: Mapping[str, Any], argument: str, rule: Mapping[str, Any], operations: tuple[str, ...]
) -> Iterator[Attempt]:
    mode, values = rule["mode"], rule["values"]
    tails = ("",) if mode == "allowed" else ("", " --example x")
    for value in values:
        for tail in tails if isinstance(value, str) else ("",):
            sent = value + tail if tail else value
            yield Attempt(name, {**base, argument: sent}, True, f"{argument} {sent}")
    refused = [*(value for value in operations if value not in values), other_value(values[0])]
    if mode == "commands":
        refused += [f" {values[0]}", f"x {values[0]}", ""]
        refused = [text for text in refused if not str(text).startswith(tuple(f"{value} " for value in values))]
    for value in refused:
        yield Attempt(name, {**base, argument: value}, False, f"{argument} {value}")
