"""How the emulated service behaves where AWS's documents are silent: by default in the way that is worse for us."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# What `SchemaDefinition` of AgentCore's control API can hold (botocore 1.44.5, bedrock-agentcore-control).
_DOCUMENTED_KEYWORDS = ("description", "items", "properties", "required", "type")


@dataclass(frozen=True, kw_only=True)
class Readings:
    """One switch for each open question; every default is the worse answer.

    The pages named are of the AgentCore developer guide, read on 28 November 2026.

    Attributes:
        keeps_response_headers: headers of an answer that the RESPONSE interceptor does not return survive. For HTTP
            targets a field that is left out keeps its value; for MCP targets the page says nothing
            (gateway-interceptors-types).
        keeps_schemas: `tools/list` gives a target's schemas back with every keyword. The gateway keeps "normalized
            capability catalogs" (MCP servers targets); which keywords survive is not said. Without it, those that
            `SchemaDefinition` knows do.
        keeps_refusals: the RESPONSE interceptor is shown the answer by which the REQUEST interceptor ended a request.
            That it is invoked is documented; in one region it was shown `body: null`
            (aws/bedrock-agentcore-sdk-python issue 409, April 2026).
        shows_request_as_passed_on: the RESPONSE interceptor is shown the request as the REQUEST interceptor passed it
            on. The page says "the original request" (gateway-interceptors-types).
        takes_empty_headers: a header that the REQUEST interceptor sets may be empty. Values "must contain only
            printable ASCII" and at most 4 KB (gateway-headers); empty ones are not mentioned.
        spares_notifications: the RESPONSE interceptor is not invoked for a notification, whose answer has no body.
            Not said.
        initialization_seconds: how long a runtime may take from its start to the answer to `initialize`. Not
            documented; -32010 with "Runtime initialization time exceeded. Please make sure that initialization
            completes in 30s." is reported by many, with 60 s and 120 s for other kinds of runtime.
    """

    keeps_response_headers: bool = False
    keeps_schemas: bool = False
    keeps_refusals: bool = False
    shows_request_as_passed_on: bool = False
    takes_empty_headers: bool = False
    spares_notifications: bool = False
    initialization_seconds: float = 30.0

    def listed(self, tool: Mapping[str, Any]) -> Mapping[str, Any]:
        """A tool's definition as `tools/list` gives it."""
        return tool if self.keeps_schemas else {**tool, "inputSchema": _normalised(tool["inputSchema"])}


def _normalised(schema: Any) -> Any:
    """A schema with the documented keywords only, in an order of its own."""
    if not isinstance(schema, Mapping):
        return schema
    kept = {keyword: schema[keyword] for keyword in _DOCUMENTED_KEYWORDS if keyword in schema}
    if isinstance(properties := kept.get("properties"), Mapping):
        kept["properties"] = {name: _normalised(properties[name]) for name in sorted(properties)}
    if "items" in kept:
        kept["items"] = _normalised(kept["items"])
    return kept
