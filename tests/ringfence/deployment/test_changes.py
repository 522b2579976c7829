"""What a change would replace, remove or break, on small templates whose outcome AWS documents."""

from __future__ import annotations

from typing import Any

import pytest

from ringfence.deployment.changes import Change, changes

AUDIT, USER = "ringfence-x-audit", "ringfence-x-auditor"


def stack(resources: dict[str, Any], outputs: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"Resources": resources, "Outputs": outputs or {}}


def resource(kind: str, policy: str = "", **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties, **({"DeletionPolicy": policy} if policy else {})}


def told(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each.kind, each.name) for each in changes(before, after)]


def one(before: dict[str, Any], after: dict[str, Any]) -> Change:
    (found,) = changes({AUDIT: stack({"It": before})}, {AUDIT: stack({"It": after})})
    return found


def test_the_same_templates_change_nothing() -> None:
    it = {AUDIT: stack({"Net": resource("AWS::EC2::VPC", CidrBlock="10.0.0.0/20")})}
    assert changes(it, it) == []


def test_another_network_replaces_the_vpc_and_all_that_stands_in_it() -> None:
    def network(cidr: str) -> dict[str, Any]:
        return {
            "Net": resource("AWS::EC2::VPC", CidrBlock=cidr),
            "Part": resource("AWS::EC2::Subnet", VpcId={"Ref": "Net"}, CidrBlock="10.0.0.0/24"),
            "Alias": resource("AWS::KMS::Alias", AliasName="alias/x", TargetKeyId="x"),
        }

    before = {AUDIT: stack(network("10.0.0.0/20"))}
    after = {AUDIT: stack(network("10.1.0.0/20"))}
    assert told(before, after) == [("replaced", f"{AUDIT}/Net"), ("replaced", f"{AUDIT}/Part")]
    assert changes(before, after)[0].loses
    assert "CidrBlock changes" in changes(before, after)[0].why
    assert "refers to Net" in changes(before, after)[1].why


@pytest.mark.parametrize("way", ["import", "output"])
def test_a_replacement_is_followed_into_other_stacks(way: str) -> None:
    exported = {"Value": {"Ref": "Net"}, "Export": {"Name": "net"}} if way == "import" else {"Value": {"Ref": "Net"}}
    reference = (
        {"Fn::ImportValue": "net"}
        if way == "import"
        else {"Fn::GetStackOutput": {"StackName": AUDIT, "OutputName": "Out", "Region": "eu-west-2"}}
    )

    def both(cidr: str) -> dict[str, Any]:
        return {
            AUDIT: stack({"Net": resource("AWS::EC2::VPC", CidrBlock=cidr)}, {"Out": exported}),
            USER: stack({"Part": resource("AWS::EC2::Subnet", VpcId=reference)}),
        }

    assert ("replaced", f"{USER}/Part") in told(both("10.0.0.0/20"), both("10.1.0.0/20"))


def test_what_can_change_in_place_and_protects_no_less_is_not_told() -> None:
    before = {AUDIT: stack({"It": resource("AWS::Logs::LogGroup", LogGroupName="a", RetentionInDays=365)})}
    after = {AUDIT: stack({"It": resource("AWS::Logs::LogGroup", LogGroupName="a", RetentionInDays=731)})}
    assert changes(before, after) == []


def test_a_renamed_log_group_is_replaced_and_its_records_are_named() -> None:
    found = one(resource("AWS::Logs::LogGroup", LogGroupName="a"), resource("AWS::Logs::LogGroup", LogGroupName="b"))
    assert (found.kind, found.loses) == ("replaced", "two years of records")


def test_a_named_policy_cannot_get_another_description() -> None:
    found = one(
        resource("AWS::IAM::ManagedPolicy", ManagedPolicyName="p", Description="one"),
        resource("AWS::IAM::ManagedPolicy", ManagedPolicyName="p", Description="two"),
    )
    assert found.kind == "refused"
    assert "name is given and stays" in found.why


def test_an_unnamed_policy_is_replaced() -> None:
    found = one(
        resource("AWS::IAM::ManagedPolicy", Description="one"), resource("AWS::IAM::ManagedPolicy", Description="two")
    )
    assert found.kind == "replaced"


def test_another_type_under_the_same_id_is_told() -> None:
    found = one(resource("AWS::Logs::LogGroup", LogGroupName="a"), resource("AWS::KMS::Alias", AliasName="alias/a"))
    assert "its type becomes AWS::KMS::Alias" in found.why
    assert (found.kind, found.loses) == ("refused", "two years of records")


@pytest.mark.parametrize(
    ("policy", "kind", "loses"),
    [("Retain", "kept", ""), ("RetainExceptOnCreate", "kept", ""), ("", "removed", True), ("Delete", "removed", True)],
)
def test_what_leaves_the_template(policy: str, kind: str, loses: object) -> None:
    (found,) = changes({AUDIT: stack({"K": resource("AWS::KMS::Key", policy)})}, {AUDIT: stack({})})
    assert (found.kind, bool(found.loses)) == (kind, bool(loses))


@pytest.mark.parametrize(
    "kind",
    [
        "AWS::CloudTrail::Trail",
        "AWS::Cognito::UserPool",
        "AWS::EC2::Subnet",
        "AWS::EC2::VPC",
        "AWS::KMS::Key",
        "AWS::Logs::LogGroup",
        "AWS::S3::Bucket",
    ],
)
def test_the_removal_of_what_holds_data_is_a_loss(kind: str) -> None:
    (found,) = changes({AUDIT: stack({"It": resource(kind)})}, {AUDIT: stack({})})
    assert (found.kind, bool(found.loses)) == ("removed", True)


def test_the_log_group_of_a_runtime_holds_data_while_it_is_in_the_stack() -> None:
    found = one(
        resource("Custom::RuntimeLogGroup", ServiceToken="a"), resource("Custom::RuntimeLogGroup", ServiceToken="b")
    )
    assert (found.kind, found.loses) == ("replaced", "two years of records")


def test_a_key_that_only_signs_holds_nothing() -> None:
    key = resource("AWS::KMS::Key", KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")
    (found,) = changes({AUDIT: stack({"K": key})}, {AUDIT: stack({})})
    assert (found.kind, found.loses) == ("removed", "")


def test_a_key_that_says_that_it_encrypts_holds_what_it_encrypts() -> None:
    (found,) = changes({AUDIT: stack({"K": resource("AWS::KMS::Key", KeyUsage="ENCRYPT_DECRYPT")})}, {AUDIT: stack({})})
    assert found.loses


def test_what_is_refused_and_weakened_names_the_loss_too() -> None:
    off = {"EnableKeyRotation": False}
    was = resource("AWS::KMS::Key", EnableKeyRotation=True)
    assert one(was, resource("AWS::KMS::Key", KeySpec="ECC_NIST_P256", **off)).loses
    assert not one(was, resource("AWS::KMS::Key", KeySpec="ECC_NIST_P256", EnableKeyRotation=True)).loses


def test_an_export_that_is_imported_cannot_go_or_change() -> None:
    importing = {USER: stack({"B": resource("AWS::EC2::Subnet", VpcId={"Fn::ImportValue": "net"})})}

    def exporting(value: Any) -> dict[str, Any]:
        outputs = {} if value is None else {"O": {"Value": value, "Export": {"Name": "net"}}}
        return {AUDIT: stack({"N": resource("AWS::EC2::VPC"), "M": resource("AWS::EC2::VPC")}, outputs)}

    before = exporting({"Ref": "N"}) | importing
    assert told(before, exporting(None) | {USER: stack({})}) == [("removed", f"{USER}/B"), ("refused", f"{AUDIT}/net")]
    assert ("refused", f"{AUDIT}/net") in told(before, exporting({"Ref": "M"}) | importing)
    assert told(before, exporting({"Ref": "N"}) | importing) == []


def test_an_export_that_nobody_imports_may_go() -> None:
    outputs = {"O": {"Value": {"Ref": "N"}, "Export": {"Name": "net"}}}
    before = {AUDIT: stack({"N": resource("AWS::EC2::VPC")}, outputs)}
    assert changes(before, {AUDIT: stack({"N": resource("AWS::EC2::VPC")})}) == []


def test_a_stack_that_left_the_app_is_told() -> None:
    (found,) = changes({AUDIT: stack({}), USER: stack({})}, {AUDIT: stack({})})
    assert found.kind == "refused"
    assert "`retired`" in found.why


def test_a_new_stack_changes_nothing_deployed() -> None:
    assert changes({}, {AUDIT: stack({"N": resource("AWS::EC2::VPC")})}) == []


@pytest.mark.parametrize(
    ("kind", "stays", "was", "becomes"),
    [
        ("AWS::Cognito::UserPoolDomain", {"UserPoolId": "pool"}, {"Domain": "one"}, {"Domain": "two"}),
        (
            "AWS::BedrockAgentCore::GatewayRateLimit",
            {"RateLimitId": "calls", "GatewayIdentifier": "gateway"},
            {"DimensionKeys": ["user"]},
            {"DimensionKeys": ["user", "tool"]},
        ),
        ("AWS::WAFv2::WebACLAssociation", {"ResourceArn": "gateway"}, {"WebACLArn": "one"}, {"WebACLArn": "two"}),
    ],
)
def test_what_its_parent_has_once_cannot_be_replaced_there(
    kind: str, stays: dict[str, Any], was: dict[str, Any], becomes: dict[str, Any]
) -> None:
    """CloudFormation makes the new one first; Cognito then says "User pool already has a domain configured"."""
    assert one(resource(kind, **stays, **was), resource(kind, **stays, **becomes)).kind == "refused"
    other = {name: f"another {value}" for name, value in stays.items()}
    assert one(resource(kind, **stays, **was), resource(kind, **other, **becomes)).kind == "replaced"


def test_a_part_of_something_that_is_replaced_too_has_another_parent() -> None:
    def both(spec: str) -> dict[str, Any]:
        return {
            "Net": resource("AWS::EC2::VPC", CidrBlock=spec),
            "Way": resource("AWS::EC2::VPCEndpoint", VpcId={"Ref": "Net"}, ServiceName="logs"),
        }

    found = told({AUDIT: stack(both("10.0.0.0/20"))}, {AUDIT: stack(both("10.1.0.0/20"))})
    assert found == [("replaced", f"{AUDIT}/Net"), ("replaced", f"{AUDIT}/Way")]


GATEWAY, POOL, KEY = "AWS::BedrockAgentCore::Gateway", "AWS::Cognito::UserPool", "AWS::KMS::Key"


def versions(*given: str) -> dict[str, Any]:
    return {"ProtocolConfiguration": {"Mcp": {"SupportedVersions": list(given)}}}


def attributes(**longest: str) -> dict[str, Any]:
    given = longest.items()
    return {"Schema": [{"Name": name, "StringAttributeConstraints": {"MaxLength": most}} for name, most in given]}


@pytest.mark.parametrize(
    ("kind", "was", "becomes"),
    [
        (GATEWAY, versions("2025-06-18"), versions("2025-06-18", "2025-11-25")),
        (GATEWAY, versions("2025-06-18"), versions("2025-11-25")),
        (GATEWAY, {"AuthorizerType": "AWS_IAM"}, {"AuthorizerType": "CUSTOM_JWT"}),
        (KEY, {}, {"KeySpec": "ECC_NIST_P256"}),
        (KEY, {}, {"KeyUsage": "SIGN_VERIFY"}),
        (KEY, {}, {"Origin": "EXTERNAL"}),
        (KEY, {"MultiRegion": True}, {}),
        (POOL, attributes(staff_id="64", groups="64"), attributes(staff_id="64")),
        (POOL, attributes(staff_id="64"), attributes(staff_id="128")),
    ],
)
def test_what_a_service_never_changes_is_refused_although_the_schema_lets_it(
    kind: str, was: dict[str, Any], becomes: dict[str, Any]
) -> None:
    assert one(resource(kind, **was), resource(kind, **becomes)).kind == "refused"


@pytest.mark.parametrize(
    ("kind", "was", "becomes"),
    [
        (GATEWAY, versions("2025-06-18", "2025-11-25"), versions("2025-11-25")),
        (KEY, {}, {"KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT", "Origin": "AWS_KMS"}),
        (KEY, {}, {"MultiRegion": False}),
        (POOL, attributes(staff_id="64"), attributes(groups="64", staff_id="64")),
    ],
)
def test_the_direction_that_the_service_allows_is_not_refused(
    kind: str, was: dict[str, Any], becomes: dict[str, Any]
) -> None:
    before, after = ({AUDIT: stack({"It": resource(kind, **each)})} for each in (was, becomes))
    assert changes(before, after) == []


@pytest.mark.parametrize(
    ("kind", "name"), [("AWS::Logs::LogGroup", "LogGroupName"), ("AWS::CloudTrail::Trail", "TrailName")]
)
@pytest.mark.parametrize("policy", ["", "Retain"])
def test_a_new_logical_id_under_the_same_name_is_refused(kind: str, name: str, policy: str) -> None:
    def under(logical_id: str, text: str) -> dict[str, Any]:
        return {AUDIT: stack({logical_id: resource(kind, policy, **{name: text})})}

    def gone_or_refused(name: str) -> list[Change]:  # a second trail is told as well
        return [each for each in changes(under("Old", "a"), under("New", name)) if each.kind != "weakened"]

    left, refused = gone_or_refused("a")
    assert left.kind == ("kept" if policy else "removed")
    assert (refused.kind, refused.name) == ("refused", f"{AUDIT}/New")
    assert "Keep the logical id Old." in refused.why
    assert [each.kind for each in gone_or_refused("b")] == [left.kind]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("AWS::Logs::LogGroup", {"LogGroupName": "a"}),
        ("AWS::WAFv2::WebACL", {"Name": "a", "Scope": "REGIONAL"}),
        ("AWS::EC2::VPCEndpoint", {"ServiceName": "s3", "VpcId": {"Ref": "Net"}}),
        ("AWS::S3::BucketPolicy", {"Bucket": "b"}),
    ],
)
@pytest.mark.parametrize("policy", ["", "Retain"])
def test_a_name_that_moves_to_another_stack_is_refused(kind: str, name: dict[str, Any], policy: str) -> None:
    """The stack that is deployed first makes it while the other still has it, or has left it in the account."""
    out = {"Out": {"Value": {"Ref": "Net"}, "Export": {"Name": "net"}}}
    net = resource("AWS::EC2::VPC", CidrBlock="10.0.0.0/20")

    def in_stack(where: str, names: dict[str, Any] = name) -> dict[str, Any]:
        imported = {k: {"Fn::ImportValue": "net"} if isinstance(v, dict) else v for k, v in names.items()}
        mine = {"It": resource(kind, policy, **names)} if where == AUDIT else {}
        yours = {"It": resource(kind, policy, **imported)} if where == USER else {}
        return {AUDIT: stack({"Net": net, **mine}, out), USER: stack(yours)}

    for was, becomes in ((AUDIT, USER), (USER, AUDIT)):
        refused = [each for each in changes(in_stack(was), in_stack(becomes)) if each.kind == "refused"]
        assert [each.name for each in refused] == [f"{becomes}/It"]
        assert f"{was}/It has its {'Bucket' if 'Bucket' in name else 'name'}" in refused[0].why
        other = name | {next(iter(name)): "another"}
        assert not [each for each in changes(in_stack(was), in_stack(becomes, other)) if each.kind == "refused"]


def test_a_name_that_two_resources_hand_on_is_refused() -> None:
    """One is replaced for another name, and its name goes to a second one, or to a new one, before it is free."""
    kind = "AWS::Logs::LogGroup"

    def named(**names: str) -> dict[str, Any]:
        return {AUDIT: stack({key: resource(kind, LogGroupName=each) for key, each in names.items()})}

    swapped = told(named(One="a", Two="b"), named(One="b", Two="a"))
    assert [each for each in swapped if each[0] == "refused"] == [("refused", f"{AUDIT}/{n}") for n in ("One", "Two")]
    assert ("refused", f"{AUDIT}/New") in told(named(One="a"), named(One="b", New="a"))
    assert [each for each, _ in told(named(One="a"), named(One="b", New="c"))] == ["replaced"]


def test_a_part_of_a_parent_that_is_replaced_may_have_the_name_of_one_that_goes() -> None:
    def both(cidr: str, part: str) -> dict[str, Any]:
        endpoint = resource("AWS::EC2::VPCEndpoint", VpcId={"Ref": "Net"}, ServiceName="logs")
        return {AUDIT: stack({"Net": resource("AWS::EC2::VPC", CidrBlock=cidr), part: endpoint})}

    assert "refused" in [kind for kind, _ in told(both("10.0.0.0/20", "Old"), both("10.0.0.0/20", "New"))]
    assert "refused" not in [kind for kind, _ in told(both("10.0.0.0/20", "Old"), both("10.1.0.0/20", "New"))]


def test_the_name_of_what_is_replaced_is_taken_in_the_account_and_in_its_parent() -> None:
    """Both names count: that of the account, and that of the parent, whichever stays."""
    domain = {"Domain": "d", "UserPoolId": "pool"}
    assert "name is given" in one(*(resource("AWS::Cognito::UserPoolDomain", **domain | {"UserPoolId": each})
                                    for each in ("one", "two"))).why  # fmt: skip
    limit = {"RateLimitId": "calls", "GatewayIdentifier": "gateway"}
    was, becomes = (resource("AWS::BedrockAgentCore::GatewayRateLimit", **limit, DimensionKeys=[e]) for e in "ab")
    assert "name is given" in one(was, becomes).why


def test_a_replacement_is_followed_by_attribute() -> None:
    def network(cidr: str) -> dict[str, Any]:
        part = resource("AWS::EC2::Subnet", VpcId={"Fn::GetAtt": ["Net", "VpcId"]})
        return {AUDIT: stack({"Net": resource("AWS::EC2::VPC", CidrBlock=cidr), "Part": part})}

    assert ("replaced", f"{AUDIT}/Part") in told(network("10.0.0.0/20"), network("10.1.0.0/20"))


@pytest.mark.parametrize("policy", ["", "Retain", "RetainExceptOnCreate"])
def test_a_zone_for_another_is_refused_where_it_takes_the_others_addresses(policy: str) -> None:
    """The first zone of two is another: its subnet stays in the account, or goes last."""

    def zones(vpc: str = "10.64.0.0/22", **subnets: str) -> dict[str, Any]:
        parts = {
            f"Subnet{zone}": resource("AWS::EC2::Subnet", policy, VpcId={"Ref": "Net"}, CidrBlock=cidr)
            for zone, cidr in subnets.items()
        }
        return {AUDIT: stack({"Net": resource("AWS::EC2::VPC", CidrBlock=vpc), **parts})}

    def refused(after: dict[str, Any]) -> list[str]:
        found = changes(zones(A="10.64.0.0/24", B="10.64.1.0/24"), after)
        return [each.logical_id for each in found if each.kind == "refused"]

    assert refused(zones(C="10.64.0.0/24", B="10.64.1.0/24")) == ["SubnetC"]
    assert refused(zones(C="10.64.0.128/25", B="10.64.1.0/24")) == ["SubnetC"]
    assert refused(zones(A="10.64.0.0/24", B="10.64.1.0/24", C="10.64.1.0/24")) == ["SubnetC"]
    assert refused(zones(A="10.64.1.0/24", B="10.64.0.0/24")) == ["SubnetA", "SubnetB"]
    assert refused(zones(A="10.64.0.0/24", B="10.64.1.0/24", C="10.64.2.0/24")) == []
    assert refused(zones(A="10.64.0.0/24")) == []
    assert refused(zones("10.64.0.0/21", C="10.64.0.0/24")) == []  # in a new network all addresses are free
