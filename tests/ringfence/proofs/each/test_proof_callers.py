"""Proof 12: runtimes, gateways and keys answer those of the call path; and everybody else who could reach them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import botocore.session
import pytest

from ringfence.proofs.each import callers
from ringfence.proofs.evidence import Evidence
from ringfence.proofs.findings import Outcome
from ringfence.proofs.sweeps.permission_sweeps import PermissionSweeps

Planted = Callable[..., Evidence]
Change = Callable[[dict[str, Any]], None]
RUNTIME = "AuditorIamSoleInvokerOnRuntime"
ENDPOINT = "AuditorIamSoleInvokerOnEndpoint"
GATEWAY = "AuditorDoorCallers"
KEY = "AuditorTxnTokenKey"
CARD = "bedrock-agentcore:GetAgentCard"
ADMINISTRATOR = "arn:aws:iam::111122223333:role/administrator"
DEPLOYER = "arn:aws:iam::111122223333:role/cdk-hnb659fds-cfn-exec-role-111122223333-eu-west-2"


def messages(outcome: Outcome) -> str:
    return "\n".join(str(finding) for finding in outcome.findings)


def statements(policy: str, edit: Callable[[list[dict[str, Any]]], None]) -> Change:
    """The statements of a policy that is a text for Fn::Sub, changed."""

    def change(resources: dict[str, Any]) -> None:
        text = resources[policy]["Properties"]["Policy"]["Fn::Sub"]
        document = json.loads(text[0])
        edit(document["Statement"])
        text[0] = json.dumps(document)

    return change


def of_key(edit: Callable[[list[dict[str, Any]]], None]) -> Change:
    return lambda resources: edit(resources[KEY]["Properties"]["KeyPolicy"]["Statement"])


def without(sid: str) -> Callable[[list[dict[str, Any]]], None]:
    def edit(found: list[dict[str, Any]]) -> None:
        found.remove(one(found, sid))

    return edit


def with_elements(sid: str, **elements: Any) -> Callable[[list[dict[str, Any]]], None]:
    return lambda found: one(found, sid).update(elements)


def with_action(sid: str, action: str) -> Callable[[list[dict[str, Any]]], None]:
    return lambda found: one(found, sid)["Action"].append(action)


def one(found: list[dict[str, Any]], sid: str) -> dict[str, Any]:
    (statement,) = [each for each in found if each["Sid"] == sid]
    return statement


def gone(logical_id: str) -> Change:
    return lambda resources: resources.pop(logical_id)


FAULTS: list[tuple[str, Change, str]] = [
    ("a runtime without a policy", gone(RUNTIME), "runtime AuditorIamRuntime: has no resource policy"),
    ("an endpoint without one", gone(ENDPOINT), "endpoint of runtime AuditorIamRuntime: has no resource policy"),
    (
        "whoever may invoke",
        statements(
            RUNTIME, with_elements("DenyInvokeExceptGateway", Condition={"ArnEquals": {"aws:PrincipalArn": "x"}})
        ),
        f"runtime AuditorIamRuntime: admits InvokeAgentRuntime of {ADMINISTRATOR}",
    ),
    (
        "another gateway",
        statements(ENDPOINT, without("DenyInvokeExceptGateway")),
        "admits InvokeAgentRuntime of arn:aws:iam::111122223333:role/ringfence-example-product-OperatorGateway",
    ),
    (
        "its own gateway is refused",
        statements(RUNTIME, without("AllowInvokeByGateway")),
        "runtime AuditorIamRuntime: refuses its gateway ringfence-example-production-auditor",
    ),
    (
        "another way of invoking",
        statements(
            RUNTIME, with_elements("DenyUngovernedInvocation", Action="bedrock-agentcore:InvokeAgentRuntimeCommand")
        ),
        "admits InvokeAgentRuntimeForUser of arn:aws:iam::111122223333:role/ringfence-example-product-AuditorGateway",
    ),
    (
        "an agent's card",
        statements(RUNTIME, lambda found: one(found, "DenyUngovernedInvocation")["Action"].remove(CARD)),
        f"runtime AuditorIamRuntime: admits GetAgentCard of {ADMINISTRATOR}",
    ),
    (
        "any network",
        statements(GATEWAY, without("DenyInvokeFromOtherNetworks")),
        "gateway ringfence-example-production-auditor: admits calls from 192.0.2.1",
    ),
    (
        "the next network",
        statements(
            GATEWAY,
            with_elements(
                "DenyInvokeFromOtherNetworks", Condition={"NotIpAddress": {"aws:SourceIp": "203.0.112.0/23"}}
            ),
        ),
        "admits calls from 203.0.112.255",
    ),
    (
        "every role of the account",
        statements(
            GATEWAY,
            lambda found: one(found, "DenyInvokeFromOtherNetworks")["Condition"].update(
                {"ArnNotEquals": {"aws:PrincipalArn": [DEPLOYER, ADMINISTRATOR]}}
            ),
        ),
        f"gateway ringfence-example-production-auditor: admits calls from 192.0.2.1 of {ADMINISTRATOR}",
    ),
    (
        "nobody who makes a Cedar policy",
        statements(GATEWAY, lambda found: one(found, "DenyInvokeFromOtherNetworks")["Condition"].pop("ArnNotEquals")),
        f"gateway ringfence-example-production-auditor: refuses {DEPLOYER}, which makes its Cedar policies",
    ),
    ("a gateway without a policy", gone(GATEWAY), "has no resource policy, so calls may come from any network"),
    (
        "administrators who sign once more is allowed",
        of_key(with_elements("DenySignExceptRequestInterceptor", Condition={"ArnEquals": {"aws:PrincipalArn": "x"}})),
        f"key of persona auditor: would admit kms:Sign of {ADMINISTRATOR} once it allowed more",
    ),
    (
        "an account that grants",
        of_key(with_action("AllowAccountToAdminister", "kms:CreateGrant")),
        f"key of persona auditor: admits kms:CreateGrant of {ADMINISTRATOR}",
    ),
    (
        "an account that switches off",
        of_key(with_action("AllowAccountToAdminister", "kms:DisableKey")),
        f"key of persona auditor: admits kms:DisableKey of {ADMINISTRATOR}",
    ),
    (
        "everybody reads the key",
        of_key(with_elements("AllowGetPublicKeyByRuntimes", Condition={})),
        f"key of persona auditor: admits kms:GetPublicKey of {ADMINISTRATOR}",
    ),
    (
        "nobody signs",
        of_key(without("AllowSignByRequestInterceptor")),
        "key of persona auditor: refuses kms:Sign of arn:aws",
    ),
    (
        "a key for something else",
        lambda resources: resources[KEY]["Properties"].update(KeyUsage="KEY_AGREEMENT"),
        "is to sign, and no stack makes it so",
    ),
]


FRIEND = "arn:aws:iam::999988887777:role/friend"
FRIENDS = "arn:aws:iam::999988887777:root"


def allowing(action: str, **elements: Any) -> Callable[[list[dict[str, Any]]], None]:
    """One more statement that allows something to another account."""
    statement = {"Sid": "AllowFriend", "Effect": "Allow", "Principal": {"AWS": FRIENDS}, "Resource": "*"}
    return lambda found: found.append({**statement, "Action": action, **elements})


def spared(sid: str, key: str, value: str) -> Callable[[list[dict[str, Any]]], None]:
    """Somebody more whom a statement that denies does not mean."""

    def edit(found: list[dict[str, Any]]) -> None:
        condition = one(found, sid)["Condition"]
        named = condition.get("ArnNotEquals", {}).get(key)
        if named is None:
            condition["StringNotEquals"] = {key: value}
        else:
            condition["ArnNotEquals"][key] = [named, value]

    return edit


BESIDE: list[tuple[str, Change, str]] = [
    ("a key's user", of_key(allowing("kms:*")), f"policy of {KEY}: admits kms:* of {FRIENDS} (AllowFriend)"),
    ("a key's reader", of_key(allowing("kms:GetPublicKey")), f"auditor: admits kms:GetPublicKey of {FRIENDS}"),
    (
        "a key's user by number, of an organisation",
        of_key(
            allowing(
                "kms:PutKeyPolicy",
                Principal={"AWS": "999988887777"},
                Condition={"StringEquals": {"aws:PrincipalOrgID": "o-another000"}},
            )
        ),
        f"policy of {KEY}: admits kms:PutKeyPolicy of {FRIENDS}",
    ),
    (
        "a service that signs",
        of_key(allowing("kms:Sign", Principal={"Service": "glue.amazonaws.com"})),
        f"policy of {KEY}: admits kms:Sign of glue.amazonaws.com",
    ),
    (
        "a person of elsewhere",
        of_key(allowing("kms:DescribeKey", Principal={"Federated": "example.org"})),
        f"policy of {KEY}: admits federated principals (AllowFriend)",
    ),
    (
        "a signer whom nothing stops",
        of_key(spared("DenySignExceptRequestInterceptor", "aws:PrincipalArn", FRIEND)),
        f"key of persona auditor: would admit kms:Sign of {FRIEND} once it allowed more",
    ),
    (
        "a caller of a gateway",
        statements(GATEWAY, spared("DenyInvokeFromOtherNetworks", "aws:PrincipalArn", FRIEND)),
        f"gateway ringfence-example-production-auditor: admits calls from 192.0.2.1 of {FRIEND}",
    ),
    (
        "an account that calls a gateway",
        statements(GATEWAY, spared("DenyInvokeFromOtherNetworks", "aws:PrincipalAccount", "999988887777")),
        f"gateway ringfence-example-production-auditor: admits calls from 192.0.2.1 of {FRIENDS}",
    ),
    (
        "a caller of a runtime",
        statements(RUNTIME, spared("DenyInvokeExceptGateway", "aws:PrincipalArn", FRIEND)),
        f"runtime AuditorIamRuntime: admits InvokeAgentRuntime of {FRIEND}",
    ),
    (
        "an organisation that calls a runtime",
        statements(RUNTIME, spared("DenyInvokeExceptGateway", "aws:PrincipalOrgID", "o-another000")),
        "runtime AuditorIamRuntime: admits InvokeAgentRuntime of arn:aws:iam::000000000000:root",
    ),
    (
        "a service that calls a runtime",
        statements(RUNTIME, allowing("bedrock-agentcore:*", Principal={"Service": "glue.amazonaws.com"})),
        "runtime AuditorIamRuntime: admits InvokeAgentRuntime of glue.amazonaws.com",
    ),
]


@pytest.mark.parametrize(("change", "expected"), [each[1:] for each in BESIDE], ids=[each[0] for each in BESIDE])
def test_whoever_a_policy_names_beside_its_own_is_found(
    change: Change, expected: str, planted: Planted, sweeps_of: dict[str, PermissionSweeps]
) -> None:
    assert expected in messages(callers.prove(planted(auditor=change), sweeps_of["example-production"]))


def records(logical_id: str, edit: Callable[[list[dict[str, Any]]], None]) -> Change:
    """The policy of a key, a bucket or the log groups of the audit stack, changed."""

    def change(resources: dict[str, Any]) -> None:
        properties = resources[logical_id]["Properties"]
        name = "KeyPolicy" if "KeyPolicy" in properties else "PolicyDocument"
        text = isinstance(properties[name], str)
        document = json.loads(properties[name]) if text else properties[name]
        edit(document["Statement"])
        properties[name] = json.dumps(document) if text else document

    return change


OBJECTS = {"Fn::Join": ["", [{"Fn::GetAtt": ["TrailBucket", "Arn"]}, "/*"]]}


@pytest.mark.parametrize(
    ("logical_id", "edit", "expected"),
    [
        ("TrailBucketPolicy", allowing("s3:GetObject", Resource=OBJECTS), f"admits s3:GetObject of {FRIENDS}"),
        ("TrailBucketAccessLogPolicy", allowing("s3:GetObject", Resource=OBJECTS), f"s3:GetObject of {FRIENDS}"),
        (
            "TrailBucketPolicy",
            allowing("s3:GetObject", Resource=OBJECTS, Principal={"AWS": ADMINISTRATOR}),
            f"admits s3:GetObject of {ADMINISTRATOR}",
        ),
        (
            "TrailBucketPolicy",
            allowing("s3:PutObject", Resource=OBJECTS, Principal={"Service": "logging.s3.amazonaws.com"}),
            "admits s3:PutObject of logging.s3.amazonaws.com",
        ),
        (
            "TrailBucketPolicy",
            with_elements("AllowCloudTrailWrite", Condition={}),
            "admits s3:PutObject of cloudtrail.amazonaws.com for another account (AllowCloudTrailWrite)",
        ),
        (
            "TrailBucketPolicy",
            allowing("s3:GetObject", Resource=OBJECTS, Principal={"CanonicalUser": "79a59df900b949e5"}),
            "admits canonicaluser principals",
        ),
        ("LogDelivery", allowing("logs:*"), f"policy of LogDelivery: admits logs:* of {FRIENDS}"),
        (
            "LogDelivery",
            with_elements(
                "AllowLogDelivery", Condition={"StringEquals": {"aws:SourceAccount": ["111122223333", "999988887777"]}}
            ),
            "admits logs:PutLogEvents of delivery.logs.amazonaws.com for another account",
        ),
        ("DataKey", allowing("kms:Decrypt"), f"policy of DataKey: admits kms:Decrypt of {FRIENDS}"),
        ("LogKey", allowing("kms:Decrypt"), f"policy of LogKey: admits kms:Decrypt of {FRIENDS}"),
        (
            "DataKey",
            with_elements("AllowCloudTrail", Principal={"Service": "logs.eu-west-2.amazonaws.com"}),
            "policy of DataKey: admits kms:Decrypt of logs.eu-west-2.amazonaws.com",
        ),
        (
            "LogKey",
            with_elements("AllowCloudWatchLogs", Condition={}),
            "admits kms:Decrypt of logs.eu-west-2.amazonaws.com for another account",
        ),
    ],
)
def test_whoever_comes_to_the_records_beside_who_keeps_them_is_found(
    logical_id: str, edit: Any, expected: str, planted: Planted, sweeps_of: dict[str, PermissionSweeps]
) -> None:
    weakened = planted(audit=records(logical_id, edit))

    assert expected in messages(callers.prove(weakened, sweeps_of["example-production"]))


def test_whatever_is_done_with_a_runtime_that_is_not_management_is_asked(
    sweeps_of: dict[str, PermissionSweeps],
) -> None:
    """botocore tells the two apart, and knows no operation for some of the ways to invoke."""
    managed = botocore.session.get_session().get_service_model("bedrock-agentcore-control").operation_names
    (table,) = {id(sweeps.table): sweeps.table for sweeps in sweeps_of.values()}.values()
    forms = {
        f"arn:${{Partition}}:bedrock-agentcore:${{Region}}:${{Account}}:runtime/${{RuntimeId}}{tail}"
        for tail in ("", "/runtime-endpoint/${Name}")
    }
    used = {each.name for each in table if forms & {*each.resources} and each.name.partition(":")[2] not in managed}
    assert len(used) == 8
    assert used == {*callers.ways(table), "bedrock-agentcore:StopRuntimeSession"}


def test_runtimes_gateways_and_keys_of_every_department_answer_the_call_path(
    each: Evidence, sweeps_of: dict[str, PermissionSweeps]
) -> None:
    outcome = callers.prove(each, sweeps_of[each.department.name])

    assert messages(outcome) == ""
    assert outcome.holds


@pytest.mark.parametrize(("change", "expected"), [each[1:] for each in FAULTS], ids=[each[0] for each in FAULTS])
def test_another_caller_is_found(
    change: Change, expected: str, planted: Planted, sweeps_of: dict[str, PermissionSweeps]
) -> None:
    # Of the sweeps only the table of actions is used.
    found = messages(callers.prove(planted(auditor=change), sweeps_of["example-production"]))

    assert expected in found


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("Principal", "444455556666", "lets 444455556666 do lambda:InvokeFunction"),
        ("Principal", "s3.amazonaws.com", "lets s3.amazonaws.com do"),
        ("Principal", "*", "lets * do"),
        ("SourceArn", "arn:aws:cognito-idp:eu-west-2:444455556666:userpool/eu-west-2_abcdefghi", "for arn:aws:cognito"),
        ("SourceArn", {"Ref": "AWS::NoValue"}, "for None"),
        ("Action", "lambda:*", r"do lambda:*"),
        ("FunctionName", "arn:aws:lambda:eu-west-2:111122223333:function:other", "not a user pool's trigger"),
    ],
)
def test_a_function_that_lets_somebody_else_in_is_found(
    name: str, value: Any, expected: str, planted: Planted, sweeps_of: dict[str, PermissionSweeps]
) -> None:
    def change(resources: dict[str, Any]) -> None:
        (permission,) = [each for each in resources.values() if each["Type"] == "AWS::Lambda::Permission"]
        permission["Properties"][name] = value

    assert expected in messages(callers.prove(planted(identity=change), sweeps_of["example-production"]))
