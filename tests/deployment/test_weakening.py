"""What an update in place takes from a resource that holds data is told, and what it adds is not."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from deployment import __main__ as command
from deployment.changes import PROTECTED, changes
from deployment.weakening import GUARDS

STACK = "ringfence-x-audit"
TRAIL, BUCKET, KEY = "AWS::CloudTrail::Trail", "AWS::S3::Bucket", "AWS::KMS::Key"
LOG, RUNTIME_LOG, POOL = "AWS::Logs::LogGroup", "Custom::RuntimeLogGroup", "AWS::Cognito::UserPool"


LOCK_PERIOD = "ObjectLockConfiguration.Rule.DefaultRetention"
LOCKED = {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}}


def versioning(status: str) -> dict[str, Any]:
    return {"VersioningConfiguration": {"Status": status}}


def lock(**period: Any) -> dict[str, Any]:
    return {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": period}}}


def expiry(*days: int | None) -> dict[str, Any]:
    rules = [{"Status": "Enabled"} | ({} if each is None else {"ExpirationInDays": each}) for each in days]
    return {"LifecycleConfiguration": {"Rules": rules}}


def versions(days: int) -> dict[str, Any]:
    return {"LifecycleConfiguration": {"Rules": [{"NoncurrentVersionExpiration": {"NoncurrentDays": days}}]}}


def selectors(*each: dict[str, list[str]]) -> dict[str, Any]:
    fields = [[{"Field": field, "Equals": values} for field, values in one.items()] for one in each]
    return {"AdvancedEventSelectors": [{"Name": f"S{n}", "FieldSelectors": f} for n, f in enumerate(fields)]}


def masking(*identifiers: str) -> dict[str, Any]:
    two = [{"Sid": sid, "DataIdentifier": list(identifiers)} for sid in ("Find", "Mask")]
    return {"DataProtectionPolicy": {"Statement": two}}


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
    (BUCKET, "VersioningConfiguration.Status", versioning("Enabled"), versioning("Suspended")),
    (BUCKET, "VersioningConfiguration.Status", versioning("Enabled"), {}),
    (BUCKET, "LifecycleConfiguration.Rules.ExpirationInDays", expiry(732), expiry(731)),
    (BUCKET, "LifecycleConfiguration.Rules.ExpirationInDays", expiry(None), expiry(None, 30)),
    (BUCKET, "LifecycleConfiguration.Rules.ExpirationInDays", {}, expiry(3650)),
    (BUCKET, "LifecycleConfiguration.Rules.NoncurrentVersionExpiration.NoncurrentDays", versions(30), versions(1)),
    (BUCKET, "LoggingConfiguration", {"LoggingConfiguration": {"DestinationBucketName": "b"}}, {}),
    (KEY, "Enabled", {}, {"Enabled": False}),
    (KEY, "EnableKeyRotation", {"EnableKeyRotation": True}, {"EnableKeyRotation": False}),
    (KEY, "PendingWindowInDays", {"PendingWindowInDays": 30}, {"PendingWindowInDays": 7}),
    (KEY, "PendingWindowInDays", {}, {"PendingWindowInDays": 29}),
    (LOG, "RetentionInDays", {"RetentionInDays": 731}, {"RetentionInDays": 365}),
    (LOG, "KmsKeyId", {"KmsKeyId": "k"}, {}),
    (LOG, "DeletionProtectionEnabled", {"DeletionProtectionEnabled": True}, {}),
    (LOG, "DataProtectionPolicy.Statement.DataIdentifier", masking("a", "b"), masking("a")),
    (LOG, "DataProtectionPolicy.Statement.DataIdentifier", masking("a"), {}),
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
    (LOG, "RetentionInDays", {"RetentionInDays": 731}, {}),
]
"""Neither of the two values is the stronger: another bucket, and a log group that never forgets."""
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
    tried = {(kind, path) for kind, path, _, _ in [*WEAKER, *BOTH_WAYS]}
    assert tried == {(kind, ".".join(guard.path)) for guard in GUARDS for kind in guard.types}


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
    assert command.main(asked) == 1
    said = capsys.readouterr().out
    assert f"weakened  {STACK}/It" in said
    assert f"ACCEPT='{STACK}/It'" in said
    assert command.main([*asked, "--accept", f"{STACK}/It"]) == 0
