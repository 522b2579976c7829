"""One governed tool call: verify, check, assume, run, explain, record, answer."""

from __future__ import annotations

import asyncio
import json
import sys
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from callpath.arguments import ToolRule, check_arguments
from callpath.call_record import new_call_id, runtime_record
from callpath.refusal import META_CALL_ID, Refusal, refusal_result
from callpath.txn_token import TxnToken, Verifier, peek_call_id
from runtime import statements
from runtime.aws import HostAws
from runtime.causes import SAYING, Cause, embedded_failure, explained, find_cause, refusal_for
from runtime.record import CallLog, NotRecorded
from runtime.result_limits import carried
from runtime.server.supervisor import NOT_GIVEN, START_WAIT_SECONDS, Supervisor
from runtime.settings import GrantedCall, GrantedTool, Settings


@dataclass
class _Call:
    """What is known about a call so far; the call record is made from it whatever happens."""

    call_id: str
    tool_name: str
    started: float = field(default_factory=time.perf_counter)
    token: TxnToken | None = None
    tool: GrantedTool | None = None
    granted: GrantedCall | None = None
    role_session: str | None = None
    refusal: Refusal | None = None
    cause: Cause | None = None
    is_error: bool = False
    timing_ms: dict[str, float] = field(default_factory=dict)

    @property
    def outcome(self) -> str:
        """What became of the call: a server that was given it may have done it, whatever it then said."""
        if self.refusal is None:
            return "allowed"
        # IAM is a lock too: it refused what was asked of it.
        held_back = self.role_session is None or self.refusal.rule in (*NOT_GIVEN, "access-denied")
        return "refused" if held_back else "failed"

    def lap(self, name: str, since: float) -> None:
        self.timing_ms[name] = round((time.perf_counter() - since) * 1000, 2)


class Calls:
    """Answers `tools/call`.

    Args:
        settings: the host's settings.
        supervisor: keeps the server.
        aws: the host's own AWS calls.
    """

    def __init__(self, settings: Settings, supervisor: Supervisor, aws: HostAws) -> None:
        self._settings = settings
        self._supervisor = supervisor
        self._aws = aws
        self._log = CallLog(settings, aws)
        self._verifier: Verifier | None = None
        self._verifier_lock = asyncio.Lock()
        self._rules = {
            tool.name: ToolRule(tool.name, tool.definition["inputSchema"], tool.forced, tool.looking)
            for tool in settings.tools.values()
        }

    def prepare(self) -> None:
        """Load and compile ahead of the first call what it would otherwise wait for. Sends nothing; thread safe."""
        import joserfc.jwt  # noqa: F401 - what callpath.txn_token loads when it first verifies

        self._aws.prepare()
        for rule in self._rules.values():
            _ = rule.validate
        if any(tool.statements for tool in self._settings.tools.values()):
            statements.prepare()

    async def answer(self, tool_name: str, arguments: dict[str, object], txn_token: str | None) -> dict[str, Any]:
        """Run one call and return its MCP result. Never raises: whatever goes wrong is a refusal with a call id."""
        call = _Call(peek_call_id(txn_token) or new_call_id(), tool_name)
        try:
            result = await self._run(call, arguments, txn_token)
        except Refusal as refusal:
            call.refusal = refusal
            result = refusal_result(refusal, call.call_id, outcome=call.outcome)
        except Exception as fault:
            call.refusal = _internal(fault)
            result = refusal_result(call.refusal, call.call_id, outcome=call.outcome)
        try:
            await self._record(call, phase="ended")
        except NotRecorded as fault:
            return refusal_result(_withheld(call, fault), call.call_id)
        except Exception as fault:
            return refusal_result(_internal(fault), call.call_id)  # a call that cannot be recorded is not answered
        return result

    async def _run(self, call: _Call, arguments: dict[str, object], txn_token: str | None) -> dict[str, Any]:
        verifier = self._verifier or await self._make_verifier()
        since = time.perf_counter()
        call.token = token = verifier.verify(txn_token, tool=call.tool_name, arguments=arguments)
        call.call_id = token.call_id
        call.tool = tool = self._settings.tools.get(call.tool_name)
        if tool is None:
            raise Refusal("runtime", "unknown-tool", f"The persona {self._settings.persona} has no such tool here")
        # The interceptor checked the same; layers do not trust each other's work.
        checked = check_arguments(self._rules[tool.name], arguments, layer="runtime")
        # Beside the loop, since hostile SQL may take the parser a while.
        call.granted = granted = await asyncio.to_thread(tool.held_to, checked, approval=token.approval)
        call.lap("verify", since)
        async with self._supervisor.place():
            if granted.level != "read":
                # What may change something is on record before it can, should neither answer nor host live to say so.
                await self._record_begun(call)
            since = time.perf_counter()
            await self._supervisor.ready(within=START_WAIT_SECONDS)
            call.lap("start", since)
            since = time.perf_counter()
            credentials = await asyncio.to_thread(self._aws.assume_persona, token, granted)
            call.lap("assume_role", since)
            call.role_session = token.call_id
            since = time.perf_counter()
            result, stderr = await self._supervisor.call(
                tool.name,
                {**checked, **tool.filled},
                credentials=credentials,
                timeout_seconds=tool.timeout_seconds,
            )
            call.lap("server", since)
        return carried(self._explain(call, granted, result, stderr), server=self._settings.server, tool=call.tool_name)

    async def _make_verifier(self) -> Verifier:
        async with self._verifier_lock:
            if self._verifier is None:
                settings = self._settings
                key = await asyncio.to_thread(self._aws.verification_key)
                self._verifier = Verifier(public_key_der=key, issuer=settings.issuer, audience=settings.audience)
            return self._verifier

    def _explain(self, call: _Call, granted: GrantedCall, result: dict[str, Any], stderr: str) -> dict[str, Any]:
        """Put the call id, and the reason of a failure, into the server's answer."""
        content = result.get("content")
        if not isinstance(content, list) or not all(isinstance(part, dict) for part in content):
            raise Refusal("server", "server-error", f"The {self._settings.server} server gave no valid answer")
        result["_meta"] = _own_meta(result.get("_meta"), call.call_id)
        actions = granted.allowed_actions()
        if result.get("isError") is True:
            call.is_error = True
            said = _text(content)
            if refusal := explained(f"{said}\n{stderr}", self._settings.explanations):
                return self._not_available(call, refusal)
            call.cause = find_cause(stderr, allowed_actions=actions) or find_cause(said, allowed_actions=actions)
            call.refusal = refusal = refusal_for(call.cause, server=self._settings.server, tool=granted.tool)
            if call.cause:
                words = [{"type": "text", "text": call.cause.reason}] if call.cause.reason else []
            else:
                words = [] if said.strip() == f"Error executing tool {granted.tool}" else content
            helpful = words if refusal.rule in SAYING else []
            return refusal_result(refusal, call.call_id, outcome=call.outcome, words=helpful)
        elif failure := embedded_failure(result):
            call.is_error = True
            if refusal := explained(failure, self._settings.explanations):
                return self._not_available(call, refusal)
            call.cause = find_cause(failure, allowed_actions=actions) or Cause("ReportedByServer")
            call.refusal = refusal_for(call.cause, server=self._settings.server, tool=granted.tool)
            # The body stays as the server wrote it, behind the sentence that says what it is.
            return {**result, **refusal_result(call.refusal, call.call_id, outcome=call.outcome, words=content)}
        return result

    def _not_available(self, call: _Call, refusal: Refusal) -> dict[str, Any]:
        """Answer with the catalogue's words: the server's own would send the caller to the internet."""
        call.cause, call.refusal = Cause("NotAvailableHere"), refusal
        return refusal_result(refusal, call.call_id, outcome=call.outcome)

    async def _record_begun(self, call: _Call) -> None:
        since = time.perf_counter()
        try:
            await self._record(call, phase="begun")
        except NotRecorded as fault:
            raise Refusal(
                "runtime",
                "not-recorded",
                f"The call was not made, because its record could not be written (CloudWatch Logs: {fault}); try again",
            ) from fault
        call.lap("record_begun", since)

    async def _record(self, call: _Call, *, phase: str) -> None:
        token, cause, refusal = call.token, call.cause, call.refusal
        record = runtime_record(
            call_id=call.call_id,
            department=self._settings.department,
            persona=self._settings.persona,
            server=self._settings.server,
            tool=call.tool_name,
            level=_level(call),
            staff_id=token.staff_id if token else None,
            arguments_sha256=token.arguments_sha256 if token else None,
            outcome=call.outcome,
            layer=refusal.layer if refusal else None,
            rule=refusal.rule if refusal else None,
            aws_role_session=call.role_session,
            cause_code=cause.code if cause else None,
            cause_operation=cause.operation if cause else None,
            latency_ms=round((time.perf_counter() - call.started) * 1000),
        )
        seen = {"phase": phase, "is_error": call.is_error, "timing_ms": call.timing_ms}
        await self._log.write(json.dumps({**record, **seen}))


def _level(call: _Call) -> str | None:
    """The level of the operation once it is known, and before that the tool's highest."""
    known = call.granted or call.tool
    return known.level if known else None


def _own_meta(meta: object, call_id: str) -> dict[str, Any]:
    """The server's `_meta` without anything that could pass for ours, and the call id."""
    theirs = meta if isinstance(meta, dict) else {}
    return {**{key: value for key, value in theirs.items() if not key.startswith("ringfence/")}, META_CALL_ID: call_id}


def _text(content: list[dict[str, Any]]) -> str:
    return "\n".join(part["text"] for part in content if isinstance(part.get("text"), str))[:65536]


def _withheld(call: _Call, fault: NotRecorded) -> Refusal:
    """What the caller is told instead of an answer whose record is not written."""
    why = f"its record could not be written (CloudWatch Logs: {fault})"
    if call.role_session is None:
        return Refusal("runtime", "not-recorded", f"The call was not made, and {why}; try again")
    return Refusal(
        "runtime",
        "not-recorded",
        f"The call was made, but its answer is withheld, because {why}; if it may have changed something, look at that "
        "before calling again",
    )


def _internal(fault: Exception) -> Refusal:
    # Where, but not what: the message of an exception may quote arguments or results.
    where = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in traceback.extract_tb(fault.__traceback__)]
    event = {"record": "ringfence.host", "event": "internal-error", "type": type(fault).__name__, "where": where[-8:]}
    print(json.dumps(event), file=sys.stderr, flush=True)
    return Refusal("runtime", "internal-error", "The runtime failed inside; tell the platform team the call id")
