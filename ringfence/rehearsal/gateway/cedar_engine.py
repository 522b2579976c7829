"""The policy engine of a gateway: `ringfence.cedar.engine` decides; a policy the service would refuse stops the
rehearsal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ringfence.cedar import engine
from ringfence.cedar.engine import tags_of
from ringfence.rehearsal.problems import CannotStart

__all__ = ["CedarEngine", "tags_of"]


class CedarEngine(engine.CedarEngine):
    """Decides tool calls with the policies of one policy engine."""

    def __init__(self, *, gateway_arn: str, tools: Iterable[Mapping[str, Any]], policies: Mapping[str, str]) -> None:
        """Compile and validate, as `ringfence.cedar.engine.CedarEngine` does.

        Raises:
            CannotStart: a policy does not parse or validate; the message names it.
        """
        try:
            super().__init__(gateway_arn=gateway_arn, tools=tools, policies=policies)
        except engine.InvalidCedar as problem:
            raise CannotStart(
                str(problem),
                "The service validates policies against the gateway's tools: correct the policy, or the tool schema.",
            ) from None
