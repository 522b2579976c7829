"""What a role or one call's session could ever do: every AWS action, decided over all its types of policy.

Most of AWS's 22,000 actions match no Allow statement at all. Those are found by the beginning of their names
(`ActionTable.matching`); only the others are decided one by one, with the evaluator of `ringfence.iam.evaluator`, under
the most favourable context. The outcome is the same as deciding each action in turn; a test compares the two.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ringfence.iam.actions import Action, ActionTable
from ringfence.iam.conditions import holds
from ringfence.iam.evaluator import Policy, Request, decide
from ringfence.iam.patterns import matches
from ringfence.iam.policy import Statement
from ringfence.iam.problems import UndecidablePolicy
from ringfence.proofs.sweeps.witness import (
    account_of,
    alternatives,
    arn_of,
    arn_within,
    avoid_deny,
    avoided_values,
    in_account,
    sample,
    witnesses,
)

REGION_KEY = "aws:requestedregion"
_GRANTING = ("identity", "resource")
PoliciesByType = Mapping[str, Sequence[Policy]]


@dataclass(frozen=True, order=True)
class Allowed:
    """One action on one resource pattern that is possible.

    Attributes:
        action: `service:Action`.
        resource: the widest pattern on which it is possible.
        region: where AWS would answer it.
        conditions: what must hold beyond the region, in words; empty when nothing.
    """

    action: str
    level: str
    resource: str
    region: str
    conditions: tuple[str, ...]


@dataclass(frozen=True)
class Caller:
    """Who asks.

    Attributes:
        arn: role ARN; policies that name the role mean this caller.
        context: facts about every request of this caller: condition keys in lower case and their values.
    """

    arn: str
    account: str
    region: str
    context: Mapping[str, object]


@dataclass(frozen=True)
class AllowedRequest:
    """A decided request that was allowed, for asking again under other circumstances."""

    action: Action
    request: Request
    by_type: PoliciesByType
    pattern: str
    conditions: tuple[str, ...]

    @property
    def region(self) -> str:
        """Where it was allowed."""
        return str(self.request.context.get(REGION_KEY, "any region"))


def possible(
    caller: Caller,
    by_type: PoliciesByType,
    table: ActionTable,
    *,
    through: Callable[[Action], PoliciesByType] = lambda _: {},
) -> list[AllowedRequest]:
    """Everything a caller could ever do, as single requests, each in a context in which it is allowed.

    Args:
        by_type: policies by type, as for `ringfence.iam.evaluator.decide`.
        through: further policies for an action, such as the policy of the endpoint that carries its service.

    Raises:
        UndecidablePolicy: a policy holds what the evaluator does not know.
    """
    found: list[AllowedRequest] = []
    for action in candidates(by_type, table):
        relevant = _relevant(action, {**by_type, **through(action)})
        found += allowed_requests(caller, action, relevant)
    return found


def candidates(by_type: PoliciesByType, table: ActionTable) -> list[Action]:
    """The actions that an Allow statement of every type that must allow speaks about, sorted; all others are denied.

    Identity and resource policies may each grant; a session policy, where there is one, only limits.
    """
    found = _spoken_of([policy for policy_type in _GRANTING for policy in by_type.get(policy_type, ())], table)
    if "session" in by_type:
        limit = _spoken_of(by_type["session"], table)
        found = {name: action for name, action in found.items() if name in limit}
    return [found[name] for name in sorted(found)]


def _spoken_of(policies: Iterable[Policy], table: ActionTable) -> dict[str, Action]:
    return {
        action.name: action
        for policy in policies
        for statement in policy.statements
        if statement.allows
        for action in _covered(statement, table)
    }


def summary(questions: Iterable[AllowedRequest]) -> list[Allowed]:
    """Allowed requests by action and resource, widest patterns and fewest conditions only, sorted."""
    return widest(
        Allowed(question.action.name, question.action.level, question.pattern, question.region, question.conditions)
        for question in questions
    )


def widest(allowed: Iterable[Allowed]) -> list[Allowed]:
    """Without those that another one includes: same action and region, wider pattern, no further condition."""
    by_action: dict[tuple[str, str], set[Allowed]] = {}
    for one in allowed:
        by_action.setdefault((one.action, one.region), set()).add(one)
    return sorted(
        one
        for group in by_action.values()
        for one in group
        if not any(other != one and _includes(other, one) for other in group)
    )


def _includes(wide: Allowed, narrow: Allowed) -> bool:
    return matches(wide.resource, narrow.resource) and set(wide.conditions) <= set(narrow.conditions)


def _covered(statement: Statement, table: ActionTable) -> Iterator[Action]:
    if statement.actions:
        for pattern in statement.actions:
            yield from table.matching(pattern)
    else:
        yield from (action for action in table if statement.covers_action(action.name))


def _relevant(action: Action, by_type: PoliciesByType) -> dict[str, list[Policy]]:
    """The policies with only the statements that speak about an action; a type left with none still refuses."""
    return {
        policy_type: [
            Policy(tuple(s for policy in policies for s in policy.statements if s.covers_action(action.name)))
        ]
        for policy_type, policies in by_type.items()
    }


def allowed_requests(caller: Caller, action: Action, by_type: PoliciesByType) -> Iterator[AllowedRequest]:
    """The requests with one action that are allowed: one for each resource pattern that any policy names for it."""
    statements = {
        policy_type: [s for policy in policies for s in policy.statements] for policy_type, policies in by_type.items()
    }
    denies = [s for listed in statements.values() for s in listed if not s.allows]
    spared = avoid_deny(denies)
    ways = list(_ways(statements))
    for pattern in _patterns(caller, action, statements):
        for way in ways:
            for region in _regions(caller, way, denies):
                yield from _asked(caller, action, by_type, pattern, way, {**spared, **region})


def _asked(
    caller: Caller,
    action: Action,
    by_type: PoliciesByType,
    pattern: str,
    way: Sequence[tuple[str, Statement]],
    spared: Mapping[str, object],
) -> Iterator[AllowedRequest]:
    for chosen in witnesses([statement for _, statement in way]):
        region = {REGION_KEY: spared[REGION_KEY]} if REGION_KEY in spared else {}
        context: dict[str, object] = {**spared, **chosen, **caller.context, **region}
        _check_spared(way, {**chosen, **caller.context, **region}, context)
        allowed = False
        for resource in _samples(caller, action, pattern, context):
            owner = account_of(resource, caller.account)
            if owner is not None:
                context["aws:resourceaccount"] = owner
            else:
                context.pop("aws:resourceaccount", None)
            request = Request(caller.arn, action.name, resource, dict(context))
            if decide(request, by_type).allowed:
                allowed = True
                yield AllowedRequest(action, request, by_type, pattern, _conditions(way))
        if allowed:
            return  # other values that the conditions accept show nothing more


def _check_spared(
    way: Sequence[tuple[str, Statement]], without: Mapping[str, object], context: Mapping[str, object]
) -> None:
    """Look whether the value that spares a Deny statement is one that an Allow statement does not want.

    Raises:
        UndecidablePolicy: so it is, and another value might do for both.
    """
    for _, statement in way:
        may, does = (holds(statement.condition, each, variables=statement.variables) for each in (without, context))
        if may and not does:
            raise UndecidablePolicy(
                f"no request can be made up that a Deny spares and {dict(statement.condition)} allows"
            )


def _ways(statements: Mapping[str, Sequence[Statement]]) -> Iterator[list[tuple[str, Statement]]]:
    """Every choice of one Allow statement from each type that must allow."""
    choices = []
    for policy_type, listed in statements.items():
        allows = [(policy_type, statement) for statement in listed if statement.allows]
        if allows:
            choices.append(allows)
    for way in itertools.product(*choices):
        # The identity's wishes come last: what it wants decides where policies disagree.
        yield sorted(way, key=lambda part: part[0] in _GRANTING)


def _regions(
    caller: Caller, way: Sequence[tuple[str, Statement]], denies: Sequence[Statement]
) -> list[dict[str, object]]:
    """The regions to ask in: those that the Allow statements name, each pattern by a region that a policy names."""
    spared = [region for statement in denies for region in avoided_values(statement, REGION_KEY)]
    known = list(dict.fromkeys([caller.region, *spared]))
    named = [region for _, statement in way for region in alternatives(statement, REGION_KEY)]
    if named:
        fitting = [next((each for each in known if matches(region, each)), sample(region, {})) for region in named]
        return [{REGION_KEY: region} for region in dict.fromkeys(fitting)]
    if any(key.lower() == REGION_KEY for _, each in way for keys in each.condition.values() for key in keys):
        return [{REGION_KEY: region} for region in known]  # all but some
    return [{REGION_KEY: spared[0]}] if spared else [{}]


def _patterns(caller: Caller, action: Action, statements: Mapping[str, Sequence[Statement]]) -> list[str]:
    named = {pattern for listed in statements.values() for s in listed if s.allows for pattern in s.resources}
    shapes = {arn_of(pattern, account=caller.account, region=caller.region) for pattern in action.resources}
    return sorted({*named, *shapes, "*"})


def _samples(caller: Caller, action: Action, pattern: str, context: Mapping[str, object]) -> list[str]:
    shapes = [arn_of(shape, account=caller.account, region=caller.region) for shape in action.resources]
    if pattern != "*":
        owned = in_account(pattern, caller.account, context)
        return list(dict.fromkeys([*_within(owned, shapes, context), *_within(pattern, shapes, context)]))
    if not action.resources:
        return ["*"]
    anything = f"arn:aws:{action.service}:{caller.region}:{caller.account}:anything/at-all"
    # Where a bare name ends the ARN, as a queue's, this is one more of those that a policy may name by the account.
    named = any(matches(shape, anything) for shape in shapes)
    return [anything.replace(caller.region, "any-region-1") if named else anything]


def _within(pattern: str, shapes: Sequence[str], context: Mapping[str, object]) -> list[str]:
    plain = sample(pattern, context)
    if any(matches(shape, plain) for shape in shapes):
        return [plain]
    return [arn for arn in (arn_within(pattern, shape, context) for shape in shapes) if arn is not None] or [plain]


def _conditions(way: Sequence[tuple[str, Statement]]) -> tuple[str, ...]:
    """What must hold beyond region and account, as the identity and session statements say it."""
    words = []
    for policy_type, statement in way:
        if policy_type not in ("identity", "session", "resource"):
            continue
        for operator, keys in statement.condition.items():
            for key, values in keys.items():
                if key.lower() != REGION_KEY:
                    words.append(in_words(operator, key, values))
    return tuple(sorted(set(words)))


def in_words(operator: str, key: str, values: object) -> str:
    """One line of a condition block, as the golden files write it."""
    listed = values if isinstance(values, list | tuple) else [values]
    return f"{operator} {key} {' | '.join(str(value) for value in listed)}"
