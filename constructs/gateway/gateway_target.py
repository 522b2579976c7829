"""One server behind the gateway, with its tools written down."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_bedrockagentcore as agentcore

from constructs import Construct
from constructs.review_notes import serves
from constructs.runtime.mcp_runtime import McpRuntime
from constructs.runtime.txn_token_key import TXN_TOKEN_HEADER
from ringfence.reading.region import REGION
from ringfence.service_rules.order import TARGETS_AT_ONCE


class GatewayTarget(Construct):
    """A runtime as MCP target, called with SigV4 as the gateway's role.

    The tool list is static: the gateway never asks the server what it offers, so a server cannot change its tools, nor
    their descriptions, while it runs. The gateway publishes each tool as `<server>___<tool>`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        server: str,
        purpose: str,
        gateway_id: str,
        runtime: McpRuntime,
        definitions: Sequence[Mapping[str, Any]],
    ) -> None:
        """Makes the target.

        Args:
            server: the server's name, which is the target's too.
            definitions: the granted tools as published, with their bare names.
        """
        super().__init__(scope, construct_id)
        target = agentcore.CfnGatewayTarget
        self.resource = target(
            self,
            "Resource",
            name=server,
            description=purpose,
            gateway_identifier=gateway_id,
            target_configuration=target.TargetConfigurationProperty(
                mcp=target.McpTargetConfigurationProperty(
                    mcp_server=target.McpServerTargetConfigurationProperty(
                        endpoint=_endpoint(cdk.Stack.of(self).account, runtime.runtime_id),
                        mcp_tool_schema=target.McpToolSchemaConfigurationProperty(
                            inline_payload=json.dumps({"tools": list(definitions)}, separators=(",", ":"))
                        ),
                    )
                )
            ),
            credential_provider_configurations=[
                target.CredentialProviderConfigurationProperty(
                    credential_provider_type="GATEWAY_IAM_ROLE",
                    credential_provider=target.CredentialProviderProperty(
                        iam_credential_provider=target.IamCredentialProviderProperty(
                            service="bedrock-agentcore", region=REGION
                        )
                    ),
                )
            ],
            # A caller could send this header too; the request interceptor always overwrites it.
            metadata_configuration=target.MetadataConfigurationProperty(allowed_request_headers=[TXN_TOKEN_HEADER]),
        )
        # Whatever can invoke the runtime must find the runtime's log group made, with retention and key.
        self.resource.node.add_dependency(runtime.log_group)
        serves(self.resource, "Supply chain: the tool list is the reviewed one, not what the server says today.")

    def after(self, *resources: cdk.CfnResource) -> None:
        """Makes the target wait: it opens the way to the runtime, so every guard comes first."""
        for resource in resources:
            self.resource.add_resource_dependency(resource)


def make_in_groups(targets: Sequence[GatewayTarget]) -> None:
    """Makes each target of a gateway wait for all of the group before its own.

    A gateway takes five operations on targets at once (AgentCore guide, quotas, read 28 November 2026), and
    CloudFormation starts together whatever does not wait.
    """
    for position, target in enumerate(targets):
        first = position - position % TARGETS_AT_ONCE
        target.after(*(each.resource for each in targets[max(first - TARGETS_AT_ONCE, 0) : first]))


def _endpoint(account: str, runtime_id: str) -> str:
    """Returns the address of the runtime's DEFAULT endpoint, which holds the runtime's ARN URL-encoded."""
    arn = f"arn%3Aaws%3Abedrock-agentcore%3A{REGION}%3A{account}%3Aruntime%2F${{RuntimeId}}"
    address = f"https://bedrock-agentcore.{REGION}.amazonaws.com/runtimes/{arn}/invocations?qualifier=DEFAULT"
    return cdk.Fn.sub(address, {"RuntimeId": runtime_id})
