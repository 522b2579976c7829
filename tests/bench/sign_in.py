"""How long somebody waits for the first call: from the start of a rehearsal's servers, and from their own sign-in."""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import Final

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from ringfence.deployed.assembly import Assembly
from ringfence.rehearsal.department import RunningDepartment
from ringfence.rehearsal.template import of_assembly
from tests.bench import departments
from tests.bench.processes import progress
from tests.bench.table import Row
from tests.ringfence.rehearsal.sign_in.serving import HOST, Served, free_port, with_callbacks
from tests.ringfence.rehearsal.sign_in.test_hosts_sign_in import TOOL, SdkHost

ROUNDS: Final = 5
MOST_SECONDS: Final = 60.0


def rows() -> list[Row]:
    """From nothing served to the first answer that a host gets for somebody who signed in; then for the next people."""
    folder, port = departments.assembly("department=example-production"), free_port()
    assembly = with_callbacks(Assembly.load(folder), f"http://localhost:{port}/callback")
    progress(f"a department starts; {ROUNDS + 1} people sign in")
    started = time.monotonic()
    with RunningDepartment(of_assembly(assembly), progress=lambda _text: None) as department:
        client = next(each for each in department.pool.clients if each.name == HOST)
        served = Served(department, client, port)
        serving = time.monotonic()
        asyncio.run(first_call(served))
        first = time.monotonic()
        taken = []
        for _ in range(ROUNDS):
            began = time.monotonic()
            asyncio.run(first_call(served))
            taken.append(time.monotonic() - began)
    note = f"{serving - started:.1f} s until it serves; without synthesis and play"
    return [
        Row("start of serving to the first signed-in call", first - started, "s", MOST_SECONDS, note),
        Row("  another host: discovery, sign-in, tokens, a call", statistics.median(taken), "s", None, f"of {ROUNDS}"),
    ]


async def first_call(served: Served) -> None:
    """A host connects, has somebody signed in, and calls a tool.

    Raises:
        RuntimeError: the tool did not answer.
    """
    host = SdkHost(served, client_id=served.client.client_id)
    async with (
        httpx2.AsyncClient(auth=host.provider, trust_env=False, timeout=60) as http,
        Client(streamable_http_client(served.auditor, http_client=http)) as client,
    ):
        result = await client.call_tool(TOOL, {})
    if result.is_error:
        raise RuntimeError(f"{TOOL} was refused: {result.content}")
