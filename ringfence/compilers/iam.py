"""IAM documents compiled from the catalogue: what a persona, and one call of one tool, may do in AWS.

Everything is plain JSON data; no CDK. The permissions boundaries are in `ringfence.compilers.boundaries` and the VPC
endpoint policies in `ringfence.compilers.endpoints`; both are offered here too, so that callers need one module.
"""

from __future__ import annotations

from ringfence.catalogue.catalogue import Catalogue
from ringfence.catalogue.iam_statements import (
    LONGEST_MANAGED_POLICY,
    LONGEST_SESSION_POLICY,
    MOST_MANAGED_POLICIES,
    Document,
    allow_statements,
    compact,
    needs_of,
    parted,
    region_lock,
    session_document,
    within,
)
from ringfence.catalogue.servers import Server, Tool
from ringfence.compilers.boundaries import persona_boundary, service_boundary
from ringfence.compilers.endpoints import EndpointService, endpoint_policy, services
from ringfence.department.department import Department
from ringfence.reading.problems import Problem, ProblemsFound

__all__ = [
    "Document",
    "EndpointService",
    "compact",
    "endpoint_policy",
    "persona_boundary",
    "persona_policies",
    "region_lock",
    "service_boundary",
    "services",
    "session_policy",
]


def persona_policies(catalogue: Catalogue, department: Department, persona: str) -> list[Document]:
    """Returns the identity policies of a persona role: its granted tools' needs together, each locked to its region.

    One managed policy holds 6,144 characters, so a broad persona has several; their statements come in one order.

    Raises:
        ProblemsFound: there are more than a role can carry.
    """
    statements = allow_statements(needs_of(catalogue.granted(persona, department), department))
    documents = parted(statements, limit=LONGEST_MANAGED_POLICY)
    if len(documents) > MOST_MANAGED_POLICIES:
        message = f"Its tools need {len(documents)} managed policies; a role carries {MOST_MANAGED_POLICIES}."
        remedy = "Grant fewer tools, or share resource patterns between tools."
        where = f"{len(documents)} policies"
        raise ProblemsFound(
            f"persona {persona}", [Problem(f"personas.toml: personas.{persona}", where, message, remedy)]
        )
    return documents


def session_policy(department: Department, server: Server, tool: Tool, operation: str | None = None) -> Document:
    """Returns the session policy that one call of one tool works under: its own actions and no others.

    A tool without any grant gets a policy that allows nothing, because an absent session policy would leave the call
    with everything its persona may do.

    Args:
        operation: The operation that is called; required for a tool that has operations, and only there.

    Raises:
        ProblemsFound: the policy is longer than STS accepts.
        ValueError: the tool has operations and none is named, or the tool has no such operation.
    """
    return within(
        session_document(department, server, tool, operation),
        limit=LONGEST_SESSION_POLICY,
        subject=f"session policy of {'.'.join(part for part in (server.name, tool.name, operation) if part)}",
        remedy="Name fewer actions or shorter resource patterns in server.toml.",
    )
