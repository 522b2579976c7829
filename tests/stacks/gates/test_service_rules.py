"""The service rules on what is deployed: each finds its fault when the fault is planted in a synthesised template."""

from __future__ import annotations

import copy
import json
import zipfile
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest

from app import build_organisation
from ringfence.reading.template import Breach, Template
from ringfence.service_rules import RULES, Assembly, ServiceRule, breaches

SANDBOX = "example-sandbox"
AGENTCORE = "AWS::BedrockAgentCore::"
TOOLS = "TargetConfiguration.Mcp.McpServer.McpToolSchema.InlinePayload"
LONG = "x" * 40_000


class Planted:
    """Copies of synthesised templates, to be damaged."""

    def __init__(self, templates: dict[str, dict[str, Any]]) -> None:
        self.templates = copy.deepcopy(templates)

    def all(self, kind: str) -> list[dict[str, Any]]:
        resources = (each for template in self.templates.values() for each in template["Resources"].values())
        found = [each for each in resources if each["Type"] == kind]
        assert found, f"no template has a {kind}"
        return found

    def first(self, kind: str, having: str = "") -> dict[str, Any]:
        return next(each for each in self.all(kind) if not having or value_at(each["Properties"], having) is not None)

    def set(self, kind: str, path: str, value: Any, having: str = "") -> None:
        place = self.first(kind, having or path.partition(".")[0])["Properties"]
        *parents, last = path.split(".")
        for step in parents:
            place = place[int(step)] if isinstance(place, list) else place.setdefault(step, {})
        place[int(last) if isinstance(place, list) else last] = value

    def again(self, kind: str, **other: Any) -> None:
        """Puts the first resource of a type into its template a second time, with some properties changed."""
        for template in self.templates.values():
            for resource in list(template["Resources"].values()):
                if resource["Type"] == kind:
                    second = copy.deepcopy(resource)
                    second["Properties"] |= other
                    template["Resources"]["Again"] = second
                    return
        raise AssertionError(f"no template has a {kind}")

    def alone(self, kind: str) -> None:
        """Takes `DependsOn` from every resource of a type."""
        for resource in self.all(kind):
            resource.pop("DependsOn", None)

    def found_by(self, rule: ServiceRule) -> list[Breach]:
        return list(rule.find(Assembly(Template(each, name) for name, each in self.templates.items())))


def value_at(value: Any, path: str) -> Any:
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def trust(service: str, **condition: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {"Statement": [statement | {"Condition": condition}]}


def narrow_trust(planted: Planted) -> None:
    arn = "arn:aws:bedrock-agentcore:eu-west-2:111122223333:runtime/*-??????????"
    for role in planted.all("AWS::IAM::Role"):
        if "bedrock-agentcore" in json.dumps(role["Properties"]["AssumeRolePolicyDocument"]):
            role["Properties"]["AssumeRolePolicyDocument"] = trust(
                "bedrock-agentcore.amazonaws.com", ArnLike={"aws:SourceArn": arn}
            )


def drop_from_keys(planted: Planted, service: str, action: str) -> None:
    for key in planted.all("AWS::KMS::Key"):
        for statement in key["Properties"]["KeyPolicy"]["Statement"]:
            if service in json.dumps(statement["Principal"]):
                statement["Action"] = [each for each in statement["Action"] if each != action]


def publish_enum(planted: Planted) -> None:
    """Gives every text argument of every tool an enum, as the lock has it for the region."""
    for target in planted.all(f"{AGENTCORE}GatewayTarget"):
        schema = target["Properties"]["TargetConfiguration"]["Mcp"]["McpServer"]["McpToolSchema"]
        payload = json.loads(schema["InlinePayload"])
        for tool in payload["tools"]:
            for argument in tool["inputSchema"].get("properties", {}).values():
                argument["enum"] = ["eu-west-2"]
        schema["InlinePayload"] = json.dumps(payload)


def narrow_interfaces(planted: Planted) -> None:
    for policy in planted.all("AWS::IAM::ManagedPolicy"):
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            if statement["Effect"] == "Allow" and "ec2:DeleteNetworkInterface" in statement["Action"]:
                statement["Resource"] = "arn:aws:ec2:eu-west-2:111122223333:network-interface/*"


def deliver(planted: Planted, **source: Any) -> None:
    """Delivers a gateway's log, from a source named by a plain string."""
    resources = planted.templates["operator"]["Resources"]
    gateway = next(name for name, each in resources.items() if each["Type"] == GATE)
    properties = {"Name": "a", "ResourceArn": {"Fn::GetAtt": [gateway, "GatewayArn"]}, "LogType": "TRACES", **source}
    resources["Source"] = {"Type": "AWS::Logs::DeliverySource", "Properties": properties}
    resources["Sent"] = {"Type": "AWS::Logs::Delivery", "Properties": {"DeliverySourceName": "a"}}


def name_role(planted: Planted, arn: Any) -> None:
    """Lets a key name a role of its template: as text CloudFormation cannot order it, by reference it is new to KMS."""
    statement = {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "kms:Sign"}
    template = planted.templates["operator"]["Resources"]
    template["Named"] = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "named"}}
    template["Key"] = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Statement": [statement]}}}


def crowd_of_targets(planted: Planted) -> None:
    """Gives a gateway five more targets, beside those it has."""
    for template in planted.templates.values():
        for resource in list(template["Resources"].values()):
            if resource["Type"] == TARGET:
                template["Resources"].update({f"Beside{number}": resource for number in range(5)})
                return


def tool_list(*names: str, arguments: int = 0) -> str:
    schema = {"type": "object", "properties": {f"argument{number}": {"type": "string"} for number in range(arguments)}}
    return json.dumps({"tools": [{"name": name, "description": "d", "inputSchema": schema} for name in names]})


def many(kind: str, count: int) -> dict[str, Any]:
    return {f"N{number}": {"Type": kind, "Properties": {}} for number in range(count)}


Plant = Callable[[Planted], None]
GATE, POLICY, RUNTIME, TARGET = (f"{AGENTCORE}{part}" for part in ("Gateway", "Policy", "Runtime", "GatewayTarget"))
GUARD = "AWS::Route53Resolver::FirewallRuleGroupAssociation"
CLIENT = "AWS::Cognito::UserPoolClient"
PLANTS: dict[str, Plant] = {
    "AWS-TRUST-1": lambda p: p.set(
        "AWS::IAM::Role",
        "AssumeRolePolicyDocument",
        trust("lambda.amazonaws.com", StringEquals={"aws:SourceAccount": "111122223333"}),
    ),
    "AWS-TRUST-2": narrow_trust,
    "AWS-KEY-1": lambda p: drop_from_keys(p, "cloudtrail", "kms:Decrypt"),
    "AWS-KEY-2": lambda p: drop_from_keys(p, "logs.", "kms:Encrypt"),
    "AWS-KEY-3": lambda p: p.set("AWS::KMS::Key", "KeyPolicy.Statement.0.Action", "kms:Decrypt"),
    "AWS-KEY-4": lambda p: p.set("AWS::KMS::Key", "EnableKeyRotation", True, having="KeySpec"),
    "AWS-KEY-5": lambda p: name_role(p, {"Fn::GetAtt": ["Named", "Arn"]}),
    "AWS-BUCKET-1": lambda p: p.set(
        "AWS::S3::Bucket", "LoggingConfiguration.DestinationBucketName", {"Ref": "TrailBucket"}
    ),
    "AWS-BUCKET-2": lambda p: p.set("AWS::S3::Bucket", "ObjectLockEnabled", False, having="ObjectLockConfiguration"),
    "AWS-UNIQUE-1": lambda p: p.again("AWS::WAFv2::WebACL"),
    "AWS-UNIQUE-2": lambda p: p.again(TARGET),
    "AWS-UNIQUE-3": lambda p: p.again("AWS::WAFv2::WebACLAssociation"),
    "AWS-UNIQUE-4": lambda p: p.set("AWS::WAFv2::WebACL", "Rules", [{"Name": "a", "Priority": n} for n in (0, 1)]),
    "AWS-UNIQUE-5": lambda p: p.set("AWS::S3::BucketPolicy", "PolicyDocument.Statement", [{"Sid": "A"}, {"Sid": "A"}]),
    "AWS-UNIQUE-6": lambda p: p.templates["network"].update(Outputs=p.templates["audit"]["Outputs"]),
    "AWS-ORDER-1": lambda p: p.alone(POLICY),
    "AWS-ORDER-2": lambda p: p.alone("AWS::Organizations::Policy"),
    "AWS-ORDER-3": lambda p: p.alone(RUNTIME),
    "AWS-ORDER-4": deliver,
    "AWS-ORDER-5": lambda p: p.alone(POLICY),
    "AWS-ORDER-6": lambda p: p.alone("AWS::Lambda::Function"),
    "AWS-ORDER-7": lambda p: p.alone("AWS::CloudTrail::Trail"),
    "AWS-ORDER-8": lambda p: name_role(p, "arn:aws:iam::111122223333:role/named"),
    "AWS-ORDER-9": crowd_of_targets,
    "AWS-ORDER-10": lambda p: p.again("AWS::Cognito::UserPoolDomain"),
    "AWS-SIZE-1": lambda p: p.set("AWS::IAM::ManagedPolicy", "PolicyDocument.Version", LONG),
    "AWS-SIZE-2": lambda p: p.set("AWS::EC2::VPCEndpoint", "PolicyDocument.Version", LONG),
    "AWS-SIZE-3": lambda p: p.set("AWS::Organizations::Policy", "Content", LONG),
    "AWS-SIZE-4": lambda p: p.set(POLICY, "Definition.Cedar.Statement", LONG),
    "AWS-SIZE-5": lambda p: p.set(TARGET, TOOLS, LONG * 30),
    "AWS-SIZE-6": lambda p: p.templates["audit"]["Resources"].update(many("AWS::KMS::Alias", 500)),
    "AWS-SIZE-7": lambda p: p.set("AWS::IAM::Role", "ManagedPolicyArns", ["a"] * 11),
    "AWS-SIZE-8": lambda p: p.templates["audit"]["Resources"].update(many("AWS::Logs::ResourcePolicy", 10)),
    "AWS-SIZE-9": lambda p: p.set(TARGET, TOOLS, tool_list("a", "b", "c", "d", arguments=700)),
    "AWS-SIZE-10": lambda p: p.set(TARGET, TOOLS, tool_list("x" * 260)),
    "AWS-NAME-1": lambda p: p.set(RUNTIME, "AgentRuntimeName", "ringfence-operator"),
    "AWS-NAME-2": lambda p: p.set(GATE, "Description", LONG),
    "AWS-LOG-1": lambda p: p.set("AWS::CloudTrail::Trail", "CloudWatchLogsLogGroupArn", {"Fn::Sub": "a:log-group:b"}),
    "AWS-LOG-2": lambda p: [each["Properties"].update(KmsKeyId="key") for each in p.all("AWS::Logs::LogGroup")].clear(),
    "AWS-LOG-3": lambda p: [
        each["Properties"].update(LogGroupName="/ours") for each in p.all("AWS::Logs::LogGroup")
    ].clear(),
    "AWS-LOG-4": lambda p: deliver(p, LogType="ACCESS_LOGS"),
    "AWS-LOG-5": lambda p: p.set("AWS::Logs::LogGroup", "DataProtectionPolicy.Statement.1.DataIdentifier", []),
    "AWS-NET-1": narrow_interfaces,
    "AWS-NET-2": lambda p: p.set(
        "AWS::Route53Resolver::FirewallDomainList", "Domains", ["sagemaker.api.eu-west-2.amazonaws.com"]
    ),
    "AWS-NET-3": lambda p: p.set(GUARD, "Priority", 100),
    "AWS-NET-4": lambda p: p.set("AWS::EC2::VPC", "EnableDnsHostnames", False),
    "AWS-NET-5": lambda p: p.set("AWS::EC2::VPCEndpoint", "RouteTableIds", ["rtb-1"], having="SubnetIds"),
    "AWS-LIFE-1": lambda p: p.set(GUARD, "MutationProtection", "ENABLED", having="Priority"),
    "AWS-LIFE-2": lambda p: p.first("AWS::Cognito::UserPool").update(DeletionPolicy="RetainExceptOnCreate"),
    "AWS-GATE-1": lambda p: p.set(GATE, "WafConfiguration", {"FailureMode": "FAIL_CLOSE"}, having="Name"),
    "AWS-GATE-2": lambda p: p.set(GATE, "InterceptorConfigurations.0.InterceptionPoints", ["REQUEST", "RESPONSE"]),
    "AWS-GATE-3": lambda p: p.set(TARGET, "MetadataConfiguration.AllowedRequestHeaders", ["Cookie"]),
    "AWS-GATE-4": lambda p: p.set(TARGET, TOOLS, "{}"),
    "AWS-CEDAR-1": publish_enum,
    "AWS-CEDAR-2": lambda p: p.set(TARGET, "Name", "elsewhere"),
    "AWS-CODE-1": lambda p: p.set("AWS::Lambda::Function", "Environment.Variables.AWS_REGION", "eu-west-2"),
    "AWS-CODE-2": lambda p: p.set("AWS::Lambda::Function", "Runtime", "python3.8"),
    "AWS-CODE-3": lambda p: p.set("AWS::Lambda::Function", "Timeout", 5400),
    "AWS-CODE-4": lambda p: p.set(RUNTIME, "NetworkConfiguration.NetworkModeConfig.RequireServiceS3Endpoint", False),
    "AWS-SIGNIN-1": lambda p: p.set("AWS::Cognito::UserPool", "UserPoolTier", "ESSENTIALS"),
    "AWS-SIGNIN-2": lambda p: p.set(CLIENT, "ExplicitAuthFlows", ["ALLOW_REFRESH_TOKEN_AUTH"]),
    "AWS-SIGNIN-3": lambda p: p.set(CLIENT, "CallbackURLs", ["http://host.example/callback"]),
    "AWS-SIGNIN-4": lambda p: p.set("AWS::Cognito::UserPoolDomain", "Domain", "aws-tools"),
    "AWS-SIGNIN-5": lambda p: p.set(CLIENT, "ReadAttributes", ["custom:somebody"]),
}


@pytest.fixture(scope="module")
def organisation(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("organisation")
    app = cdk.App(outdir=str(folder))
    build_organisation(app, "example")
    app.synth()
    (path,) = folder.glob("*.template.json")
    template: dict[str, Any] = json.loads(path.read_text())
    return template


def test_nothing_that_is_deployed_would_be_refused(synthesised: Any, organisation: dict[str, Any]) -> None:
    for templates in (synthesised.templates, {"organisation": organisation}):
        found = breaches(Template(content, name) for name, content in templates.items())
        assert [f"{rule.id} {breach}" for rule, breach in found if not acknowledged(rule.id, breach, templates)] == []


def acknowledged(rule: str, breach: Breach, templates: dict[str, dict[str, Any]]) -> bool:
    """Whether the finding is accepted beside its resource."""
    resource = templates[breach.template].get("Resources", {}).get(breach.logical_id, {})
    return f"ringfence::{rule}" in json.dumps(resource.get("Metadata", {}))


# Bytes zipped and unzipped: AgentCore guide, quotas, direct code deployment; Lambda developer guide, quotas.
ZIPS = {
    RUNTIME: ("AgentRuntimeArtifact.CodeConfiguration.Code.S3.Prefix", 250_000_000, 750_000_000),
    "AWS::Lambda::Function": ("Code.S3Key", 250_000_000, 250_000_000),
}


@pytest.mark.parametrize("kind", ZIPS)
def test_every_zip_is_one_that_its_service_takes(synthesised: Any, kind: str) -> None:
    path, most_zipped, most_unzipped = ZIPS[kind]
    keys = {key for each in synthesised.resources(kind) if (key := value_at(each.properties, path))}

    assert keys
    for key in keys:
        file = synthesised.folder / f"asset.{key}"
        with zipfile.ZipFile(file) as archive:
            unzipped = sum(member.file_size for member in archive.infolist())
        assert file.stat().st_size <= most_zipped and unzipped <= most_unzipped, f"{file.name}: {unzipped} unzipped"


def test_every_rule_has_a_fault_to_plant() -> None:
    assert set(PLANTS) == {rule.id for rule in RULES}


@pytest.mark.parametrize("rule", PLANTS)
def test_a_planted_fault_is_found(rule: str, assemblies: dict[str, Any], organisation: dict[str, Any]) -> None:
    planted = Planted({**assemblies[SANDBOX].templates, "organisation": organisation})
    PLANTS[rule](planted)

    assert planted.found_by(next(each for each in RULES if each.id == rule))
