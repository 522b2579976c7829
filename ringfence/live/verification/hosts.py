"""What MCP hosts and their models stand on besides the gateways: resource servers, and the record of models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ringfence.live.results import Result, right, unknown, wrong
from ringfence.live.verification.after import After, gateway_url

_DEPLOY: Final = "make deploy, then look again."
_ABSENT: Final = ("ResourceNotFoundException",)


def resource_servers(after: After) -> Iterator[Result]:
    """Looks for each gateway's address among the pool's resource servers: hosts that send it as `resource` need it."""
    pools = after.deployed.owned("AWS::Cognito::UserPool")
    if not pools:
        yield wrong("user pool", "It is not there.", _DEPLOY)
        return
    for persona in after.needs.department.personas:
        url = gateway_url(after.deployed, after.department, persona)
        answer = after.account.ask(
            "cognito-idp:DescribeResourceServer", absent=_ABSENT, UserPoolId=pools[0].physical_id, Identifier=url
        )
        subject, told = f"resource server of {persona}", (answer or {}).get("ResourceServer")
        if told is None:
            found = f"The user pool has none of the name {url}."
            yield wrong(subject, f"{found} A host that asks for a token for it is refused.", _DEPLOY)
        elif told.get("Scopes"):
            named = ", ".join(each["ScopeName"] for each in told["Scopes"])
            yield wrong(subject, f"It has the scopes {named}, and the template gives it none.", _DEPLOY, evidence=told)
        else:
            yield right(subject, "It has the gateway's address as its name, and no scope.", evidence=told)


def model_logging(after: After) -> Iterator[Result]:
    """Compares the account's setting for model invocation logging with what the audit stack made for it."""
    subject = "model invocation logging"
    if after.needs.department.models is None:
        yield right(subject, "The department's file names no models.")
        return
    stack = after.deployed.stacks.get(f"ringfence-{after.department}-audit")
    outputs = stack.outputs if stack else {}
    wanted = {"logGroupName": outputs.get("ModelLogGroupName"), "roleArn": outputs.get("ModelLogRoleArn")}
    if not all(wanted.values()):
        yield wrong(subject, "The audit stack tells no log group and no role for it.", _DEPLOY)
        return
    answer = after.account.ask("bedrock:GetModelInvocationLoggingConfiguration") or {}
    there = answer.get("loggingConfig") or {}
    yield _judged(subject, wanted, there, f"Run once: {outputs.get('ModelLoggingCommand', '')}")


def _judged(subject: str, wanted: dict[str, Any], there: dict[str, Any], command: str) -> Result:
    group = there.get("cloudWatchConfig") or {}
    buckets = [each["bucketName"] for each in _buckets(there)]
    if not there:
        return wrong(subject, "It is off: nothing that the account's models are asked is recorded.", command)
    if {key: group.get(key) for key in wanted} != wanted:
        where = group.get("logGroupName") or ", ".join(buckets) or "nowhere"
        found = f"The account records elsewhere: {where}."
        return wrong(subject, found, f"Ask whose setting it is. {command}", evidence=there)
    if not there.get("textDataDeliveryEnabled"):
        return wrong(subject, "It records calls without their text.", command, evidence=there)
    if buckets:
        found = f"It records here, and in {', '.join(buckets)} besides, which no template holds."
        return unknown(subject, found, "Look how long that bucket keeps it, and with which key.", evidence=there)
    return right(subject, f"It records the text of every call in {wanted['logGroupName']}.", evidence=there)


def _buckets(there: dict[str, Any]) -> list[dict[str, Any]]:
    large = (there.get("cloudWatchConfig") or {}).get("largeDataDeliveryS3Config")
    return [each for each in (there.get("s3Config"), large) if each]
