"""Proof 13, sandbox: a call above `read` reaches what is the sandbox's, or what its owner marked, and nothing else.

Judged by what each call's session may do, and not by what the catalogue says of it: where a condition is missing in
the catalogue, every template and zip agrees with it. An action of AWS that only reads counts as any other, for what it
opens may write: eks:DescribeCluster is all that IAM sees of a change in Kubernetes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from ringfence.iam.evaluator import decide
from ringfence.iam.patterns import matches
from ringfence.proofs.evidence import Evidence
from ringfence.proofs.expected_permissions import PASSING
from ringfence.proofs.findings import Finding, Outcome
from ringfence.proofs.sweeps.permission_sweep import AllowedRequest
from ringfence.proofs.sweeps.permission_sweeps import PermissionSweeps

MARKS: Final = ("ringfence:sandbox", "ringfence:restart")
"""The tags by which a thing is open to a change: the sandbox's, and the one with which an owner allows a restart."""

_NAME: Final = "ringfence-sandbox-"
_TAGS: Final = ("resourcetag", "requesttag")


@dataclass(frozen=True)
class Elsewhere:
    """What a call above `read` may do beyond the sandbox.

    Attributes:
        calls: pattern of `server.tool.operation`.
        resources: patterns of what they may be about.
    """

    calls: str
    actions: str
    resources: tuple[str, ...]
    reason: str


ELSEWHERE: Final = (
    Elsewhere("*", "sts:GetCallerIdentity", ("*",), "It tells who asks, and knows no resource."),
    Elsewhere(
        "dataprocessing.manage_aws_glue_*",
        "glue:*",
        ("arn:aws:glue:eu-west-2:*:catalog",),
        "AWS decides on a database and on the catalogue that it is in, and the database is held by its name (Athena "
        "user guide on access to databases and tables in the Glue Data Catalog, read 29 November 2026).",
    ),
    Elsewhere(
        "dataprocessing.manage_aws_athena_query_executions.start-query-execution",
        "glue:Get*",
        tuple(f"arn:aws:glue:eu-west-2:*:{each}" for each in ("catalog", "database/*", "table/*/*")),
        "A query looks up where its tables are; what is in them, and its results, are read and written in a sandbox's "
        "buckets alone.",
    ),
)


def prove(evidence: Evidence, sweeps: PermissionSweeps | None = None) -> Outcome:
    """Ask again for all that a call above `read` could do, on what is not named for the sandbox and bears no mark."""
    sweeps = PermissionSweeps(evidence) if sweeps is None else sweeps
    findings: list[Finding] = []
    on_purpose: list[str] = []
    asked = 0
    for persona in evidence.persona_roles:
        levels = {call.name: call.level for call in evidence.expected_calls(persona)}
        for session in evidence.sessions(persona):
            # A call that the catalogue does not know is told by another proof, and spared nothing here.
            if levels.get(session.name) == "read":
                asked += 1
                continue
            for question in sweeps.of_session(persona, session):
                asked += 1
                if not _open(question, evidence):
                    continue
                reasons = [each.reason for each in ELSEWHERE if _covers(each, session.name, question)]
                what = f"{question.action.name} on {question.pattern}"
                if reasons:
                    on_purpose.append(f"{persona} {session.name} may {what}: {reasons[0]}")
                else:
                    findings.append(Finding(f"call {persona} {session.name}", f"can {what}, sandbox or not"))
    looked_at = {"calls and requests": asked}
    return Outcome(tuple(dict.fromkeys(findings)), looked_at, tuple(_by_reason(on_purpose)))


def _open(question: AllowedRequest, evidence: Evidence) -> bool:
    """Whether it is allowed although neither name nor tag says that it is about the sandbox."""
    if any(part.startswith(_NAME) for part in re.split("[:/]", question.request.resource)):
        return False
    if question.action.name == PASSING and question.request.resource in evidence.passed_roles:
        return False  # to whom, the proof of escalation asks
    return any(
        decide(replace(question.request, context=context), question.by_type).allowed for context in _unmarked(question)
    )


def _unmarked(question: AllowedRequest) -> Iterator[dict[str, object]]:
    """The request's context about something without a mark, and with another value of each."""
    keys = {
        f"{service}:{tag}/{mark}" for service in ("aws", question.action.service) for tag in _TAGS for mark in MARKS
    }
    bare = {key: value for key, value in question.request.context.items() if key.lower() not in keys}
    for value in (None, "", "false", "other"):
        yield bare if value is None else {**bare, **dict.fromkeys(sorted(keys), value)}


def _covers(entry: Elsewhere, call: str, question: AllowedRequest) -> bool:
    return (
        matches(entry.calls, call)
        and matches(entry.actions, question.action.name)
        and any(matches(wide, question.pattern) for wide in entry.resources)
    )


def _by_reason(told: list[str]) -> Iterator[str]:
    """One line for each reason, with how often it counts."""
    reasons = [line.partition(": ")[2] for line in told]
    for reason in dict.fromkeys(reasons):
        yield f"{reasons.count(reason)} requests beyond the sandbox: {reason}"
