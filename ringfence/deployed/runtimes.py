"""The AgentCore runtimes of an assembly, with the rules in their zips."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ringfence.deployed.assembly import Assembly, Resource
from ringfence.deployed.problems import UnresolvedTemplate
from ringfence.deployed.properties import Properties

_CODE = "AgentRuntimeArtifact.CodeConfiguration"
# The service forwards these without being told; every other header needs the runtime's allow-list.
_ALWAYS_FORWARDED = frozenset(
    {"accept", "content-type", "mcp-session-id", "mcp-protocol-version", "mcp-method", "mcp-name"}
)


@dataclass(frozen=True)
class DeployedRuntime:
    """A runtime.

    Attributes:
        headers: lower-case names of the request headers that reach the container.
        rules: the `runtime.json` of its zip.
    """

    resource: Resource
    arn: str
    name: str
    role_arn: str
    log_group: str
    entry_point: tuple[str, ...]
    environment: Mapping[str, str]
    headers: frozenset[str]
    zip_path: Path
    rules: Mapping[str, Any]

    @property
    def persona(self) -> str:
        """The persona whose calls it serves, as its rules name it."""
        return str(self.rules["persona"])

    @property
    def server(self) -> str:
        """The MCP server inside, as its rules name it."""
        return str(self.rules["server"])

    @property
    def persona_role_arn(self) -> str:
        """The role that its environment tells it to assume."""
        return self.environment["RINGFENCE_PERSONA_ROLE_ARN"]


def runtimes(assembly: Assembly) -> tuple[DeployedRuntime, ...]:
    """Every runtime.

    Raises:
        UnresolvedTemplate: a property, the code, or the rules in it are missing or of another kind.
    """
    return tuple(_runtime(resource, assembly) for resource in assembly.of_type("AWS::BedrockAgentCore::Runtime"))


def _runtime(resource: Resource, assembly: Assembly) -> DeployedRuntime:
    properties, arn = Properties(resource), resource.arn
    archive = assembly.archive(properties.text(f"{_CODE}.Code.S3.Prefix"))
    headers = properties.texts("RequestHeaderConfiguration.RequestHeaderAllowlist", ())
    return DeployedRuntime(
        resource=resource,
        arn=arn,
        name=properties.text("AgentRuntimeName"),
        role_arn=properties.text("RoleArn"),
        log_group=f"/aws/bedrock-agentcore/runtimes/{arn.rpartition('/')[2]}-DEFAULT",
        entry_point=properties.texts(f"{_CODE}.EntryPoint"),
        environment={key: str(value) for key, value in properties.at("EnvironmentVariables", {}).items()},
        headers=frozenset(name.lower() for name in headers) | _ALWAYS_FORWARDED,
        zip_path=archive,
        rules=rules_in(archive, "runtime.json"),
    )


def rules_in(archive: Path, name: str) -> dict[str, Any]:
    """A rule file out of a zip.

    Raises:
        UnresolvedTemplate: the zip does not hold it.
    """
    with zipfile.ZipFile(archive) as opened:
        try:
            rules: dict[str, Any] = json.loads(opened.read(name))
        except KeyError:
            raise UnresolvedTemplate(
                archive.name, name, "is missing in this zip", "Run `make synth`, which builds it."
            ) from None
    return rules
