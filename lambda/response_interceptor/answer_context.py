"""What is known about one response while it is being decided, and the record that is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from callpath.call_record import response_record
from callpath.digest import canonical_digest
from callpath.refusal import Refusal
from response_interceptor.redaction_metrics import redaction_metrics
from response_interceptor.rules import Rules, Tool


@dataclass(kw_only=True)
class AnswerContext:
    """Told to by every step; holds counts, never content."""

    call_id: str
    now: float
    method: str | None = None
    tool: Tool | None = None
    redactions: Mapping[str, int] = field(default_factory=dict)
    neutralised: int = 0
    dropped: int = 0
    differs: int = 0
    truncated: bool = False
    # What an earlier layer says of the call: what became of it, by whom and why, and whether the words are ours.
    outcome: str = "allowed"
    layer: str | None = None
    rule: str | None = None
    own_words: bool = False
    unanswered: bool = False  # the gateway hands over no answer, so what is shown is this function's own
    unheard: bool = False  # nobody waits for what is said, so it is recorded and no body goes out
    derived: bool = False  # the refusal is the request interceptor's, found again in the request
    request_sha256: str | None = None  # where no answer came back, and no call id with it
    own_sentence: bool = False  # the first part of a result is ours, the rest is not

    def metrics(self, rules: Rules) -> dict[str, Any] | None:
        """Return the line that counts what was redacted, None where nothing was."""
        return redaction_metrics(self.redactions, department=rules.department, persona=rules.persona, now=self.now)

    def record(self, rules: Rules, *, answer: dict[str, Any], refusal: Refusal | None = None) -> dict[str, object]:
        """Return the response half of the call record.

        Args:
            rules: the rules that were applied.
            answer: the JSON-RPC message the caller receives, unless nobody waits for it.
            refusal: why this function held the result back, if it did.
        """
        result = answer.get("result", answer.get("error"))
        sha256, size = (None, None) if self.unheard else canonical_digest(result)
        tool = self.tool
        return response_record(
            call_id=self.call_id,
            now=self.now,
            department=rules.department,
            persona=rules.persona,
            policy_version=rules.policy_version,
            outcome="refused" if refusal else self.outcome,
            layer=refusal.layer if refusal else self.layer,
            rule=refusal.rule if refusal else self.rule,
            method=self.method,
            server=tool.server if tool else None,
            tool=tool.name if tool else None,
            level=tool.level if tool else None,
            result_sha256=sha256,
            result_bytes=size,
            is_error="error" in answer or (isinstance(result, dict) and result.get("isError") is True),
            redactions=self.redactions,
            neutralised=self.neutralised,
            dropped=self.dropped,
            differs=self.differs,
            truncated=self.truncated,
            derived=self.derived,
            request_sha256=self.request_sha256,
        )
