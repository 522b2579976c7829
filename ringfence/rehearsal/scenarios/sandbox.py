"""A developer's sandbox: from no project to a running stack, through the gateway."""

from __future__ import annotations

from ringfence.rehearsal.scenarios.calls import Expected, ScenarioCall
from ringfence.rehearsal.scenarios.mcp_user import McpUser
from ringfence.rehearsal.scenarios.scenario_context import ScenarioContext

INIT = "serverless___sam_init"
DEPLOY = "serverless___sam_deploy"
STACK = "ringfence-sandbox-shop"
BUCKET = "ringfence-sandbox-artifacts"
_DONE = '"success": true'
_MADE = ("iam:CreateRole", "lambda:CreateFunction", "logs:CreateLogGroup")


async def deploys(context: ScenarioContext, user: McpUser) -> None:
    """Make a project and deploy it as a new stack; nothing, where the persona may not do both."""
    if not {INIT, DEPLOY} <= context.published:
        return
    context.transcript.scenario = "deploys a new stack in the sandbox"
    aws = context.department.aws
    aws.make_bucket(BUCKET)
    project: dict[str, object] = {"project_name": "shop", "runtime": "python3.13", "architecture": "arm64"}
    await _call(context, user, "make a project of the sandbox's template", INIT, project, Expected(text=(_DONE,)))
    target: dict[str, object] = {"project_directory": "shop", "s3_bucket": BUCKET}
    allowed = {f"cloudformation:{action}": "allowed" for action in ("CreateChangeSet", "ExecuteChangeSet")}
    new: dict[str, object] = {**target, "application_name": STACK}
    expected = Expected(aws=allowed, text=(_DONE,))
    deployed = await _call(context, user, "deploy it as a new stack", DEPLOY, new, expected)
    stack_operations = aws.stack_operations_of(STACK)
    refused = [stack_operation for stack_operation in stack_operations if stack_operation.decision != "allowed"]
    deployed.problems += [
        f"CloudFormation was refused {stack_operation.action} on {stack_operation.resource}"
        for stack_operation in refused
    ]
    deployed.problems += [
        f"CloudFormation did not {action}" for action in set(_MADE) - {d.action for d in stack_operations}
    ]
    await _call(
        context,
        user,
        "deploy over a stack of the department's own",
        DEPLOY,
        {**target, "application_name": f"ringfence-{context.department.name}-network"},
        Expected("request", ("wrong-value",)),
    )


async def _call(
    context: ScenarioContext,
    user: McpUser,
    step: str,
    tool: str,
    arguments: dict[str, object],
    expected: Expected,
) -> ScenarioCall:
    reply = await user.call(tool, arguments)
    return context.transcript.add(
        step,
        user=context.member.staff_id,
        tool=tool,
        outcome=context.completed(reply.outcome) if expected.layer else reply.outcome,
        latency_ms=reply.latency_ms,
        expected=expected,
    )
