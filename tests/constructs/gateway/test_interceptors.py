"""The two functions between a caller and the tools."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest

from constructs.gateway.interceptors import Callers, Interceptors
from constructs.runtime.txn_token_key import TxnTokenKey
from ringfence.assets import zips

RULES = b'{"version": 1}\n'


@pytest.fixture
def interceptors(bench: Any) -> Interceptors:
    key = TxnTokenKey(bench.stack, "AuditorTxnToken", alias="alias/ringfence-x-auditor-txn-token", purpose="Signs.")
    return Interceptors(
        bench.stack,
        "AuditorInterceptor",
        persona="auditor",
        rules=RULES,
        callers=Callers(issuer="https://issuer.example.org/pool", client_ids=["desktop", "web"]),
        token_key=key,
        placement=bench.placement,
    )


def policy(bench: Any, half: str) -> dict[str, Any]:
    found = bench.properties(f"AuditorInterceptor{half}ExecutionPolicy")["PolicyDocument"]["Statement"]
    return {statement["Sid"]: statement for statement in found}


def test_the_request_interceptor_alone_may_sign(bench: Any, interceptors: Interceptors) -> None:
    signing = policy(bench, "Request")["SignTxnTokens"]
    assert signing["Action"] == ["kms:Sign"]
    assert signing["Resource"] == [{"Fn::GetAtt": ["AuditorTxnTokenKey", "Arn"]}]
    assert signing["Condition"] == {"StringEquals": {"kms:SigningAlgorithm": "ECDSA_SHA_256"}}
    assert "kms:Sign" not in str(policy(bench, "Response"))


def test_the_request_interceptor_knows_whose_calls_it_vouches_for(bench: Any, interceptors: Interceptors) -> None:
    variables = bench.properties("AuditorInterceptorRequestFunction")["Environment"]["Variables"]
    assert variables == {
        "CLIENT_IDS": "desktop,web",
        "ISSUER": "https://issuer.example.org/pool",
        "POWERTOOLS_SERVICE_NAME": "ringfence-auditor-request",
        "TXN_KEY_ID": {"Fn::GetAtt": ["AuditorTxnTokenKey", "Arn"]},
    }


@pytest.mark.parametrize("half", ["request", "response"])
def test_rules_travel_in_the_zip_of_the_code_that_obeys_them(half: str) -> None:
    asset = zips.function_zip(f"{half}_interceptor", files={"rules.json": RULES})
    with zipfile.ZipFile(Path(asset.path)) as archive:
        assert archive.read("rules.json") == RULES
        assert f"{half}_interceptor/handler.py" in archive.namelist()


@pytest.mark.parametrize("half", ["Request", "Response"])
def test_each_runs_its_own_handler(bench: Any, interceptors: Interceptors, half: str) -> None:
    function = bench.properties(f"AuditorInterceptor{half}Function")
    assert function["Handler"] == f"{half.lower()}_interceptor.handler.handler"
    assert function["FunctionName"] == f"ringfence-example-production-auditor-{half.lower()}"


def test_nobody_but_the_gateway_role_is_let_in_by_a_resource_policy(bench: Any, interceptors: Interceptors) -> None:
    types = {resource["Type"] for resource in bench.template["Resources"].values()}
    assert "AWS::Lambda::Permission" not in types
