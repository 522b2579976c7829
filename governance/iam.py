"""IAM documents compiled from the catalogue: what a persona, and one call of one tool, may do in AWS.

Everything is plain JSON data; no CDK. The permissions boundaries are in `governance.boundaries` and the VPC endpoint
policies in `governance.endpoints`; both are offered here too, so that callers need one module.
"""

from __future__ import annotations

from governance.boundaries import persona_boundary, service_boundary
from governance.catalogue import Catalogue, Server, Tool
from governance.department import Department
from governance.endpoints import EndpointService, endpoint_policy, services
from governance.iam_statements import (
    LONGEST_MANAGED_POLICY,
    LONGEST_SESSION_POLICY,
    Document,
    allow_statements,
    compact,
    document,
    needs_of,
    region_lock,
    within,
)

__all__ = [
    "Document",
    "EndpointService",
    "compact",
    "endpoint_policy",
    "persona_boundary",
    "persona_policy",
    "region_lock",
    "service_boundary",
    "services",
    "session_policy",
]


def persona_policy(catalogue: Catalogue, department: Department, persona: str) -> Document:
    """Returns the identity policy of a persona role: the union of its granted tools' needs, each locked to its region.

    Raises:
        ProblemsFound: the policy is longer than AWS accepts for a managed policy.
    """
    statements = allow_statements(needs_of(catalogue.granted(persona), department))
    return within(
        document(statements),
        limit=LONGEST_MANAGED_POLICY,
        subject=f"policy of persona {persona}",
        remedy="Grant fewer tools, or share resource patterns between tools.",
    )


def session_policy(department: Department, server: Server, tool: Tool) -> Document:
    """Returns the session policy that one call of one tool works under: its own actions and no others.

    A tool without any grant gets a policy that allows nothing, because an absent session policy would leave the call
    with everything its persona may do.

    Raises:
        ProblemsFound: the policy is longer than STS accepts.
    """
    statements = allow_statements(needs_of([(server, tool)], department))
    if not statements:
        statements = [{"Sid": "DenyEverything", "Effect": "Deny", "Action": "*", "Resource": "*"}]
    return within(
        document(statements),
        limit=LONGEST_SESSION_POLICY,
        subject=f"session policy of {server.name} {tool.name}",
        remedy="Name fewer actions or shorter resource patterns in server.toml.",
    )
