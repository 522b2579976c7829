"""Proof 9, records: no persona, call or passed role can touch a log group of the deployment, no runtime writes in the
name of another, and the trail holds every call.

The groups are those that the templates make or keep, and a made-up one that a service delivers to; not a list of ours.
Types of policy are asked apart: identity with session, and boundary alone as if everything were granted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ringfence.deployed.known import values_at
from ringfence.deployed.roles import Role
from ringfence.deployed.runtimes import DeployedRuntime
from ringfence.iam.actions import Action, ActionTable
from ringfence.iam.evaluator import EVERYTHING, Policy, Request, decide, granted_resources
from ringfence.proofs.evidence import Evidence
from ringfence.proofs.findings import Finding, Outcome
from ringfence.proofs.sweeps.permission_sweeps import PermissionSweeps

LOG_GROUPS: Final = ("AWS::Logs::LogGroup", "Custom::RuntimeLogGroup")
"""What makes a log group, or keeps one that AgentCore makes."""

_DATA_EVENTS: Final = ("Gateway", "Runtime", "RuntimeEndpoint")
_TRAIL: Final = {
    "EnableLogFileValidation": True,
    "IncludeGlobalServiceEvents": True,
    "IsLogging": True,
    "IsMultiRegionTrail": True,
}
"""A trail of London alone would miss IAM, which answers from us-east-1."""
_ACCESSES: Final = "LoggingConfiguration.DestinationBucketName"
_SENT: Final = {
    "AWS::CloudTrail::Trail": ("CloudWatchLogsLogGroupArn", "S3BucketName"),
    "AWS::Cognito::LogDeliveryConfiguration": ("LogConfigurations.CloudWatchLogsConfiguration.LogGroupArn",),
    "AWS::EC2::FlowLog": ("LogGroupName",),
    "AWS::Route53Resolver::ResolverQueryLoggingConfig": ("DestinationArn",),
    "AWS::S3::Bucket": (_ACCESSES,),
    "AWS::WAFv2::LoggingConfiguration": ("LogDestinationConfigs",),
}
"""The properties that say where records go, by what sends them."""
_BLOCK: Final = "PublicAccessBlockConfiguration"
_CLOSED: Final = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
_OBJECTS: Final = ("resources.type", "AWS::S3::Object")
_WRITES: Final = ("logs:CreateLogStream", "logs:PutLogEvents")

_DELIVERED: Final = "/aws/vendedlogs/anything"


def prove(evidence: Evidence, sweeps: PermissionSweeps | None = None) -> Outcome:
    """Ask every action that names a log group or a stream of one, about every group of the deployment."""
    sweeps = PermissionSweeps(evidence) if sweeps is None else sweeps
    actions = list(on_groups(sweeps.table))
    groups = log_groups(evidence)
    findings: list[Finding] = []
    asked = 0
    for subject, role, by_type in _subjects(evidence):
        for action in actions:
            asked += len(groups)
            reached = _reached(evidence, role, by_type, action, groups)
            findings += [Finding(subject, f"nothing refuses {action.name} on {group}") for group in reached]
    findings += [*_trails(evidence), *_sent_elsewhere(evidence), *_open_buckets(evidence)]
    findings += _in_the_name_of_others(evidence)
    looked_at = {"log groups": len(groups), "actions": len(actions), "requests": asked}
    return Outcome(tuple(findings), looked_at, ())


def _reached(
    evidence: Evidence, role: Role, by_type: Mapping[str, list[Policy]], action: Action, groups: list[str]
) -> list[str]:
    stream = ":log-stream:anything" if "log-stream" in action.resources[0] else ""
    context = _context(evidence, role)

    def allowed(group: str) -> bool:
        return decide(Request(role.arn, action.name, f"{group}{stream}", context), by_type).allowed

    if granted_resources(action.name, by_type):
        return [group for group in groups if allowed(group)]
    return groups if allowed(groups[0]) else []  # no statement names a resource: what holds of one holds of each


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
            yield f"call {persona} {session.name}", role, {"identity": [EVERYTHING], "session": [session.policy]}
    for arn in evidence.passed_roles:
        role = evidence.roles[arn]
        yield f"boundary of {role.name}", role, _under(role)


def _under(role: Role) -> dict[str, list[Policy]]:
    held = {"identity": [EVERYTHING]}
    return held if role.boundary is None else {**held, "boundary": [role.boundary, EVERYTHING]}


def _context(evidence: Evidence, role: Role) -> dict[str, Any]:
    return {
        "aws:PrincipalArn": role.arn,
        "aws:RequestedRegion": evidence.assembly.region,
        "aws:ResourceAccount": evidence.assembly.account,
        "aws:SourceIdentity": "somebody",
    }


def _trails(evidence: Evidence) -> Iterator[Finding]:
    """One trail, of every region, with all management events and all that happens at gateways and runtimes."""
    trails = evidence.assembly.of_type("AWS::CloudTrail::Trail")
    if len(trails) != 1:
        yield Finding(str(evidence.assembly.path), f"holds {len(trails)} trails, not one")
    wanted = {
        frozenset({("eventCategory", "Management")}),
        *(
            frozenset({("eventCategory", "Data"), ("resources.type", f"AWS::BedrockAgentCore::{kind}")})
            for kind in _DATA_EVENTS
        ),
    }
    for trail in trails:
        for key, value in _TRAIL.items():
            if trail.properties.get(key) != value:
                yield Finding(f"trail {trail.logical_id}", f"{key} is {trail.properties.get(key)}, not {value}")
        found = {_selected(each) for each in trail.properties.get("AdvancedEventSelectors", [])}
        for each in sorted(map(sorted, wanted - found)):
            yield Finding(f"trail {trail.logical_id}", f"does not hold every event of {dict(each)}")
        of_objects = _of_objects(evidence)
        if {each for each in found if _OBJECTS in each} != of_objects:
            chosen = [dict(sorted(each)) for each in of_objects] or "none"
            yield Finding(
                f"trail {trail.logical_id}", f"does not hold of S3 objects what the department chose: {chosen}"
            )


def _of_objects(evidence: Evidence) -> set[frozenset[tuple[str, str]]]:
    """The selectors of S3 objects' events that the department chose.

    No event of the record's own buckets is among them, since each would be an object and so another event; and no other
    bucket is left out.
    """
    choice = evidence.department.audit.s3_data_events
    if choice == "none":
        return set()
    own = [f"{bucket.arn}/" for bucket in evidence.assembly.of_type("AWS::S3::Bucket")]
    places: dict[str, Any] = {"Field": "resources.ARN", "NotStartsWith": own}
    if choice not in ("writes", "all"):
        places["StartsWith"] = [f"arn:aws:s3:::{name}/" for name in choice]
    kinds = {("eventCategory", "Data"), _OBJECTS}
    reads = {("readOnly", "false")} if choice == "writes" else set()
    return {frozenset({*kinds, *reads, ("resources.ARN", _text(places))})}


def _text(field: Mapping[str, Any]) -> str:
    return str(sorted((key, sorted(value) if isinstance(value, list) else value) for key, value in field.items()))


def _sent_elsewhere(evidence: Evidence) -> Iterator[Finding]:
    """Records that go to a log group or a bucket that no template makes, which could be anybody's."""
    assembly = evidence.assembly
    own = {str(each.ref) for each in assembly.of_type(*LOG_GROUPS, "AWS::S3::Bucket")} | {*log_groups(evidence)[:-1]}
    last = {place for each in assembly.of_type("AWS::S3::Bucket") for place in values_at(each.properties, _ACCESSES)}
    for kind, paths in _SENT.items():
        # A bucket that keeps the accesses to others keeps none to itself: each would be another.
        for resource in (each for each in assembly.of_type(kind) if str(each.ref) not in last):
            for place in (value for path in paths for value in values_at(resource.properties, path)):
                if place.removesuffix(":*") not in own:
                    yield Finding(f"{kind} {resource.logical_id}", f"sends records to {place or 'nowhere'}")


def _open_buckets(evidence: Evidence) -> Iterator[Finding]:
    """Buckets of records that a later policy or list of theirs could open to everybody."""
    for bucket in evidence.assembly.of_type("AWS::S3::Bucket"):
        for name, value in ((name, *values_at(bucket.properties, f"{_BLOCK}.{name}")) for name in _CLOSED):
            if value != "true":
                yield Finding(f"bucket {bucket.logical_id}", f"{name} is {value or 'missing'}, not true")


def _selected(selector: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    """What a selector asks of an event: each field, with the value that it equals, or with all that is said of it."""
    return frozenset(
        (str(each["Field"]), str(each["Equals"][0]))
        if each.keys() == {"Field", "Equals"} and len(each["Equals"]) == 1
        else (str(each["Field"]), _text(each))
        for each in selector["FieldSelectors"]
    )


def _in_the_name_of_others(evidence: Evidence) -> Iterator[Finding]:
    """Streams of the call records, and zips, that are another runtime's and that a runtime's role can write or read."""
    codes = {_code(runtime) for runtime in evidence.runtimes}
    servers = {*(runtime.server for runtime in evidence.runtimes), "other"}
    for runtime in evidence.runtimes:
        role = evidence.roles[runtime.role_arn]
        subject = f"role {role.resource.logical_id}"
        own = _stream(evidence, runtime, runtime.server)
        every = {_stream(evidence, each, server) for each in evidence.runtimes for server in servers}
        for stream in sorted(every - {own}):
            for action in _WRITES:
                if decide(Request(role.arn, action, stream, _context(evidence, role)), role.by_type()).allowed:
                    yield Finding(subject, f"can {action} on {stream}, which is not its own")
        for action in _WRITES:
            if not decide(Request(role.arn, action, own, _context(evidence, role)), role.by_type()).allowed:
                yield Finding(subject, f"cannot {action} on {own}, where its calls are recorded")
        for code in sorted({*codes, f"{_code(runtime)}x"} - {_code(runtime)}):
            if decide(Request(role.arn, "s3:GetObject", code, _context(evidence, role)), role.by_type()).allowed:
                yield Finding(subject, f"can read {code}, which is not its own code")


def _stream(evidence: Evidence, runtime: DeployedRuntime, server: str) -> str:
    """A server's stream of the call records of a runtime's persona."""
    group = runtime.environment["RINGFENCE_CALL_LOG_GROUP"]
    assembly = evidence.assembly
    return f"arn:aws:logs:{assembly.region}:{assembly.account}:log-group:{group}:log-stream:{server}/anything"


def _code(runtime: DeployedRuntime) -> str:
    place = runtime.resource.properties["AgentRuntimeArtifact"]["CodeConfiguration"]["Code"]["S3"]
    return f"arn:aws:s3:::{place['Bucket']}/{place['Prefix']}"
