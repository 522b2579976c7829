"""Every name that two rooms must agree on, made in one place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from callpath.digest import digest
from ringfence.reading.region import REGION

ISSUER_PART: Final = "request-interceptor"
_LONGEST: Final = 48
"""AgentCore's limit for the names of runtimes and policies (botocore 1.44.5, `bedrock-agentcore-control`)."""
_LONGEST_GATEWAY: Final = 39
"""With the 11 characters that AgentCore appends, a gateway's id has 50: as many as awslabs' nx-plugin-for-aws (pull
request 890, July 2026) says it may have. The service model admits more; nobody knows both to be true."""
_DIGEST: Final = 8


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


def model_policy(department: str) -> str:
    """Returns the name of the managed policy for the roles of staff who ask models."""
    return f"ringfence-{department}-models"


def model_record(department: str) -> str:
    """Returns the log group in which Bedrock records what its models are asked and answer."""
    return f"/ringfence/{department}/models"


def txn_token_alias(department: str, persona: str) -> str:
    """Returns the alias of the key that signs a persona's Txn-Tokens."""
    return f"alias/ringfence-{department}-{persona}-txn-token"


def gateway(department: str, persona: str) -> str:
    """Returns the AgentCore gateway's name: at most 39 characters, unique in the account, the persona its last part.

    The policy engine has the same, with `_` for each hyphen.
    """
    name = f"ringfence-{department}-{persona}"
    if len(name) <= _LONGEST_GATEWAY:
        return name
    room = _LONGEST_GATEWAY - len(f"-{'x' * _DIGEST}-{persona}")
    return f"{name[:room].rstrip('-')}-{_digest(name)}-{persona}"


def runtime(department: str, persona: str, server: str) -> str:
    """Returns the AgentCore runtime's name: `[a-zA-Z][a-zA-Z0-9_]{0,47}`, unique in the account."""
    return _fitting(f"{persona}_{server}", after=runtimes_of(department))


def runtimes_of(department: str) -> str:
    """Returns what the names of a department's runtimes begin with, and no other department's.

    A department's name has no two hyphens in a row (`values.Name`), so the two underscores stand at its end and nowhere
    before: no department's name can be the beginning of another's here.
    """
    return f"ringfence_{department.replace('-', '_')}__"


def cedar_policy(department: str, persona: str, server: str, tool: str) -> str:
    """Returns the name of the policy that permits a tool: `[A-Za-z][A-Za-z0-9_]*`, at most 48 characters.

    Unique in the account, as botocore's model of `CreatePolicy` demands (`name`), not only in its engine.
    """
    return _fitting(f"{persona}_{server}__{tool}__{department}")


def _fitting(name: str, *, after: str = "") -> str:
    """Returns a name for AgentCore; one that is too long is cut, and a digest of the whole stands for the rest.

    Args:
        name: what may be cut.
        after: what stands before it, whole.
    """
    name = name.replace("-", "_")
    room = _LONGEST - len(after)
    if len(name) <= room:
        return after + name
    said = name[: max(room - _DIGEST - 1, 0)].rstrip("_")
    return f"{after}{said}{'_' if said else ''}{_digest(after + name)}"


def _digest(name: str) -> str:
    return digest(name)[:_DIGEST]


RUNTIME_OUTPUT = "/aws/bedrock-agentcore/runtimes/"
"""Where AgentCore writes what a runtime prints; the names below it are the service's choice."""


def runtime_outputs(department: str) -> str:
    """Returns what the log groups of a department's runtimes begin with, and no other department's."""
    return f"{RUNTIME_OUTPUT}{runtimes_of(department)}"


def runtime_output(runtime_id: str) -> str:
    """Returns the log group that AgentCore writes a runtime's output to, by the runtime's id or a pattern of it."""
    return f"{RUNTIME_OUTPUT}{runtime_id}-DEFAULT"


UNREADABLE_LOG_GROUPS: Final = (
    "/aws/bedrock-agentcore/*",
    "/aws/vendedlogs/*",
    "/ringfence/*",
    "aws-waf-logs-ringfence-*",
)
"""Patterns of the log groups that no persona reads: those that watch the personas, and what services deliver."""


def log_group_keeper(department: str) -> str:
    """Returns the IAM role name of the function that keeps runtimes' log groups; `*` for the department stands for any.

    Fixed, so that an organisation's guardrail can except it.
    """
    return f"ringfence-{department}-log-keeper"


def runtime_records(department: str, persona: str) -> str:
    """Returns the log group in which a persona's runtimes write their half of every call record."""
    return f"/ringfence/{department}/calls/{persona}"


def server_names(personas: Sequence[str]) -> dict[str, str]:
    """Returns what MCP hosts call each persona's server: `rf-aud`, with as many letters as keep the personas apart.

    Hosts put it before each tool's name, and some cut what is longer than 64 characters.
    """
    count = 3
    while len({persona[:count] for persona in personas}) < len(set(personas)):
        count += 1
    return {persona: f"rf-{persona[:count]}" for persona in personas}


def published_tool(server: str, tool: str) -> str:
    """Returns the name under which the gateway publishes a tool: target, three underscores, tool."""
    return f"{server}___{tool}"


def token_issuer(department: str, persona: str) -> str:
    """Returns the `iss` of the Txn-Tokens that this persona's request interceptor signs."""
    return f"urn:ringfence:{department}:{persona}:{ISSUER_PART}"


def token_audience(department: str, persona: str, server: str) -> str:
    """Returns the `aud` of the Txn-Tokens meant for one runtime."""
    return f"urn:ringfence:{department}:{persona}:{server}"


def custom_resource_answers(account: str, department: str) -> str:
    """Returns, as an IAM pattern, the objects in which CloudFormation takes answers for this department's stacks.

    The bucket is CloudFormation's, its name has the region without hyphens (CloudFormation user guide, "VPC endpoints",
    read 28 November 2026). The key begins with the ARN of the stack that waits, as the `ResponseURL` of events shows
    (Lambda developer guide, "Using AWS Lambda with CloudFormation"): an answer to a stack of any other account is
    another object.
    """
    bucket = f"cloudformation-custom-resource-response-{REGION.replace('-', '')}"
    return f"arn:aws:s3:::{bucket}/arn:aws:cloudformation:{REGION}:{account}:stack/ringfence-{department}-*"
