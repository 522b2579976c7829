"""What was deployed, as the services describe it themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from live.deployed import StackResource
from live.results import Result, right, wrong
from live.verification.after import After

_READY: Final = "READY"
_COMPLETE: Final = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")
_AGENTCORE: Final = "AWS::BedrockAgentCore::"


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
    """Reads each gateway's own description: Cedar enforces, both interceptors stand, a failing door is closed."""
    for resource in after.deployed.owned(f"{_AGENTCORE}Gateway"):
        told = after.account.ask("bedrock-agentcore:GetGateway", gatewayIdentifier=_last(resource)) or {}
        points = sorted(
            point for each in told.get("interceptorConfigurations", []) for point in each["interceptionPoints"]
        )
        expected = {
            "status": (told.get("status"), _READY),
            "policy engine's mode": (told.get("policyEngineConfiguration", {}).get("mode"), "ENFORCE"),
            "authorizer": (told.get("authorizerType"), "CUSTOM_JWT"),
            "interceptors": (points, ["REQUEST", "RESPONSE"]),
            "WAF's failure mode": (told.get("wafConfiguration", {}).get("failureMode"), "FAIL_CLOSE"),
            "debug errors": (told.get("exceptionLevel"), None),
        }
        differs = [f"{name} is {there}, not {wanted}" for name, (there, wanted) in expected.items() if there != wanted]
        if not told.get("webAclArn"):
            differs.append("no web ACL stands before it")
        evidence = {name: there for name, (there, _) in expected.items()} | {"webAclArn": told.get("webAclArn")}
        yield _verdict(f"gateway {_last(resource)}", differs, evidence)


def runtimes(after: After) -> Iterator[Result]:
    """Reads each runtime's own description: ready, and in the VPC."""
    for resource in after.deployed.owned(f"{_AGENTCORE}Runtime"):
        told = after.account.ask("bedrock-agentcore:GetAgentRuntime", agentRuntimeId=_last(resource)) or {}
        mode = told.get("networkConfiguration", {}).get("networkMode")
        differs = (
            [f"it is {told.get('status')}: {told.get('failureReason', '')}"] if told.get("status") != _READY else []
        )
        differs += [f"its network is {mode}, not VPC"] if mode != "VPC" else []
        yield _verdict(f"runtime {_last(resource)}", differs, {"status": told.get("status"), "network": mode})


def targets(after: After) -> Iterator[Result]:
    """Compares the tool list of each target with the template's, keyword by keyword."""
    for stack in after.deployed.stacks.values():
        for resource in stack.resources:
            if resource.owned and resource.type == f"{_AGENTCORE}GatewayTarget":
                yield _target(after, stack.name, resource)


def _target(after: After, stack: str, resource: StackResource) -> Result:
    template = after.needs.assembly.resource(stack, resource.logical_id).properties
    gateway, _, target = resource.physical_id.rpartition("|")
    if not gateway:
        owner = [each for each in after.deployed.stacks[stack].resources if each.type == f"{_AGENTCORE}Gateway"]
        gateway = _last(owner[0])
    told = after.account.ask("bedrock-agentcore:GetGatewayTarget", gatewayIdentifier=gateway, targetId=target) or {}
    differs = [] if told.get("status") == _READY else [f"it is {told.get('status')}: {told.get('statusReasons', '')}"]
    wanted = _payload(template["TargetConfiguration"]["Mcp"]["McpServer"]["McpToolSchema"]["InlinePayload"])
    server = told.get("targetConfiguration", {}).get("mcp", {}).get("mcpServer", {})
    there = _payload(server.get("mcpToolSchema", {}).get("inlinePayload", "null"))
    if there != wanted:
        names = sorted(_by_name(wanted).items() ^ _by_name(there).items())
        differs.append(f"its tool list differs from the template's in {', '.join(dict.fromkeys(n for n, _ in names))}")
    return _verdict(f"target {template['Name']} of {gateway}", differs, {"tools": len(_by_name(there))})


def policies(after: After) -> Iterator[Result]:
    """Looks at every Cedar policy of every engine: active, and as many as the template holds."""
    wanted = after.needs.count(f"{_AGENTCORE}Policy")
    there: list[dict[str, Any]] = []
    for engine in after.deployed.owned(f"{_AGENTCORE}PolicyEngine"):
        there += after.account.pages("bedrock-agentcore:ListPolicies", "policies", policyEngineId=_last(engine))
    failed = [each for each in there if each["status"] != "ACTIVE"]
    for each in failed:
        reasons = "; ".join(each.get("statusReasons", [])) or "no reason given"
        yield wrong(f"Cedar policy {each['name']}", f"{each['status']}: {reasons}.", "Compare with the permit.")
    if len(there) != wanted:
        remedy = "A policy more was made by hand, one less is missing: compare with the template."
        yield wrong("Cedar policies", f"{len(there)} are there, the templates hold {wanted}.", remedy)
    elif not failed:
        yield right("Cedar policies", f"All {wanted} are active.")


def endpoints(after: After) -> Iterator[Result]:
    """Looks at every VPC endpoint: available, and answering under the service's own name."""
    ids = [each.physical_id for each in after.deployed.owned("AWS::EC2::VPCEndpoint")]
    there = after.account.pages("ec2:DescribeVpcEndpoints", "VpcEndpoints", VpcEndpointIds=ids) if ids else []
    for each in there:
        differs = [] if each["State"].lower() == "available" else [f"it is {each['State']}"]
        if each["VpcEndpointType"] == "Interface" and not each.get("PrivateDnsEnabled"):
            differs.append("it does not answer under the service's own name")
        yield _verdict(f"endpoint {each['ServiceName']}", differs, {"state": each["State"]})
    missing = after.needs.count("AWS::EC2::VPCEndpoint") - len(there)
    if missing:
        yield wrong("endpoints", f"{missing} of the templates' endpoints are missing.", "make deploy, then look again.")


def _verdict(subject: str, differs: list[str], evidence: Any) -> Result:
    if differs:
        return wrong(subject, f"{'; '.join(differs)}.", "Do not let people in before this is as the template says.")
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
