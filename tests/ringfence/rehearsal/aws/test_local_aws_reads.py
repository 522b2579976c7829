"""What the Auditor's tools read: event history, Logs Insights, alarms, IAM; and the CBOR protocol."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.session import get_session

from ringfence.deployed.assembly import Assembly
from ringfence.rehearsal.aws.server import LocalAws

ACCOUNT = "111122223333"
READER = f"arn:aws:iam::{ACCOUNT}:role/reader"
LONDON = "eu-west-2"


def template() -> dict[str, Any]:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    only_example = {
        "Sid": "OnlyExample",
        "Effect": "Deny",
        "Action": ["logs:StartQuery", "logs:GetQueryResults"],
        "NotResource": f"arn:aws:logs:*:{ACCOUNT}:log-group:/example/*",
    }
    version = {"Version": "2012-10-17"}
    return {
        "Resources": {
            "Reader": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "RoleName": "reader",
                    "AssumeRolePolicyDocument": {**version, "Statement": [trust]},
                    "Policies": [
                        {"PolicyName": "all", "PolicyDocument": {**version, "Statement": [everything, only_example]}}
                    ],
                },
            },
            "Lambda": {
                "Type": "AWS::Lambda::Function",
                "Properties": {"Role": {"Fn::GetAtt": ["Reader", "Arn"]}, "Code": {"S3Key": "x.zip"}},
            },
            "Log": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/example/app"}},
            "Secret": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/secret/app"}},
            "Saved": {
                "Type": "AWS::Logs::QueryDefinition",
                "Properties": {"Name": "Refusals", "QueryString": "limit 1", "LogGroupNames": ["/example/app"]},
            },
        }
    }


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    folder: Path = tmp_path_factory.mktemp("assembly")
    properties = {"templateFile": "one.json"}
    artifact = {
        "type": "aws:cloudformation:stack",
        "environment": f"aws://{ACCOUNT}/{LONDON}",
        "properties": properties,
    }
    (folder / "manifest.json").write_text(json.dumps({"artifacts": {"one": artifact}}))
    (folder / "one.json").write_text(json.dumps(template()))
    with LocalAws(Assembly.load(folder)) as running:
        yield running


@pytest.fixture(scope="module")
def connect(aws: LocalAws) -> Callable[..., Any]:
    credentials = aws.issue_credentials(READER, "reader-1")

    def client(service: str, region: str = LONDON, session: Any = None) -> Any:
        return boto3.Session(botocore_session=session).client(
            service,
            region_name=region,
            endpoint_url=aws.endpoint_url,
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
            config=Config(retries={"total_max_attempts": 1}),
        )

    return client


def code_of(call: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return str(caught.value.response["Error"]["Code"])


# Event history


def test_lookup_shows_what_was_done_newest_first(connect: Callable[..., Any]) -> None:
    connect("cloudwatch").describe_alarms()
    connect("logs").describe_log_groups()
    events = connect("cloudtrail").lookup_events()["Events"]
    assert [event["EventName"] for event in events[:2]] == ["DescribeLogGroups", "DescribeAlarms"]
    whole = json.loads(events[0]["CloudTrailEvent"])
    assert (whole["eventID"], events[0]["Username"]) == (events[0]["EventId"], "reader-1")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("EventName", "DescribeAlarms"),
        ("EventSource", "monitoring.amazonaws.com"),
        ("Username", "reader-1"),
        ("ReadOnly", "true"),
    ],
)
def test_lookup_filters_by_one_attribute(connect: Callable[..., Any], key: str, value: str) -> None:
    connect("cloudwatch").describe_alarms()
    attributes = [{"AttributeKey": key, "AttributeValue": value}]
    events = connect("cloudtrail").lookup_events(LookupAttributes=attributes)["Events"]
    assert events
    assert "DescribeAlarms" in {event["EventName"] for event in events}
    nothing = [{"AttributeKey": key, "AttributeValue": "nothing-like-it"}]
    assert connect("cloudtrail").lookup_events(LookupAttributes=nothing)["Events"] == []


def test_lookup_filters_by_time(connect: Callable[..., Any]) -> None:
    connect("cloudwatch").describe_alarms()
    client, now = connect("cloudtrail"), datetime.now(UTC)
    assert client.lookup_events(StartTime=now - timedelta(minutes=1), EndTime=now + timedelta(minutes=1))["Events"]
    assert client.lookup_events(EndTime=now - timedelta(days=1))["Events"] == []
    assert client.lookup_events(StartTime=now + timedelta(hours=1))["Events"] == []


def test_lookup_pages_do_not_shift_when_events_arrive(connect: Callable[..., Any]) -> None:
    for _ in range(5):
        connect("cloudwatch").describe_alarms()
    client = connect("cloudtrail")
    seen: list[str] = []
    arguments: dict[str, Any] = {"MaxResults": 2}
    for _ in range(3):
        page = client.lookup_events(**arguments)
        seen += [event["EventId"] for event in page["Events"]]
        arguments["NextToken"] = page["NextToken"]
    assert len(seen) == len(set(seen)) == 6


def test_lookup_shows_only_its_region(connect: Callable[..., Any]) -> None:
    # AWS keeps the events of IAM in us-east-1: an auditor in London does not see them in the event history.
    connect("iam").list_users()
    attributes = [{"AttributeKey": "EventName", "AttributeValue": "ListUsers"}]
    assert connect("cloudtrail").lookup_events(LookupAttributes=attributes)["Events"] == []
    assert connect("cloudtrail", "us-east-1").lookup_events(LookupAttributes=attributes)["Events"]


def test_lookup_refuses_what_cloudtrail_refuses(connect: Callable[..., Any]) -> None:
    client, now = connect("cloudtrail"), datetime.now(UTC)
    assert code_of(client.lookup_events, StartTime=now, EndTime=now - timedelta(hours=1)) == "InvalidTimeRangeException"
    assert code_of(client.lookup_events, NextToken="made-up") == "InvalidNextTokenException"
    two = [{"AttributeKey": "ReadOnly", "AttributeValue": "true"}] * 2
    assert code_of(client.lookup_events, LookupAttributes=two) == "InvalidLookupAttributesException"


# Logs Insights


def run(client: Any, text: str, group: str = "/example/app", **more: Any) -> list[dict[str, str]]:
    now = int(time.time())
    started = client.start_query(logGroupNames=[group], startTime=now - 600, endTime=now + 1, queryString=text, **more)
    answer = client.get_query_results(queryId=started["queryId"])
    assert answer["status"] == "Complete"
    return [{field["field"]: field["value"] for field in row} for row in answer["results"]]


def test_a_query_finds_what_services_wrote(aws: LocalAws, connect: Callable[..., Any]) -> None:
    aws.put_log_event("/example/app", "s", json.dumps({"level": "ERROR", "text": "bad"}))
    aws.put_log_event("/example/app", "s", json.dumps({"level": "INFO", "text": "good"}))
    assert run(connect("logs"), "fields text | filter level = 'ERROR'") == [{"text": "bad"}]


def test_a_query_finds_what_clients_wrote(connect: Callable[..., Any]) -> None:
    logs = connect("logs")
    logs.create_log_stream(logGroupName="/example/app", logStreamName="mine")
    event = {"timestamp": int(time.time() * 1000), "message": '{"by": "client"}'}
    logs.put_log_events(logGroupName="/example/app", logStreamName="mine", logEvents=[event])
    assert run(logs, "fields @message | filter by = 'client'") == [{"@message": '{"by": "client"}'}]


def test_a_query_reads_only_its_time_range(aws: LocalAws, connect: Callable[..., Any]) -> None:
    aws.put_log_event("/example/app", "s", "yesterday's line", time=datetime.now(UTC) - timedelta(days=1))
    assert run(connect("logs"), "filter @message like 'yesterday'") == []


def test_results_belong_to_the_log_group_of_the_query(aws: LocalAws, connect: Callable[..., Any]) -> None:
    assert code_of(lambda: run(connect("logs"), "limit 1", "/secret/app")) == "AccessDeniedException"
    assert aws.record[-1].sid == "OnlyExample"
    started = aws._operations._queries.start(
        {"logGroupName": "/secret/app", "startTime": 0, "endTime": 1, "queryString": "limit 1"}, LONDON
    )
    assert code_of(connect("logs").get_query_results, queryId=started["queryId"]) == "AccessDeniedException"


def test_queries_that_cannot_run_are_refused(connect: Callable[..., Any]) -> None:
    logs = connect("logs")
    assert code_of(lambda: run(logs, "parse @message '*' as x")) == "MalformedQueryException"
    assert code_of(lambda: run(logs, "limit 1", "/example/none")) == "ResourceNotFoundException"
    assert code_of(lambda: run(logs, "SELECT 1", queryLanguage="SQL")) == "InvalidParameterException"
    assert code_of(logs.get_query_results, queryId="none") == "ResourceNotFoundException"
    unnamed = {"startTime": 0, "endTime": 1, "queryString": "limit 1"}
    assert code_of(logs.start_query, **unnamed) == "UnmappedResource"


def test_started_and_saved_queries_are_listed(connect: Callable[..., Any]) -> None:
    logs = connect("logs")
    run(logs, "limit 17")
    assert "limit 17" in [query["queryString"] for query in logs.describe_queries()["queries"]]
    (saved,) = logs.describe_query_definitions(queryDefinitionNamePrefix="Ref")["queryDefinitions"]
    assert (saved["name"], saved["logGroupNames"]) == ("Refusals", ["/example/app"])


# Fixtures


def test_the_assembly_and_the_invented_scene_are_there(connect: Callable[..., Any]) -> None:
    iam = connect("iam")
    assert "reader" in [role["RoleName"] for role in iam.list_roles()["Roles"]]
    assert all(user["UserName"].startswith("example-") for user in iam.list_users()["Users"])
    groups = [group["logGroupName"] for group in connect("logs").describe_log_groups()["logGroups"]]
    assert {"/example/app", "/example/service/api"} <= set(groups)
    (alarm,) = connect("cloudwatch").describe_alarms(StateValue="ALARM")["MetricAlarms"]
    history = connect("cloudwatch").describe_alarm_history(AlarmName=alarm["AlarmName"])["AlarmHistoryItems"]
    assert [item["HistorySummary"] for item in history] == ["Alarm updated to ALARM"]


def test_simulations_use_the_evaluator(connect: Callable[..., Any]) -> None:
    def outcomes(principal: str, *actions: str) -> list[str]:
        answer = connect("iam").simulate_principal_policy(PolicySourceArn=principal, ActionNames=list(actions))
        return [result["EvalDecision"] for result in answer["EvaluationResults"]]

    user = f"arn:aws:iam::{ACCOUNT}:user/example-service-user"
    assert outcomes(user, "logs:GetLogEvents", "iam:CreateUser") == ["allowed", "implicitDeny"]
    assert outcomes(READER, "iam:CreateUser", "logs:StartQuery") == ["allowed", "explicitDeny"]
    unknown = {"PolicySourceArn": f"arn:aws:iam::{ACCOUNT}:user/nobody", "ActionNames": ["s3:GetObject"]}
    assert code_of(connect("iam").simulate_principal_policy, **unknown) == "NoSuchEntity"


# Smithy RPC v2 CBOR


def test_a_client_that_speaks_cbor_is_understood(aws: LocalAws, connect: Callable[..., Any], tmp_path: Path) -> None:
    session = get_session()
    loader = session.get_component("data_loader")
    model = loader.load_service_model("cloudwatch", "service-2")
    spoken = {**model["metadata"], "protocol": "smithy-rpc-v2-cbor", "protocols": ["smithy-rpc-v2-cbor"]}
    folder = tmp_path / "cloudwatch" / model["metadata"]["apiVersion"]
    folder.mkdir(parents=True)
    (folder / "service-2.json").write_text(json.dumps({**model, "metadata": spoken}))
    session = get_session()
    session.get_component("data_loader").search_paths.insert(0, str(tmp_path))
    client = connect("cloudwatch", session=session)
    sent: list[str] = []
    client.meta.events.register("before-send.*", lambda request, **_: sent.append(request.url))
    (alarm,) = client.describe_alarms(StateValue="ALARM")["MetricAlarms"]
    assert sent[0].endswith("/service/GraniteServiceVersion20100801/operation/DescribeAlarms")
    assert isinstance(alarm["StateUpdatedTimestamp"], datetime)
    assert (aws.record[-1].call, aws.record[-1].decision) == ("cloudwatch:DescribeAlarms", "allowed")
    assert code_of(client.list_metric_streams) == "NotImplemented"
    assert client.delete_alarms(AlarmNames=["none"])["ResponseMetadata"]["HTTPStatusCode"] == 200  # it has no output
