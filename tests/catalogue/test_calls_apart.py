"""What a server keeps between calls: nothing that decides. Every granted tool of every server is called three times.

The first call has credentials of its own, the second others, and those of the third may do nothing. Each is made anew,
signed as itself; and no answer of an earlier call is given to who may not have it. The kept client of a cluster, with
the token of who asked first, has its own test (`test_eks_calls_apart.py`).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from mcp import ClientSession
from mcp.client.stdio import stdio_client
from mcp.types import CallToolResult

from assets.bundles import servers
from governance.catalogue import Catalogue, load_catalogue
from runtime.spawn import CREDENTIALS_PATH
from tests.catalogue.driven_aws import DrivenAws
from tests.catalogue.test_aws_api_commands import fullest
from tests.catalogue.test_operations import DRIVING, FREE, arguments_of, cases_of, parameters_of
from tests.waiting import LAST_RESORT_SECONDS

FIRST, SECOND, NOBODY = "AKIAFIRST", "AKIASECOND", "AKIANOBODY"
STATIC = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture
def aws() -> Iterator[DrivenAws]:
    started = DrivenAws(DRIVING["answers"])
    started.without_rights = {NOBODY}
    yield started
    started.stop()


@pytest.mark.parametrize("name", sorted(servers()))
async def test_each_call_is_decided_anew(name: str, catalogue: Catalogue, aws: DrivenAws, tmp_path: Path) -> None:
    parameters = parameters_of(catalogue.servers[name], aws.url, tmp_path)
    assert parameters.env is not None
    parameters.env = {key: value for key, value in parameters.env.items() if key not in STATIC}
    parameters.env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = aws.url + CREDENTIALS_PATH
    wrong, called = [], 0
    with (tmp_path / "stderr").open("w") as stderr:
        aws.lent = NOBODY  # a server that makes a client when it starts
        async with stdio_client(parameters, errlog=stderr) as (read, write), ClientSession(read, write) as session:
            await session.initialize()
            for case in cases_of(catalogue, name):
                if case.name in DRIVING["not_driven"].get(name, {}):
                    continue
                arguments = (
                    {"cli_command": fullest(case.operation, region=False)}
                    if case.tool.match == "command"
                    else arguments_of(case, catalogue)
                )
                said, made = {}, {}
                for key in (FIRST, SECOND, NOBODY):
                    aws.lent = key
                    aws.signers.clear()
                    async with asyncio.timeout(LAST_RESORT_SECONDS):
                        said[key] = await session.call_tool(case.tool.name, arguments)
                    made[key] = list(aws.signers)
                called += bool(made[FIRST])
                wrong += [f"{name} {case.name}: {fault}" for fault in faults(made, said)]
    assert not wrong, "\n".join([f"{len(wrong)} of {called}", *wrong])
    assert called


def faults(made: dict[str, list[tuple[str, str]]], said: dict[str, CallToolResult]) -> Iterator[str]:
    """What is wrong with three calls: who signed what, by the key that was lent, and what each was told."""
    for lent, signers in made.items():
        others = sorted({signer for signer, _ in signers} - {lent})
        if others:
            yield f"with {lent} on loan, {others} signed {signers}"
    first, second = ({action for _, action in made[key]} - FREE for key in (FIRST, SECOND))
    if first != second:
        yield f"the second call asked for {sorted(second)}, the first for {sorted(first)}"
    if first and not made[NOBODY]:
        yield f"who may do nothing was told without a question: {str(said[NOBODY])[:300]}"
    # A tool that fails on what is made up here, whoever asks, has told nothing.
    if first and not said[SECOND].is_error and plain(said[NOBODY]) == plain(said[SECOND]):
        yield f"who may do nothing was told the same: {str(said[NOBODY])[:300]}"


def plain(result: CallToolResult) -> str:
    """An answer without times and ids that differ from call to call."""
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d", "", str(result))
