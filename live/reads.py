"""Every question that this room may ask an account, by the IAM action that it needs. All of them only read."""

from __future__ import annotations

from typing import Final, NamedTuple


class Read(NamedTuple):
    """One operation of the SDK.

    Attributes:
        service: the SDK's name of the service.
        operation: the client's method.
    """

    service: str
    operation: str


READS: Final = {
    "bedrock-agentcore:GetAgentRuntime": Read("bedrock-agentcore-control", "get_agent_runtime"),
    "bedrock-agentcore:GetGateway": Read("bedrock-agentcore-control", "get_gateway"),
    "bedrock-agentcore:GetGatewayTarget": Read("bedrock-agentcore-control", "get_gateway_target"),
    "bedrock-agentcore:ListAgentRuntimes": Read("bedrock-agentcore-control", "list_agent_runtimes"),
    "bedrock-agentcore:ListGateways": Read("bedrock-agentcore-control", "list_gateways"),
    "bedrock-agentcore:ListPolicies": Read("bedrock-agentcore-control", "list_policies"),
    "bedrock-agentcore:ListPolicyEngines": Read("bedrock-agentcore-control", "list_policy_engines"),
    "cloudformation:DescribeStacks": Read("cloudformation", "describe_stacks"),
    "cloudformation:DescribeType": Read("cloudformation", "describe_type"),
    "cloudformation:ListExports": Read("cloudformation", "list_exports"),
    "cloudformation:ListStackResources": Read("cloudformation", "list_stack_resources"),
    "cloudtrail:DescribeTrails": Read("cloudtrail", "describe_trails"),
    "cloudtrail:GetTrailStatus": Read("cloudtrail", "get_trail_status"),
    "cloudtrail:LookupEvents": Read("cloudtrail", "lookup_events"),
    "cognito-idp:DescribeUserPoolDomain": Read("cognito-idp", "describe_user_pool_domain"),
    "ec2:DescribeAvailabilityZones": Read("ec2", "describe_availability_zones"),
    "ec2:DescribeManagedPrefixLists": Read("ec2", "describe_managed_prefix_lists"),
    "ec2:DescribeVpcEndpointServices": Read("ec2", "describe_vpc_endpoint_services"),
    "ec2:DescribeVpcEndpoints": Read("ec2", "describe_vpc_endpoints"),
    "ec2:DescribeVpcs": Read("ec2", "describe_vpcs"),
    "iam:GetAccountSummary": Read("iam", "get_account_summary"),
    "iam:GetPolicy": Read("iam", "get_policy"),
    "iam:GetRole": Read("iam", "get_role"),
    "iam:SimulatePrincipalPolicy": Read("iam", "simulate_principal_policy"),
    "kms:ListAliases": Read("kms", "list_aliases"),
    "kms:ListKeys": Read("kms", "list_keys"),
    "lambda:GetAccountSettings": Read("lambda", "get_account_settings"),
    "lambda:GetFunctionConcurrency": Read("lambda", "get_function_concurrency"),
    "lambda:ListFunctions": Read("lambda", "list_functions"),
    "logs:DescribeDeliveryDestinations": Read("logs", "describe_delivery_destinations"),
    "logs:DescribeDeliverySources": Read("logs", "describe_delivery_sources"),
    "logs:DescribeLogGroups": Read("logs", "describe_log_groups"),
    "logs:DescribeResourcePolicies": Read("logs", "describe_resource_policies"),
    "logs:FilterLogEvents": Read("logs", "filter_log_events"),
    "s3:ListBucket": Read("s3", "head_bucket"),
    "secretsmanager:DescribeSecret": Read("secretsmanager", "describe_secret"),
    "servicequotas:GetServiceQuota": Read("service-quotas", "get_service_quota"),
    "servicequotas:ListServiceQuotas": Read("service-quotas", "list_service_quotas"),
    "ssm:GetParameter": Read("ssm", "get_parameter"),
    "sts:GetCallerIdentity": Read("sts", "get_caller_identity"),
    "wafv2:ListIPSets": Read("wafv2", "list_ip_sets"),
    "wafv2:ListWebACLs": Read("wafv2", "list_web_acls"),
}
