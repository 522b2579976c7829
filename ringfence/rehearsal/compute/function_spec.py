"""What the template says about a Lambda function, as far as it matters on loopback."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ringfence.deployed.assembly import Assembly, Resource
from ringfence.rehearsal.compute.assets_of import asset_file
from ringfence.rehearsal.template.properties import Properties


@dataclass(frozen=True)
class FunctionSpec:
    """A function.

    Attributes:
        timeout: seconds.
        memory: MB; also sets the share of a processor.
        concurrency: reserved concurrent executions, or None.
    """

    logical_id: str
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

    @classmethod
    def read(cls, resource: Resource, assembly: Assembly) -> FunctionSpec:
        """Read a function's properties.

        Raises:
            NotEmulated: a property, or a value, that the rehearsal cannot honour.
        """
        properties = Properties(resource)
        code = properties.block("Code")
        code.without_effect("S3Bucket")
        archive = asset_file(assembly, code.text("S3Key"), needed_by=resource.logical_id)
        code.done()
        logging = properties.block("LoggingConfig") if "LoggingConfig" in properties else None
        arn = resource.arn
        name = arn.rpartition(":")[2]
        log_group = f"/aws/lambda/{name}"
        if logging is not None:
            log_group = logging.text("LogGroup", log_group)
            logging.without_effect("LogFormat", "ApplicationLogLevel", "SystemLogLevel")
            logging.done()
        environment = properties.take("Environment", {"Variables": {}})
        if not properties.text("Runtime").startswith("python3."):
            raise properties.refuse("Runtime", "is not Python")
        properties.one_of("PackageType", ["Zip"], "Zip")
        spec = cls(
            logical_id=resource.logical_id,
            arn=arn,
            name=name,
            handler=properties.text("Handler"),
            role_arn=properties.text("Role"),
            log_group=log_group,
            environment={key: str(value) for key, value in environment["Variables"].items()},
            timeout=properties.number("Timeout", 3),
            memory=properties.number("MemorySize", 128),
            concurrency=int(concurrency)
            if (concurrency := properties.take("ReservedConcurrentExecutions", None))
            else None,
            zip_path=archive,
        )
        properties.without_effect(
            "FunctionName", "Description", "Architectures", "KmsKeyArn", "VpcConfig", "Tags", "TracingConfig",
            "RecursiveLoop", "RuntimeManagementConfig", "CodeSigningConfigArn", "SnapStart", "EphemeralStorage",
            "DeadLetterConfig",
        )  # fmt: skip
        properties.done()
        return spec
