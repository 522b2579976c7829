"""Keys, boundary, trail and buckets: the record that nobody can edit."""

from __future__ import annotations

import json
from typing import Any

import pytest

from constructs.audit.audit_trail import AuditTrail, trail_arn
from constructs.audit.encryption_keys import EncryptionKeys
from constructs.audit.log_delivery_permission import LogDeliveryPermission
from constructs.service_boundary import ServiceBoundary
from ringfence.compilers.iam import service_boundary
from ringfence.department.audit import Audit
from ringfence.department.department import Department

TRAIL = "arn:aws:cloudtrail:eu-west-2:111122223333:trail/ringfence-example-production"
ONLY_THIS_TRAIL = {"aws:SourceArn": TRAIL, "aws:SourceAccount": "111122223333"}


@pytest.fixture(params=[True, False], ids=["compliance", "governance"])
def compliance(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def trail_template(bench: Any, compliance: bool, **audit: Any) -> dict[str, Any]:
    AuditTrail(
        bench.stack,
        "Trail",
        department="example-production",
        log_key=bench.log_key,
        data_key=bench.data_key,
        boundary=bench.boundary,
        compliance=compliance,
        audit=Audit(**audit),
    )
    return bench.template["Resources"]


def test_objects_are_locked_for_731_days(bench: Any, compliance: bool) -> None:
    bucket = trail_template(bench, compliance)["TrailBucket"]

    assert bucket["Properties"]["ObjectLockEnabled"] is True
    assert bucket["Properties"]["ObjectLockConfiguration"]["Rule"]["DefaultRetention"] == {
        "Mode": "COMPLIANCE" if compliance else "GOVERNANCE",
        "Days": 731,
    }
    assert bucket["Properties"]["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["DeletionPolicy"] == "Retain"
    (rule,) = bucket["Properties"]["LifecycleConfiguration"]["Rules"]
    assert rule["ExpirationInDays"] > 731, "an object must not expire while it is locked"


def test_both_buckets_refuse_the_public_plain_http_and_old_tls(bench: Any) -> None:
    resources = trail_template(bench, True)

    for bucket in ("TrailBucket", "TrailBucketAccessLog"):
        properties = resources[bucket]["Properties"]
        assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
        document = resources[f"{bucket}Policy"]["Properties"]["PolicyDocument"]
        denials = {each["Sid"]: each for each in document["Statement"] if each["Effect"] == "Deny"}
        assert denials["DenyPlainHttp"]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert denials["DenyOldTls"]["Condition"] == {"NumericLessThan": {"s3:TlsVersion": "1.2"}}
        assert {(each["Principal"], each["Action"]) for each in denials.values()} == {("*", "s3:*")}
        assert resources[f"{bucket}Policy"]["DeletionPolicy"] == "Retain"


def test_only_this_trail_may_write_and_only_below_its_prefix(bench: Any) -> None:
    document = trail_template(bench, True)["TrailBucketPolicy"]["Properties"]["PolicyDocument"]

    allowed = {each["Sid"]: each for each in document["Statement"] if each["Effect"] == "Allow"}

    assert set(allowed) == {"AllowCloudTrailBucketCheck", "AllowCloudTrailWrite"}
    for statement in allowed.values():
        assert statement["Principal"] == {"Service": "cloudtrail.amazonaws.com"}
        assert statement["Condition"]["StringEquals"].items() >= ONLY_THIS_TRAIL.items()
    assert allowed["AllowCloudTrailWrite"]["Resource"]["Fn::Join"][1][-1] == "/AWSLogs/111122223333/*"


def test_the_access_log_takes_entries_of_the_audit_bucket_only(bench: Any) -> None:
    resources = trail_template(bench, True)

    (allowed,) = [
        each
        for each in resources["TrailBucketAccessLogPolicy"]["Properties"]["PolicyDocument"]["Statement"]
        if each["Effect"] == "Allow"
    ]

    assert allowed["Condition"]["ArnLike"] == {"aws:SourceArn": {"Fn::GetAtt": ["TrailBucket", "Arn"]}}
    assert resources["TrailBucket"]["Properties"]["LoggingConfiguration"]["DestinationBucketName"] == {
        "Ref": "TrailBucketAccessLog"
    }


def test_the_trail_sees_every_region_and_every_gateway_and_runtime_call(bench: Any) -> None:
    trail = trail_template(bench, True)["Trail"]["Properties"]

    assert trail["IsMultiRegionTrail"] is trail["IncludeGlobalServiceEvents"] is trail["IsLogging"] is True
    assert trail["EnableLogFileValidation"] is True
    assert trail["KMSKeyId"] == bench.data_key.key_arn
    fields = selected(trail)
    assert fields["ManagementEvents"] == {"eventCategory": ["Management"]}, (
        "with readOnly half the record would be missing"
    )
    assert {fields[name]["resources.type"][0] for name in ("GatewayCalls", "RuntimeCalls", "RuntimeEndpointCalls")} == {
        "AWS::BedrockAgentCore::Gateway",
        "AWS::BedrockAgentCore::Runtime",
        "AWS::BedrockAgentCore::RuntimeEndpoint",
    }


def selected(trail: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Each selector by its name: what it says of each field, as a list that it equals or with another comparison."""
    found: dict[str, dict[str, Any]] = {}
    for selector in trail["AdvancedEventSelectors"]:
        fields = {each["Field"]: {k: v for k, v in each.items() if k != "Field"} for each in selector["FieldSelectors"]}
        found[selector["Name"]] = {field: says.get("Equals", says) for field, says in fields.items()}
    return found


def below(bucket: str) -> dict[str, Any]:
    return {"Fn::Join": ["", [{"Fn::GetAtt": [bucket, "Arn"]}, "/"]]}


ANYWHERE = {"NotStartsWith": [below("TrailBucket"), below("TrailBucketAccessLog")]}
OBJECTS = {"eventCategory": ["Data"], "resources.type": ["AWS::S3::Object"]}


@pytest.mark.parametrize(
    ("audit", "expected"),
    [
        ({}, {**OBJECTS, "readOnly": ["false"], "resources.ARN": ANYWHERE}),
        ({"s3_data_events": "writes"}, {**OBJECTS, "readOnly": ["false"], "resources.ARN": ANYWHERE}),
        ({"s3_data_events": "all"}, {**OBJECTS, "resources.ARN": ANYWHERE}),
        (
            {"s3_data_events": ["catch", "landings"]},
            {**OBJECTS, "resources.ARN": {"StartsWith": ["arn:aws:s3:::catch/", "arn:aws:s3:::landings/"], **ANYWHERE}},
        ),
        ({"s3_data_events": "none", "reason": "The account's own trail records them already."}, None),
    ],
    ids=["by default", "writes", "all", "two buckets", "none"],
)
def test_which_events_of_s3_objects_the_trail_records(bench: Any, audit: dict[str, Any], expected: Any) -> None:
    trail = trail_template(bench, True, **audit)["Trail"]

    assert selected(trail["Properties"]).get("ObjectEvents") == expected
    assert trail["Metadata"].get("ringfence:no-s3-data-events") == audit.get("reason")


def test_the_trails_log_group_has_an_index_of_what_is_asked_for(bench: Any) -> None:
    (policy,) = trail_template(bench, True)["TrailLogGroup"]["Properties"]["FieldIndexPolicies"]

    assert set(policy["Fields"]) == {
        "eventName",
        "sourceIPAddress",
        "userIdentity.arn",
        "userIdentity.sessionContext.sourceIdentity",
        "userIdentity.accessKeyId",
        "errorCode",
    }


def test_cloudtrail_writes_to_its_own_streams_as_a_role_that_names_no_source(bench: Any) -> None:
    resources = trail_template(bench, True)

    (allowed,) = resources["TrailDeliveryPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    (trust,) = resources["TrailDeliveryRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]

    group = resources["TrailLogGroup"]["Properties"]["LogGroupName"]
    assert allowed["Resource"].startswith(f"arn:aws:logs:eu-west-2:111122223333:log-group:{group}:log-stream:")
    # CloudTrail user guide: the role for CloudWatch Logs supports neither aws:SourceArn nor aws:SourceAccount.
    assert trust["Principal"] == {"Service": "cloudtrail.amazonaws.com"}
    assert "Condition" not in trust
    assert "names no source" in resources["TrailDeliveryRole"]["Metadata"]["ringfence:control"]
    assert set(resources["Trail"]["DependsOn"]) == {"TrailBucketPolicy", "TrailDeliveryPolicy"}


def test_keys_rotate_stay_and_admit_only_this_accounts_logs_and_this_trail(bench: Any) -> None:
    EncryptionKeys(bench.stack, "Default", department="example-production", trail_arn=TRAIL)
    resources = bench.template["Resources"]

    for name in ("LogKey", "DataKey"):
        assert resources[name]["Properties"]["EnableKeyRotation"] is True
        assert resources[name]["DeletionPolicy"] == "Retain"
    services = {name: resources[name]["Properties"]["KeyPolicy"]["Statement"][1] for name in ("LogKey", "DataKey")}
    assert services["LogKey"]["Principal"] == {"Service": "logs.eu-west-2.amazonaws.com"}
    assert services["LogKey"]["Condition"] == {
        "ArnLike": {"kms:EncryptionContext:aws:logs:arn": "arn:aws:logs:eu-west-2:111122223333:log-group:*"}
    }
    assert services["DataKey"]["Condition"] == {"StringEquals": ONLY_THIS_TRAIL}
    assert trail_arn("example-production", "111122223333") == TRAIL


def test_the_boundary_is_the_compiled_one(bench: Any, department: Department) -> None:
    ServiceBoundary(bench.stack, "ServiceBoundary", department=department)

    assert bench.properties("ServiceBoundary")["PolicyDocument"] == service_boundary(department)


def test_log_delivery_may_write_for_this_account_and_not_everywhere(bench: Any) -> None:
    LogDeliveryPermission(bench.stack, "LogDelivery", department="example-production")

    (statement,) = json.loads(bench.properties("LogDelivery")["PolicyDocument"])["Statement"]

    assert statement["Principal"] == {"Service": "delivery.logs.amazonaws.com"}
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": "111122223333"}
    assert all(":log-group:*" not in resource for resource in statement["Resource"])
