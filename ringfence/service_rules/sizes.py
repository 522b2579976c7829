"""AWS-SIZE: documents, templates and counts that a service takes, with every reference at its longest."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from ringfence.catalogue.iam_statements import (
    LONGEST_ENDPOINT_POLICY,
    LONGEST_MANAGED_POLICY,
    MOST_MANAGED_POLICIES,
    compact,
    spread,
)
from ringfence.cedar.schema import NoCedarSchema, schema_of
from ringfence.compilers.cedar import LARGEST_SCHEMA
from ringfence.compilers.cedar import LARGEST_SET as PERMITS_OF_A_GATEWAY
from ringfence.compilers.cedar import LONGEST as LONGEST_PERMIT
from ringfence.compilers.cedar import SHORTEST as SHORTEST_PERMIT
from ringfence.organisation.policies import LONGEST as LONGEST_ORGANISATION_POLICY
from ringfence.reading.names import published_tool
from ringfence.reading.template import Breach, Resource, listed
from ringfence.service_rules.assembly import Assembly
from ringfence.service_rules.rule import READ, ServiceRule

_PREFIX: Final = "AWS::BedrockAgentCore::"
LONGEST_TRUST: Final = 2048
"""Characters of a role's trust policy, white space not counted (default; 8,192 on request)."""
MOST_LOG_POLICIES: Final = 10
LOG_POLICIES_OF_AWS: Final = 1
"""Kept free: when a delivery begins, AWS makes or changes a policy "if needed", and does not say when it is not."""
MOST_PERMITS: Final = 1000
LONGEST_TOOL_LIST: Final = 1_000_000
MOST_TARGETS: Final = 100
MOST_TOOLS: Final = 1000
LONGEST_TOOL_NAME: Final = 256
LONGEST_TEMPLATE: Final = 1_000_000
MOST: Final = {"Resources": 500, "Outputs": 200, "Parameters": 200, "Mappings": 200}

# Type -> property -> characters.
_IDENTITY: Final = {
    "AWS::IAM::ManagedPolicy": {"PolicyDocument": LONGEST_MANAGED_POLICY},
    "AWS::IAM::Role": {"AssumeRolePolicyDocument": LONGEST_TRUST},
}
_RESOURCE: Final = {
    f"{_PREFIX}ResourcePolicy": {"Policy": 20_480},
    "AWS::EC2::VPCEndpoint": {"PolicyDocument": LONGEST_ENDPOINT_POLICY},
    "AWS::KMS::Key": {"KeyPolicy": 32_768},
    "AWS::Logs::LogGroup": {"DataProtectionPolicy": 30_720},
    "AWS::Logs::ResourcePolicy": {"PolicyDocument": 5120},
    "AWS::S3::BucketPolicy": {"PolicyDocument": 20_480},
}
_ORGANISATION: Final = {"AWS::Organizations::Policy": {"Content": LONGEST_ORGANISATION_POLICY}}


def _documents(
    table: Mapping[str, Mapping[str, int]], *, text: Callable[[Any], str] = compact
) -> Callable[[Assembly], Iterator[Breach]]:
    def find(assembly: Assembly) -> Iterator[Breach]:
        for resource in assembly.of_type(*table):
            for path, limit in table[resource.type].items():
                size = _length(assembly, resource, path, text=text)
                if size > limit:
                    yield resource.breach(path, f"The document may have {size} characters; {limit} are accepted.")

    return find


def _length(assembly: Assembly, resource: Resource, path: str, *, text: Callable[[Any], str] = compact) -> int:
    """Returns the bytes of a document, which are never fewer than its characters."""
    value = assembly.resolved(resource.template, resource.at(path))
    if value is None:
        return 0
    return len((value if isinstance(value, str) else text(value)).encode())


def _permits(assembly: Assembly) -> Iterator[Breach]:
    engines: dict[str, list[tuple[Resource, int]]] = defaultdict(list)
    for policy in assembly.of_type(f"{_PREFIX}Policy"):
        size = _length(assembly, policy, "Definition.Cedar.Statement")
        if not SHORTEST_PERMIT <= size <= LONGEST_PERMIT:
            message = f"The statement may have {size} characters, not {SHORTEST_PERMIT} to {LONGEST_PERMIT}."
            yield policy.breach("Definition.Cedar.Statement", message)
        engines[assembly.text(policy.template, policy.at("PolicyEngineId"))].append((policy, size))
    for policies in engines.values():
        first, total = policies[0][0], sum(size for _, size in policies)
        if total > PERMITS_OF_A_GATEWAY:
            message = f"The statements of the engine have {total} characters together, not {PERMITS_OF_A_GATEWAY}."
            yield first.breach("PolicyEngineId", message)
        if len(policies) > MOST_PERMITS:
            yield first.breach("PolicyEngineId", f"The engine has {len(policies)} policies, not {MOST_PERMITS}.")


def _schemas(assembly: Assembly) -> Iterator[Breach]:
    """One schema is made for all gateways of an engine, from the tools of all their targets."""
    tools: dict[tuple[str, str], dict[str, Mapping[str, Any]]] = defaultdict(dict)
    engines: dict[tuple[str, str], Resource] = {}
    for gateway in assembly.of_type(f"{_PREFIX}Gateway"):
        engine = assembly.one(gateway, "PolicyEngineConfiguration.Arn", f"{_PREFIX}PolicyEngine")
        if engine is None:
            continue
        key = (engine.template, engine.logical_id)
        engines[key] = engine
        for target in _targets(assembly, gateway):
            for tool in tools_of(assembly.text(target.template, target.at(TOOL_LIST))):
                tools[key][_published(target, tool)] = tool.get("inputSchema") or {}
    for key, engine in engines.items():
        try:
            size = len(spread(schema_of(tools[key])).encode())
        except NoCedarSchema as problem:
            yield engine.breach("Name", f"No Cedar schema can be made of the tools: {problem}.")
            continue
        if size > LARGEST_SCHEMA:
            yield engine.breach("Name", f"The schema of its tools has {size} bytes, not {LARGEST_SCHEMA}.")


def _targets(assembly: Assembly, gateway: Resource) -> list[Resource]:
    return [
        target
        for target in assembly.of_type(f"{_PREFIX}GatewayTarget")
        if assembly.one(target, "GatewayIdentifier", gateway.type) == gateway
    ]


def _published(target: Resource, tool: Mapping[str, Any]) -> str:
    return published_tool(str(target.at("Name")), str(tool.get("name")))


def _counts_of_a_gateway(assembly: Assembly) -> Iterator[Breach]:
    for gateway in assembly.of_type(f"{_PREFIX}Gateway"):
        targets = _targets(assembly, gateway)
        if len(targets) > MOST_TARGETS:
            yield gateway.breach("Name", f"The gateway has {len(targets)} targets; {MOST_TARGETS} are accepted.")
        for target in targets:
            tools = tools_of(assembly.text(target.template, target.at(TOOL_LIST)))
            if len(tools) > MOST_TOOLS:
                yield target.breach(TOOL_LIST, f"The target has {len(tools)} tools; {MOST_TOOLS} are accepted.")
            for name in (_published(target, tool) for tool in tools):
                if len(name) > LONGEST_TOOL_NAME:
                    message = f"The tool's name {name[:40]}… has {len(name)} characters, not {LONGEST_TOOL_NAME}."
                    yield target.breach(TOOL_LIST, message)


def _tool_lists(assembly: Assembly) -> Iterator[Breach]:
    for target in assembly.of_type(f"{_PREFIX}GatewayTarget"):
        size = len(assembly.text(target.template, target.at(TOOL_LIST)).encode())
        if size > LONGEST_TOOL_LIST:
            yield target.breach(TOOL_LIST, f"The tool list has {size} bytes, not {LONGEST_TOOL_LIST}.")


TOOL_LIST: Final = "TargetConfiguration.Mcp.McpServer.McpToolSchema.InlinePayload"


def tools_of(text: str) -> list[Mapping[str, Any]]:
    """Returns the tools of an inline tool list, or none where the text is not one."""
    try:
        found = json.loads(text).get("tools") if text else []
    except (ValueError, AttributeError):
        return []
    return [each for each in listed(found) if isinstance(each, Mapping)]


def _templates(assembly: Assembly) -> Iterator[Breach]:
    for template in assembly.templates:
        size = len(json.dumps(template.content, separators=(",", ":"), ensure_ascii=False).encode())
        if size > LONGEST_TEMPLATE:
            yield Breach("", "Resources", f"The template has {size} bytes; 1 MB is accepted.", template.name)
        for part, limit in MOST.items():
            count = len(template.content.get(part) or {})
            if count > limit:
                yield Breach("", part, f"The template has {count} {part.lower()}; {limit} are accepted.", template.name)


def _attached(assembly: Assembly) -> Iterator[Breach]:
    roles: Counter[tuple[str, str]] = Counter()
    for role in assembly.of_type("AWS::IAM::Role"):
        roles[role.template, role.logical_id] += len(listed(role.at("ManagedPolicyArns")))
    for policy in assembly.of_type("AWS::IAM::ManagedPolicy"):
        for role in assembly.referred(policy.template, policy.at("Roles")):
            roles[role.template, role.logical_id] += 1
    for role in assembly.of_type("AWS::IAM::Role"):
        count = roles[role.template, role.logical_id]
        if count > MOST_MANAGED_POLICIES:
            message = f"The role has {count} managed policies; {MOST_MANAGED_POLICIES} are accepted."
            yield role.breach("ManagedPolicyArns", message)


def _log_policies(assembly: Assembly) -> Iterator[Breach]:
    most = MOST_LOG_POLICIES - LOG_POLICIES_OF_AWS
    for policy in list(assembly.of_type("AWS::Logs::ResourcePolicy"))[most:]:
        message = f"A region takes {MOST_LOG_POLICIES} resource policies of CloudWatch Logs, and AWS may add one."
        yield policy.breach("PolicyName", message)


RULES: Final = (
    ServiceRule(
        "AWS-SIZE-1",
        "Managed policies and trusts are as short as IAM takes them, with role names of 64 characters.",
        "Split the policy; give the trusted roles short fixed names, or name them once.",
        "IAM user guide, IAM and STS quotas",
        READ,
        _documents(_IDENTITY),
    ),
    ServiceRule(
        "AWS-SIZE-2",
        "Policies on resources are as short as their service takes them, with white space.",
        "Merge statements, or name resources by pattern.",
        "PrivateLink quotas: 20,480 including white space; the others do not say whether it counts, so it does. S3 "
        "user guide, bucket policies: 20 KB; KMS guide, resource quotas: 32 KB; CloudWatch Logs API, "
        "PutResourcePolicy: 5,120 for an account, and DataProtectionPolicy: 30,720; botocore 1.44.5, "
        "bedrock-agentcore-control PutResourcePolicy: 20,480",
        READ,
        _documents(_RESOURCE, text=spread),
    ),
    ServiceRule(
        "AWS-SIZE-3",
        "Policies of an organisation are as short as AWS Organizations takes them.",
        "Split the policy; five of a type may be on a target.",
        "AWS Organizations user guide, quotas",
        READ,
        _documents(_ORGANISATION),
    ),
    ServiceRule(
        "AWS-SIZE-4",
        "Each Cedar statement, and all of one engine together, are as long as Policy in AgentCore takes them.",
        "Give the persona fewer tools, or match arguments by fewer values.",
        "botocore 1.44.5, bedrock-agentcore-control, Statement: 10,000; AgentCore guide, quotas, policy: 10 KB a "
        "policy, 200 KB a resource, 1,000 policies an engine",
        READ,
        _permits,
    ),
    ServiceRule(
        "AWS-SIZE-5",
        "The tool list of a target is as long as a gateway takes it.",
        "Give the persona fewer tools.",
        "AgentCore guide, quotas: gateway target inline schema definition size, 1 MB",
        READ,
        _tool_lists,
    ),
    ServiceRule(
        "AWS-SIZE-6",
        "Every template is one that CloudFormation takes: 1 MB, 500 resources, 200 outputs, parameters and mappings.",
        "Give the department fewer personas or servers, or part the stack.",
        "CloudFormation user guide, quotas",
        READ,
        _templates,
    ),
    ServiceRule(
        "AWS-SIZE-7",
        f"No role has more than {MOST_MANAGED_POLICIES} managed policies.",
        "Merge the policies.",
        "IAM user guide, IAM and STS quotas",
        READ,
        _attached,
    ),
    ServiceRule(
        "AWS-SIZE-8",
        f"An assembly has fewer than {MOST_LOG_POLICIES} resource policies of CloudWatch Logs.",
        "Add a pattern to constructs.audit.log_delivery_permission instead of a policy.",
        'CloudWatch Logs API reference, PutResourcePolicy: 10; user guide, "Logs sent to CloudWatch Logs": AWS '
        '"creates or changes the resource policies", for newer subscriptions on the group itself, unless one grants by '
        "pattern",
        READ,
        _log_policies,
    ),
    ServiceRule(
        "AWS-SIZE-9",
        "The Cedar schema of an engine, made from the tools of its gateways, is as large as the engine takes it.",
        "Give the persona fewer tools, or hide large arguments.",
        "AgentCore guide, quotas, policy: Cedar schema size 400 KB an engine, from all tools of all its gateways; "
        "earlier editions had 200 and 100 KB. In which form it counts is not said: as JSON, with white space",
        READ,
        _schemas,
    ),
    ServiceRule(
        "AWS-SIZE-10",
        f"A gateway has at most {MOST_TARGETS} targets of {MOST_TOOLS} tools, named in {LONGEST_TOOL_NAME} characters.",
        "Give the persona fewer servers or tools.",
        "AgentCore guide, quotas, gateway (adjustable); whether a tool's name is meant with its target's is not said, "
        "so it is",
        READ,
        _counts_of_a_gateway,
    ),
)
