"""Who may invoke a runtime: its gateway, and nobody else."""

from __future__ import annotations

import json
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import aws_bedrockagentcore as agentcore

from constructs import Construct
from constructs.review_notes import serves

INVOKE: Final = "bedrock-agentcore:InvokeAgentRuntime"

NEVER: Final = (
    "bedrock-agentcore:GetAgentCard",
    "bedrock-agentcore:InvokeAgentRuntimeCommand",
    "bedrock-agentcore:InvokeAgentRuntimeCommandShell",
    "bedrock-agentcore:InvokeAgentRuntimeForUser",
    "bedrock-agentcore:InvokeAgentRuntimeWithWebSocketStream",
    "bedrock-agentcore:InvokeAgentRuntimeWithWebSocketStreamForUser",
)
"""Shells in the microVM, a user named by an unverified string, a stream past the response interceptor, and an agent's
card, of which an MCP server has none.

AWS's own SDK puts GetAgentCard into a runtime's policy (bedrock-agentcore-sdk-python, tests_integ/services,
test_resource_policy.py, read 29 November 2026). No source puts StopRuntimeSession there (LIVE-19).
"""


class RuntimeResourcePolicy(Construct):
    """The resource policies of one runtime and of its DEFAULT endpoint.

    AgentCore checks both, and where a policy exists it must allow the action (DG resource-based-policies), hence the
    allowing statement. The denials hold against any identity policy in the account, an administrator's too.
    """

    def __init__(self, scope: Construct, construct_id: str, *, runtime_arn: str, role_arn: str) -> None:
        """Attaches the policies.

        Args:
            role_arn: the gateway's role, which signs the calls.
        """
        super().__init__(scope, construct_id)
        places = {"OnRuntime": runtime_arn, "OnEndpoint": f"{runtime_arn}/runtime-endpoint/DEFAULT"}
        self.policies = [self._policy(child_id, arn, role_arn) for child_id, arn in places.items()]

    def _policy(self, construct_id: str, arn: str, role_arn: str) -> agentcore.CfnResourcePolicy:
        policy = agentcore.CfnResourcePolicy(
            self,
            construct_id,
            resource_arn=arn,
            # Fn::Sub keeps the policy one readable text in the template.
            policy=cdk.Fn.sub(json.dumps(_POLICY), {"Arn": arn, "GatewayRoleArn": role_arn}),
        )
        serves(policy, "External interface: no way to a runtime around its gateway, for administrators either.")
        return policy


_POLICY: Final[dict[str, Any]] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "AllowInvokeByGateway",
            "Effect": "Allow",
            "Principal": {"AWS": "${GatewayRoleArn}"},
            "Action": INVOKE,
            "Resource": "${Arn}",
        },
        {
            "Sid": "DenyInvokeExceptGateway",
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": INVOKE,
            "Resource": "${Arn}",
            "Condition": {"ArnNotEquals": {"aws:PrincipalArn": "${GatewayRoleArn}"}},
        },
        {
            "Sid": "DenyUngovernedInvocation",
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": list(NEVER),
            "Resource": "${Arn}",
        },
    ],
}
