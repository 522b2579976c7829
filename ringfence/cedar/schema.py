"""The Cedar schema of a gateway's tools, made by AWS's own generator, and what Cedar itself says of policies under it.

AgentCore makes such a schema from the gateway's tools and refuses every policy that does not fit. The developer guide's
page Schema constraints (read 28 November 2026) calls its table of types an overview and refers to the open-source
generator for the rest; its type names (`<target>___<tool>Input`) are the generator's with flat names, its rows for
numbers, objects and null the settings below. The stub is what the same page and Policy scope say of principal, resource
and the actions' parents; `context.system.now` is in Policy conditions.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

import cedar_mcp_schema_generator
import cedarpy

STUB: Final = """
namespace AgentCore {
  @mcp_principal
  entity OAuthUser tags String;
  @mcp_resource
  entity Gateway;
  @mcp_context("system")
  type System = { now: datetime };
  action Mcp;
  @mcp_action
  action CallTool in [Mcp];
}
"""
SETTINGS: Final = {
    "objectsAsRecords": True,
    "numbersAsDecimal": True,
    "flattenNamespaces": True,
    "eraseAnnotations": True,
}


class NoCedarSchema(ValueError):
    """The generator cannot express a tool, such as one with an argument that is no Cedar identifier."""


def schema_of(inputs: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Returns the Cedar schema, in its JSON form, of a gateway's tools.

    Args:
        inputs: Input schema by published name.

    Raises:
        NoCedarSchema: a tool cannot be expressed; the message names it.
    """
    made = _generated(inputs)
    if not made["isOk"]:
        one = next((name for name in inputs if not _generated({name: inputs[name]})["isOk"]), "the tools together")
        raise NoCedarSchema(f"{one}: {made['error']}")
    schema: dict[str, Any] = json.loads(made["schemaJson"])
    called = {_typed(name): name for name in inputs}
    actions = schema["AgentCore"]["actions"]
    schema["AgentCore"]["actions"] = {called.get(name, name): action for name, action in actions.items()}
    return schema


def _generated(inputs: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    tools = [{"name": _typed(name), "description": name, "inputSchema": dict(part)} for name, part in inputs.items()]
    return cedar_mcp_schema_generator.generate_schema(STUB, tools, config=SETTINGS)


def _typed(name: str) -> str:
    """Returns a tool's name as the names of its types may hold it.

    The generator refuses the hyphen of a target's name, the service does not: awslabs' solution template deploys a
    permit for `sample-tool-target___text_analysis_tool` and its call passes (awslabs/fullstack-solution-template-for-
    agentcore, pull request 97, May 2026). So the action keeps its name, and only the types are called otherwise.
    """
    return name.replace("-", "_")


def findings(policies: Iterable[str], schema: Mapping[str, Any]) -> list[str]:
    """Returns what Cedar's strict validation says against policies, each finding a sentence of Cedar's."""
    result = cedarpy.validate_policies("\n".join(policies), json.dumps(schema))
    return [str(error.error) for error in result.errors]
