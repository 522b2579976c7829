"""The policy engine of a gateway: `assurance.cedar` decides; a policy the service would refuse stops the rehearsal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from assurance import cedar
from assurance.cedar import tags_of
from rehearsal.problems import CannotStart

__all__ = ["CedarEngine", "tags_of"]


class CedarEngine(cedar.CedarEngine):
    """Decides tool calls with the policies of one policy engine."""

    def __init__(self, *, gateway_arn: str, tools: Iterable[Mapping[str, Any]], policies: Mapping[str, str]) -> None:
        """Compile and validate, as `assurance.cedar.CedarEngine` does.

        Raises:
            CannotStart: a policy does not parse or validate; the message names it.
        """
        try:
            super().__init__(gateway_arn=gateway_arn, tools=tools, policies=policies)
        except cedar.InvalidCedar as problem:
            raise CannotStart(
                str(problem),
                "The service validates policies against the gateway's tools: correct the policy, or the tool schema.",
            ) from None
