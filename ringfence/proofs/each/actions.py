"""Proof 1: over every AWS action, a persona can do exactly what the catalogue promises, in London, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from ringfence.iam.evaluator import Request, decide
from ringfence.proofs.evidence import Evidence, Session
from ringfence.proofs.findings import Finding, Outcome
from ringfence.proofs.promise import LONDON, Call, Need
from ringfence.proofs.sweeps.effective import REGION_KEY, Allowed, Question, in_words, summary, widest
from ringfence.proofs.sweeps.favourable import FOREIGN_ACCOUNT, account_of, arn_of, sample
from ringfence.proofs.sweeps.reach import Reach

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


def prove(evidence: Evidence, reach: Reach | None = None) -> Outcome:
    """Sweep every role and every call's session of the assembly."""
    reach = Reach(evidence) if reach is None else reach
    findings: list[Finding] = []
    calls = 0
    for persona, questions in reach.of_personas.items():
        promised = evidence.promised(persona)
        findings += _differences(f"persona {persona}", expected(promised, reach), summary(questions))
        findings += _levels(f"persona {persona}", questions, _levels_of(promised))
        findings += _elsewhere(f"persona {persona}", questions, _answered(promised))
        findings += _foreign(f"persona {persona}", questions, reach)
        sessions = evidence.sessions(persona)
        calls += len(sessions)
        findings += _sessions(persona, promised, sessions, reach)
    for role in evidence.service_roles.values():
        subject, questions = f"role {role.resource.logical_id}", reach.of_service_roles[role.resource.logical_id]
        handed = evidence.handed_roles.get(role.arn)
        if handed is not None:
            findings += _differences(subject, needed(handed.needs, reach), summary(questions))
        findings += _elsewhere(
            subject, questions, {need.action: need.region for need in handed.needs} if handed else {}
        )
        findings += _foreign(subject, questions, reach)
    findings += _missing(evidence, reach)
    looked_at = {
        "actions": len(reach.table),
        "personas": len(reach.of_personas),
        "calls": calls,
        "other roles": len(reach.of_service_roles),
    }
    return Outcome(tuple(dict.fromkeys(findings)), looked_at)


def expected(calls: Iterable[Call], reach: Reach) -> list[Allowed]:
    """What calls need, in the form of a sweep's summary."""
    return needed((need for call in calls for need in call.needs), reach)


def needed(needs: Iterable[Need], reach: Reach) -> list[Allowed]:
    """Single needs, in the form of a sweep's summary."""
    return widest(
        Allowed(
            reach.table[need.action].name, reach.table[need.action].level, resource, need.region, _words(need.condition)
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


def _sessions(persona: str, promised: tuple[Call, ...], sessions: list[Session], reach: Reach) -> Iterator[Finding]:
    calls = {call.name: call for call in promised}
    for session in sessions:
        subject = f"call {persona} {session.name}"
        questions = reach.of_session(persona, session)
        call = calls.get(session.name)
        if call is None:
            yield Finding(subject, "has a session policy in the runtime's zip, but the catalogue grants no such call")
            continue
        yield from _differences(subject, expected([call], reach), summary(questions))
        yield from _levels(subject, questions, LEVELS[call.level])
    for name in sorted(set(calls) - {session.name for session in sessions}):
        yield Finding(
            f"call {persona} {name}", "is granted by the catalogue, but no runtime's zip has its session policy"
        )


def _levels_of(promised: Iterable[Call]) -> frozenset[str]:
    return frozenset(level for call in promised for level in LEVELS[call.level])


def _levels(subject: str, questions: list[Question], fitting: frozenset[str]) -> Iterator[Finding]:
    for action in {question.action for question in questions}:
        if action.level not in fitting and action.name not in QUERY_STARTS:
            yield Finding(subject, f"can do {action.name}, whose level at AWS is {action.level}")


def _answered(promised: Iterable[Call]) -> dict[str, str]:
    return {need.action: need.region for call in promised for need in call.needs}


def _elsewhere(subject: str, questions: list[Question], register_of: Mapping[str, str]) -> Iterator[Finding]:
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


def _foreign(subject: str, questions: list[Question], reach: Reach) -> Iterator[Finding]:
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


def _missing(evidence: Evidence, reach: Reach) -> Iterator[Finding]:
    for arn in sorted(set(evidence.handed_roles) - set(evidence.service_roles)):
        yield Finding(f"role {arn}", "is handed on by a tool of the catalogue, but no stack makes it")
    for persona in evidence.promise.personas:
        if persona not in reach.of_personas:
            yield Finding(f"persona {persona}", "is a persona of the department, but no runtime works for it")
