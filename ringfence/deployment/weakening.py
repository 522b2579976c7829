"""What an update in place may take from a resource that holds data: the tables, and how two values compare.

Such a resource stays, so neither CloudFormation nor a template's diff says that anything is lost. `GUARDS` says in
which direction a property protects less; a change of any other property is told as well, unless `HARMLESS` has it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ringfence.deployment.schemas import kept

Weaker = Callable[[Any, Any], bool]
"""Whether the second of two values of a property protects less than the first; `None`: the template says nothing."""

STAYS: Final = ("Retain", "RetainExceptOnCreate")
"""Deletion policies under which a resource outlives its place in the template."""


def ranked(*order: str, absent: str) -> Weaker:
    """Values from weak to strong, and which of them counts where the template says nothing.

    A value that is not listed, a reference for instance, may be anything: going there is weaker, coming from there not.
    """

    def weaker(was: Any, becomes: Any) -> bool:
        old, new = (absent if each is None else str(each).lower() for each in (was, becomes))
        return old in order and (new not in order or order.index(new) < order.index(old))

    return weaker


def fewer_days(absent: float) -> Weaker:
    """A number, or the least of several; `absent` counts where the template says nothing."""

    def weaker(was: Any, becomes: Any) -> bool:
        return was != becomes and _least(becomes, absent, -math.inf) < _least(was, absent, -math.inf)

    return weaker


def earlier(*path: str) -> Weaker:
    """Lifecycle rules of which one deletes earlier: the days at a path below a rule, for the same objects.

    Which objects those are a rule says beside the days. A rule without them deletes nothing.
    """

    def weaker(was: Any, becomes: Any) -> bool:
        old, new = (_days_by_scope(rules, path) for rules in (was, becomes))
        return was != becomes and any(days < old.get(scope, math.inf) for scope, days in new.items())

    return weaker


def _days_by_scope(rules: Any, path: Sequence[str]) -> dict[str, float]:
    found: dict[str, float] = {}
    for rule in rules if isinstance(rules, list) else []:
        scope = json.dumps([_of(rule, name) for name in _SCOPE], sort_keys=True)
        found[scope] = min(found.get(scope, math.inf), _least(at(rule, path), math.inf, -math.inf))
    return found


_SCOPE: Final = ("Status", "Prefix", "TagFilters", "ObjectSizeGreaterThan", "ObjectSizeLessThan")


def _least(value: Any, absent: float, unknown: float) -> float:
    values = [each for each in (value if isinstance(value, list) else [value]) if each is not None]
    try:
        return min((float(each) for each in values), default=absent)
    except (TypeError, ValueError):
        return unknown


def other_retention(was: Any, becomes: Any) -> bool:
    """A log group without a number of days keeps its events for ever: both ways from there are told."""
    if was is None or becomes is None:
        return bool(was != becomes)
    return fewer_days(0)(was, becomes)


def shorter_lock(was: Any, becomes: Any) -> bool:
    """Object Lock's default: a mode that gives way, or fewer days; a year counts 365 of them."""
    mode = ranked("", "governance", "compliance", absent="")
    return mode(_of(was, "Mode"), _of(becomes, "Mode")) or fewer_days(0)(_lock_days(was), _lock_days(becomes))


def _lock_days(value: Any) -> Any:
    years, days = _of(value, "Years"), _of(value, "Days")
    return int(years) * 365 if isinstance(years, int | str) else days


def _of(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else None


def another(was: Any, becomes: Any) -> bool:
    """Something was named and it is not the same any more."""
    return was is not None and was != becomes


def added(was: Any, becomes: Any) -> bool:
    """Something stands there that did not."""
    return becomes is not None and was != becomes


def more_items(was: Any, becomes: Any) -> bool:
    """Something is in a list, at whatever depth, that was not."""
    return fewer_items(becomes, was)


def less_masked(was: Any, becomes: Any) -> bool:
    """A data identifier is no longer found or masked as before, by the statements of a masking policy.

    Where the findings are sent is part of it.
    """
    return bool(_masked(was) - _masked(becomes))


def _masked(statements: Any) -> set[tuple[str, str]]:
    return {
        (json.dumps(operation, sort_keys=True), item)
        for each in (statements if isinstance(statements, list) else [])
        for operation in _mapping(each.get("Operation")).items()
        for item in _items(each.get("DataIdentifier"))
    }


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def fewer_items(was: Any, becomes: Any) -> bool:
    """Something of a list, at whatever depth, is not in it any more."""
    return bool(set(_items(was)) - set(_items(becomes)))


def _items(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _items(each)
    elif value is not None:
        yield json.dumps(value, sort_keys=True)


_BY_DEFAULT: Final = [{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}]


def narrower_selectors(was: Any, becomes: Any) -> bool:
    """An advanced event selector is left whose events no selector of the new list takes as well.

    A deployed trail without any records management events (CloudTrail user guide, read 28 November 2026).
    """
    if was is None:
        was = _BY_DEFAULT if becomes else None
    new, old = ([_conditions(each) for each in value] if isinstance(value, list) else [] for value in (becomes, was))
    return not all(any(_takes_all(wide, each) for wide in new) for each in old)


def _conditions(selector: Any) -> list[Mapping[str, Any]]:
    return [each for each in _mapping(selector).get("FieldSelectors") or [] if isinstance(each, Mapping)]


def _takes_all(wide: Sequence[Mapping[str, Any]], narrow: Sequence[Mapping[str, Any]]) -> bool:
    """Whether each condition of the wide selector is one of the narrow one, or admits more values than it.

    A selector without conditions is none that CloudTrail takes, so nothing is known of what it records.
    """
    return bool(wide) and all(any(_admits(ours, theirs) for theirs in narrow) for ours in wide)


def _admits(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    rest_of_ours, rest_of_theirs = ({k: v for k, v in each.items() if k != "Equals"} for each in (ours, theirs))
    more = "Equals" in theirs and set(ours.get("Equals", ())) >= set(theirs["Equals"])
    return ours == theirs or (rest_of_ours == rest_of_theirs and more)


@dataclass(frozen=True)
class Guard:
    """One property that protects what a resource holds.

    Attributes:
        path: Its place in the properties.
        weaker: How two of its values compare.
        effect: What the weaker value means, as the end of a sentence.
        within: How many steps of the path lead to what is compared, where what stands beside the property counts.
    """

    types: tuple[str, ...]
    path: tuple[str, ...]
    weaker: Weaker
    effect: str
    within: int | None = None


_TRAIL: Final = ("AWS::CloudTrail::Trail",)
_BUCKET: Final = ("AWS::S3::Bucket",)
_KEY: Final = ("AWS::KMS::Key",)
_LOG: Final = ("AWS::Logs::LogGroup",)
_LOGS: Final = ("AWS::Logs::LogGroup", "Custom::RuntimeLogGroup")
_POOL: Final = ("AWS::Cognito::UserPool",)
_FUNCTION: Final = ("AWS::Lambda::Function",)
_GATEWAY: Final = ("AWS::BedrockAgentCore::Gateway",)
_RUNTIME: Final = ("AWS::BedrockAgentCore::Runtime",)
_FLOW: Final = ("AWS::EC2::FlowLog",)
_WAF: Final = ("AWS::WAFv2::LoggingConfiguration",)
_DELIVERY: Final = ("AWS::Logs::Delivery",)
_ATTACHED: Final = ("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy")
_ELSEWHERE: Final = "records go somewhere else, or nowhere"
_OFF: Final = ranked("false", "true", absent="false")

GUARDS: Final = (
    Guard(_TRAIL, ("IsLogging",), _OFF, "the trail records nothing"),
    Guard(_TRAIL, ("IsMultiRegionTrail",), _OFF, "what happens in other regions is not recorded"),
    Guard(_TRAIL, ("IncludeGlobalServiceEvents",), _OFF, "what happens in global services is not recorded"),
    Guard(_TRAIL, ("EnableLogFileValidation",), _OFF, "nobody can show that a log file was not changed"),
    Guard(_TRAIL, ("AdvancedEventSelectors",), narrower_selectors, "fewer events are recorded"),
    Guard(_TRAIL, ("S3BucketName",), another, "the record goes somewhere else"),
    Guard(_TRAIL, ("CloudWatchLogsLogGroupArn",), another, "the department's log group has the record no more"),
    Guard(_TRAIL, ("CloudWatchLogsRoleArn",), another, "another role writes to the log group, or none"),
    Guard(_TRAIL, ("KMSKeyId",), another, "the record is not encrypted with the department's key"),
    Guard(
        _BUCKET,
        ("ObjectLockConfiguration", "ObjectLockEnabled"),
        ranked("", "enabled", absent=""),
        "new objects can be deleted",
    ),
    Guard(
        _BUCKET,
        ("ObjectLockConfiguration", "Rule", "DefaultRetention"),
        shorter_lock,
        "new objects can be deleted earlier, or by whoever may pass the lock by",
    ),
    Guard(
        _BUCKET,
        ("VersioningConfiguration", "Status"),
        ranked("suspended", "enabled", absent="suspended"),
        "an object can be overwritten for good",
    ),
    Guard(
        _BUCKET,
        ("LifecycleConfiguration", "Rules", "ExpirationInDays"),
        earlier("ExpirationInDays"),
        "objects are deleted earlier",
        within=2,
    ),
    Guard(
        _BUCKET,
        ("LifecycleConfiguration", "Rules", "NoncurrentVersionExpiration", "NoncurrentDays"),
        earlier("NoncurrentVersionExpiration", "NoncurrentDays"),
        "what was overwritten or deleted is gone earlier",
        within=2,
    ),
    Guard(
        _BUCKET,
        ("LifecycleConfiguration", "Rules", "NoncurrentVersionExpirationInDays"),
        earlier("NoncurrentVersionExpirationInDays"),
        "what was overwritten or deleted is gone earlier",
        within=2,
    ),
    Guard(_BUCKET, ("LifecycleConfiguration", "Rules", "ExpirationDate"), more_items, "objects are deleted on one day"),
    *(
        Guard(_BUCKET, ("PublicAccessBlockConfiguration", each), _OFF, "the bucket may become public")
        for each in ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    ),
    Guard(_BUCKET, ("BucketEncryption",), another, "new objects are encrypted in another way"),
    Guard(_BUCKET, ("OwnershipControls",), another, "who owns an object, and may open it to others, is another"),
    Guard(_BUCKET, ("LoggingConfiguration",), another, "nobody sees who read the objects"),
    Guard(_KEY, ("Enabled",), ranked("false", "true", absent="true"), "nothing can be written or read with the key"),
    Guard(_KEY, ("EnableKeyRotation",), _OFF, "the key is not rotated"),
    Guard(_KEY, ("PendingWindowInDays",), fewer_days(30), "there is less time to undo a deletion of the key"),
    Guard(_LOGS, ("RetentionInDays",), other_retention, "records go earlier, or nothing says when they go"),
    Guard(_LOGS, ("KmsKeyId",), another, "new records are not encrypted with the department's key"),
    Guard(_LOGS, ("DeletionProtectionEnabled",), _OFF, "the log group can be deleted"),
    Guard(
        _LOG, ("DataProtectionPolicy", "Statement"), less_masked, "less is masked, or what was found is told elsewhere"
    ),
    Guard(("Custom::RuntimeLogGroup",), ("MaskingPolicyDigest",), another, "something else is masked, or nothing"),
    Guard(_FUNCTION, ("Environment", "Variables", "MASKING_POLICY"), another, "something else is masked, or nothing"),
    Guard(_FUNCTION, ("Environment", "Variables", "LOG_KEY_ARN"), another, "log groups get another key, or none"),
    Guard(_FUNCTION, ("Environment", "Variables", "RETENTION_DAYS"), other_retention, "records go earlier"),
    Guard(_FUNCTION, ("Role",), another, "another role writes the records"),
    Guard(_FUNCTION, ("LoggingConfig", "LogGroup"), another, _ELSEWHERE),
    Guard(
        _FUNCTION,
        ("LoggingConfig", "ApplicationLogLevel"),
        ranked("fatal", "error", "warn", "info", "debug", "trace", absent="trace"),
        "some records are written no more",
    ),
    Guard(_GATEWAY, ("InterceptorConfigurations",), another, "calls are checked and recorded in another way, or not"),
    Guard(_GATEWAY, ("PolicyEngineConfiguration",), another, "calls are decided by another policy engine, or by none"),
    Guard(_RUNTIME, ("RoleArn",), another, "another role writes the records"),
    Guard(_RUNTIME, ("EnvironmentVariables", "RINGFENCE_CALL_LOG_GROUP"), another, _ELSEWHERE),
    Guard(_POOL, ("MfaConfiguration",), ranked("off", "optional", "on", absent="off"), "a password alone is enough"),
    Guard(_POOL, ("EnabledMfas",), another, "the second factor is another"),
    Guard(_POOL, ("AdminCreateUserConfig", "AllowAdminCreateUserOnly"), _OFF, "anybody can sign up"),
    Guard(_POOL, ("AccountRecoverySetting",), another, "people get in again in another way"),
    Guard(_POOL, ("LambdaConfig", "PreTokenGenerationConfig"), another, "another function, or none, makes the claims"),
    Guard(_POOL, ("Policies", "PasswordPolicy", "MinimumLength"), fewer_days(0), "passwords may be shorter"),
    Guard(
        _POOL,
        ("UserPoolAddOns", "AdvancedSecurityMode"),
        ranked("off", "audit", "enforced", absent="off"),
        "risky sign-ins are not stopped",
    ),
    Guard(_FLOW, ("TrafficType",), another, "other connections are recorded"),
    Guard(_FLOW, ("LogFormat",), added, "other fields are recorded"),
    Guard(_FLOW, ("LogGroupName",), another, _ELSEWHERE),
    Guard(_FLOW, ("DeliverLogsPermissionArn",), another, "another role writes the records, or none"),
    Guard(_WAF, ("LoggingFilter",), added, "some requests are recorded no more"),
    Guard(_WAF, ("RedactedFields",), more_items, "less of a request is recorded"),
    Guard(_WAF, ("LogDestinationConfigs",), another, _ELSEWHERE),
    Guard(("AWS::Cognito::LogDeliveryConfiguration",), ("LogConfigurations",), another, _ELSEWHERE),
    Guard(_DELIVERY, ("DeliveryDestinationArn",), another, _ELSEWHERE),
    Guard(_DELIVERY, ("DeliverySourceName",), another, "something else is recorded"),
    Guard(_DELIVERY, ("RecordFields",), added, "other fields are recorded"),
    Guard(("AWS::Logs::DeliveryDestination",), ("DestinationResourceArn",), another, _ELSEWHERE),
    Guard(("AWS::Logs::DeliverySource",), ("LogType",), another, "something else is recorded"),
    Guard(("AWS::Route53Resolver::ResolverQueryLoggingConfig",), ("DestinationArn",), another, _ELSEWHERE),
    Guard(_ATTACHED, ("Roles",), fewer_items, "the role that writes loses its rights"),
    Guard(("AWS::Organizations::Policy",), ("TargetIds",), fewer_items, "it binds fewer accounts"),
    Guard(
        _POOL,
        ("DeletionProtection",),
        ranked("inactive", "active", absent="inactive"),
        "the user pool can be deleted",
    ),
)
"""What absent values mean is from the CloudFormation template reference of each type, read 28 November 2026; but for a
user pool's settings and a bucket's public access block no source was read, and absent counts as the weakest; nor for a
function's log level, where absent counts as the most that is written."""


@dataclass(frozen=True)
class Harmless:
    """Properties whose change takes nothing from what a resource holds. Every other change of one that holds is told.

    Attributes:
        types: The types that have them; every type where it is empty.
        paths: Their places in the properties, with dots between. What a guard has within is judged there.
    """

    types: tuple[str, ...]
    paths: tuple[str, ...]
    why: str


HARMLESS: Final = (
    Harmless(
        (),
        ("Tags", "UserPoolTags", "Description"),
        "says something to people; the tag that a guardrail looks for is the stack's own",
    ),
    Harmless(
        _FUNCTION,
        ("Architectures", "Code", "EphemeralStorage", "Handler", "MemorySize", "Runtime", "Timeout"),
        "what runs is another with every release; the templates' proof and the zips' locks judge it",
    ),
    Harmless(
        _FUNCTION,
        ("FunctionName", "VpcConfig"),
        "name and zones change on ordinary days",
    ),
    Harmless(
        _FUNCTION,
        tuple(
            f"Environment.Variables.{each}"
            for each in ("CLIENT_IDS", "GROUPS", "POWERTOOLS_SERVICE_NAME", "TXN_KEY_ID")
        ),
        "hosts, people's groups and keys that sign come and go; a record has its service's name from the code. Any "
        "other variable may change what is recorded, as a library's log level or endpoint does",
    ),
    Harmless(
        _RUNTIME,
        (
            "AgentRuntimeArtifact",
            "AgentRuntimeName",
            "EnvironmentVariables.RINGFENCE_TXN_KEY_ARN",
            "LifecycleConfiguration",
            "NetworkConfiguration",
        ),
        "as of a function: another zip, name, key that signs or zone on ordinary days",
    ),
    Harmless(
        _RUNTIME,
        ("AuthorizerConfiguration", "ProtocolConfiguration", "RequestHeaderConfiguration"),
        "who may call it, and how, is judged by the proof; each call is recorded as before",
    ),
    Harmless(
        _GATEWAY,
        ("AuthorizerConfiguration", "Name", "ProtocolConfiguration"),
        "hosts come and go; who may call it, and how, is judged by the proof; each call is recorded as before",
    ),
    Harmless(("Custom::RuntimeLogGroup",), ("ServiceTimeout",), "how long CloudFormation waits for an answer"),
    Harmless(("AWS::IAM::Role",), ("MaxSessionDuration",), "a service takes the role anew before its session ends"),
    Harmless(
        _POOL,
        (
            "AdminCreateUserConfig.InviteMessageTemplate",
            "EmailVerificationMessage",
            "EmailVerificationSubject",
            "SmsAuthenticationMessage",
            "SmsVerificationMessage",
            "UserPoolName",
            "VerificationMessageTemplate",
        ),
        "words to people",
    ),
    Harmless(_LOG, ("FieldIndexPolicies",), "which fields are found fast"),
    Harmless(_ATTACHED, ("Groups", "Users"), "who else has the same rights; a service writes as a role"),
    Harmless(("AWS::Organizations::Policy",), ("Name",), "it binds the same under another name"),
)


@dataclass(frozen=True)
class PolicyGuard:
    """One policy document beside what a resource holds.

    Attributes:
        path: Its place in the properties.
        deny_may_come: Whether a new statement that denies takes nothing away. Who writes records needs all rights, also
            those that a bucket's or a key's policy could deny to the service that writes.
        service: Only statements that deny, or may allow an action of this service, count; of any where it is empty.
            What else a role may do changes on ordinary days: which subnets, which zip, which signing key.
    """

    path: str
    deny_may_come: bool
    service: str = ""

    def counts(self, statement: Mapping[str, Any]) -> bool:
        """Whether a statement's coming or going matters; what cannot be read, such as a reference, does."""
        actions = statement.get("Action")
        listed = actions if isinstance(actions, list) else [actions]
        return (
            not self.service
            or statement.get("Effect") != "Allow"
            or any(not isinstance(each, str) or each.lower().startswith(("*", f"{self.service}:")) for each in listed)
        )


POLICIES: Final = {
    "AWS::IAM::ManagedPolicy": PolicyGuard("PolicyDocument", deny_may_come=False, service="logs"),
    "AWS::IAM::Policy": PolicyGuard("PolicyDocument", deny_may_come=False, service="logs"),
    "AWS::IAM::RolePolicy": PolicyGuard("PolicyDocument", deny_may_come=False, service="logs"),
    "AWS::IAM::Role": PolicyGuard("AssumeRolePolicyDocument", deny_may_come=False),
    "AWS::KMS::Key": PolicyGuard("KeyPolicy", deny_may_come=False),
    "AWS::Logs::ResourcePolicy": PolicyGuard("PolicyDocument", deny_may_come=False),
    "AWS::Organizations::Policy": PolicyGuard("Content", deny_may_come=True),
    "AWS::S3::BucketPolicy": PolicyGuard("PolicyDocument", deny_may_come=False),
}
"""By type. Nothing here judges a statement: whoever confirms reads it."""


def other_statements(guard: PolicyGuard, was: Any, becomes: Any) -> list[str]:
    """Returns a sentence for each statement of a policy that goes, changes or comes; a Sid alone is no change."""
    old, new = ([each for each in _statements(document) if guard.counts(each)] for document in (was, becomes))
    before, after = ([_unnamed(each) for each in listed] for listed in (old, new))
    gone = [each for each in old if _unnamed(each) not in after]
    come = [
        each
        for each in new
        if _unnamed(each) not in before and not (guard.deny_may_come and each.get("Effect") == "Deny")
    ]
    there = {_name(each) for each in new}
    left = {_name(each): "is another" if _name(each) in there else "goes" for each in gone}
    told = left | {_name(each): "comes" for each in come if _name(each) not in left}
    return [f"{guard.path}: the statement {name} {what}." for name, what in told.items()]


def denies(guard: PolicyGuard, properties: Mapping[str, Any]) -> bool:
    """Whether a statement of a resource's policy denies something."""
    return any(each.get("Effect") == "Deny" for each in _statements(properties.get(guard.path)))


def _statements(document: Any) -> list[Mapping[str, Any]]:
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except ValueError:
            document = {"Statement": {"Sid": document}}
    if not isinstance(document, Mapping):
        return []
    statements = document.get("Statement", document)  # a document behind a function of CloudFormation counts as one
    listed = statements if isinstance(statements, list) else [statements]
    return [each if isinstance(each, Mapping) else {"Sid": json.dumps(each)} for each in listed]


def _unnamed(statement: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a statement decides by: its Sid decides nothing, unless that is all there is to read."""
    return {key: value for key, value in statement.items() if key != "Sid"} or statement


def _name(statement: Mapping[str, Any]) -> str:
    return str(statement.get("Sid") or json.dumps(statement, sort_keys=True))


def weakened(resource_type: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Returns what a resource that holds data would lose of its protection, a sentence for each property."""
    before, after = old.get("Properties", {}), new.get("Properties", {})
    found = [
        f"{'.'.join(guard.path)} is weaker: {guard.effect}."
        for guard in GUARDS
        if resource_type in guard.types
        and guard.weaker(*(at(each, guard.path[: guard.within]) for each in (before, after)))
    ]
    if policy := POLICIES.get(resource_type):
        found += other_statements(policy, before.get(policy.path), after.get(policy.path))
    rest, new_rest = (_unjudged(resource_type, each) for each in (before, after))
    for name in sorted({*rest, *new_rest}):
        if _OTHERWISE.get((resource_type, name), differs)(rest.get(name), new_rest.get(name)):
            found.append(f"{name} becomes another, and nothing says that this is harmless.")
    for name, moment in (("DeletionPolicy", "leaves the stack"), ("UpdateReplacePolicy", "is replaced")):
        if old.get(name) in STAYS and new.get(name) not in STAYS:
            found.append(f"{name} keeps it no more: it is deleted when it {moment}.")
    return found


def differs(was: Any, becomes: Any) -> bool:
    """It is not the same, whatever stood there."""
    return bool(was != becomes)


def new_rules(was: Any, becomes: Any) -> bool:
    """A lifecycle without any of its days has a rule that it did not have: another prefix, or one that is now on."""
    rest, new_rest = (_mapping(_without(each, ("Rules",))) for each in (was, becomes))
    return more_items(_of(was, "Rules"), _of(becomes, "Rules")) or rest != new_rest


_OTHERWISE: Final[Mapping[tuple[str, str], Weaker]] = {("AWS::S3::Bucket", "LifecycleConfiguration"): new_rules}
"""How the rest of a property compares where it may well change in one direction."""


def _unjudged(resource_type: str, properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns the properties without what a guard, a policy's guard, a table of refusals or `HARMLESS` judges."""
    judged = [guard.path for guard in GUARDS if resource_type in guard.types]
    judged += [tuple(row.path.split(".")) for row in kept() if row.type == resource_type]
    judged += [(POLICIES[resource_type].path,)] if resource_type in POLICIES else []
    for row in HARMLESS:
        if not row.types or resource_type in row.types:
            judged += [tuple(path.split(".")) for path in row.paths]
    rest: Any = properties
    for path in judged:
        rest = _without(rest, path)
    return _mapping(rest)


def _without(value: Any, path: Sequence[str]) -> Any:
    """Returns a value without what stands at a path, and without what is then empty; of a list, in each item."""
    if isinstance(value, list):
        return [_without(each, path) for each in value]
    if not isinstance(value, Mapping) or path[0] not in value:
        return value
    left = {key: each for key, each in value.items() if key != path[0]}
    if len(path) > 1 and (inner := _without(value[path[0]], path[1:])) not in ({}, None):
        left[path[0]] = inner
    return left


def at(value: Any, path: Iterable[str]) -> Any:
    """Returns what stands at a path of property names; of a list, what stands there in each of its items."""
    for step in path:
        if isinstance(value, list):
            value = [at(item, [step]) for item in value]
        else:
            value = value.get(step) if isinstance(value, Mapping) else None
    return value
