"""Which VPC endpoints a department needs, and what each lets through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from ringfence.catalogue.catalogue import Catalogue
from ringfence.catalogue.iam_statements import (
    LONGEST_ENDPOINT_POLICY,
    Document,
    Statement,
    document,
    filled,
    spread,
    within,
)
from ringfence.catalogue.servers import Server, Tool
from ringfence.compilers.boundaries import KEEPING_RUNTIME_OUTPUT
from ringfence.department.department import Department
from ringfence.reading import names
from ringfence.reading.region import REGION

_WITHOUT_REGION: Final = ("iam", "route53")
"""Services whose endpoint name holds no region (`com.amazonaws.iam`): they have one control plane for the world."""


@dataclass(frozen=True)
class EndpointService:
    """One VPC endpoint to create.

    Attributes:
        service: Suffix such as `logs`.
        service_region: Where the service runs; an endpoint to another region is a cross-region one.
        kind: `interface`, or `gateway` for S3.
    """

    service: str
    service_region: str
    kind: Literal["interface", "gateway"]
    reason: str

    @property
    def service_name(self) -> str:
        """The name AWS knows the endpoint service by."""
        if self.service in _WITHOUT_REGION:
            return f"com.amazonaws.{self.service}"
        return f"com.amazonaws.{self.service_region}.{self.service}"

    @property
    def is_cross_region(self) -> bool:
        """Whether the service runs outside eu-west-2."""
        return self.service_region != REGION


_INFRASTRUCTURE: Final = (
    EndpointService("kms", REGION, "interface", "Functions sign, and runtimes verify, the Txn-Token of every call."),
    EndpointService("logs", REGION, "interface", "Runtimes and functions write their log groups."),
    EndpointService(
        "s3",
        REGION,
        "gateway",
        "Runtimes fetch their code zip from the CDK asset bucket; the keeper of log groups answers CloudFormation.",
    ),
    EndpointService("sts", REGION, "interface", "Runtimes assume the persona role for every call."),
)


def services(catalogue: Catalogue, department: Department) -> list[EndpointService]:
    """Returns the endpoints a department needs, sorted by service: the infrastructure's and its granted servers'.

    Where both need one, the reasons are joined.
    """
    found = {endpoint.service: endpoint for endpoint in _INFRASTRUCTURE}
    for server in _servers(catalogue, department):
        used = {action.partition(":")[0] for action in _actions(catalogue, department, server)}
        for endpoint in server.endpoints:
            if not used & set(endpoint.prefixes):
                continue
            reason = endpoint.reason or f"Tools of server {server.name} call it."
            already = found.get(endpoint.service)
            kind: Literal["interface", "gateway"] = "interface"
            if already is not None:
                kind = already.kind  # S3 stays the gateway endpoint it is for code zips
                reason = already.reason if reason in already.reason else f"{already.reason} {reason}"
            found[endpoint.service] = EndpointService(endpoint.service, endpoint.region, kind, reason)
    return [found[service] for service in sorted(found)]


def endpoint_policy(catalogue: Catalogue, department: Department, service: str) -> Document:
    """Returns the policy of one endpoint: this account's principals, on this account's resources, for needed actions.

    Args:
        service: One of `services`, such as `logs`.

    Raises:
        KeyError: the department needs no such endpoint.
        ProblemsFound: the policy is longer than AWS accepts.
    """
    if service not in {endpoint.service for endpoint in services(catalogue, department)}:
        raise KeyError(f"department {department.name} needs no endpoint for {service}")
    own, of_aws = _tool_actions(catalogue, department, service)
    statements = [*_infrastructure_statements(department, service)]
    own -= {action for statement in statements if statement["Resource"] == ["*"] for action in statement["Action"]}
    if own:
        statements.append(
            _statement("AllowGrantedTools", sorted(own), ["*"], department, condition=_own_account(department))
        )
    for resource, actions in sorted(of_aws.items()):
        # AWS's own resources, such as its managed policies, belong to no account, so that condition would refuse them.
        statements.append(_statement("AllowReadingAwsOwned", sorted(actions), [resource], department))
    for index, statement in enumerate(statements):
        if statement["Sid"] in [earlier["Sid"] for earlier in statements[:index]]:
            statement["Sid"] += str(index)
    return within(
        document(statements),
        limit=LONGEST_ENDPOINT_POLICY,
        subject=f"policy of endpoint {service}",
        remedy="Grant fewer tools to the department's personas.",
        text=spread,
    )


def _infrastructure_statements(department: Department, service: str) -> list[Statement]:
    account = department.account
    own = _own_account(department)
    if service == "sts":
        actions = ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"]
        roles = [names.persona_role_arn(account, department.name, persona) for persona in department.personas]
        return [_statement("AllowAssumingPersonaRoles", actions, roles, department, condition=own)]
    if service == "kms":
        # Decrypting is not here: services do it for us from their own side, never through this endpoint.
        actions = ["kms:GetPublicKey", "kms:Sign"]
        keys = [f"arn:aws:kms:{REGION}:{account}:key/*"]
        return [_statement("AllowSigningAndVerifying", actions, keys, department, condition=own)]
    if service == "logs":
        actions = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
        groups = [f"arn:aws:logs:{REGION}:{account}:log-group:*"]
        kept = [f"arn:aws:logs:{REGION}:{account}:log-group:{names.runtime_outputs(department.name)}*"]
        return [
            _statement("AllowWritingLogs", actions, groups, department, condition=own),
            _statement("AllowManagingRuntimeLogGroups", list(KEEPING_RUNTIME_OUTPUT), kept, department, condition=own),
            _statement("AllowListingLogGroups", ["logs:DescribeLogGroups"], ["*"], department, condition=own),
        ]
    if service == "s3":
        objects = [f"arn:aws:s3:::{department.asset_bucket}/*"]
        return [
            _statement("AllowReadingCode", ["s3:GetObject", "s3:GetObjectVersion"], objects, department, condition=own),
            {
                # The address is presigned by CloudFormation, so neither signer nor bucket is of this account, and no
                # condition on either could be met. The object's name, which begins with the stack, is what holds.
                "Sid": "AllowAnsweringCloudFormation",
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": ["s3:PutObject"],
                "Resource": [names.custom_resource_answers(account, department.name)],
            },
        ]
    return []


def _statement(
    sid: str,
    actions: list[str],
    resources: list[str],
    department: Department,
    *,
    condition: dict[str, dict[str, str]] | None = None,
) -> Statement:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": actions,
        "Resource": resources,
        "Condition": condition or {"StringEquals": {"aws:PrincipalAccount": department.account}},
    }


def _own_account(department: Department) -> dict[str, dict[str, str]]:
    account = department.account
    return {"StringEquals": {"aws:PrincipalAccount": account, "aws:ResourceAccount": account}}


def _servers(catalogue: Catalogue, department: Department) -> list[Server]:
    found = {
        server.name: server for persona in department.personas for server in catalogue.servers_of(persona, department)
    }
    return [found[name] for name in sorted(found)]


def _granted(catalogue: Catalogue, department: Department) -> list[tuple[Server, Tool]]:
    return [pair for persona in department.personas for pair in catalogue.granted(persona, department)]


def _actions(catalogue: Catalogue, department: Department, server: Server) -> set[str]:
    granted = _granted(catalogue, department)
    return {
        action
        for owner, tool in granted
        if owner.name == server.name
        for grant in tool.grants
        for action in grant.called
    }


def _tool_actions(catalogue: Catalogue, department: Department, service: str) -> tuple[set[str], dict[str, set[str]]]:
    """Returns the granted tools' actions on a service: on the account's own resources, and by resource of AWS."""
    own: set[str] = set()
    of_aws: dict[str, set[str]] = {}
    for server, tool in _granted(catalogue, department):
        for grant in tool.grants:
            actions = {action for action in grant.called if server.endpoint_of(action).service == service}
            for resource in grant.resources if actions else ():
                if resource.startswith("arn:") and resource.split(":")[4] == "aws":
                    of_aws.setdefault(filled(resource, department), set()).update(actions)
                else:
                    own |= actions
    return own, of_aws
