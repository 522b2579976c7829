"""CloudWatch Logs Insights queries over the log groups of this local AWS; they are complete as soon as they start."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ringfence.deployed.assembly import Assembly
from ringfence.deployed.properties import Properties
from ringfence.rehearsal.aws.protocol.wire import AwsError
from ringfence.rehearsal.aws.services.insights import MalformedQuery, Outcome, run_query
from ringfence.rehearsal.aws.services.moto import Moto


@dataclass(frozen=True)
class _Query:
    id: str
    text: str
    groups: list[str]
    started: int
    outcome: Outcome = field(repr=False)


class Queries:
    """Started queries and the template's saved ones."""

    def __init__(self, assembly: Assembly, moto: Moto) -> None:
        self._moto = moto
        self._region = assembly.region
        self._queries: dict[str, _Query] = {}
        self._definitions = [
            {
                "queryDefinitionId": str(each.resource.ref),
                "name": each.text("Name"),
                "queryString": each.text("QueryString"),
                "logGroupNames": list(each.texts("LogGroupNames", ())),
            }
            for each in map(Properties, assembly.of_type("AWS::Logs::QueryDefinition"))
        ]

    def start(self, parameters: Mapping[str, Any], region: str) -> dict[str, Any]:
        """`StartQuery`."""
        if parameters.get("queryLanguage", "CWLI") != "CWLI":
            raise AwsError("InvalidParameterException", "The local AWS reads the Logs Insights language only (CWLI).")
        groups = _group_names(parameters)
        if not groups:
            raise AwsError("InvalidParameterException", "At least one log group must be given.")
        self._check_exist(groups, region)
        begin, end = int(parameters["startTime"]) * 1000, int(parameters["endTime"]) * 1000 + 999
        if begin > end:
            raise AwsError("InvalidParameterException", "The end time is before the start time.")
        events = [
            (group, event)
            for group in groups
            for event in self._moto.log_events(group)
            if begin <= event.timestamp <= end
        ]
        text = str(parameters["queryString"])
        try:
            outcome = run_query(text, events, limit=parameters.get("limit"))
        except MalformedQuery as fault:
            raise AwsError("MalformedQueryException", str(fault)) from None
        query = _Query(str(uuid.uuid4()), text, groups, int(time.time()), outcome)
        self._queries[query.id] = query
        return {"queryId": query.id}

    def results(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """`GetQueryResults`."""
        outcome = self._find(parameters).outcome
        return {
            "queryLanguage": "CWLI",
            "results": [[{"field": name, "value": value} for name, value in row.items()] for row in outcome.rows],
            "statistics": {
                "recordsMatched": float(outcome.matched),
                "recordsScanned": float(outcome.scanned),
                "bytesScanned": float(outcome.scanned_bytes),
            },
            "status": "Complete",
        }

    def stop(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """`StopQuery`: every query here has already ended."""
        self._find(parameters)
        raise AwsError("InvalidParameterException", "The query is not running.")

    def describe(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """`DescribeQueries`."""
        group = parameters.get("logGroupName")
        return {
            "queries": [
                {
                    "queryLanguage": "CWLI",
                    "queryId": query.id,
                    "queryString": query.text,
                    "status": "Complete",
                    "createTime": query.started * 1000,
                    "logGroupName": query.groups[0],
                }
                for query in self._queries.values()
                if group is None or group in query.groups
            ]
        }

    def definitions(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """`DescribeQueryDefinitions`: those the template saves."""
        prefix = str(parameters.get("queryDefinitionNamePrefix", ""))
        return {"queryDefinitions": [entry for entry in self._definitions if str(entry["name"]).startswith(prefix)]}

    def groups_of(self, query_id: str) -> list[str]:
        """The log groups a query reads.

        Raises:
            AwsError: there is no such query.
        """
        return self._find({"queryId": query_id}).groups

    def _find(self, parameters: Mapping[str, Any]) -> _Query:
        query = self._queries.get(str(parameters["queryId"]))
        if query is None:
            raise AwsError("ResourceNotFoundException", "The query does not exist.")
        return query

    def _check_exist(self, groups: list[str], region: str) -> None:
        client = self._moto.client("logs", region)
        for name in groups:
            listed = client.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
            if name not in [group["logGroupName"] for group in listed]:
                raise AwsError("ResourceNotFoundException", f"Log group '{name}' does not exist in {region}.")


def _group_names(parameters: Mapping[str, Any]) -> list[str]:
    listed = [
        *parameters.get("logGroupNames", []),
        *parameters.get("logGroupIdentifiers", []),
        *([parameters["logGroupName"]] if "logGroupName" in parameters else []),
    ]
    return [str(name).removesuffix(":*").rsplit(":log-group:", 1)[-1] for name in listed]
