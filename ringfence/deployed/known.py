"""What is known of a template: sections, members of a resource, types and their properties. All else is an error.

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
_BLOCK: Final = "PublicAccessBlockConfiguration."
_RULE: Final = "FromPort IpProtocol ToPort CidrIp CidrIpv6"

_SECTIONS: Final = frozenset(
    "AWSTemplateFormatVersion Conditions Description Mappings Metadata Outputs Parameters Resources Rules".split()
)
"""What is read, or changes nothing that is made of the template, as a rule that stops a deployment. Not so a transform,
which writes the template anew in the account, and a hook, which shifts calls from one resource to another."""
_MEMBERS: Final[Mapping[str, tuple[str, str]]] = {
    "Resources": ("Type", "Condition DeletionPolicy DependsOn Metadata Properties UpdateReplacePolicy"),
    "Outputs": ("Value", "Description Export"),
}
"""The member that each entry of a section must have, and those that it may."""


@dataclass(frozen=True)
class Known:
    """What is known of one resource type: names of properties, separated by spaces.

    Attributes:
        read: what something reads.
        aside: what nothing needs to read.
    """

    read: str = ""
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
        return sorted(set(_unknown(properties, self._tree, "") if self._tree else properties))


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
        for value in values_at(properties, path):
            if not any(fnmatchcase(value, pattern) for pattern in patterns):
                yield path, value, patterns


def values_at(place: Any, path: str) -> Iterator[str]:
    """The values at a dotted name, in each entry of a list; empty where there is none."""
    if isinstance(place, list):
        for item in place:
            yield from values_at(item, path)
    elif path:
        name, _, rest = path.partition(".")
        yield from values_at(place.get(name, "") if isinstance(place, Mapping) else "", rest)
    else:
        yield str(place).lower() if isinstance(place, bool) else str(place)


def strange_in(template: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What of a template's form is not known: the section, resource or output, and what about it."""
    for section in sorted(template.keys() - _SECTIONS):
        yield section, "is a section of a template that nothing here reads"
    for section, (needed, others) in _MEMBERS.items():
        entries = template.get(section, {})
        if not isinstance(entries, Mapping):
            yield section, "is a section that is no object"
            continue
        for name, entry in entries.items():
            members = entry.keys() if isinstance(entry, Mapping) else set()
            if needed not in members:
                yield name, f"stands under {section} and has no {needed}"
            for member in sorted(members - {needed, *others.split()}):
                yield name, f"has the member {member}, which nothing here reads"


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
        "Description KmsKeyArn",
    ),
    "AWS::BedrockAgentCore::GatewayTarget": Known(
        f"{_CREDENTIAL}.IamCredentialProvider.Region {_CREDENTIAL}.IamCredentialProvider.Service {_CREDENTIAL}Type "
        f"GatewayIdentifier MetadataConfiguration.AllowedRequestHeaders Name {_SERVER}Endpoint {_SERVER}ListingMode "
        f"{_SERVER}McpToolSchema.InlinePayload",
        "Description",
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
        "Description LifecycleConfiguration",
    ),
    "AWS::CloudTrail::Trail": Known(
        "AdvancedEventSelectors.FieldSelectors CloudWatchLogsLogGroupArn CloudWatchLogsRoleArn "
        "EnableLogFileValidation IncludeGlobalServiceEvents IsLogging IsMultiRegionTrail KMSKeyId S3BucketName",
        "AdvancedEventSelectors.Name TrailName",
    ),
    "AWS::Cognito::LogDeliveryConfiguration": Known(
        "LogConfigurations.CloudWatchLogsConfiguration.LogGroupArn LogConfigurations.EventSource "
        "LogConfigurations.LogLevel UserPoolId",
    ),
    "AWS::Cognito::UserPool": Known(
        "AccountRecoverySetting AdminCreateUserConfig DeletionProtection EnabledMfas "
        "LambdaConfig.PreTokenGenerationConfig.LambdaArn LambdaConfig.PreTokenGenerationConfig.LambdaVersion "
        "MfaConfiguration UserPoolAddOns.AdvancedSecurityMode UserPoolTier",
        "Policies.PasswordPolicy Schema UserPoolAddOns.AdvancedSecurityAdditionalFlows UserPoolName "
        "UsernameConfiguration",
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
        "AttributeMapping ProviderDetails ProviderName ProviderType UserPoolId"
    ),
    "AWS::Cognito::UserPoolResourceServer": Known(
        "Identifier Scopes.ScopeName UserPoolId", "Name Scopes.ScopeDescription"
    ),
    "AWS::Cognito::UserPoolRiskConfigurationAttachment": Known(
        "AccountTakeoverRiskConfiguration.Actions ClientId CompromisedCredentialsRiskConfiguration.Actions UserPoolId"
    ),
    "AWS::EC2::FlowLog": Known(
        "DeliverLogsPermissionArn LogGroupName",
        "LogDestinationType MaxAggregationInterval ResourceId ResourceType TrafficType",
    ),
    "AWS::EC2::RouteTable": Known("VpcId", "Tags"),
    "AWS::EC2::SecurityGroup": Known(
        " ".join(
            f"SecurityGroup{side}.{name}"
            for side, end in (("Egress", "Destination"), ("Ingress", "Source"))
            for name in f"{_RULE} {end}PrefixListId {end}SecurityGroupId".split()
        ),
        "GroupDescription Tags VpcId SecurityGroupEgress.Description SecurityGroupIngress.Description",
    ),
    "AWS::EC2::SecurityGroupEgress": Known(
        f"{_RULE} DestinationPrefixListId DestinationSecurityGroupId", "Description GroupId"
    ),
    "AWS::EC2::SecurityGroupIngress": Known(f"{_RULE} SourcePrefixListId SourceSecurityGroupId", "Description GroupId"),
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
    "AWS::KMS::Key": Known("KeyPolicy KeySpec KeyUsage", "Description EnableKeyRotation PendingWindowInDays"),
    "AWS::Lambda::Function": Known(
        "Code.S3Bucket Code.S3Key Environment.Variables Handler LoggingConfig.LogGroup MemorySize PackageType "
        "ReservedConcurrentExecutions Role Runtime Timeout VpcConfig.SecurityGroupIds VpcConfig.SubnetIds",
        "Architectures Description FunctionName KmsKeyArn LoggingConfig.LogFormat LoggingConfig.SystemLogLevel",
    ),
    "AWS::Lambda::Permission": Known("Action FunctionName Principal SourceArn", "SourceAccount"),
    "AWS::Logs::LogGroup": Known(
        "DataProtectionPolicy KmsKeyId LogGroupName RetentionInDays", "DeletionProtectionEnabled FieldIndexPolicies"
    ),
    "AWS::Logs::QueryDefinition": Known("LogGroupNames Name QueryString"),
    "AWS::Logs::ResourcePolicy": Known("PolicyDocument", "PolicyName"),
    "AWS::Organizations::Policy": Known("Content TargetIds Type", "Description Name"),
    "AWS::Route53Resolver::FirewallDomainList": Known("Domains", "Name"),
    "AWS::Route53Resolver::FirewallRuleGroup": Known(
        "FirewallRules.Action FirewallRules.BlockResponse FirewallRules.FirewallDomainListId FirewallRules.Priority",
        "FirewallRules.FirewallDomainRedirectionAction Name",
    ),
    "AWS::Route53Resolver::FirewallRuleGroupAssociation": Known("FirewallRuleGroupId VpcId", "Name Priority"),
    "AWS::Route53Resolver::ResolverQueryLoggingConfig": Known("DestinationArn", "Name"),
    "AWS::S3::Bucket": Known(
        f"LoggingConfiguration.DestinationBucketName {_BLOCK}BlockPublicAcls {_BLOCK}BlockPublicPolicy "
        f"{_BLOCK}IgnorePublicAcls {_BLOCK}RestrictPublicBuckets",
        "BucketEncryption BucketName LifecycleConfiguration LoggingConfiguration.LogFilePrefix ObjectLockConfiguration "
        "ObjectLockEnabled OwnershipControls VersioningConfiguration",
    ),
    "AWS::S3::BucketPolicy": Known("Bucket PolicyDocument"),
    "AWS::WAFv2::IPSet": Known("Addresses", "Description IPAddressVersion Name Scope"),
    "AWS::WAFv2::LoggingConfiguration": Known("LogDestinationConfigs RedactedFields ResourceArn"),
    "AWS::WAFv2::WebACL": Known("DefaultAction Rules", "Description Name Scope VisibilityConfig"),
    "AWS::WAFv2::WebACLAssociation": Known("ResourceArn WebACLArn"),
    "Custom::RuntimeLogGroup": Known(
        "KmsKeyId LogGroupName RetentionInDays ServiceToken",
        "DeletionProtectionEnabled MaskingPolicyDigest ServiceTimeout",
    ),
}

# Types of which nothing reads the properties, with those that may be there.
UNREAD: Final[Mapping[str, Mapping[str, Known]]] = {
    "They only name or describe what others do.": {
        "AWS::BedrockAgentCore::PolicyEngine": Known(aside="Description EncryptionKeyArn Name"),
        "AWS::CDK::Metadata": Known(aside="Analytics"),
        "AWS::CloudFormation::WaitConditionHandle": Known(),
        "AWS::Cognito::UserPoolGroup": Known(aside="Description GroupName UserPoolId"),
    },
    "They can only refuse more: what is proved holds without them.": {
        "AWS::BedrockAgentCore::GatewayRateLimit": Known(
            aside="Description DimensionKeys Entries GatewayIdentifier RateLimitId"
        ),
    },
    "They show pages to somebody who signs in.": {
        "AWS::Cognito::UserPoolDomain": Known(aside="Domain ManagedLoginVersion UserPoolId")
    },
    "They keep records, and decide no call; who else reaches them, their policies say.": {
        "AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation": Known(
            aside="ResolverQueryLogConfigId ResourceId"
        ),
    },
}


def reason_unread(kind: str) -> str | None:
    """Why nothing reads a type, or None where nobody says."""
    return next((why for why, kinds in UNREAD.items() if kind in kinds), None)


def unknown_in(kind: str, properties: Mapping[str, Any]) -> list[str]:
    """The properties of a resource that are not known, as dotted names; none of a type that is not known itself."""
    known = next((kinds[kind] for kinds in (READ, *UNREAD.values()) if kind in kinds), None)
    return known.unknown_in(properties) if known else []
