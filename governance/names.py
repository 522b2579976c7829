"""Every name that two rooms must agree on, made in one place."""

from __future__ import annotations

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


def switch_off_role(department: str) -> str:
    """Returns the name of the IAM role with which security stops a persona's calls."""
    return f"ringfence-{department}-switch-off"


def switch_off_role_arn(account: str, department: str) -> str:
    """Returns the ARN of that role; each persona's key names it."""
    return f"arn:aws:iam::{account}:role/{switch_off_role(department)}"


def txn_token_alias(department: str, persona: str) -> str:
    """Returns the alias of the key that signs a persona's Txn-Tokens."""
    return f"alias/ringfence-{department}-{persona}-txn-token"


def gateway(department: str, persona: str) -> str:
    """Returns the AgentCore gateway's name (at most 48 characters, which the department's name length guarantees)."""
    return f"ringfence-{department}-{persona}"


def runtime(persona: str, server: str) -> str:
    """Returns the AgentCore runtime's name, which allows no hyphen: `[a-zA-Z][a-zA-Z0-9_]{0,47}`."""
    return f"ringfence_{persona}_{server}".replace("-", "_")


def published_tool(server: str, tool: str) -> str:
    """Returns the name under which the gateway publishes a tool: target, three underscores, tool."""
    return f"{server}___{tool}"


def token_issuer(department: str, persona: str) -> str:
    """Returns the `iss` of the Txn-Tokens that this persona's request interceptor signs."""
    return f"urn:ringfence:{department}:{persona}:{ISSUER_PART}"


def token_audience(department: str, persona: str, server: str) -> str:
    """Returns the `aud` of the Txn-Tokens meant for one runtime."""
    return f"urn:ringfence:{department}:{persona}:{server}"
