"""Each granted tool and operation of the servers with operations, really called, makes the AWS calls it declares.

Arguments are made from the published schema; where AWS wants more, they stand in driving.toml, beside the list of what
cannot be driven here, with the reason. A server runs once, with its write gate open.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

from assets.local import packages
from callpath.arguments import ToolRule, check_arguments
from callpath.refusal import Refusal
from governance.catalogue import Catalogue, load_catalogue
from governance.published import published_definition
from governance.servers import Server, Tool
from runtime.spawn import COMMANDS, write_commands
from tests.catalogue.driven_aws import DrivenAws
from tests.waiting import LAST_RESORT_SECONDS

HERE = Path(__file__).parent
DRIVING = tomllib.loads((HERE / "driving.toml").read_text())
SERVERS = ("serverless", "eks", "dataprocessing", "sagemaker")
# Needs no permission, so nothing declares it.
FREE = {"sts:GetCallerIdentity"}
LEAST_DRIVEN = 0.85


@dataclass(frozen=True)
class Case:
    """One tool, or one operation of a tool, that some persona holds in some department."""

    server: str
    tool: Tool
    operation: str

    @property
    def name(self) -> str:
        return f"{self.tool.name}.{self.operation}" if self.operation else self.tool.name

    @property
    def declared(self) -> set[str]:
        grants = self.tool.operations[self.operation].grants if self.operation else self.tool.grants
        return {action for grant in grants for action in grant.actions} - FREE

    @property
    def by_aws(self) -> set[str]:
        """Declared actions that no request shows: AWS asks for them when it carries the request out."""
        return set(DRIVING["by_aws"].get(self.server, {}).get(self.name, ()))


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


def cases_of(catalogue: Catalogue, server: str) -> list[Case]:
    """What any persona may hold anywhere: sensitive tools and a sandbox's writes among it."""
    found: dict[str, Case] = {}
    for persona in catalogue.personas.values():
        levels = {*persona.levels, *persona.sandbox_levels}
        for grant in persona.servers.get(server, ()):
            name, _, only = grant.partition(".")
            tool = catalogue.servers[server].tools[name]
            operations = {key: each.level for key, each in tool.operations.items()} or {"": tool.level}
            for operation, level in operations.items():
                if level in levels and only in ("", operation):
                    case = Case(server, tool, operation)
                    found[case.name] = case
    return list(found.values())


def arguments_of(case: Case, catalogue: Catalogue, *, again: dict[str, Any] | None = None) -> dict[str, Any]:
    """Arguments as a caller sends them, checked as the runtime checks them, with what the host adds."""
    server = catalogue.servers[case.server]
    schema = published_definition(server, case.tool)["inputSchema"]
    made = {name: value for name, part in schema["properties"].items() if (value := _value(name, part)) is not None}
    # Of several values a pattern holds an argument to, the first will do.
    made |= {name: rule.values[0] for name, rule in case.tool.arguments.items() if rule.mode == "allowed"}
    written = DRIVING["arguments"].get(case.server, {})
    for key in {case.tool.name, case.name}:
        made |= written.get(key, {})
    if case.operation:
        made.setdefault(case.tool.operation, case.operation)
        made[case.tool.operation] = made[case.tool.operation] if case.tool.match == "command" else case.operation
    made |= again or {}
    made = {name: value for name, value in made.items() if value != "absent"}
    rule = ToolRule(case.tool.name, schema, case.tool.forced)
    return {**check_arguments(rule, made), **case.tool.filled}


def _value(name: str, part: dict[str, Any]) -> Any:
    """A value for text and lists of text; the rest is optional, or written in driving.toml."""
    if "token" in name or name == "marker" or "time" in name or "created" in name:
        return None
    for choice in (part, *part.get("anyOf", ())):
        if "const" in choice or "enum" in choice:
            return choice.get("const", choice.get("enum", [None])[0])
        if choice.get("type") == "string":
            return "x1"
        if choice.get("type") == "array" and choice.get("items", {}) == {"type": "string"}:
            return ["x1"]
    return None


def parameters_of(server: Server, url: str, home: Path) -> StdioServerParameters:
    write_commands(server.commands, home=home)
    return StdioServerParameters(
        command=sys.executable,
        args=["-s", "-P", "-m", server.module, *server.flags, *server.write_flags, *server.sensitive_flags],
        cwd=home,
        env={
            **server.environment,
            "HOME": str(home),
            "TMPDIR": str(home),
            "PATH": f"{home / COMMANDS}:/usr/bin:/bin",
            "PYTHONPATH": str(packages(server.name)),
            "AWS_REGION": "eu-west-2",
            "AWS_DEFAULT_REGION": "eu-west-2",
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "EXAMPLE",
            "AWS_MAX_ATTEMPTS": "1",
        },
    )


async def drive(server: Server, catalogue: Catalogue, aws: DrivenAws, home: Path) -> list[str]:
    """Calls everything that is not in the table; returns how what was called differs from what is declared."""
    wrong = []
    with (home / "stderr").open("w") as stderr:
        async with (
            stdio_client(parameters_of(server, aws.url, home), errlog=stderr) as (read, write),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            for case in cases_of(catalogue, server.name):
                if case.name in DRIVING["not_driven"].get(server.name, {}):
                    continue
                aws.actions.clear()
                try:
                    arguments = [arguments_of(case, catalogue)]
                    # Two ways of calling it that call different things of AWS.
                    again = DRIVING["again"].get(server.name, {}).get(case.name)
                    arguments += [arguments_of(case, catalogue, again=again)] if again else []
                except Refusal as refusal:
                    wrong.append(f"{server.name} {case.name}: {refusal}")
                    continue
                try:
                    async with asyncio.timeout(LAST_RESORT_SECONDS):
                        results = [await session.call_tool(case.tool.name, each) for each in arguments]
                except TimeoutError:
                    wrong.append(f"{server.name} {case.name}: no answer; until then it called {set(aws.actions)}")
                    break
                without = set(DRIVING["done_without"].get(server.name, {}).get(case.name, ()))
                called = {action for action, _ in aws.actions} - FREE - without
                elsewhere = {region for action, region in aws.actions if not action.startswith(("iam:", "sts:"))}
                said = str(results[0].content)[:600]
                if called | case.by_aws != case.declared or called & case.by_aws:
                    wrong.append(
                        f"{server.name} {case.name}: too few declared: {sorted(called - case.declared)}; "
                        f"too many declared: {sorted(case.declared - called - case.by_aws)}; it said {said}"
                    )
                if '"success": false' in said:
                    wrong.append(f"{server.name} {case.name} failed: {said}")
                if elsewhere - {"eu-west-2"}:
                    wrong.append(f"{server.name} {case.name} called {elsewhere}")
    return wrong


@pytest.fixture
def answers() -> Iterator[list[DrivenAws]]:
    started: list[DrivenAws] = []
    yield started
    for aws in started:
        aws.stop()


async def test_every_granted_operation_calls_what_it_declares(
    catalogue: Catalogue, answers: list[DrivenAws], tmp_path: Path
) -> None:
    async def one(name: str) -> list[str]:
        aws = DrivenAws(DRIVING["answers"])
        answers.append(aws)
        home = tmp_path / name
        home.mkdir()
        return await drive(catalogue.servers[name], catalogue, aws, home)

    found = await asyncio.gather(*(one(name) for name in SERVERS))
    wrong = [line for lines in found for line in lines]
    assert not wrong, "\n".join([f"{len(wrong)} differ", *wrong])


def test_most_of_what_is_granted_is_driven_and_the_rest_has_a_reason(catalogue: Catalogue) -> None:
    granted = {server: {case.name for case in cases_of(catalogue, server)} for server in SERVERS}
    left_out = DRIVING["not_driven"]
    for server, reasons in left_out.items():
        assert reasons.keys() <= granted[server], f"{server}: no longer granted, take it out of driving.toml"
        assert all(len(reason) >= 20 for reason in reasons.values())
    total = sum(len(names) for names in granted.values())
    driven = total - sum(len(reasons) for reasons in left_out.values())
    assert driven / total >= LEAST_DRIVEN, f"{driven} of {total}"
    assert json.dumps(left_out)  # a table of text only
