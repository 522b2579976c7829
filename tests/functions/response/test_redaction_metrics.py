"""What CloudWatch is told of an answer that lost values: how many of each kind, and none of them."""

from __future__ import annotations

import json

NINO, EMAILS = "AB123456C", ("jo.bloggs@example.org", "sam@example.org")


def test_each_kind_that_was_redacted_is_a_metric_of_the_department_and_the_persona(show, tool_result, trusted_tool):
    answered = show(tool_result(f"{NINO} {EMAILS[0]} {EMAILS[1]}", tool=trusted_tool))

    (line,) = (each for each in answered.lines if "_aws" in each)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == ("Ringfence/Redaction", [["department", "persona"]])
    assert directive["Metrics"] == [{"Name": "EMAIL", "Unit": "Count"}, {"Name": "NINO", "Unit": "Count"}]
    assert (line["EMAIL"], line["NINO"]) == (2, 1)
    assert (line["department"], line["persona"]) == ("example-production", "auditor")
    assert isinstance(line["_aws"]["Timestamp"], int) and line["_aws"]["Timestamp"] > 1_700_000_000_000
    assert answered.record["redactions"] == {"EMAIL": 2, "NINO": 1}
    assert not [value for value in (NINO, *EMAILS) if value in json.dumps(line)]


def test_an_answer_that_lost_nothing_writes_its_record_alone(show, tool_result, trusted_tool):
    answered = show(tool_result("nothing to see", tool=trusted_tool))

    assert [line.get("record") for line in answered.lines] == ["ringfence.call"]
