"""Accounts as they may be found, written down by hand from AWS's documentation: nothing here is read from our code."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.ringfence.live.modelled import Fault, ModelledAccount

ACCOUNT = "111122223333"
VERSION = "00000000-0000-4000-8000-000000000000"
_THEN = datetime(2026, 11, 1, tzinfo=UTC)
_QUOTAS = {
    "bedrock-agentcore": {
        ("L-F4575653", "Total Agents per Account"): 1000,
        ("L-9B442722", "Endpoints per Agent"): 10,
        ("L-61A3A6D8", "Versions per Agent"): 1000,
        ("L-3E5722B2", "Active Session Workloads per Account"): 2500,
        ("L-410A4D7F", "Gateways per Region"): 1000,
        ("L-3601D726", "Targets per gateway"): 100,
        ("L-538FCB7D", "Policy Engines per Region"): 1000,
        ("L-A5B5E41D", "Policies per Policy Engine"): 1000,
    },
    "vpc": {("L-F678F1CE", "VPCs per Region"): 5, ("L-29B6F2EB", "Interface VPC endpoints per VPC"): 50},
    "kms": {("L-C2F1777E", "Customer Master Keys (CMKs)"): 100_000},
    "wafv2": {
        ("L-2EC3DE7B", "Maximum web ACLs per account in WAF for regional"): 100,
        ("L-D6DA96AE", "Maximum IP sets per account in WAF for regional"): 100,
    },
}


def zone(name: str, zone_id: str, state: str = "available") -> dict[str, Any]:
    return {"ZoneName": name, "ZoneId": zone_id, "State": state}


def offered(parameters: dict[str, Any]) -> dict[str, Any]:
    """Every endpoint service that is asked for, as AWS offers it."""
    details = []
    for name in parameters["Filters"][0]["Values"]:
        kind = "Gateway" if name.endswith(".s3") else "Interface"
        details.append(
            {
                "ServiceName": name,
                "ServiceType": [{"ServiceType": kind}],
                "AvailabilityZones": ["eu-west-2a", "eu-west-2b", "eu-west-2c"],
                "VpcEndpointPolicySupported": True,
                "PrivateDnsName": name.rpartition(".")[2] + ".eu-west-2.amazonaws.com",
            }
        )
    return {"ServiceDetails": details}


def quotas(parameters: dict[str, Any]) -> dict[str, Any]:
    listed = _QUOTAS[parameters["ServiceCode"]]
    return {
        "Quotas": [{"QuotaCode": code, "QuotaName": name, "Value": value} for (code, name), value in listed.items()]
    }


def ready_account() -> ModelledAccount:
    """A bootstrapped account with nothing of the department in it."""
    modelled = ModelledAccount()
    absent = Fault("NoSuchEntity", status=404)

    def role(parameters: dict[str, Any]) -> Any:
        name = parameters["RoleName"]
        if not name.startswith("AWSServiceRoleFor"):
            return absent
        return {
            "Role": {
                "Path": "/",
                "RoleName": name,
                "RoleId": "AROAEXAMPLEEXAMPLE",
                "Arn": f"arn:aws:iam::{ACCOUNT}:role/{name}",
                "CreateDate": _THEN,
            }
        }

    answers: dict[str, Any] = {
        "sts:GetCallerIdentity": {"Account": ACCOUNT, "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/Engineer/someone"},
        "ssm:GetParameter": {"Parameter": {"Name": "/cdk-bootstrap/hnb659fds/version", "Value": "30"}},
        "s3:ListBucket": {"BucketRegion": "eu-west-2"},
        "cloudformation:ListExports": {
            "Exports": [{"Name": "CdkBootstrap-hnb659fds-FileAssetKeyArn", "Value": "AWS_MANAGED_KEY"}]
        },
        "cloudformation:DescribeType": lambda parameters: {"TypeName": parameters["TypeName"], "Type": "RESOURCE"},
        "cloudformation:DescribeStacks": {"Stacks": []},
        "ec2:DescribeAvailabilityZones": {
            "AvailabilityZones": [zone("eu-west-2a", "euw2-az2"), zone("eu-west-2b", "euw2-az3")]
        },
        "ec2:DescribeManagedPrefixLists": {"PrefixLists": [{"PrefixListId": "pl-0123456789abcdef0"}]},
        "ec2:DescribeVpcEndpointServices": offered,
        "ec2:DescribeVpcs": {"Vpcs": [{"VpcId": "vpc-0a"}]},
        "lambda:GetAccountSettings": {
            "AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 1000}
        },
        "iam:GetRole": role,
        "iam:GetPolicy": absent,
        "iam:ListAttachedRolePolicies": {
            "AttachedPolicies": [
                {"PolicyName": "deploy-of-ours-1", "PolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/deploy-of-ours-1"}
            ]
        },
        "iam:GetAccountSummary": {
            "SummaryMap": {"Roles": 40, "RolesQuota": 1000, "Policies": 10, "PoliciesQuota": 1500}
        },
        "cognito-idp:DescribeUserPoolDomain": {"DomainDescription": {}},
        "secretsmanager:DescribeSecret": {
            "Name": "secret",
            "VersionIdsToStages": {VERSION: ["AWSCURRENT"]},
        },
        "servicequotas:ListServiceQuotas": quotas,
        "bedrock-agentcore:ListAgentRuntimes": {"agentRuntimes": []},
        "bedrock-agentcore:ListGateways": {"items": []},
        "bedrock-agentcore:ListPolicyEngines": {"policyEngines": []},
        "cloudtrail:DescribeTrails": {"trailList": []},
        "kms:ListAliases": {"Aliases": []},
        "kms:ListKeys": {"Keys": []},
        "lambda:ListFunctions": {"Functions": []},
        "logs:DescribeDeliveryDestinations": {"deliveryDestinations": []},
        "logs:DescribeDeliverySources": {"deliverySources": []},
        "logs:DescribeLogGroups": {"logGroups": []},
        "logs:DescribeResourcePolicies": {"resourcePolicies": []},
        "wafv2:ListIPSets": {"IPSets": []},
        "wafv2:ListWebACLs": {"WebACLs": []},
    }
    for action, answer in answers.items():
        modelled.says(action, answer)
    return modelled


def with_stack(
    modelled: ModelledAccount, name: str, status: str, *resources: tuple[str, str, str], **more: Any
) -> None:
    """Adds a stack with resources (type, physical id, status)."""
    stack = {"StackName": name, "CreationTime": _THEN, "StackStatus": status, **more}
    modelled.says("cloudformation:DescribeStacks", {"Stacks": [stack]})
    summaries = [
        {
            "LogicalResourceId": f"Resource{number}",
            "ResourceType": kind,
            "PhysicalResourceId": physical_id,
            "ResourceStatus": state,
            "LastUpdatedTimestamp": _THEN,
        }
        for number, (kind, physical_id, state) in enumerate(resources)
    ]
    modelled.says("cloudformation:ListStackResources", {"StackResourceSummaries": summaries})
