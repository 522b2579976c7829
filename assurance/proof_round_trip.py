"""Proof 8: templates and zips, read back as persona, tools, operations, actions and resources, are the catalogue."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import cedarpy

from assurance.assembly import Resource
from assurance.evidence import DeployedRuntime, Evidence, rules_in
from assurance.findings import Finding, Outcome
from assurance.gateways import DeployedGateway
from assurance.iam_policy import Policy
from assurance.problems import UnresolvedTemplate
from assurance.promise import Call, flags_of, granted_tools
from callpath.digest import digest
from governance import names
from governance.published import published_definition
from governance.servers import Server, Tool

Reading = dict[str, dict[str, dict[str, list[str]]]]
"""Resources by action, by call (`server.tool` or `server.tool.operation`), by persona."""


def prove(evidence: Evidence) -> Outcome:
    """Read every station of every persona's calls, and compare it with the catalogue."""
    findings: list[Finding] = []
    deployed, wanted = set(evidence.gateways), set(evidence.department.personas)
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


def _granted(evidence: Evidence, persona: str) -> dict[str, tuple[Server, Tool]]:
    return {
        names.published_tool(server.name, tool.name): (server, tool)
        for server, tool in granted_tools(evidence.catalogue, evidence.department, persona)
    }


def _compared(subject: str, found: set[str], wanted: set[str], what: str) -> Iterator[Finding]:
    for name in sorted(found - wanted):
        yield Finding(subject, f"{what} {name}, which the catalogue does not grant")
    for name in sorted(wanted - found):
        yield Finding(subject, f"lacks {name}, which the catalogue grants")


def _definition(pair: tuple[Server, Tool]) -> str:
    return digest({key: value for key, value in published_definition(*pair).items() if key != "name"})


def _gateway(evidence: Evidence, persona: str, granted: Mapping[str, tuple[Server, Tool]]) -> Iterator[Finding]:
    gateway = evidence.gateways[persona]
    subject = f"gateway {gateway.name}"
    if gateway.groups != (persona,):
        yield Finding(subject, f"admits the groups {list(gateway.groups)}, not only {persona}")
    published = {f"{target.name}___{tool['name']}": tool for target in gateway.targets for tool in target.tools}
    yield from _compared(subject, set(published), set(granted), "publishes")
    for name in sorted(set(published) & set(granted)):
        shown = {key: value for key, value in published[name].items() if key != "name"}
        if digest(shown) != _definition(granted[name]):
            yield Finding(subject, f"publishes {name} with another definition than the catalogue's")
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


def _interceptors(evidence: Evidence, persona: str, granted: Mapping[str, tuple[Server, Tool]]) -> Iterator[Finding]:
    for point, function in _functions(evidence, evidence.gateways[persona]):
        subject = f"{point.lower()} interceptor {function.logical_id}"
        rules = rules_in(evidence.assembly.asset(str(function.properties["Code"]["S3Key"])), "rules.json")
        if (rules["department"], rules["persona"]) != (evidence.department.name, persona):
            yield Finding(subject, f"carries the rules of {rules['department']} {rules['persona']}")
        yield from _compared(subject, set(rules["tools"]), set(granted), "knows")
        for name in sorted(set(rules["tools"]) & set(granted)):
            definition = {key: value for key, value in rules["tools"][name]["definition"].items() if key != "name"}
            if digest(definition) != _definition(granted[name]):
                yield Finding(subject, f"checks {name} against another definition than the catalogue's")


def _functions(evidence: Evidence, gateway: DeployedGateway) -> Iterator[tuple[str, Resource]]:
    by_arn = {str(each.attribute("Arn")): each for each in evidence.assembly.of_type("AWS::Lambda::Function")}
    points = set()
    for each in gateway.resource.properties.get("InterceptorConfigurations", []):
        for point in each["InterceptionPoints"]:
            points.add(point)
            yield point, by_arn[str(each["Interceptor"]["Lambda"]["Arn"])]
    for point in sorted({"REQUEST", "RESPONSE"} - points):
        raise UnresolvedTemplate(gateway.resource.stack, gateway.resource.logical_id, f"has no {point} interceptor")


def _runtimes(evidence: Evidence, persona: str, granted: Mapping[str, tuple[Server, Tool]]) -> Iterator[Finding]:
    targets = {target.runtime_arn: target.name for target in evidence.gateways[persona].targets}
    found: set[str] = set()
    for runtime in evidence.runtimes:
        if runtime.persona != persona:
            continue
        subject = f"runtime {runtime.resource.logical_id}"
        if targets.get(runtime.resource.arn) != runtime.server:
            yield Finding(subject, f"runs {runtime.server}, which is not the target that leads to it")
        found |= {names.published_tool(runtime.server, tool) for tool in runtime.rules["tools"]}
        yield from _runtime(evidence, runtime, subject, granted)
    yield from _compared(f"runtimes of {persona}", found, set(granted), "offer")


def _runtime(
    evidence: Evidence, runtime: DeployedRuntime, subject: str, granted: Mapping[str, tuple[Server, Tool]]
) -> Iterator[Finding]:
    server = evidence.catalogue.servers[runtime.server]
    if runtime.rules["department"] != evidence.department.name:
        yield Finding(subject, f"carries the rules of {runtime.rules['department']}")
    if runtime.rules["lock"] != dict(server.lock):
        yield Finding(subject, f"holds another lock of {runtime.server}'s tools than the catalogue")
    held = [tool for owner, tool in granted.values() if owner.name == runtime.server]
    if (runtime.rules["module"], runtime.rules["flags"]) != (server.module, flags_of(server, held)):
        yield Finding(subject, "starts its server otherwise than the catalogue says")
    for tool, entry in sorted(runtime.rules["tools"].items()):
        pair = granted.get(names.published_tool(runtime.server, tool))
        if pair is None:
            continue
        shown = {key: value for key, value in entry["definition"].items() if key != "name"}
        if digest(shown) != _definition(pair):
            yield Finding(subject, f"checks {tool} against another definition than the catalogue's")


def _policies(evidence: Evidence, persona: str) -> Iterator[Finding]:
    """The role's and the sessions' policies, read statement by statement, against the catalogue's grants."""
    promised = evidence.promised(persona)
    role = evidence.persona_roles[persona]
    yield from _grants(f"role {role.name}", _union(_allows(policy) for policy in role.identity), _needs(promised))
    calls = {call.name: call for call in promised}
    sessions = {session.name: session for session in evidence.sessions(persona)}
    yield from _compared(f"sessions of {persona}", set(sessions), set(calls), "hold a policy for")
    for name in sorted(set(sessions) & set(calls)):
        subject = f"call {persona} {name}"
        yield from _grants(subject, _allows(sessions[name].policy), _needs((calls[name],)))
        if sessions[name].level != calls[name].level:
            yield Finding(subject, f"has level {sessions[name].level}, but {calls[name].level} in the catalogue")


def _grants(subject: str, found: Mapping[str, set[str]], wanted: Mapping[str, set[str]]) -> Iterator[Finding]:
    for action in sorted({*found, *wanted}):
        have, want = found.get(action, set()), wanted.get(action, set())
        if have != want:
            here, there = sorted(have) or "nothing", sorted(want) or "nothing"
            yield Finding(subject, f"grants {action} on {here}, the catalogue on {there}")


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
