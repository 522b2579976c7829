"""AWS-ORDER: what has to be made after something else, and what one at a time.

CloudFormation starts together whatever names nothing of the other. Where a service takes names and not references, or
cannot make two things at once, only `DependsOn` tells it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from ringfence.reading.names import published_tool
from ringfence.reading.template import Breach, Resource, listed
from ringfence.service_rules.assembly import Assembly, principals
from ringfence.service_rules.rule import READ, ServiceRule

_PREFIX: Final = "AWS::BedrockAgentCore::"
_ROLE_OF: Final = {
    f"{_PREFIX}GatewayTarget": "GatewayIdentifier",
    f"{_PREFIX}Runtime": "RoleArn",
    "AWS::CloudTrail::Trail": "CloudWatchLogsRoleArn",
    "AWS::EC2::FlowLog": "DeliverLogsPermissionArn",
    "AWS::Lambda::Function": "Role",
}
_ONE_AT_A_TIME: Final = (
    "AWS::Cognito::UserPoolClient",
    "AWS::Cognito::UserPoolDomain",
    "AWS::Cognito::UserPoolIdentityProvider",
)
TARGETS_AT_ONCE: Final = 5
_ROLE_ARN: Final = re.compile(r"arn:aws:iam::\d{12}:role/([\w+=,.@/-]+)")


def _policies_of_an_engine(assembly: Assembly) -> Iterator[Breach]:
    engines: dict[str, list[Resource]] = defaultdict(list)
    for policy in assembly.of_type(f"{_PREFIX}Policy"):
        engines[assembly.text(policy.template, policy.at("PolicyEngineId"))].append(policy)
    for policies in engines.values():
        yield from _made_together(assembly, policies, "another policy of its engine")


def _organisation_policies(assembly: Assembly) -> Iterator[Breach]:
    yield from _made_together(assembly, list(assembly.of_type("AWS::Organizations::Policy")), "another policy")


def _made_together(assembly: Assembly, group: Sequence[Resource], other: str) -> Iterator[Breach]:
    """Yields those that do not stand in one line: each must come after all but its followers."""
    ids = {each.logical_id for each in group}
    ranks: set[int] = set()
    for resource in group:
        rank = len(assembly.made_before(resource) & ids)
        if rank in ranks:
            yield Breach(
                resource.logical_id, "DependsOn", f"It is made at the same time as {other}.", resource.template
            )
        ranks.add(rank)


def _first_runtime(assembly: Assembly) -> Iterator[Breach]:
    for template in assembly.templates:
        runtimes = list(template.of_type(f"{_PREFIX}Runtime"))
        before = {each.logical_id: assembly.made_before(each) for each in runtimes}
        followers = {
            first: {each for each in before if first in before[each]}
            for first in (*before, *(role.logical_id for role in template.of_type("AWS::IAM::ServiceLinkedRole")))
        }
        best = max(followers, key=lambda first: len(followers[first]), default="")
        for runtime in runtimes:
            if runtime.logical_id not in {best, *followers.get(best, ())}:
                message = (
                    f"It is made at the same time as {best}, and both would make AgentCore's service-linked roles."
                )
                yield Breach(runtime.logical_id, "DependsOn", message, template.name)


def _named_things(assembly: Assembly) -> Iterator[Breach]:
    for delivery in assembly.of_type("AWS::Logs::Delivery"):
        name = assembly.text(delivery.template, delivery.at("DeliverySourceName"))
        sources = [each for each in assembly.of_type("AWS::Logs::DeliverySource") if each.at("Name") == name]
        yield from _after(assembly, delivery, "DeliverySourceName", sources)
    for client in assembly.of_type("AWS::Cognito::UserPoolClient"):
        scopes = [assembly.text(client.template, each) for each in listed(client.at("AllowedOAuthScopes"))]
        servers = [
            each
            for each in assembly.of_type("AWS::Cognito::UserPoolResourceServer")
            if any(scope.startswith(f"{each.at('Identifier')}/") for scope in scopes)
        ]
        yield from _after(assembly, client, "AllowedOAuthScopes", servers)
        names = [assembly.text(client.template, each) for each in listed(client.at("SupportedIdentityProviders"))]
        providers = [
            each
            for each in assembly.of_type("AWS::Cognito::UserPoolIdentityProvider")
            if assembly.text(each.template, each.at("ProviderName")) in names
        ]
        yield from _after(assembly, client, "SupportedIdentityProviders", providers)


def _after(assembly: Assembly, later: Resource, path: str, first: Sequence[Resource]) -> Iterator[Breach]:
    for each in first:
        if each.template == later.template and each.logical_id not in assembly.made_before(later):
            yield later.breach(path, f"It names {each.logical_id}, and may be made before it.")


def _tools_of_permits(assembly: Assembly) -> Iterator[Breach]:
    for policy in assembly.of_type(f"{_PREFIX}Policy"):
        gateways = {(each.template, each.logical_id) for each in _gateways(assembly, policy, "Definition")}
        targets = [
            target
            for target in assembly.of_type(f"{_PREFIX}GatewayTarget")
            if {(each.template, each.logical_id) for each in _gateways(assembly, target, "GatewayIdentifier")}
            & gateways
        ]
        text = assembly.text(policy.template, policy.at("Definition.Cedar.Statement"))
        named = [each for each in targets if f'Action::"{published_tool(str(each.at("Name")), "")}' in text]
        yield from _after(assembly, policy, "Definition.Cedar.Statement", named)


def _gateways(assembly: Assembly, resource: Resource, path: str) -> list[Resource]:
    return [
        each for each in assembly.referred(resource.template, resource.at(path)) if each.type == f"{_PREFIX}Gateway"
    ]


def _rights_before_use(assembly: Assembly) -> Iterator[Breach]:
    for user in assembly.of_type(*_ROLE_OF):
        path = _ROLE_OF[user.type]
        # A target calls its runtime as the gateway's role.
        gateway = assembly.one(user, path, f"{_PREFIX}Gateway")
        role = assembly.one(gateway or user, "RoleArn" if gateway else path, "AWS::IAM::Role")
        if role is None or role.template != user.template:
            continue
        attached = [
            policy
            for policy in assembly.of_type("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::RolePolicy")
            if role in assembly.referred(policy.template, [policy.at("Roles"), policy.at("RoleName")])
        ]
        for policy in attached:
            if policy.template == user.template and policy.logical_id not in assembly.made_before(user):
                yield user.breach(path, f"It may be made before {policy.logical_id}, which its role needs by then.")


def _bucket_policy_before_trail(assembly: Assembly) -> Iterator[Breach]:
    for trail in assembly.of_type("AWS::CloudTrail::Trail"):
        bucket = assembly.one(trail, "S3BucketName", "AWS::S3::Bucket")
        policies = [
            each
            for each in assembly.of_type("AWS::S3::BucketPolicy")
            if bucket is not None and assembly.one(each, "Bucket", "AWS::S3::Bucket") == bucket
        ]
        yield from _after(assembly, trail, "S3BucketName", policies)


def _principals_exist(assembly: Assembly) -> Iterator[Breach]:
    made = {assembly.text(role.template, {"Ref": role.logical_id}): role for role in assembly.of_type("AWS::IAM::Role")}
    for resource in assembly.resources:
        for path, value in resource.values:
            if not (isinstance(value, dict) and "Effect" in value and "Principal" in value):
                continue
            for arn in principals(value, "AWS"):
                role = made.get(found.group(1)) if (found := _ROLE_ARN.fullmatch(arn)) else None
                if role is not None and role.logical_id not in assembly.made_before(resource):
                    place = ".".join((*path, "Principal"))
                    yield resource.breach(
                        place, f"It names the role {role.logical_id} as text, and may be made before it."
                    )


def _targets_at_once(assembly: Assembly) -> Iterator[Breach]:
    gateways: dict[tuple[str, str], list[Resource]] = defaultdict(list)
    for target in assembly.of_type(f"{_PREFIX}GatewayTarget"):
        for gateway in _gateways(assembly, target, "GatewayIdentifier"):
            gateways[gateway.template, gateway.logical_id].append(target)
    for targets in gateways.values():
        before = {each.logical_id: assembly.made_before(each) for each in targets}
        for target in targets:
            mine = target.logical_id
            beside = [each for each in before if each != mine and each not in before[mine] and mine not in before[each]]
            if len(beside) >= TARGETS_AT_ONCE:
                message = f"It is made at the same time as {len(beside)} other targets of its gateway."
                yield target.breach("GatewayIdentifier", message)


def _parts_of_a_pool(assembly: Assembly) -> Iterator[Breach]:
    pools: dict[str, list[Resource]] = defaultdict(list)
    for part in assembly.of_type(*_ONE_AT_A_TIME):
        if pool := part.at("UserPoolId"):
            pools[f"{part.template} {pool}"].append(part)
    for parts in pools.values():
        yield from _made_together(assembly, parts, "another client, domain or identity provider of its pool")


RULES: Final = (
    ServiceRule(
        "AWS-ORDER-1",
        "The Cedar policies of one engine are made one after another.",
        "Let each policy depend on the one before it.",
        "aws-cdk-lib 2.275.0, PolicyEngine.addPolicy: chained, as concurrent policy operations do not stabilise",
        READ,
        _policies_of_an_engine,
    ),
    ServiceRule(
        "AWS-ORDER-2",
        "The policies of an organisation are made one after another.",
        "Let each policy depend on the one before it.",
        "botocore 1.44.5, organizations CreatePolicy: ConcurrentModificationException; pepperize/cdk-organizations#447",
        READ,
        _organisation_policies,
    ),
    ServiceRule(
        "AWS-ORDER-3",
        "One runtime of a stack is made before the others, so that one only makes AgentCore's service-linked roles.",
        "Let every other runtime of the stack depend on the first.",
        "AgentCore guide, service-linked roles; aws-samples/sample-autonomous-cloud-coding-agents#875: "
        '"Failed creating service linked role. Rate limit exceeded from IAM"',
        READ,
        _first_runtime,
    ),
    ServiceRule(
        "AWS-ORDER-4",
        "What is named by its name is made before what names it.",
        "Add a dependency on it, or name it by reference.",
        "botocore 1.44.5: ResourceNotFoundException of CreateDelivery, ScopeDoesNotExistException of "
        "CreateUserPoolClient",
        READ,
        _named_things,
    ),
    ServiceRule(
        "AWS-ORDER-5",
        "A Cedar policy is made after the targets whose tools it names.",
        "Let the policy depend on the target.",
        "AgentCore guide, schema constraints: the Cedar schema is made from the gateway's tools",
        READ,
        _tools_of_permits,
    ),
    ServiceRule(
        "AWS-ORDER-6",
        "Whoever works as a role is made after the policies of that role.",
        "Add a dependency on the role's policy, as constructs.service_role offers it.",
        "CloudFormation template reference, AWS::IAM::Policy: add a DependsOn; Lambda and CloudTrail try the role",
        READ,
        _rights_before_use,
    ),
    ServiceRule(
        "AWS-ORDER-7",
        "A trail is made after the policy of its bucket.",
        "Let the trail depend on the bucket's policy.",
        "botocore 1.44.5, cloudtrail CreateTrail: InsufficientS3BucketPolicyException",
        READ,
        _bucket_policy_before_trail,
    ),
    ServiceRule(
        "AWS-ORDER-8",
        "A role that a policy names as principal is made before that policy.",
        "Name the role by reference, or depend on it.",
        'IAM user guide, Principal element: a role that does not exist is an "Invalid principal in policy"',
        READ,
        _principals_exist,
    ),
    ServiceRule(
        "AWS-ORDER-9",
        f"No more than {TARGETS_AT_ONCE} targets of a gateway are made at the same time.",
        f"Let every target depend on all of the {TARGETS_AT_ONCE} before it.",
        "AgentCore guide, quotas, gateway: concurrent target operations on the same gateway, 5",
        READ,
        _targets_at_once,
    ),
    ServiceRule(
        "AWS-ORDER-10",
        "Clients, domain and identity providers of one user pool are made, changed and deleted one after another.",
        "Let each depend on the one before it.",
        "botocore 1.44.5, cognito-idp: ConcurrentModificationException of CreateUserPoolDomain, UpdateUserPoolClient, "
        "UpdateIdentityProvider, UpdateUserPoolDomain and the delete operations of all three; "
        'hashicorp/terraform-provider-aws#19794: "Only one request to update user pool client can be processed at a '
        'time"',
        READ,
        _parts_of_a_pool,
    ),
)
