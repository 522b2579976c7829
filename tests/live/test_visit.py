"""A visit to the rehearsal's gateway: the real functions, hosts and servers answer, and verify-live judges them.

What this does not show is AWS: the gateway is the rehearsal's reading of AgentCore's documents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from live.account import Account
from live.needs import Needs
from live.results import Result, Verdict
from live.verification import protocol, records
from live.verification.after import After, Patience
from live.verification.run import with_visit
from rehearsal.department import RunningDepartment
from rehearsal.play import set_stage
from rehearsal.stage import Stage
from tests.live.deployed_account import deployed_account

AT_ONCE = Patience(records=0, trail=0, pause=0)


@pytest.fixture(scope="module")
def stage(needs: Needs) -> Iterator[Stage]:
    with RunningDepartment(needs.assembly, sign_in=lambda _: None, progress=lambda _: None) as department:
        yield set_stage(department, tell=lambda _: None)


@pytest.fixture(scope="module")
def account(stage: Stage, needs: Needs) -> Account:
    """CloudWatch Logs is moto's, which the functions and hosts wrote to; CloudFormation answers by its model."""
    modelled = deployed_account(needs.assembly)
    logs = stage.department.aws._moto.client("logs")
    return Account(lambda service, region: logs if service == "logs" else modelled._client(service, region))


@pytest.fixture(scope="module")
def visited(stage: Stage, needs: Needs, account: Account) -> After:
    after = After(account, needs, "auditor", patience=AT_ONCE)
    return with_visit(after, stage.token(), url=stage.server.url)


def not_right(results: Any) -> list[Result]:
    return [each for each in results if each.verdict is not Verdict.RIGHT]


@pytest.mark.parametrize(
    "judge",
    [
        protocol.sign_in,
        protocol.session,
        protocol.tools,
        protocol.calls,
        protocol.refusals,
        protocol.cold_start,
        protocol.result_size,
    ],
)
def test_a_gateway_that_does_as_it_must_is_found_right(visited: After, judge: Callable[[After], Any]) -> None:
    results = list(judge(visited))
    assert results
    assert not not_right(results)


def test_a_call_of_each_server_was_answered(visited: After) -> None:
    assert visited.visit is not None
    assert {tool.partition("___")[0] for tool in visited.visit.first} == {"cloudtrail", "cloudwatch", "iam"}
    assert len(visited.answered()) == 2 * len(visited.visit.first)


def test_the_three_halves_of_each_calls_record_are_found(visited: After) -> None:
    results = list(records.record(visited))
    assert len(results) == len(visited.answered())
    assert not not_right(results)


def test_a_call_without_its_runtime_half_is_told(visited: After, needs: Needs) -> None:
    """The runtimes' log groups are looked for by the ids of the deployed runtimes: without them the half is missing."""
    elsewhere = replace(visited, account=_without_runtimes(visited.account, needs))
    results = list(records.record(elsewhere))
    assert {each.verdict for each in results} == {Verdict.WRONG}
    assert all("half of runtime" in each.found for each in results)


def _without_runtimes(account: Account, needs: Needs) -> Account:
    modelled = deployed_account(needs.assembly)
    listed = modelled._answers["cloudformation", "list_stack_resources"]

    def others(asked: dict[str, Any]) -> dict[str, Any]:
        assert callable(listed)
        found = listed(asked)["StackResourceSummaries"]
        return {"StackResourceSummaries": [each for each in found if not each["ResourceType"].endswith("::Runtime")]}

    modelled.says("cloudformation:ListStackResources", others)
    return Account(lambda *place: account._client(*place) if place[0] == "logs" else modelled._client(*place))


@contextmanager
def without(stage: Stage, layer: str) -> Iterator[None]:
    stage.gateway.switched_off |= {layer}
    try:
        yield
    finally:
        stage.gateway.switched_off -= {layer}


def again(visited: After, stage: Stage, *, token: str | None = None) -> After:
    return with_visit(visited, token or stage.token(), url=stage.server.url)


def test_a_request_interceptor_that_is_passed_by_is_found(visited: After, stage: Stage) -> None:
    with without(stage, "request"):
        seen = again(visited, stage)
    assert {each.subject for each in not_right(protocol.refusals(seen))} >= {"request: resources/list"}
    assert not_right(protocol.calls(seen)), "without a Txn-Token no call may be answered"


def test_a_person_of_another_persona_is_found_before_anybody_wonders(visited: After, stage: Stage) -> None:
    seen = again(visited, stage, token=stage.token(stage.visitor))
    (result,) = not_right(protocol.sign_in(seen))
    assert "cognito:groups does not hold auditor" in result.found
    assert not_right(protocol.session(seen)) and not_right(protocol.calls(seen))


def test_a_gateway_that_is_not_there_is_no_refusal(visited: After) -> None:
    """Nothing that came back counts as a refusal by the right layer."""
    seen = with_visit(visited, visited.token, url="http://127.0.0.1:9/mcp")
    results = list(protocol.refusals(seen))
    assert {each.verdict for each in results} == {Verdict.WRONG}


def test_no_result_of_a_call_and_no_token_is_in_the_evidence(visited: After) -> None:
    kept = str([each.as_json() for judge in (protocol.calls, protocol.sign_in) for each in judge(visited)])
    assert visited.token not in kept
    assert "jti" not in kept
