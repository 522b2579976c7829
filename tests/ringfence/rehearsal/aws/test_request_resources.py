"""Which resource a request means, and that none is made up where the request does not say it."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.session import get_session

from ringfence.rehearsal.aws.authorization.resources import ResourceArns, resources_of
from ringfence.rehearsal.aws.protocol.wire import AwsError, Operation, Signed

PLACE = "eu-west-2:111122223333"
FUNCTION = f"arn:aws:lambda:{PLACE}:function:boats"
GROUP = f"arn:aws:logs:{PLACE}:log-group:/boats:log-stream:"
ARNS = ResourceArns(
    "111122223333",
    "eu-west-2",
    entity=lambda kind, name: f"{kind}/{name}",
    query_groups=lambda _: [],
    workgroup=lambda _: "primary",
    key_arn=lambda key: f"arn:aws:kms:{PLACE}:key/{key}",
    key_aliases=lambda _: [],
    tags=lambda _: {},
)


def found(called: str, parameters: dict[str, Any], *, restricted: bool = True) -> list[str]:
    service, name = called.split(":")
    model = get_session().get_service_model(service).operation_model(name)
    signed = Signed("AKIAEXAMPLE", "20261129", "eu-west-2", service)
    operation = Operation(signed, service, name, "json", parameters, model)
    return resources_of(operation, ARNS, restricted=restricted)


@pytest.mark.parametrize(
    ("called", "parameters"),
    [
        ("logs:GetLogRecord", {"logRecordPointer": "a"}),
        ("logs:DescribeMetricFilters", {}),
        ("logs:DescribeMetricFilters", {"metricName": "a", "metricNamespace": "b"}),
        ("logs:StartQuery", {"queryString": "SOURCE logGroups()", "startTime": 0, "endTime": 1}),
        ("logs:StartQuery", {"logGroupNames": [], "queryString": "limit 1", "startTime": 0, "endTime": 1}),
        ("kms:Decrypt", {"CiphertextBlob": b"a"}),
        ("lambda:GetFunction", {"FunctionName": "arn:aws:lambda:::function:"}),
    ],
)
def test_a_request_that_names_no_resource_is_not_decided(called: str, parameters: dict[str, Any]) -> None:
    with pytest.raises(AwsError, match="does not know which resource this request of") as refused:
        found(called, parameters)
    assert refused.value.status == 501
    assert found(called, parameters, restricted=False) == ["*"]


@pytest.mark.parametrize(
    ("called", "parameters", "expected"),
    [
        ("logs:DescribeMetricFilters", {"logGroupName": "/boats"}, [GROUP]),
        ("logs:FilterLogEvents", {"logGroupIdentifier": GROUP.removesuffix(":log-stream:")}, [GROUP]),
        ("logs:StartLiveTail", {"logGroupIdentifiers": [f"arn:aws:logs:{PLACE}:log-group:/boats"]}, [GROUP]),
        ("logs:CreateLogAnomalyDetector", {"logGroupArnList": [f"arn:aws:logs:{PLACE}:log-group:/boats:*"]}, [GROUP]),
        ("logs:GetLogEvents", {"logGroupName": "/boats", "logStreamName": "a"}, [f"{GROUP}a"]),
        ("kms:Decrypt", {"CiphertextBlob": b"a", "KeyId": "k"}, [f"arn:aws:kms:{PLACE}:key/k"]),
        ("lambda:GetFunction", {"FunctionName": "boats"}, [FUNCTION]),
        ("lambda:GetFunction", {"FunctionName": "boats", "Qualifier": "live"}, [f"{FUNCTION}:live"]),
        ("lambda:Invoke", {"FunctionName": "boats:7"}, [f"{FUNCTION}:7"]),
        ("lambda:Invoke", {"FunctionName": "boats", "Qualifier": "$LATEST"}, [f"{FUNCTION}:$LATEST"]),
        ("lambda:Invoke", {"FunctionName": "function:boats"}, [FUNCTION]),
        (
            "lambda:Invoke",
            {"FunctionName": "444455556666:function:boats"},
            [FUNCTION.replace("111122223333", "444455556666")],
        ),
        ("lambda:Invoke", {"FunctionName": FUNCTION, "Qualifier": "7"}, [f"{FUNCTION}:7"]),
        (
            "lambda:Invoke",
            {"FunctionName": FUNCTION.replace("eu-west-2", "eu-west-1")},
            [FUNCTION.replace("west-2", "west-1")],
        ),
    ],
)
def test_a_resource_is_as_the_request_names_it(called: str, parameters: dict[str, Any], expected: list[str]) -> None:
    assert found(called, parameters) == expected
