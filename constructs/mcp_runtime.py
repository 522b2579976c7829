"""One awslabs MCP server, served by our host inside AgentCore Runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import aws_bedrockagentcore as agentcore
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3_assets as s3_assets

from assets.bundles import RUNTIME_PYTHON
from assets.zips import Asset
from constructs import Construct
from constructs.audit_log_group import AuditLogGroup
from constructs.review_notes import serves
from constructs.runtime_role import LOG_GROUP_PREFIX, Hat, RuntimeRole
from constructs.txn_token_key import TXN_TOKEN_HEADER
from governance.region import REGION
from governance.servers import Operation, Tool

IDLE_SECONDS: Final = 15 * 60
LIFETIME_SECONDS: Final = 8 * 60 * 60


@dataclass(frozen=True)
class Surroundings:
    """What all runtimes of a department share.

    Attributes:
        subnet_ids: isolated subnets, one a zone.
        security_group_id: the runtimes' group: out to the endpoints and to S3, nothing in.
        log_key: encrypts the log group.
        boundary: the department's service boundary.
    """

    subnet_ids: Sequence[str]
    security_group_id: str
    log_key: kms.IKey
    boundary: iam.IManagedPolicy


class McpRuntime(Construct):
    """A runtime in VPC mode with its own role, its own code and its own log, for one persona and one server.

    Inbound stays IAM (SigV4), which is what AgentCore does without an authorizer; `SoleInvoker` says who may sign.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        purpose: str,
        code: Asset,
        hat: Hat,
        token_key_arn: str,
        surroundings: Surroundings,
    ) -> None:
        """Makes the role, the runtime and the log group that AgentCore writes its output to.

        Args:
            scope: parent.
            construct_id: a word or two.
            name: `ringfence_<persona>_<server>`.
            purpose: one sentence for the runtime's description.
            code: zip made by `assets.zips.runtime_zip`.
            hat: the persona role that calls work as.
            token_key_arn: the key whose public half verifies Txn-Tokens.
            surroundings: what all runtimes share.
        """
        super().__init__(scope, construct_id)
        package = s3_assets.Asset(
            self,
            "Code",
            path=str(Path(code.path).resolve()),
            asset_hash=code.sha256,
            asset_hash_type=cdk.AssetHashType.CUSTOM,
        )
        role = RuntimeRole(
            self,
            "Execution",
            runtime_name=name,
            hat=hat,
            token_key_arn=token_key_arn,
            code=package,
            boundary=surroundings.boundary,
        )
        self.name = name
        self.role_arn = role.arn
        self.resource = agentcore.CfnRuntime(
            self,
            "Resource",
            agent_runtime_name=name,
            description=purpose,
            role_arn=role.arn,
            agent_runtime_artifact=_artifact(package),
            protocol_configuration="MCP",
            network_configuration=_vpc(surroundings),
            request_header_configuration=agentcore.CfnRuntime.RequestHeaderConfigurationProperty(
                request_header_allowlist=[TXN_TOKEN_HEADER]
            ),
            lifecycle_configuration=agentcore.CfnRuntime.LifecycleConfigurationProperty(
                idle_runtime_session_timeout=IDLE_SECONDS, max_lifetime=LIFETIME_SECONDS
            ),
            environment_variables={
                # Some of the servers read one of the two, some the other.
                "AWS_DEFAULT_REGION": REGION,
                "AWS_REGION": REGION,
                "RINGFENCE_PERSONA_ROLE_ARN": hat.role_arn,
                "RINGFENCE_TXN_KEY_ARN": token_key_arn,
            },
        )
        # AgentCore reads the code as this role while it creates the runtime.
        self.resource.add_resource_dependency(role.policy)
        # The service would make this group at the first invocation, without retention or key. Ours must be there first,
        # so nothing that can invoke the runtime (its gateway target) is made before it.
        self.log_group = AuditLogGroup(
            self, "Log", name=f"{LOG_GROUP_PREFIX}/{self.runtime_id}-DEFAULT", key=surroundings.log_key
        )
        serves(
            self.resource, "Isolation: own microVM, role and code; out through the VPC only, in through its gateway."
        )

    @property
    def arn(self) -> str:
        """The runtime's ARN."""
        return self.resource.attr_agent_runtime_arn

    @property
    def runtime_id(self) -> str:
        """The runtime's id: its name and a random part."""
        return self.resource.attr_agent_runtime_id

    def show_tools(
        self, tools: Sequence[Tool], *, sensitive: Mapping[str, str] | None = None, enabled: str = ""
    ) -> None:
        """Writes into the template what each tool can do, for a reviewer who reads nothing else.

        Args:
            tools: the tools as the persona effectively holds them.
            sensitive: the department's reasons by sensitive `tool` or `tool.operation`.
            enabled: the department's reason for this server, if it had to give one.
        """
        reasons = sensitive or {}
        self.resource.add_metadata("ringfence:tools", {tool.name: _shown(tool, reasons) for tool in tools})
        if enabled:
            self.resource.add_metadata("ringfence:enabled", enabled)


def _shown(tool: Tool, reasons: Mapping[str, str]) -> dict[str, Any]:
    shown = _need(tool, reasons.get(tool.name, ""))
    if tool.operation:
        shown["operations"] = {
            name: _need(operation, reasons.get(f"{tool.name}.{name}", ""))
            for name, operation in tool.operations.items()
        }
    return shown


def _need(held: Tool | Operation, reason: str) -> dict[str, Any]:
    """Returns a tool's or an operation's level and AWS actions, and what is special about it."""
    actions = sorted({action for grant in held.grants for action in grant.actions})
    return {
        "level": held.level,
        "actions": actions,
        **({"approval": "needed"} if held.approval else {}),
        **({"sensitive": reason} if reason else {}),
    }


def _artifact(code: s3_assets.Asset) -> agentcore.CfnRuntime.AgentRuntimeArtifactProperty:
    return agentcore.CfnRuntime.AgentRuntimeArtifactProperty(
        code_configuration=agentcore.CfnRuntime.CodeConfigurationProperty(
            code=agentcore.CfnRuntime.CodeProperty(
                s3=agentcore.CfnRuntime.S3LocationProperty(bucket=code.s3_bucket_name, prefix=code.s3_object_key)
            ),
            entry_point=["main.py"],
            runtime=f"PYTHON_{RUNTIME_PYTHON.replace('.', '_')}",
        )
    )


def _vpc(surroundings: Surroundings) -> agentcore.CfnRuntime.NetworkConfigurationProperty:
    return agentcore.CfnRuntime.NetworkConfigurationProperty(
        network_mode="VPC",
        network_mode_config=agentcore.CfnRuntime.VpcConfigProperty(
            subnets=list(surroundings.subnet_ids), security_groups=[surroundings.security_group_id]
        ),
    )
