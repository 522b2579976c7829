"""How code starts: a handler, an entry point or a variable that its kind has not is found, and so is who calls it."""

from __future__ import annotations

import copy
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ringfence.deployed.problems import UnresolvedTemplate
from ringfence.proofs.each import round_trip
from ringfence.proofs.evidence import Evidence
from ringfence.proofs.startup import started_otherwise

Planted = Callable[..., Evidence]
Resources = dict[str, Any]
REQUEST, RESPONSE = "AuditorInterceptorRequestFunction", "AuditorInterceptorResponseFunction"
RUNTIME = "AuditorIamRuntime"
ELSEWHERE = "arn:aws:lambda:eu-west-2:999999999999:function:somebody"
ANOTHER_KEY = "arn:aws:kms:eu-west-2:999999999999:key/11111111-2222-4333-8444-555555555555"


def told(evidence: Evidence) -> str:
    return "\n".join(str(finding) for finding in started_otherwise(evidence))


def in_function(logical_id: str, **variables: str) -> Callable[[Resources], None]:
    return lambda resources: resources[logical_id]["Properties"]["Environment"]["Variables"].update(variables)


def in_runtimes(**variables: str) -> Callable[[Resources], None]:
    def change(resources: Resources) -> None:
        for resource in resources.values():
            if resource["Type"] == "AWS::BedrockAgentCore::Runtime":
                resource["Properties"]["EnvironmentVariables"].update(variables)

    return change


def with_handler(handler: str) -> Callable[[Resources], None]:
    return lambda resources: resources[RESPONSE]["Properties"].update(Handler=handler)


def other_entry_point(resources: Resources) -> None:
    code = resources[RUNTIME]["Properties"]["AgentRuntimeArtifact"]["CodeConfiguration"]
    code["EntryPoint"] = ["-c", "x"]


def without_variable(resources: Resources) -> None:
    del resources[RUNTIME]["Properties"]["EnvironmentVariables"]["RINGFENCE_CALL_LOG_GROUP"]


def interceptors_of(resources: Resources) -> dict[str, Any]:
    configured = resources["AuditorGateway"]["Properties"]["InterceptorConfigurations"]
    return {point: each["Interceptor"]["Lambda"] for each in configured for point in each["InterceptionPoints"]}


def request_twice(resources: Resources) -> None:
    found = interceptors_of(resources)
    found["RESPONSE"]["Arn"] = found["REQUEST"]["Arn"]


def test_every_department_starts_its_own_code(each: Evidence) -> None:
    assert told(each) == ""


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            in_function(REQUEST, AWS_LAMBDA_EXEC_WRAPPER="/opt/x"),
            f"{REQUEST}: has the variable AWS_LAMBDA_EXEC_WRAPPER",
        ),
        (in_function(RESPONSE, PYTHONPATH="/opt/x"), f"{RESPONSE}: has the variable PYTHONPATH"),
        (in_runtimes(AWS_ENDPOINT_URL="https://example.org"), f"{RUNTIME}: has the variable AWS_ENDPOINT_URL"),
        (in_runtimes(RINGFENCE_TXN_KEY_ARN=ANOTHER_KEY), f"{RUNTIME}: has RINGFENCE_TXN_KEY_ARN '{ANOTHER_KEY}', and"),
        (without_variable, f"{RUNTIME}: lacks the variable RINGFENCE_CALL_LOG_GROUP"),
        (other_entry_point, f"{RUNTIME}: starts -c x, and not main.py"),
        (with_handler("os.system"), f"{RESPONSE}: starts os.system, and not response_interceptor.handler.handler"),
        (request_twice, f"{REQUEST}: starts request_interceptor.handler.handler, and not response_interceptor"),
        (request_twice, f"{RESPONSE}: is called by nothing in the templates"),
    ],
)
def test_code_that_starts_otherwise_is_found(
    change: Callable[[Resources], None], expected: str, planted: Planted
) -> None:
    assert expected in told(planted(auditor=change))


def test_another_function_before_every_token_is_refused(planted: Planted) -> None:
    def change(resources: Resources) -> None:
        resources["UserPool"]["Properties"]["LambdaConfig"]["PreTokenGenerationConfig"]["LambdaArn"] = ELSEWHERE

    with pytest.raises(UnresolvedTemplate, match=f"calls {ELSEWHERE}, which no template makes"):
        round_trip.prove(planted(identity=change))


def test_another_interceptor_is_refused(planted: Planted) -> None:
    def change(resources: Resources) -> None:
        interceptors_of(resources)["RESPONSE"]["Arn"] = ELSEWHERE

    with pytest.raises(UnresolvedTemplate, match=f"calls {ELSEWHERE}, which no template makes"):
        round_trip.prove(planted(auditor=change))


def test_another_keeper_of_log_groups_is_refused(planted: Planted) -> None:
    """CloudFormation hands whoever answers for a custom resource an address at which the stack believes it."""

    def change(resources: Resources) -> None:
        resources[f"{RUNTIME}Log"]["Properties"]["ServiceToken"] = ELSEWHERE

    with pytest.raises(UnresolvedTemplate, match=f"{RUNTIME}Log: .* calls {ELSEWHERE}, which no template makes"):
        round_trip.prove(planted(auditor=change))


def test_a_runtime_that_no_gateway_leads_to_is_found(planted: Planted, tmp_path: Path) -> None:
    def change(resources: Resources) -> None:
        resources["Planted"] = copy.deepcopy(resources[RUNTIME])
        resources["Planted"]["Properties"]["AgentRuntimeName"] = "planted"
        code = resources["Planted"]["Properties"]["AgentRuntimeArtifact"]["CodeConfiguration"]["Code"]
        code["S3"]["Prefix"] = "planted.zip"

    archive = tmp_path / "planted.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("runtime.json", json.dumps({"persona": "stranger", "server": "iam", "tools": {}}))
    evidence = planted(auditor=change)

    found = told(evidence.beside(evidence.assembly.edited(assets={"planted.zip": archive})))

    assert "runtime Planted: serves stranger, which has no gateway" in found


def test_the_round_trip_tells_it(planted: Planted) -> None:
    outcome = round_trip.prove(planted(auditor=other_entry_point))

    assert "starts -c x" in "\n".join(str(finding) for finding in outcome.findings)
