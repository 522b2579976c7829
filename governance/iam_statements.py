"""The pieces IAM documents are made of: actions by resource and region, statements with a Sid and a region lock."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, Final

from governance.catalogue import Server, Tool
from governance.department import Department
from governance.problems import Problem, ProblemsFound
from governance.region import REGION

Document = dict[str, Any]
Statement = dict[str, Any]
Needs = dict[tuple[str, tuple[str, ...]], set[str]]
"""IAM actions by (region in which AWS answers, resources)."""

LONGEST_SESSION_POLICY: Final = 2048
"""Characters of an inline session policy (STS AssumeRole, parameter Policy)."""

LONGEST_MANAGED_POLICY: Final = 6144
"""Characters of a managed policy, white space not counted (IAM quotas)."""

LONGEST_ENDPOINT_POLICY: Final = 20480
"""Characters of a VPC endpoint policy (AWS PrivateLink quotas)."""


def region_lock(region: str) -> dict[str, dict[str, str]]:
    """Returns the condition that admits requests to one region only.

    IAM's own requests carry us-east-1, wherever they are made: its control plane is there.
    """
    return {"StringEquals": {"aws:RequestedRegion": region}}


def needs_of(tools: Iterable[tuple[Server, Tool]], department: Department) -> Needs:
    """Returns what a set of tools needs, with account and region filled in."""
    needs: Needs = {}
    for server, tool in tools:
        for grant in tool.grants:
            resources = tuple(sorted(filled(resource, department) for resource in grant.resources))
            for action in grant.actions:
                needs.setdefault((server.region_of(action), resources), set()).add(action)
    return needs


def filled(resource: str, department: Department) -> str:
    """Returns a catalogue's resource pattern with the department's account and region in it."""
    return resource.replace("{account}", department.account).replace("{region}", REGION)


def allow_statements(needs: Needs) -> list[Statement]:
    """Returns one statement for each service, region and set of resources, each locked to its region."""
    groups: dict[tuple[str, str, tuple[str, ...]], set[str]] = {}
    for (region, resources), actions in needs.items():
        for action in actions:
            groups.setdefault((action.partition(":")[0], region, resources), set()).add(action)
    statements = [
        {
            "Sid": f"Allow{words(prefix)}{_resource_words(resources)}",
            "Effect": "Allow",
            "Action": sorted(actions),
            "Resource": list(resources),
            "Condition": region_lock(region),
        }
        for (prefix, region, resources), actions in sorted(groups.items())
    ]
    return _with_distinct_sids(statements)


def document(statements: Iterable[Statement]) -> Document:
    """Returns an IAM policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def compact(policy: Document) -> str:
    """Returns a document as the shortest JSON text, the same for the same document."""
    return json.dumps(policy, separators=(",", ":"), sort_keys=True)


def within(policy: Document, *, limit: int, subject: str, remedy: str) -> Document:
    """Returns the document if AWS will accept its size.

    Raises:
        ProblemsFound: it is longer than `limit` characters.
    """
    size = len(compact(policy))
    if size > limit:
        message = f"The compiled policy has {size} characters; AWS accepts {limit}."
        raise ProblemsFound(subject, [Problem("policy", f"{size} characters", message, remedy)])
    return policy


def _with_distinct_sids(statements: list[Statement]) -> list[Statement]:
    seen: dict[str, int] = {}
    for statement in statements:
        sid = statement["Sid"]
        seen[sid] = seen.get(sid, 0) + 1
        if seen[sid] > 1:
            statement["Sid"] = f"{sid}{seen[sid]}"
    return statements


def _resource_words(resources: tuple[str, ...]) -> str:
    """Returns what a statement is about in words: `OnUserRole` for the ARNs of users and roles, nothing for `*`."""
    if resources == ("*",):
        return ""
    kinds = [re.split(r"[:/]", resource.split(":", 5)[5])[0] for resource in resources if resource.count(":") > 4]
    named = "".join(dict.fromkeys(words(kind) for kind in kinds))
    return f"On{named}" if named else ""


def words(text: str) -> str:
    """Returns a hyphenated text as a Sid may hold it: `us-east-1` becomes `UsEast1`."""
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", text) if part)
