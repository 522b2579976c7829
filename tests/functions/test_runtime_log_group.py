"""The log group of a runtime: made or adopted, held to what it may be, and CloudFormation answered whatever happens."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.config import Config
from botocore.session import Session
from botocore.stub import Stubber

from runtime_log_group import answer, handler, keeping

RUNTIMES = "/aws/bedrock-agentcore/runtimes"
PREFIX = f"{RUNTIMES}/ringfence_example_production__"
NAME = f"{PREFIX}auditor_iam-a1b2c3d4e5-DEFAULT"
# As in a public event of London's CloudFormation.
HOST = "cloudformation-custom-resource-response-euwest2.s3.eu-west-2.amazonaws.com"
ADDRESS = f"https://{HOST}/arn%3Aaws%3Acloudformation%3Aeu-west-2%3A1%3Astack/x/y%7Cz%7Cw?X-Amz-Signature=s"
KEY = "arn:aws:kms:eu-west-2:111122223333:key/00000000-0000-4000-8000-000000000000"
MASKING = '{"Name":"ringfence-masking"}'
SESSION = Session()  # it reads the service's model once
ENVIRONMENT = {"LOG_GROUP_PREFIX": PREFIX, "RETENTION_DAYS": "731", "LOG_KEY_ARN": KEY, "MASKING_POLICY": MASKING}
# As CloudFormation hands them over: numbers and truth values are text.
PROPERTIES = {
    "ServiceToken": "arn:aws:lambda:eu-west-2:111122223333:function:ringfence-example-production-runtime-log-group",
    "ServiceTimeout": "600",
    "LogGroupName": NAME,
    "RetentionInDays": "731",
    "KmsKeyId": KEY,
    "DeletionProtectionEnabled": "true",
    "MaskingPolicyDigest": "00",
}
STEPS: list[tuple[str, dict[str, Any]]] = [
    ("create_log_group", {"logGroupName": NAME, "kmsKeyId": KEY}),
    ("associate_kms_key", {"logGroupName": NAME, "kmsKeyId": KEY}),
    ("put_retention_policy", {"logGroupName": NAME, "retentionInDays": 731}),
    ("put_data_protection_policy", {"logGroupIdentifier": NAME, "policyDocument": MASKING}),
    ("put_log_group_deletion_protection", {"logGroupIdentifier": NAME, "deletionProtectionEnabled": True}),
]


def event(request: str = "Create", **properties: Any) -> dict[str, Any]:
    named = {} if request == "Create" else {"PhysicalResourceId": NAME}
    return {
        "RequestType": request,
        "StackId": "arn:aws:cloudformation:eu-west-2:111122223333:stack/ringfence-example-production-auditor/0",
        "RequestId": "11111111-0000-4000-8000-000000000000",
        "LogicalResourceId": "AuditorIamRuntimeLog",
        "ResourceType": "Custom::RuntimeLogGroup",
        "ResourceProperties": {**PROPERTIES, **properties},
        **named,
    }


class Logs:
    """CloudWatch Logs by its own service model: every request is checked, in this order and no other."""

    def __init__(self) -> None:
        self.client = SESSION.create_client(
            "logs",
            region_name="eu-west-2",
            aws_access_key_id="x",
            aws_secret_access_key="x",
            config=Config(retries={"total_max_attempts": 1}),
        )
        self.stub = Stubber(self.client)
        self.stub.activate()

    def expect(self, failing: dict[str, str] | None = None, *, steps: list[tuple[str, dict[str, Any]]] = STEPS) -> None:
        for operation, parameters in steps:
            if code := (failing or {}).get(operation):
                self.stub.add_client_error(operation, code, "arn:aws:secret-detail", expected_params=parameters)
            else:
                self.stub.add_response(operation, {}, parameters)


@pytest.fixture
def logs(monkeypatch: pytest.MonkeyPatch) -> Logs:
    monkeypatch.setattr(keeping.time, "sleep", lambda _: None)
    return Logs()


def ask(asked: dict[str, Any], logs: Logs, *, remaining_ms: int = 60_000) -> answer.Answer:
    given = handler.answer_to(
        asked, environment=ENVIRONMENT, logs=lambda: logs.client, remaining_ms=lambda: remaining_ms
    )
    logs.stub.assert_no_pending_responses()
    return given


def test_a_group_that_is_not_there_is_made_under_the_key_from_the_first_line(logs: Logs) -> None:
    logs.expect()
    given = ask(event(), logs)
    assert (given.status, given.physical_id) == ("SUCCESS", NAME)
    assert "was made" in given.reason


def test_a_group_that_the_service_made_first_is_adopted(logs: Logs) -> None:
    logs.expect({"create_log_group": "ResourceAlreadyExistsException"})
    given = ask(event(), logs)
    assert (given.status, given.physical_id) == ("SUCCESS", NAME)
    assert "was there already and was adopted" in given.reason


def test_an_update_sets_everything_again(logs: Logs) -> None:
    logs.expect({"create_log_group": "ResourceAlreadyExistsException"})
    assert ask(event("Update"), logs).status == "SUCCESS"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/ringfence/example-production/calls/auditor",
        # As a runtime's group in all but its beginning: a name of the account's own, with no folder.
        "payroll-a1b2c3d4e5-DEFAULT",
        f"{RUNTIMES}/another-a1b2c3d4e5-DEFAULT",
        # Other departments of the account, also those whose names begin as this one's or are the beginning of it.
        f"{RUNTIMES}/ringfence_example_sandbox__auditor_iam-a1b2c3d4e5-DEFAULT",
        f"{RUNTIMES}/ringfence_example__auditor_iam-a1b2c3d4e5-DEFAULT",
        f"{RUNTIMES}/ringfence_example_production_two__auditor_iam-a1b2c3d4e5-DEFAULT",
        f"{PREFIX}auditor_iam",
        f"{PREFIX}auditor_iam-a1b2c3d4e5-DEFAULT/../../cloudtrail",
        f"{PREFIX}auditor_iam-a1b2c3d4e5-DEFAULT:*",
        f"{PREFIX}*",
        ["a", "list"],
    ],
)
def test_no_group_but_a_runtimes_of_this_department_is_touched(logs: Logs, name: Any) -> None:
    given = ask(event(LogGroupName=name), logs)
    assert given.status == "FAILED"
    assert f"name a runtime's group below {PREFIX}" in given.reason


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"KmsKeyId": KEY.replace("0000", "9999")}, f"set {KEY}"),
        ({"KmsKeyId": ""}, f"set {KEY}"),
        ({"RetentionInDays": "7"}, "set 731"),
        ({"RetentionInDays": "0731"}, "set 731"),
        ({"DeletionProtectionEnabled": "false"}, "set true"),
        ({"DeletionProtectionEnabled": ""}, "set true"),
        ({"DataProtectionPolicy": {}}, "'DataProtectionPolicy' is not known here: remove it"),
    ],
)
def test_nothing_weaker_and_nothing_else_can_be_asked_for(logs: Logs, changed: dict[str, Any], told: str) -> None:
    given = ask(event(**changed), logs)
    assert given.status == "FAILED" and told in given.reason


def test_every_fault_of_the_properties_is_told_at_once(logs: Logs) -> None:
    asked = event(LogGroupName="x", RetentionInDays="7", KmsKeyId="y", Colour="blue")
    reason = ask(asked, logs).reason
    assert all(name in reason for name in ("LogGroupName", "RetentionInDays", "KmsKeyId", "Colour"))


@pytest.mark.parametrize("properties", [{}, {"LogGroupName": "x"}, {"KmsKeyId": "another"}])
def test_a_removed_resource_leaves_its_group_and_is_never_refused(logs: Logs, properties: dict[str, Any]) -> None:
    given = ask(event("Delete", **properties), logs)
    assert (given.status, given.physical_id) == ("SUCCESS", NAME)
    assert "stays" in given.reason


@pytest.mark.parametrize("number", range(1, len(STEPS)))
def test_a_step_that_is_refused_is_named_and_aws_is_not_quoted(logs: Logs, number: int) -> None:
    operation = STEPS[number][0]
    logs.expect({operation: "AccessDeniedException"}, steps=STEPS[: number + 1])
    given = ask(event(), logs)
    called = operation.replace("_", "")
    assert given.status == "FAILED"
    assert f"logs:{called}" in given.reason.lower() and "AccessDeniedException" in given.reason
    assert "secret-detail" not in given.reason


def test_a_group_that_the_service_is_making_at_this_moment_is_waited_for(logs: Logs) -> None:
    logs.expect({"create_log_group": "OperationAbortedException"}, steps=STEPS[:1])
    logs.expect({"create_log_group": "ResourceAlreadyExistsException"}, steps=STEPS[:1])
    logs.expect({"associate_kms_key": "ResourceNotFoundException"}, steps=STEPS[1:2])
    logs.expect(steps=STEPS[1:])
    assert ask(event(), logs).status == "SUCCESS"


def test_what_would_not_be_done_in_time_is_not_begun(logs: Logs) -> None:
    given = ask(event(), logs, remaining_ms=keeping.STEP_MS)
    assert given.status == "FAILED" and "no time was left for logs:CreateLogGroup" in given.reason


def test_the_time_kept_for_the_answer_is_enough_for_every_try_of_it() -> None:
    pauses = 2  # seconds
    assert answer.ANSWER_MS >= (answer._TRIES * answer._SECONDS + pauses) * 1000 - 1000
    assert keeping.STEP_MS + answer.ANSWER_MS < 60_000  # the function's timeout


class CloudFormation:
    """Takes answers, as its bucket does; the first `failures` tries fail. Every name leads here, but without TLS."""

    def __init__(self) -> None:
        self.asked: list[tuple[str | None, str]] = []
        self.answers: list[dict[str, Any]] = []
        self.content_types: list[str | None] = []
        self.failures = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_PUT(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.asked.append((self.headers.get("Host"), self.path))
                outer.content_types.append(self.headers.get("Content-Type"))
                status = 200
                if outer.failures:
                    outer.failures, status = outer.failures - 1, 503
                else:
                    outer.answers.append(json.loads(body))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        place = ("127.0.0.1", self.server.server_port)

        class ToThisServer(http.client.HTTPConnection):
            default_port = http.client.HTTPS_PORT

            def connect(self) -> None:
                self.sock = socket.create_connection(place, self.timeout)

        self.connection = ToThisServer


@pytest.fixture
def cloudformation(monkeypatch: pytest.MonkeyPatch) -> Iterator[CloudFormation]:
    monkeypatch.setattr(answer.time, "sleep", lambda _: None)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    server = CloudFormation()
    monkeypatch.setattr(answer.http.client, "HTTPSConnection", server.connection)
    yield server
    server.server.shutdown()
    server.server.server_close()


def run(asked: dict[str, Any]) -> None:
    handler.handler(asked, SimpleNamespace(get_remaining_time_in_millis=lambda: 60_000))


def test_cloudformation_gets_what_its_stack_waits_for(
    logs: Logs, cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(handler, "_logs", lambda: logs.client)
    logs.expect()
    asked = {**event(), "ResponseURL": ADDRESS}
    run(asked)
    (given,) = cloudformation.answers
    assert given == {
        "Status": "SUCCESS",
        "PhysicalResourceId": NAME,
        "Reason": given["Reason"],
        "StackId": asked["StackId"],
        "RequestId": asked["RequestId"],
        "LogicalResourceId": asked["LogicalResourceId"],
    }
    assert cloudformation.asked == [(HOST, ADDRESS.removeprefix(f"https://{HOST}"))]
    # The presigned address is signed over an empty content type.
    assert cloudformation.content_types == [""]
    line = json.loads(capsys.readouterr().out)
    assert (line["record"], line["request"], line["status"]) == ("ringfence.log_group", "Create", "SUCCESS")


@pytest.mark.parametrize("fault", [RuntimeError("x"), KeyError("x"), MemoryError()])
def test_a_fault_of_our_own_is_an_answer_too(
    cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def broken() -> Any:
        raise fault

    monkeypatch.setattr(handler, "_logs", broken)
    run({**event(), "ResponseURL": ADDRESS})
    (given,) = cloudformation.answers
    assert given["Status"] == "FAILED" and type(fault).__name__ in given["Reason"]


def test_a_missing_setting_is_an_answer_too(cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RETENTION_DAYS")
    run({**event(), "ResponseURL": ADDRESS})
    assert cloudformation.answers[0]["Status"] == "FAILED"


def test_an_event_without_properties_is_an_answer_too(cloudformation: CloudFormation) -> None:
    run({"RequestType": "Create", "ResponseURL": ADDRESS, "ResourceProperties": None})
    assert cloudformation.answers[0]["Status"] == "FAILED"


def test_the_answer_is_tried_three_times(cloudformation: CloudFormation) -> None:
    cloudformation.failures = 2
    run({**event("Delete"), "ResponseURL": ADDRESS})
    assert [given["Status"] for given in cloudformation.answers] == ["SUCCESS"]


def test_an_answer_that_nobody_takes_fails_so_that_lambda_runs_the_event_again(cloudformation: CloudFormation) -> None:
    cloudformation.failures = 3
    with pytest.raises(answer.NotAnswered, match="status 503"):
        run({**event("Delete"), "ResponseURL": ADDRESS})


def test_the_buckets_name_may_be_in_the_path(cloudformation: CloudFormation) -> None:
    bucket, _, s3 = HOST.partition(".")
    run({**event("Delete"), "ResponseURL": f"https://{s3}/{bucket}/key?X-Amz-Signature=s"})
    assert cloudformation.asked == [(s3, f"/{bucket}/key?X-Amz-Signature=s")] and len(cloudformation.answers) == 1


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "file:///etc/passwd",
        "https:///x",
        "https://[",
        ADDRESS.replace("https:", "http:"),
        "https://example.com/key",
        f"https://example.com/{HOST}/key",
        f"https://{HOST}.example.com/key",
        f"https://{HOST}@example.com/key",
        f"https://user@{HOST}/key",
        f"https://{HOST}:8443/key",
        f"https://x.{HOST}/key",
        ADDRESS.replace("euwest2.", "useast1."),
        ADDRESS.replace("eu-west-2.amazonaws", "us-east-1.amazonaws"),
        "https://letterbox.s3.eu-west-2.amazonaws.com/key",
        "https://s3.eu-west-2.amazonaws.com/letterbox/key",
        "https://s3.eu-west-2.amazonaws.com/cloudformation-custom-resource-response-euwest2-of-mine/key",
    ],
)
def test_for_an_address_outside_cloudformations_bucket_nothing_is_done_and_nothing_sent(
    logs: Logs, cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch, url: str | None
) -> None:
    monkeypatch.setattr(handler, "_logs", lambda: pytest.fail("the event was not CloudFormation's"))
    with pytest.raises(answer.NotAnswered, match="not in CloudFormation's bucket"):
        run({**event(), "ResponseURL": url})
    assert cloudformation.asked == []


def test_the_longest_answer_is_one_that_cloudformation_takes() -> None:
    asked = {**event(), "LogicalResourceId": "A" * 255, "StackId": "arn:aws:cloudformation:" + "s" * 200}
    body = answer.Answer("FAILED", "/" + "n" * 511, "r" * 100_000).body(asked)
    assert len(body) <= 4096  # CloudFormation user guide, "Custom resource response objects"
