"""AWS-CODE: functions and runtimes as Lambda and AgentCore accept them.

How many executions a function may reserve depends on the account's limit, so that is asked before a deployment and not
here; so is whether a zone has AgentCore.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ringfence.reading.template import Breach
from ringfence.service_rules.assembly import Assembly
from ringfence.service_rules.rule import READ, ServiceRule

ENVIRONMENT_BYTES: Final = 4096
RESERVED_NAMES: Final = frozenset(
    """_HANDLER _X_AMZN_TRACE_ID AWS_ACCESS_KEY AWS_ACCESS_KEY_ID AWS_DEFAULT_REGION AWS_EXECUTION_ENV
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE AWS_LAMBDA_FUNCTION_NAME AWS_LAMBDA_FUNCTION_VERSION AWS_LAMBDA_INITIALIZATION_TYPE
    AWS_LAMBDA_LOG_GROUP_NAME AWS_LAMBDA_LOG_STREAM_NAME AWS_LAMBDA_RUNTIME_API AWS_REGION AWS_SECRET_ACCESS_KEY
    AWS_SESSION_TOKEN LAMBDA_RUNTIME_DIR LAMBDA_TASK_ROOT""".split()
)
PYTHONS: Final = ("python3.10", "python3.11", "python3.12", "python3.13", "python3.14")
"""Runtimes of Lambda in which a function may be made; 3.9 and older are blocked or about to be."""
LONGEST_TIMEOUT: Final = 900


def _environments(assembly: Assembly) -> Iterator[Breach]:
    for function in assembly.of_type("AWS::Lambda::Function"):
        variables = assembly.resolved(function.template, function.at("Environment.Variables")) or {}
        size = sum(len(f"{key}{value}".encode()) for key, value in variables.items())
        if size > ENVIRONMENT_BYTES:
            message = f"The environment may have {size} bytes; {ENVIRONMENT_BYTES} are accepted."
            yield function.breach("Environment.Variables", message)
        for name in sorted(RESERVED_NAMES & set(variables)):
            yield function.breach(f"Environment.Variables.{name}", f"Lambda sets {name} itself, and lets nobody else.")


def _pythons(assembly: Assembly) -> Iterator[Breach]:
    for function in assembly.of_type("AWS::Lambda::Function"):
        runtime = str(function.at("Runtime") or "")
        if runtime.startswith("python") and runtime not in PYTHONS:
            yield function.breach("Runtime", f"Lambda makes no new function for {runtime}.")


def _timeouts(assembly: Assembly) -> Iterator[Breach]:
    for function in assembly.of_type("AWS::Lambda::Function"):
        seconds = function.at("Timeout")
        if isinstance(seconds, int) and seconds > LONGEST_TIMEOUT:
            yield function.breach("Timeout", f"A function runs {LONGEST_TIMEOUT} seconds at most, not {seconds}.")


def _service_gateway(assembly: Assembly) -> Iterator[Breach]:
    path = "NetworkConfiguration.NetworkModeConfig.RequireServiceS3Endpoint"
    for runtime in assembly.of_type("AWS::BedrockAgentCore::Runtime"):
        if runtime.at(path) is not None:
            yield runtime.breach(path, "AgentCore takes the setting only for runtimes made before May 2026.")


RULES: Final = (
    ServiceRule(
        "AWS-CODE-1",
        "A function's environment has 4 KB at most, and no name that Lambda sets itself.",
        "Put rules into the zip, and leave the region to Lambda.",
        "Lambda developer guide, quotas, and environment variables: defined runtime environment variables",
        READ,
        _environments,
    ),
    ServiceRule(
        "AWS-CODE-2",
        "A function's Python is one for which Lambda makes new functions.",
        "Take a newer runtime.",
        "Lambda developer guide, runtimes: supported runtimes",
        READ,
        _pythons,
    ),
    ServiceRule(
        "AWS-CODE-3",
        "A function runs no longer than Lambda lets it.",
        "Set Timeout to 900 seconds or less; the schema allows more, for functions on instances.",
        "botocore 1.44.5, lambda CreateFunction, Timeout",
        READ,
        _timeouts,
    ),
    ServiceRule(
        "AWS-CODE-4",
        "No runtime asks for S3 through AgentCore's own network.",
        "Leave RequireServiceS3Endpoint out; the VPC has an endpoint for S3.",
        "AgentCore API reference, VpcConfig, requireServiceS3Endpoint",
        READ,
        _service_gateway,
    ),
)
