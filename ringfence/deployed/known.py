"""Which resource types are read, and which of their properties: anything else in a template is an error.

A property stands under `read` where something here reads it, or under `aside`: it changes neither who may do what nor
what a call meets. A dotted name goes into a property, and into each entry of a list; what is named without going on is
taken whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any, Final

_JWT: Final = "AuthorizerConfiguration.CustomJWTAuthorizer."
_CLAIM: Final = f"{_JWT}CustomClaims."
_MATCH: Final = f"{_CLAIM}AuthorizingClaimMatchValue."
_MCP: Final = "ProtocolConfiguration.Mcp."
_INTERCEPTOR: Final = "InterceptorConfigurations."
_SERVER: Final = "TargetConfiguration.Mcp.McpServer."
_CREDENTIAL: Final = "CredentialProviderConfigurations.CredentialProvider"
_CODE: Final = "AgentRuntimeArtifact.CodeConfiguration."
_RULE: Final = "Description FromPort IpProtocol ToPort CidrIp CidrIpv6"


@dataclass(frozen=True)
class Known:
    """What is known of one resource type: names of properties, separated by spaces.

    Attributes:
        read: what something reads.
        aside: what nothing needs to read.
    """

    read: str
    aside: str = ""

    @cached_property
    def _tree(self) -> dict[str, Any]:
        tree: dict[str, Any] = {}
        for path in (*self.read.split(), *self.aside.split()):
            place = tree
            for name in path.split("."):
                place = place.setdefault(name, {})
        return tree

    def unknown_in(self, properties: Mapping[str, Any]) -> list[str]:
        """The properties that are not known, as dotted names."""
        return sorted(set(_unknown(properties, self._tree, "")))


def _unknown(value: Any, tree: Mapping[str, Any], where: str) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _unknown(item, tree, where)
    elif tree and isinstance(value, Mapping):
        for name, inner in value.items():
            path = f"{where}.{name}" if where else name
            if name in tree:
                yield from _unknown(inner, tree[name], path)
            else:
                yield path


def other_values(
    properties: Mapping[str, Any], honoured: Mapping[str, tuple[str, ...]]
) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """The values that somebody cannot honour: dotted name, value, and what would be honoured.

    Args:
        properties: of one resource.
        honoured: patterns of values by dotted name; an empty one where the property may be missing.
    """
    for path, patterns in honoured.items():
        for value in _values(properties, path.split(".")):
            if not any(fnmatchcase(value, pattern) for pattern in patterns):
                yield path, value, patterns


def _values(place: Any, path: list[str]) -> Iterator[str]:
    """The values at a dotted name, in each entry of a list; empty where there is none."""
    if isinstance(place, list):
        for item in place:
            yield from _values(item, path)
    elif path:
        yield from _values(place.get(path[0], "") if isinstance(place, Mapping) else "", path[1:])
    else:
        yield str(place).lower() if isinstance(place, bool) else str(place)


READ: Final[Mapping[str, Known]] = {
    "AWS::BedrockAgentCore::Gateway": Known(
        f"AuthorizerType {_JWT}DiscoveryUrl {_JWT}AllowedClients {_JWT}AllowedAudience {_JWT}AllowedScopes "
        f"{_CLAIM}InboundTokenClaimName {_CLAIM}InboundTokenClaimValueType {_MATCH}ClaimMatchOperator "
        f"{_MATCH}ClaimMatchValue.MatchValueString {_MATCH}ClaimMatchValue.MatchValueStringList ExceptionLevel "
        f"{_INTERCEPTOR}InterceptionPoints {_INTERCEPTOR}Interceptor.Lambda.Arn "
        f"{_INTERCEPTOR}InputConfiguration.PassRequestHeaders Name PolicyEngineConfiguration.Arn "
        f"PolicyEngineConfiguration.Mode {_MCP}Instructions {_MCP}SearchType "
        f"{_MCP}SessionConfiguration.SessionTimeoutInSeconds {_MCP}StreamingConfiguration.EnableResponseStreaming "
        f"{_MCP}SupportedVersions ProtocolType RoleArn",
        f"Description KmsKeyArn Tags WafConfiguration {_JWT}AdvertisedScopeMapping",
    ),
    "AWS::BedrockAgentCore::GatewayTarget": Known(
        f"{_CREDENTIAL}.IamCredentialProvider.Region {_CREDENTIAL}.IamCredentialProvider.Service {_CREDENTIAL}Type "
        f"GatewayIdentifier MetadataConfiguration.AllowedRequestHeaders Name {_SERVER}Endpoint {_SERVER}ListingMode "
        f"{_SERVER}McpToolSchema.InlinePayload",
        f"Description MetadataConfiguration.AllowedQueryParameters MetadataConfiguration.AllowedResponseHeaders "
        f"{_SERVER}ResourcePriority",
    ),
    "AWS::BedrockAgentCore::Policy": Known(
        "Definition.Cedar.Statement Definition.Policy.Statement EnforcementMode Name PolicyEngineId ValidationMode",
        "Description",
    ),
    "AWS::BedrockAgentCore::ResourcePolicy": Known("Policy ResourceArn"),
    "AWS::BedrockAgentCore::Runtime": Known(
        f"AgentRuntimeName {_CODE}Code.S3.Bucket {_CODE}Code.S3.Prefix {_CODE}EntryPoint {_CODE}Runtime "
        "EnvironmentVariables NetworkConfiguration.NetworkMode NetworkConfiguration.NetworkModeConfig.SecurityGroups "
        "NetworkConfiguration.NetworkModeConfig.Subnets ProtocolConfiguration "
        "RequestHeaderConfiguration.RequestHeaderAllowlist RoleArn",
        f"Description LifecycleConfiguration PlatformVersion Tags {_CODE}Code.S3.VersionId",
    ),
    "AWS::CloudTrail::Trail": Known(
        "AdvancedEventSelectors.FieldSelectors CloudWatchLogsLogGroupArn CloudWatchLogsRoleArn "
        "EnableLogFileValidation IncludeGlobalServiceEvents IsLogging IsMultiRegionTrail",
        "AdvancedEventSelectors.Name KMSKeyId S3BucketName Tags TrailName",
    ),
    "AWS::Cognito::UserPool": Known(
        "AccountRecoverySetting AdminCreateUserConfig DeletionProtection EnabledMfas LambdaConfig MfaConfiguration "
        "UserPoolAddOns UserPoolTier",
        "Policies Schema UserPoolName UserPoolTags UsernameConfiguration",
    ),
    "AWS::Cognito::UserPoolClient": Known(
        "AccessTokenValidity AllowedOAuthFlows AllowedOAuthFlowsUserPoolClient AllowedOAuthScopes CallbackURLs "
        "ClientName EnableTokenRevocation ExplicitAuthFlows GenerateSecret IdTokenValidity LogoutURLs "
        "PreventUserExistenceErrors ReadAttributes RefreshTokenRotation.Feature "
        "RefreshTokenRotation.RetryGracePeriodSeconds RefreshTokenValidity SupportedIdentityProviders "
        "TokenValidityUnits UserPoolId WriteAttributes",
        "AuthSessionValidity",
    ),
    "AWS::Cognito::UserPoolIdentityProvider": Known(
        "AttributeMapping ProviderDetails ProviderName ProviderType", "UserPoolId"
    ),
    "AWS::Cognito::UserPoolResourceServer": Known(
        "Identifier Scopes.ScopeName UserPoolId", "Name Scopes.ScopeDescription"
    ),
    "AWS::EC2::FlowLog": Known(
        "DeliverLogsPermissionArn",
        "LogDestinationType LogGroupName MaxAggregationInterval ResourceId ResourceType Tags TrafficType",
    ),
    "AWS::EC2::RouteTable": Known("VpcId", "Tags"),
    "AWS::EC2::SecurityGroup": Known(
        " ".join(
            f"SecurityGroup{side}.{name}"
            for side in ("Egress", "Ingress")
            for name in f"{_RULE} DestinationPrefixListId SourcePrefixListId".split()
        ),
        "GroupDescription GroupName Tags VpcId SecurityGroupEgress.DestinationSecurityGroupId "
        "SecurityGroupIngress.SourceSecurityGroupId",
    ),
    "AWS::EC2::SecurityGroupEgress": Known(f"{_RULE} DestinationPrefixListId", "DestinationSecurityGroupId GroupId"),
    "AWS::EC2::SecurityGroupIngress": Known(f"{_RULE} SourcePrefixListId", "GroupId SourceSecurityGroupId"),
    "AWS::EC2::Subnet": Known(
        "AssignIpv6AddressOnCreation Ipv6CidrBlock MapPublicIpOnLaunch", "AvailabilityZone CidrBlock Tags VpcId"
    ),
    "AWS::EC2::SubnetRouteTableAssociation": Known("RouteTableId SubnetId"),
    "AWS::EC2::VPC": Known("CidrBlock", "EnableDnsHostnames EnableDnsSupport InstanceTenancy Tags"),
    "AWS::EC2::VPCEndpoint": Known(
        "PolicyDocument PrivateDnsEnabled SecurityGroupIds ServiceName ServiceRegion VpcEndpointType VpcId",
        "RouteTableIds SubnetIds Tags",
    ),
    "AWS::IAM::ManagedPolicy": Known("PolicyDocument Roles", "Description ManagedPolicyName Path"),
    "AWS::IAM::Policy": Known("PolicyDocument Roles", "PolicyName"),
    "AWS::IAM::Role": Known(
        "AssumeRolePolicyDocument Description ManagedPolicyArns MaxSessionDuration Path PermissionsBoundary "
        "Policies.PolicyDocument Policies.PolicyName Tags",
        "RoleName",
    ),
    "AWS::IAM::RolePolicy": Known("PolicyDocument RoleName", "PolicyName"),
    "AWS::KMS::Alias": Known("TargetKeyId", "AliasName"),
    "AWS::KMS::Key": Known(
        "KeyPolicy KeySpec KeyUsage", "Description EnableKeyRotation PendingWindowInDays RotationPeriodInDays Tags"
    ),
    "AWS::Lambda::Function": Known(
        "Code.S3Key Environment.Variables Handler LoggingConfig.LogGroup MemorySize PackageType "
        "ReservedConcurrentExecutions Role Runtime Timeout VpcConfig.SecurityGroupIds VpcConfig.SubnetIds",
        "Architectures Code.S3Bucket CodeSigningConfigArn DeadLetterConfig Description EphemeralStorage FunctionName "
        "KmsKeyArn LoggingConfig.ApplicationLogLevel LoggingConfig.LogFormat LoggingConfig.SystemLogLevel "
        "RecursiveLoop RuntimeManagementConfig SnapStart Tags TracingConfig VpcConfig.Ipv6AllowedForDualStack",
    ),
    "AWS::Logs::LogGroup": Known(
        "LogGroupName RetentionInDays", "DataProtectionPolicy DeletionProtectionEnabled KmsKeyId LogGroupClass Tags"
    ),
    "AWS::Logs::QueryDefinition": Known("LogGroupNames Name QueryString"),
    "AWS::Logs::ResourcePolicy": Known("PolicyDocument", "PolicyName"),
    "AWS::Organizations::Policy": Known("Content Name Type", "Description Tags TargetIds"),
    "AWS::Route53Resolver::FirewallConfig": Known("FirewallFailOpen", "ResourceId"),
    "AWS::Route53Resolver::FirewallDomainList": Known("Domains", "Name Tags"),
    "AWS::Route53Resolver::FirewallRuleGroup": Known(
        "FirewallRules.Action FirewallRules.BlockResponse FirewallRules.FirewallDomainListId FirewallRules.Priority",
        "FirewallRules.FirewallDomainRedirectionAction Name Tags",
    ),
    "AWS::Route53Resolver::FirewallRuleGroupAssociation": Known(
        "FirewallRuleGroupId VpcId", "MutationProtection Name Priority Tags"
    ),
    "AWS::S3::BucketPolicy": Known("Bucket PolicyDocument"),
    "AWS::WAFv2::IPSet": Known("Addresses", "Description IPAddressVersion Name Scope Tags"),
    "AWS::WAFv2::WebACL": Known("DefaultAction Rules", "Description Name Scope Tags VisibilityConfig"),
    "AWS::WAFv2::WebACLAssociation": Known("ResourceArn WebACLArn"),
    "Custom::RuntimeLogGroup": Known(
        "KmsKeyId LogGroupName RetentionInDays ServiceToken",
        "DeletionProtectionEnabled MaskingPolicyDigest ServiceTimeout",
    ),
}

# Types that may be there and of which nothing reads the properties; of those that a pattern means, the ones above are.
UNREAD: Final[Mapping[str, tuple[str, ...]]] = {
    "The proof of the network judges them by their types alone.": ("AWS::EC2::*",),
    "They only name or describe what others do.": (
        "AWS::BedrockAgentCore::PolicyEngine",
        "AWS::CDK::Metadata",
        "AWS::CloudFormation::WaitConditionHandle",
        "AWS::Cognito::UserPoolGroup",
    ),
    "They can only refuse more, or look: what is proved holds without them.": (
        "AWS::BedrockAgentCore::GatewayRateLimit",
        "AWS::Cognito::UserPoolRiskConfigurationAttachment",
    ),
    "They show pages to somebody who signs in.": ("AWS::Cognito::UserPoolDomain",),
    "They say which service may invoke a function; the functions decide for themselves.": ("AWS::Lambda::Permission",),
    "They keep and deliver records, and decide no call.": (
        "AWS::Cognito::LogDeliveryConfiguration",
        "AWS::Route53Resolver::ResolverQueryLoggingConfig*",
        "AWS::S3::Bucket",
        "AWS::WAFv2::LoggingConfiguration",
    ),
}


def reason_unread(kind: str) -> str | None:
    """Why nothing reads a type, or None where nobody says."""
    return next((why for why, kinds in UNREAD.items() if any(fnmatchcase(kind, each) for each in kinds)), None)
