"""The Lambda functions of an assembly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ringfence.deployed.assembly import Assembly, Resource
from ringfence.deployed.properties import Properties


@dataclass(frozen=True)
class DeployedFunction:
    """A function.

    Attributes:
        timeout: seconds.
        memory: MB; also sets the share of a processor.
        concurrency: reserved concurrent executions, or None.
        zip_path: the code that deployment would upload.
    """

    resource: Resource
    arn: str
    name: str
    handler: str
    role_arn: str
    log_group: str
    environment: Mapping[str, str]
    timeout: int
    memory: int
    concurrency: int | None
    zip_path: Path


def functions(assembly: Assembly) -> dict[str, DeployedFunction]:
    """Every function by ARN.

    Raises:
        UnresolvedTemplate: a property, or the code, is missing or of another kind.
    """
    found = (_function(resource, assembly) for resource in assembly.of_type("AWS::Lambda::Function"))
    return {function.arn: function for function in found}


def _function(resource: Resource, assembly: Assembly) -> DeployedFunction:
    properties, arn = Properties(resource), resource.arn
    name = arn.rpartition(":")[2]
    variables = properties.at("Environment.Variables", {})
    return DeployedFunction(
        resource=resource,
        arn=arn,
        name=name,
        handler=properties.text("Handler"),
        role_arn=properties.text("Role"),
        log_group=properties.text("LoggingConfig.LogGroup", f"/aws/lambda/{name}"),
        environment={key: str(value) for key, value in variables.items()},
        timeout=properties.number("Timeout", 3),
        memory=properties.number("MemorySize", 128),
        concurrency=properties.number("ReservedConcurrentExecutions", 0) or None,
        zip_path=assembly.archive(properties.text("Code.S3Key")),
    )
