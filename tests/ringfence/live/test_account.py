"""Every way not to be answered is told apart, and none is taken for an answer."""

from __future__ import annotations

import socket

import pytest
from botocore import exceptions as sdk

from ringfence.iam.actions import load
from ringfence.live.account import Account
from ringfence.live.problems import CannotAsk, Reason, withheld
from ringfence.live.reads import READS
from ringfence.live.results import Check, Verdict, right
from ringfence.live.verification.visit import Caller, _listed_by_client
from tests.ringfence.live.modelled import Fault, ModelledAccount

ZONES = "ec2:DescribeAvailabilityZones"
IDENTITY = "sts:GetCallerIdentity"


def test_everything_that_may_be_asked_only_reads() -> None:
    """By AWS's own access levels, from the committed table of its actions."""
    levels = {action.name: action.level for action in load() if action.name in READS}
    assert set(levels) == set(READS)
    assert set(levels.values()) <= {"List", "Read"}


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault("UnauthorizedOperation", status=403), Reason.DENIED),
        (Fault("AccessDeniedException"), Reason.DENIED),
        (Fault("RequestLimitExceeded", status=503), Reason.THROTTLED),
        (Fault("ThrottlingException"), Reason.THROTTLED),
        (Fault("ExpiredToken"), Reason.CREDENTIALS),
        (Fault("InvalidClientTokenId"), Reason.CREDENTIALS),
        (Fault("ValidationError"), Reason.REFUSED),
        (Fault("SomethingNobodyKnows", status=500), Reason.REFUSED),
        (sdk.NoCredentialsError(), Reason.CREDENTIALS),
        (sdk.UnauthorizedSSOTokenError(), Reason.CREDENTIALS),
        (sdk.EndpointConnectionError(endpoint_url="https://ec2.example"), Reason.UNREACHABLE),
        (sdk.ConnectTimeoutError(endpoint_url="https://ec2.example"), Reason.UNREACHABLE),
        (sdk.ReadTimeoutError(endpoint_url="https://ec2.example"), Reason.UNREACHABLE),
        (sdk.ProxyConnectionError(proxy_url="http://proxy.example:3128"), Reason.PROXY),
        (sdk.SSLError(endpoint_url="https://ec2.example", error="unknown certificate"), Reason.PROXY),
    ],
)
def test_each_obstacle_is_told_by_its_own_name(fault: Exception, reason: Reason) -> None:
    account = ModelledAccount().says(ZONES, fault).account
    with pytest.raises(CannotAsk) as told:
        account.ask(ZONES)
    assert (told.value.reason, told.value.action) == (reason, ZONES)
    assert told.value.remedy.endswith(".")


def test_a_missing_right_is_named_in_the_remedy() -> None:
    account = ModelledAccount().says(ZONES, Fault("UnauthorizedOperation")).account
    with pytest.raises(CannotAsk) as told:
        account.ask(ZONES)
    assert ZONES in told.value.remedy


def test_there_is_none_is_an_answer_and_not_an_obstacle() -> None:
    modelled = ModelledAccount().says("iam:GetRole", Fault("NoSuchEntity", status=404))
    assert modelled.account.ask("iam:GetRole", absent=("NoSuchEntity",), RoleName="x") is None


def test_pages_are_read_to_the_end() -> None:
    def page(parameters: dict) -> dict:
        if "NextToken" in parameters:
            return {"Exports": [{"Name": "second"}]}
        return {"Exports": [{"Name": "first"}], "NextToken": "more"}

    modelled = ModelledAccount().says("cloudformation:ListExports", page)
    names = [export["Name"] for export in modelled.account.pages("cloudformation:ListExports", "Exports")]
    assert names == ["first", "second"]


def test_tokens_of_an_operation_without_a_paginator_are_followed() -> None:
    def page(parameters: dict) -> dict:
        policy = {"policyName": "second" if "nextToken" in parameters else "first"}
        return {"accountPolicies": [policy], **({} if "nextToken" in parameters else {"nextToken": "more"})}

    action = "logs:DescribeAccountPolicies"
    account = ModelledAccount().says(action, page).account
    found = account.pages(action, "accountPolicies", policyType="SUBSCRIPTION_FILTER_POLICY")
    assert [each["policyName"] for each in found] == ["first", "second"]


def test_markers_of_services_without_a_paginator_are_followed() -> None:
    def page(parameters: dict) -> dict:
        if "NextMarker" in parameters:
            return {"WebACLs": [{"Name": "second"}]}
        return {"WebACLs": [{"Name": "first"}], "NextMarker": "more"}

    modelled = ModelledAccount().says("wafv2:ListWebACLs", page)
    names = [acl["Name"] for acl in modelled.account.pages("wafv2:ListWebACLs", "WebACLs", Scope="REGIONAL")]
    assert names == ["first", "second"]


def test_half_a_list_is_no_answer() -> None:
    def page(parameters: dict) -> dict | Exception:
        return Fault("Throttling") if "NextToken" in parameters else {"Exports": [], "NextToken": "more"}

    modelled = ModelledAccount().says("cloudformation:ListExports", page)
    with pytest.raises(CannotAsk) as told:
        modelled.account.pages("cloudformation:ListExports", "Exports")
    assert told.value.reason is Reason.THROTTLED


def test_an_unreachable_service_is_not_tried_again() -> None:
    modelled = ModelledAccount().says(ZONES, sdk.EndpointConnectionError(endpoint_url="https://ec2.example"))
    for _ in range(3):
        with pytest.raises(CannotAsk):
            modelled.account.ask(ZONES)
    assert len(modelled.asked) == 1


def test_a_parameter_that_the_model_does_not_know_is_our_fault_and_not_an_answer() -> None:
    modelled = ModelledAccount().says(ZONES, {"AvailabilityZones": []})
    with pytest.raises(CannotAsk):
        modelled.account.ask(ZONES, Zones=["eu-west-2a"])


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("AWS_PROFILE", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    return monkeypatch


def reason_of(account: Account) -> CannotAsk:
    with pytest.raises(CannotAsk) as told:
        account.ask("sts:GetCallerIdentity")
    return told.value


def test_the_real_sdk_without_credentials(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("AWS_ACCESS_KEY_ID")
    environment.delenv("AWS_SECRET_ACCESS_KEY")
    assert reason_of(Account()).reason is Reason.CREDENTIALS


def test_the_real_sdk_with_a_profile_that_does_not_exist(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("AWS_PROFILE", "nobody")
    assert reason_of(Account()).reason is Reason.CREDENTIALS


def test_the_real_sdk_behind_a_proxy_that_is_not_there(environment: pytest.MonkeyPatch, closed_port: int) -> None:
    environment.setenv("HTTPS_PROXY", f"http://someone:p@127.0.0.1:{closed_port}")
    problem = reason_of(Account())
    assert problem.reason is Reason.PROXY
    assert ":p@" not in problem.detail


@pytest.mark.parametrize("proxy", ["proxy.dept:8080x", "http://proxy.dept:8080x", "proxy dept:8080", "http://[::1"])
def test_a_proxy_that_cannot_be_read_is_the_proxys_fault(environment: pytest.MonkeyPatch, proxy: str) -> None:
    environment.setenv("HTTPS_PROXY", proxy)
    problem = reason_of(Account())
    assert problem.reason is Reason.PROXY and problem.remedy.startswith("Correct HTTPS_PROXY")


PROXIES = (
    "someone:pass-1-word@127.0.0.1:{port}",
    "someone:pass%2D1%2Dword@127.0.0.1:{port}",
    "//someone:pass-1-word@127.0.0.1:{port}",
    "http://someone:pass-1-word@127.0.0.1:{port}",
    "http://someone:pass-1/word@127.0.0.1:{port}",  # the library takes "pass-1" for a port
    "someone:word-1/pass@127.0.0.1:{port}",
    "http://someone:pass#1@word@127.0.0.1:{port}",
    "http://some:pass 1 word@127.0.0.1:{port}",
)


@pytest.mark.parametrize("proxy", PROXIES)
def test_no_piece_of_a_proxys_password_is_told(
    environment: pytest.MonkeyPatch, closed_port: int, proxy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv("HTTPS_PROXY", proxy.format(port=closed_port))
    problem = reason_of(Account())
    exchange = Caller("https://gateway.invalid/mcp", "a.b.c").request("tools/list", {})
    by_client = _listed_by_client("https://gateway.invalid/mcp", "a.b.c")
    told = f"{problem} {problem.detail} {exchange.trouble} {exchange.as_json()} {by_client} {capsys.readouterr()}"
    assert exchange.status == 0 and exchange.trouble
    assert "pass" not in told and "word" not in told


def test_an_endpoint_without_a_scheme_does_not_tell_its_password(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("AWS_ENDPOINT_URL", "someone:pass-1-word@127.0.0.1:9")
    check = Check[Account]("account", "whose", lambda account: iter([right("x", str(account.ask(IDENTITY)))]))
    (result,) = check.results(Account())
    assert result.verdict is Verdict.UNKNOWN
    assert "pass" not in str(result) and "word" not in str(result)


def test_what_is_no_password_stays(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("HTTPS_PROXY", "http://someone:is@127.0.0.1:9")
    told = "arn:aws:sts::111122223333:assumed-role/Engineer/jane@office.gov.uk may not: this list"
    assert withheld(told) == told


def test_the_real_sdk_without_a_network(environment: pytest.MonkeyPatch, closed_port: int) -> None:
    environment.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{closed_port}")
    assert reason_of(Account()).reason is Reason.UNREACHABLE
