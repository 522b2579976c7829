"""Proof 8: templates and zips, read back as persona, tools, operations, actions and resources, are the catalogue."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import cedarpy

from ringfence.deployed.gateways import DeployedGateway, published
from ringfence.deployed.known import values_at
from ringfence.deployed.runtimes import DeployedRuntime, rules_in
from ringfence.iam.policy import Policy
from ringfence.proofs.definitions import faults, shown_faults
from ringfence.proofs.evidence import Evidence
from ringfence.proofs.expected_permissions import LONDON, Call, HeldTool
from ringfence.proofs.findings import Finding, Outcome
from ringfence.proofs.startup import started_otherwise

METHODS: Final = (
    "initialize",
    "notifications/initialized",
    "notifications/cancelled",
    "ping",
    "tools/list",
    "tools/call",
)
"""What MCP 2025-11-25 asks of a server that has tools and nothing else (specification, Base Protocol and Tools)."""

EMPTY_LISTS: Final = {
    "prompts/list": "prompts",
    "resources/list": "resources",
    "resources/templates/list": "resourceTemplates",
}
"""What hosts ask for when they connect, by the field of the answer, which is empty: nothing here has any of it."""

_CODE: Final = {
    "AWS::BedrockAgentCore::Runtime": "AgentRuntimeArtifact.CodeConfiguration.Code.S3.Bucket",
    "AWS::Lambda::Function": "Code.S3Bucket",
}
"""The property that names the bucket of code, by type."""

LIMITS: Final = {"request_bytes": 131_072, "response_bytes": 1_048_576, "depth": 32}
"""The most that an interceptor may let through."""

_SHOWN: Final = 160
"""Characters of two values beyond which only their difference is told."""

Reading = dict[str, dict[str, dict[str, list[str]]]]
"""Resources by action, by call (`server.tool` or `server.tool.operation`), by persona."""


def prove(evidence: Evidence) -> Outcome:
    """Read every station of every persona's calls, and compare it with the catalogue."""
    findings = list(started_otherwise(evidence))
    deployed, wanted = set(evidence.gateways), set(evidence.expected.personas)
    findings += [Finding(f"persona {name}", "has a gateway, but is not the department's") for name in deployed - wanted]
    findings += [Finding(f"persona {name}", "is the department's, but has no gateway") for name in wanted - deployed]
    tools = 0
    for persona in sorted(deployed & wanted):
        granted = _granted(evidence, persona)
        tools += len(granted)
        findings += _gateway(evidence, persona, granted)
        findings += _interceptors(evidence, persona, granted)
        findings += _runtimes(evidence, persona, granted)
        findings += _policies(evidence, persona)
    findings += [*_groups(evidence), *_code(evidence)]
    calls = sum(len(of_persona) for of_persona in read_back(evidence).values())
    return Outcome(tuple(findings), {"personas": len(deployed), "tools": tools, "calls": calls})


def read_back(evidence: Evidence) -> Reading:
    """What each persona can call and what each call may do, from the zips that the templates deploy."""
    return {
        persona: {
            session.name: {action: sorted(resources) for action, resources in sorted(_allows(session.policy).items())}
            for session in evidence.sessions(persona)
        }
        for persona in evidence.persona_roles
    }


def _code(evidence: Evidence) -> Iterator[Finding]:
    """Code out of another bucket than the one that deployment puts these zips into: it would be somebody else's."""
    own = evidence.bootstrapped("assets")
    for kind, path in _CODE.items():
        for resource in evidence.assembly.of_type(kind):
            for bucket in values_at(resource.properties, path):
                if bucket != own:
                    yield Finding(f"code of {resource.logical_id}", f"comes from {bucket or 'nowhere'}, not {own}")


def _groups(evidence: Evidence) -> Iterator[Finding]:
    """Which of the department's groups have which persona, as the function that makes every token reads it."""
    identity, personas = evidence.expected.department["identity"], evidence.expected.personas
    federated = identity["provider"] != "none"
    wanted = {
        "GROUPS": {each: list(identity["groups"][each]) if federated else [each] for each in personas},
        "GROUP_NAMES": "plain" if identity.get("plain_names") else None,
    }
    for pool in evidence.assembly.of_type("AWS::Cognito::UserPool"):
        function = evidence.function(str(pool.properties["LambdaConfig"]["PreTokenGenerationConfig"]["LambdaArn"]))
        variables = function.environment
        found = {"GROUPS": json.loads(variables["GROUPS"]), "GROUP_NAMES": variables.get("GROUP_NAMES")}
        yield from _same(f"pre token function {function.resource.logical_id}", found, wanted)


def _granted(evidence: Evidence, persona: str) -> dict[str, HeldTool]:
    return {tool.published: tool for tool in evidence.expected.tools(persona)}


def _compared(subject: str, found: set[str], wanted: set[str], what: str) -> Iterator[Finding]:
    for name in sorted(found - wanted):
        yield Finding(subject, f"{what} {name}, which the catalogue does not grant")
    for name in sorted(wanted - found):
        yield Finding(subject, f"lacks {name}, which the catalogue grants")


def _gateway(evidence: Evidence, persona: str, granted: Mapping[str, HeldTool]) -> Iterator[Finding]:
    gateway = evidence.gateways[persona]
    subject = f"gateway {gateway.name}"
    if gateway.groups != (persona,):
        yield Finding(subject, f"admits the groups {list(gateway.groups)}, not only {persona}")
    yield from _compared(subject, set(gateway.tools), set(granted), "publishes")
    for name in sorted(set(gateway.tools) & set(granted)):
        for fault in faults(gateway.tools[name], granted[name]):
            yield Finding(subject, f"publishes {name} with another definition than the catalogue's: {fault}")
    yield from _compared(f"policies of {subject}", set(_permitted(gateway)), set(granted), "permit")


def _permitted(gateway: DeployedGateway) -> list[str]:
    """The tools that Cedar permits name as their action; a permit for any action is named as `any tool`."""
    found = []
    for text in gateway.policies.values():
        for policy in json.loads(cedarpy.policies_to_json_str(text))["staticPolicies"].values():
            entity = policy["action"].get("entity")
            if policy["effect"] == "permit":
                found.append(str(entity["id"]) if policy["action"]["op"] == "==" and entity else "any tool")
    return found


def _interceptors(evidence: Evidence, persona: str, granted: Mapping[str, HeldTool]) -> Iterator[Finding]:
    expected = evidence.expected
    whose = {
        "department": expected.name,
        "persona": persona,
        "account": expected.account,
        "environment": expected.department["environment"],
        "region": LONDON,
        "issuer": _issuer(expected.name, persona),
        "methods": list(METHODS),
        "empty_lists": dict(EMPTY_LISTS),
        "redaction": [dict(rule) for rule in expected.redaction],
    }
    for point in ("REQUEST", "RESPONSE"):
        function = evidence.function(evidence.gateways[persona].interceptor(point).function_arn)
        subject = f"{point.lower()} interceptor {function.resource.logical_id}"
        rules = rules_in(function.zip_path, "rules.json")
        yield from _same(subject, rules, whose)
        for limit, most in LIMITS.items():
            if not 0 < rules["limits"][limit] <= most:
                yield Finding(subject, f"admits {rules['limits'][limit]} {limit}, more than {most}")
        yield from _compared(subject, set(rules["tools"]), set(granted), "knows")
        for name in sorted(set(rules["tools"]) & set(granted)):
            entry, tool = rules["tools"][name], granted[name]
            about = {
                "server": tool.server,
                "tool": tool.name,
                "level": tool.level,
                "audience": _audience(expected.name, persona, tool.server),
                "untrusted": tool.untrusted,
                "sensitive": tool.marked("sensitive") or tool.marked("personal"),
                **_of_both(tool),
            }
            yield from _same(f"{subject} {name}", entry, about)
            for fault in shown_faults(entry.get("shown", {}), tool):
                yield Finding(subject, f"has a model read otherwise of {name} than it should: {fault}")
            for fault in faults(entry["definition"], tool):
                yield Finding(subject, f"checks {name} against another definition than the catalogue's: {fault}")


def _same(subject: str, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[Finding]:
    """What a rule file says otherwise than the catalogue; None stands for nothing said."""
    for key, value in wanted.items():
        if found.get(key) != value:
            told = f"{key} {found.get(key)!r}, but {value!r} in the catalogue"
            yield Finding(subject, f"has {told if len(told) < _SHOWN else f'another {key} than the catalogue'}")


def _of_both(tool: HeldTool) -> dict[str, Any]:
    """What interceptors and runtime must both be told of a tool."""
    return {
        "forced": tool.sent("forced"),
        "approval": _approval(tool),
        "operations": _operations(tool),
        "without": dict(tool.without) or None,
        "window": {key: value for key, value in tool.window.items() if key != "told"} if tool.window else None,
        "together": list(tool.together) or None,
    }


def _approval(tool: HeldTool) -> Any:
    held_back = [call.operation for call in tool.calls if "approval" in call.marks]
    if not held_back:
        return None
    return {"argument": tool.operation, "operations": held_back} if tool.operation else True


def _operations(tool: HeldTool) -> dict[str, Any] | None:
    if not tool.operation:
        return None
    found = {
        "argument": tool.operation,
        "match": tool.match,
        "levels": {call.operation: call.level for call in tool.calls},
    }
    if tool.match != "command":
        return found
    # Each command may name the one region there is.
    options = {call.operation: {**call.options, "--region": {"values": LONDON}} for call in tool.calls}
    silent = {"values": "", "required": False, "many": False}
    return found | {
        "options": {
            command: {name: {**silent, **option} for name, option in taken.items()}
            for command, taken in options.items()
        }
    }


def _issuer(department: str, persona: str) -> str:
    return f"urn:ringfence:{department}:{persona}:request-interceptor"


def _audience(department: str, persona: str, server: str) -> str:
    return f"urn:ringfence:{department}:{persona}:{server}"


def _runtimes(evidence: Evidence, persona: str, granted: Mapping[str, HeldTool]) -> Iterator[Finding]:
    targets = {target.runtime_arn: target.name for target in evidence.gateways[persona].targets}
    found: set[str] = set()
    for runtime in evidence.runtimes:
        if runtime.persona != persona:
            continue
        subject = f"runtime {runtime.resource.logical_id}"
        if targets.get(runtime.arn) != runtime.server:
            yield Finding(subject, f"runs {runtime.server}, which is not the target that leads to it")
        found |= {published(runtime.server, tool) for tool in runtime.rules["tools"]}
        yield from _runtime(evidence, runtime, subject, granted)
    yield from _compared(f"runtimes of {persona}", found, set(granted), "offer")


def _runtime(
    evidence: Evidence, runtime: DeployedRuntime, subject: str, granted: Mapping[str, HeldTool]
) -> Iterator[Finding]:
    expected, persona = evidence.expected, runtime.persona
    server = expected.servers[runtime.server]
    held = [tool for tool in granted.values() if tool.server == runtime.server]
    whose = {
        "department": expected.name,
        "account": expected.account,
        "region": LONDON,
        "issuer": _issuer(expected.name, persona),
        "audience": _audience(expected.name, persona, runtime.server),
        "module": server["module"],
        "flags": expected.flags(runtime.server, held),
        "environment": {name: expected.filled(value) for name, value in server.get("environment", {}).items()},
        "commands": server.get("commands", {}),
        "explanations": server.get("explanations", []),
        "lock": {name: tool["sha256"] for name, tool in expected.locks[runtime.server].items()},
    }
    yield from _same(subject, runtime.rules, whose)
    for name, entry in sorted(runtime.rules["tools"].items()):
        tool = granted.get(published(runtime.server, name))
        if tool is None:
            continue
        told = {**entry, "operations": _without_policies(entry.get("operations"))}
        about = {
            "level": tool.level,
            "filled": tool.sent("hidden"),
            "timeout_seconds": tool.timeout,
            "statements": _statements(tool),
            **_of_both(tool),
        }
        yield from _same(f"{subject} {name}", told, about)
        for fault in faults(entry["definition"], tool):
            yield Finding(subject, f"checks {name} against another definition than the catalogue's: {fault}")


def _without_policies(operations: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if operations is None:
        return None
    return {key: value for key, value in operations.items() if key != "session_policies"}


def _statements(tool: HeldTool) -> dict[str, Any] | None:
    found = {
        name: {"kinds": sorted(rule["values"]), "locations": rule.get("pattern", "")}
        for name, rule in tool.rules.items()
        if rule["mode"] == "statement"
    }
    return found or None


def _policies(evidence: Evidence, persona: str) -> Iterator[Finding]:
    """The role's and the sessions' policies, read statement by statement, against the catalogue's grants."""
    expected_calls = evidence.expected_calls(persona)
    role = evidence.persona_roles[persona]
    yield from _grants(f"role {role.name}", _union(_allows(policy) for policy in role.identity), _needs(expected_calls))
    held = _union(_conditions(policy) for policy in role.identity)
    yield from _under(f"role {role.name}", held, _wanted_conditions(expected_calls))
    calls = {call.name: call for call in expected_calls}
    sessions = {session.name: session for session in evidence.sessions(persona)}
    yield from _compared(f"sessions of {persona}", set(sessions), set(calls), "hold a policy for")
    for name in sorted(set(sessions) & set(calls)):
        subject = f"call {persona} {name}"
        yield from _grants(subject, _allows(sessions[name].policy), _needs((calls[name],)))
        yield from _under(subject, _conditions(sessions[name].policy), _wanted_conditions((calls[name],)))
        if sessions[name].level != calls[name].level:
            yield Finding(subject, f"has level {sessions[name].level}, but {calls[name].level} in the catalogue")


def _grants(subject: str, found: Mapping[str, set[str]], wanted: Mapping[str, set[str]]) -> Iterator[Finding]:
    for action in sorted({*found, *wanted}):
        have, want = found.get(action, set()), wanted.get(action, set())
        if have != want:
            here, there = sorted(have) or "nothing", sorted(want) or "nothing"
            yield Finding(subject, f"grants {action} on {here}, the catalogue on {there}")


def _under(subject: str, found: Mapping[str, set[str]], wanted: Mapping[str, set[str]]) -> Iterator[Finding]:
    """Conditions of the same grants: the boundary may say the same, and each must hold without the other."""
    for action in sorted(found.keys() & wanted.keys()):
        if found[action] != wanted[action]:
            here, there = sorted(found[action]), sorted(wanted[action])
            yield Finding(subject, f"grants {action} under {here}, the catalogue under {there}")


def _conditions(policy: Policy) -> dict[str, set[str]]:
    return _union(
        {action: {_condition_text(statement.condition)}}
        for statement in policy.statements
        if statement.allows
        for action in statement.actions
    )


def _wanted_conditions(calls: tuple[Call, ...]) -> dict[str, set[str]]:
    return _union(
        {need.action: {_condition_text(_with_region(need.condition, need.region))}}
        for call in calls
        for need in call.needs
    )


def _with_region(condition: Mapping[str, Any], region: str) -> dict[str, Any]:
    return {**condition, "StringEquals": {**condition.get("StringEquals", {}), "aws:RequestedRegion": region}}


def _condition_text(condition: Mapping[str, Mapping[str, Any]]) -> str:
    parts = [
        f"{operator} {key} {', '.join(sorted([values] if isinstance(values, str) else map(str, values)))}"
        for operator, keys in condition.items()
        for key, values in keys.items()
    ]
    return " and ".join(sorted(parts))


def _needs(calls: tuple[Call, ...]) -> dict[str, set[str]]:
    return _union({need.action: set(need.resources)} for call in calls for need in call.needs)


def _allows(policy: Policy) -> dict[str, set[str]]:
    return _union(
        {action: set(statement.resources)}
        for statement in policy.statements
        if statement.allows
        for action in (statement.actions or ("everything but " + ", ".join(statement.not_actions),))
    )


def _union(parts: Any) -> dict[str, set[str]]:
    joined: dict[str, set[str]] = {}
    for part in parts:
        for action, resources in part.items():
            joined.setdefault(action, set()).update(resources)
    return joined
