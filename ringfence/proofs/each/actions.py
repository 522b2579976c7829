"""Proof 1: over every AWS action, a persona can do exactly what the catalogue promises, in London, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from ringfence.iam.evaluator import Request, decide
from ringfence.proofs.evidence import Evidence, Session
from ringfence.proofs.expected_permissions import LONDON, Call, Need
from ringfence.proofs.findings import Finding, Outcome
from ringfence.proofs.sweeps.permission_sweep import REGION_KEY, Allowed, AllowedRequest, in_words, summary, widest
from ringfence.proofs.sweeps.permission_sweeps import PermissionSweeps
from ringfence.proofs.sweeps.witness import FOREIGN_ACCOUNT, account_of, arn_of, sample

LEVELS: Final = {
    "read": frozenset({"List", "Read"}),
    "write": frozenset({"List", "Read", "Write", "Tagging"}),
    "permissions": frozenset({"List", "Read", "Write", "Tagging", "Permissions management"}),
    "execute": frozenset({"List", "Read", "Write"}),
    "credential": frozenset({"List", "Read", "Write"}),
}
"""AWS's access levels that fit a level of the catalogue."""

QUERY_STARTS: Final = {
    "athena:StartQueryExecution": "Runs a query; AWS lists it as Write because it stores the result.",
    "cloudtrail:StartQuery": "Runs a CloudTrail Lake query.",
    "logs:StartQuery": "Runs a Logs Insights query.",
}
"""Actions that AWS may list as Write although they only ask a question; a reading call may hold these and no others."""

_ELSEWHERE: Final = ("eu-west-1", "eu-central-1", "us-east-1", "us-west-2", "ap-southeast-2", "eu-west-2")


def prove(evidence: Evidence, sweeps: PermissionSweeps | None = None) -> Outcome:
    """Sweep every role and every call's session of the assembly."""
    sweeps = PermissionSweeps(evidence) if sweeps is None else sweeps
    findings: list[Finding] = []
    calls = 0
    for persona, questions in sweeps.of_personas.items():
        expected_calls = evidence.expected_calls(persona)
        findings += _differences(f"persona {persona}", expected(expected_calls, sweeps), summary(questions))
        findings += _levels(f"persona {persona}", questions, _levels_of(expected_calls))
        findings += _elsewhere(f"persona {persona}", questions, _answered(expected_calls))
        findings += _foreign(f"persona {persona}", questions, sweeps)
        sessions = evidence.sessions(persona)
        calls += len(sessions)
        findings += _sessions(persona, expected_calls, sessions, sweeps)
    for role in evidence.service_roles.values():
        subject, questions = f"role {role.resource.logical_id}", sweeps.of_service_roles[role.resource.logical_id]
        passed_role = evidence.passed_roles.get(role.arn)
        if passed_role is not None:
            findings += _differences(subject, needed(passed_role.needs, sweeps), summary(questions))
        findings += _elsewhere(
            subject, questions, {need.action: need.region for need in passed_role.needs} if passed_role else {}
        )
        findings += _foreign(subject, questions, sweeps)
    findings += _missing(evidence, sweeps)
    looked_at = {
        "actions": len(sweeps.table),
        "personas": len(sweeps.of_personas),
        "calls": calls,
        "other roles": len(sweeps.of_service_roles),
    }
    return Outcome(tuple(dict.fromkeys(findings)), looked_at)


def expected(calls: Iterable[Call], sweeps: PermissionSweeps) -> list[Allowed]:
    """What calls need, in the form of a sweep's summary."""
    return needed((need for call in calls for need in call.needs), sweeps)


def needed(needs: Iterable[Need], sweeps: PermissionSweeps) -> list[Allowed]:
    """Single needs, in the form of a sweep's summary."""
    return widest(
        Allowed(
            sweeps.table[need.action].name,
            sweeps.table[need.action].level,
            resource,
            need.region,
            _words(need.condition),
        )
        for need in needs
        for resource in need.resources
    )


def _words(condition: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(
        sorted(in_words(operator, key, value) for operator, keys in condition.items() for key, value in keys.items())
    )


def _differences(subject: str, wanted: list[Allowed], found: list[Allowed]) -> Iterator[Finding]:
    for one in sorted(set(found) - set(wanted)):
        yield Finding(subject, f"can do {_shown(one)}, which the catalogue does not promise")
    for one in sorted(set(wanted) - set(found)):
        yield Finding(subject, f"cannot do {_shown(one)}, which the catalogue promises")


def _shown(one: Allowed) -> str:
    where = "" if one.region == LONDON else f" in {one.region}"
    when = f" when {' and '.join(one.conditions)}" if one.conditions else ""
    return f"{one.action} ({one.level}) on {one.resource}{where}{when}"


def _sessions(
    persona: str, expected_calls: tuple[Call, ...], sessions: list[Session], sweeps: PermissionSweeps
) -> Iterator[Finding]:
    calls = {call.name: call for call in expected_calls}
    for session in sessions:
        subject = f"call {persona} {session.name}"
        questions = sweeps.of_session(persona, session)
        call = calls.get(session.name)
        if call is None:
            yield Finding(subject, "has a session policy in the runtime's zip, but the catalogue grants no such call")
            continue
        yield from _differences(subject, expected([call], sweeps), summary(questions))
        yield from _levels(subject, questions, LEVELS[call.level])
    for name in sorted(set(calls) - {session.name for session in sessions}):
        yield Finding(
            f"call {persona} {name}", "is granted by the catalogue, but no runtime's zip has its session policy"
        )


def _levels_of(expected_calls: Iterable[Call]) -> frozenset[str]:
    return frozenset(level for call in expected_calls for level in LEVELS[call.level])


def _levels(subject: str, questions: list[AllowedRequest], fitting: frozenset[str]) -> Iterator[Finding]:
    for action in {question.action for question in questions}:
        if action.level not in fitting and action.name not in QUERY_STARTS:
            yield Finding(subject, f"can do {action.name}, whose level at AWS is {action.level}")


def _answered(expected_calls: Iterable[Call]) -> dict[str, str]:
    return {need.action: need.region for call in expected_calls for need in call.needs}


def _elsewhere(subject: str, questions: list[AllowedRequest], register_of: Mapping[str, str]) -> Iterator[Finding]:
    """Each allowed request once more, from every other region and from none."""
    for question in questions:
        allowed_in = register_of.get(question.action.name, LONDON)
        context = {key: value for key, value in question.request.context.items() if key != REGION_KEY}
        for region in (*_ELSEWHERE, None):
            if region == allowed_in:
                continue
            request = Request(
                question.request.principal_arn,
                question.action.name,
                question.request.resource,
                context if region is None else {**context, REGION_KEY: region},
            )
            if decide(request, question.by_type).allowed:
                yield Finding(
                    subject, f"can do {question.action.name} in {region or 'no named region'}, not only {allowed_in}"
                )


def _foreign(subject: str, questions: list[AllowedRequest], sweeps: PermissionSweeps) -> Iterator[Finding]:
    """Each allowed request once more, on the same kind of resource in another account."""
    for question in questions:
        for shape in question.action.resources:
            arn = arn_of(shape, account=FOREIGN_ACCOUNT, region=LONDON)
            context = {**question.request.context, "aws:resourceaccount": FOREIGN_ACCOUNT}
            resource = sample(arn, context)
            if account_of(resource, FOREIGN_ACCOUNT) != FOREIGN_ACCOUNT:
                continue
            request = Request(question.request.principal_arn, question.action.name, resource, context)
            if decide(request, question.by_type).allowed:
                yield Finding(subject, f"can do {question.action.name} on {arn}, in another account")


def _missing(evidence: Evidence, sweeps: PermissionSweeps) -> Iterator[Finding]:
    for arn in sorted(set(evidence.passed_roles) - set(evidence.service_roles)):
        yield Finding(f"role {arn}", "is passed on by a tool of the catalogue, but no stack makes it")
    for persona in evidence.expected.personas:
        if persona not in sweeps.of_personas:
            yield Finding(f"persona {persona}", "is a persona of the department, but no runtime works for it")
