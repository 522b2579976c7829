"""Everything that a command may ask of an account, by the IAM action that it needs.

`READS` only read. `WRITES` are what a drill does, and nothing else.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Operation(NamedTuple):
    """One operation of the SDK."""

    service: str
    operation: str


READS: Final = {
    "bedrock:GetModelInvocationLoggingConfiguration": Operation(
        "bedrock", "get_model_invocation_logging_configuration"
    ),
    "bedrock:ListFoundationModels": Operation("bedrock", "list_foundation_models"),
    "bedrock-agentcore:GetAgentRuntime": Operation("bedrock-agentcore-control", "get_agent_runtime"),
    "bedrock-agentcore:GetGateway": Operation("bedrock-agentcore-control", "get_gateway"),
    "bedrock-agentcore:GetGatewayTarget": Operation("bedrock-agentcore-control", "get_gateway_target"),
    "bedrock-agentcore:GetResourcePolicy": Operation("bedrock-agentcore-control", "get_resource_policy"),
    "bedrock-agentcore:ListAgentRuntimeEndpoints": Operation(
        "bedrock-agentcore-control", "list_agent_runtime_endpoints"
    ),
    "bedrock-agentcore:ListAgentRuntimes": Operation("bedrock-agentcore-control", "list_agent_runtimes"),
    "bedrock-agentcore:ListGatewayRateLimits": Operation("bedrock-agentcore-control", "list_gateway_rate_limits"),
    "bedrock-agentcore:ListGatewayRules": Operation("bedrock-agentcore-control", "list_gateway_rules"),
    "bedrock-agentcore:ListGatewayTargets": Operation("bedrock-agentcore-control", "list_gateway_targets"),
    "bedrock-agentcore:ListGateways": Operation("bedrock-agentcore-control", "list_gateways"),
    "bedrock-agentcore:ListPolicies": Operation("bedrock-agentcore-control", "list_policies"),
    "bedrock-agentcore:ListPolicyEngines": Operation("bedrock-agentcore-control", "list_policy_engines"),
    "cloudformation:DescribeStacks": Operation("cloudformation", "describe_stacks"),
    "cloudformation:DescribeType": Operation("cloudformation", "describe_type"),
    "cloudformation:GetTemplate": Operation("cloudformation", "get_template"),
    "cloudformation:ListExports": Operation("cloudformation", "list_exports"),
    "cloudformation:ListStackResources": Operation("cloudformation", "list_stack_resources"),
    "cloudtrail:DescribeTrails": Operation("cloudtrail", "describe_trails"),
    "cloudtrail:GetTrailStatus": Operation("cloudtrail", "get_trail_status"),
    "cloudtrail:LookupEvents": Operation("cloudtrail", "lookup_events"),
    "cognito-idp:DescribeResourceServer": Operation("cognito-idp", "describe_resource_server"),
    "cognito-idp:DescribeUserPoolDomain": Operation("cognito-idp", "describe_user_pool_domain"),
    "ec2:DescribeAvailabilityZones": Operation("ec2", "describe_availability_zones"),
    "ec2:DescribeManagedPrefixLists": Operation("ec2", "describe_managed_prefix_lists"),
    "ec2:DescribeVpcEndpointServices": Operation("ec2", "describe_vpc_endpoint_services"),
    "ec2:DescribeVpcEndpoints": Operation("ec2", "describe_vpc_endpoints"),
    "ec2:DescribeVpcs": Operation("ec2", "describe_vpcs"),
    "iam:GetAccountSummary": Operation("iam", "get_account_summary"),
    "iam:GetPolicy": Operation("iam", "get_policy"),
    "iam:GetRole": Operation("iam", "get_role"),
    "iam:ListAttachedRolePolicies": Operation("iam", "list_attached_role_policies"),
    "iam:SimulatePrincipalPolicy": Operation("iam", "simulate_principal_policy"),
    "kms:ListAliases": Operation("kms", "list_aliases"),
    "kms:ListKeys": Operation("kms", "list_keys"),
    "lambda:GetAccountSettings": Operation("lambda", "get_account_settings"),
    "lambda:GetFunctionConcurrency": Operation("lambda", "get_function_concurrency"),
    "lambda:GetFunctionConfiguration": Operation("lambda", "get_function_configuration"),
    "lambda:GetPolicy": Operation("lambda", "get_policy"),
    "lambda:ListFunctions": Operation("lambda", "list_functions"),
    "logs:DescribeAccountPolicies": Operation("logs", "describe_account_policies"),
    "logs:DescribeDeliveryDestinations": Operation("logs", "describe_delivery_destinations"),
    "logs:DescribeDeliverySources": Operation("logs", "describe_delivery_sources"),
    "logs:DescribeLogGroups": Operation("logs", "describe_log_groups"),
    "logs:DescribeResourcePolicies": Operation("logs", "describe_resource_policies"),
    "logs:DescribeSubscriptionFilters": Operation("logs", "describe_subscription_filters"),
    "logs:FilterLogEvents": Operation("logs", "filter_log_events"),
    "logs:GetDataProtectionPolicy": Operation("logs", "get_data_protection_policy"),
    "oam:ListLinks": Operation("oam", "list_links"),
    "oam:ListSinks": Operation("oam", "list_sinks"),
    "s3:ListBucket": Operation("s3", "head_bucket"),
    "secretsmanager:DescribeSecret": Operation("secretsmanager", "describe_secret"),
    "servicequotas:GetServiceQuota": Operation("service-quotas", "get_service_quota"),
    "servicequotas:ListServiceQuotas": Operation("service-quotas", "list_service_quotas"),
    "ssm:GetParameter": Operation("ssm", "get_parameter"),
    "sts:GetCallerIdentity": Operation("sts", "get_caller_identity"),
    "wafv2:ListIPSets": Operation("wafv2", "list_ip_sets"),
    "wafv2:ListWebACLs": Operation("wafv2", "list_web_acls"),
}

WRITES: Final = {
    "bedrock-agentcore:InvokeAgentRuntime": Operation("bedrock-agentcore", "invoke_agent_runtime"),
    "lambda:DeleteFunctionConcurrency": Operation("lambda", "delete_function_concurrency"),
    "lambda:PutFunctionConcurrency": Operation("lambda", "put_function_concurrency"),
}
