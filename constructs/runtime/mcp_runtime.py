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

from constructs import Construct
from constructs.review_notes import serves
from constructs.runtime.runtime_log_group import RuntimeLogGroup
from constructs.runtime.runtime_role import CallLog, PersonaRoleRef, RuntimeRole
from constructs.runtime.txn_token_key import TXN_TOKEN_HEADER
from ringfence.assets.bundles import RUNTIME_PYTHON
from ringfence.assets.zips import Asset
from ringfence.catalogue.servers import Operation, Tool
from ringfence.reading.region import REGION

IDLE_SECONDS: Final = 15 * 60
LIFETIME_SECONDS: Final = 8 * 60 * 60


@dataclass(frozen=True)
class RuntimePlacement:
    """What all runtimes of a department share.

    Attributes:
        subnet_ids: isolated subnets, one a zone.
        security_group_id: the runtimes' group: out to the endpoints and to S3, nothing in.
        log_group_keeper_arn: the function that makes or adopts AgentCore's log groups.
        asset_key_arn: key of the bucket that holds the code, where the account was bootstrapped with one of its own.
    """

    subnet_ids: Sequence[str]
    security_group_id: str
    log_key: kms.IKey
    log_group_keeper_arn: str
    boundary: iam.IManagedPolicy
    asset_key_arn: str | None = None


class McpRuntime(Construct):
    """A runtime in VPC mode with its own role, its own code and its own log, for one persona and one server.

    Inbound stays IAM (SigV4), as AgentCore does without an authorizer; `RuntimeResourcePolicy` says who may sign.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        purpose: str,
        code: Asset,
        call_log: CallLog,
        role_ref: PersonaRoleRef,
        token_key_arn: str,
        placement: RuntimePlacement,
    ) -> None:
        """Makes the role, the runtime and, if AgentCore has not, the log group that it writes the output to.

        Args:
            code: zip made by `ringfence.assets.zips.runtime_zip`.
            call_log: where the host records every call before it answers.
            role_ref: the persona role that calls work as.
            token_key_arn: the key whose public half verifies Txn-Tokens.
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
            call_log=call_log,
            role_ref=role_ref,
            token_key_arn=token_key_arn,
            code=package,
            boundary=placement.boundary,
            asset_key_arn=placement.asset_key_arn,
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
            network_configuration=_vpc(placement),
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
                "RINGFENCE_CALL_LOG_GROUP": call_log.group_name,
                "RINGFENCE_PERSONA_ROLE_ARN": role_ref.role_arn,
                "RINGFENCE_TXN_KEY_ARN": token_key_arn,
            },
        )
        # AgentCore reads the code as this role while it creates the runtime.
        self.resource.add_resource_dependency(role.policy)
        # AgentCore makes this group with the runtime or at its first invocation, without retention or key: reports
        # differ. Nothing that can invoke the runtime (its gateway target) is made before the group is as it must be.
        self.log_group = RuntimeLogGroup(
            self,
            "Log",
            runtime_id=self.runtime_id,
            key=placement.log_key,
            keeper_arn=placement.log_group_keeper_arn,
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

    def after(self, first: McpRuntime) -> None:
        """Makes the runtime wait for another.

        In a fresh account the first runtime brings AgentCore's service-linked roles into being; several at once were
        refused with "Failed creating service linked role. Rate limit exceeded from IAM"
        (aws-samples/sample-autonomous-cloud-coding-agents, issue 875, September 2026).
        """
        self.resource.add_resource_dependency(first.resource)

    def show_tools(
        self, tools: Sequence[Tool], *, sensitive: Mapping[str, str] | None = None, enabled: str = ""
    ) -> None:
        """Writes into the template what each tool can do, for a reviewer who reads nothing else.

        Args:
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


def _vpc(placement: RuntimePlacement) -> agentcore.CfnRuntime.NetworkConfigurationProperty:
    return agentcore.CfnRuntime.NetworkConfigurationProperty(
        network_mode="VPC",
        network_mode_config=agentcore.CfnRuntime.VpcConfigProperty(
            subnets=list(placement.subnet_ids), security_groups=[placement.security_group_id]
        ),
    )
