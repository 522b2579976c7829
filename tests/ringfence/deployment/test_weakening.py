"""What an update in place takes from a resource that holds data is told, and what it adds is not."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from ringfence.command_line.entry import main
from ringfence.deployment.changes import HOLDS, PROTECTED, changes
from ringfence.deployment.weakening import GUARDS, POLICIES

STACK = "ringfence-x-audit"
TRAIL, BUCKET, KEY = "AWS::CloudTrail::Trail", "AWS::S3::Bucket", "AWS::KMS::Key"
LOG, RUNTIME_LOG, POOL = "AWS::Logs::LogGroup", "Custom::RuntimeLogGroup", "AWS::Cognito::UserPool"
FUNCTION, WAF, FLOW = "AWS::Lambda::Function", "AWS::WAFv2::LoggingConfiguration", "AWS::EC2::FlowLog"
GATEWAY = "AWS::BedrockAgentCore::Gateway"
RUNTIME, ROLE, RIGHTS = "AWS::BedrockAgentCore::Runtime", "AWS::IAM::Role", "AWS::IAM::ManagedPolicy"
DELIVERY, SIGN_INS, GUARDRAIL = (
    "AWS::Logs::Delivery",
    "AWS::Cognito::LogDeliveryConfiguration",
    "AWS::Organizations::Policy",
)


QUERIES_OF = "AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation"
LOCK_PERIOD = "ObjectLockConfiguration.Rule.DefaultRetention"
LOCKED = {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}}


def versioning(status: str) -> dict[str, Any]:
    return {"VersioningConfiguration": {"Status": status}}


def lock(**period: Any) -> dict[str, Any]:
    return {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": period}}}


def expiry(*days: Any) -> dict[str, Any]:
    rules = [{"Status": "Enabled"} | ({} if each is None else {"ExpirationInDays": each}) for each in days]
    return {"LifecycleConfiguration": {"Rules": rules}}


def versions(days: int) -> dict[str, Any]:
    return {"LifecycleConfiguration": {"Rules": [{"NoncurrentVersionExpiration": {"NoncurrentDays": days}}]}}


def selectors(*each: dict[str, list[str]]) -> dict[str, Any]:
    fields = [[{"Field": field, "Equals": values} for field, values in one.items()] for one in each]
    return {"AdvancedEventSelectors": [{"Name": f"S{n}", "FieldSelectors": f} for n, f in enumerate(fields)]}


def masking(*identifiers: str) -> dict[str, Any]:
    operations = {"Find": {"Audit": {}}, "Mask": {"Deidentify": {}}}
    two = [{"Sid": sid, "DataIdentifier": list(identifiers), "Operation": each} for sid, each in operations.items()]
    return {"DataProtectionPolicy": {"Statement": two}}


def found_only(*identifiers: str) -> dict[str, Any]:
    return {"DataProtectionPolicy": {"Statement": masking(*identifiers)["DataProtectionPolicy"]["Statement"][:1]}}


def rule(**properties: Any) -> dict[str, Any]:
    return {"LifecycleConfiguration": {"Rules": [properties]}}


def variables(**each: str) -> dict[str, Any]:
    return {"Environment": {"Variables": {"MASKING_POLICY": "m"} | each}}


def logging_to(group: str | None, level: str | None = None) -> dict[str, Any]:
    return {"LoggingConfig": {"LogGroup": group, "ApplicationLogLevel": level}}


def private(**flags: bool) -> dict[str, Any]:
    return {"PublicAccessBlockConfiguration": flags}


def to(*groups: str) -> dict[str, Any]:
    return {"LogConfigurations": [{"EventSource": "userAuthEvents", "Group": each} for each in groups]}


MANAGEMENT, DATA = {"eventCategory": ["Management"]}, {"eventCategory": ["Data"], "resources.type": ["A", "B"]}
LESS_DATA = {"eventCategory": ["Data"], "resources.type": ["A"]}
WEAKER: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    (TRAIL, "IsLogging", {"IsLogging": True}, {"IsLogging": False}),
    (TRAIL, "IsMultiRegionTrail", {"IsMultiRegionTrail": True}, {"IsMultiRegionTrail": False}),
    (TRAIL, "IsMultiRegionTrail", {"IsMultiRegionTrail": "true"}, {}),
    (TRAIL, "IncludeGlobalServiceEvents", {"IncludeGlobalServiceEvents": True}, {}),
    (TRAIL, "EnableLogFileValidation", {"EnableLogFileValidation": True}, {"EnableLogFileValidation": {"Ref": "No"}}),
    (TRAIL, "AdvancedEventSelectors", selectors(MANAGEMENT, DATA), selectors(MANAGEMENT)),
    (TRAIL, "AdvancedEventSelectors", selectors(MANAGEMENT, DATA), selectors(MANAGEMENT, LESS_DATA)),
    (TRAIL, "AdvancedEventSelectors", selectors(MANAGEMENT), selectors(MANAGEMENT | {"readOnly": ["false"]})),
    (TRAIL, "AdvancedEventSelectors", selectors(MANAGEMENT), {}),
    (TRAIL, "CloudWatchLogsLogGroupArn", {"CloudWatchLogsLogGroupArn": "a"}, {}),
    (TRAIL, "KMSKeyId", {"KMSKeyId": "a"}, {}),
    (BUCKET, LOCK_PERIOD, lock(Mode="COMPLIANCE", Days=731), lock(Mode="COMPLIANCE", Days=730)),
    (BUCKET, LOCK_PERIOD, lock(Mode="COMPLIANCE", Years=2), lock(Mode="COMPLIANCE", Days=729)),
    (BUCKET, LOCK_PERIOD, lock(Mode="COMPLIANCE", Days=731), lock(Mode="GOVERNANCE", Days=731)),
    (BUCKET, LOCK_PERIOD, lock(Mode="GOVERNANCE", Days=1), LOCKED),
    (BUCKET, "ObjectLockConfiguration.ObjectLockEnabled", LOCKED, {}),
    (BUCKET, "ObjectLockConfiguration.ObjectLockEnabled", LOCKED,
     {"ObjectLockConfiguration": {"ObjectLockEnabled": {"Fn::If": ["c", "Enabled", {"Ref": "AWS::NoValue"}]}}}),
    (BUCKET, "VersioningConfiguration.Status", versioning("Enabled"), versioning("Suspended")),
    (BUCKET, "VersioningConfiguration.Status", versioning("Enabled"), {}),
    (BUCKET, "LifecycleConfiguration.Rules.ExpirationInDays", expiry(732), expiry(731)),
    (BUCKET, "LifecycleConfiguration.Rules.ExpirationInDays", expiry(None), expiry(None, 30)),
    (BUCKET, "LifecycleConfiguration.Rules.ExpirationInDays", {}, expiry(3650)),
    (BUCKET, "LifecycleConfiguration.Rules.ExpirationInDays", expiry(732), expiry({"Ref": "Days"})),
    (BUCKET, "LifecycleConfiguration.Rules.NoncurrentVersionExpiration.NoncurrentDays", versions(30), versions(1)),
    (BUCKET, "LoggingConfiguration", {"LoggingConfiguration": {"DestinationBucketName": "b"}}, {}),
    (KEY, "Enabled", {}, {"Enabled": False}),
    (KEY, "EnableKeyRotation", {"EnableKeyRotation": True}, {"EnableKeyRotation": False}),
    (KEY, "PendingWindowInDays", {"PendingWindowInDays": 30}, {"PendingWindowInDays": 7}),
    (KEY, "PendingWindowInDays", {}, {"PendingWindowInDays": 29}),
    (KEY, "PendingWindowInDays", {"PendingWindowInDays": 30}, {"PendingWindowInDays": {"Ref": "Days"}}),
    (LOG, "RetentionInDays", {"RetentionInDays": 731}, {"RetentionInDays": 365}),
    (LOG, "KmsKeyId", {"KmsKeyId": "k"}, {}),
    (LOG, "DeletionProtectionEnabled", {"DeletionProtectionEnabled": True}, {}),
    (LOG, "DataProtectionPolicy.Statement", masking("a", "b"), masking("a")),
    (LOG, "DataProtectionPolicy.Statement", masking("a"), {}),
    (LOG, "DataProtectionPolicy.Statement", masking("a"), found_only("a")),
    (BUCKET, "LifecycleConfiguration.Rules.ExpirationDate", rule(), rule(ExpirationDate="2026-12-01")),
    (BUCKET, "LifecycleConfiguration.Rules.NoncurrentVersionExpirationInDays", rule(),
     rule(NoncurrentVersionExpirationInDays=1)),
    *((BUCKET, f"PublicAccessBlockConfiguration.{each}", private(**{each: True}), {})
      for each in ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")),
    (BUCKET, "BucketEncryption", {"BucketEncryption": {}}, {}),
    (BUCKET, "OwnershipControls", {"OwnershipControls": {}}, {}),
    (TRAIL, "CloudWatchLogsRoleArn", {"CloudWatchLogsRoleArn": "a"}, {}),
    (FUNCTION, "Environment.Variables.LOG_KEY_ARN", variables(LOG_KEY_ARN="k"), variables()),
    (FUNCTION, "Environment.Variables.RETENTION_DAYS", variables(RETENTION_DAYS="731"), variables(RETENTION_DAYS="30")),
    (FUNCTION, "Role", variables() | {"Role": "r"}, variables()),
    (FUNCTION, "LoggingConfig.LogGroup", variables() | logging_to("a"), variables()),
    (FUNCTION, "LoggingConfig.ApplicationLogLevel", variables(), variables() | logging_to(None, "ERROR")),
    (POOL, "MfaConfiguration", {"MfaConfiguration": "ON"}, {"MfaConfiguration": "OFF"}),
    (POOL, "MfaConfiguration", {"MfaConfiguration": "ON"}, {"MfaConfiguration": "OPTIONAL"}),
    (POOL, "EnabledMfas", {"EnabledMfas": ["SOFTWARE_TOKEN_MFA"]}, {}),
    (POOL, "AdminCreateUserConfig.AllowAdminCreateUserOnly",
     {"AdminCreateUserConfig": {"AllowAdminCreateUserOnly": True}}, {}),
    (POOL, "AccountRecoverySetting", {"AccountRecoverySetting": {}}, {}),
    (POOL, "LambdaConfig.PreTokenGenerationConfig", {"LambdaConfig": {"PreTokenGenerationConfig": "f"}}, {}),
    (POOL, "Policies.PasswordPolicy.MinimumLength", {"Policies": {"PasswordPolicy": {"MinimumLength": 14}}}, {}),
    (POOL, "UserPoolAddOns.AdvancedSecurityMode", {"UserPoolAddOns": {"AdvancedSecurityMode": "ENFORCED"}},
     {"UserPoolAddOns": {"AdvancedSecurityMode": "AUDIT"}}),
    (WAF, "LoggingFilter", {}, {"LoggingFilter": {"DefaultBehavior": "DROP"}}),
    (WAF, "RedactedFields", {"RedactedFields": ["a"]}, {"RedactedFields": ["a", "b"]}),
    (WAF, "LogDestinationConfigs", {"LogDestinationConfigs": ["a"]}, {}),
    (DELIVERY, "RecordFields", {}, {"RecordFields": ["a"]}),
    (GUARDRAIL, "TargetIds", {"TargetIds": ["a", "b"]}, {"TargetIds": ["a"]}),
    (RUNTIME_LOG, "RetentionInDays", {"RetentionInDays": "731"}, {"RetentionInDays": "90"}),
    (RUNTIME_LOG, "KmsKeyId", {"KmsKeyId": {"Fn::ImportValue": "k"}}, {}),
    (RUNTIME_LOG, "DeletionProtectionEnabled", {"DeletionProtectionEnabled": True}, {}),
    (LOG, "DeletionProtectionEnabled", {"DeletionProtectionEnabled": True}, {"DeletionProtectionEnabled": False}),
    (RUNTIME_LOG, "MaskingPolicyDigest", {"MaskingPolicyDigest": "0"}, {}),
    (POOL, "DeletionProtection", {"DeletionProtection": "ACTIVE"}, {"DeletionProtection": "INACTIVE"}),
    (POOL, "DeletionProtection", {"DeletionProtection": "ACTIVE"}, {}),
]  # fmt: skip
BOTH_WAYS: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    (TRAIL, "S3BucketName", {"S3BucketName": {"Ref": "Locked"}}, {"S3BucketName": {"Ref": "Other"}}),
    (TRAIL, "AdvancedEventSelectors", {}, selectors(DATA)),
    (LOG, "RetentionInDays", {"RetentionInDays": 731}, {}),
    *((kind, "KmsKeyId", {"KmsKeyId": "a"}, {"KmsKeyId": "b"}) for kind in (LOG, RUNTIME_LOG)),
    *(
        (TRAIL, each, {each: "a"}, {each: "b"})
        for each in ("KMSKeyId", "CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn")
    ),
    (RUNTIME_LOG, "MaskingPolicyDigest", {"MaskingPolicyDigest": "0"}, {"MaskingPolicyDigest": "1"}),
    (FUNCTION, "Environment.Variables.MASKING_POLICY", variables(), variables(MASKING_POLICY="")),
    (WAF, "LogDestinationConfigs", {"LogDestinationConfigs": ["a"]}, {"LogDestinationConfigs": ["b"]}),
    *((SIGN_INS, "LogConfigurations", to("a"), each) for each in (to(), to("a", "b"))),
    (GATEWAY, "InterceptorConfigurations", {"InterceptorConfigurations": ["a"]}, {"InterceptorConfigurations": ["b"]}),
    (GATEWAY, "PolicyEngineConfiguration", {"PolicyEngineConfiguration": {"Mode": "ENFORCE"}},
     {"PolicyEngineConfiguration": {"Mode": "LOG_ONLY"}}),
]  # fmt: skip
"""Neither of the two values is the stronger: another bucket, and a log group that never forgets."""
FIXED: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    (FLOW, "TrafficType", {"TrafficType": "ALL"}, {"TrafficType": "REJECT"}),
    (FLOW, "LogFormat", {}, {"LogFormat": "${srcaddr}"}),
    (FLOW, "LogGroupName", {"LogGroupName": "a"}, {"LogGroupName": "b"}),
    (FLOW, "DeliverLogsPermissionArn", {"DeliverLogsPermissionArn": "a"}, {"DeliverLogsPermissionArn": "b"}),
    (DELIVERY, "DeliveryDestinationArn", {"DeliveryDestinationArn": "a"}, {"DeliveryDestinationArn": "b"}),
    (DELIVERY, "DeliverySourceName", {"DeliverySourceName": "a"}, {"DeliverySourceName": "b"}),
    (
        "AWS::Logs::DeliveryDestination",
        "DestinationResourceArn",
        {"DestinationResourceArn": "a"},
        {"DestinationResourceArn": "b"},
    ),
    ("AWS::Logs::DeliverySource", "LogType", {"LogType": "a"}, {"LogType": "b"}),
    (
        "AWS::Route53Resolver::ResolverQueryLoggingConfig",
        "DestinationArn",
        {"DestinationArn": "a"},
        {"DestinationArn": "b"},
    ),
]
"""Most of these replace what writes records; the records go elsewhere or hold less, in place or not."""
BY_ROLE = {
    (RUNTIME, "RoleArn"),
    (RUNTIME, "EnvironmentVariables.RINGFENCE_CALL_LOG_GROUP"),
    (RIGHTS, "Roles"),
    ("AWS::IAM::Policy", "Roles"),
}
"""Tried with what writes as the role, below."""
IDS = [f"{kind.rsplit('::', 1)[-1]}-{path}-{number}" for number, (kind, path, _, _) in enumerate(WEAKER)]


def found(kind: str, before: dict[str, Any], after: dict[str, Any], **more: dict[str, Any]) -> list[tuple[str, str]]:
    old, new = ({"Type": kind, "Properties": each, **more} for each in (before, after))
    told = changes({STACK: {"Resources": {"It": old}}}, {STACK: {"Resources": {"It": new}}})
    assert all(each.loses for each in told), "nobody would be asked"
    return [(each.kind, each.why) for each in told]


@pytest.mark.parametrize(("kind", "path", "strong", "weak"), WEAKER, ids=IDS)
def test_what_protects_less_is_told_and_what_protects_more_is_not(
    kind: str, path: str, strong: dict[str, Any], weak: dict[str, Any]
) -> None:
    ((told, why),) = found(kind, strong, weak)
    assert told == "weakened"
    assert why.startswith(f"{path} is weaker: ")
    assert found(kind, weak, strong) == []
    assert found(kind, strong, strong) == []


@pytest.mark.parametrize(("kind", "path", "one", "other"), BOTH_WAYS)
def test_what_is_only_another_way_is_told_both_ways(
    kind: str, path: str, one: dict[str, Any], other: dict[str, Any]
) -> None:
    for before, after in ((one, other), (other, one)):
        assert [why.partition(" ")[0] for _, why in found(kind, before, after)] == [path]


def test_every_row_of_the_table_is_tried() -> None:
    tried = {(kind, path) for kind, path, _, _ in [*WEAKER, *BOTH_WAYS, *FIXED]} | BY_ROLE
    assert tried == {(kind, ".".join(guard.path)) for guard in GUARDS for kind in guard.types}


def test_days_that_two_rules_exchange_are_told() -> None:
    """The least of all rules stays the same, and the records go after a day."""
    scopes: list[dict[str, Any]] = [
        {"Prefix": "tmp/"},
        {"TagFilters": [{"Key": "k", "Value": "v"}]},
        {"Status": "Disabled"},
        {"ObjectSizeGreaterThan": "1"},
        {"ObjectSizeLessThan": "1"},
    ]
    for scope in scopes:
        for name in ("ExpirationInDays", "NoncurrentVersionExpirationInDays"):

            def days(all_others: int, some: int, scope: Any = scope, name: str = name) -> dict[str, Any]:
                rules = [{"Status": "Enabled", name: all_others}, {"Status": "Enabled", name: some} | scope]
                return {"LifecycleConfiguration": {"Rules": rules}}

            ((_, why),) = found(BUCKET, days(732, 1), days(1, 732))
            assert why.startswith(f"LifecycleConfiguration.Rules.{name} is weaker")
            assert found(BUCKET, days(732, 1), days(733, 2)) == []


def test_a_year_of_a_lock_is_365_days() -> None:
    years, days = lock(Mode="COMPLIANCE", Years=2), lock(Mode="COMPLIANCE", Days=730)
    assert found(BUCKET, years, days) == found(BUCKET, days, years) == []


def test_every_operation_of_a_statement_masks() -> None:
    def policy(*operations: str) -> dict[str, Any]:
        statement = {"DataIdentifier": ["a"], "Operation": {each: {} for each in operations}}
        return {"DataProtectionPolicy": {"Statement": [statement]}}

    for left in ("Audit", "Deidentify"):
        assert found(LOG, policy("Audit", "Deidentify"), policy(left))


def test_findings_of_a_masking_policy_stay_where_they_are() -> None:
    def to_bucket(*names: str) -> dict[str, Any]:
        policy = masking("a")
        audit = {"FindingsDestination": [{"S3": {"Bucket": name}} for name in names]}
        policy["DataProtectionPolicy"]["Statement"][0]["Operation"] = {"Audit": audit}
        return policy

    for before, after in ((("ours",), ("theirs",)), ((), ("theirs",)), (("ours",), ())):
        ((_, why),) = found(LOG, to_bucket(*before), to_bucket(*after))
        assert why.startswith("DataProtectionPolicy.Statement is weaker")


def test_more_events_of_the_same_kind_are_not_less() -> None:
    assert found(TRAIL, selectors(LESS_DATA), selectors(MANAGEMENT, DATA)) == []
    assert found(TRAIL, selectors(MANAGEMENT | {"readOnly": ["true"]}), selectors(MANAGEMENT)) == []


def test_everything_that_one_resource_loses_is_in_its_line() -> None:
    ((_, why),) = found(TRAIL, {"IsLogging": True, "KMSKeyId": "k"}, {"IsLogging": False})
    assert "IsLogging is weaker" in why
    assert "KMSKeyId is weaker" in why


@pytest.mark.parametrize("policy", ["DeletionPolicy", "UpdateReplacePolicy"])
@pytest.mark.parametrize("kind", [TRAIL, BUCKET, KEY, LOG, POOL, "AWS::EC2::VPC"])
def test_what_was_kept_and_would_be_deleted_is_told(kind: str, policy: str) -> None:
    kept, deleted = {"Type": kind, policy: "Retain"}, {"Type": kind, policy: "Delete"}
    for before, after, told in ((kept, deleted, 1), (kept, {"Type": kind}, 1), (deleted, kept, 0), (kept, kept, 0)):
        names = [each.kind for each in changes(*({STACK: {"Resources": {"It": r}}} for r in (before, after)))]
        assert names == ["weakened"] * told


def test_what_holds_nothing_may_be_weakened() -> None:
    signing = {"KeyUsage": "SIGN_VERIFY"}
    assert found(KEY, signing, signing | {"Enabled": False}) == []


def test_a_stack_that_could_be_deleted_as_a_whole_is_told() -> None:
    before, after = ({STACK: {"Resources": {}, PROTECTED: each}} for each in (True, False))
    (told,) = changes(before, after)
    assert (told.kind, told.name, bool(told.loses)) == ("weakened", f"{STACK}/TerminationProtection", True)
    assert changes(after, before) == []
    assert changes(before, {STACK: {"Resources": {}}}) == []  # a folder of templates does not say it


def test_a_weakening_is_confirmed_by_name_as_a_loss_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trail = {"Type": TRAIL, "Properties": {"TrailName": "t", "S3BucketName": "b", "IsLogging": True}}
    off = copy.deepcopy(trail)
    off["Properties"]["IsLogging"] = False  # type: ignore[index]
    for name, each in (("before", trail), ("after", off)):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{STACK}.template.json").write_text(json.dumps({"Resources": {"It": each}}))
    asked = ["changes", "--assembly", str(tmp_path / "after"), "--against", str(tmp_path / "before")]
    assert main(asked) == 1
    said = capsys.readouterr().out
    assert f"weakened  {STACK}/It" in said
    assert f"ACCEPT='{STACK}/It'" in said
    assert main([*asked, "--accept", f"{STACK}/It"]) == 0


@pytest.mark.parametrize(("kind", "path", "one", "other"), FIXED)
def test_a_writer_of_records_that_writes_less_is_told_where_it_is_replaced_too(
    kind: str, path: str, one: dict[str, Any], other: dict[str, Any]
) -> None:
    ((told, why),) = found(kind, one, other)
    assert told in ("replaced", "weakened")
    assert f"{path} is weaker: " in why


def write(effect: str = "Allow", **more: Any) -> dict[str, Any]:
    return {"Sid": "Write", "Effect": effect, "Action": ["logs:PutLogEvents"], "Resource": "group"} | more


SIGN = {"Sid": "Sign", "Effect": "Allow", "Action": ["kms:Sign"], "Resource": {"Ref": "Key"}}
WRITERS: dict[str, tuple[str, dict[str, Any]]] = {
    "trail": (TRAIL, {"CloudWatchLogsRoleArn": {"Fn::GetAtt": ["Writer", "Arn"]}}),
    "flow log": (FLOW, {"DeliverLogsPermissionArn": {"Fn::GetAtt": ["Writer", "Arn"]}}),
    "keeper": (FUNCTION, variables() | {"Role": {"Fn::GetAtt": ["Writer", "Arn"]}}),
    "function": (FUNCTION, {"Role": {"Fn::GetAtt": ["Writer", "Arn"]}}),
    "runtime": (RUNTIME, {"RoleArn": {"Fn::GetAtt": ["Writer", "Arn"]}}),
}
"""What writes records as a role of its own: type and properties."""


def working(writer: str, *statements: Any, **boundary: Any) -> dict[str, Any]:
    kind, properties = WRITERS[writer]
    limits = {"PermissionsBoundary": {"Ref": "Boundary"}} if boundary else {}
    return {
        "It": {"Type": kind, "Properties": properties},
        "Writer": {"Type": ROLE, "Properties": limits},
        "Rights": {
            "Type": RIGHTS,
            "Properties": {"Roles": [{"Ref": "Writer"}], "PolicyDocument": {"Statement": list(statements)}},
        },
        **{key: {"Type": RIGHTS, "Properties": {"PolicyDocument": each}} for key, each in boundary.items()},
    }


WRITER_OF = {kind: name for name, (kind, _) in WRITERS.items()}


@pytest.mark.parametrize(
    "kind", sorted(set(HOLDS) | {kind for kind, _ in WRITERS.values()} | {"AWS::IAM::Role", "AWS::IAM::ManagedPolicy"})
)
def test_a_property_that_nobody_called_harmless_is_told_of_whatever_holds_records(kind: str) -> None:
    resources = working(WRITER_OF.get(kind, "trail"), write())
    holds = {"Type": kind, "Properties": variables()}
    (name,) = {key for key, each in resources.items() if each["Type"] == kind} or {"It"}
    resources[name] = resources[name] if name in resources and resources[name]["Type"] == kind else holds
    for was, becomes in (({}, {"Invented": "a"}), ({"Invented": "a"}, {"Invented": "b"}), ({"Invented": "a"}, {})):
        before, after = (
            resources | {name: {**resources[name], "Properties": resources[name]["Properties"] | each}}
            for each in (was, becomes)
        )
        (told,) = changes({STACK: {"Resources": before}}, {STACK: {"Resources": after}})
        assert (told.kind, told.logical_id, bool(told.loses)) == ("weakened", name, True)
        assert told.why == "Invented becomes another, and nothing says that this is harmless."


OTHERS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (FLOW, {"ResourceId": "vpc", "ResourceType": "VPC"}, {"ResourceId": "subnet", "ResourceType": "Subnet"}),
    (QUERIES_OF, {"ResourceId": "a", "ResolverQueryLogConfigId": "c"},
     {"ResourceId": "b", "ResolverQueryLogConfigId": "c"}),
    (QUERIES_OF, {"ResourceId": "a", "ResolverQueryLogConfigId": "c"},
     {"ResourceId": "a", "ResolverQueryLogConfigId": "d"}),
    (WAF, {"ResourceArn": "a"}, {"ResourceArn": "b"}),
    (SIGN_INS, {"UserPoolId": "a"}, {"UserPoolId": "b"}),
    ("AWS::Logs::DeliverySource", {"ResourceArn": "a"}, {"ResourceArn": "b"}),
    ("AWS::S3::BucketPolicy", {"Bucket": "a"}, {"Bucket": "b"}),
    (RUNTIME_LOG, {"LogGroupName": "a"}, {"LogGroupName": "b"}),
    (LOG, {}, {"ResourcePolicyDocument": {"Statement": {"Effect": "Deny", "Action": "logs:*"}}}),
    (BUCKET, {}, {"ReplicationConfiguration": {"Role": "r"}}),
    (BUCKET, {}, {"AccessControl": "PublicRead"}),
    (BUCKET, {"ObjectLockEnabled": True}, {}),
    (BUCKET, rule(Status="Disabled", ExpirationInDays=1), rule(Status="Enabled", ExpirationInDays=1)),
    (POOL, {}, {"DeviceConfiguration": {"ChallengeRequiredOnNewDevice": False}}),
    (POOL, {}, {"Policies": {"SignInPolicy": {"AllowedFirstAuthFactors": ["EMAIL_OTP"]}}}),
    (POOL, {}, {"LambdaConfig": {"CreateAuthChallenge": "f"}}),
    (POOL, {"UserPoolTier": "PLUS"}, {"UserPoolTier": "LITE"}),
    (POOL, {"Policies": {"PasswordPolicy": {"RequireSymbols": True}}}, {}),
    (POOL, {"Policies": {"PasswordPolicy": {"PasswordHistorySize": 24}}}, {}),
    (TRAIL, selectors(MANAGEMENT), {"AdvancedEventSelectors": [{"FieldSelectors": []}]}),
    (TRAIL, selectors({"eventName": ["a"]}), selectors({"eventSource": ["a", "b"]})),
    (BUCKET, expiry(1), {"LifecycleConfiguration": expiry(1)["LifecycleConfiguration"] |
                         {"TransitionDefaultMinimumObjectSize": "varies_by_storage_class"}}),
    (TRAIL, selectors(MANAGEMENT), {"AdvancedEventSelectors": [{"Name": "S"}]}),
    (TRAIL, selectors(MANAGEMENT), {"AdvancedEventSelectors": {"Ref": "Selectors"}}),
    (TRAIL, selectors(MANAGEMENT), selectors(MANAGEMENT) | {"EventSelectors": [{"ReadWriteType": "WriteOnly"}]}),
    (FUNCTION, variables(LOG_KEY_ARN="k"), variables(LOG_KEY_ARN="l")),
    (BUCKET, {}, rule(Status="Enabled", Transitions=["glacier"])),
    (BUCKET, rule(Status="Enabled"), rule(Status="Enabled", Transitions=["glacier"])),
    (BUCKET, expiry(1, 2), {"LifecycleConfiguration": {"Rules": [
        {"Status": "Enabled", "ExpirationInDays": 1},
        {"Status": "Enabled", "ExpirationInDays": 2, "Transitions": ["g"]},
    ]}}),
    (BUCKET, {"Tags": ["a"]}, {"Tags": ["a"], "AbacStatus": False}),
    (KEY, {"KeyPolicy": "what nobody can read"}, {"KeyPolicy": "another"}),
]  # fmt: skip
"""What no direction is known of, what a resource serves among it."""


@pytest.mark.parametrize(("kind", "was", "becomes"), OTHERS)
def test_what_a_resource_serves_and_any_setting_of_it_stays(
    kind: str, was: dict[str, Any], becomes: dict[str, Any]
) -> None:
    assert found(kind, was, becomes)


def test_what_serves_something_that_is_replaced_follows_it_and_loses_nothing() -> None:
    def network(cidr: str) -> dict[str, Any]:
        resources = delivering()
        return {STACK: {"Resources": resources | {"Net": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": cidr}}}}}

    told = changes(network("10.0.0.0/20"), network("10.1.0.0/20"))
    assert {each.logical_id: bool(each.loses) for each in told} == {"Net": True, "Flow": False}


HARMLESS_ONES: list[tuple[str, str]] = [
    *((kind, name) for kind in (TRAIL, BUCKET, KEY, LOG, FLOW) for name in ("Tags", "Description")),
    (POOL, "EmailVerificationMessage"),
    (GUARDRAIL, "Name"),
]


@pytest.mark.parametrize(("kind", "name"), HARMLESS_ONES)
def test_what_says_something_to_people_changes_freely(kind: str, name: str) -> None:
    assert found(kind, {name: "a"}, {name: "b"}) == []


@pytest.mark.parametrize(
    ("writer", "name"),
    [
        ("function", "Code"),
        ("function", "FunctionName"),
        ("function", "VpcConfig"),
        ("runtime", "AgentRuntimeArtifact"),
        ("runtime", "AgentRuntimeName"),
        ("runtime", "NetworkConfiguration"),
    ],
)
def test_what_runs_changes_with_every_release(writer: str, name: str) -> None:
    before, after = working(writer, write()), working(writer, write())
    for resources, value in ((before, "a"), (after, "b")):
        resources["It"] = {**resources["It"], "Properties": WRITERS[writer][1] | {name: value}}
    assert told_of(before, after) == []


@pytest.mark.parametrize("change", [{"RINGFENCE_CALL_LOG_GROUP": "b"}, {}])
def test_a_runtime_keeps_the_log_group_of_its_calls(change: dict[str, str]) -> None:
    before, after = working("runtime", write()), working("runtime", write())
    for resources, given in ((before, {"RINGFENCE_CALL_LOG_GROUP": "a"}), (after, change)):
        resources["It"] = {"Type": RUNTIME, "Properties": WRITERS["runtime"][1] | {"EnvironmentVariables": given}}
    assert told_of(before, after) == [("weakened", "It")]
    after["It"]["Properties"]["EnvironmentVariables"] = {"RINGFENCE_CALL_LOG_GROUP": "a"}
    assert told_of(before, after) == []


@pytest.mark.parametrize(
    ("writer", "name", "told"),
    [
        ("function", "POWERTOOLS_LOG_LEVEL", True),
        ("function", "AWS_LAMBDA_EXEC_WRAPPER", True),
        ("keeper", "LOG_GROUP_PREFIX", True),
        ("runtime", "AWS_ENDPOINT_URL_LOGS", True),
        ("function", "CLIENT_IDS", False),
        ("function", "GROUPS", False),
        ("function", "POWERTOOLS_SERVICE_NAME", False),
        ("function", "TXN_KEY_ID", False),
        ("runtime", "RINGFENCE_TXN_KEY_ARN", False),
    ],
)
def test_a_variable_that_nobody_called_harmless_is_told(writer: str, name: str, told: bool) -> None:
    """It may turn the records off, or send them elsewhere."""
    kind, properties = WRITERS[writer]
    before, after = working(writer, write()), working(writer, write())
    for resources, more in ((before, {}), (after, {name: "a"})):
        given = properties.get("Environment", {}).get("Variables", {}) | {"KNOWN": "1"} | more
        where = {"EnvironmentVariables": given} if kind == RUNTIME else {"Environment": {"Variables": given}}
        resources["It"] = {"Type": kind, "Properties": properties | where}
    assert told_of(before, after) == [("weakened", "It")] * told
    assert told_of(after, before) == [("weakened", "It")] * told


def allow(sid: str, principal: str = "a", effect: str = "Allow") -> dict[str, Any]:
    return {"Sid": sid, "Effect": effect, "Principal": principal, "Action": "*"}


@pytest.mark.parametrize("kind", sorted(each for each in POLICIES if not each.startswith("AWS::IAM::")))
@pytest.mark.parametrize("text", [False, True])
def test_each_statement_of_a_policy_that_goes_changes_or_comes_is_named(kind: str, text: bool) -> None:
    guard = POLICIES[kind]

    def policy(*statements: dict[str, Any]) -> dict[str, Any]:
        return {guard.path: json.dumps({"Statement": statements}) if text else {"Statement": list(statements)}}

    root = allow("Root", "r")
    both = policy(root, allow("Logs"))
    ((_, why),) = found(kind, both, policy(allow("Logs", "b"), allow("Other", "o")))
    assert why == (
        f"{guard.path}: the statement Root goes. {guard.path}: the statement Logs is another. "
        f"{guard.path}: the statement Other comes."
    )
    assert found(kind, both, {})
    assert found(kind, both, policy(allow("Logs"), root)) == []
    assert found(kind, both, policy(root | {"Sid": "Owner"}, allow("Logs"))) == [], "a Sid decides nothing"
    denied = found(kind, both, policy(root, allow("Logs"), allow("No", effect="Deny")))
    assert bool(denied) is (kind != GUARDRAIL), "a Deny takes from whoever writes; a guardrail only binds more"
    assert found(kind, policy(allow("No", effect="Deny")), policy(allow("No", "b", effect="Deny")))


def delivering() -> dict[str, Any]:
    arn = {"Fn::GetAtt": ["Writer", "Arn"]}
    return {
        "Net": {"Type": "AWS::EC2::VPC"},
        "Trail": {"Type": TRAIL, "Properties": {"CloudWatchLogsRoleArn": arn}},
        "Writer": {
            "Type": "AWS::IAM::Role",
            "Properties": {"AssumeRolePolicyDocument": {"Statement": [allow("Take")]}},
        },
        "Rights": {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {"Roles": [{"Ref": "Writer"}], "PolicyDocument": {"Statement": [allow("Write")]}},
        },
        "Flow": {"Type": FLOW, "Properties": {"ResourceId": {"Ref": "Net"}, "TrafficType": "ALL"}},
        "Source": {"Type": "AWS::Logs::DeliverySource", "Properties": {"Name": "s", "ResourceArn": {"Ref": "Net"}}},
        "Delivery": {"Type": DELIVERY, "Properties": {"DeliverySourceName": "s"}},
    }


def lost(after: dict[str, Any]) -> list[tuple[str, str]]:
    told = changes({STACK: {"Resources": delivering()}}, {STACK: after})
    return [(each.kind, each.logical_id) for each in told if each.loses]


@pytest.mark.parametrize(
    ("logical_id", "properties"),
    [
        ("Rights", {"PolicyDocument": {"Statement": []}}),
        ("Rights", {"PolicyDocument": {"Statement": [allow("Write"), allow("No", effect="Deny")]}}),
        ("Rights", {"Roles": []}),
        ("Writer", {"AssumeRolePolicyDocument": {"Statement": []}}),
    ],
)
def test_who_writes_the_records_keeps_the_rights_to(logical_id: str, properties: dict[str, Any]) -> None:
    resources = delivering()
    resources[logical_id]["Properties"] |= properties
    assert lost({"Resources": resources}) == [("weakened", logical_id)]


@pytest.mark.parametrize("name", ["ManagedPolicyArns", "PermissionsBoundary", "Policies"])
def test_other_rights_of_who_writes_are_told(name: str) -> None:
    other = delivering()
    other["Writer"]["Properties"][name] = ["a"]
    for before, after in ((delivering(), other), (other, delivering())):
        ((told),) = changes({STACK: {"Resources": before}}, {STACK: {"Resources": after}})
        assert (told.kind, told.logical_id, bool(told.loses)) == ("weakened", "Writer", True)
        assert told.why.startswith(f"{name} becomes another")


def told_of(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, str]]:
    told = changes({STACK: {"Resources": before}}, {STACK: {"Resources": after}})
    return [(each.kind, each.logical_id) for each in told if each.loses]


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize(
    "narrower",
    [
        (SIGN,),
        (SIGN, write(Resource="another group")),
        (SIGN, write(Condition={"Bool": {"aws:ViaAWSService": "true"}})),
        (SIGN, write(Action=["LOGS:CreateLogStream"])),
        (SIGN, write(), {"Sid": "No", "Effect": "Deny", "NotAction": "iam:*", "Resource": "*"}),
    ],
)
def test_whatever_writes_records_keeps_the_right_to(writer: str, narrower: tuple[dict[str, Any], ...]) -> None:
    assert told_of(working(writer, SIGN, write()), working(writer, *narrower)) == [("weakened", "Rights")]


@pytest.mark.parametrize("every", ["*", "Logs:*", {"Ref": "Action"}])
def test_a_right_that_is_wide_or_unknown_counts_as_one_to_write(every: Any) -> None:
    assert told_of(working("function", write(Action=every)), working("function")) == [("weakened", "Rights")]


def test_a_denial_of_whatever_service_counts_for_a_writer() -> None:
    """It may deny the key that the log group is encrypted with, or taking the role at all."""
    denied = {"Sid": "No", "Effect": "Deny", "Action": "kms:*", "Resource": "*"}
    assert told_of(working("function", write()), working("function", write(), denied)) == [("weakened", "Rights")]


@pytest.mark.parametrize("writer", WRITERS)
def test_a_right_to_something_else_comes_and_goes(writer: str) -> None:
    """Another signing key, another zip, another zone: an ordinary change of a role's rights."""
    other = SIGN | {"Resource": {"Ref": "Key2"}}
    assert told_of(working(writer, SIGN, write()), working(writer, other, write())) == []
    assert told_of(working(writer, SIGN, write()), working(writer, write())) == []


@pytest.mark.parametrize("writer", WRITERS)
def test_the_boundary_of_what_writes_records_keeps_the_right_to(writer: str) -> None:
    wide, narrow = ({"Boundary": {"Statement": each}} for each in ([SIGN, write()], [SIGN]))
    found = told_of(working(writer, write(), **wide), working(writer, write(), **narrow))
    assert found == [("weakened", "Boundary")]


@pytest.mark.parametrize("writer", WRITERS)
def test_a_policy_that_a_role_lists_itself_keeps_the_right_to(writer: str) -> None:
    def listing(*statements: dict[str, Any]) -> dict[str, Any]:
        resources = working(writer)
        resources["Writer"]["Properties"]["ManagedPolicyArns"] = [{"Ref": "Listed"}]
        document = {"PolicyDocument": {"Statement": list(statements)}}
        return resources | {"Listed": {"Type": RIGHTS, "Properties": document}}

    assert told_of(listing(write()), listing()) == [("weakened", "Listed")]


@pytest.mark.parametrize("writer", WRITERS)
def test_a_new_policy_that_denies_something_to_what_writes_records_is_told(writer: str) -> None:
    before = working(writer, write())
    for effect, told in (("Deny", [("weakened", "New")]), ("Allow", [])):
        new = {"Roles": [{"Ref": "Writer"}], "PolicyDocument": {"Statement": [write(effect)]}}
        assert told_of(before, before | {"New": {"Type": RIGHTS, "Properties": new}}) == told


ATTACHED: list[tuple[str, dict[str, Any]]] = [
    (RIGHTS, {"Roles": [{"Ref": "Writer"}]}),
    ("AWS::IAM::Policy", {"Roles": [{"Ref": "Writer"}]}),
    ("AWS::IAM::RolePolicy", {"RoleName": {"Ref": "Writer"}}),
    (RIGHTS, {"Roles": ["writer"]}),
    ("AWS::IAM::RolePolicy", {"RoleName": "writer"}),
]


@pytest.mark.parametrize("stack", [STACK, "ringfence-x-new"])
@pytest.mark.parametrize(("kind", "to_writer"), ATTACHED)
def test_a_policy_that_denies_reaches_a_writer_in_no_way_unseen(
    kind: str, to_writer: dict[str, Any], stack: str
) -> None:
    before = working("function", write())
    before["Writer"] = {"Type": ROLE, "Properties": {"RoleName": "writer"}}
    exported = {"Out": {"Value": {"Ref": "Writer"}, "Export": {"Name": "writer"}}}
    text = json.dumps(to_writer)
    if stack != STACK:
        text = text.replace(json.dumps({"Ref": "Writer"}), json.dumps({"Fn::ImportValue": "writer"}))

    def told(effect: str) -> list[tuple[str, str, bool]]:
        new = {"Type": kind, "Properties": json.loads(text) | {"PolicyDocument": {"Statement": [write(effect)]}}}
        after = {STACK: {"Resources": before, "Outputs": exported}}
        after = after | {
            stack: {**after.get(stack, {}), "Resources": after.get(stack, {}).get("Resources", {}) | {"New": new}}
        }
        found = changes({STACK: {"Resources": before, "Outputs": exported}}, after)
        return [(each.kind, each.name, bool(each.loses)) for each in found]

    assert told("Deny") == [("weakened", f"{stack}/New", True)]
    assert told("Allow") == []


def test_a_policy_of_another_type_under_the_same_id_that_denies_is_told() -> None:
    def with_policy(kind: str, effect: str) -> dict[str, Any]:
        properties = {"Roles": [{"Ref": "Writer"}], "PolicyDocument": {"Statement": [write(effect)]}}
        return working("function", write()) | {"Own": {"Type": kind, "Properties": properties}}

    assert ("weakened", "Own") in told_of(with_policy("AWS::IAM::Policy", "Deny"), with_policy(RIGHTS, "Deny"))


def test_what_names_itself_does_not_go_along_with_itself() -> None:
    source = {"Type": "AWS::Logs::DeliverySource", "Properties": {"Name": "s", "ResourceArn": "s"}}
    assert told_of({"It": source}, {}) == [("removed", "It")]


def test_a_deployed_policy_of_another_role_that_turns_on_a_writer_is_told() -> None:
    def with_policy(effect: str, *roles: str) -> dict[str, Any]:
        other = {"Roles": [{"Ref": each} for each in roles], "PolicyDocument": {"Statement": [write(effect)]}}
        more = {"Other": {"Type": ROLE, "Properties": {}}, "Policy": {"Type": RIGHTS, "Properties": other}}
        return working("function", write()) | more

    assert told_of(with_policy("Allow", "Other"), with_policy("Deny", "Other", "Writer")) == [("weakened", "Policy")]
    assert told_of(with_policy("Deny", "Other"), with_policy("Deny", "Other", "Writer")) == [("weakened", "Policy")]
    assert told_of(with_policy("Allow", "Other"), with_policy("Deny", "Other")) == []


@pytest.mark.parametrize("kind", ["AWS::IAM::Policy", "AWS::IAM::RolePolicy"])
def test_a_deployed_policy_of_a_writer_keeps_its_rights_whatever_its_type(kind: str) -> None:
    def with_policy(*statements: dict[str, Any]) -> dict[str, Any]:
        to_writer = {"Roles": [{"Ref": "Writer"}]} if kind == "AWS::IAM::Policy" else {"RoleName": {"Ref": "Writer"}}
        properties = to_writer | {"PolicyDocument": {"Statement": list(statements)}}
        return working("function", write()) | {"Own": {"Type": kind, "Properties": properties}}

    assert told_of(with_policy(write()), with_policy(write("Deny"))) == [("weakened", "Own")]
    assert told_of(with_policy(write()), with_policy()) == [("weakened", "Own")]


@pytest.mark.parametrize("stack", [STACK, "ringfence-x-new"])
@pytest.mark.parametrize(
    "kind",
    [
        *("Logs::SubscriptionFilter", "Logs::AccountPolicy", "Logs::Destination", "Logs::Transformer"),
        *("Logs::ResourcePolicy", "Logs::Delivery", "Logs::Integration", "Logs::ScheduledQuery", "Oam::Link"),
        *("CloudTrail::Trail", "EC2::FlowLog", "ObservabilityAdmin::OrganizationCentralizationRule"),
        *("ObservabilityAdmin::S3TableIntegration", "ObservabilityAdmin::TelemetryPipelines"),
    ],
)
def test_what_comes_and_sends_denies_or_rewrites_records_is_told(kind: str, stack: str) -> None:
    before = {STACK: {"Resources": delivering()}}
    new = {"Type": f"AWS::{kind}", "Properties": {"PolicyDocument": {"Statement": [write("Deny")]}}}
    after = before | {stack: {"Resources": before.get(stack, {}).get("Resources", {}) | {"New": new}}}
    (told,) = changes(before, after)
    assert (told.kind, told.name, bool(told.loses)) == ("weakened", f"{stack}/New", True)
    assert changes(after, after) == []
    assert changes({}, after) == [], "a department that is new has no records to lose"


def of_bucket(bucket: Any, *effects: str) -> dict[str, Any]:
    document = {"Statement": [write(each) | {"Sid": f"{each}It"} for each in effects]}
    return {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": bucket, "PolicyDocument": document}}


@pytest.mark.parametrize("stack", [STACK, "ringfence-x-new"])
@pytest.mark.parametrize("effect", ["Deny", "Allow"])
@pytest.mark.parametrize("named", [False, True])
def test_the_first_policy_of_a_deployed_bucket_is_told(named: bool, effect: str, stack: str) -> None:
    """It may keep the service out that writes the trail, or let others in."""
    exported = {"Out": {"Value": {"Ref": "It"}, "Export": {"Name": "bucket"}}}
    before = {STACK: {"Resources": {"It": {"Type": BUCKET, "Properties": {}}}, "Outputs": exported}}
    bucket: Any = {"Ref": "It"} if stack == STACK else {"Fn::ImportValue": "bucket"}
    resources = before.get(stack, {}).get("Resources", {}) | {"New": of_bucket("it" if named else bucket, effect)}
    after = before | {stack: {**before.get(stack, {}), "Resources": resources}}

    (told,) = changes(before, after)

    assert (told.kind, told.name, bool(told.loses)) == ("weakened", f"{stack}/New", True)
    assert f"the statement {effect}It comes" in told.why
    assert changes(after, after) == []
    assert changes({}, after) == []


@pytest.mark.parametrize(
    "bucket",
    [
        {"Ref": "Name"},
        {"Fn::Join": ["-", ["it", {"Ref": "AWS::AccountId"}]]},
        {"Fn::FindInMap": ["Buckets", {"Ref": "AWS::Region"}, "it"]},
        {"Fn::Select": [0, ["it", {"Ref": "AWS::NoValue"}]]},
        {"Fn::If": ["c", {"Ref": "Fresh"}, "it"]},
        {"Fn::Sub": "${Fresh}"},
    ],
)
def test_a_bucket_that_may_be_a_deployed_one_is_taken_for_it(bucket: Any) -> None:
    before = {"It": {"Type": BUCKET, "Properties": {}}}
    fresh = {"Fresh": {"Type": BUCKET, "Properties": {}}}
    assert told_of(before, before | fresh | {"New": of_bucket(bucket, "Allow")}) == [("weakened", "New")]


def test_a_first_policy_that_cannot_be_read_is_told_with_a_reason() -> None:
    before = {"It": {"Type": BUCKET, "Properties": {}}}
    new = {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": {"Ref": "It"}, "PolicyDocument": [{}]}}
    (told,) = changes({STACK: {"Resources": before}}, {STACK: {"Resources": before | {"New": new}}})
    assert told.why == "its first policy comes."


def test_a_bucket_that_comes_with_its_policy_loses_nothing() -> None:
    new = {"It": {"Type": BUCKET, "Properties": {}}, "Policy": of_bucket({"Ref": "It"}, "Deny")}
    assert told_of({"Key": {"Type": KEY}}, {"Key": {"Type": KEY}} | new) == []


@pytest.mark.parametrize("kind", [TRAIL, FLOW])
def test_a_trail_or_flow_log_that_the_first_attempt_did_not_reach_is_not_told(kind: str) -> None:
    before = {STACK: {"Resources": {"Key": {"Type": KEY}}}}
    after = before | {"ringfence-x-network": {"Resources": {"It": {"Type": kind}}}}
    assert changes(before, after) == []
    into_deployed = {STACK: {"Resources": before[STACK]["Resources"] | {"It": {"Type": kind}}}}
    assert [each.logical_id for each in changes(before, into_deployed) if each.loses] == ["It"]


def test_a_filter_that_sends_elsewhere_than_before_is_told() -> None:
    before, after = (
        {"F": {"Type": "AWS::Logs::SubscriptionFilter", "Properties": {"DestinationArn": e}}} for e in "ab"
    )
    assert ("weakened", "F") in told_of(before, after)


@pytest.mark.parametrize("writer", WRITERS)
def test_what_writes_records_works_as_the_same_role(writer: str) -> None:
    before = working(writer, write())
    (name,) = set(WRITERS[writer][1]) & {"CloudWatchLogsRoleArn", "DeliverLogsPermissionArn", "Role", "RoleArn"}
    after = working(writer, write())
    after["It"] = {**after["It"], "Properties": after["It"]["Properties"] | {name: "another"}}
    assert told_of(before, after)[0][1] == "It"


@pytest.mark.parametrize("writer", ["function", "runtime"])
def test_a_function_or_runtime_goes_with_its_role_and_rights(writer: str) -> None:
    """A persona that is retired: nothing is left that would write."""
    assert told_of(working(writer, write()), {}) == []
    without = {key: each for key, each in working(writer, write()).items() if key != "Rights"}
    assert told_of(working(writer, write()), without) == [("removed", "Rights")]


def behind_a_gateway() -> dict[str, Any]:
    arn = {"Fn::GetAtt": ["It", "Arn"]}
    return working("function", write()) | {
        "Gate": {"Type": GATEWAY, "Properties": {"InterceptorConfigurations": [arn], "Name": "a"}},
        "May": {"Type": "AWS::Lambda::Permission", "Properties": {"FunctionName": arn}},
    }


def test_a_gateway_loses_neither_its_interceptors_nor_their_functions_unseen() -> None:
    before, without = behind_a_gateway(), behind_a_gateway()
    without["Gate"]["Properties"] = {"Name": "b"}
    assert told_of(before, without) == [("weakened", "Gate")]
    assert told_of(before, {"Gate": without["Gate"]}) == [("removed", "It"), ("weakened", "Gate")]


def test_a_gateway_goes_with_its_functions_and_its_hosts_change() -> None:
    before, after = behind_a_gateway(), behind_a_gateway()
    after["Gate"]["Properties"]["AuthorizerConfiguration"] = {"AllowedClients": ["another"]}
    assert told_of(before, after) == []
    assert told_of(before, {}) == []
    invoke = {
        "Statement": [{"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": {"Fn::GetAtt": ["It", "Arn"]}}]
    }
    before["Might"] = {"Type": RIGHTS, "Properties": {"PolicyDocument": invoke}}
    rights = {key: before[key] for key in ("May", "Might")}
    assert told_of(before, rights) == [], "a right alone calls nothing"


@pytest.mark.parametrize("logical_id", ["Rights", "Flow", "Source", "Delivery"])
def test_what_writes_records_does_not_go_before_what_it_writes_of(logical_id: str) -> None:
    resources = {key: each for key, each in delivering().items() if key != logical_id}
    assert lost({"Resources": resources}) == [("removed", logical_id)]


def test_what_writes_records_goes_with_what_it_writes_of() -> None:
    resources = {key: each for key, each in delivering().items() if key in ("Trail", "Writer", "Rights")}
    assert lost({"Resources": resources}) == [("removed", "Net")]


def test_a_condition_that_comes_or_changes_counts_as_removal() -> None:
    never = {"Never": {"Fn::Equals": ["a", "b"]}}
    with_condition = delivering()
    with_condition["Trail"]["Condition"] = "Never"
    assert lost({"Resources": with_condition, "Conditions": never}) == [("removed", "Trail")]
    always = {STACK: {"Resources": with_condition, "Conditions": {"Never": {"Fn::Equals": ["a", "a"]}}}}
    conditional = {STACK: {"Resources": with_condition, "Conditions": never}}
    assert [each.logical_id for each in changes(always, conditional)] == ["Trail"]
    assert "condition Never" in changes(always, conditional)[0].why
    assert changes(conditional, conditional) == []


@pytest.mark.parametrize("part", ["Conditions", "Mappings", "Parameters"])
def test_a_condition_may_turn_by_whatever_it_is_made_of(part: str) -> None:
    """A parameter's default, or a mapping's value, decides it as its own text does."""
    resources = delivering()
    resources["Trail"]["Condition"] = "Maybe"
    one, other = ({STACK: {"Resources": resources, part: {"Maybe": {"Default": each}}}} for each in ("yes", "no"))
    assert [(each.kind, each.logical_id) for each in changes(one, other)] == [("removed", "Trail")]


def test_a_resource_that_outlives_its_place_but_not_its_first_day_is_kept_too() -> None:
    kept, deleted = ({"Type": BUCKET, "DeletionPolicy": each} for each in ("RetainExceptOnCreate", "Delete"))
    (told,) = changes({STACK: {"Resources": {"It": kept}}}, {STACK: {"Resources": {"It": deleted}}})
    assert "DeletionPolicy keeps it no more" in told.why


READS: list[tuple[str, Any, Any, Any]] = [
    ("Parameters", {"Ref": "D"}, {"D": {"Default": 731}}, {"D": {"Default": 1}}),
    ("Mappings", {"Fn::FindInMap": ["D", "a", "b"]}, {"D": {"a": {"b": 731}}}, {"D": {"a": {"b": 1}}}),
    ("Conditions", {"Fn::If": ["D", 731, 1]}, {"D": {"Fn::Equals": [1, 1]}}, {"D": {"Fn::Equals": [1, 2]}}),
    ("Parameters", {"Fn::Sub": "${D}"}, {"D": {"Default": 731}}, {"D": {"Default": 1}}),
    ("Parameters", {"Ref": "D"}, {}, {"D": {"Default": 1}}),
    ("Parameters", {"Ref": "D"}, {"D": {"Default": 731}}, {}),
]


@pytest.mark.parametrize(("part", "value", "was", "becomes"), READS)
@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_value_that_turns_without_its_text_changing_is_told(
    part: str, value: Any, was: Any, becomes: Any, elsewhere: bool
) -> None:
    """Also where another stack hands it over."""

    def logs(definition: Any) -> dict[str, Any]:
        read = {"Fn::GetStackOutput": {"StackName": "ringfence-x-days", "OutputName": "Days"}} if elsewhere else value
        both = {
            "It": {"Type": LOG, "Properties": {"RetentionInDays": read}},
            "Other": {"Type": LOG, "Properties": {"RetentionInDays": 731}},
        }
        days = {"Resources": {}, part: definition, "Outputs": {"Days": {"Value": value}}}
        here = {"Resources": both} if elsewhere else {"Resources": both, part: definition}
        return {STACK: here, "ringfence-x-days": days}

    told = changes(logs(was), logs(becomes))
    assert [(each.kind, each.name, bool(each.loses)) for each in told] == [("weakened", f"{STACK}/It", True)]
    assert changes(logs(was), logs(was)) == []


def test_a_key_that_another_stack_hands_over_is_the_same_key() -> None:
    read = {"Fn::GetStackOutput": {"StackName": "ringfence-x-keys", "OutputName": "Key"}}

    def keys(key: str) -> dict[str, Any]:
        two = {name: {"Type": KEY} for name in ("One", "Two")}
        return {
            STACK: {"Resources": {"It": {"Type": LOG, "Properties": {"KmsKeyId": read}}}},
            "ringfence-x-keys": {"Resources": two, "Outputs": {"Key": {"Value": {"Fn::GetAtt": [key, "Arn"]}}}},
        }

    (told,) = changes(keys("One"), keys("Two"))
    assert (told.kind, told.name, bool(told.loses)) == ("weakened", f"{STACK}/It", True)
    assert changes(keys("One"), {STACK: keys("One")[STACK]})[0].kind == "refused", "the rest is not deployed again"
    assert len(changes(keys("One"), {STACK: keys("One")[STACK]})) == 1


@pytest.mark.parametrize("macro", ["Transform", "Fn::Transform"])
def test_a_macro_that_may_rewrite_everything_is_told(macro: str) -> None:
    plain, with_macro = ({STACK: {"Resources": {}} | more} for more in ({}, {macro: "Any"}))
    for before, after in ((plain, with_macro), (with_macro, plain)):
        (told,) = changes(before, after)
        assert (told.kind, told.name, bool(told.loses)) == ("weakened", f"{STACK}/{macro}", True)
    assert changes(with_macro, with_macro) == []
