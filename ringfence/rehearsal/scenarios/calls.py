"""One played call: what came back, what AWS saw of it, and whether that is what must happen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from callpath.refusal import META_CALL_ID, META_LAYER, META_RULE
from ringfence.deployed.gateways import SEPARATOR

_TOLD = 2000  # characters of a refusal that a report keeps


class AwsCallLike(Protocol):
    """What a report says about one AWS request of a call (see
    `ringfence.rehearsal.aws.authorization.record.AwsCall`)."""

    @property
    def call(self) -> str: ...
    @property
    def region(self) -> str: ...
    @property
    def decision(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def source_identity(self) -> str | None: ...
    @property
    def session_name(self) -> str: ...
    @property
    def session_policy_actions(self) -> tuple[str, ...] | None: ...
    @property
    def user_agent(self) -> str: ...


@dataclass(frozen=True)
class Outcome:
    """What a client saw.

    Attributes:
        refused: whether the call was refused, or failed.
        layer: the layer that refused, or None.
        rule: its rule, or None.
        call_id: the call id in the answer, or None (a request stopped at ingress has none).
        status: HTTP status, where the answer was plain HTTP.
    """

    refused: bool
    layer: str | None = None
    rule: str | None = None
    call_id: str | None = None
    text: str = ""
    status: int | None = None

    @classmethod
    def of_result(cls, result: Any) -> Outcome:
        """From an `mcp_types.CallToolResult`."""
        meta = result.meta or {}
        text = "\n".join(part.text for part in result.content if getattr(part, "text", None) is not None)
        return cls(
            refused=bool(result.is_error),
            layer=meta.get(META_LAYER),
            rule=meta.get(META_RULE),
            call_id=meta.get(META_CALL_ID),
            text=text,
        )

    @classmethod
    def of_body(cls, body: Any, *, status: int = 200) -> Outcome:
        """From the JSON-RPC body of an answer."""
        body = body if isinstance(body, dict) else {}
        error = body.get("error")
        if isinstance(error, dict):
            data = error.get("data") or {}
            return cls(
                refused=True,
                layer=data.get("layer"),
                rule=data.get("rule"),
                call_id=data.get("call_id"),
                text=str(error.get("message", "")),
                status=status,
            )
        result = body.get("result") or {}
        meta = result.get("_meta") or {}
        text = "\n".join(str(part["text"]) for part in result.get("content") or () if "text" in part)
        return cls(
            refused=bool(result.get("isError")) or status >= 400,
            layer=meta.get(META_LAYER),
            rule=meta.get(META_RULE),
            call_id=meta.get(META_CALL_ID),
            text=text,
            status=status,
        )


@dataclass(frozen=True)
class Expected:
    """What must happen.

    Attributes:
        layer: the layer that must refuse, or None for a call that must be answered.
        rules: the rules of which one must be named; empty for any.
        aws: AWS actions that must be seen, with their decision (`iam:ListUsers` -> `allowed`).
        text: pieces of text that the answer must hold.
        excuse: why no answer can be expected of the local AWS, or the empty text.
    """

    layer: str | None = None
    rules: tuple[str, ...] = ()
    aws: Mapping[str, str] = field(default_factory=dict)
    text: tuple[str, ...] = ()
    excuse: str = ""

    def as_json(self) -> dict[str, Any]:
        """The expectation in the shape of report.json."""
        either = "either" if self.excuse else "allowed"
        return {
            "outcome": "refused" if self.layer else either,
            "layer": self.layer,
            "rules": list(self.rules),
            "aws": dict(self.aws),
        }


@dataclass(frozen=True)
class Way:
    """Which layers a call came past at all.

    Attributes:
        enters: the layer that it reached first: ingress, unless it went around the gateway.
        without: layers that were switched off for it.
    """

    enters: str = "ingress"
    without: tuple[str, ...] = ()


THROUGH_THE_GATEWAY = Way()


@dataclass
class ScenarioCall:
    """A call of the play, as the report tells it.

    Attributes:
        scenario: what is being shown, in a few words; several calls may show it.
        step: what is done in this call, in a few words.
        user: the staff identifier of whoever calls; empty for nobody.
        way: which layers the call came past.
        problems: what differed from the expectation; empty when it held.
        note: one thing worth reading in the short account.
    """

    scenario: str
    step: str
    persona: str
    user: str
    server: str
    tool: str
    outcome: Outcome
    latency_ms: float
    expected: Expected = field(default_factory=Expected)
    way: Way = THROUGH_THE_GATEWAY
    aws_calls: tuple[AwsCallLike, ...] = ()
    problems: list[str] = field(default_factory=list)
    note: str = ""

    @property
    def held(self) -> bool:
        """Whether everything was as expected."""
        return not self.problems

    @property
    def name(self) -> str:
        """The tool with its server, or the method."""
        return f"{self.server}.{self.tool}" if self.server else self.tool

    def check(self) -> None:
        """Compare with what must happen, and with what must be true of every call."""
        outcome, expected = self.outcome, self.expected
        if expected.layer is None and not expected.excuse and (outcome.refused or outcome.layer is not None):
            self.problems.append(f"expected an answer, but {_where(outcome)}: {outcome.text[:300]}")
        if expected.layer is not None and not outcome.refused:
            self.problems.append(f"expected a refusal by the layer {expected.layer}, but it was answered")
        if expected.layer is not None and outcome.refused and outcome.layer != expected.layer:
            self.problems.append(
                f"expected a refusal by the layer {expected.layer}, but {_where(outcome)}: {outcome.text[:300]}"
            )
        if expected.rules and outcome.rule not in expected.rules:
            self.problems.append(f"expected the rule {' or '.join(expected.rules)}, but it was {outcome.rule}")
        for piece in expected.text:
            if piece not in outcome.text:
                self.problems.append(f"the answer does not hold {piece!r}: {outcome.text[:300]}")
        self._check_aws(expected)

    def _check_aws(self, expected: Expected) -> None:
        seen = {(call.call, call.decision) for call in self.aws_calls}
        for action, decision in expected.aws.items():
            if (action, decision) not in seen:
                self.problems.append(f"AWS did not see {action} {decision}; it saw {sorted(seen) or 'nothing'}")
        if not expected.aws and self.aws_calls and expected.layer is not None:
            self.problems.append(f"a refused call reached AWS: {sorted(seen)}")
        if expected.layer is None and not expected.excuse:
            refused = sorted({call.call for call in self.aws_calls if call.decision == "refused"})
            self.problems += [f"AWS refused {call} in a call that was answered" for call in refused]
        for call in self.aws_calls:
            if call.source_identity != self.user or call.session_name != self.outcome.call_id:
                self.problems.append(f"{call.call} was made as {call.source_identity} in {call.session_name}")
            if call.session_policy_actions is None:
                self.problems.append(f"{call.call} was made without a session policy")
            if call.decision == "allowed" and call.region != "eu-west-2" and not call.call.startswith("iam:"):
                self.problems.append(f"{call.call} went to {call.region}")

    def as_json(self) -> dict[str, Any]:
        """The call in the shape of report.json."""
        return {
            "scenario": self.scenario,
            "step": self.step,
            "call_id": self.outcome.call_id,
            "persona": self.persona,
            "user": self.user,
            "server": self.server,
            "tool": self.tool,
            "outcome": "refused" if self.outcome.refused else "allowed",
            "layer": self.outcome.layer,
            "rule": self.outcome.rule,
            "refusal": self.outcome.text[:_TOLD] if self.outcome.refused else None,
            "expected": self.expected.as_json(),
            "held": self.held,
            "problems": list(self.problems),
            "note": self.note,
            "enters": self.way.enters,
            "without": list(self.way.without),
            "latency_ms": round(self.latency_ms, 1),
            "aws_calls": [
                {
                    "action": call.call,
                    "region": call.region,
                    "decision": call.decision,
                    "source_identity": call.source_identity,
                    "session_name": call.session_name,
                    "session_policy_actions": list(call.session_policy_actions or ()),
                    "user_agent": call.user_agent,
                }
                for call in self.aws_calls
            ],
        }


class Transcript:
    """Collects the calls of scenarios and shows each as it happens.

    Attributes:
        scenario: what is being shown from here on.
        unanswered: granted tools that no answer can be expected of here, by published name, with the reason.
    """

    def __init__(
        self,
        *,
        persona: str,
        calls_for: Callable[[str], Iterable[AwsCallLike]],
        tell: Callable[[ScenarioCall], None],
    ) -> None:
        """Start empty.

        Args:
            calls_for: gives the AWS requests of a session name.
            tell: called with each call once it has been compared.
        """
        self.persona = persona
        self.calls: list[ScenarioCall] = []
        self.scenario = ""
        self.unanswered: dict[str, str] = {}
        self._calls_for = calls_for
        self._tell = tell
        self._told: Counter[str] = Counter()

    def add(
        self,
        step: str,
        *,
        user: str,
        tool: str,
        outcome: Outcome,
        latency_ms: float,
        expected: Expected,
        way: Way = THROUGH_THE_GATEWAY,
        note: str = "",
    ) -> ScenarioCall:
        """Record a call, compare it and tell it."""
        server, separator, name = tool.partition(SEPARATOR)
        call = ScenarioCall(
            scenario=self.scenario,
            step=step,
            persona=self.persona,
            user=user,
            server=server if separator else "",
            tool=name if separator else tool,
            outcome=outcome,
            latency_ms=latency_ms,
            expected=expected,
            way=way,
            aws_calls=self._new_aws_calls(outcome.call_id),
            note=note,
        )
        call.check()
        self.calls.append(call)
        self._tell(call)
        return call

    def _new_aws_calls(self, call_id: str | None) -> tuple[AwsCallLike, ...]:
        """AWS requests of a call that no earlier entry has told: a replay bears the call id of the genuine call."""
        if call_id is None:
            return ()
        seen = list(self._calls_for(call_id))
        new = tuple(seen[self._told[call_id] :])
        self._told[call_id] = len(seen)
        return new


def _where(outcome: Outcome) -> str:
    if outcome.layer is None:
        return "it was refused without naming a layer"
    return f"the layer {outcome.layer} refused it ({outcome.rule})"
