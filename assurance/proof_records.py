"""Proof 9, records: no persona, call or handed role can touch a log group of the deployment.

The groups are those that the templates make or keep, and a made-up one that a service delivers to; not a list of ours.
Layers are asked apart: identity with session, and boundary alone as if everything were granted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from assurance.actions import Action, ActionTable
from assurance.evidence import Evidence
from assurance.findings import Finding, Outcome
from assurance.iam import Policy, Request, decide
from assurance.reach import Reach
from assurance.roles import Role

LOG_GROUPS: Final = ("AWS::Logs::LogGroup", "Custom::RuntimeLogGroup")
"""What makes a log group, or keeps one that AgentCore makes."""

_EVERYTHING: Final = Policy.parse(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
)
_DELIVERED: Final = "/aws/vendedlogs/anything"


def prove(evidence: Evidence, reach: Reach | None = None) -> Outcome:
    """Ask every action that names a log group or a stream of one, about every group of the deployment."""
    reach = Reach(evidence) if reach is None else reach
    actions = list(on_groups(reach.table))
    groups = log_groups(evidence)
    findings: list[Finding] = []
    asked = 0
    for subject, role, layers in _subjects(evidence):
        for group in groups:
            for action in actions:
                asked += 1
                stream = ":log-stream:anything" if "log-stream" in action.resources[0] else ""
                request = Request(role.arn, action.name, f"{group}{stream}", _context(evidence, role))
                if decide(request, layers).allowed:
                    findings.append(Finding(subject, f"nothing refuses {action.name} on {group}"))
    looked_at = {"log groups": len(groups), "actions": len(actions), "requests": asked}
    return Outcome(tuple(findings), looked_at, ())


def on_groups(table: ActionTable) -> Iterator[Action]:
    """The actions of CloudWatch Logs that a policy can hold to a log group or a stream."""
    for action in table.matching("logs:*"):
        if any(":log-group:" in resource for resource in action.resources):
            yield action


def log_groups(evidence: Evidence) -> list[str]:
    """The ARNs of the deployment's log groups, without the closing `:*`."""
    assembly = evidence.assembly
    found = [str(each.properties["LogGroupName"]) for each in assembly.of_type(*LOG_GROUPS)]
    return [f"arn:aws:logs:{assembly.region}:{assembly.account}:log-group:{name}" for name in [*found, _DELIVERED]]


def _subjects(evidence: Evidence) -> Iterator[tuple[str, Role, Mapping[str, list[Policy]]]]:
    """Each boundary as if everything were granted, and each call's session policy beside its persona's own."""
    for persona, role in evidence.persona_roles.items():
        yield f"boundary of {role.name}", role, _under(role)
        for session in evidence.sessions(persona):
            yield f"call {persona} {session.name}", role, {"identity": [_EVERYTHING], "session": [session.policy]}
    for arn in evidence.handed_roles:
        role = evidence.roles[arn]
        yield f"boundary of {role.name}", role, _under(role)


def _under(role: Role) -> dict[str, list[Policy]]:
    held = {"identity": [_EVERYTHING]}
    return held if role.boundary is None else {**held, "boundary": [role.boundary, _EVERYTHING]}


def _context(evidence: Evidence, role: Role) -> dict[str, Any]:
    return {
        "aws:PrincipalArn": role.arn,
        "aws:RequestedRegion": evidence.assembly.region,
        "aws:ResourceAccount": evidence.assembly.account,
        "aws:SourceIdentity": "somebody",
    }
