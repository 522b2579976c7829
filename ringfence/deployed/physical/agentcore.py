"""Physical ids of Amazon Bedrock AgentCore resources."""

from __future__ import annotations

from ringfence.deployed.physical.shapes import Maker, Naming, Shape

_SERVICE = "bedrock-agentcore"


def _gateway(r: Naming) -> str:
    return f"{r.name('Name', lower=True)}-{r.letters(10)}"


def _runtime(r: Naming) -> str:
    return f"{r.name('AgentRuntimeName')}-{r.alphanumeric(10)}"


def _engine(r: Naming) -> str:
    return f"{r.name('Name')}-{r.alphanumeric(10)}"


def _policy(r: Naming) -> str:
    return f"{r.name('Name')}-{r.alphanumeric(10)}"


def _target(r: Naming) -> str:
    return r.capitals(10)


def _under(kind: str, made: Maker) -> Maker:
    return lambda r: r.arn(_SERVICE, f"{kind}/{made(r)}")


def _constant(value: str) -> Maker:
    return lambda _: value


_CREATED = _constant("2026-01-01T00:00:00Z")


def _policy_arn(r: Naming) -> str:
    return r.arn(_SERVICE, f"policy-engine/{r.text('PolicyEngineId')}/policy/{_policy(r)}")


AGENTCORE: dict[str, Shape] = {
    "AWS::BedrockAgentCore::Gateway": Shape(
        _gateway,
        {
            "GatewayIdentifier": _gateway,
            "GatewayArn": _under("gateway", _gateway),
            "GatewayUrl": lambda r: f"https://{_gateway(r)}.gateway.bedrock-agentcore.{r.region}.amazonaws.com/mcp",
            "Status": _constant("READY"),
            "CreatedAt": _CREATED,
            "UpdatedAt": _CREATED,
            "WorkloadIdentityDetails.WorkloadIdentityArn": lambda r: r.arn(
                _SERVICE, f"workload-identity-directory/default/workload-identity/{_gateway(r)}"
            ),
        },
    ),
    "AWS::BedrockAgentCore::GatewayTarget": Shape(
        lambda r: f"{r.text('GatewayIdentifier')}|{_target(r)}",
        {
            "TargetId": _target,
            "GatewayArn": lambda r: r.arn(_SERVICE, f"gateway/{r.text('GatewayIdentifier')}"),
            "Status": _constant("READY"),
            "CreatedAt": _CREATED,
            "UpdatedAt": _CREATED,
        },
    ),
    "AWS::BedrockAgentCore::Runtime": Shape(
        _runtime,
        {
            "AgentRuntimeId": _runtime,
            "AgentRuntimeArn": _under("runtime", _runtime),
            "AgentRuntimeVersion": _constant("1"),
            "Status": _constant("READY"),
            "CreatedAt": _CREATED,
            "LastUpdatedAt": _CREATED,
            "WorkloadIdentityDetails.WorkloadIdentityArn": lambda r: r.arn(
                _SERVICE, f"workload-identity-directory/default/workload-identity/{_runtime(r)}"
            ),
        },
    ),
    "AWS::BedrockAgentCore::PolicyEngine": Shape(
        _under("policy-engine", _engine),
        {"PolicyEngineId": _engine, "PolicyEngineArn": _under("policy-engine", _engine), "Status": _constant("ACTIVE")},
    ),
    "AWS::BedrockAgentCore::Policy": Shape(
        _policy_arn, {"PolicyId": _policy, "PolicyArn": _policy_arn, "Status": _constant("ACTIVE")}
    ),
    "AWS::BedrockAgentCore::ResourcePolicy": Shape(lambda r: r.text("ResourceArn")),
    "AWS::BedrockAgentCore::GatewayRateLimit": Shape(lambda r: f"{r.text('GatewayIdentifier')}|{r.alphanumeric(10)}"),
}
