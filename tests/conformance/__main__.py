"""`make conformance`: the public MCP conformance suite against a gateway whose server has the suite's own tools."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from ringfence.deployed.gateways import published
from ringfence.rehearsal.scenarios.mcp_user import signed_in
from tests.conformance.department import SERVER, served
from tests.conformance.front import Front
from tests.conformance.suite import answers, as_expected, run
from tests.conformance.suite_server import ARGUMENTS


def main() -> int:
    """Run every scenario and print what each came to.

    Returns:
        0 when all is as `expected.toml` has it, 1 otherwise.
    """
    with tempfile.TemporaryDirectory(prefix="ringfence-conformance-") as scratch:
        folder = Path(scratch).resolve()
        with served(folder) as rehearsal:
            with Front(rehearsal.url, token=rehearsal.token, target=SERVER) as front:
                found = run(front.url, folder / "results")
            wrong = asyncio.run(_answered_otherwise(rehearsal.url, rehearsal.token()))
    for name, outcome in found.items():
        print(f"{name:30} {'passes' if outcome.passes else 'refused':8} {outcome.words}".rstrip())
    wrong += [name for name, outcome in found.items() if not as_expected(name, outcome)]
    passed = sum(outcome.passes for outcome in found.values())
    print(f"{passed} of {len(found)} scenarios pass, {len(found) - passed} are refused on purpose.")
    if wrong:
        print(f"Not as tests/conformance/expected.toml has it: {', '.join(wrong)}.")
    return 1 if wrong else 0


async def _answered_otherwise(url: str, token: str) -> list[str]:
    """The tools whose answer does not hold the words that it must."""
    async with signed_in(url, token) as user:
        told = {tool: (await user.call(published(SERVER, tool), _arguments(tool))).outcome.text for tool in answers()}
    return [f"{tool} ({told[tool]})" for tool, words in answers().items() if words not in told[tool]]


def _arguments(tool: str) -> dict[str, str]:
    return {ARGUMENTS[tool]: "A word"} if tool in ARGUMENTS else {}


if __name__ == "__main__":
    sys.exit(main())
