"""Proof 5: nothing leaves the network but through its endpoints; and every way out that it finds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ringfence.deployed.problems import UnresolvedTemplate
from ringfence.proofs.each import network
from ringfence.proofs.evidence import Evidence
from ringfence.proofs.findings import Outcome
from ringfence.proofs.sweeps.permission_sweeps import PermissionSweeps

Planted = Callable[..., Evidence]
Resources = dict[str, Any]
HTTPS = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
ANYWHERE = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "0.0.0.0/0"}
ANYWHERE_6 = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIpv6": "::/0"}


def messages(outcome: Outcome) -> str:
    return "\n".join(str(finding) for finding in outcome.findings)


def added(kind: str, **properties: Any) -> Callable[[Resources], None]:
    return lambda resources: resources.update({"Planted": {"Type": kind, "Properties": properties}})


def put(logical_id: str, **properties: Any) -> Callable[[Resources], None]:
    return lambda resources: resources[logical_id]["Properties"].update(properties)


def without(logical_id: str, name: str) -> Callable[[Resources], None]:
    return lambda resources: resources[logical_id]["Properties"].pop(name)


def rule(logical_id: str, side: str, entry: dict[str, Any]) -> Callable[[Resources], None]:
    return lambda resources: resources[logical_id]["Properties"].setdefault(side, []).append(entry)


def endpoint_statement(**elements: Any) -> Callable[[Resources], None]:
    def change(resources: Resources) -> None:
        resources["EndpointLogs"]["Properties"]["PolicyDocument"]["Statement"][0].update(elements)

    return change


def answers(**elements: Any) -> Callable[[Resources], None]:
    """What the endpoint for S3 lets through to CloudFormation's bucket, changed."""

    def change(resources: Resources) -> None:
        (statement,) = [
            each
            for each in resources["EndpointS3"]["Properties"]["PolicyDocument"]["Statement"]
            if each["Sid"] == "AllowAnsweringCloudFormation"
        ]
        statement.update(elements)

    return change


def carried(endpoint: str, sid: str, **elements: Any) -> Callable[[Resources], None]:
    """One statement of an endpoint's policy, changed."""

    def change(resources: Resources) -> None:
        statements = resources[endpoint]["Properties"]["PolicyDocument"]["Statement"]
        (statement,) = [each for each in statements if each["Sid"] == sid]
        statement.update(elements)

    return change


def both(principal: str | list[str], resource: str | list[str], operator: str = "StringLike") -> dict[str, Any]:
    """A condition on whose the principal and the resource are."""
    return {operator: {"aws:PrincipalAccount": principal, "aws:ResourceAccount": resource}}


STRANGER = "444455556666"
ORGANISATION = {"StringEquals": {"aws:PrincipalOrgID": "o-exampleorg1", "aws:PrincipalAccount": "111122223333"}}


def dns_rule(index: int, **elements: Any) -> Callable[[Resources], None]:
    return lambda resources: resources["DnsRules"]["Properties"]["FirewallRules"][index].update(elements)


def domains(logical_id: str, name: str) -> Callable[[Resources], None]:
    return lambda resources: resources[logical_id]["Properties"]["Domains"].append(name)


ANSWER_BUCKET = "arn:aws:s3:::cloudformation-custom-resource-response-euwest2/"
GROUP = {"Fn::GetAtt": ["GateRuntimes", "GroupId"]}
FAULTS: list[tuple[str, str, Callable[[Resources], None], str]] = [
    ("public addresses", "network", put("SubnetA", MapPublicIpOnLaunch=True), "gives out public addresses"),
    ("public IPv6", "network", put("SubnetA", AssignIpv6AddressOnCreation=True), "gives out public addresses"),
    ("a subnet without routes of its own", "network", lambda r: r.pop("SubnetARoutes"), "stands on no route table"),
    (
        "egress to everywhere",
        "network",
        rule("GateRuntimes", "SecurityGroupEgress", ANYWHERE),
        "0.0.0.0/0, which",
    ),
    ("ingress from everywhere", "network", rule("GateEndpoints", "SecurityGroupIngress", ANYWHERE), "0.0.0.0/0"),
    ("egress to IPv6", "network", rule("GateRuntimes", "SecurityGroupEgress", ANYWHERE_6), "IPv6 addresses ::/0"),
    ("ingress from IPv6", "network", rule("GateRuntimes", "SecurityGroupIngress", ANYWHERE_6), "IPv6 addresses ::/0"),
    (
        "standalone egress",
        "network",
        added("AWS::EC2::SecurityGroupEgress", GroupId=GROUP, **ANYWHERE),
        "Planted: has a rule for 0.0.0.0/0",
    ),
    (
        "standalone ingress",
        "network",
        added("AWS::EC2::SecurityGroupIngress", GroupId=GROUP, **ANYWHERE_6),
        "Planted: has a rule for the IPv6 addresses",
    ),
    (
        "another network",
        "network",
        rule("GateRuntimes", "SecurityGroupEgress", {**ANYWHERE, "CidrIp": "198.51.100.0/24"}),
        "198.51.100.0/24, which is not inside the VPC",
    ),
    ("default egress", "network", without("GateRuntimes", "SecurityGroupEgress"), "has no egress rule"),
    (
        "another prefix list",
        "network",
        rule(
            "GateRuntimes",
            "SecurityGroupEgress",
            {"IpProtocol": "tcp", "DestinationPrefixListId": "pl-0aaaaaaaaaaaaaaaa"},
        ),
        "has a rule for pl-0aaaaaaaaaaaaaaaa, which is neither S3's prefix list nor a group of ours",
    ),
    (
        "egress to another group",
        "network",
        rule("GateRuntimes", "SecurityGroupEgress", {**HTTPS, "DestinationSecurityGroupId": "sg-0foreign"}),
        "GateRuntimes: has a rule for sg-0foreign, which is neither S3's prefix list nor a group of ours",
    ),
    (
        "standalone egress to another group",
        "network",
        added("AWS::EC2::SecurityGroupEgress", GroupId=GROUP, DestinationSecurityGroupId="sg-0foreign", **HTTPS),
        "Planted: has a rule for sg-0foreign",
    ),
    (
        "standalone ingress from another group",
        "network",
        added("AWS::EC2::SecurityGroupIngress", GroupId=GROUP, SourceSecurityGroupId="sg-0foreign", **HTTPS),
        "Planted: has a rule for sg-0foreign",
    ),
    (
        "every port",
        "network",
        rule("GateRuntimes", "SecurityGroupEgress", {"IpProtocol": "-1", "CidrIp": "10.64.0.0/22"}),
        "every protocol and port",
    ),
    (
        "a function outside",
        "auditor",
        without("AuditorInterceptorRequestFunction", "VpcConfig"),
        "AuditorInterceptorRequestFunction: does not stand in the department's isolated subnets only",
    ),
    (
        "a function in another subnet",
        "auditor",
        put("AuditorInterceptorRequestFunction", VpcConfig={"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}),
        "does not stand in security groups of the department only",
    ),
    (
        "a public runtime",
        "auditor",
        put("AuditorIamRuntime", NetworkConfiguration={"NetworkMode": "PUBLIC"}),
        "AuditorIamRuntime: has network mode PUBLIC, not VPC",
    ),
    ("a default endpoint policy", "network", without("EndpointLogs", "PolicyDocument"), "has the default policy"),
    ("anybody at an endpoint", "network", endpoint_statement(Condition={}), "admits principals of another account"),
    *(
        (
            f"{what} at an endpoint",
            "network",
            carried("EndpointMonitoring", "AllowGrantedTools", Condition=condition),
            f"admits {whose} another account",
        )
        for what, condition, whose in (
            ("one more account's principals", both(["111122223333", STRANGER], "111122223333"), "principals of"),
            ("one more account's resources", both("111122223333", ["111122223333", STRANGER]), "what is owned by"),
            ("any account's principals", both("*", "111122223333"), "principals of"),
            ("accounts of a pattern", both("1111*", "111122223333"), "principals of"),
            ("any account's resources", both("111122223333", "*"), "what is owned by"),
            ("callers of no account", both("111122223333", "111122223333", "StringEqualsIfExists"), "principals of"),
            ("no word on resources", ORGANISATION, "what is owned by"),
        )
    ),
    ("any action at an endpoint", "network", endpoint_statement(Action="*"), "names its actions with a wildcard"),
    (
        "answers to the stacks of any account",
        "network",
        answers(Resource=[f"{ANSWER_BUCKET}*"]),
        "admits principals of another account (AllowAnsweringCloudFormation)",
    ),
    (
        "answers to another account's stacks",
        "network",
        answers(
            Resource=[
                f"{ANSWER_BUCKET}arn:aws:cloudformation:eu-west-2:444455556666:stack/ringfence-example-production-*"
            ]
        ),
        "admits principals of another account (AllowAnsweringCloudFormation)",
    ),
    (
        "reading where answers are put",
        "network",
        answers(Action=["s3:GetObject", "s3:PutObject"]),
        "admits principals of another account (AllowAnsweringCloudFormation)",
    ),
    (
        "reading from every bucket",
        "network",
        carried("EndpointS3", "AllowReadingCode", Resource=["*"]),
        "EndpointS3: carries s3:GetObject to *, where no code of the VPC goes (AllowReadingCode)",
    ),
    (
        "reading from another bucket",
        "network",
        carried("EndpointS3", "AllowReadingCode", Resource=["arn:aws:s3:::cdk-*"]),
        "EndpointS3: carries s3:GetObjectVersion to arn:aws:s3:::cdk-*, where no code",
    ),
    (
        "signing with anything",
        "network",
        carried("EndpointKms", "AllowSigningAndVerifying", Resource="arn:aws:kms:eu-west-2:111122223333:*"),
        "EndpointKms: carries kms:Sign to arn:aws:kms:eu-west-2:111122223333:*, where no code",
    ),
    ("more ports", "network", put("GateEndpointsFromRuntimes", ToPort=65535), "tcp 443 65535, and not for HTTPS alone"),
    (
        "more ports out",
        "network",
        lambda r: r["GateRuntimes"]["Properties"]["SecurityGroupEgress"][0].update(ToPort=65535),
        "GateRuntimes: has a rule for tcp 443 65535",
    ),
    ("another protocol", "network", put("GateEndpointsFromRuntimes", IpProtocol="udp"), "has a rule for udp 443 443"),
    ("a name that is told and answered", "network", dns_rule(1, Action="ALERT"), "DNS firewall: resolves example.com"),
    ("a name that is not there", "network", dns_rule(1, BlockResponse="NODATA"), "and not that there is no such name"),
    ("refusing last", "network", dns_rule(1, Priority=1), "DNS firewall: refuses kms.eu-west-2.amazonaws.com"),
    ("one name more", "network", domains("DnsAllowedNames", "*.example.com"), "resolves anything.example.com"),
    ("every name of AWS", "network", domains("DnsAllowedNames", "*.amazonaws.com"), "resolves x.iam.amazonaws.com"),
    ("a name less", "network", put("DnsAllNames", Domains=["example.com"]), "resolves amazonaws.com"),
    ("no endpoint's name", "network", put("DnsAllowedNames", Domains=["x.example"]), "refuses iam.amazonaws.com"),
    ("no guard", "network", lambda r: r.pop("DnsGuard"), "does not guard the VPC"),
    (
        "a guard of another network",
        "network",
        put("DnsGuard", VpcId="vpc-00000000000000000"),
        "does not guard the VPC with one group of rules",
    ),
    ("no private name", "network", put("EndpointLogs", PrivateDnsEnabled=False), "has no private DNS name"),
    ("an open endpoint", "network", without("EndpointLogs", "SecurityGroupIds"), "not stand behind a security group"),
    (
        "a missing endpoint",
        "network",
        lambda r: r.pop("EndpointMonitoring"),
        "endpoint monitoring in eu-west-2: is missing, but the call cloudwatch.",
    ),
    (
        "a missing endpoint of the runtimes",
        "network",
        lambda r: r.pop("EndpointSts"),
        "endpoint sts in eu-west-2: is missing, but the role",
    ),
    (
        "an endpoint that nothing needs",
        "network",
        put("EndpointMonitoring", ServiceName="com.amazonaws.eu-west-2.secretsmanager"),
        "serves secretsmanager in eu-west-2, which nothing needs",
    ),
]


def test_nothing_leaves_any_department(each: Evidence, sweeps_of: dict[str, PermissionSweeps]) -> None:
    outcome = network.prove(each, sweeps_of[each.department.name])

    assert messages(outcome) == ""
    assert outcome.holds


@pytest.mark.parametrize(
    ("stack", "change", "expected"), [each[1:] for each in FAULTS], ids=[each[0] for each in FAULTS]
)
def test_a_way_out_is_found(
    stack: str,
    change: Callable[[Resources], None],
    expected: str,
    planted: Planted,
    sweeps_of: dict[str, PermissionSweeps],
) -> None:
    # The sweep does not look at the network; the real one serves.
    found = messages(network.prove(planted(**{stack: change}), sweeps_of["example-production"]))

    assert expected in found


def test_a_rule_of_the_dns_firewall_that_cannot_be_judged_is_no_proof(
    planted: Planted, sweeps_of: dict[str, PermissionSweeps]
) -> None:
    with pytest.raises(UnresolvedTemplate, match=r"FirewallRules\.Qtype is unknown"):
        network.prove(planted(network=dns_rule(1, Qtype="A")), sweeps_of["example-production"])


def test_no_endpoint_is_no_way_for_a_call(planted: Planted) -> None:
    """The sweep itself follows the network: where no endpoint carries a service, nothing of it can be done."""
    sweeps = PermissionSweeps(planted(network=lambda resources: resources.pop("EndpointMonitoring")))

    assert not [question for question in sweeps.of_personas["auditor"] if question.action.service == "cloudwatch"]
