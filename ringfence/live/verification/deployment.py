"""What was deployed, as the services describe it themselves."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any, Final

from ringfence.deployed.problems import UnresolvedTemplate
from ringfence.live.deployed import StackResource
from ringfence.live.results import Result, Verdict, right, unknown, wrong
from ringfence.live.verification.after import After
from ringfence.live.verification.comparison import NOT_KNOWN, Answer, Difference, differences
from ringfence.reading.region import REGION

_READY: Final = "READY"
_COMPLETE: Final = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")
_AGENTCORE: Final = "AWS::BedrockAgentCore::"

# What each answer has besides the template's properties (botocore 1.44.5: the shapes of the answers, and their texts).
_TIMES: Final = ("CreatedAt", "UpdatedAt", "LastUpdatedAt", "LastSynchronizedAt")
_GATEWAY: Final = Answer(
    unsaid=("Tags",), given=(*_TIMES, "GatewayArn", "GatewayId", "GatewayUrl", "WorkloadIdentityDetails")
)
_RUNTIME: Final = Answer(
    unsaid=("Tags",),
    given=(
        *_TIMES,
        "AgentRuntimeArn",
        "AgentRuntimeId",
        "AgentRuntimeVersion",
        "PlatformVersion",
        "WorkloadIdentityDetails",
    ),
    defaults={
        "ProtocolConfiguration.Port": 8000,
        "ProtocolConfiguration.Path": "/mcp",
        # True is a way to S3 past the VPC, which a runtime made since May 2026 no longer has (botocore 1.44.5).
        "NetworkConfiguration.NetworkModeConfig.RequireServiceS3Endpoint": False,
    },
    ordered=("AgentRuntimeArtifact.CodeConfiguration.EntryPoint",),
)
# No template can set it: the service does when it makes a runtime, and refuses calls of one that is without (developer
# guide, Troubleshoot AgentCore Runtime, read 28 November 2026).
_METADATA: Final = {"RequireMMDSV2": True}
_TARGET: Final = Answer(
    unsaid=("GatewayIdentifier",),
    given=(*_TIMES, "GatewayArn", "TargetId", "TargetConfiguration.Mcp.McpServer.McpToolSchema.InlinePayload"),
    defaults={
        "ProtocolType": "MCP",
        "TargetConfiguration.Mcp.McpServer.ListingMode": "DEFAULT",
        "TargetConfiguration.Mcp.McpServer.ResourcePriority": 1000,
    },
)
# Of Lambda's defaults only the 512 MB has a source (CloudFormation reference, EphemeralStorage, read 28 November 2026);
# the others a first look at an account confirms or corrects (LIVE-27).
_FUNCTION: Final = Answer(
    unsaid=("Tags", "ReservedConcurrentExecutions"),
    # A function without a call for weeks is Inactive, and runs at the next.
    given=(
        *("FunctionArn", "CodeSize", "LastModified", "RevisionId", "ConfigSha256", "RuntimeVersionConfig"),
        *("VpcConfig.VpcId", "State", "StateReason", "StateReasonCode"),
    ),
    defaults={
        "Version": "$LATEST",
        "PackageType": "Zip",
        "TracingConfig.Mode": "PassThrough",
        "EphemeralStorage.Size": 512,
        "SnapStart.ApplyOn": "None",
        "SnapStart.OptimizationStatus": "Off",
        "VpcConfig.Ipv6AllowedForDualStack": False,
        "LoggingConfig.ApplicationLogLevel": "INFO",
    },
)
# Neither the letters of a state nor these defaults stand in the reference of DescribeVpcEndpoints (botocore
# 1.44.5): a first look at an account confirms or corrects them (LIVE-73).
_ENDPOINT: Final = Answer(
    given=(
        *("VpcEndpointId", "NetworkInterfaceIds", "DnsEntries", "CreationTimestamp", "OwnerId", "Tags"),
        *("Groups.GroupName", "Ipv4Prefixes", "Ipv6Prefixes", "PayerResponsibilities"),
    ),
    defaults={
        "ServiceRegion": REGION,
        "IpAddressType": "ipv4",
        "DnsOptions.DnsRecordIpType": "ipv4",
        "DnsOptions.PrivateDnsOnlyForInboundResolverEndpoint": False,
        "PrivateDnsEnabled": False,
        "RequesterManaged": False,
    },
)
_STATEMENTS: Final = Answer(given=("Policy.Version", "Policy.Id", "Policy.Statement.Sid"))
_POLICY: Final = Answer(unsaid=("ValidationMode",), given=(*_TIMES, "PolicyId", "PolicyArn"))


def stacks(after: After) -> Iterator[Result]:
    """Looks at the state of every stack."""
    for name in after.needs.assembly.stacks:
        there = after.deployed.stacks.get(name)
        if there is None:
            yield wrong(name, "It is not there.", f"make deploy DEPARTMENT={after.department}")
        elif there.status not in _COMPLETE:
            yield wrong(
                name, f"{there.status}.", "Look at its events in CloudFormation; make preflight names remedies."
            )
        else:
            yield right(name, f"{there.status}, {sum(each.owned for each in there.resources)} resources.")


def gateways(after: After) -> Iterator[Result]:
    """Reads each gateway's own description: Cedar enforces, and what stands there is the department's own."""
    yield from missing(after, f"{_AGENTCORE}Gateway", "gateways")
    for stack, resource in _of_type(after, f"{_AGENTCORE}Gateway"):
        told = after.account.ask("bedrock-agentcore:GetGateway", gatewayIdentifier=_last(resource)) or {}
        # The web ACL is a resource of its own in the template, and a member of the gateway in the answer.
        acl = {"WebAclArn": _web_acl(after, stack), "WafConfiguration": {"FailureMode": "FAIL_CLOSE"}}
        wanted = {**_as_deployed(after, stack, resource.logical_id), **acl, "Status": _READY}
        yield _compared(f"gateway {_last(resource)}", wanted, told, _GATEWAY)


def _web_acl(after: After, stack: str) -> str:
    """Returns the ARN of the web ACL that a stack owns, from its physical id `name|id|scope`."""
    owned = [each for _, each in _of_type(after, "AWS::WAFv2::WebACL", stack)]
    if not owned:
        return NOT_KNOWN
    name, identifier, _ = owned[0].physical_id.split("|")
    return f"arn:aws:wafv2:{REGION}:{after.needs.account}:regional/webacl/{name}/{identifier}"


def runtimes(after: After) -> Iterator[Result]:
    """Reads each runtime's own description: its code, network, role, environment, and who may call it."""
    yield from missing(after, f"{_AGENTCORE}Runtime", "runtimes")
    for stack, resource in _of_type(after, f"{_AGENTCORE}Runtime"):
        told = after.account.ask("bedrock-agentcore:GetAgentRuntime", agentRuntimeId=_last(resource)) or {}
        template = _as_deployed(after, stack, resource.logical_id)
        protocol = {"ServerProtocol": template["ProtocolConfiguration"]}
        wanted = {**template, "ProtocolConfiguration": protocol, "MetadataConfiguration": _METADATA, "Status": _READY}
        yield _compared(f"runtime {_last(resource)}", wanted, told, _RUNTIME)


def _of_type(after: After, kind: str, only: str = "") -> list[tuple[str, StackResource]]:
    """Returns the resources of a type that the stacks own, each with its stack's name."""
    return [
        (stack.name, each)
        for stack in after.deployed.stacks.values()
        for each in stack.resources
        if each.owned and each.type == kind and only in ("", stack.name)
    ]


def missing(after: After, kind: str, subject: str) -> Iterator[Result]:
    """Says how many of the templates' resources of a type no stack owns, if any."""
    number = after.needs.count(kind) - len(after.deployed.owned(kind))
    if number:
        yield wrong(subject, f"{number} of the templates' {subject} are missing.", "make deploy, then look again.")


def _as_deployed(after: After, stack: str, logical_id: str) -> dict[str, Any]:
    """Returns a resource's properties with the ids that the account gave, for those that reading made up.

    `NOT_KNOWN` stands for an id that the account does not show.
    """
    text = json.dumps(dict(after.needs.assembly.resource(stack, logical_id).properties))
    for made_up, given in _ids(after).items():
        text = text.replace(made_up, given)
    properties: dict[str, Any] = json.loads(text)
    return properties


def _ids(after: After) -> dict[str, str]:
    """Returns the id that the account gave, or `NOT_KNOWN`, by the one that reading made up."""
    given: dict[str, str] = {}
    absent: set[str] = set()
    for each in after.needs.assembly.resources():
        there = after.deployed.stacks.get(each.stack)
        physical = there.physical_id(each.logical_id) if there else None
        made_up = str(each.ref).rpartition("/")[2]
        if physical is None and made_up not in json.dumps(each.raw):  # a name that the template writes is known
            absent.add(made_up)
        elif physical and "|" not in physical:
            given[made_up] = physical.rpartition("/")[2]
    return given | {made_up: NOT_KNOWN for made_up in absent - given.keys()}


def _compared(subject: str, wanted: dict[str, Any], told: dict[str, Any], answer: Answer) -> Result:
    """Compares what a service says, member by member, with what the template says."""
    told = {name: value for name, value in told.items() if name != "ResponseMetadata"}
    return _verdict(subject, list(differences(wanted, told, answer)), told)


def targets(after: After) -> Iterator[Result]:
    """Compares each target with the template's: where it leads, with which credentials, and its tool list."""
    yield from missing(after, f"{_AGENTCORE}GatewayTarget", "targets")
    for stack, resource in _of_type(after, f"{_AGENTCORE}GatewayTarget"):
        yield _target(after, stack, resource)


def _target(after: After, stack: str, resource: StackResource) -> Result:
    template = _as_deployed(after, stack, resource.logical_id)
    gateway, _, target = resource.physical_id.rpartition("|")
    if not gateway:
        owner = [each for each in after.deployed.stacks[stack].resources if each.type == f"{_AGENTCORE}Gateway"]
        gateway = _last(owner[0])
    told = after.account.ask("bedrock-agentcore:GetGatewayTarget", gatewayIdentifier=gateway, targetId=target) or {}
    told = {name: value for name, value in told.items() if name != "ResponseMetadata"}
    found = list(differences({**template, "Status": _READY}, told, _TARGET))
    # The tool list is JSON in a text: its own names keep their case, and only the tools that differ are told.
    wanted = _payload(template["TargetConfiguration"]["Mcp"]["McpServer"]["McpToolSchema"]["InlinePayload"])
    server = told.get("targetConfiguration", {}).get("mcp", {}).get("mcpServer", {})
    there = _payload(server.get("mcpToolSchema", {}).get("inlinePayload", "null"))
    if there != wanted:
        names = sorted(_by_name(wanted).items() ^ _by_name(there).items())
        listed = ", ".join(dict.fromkeys(name for name, _ in names))
        found.append(Difference(f"its tool list differs from the template's in {listed}"))
    return _verdict(f"target {template['Name']} of {gateway}", found, {"tools": len(_by_name(there))})


def policies(after: After) -> Iterator[Result]:
    """Compares every Cedar policy of every engine with the template's, by engine and name."""
    kind, right_ones = f"{_AGENTCORE}Policy", 0
    templates = [_as_deployed(after, each.stack, each.logical_id) for each in after.needs.assembly.of_type(kind)]
    wanted = {(each["PolicyEngineId"], each["Name"]): each for each in templates}
    for engine in after.deployed.owned(f"{_AGENTCORE}PolicyEngine"):
        there = after.account.pages("bedrock-agentcore:ListPolicies", "policies", policyEngineId=_last(engine))
        for told in there:
            subject = f"Cedar policy {told['name']} of {_last(engine)}"
            template = wanted.pop((_last(engine), told["name"]), None)
            if template is None:
                yield _by_hand(subject, told)
                continue
            result = _compared(subject, {**template, "Status": "ACTIVE"}, told, _POLICY)
            if result.verdict is Verdict.RIGHT:
                right_ones += 1
            else:
                yield result
    for engine_id, name in wanted:
        yield wrong(f"Cedar policy {name} of {engine_id}", "It is not there.", "make deploy, then look again.")
    if right_ones == len(templates):
        yield right("Cedar policies", f"All {right_ones} are active, and each as the template says.")


def functions(after: After) -> Iterator[Result]:
    """Reads each function's configuration: the code that the template uploads, its role, network and environment."""
    kind = "AWS::Lambda::Function"
    yield from missing(after, kind, "functions")
    for stack, resource in _of_type(after, kind):
        told = after.account.ask("lambda:GetFunctionConfiguration", FunctionName=resource.physical_id) or {}
        template = _as_deployed(after, stack, resource.logical_id)
        code = _sha256(after, template.pop("Code"))
        unread = told.get("Environment", {}).get("Error")
        if unread:  # whoever looks may not use the function's key
            found = f"Its environment was not shown: {unread.get('ErrorCode')}."
            yield unknown(f"function {resource.physical_id}", found, "Look with kms:Decrypt for the function's key.")
            template["Environment"], told = None, {**told, "Environment": None}
        wanted = {**template, "CodeSha256": code, "LastUpdateStatus": "Successful"}
        yield _compared(f"function {resource.physical_id}", wanted, told, _FUNCTION)


def _sha256(after: After, code: dict[str, Any]) -> str:
    """Returns the hash of an uploaded zip as Lambda tells it, or `NOT_KNOWN` for code of another form."""
    try:
        file = after.needs.assembly.asset(code["S3Key"])
        return base64.b64encode(hashlib.sha256(file.read_bytes()).digest()).decode()
    except (KeyError, OSError, UnresolvedTemplate):
        return NOT_KNOWN


def resource_policies(after: After) -> Iterator[Result]:
    """Reads the resource policy of each gateway, runtime and runtime's endpoint: who may call it, and who may not."""
    policy = f"{_AGENTCORE}ResourcePolicy"
    here = f"arn:aws:bedrock-agentcore:{REGION}:{after.needs.account}"
    # One that the template gives no policy must have none.
    wanted = {f"{here}:gateway/{_last(each)}": "{}" for each in after.deployed.owned(f"{_AGENTCORE}Gateway")}
    for each in after.deployed.owned(f"{_AGENTCORE}Runtime"):
        wanted |= {f"{here}:runtime/{_last(each)}{end}": "{}" for end in ("", "/runtime-endpoint/DEFAULT")}
    for resource in after.needs.assembly.of_type(policy):
        template = _as_deployed(after, resource.stack, resource.logical_id)
        wanted[template["ResourceArn"]] = template["Policy"]
    for arn, document in wanted.items():
        subject = f"resource policy of {arn.partition(f'{after.needs.account}:')[2]}"
        if NOT_KNOWN in arn:
            yield unknown(subject, "What it stands at is not there.", "make deploy, then look again.")
            continue
        told = after.account.ask(
            "bedrock-agentcore:GetResourcePolicy", absent=("ResourceNotFoundException",), resourceArn=arn
        )
        there = (told or {}).get("policy") or "{}"
        found = differences(_listed(_payload(document)), _listed(_payload(there)), Answer(), "Policy")
        yield _verdict(subject, list(found), there)


def added(after: After) -> Iterator[Result]:
    """Lists what gateways and runtimes hold besides the templates' own: targets, rules, rate limits, endpoints."""
    targets = {each.physical_id.rpartition("|")[2] for each in after.deployed.owned(f"{_AGENTCORE}GatewayTarget")}
    for gateway in map(_last, after.deployed.owned(f"{_AGENTCORE}Gateway")):
        found = [
            _by_hand(f"target {each['name']} of {gateway}", each)
            for each in after.account.pages("bedrock-agentcore:ListGatewayTargets", "items", gatewayIdentifier=gateway)
            if each["targetId"] not in targets
        ]
        # No template has a rule: one routes calls past what the targets were judged by.
        found += [
            _by_hand(f"rule {each['ruleId']} of {gateway}", each)
            for each in after.account.pages(
                "bedrock-agentcore:ListGatewayRules", "gatewayRules", gatewayIdentifier=gateway
            )
        ]
        yield from found
        if not found:
            yield right(f"targets and rules of {gateway}", "None but the templates'.")
        yield from _rate_limits(after, gateway)
    for runtime in map(_last, after.deployed.owned(f"{_AGENTCORE}Runtime")):
        listed = after.account.pages(
            "bedrock-agentcore:ListAgentRuntimeEndpoints", "runtimeEndpoints", agentRuntimeId=runtime
        )
        strange = [each for each in listed if each["name"] != "DEFAULT"]
        yield from (_by_hand(f"endpoint {each['name']} of {runtime}", each) for each in strange)
        if not strange:
            yield right(f"endpoints of {runtime}", "None but its own.")


def _rate_limits(after: After, gateway: str) -> Iterator[Result]:
    kind = f"{_AGENTCORE}GatewayRateLimit"
    templates = [_as_deployed(after, each.stack, each.logical_id) for each in after.needs.assembly.of_type(kind)]
    wanted = {each["RateLimitId"]: each for each in templates if each["GatewayIdentifier"] == gateway}
    for told in after.account.pages("bedrock-agentcore:ListGatewayRateLimits", "rateLimits", gatewayIdentifier=gateway):
        subject = f"rate limit {told['rateLimitId']} of {gateway}"
        template = wanted.pop(told["rateLimitId"], None)
        if template is None:
            yield _by_hand(subject, told)
        else:
            yield _compared(subject, {**template, "Status": "ACTIVE"}, told, Answer(given=_TIMES))
    for name in wanted:
        yield wrong(f"rate limit {name} of {gateway}", "It is not there.", "make deploy, then look again.")


def function_policies(after: After) -> Iterator[Result]:
    """Reads the resource policy of each function: who may invoke it without a role of the templates."""
    wanted: dict[str, list[dict[str, Any]]] = {}
    for resource in after.needs.assembly.of_type("AWS::Lambda::Permission"):
        permission = _as_deployed(after, resource.stack, resource.logical_id)
        wanted.setdefault(permission["FunctionName"], []).append(_statement(permission))
    for name in (each.physical_id for each in after.deployed.owned("AWS::Lambda::Function")):
        told = after.account.ask("lambda:GetPolicy", absent=("ResourceNotFoundException",), FunctionName=name)
        there = (told or {}).get("Policy") or "{}"
        arn = f"arn:aws:lambda:{REGION}:{after.needs.account}:function:{name}"
        found = differences({"Statement": wanted.get(arn, [])}, _listed(_payload(there)), _STATEMENTS, "Policy")
        yield _verdict(f"resource policy of the function {name}", list(found), there)


def _statement(permission: dict[str, Any]) -> Any:
    """A permission as the function's policy states it (Lambda developer guide, Viewing resource-based IAM policies in
    Lambda, read 28 November 2026)."""
    condition = {
        "StringEquals": {"AWS:SourceAccount": permission["SourceAccount"]},
        "ArnLike": {"AWS:SourceArn": permission["SourceArn"]},
    }
    return _one_listed(
        {
            "Effect": "Allow",
            "Principal": {"Service": permission["Principal"]},
            "Action": permission["Action"],
            "Resource": permission["FunctionName"],
            "Condition": condition,
        }
    )


def _listed(policy: Any) -> Any:
    """A policy in which one action, principal, resource or value stands in a list, as several do."""
    if not isinstance(policy, dict):
        return policy
    several = policy.get("Statement", [])
    several = several if isinstance(several, list) else [several]
    return {**policy, **({"Statement": [_one_listed(each) for each in several]} if several else {})}


def _one_listed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _one_listed(each) for name, each in value.items()}
    return value if isinstance(value, list) else [value]


def endpoints(after: After) -> Iterator[Result]:
    """Compares every VPC endpoint with the template's: where it stands, who may use it, by which policy.

    One in the department's network that no template holds is a way out that nobody judged.
    """
    kind = "AWS::EC2::VPCEndpoint"
    yield from missing(after, kind, "endpoints")
    vpcs = [each.physical_id for each in after.deployed.owned("AWS::EC2::VPC")]
    filters = [{"Name": "vpc-id", "Values": vpcs}]
    listed = after.account.pages("ec2:DescribeVpcEndpoints", "VpcEndpoints", Filters=filters) if vpcs else []
    # Its answers write a state with a small letter, its model with a capital one.
    there = {each["VpcEndpointId"]: {**each, "State": each["State"].lower()} for each in listed}
    for stack, resource in _of_type(after, kind):
        told = there.pop(resource.physical_id, None)
        if told is None:
            found = "It is not in the department's network."
            yield wrong(f"endpoint {resource.logical_id}", found, "make deploy, then look again.")
            continue
        template = _as_deployed(after, stack, resource.logical_id)
        groups = [{"GroupId": each} for each in template.pop("SecurityGroupIds", [])]
        policy = _listed(template["PolicyDocument"])
        wanted = {**template, "Groups": groups, "PolicyDocument": policy, "State": "available"}
        told = {**told, "PolicyDocument": _listed(_payload(told.get("PolicyDocument", "null")))}
        yield _compared(f"endpoint {told['ServiceName']}", wanted, told, _ENDPOINT)
    for identifier, told in there.items():
        if told["State"] != "deleted":
            yield _by_hand(f"endpoint {identifier} of {told['ServiceName']}", told)


def _by_hand(subject: str, told: Any) -> Result:
    remedy = "Somebody made it by hand: remove it, and find out who and what it has let through."
    return wrong(subject, "No template holds it.", remedy, evidence=told)


def _verdict(subject: str, found: list[Difference], evidence: Any) -> Result:
    said = f"{'; '.join(each.said for each in found)}."
    if any(each.known for each in found):
        return wrong(subject, said, "Do not let people in before this is as the template says.", evidence=evidence)
    if found:
        return unknown(subject, said, "Find out why the stacks do not show that id, then look again.")
    return right(subject, "As the template says.", evidence=evidence)


def _last(resource: StackResource) -> str:
    """The id in a physical id, which may be an ARN."""
    return resource.physical_id.rpartition("/")[2]


def _payload(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _by_name(payload: Any) -> dict[str, str]:
    tools = payload.get("tools", []) if isinstance(payload, dict) else []
    return {tool["name"]: json.dumps(tool, sort_keys=True) for tool in tools}
