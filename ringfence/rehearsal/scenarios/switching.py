"""Security switches a persona off, and on again: drilled on the running department, with the time it takes."""

from __future__ import annotations

import time
from typing import Any

from ringfence.deployed.roles import Role
from ringfence.rehearsal.department import RunningDepartment
from ringfence.rehearsal.scenarios.calls import Expected
from ringfence.rehearsal.scenarios.mcp_user import McpUser
from ringfence.rehearsal.scenarios.scenario_context import ScenarioContext

_TOOL = "iam___list_groups"
_ACTION = "iam:ListGroups"


async def switched_off_and_on(context: ScenarioContext, user: McpUser) -> None:
    """The next call after the key is disabled is refused, and the next after it is enabled is answered."""
    role = switch_off_role(context.department)
    if role is None:
        return
    context.transcript.scenario = "security switches the persona off, and on again"
    kms = security_client(context.department, role)
    key = key_behind(kms, f"-{context.persona}-txn-token")
    started = time.monotonic()
    kms.disable_key(KeyId=key)
    try:
        reply = await user.call(_TOOL, {})
        seconds = time.monotonic() - started
        context.transcript.add(
            "the next call after the key is disabled",
            user=context.member.staff_id,
            tool=_TOOL,
            outcome=context.completed(reply.outcome),
            latency_ms=reply.latency_ms,
            expected=Expected("request", ("switched-off",)),
            note=f"refused {seconds:.1f} s after security asked for the key to be disabled",
        )
    finally:
        kms.enable_key(KeyId=key)
    reply = await user.call(_TOOL, {})
    context.transcript.add(
        "the next call after it is enabled",
        user=context.member.staff_id,
        tool=_TOOL,
        outcome=reply.outcome,
        latency_ms=reply.latency_ms,
        expected=Expected(aws={_ACTION: "allowed"}),
    )


def switch_off_role(department: RunningDepartment) -> Role | None:
    """The role for it, or None where the department has none."""
    return next((role for role in department.permissions.roles.values() if role.name.endswith("-switch-off")), None)


def security_client(department: RunningDepartment, role: Role) -> Any:
    """A KMS client with the role's rights, for the first role that its trust policy names."""
    (statement,) = role.trust.statements
    named: Any = statement.condition["ArnLike"]["aws:PrincipalArn"]
    trusted = str(named[0]).replace("*", "abc")
    credentials = department.aws.credentials_for(trusted, role.arn, "security-on-call")
    return department.aws.client("kms", credentials)


def key_behind(kms: Any, alias_ending: str) -> str:
    """The id of the key whose alias ends so."""
    aliases = kms.list_aliases()["Aliases"]
    return str(next(each["TargetKeyId"] for each in aliases if each["AliasName"].endswith(alias_ending)))
