"""Permissions boundaries: the most a role may ever do, whatever is attached to it later."""

from __future__ import annotations

from collections.abc import Iterable

from ringfence.catalogue.bypasses import denied
from ringfence.catalogue.catalogue import Catalogue
from ringfence.catalogue.files.catalogue_files import PassedRoleFile
from ringfence.catalogue.files.words import PASSING
from ringfence.catalogue.iam_statements import (
    LONGEST_MANAGED_POLICY,
    Document,
    Needs,
    Place,
    Statement,
    account_in,
    allow_statements,
    compact,
    document,
    needs_of,
    region_lock,
    unreadable_logs,
    within,
    words,
)
from ringfence.compilers.compaction import shortened
from ringfence.department.department import Department
from ringfence.reading import names
from ringfence.reading.region import REGION

KEEPING_RUNTIME_OUTPUT = (
    "logs:AssociateKmsKey",
    "logs:CreateLogGroup",
    "logs:PutDataProtectionPolicy",
    "logs:PutLogGroupDeletionProtection",
    "logs:PutRetentionPolicy",
)
"""What it takes to give a runtime's log group, made by whomever, what every log group has."""


def persona_boundary(catalogue: Catalogue, department: Department, persona: str) -> Document:
    """Returns the boundary of a persona role: its actions at most, and refusals that hold even if that list grows.

    A boundary that is too long for a managed policy is written shorter: its list with patterns that cover no other
    action, its unconditional refusals as one statement.

    Raises:
        ProblemsFound: the boundary is longer than AWS accepts for a managed policy.
    """
    needed = needs_of(catalogue.granted(persona, department), department)
    by_region: dict[str, set[str]] = {}
    for (region, _, _), actions in needed.items():
        by_region.setdefault(region, set()).update(actions)
    refusals = [
        *_region_denials(_elsewhere(by_region), passes=PASSING in by_region.get(REGION, ())),
        _no_other_account(department, needed),
        *_common_denials(),
        unreadable_logs(),
        _no_role_chaining(),
        {
            # Without a source identity CloudTrail could not name the person behind the call.
            "Sid": "DenyWithoutSourceIdentity",
            "Effect": "Deny",
            "Action": "*",
            "Resource": "*",
            "Condition": {"Null": {"aws:SourceIdentity": "true"}},
        },
    ]
    named = {region: sorted(actions) for region, actions in by_region.items()}
    if len(compact(document([*_at_most(named), *refusals]))) > LONGEST_MANAGED_POLICY:
        named, refusals = (
            {region: shortened(actions) for region, actions in by_region.items()},
            _gathered(refusals, _prefixes({action for actions in by_region.values() for action in actions})),
        )
    return _bounded([*_at_most(named), *refusals], f"boundary of persona {persona}")


def _gathered(refusals: list[Statement], granted: set[str]) -> list[Statement]:
    """Returns refusals with those that know neither resource nor condition gathered in one.

    A service of which nothing is granted is refused whole where that is shorter, and no resource of it a second time.

    Args:
        granted: Prefixes of the services of which something is granted.
    """
    plain = [each for each in refusals if each["Resource"] == "*" and "Action" in each and "Condition" not in each]
    named = [[each["Action"]] if isinstance(each["Action"], str) else each["Action"] for each in plain]
    actions = _whole_services((action for actions in named for action in actions), granted)
    rest = [each for each in refusals if each not in plain and each.get("Action") not in actions]
    return [*rest, {"Sid": "DenyAlways", "Effect": "Deny", "Action": actions, "Resource": "*"}]


def _whole_services(actions: Iterable[str], granted: set[str]) -> list[str]:
    """Returns denied actions; a service with several of them, of which nothing is granted, is denied whole."""
    by_service: dict[str, set[str]] = {}
    for action in actions:
        by_service.setdefault(action.partition(":")[0], set()).add(action)
    return [
        action
        for service, named in sorted(by_service.items())
        for action in ([f"{service}:*"] if len(named) > 1 and service not in granted else sorted(named))
    ]


def _at_most(actions: dict[str, list[str]]) -> list[Statement]:
    """Returns what a persona may do at most, by the region in which AWS answers."""
    return [
        {
            "Sid": f"AllowAtMost{'InLondon' if region == REGION else words(region)}",
            "Effect": "Allow",
            "Action": names,
            "Resource": "*",
            "Condition": region_lock(region),
        }
        for region, names in sorted(actions.items())
    ]


def passed_boundary(role: PassedRoleFile, needed: Needs, place: Place) -> Document:
    """Returns the boundary of a role that a tool passes to a service: its own needs, and refusals beside them.

    It names resources and conditions too: the service works as this role without the VPC's endpoints, and for whatever
    text a caller hands it.

    Raises:
        ProblemsFound: the boundary is longer than AWS accepts for a managed policy.
    """
    by_region: dict[str, set[str]] = {}
    for (region, _, _), actions in needed.items():
        by_region.setdefault(region, set()).update(actions)
    return _bounded(
        [
            *allow_statements(needed),
            *_region_denials(_elsewhere(by_region), passes=PASSING in by_region.get(REGION, ())),
            _no_other_account(place, needed),
            *_common_denials(),
            unreadable_logs(),
            _no_role_chaining(),
        ],
        f"boundary of the role passed to {role.service}",
    )


def made_boundary(needed: Needs, place: Place) -> Document:
    """Returns the boundary that every role made by a passed role must carry.

    Raises:
        ProblemsFound: the boundary is longer than AWS accepts for a managed policy.
    """
    return _bounded(
        [
            *allow_statements(needed),
            *_region_denials({}),
            _no_other_account(place, needed),
            *_common_denials(),
            unreadable_logs(),
            _no_role_chaining(),
        ],
        "boundary of roles that a passed role makes",
    )


def _elsewhere(by_region: dict[str, set[str]]) -> dict[str, list[str]]:
    """Returns the action prefixes that are answered outside London, by region."""
    return {region: sorted(_prefixes(actions)) for region, actions in by_region.items() if region != REGION}


def service_boundary(department: Department) -> Document:
    """Returns the boundary of every function, gateway and runtime role: what those roles ever need, and no more.

    Raises:
        ProblemsFound: the boundary is longer than AWS accepts for a managed policy.
    """
    account, name = department.account, department.name
    here = f"{REGION}:{account}"
    personas = [names.persona_role_arn(account, name, persona) for persona in department.personas]
    allows = [
        _allow(
            "AllowAssumingPersonaRoles",
            ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"],
            personas,
        ),
        _allow(
            "AllowSigningAndDecrypting",
            ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey", "kms:GetPublicKey", "kms:Sign"],
            [f"arn:aws:kms:{here}:key/*"],
        ),
        {
            # AgentCore keeps a gateway readable through a grant that the gateway's role makes on the data key.
            **_allow("AllowGrantsToAgentCore", ["kms:CreateGrant"], [f"arn:aws:kms:{here}:key/*"]),
            "Condition": {
                "StringEquals": {
                    "aws:RequestedRegion": REGION,
                    "kms:GrantConstraintType": "EncryptionContextSubset",
                },
                "ForAllValues:StringEquals": {"kms:GrantOperations": ["Decrypt", "GenerateDataKey"]},
            },
        },
        _allow(
            "AllowWritingLogs",
            ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            [f"arn:aws:logs:{here}:log-group:*"],
        ),
        _allow(
            "AllowManagingRuntimeLogGroups",
            list(KEEPING_RUNTIME_OUTPUT),
            [f"arn:aws:logs:{here}:log-group:{names.runtime_outputs(name)}*"],
        ),
        # AgentCore's documented execution role has it; it names groups and opens none.
        _allow("AllowListingLogGroups", ["logs:DescribeLogGroups"], ["*"]),
        _allow(
            "AllowReadingCode",
            ["s3:GetObject", "s3:GetObjectVersion"],
            [f"arn:aws:s3:::{department.asset_bucket}/*"],
        ),
        _allow(
            "AllowCallingInterceptors",
            ["lambda:InvokeFunction"],
            [f"arn:aws:lambda:{here}:function:ringfence-{name}-*"],
        ),
        _allow(
            "AllowCallingRuntimes",
            ["bedrock-agentcore:InvokeAgentRuntime"],
            [f"arn:aws:bedrock-agentcore:{here}:runtime/{names.runtimes_of(name)}*"],
        ),
        _allow(
            "AllowPolicyEngine",
            [
                "bedrock-agentcore:AuthorizeAction",
                "bedrock-agentcore:GetPolicyEngine",
                "bedrock-agentcore:PartiallyAuthorizeActions",
            ],
            [f"arn:aws:bedrock-agentcore:{here}:policy-engine/*", f"arn:aws:bedrock-agentcore:{here}:gateway/*"],
        ),
        _allow(
            # What Lambda needs to place a function in a VPC; the roles themselves name subnets and interfaces.
            "AllowNetworkInterfacesOfFunctions",
            [
                "ec2:AssignPrivateIpAddresses",
                "ec2:CreateNetworkInterface",
                "ec2:DeleteNetworkInterface",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSubnets",
                "ec2:UnassignPrivateIpAddresses",
            ],
            ["*"],
        ),
    ]
    # No source says that AgentCore and EC2 send the key when they work as these roles, whose policies name our
    # account already: only a key that is there refuses.
    others = _no_other_account(department, {})
    others["Condition"] |= {"Null": {"aws:ResourceAccount": "false"}}
    granted = _prefixes({action for statement in allows for action in statement["Action"]})
    common = [
        each | {"Action": _whole_services(each["Action"], granted)} if each["Sid"] == "DenyModels" else each
        for each in _common_denials()
    ]
    refusals = [*_region_denials({}), others, *common]
    return _bounded([*allows, *refusals], f"service boundary of {name}")


def _allow(sid: str, actions: list[str], resources: list[str]) -> Statement:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Action": actions,
        "Resource": resources,
        "Condition": region_lock(REGION),
    }


def _region_denials(elsewhere: dict[str, list[str]], *, passes: bool = False) -> list[Statement]:
    """Returns denials of every region but London, and of each service that lives elsewhere outside its own region.

    Args:
        elsewhere: Action prefixes by the region that answers them.
        passes: Whether a role may be passed on: iam:PassRole is decided in London, where its receiver is asked, while
            IAM itself answers elsewhere and never in London.
    """
    exempt = sorted({f"{prefix}:*" for prefixes in elsewhere.values() for prefix in prefixes})
    outside: Statement = {"Sid": "DenyOtherRegions", "Effect": "Deny"}
    outside |= {"NotAction": exempt} if exempt else {"Action": "*"}
    outside |= {"Resource": "*", "Condition": {"StringNotEquals": {"aws:RequestedRegion": REGION}}}
    own = [
        {
            "Sid": f"Deny{words('-'.join(prefixes))}Outside{words(region)}",
            "Effect": "Deny",
            "Action": [f"{prefix}:*" for prefix in prefixes],
            "Resource": "*",
            "Condition": {
                "StringNotEquals": {"aws:RequestedRegion": [REGION, region] if passes and "iam" in prefixes else region}
            },
        }
        for region, prefixes in sorted(elsewhere.items())
    ]
    return [outside, *own]


def _no_other_account(place: Place, needed: Needs) -> Statement:
    """Returns the denial of everything that another account owns, except what is granted of AWS's own.

    A service that works with a caller's session, as Athena does on S3, passes none of our VPC endpoints, so their
    policies cannot be what holds this. The key is in the context of every action but a few of EBS, EC2, EventBridge and
    WorkSpaces that nobody is granted (IAM user guide, aws:ResourceAccount, read 28 November 2026); without it, a
    request is denied. Of AWS's own resources, such as its managed policies, it has no account to compare with ours.
    """
    of_aws = {
        action
        for (_, resources, _), actions in needed.items()
        if any(account_in(resource) == "aws" for resource in resources)
        for action in actions
    }
    statement: Statement = {"Sid": "DenyOtherAccounts", "Effect": "Deny"}
    statement |= {"NotAction": sorted(of_aws)} if of_aws else {"Action": "*"}
    return statement | {
        "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:ResourceAccount": place.account}},
    }


def _no_role_chaining() -> Statement:
    return {
        "Sid": "DenyRoleChaining",
        "Effect": "Deny",
        "Action": ["sts:AssumeRole*", "sts:GetFederationToken", "sts:GetSessionToken"],
        "Resource": "*",
    }


def _common_denials() -> list[Statement]:
    return [
        {"Sid": "DenyUnmaskingLogs", "Effect": "Deny", "Action": "logs:Unmask", "Resource": "*"},
        {
            # Hosting MCP servers needs no model, and inference profiles route to other regions.
            "Sid": "DenyModels",
            "Effect": "Deny",
            "Action": sorted({"bedrock:Invoke*", "bedrock:*InferenceProfile*", *denied("inference")}),
            "Resource": "*",
        },
        {
            # MCP servers that AWS hosts, and keys that name no session: other ways in, past every control of ours.
            "Sid": "DenyHostedMcpAndKeys",
            "Effect": "Deny",
            "Action": denied("key", "mcp"),
            "Resource": "*",
        },
        {
            # A shell in a runtime, acting for a user it only names, or running code: none of them is ever ours.
            "Sid": "DenyShellsAndImpersonation",
            "Effect": "Deny",
            "Action": [
                "bedrock-agentcore:*CodeInterpreter*",
                "bedrock-agentcore:*ForUser*",
                "bedrock-agentcore:InvokeAgentRuntimeCommand*",
                "bedrock-agentcore:StartPolicyGeneration",
            ],
            "Resource": "*",
        },
        {
            # AWS's managed MCP server is another way in, past every control of ours.
            "Sid": "DenyManagedMcp",
            "Effect": "Deny",
            "Action": "*",
            "Resource": "*",
            "Condition": {"Bool": {"aws:ViaAWSMCPService": "true"}},
        },
    ]


def _bounded(statements: list[Statement], subject: str) -> Document:
    remedy = "Grant fewer tools to the persona."
    return within(document(statements), limit=LONGEST_MANAGED_POLICY, subject=subject, remedy=remedy)


def _prefixes(actions: set[str]) -> set[str]:
    return {action.partition(":")[0] for action in actions}
