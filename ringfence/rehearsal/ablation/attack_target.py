"""What an attack works with: one persona's gateway, its runtimes, stolen credentials, and a server that lies."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from callpath.call_record import new_call_id
from callpath.refusal import META_OWN_WORDS
from callpath.txn_token import HEADER
from ringfence.deployed.gateways import SEPARATOR
from ringfence.rehearsal.ablation.layers import Signer, Switches, aws_client
from ringfence.rehearsal.ablation.seen import (
    MADE_HARMLESS,
    NO_LAYER,
    THROUGH,
    Effect,
    Seen,
    by_aws,
    by_none,
    by_the_answer,
)
from ringfence.rehearsal.aws.authorization.record import AwsCall
from ringfence.rehearsal.problems import CannotStart
from ringfence.rehearsal.scenarios.calls import Outcome
from ringfence.rehearsal.scenarios.granted import example_of
from ringfence.rehearsal.scenarios.scenario_context import ScenarioContext
from ringfence.rehearsal.serving import HttpRequest

_ATTEMPTS = 3
STRANGER = "444455556666"
STRANGERS_BUCKETS = ("a-strangers-bucket", f"ringfence-sandbox-loot-{STRANGER}")


class AttackTarget:
    """One persona's gateway, its runtimes and the local AWS, as an attacker finds them.

    Args:
        context: the persona's scenarios.
    """

    def __init__(self, context: ScenarioContext, others: Sequence[ScenarioContext]) -> None:
        self.context = context
        self.others = tuple(others)
        self.switches = Switches(context)
        self.signer = Signer(context)
        self.account = context.department.assembly.account
        self.department = context.department.name
        self._packed: dict[str, Mapping[str, Any]] = {}
        aws = context.department.aws
        for bucket in set(STRANGERS_BUCKETS) - aws.owners.keys():
            aws.make_bucket(bucket)
            aws.owners[bucket] = STRANGER

    @property
    def persona(self) -> str:
        """The persona whose gateway is attacked."""
        return self.context.persona

    @cached_property
    def home(self) -> tuple[str, dict[str, Any]]:
        """A call that the persona is granted and that AWS answers: published tool and arguments."""
        return self._answered(set())

    @cached_property
    def words(self) -> tuple[str, dict[str, Any]]:
        """The same for a tool whose answers hold what others wrote."""
        response = self.context.gateway.spec.response
        if response is None:
            raise CannotStart(
                f"the gateway of {self.persona} has no response interceptor", "Nothing reads its answers."
            )
        with zipfile.ZipFile(self.context.department.functions[response.function_arn].spec.zip_path) as archive:
            rules = json.loads(archive.read("rules.json"))["tools"]
        return self._answered({tool for tool in self.context.published if not rules[tool]["untrusted"]})

    def _answered(self, left_out: set[str]) -> tuple[str, dict[str, Any]]:
        for tool in sorted(self.context.published - left_out):
            arguments, _ = example_of(self.context, tool)
            if arguments is not None and self.call(tool, arguments).stopped_by == THROUGH:
                call_id = self.context.gateway.traces[-1].call_id
                if self._aws_calls(call_id):
                    return tool, self._with_forced(tool, arguments)
        raise CannotStart(
            f"no tool of {self.persona} is answered", "Without one, nothing shows that a layer is in the way."
        )

    @property
    def home_server(self) -> str:
        """The server of the home call."""
        return self.home[0].partition(SEPARATOR)[0]

    # Through the gateway

    def call(
        self,
        tool: str,
        arguments: Any,
        *,
        token: str | None = "",
        headers: Mapping[str, str] | None = None,
        action: str | None = None,
        effect: Effect | None = None,
    ) -> Seen:
        """Call a tool through the gateway.

        Args:
            tool: published name.
            token: an access token; empty for the member's own, None for none.
            action: the AWS action that the attack is about; without it, any answer is a success.
            effect: what must happen afterwards for the attack to have worked.
        """
        params = {"name": tool, "arguments": self._with_forced(tool, arguments)}
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
        return self.send(body, token=token, headers=headers, action=action, effect=effect)

    def _with_forced(self, tool: str, arguments: Any) -> Any:
        """Arguments with those that have one accepted value: an attacker fills them in, so that they stop nothing."""
        if not isinstance(arguments, dict):
            return arguments
        server, _, name = tool.partition(SEPARATOR)
        rule = self._rules(server).get(name, {}) if server in self._servers else {}
        return {**rule.get("forced", {}), **arguments}

    @property
    def _servers(self) -> set[str]:
        return {target.name for target in self.context.gateway.spec.targets}

    def _rules(self, server: str) -> Mapping[str, Any]:
        """What the runtime of a server packs about its tools."""
        if server not in self._packed:
            with zipfile.ZipFile(self.context.runtime(server).spec.zip_path) as archive:
                self._packed[server] = json.loads(archive.read("runtime.json"))["tools"]
        return self._packed[server]

    def send(
        self,
        body: str,
        *,
        token: str | None = "",
        headers: Mapping[str, str] | None = None,
        action: str | None = None,
        effect: Effect | None = None,
    ) -> Seen:
        """Send a body to the gateway, as it stands."""
        bearer = self.context.token() if token == "" else token
        sent = {"content-type": "application/json", **{name.lower(): value for name, value in (headers or {}).items()}}
        if bearer is not None:
            sent["authorization"] = f"Bearer {bearer}"
        answer = self.context.gateway.handle(HttpRequest("POST", "/mcp", sent, body.encode("utf-8", "surrogatepass")))
        outcome = self.context.completed(Outcome.of_body(answer.body, status=answer.status))
        return self._seen(outcome, action, effect, answer.body)

    def _aws_calls(self, session: str | None) -> list[AwsCall]:
        return self.context.department.aws.calls_for(session) if session else []

    def _seen(self, outcome: Outcome, action: str | None, effect: Effect | None, body: Any) -> Seen:
        text = json.dumps(body, ensure_ascii=False)
        if told := by_the_answer(outcome, text):
            return told
        calls = [call for call in self._aws_calls(outcome.call_id) if action is None or call.call == action]
        refused = next((call for call in calls if call.decision == "refused"), None)
        if refused is not None:
            return by_aws(refused.policy_type, refused.sid or refused.call, text)
        if (action is not None and not calls) or (action is None and outcome.refused):
            return by_none(outcome, text, unseen=action)
        return self._worked_on(str(outcome.call_id), effect, text) if effect else Seen(THROUGH, "answered", text)

    def _worked_on(self, session: str, effect: Effect, text: str) -> Seen:
        decision = self.context.department.aws.work_on(
            session, effect.action, effect.resource, account=effect.account, service=effect.service
        )
        if decision is None or decision.allowed:
            return Seen(THROUGH, effect.action, text)
        return by_aws(decision.policy_type, decision.sid or effect.action, text)

    def last_person(self) -> str | None:
        """For whom AWS was asked last, by a persona's session."""
        record = self.context.department.aws.record
        return next(call.source_identity for call in reversed(record) if call.session_policy_actions is not None)

    # Past the gateway

    def invoke(self, server: str, tool: str, arguments: dict[str, Any], token: str | None) -> Seen:
        """Call a runtime with the credentials of somebody who may do anything in the account, past the gateway."""
        decision = self.context.invoke_as_administrator(server)
        if not decision.allowed:
            return Seen(str(decision.policy_type), decision.sid or "no statement")
        headers = {HEADER: token} if token is not None else {}
        outcome = self.context.post_to_runtime(server, tool, arguments, headers=headers).outcome
        return self._seen(outcome, None, None, outcome.text)

    # With AWS credentials

    def host_credentials(self, server: str) -> Mapping[str, str]:
        """The credentials of a runtime's own role."""
        return self.context.department.aws.issue_credentials(self.context.runtime(server).spec.role_arn, new_call_id())

    def function_credentials(self) -> Mapping[str, str]:
        """The credentials of the request interceptor."""
        return self.context.department.aws.issue_credentials(self.context.request_function.spec.role_arn, new_call_id())

    @property
    def persona_role(self) -> str:
        """ARN of the persona's role."""
        return self.context.runtime(self.home_server).spec.environment["RINGFENCE_PERSONA_ROLE_ARN"]

    def role_of(self, persona: str) -> str:
        """ARN of another persona's role."""
        return self.persona_role.removesuffix(self.persona) + persona

    def lent_credentials(self) -> Mapping[str, str]:
        """What a server holds during the home call: the persona's role for that one tool, as the host asks for it."""
        server, _, tool = self.home[0].partition(SEPARATOR)
        call = new_call_id()
        tags = {"persona": self.persona, "tool": tool, "call": call, "department": self.department}
        answer = aws_client(self.context, "sts", self.host_credentials(server)).assume_role(
            RoleArn=self.persona_role,
            RoleSessionName=call,
            SourceIdentity=self.context.member.staff_id,
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
            TransitiveTagKeys=list(tags),
            Policy=self._session_policy(server, tool),
            DurationSeconds=900,
        )
        return dict(answer["Credentials"])

    def _session_policy(self, server: str, tool: str) -> str:
        rule = self._rules(server)[tool]
        operations = (rule.get("operations") or {}).get("session_policies") or {}
        return json.dumps(rule.get("session_policy") or next(iter(operations.values())), separators=(",", ":"))

    def ask_aws(
        self,
        credentials: Mapping[str, str],
        service: str,
        operation: str,
        *,
        region: str | None = None,
        **parameters: Any,
    ) -> Seen:
        """Send one request to AWS with stolen credentials."""
        record = self.context.department.aws.record
        before = len(record)
        client = aws_client(self.context, service, credentials, region=region)
        told = "answered"
        try:
            getattr(client, operation)(**parameters)
        except ClientError as error:
            told = error.response["Error"]["Code"]
        except BotoCoreError as error:
            return Seen(NO_LAYER, f"not sent: {error}")
        call = next(iter(record[before:]), None)
        if call is None:
            return Seen(NO_LAYER, told)
        if call.decision == "refused":
            return by_aws(call.policy_type, call.sid or call.call)
        return Seen(THROUGH, f"{call.call}: {told}")

    def decided(self, credentials: Mapping[str, str], action: str, resource: str) -> Seen:
        """What AWS decides of an action that goes with another request, as `logs:Unmask` does."""
        decision = self.context.department.aws.decided_for(credentials, action, resource)
        return Seen(THROUGH, action) if decision.allowed else by_aws(decision.policy_type, decision.sid or action)

    # What a server answers

    def told(
        self, result: Mapping[str, Any], *, harmful: Callable[[str], bool], layers: Sequence[str], marked: bool
    ) -> Seen:
        """What reaches the person of a result: through where it is still harmful, else stopped by a layer.

        Args:
            result: the MCP result that the server gives.
            harmful: whether the answer (its JSON) can still do harm.
            layers: which of them make such an answer harmless, in their order; the answer does not say so.
            marked: whether to take a tool whose answers hold others' words, and not the home call.
        """
        tool, arguments = self.words if marked else self.home
        on = next((layer for layer in layers if not self.switches.is_off(layer)), NO_LAYER)
        with self.switches.lying(tool.partition(SEPARATOR)[0], json.dumps(result)):
            seen = self._carried(tool, arguments) if on == NO_LAYER else self.call(tool, arguments)
        if seen.stopped_by not in (THROUGH, NO_LAYER):
            return seen
        if harmful(seen.text):
            return Seen(THROUGH, "delivered", seen.text)
        return Seen(on, MADE_HARMLESS, seen.text)

    def _carried(self, tool: str, arguments: dict[str, Any]) -> Seen:
        """A call that a layer stops, or whose answer is the server's: one that a slow machine cut short is made again.

        Raises:
            RuntimeError: it was cut short every time.
        """
        for _ in range(_ATTEMPTS):
            seen = self.call(tool, arguments)
            body = json.loads(seen.text)
            cut_short = "result" not in body or (body["result"].get("_meta") or {}).get(META_OWN_WORDS)
            if seen.stopped_by != NO_LAYER or not cut_short:
                return seen
        raise RuntimeError(f"{tool} was never answered by its server: {seen.text[:300]}")
