"""The pieces IAM documents are made of: actions by resource and region, statements with a Sid and a region lock."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol

from ringfence.catalogue.files.tool_files import Grant
from ringfence.catalogue.servers import Server, Tool
from ringfence.reading import names
from ringfence.reading.problems import Problem, ProblemsFound
from ringfence.reading.region import REGION

Document = dict[str, Any]
Statement = dict[str, Any]
Needs = dict[tuple[str, tuple[str, ...], str], set[str]]
"""IAM actions by (region in which AWS answers, resources, further conditions as JSON text; empty for none)."""

SESSION_TAGS: Final = 200
"""Characters that keys and values of a session's tags never exceed (persona, tool, call and department)."""

LONGEST_SESSION_POLICY: Final = 2048 - SESSION_TAGS
"""Characters of the session policy of a call.

STS accepts 2,048 (AssumeRole, parameter Policy). It also packs policy and tags together, in a form and to a limit that
it does not publish, so both together stay within the limit that it does.
"""

LONGEST_MANAGED_POLICY: Final = 6144
"""Characters of a managed policy, white space not counted (IAM quotas)."""

LONGEST_TRUST_POLICY: Final = 2048
"""Characters of a role's trust policy, white space not counted (IAM quotas, default; IAM answers ACLSizePerRole)."""

LONGEST_ROLE_NAME: Final = 64
"""Characters of a role's name (IAM quotas); CloudFormation's own names are never longer."""

MOST_MANAGED_POLICIES: Final = 10
"""Managed policies that a role carries (IAM quotas, default)."""

LONGEST_ENDPOINT_POLICY: Final = 20480
"""Characters of a VPC endpoint policy, white space included (AWS PrivateLink quotas)."""


def region_lock(region: str) -> dict[str, dict[str, str]]:
    """Returns the condition that admits requests to one region only.

    IAM's own requests carry us-east-1, wherever they are made: its control plane is there.
    """
    return {"StringEquals": {"aws:RequestedRegion": region}}


class Place(Protocol):
    """Whose account a policy is for; a department is one."""

    @property
    def account(self) -> str: ...
    @property
    def name(self) -> str: ...


class Regional(Protocol):
    """Whoever knows in which region AWS answers an action: a server, or a role that a tool passes."""

    def region_of(self, action: str) -> str: ...


def needs_of(tools: Iterable[tuple[Server, Tool]], place: Place) -> Needs:
    """Returns what a set of tools needs, with the department's facts filled in."""
    return needs(((server, grant) for server, tool in tools for grant in tool.grants), place)


def filled(text: str, place: Place) -> str:
    """Returns a catalogue's text with the department's account and name, and the region, in it."""
    return text.replace("{account}", place.account).replace("{department}", place.name).replace("{region}", REGION)


def filled_within(value: Any, place: Place) -> Any:
    """Returns a value of the catalogue with every text of it `filled`, in lists and objects as well."""
    if isinstance(value, dict):
        return {name: filled_within(each, place) for name, each in value.items()}
    if isinstance(value, list):
        return [filled_within(each, place) for each in value]
    return filled(value, place) if isinstance(value, str) else value


def allow_statements(needed: Needs) -> list[Statement]:
    """Returns one statement for each service, region, set of resources and conditions, each locked to its region."""
    groups: dict[tuple[str, str, tuple[str, ...], str], set[str]] = {}
    for (region, resources, conditions), actions in needed.items():
        for action in actions:
            groups.setdefault((action.partition(":")[0], region, resources, conditions), set()).add(action)
    statements = [
        {
            "Sid": f"Allow{words(prefix)}{_resource_words(resources)}",
            "Effect": "Allow",
            "Action": sorted(actions),
            "Resource": list(resources),
            "Condition": _condition(region, conditions),
        }
        for (prefix, region, resources, conditions), actions in sorted(groups.items())
    ]
    return _with_distinct_sids(statements)


def session_document(place: Place, server: Server, tool: Tool, operation: str | None) -> Document:
    """Returns the policy of one call's session: the actions of the tool, or of the one operation that is called.

    Raises:
        ValueError: the tool has operations and none is named, or the tool has no such operation.
    """
    if (operation is None) != (not tool.operation) or (operation is not None and operation not in tool.operations):
        raise ValueError(f"{server.name} {tool.name} has no session policy for operation {operation}")
    grants = tool.grants if operation is None else tool.operations[operation].grants
    statements = [
        # Numbers: words cost characters that conditions need, and a session policy is found by its call, not by a Sid.
        {**statement, "Sid": str(number)}
        for number, statement in enumerate(allow_statements(needs(((server, grant) for grant in grants), place)), 1)
    ]
    if any(_may_name_records(resource) for grant in grants for resource in grant.resources):
        statements.append({**unreadable_logs(), "Sid": str(len(statements) + 1)})
    # An absent session policy would leave the call with everything its persona may do.
    nothing: Statement = {"Sid": "DenyEverything", "Effect": "Deny", "Action": "*", "Resource": "*"}
    return document(statements or [nothing])


def _may_name_records(resource: str) -> bool:
    """Returns whether a resource pattern may cover a log group that no persona reads."""
    _, found, group = resource.partition(":log-group:")
    begins = group.partition("*")[0]
    records = (pattern.partition("*")[0] for pattern in names.UNREADABLE_LOG_GROUPS)
    return bool(found) and any(each.startswith(begins) or begins.startswith(each) for each in records)


def unreadable_logs() -> Statement:
    """Returns the denial of the log groups that no persona reads, for every action of CloudWatch Logs that names one.

    They hold what other people asked and were refused, the department's sign-ins and its network. `logs:*`, not a list
    of reads: a new way to read, and any way to change them, is denied the day AWS makes it.
    """
    groups = [f"arn:aws:logs:*:*:log-group:{pattern}" for pattern in names.UNREADABLE_LOG_GROUPS]
    return {"Sid": "DenyAuditLogs", "Effect": "Deny", "Action": "logs:*", "Resource": groups}


def document(statements: Iterable[Statement]) -> Document:
    """Returns an IAM policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def parted(statements: Iterable[Statement], *, limit: int) -> list[Document]:
    """Returns statements in as many documents as it takes for each to fit, in their order.

    Raises:
        ProblemsFound: one statement alone is longer than the limit.
    """
    parts: list[list[Statement]] = [[]]
    for statement in statements:
        if parts[-1] and len(compact(document([*parts[-1], statement]))) > limit:
            parts.append([])
        parts[-1].append(statement)
    remedy = "Name fewer actions or shorter resource patterns in server.toml."
    return [
        within(document(part), limit=limit, subject="policy with " + ", ".join(s["Sid"] for s in part), remedy=remedy)
        for part in parts
        if part
    ]


def compact(policy: Document) -> str:
    """Returns a document as the shortest JSON text, the same for the same document."""
    return json.dumps(policy, separators=(",", ":"), sort_keys=True)


def spread(policy: object) -> str:
    """Returns a document with as much white space as JSON is commonly written with.

    For services that count white space too: nobody documents in which form CloudFormation hands a document on.
    """
    return json.dumps(policy, indent=4)


def within(
    policy: Document, *, limit: int, subject: str, remedy: str, text: Callable[[Document], str] = compact
) -> Document:
    """Returns the document if AWS will accept its size.

    Args:
        limit: Characters that AWS accepts.
        text: How it is written where AWS counts: `compact`, or `spread` where white space counts too.

    Raises:
        ProblemsFound: it is longer than `limit` characters.
    """
    size = len(text(policy))
    if size > limit:
        message = f"The compiled policy has {size} characters; AWS accepts {limit}."
        raise ProblemsFound(subject, [Problem("policy", f"{size} characters", message, remedy)])
    return policy


def needs(grants: Iterable[tuple[Regional, Grant]], place: Place) -> Needs:
    """Returns what grants need, each answered in the region that its owner knows.

    A bucket's ARN names no account, and anybody may own a bucket of any name: such a grant holds in this account only.
    """
    found: Needs = {}
    for owner, grant in grants:
        resources = tuple(sorted(filled(resource, place) for resource in grant.resources))
        block = {operator: dict(keys) for operator, keys in grant.conditions.items()}
        if any(account_in(resource) == "" for resource in resources):
            block.setdefault("StringEquals", {})["aws:ResourceAccount"] = place.account
        conditions = filled(json.dumps(block, sort_keys=True), place) if block else ""
        for action in grant.actions:
            found.setdefault((owner.region_of(action), resources, conditions), set()).add(action)
    return found


def account_in(resource: str) -> str | None:
    """Returns the account that an ARN names, empty where it names none; None for `*`, which is no ARN."""
    parts = resource.split(":", 5)
    return parts[4] if len(parts) == 6 else None


def _condition(region: str, conditions: str) -> dict[str, dict[str, Any]]:
    """Returns the region lock, merged with a grant's own conditions; all of them must hold."""
    merged: dict[str, dict[str, Any]] = dict(region_lock(region))
    for operator, keys in (json.loads(conditions) if conditions else {}).items():
        merged[operator] = {**merged.get(operator, {}), **keys}
    return merged


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
