"""What CloudFormation and the services accept at the first deployment, and at the second after a first that failed.

The facts are AWS's, each with its source; the templates are the committed departments' own.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from ringfence.catalogue.catalogue import load_catalogue
from ringfence.department.department import Department, load_department
from ringfence.reading.bootstrap import DepartmentBootstrap
from stacks.audit import AuditStack
from stacks.identity import IdentityStack
from stacks.network import NetworkStack
from stacks.persona import PersonaStack
from tests.schemas import schema

ROOT = Path(__file__).resolve().parents[2]
KEY = "arn:aws:kms:eu-west-2:111122223333:key/12345678-1234-1234-1234-123456789012"

# Deletion that a setting of ours refuses: rolling back to it would end in ROLLBACK_FAILED.
PROTECTED = {"AWS::Cognito::UserPool": "DeletionProtection", "AWS::Logs::LogGroup": "DeletionProtectionEnabled"}
# What may hold records by the time a later resource fails, and the keys without which nobody could read them.
KEPT_FOR_RECORDS = {"AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::KMS::Key"}


def test_what_survives_a_failed_first_attempt_does_not_stand_in_the_way_of_the_next(synthesised: Any) -> None:
    retained = [each for each in synthesised.resources() if each.whole.get("DeletionPolicy") == "Retain"]

    assert retained
    for each in retained:
        named = [part.rsplit("/", 1)[1] for part in schema(each.type)["primaryIdentifier"]]
        given = [name for name in named if name in each.properties]
        # CloudFormation user guide, "Import AWS resources into a CloudFormation stack automatically": a custom name
        # that is written out, and the whole primary identifier in the template. What has no name of ours, or one made
        # of an id that AWS gives anew, meets no namesake.
        if given and each.type != "AWS::S3::BucketPolicy":
            assert given == named, str(each)
            for name in given:
                value = each.properties[name]
                assert isinstance(value, str) or "AgentRuntimeId" in json.dumps(value), str(each)


def test_only_what_could_not_or_must_not_be_deleted_survives_it(synthesised: Any) -> None:
    kinds: dict[str, set[str]] = {}
    for each in synthesised.resources():
        kinds.setdefault(each.whole.get("DeletionPolicy", "Delete"), set()).add(each.type)

    assert kinds["Retain"] == {*PROTECTED, *KEPT_FOR_RECORDS}
    assert {"AWS::EC2::VPC", "AWS::EC2::Subnet", "AWS::EC2::SecurityGroup"} <= kinds["RetainExceptOnCreate"]
    for each in synthesised.resources():
        setting = PROTECTED.get(each.type)
        if setting and each.properties.get(setting) in (True, "ACTIVE"):
            assert each.whole["DeletionPolicy"] == "Retain", f"{each}: its rollback would fail"


def test_what_is_kept_is_not_lost_with_its_stack_either(synthesised: Any) -> None:
    for each in synthesised.resources():
        if each.whole.get("DeletionPolicy", "Delete") != "Delete":
            assert each.whole["UpdateReplacePolicy"] == "Retain", str(each)


def test_nothing_is_reserved_that_a_fresh_account_does_not_have(synthesised: Any) -> None:
    # An account begins with 10 concurrent executions, none of which Lambda reserves.
    functions = list(synthesised.resources("AWS::Lambda::Function"))

    assert functions
    assert not any("ReservedConcurrentExecutions" in each.properties for each in functions)


def test_an_example_is_refused_by_cloudformation_before_anything_is_made(synthesised: Any) -> None:
    for template in synthesised.templates.values():
        (assertion,) = template["Rules"]["ExampleIsNotDeployed"]["Assertions"]
        words, reference = assertion["Assert"]["Fn::Contains"]
        # The parameter is the CDK's: a number in SSM, which CloudFormation reads before it decides the rules.
        assert template["Parameters"][reference["Ref"]]["Type"] == "AWS::SSM::Parameter::Value<String>"
        assert template["Parameters"][reference["Ref"]]["Default"].endswith("/version")
        assert not any(word.isdigit() for word in words)
        assert template["Description"].startswith("An example, not to be deployed.")


@pytest.fixture(scope="module")
def production() -> Department:
    return load_department(
        "example-production", catalogue=load_catalogue(ROOT / "catalogue"), root=ROOT / "departments"
    )


def made(department: Department, folder: Path) -> dict[str, dict[str, Any]]:
    """The templates of a department that no file describes, by stack."""
    app = cdk.App(outdir=str(folder))
    shared: dict[str, Any] = {"department": department}
    shared["audit"] = AuditStack(app, "audit", **shared)
    shared["catalogue"] = load_catalogue(ROOT / "catalogue")
    shared["network"] = NetworkStack(app, "network", **shared)
    identity = IdentityStack(app, "identity", **shared)
    PersonaStack(app, "auditor", persona="auditor", identity=identity, **shared)
    app.synth()
    paths = folder.glob("*.template.json")
    return {path.name.removesuffix(".template.json"): json.loads(path.read_text()) for path in paths}


@pytest.fixture(scope="module")
def elsewhere(production: Department, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The production example under another name, in an account with a bootstrap of its own."""
    bootstrap = DepartmentBootstrap(qualifier="landingzon", key_arn=KEY)
    department = production.model_copy(update={"name": "fisheries", "bootstrap": bootstrap})
    return made(department, tmp_path_factory.mktemp("elsewhere"))


def test_another_department_is_not_refused(elsewhere: dict[str, dict[str, Any]]) -> None:
    for template in elsewhere.values():
        assert set(template["Rules"]) == {"CheckBootstrapVersion"}
        assert template["Description"].startswith("Ringfence fisheries: ")


def test_a_qualifier_of_the_landing_zone_reaches_every_name_made_from_it(
    elsewhere: dict[str, dict[str, Any]],
) -> None:
    for name, template in elsewhere.items():
        text = json.dumps(template)
        assert "hnb659fds" not in text, name
        assert template["Parameters"]["BootstrapVersion"]["Default"] == "/cdk-bootstrap/landingzon/version"
    bucket = "cdk-landingzon-assets-111122223333-eu-west-2"
    s3 = elsewhere["network"]["Resources"]["EndpointS3"]["Properties"]["PolicyDocument"]
    assert f"arn:aws:s3:::{bucket}/*" in json.dumps(s3)
    assert f"arn:aws:s3:::{bucket}/*" in json.dumps(elsewhere["audit"]["Resources"]["ServiceBoundary"])


def test_with_a_key_on_the_bootstrap_bucket_every_runtime_may_decrypt_its_code(
    elsewhere: dict[str, dict[str, Any]],
) -> None:
    resources = elsewhere["auditor"]["Resources"]
    runtimes = [each for each in resources.values() if each["Type"] == "AWS::BedrockAgentCore::Runtime"]
    policies = [
        each["Properties"]["PolicyDocument"]["Statement"]
        for each in resources.values()
        if "ManagedPolicy" in each["Type"]
    ]
    decrypting = [each for statements in policies for each in statements if each.get("Sid") == "DecryptOwnCode"]

    assert runtimes
    assert [each["Resource"] for each in decrypting] == [KEY] * len(runtimes)


def fixed_names(templates: dict[str, dict[str, Any]]) -> Counter[tuple[str, str]]:
    """Type and identifier of everything whose name the template gives."""
    found: Counter[tuple[str, str]] = Counter()
    for template in templates.values():
        for resource in template["Resources"].values():
            names = [part.rsplit("/", 1)[1] for part in schema(resource["Type"])["primaryIdentifier"]]
            names += [each for each in ("ManagedPolicyName", "Name", "UserPoolName") if each not in names]
            for name in names:
                value = resource.get("Properties", {}).get(name)
                if isinstance(value, str) and not value.startswith("alias/aws/"):
                    found[resource["Type"], value] += 1
    return found


def test_two_departments_in_one_account_share_no_name_in_what_each_has_once(
    production: Department, elsewhere: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    identity = production.identity.model_copy(update={"domain_prefix": "ringfence-forestry"})
    other = made(production.model_copy(update={"name": "forestry", "identity": identity}), tmp_path)
    ours, theirs = (
        fixed_names({stack: each for stack, each in templates.items() if stack in ("audit", "network", "identity")})
        for templates in (elsewhere, other)
    )

    assert len(ours) > 15
    shared = {(kind, name) for kind, name in ours & theirs if not is_named_within_its_pool(kind)}
    assert shared == set()


def is_named_within_its_pool(kind: str) -> bool:
    return kind.startswith("AWS::Cognito::UserPool") and kind not in (
        "AWS::Cognito::UserPool",
        "AWS::Cognito::UserPoolDomain",
    )
