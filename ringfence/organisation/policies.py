"""The guardrails of an organisation: what no principal of its accounts may do, whatever its own policies say.

Service control policies bind the organisation's principals, resource control policies bind whoever touches its
resources. Both are plain JSON documents; each statement has a Sid, and a test that fails without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from ringfence.catalogue.bypasses import denied
from ringfence.catalogue.catalogue import Catalogue
from ringfence.catalogue.iam_statements import Document, Statement, compact, document, words
from ringfence.organisation.organisation import Organisation, elsewhere
from ringfence.reading import names
from ringfence.reading.names import switch_off_role
from ringfence.reading.problems import Problem, ProblemsFound
from ringfence.reading.region import REGION

LONGEST: Final = 5120
"""Characters of a service or resource control policy (AWS Organizations quotas)."""

MOST_PER_TARGET: Final = 5
"""Policies of one type on a target, AWS's own FullAWSAccess or RCPFullAWSAccess among them (same source)."""

Kind = Literal["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"]


@dataclass(frozen=True)
class Guardrail:
    """One policy of the organisation.

    Attributes:
        name: `ringfence-<topic>`.
        kind: AWS's name of the policy type.
        purpose: One sentence for its description.
    """

    name: str
    kind: Kind
    purpose: str
    content: Document

    @property
    def topic(self) -> str:
        """The name as one word: `ringfence-evidence` is `Evidence`."""
        return words(self.name.removeprefix("ringfence-"))


def guardrails(organisation: Organisation, catalogue: Catalogue) -> list[Guardrail]:
    """Returns every guardrail of an organisation.

    Raises:
        ProblemsFound: guardrails are longer, or more on a target, than AWS accepts; all at once.
    """
    service: Kind = "SERVICE_CONTROL_POLICY"
    found = [
        Guardrail(
            "ringfence-residency",
            service,
            "Keeps calls and models in eu-west-2.",
            _residency(organisation, catalogue),
        ),
        Guardrail(
            "ringfence-agents", service, "Keeps agents behind a governed gateway.", document(_agents(organisation))
        ),
        Guardrail(
            "ringfence-records", service, "Keeps records whole, masked and here.", document(_records(organisation))
        ),
        Guardrail(
            "ringfence-evidence",
            service,
            "Protects the record of names, buckets, keys and roles.",
            document(_evidence(organisation)),
        ),
        Guardrail(
            "ringfence-perimeter",
            "RESOURCE_CONTROL_POLICY",
            "Keeps data for the organisation's own principals.",
            document(_perimeter(organisation)),
        ),
    ]
    _check_sizes(found)
    return found


def _check_sizes(found: list[Guardrail]) -> None:
    problems = [
        Problem(
            each.name,
            f"{size} characters",
            f"AWS accepts {LONGEST} characters in such a policy.",
            "Exempt fewer services or roles, with shorter names.",
        )
        for each in found
        if (size := len(compact(each.content))) > LONGEST
    ]
    for kind in sorted({each.kind for each in found}):
        count = 1 + sum(each.kind == kind for each in found)
        if count > MOST_PER_TARGET:
            message = f"With AWS's own there are {count} on a target; AWS accepts {MOST_PER_TARGET}."
            problems.append(Problem(kind, str(count), message, "Join some of them."))
    if problems:
        raise ProblemsFound("guardrails", problems)


def _residency(organisation: Organisation, catalogue: Catalogue) -> Document:
    outside = elsewhere(organisation, catalogue)
    exempt = sorted(f"{prefix}:*" for prefixes in outside.values() for prefix in prefixes)
    lock: Statement = {
        # Also the end of global inference profiles: their calls carry the region "unspecified".
        "Sid": "DenyOtherRegions",
        "Effect": "Deny",
        **({"NotAction": exempt} if exempt else {"Action": "*"}),
        "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:RequestedRegion": REGION}},
    }
    own = [
        _deny(
            f"DenyGlobalServicesOutside{words(region)}",
            [f"{prefix}:*" for prefix in prefixes],
            # iam:PassRole is decided where the service is asked that gets the role; of the rest nothing is in London.
            condition={"StringNotEquals": {"aws:RequestedRegion": sorted({REGION, region})}},
        )
        for region, prefixes in outside.items()
    ]
    profiles = [f"arn:aws:bedrock:*:*:{kind}/*" for kind in ("application-inference-profile", "inference-profile")]
    return document(
        [
            lock,
            *own,
            # The call names London, and its prompt does not stay there or nobody says so (catalogue/bypasses.toml).
            _deny("DenyUngovernedInference", denied("inference")),
            _deny("DenyMakingInferenceProfiles", ["bedrock:CreateInferenceProfile"]),
            _deny("DenyInferenceProfiles", ["bedrock:CreateModelInvocationJob", "bedrock:InvokeModel*"], profiles),
            # The routed half of a call names a plain model; only this key tells that a profile sent it.
            _deny(
                "DenyModelsBehindProfiles",
                ["bedrock:InvokeModel*"],
                condition={"Null": {"bedrock:InferenceProfileArn": "false"}},
            ),
        ]
    )


def _agents(organisation: Organisation) -> list[Statement]:
    make_gateway = ["bedrock-agentcore:CreateGateway", "bedrock-agentcore:UpdateGateway"]
    return [
        _deny(
            "DenyRuntimesOutsideTheVpc",
            ["bedrock-agentcore:CreateAgentRuntime", "bedrock-agentcore:UpdateAgentRuntime"],
            condition={"Null": {"bedrock-agentcore:subnets": "true"}},
        ),
        # Two statements: the keys of one condition must all hold, so together they would deny only what breaks both.
        _deny(
            "DenyGatewaysWithoutEnforce",
            make_gateway,
            condition={"StringNotEquals": {"bedrock-agentcore:PolicyEngineMode": "ENFORCE"}},
        ),
        _deny(
            "DenyGatewaysWithoutJwt",
            make_gateway,
            condition={"StringNotEquals": {"bedrock-agentcore:GatewayAuthorizerType": "CUSTOM_JWT"}},
        ),
        _deny(
            "DenyShellsAndImpersonation",
            [
                "bedrock-agentcore:InvokeAgentRuntime*ForUser",
                "bedrock-agentcore:InvokeAgentRuntimeCommand*",
                # Natural language to Cedar asks a model in another region.
                "bedrock-agentcore:StartPolicyGeneration",
            ],
        ),
        _deny(
            # CloudFormation lists it among what it calls to make a gateway's target (resource schema of
            # AWS::BedrockAgentCore::GatewayTarget, create handler, read 28 November 2026).
            "DenyTokensForNamedUsers",
            ["bedrock-agentcore:GetWorkloadAccessTokenForUserId"],
            condition={"ArnNotLike": {"aws:PrincipalArn": organisation.deployment_arn}},
        ),
        _deny(
            # Not their removal: what somebody made before must not be stuck.
            "DenyCodeInterpretersAndBrowsers",
            [
                "bedrock-agentcore:ConnectBrowser*",
                "bedrock-agentcore:CreateBrowser*",
                "bedrock-agentcore:CreateCodeInterpreter",
                "bedrock-agentcore:InvokeCodeInterpreter",
                "bedrock-agentcore:StartBrowserSession",
                "bedrock-agentcore:StartCodeInterpreterSession",
            ],
        ),
        # AWS's managed MCP servers are another way in, past every control of ours.
        _deny("DenyManagedMcp", ["*"], condition={"Bool": {"aws:ViaAWSMCPService": "true"}}),
        _deny("DenyHostedMcp", denied("mcp")),
        _deny("DenyLongLivedKeys", denied("key")),
    ]


_SWITCH_OFF = f"arn:aws:iam::*:role/{switch_off_role('*')}"


def _records(organisation: Organisation) -> list[Statement]:
    others = {"ArnNotLike": {"aws:PrincipalArn": organisation.exempt_arns}}
    keeper = f"arn:aws:iam::${{aws:PrincipalAccount}}:role/{names.log_group_keeper('*')}"
    groups = (
        "/aws/bedrock-agentcore/*",
        "/aws/vendedlogs/bedrock-agentcore/*",
        "/ringfence/*",
        "aws-waf-logs-ringfence-*",
    )
    return [
        _deny(
            "ProtectTrails",
            [
                "cloudtrail:DeleteTrail",
                "cloudtrail:PutEventSelectors",
                "cloudtrail:StopLogging",
                "cloudtrail:UpdateTrail",
            ],
            ["arn:aws:cloudtrail:*:*:trail/ringfence-*"],
            others,
        ),
        _deny(
            "ProtectLogGroups",
            [
                "logs:AssociateKmsKey",
                "logs:CreateExportTask",
                # It keeps samples of what it sees, as a resource of its own.
                "logs:CreateLogAnomalyDetector",
                "logs:DeleteDataProtectionPolicy",
                "logs:DeleteLogGroup",
                "logs:DeleteLogStream",
                "logs:DeleteRetentionPolicy",
                "logs:DisassociateKmsKey",
                "logs:IntegrateWith*",
                "logs:PutDataProtectionPolicy",
                "logs:PutLogGroupDeletionProtection",
                "logs:PutRetentionPolicy",
                "logs:PutSubscriptionFilter",
                "logs:PutTransformer",
            ],
            [f"arn:aws:logs:*:*:log-group:{group}" for group in groups],
            # The keeper gives AgentCore's log groups key, retention, masking and protection; its own policy says which.
            {"ArnNotLike": {"aws:PrincipalArn": [*organisation.exempt_arns, keeper]}},
        ),
        _deny(
            "ProtectLogDelivery",
            # An account's policy may send every group elsewhere, mask what is evidence or keep it for a month.
            [
                "logs:DeleteDelivery*",
                "logs:DeleteResourcePolicy",
                "logs:PutAccountPolicy",
                "logs:PutResourcePolicy",
            ],
            condition=others,
        ),
        _deny(
            "ProtectIngress",
            [
                "bedrock-agentcore:DeleteResourcePolicy",
                "bedrock-agentcore:PutResourcePolicy",
                "wafv2:DeleteLoggingConfiguration",
                "wafv2:PutLoggingConfiguration",
            ],
            [
                "arn:aws:bedrock-agentcore:*:*:gateway/ringfence-*",
                "arn:aws:bedrock-agentcore:*:*:runtime/ringfence_*",
                "arn:aws:wafv2:*:*:regional/webacl/ringfence-*",
            ],
            others,
        ),
        _deny(
            # What is made for a department bears its tag, and an id of AWS's choosing.
            "ProtectLogSources",
            [
                "cognito-idp:SetLogDeliveryConfiguration",
                "cognito-idp:UntagResource",
                "ec2:DeleteFlowLogs",
                "ec2:DeleteTags",
            ],
            condition={**others, "Null": {"aws:ResourceTag/ringfence:department": "false"}},
        ),
        _deny(
            # None of these names a log group: what they share or copy may be any.
            "DenySharingLogs",
            [
                "logs:AssociateSourceToS3TableIntegration",
                "logs:CreateScheduledQuery",
                "logs:UpdateScheduledQuery",
                "oam:CreateLink",
                "oam:UpdateLink",
                "observabilityadmin:CreateCentralizationRuleForOrganization",
                "observabilityadmin:UpdateCentralizationRuleForOrganization",
            ],
            condition=others,
        ),
        _deny(
            "DenyUnmaskingLogs",
            ["logs:Unmask"],
            condition={"ArnNotLike": {"aws:PrincipalArn": organisation.break_glass_arn}},
        ),
    ]


def _evidence(organisation: Organisation) -> list[Statement]:
    others = {"ArnNotLike": {"aws:PrincipalArn": organisation.exempt_arns}}
    return [
        _deny(
            # Its parts have ids of AWS's choosing, so no resource can be named here; nobody else changes any.
            "ProtectDnsFirewall",
            [
                "route53resolver:AssociateFirewall*",
                "route53resolver:CreateFirewallRule",
                "route53resolver:DeleteFirewall*",
                "route53resolver:DisassociateFirewall*",
                "route53resolver:ImportFirewallDomains",
                "route53resolver:PutFirewall*",
                "route53resolver:UpdateFirewall*",
            ],
            condition=others,
        ),
        _deny(
            "ProtectDnsQueryLogs",
            ["route53resolver:DeleteResolverQueryLog*", "route53resolver:DisassociateResolverQueryLog*"],
            condition=others,
        ),
        _deny(
            "ProtectAuditBuckets",
            [
                "s3:BypassGovernanceRetention",
                "s3:DeleteBucket*",
                "s3:DeleteObjectVersion",
                "s3:PutBucket*",
                "s3:PutEncryptionConfiguration",
                "s3:PutLifecycleConfiguration",
                "s3:PutObjectLegalHold",
                "s3:PutObjectRetention",
            ],
            # CloudFormation names a bucket after its stack.
            ["arn:aws:s3:::ringfence-*"],
            others,
        ),
        _deny(
            "ProtectKeys",
            [
                "kms:DeleteAlias",
                "kms:DeleteImportedKeyMaterial",
                "kms:DisableKeyRotation",
                "kms:PutKeyPolicy",
                "kms:ScheduleKeyDeletion",
                "kms:UpdateAlias",
            ],
            # A key has no name but its aliases, which are protected by this, too.
            condition={**others, "ForAnyValue:StringLike": {"kms:ResourceAliases": "alias/ringfence-*"}},
        ),
        _deny(
            "ProtectKeysFromDisabling",
            ["kms:DisableKey"],
            condition={
                # Security may stop a persona's calls; its role's own policy holds that to the keys that sign them.
                "ArnNotLike": {"aws:PrincipalArn": [*organisation.exempt_arns, _SWITCH_OFF]},
                "ForAnyValue:StringLike": {"kms:ResourceAliases": "alias/ringfence-*"},
            },
        ),
        _deny(
            "ProtectRolesAndBoundaries",
            [
                "iam:AttachRolePolicy",
                # A role made by somebody else would look like ours and have no boundary.
                "iam:CreatePolicy*",
                "iam:CreateRole",
                "iam:DeletePolicy*",
                "iam:DeleteRole*",
                "iam:DetachRolePolicy",
                "iam:PutRolePermissionsBoundary",
                "iam:PutRolePolicy",
                "iam:SetDefaultPolicyVersion",
                "iam:UpdateAssumeRolePolicy",
            ],
            [*(f"arn:aws:iam::*:{kind}/ringfence-*" for kind in ("policy", "role")), *_break_glass(organisation)],
            others,
        ),
    ]


def _break_glass(organisation: Organisation) -> list[str]:
    """The break-glass role, where it is not named as ours are: whoever could make it, or change it, would be exempt."""
    name = organisation.break_glass_role
    return [] if name.startswith("ringfence-") else [f"arn:aws:iam::*:role/{name.replace('{account}', '*')}"]


def _perimeter(organisation: Organisation) -> list[Statement]:
    # STS only where a principal comes with credentials: federation carries no organisation.
    data = ["kms:*", "s3:*", "secretsmanager:*", "sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"]
    return [
        {
            **_deny("DenyPrincipalsOutsideOrganisation", data),
            "Principal": "*",
            "Condition": {
                "StringNotEqualsIfExists": {"aws:PrincipalOrgID": organisation.id},
                "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
            },
        },
        {
            # A service that says on whose behalf it works must work for this organisation.
            **_deny("DenyServicesForOtherOrganisations", data),
            "Principal": "*",
            "Condition": {
                "StringNotEqualsIfExists": {"aws:SourceOrgID": organisation.id},
                "Null": {"aws:SourceAccount": "false"},
                "Bool": {"aws:PrincipalIsAWSService": "true"},
            },
        },
    ]


def _deny(
    sid: str, actions: list[str], resources: list[str] | None = None, condition: Mapping[str, object] | None = None
) -> Statement:
    statement: Statement = {"Sid": sid, "Effect": "Deny", "Action": actions, "Resource": resources or ["*"]}
    return statement | ({"Condition": dict(condition)} if condition else {})
