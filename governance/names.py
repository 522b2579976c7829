"""Every name that two rooms must agree on, made in one place."""

from __future__ import annotations

from governance.region import REGION

ISSUER_PART = "request-interceptor"


def persona_role(department: str, persona: str) -> str:
    """Returns the IAM role name that a call of this persona works as."""
    return f"ringfence-{department}-{persona}"


def persona_role_arn(account: str, department: str, persona: str) -> str:
    """Returns the ARN of the persona role; the name is fixed, so it is known before the role exists."""
    return f"arn:aws:iam::{account}:role/{persona_role(department, persona)}"


def passed_role(department: str, role: str) -> str:
    """Returns the name of an IAM role that a tool hands to a service of AWS."""
    return f"ringfence-{department}-{role}"


def gateway(department: str, persona: str) -> str:
    """Returns the AgentCore gateway's name (at most 48 characters, which the department's name length guarantees)."""
    return f"ringfence-{department}-{persona}"


def runtime(persona: str, server: str) -> str:
    """Returns the AgentCore runtime's name, which allows no hyphen: `[a-zA-Z][a-zA-Z0-9_]{0,47}`."""
    return f"ringfence_{persona}_{server}".replace("-", "_")


RUNTIME_OUTPUT = "/aws/bedrock-agentcore/runtimes/"
"""Where AgentCore writes what a runtime prints; the names below it are the service's choice."""


def runtime_output(runtime_id: str) -> str:
    """Returns the log group that AgentCore writes a runtime's output to, by the runtime's id or a pattern of it."""
    return f"{RUNTIME_OUTPUT}{runtime_id}-DEFAULT"


def log_group_keeper(department: str) -> str:
    """Returns the IAM role name of the function that keeps runtimes' log groups; `*` for the department stands for any.

    Fixed, so that an organisation's guardrail can except it.
    """
    return f"ringfence-{department}-log-keeper"


def runtime_records(department: str, persona: str) -> str:
    """Returns the log group in which a persona's runtimes write their half of every call record."""
    return f"/ringfence/{department}/calls/{persona}"


def published_tool(server: str, tool: str) -> str:
    """Returns the name under which the gateway publishes a tool: target, three underscores, tool."""
    return f"{server}___{tool}"


def token_issuer(department: str, persona: str) -> str:
    """Returns the `iss` of the Txn-Tokens that this persona's request interceptor signs."""
    return f"urn:ringfence:{department}:{persona}:{ISSUER_PART}"


def token_audience(department: str, persona: str, server: str) -> str:
    """Returns the `aud` of the Txn-Tokens meant for one runtime."""
    return f"urn:ringfence:{department}:{persona}:{server}"


def asset_bucket(account: str) -> str:
    """Returns the CDK bootstrap bucket that holds the code zips (default qualifier)."""
    return f"cdk-hnb659fds-assets-{account}-{REGION}"


def custom_resource_answers(account: str, department: str) -> str:
    """Returns, as an IAM pattern, the objects in which CloudFormation takes answers for this department's stacks.

    The bucket is CloudFormation's, its name has the region without hyphens (CloudFormation user guide, "VPC endpoints",
    read 28 November 2026). The key begins with the ARN of the stack that waits, as the `ResponseURL` of events shows
    (Lambda developer guide, "Using AWS Lambda with CloudFormation"): an answer to a stack of any other account is
    another object.
    """
    bucket = f"cloudformation-custom-resource-response-{REGION.replace('-', '')}"
    return f"arn:aws:s3:::{bucket}/arn:aws:cloudformation:{REGION}:{account}:stack/ringfence-{department}-*"
