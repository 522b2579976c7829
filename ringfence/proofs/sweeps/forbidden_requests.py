"""Requests that must be refused, whoever makes them with whatever other rights.

The organisation and the names are examples; policies speak of them by pattern only. So is the account, but a
boundary names its own: what roles must be refused is asked in theirs (`ForbiddenRequest.within`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

ACCOUNT: Final = "111122223333"
ADMINISTRATOR: Final = f"arn:aws:iam::{ACCOUNT}:role/administrator"
ORGANISATION: Final = "o-exampleorg1"

PROFILE: Final = f"arn:aws:bedrock:eu-west-2:{ACCOUNT}:inference-profile/eu.vendor.model"
APPLICATION: Final = f"arn:aws:bedrock:eu-west-2:{ACCOUNT}:application-inference-profile/abc"
MODEL: Final = "arn:aws:bedrock:eu-west-2::foundation-model/vendor.model"
TRAIL: Final = f"arn:aws:cloudtrail:eu-west-2:{ACCOUNT}:trail/ringfence-example-production"
GROUP: Final = f"arn:aws:logs:eu-west-2:{ACCOUNT}:log-group:"
BUCKET: Final = "arn:aws:s3:::ringfence-example-production-audit-trailbucket-abc"
ROLE: Final = f"arn:aws:iam::{ACCOUNT}:role/ringfence-example-production-auditor"
BOUNDARY: Final = f"arn:aws:iam::{ACCOUNT}:policy/ringfence-example-production-auditor-boundary"
KEY: Final = f"arn:aws:kms:eu-west-2:{ACCOUNT}:key/1"
GOVERNED: Final = {
    "bedrock-agentcore:PolicyEngineMode": "ENFORCE",
    "bedrock-agentcore:GatewayAuthorizerType": "CUSTOM_JWT",
}
IN_IAM: Final = {"aws:RequestedRegion": "us-east-1"}
OUR_KEY: Final = {"kms:ResourceAliases": ["alias/ringfence-example-production-logs"]}
Asked = tuple[str, str, Mapping[str, Any]]


@dataclass(frozen=True)
class ForbiddenRequest:
    """A request that a role must never be able to make, even if its rights grow.

    Attributes:
        name: what it would be, in words.
        action: `service:Action`.
        resource: an ARN or `*`.
        context: what is special about it; a source identity and eu-west-2 are the rule.
        absent: context keys that the request lacks although it usually has them.
        kept_out_by_list: kinds of boundary (`service`, `passed_role`, `made`) that refuse it only because their list of
            actions does not hold it.
    """

    name: str
    action: str
    resource: str = "*"
    context: Mapping[str, Any] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    kept_out_by_list: tuple[str, ...] = ()

    def within(self, account: str) -> ForbiddenRequest:
        """The same danger in another account than the example's."""
        return replace(self, resource=self.resource.replace(f":{ACCOUNT}:", f":{account}:"))


OF_ROLES: Final = (
    ForbiddenRequest("another region", "ec2:RunInstances", context={"aws:RequestedRegion": "eu-west-1"}),
    ForbiddenRequest("IAM anywhere but where it is", "iam:ListUsers", context={"aws:RequestedRegion": "us-west-2"}),
    ForbiddenRequest("masked data in clear", "logs:Unmask", f"{GROUP}application:*"),
    ForbiddenRequest(
        "the record of everybody's calls",
        "logs:StartQuery",
        f"{GROUP}/ringfence/example/calls/auditor",
        kept_out_by_list=("service",),
    ),
    ForbiddenRequest("a model", "bedrock:InvokeModel", MODEL),
    ForbiddenRequest("an inference profile of one's own", "bedrock:CreateInferenceProfile"),
    ForbiddenRequest("a model of another way to Bedrock", "bedrock-mantle:CreateInference"),
    ForbiddenRequest("an MCP server of AWS's", "ecs-mcp:UseMcp"),
    ForbiddenRequest(
        "a key that outlives the session",
        "iam:CreateServiceSpecificCredential",
        context={"aws:RequestedRegion": "us-east-1"},
    ),
    ForbiddenRequest("a shell in a runtime", "bedrock-agentcore:InvokeAgentRuntimeCommandShell"),
    ForbiddenRequest("acting for a user that is only named", "bedrock-agentcore:InvokeAgentRuntimeForUser"),
    ForbiddenRequest("a code interpreter", "bedrock-agentcore:InvokeCodeInterpreter"),
    ForbiddenRequest("AWS's managed MCP", "s3:GetObject", "arn:aws:s3:::x/y", {"aws:ViaAWSMCPService": "true"}),
    ForbiddenRequest(
        "a bucket of another account",
        "s3:PutObject",
        "arn:aws:s3:::ringfence-sandbox-x/y",
        {"aws:ResourceAccount": "000000000000"},
    ),
    ForbiddenRequest("another role", "sts:AssumeRole", ADMINISTRATOR, kept_out_by_list=("service",)),
    ForbiddenRequest("credentials without a role's limits", "sts:GetFederationToken", kept_out_by_list=("service",)),
    ForbiddenRequest(
        "a call that names nobody",
        "s3:ListAllMyBuckets",
        absent=("aws:SourceIdentity",),
        kept_out_by_list=("passed", "made", "service"),
    ),
)

# What the shared boundary of functions, gateways and runtimes must refuse beside: its roles name less than it does.
OF_SERVICE_ROLES: Final = (
    ForbiddenRequest("the session of another role", "sts:TagSession", ADMINISTRATOR),
    ForbiddenRequest("a name for another role's session", "sts:SetSourceIdentity", ADMINISTRATOR),
    ForbiddenRequest("a bucket without code", "s3:GetObject", f"{BUCKET}/trail/x"),
    ForbiddenRequest(
        "a function of somebody else", "lambda:InvokeFunction", f"arn:aws:lambda:eu-west-2:{ACCOUNT}:function:other"
    ),
    ForbiddenRequest(
        "a runtime of somebody else",
        "bedrock-agentcore:InvokeAgentRuntime",
        f"arn:aws:bedrock-agentcore:eu-west-2:{ACCOUNT}:runtime/other-0123456789",
    ),
    ForbiddenRequest(
        "the masking of a log group that is no runtime's", "logs:PutDataProtectionPolicy", f"{GROUP}application"
    ),
    ForbiddenRequest(
        "a grant for more than reading",
        "kms:CreateGrant",
        KEY,
        {"kms:GrantConstraintType": "EncryptionContextSubset", "kms:GrantOperations": ["Decrypt", "Sign"]},
    ),
)

# (action, resource, context) by the statement of a service control policy that is there for it.
OF_ACCOUNTS: Final[Mapping[str, list[Asked]]] = {
    "DenyOtherRegions": [
        ("ec2:RunInstances", "*", {"aws:RequestedRegion": "eu-west-1"}),
        ("s3:PutObject", "arn:aws:s3:::x/y", {"aws:RequestedRegion": "us-east-1"}),
        # A call of a global inference profile.
        (
            "bedrock:InvokeModel",
            "arn:aws:bedrock:::foundation-model/vendor.model",
            {"aws:RequestedRegion": "unspecified"},
        ),
    ],
    "DenyGlobalServicesOutsideUsEast1": [
        ("iam:ListUsers", "*", {"aws:RequestedRegion": "us-west-2"}),
        ("organizations:ListAccounts", "*", {"aws:RequestedRegion": "eu-west-1"}),
    ],
    "DenyMakingInferenceProfiles": [("bedrock:CreateInferenceProfile", APPLICATION, {})],
    "DenyInferenceProfiles": [
        ("bedrock:InvokeModel", PROFILE, {}),
        ("bedrock:InvokeModelWithResponseStream", APPLICATION, {}),
        ("bedrock:CreateModelInvocationJob", PROFILE, {}),
    ],
    "DenyModelsBehindProfiles": [("bedrock:InvokeModel", MODEL, {"bedrock:InferenceProfileArn": PROFILE})],
    "DenyRuntimesOutsideTheVpc": [
        ("bedrock-agentcore:CreateAgentRuntime", "*", {}),
        ("bedrock-agentcore:UpdateAgentRuntime", "*", {}),
    ],
    "DenyGatewaysWithoutEnforce": [
        ("bedrock-agentcore:CreateGateway", "*", {**GOVERNED, "bedrock-agentcore:PolicyEngineMode": "LOG_ONLY"}),
        ("bedrock-agentcore:UpdateGateway", "*", {"bedrock-agentcore:GatewayAuthorizerType": "CUSTOM_JWT"}),
    ],
    "DenyGatewaysWithoutJwt": [
        ("bedrock-agentcore:CreateGateway", "*", {**GOVERNED, "bedrock-agentcore:GatewayAuthorizerType": "NONE"}),
        ("bedrock-agentcore:UpdateGateway", "*", {"bedrock-agentcore:PolicyEngineMode": "ENFORCE"}),
    ],
    "DenyShellsAndImpersonation": [
        (f"bedrock-agentcore:{action}", "*", {})
        for action in (
            "InvokeAgentRuntimeCommand",
            "InvokeAgentRuntimeCommandShell",
            "InvokeAgentRuntimeForUser",
            "InvokeAgentRuntimeWithWebSocketStreamForUser",
            "StartPolicyGeneration",
        )
    ],
    "DenyTokensForNamedUsers": [("bedrock-agentcore:GetWorkloadAccessTokenForUserId", "*", {})],
    "DenyCodeInterpretersAndBrowsers": [
        (f"bedrock-agentcore:{action}", "*", {})
        for action in (
            "ConnectBrowserAutomationStream",
            "CreateBrowser",
            "CreateCodeInterpreter",
            "InvokeCodeInterpreter",
            "StartBrowserSession",
            "StartCodeInterpreterSession",
        )
    ],
    "DenyManagedMcp": [("s3:GetObject", "arn:aws:s3:::x/y", {"aws:ViaAWSMCPService": "true"})],
    "DenyHostedMcp": [
        (action, "*", {})
        for action in (
            "agent-registry:InvokeRegistryMcp",
            "agentaccess-mcp:InvokeMcp",
            "application-signals-mcp:CallReadOnlyTool",
            "application-signals-mcp:InvokeMcp",
            "bedrock-agentcore:InvokeRegistryMcp",
            "ecs-mcp:UseMcp",
            "eks-mcp:CallPrivilegedTool",
        )
    ],
    "DenyLongLivedKeys": [
        ("bedrock:CallWithBearerToken", "*", {}),
        ("iam:CreateServiceSpecificCredential", "*", IN_IAM),
        ("iam:ResetServiceSpecificCredential", "*", IN_IAM),
        ("iam:EnableOutboundWebIdentityFederation", "*", IN_IAM),
        ("logs:CallWithBearerToken", "*", {}),
        ("sagemaker:CallWithBearerToken", "*", {}),
        ("sts:GetWebIdentityToken", "*", {}),
    ],
    "DenyUngovernedInference": [
        (action, "*", {})
        for action in (
            "aws-external-anthropic:CallWithBearerToken",
            "aws-external-anthropic:CreateBatchInference",
            "aws-external-anthropic:CreateInference",
            "bedrock-agentcore:CreateEvaluator",
            "bedrock-agentcore:CreateMemory",
            "bedrock-agentcore:CreateOnlineEvaluationConfig",
            "bedrock-agentcore:Evaluate",
            "bedrock-agentcore:InvokeWebSearch",
            "bedrock-agentcore:StartBatchEvaluation",
            "bedrock-mantle:CreateInference",
            "bedrock-websearch:InvokeSearch",
            "guardduty:CreateInvestigation",
            "nova-act:CreateAct",
            "q:SendMessage",
            "qbusiness:ChatSync",
            "quicksight:PredictQAResults",
        )
    ],
    "ProtectTrails": [
        (f"cloudtrail:{action}", TRAIL, {})
        for action in ("DeleteTrail", "PutEventSelectors", "StopLogging", "UpdateTrail")
    ],
    "ProtectLogGroups": [
        *(
            (f"logs:{action}", f"{GROUP}/ringfence/example-production/cloudtrail", {})
            for action in (
                "AssociateKmsKey",
                "CreateExportTask",
                "CreateLogAnomalyDetector",
                "DeleteDataProtectionPolicy",
                "DeleteLogGroup",
                "DeleteRetentionPolicy",
                "DisassociateKmsKey",
                "IntegrateWithDataset",
                "IntegrateWithS3Table",
                "PutDataProtectionPolicy",
                "PutLogGroupDeletionProtection",
                "PutRetentionPolicy",
                "PutSubscriptionFilter",
                "PutTransformer",
            )
        ),
        ("logs:DeleteLogStream", f"{GROUP}/aws/bedrock-agentcore/runtimes/x-DEFAULT:log-stream:y", {}),
        ("logs:DeleteLogGroup", f"{GROUP}aws-waf-logs-ringfence-example-production-auditor", {}),
        ("logs:DeleteLogGroup", f"{GROUP}/aws/vendedlogs/bedrock-agentcore/gateway/APPLICATION_LOGS/x", {}),
    ],
    "ProtectLogDelivery": [
        (f"logs:{action}", "*", {})
        for action in (
            "DeleteDelivery",
            "DeleteDeliverySource",
            "DeleteResourcePolicy",
            "PutAccountPolicy",
            "PutResourcePolicy",
        )
    ],
    "ProtectIngress": [
        *(
            (f"bedrock-agentcore:{action}", f"arn:aws:bedrock-agentcore:eu-west-2:{ACCOUNT}:{resource}", {})
            for action in ("DeleteResourcePolicy", "PutResourcePolicy")
            for resource in ("gateway/ringfence-example-auditor-0123456789", "runtime/ringfence_example__auditor_iam-x")
        ),
        *(
            (f"wafv2:{action}", f"arn:aws:wafv2:eu-west-2:{ACCOUNT}:regional/webacl/ringfence-example-auditor/1", {})
            for action in ("DeleteLoggingConfiguration", "PutLoggingConfiguration")
        ),
    ],
    "ProtectLogSources": [
        (action, f"arn:aws:{resource}", {"aws:ResourceTag/ringfence:department": "example"})
        for action, resource in (
            ("cognito-idp:SetLogDeliveryConfiguration", f"cognito-idp:eu-west-2:{ACCOUNT}:userpool/eu-west-2_x"),
            ("cognito-idp:UntagResource", f"cognito-idp:eu-west-2:{ACCOUNT}:userpool/eu-west-2_x"),
            ("ec2:DeleteFlowLogs", f"ec2:eu-west-2:{ACCOUNT}:vpc-flow-log/fl-1"),
            ("ec2:DeleteTags", f"ec2:eu-west-2:{ACCOUNT}:vpc-flow-log/fl-1"),
        )
    ],
    "DenySharingLogs": [
        (action, "*", {})
        for action in (
            "logs:AssociateSourceToS3TableIntegration",
            "logs:CreateScheduledQuery",
            "logs:UpdateScheduledQuery",
            "oam:CreateLink",
            "oam:UpdateLink",
            "observabilityadmin:CreateCentralizationRuleForOrganization",
            "observabilityadmin:UpdateCentralizationRuleForOrganization",
        )
    ],
    "DenyUnmaskingLogs": [("logs:Unmask", f"{GROUP}anything", {})],
    "ProtectDnsFirewall": [
        (f"route53resolver:{action}", "*", {})
        for action in (
            "AssociateFirewallRuleGroup",
            "CreateFirewallRule",
            "DeleteFirewallDomainList",
            "DeleteFirewallRule",
            "DeleteFirewallRuleGroup",
            "DisassociateFirewallRuleGroup",
            "ImportFirewallDomains",
            "PutFirewallRuleGroupPolicy",
            "UpdateFirewallConfig",
            "UpdateFirewallDomains",
            "UpdateFirewallRule",
            "UpdateFirewallRuleGroupAssociation",
        )
    ],
    "ProtectDnsQueryLogs": [
        (f"route53resolver:{action}", "*", {})
        for action in ("DeleteResolverQueryLogConfig", "DisassociateResolverQueryLogConfig")
    ],
    "ProtectAuditBuckets": [
        *(
            (f"s3:{action}", BUCKET, {})
            for action in (
                "DeleteBucket",
                "DeleteBucketPolicy",
                "PutBucketObjectLockConfiguration",
                "PutBucketPolicy",
                "PutBucketVersioning",
                "PutEncryptionConfiguration",
                "PutLifecycleConfiguration",
            )
        ),
        *(
            (f"s3:{action}", f"{BUCKET}/trail/x", {})
            for action in (
                "BypassGovernanceRetention",
                "DeleteObjectVersion",
                "PutObjectLegalHold",
                "PutObjectRetention",
            )
        ),
    ],
    "ProtectKeys": [
        (f"kms:{action}", KEY, OUR_KEY)
        for action in (
            "DeleteAlias",
            "DeleteImportedKeyMaterial",
            "DisableKeyRotation",
            "PutKeyPolicy",
            "ScheduleKeyDeletion",
            "UpdateAlias",
        )
    ],
    "ProtectKeysFromDisabling": [("kms:DisableKey", KEY, OUR_KEY)],
    "ProtectRolesAndBoundaries": [
        *(
            (f"iam:{action}", ROLE, IN_IAM)
            for action in (
                "AttachRolePolicy",
                "CreateRole",
                "DeleteRole",
                "DeleteRolePermissionsBoundary",
                "DeleteRolePolicy",
                "DetachRolePolicy",
                "PutRolePermissionsBoundary",
                "PutRolePolicy",
                "UpdateAssumeRolePolicy",
            )
        ),
        *(
            (f"iam:{action}", BOUNDARY, IN_IAM)
            for action in (
                "CreatePolicy",
                "CreatePolicyVersion",
                "DeletePolicy",
                "DeletePolicyVersion",
                "SetDefaultPolicyVersion",
            )
        ),
    ],
}

THEIRS: Final = {"aws:PrincipalOrgID": "o-somebodyelse", "aws:PrincipalIsAWSService": "false"}
SERVICE: Final = {"aws:PrincipalIsAWSService": "true", "aws:SourceAccount": ACCOUNT}
# (principal, context) by the statement of a resource control policy that is there for it.
OF_STRANGERS: Final[Mapping[str, list[tuple[str, Mapping[str, Any]]]]] = {
    "DenyPrincipalsOutsideOrganisation": [
        ("arn:aws:iam::000000000000:role/x", THEIRS),
        ("arn:aws:iam::000000000000:role/x", {"aws:PrincipalIsAWSService": "false"}),
        ("anonymous", {}),
    ],
    "DenyServicesForOtherOrganisations": [
        ("cloudtrail.amazonaws.com", {**SERVICE, "aws:SourceOrgID": "o-somebodyelse"}),
        ("cloudtrail.amazonaws.com", SERVICE),
    ],
}
