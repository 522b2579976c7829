"""The built-in play, run once as `make rehearse` runs it, and read from its report."""

from __future__ import annotations

import tomllib

import httpx2
import pytest

from tests.ringfence.rehearsal.conftest import ROOT
from tests.waiting import LAST_RESORT_SECONDS

READS = {
    ("iam", "list_users"),
    ("iam", "list_roles"),
    ("iam", "get_user"),
    ("cloudtrail", "lookup_events"),
    ("cloudwatch", "get_active_alarms"),
    ("cloudwatch", "describe_log_groups"),
    ("cloudwatch", "execute_log_insights_query"),
    ("cloudwatch", "get_logs_insight_query_results"),
}
REFUSALS = {
    "a change": ("create_user", "request", "unknown-tool"),
    "a tool of no persona": ("lake_query", "request", "unknown-tool"),
    "an unknown argument": ("list_users", "request", "unknown-argument"),
    "another region": ("get_active_alarms", "request", "forced-argument"),
    "resources": ("resources/read", "request", "method-refused"),
    "a user without the group": ("initialize", "ingress", "insufficient-scope"),
    "a user without the group whom the pre-token function never saw": ("initialize", "ingress", "claim-missing"),
    "an expired token": ("initialize", "ingress", "token-expired"),
    "a foreign token": ("initialize", "ingress", "token-signature"),
    "an administrator past the gateway": ("list_users", "runtime", "invoke-resource"),
    "no Txn-Token": ("list_users", "runtime", "token-missing"),
    "a replayed Txn-Token": ("list_users", "runtime", "token-replayed"),
    "a Txn-Token for other arguments": ("list_users", "runtime", "token-arguments"),
    "a change when the request interceptor is off": ("create_user", "policy", "policy-denied"),
    "an action the tool does not declare": ("list_users", "aws", "access-denied"),
}
PEOPLE = {"auditor": "aud.example-01", "operator": "ope.example-01"}


@pytest.fixture(scope="module")
def calls(rehearsed) -> list[dict]:
    return rehearsed.report["calls"]


def test_every_call_goes_as_it_must(rehearsed):
    assert rehearsed.report["expectations"]["failed"] == []
    assert rehearsed.report["expectations"]["stopped_by"] is None
    assert "all as they must be" in rehearsed.output


def test_the_report_has_the_agreed_shape(rehearsed):
    report = rehearsed.report
    assert report["department"] == "example-production"
    for call in report["calls"]:
        assert list(call) == [
            "scenario", "step", "call_id", "persona", "user", "server", "tool", "outcome", "layer", "rule", "refusal",
            "expected", "held", "problems", "note", "enters", "without", "latency_ms", "aws_calls",
        ]  # fmt: skip
        assert call["outcome"] in ("allowed", "refused")
        assert (call["layer"] is None) == (call["outcome"] == "allowed")
        for aws in call["aws_calls"]:
            assert list(aws) == [
                "action", "region", "decision", "source_identity", "session_name", "session_policy_actions",
                "user_agent",
            ]  # fmt: skip


def test_the_log_groups_that_agentcore_had_made_are_kept_as_every_other(rehearsed):
    groups = rehearsed.report["runtime_log_groups"]
    assert len(groups) == 5
    for group in groups:
        assert group["name"].startswith("/aws/bedrock-agentcore/runtimes/ringfence_example_production__")
        assert group["was_there"] is True
        assert group["retention_days"] == 731
        assert group["key"].startswith("arn:aws:kms:eu-west-2:111122223333:key/")
        assert (group["masked"], group["deletion_protected"]) == (True, True)


def test_every_answered_call_has_three_halves_that_join(rehearsed):
    records = rehearsed.report["records"]
    answered = [call for call in rehearsed.report["calls"] if call["outcome"] == "allowed" and call["server"]]
    assert records == {"answered": len(answered), "joined": len(answered), "incomplete": {}, "begun": 0}
    assert len(answered) > 10


@pytest.mark.parametrize(("persona", "tools"), [("auditor", 24), ("operator", 6)])
def test_every_granted_tool_is_called_and_answered(rehearsed, persona, tools):
    held = tomllib.loads((ROOT / "catalogue" / "personas.toml").read_text())["personas"][persona]["servers"]
    optional = {"aws-api"}
    granted = {f"{server}___{tool}" for server in held.keys() - optional for tool in held[server]}
    assert len(granted) == tools
    assert rehearsed.report["granted_tools"][persona] == dict.fromkeys(granted, "answered")


def test_no_tool_is_called_by_a_name_that_no_host_is_shown(rehearsed):
    """The SDK says so of a tool that is answered and that tools/list lacks; what is refused it does not look up."""
    assert [line for line in rehearsed.lines if "not listed by server" in line] == []


def test_the_report_says_what_is_not_emulated(rehearsed):
    said = " ".join(rehearsed.report["not_emulated"])
    for what in ("WAF", "rate limits", "DNS firewall", "service quotas"):
        assert what in said


def test_the_report_says_which_types_are_emulated_as_they_were_read(rehearsed):
    emulated = rehearsed.report["emulated"]
    assert {"AWS::KMS::Key", "AWS::CloudTrail::Trail", "AWS::EC2::VPCEndpoint", "AWS::IAM::Role"} <= set(emulated)
    assert not [kind for kind in emulated if kind.startswith(("AWS::WAFv2::", "AWS::Route53Resolver::", "AWS::S3::"))]


@pytest.mark.parametrize(("server", "tool"), sorted(READS))
def test_the_auditor_reads(calls, server, tool):
    answered = [call for call in calls if (call["server"], call["tool"], call["outcome"]) == (server, tool, "allowed")]
    assert answered
    assert all(call["aws_calls"] for call in answered)


@pytest.mark.parametrize("what", sorted(REFUSALS))
def test_it_is_refused_at_its_own_layer(calls, what):
    tool, layer, rule = REFUSALS[what]
    assert [call for call in calls if (call["tool"], call["layer"], call["rule"]) == (tool, layer, rule)]


@pytest.mark.parametrize(
    ("tool", "layer", "rule"),
    [
        ("get_active_alarms", None, None),
        ("create_user", "request", "unknown-tool"),
        ("create_user", "policy", "policy-denied"),
        ("initialize", "ingress", "insufficient-scope"),
    ],
)
def test_the_operator_looks_and_changes_nothing(calls, tool, layer, rule):
    played = [call for call in calls if call["persona"] == "operator"]
    assert (tool, layer, rule) in [(call["tool"], call["layer"], call["rule"]) for call in played]


def test_a_refused_call_reaches_aws_only_to_be_refused_there(calls):
    for call in calls:
        if call["outcome"] == "refused":
            assert all(aws["decision"] == "refused" for aws in call["aws_calls"]), call


def test_every_aws_call_names_the_person_the_call_and_its_few_actions(calls):
    seen = [(call, aws) for call in calls for aws in call["aws_calls"]]
    assert len(seen) > 15
    for call, aws in seen:
        assert aws["source_identity"] == call["user"] == PEOPLE[call["persona"]]
        assert aws["session_name"] == call["call_id"]
        assert aws["action"] in aws["session_policy_actions"] or aws["decision"] == "refused"
        assert any(name in aws["user_agent"] for name in ("awslabs", "md/account-inspector"))


def test_only_iam_leaves_the_region(calls):
    for call in calls:
        for aws in call["aws_calls"]:
            assert aws["region"] == "eu-west-2" or aws["action"].startswith("iam:"), aws


def test_call_ids_are_unique_but_for_the_replay(calls):
    ids = [call["call_id"] for call in calls if call["call_id"] and call["rule"] != "token-replayed"]
    assert len(ids) == len(set(ids))


def test_the_account_is_short_and_tells_each_call(rehearsed):
    calls = rehearsed.report["calls"]
    played = rehearsed.output.partition("\n\nServing")[0]
    told = [part for part in played.split("\n\n") if "\n ✓ " in part or "\n ✗ " in part]
    assert len([line for part in told for line in part.splitlines() if line.startswith(" ✓ ")]) == len(calls)
    assert all(len(part.splitlines()) <= 1 + 3 * part.count("\n ✓ ") for part in told)
    headings = [part.splitlines()[0] for part in told]
    assert headings == list(dict.fromkeys(f"{call['persona'].capitalize()}: {call['scenario']}" for call in calls))


def test_nothing_secret_stands_in_the_report(rehearsed):
    text = rehearsed.report_path.read_text()
    assert "eyJ" not in text, "a token"
    assert "ASIA" not in text, "an access key"


def test_whoever_connects_while_it_is_kept_is_told_of_too(rehearsed):
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "iam___create_user"}}
    headers = {"Authorization": f"Bearer {rehearsed.token()}"}
    httpx2.post(rehearsed.url, json=message, headers=headers, trust_env=False, timeout=LAST_RESORT_SECONDS)
    rehearsed.wait_for("tools/call iam___create_user → refused by request: unknown-tool")
