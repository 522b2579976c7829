"""Configuration that the rehearsal does not understand is an error that names resource and property, never skipped."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ringfence.deployed.assembly import Assembly
from ringfence.deployed.roles import Role, roles
from ringfence.iam.evaluator import Policy
from ringfence.rehearsal.aws.authorization.service_roles import LAMBDA, Permissions
from ringfence.rehearsal.department import RunningDepartment
from ringfence.rehearsal.gateway.checks import check_parts
from ringfence.rehearsal.problems import CannotStart
from ringfence.rehearsal.template import coverage
from ringfence.rehearsal.template.gateway_spec import read_gateways
from tests.ringfence.rehearsal.conftest import ROOT

Change = Callable[[dict], None]


@pytest.fixture
def changed(production: Path, tmp_path: Path):
    def change_assembly(kind: str, change: Change) -> Assembly:
        folder = tmp_path / "changed"
        folder.mkdir()
        for path in production.iterdir():
            if path.suffix == ".zip":
                (folder / path.name).symlink_to(path)
            elif path.is_file():
                shutil.copy(path, folder / path.name)
        for path in folder.glob("*.template.json"):
            template = json.loads(path.read_text())
            found = [item for item in template["Resources"].values() if item["Type"] == kind]
            if found:
                change(found[0])
                path.write_text(json.dumps(template))
                return Assembly.load(folder)
        raise AssertionError(f"no {kind} in {production}")

    return change_assembly


def read(assembly: Assembly) -> RunningDepartment:
    return RunningDepartment(assembly, progress=lambda _text: None)


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
    department = read(Assembly.load(production))
    assert department.name == "example-production"
    assert "WAF" in department.not_emulated


SERVER = ("TargetConfiguration", "Mcp", "McpServer")
STREAMING = (*MCP, "StreamingConfiguration", "EnableResponseStreaming")
POINTS = ("InterceptorConfigurations", 0, "InterceptionPoints")
CREDENTIAL = ("CredentialProviderConfigurations", 0, "CredentialProviderType")


@pytest.mark.parametrize(
    ("kind", "change", "told"),
    [
        (GATEWAY, setting("NewProperty", value=1), "NewProperty"),
        (GATEWAY, setting("AuthorizerType", value="NONE"), "AuthorizerType"),
        (GATEWAY, setting(*MCP, "SearchType", value="SEMANTIC"), "ProtocolConfiguration.Mcp.SearchType"),
        (GATEWAY, setting(*STREAMING, value=True), "EnableResponseStreaming"),
        (GATEWAY, setting(*POINTS, value=["BOTH"]), "InterceptorConfigurations"),
        (GATEWAY, setting("PolicyEngineConfiguration", "Mode", value="PERHAPS"), "PolicyEngineConfiguration.Mode"),
        (TARGET, setting("TargetConfiguration", "Mcp", value={"Lambda": {}}), "McpServer"),
        (TARGET, setting(*SERVER, "ListingMode", value="DYNAMIC"), "ListingMode"),
        (TARGET, setting(*SERVER, "Endpoint", value="https://example.com/mcp"), "Endpoint"),
        (TARGET, setting(*CREDENTIAL, value="OAUTH"), "CredentialProviderType"),
        (RUNTIME, setting("NetworkConfiguration", "NetworkMode", value="PUBLIC"), "NetworkMode"),
        (RUNTIME, setting("AuthorizerConfiguration", value={}), "AuthorizerConfiguration"),
        (RUNTIME, setting("ProtocolConfiguration", value="A2A"), "ProtocolConfiguration"),
        ("AWS::Lambda::Function", setting("Layers", value=["arn"]), "Layers"),
        ("AWS::Lambda::Function", setting("Runtime", value="nodejs22.x"), "Runtime"),
        ("AWS::BedrockAgentCore::Policy", setting("ValidationMode", value="IGNORE_ALL_FINDINGS"), "ValidationMode"),
    ],
)
def test_what_it_cannot_honour_is_named(changed, kind, change, told):
    with pytest.raises(CannotStart) as stopped:
        read(changed(kind, change))
    assert kind in stopped.value.what
    assert told in stopped.value.what
    assert stopped.value.remedy


def test_a_resource_type_it_has_no_word_for(changed):
    def change(resource: dict) -> None:
        resource["Type"] = "AWS::BedrockAgentCore::GatewayRule"
        resource["Properties"] = {}

    with pytest.raises(Exception, match="GatewayRule"):
        read(changed("AWS::BedrockAgentCore::Policy", change))


def test_a_function_whose_code_is_missing(production, changed):
    assembly = changed("AWS::Lambda::Function", lambda _resource: None)
    next(assembly.path.glob("*.zip")).unlink()
    with pytest.raises(CannotStart, match="cannot be found") as stopped:
        read(assembly)
    assert "make synth" in stopped.value.remedy


def test_a_gateway_role_that_cannot_use_its_policy_engine(production):
    assembly = Assembly.load(production)
    spec = read_gateways(assembly)[0]
    functions = {spec.request.function_arn, spec.response.function_arn}
    runtimes = {target.runtime_arn for target in spec.targets}
    permissions = Permissions(assembly)
    check_parts(spec, functions=functions, runtimes=runtimes, permissions=permissions)
    with pytest.raises(CannotStart, match="not in the assembly"):
        check_parts(spec, functions=functions, runtimes=set(), permissions=permissions)
    role = permissions.role(spec.role_arn, needed_by="test")
    object.__setattr__(role, "identity", ())
    with pytest.raises(CannotStart, match="cannot use its policy engine"):
        check_parts(spec, functions=functions, runtimes=runtimes, permissions=permissions)


def test_a_function_whose_role_asks_for_keys_that_lambda_is_not_known_to_send(production):
    assembly = Assembly.load(production)
    arn = assembly.of_type("AWS::Lambda::Function")[0].arn
    permissions = Permissions(assembly)
    role = next(each for each in roles(assembly).values() if "lambda.amazonaws.com" in str(trust_of(each)))
    role = permissions.role(role.arn, needed_by=arn)
    permissions.check_trust(role.arn, service=LAMBDA, source_arn=arn)

    (statement,) = trust_of(role)["Statement"]
    tied = {**statement, "Condition": {"ArnLike": {"aws:SourceArn": arn}}}
    object.__setattr__(role, "trust", Policy.parse({"Version": "2012-10-17", "Statement": [tied]}))
    with pytest.raises(CannotStart, match="may not work as"):
        permissions.check_trust(role.arn, service=LAMBDA, source_arn=arn)


def trust_of(role: Role) -> dict:
    return role.resource.properties["AssumeRolePolicyDocument"]


def test_a_type_that_is_read_and_not_said_to_be_emulated_is_told(production, monkeypatch):
    assembly = Assembly.load(production)
    assembly.asked |= coverage.EMULATED
    assert "AWS::KMS::Key" in coverage.check_read(assembly)
    assembly.of_type("AWS::EC2::VPC")
    with pytest.raises(CannotStart, match=r"AWS::EC2::VPC is read"):
        coverage.check_read(assembly)
    monkeypatch.setattr(coverage, "EMULATED", coverage.EMULATED - {"AWS::KMS::Key"})
    with pytest.raises(CannotStart, match=r"AWS::EC2::VPC is read; AWS::KMS::Key is read"):
        coverage.check_read(assembly)


def test_a_type_that_is_said_to_be_emulated_and_not_read_is_told(production):
    assembly = Assembly.load(production)
    assembly.asked |= coverage.EMULATED - {"AWS::KMS::Key"}
    with pytest.raises(CannotStart, match=r"AWS::KMS::Key is not read"):
        coverage.check_read(assembly)


@pytest.mark.parametrize("page", ["README.md", "docs/verification.md"])
def test_what_the_pages_say_is_not_emulated_is_what_the_report_says(page):
    (said,) = re.findall(
        r"The rehearsal does not emulate\s([^.]*?)(?:,? and says so|, nor AWS itself)", (ROOT / page).read_text()
    )
    named = {part.removeprefix("the ").strip() for part in re.split(r",\s|\sor\s", said)}
    assert named == {"WAF", "rate limits", "DNS firewall", "service quotas"}
    assert named <= coverage.NOT_EMULATED.keys()
