"""An answer that cannot contain what was asked says so beside itself."""

from __future__ import annotations

import json

import pytest

LOOKUP = "cloudtrail___lookup_events"
NOTHING = json.dumps({"events": [], "next_token": None})
SOMETHING = json.dumps({"events": [{"EventName": "RunInstances"}], "next_token": None})


@pytest.fixture
def looked_up(show, response_event):
    def look(text: str, *, tool: str = LOOKUP, failed: bool = False, structured: object = None, **arguments: str):
        result = {"content": [{"type": "text", "text": text}], "isError": failed}
        if structured is not None:
            result["structuredContent"] = structured
        asked = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}
        return show(response_event(result, asked=asked)).result

    return look


def notes(result) -> list[str]:
    return [part["text"] for part in result["content"] if part["text"].startswith("Note by Ringfence: ")]


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("EventName", "CreateUser", "AWS records events of IAM in another region"),
        ("EventName", "CreatePolicy", "AWS records events of IAM in another region"),
        ("EventName", "CreateServiceSpecificCredential", "AWS records events of IAM in another region"),
        ("EventName", "ConsoleLogin", "In which region AWS records a sign-in depends"),
        ("EventName", "PutObject", "This is the name of a data event"),
        ("EventSource", "iam.amazonaws.com", "AWS records the events of this source in another region"),
        ("EventSource", "ec2.amazonaws.com", "Nothing was found, which is no proof"),
        # A name that only holds, begins or ends with one of the catalogue's is another name.
        ("EventName", "GetQueryResults", "Nothing was found, which is no proof"),
        ("EventName", "CreateUserPool", "Nothing was found, which is no proof"),
        ("EventName", "CreateSecurityGroup", "Nothing was found, which is no proof"),
        ("EventSource", "notiam.amazonaws.com", "Nothing was found, which is no proof"),
        ("EventSource", "iam.amazonaws.com.example.org", "Nothing was found, which is no proof"),
    ],
)
def test_an_empty_lookup_says_what_it_cannot_contain(looked_up, key, value, told):
    """An empty list to "was a user created?" is a false no (P03)."""
    (note,) = notes(looked_up(NOTHING, attribute_key=key, attribute_value=value))
    assert note.startswith(f"Note by Ringfence: {told}")


@pytest.mark.parametrize(
    ("key", "value"),
    [("EventName", "CreateUser"), ("EventSource", "iam.amazonaws.com"), ("EventSource", "ec2.amazonaws.com")],
)
def test_a_note_sends_nobody_to_a_log_group_that_every_lock_refuses(looked_up, key, value):
    (note,) = notes(looked_up(NOTHING, attribute_key=key, attribute_value=value))
    assert "execute_log_insights_query" not in note and "uery the trail" not in note
    told = "security, who can read the trail's log group, or the platform team, platform@example.org"
    assert note.endswith(f"{told}.")


def test_the_note_stands_outside_the_marks_of_other_peoples_words(looked_up):
    result = looked_up(NOTHING, structured=json.loads(NOTHING))
    assert result["content"][-1]["text"] == notes(result)[0]
    assert result["structuredContent"]["note"] == notes(result)[0]
    assert result["structuredContent"]["data"] == {"events": [], "next_token": None}
    assert result["isError"] is False


@pytest.mark.parametrize("text", [SOMETHING, "no json", "[]", json.dumps({"events": None})])
def test_an_answer_that_may_hold_what_was_asked_has_none(looked_up, text):
    assert notes(looked_up(text, attribute_key="EventName", attribute_value="RunInstances")) == []


@pytest.mark.parametrize(
    "name",
    [
        "CreateSecurityGroup",
        "DeleteLogGroup",
        "UpdateAutoScalingGroup",
        "CreateDBParameterGroup",
        "ListGroupResources",
        "CreateUser",  # of IAM, and of a dozen services of this region besides
    ],
)
def test_an_answer_with_events_is_not_said_to_be_without_them(looked_up, name):
    found = json.dumps({"events": [{"EventName": name, "EventSource": "ec2.amazonaws.com"}]})
    assert notes(looked_up(found, attribute_key="EventName", attribute_value=name)) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [("EventName", "ConsoleLogin"), ("EventSource", "signin.amazonaws.com"), ("EventSource", "sts.amazonaws.com")],
)
@pytest.mark.parametrize("text", [NOTHING, SOMETHING])
def test_of_what_is_recorded_in_several_regions_is_said_that_some_may_be_missing(looked_up, key, value, text):
    """One sign-in at this region's address does not show that there was no other."""
    (note,) = notes(looked_up(text, attribute_key=key, attribute_value=value))
    assert "may be missing" in note and "whatever happened" not in note


def test_a_failure_has_none(looked_up):
    assert notes(looked_up(NOTHING, failed=True)) == []


def test_a_query_without_a_result_says_what_no_log_holds(looked_up):
    result = looked_up(
        json.dumps({"status": "Complete", "results": []}), tool="cloudwatch___execute_log_insights_query"
    )
    assert "no proof that nothing happened" in notes(result)[0]


METRIC = "cloudwatch___get_metric_data"


@pytest.mark.parametrize(
    ("results", "noted"),
    [
        ([], True),
        ([{"id": "m1", "datapoints": []}], True),
        ([{"id": "m1", "datapoints": []}, {"id": "m2", "datapoints": [{"value": 0.0}]}], False),
        ([{"id": "m1"}], False),
        (["m1"], False),
    ],
)
def test_a_metric_without_points_is_not_said_to_be_zero(looked_up, results, noted):
    said = notes(looked_up(json.dumps({"metricDataResults": results, "messages": []}), tool=METRIC))
    assert bool(said) is noted
    assert not noted or "No data points is not zero" in said[0]


def test_a_tool_without_caveats_says_nothing(looked_up):
    assert notes(looked_up(json.dumps({"users": []}), tool="iam___list_users")) == []
