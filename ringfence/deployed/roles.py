"""The roles and VPC endpoints of an assembly, with the policies that limit what goes through them."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

from ringfence.deployed.assembly import Assembly, Resource, UnresolvedTemplate
from ringfence.iam.evaluator import Policy


@dataclass(frozen=True)
class Role:
    """An IAM role as deployed.

    Attributes:
        name: role name.
        arn: role ARN, path included.
        role_id: `AROA…`.
        trust: the trust policy.
        identity: inline and attached policies.
        boundary: the permissions boundary, or None.
        tags: tags of the role; they are principal tags of its sessions.
        resource: the resource in the template.
    """

    name: str
    arn: str
    role_id: str
    trust: Policy
    identity: tuple[Policy, ...]
    boundary: Policy | None
    tags: Mapping[str, str]
    resource: Resource

    def by_type(self) -> dict[str, list[Policy]]:
        """The policies that go with the role itself, by type, for `decide`."""
        by_type = {"identity": list(self.identity)}
        if self.boundary is not None:
            by_type["boundary"] = [self.boundary]
        return by_type


def roles(assembly: Assembly) -> dict[str, Role]:
    """Every role of the assembly by ARN.

    Raises:
        UnresolvedTemplate: a role uses a managed policy that is not in the assembly, or a policy is for a role that is
            not.
    """
    managed = {str(resource.ref): resource for resource in assembly.of_type("AWS::IAM::ManagedPolicy")}
    made = assembly.of_type("AWS::IAM::Role")
    _refuse_strays({str(role.ref) for role in made}, assembly)
    return {role.arn: role for role in (_role(assembly, resource, managed) for resource in made)}


def _refuse_strays(names: Set[str], assembly: Assembly) -> None:
    """What a policy gives to a role that no template makes would be judged by nobody."""
    for policy in assembly.of_type("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"):
        own = policy.properties.get("RoleName")
        for name in [own] if own is not None else policy.properties.get("Roles", []):
            if name not in names:
                raise policy.problem(f"is for the role {name!r}, which no template makes")


def _role(assembly: Assembly, resource: Resource, managed: Mapping[str, Resource]) -> Role:
    properties = resource.properties
    name = str(resource.ref)
    boundary = properties.get("PermissionsBoundary")
    return Role(
        name=name,
        arn=resource.arn,
        role_id=str(resource.attribute("RoleId")),
        trust=Policy.parse(properties["AssumeRolePolicyDocument"]),
        identity=tuple(Policy.parse(document) for document in _identity(assembly, resource, name, managed)),
        boundary=None if boundary is None else Policy.parse(_managed(resource, boundary, managed)),
        tags={tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])},
        resource=resource,
    )


def _identity(
    assembly: Assembly, role: Resource, name: str, managed: Mapping[str, Resource]
) -> list[Mapping[str, Any]]:
    documents = [policy["PolicyDocument"] for policy in role.properties.get("Policies", [])]
    documents += [_managed(role, arn, managed) for arn in role.properties.get("ManagedPolicyArns", [])]
    for policy in assembly.of_type("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
        if name in policy.properties.get("Roles", []):
            documents.append(policy.properties["PolicyDocument"])
    for policy in assembly.of_type("AWS::IAM::RolePolicy"):
        if policy.properties["RoleName"] == name and "PolicyDocument" in policy.properties:
            documents.append(policy.properties["PolicyDocument"])
    return documents


def _managed(role: Resource, arn: str, managed: Mapping[str, Resource]) -> Mapping[str, Any]:
    if arn not in managed:
        raise UnresolvedTemplate(
            role.stack, role.logical_id, f"uses managed policy {arn}, which is not in the assembly"
        )
    document: Mapping[str, Any] = managed[arn].properties["PolicyDocument"]
    return document


@dataclass(frozen=True)
class Endpoint:
    """A VPC endpoint.

    Attributes:
        service: the last part of the service name, e.g. `logs`, `monitoring`, `iam`, `s3`.
        region: the region of the service behind it.
        id: `vpce-…`.
        vpc: `vpc-…`.
        policy: the endpoint policy, or None for AWS's default, which allows everything.
        resource: the resource in the template.
    """

    service: str
    region: str
    id: str
    vpc: str
    policy: Policy | None
    resource: Resource


def endpoints(assembly: Assembly) -> dict[tuple[str, str], Endpoint]:
    """Every VPC endpoint of the assembly by service and region of the service.

    Raises:
        UnresolvedTemplate: two endpoints serve the same service and region, so it is unclear which policy counts.
    """
    found: dict[tuple[str, str], Endpoint] = {}
    for resource in assembly.of_type("AWS::EC2::VPCEndpoint"):
        endpoint = _endpoint(assembly, resource)
        key = (endpoint.service, endpoint.region)
        if key in found:
            raise UnresolvedTemplate(
                resource.stack, resource.logical_id, f"is a second endpoint for {key[0]} in {key[1]}"
            )
        found[key] = endpoint
    return found


def _endpoint(assembly: Assembly, resource: Resource) -> Endpoint:
    properties = resource.properties
    service, region = _service_and_region(resource, str(properties["ServiceName"]))
    document = properties.get("PolicyDocument")
    return Endpoint(
        service=service,
        region=str(properties.get("ServiceRegion") or region or assembly.stacks[resource.stack].region),
        id=str(resource.ref),
        vpc=str(properties["VpcId"]),
        policy=None if document is None else Policy.parse(document),
        resource=resource,
    )


def _service_and_region(resource: Resource, name: str) -> tuple[str, str | None]:
    # com.amazonaws.<region>.<service>[.more], aws.api.<region>.<service>, or com.amazonaws.<service> for global ones.
    for prefix in ("com.amazonaws.", "aws.api."):
        if name.startswith(prefix):
            rest = name.removeprefix(prefix).split(".")
            if len(rest) == 1:
                return rest[0], None
            return ".".join(rest[1:]), rest[0]
    raise UnresolvedTemplate(resource.stack, resource.logical_id, f"endpoint service {name} is unknown")
