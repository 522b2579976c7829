"""Copies of policies with one statement, or one condition, taken out, and what tells the copy from the original."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from ringfence.iam.evaluator import EVERYTHING, Policy, Request, decide
from ringfence.iam.policy import Statement
from ringfence.iam.problems import UndecidablePolicy
from ringfence.proofs.sweeps.forbidden_requests import OF_ROLES, ForbiddenRequest
from ringfence.proofs.sweeps.permission_sweep import AllowedRequest
from ringfence.proofs.sweeps.witness import FOREIGN_ACCOUNT, satisfy_allow


@dataclass(frozen=True)
class Verdict:
    """Whether anything notices that a statement is gone.

    Attributes:
        kind: boundary, endpoint, trust, scp, rcp or cedar.
        subject: the policy, as a reader of the template finds it.
        sid: the statement that was taken out, or the statement and its condition key.
        noticed: the first request that is decided otherwise without it, in words; None when nothing notices.
    """

    kind: str
    subject: str
    sid: str
    noticed: str | None


def without(policy: Policy, statement: Statement) -> Policy:
    """A policy with one statement taken out."""
    return Policy(tuple(each for each in policy.statements if each is not statement))


def of_boundary(
    subject: str, boundary: Policy, questions: Iterable[AllowedRequest], *, account: str
) -> Iterator[Verdict]:
    """Take out each statement of a boundary.

    An Allow is needed for something that a role under it does today. A Deny is needed for what a role must not do even
    if the boundary's own list grew to everything: that is what a Deny in a boundary is for.

    Args:
        questions: what the roles under it can do, as allowed requests.
        account: of those roles. In any other everything is a danger of another account, and one Deny hides the rest.
    """
    asked = list(questions)
    for statement in boundary.statements:
        if statement.allows:
            mutant = without(boundary, statement)
            noticed = _first_lost(asked, statement, "boundary", boundary, mutant)
        else:
            denials = tuple(each for each in boundary.statements if not each.allows)
            grown = Policy((*EVERYTHING.statements, *denials))
            noticed = _first_open(OF_ROLES, grown, without(grown, statement), account)
        yield Verdict("boundary", subject, statement.sid, noticed)


def of_endpoint(subject: str, policy: Policy, questions: Iterable[AllowedRequest]) -> Iterator[Verdict]:
    """Take out each statement of an endpoint policy, and each condition of it.

    A statement must carry something that a role does through it, a condition must keep something out.
    """
    asked = list(questions)
    for statement in policy.statements:
        noticed = _first_lost(asked, statement, "endpoint", policy, without(policy, statement))
        yield Verdict("endpoint", subject, statement.sid, noticed)
    yield from _of_conditions("endpoint", subject, policy, [question.request for question in asked])


def of_trust(subject: str, trust: Policy, role: str, callers: Mapping[str, Iterable[str]]) -> Iterator[Verdict]:
    """Take out each statement of a trust policy, and each condition of it.

    A statement must let somebody in who has to come, a condition must keep somebody out.

    Args:
        role: its ARN.
        callers: who must be able to assume it, and by which actions.
    """
    requests = [
        Request(caller, action, role, satisfy_allow(each for each in trust.statements if each.covers_action(action)))
        for caller, actions in callers.items()
        for action in actions
    ]
    for statement in trust.statements:
        mutant = without(trust, statement)
        lost = (request for request in requests if _tells(request, "trust", trust, mutant, allows=False))
        noticed = next((f"{request.principal_arn} could not {request.action}" for request in lost), None)
        yield Verdict("trust", subject, statement.sid, noticed)
    yield from _of_conditions("trust", subject, trust, requests)


def of_organisation(
    kind: str, policies: Mapping[str, Policy], whole: Policy, requests: Iterable[Request]
) -> Iterator[Verdict]:
    """Take out each statement of the organisation's policies of one kind; each must deny a named danger by itself.

    Args:
        kind: scp or rcp.
        whole: AWS's own policy, which allows everything.
    """
    asked = list(requests)
    for name, policy in policies.items():
        others = [each for other, each in policies.items() if other != name]
        for statement in policy.statements:
            noticed = None
            mutant = [whole, *others, without(policy, statement)]
            for request in asked:
                by_type = {"identity": [EVERYTHING]}
                before = decide(request, {**by_type, kind: [whole, *policies.values()]})
                if not before.allowed and decide(request, {**by_type, kind: mutant}).allowed:
                    noticed = f"{request.action} would be possible"
                    break
            yield Verdict(kind, name, statement.sid, noticed)


def _of_conditions(kind: str, subject: str, policy: Policy, requests: Iterable[Request]) -> Iterator[Verdict]:
    """Take out each condition of each Allow; a request that differs in just its key must tell."""
    asked = list(requests)
    for statement in policy.statements:
        covered = [request for request in asked if statement.covers_action(request.action)]
        for operator, keys in statement.condition.items() if statement.allows else ():
            for key in keys:
                mutant = _unconditioned(policy, statement, operator, key)
                strange = (variant for request in covered for variant in _strangers(request, key))
                opened = (each for each in strange if _tells(each, kind, policy, mutant, allows=True))
                noticed = next((f"{each.action} with another {key}, or none, would pass" for each in opened), None)
                yield Verdict(kind, subject, f"{statement.sid} without its {key}", noticed)


def _unconditioned(policy: Policy, statement: Statement, operator: str, key: str) -> Policy:
    kept = {name: value for name, value in statement.condition[operator].items() if name != key}
    condition = {**statement.condition, operator: kept}
    return Policy(
        tuple(replace(each, condition=condition) if each is statement else each for each in policy.statements)
    )


def _strangers(request: Request, key: str) -> Iterator[Request]:
    """The same request with another value of one key: none, a foreign account, a foreign resource, several."""
    bare = {name: value for name, value in request.context.items() if name.lower() != key.lower()}
    foreign = f"arn:aws:other:eu-west-2:{FOREIGN_ACCOUNT}:thing/other"
    yield replace(request, context=bare)
    for other in (FOREIGN_ACCOUNT, foreign, ["other"]):
        yield replace(request, context={**bare, key: other})


def _tells(request: Request, policy_type: str, policy: Policy, mutant: Policy, *, allows: bool) -> bool:
    """Whether a policy and its mutant decide a request differently, the mutant as said."""
    beside = {} if policy_type == "trust" else {"identity": [EVERYTHING]}
    try:
        before, after = (decide(request, {**beside, policy_type: [each]}).allowed for each in (policy, mutant))
    except UndecidablePolicy:
        return False  # a made-up value of the wrong kind, such as a text where a number is compared, tells nothing
    return before != after and after is allows


def _first_lost(
    questions: Iterable[AllowedRequest], statement: Statement, policy_type: str, policy: Policy, mutant: Policy
) -> str | None:
    for question in questions:
        if not statement.covers_action(question.action.name):
            continue
        before, after = ({**question.by_type, policy_type: [each]} for each in (policy, mutant))
        if decide(question.request, before).allowed and not decide(question.request, after).allowed:
            return f"{question.action.name} on {question.pattern} would be lost"
    return None


def _first_open(
    forbidden_requests: Iterable[ForbiddenRequest], grown: Policy, mutant: Policy, account: str
) -> str | None:
    for forbidden in forbidden_requests:
        request = asked_in(forbidden.within(account), account)
        by_type = {"identity": [EVERYTHING]}
        before = decide(request, {**by_type, "boundary": [grown]})
        if not before.allowed and decide(request, {**by_type, "boundary": [mutant]}).allowed:
            return f"{forbidden.name} ({forbidden.action}) would be possible once the list of actions grew"
    return None


def asked_in(forbidden: ForbiddenRequest, account: str) -> Request:
    """A danger as the request of a session in an account; it names somebody and London unless the danger says not."""
    usual = {
        "aws:RequestedRegion": "eu-west-2",
        "aws:SourceIdentity": "anybody",
        "aws:ResourceAccount": account,
        **forbidden.context,
    }
    context = {key: value for key, value in usual.items() if key not in forbidden.absent}
    return Request(f"arn:aws:sts::{account}:assumed-role/any/call", forbidden.action, forbidden.resource, context)
