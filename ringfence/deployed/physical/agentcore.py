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


def _policy_arn(r: Naming) -> str:
    return r.arn(_SERVICE, f"policy-engine/{r.text('PolicyEngineId')}/policy/{_policy(r)}")


AGENTCORE: dict[str, Shape] = {
    "AWS::BedrockAgentCore::Gateway": Shape(
        _gateway,
        {
            "GatewayIdentifier": _gateway,
            "GatewayArn": _under("gateway", _gateway),
            "GatewayUrl": lambda r: f"https://{_gateway(r)}.gateway.bedrock-agentcore.{r.region}.amazonaws.com/mcp",
        },
    ),
    "AWS::BedrockAgentCore::GatewayTarget": Shape(lambda r: f"{r.text('GatewayIdentifier')}|{_target(r)}"),
    "AWS::BedrockAgentCore::Runtime": Shape(
        _runtime,
        {
            "AgentRuntimeId": _runtime,
            "AgentRuntimeArn": _under("runtime", _runtime),
        },
    ),
    "AWS::BedrockAgentCore::PolicyEngine": Shape(
        _under("policy-engine", _engine),
        {"PolicyEngineId": _engine, "PolicyEngineArn": _under("policy-engine", _engine)},
    ),
    "AWS::BedrockAgentCore::Policy": Shape(_policy_arn, {"PolicyArn": _policy_arn}),
    "AWS::BedrockAgentCore::ResourcePolicy": Shape(lambda r: r.text("ResourceArn")),
    "AWS::BedrockAgentCore::GatewayRateLimit": Shape(lambda r: f"{r.text('GatewayIdentifier')}|{r.alphanumeric(10)}"),
}
