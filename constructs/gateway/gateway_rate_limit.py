"""How often one person may call one tool."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from aws_cdk import aws_bedrockagentcore as agentcore

from constructs import Construct
from constructs.review_notes import serves

CALLS_PER_MINUTE: Final = 60
"""More than anybody reads, and a brake on a model in a loop."""

CHANGES_PER_MINUTE: Final = 20
"""Of a tool that may change something: a person who looks at each change makes fewer."""

# The tool first: an entry may have the star only where no value follows it (AgentCore API, LimitEntry, read 28 November
# 2026), and the most specific entry counts (developer guide, Rate limit enforcement).
_KEYS: Final = ("toolName", "$.context.jwt.sub")


class GatewayRateLimit(Construct):
    """The gateway's own limit for each person and tool.

    The service lets calls pass when it cannot count them, so this spares the AWS accounts' quotas; it is not a lock.
    """

    def __init__(self, scope: Construct, construct_id: str, *, gateway_id: str, changing: Iterable[str]) -> None:
        """Makes the limit.

        Args:
            changing: published names of the tools that may change something.
        """
        super().__init__(scope, construct_id)
        limit = agentcore.CfnGatewayRateLimit
        # The star is the entry for every tool that has none of its own; each person is counted alone.
        rates = {**dict.fromkeys(sorted(changing), CHANGES_PER_MINUTE), "*": CALLS_PER_MINUTE}
        resource = limit(
            self,
            "Default",
            gateway_identifier=gateway_id,
            # Keys and id are fixed when it is made, so another order of keys needs another id.
            rate_limit_id="tool-and-person",
            description="Calls of one tool by one person.",
            dimension_keys=list(_KEYS),
            entries=[
                limit.LimitEntryProperty(
                    dimensions=dict(zip(_KEYS, (tool, "*"), strict=True)),
                    requests=[limit.RateConfigProperty(period="minute", rate=rate)],
                )
                for tool, rate in rates.items()
            ],
        )
        serves(resource, "Availability: slows a runaway model down; fails open, so no lock relies on it.")
