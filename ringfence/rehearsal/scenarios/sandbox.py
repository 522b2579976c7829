"""A developer's sandbox: from no project to a running stack, through the gateway."""

from __future__ import annotations

from ringfence.rehearsal.scenarios.calls import Expected, PlayedCall
from ringfence.rehearsal.scenarios.mcp_user import McpUser
from ringfence.rehearsal.scenarios.stage import Stage

INIT = "serverless___sam_init"
DEPLOY = "serverless___sam_deploy"
STACK = "ringfence-sandbox-shop"
BUCKET = "ringfence-sandbox-artifacts"
_DONE = '"success": true'
_MADE = ("iam:CreateRole", "lambda:CreateFunction", "logs:CreateLogGroup")


async def deploys(stage: Stage, user: McpUser) -> None:
    """Make a project and deploy it as a new stack; nothing, where the persona may not do both."""
    if not {INIT, DEPLOY} <= stage.published:
        return
    stage.script.scene = "deploys a new stack in the sandbox"
    aws = stage.department.aws
    aws.make_bucket(BUCKET)
    project: dict[str, object] = {"project_name": "shop", "runtime": "python3.13", "architecture": "arm64"}
    await _call(stage, user, "make a project of the sandbox's template", INIT, project, Expected(text=(_DONE,)))
    target: dict[str, object] = {"project_directory": "shop", "s3_bucket": BUCKET}
    allowed = {f"cloudformation:{action}": "allowed" for action in ("CreateChangeSet", "ExecuteChangeSet")}
    new: dict[str, object] = {**target, "application_name": STACK}
    expected = Expected(aws=allowed, text=(_DONE,))
    deployed = await _call(stage, user, "deploy it as a new stack", DEPLOY, new, expected)
    deeds = aws.deeds_of(STACK)
    refused = [deed for deed in deeds if deed.decision != "allowed"]
    deployed.problems += [f"CloudFormation was refused {deed.action} on {deed.resource}" for deed in refused]
    deployed.problems += [f"CloudFormation did not {action}" for action in set(_MADE) - {d.action for d in deeds}]
    await _call(
        stage,
        user,
        "deploy over a stack of the department's own",
        DEPLOY,
        {**target, "application_name": f"ringfence-{stage.department.name}-network"},
        Expected("request", ("wrong-value",)),
    )


async def _call(
    stage: Stage,
    user: McpUser,
    step: str,
    tool: str,
    arguments: dict[str, object],
    expected: Expected,
) -> PlayedCall:
    reply = await user.call(tool, arguments)
    return stage.script.add(
        step,
        user=stage.member.staff_id,
        tool=tool,
        outcome=stage.completed(reply.outcome) if expected.layer else reply.outcome,
        latency_ms=reply.latency_ms,
        expected=expected,
    )
