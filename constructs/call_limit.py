"""How often one person may call one tool."""

from __future__ import annotations

from typing import Final

from aws_cdk import aws_bedrockagentcore as agentcore

from constructs import Construct
from constructs.review_notes import serves

CALLS_PER_MINUTE: Final = 60
"""More than anybody reads, and a brake on a model in a loop."""


class CallLimit(Construct):
    """The gateway's own limit for each person and tool.

    The service lets calls pass when it cannot count them, so this spares the AWS accounts' quotas; it is not a lock.
    """

    def __init__(self, scope: Construct, construct_id: str, *, gateway_id: str) -> None:
        """Makes the limit.

        Args:
            scope: parent.
            construct_id: a word or two.
            gateway_id: where it counts.
        """
        super().__init__(scope, construct_id)
        limit = agentcore.CfnGatewayRateLimit
        resource = limit(
            self,
            "Default",
            gateway_identifier=gateway_id,
            rate_limit_id="person-and-tool",
            description="Calls of one tool by one person.",
            dimension_keys=["$.context.jwt.sub", "toolName"],
            entries=[
                limit.LimitEntryProperty(
                    # The star is the entry for everybody who has none of their own.
                    dimensions={"$.context.jwt.sub": "*", "toolName": "*"},
                    requests=[limit.RateConfigProperty(period="minute", rate=CALLS_PER_MINUTE)],
                )
            ],
        )
        serves(resource, "Availability: slows a runaway model down; fails open, so no lock relies on it.")
