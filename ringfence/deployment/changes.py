"""What a change of a department's templates would replace, remove, weaken or break, told before anybody deploys it.

CloudFormation replaces a resource when a property changes that its type fixes at creation, or when what such a property
refers to is replaced. That is read from the published schemas; nothing is asked of AWS here. It makes the new resource
before it deletes the old, so a name that stays is taken; and some changes that a schema allows, the service refuses.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any, Final

from ringfence.deployment.newcomers import newcomers
from ringfence.deployment.schemas import kept, schema_of
from ringfence.deployment.weakening import POLICIES, STAYS, at, denies, other_statements, weakened
from ringfence.service_rules.unique import IN_ACCOUNT, IN_PARENT, ONE_EACH


@dataclass(frozen=True)
class Holding:
    """What a type holds.

    Attributes:
        what: What is lost with it: what no deployment makes again, or records that are never written.
        about: The property that names what it serves. When that goes as well nothing is lost, and a replacement that is
            no weaker loses nothing. Empty where it is worth something for itself.
        having: Only resources with something at this place hold it.
    """

    what: str
    about: str = ""
    having: tuple[str, ...] = ()


_REACH: Final = "who may read or delete two years of records"
_WRITES: Final = "the writing of records"
_ALONE: Final = "what was for those alone whom it named"

_ITSELF: Final = "itself"
"""What a gateway, a role and its boundary are about. With a gateway go the calls that it would check; what works as a
role that goes, or is bounded by what goes, names another or goes as well, and that is told there."""

_CALLERS: Final = "what calls it"
"""What a function and a runtime are about: with whatever refers to them, rights apart, goes what they would record."""

HOLDS: Final = {
    "AWS::BedrockAgentCore::Gateway": Holding("the check and the record of every call of a tool", _ITSELF),
    "AWS::CloudTrail::Trail": Holding("the record of the account"),
    "AWS::Cognito::LogDeliveryConfiguration": Holding("the writing of sign-ins", "UserPoolId"),
    "AWS::Cognito::UserPool": Holding("people, their second factors and sign-ins"),
    "AWS::EC2::FlowLog": Holding("the writing of the network's connections", "ResourceId"),
    "AWS::EC2::Subnet": Holding("the network interfaces of runtimes and functions"),
    "AWS::EC2::VPC": Holding("the network and everything in it"),
    "AWS::KMS::Key": Holding("the only way to read what it encrypts"),
    "AWS::Lambda::Function": Holding(
        "the masking of every runtime's log group", having=("Environment", "Variables", "MASKING_POLICY")
    ),
    "AWS::Logs::Delivery": Holding(_WRITES, "DeliverySourceName"),
    "AWS::Logs::DeliveryDestination": Holding(_WRITES, "DestinationResourceArn"),
    "AWS::Logs::DeliverySource": Holding(_WRITES, "ResourceArn"),
    "AWS::Logs::LogGroup": Holding("two years of records"),
    "AWS::Logs::ResourcePolicy": Holding(_WRITES),
    "AWS::Organizations::Policy": Holding("a guardrail of every account below its targets"),
    "AWS::Route53Resolver::ResolverQueryLoggingConfig": Holding("the writing of DNS queries", "DestinationArn"),
    "AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation": Holding("the writing of DNS queries", "ResourceId"),
    "AWS::S3::Bucket": Holding("two years of records"),
    "AWS::S3::BucketPolicy": Holding(_REACH, "Bucket"),
    "AWS::WAFv2::LoggingConfiguration": Holding("the writing of requests", "ResourceArn"),
    "Custom::RuntimeLogGroup": Holding("two years of records"),
}
"""By type."""

_WRITES_AS: Final = {
    "AWS::BedrockAgentCore::Runtime": "RoleArn",
    "AWS::CloudTrail::Trail": "CloudWatchLogsRoleArn",
    "AWS::EC2::FlowLog": "DeliverLogsPermissionArn",
    "AWS::Lambda::Function": "Role",
}
"""Types that write records with a role of their own, and the property that names it. They, the role, its policies and
its boundary hold the writing as well."""

_RIGHTS: Final = ("AWS::IAM::", "AWS::Lambda::Permission")
"""Types that refer to a function or a runtime and do not call it."""

_ATTACHED_BY: Final = {
    "AWS::IAM::ManagedPolicy": "Roles",
    "AWS::IAM::Policy": "Roles",
    "AWS::IAM::RolePolicy": "RoleName",
}
"""Types of policies, and the property that names the roles that they are attached to."""

DIVERTS: Final = {
    "AWS::Logs::AccountPolicy": "masks, sends or rewrites the records of every log group",
    "AWS::Logs::Delivery": "sends records elsewhere",
    "AWS::Logs::Destination": "takes records for another place",
    "AWS::Logs::Integration": "shows records to an OpenSearch domain",
    "AWS::Logs::ScheduledQuery": "sends what it finds in records elsewhere",
    "AWS::Logs::SubscriptionFilter": "sends records elsewhere",
    "AWS::Logs::Transformer": "rewrites records as they are written",
    "AWS::Oam::Link": "shows records to another account",
    "AWS::ObservabilityAdmin::OrganizationCentralizationRule": "copies records of every account to another",
    "AWS::ObservabilityAdmin::S3TableIntegration": "copies records to tables in S3",
    "AWS::ObservabilityAdmin::TelemetryPipelines": "sends or rewrites records on their way",
}
"""Types of which a department has none: one that comes, or changes, is told, with what it does."""

_ONCE: Final = {
    "AWS::CloudTrail::Trail": "records the account a second time, and may send that elsewhere",
    "AWS::EC2::FlowLog": "records connections a second time, and may send that elsewhere",
}
"""Types of which a department has one: another that comes beside what is deployed is told, with what it does."""

PROTECTED: Final = "TerminationProtection"
"""Stands beside a template's sections where it is known; CloudFormation has it as a setting of the stack."""

_MACROS: Final = ("Transform", "Fn::Transform")
_BUCKET_POLICY: Final = "AWS::S3::BucketPolicy"
_SUBNET: Final = "AWS::EC2::Subnet"
_OF_NO_PERSONA: Final = ("-audit", "-network", "-identity")

Templates = Mapping[str, Mapping[str, Any]]
_Place = tuple[str, str]
_ONE_EACH: Final = " Of these there is one for each"


@dataclass(frozen=True)
class Change:
    """One resource that would not stay, or one thing that CloudFormation would refuse.

    Attributes:
        kind: `replaced`, `removed`, `weakened` (stays, and what it holds is protected less), `kept` (leaves the stack,
            stays in the account) or `refused`.
        logical_id: the resource, or the export.
        type: empty for an export.
        loses: what is lost with it; empty when nothing.
        by_hand: whether a person can clear the way for what would be refused, and then confirms it.
    """

    kind: str
    stack: str
    logical_id: str
    type: str
    why: str
    loses: str = ""
    by_hand: bool = False

    @property
    def name(self) -> str:
        """How a person names it when confirming: `<stack>/<logical id>`."""
        return f"{self.stack}/{self.logical_id}"

    def __str__(self) -> str:
        loss = f" It holds {self.loses}." if self.loses else ""
        return f"{self.kind:<8}  {self.name} ({self.type or 'export'}): {self.why}{loss}"


def changes(before: Templates, after: Templates) -> list[Change]:
    """Returns what would not stay when `after` is deployed over `before`, stack by stack in the order of `after`.

    Args:
        before: Templates by stack name, as deployed or committed.
        after: The same as synthesised now. A stack that is in `before` alone is not deployed, so nothing of it goes.

    Raises:
        CannotGoOn: a type that both have is in no schema.
    """
    replaced = _replaced(before, after)
    holdings = _holdings(before)
    turned = _turned(before, after)
    leaving = _leaving(before, after)
    found: list[Change] = []
    for stack in after:
        if stack not in before:
            continue
        old, new = _resources(before[stack]), _resources(after[stack])
        for logical_id, resource in old.items():
            place = stack, logical_id
            holding = holdings.get(place)
            held = holding.what if holding else ""
            if place in leaving:
                loses = "" if holding and _goes_along(place, holding, before, leaving) else held
                found.append(_gone(stack, logical_id, resource, leaving[place], loses))
                continue
            lost = _lost(place, before, after, turned) if held else []
            if place in replaced:
                loses = "" if holding and holding.about and not lost else held
                why = " ".join([replaced[place], *lost])
                taken = _taken(place, before, after, replaced)
                found.append(_replacement(stack, logical_id, resource, new[logical_id], why, taken, loses))
            elif refused := _refused(resource, new[logical_id]):
                found.append(Change("refused", stack, logical_id, resource["Type"], refused, held if lost else ""))
            elif lost:
                found.append(Change("weakened", stack, logical_id, resource["Type"], " ".join(lost), held))
    found += [*_of_stacks(before, after), *_denied(before, after, holdings), *_diverted(before, after)]
    told = {each.name for each in found if each.loses}
    for stack, logical_id, why in newcomers(before, after):
        kind = str(_resources(after[stack])[logical_id]["Type"])
        come = Change("weakened", stack, logical_id, kind, why, _ALONE)
        found += [come] if come.name not in told else []
    found += _taken_names(before, after, leaving, replaced)
    found += _taken_addresses(before, after, replaced)
    return [*found, *_broken_imports(before, after), *_orphans(before, after)]


def _resources(template: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    resources: Mapping[str, Mapping[str, Any]] = template.get("Resources", {})
    return resources


def _lost(place: _Place, before: Templates, after: Templates, turned: Set[str]) -> list[str]:
    """Returns what a resource that stays would lose, a sentence for each thing.

    References to another stack compare by what they stand for; a stack that is not deployed again stays as it is.
    """
    old, new = (
        {**at_place, "Properties": _across(at_place.get("Properties", {}), place[0], templates)}
        for templates in (before, {**before, **after})
        for at_place in [_at_place(place, templates)]
    )
    text = json.dumps(new["Properties"])
    read = [name for name in sorted(turned) if f'"{name}"' in text or f"${{{name}}}" in text]
    told = [f"{name} changes, and a property may read it." for name in read]
    return [*weakened(str(old["Type"]), old, new), *told]


def _turned(before: Templates, after: Templates) -> set[str]:
    """Returns the parameters, conditions and mappings of each stack in which one of them is another than before.

    Each may be made of the others, so all of them may stand for something else.
    """
    parts = ("Conditions", "Mappings", "Parameters")
    return {
        name
        for stack in before.keys() & after.keys()
        if any(before[stack].get(part) != after[stack].get(part) for part in parts)
        for template in (before[stack], after[stack])
        for part in parts
        for name in template.get(part) or {}
    }


def _replaced(before: Templates, after: Templates) -> dict[_Place, str]:
    """Returns the reason of each replacement, those that follow from others included."""
    found: dict[_Place, str] = {}
    while True:
        more = {
            place: why
            for place, old, new in _in_both(before, after)
            if place not in found and (why := _why_replaced(place[0], old, new, found, after))
        }
        if not more:
            return found
        found |= more


def _in_both(before: Templates, after: Templates) -> Iterator[tuple[_Place, Mapping[str, Any], Mapping[str, Any]]]:
    for stack in before.keys() & after.keys():
        new = _resources(after[stack])
        for logical_id, old in _resources(before[stack]).items():
            if logical_id in new:
                yield (stack, logical_id), old, new[logical_id]


def _why_replaced(
    stack: str, old: Mapping[str, Any], new: Mapping[str, Any], replaced: Mapping[_Place, str], after: Templates
) -> str:
    if old["Type"] != new["Type"]:
        return f"its type becomes {new['Type']}."
    for path in schema_of(new["Type"]).fixed:
        was, becomes = at(old.get("Properties", {}), path), at(new.get("Properties", {}), path)
        name = ".".join(path)
        if was != becomes:
            return f"{name} changes, which is fixed when it is made."
        for target in _references(becomes, stack, after):
            if target in replaced:
                return f"{name} refers to {target[1]}, which is replaced."
    return ""


def _references(value: Any, stack: str, after: Templates) -> Iterator[_Place]:
    """Yields the resources whose id or attribute stands in a value, in this stack or another."""
    if isinstance(value, list):
        for item in value:
            yield from _references(item, stack, after)
    elif isinstance(value, Mapping):
        match next(iter(value.items()), None) if len(value) == 1 else None:
            case ("Ref", str(name)):
                yield stack, name
            case ("Fn::GetAtt", [str(name), *_]):
                yield stack, name
            case _ if output := _output(value, after):
                yield from _references(*output, after)
            case _:
                for item in value.values():
                    yield from _references(item, stack, after)


def _output(value: Mapping[str, Any], templates: Templates) -> tuple[Any, str] | None:
    """Returns the value that another stack hands over, and that stack; None where none of them does."""
    match dict(value):
        case {"Fn::ImportValue": str(name)}:
            for stack, template in templates.items():
                for output in template.get("Outputs", {}).values():
                    if output.get("Export", {}).get("Name") == name:
                        return output["Value"], stack
        case {"Fn::GetStackOutput": {"StackName": str(stack), "OutputName": str(output)}}:
            return templates.get(stack, {}).get("Outputs", {}).get(output, {}).get("Value"), stack
    return None


def _across(value: Any, stack: str, templates: Templates) -> Any:
    """Returns a value in which each reference names its stack, so that it compares with one of another stack."""
    if isinstance(value, list):
        return [_across(item, stack, templates) for item in value]
    if not isinstance(value, Mapping):
        return value
    if output := _output(value, templates):
        return _across(*output, templates)
    refers = value.keys() & {"Ref", "Fn::GetAtt"} and not str(value.get("Ref", "")).startswith("AWS::")
    if refers:
        return {key: [*_references(value, stack, templates), item] for key, item in value.items()}
    return {key: _across(item, stack, templates) for key, item in value.items()}


def _holdings(before: Templates) -> dict[_Place, Holding]:
    """Returns what each deployed resource holds, where it holds something."""
    found = {
        (stack, logical_id): holding
        for stack, template in before.items()
        for logical_id, resource in _resources(template).items()
        if (holding := _holding(resource))
    }
    roles: set[_Place] = set()
    for (stack, logical_id), properties, kind in _each(before):
        if working := set(_references(properties.get(_WRITES_AS.get(kind, "")), stack, before)):
            roles |= working
            found.setdefault((stack, logical_id), Holding(_WRITES, _CALLERS))
    found |= {role: Holding(_WRITES, _ITSELF) for role in roles}
    for place, properties, kind in _each(before):
        if kind in _ATTACHED_BY and roles & _attached(properties, kind, place[0], before):
            found[place] = Holding(_WRITES, _ATTACHED_BY[kind])
        elif place in roles:
            limits = [properties.get("ManagedPolicyArns"), properties.get("PermissionsBoundary")]
            found |= {each: Holding(_WRITES, _ITSELF) for each in _references(limits, place[0], before)}
    return found


def _attached(properties: Mapping[str, Any], kind: str, stack: str, templates: Templates) -> set[_Place]:
    """Returns the roles that a policy is attached to: referred to, or named."""
    given = properties.get(_ATTACHED_BY[kind])
    names = [each for each in (given if isinstance(given, list) else [given]) if isinstance(each, str)]
    named = {place for place, each, _ in _each(templates) if each.get("RoleName") in names}
    return named.union(_references(given, stack, templates))


def _each(templates: Templates) -> Iterator[tuple[_Place, Mapping[str, Any], str]]:
    """Yields every resource's place, properties and type."""
    for stack, template in templates.items():
        for logical_id, resource in _resources(template).items():
            yield (stack, logical_id), resource.get("Properties", {}), str(resource["Type"])


def _of_stacks(before: Templates, after: Templates) -> Iterator[Change]:
    """Yields stacks that are protected less as a whole, or whose template a macro rewrites in another way."""
    for stack in after:
        old, new = before.get(stack), after[stack]
        if old is None:
            continue
        told = {each: "a macro rewrites the whole template." for each in _MACROS if old.get(each) != new.get(each)}
        if old.get(PROTECTED) and new.get(PROTECTED) is False:
            told[PROTECTED] = "the stack can be deleted as a whole."
        for name, why in told.items():
            yield Change("weakened", stack, name, "AWS::CloudFormation::Stack", why, "all that it made")


def _denied(before: Templates, after: Templates, holdings: Mapping[_Place, Holding]) -> Iterator[Change]:
    """Yields policies that now deny something to a deployed role that writes records, and did not reach it before."""
    for place, properties, kind in _each(after):
        if kind not in _ATTACHED_BY or not denies(POLICIES[kind], properties):
            continue
        old = _resources(before.get(place[0], {})).get(place[1], {})
        had = _attached(old.get("Properties", {}), kind, place[0], before) if old.get("Type") == kind else set()
        reached = {role for role in _attached(properties, kind, place[0], after) - had if role in holdings}
        if reached:
            why = "it denies something to a role that writes records."
            yield Change("weakened", *place, kind, why, _WRITES)


def _diverted(before: Templates, after: Templates) -> Iterator[Change]:
    """Yields what is new or another, and sends records elsewhere, denies their writing or rewrites them."""
    there = {kind for _, _, kind in _each(before)}
    for place, properties, kind in _each(after):
        old = _resources(before.get(place[0], {})).get(place[1])
        another = kind not in HOLDS and old is not None and old.get("Properties", {}) != properties
        if kind in DIVERTS and before and (old is None or another):
            yield Change("weakened", *place, kind, f"it {DIVERTS[kind]}.", "two years of records")
        elif kind in _ONCE and old is None and (place[0] in before or kind in there):
            yield Change("weakened", *place, kind, f"it {_ONCE[kind]}.", "two years of records")
        elif kind == "AWS::Logs::ResourcePolicy" and before and old is None and denies(POLICIES[kind], properties):
            yield Change("weakened", *place, kind, "it denies something to whoever writes records.", _WRITES)
        elif kind == _BUCKET_POLICY and old is None and _of_deployed(properties.get("Bucket"), place, before, after):
            # The bucket had none, so each of its statements comes: one may keep the writers out, one let others in.
            told = other_statements(POLICIES[kind], None, properties.get("PolicyDocument"))
            yield Change("weakened", *place, kind, " ".join(told) or "its first policy comes.", _REACH)


def _of_deployed(value: Any, place: _Place, before: Templates, after: Templates) -> bool:
    """Whether a value is, or may turn out to be, something deployed: a reference alone tells that it is not."""
    stack = place[0]
    while isinstance(value, Mapping) and (output := _output(value, after)):
        value, stack = output
    match value:
        case {"Ref": str(name)} if name in _resources(after.get(stack, {})):
            return name in _resources(before.get(stack, {}))
    return bool(before)


def _holding(resource: Mapping[str, Any]) -> Holding | None:
    """A key that signs encrypts nothing, and what it signed is over in a minute."""
    properties = resource.get("Properties", {})
    found = HOLDS.get(str(resource["Type"]))
    signs = properties.get("KeyUsage") == "SIGN_VERIFY"
    return None if not found or signs or (found.having and at(properties, found.having) is None) else found


def _leaving(before: Templates, after: Templates) -> dict[_Place, str]:
    """Returns the resources that go, each with the condition that it goes by; empty where the template drops it."""
    found = {}
    for stack in before.keys() & after.keys():
        new = _resources(after[stack])
        same = all(
            before[stack].get(part) == after[stack].get(part) for part in ("Conditions", "Mappings", "Parameters")
        )
        for logical_id, old in _resources(before[stack]).items():
            if logical_id not in new:
                found[stack, logical_id] = ""
            elif condition := new[logical_id].get("Condition"):
                if condition != old.get("Condition") or not same:
                    found[stack, logical_id] = str(condition)
    return found


def _goes_along(place: _Place, holding: Holding, before: Templates, leaving: Mapping[_Place, str]) -> bool:
    """Whether what a resource serves, or what calls it, goes with it.

    What it serves is referred to, or named as a delivery names its source.
    """
    if holding.about == _ITSELF:
        return True
    if holding.about == _CALLERS:
        callers = (
            other
            for other, properties, kind in _each(before)
            if not kind.startswith(_RIGHTS) and place in _references(properties, other[0], before)
        )
        return all(each in leaving for each in callers)
    resources = _resources(before[place[0]])
    value = resources[place[1]].get("Properties", {}).get(holding.about) if holding.about else None
    named = ((place[0], key) for key, each in resources.items() if each.get("Properties", {}).get("Name") == value)
    served = [*_references(value, place[0], before), *(named if isinstance(value, str) else ())]
    return any(each in leaving for each in served if each != place)


def _gone(stack: str, logical_id: str, resource: Mapping[str, Any], condition: str, loses: str) -> Change:
    kind = str(resource["Type"])
    if kind == "Custom::RuntimeLogGroup":
        return Change("kept", stack, logical_id, kind, "its log group stays: the function that made it removes none.")
    where = f" where its condition {condition} does not hold" if condition else ""
    if resource.get("DeletionPolicy") in STAYS:
        return Change("kept", stack, logical_id, kind, f"leaves the stack{where} and stays in the account.")
    return Change("removed", stack, logical_id, kind, f"is deleted{where}.", loses)


def _replacement(
    stack: str, logical_id: str, old: Mapping[str, Any], new: Mapping[str, Any], why: str, taken: str, loses: str
) -> Change:
    kind = str(old["Type"])
    if new["Type"] != old["Type"]:
        # CloudFormation's own words: "Update of resource type is not permitted".
        return Change("refused", stack, logical_id, kind, f"{why} CloudFormation changes no resource's type.", loses)
    kept_by_parent = taken.startswith(_ONE_EACH)
    return Change("refused" if taken else "replaced", stack, logical_id, kind, why + taken, loses, kept_by_parent)


def _taken(place: _Place, before: Templates, after: Templates, replaced: Mapping[_Place, str]) -> str:
    """What the old resource still holds when the new one is made, so that this fails; empty where that is nothing."""
    shared = _shared(place, place, before, after, replaced)
    if shared and shared == ONE_EACH.get(_at_place(place, after)["Type"]):
        return f"{_ONE_EACH} {' and '.join(shared)}, and the old one goes last: delete that by hand first."
    return " CloudFormation cannot replace a resource whose name is given and stays." if shared else ""


def _shared(
    was: _Place, becomes: _Place, before: Templates, after: Templates, replaced: Mapping[_Place, str]
) -> tuple[str, ...]:
    """Returns the properties that keep an old and a new resource from being there at once; none where they can be."""
    old, new = _at_place(was, before), _at_place(becomes, after)
    if old["Type"] != new["Type"]:
        return ()
    for table in (IN_ACCOUNT, IN_PARENT, ONE_EACH):
        names = table.get(str(new["Type"]), ())
        values, given = ([at(each.get("Properties", {}), name.split(".")) for name in names] for each in (old, new))
        moved = any(target in replaced for target in _references(given, becomes[0], after))
        same = _across(values, was[0], before) == _across(given, becomes[0], after)
        if names and None not in given and same and not moved:
            return names
    return ()


def _at_place(place: _Place, templates: Templates) -> Mapping[str, Any]:
    return _resources(templates[place[0]])[place[1]]


def _refused(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Why the service refuses an update in place; empty where it does not."""
    found = []
    for row in kept():
        was, becomes = (at(each.get("Properties", {}), row.path.split(".")) for each in (old, new))
        if row.type == new["Type"] and row.refuses(was, becomes):
            found.append(f"{row.path} changes: {row.why} {row.remedy}")
    return " ".join(found)


def _taken_names(
    before: Templates, after: Templates, leaving: Mapping[_Place, str], replaced: Mapping[_Place, str]
) -> Iterator[Change]:
    """Yields resources that would come under a name that another still has: it is made before that goes."""
    going = [*leaving, *replaced]
    for place, _, kind in _each(after):
        if place[1] in _resources(before.get(place[0], {})) and place not in replaced:
            continue
        for other in going:
            if other == place or not (shared := _shared(other, place, before, after, replaced)):
                continue
            what = "name" if shared != ONE_EACH.get(kind) else " and ".join(shared)
            why = f"{other[1]} has its {what} and leaves only later: it already exists. Keep the logical id {other[1]}."
            if other[0] != place[0]:
                why = (
                    f"{'/'.join(other)} has its {what}, and one stack changes after the other: it may already exist. "
                    "Keep it there; or let it go with one deployment and come with the next, imported if it is kept."
                )
            yield Change("refused", *place, kind, why)


def _taken_addresses(before: Templates, after: Templates, replaced: Mapping[_Place, str]) -> Iterator[Change]:
    """Yields subnets that would be made on addresses that another of the VPC still has, and keeps where it is retained.

    EC2: "A subnet CIDR block must not overlap the CIDR block of an existing subnet in the VPC" (API reference,
    CreateSubnet, read 28 November 2026).
    """
    there = [(place, given) for place, given, kind in _each(before) if kind == _SUBNET]
    for place, given, kind in _each(after):
        stays = place[1] in _resources(before.get(place[0], {})) and place not in replaced
        moved = any(target in replaced for target in _references(given.get("VpcId"), place[0], after))
        if kind != _SUBNET or stays or moved:
            continue
        for other, had in there:
            near = _across(had.get("VpcId"), other[0], before) == _across(given.get("VpcId"), place[0], after)
            if near and any(_overlap(had.get(each), given.get(each)) for each in ("CidrBlock", "Ipv6CidrBlock")):
                why = (
                    f"{other[1]} has its addresses, and leaves later or stays in the account. "
                    "Add a zone at the end of the list, and let only the last one go."
                )
                yield Change("refused", *place, kind, why)


def _overlap(one: Any, other: Any) -> bool:
    """Whether two networks share an address; of what is no text, whether it is the same."""
    try:
        return ip_network(one, strict=False).overlaps(ip_network(other, strict=False))
    except (TypeError, ValueError):
        return one is not None and one == other


def _broken_imports(before: Templates, after: Templates) -> Iterator[Change]:
    """Yields exports that go, or change, while a deployed stack imports them: CloudFormation stops there."""
    imported = {name for template in before.values() for name in _imports(template)}
    for stack in after:
        gone = {n: v for n, v in _exports(before.get(stack, {})).items() if n in imported}
        kept = _exports(after[stack])
        for name, value in gone.items():
            if name not in kept:
                yield Change("refused", stack, name, "", "is no longer exported while a deployed stack imports it.")
            elif kept[name] != value:
                yield Change("refused", stack, name, "", "would change its value while a deployed stack imports it.")


def _exports(template: Mapping[str, Any]) -> dict[str, Any]:
    outputs = template.get("Outputs", {}).values()
    return {output["Export"]["Name"]: output["Value"] for output in outputs if "Export" in output}


def _imports(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _imports(item)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if key == "Fn::ImportValue" and isinstance(item, str):
                yield item
            else:
                yield from _imports(item)


def _orphans(before: Templates, after: Templates) -> Iterator[Change]:
    """Yields stacks that are deployed and no longer in the app: they live on, and nothing changes them any more."""
    for stack in before:
        if stack not in after:
            why = "is no longer in the department's file, and stays deployed. List its persona under `retired` instead."
            if stack.endswith(_OF_NO_PERSONA):
                why = "is not in the new templates, and stays deployed. Synthesise the whole department."
            yield Change("refused", stack, "the stack", "AWS::CloudFormation::Stack", why)
