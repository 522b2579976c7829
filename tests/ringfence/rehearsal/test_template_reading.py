"""Configuration that the rehearsal does not understand is an error that names resource and property, never skipped."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from fnmatch import fnmatchcase
from itertools import chain
from pathlib import Path

import pytest

from ringfence import CannotGoOn
from ringfence.deployed.assembly import Assembly
from ringfence.deployed.department import DeployedDepartment
from ringfence.deployed.known import READ
from ringfence.deployed.roles import Role, roles
from ringfence.iam.evaluator import Policy
from ringfence.rehearsal import coverage
from ringfence.rehearsal.aws.authorization.service_roles import Permissions
from ringfence.rehearsal.aws.authorization.trust import LAMBDA
from ringfence.rehearsal.department import RunningDepartment
from ringfence.rehearsal.gateway.checks import check_parts
from ringfence.rehearsal.template import of_assembly, read
from tests.ringfence.rehearsal.conftest import ROOT

Change = Callable[[dict], None]
# What the proofs read and the rehearsal does not emulate.
NOT_READ_HERE = {
    kind for kind in READ if any(fnmatchcase(kind, each) for each in chain(*coverage.NOT_EMULATED.values()))
}


@pytest.fixture
def changed(production: Path):
    def change_assembly(kind: str, change: Change) -> Assembly:
        assembly = Assembly.load(production)
        first = next(each for each in assembly.resources() if each.type == kind)
        template = copy.deepcopy(dict(assembly.stacks[first.stack].template))
        change(template["Resources"][first.logical_id])
        return assembly.edited({first.stack: template})

    return change_assembly


def setting(*path: str | int, value: object) -> Change:
    def change(resource: dict) -> None:
        place = resource["Properties"]
        for name in path[:-1]:
            place = place[name]
        place[path[-1]] = value

    return change


GATEWAY, TARGET, RUNTIME = (f"AWS::BedrockAgentCore::{kind}" for kind in ("Gateway", "GatewayTarget", "Runtime"))
MCP = ("ProtocolConfiguration", "Mcp")


def test_the_synthesised_department_reads(production):
    department = RunningDepartment(read(production), progress=lambda _text: None)
    assert department.name == "example-production"
    assert "WAF" in department.not_emulated


SERVER = ("TargetConfiguration", "Mcp", "McpServer")
STREAMING = (*MCP, "StreamingConfiguration", "EnableResponseStreaming")
POINTS = ("InterceptorConfigurations", 0, "InterceptionPoints")
CREDENTIAL = ("CredentialProviderConfigurations", 0, "CredentialProviderType")


@pytest.mark.parametrize(
    ("kind", "change", "told"),
    [
        (GATEWAY, setting("AuthorizerType", value="NONE"), "AuthorizerType"),
        (GATEWAY, setting(*MCP, "SearchType", value="SEMANTIC"), "ProtocolConfiguration.Mcp.SearchType"),
        (GATEWAY, setting(*STREAMING, value=True), "EnableResponseStreaming"),
        (GATEWAY, setting(*POINTS, value=["BOTH"]), "InterceptorConfigurations"),
        (GATEWAY, setting("PolicyEngineConfiguration", "Mode", value="PERHAPS"), "PolicyEngineConfiguration.Mode"),
        (TARGET, setting("TargetConfiguration", "Mcp", value={"Lambda": {}}), "TargetConfiguration.Mcp.Lambda"),
        (TARGET, setting(*SERVER, "ListingMode", value="DYNAMIC"), "ListingMode"),
        (TARGET, setting(*SERVER, "Endpoint", value="https://example.com/mcp"), "Endpoint"),
        (TARGET, setting(*CREDENTIAL, value="OAUTH"), "CredentialProviderType"),
        (RUNTIME, setting("NetworkConfiguration", "NetworkMode", value="PUBLIC"), "NetworkMode"),
        (RUNTIME, setting("ProtocolConfiguration", value="A2A"), "ProtocolConfiguration"),
        ("AWS::Lambda::Function", setting("Runtime", value="nodejs22.x"), "Runtime"),
        ("AWS::BedrockAgentCore::Policy", setting("ValidationMode", value="IGNORE_ALL_FINDINGS"), "ValidationMode"),
    ],
)
def test_what_it_cannot_honour_is_named(changed, kind, change, told):
    with pytest.raises(CannotGoOn) as stopped:
        of_assembly(changed(kind, change))
    assert kind in stopped.value.what
    assert told in stopped.value.what
    assert stopped.value.remedy


def test_a_function_whose_code_is_missing(production, tmp_path):
    assembly = Assembly.load(production)
    (tmp_path / "no.zip").write_text("nothing")
    key = assembly.of_type("AWS::Lambda::Function")[0].properties["Code"]["S3Key"]
    for place, told in (("gone.zip", "is missing"), ("no.zip", "is no zip")):
        with pytest.raises(CannotGoOn, match=rf"{place} {told}.*make synth"):
            of_assembly(assembly.edited(assets={key: tmp_path / place}))


def test_a_gateway_role_that_cannot_use_its_policy_engine(production):
    assembly = Assembly.load(production)
    spec = DeployedDepartment.read(assembly).gateways["auditor"]
    functions = {spec.request.function_arn, spec.response.function_arn}
    runtimes = {target.runtime_arn for target in spec.targets}
    permissions = Permissions(of_assembly(assembly))
    check_parts(spec, functions=functions, runtimes=runtimes, permissions=permissions)
    with pytest.raises(CannotGoOn, match="not in the assembly"):
        check_parts(spec, functions=functions, runtimes=set(), permissions=permissions)
    role = permissions.role(spec.role_arn, needed_by="test")
    object.__setattr__(role, "identity", ())
    with pytest.raises(CannotGoOn, match="cannot use its policy engine"):
        check_parts(spec, functions=functions, runtimes=runtimes, permissions=permissions)


def test_a_function_whose_role_asks_for_keys_that_lambda_is_not_known_to_send(production):
    assembly = Assembly.load(production)
    arn = assembly.of_type("AWS::Lambda::Function")[0].arn
    permissions = Permissions(of_assembly(assembly))
    role = next(each for each in roles(assembly).values() if "lambda.amazonaws.com" in str(trust_of(each)))
    role = permissions.role(role.arn, needed_by=arn)
    permissions.check_trust(role.arn, service=LAMBDA, source_arn=arn)

    (statement,) = trust_of(role)["Statement"]
    tied = {**statement, "Condition": {"ArnLike": {"aws:SourceArn": arn}}}
    object.__setattr__(role, "trust", Policy.parse({"Version": "2012-10-17", "Statement": [tied]}))
    with pytest.raises(CannotGoOn, match="may not work as"):
        permissions.check_trust(role.arn, service=LAMBDA, source_arn=arn)


def trust_of(role: Role) -> dict:
    return role.resource.properties["AssumeRolePolicyDocument"]


def test_what_is_read_and_said_not_to_be_emulated_is_told(production):
    assembly = Assembly.load(production)
    assembly.asked |= {each.type for each in assembly.resources() if each.type in READ} - NOT_READ_HERE
    assert "AWS::KMS::Key" in coverage.emulated(assembly)
    assembly.of_type("AWS::EC2::VPC")
    with pytest.raises(CannotGoOn, match=r"AWS::EC2::VPC is said not to be emulated, and is read"):
        coverage.emulated(assembly)


def test_what_nobody_reads_and_nobody_names_is_told(production):
    assembly = Assembly.load(production)
    assembly.asked |= {each.type for each in assembly.resources() if each.type in READ} - NOT_READ_HERE
    assembly.asked -= {"AWS::KMS::Key"}
    with pytest.raises(CannotGoOn, match=r"nobody reads AWS::KMS::Key, or says why not"):
        coverage.emulated(assembly)


@pytest.mark.parametrize("page", ["README.md", "docs/verification.md"])
def test_what_the_pages_say_is_not_emulated_is_what_the_report_says(page):
    (said,) = re.findall(
        r"The rehearsal does not emulate\s([^.]*?)(?:,? and says so|, nor AWS itself)", (ROOT / page).read_text()
    )
    named = {part.removeprefix("the ").strip() for part in re.split(r",\s|\sor\s", said)}
    assert named == {"WAF", "rate limits", "DNS firewall", "service quotas"}
    assert named <= coverage.NOT_EMULATED.keys()
