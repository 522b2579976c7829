"""AWS-SIZE: documents, templates and counts that a service takes, with every reference at its longest."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from governance.cedar import LONGEST as LONGEST_PERMIT
from governance.cedar import SHORTEST as SHORTEST_PERMIT
from governance.iam_statements import LONGEST_ENDPOINT_POLICY, LONGEST_MANAGED_POLICY, MOST_MANAGED_POLICIES
from governance.organisation_policies import LONGEST as LONGEST_ORGANISATION_POLICY
from governance.service_rules.assembly import Assembly
from governance.service_rules.rule import READ, ServiceRule
from governance.template import Breach, Resource, listed

_PREFIX: Final = "AWS::BedrockAgentCore::"
LONGEST_TRUST: Final = 2048
"""Characters of a role's trust policy, white space not counted (default; 8,192 on request)."""
MOST_LOG_POLICIES: Final = 10
PERMITS_OF_A_GATEWAY: Final = 200_000
MOST_PERMITS: Final = 1000
LONGEST_TOOL_LIST: Final = 1_000_000
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


def _documents(table: Mapping[str, Mapping[str, int]]) -> Callable[[Assembly], Iterator[Breach]]:
    def find(assembly: Assembly) -> Iterator[Breach]:
        for resource in assembly.of_type(*table):
            for path, limit in table[resource.type].items():
                size = _length(assembly, resource, path)
                if size > limit:
                    yield resource.breach(path, f"The document may have {size} characters; {limit} are accepted.")

    return find


def _length(assembly: Assembly, resource: Resource, path: str) -> int:
    value = assembly.resolved(resource.template, resource.at(path))
    if value is None:
        return 0
    return len(value if isinstance(value, str) else json.dumps(value, separators=(",", ":")))


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


def _tool_lists(assembly: Assembly) -> Iterator[Breach]:
    for target in assembly.of_type(f"{_PREFIX}GatewayTarget"):
        size = len(assembly.text(target.template, target.at(TOOL_LIST)))
        if size > LONGEST_TOOL_LIST:
            yield target.breach(TOOL_LIST, f"The tool list has {size} characters, not {LONGEST_TOOL_LIST}.")


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
    for policy in list(assembly.of_type("AWS::Logs::ResourcePolicy"))[MOST_LOG_POLICIES:]:
        yield policy.breach("PolicyName", f"A region takes {MOST_LOG_POLICIES} resource policies of CloudWatch Logs.")


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
        "Policies on resources are as short as their service takes them.",
        "Merge statements, or name resources by pattern.",
        "S3 user guide, bucket policies: 20 KB; KMS guide, resource quotas: 32 KB; PrivateLink quotas: 20,480; "
        "CloudWatch Logs API, PutResourcePolicy: 5,120 for an account, and DataProtectionPolicy: 30,720; "
        "botocore 1.44.5, bedrock-agentcore-control PutResourcePolicy: 20,480",
        READ,
        _documents(_RESOURCE),
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
        "botocore 1.44.5, bedrock-agentcore-control, Statement; AgentCore guide, policy, limitations: 200 KB a "
        "resource, 1,000 policies an engine",
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
        f"The account has no more than {MOST_LOG_POLICIES} resource policies of CloudWatch Logs.",
        "Add a pattern to constructs.log_delivery_permission instead of a policy.",
        "CloudWatch Logs API reference, PutResourcePolicy",
        READ,
        _log_policies,
    ),
)
