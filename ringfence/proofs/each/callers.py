"""Proof 12, callers: a runtime answers its gateway, a gateway its networks, a function its pool, a key signs for one,
and no key, bucket or log group lets in anybody but the services that keep records there.

Policies of resources are judged against callers with every right that an identity policy can give: an administrator
is one of them.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from typing import Any, Final

from ringfence.deployed.assembly import Resource
from ringfence.deployed.functions import DeployedFunction
from ringfence.deployed.gateways import DeployedGateway
from ringfence.deployed.known import values_at
from ringfence.deployed.resource_policies import KEY, resource_policies
from ringfence.iam.actions import ActionTable
from ringfence.iam.evaluator import EVERYONE, EVERYTHING, Policy, Request, decide
from ringfence.proofs.each.trust import everybody
from ringfence.proofs.evidence import Evidence
from ringfence.proofs.findings import Finding, Outcome
from ringfence.proofs.sweeps.permission_sweeps import PermissionSweeps
from ringfence.proofs.sweeps.principals import admits, facts, named_in, serves_others
from ringfence.proofs.sweeps.witness import account_of, sample, satisfy_allow

_INVOKE: Final = "bedrock-agentcore:InvokeAgentRuntime"
_MANAGED: Final = frozenset(
    "CreateAgentRuntimeEndpoint DeleteAgentRuntime DeleteAgentRuntimeEndpoint DeleteResourcePolicy GetAgentRuntime "
    "GetAgentRuntimeEndpoint GetResourcePolicy ListTagsForResource PutResourcePolicy TagResource UntagResource "
    "UpdateAgentRuntime UpdateAgentRuntimeEndpoint".split()
)
"""What manages a runtime and does not use it: the operations of botocore's bedrock-agentcore-control (1.44.5)."""
_NOT_IN_A_POLICY: Final = frozenset({"StopRuntimeSession"})
"""No source says that a runtime's policy may name it, and the gateway may need it (LIVE-19, LIVE-52)."""
_ENTER: Final = "bedrock-agentcore:InvokeGateway"
_SIGN: Final = "kms:Sign"
_ALGORITHM: Final = "kms:signingalgorithm"
_ADDRESS: Final = "aws:sourceip"
_BUCKET, _LOGS = "AWS::S3::BucketPolicy", "AWS::Logs::ResourcePolicy"
_DELIVERY: Final = frozenset({"delivery.logs.amazonaws.com"})
_KEEPERS: Final = (
    ("AWS::CloudTrail::Trail", "KMSKeyId", "cloudtrail.amazonaws.com"),
    ("AWS::CloudTrail::Trail", "S3BucketName", "cloudtrail.amazonaws.com"),
    ("AWS::Logs::LogGroup", "KmsKeyId", "logs.{region}.amazonaws.com"),
    ("AWS::S3::Bucket", "LoggingConfiguration.DestinationBucketName", "logging.s3.amazonaws.com"),
    ("Custom::RuntimeLogGroup", "KmsKeyId", "logs.{region}.amazonaws.com"),
)
"""What names a key or a bucket for its records, by which property, and the service that then comes there."""


def prove(evidence: Evidence, sweeps: PermissionSweeps | None = None) -> Outcome:
    """Ask the policies on every runtime, endpoint, gateway and signing key about everybody."""
    sweeps = PermissionSweeps(evidence) if sweeps is None else sweeps
    policies = {arn: policy for _, arn, policy in resource_policies(evidence.assembly)}
    keys = {key.arn for key in evidence.assembly.of_type("AWS::KMS::Key") if _signs(key)}
    findings: list[Finding] = []
    used: set[str] = set()
    for persona, gateway in evidence.gateways.items():
        subject = f"gateway {gateway.name}"
        findings += [Finding(subject, each) for each in _gateway(evidence, gateway, policies.get(gateway.arn))]
        for runtime in (each.resource for each in evidence.runtimes if each.persona == persona):
            endpoint = f"{runtime.arn}/runtime-endpoint/DEFAULT"
            for what, place in (("runtime", runtime.arn), ("endpoint of runtime", endpoint)):
                faults = _runtime(evidence, sweeps.table, gateway, place, policies.get(place))
                findings += [Finding(f"{what} {runtime.logical_id}", each) for each in faults]
        key, signer = _key(evidence, gateway)
        used.add(key)
        if key in keys:
            faults = _signing(evidence, persona, key, signer, policies[key])
            findings += [Finding(f"key of persona {persona}", each) for each in faults]
    findings += _permissions(evidence)
    findings += _others(evidence)
    findings += [Finding(f"key {each}", "signs, and no request interceptor uses it") for each in sorted(keys - used)]
    findings += [Finding(f"key {each}", "is to sign, and no stack makes it so") for each in sorted(used - keys)]
    looked_at = {"gateways": len(evidence.gateways), "runtimes": len(evidence.runtimes), "keys": len(keys)}
    return Outcome(tuple(dict.fromkeys(findings)), looked_at)


def _signs(key: Resource) -> bool:
    return key.properties.get("KeyUsage") == "SIGN_VERIFY"


def _permissions(evidence: Evidence) -> Iterator[Finding]:
    """Whom a function's own policy lets in: the user pool whose trigger it is. Gateways come by their roles."""
    wanted = [
        ("cognito-idp.amazonaws.com", pool.arn, arn, "lambda:InvokeFunction")
        for pool in evidence.assembly.of_type("AWS::Cognito::UserPool")
        for arn in values_at(pool.properties, "LambdaConfig.PreTokenGenerationConfig.LambdaArn")
    ]
    for permission in evidence.assembly.of_type("AWS::Lambda::Permission"):
        names = ("Principal", "SourceArn", "FunctionName", "Action")
        found = tuple(permission.properties.get(name) for name in names)
        if found not in wanted:
            told = f"lets {found[0]} do {found[3]} for {found[1]}, and not a user pool's trigger for that pool"
            yield Finding(f"permission {permission.logical_id}", told)


def _others(evidence: Evidence) -> Iterator[Finding]:
    """Whom policies of keys, buckets and log groups let in who keeps no records there.

    A key's policy leaves it to the account whom of its own it lets in; the others name nobody of the account.
    """
    account = evidence.assembly.account
    for resource, place, policy in resource_policies(evidence.assembly, KEY, _BUCKET, _LOGS):
        keepers = _keepers(evidence, resource)
        known = {*everybody(evidence), *named_in(policy, account)} - keepers
        strangers = sorted(each for each in known if resource.type != KEY or account_of(each, "") != account)
        denials = [each for each in policy.statements if not each.allows]
        for statement in (each for each in policy.statements if each.allows):
            for told in _opened(Policy((statement, *denials)), place, strangers, account):
                yield Finding(f"policy of {resource.logical_id}", f"{told} ({statement.sid})")


def _opened(policy: Policy, place: str, strangers: list[str], account: str) -> Iterator[str]:
    """Whom the one statement of a policy that allows lets in, past those that deny."""
    statement, *_ = policy.statements
    for kind in sorted((statement.principals or {}).keys() - {"AWS", "Service"}):
        yield f"admits {kind.lower()} principals"
    pattern = (statement.resources or (place,))[0]
    where = sample(place if pattern == "*" else pattern, satisfy_allow([statement]))
    for name in statement.actions or ("*",):
        action = sample(name, {})
        for stranger in strangers:
            if admits(policy, "key", stranger, action, where):
                yield f"admits {name} of {stranger}"
        for service in serves_others(policy, "key", statement, account, action, where):
            yield f"admits {name} of {service} for another account"


def _keepers(evidence: Evidence, resource: Resource) -> frozenset[str]:
    """The services that come to a key, a bucket or the log groups because a template sends records there."""
    if resource.type == _LOGS:
        return _DELIVERY
    place = resource.arn if resource.type == KEY else str(resource.properties["Bucket"])
    return frozenset(
        service.format(region=evidence.assembly.region)
        for kind, path, service in _KEEPERS
        for each in evidence.assembly.of_type(kind)
        if place in values_at(each.properties, path)
    )


def _everybody(evidence: Evidence, policy: Policy) -> list[str]:
    return sorted({*everybody(evidence), *named_in(policy, evidence.assembly.account)})


def _runtime(
    evidence: Evidence, table: ActionTable, gateway: DeployedGateway, place: str, policy: Policy | None
) -> Iterator[str]:
    if policy is None:
        yield "has no resource policy, so whoever may invoke runtimes may invoke it"
        return
    invoker = gateway.role_arn
    if not decide(Request(invoker, _INVOKE, place, facts(invoker)), {"resource": [policy]}).allowed:
        yield f"refuses its gateway {gateway.name}"
    for principal in _everybody(evidence, policy):
        for way in ways(table):
            wanted = (principal, way) == (invoker, _INVOKE)
            if not wanted and admits(policy, "resource", principal, way, place):
                yield f"admits {way.partition(':')[2]} of {principal}"


def ways(table: ActionTable) -> list[str]:
    """Every action that uses a runtime or an endpoint of one, whatever AWS adds, but for what no policy names yet."""
    return [
        action.name
        for action in table.matching("bedrock-agentcore:*")
        if action.name.partition(":")[2] not in _MANAGED | _NOT_IN_A_POLICY
        and any(":runtime/" in form for form in action.resources)
    ]


def _gateway(evidence: Evidence, gateway: DeployedGateway, policy: Policy | None) -> Iterator[str]:
    """Whoever the token says is calling, the call comes from the networks that the department's file names.

    But for the role that CloudFormation works as: it makes Cedar policies, which is checked as a call of the gateway.
    """
    if policy is None:
        yield "has no resource policy, so calls may come from any network"
        return
    networks = [ipaddress.ip_network(each) for each in evidence.expected.department["ingress"]["allowed_networks"]]
    for network in networks:
        request = Request("anonymous", _ENTER, gateway.arn, {_ADDRESS: str(network.network_address)})
        if not decide(request, {"resource": [policy]}).allowed:
            yield f"refuses {network}, which the department names"
    deployer = f"arn:aws:iam::{evidence.assembly.account}:role/{evidence.bootstrapped('cfn-exec-role')}"
    strangers = ["anonymous", *(each for each in _everybody(evidence, policy) if each != deployer)]
    for address in ("", *strange_addresses(networks)):
        place: dict[str, object] = {_ADDRESS: address or []}
        for principal in strangers:
            if admits(policy, "resource", principal, _ENTER, gateway.arn, **place):
                yield f"admits calls from {address or 'no address'} of {principal}"
        request = Request(deployer, _ENTER, gateway.arn, {**facts(deployer), **place})
        if not decide(request, {"identity": [EVERYTHING], "resource": [policy]}).allowed:
            yield f"refuses {deployer}, which makes its Cedar policies, from {address or 'no address'}"


def strange_addresses(networks: list[Any], named: Iterable[Any] = ()) -> list[str]:
    """Addresses beside the networks: the last before each, the first after, and one of either version far away.

    Args:
        named: further networks that somebody names; an address of each counts too.
    """
    beside = [edge for each in networks for edge in (int(each[0]) - 1, int(each[-1]) + 1)]
    found = [ipaddress.ip_address(edge) for edge in beside if edge > 0]
    found += [ipaddress.ip_address("192.0.2.1"), ipaddress.ip_address("2001:db8:ffff::1")]
    found += [edge for each in named for edge in (each[0], each[-1])]
    return [str(each) for each in found if not any(each in network for network in networks)]


def _key(evidence: Evidence, gateway: DeployedGateway) -> tuple[str, str]:
    """The key that a gateway's request interceptor is told to sign with, and the role it works as."""
    function = request_interceptor(evidence, gateway)
    return function.environment["TXN_KEY_ID"], function.role_arn


def request_interceptor(evidence: Evidence, gateway: DeployedGateway) -> DeployedFunction:
    """The function that a gateway asks before every call.

    Raises:
        UnresolvedTemplate: the gateway has no request interceptor, or none that a template makes.
    """
    return evidence.function(gateway.interceptor("REQUEST").function_arn)


def _signing(evidence: Evidence, persona: str, key: str, signer: str, policy: Policy) -> Iterator[str]:
    """What a key's policy lets others do, as it is, and what it would if its statements that allow grew."""
    readers = {each.role_arn for each in evidence.runtimes if each.persona == persona}
    security = f"arn:aws:iam::{evidence.assembly.account}:role/ringfence-{evidence.expected.name}-switch-off"
    held = {_SIGN: {signer}, "kms:GetPublicKey": readers, "kms:CreateGrant": set()}
    if evidence.expected.department.get("security"):
        held |= {"kms:DisableKey": {security}, "kms:EnableKey": {security}}
    ours = {_ALGORITHM: "ECDSA_SHA_256"}
    for action, holders in held.items():
        for principal in sorted({*_everybody(evidence, policy), *holders}):
            allowed = admits(policy, "key", principal, action, key, **ours)
            if allowed != (principal in holders):
                yield f"{'admits' if allowed else 'refuses'} {action} of {principal}"
    grown = Policy((*EVERYONE.statements, *(each for each in policy.statements if not each.allows)))
    for principal in _everybody(evidence, policy):
        if principal != signer and admits(grown, "key", principal, _SIGN, key, **ours):
            yield f"would admit {_SIGN} of {principal} once it allowed more"
