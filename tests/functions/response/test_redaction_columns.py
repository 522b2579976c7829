"""Answers in which the names of columns stand apart from the values."""

from __future__ import annotations

import json

import pytest

from response_interceptor.redaction import Redaction, Redactor
from tests.functions.marks import Numbers

HEADS = ["id", "sort_code", "full_name", "dob", "sort_code_hits"]
ROWS = [
    ["1", "12-34-56", "Jo Bloggs", "1980-02-01", "123456"],
    ["2", "203040", 'Jo "B" Bloggs', "02/03/1981", "203040"],
]
SHOWN = [
    ["1", "[REDACTED:SORT_CODE:1]", "[REDACTED:PERSON_NAME:1]", "[REDACTED:DOB:1]", "123456"],
    ["2", "[REDACTED:SORT_CODE:2]", 'Jo "B" Bloggs', "[REDACTED:DOB:2]", "203040"],
]


def athena(rows):
    """Athena's GetQueryResults: rows first, of which the first repeats the names."""
    info = [
        {"CatalogName": "hive", "Name": head, "Label": head, "Type": "varchar", "Precision": 214748} for head in HEADS
    ]
    data = [{"Data": [{"VarCharValue": cell} for cell in row]} for row in [HEADS, *rows]]
    return {"UpdateCount": 0, "ResultSet": {"Rows": data, "ResultSetMetadata": {"ColumnInfo": info}}}


def data_api(rows):
    """The RDS Data API's ExecuteStatement."""
    names = [{"arrayBaseColumnType": 0, "label": head, "name": "c", "precision": 255} for head in HEADS]
    cells = [[{"stringValue": cell} for cell in row] for row in rows]
    return {"columnMetadata": names, "numberOfRecordsUpdated": 0, "records": cells}


def frame(rows):
    return {"columns": HEADS, "index": [0, 1], "data": rows}


def lists(rows):
    return {"values": [HEADS, *rows]}


def athena_alone(rows):
    """Athena's rows without what is known of their columns."""
    return athena(rows)["ResultSet"]["Rows"]


@pytest.fixture(scope="module")
def redactor(rules_json) -> Redactor:
    return Redactor(rules_json["redaction"])


@pytest.mark.parametrize("form", [athena, data_api, frame, lists, athena_alone])
@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("nested", [False, True])
def test_a_columns_name_tells_what_its_values_are(redactor, form, indent, nested):
    text = json.dumps(form(ROWS), indent=indent)
    shown = Redaction(redactor, Numbers()).text(json.dumps({"body": text}) if nested else text)
    assert (json.loads(json.loads(shown)["body"]) if nested else json.loads(shown)) == form(SHOWN)


def test_a_value_that_is_missing_moves_no_other(redactor):
    answer = data_api([])
    answer["records"] = [[{"stringValue": "1"}, {"isNull": True}, {"isNull": True}, {"stringValue": "1980-02-01"}, {}]]
    shown = json.loads(Redaction(redactor, Numbers()).text(json.dumps(answer)))
    assert shown["records"][0] == [
        {"stringValue": "1"}, {"isNull": True}, {"isNull": True}, {"stringValue": "[REDACTED:DOB:1]"}, {}
    ]  # fmt: skip


def test_of_two_names_of_a_column_either_tells(redactor):
    answer = {"columnMetadata": [{"name": "dob", "label": "a"}, {"name": "x", "label": "utr"}]}
    answer["records"] = [[{"stringValue": "1980-02-01"}, {"stringValue": "1123456789"}]]
    shown = Redaction(redactor, Numbers()).text(json.dumps(answer))
    assert "[REDACTED:DOB:1]" in shown and "[REDACTED:UTR:1]" in shown
