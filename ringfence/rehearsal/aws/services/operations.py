"""Operations the local AWS answers itself, from its own record, its keys and the template; the rest is moto's."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError
from botocore.parsers import create_parser

from ringfence.deployed.assembly import Assembly
from ringfence.deployed.roles import Role
from ringfence.rehearsal.aws.authorization.record import AwsCall
from ringfence.rehearsal.aws.authorization.sessions import Session
from ringfence.rehearsal.aws.protocol.cbor import encode_cbor
from ringfence.rehearsal.aws.protocol.wire import AwsError, Operation
from ringfence.rehearsal.aws.services.credential_report import CredentialReport
from ringfence.rehearsal.aws.services.keys import SigningKeys
from ringfence.rehearsal.aws.services.log_groups import LogGroups
from ringfence.rehearsal.aws.services.lookup import lookup_events
from ringfence.rehearsal.aws.services.moto import Moto
from ringfence.rehearsal.aws.services.queries import Queries
from ringfence.rehearsal.aws.services.simulate import simulate_principal_policy
from ringfence.rehearsal.aws.services.stacks import Stacks
from ringfence.rehearsal.serving import HttpRequest, HttpResponse

Answer = Callable[[Operation, Session], Mapping[str, Any]]

_XML_ERROR = re.compile(r"<Code>([^<]*)</Code>.*?<Message>(.*?)</Message>", re.DOTALL)
_GLOBAL_SOURCES = ("iam.amazonaws.com",)


class LocalOperations:
    """What is answered here.

    Args:
        assembly: saved queries and trails come from it.
        keys: keys that sign.
        roles: the assembly's roles, for simulations.
        record: the record of calls, which `LookupEvents` reads.

    Attributes:
        stacks: CloudFormation as the roles of stacks.
        log_groups: what moto does not keep about them.
    """

    def __init__(
        self,
        assembly: Assembly,
        *,
        moto: Moto,
        keys: SigningKeys,
        roles: Mapping[str, Role],
        record: list[AwsCall],
    ) -> None:
        self._moto = moto
        self._record = record
        self.stacks = Stacks(assembly.account, assembly.region, moto=moto, roles=roles)
        self.log_groups = LogGroups(moto)
        self._queries = Queries(assembly, moto)
        self._credential_report = CredentialReport(assembly.account, moto)
        self._trails = [trail.properties for trail in assembly.of_type("AWS::CloudTrail::Trail")]
        self.trail_log_groups = [_log_group_of(trail) for trail in self._trails if _log_group_of(trail)]
        self._region = assembly.region
        self._account = assembly.account
        self._own: dict[str, Answer] = {
            "cloudtrail:LookupEvents": self._lookup_events,
            "logs:StartQuery": lambda operation, _: self._queries.start(operation.parameters, operation.region),
            "logs:GetQueryResults": lambda operation, _: self._queries.results(operation.parameters),
            "logs:StopQuery": lambda operation, _: self._queries.stop(operation.parameters),
            "logs:DescribeQueries": lambda operation, _: self._queries.describe(operation.parameters),
            "logs:DescribeQueryDefinitions": lambda operation, _: self._queries.definitions(operation.parameters),
            "logs:ListLogAnomalyDetectors": lambda *_: {"anomalyDetectors": []},
            "logs:ListAnomalies": lambda *_: {"anomalies": []},
            "cloudtrail:ListEventDataStores": lambda *_: {"EventDataStores": []},
            "cloudwatch:DescribeAlarmHistory": lambda operation, _: self._alarm_history(operation),
            "iam:GenerateCredentialReport": lambda *_: self._credential_report.make(),
            "iam:GetCredentialReport": lambda *_: self._credential_report.get(),
            "iam:SimulatePrincipalPolicy": lambda operation, _: simulate_principal_policy(
                operation.parameters, moto, roles
            ),
            "kms:Sign": lambda operation, _: keys.sign(operation.parameters),
            "kms:Verify": lambda operation, _: keys.verify(operation.parameters),
            **{
                f"cloudformation:{name}": lambda operation, _: self.stacks.answer(operation)
                for name in self.stacks.answers
            },
            "kms:DisableKey": lambda operation, _: keys.disable(operation.parameters),
            "kms:EnableKey": lambda operation, _: keys.enable(operation.parameters),
            "kms:ListAliases": lambda operation, _: keys.list_aliases(operation.parameters),
            **{
                f"logs:{name}": lambda operation, _: self.log_groups.answer(operation)
                for name in self.log_groups.answers
            },
            "kms:GetPublicKey": lambda operation, _: keys.get_public_key(operation.parameters),
        }

    def find(self, called: str) -> Answer | None:
        """The answer to `service:Operation`, or None when it is moto's."""
        return self._own.get(called)

    def from_moto(self, request: HttpRequest, operation: Operation) -> HttpResponse:
        """moto's answer.

        Raises:
            AwsError: moto refuses the input, or does not know the operation.
        """
        try:
            if operation.protocol == "cbor":
                return self._from_moto_as_json(request, operation)
            response = self._forward(request, operation)
        except NotImplementedError:
            raise _not_emulated(operation) from None
        if response.status >= 400:
            raise _moto_error(response, operation)
        return _with_request_id(response, operation)

    def _forward(self, request: HttpRequest, operation: Operation) -> HttpResponse:
        return self._moto.forward(request, signing_name=operation.signed.signing_name, region=operation.region)

    def _from_moto_as_json(self, request: HttpRequest, operation: Operation) -> HttpResponse:
        # moto does not speak Smithy RPC v2 CBOR; the same service also has a JSON form, so moto is asked in that.
        target = f"{operation.model.service_model.metadata.get('targetPrefix')}.{operation.name}"
        headers = {
            "authorization": request.headers["authorization"],
            "content-type": "application/x-amz-json-1.0",
            "x-amz-target": target,
        }
        body = json.dumps(operation.parameters, default=_epoch).encode()
        response = self._forward(HttpRequest("POST", "/", headers, body), operation)
        if response.status >= 400:
            raise _moto_error(response, operation)
        parsed = create_parser("json").parse(
            {"body": response.body, "headers": dict(response.headers), "status_code": response.status},
            operation.model.output_shape,
        )
        parsed.pop("ResponseMetadata", None)
        headers = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
        return HttpResponse(200, headers, encode_cbor(parsed, operation.model.output_shape))

    def entity_arn(self, kind: str, name: str) -> str:
        """The ARN of an IAM user, role or group, with the path it really has."""
        client = self._moto.client("iam", "us-east-1")
        getter = {"user": client.get_user, "role": client.get_role, "group": client.get_group}[kind]
        try:
            found = getter(**{f"{kind.capitalize()}Name": name})
        except ClientError:
            return f"arn:aws:iam::{self._account}:{kind}/{name}"
        return str(found[kind.capitalize()]["Arn"])

    def query_groups(self, query_id: str) -> list[str]:
        """The log groups of a query."""
        return self._queries.groups_of(query_id)

    def workgroup(self, query_id: str) -> str:
        """The workgroup of an Athena query, running or saved."""
        client = self._moto.client("athena")
        # What moto says of an id that it does not have.
        with suppress(ClientError, KeyError):
            return str(client.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]["WorkGroup"])
        with suppress(ClientError, AttributeError):
            return str(client.get_named_query(NamedQueryId=query_id)["NamedQuery"]["WorkGroup"])
        return "primary"

    def put_log_event(self, group: str, stream: str, message: str, time: datetime) -> None:
        """Write an event to a log group; makes group and stream when they are missing."""
        self._moto.put_log_event(group, stream, message, int(time.timestamp() * 1000))

    def deliver_to_trail(self, call: AwsCall) -> None:
        """Write a call's event to the log group of every trail of the assembly that would receive it.

        CloudTrail delivers within minutes; here it is at once.
        """
        for trail in self._trails:
            group = _log_group_of(trail)
            if group and self._receives(trail, call):
                stream = f"{self._account}_CloudTrail_{call.region}"
                self.put_log_event(group, stream, json.dumps(call.event), call.time)

    def _receives(self, trail: Mapping[str, Any], call: AwsCall) -> bool:
        if trail.get("IsMultiRegionTrail") in (True, "true"):
            return True
        if call.event["eventSource"] in _GLOBAL_SOURCES:
            return trail.get("IncludeGlobalServiceEvents") in (True, "true")
        return call.region == self._region

    def _alarm_history(self, operation: Operation) -> Mapping[str, Any]:
        """`DescribeAlarmHistory`, which moto lacks: the last change of state of each alarm, and nothing before it."""
        wanted = operation.parameters.get("AlarmName")
        if operation.parameters.get("HistoryItemType", "StateUpdate") != "StateUpdate":
            return {"AlarmHistoryItems": []}
        alarms = self._moto.client("cloudwatch", operation.region).describe_alarms()["MetricAlarms"]
        items = [
            {
                "AlarmName": alarm["AlarmName"],
                "AlarmType": "MetricAlarm",
                "Timestamp": alarm["StateUpdatedTimestamp"],
                "HistoryItemType": "StateUpdate",
                "HistorySummary": f"Alarm updated to {alarm['StateValue']}",
                "HistoryData": json.dumps({"version": "1.0", "newState": {"stateValue": alarm["StateValue"]}}),
            }
            for alarm in alarms
            if wanted in (None, alarm["AlarmName"])
        ]
        return {"AlarmHistoryItems": items}

    def _lookup_events(self, operation: Operation, _: Session) -> Mapping[str, Any]:
        shown = [call for call in list(self._record) if call.in_event_history and call.region == operation.region]
        return lookup_events([call.event for call in shown], operation.parameters)


def _with_request_id(response: HttpResponse, operation: Operation) -> HttpResponse:
    """moto's answer under the id that the record has, so that the two can be joined."""
    body = re.sub(
        rb"<(Request(?:Id|ID))>[^<]*<", rb"<\1>" + operation.request_id.encode() + b"<", response.body, count=1
    )
    kept = {name: value for name, value in response.headers.items() if name.lower() != "x-amzn-requestid"}
    return HttpResponse(response.status, {**kept, "x-amzn-RequestId": operation.request_id}, body)


def _epoch(value: object) -> object:
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _not_emulated(operation: Operation) -> AwsError:
    text = f"The rehearsal does not emulate {operation.service} {operation.name}; AWS would answer."
    return AwsError("NotImplemented", text, 501)


def _moto_error(response: HttpResponse, operation: Operation) -> AwsError:
    text = response.body.decode("utf-8", "replace")
    if response.status == 501:
        return _not_emulated(operation)
    if match := _XML_ERROR.search(text):
        return AwsError(match.group(1), match.group(2), response.status)
    try:
        document = json.loads(text)
        # The protocols with paths have the code in a header, the others in the body.
        named = next((text for name, text in response.headers.items() if name.lower() == "x-amzn-errortype"), None)
        code = str(named or document["__type"]).rpartition("#")[2]
        return AwsError(code, str(document.get("message") or document.get("Message") or ""), response.status)
    except (ValueError, KeyError, TypeError):
        fault = f"moto failed on {operation.service} {operation.name} (status {response.status})"
        return AwsError("InternalFailure", fault, 500)


def _log_group_of(trail: Mapping[str, Any]) -> str:
    """The log group that a trail delivers to; empty where it has none."""
    return str(trail.get("CloudWatchLogsLogGroupArn", "")).removesuffix(":*").partition(":log-group:")[2]
