"""The Cedar policies of one gateway."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_bedrockagentcore as agentcore

from constructs import Construct
from constructs.gateway.gateway_target import GatewayTarget
from constructs.gateway.governed_gateway import GovernedGateway
from constructs.review_notes import serves
from ringfence.compilers.cedar import CedarPolicy

GATEWAY_ARN: Final = "${GatewayArn}"
GATEWAY_URL: Final = "${GatewayUrl}"
"""What stands for the gateway in the compiled texts: its ARN and address are known to CloudFormation only."""


class CedarPolicies(Construct):
    """One permit a tool; whatever has none is denied.

    AgentCore checks each text against the schema of the gateway's tools and refuses it on any finding: a policy for a
    tool that does not exist, or on an argument it does not have, fails the deployment. Each waits for the one before:
    made at once they end in "Resource stabilization failed" (aws-cdk-lib 2.275.0, `PolicyEngine.addPolicy`, which
    chains them for that reason).
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        gateway: GovernedGateway,
        targets: Sequence[GatewayTarget],
        policies: Sequence[CedarPolicy],
    ) -> None:
        """Makes the policies.

        Args:
            targets: what makes the tools known to the gateway; the first policy waits for them.
            policies: compiled with `GATEWAY_ARN` and `GATEWAY_URL` in place of the gateway's, in the order of making.
        """
        super().__init__(scope, construct_id)
        before: list[cdk.CfnResource] = [target.resource for target in targets]
        for policy in policies:
            resource = agentcore.CfnPolicy(
                self,
                f"{_words(policy.tool)}Permit",
                name=policy.name,
                description=f"Permits {policy.tool}",
                policy_engine_id=gateway.engine.attr_policy_engine_id,
                definition=agentcore.CfnPolicy.PolicyDefinitionProperty(
                    cedar=agentcore.CfnPolicy.CedarPolicyProperty(
                        statement=cdk.Fn.sub(policy.text, {"GatewayArn": gateway.arn, "GatewayUrl": gateway.url})
                    )
                ),
                validation_mode="FAIL_ON_ANY_FINDINGS",
                enforcement_mode="ACTIVE",
            )
            for earlier in before:
                resource.add_resource_dependency(earlier)
            before = [resource]
            serves(resource, "Least privilege: this persona, this tool, these arguments.")


def _words(published_tool: str) -> str:
    """Returns `iam___list_users` as `IamListUsers`: two servers may have a tool of the same name."""
    return "".join(part.capitalize() for part in published_tool.replace("-", "_").split("_"))
