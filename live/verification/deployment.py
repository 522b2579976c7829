"""What was deployed, as the services describe it themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import reduce
from typing import Any, Final

from governance.region import REGION
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
    """Reads each gateway's own description: Cedar enforces, and what stands there is the department's own."""
    yield from _missing(after, f"{_AGENTCORE}Gateway", "gateways")
    for stack, resource in _of_type(after, f"{_AGENTCORE}Gateway"):
        told = after.account.ask("bedrock-agentcore:GetGateway", gatewayIdentifier=_last(resource)) or {}
        template = _as_deployed(after, stack, resource)
        engine = told.get("policyEngineConfiguration", {})
        door = told.get("authorizerConfiguration", {}).get("customJWTAuthorizer", {})
        wanted_door = template["AuthorizerConfiguration"]["CustomJWTAuthorizer"]
        expected = {
            "status": (told.get("status"), _READY),
            "role": (told.get("roleArn"), template["RoleArn"]),
            "policy engine": (engine.get("arn"), template["PolicyEngineConfiguration"]["Arn"]),
            "policy engine's mode": (engine.get("mode"), "ENFORCE"),
            "authorizer": (told.get("authorizerType"), "CUSTOM_JWT"),
            "issuer": (door.get("discoveryUrl"), wanted_door["DiscoveryUrl"]),
            "hosts": (sorted(door.get("allowedClients", [])), sorted(wanted_door["AllowedClients"])),
            "scopes": (sorted(door.get("allowedScopes", [])), sorted(wanted_door["AllowedScopes"])),
            "interceptors": (
                _interceptors(
                    told.get("interceptorConfigurations", []), "interceptionPoints", "interceptor.lambda.arn"
                ),
                _interceptors(template["InterceptorConfigurations"], "InterceptionPoints", "Interceptor.Lambda.Arn"),
            ),
            "web ACL": (told.get("webAclArn"), _web_acl(after, stack)),
            "WAF's failure mode": (told.get("wafConfiguration", {}).get("failureMode"), "FAIL_CLOSE"),
            "debug errors": (told.get("exceptionLevel"), None),
        }
        yield _compared(f"gateway {_last(resource)}", expected)


def _interceptors(configured: list[dict[str, Any]], points: str, function: str) -> list[str]:
    """Returns each point with the function that stands there, sorted."""
    return sorted(
        f"{point} {reduce(lambda value, name: value[name], function.split('.'), each)}"
        for each in configured
        for point in each[points]
    )


def _web_acl(after: After, stack: str) -> str:
    """Returns the ARN of the web ACL that a stack owns, from its physical id `name|id|scope`; empty without one."""
    owned = [each for _, each in _of_type(after, "AWS::WAFv2::WebACL", stack)]
    if not owned:
        return ""
    name, identifier, _ = owned[0].physical_id.split("|")
    return f"arn:aws:wafv2:{REGION}:{after.needs.account}:regional/webacl/{name}/{identifier}"


def runtimes(after: After) -> Iterator[Result]:
    """Reads each runtime's own description: ready, in the department's subnets, and with the template's role."""
    yield from _missing(after, f"{_AGENTCORE}Runtime", "runtimes")
    for stack, resource in _of_type(after, f"{_AGENTCORE}Runtime"):
        told = after.account.ask("bedrock-agentcore:GetAgentRuntime", agentRuntimeId=_last(resource)) or {}
        network = told.get("networkConfiguration", {})
        place = network.get("networkModeConfig", {})
        template = _as_deployed(after, stack, resource)
        wanted_place = template["NetworkConfiguration"]["NetworkModeConfig"]
        expected = {
            "status": (told.get("status"), _READY),
            "failure": (told.get("failureReason"), None),
            "role": (told.get("roleArn"), template["RoleArn"]),
            "network": (network.get("networkMode"), "VPC"),
            "subnets": (sorted(place.get("subnets", [])), sorted(wanted_place["Subnets"])),
            "security groups": (sorted(place.get("securityGroups", [])), sorted(wanted_place["SecurityGroups"])),
            "environment": (told.get("environmentVariables"), template.get("EnvironmentVariables")),
        }
        yield _compared(f"runtime {_last(resource)}", expected)


def _of_type(after: After, kind: str, only: str = "") -> list[tuple[str, StackResource]]:
    """Returns the resources of a type that the stacks own, each with its stack's name."""
    return [
        (stack.name, each)
        for stack in after.deployed.stacks.values()
        for each in stack.resources
        if each.owned and each.type == kind and only in ("", stack.name)
    ]


def _missing(after: After, kind: str, subject: str) -> Iterator[Result]:
    missing = after.needs.count(kind) - len(after.deployed.owned(kind))
    if missing:
        yield wrong(subject, f"{missing} of the templates' {subject} are missing.", "make deploy, then look again.")


def _as_deployed(after: After, stack: str, resource: StackResource) -> dict[str, Any]:
    """Returns a resource's properties with the ids that the account gave, for those that reading made up."""
    text = json.dumps(dict(after.needs.assembly.resource(stack, resource.logical_id).properties))
    for name, synthesised in after.needs.assembly.stacks.items():
        there = after.deployed.stacks.get(name)
        for each in synthesised.resources.values():
            given = there.physical_id(each.logical_id) if there else None
            made_up = str(each.ref).rpartition("/")[2]
            if given and "|" not in given:
                text = text.replace(made_up, given.rpartition("/")[2])
    properties: dict[str, Any] = json.loads(text)
    return properties


def _compared(subject: str, expected: dict[str, tuple[Any, Any]]) -> Result:
    """Compares what a service says with what it must be, by name."""
    differs = [f"{name} is {there}, not {wanted}" for name, (there, wanted) in expected.items() if there != wanted]
    return _verdict(subject, differs, {name: there for name, (there, _) in expected.items()})


def targets(after: After) -> Iterator[Result]:
    """Compares the tool list of each target with the template's, keyword by keyword."""
    yield from _missing(after, f"{_AGENTCORE}GatewayTarget", "targets")
    for stack, resource in _of_type(after, f"{_AGENTCORE}GatewayTarget"):
        yield _target(after, stack, resource)


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
