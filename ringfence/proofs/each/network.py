"""Proof 5: nothing in a department has a way out but its endpoints, and there are no more of those than tools need.

With no route beyond `local`, unreachability follows from how a VPC works; no solver is needed.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ringfence.deployed.assembly import Assembly, Resource
from ringfence.deployed.roles import Endpoint
from ringfence.iam.evaluator import EVERYTHING, Policy, decide
from ringfence.iam.policy import Statement
from ringfence.proofs.dns_firewall import names_resolved
from ringfence.proofs.evidence import Evidence
from ringfence.proofs.findings import Finding, Outcome
from ringfence.proofs.sweeps.permission_sweeps import PermissionSweeps
from ringfence.proofs.sweeps.strangers import strange_requests

SERVICE_SIDE: Final = frozenset({"ec2"})
"""Action prefixes in roles of the VPC that AWS itself uses, from outside the VPC: Lambda tends network interfaces."""

_ANSWERS: Final = "arn:aws:s3:::cloudformation-custom-resource-response-euwest2/"
"""CloudFormation's bucket in London for answers of custom resources. It signs the addresses itself, so no condition on
the caller could be met; the object's name begins with the stack that is answered."""

_NOWHERE: Final = "255.255.255.255/32"  # CloudFormation's way to say: no egress at all


def prove(evidence: Evidence, sweeps: PermissionSweeps | None = None) -> Outcome:
    """Look at every network resource, every function and runtime, and every endpoint."""
    assembly = evidence.assembly
    sweeps = PermissionSweeps(evidence) if sweeps is None else sweeps
    findings = [
        *_subnets(assembly),
        *_security_groups(assembly, evidence.department.network.s3_prefix_list),
        *_placement(assembly),
        *names_resolved(evidence),
        *_endpoints(evidence, _held_in_the_vpc(evidence, sweeps)),
        *_needed(evidence, sweeps),
    ]
    looked_at = {
        "resources": sum(1 for _ in assembly.resources()),
        "subnets": len(assembly.of_type("AWS::EC2::Subnet")),
        "security groups": len(assembly.of_type("AWS::EC2::SecurityGroup")),
        "functions and runtimes": len(_workloads(assembly)),
        "endpoints": len(evidence.endpoints),
    }
    return Outcome(tuple(dict.fromkeys(findings)), looked_at)


def _name(resource: Resource) -> str:
    return f"{resource.stack}/{resource.logical_id}"


def _subnets(assembly: Assembly) -> Iterator[Finding]:
    vpcs = assembly.of_type("AWS::EC2::VPC")
    if len(vpcs) != 1:
        yield Finding(str(assembly.path), f"holds {len(vpcs)} VPCs, not one")
    tables = {str(table.ref): str(table.properties["VpcId"]) for table in assembly.of_type("AWS::EC2::RouteTable")}
    placed = {
        str(each.properties["SubnetId"]): str(each.properties["RouteTableId"])
        for each in assembly.of_type("AWS::EC2::SubnetRouteTableAssociation")
    }
    for subnet in assembly.of_type("AWS::EC2::Subnet"):
        if placed.get(str(subnet.ref)) not in tables:
            # Without an association AWS uses the VPC's main route table, which no template shows.
            yield Finding(_name(subnet), "stands on no route table of the template")
        for flag in ("MapPublicIpOnLaunch", "AssignIpv6AddressOnCreation"):
            if str(subnet.properties.get(flag, False)).lower() != "false":
                yield Finding(_name(subnet), f"gives out public addresses ({flag})")
        if "Ipv6CidrBlock" in subnet.properties:
            yield Finding(_name(subnet), "has IPv6 addresses, which are public")


def _security_groups(assembly: Assembly, s3_prefix_list: str) -> Iterator[Finding]:
    inside = [ipaddress.ip_network(vpc.properties["CidrBlock"]) for vpc in assembly.of_type("AWS::EC2::VPC")]
    known = {"PrefixListId": {s3_prefix_list}, "SecurityGroupId": _groups(assembly)}
    ends = {f"{side}{name}": each for side in ("Destination", "Source") for name, each in known.items()}
    for group in assembly.of_type("AWS::EC2::SecurityGroup"):
        if not group.properties.get("SecurityGroupEgress"):
            yield Finding(_name(group), "has no egress rule, for which AWS puts one to everywhere")
        for side in ("SecurityGroupEgress", "SecurityGroupIngress"):
            for rule in group.properties.get(side, []):
                yield from _rule(_name(group), rule, inside, ends)
    for resource in assembly.of_type("AWS::EC2::SecurityGroupEgress", "AWS::EC2::SecurityGroupIngress"):
        yield from _rule(_name(resource), resource.properties, inside, ends)


def _groups(assembly: Assembly) -> set[str]:
    return {str(group.attribute("GroupId")) for group in assembly.of_type("AWS::EC2::SecurityGroup")}


def _rule(subject: str, rule: Mapping[str, Any], inside: list[Any], ends: Mapping[str, set[str]]) -> Iterator[Finding]:
    if "CidrIpv6" in rule:
        yield Finding(subject, f"has a rule for the IPv6 addresses {rule['CidrIpv6']}")
    if "CidrIp" in rule and rule["CidrIp"] != _NOWHERE:
        network = ipaddress.ip_network(str(rule["CidrIp"]), strict=False)
        if not any(network.version == vpc.version and network.subnet_of(vpc) for vpc in inside):
            yield Finding(subject, f"has a rule for {rule['CidrIp']}, which is not inside the VPC")
    for key, known in ends.items():
        if key in rule and rule[key] not in known:
            yield Finding(subject, f"has a rule for {rule[key]}, which is neither S3's prefix list nor a group of ours")
    if str(rule.get("IpProtocol")) == "-1":
        yield Finding(subject, "has a rule for every protocol and port")
    elif rule.get("CidrIp") != _NOWHERE and _ports(rule) != ("tcp", "443", "443"):
        yield Finding(subject, f"has a rule for {' '.join(_ports(rule))}, and not for HTTPS alone")


def _ports(rule: Mapping[str, Any]) -> tuple[str, str, str]:
    """Protocol, first and last port."""
    return str(rule.get("IpProtocol")), str(rule.get("FromPort")), str(rule.get("ToPort"))


def _workloads(assembly: Assembly) -> list[Resource]:
    return assembly.of_type("AWS::Lambda::Function", "AWS::BedrockAgentCore::Runtime")


def _placement(assembly: Assembly) -> Iterator[Finding]:
    subnets = {str(subnet.ref) for subnet in assembly.of_type("AWS::EC2::Subnet")}
    groups = _groups(assembly)
    for resource in _workloads(assembly):
        properties = resource.properties
        if resource.type == "AWS::Lambda::Function":
            place = properties.get("VpcConfig", {})
            where, which = place.get("SubnetIds", []), place.get("SecurityGroupIds", [])
        else:
            network = properties.get("NetworkConfiguration", {})
            if network.get("NetworkMode") != "VPC":
                yield Finding(_name(resource), f"has network mode {network.get('NetworkMode')}, not VPC")
            place = network.get("NetworkModeConfig", {})
            where, which = place.get("Subnets", []), place.get("SecurityGroups", [])
        if not where or not set(where) <= subnets:
            yield Finding(_name(resource), "does not stand in the department's isolated subnets only")
        if not which or not set(which) <= groups:
            yield Finding(_name(resource), "does not stand in security groups of the department only")


def _endpoints(evidence: Evidence, held: Mapping[str, set[str]]) -> Iterator[Finding]:
    expected_calls = {
        need.action
        for name in evidence.expected.personas
        for call in evidence.expected_calls(name)
        for need in call.needs
    }
    groups = _groups(evidence.assembly)
    for endpoint in evidence.endpoints.values():
        subject, properties = _name(endpoint.resource), endpoint.resource.properties
        yield from _policy(subject, endpoint, evidence)
        for statement in endpoint.policy.statements if endpoint.policy else ():
            if statement.allows and not _answers_own_stacks(statement, endpoint, evidence):
                yield from _places(subject, endpoint, statement, expected_calls, held)
        if properties.get("VpcEndpointType", "Gateway") == "Gateway":
            continue
        if str(properties.get("PrivateDnsEnabled", False)).lower() != "true":
            yield Finding(subject, "has no private DNS name, so callers would look for the public one")
        if not set(properties.get("SecurityGroupIds", [])) or not set(properties["SecurityGroupIds"]) <= groups:
            yield Finding(subject, "does not stand behind a security group of the department")


def _policy(subject: str, endpoint: Endpoint, evidence: Evidence) -> Iterator[Finding]:
    if endpoint.policy is None:
        yield Finding(subject, "has the default policy, which allows everything to everyone")
        return
    denials = tuple(each for each in endpoint.policy.statements if not each.allows)
    for statement in endpoint.policy.statements:
        if not statement.allows:
            continue
        if statement.not_actions or any("*" in action for action in statement.actions):
            yield Finding(subject, f"names its actions with a wildcard ({statement.sid})")
        if not _answers_own_stacks(statement, endpoint, evidence):
            for stranger in strange_requests(statement, evidence.assembly.account):
                by_type = {"identity": [EVERYTHING], "endpoint": [Policy((statement, *denials))]}
                if decide(stranger.request, by_type).allowed:
                    yield Finding(subject, f"admits {stranger.whose} another account ({statement.sid})")


def _places(
    subject: str, endpoint: Endpoint, statement: Statement, expected_calls: set[str], held: Mapping[str, set[str]]
) -> Iterator[Finding]:
    """Resources beyond those of the code in the VPC. Of what calls need, their session policies name the resources."""
    for action in sorted(set(statement.actions) - expected_calls):
        patterns = held.get(action, set())
        for resource in statement.resources or ("*",):
            if endpoint.service == "s3":
                named = _bucket(resource) in {_bucket(pattern) for pattern in patterns}
            else:
                named = not resource.split(":", 5)[-1].startswith("*") or "*" in patterns
            if not named:
                yield Finding(
                    subject, f"carries {action} to {resource}, where no code of the VPC goes ({statement.sid})"
                )


def _bucket(resource: str) -> str:
    return resource.partition("/")[0]


def _answers_own_stacks(statement: Statement, endpoint: Endpoint, evidence: Evidence) -> bool:
    """Whether all that a statement lets through is answers of custom resources to the department's own stacks."""
    stacks = (
        f"arn:aws:cloudformation:eu-west-2:{evidence.assembly.account}:stack/ringfence-{evidence.department.name}-*"
    )
    return (
        endpoint.service == "s3"
        and statement.actions == ("s3:PutObject",)
        and statement.resources == (f"{_ANSWERS}{stacks}",)
    )


def _needed(evidence: Evidence, sweeps: PermissionSweeps) -> Iterator[Finding]:
    """Endpoints are exactly what the calls, and the code that stands in the VPC, use."""
    users: dict[tuple[str, str], str] = {}
    for persona in evidence.persona_roles:
        for session in evidence.sessions(persona):
            for statement in session.policy.statements:
                for action in statement.actions if statement.allows else ():
                    users.setdefault(evidence.endpoint_for(action.partition(":")[0]), f"the call {session.name}")
    for role in _roles_in_the_vpc(evidence):
        for question in sweeps.of_service_roles.get(role, []):
            if question.action.service not in SERVICE_SIDE:
                users.setdefault(evidence.endpoint_for(question.action.service), f"the role {role}")
    for key in sorted(set(users) - set(evidence.endpoints)):
        yield Finding(f"endpoint {key[0]} in {key[1]}", f"is missing, but {users[key]} needs it")
    for key in sorted(set(evidence.endpoints) - set(users)):
        yield Finding(_name(evidence.endpoints[key].resource), f"serves {key[0]} in {key[1]}, which nothing needs")


def _held_in_the_vpc(evidence: Evidence, sweeps: PermissionSweeps) -> dict[str, set[str]]:
    """The resource patterns on which the roles of functions and runtimes hold each action."""
    found: dict[str, set[str]] = {}
    for role in _roles_in_the_vpc(evidence):
        for question in sweeps.of_service_roles.get(role, []):
            found.setdefault(question.action.name, set()).add(question.pattern)
    return found


def _roles_in_the_vpc(evidence: Evidence) -> list[str]:
    arns = {
        str(resource.properties["Role" if resource.type == "AWS::Lambda::Function" else "RoleArn"])
        for resource in _workloads(evidence.assembly)
    }
    return sorted(evidence.roles[arn].resource.logical_id for arn in arns if arn in evidence.roles)
