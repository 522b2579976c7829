"""Each granted tool and operation of every server, really called: it makes the AWS calls it declares, each time anew.

The first of three calls has credentials of its own, the second others, and those of the third may do nothing.

Arguments are made from the published schema and the examples of server.toml; where AWS wants more, they stand in
driving.toml, beside the list of what cannot be driven here, with the reason. A server runs once, with its write gate
open.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.types import CallToolResult

from callpath.arguments import ToolRule, check_arguments
from ringfence.assets.bundles import servers
from ringfence.assets.local import packages
from ringfence.catalogue.catalogue import Catalogue, load_catalogue
from ringfence.catalogue.grants import placed
from ringfence.catalogue.servers import Server, Tool
from ringfence.catalogue.shown.published import published_definition
from runtime.server.spawn import COMMANDS, CREDENTIALS_PATH, SERVER_MAIN, write_commands
from tests.catalogue.driven_aws import DrivenAws
from tests.catalogue.test_aws_api_commands import fullest
from tests.waiting import LAST_RESORT_SECONDS

HERE = Path(__file__).parent
DRIVING = tomllib.loads((HERE / "driving.toml").read_text())
FIRST, SECOND, NOBODY = "AKIAFIRST", "AKIASECOND", "AKIANOBODY"
# Needs no permission, so nothing declares it.
FREE = {"sts:GetCallerIdentity"}
LEAST_DRIVEN = 0.95


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
            tool = placed(catalogue.servers[server].tools[name], "111122223333", ("*",))
            operations = {key: each.level for key, each in tool.operations.items()} or {"": tool.level}
            for operation, level in operations.items():
                if level in levels and only in ("", operation):
                    case = Case(server, tool, operation)
                    found[case.name] = case
    return list(found.values())


def arguments_of(case: Case, catalogue: Catalogue, *, again: dict[str, Any] | None = None) -> dict[str, Any]:
    """Arguments as a caller sends them, checked as the runtime checks them, with what the host adds."""
    if case.tool.match == "command":
        return {"cli_command": fullest(case.operation, region=False)}
    server = catalogue.servers[case.server]
    schema = published_definition(server, case.tool)["inputSchema"]
    made = {name: value for name, part in schema["properties"].items() if (value := _value(name, part)) is not None}
    # Of several values a pattern holds an argument to, the first will do.
    made |= {name: rule.values[0] for name, rule in case.tool.arguments.items() if rule.mode == "allowed"}
    made |= json.loads(json.dumps(dict(case.tool.examples)).replace("{account}", "111122223333"))
    written = DRIVING["arguments"].get(case.server, {})
    for key in {case.tool.name, case.name}:
        made |= written.get(key, {})
    if case.operation:
        made[case.tool.operation] = case.operation
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
    flags = (*server.flags, *server.write_flags, *server.sensitive_flags)
    return StdioServerParameters(
        command=sys.executable,
        args=["-s", "-P", SERVER_MAIN, str(os.getpid()), server.module, *flags],
        cwd=home,
        env={
            **server.environment,
            **DRIVING["environment"].get(server.name, {}),
            "HOME": str(home),
            "TMPDIR": str(home),
            "PATH": f"{home / COMMANDS}:/usr/bin:/bin",
            "PYTHONPATH": str(packages(server.name)),
            "AWS_REGION": "eu-west-2",
            "AWS_DEFAULT_REGION": "eu-west-2",
            "AWS_ENDPOINT_URL": url,
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": url + CREDENTIALS_PATH,
            "AWS_MAX_ATTEMPTS": "1",
        },
    )


@dataclass(frozen=True)
class Made:
    """One call: what the server asked of AWS, and what the caller was told."""

    signers: tuple[tuple[str, str], ...]
    actions: tuple[tuple[str, str], ...]
    said: CallToolResult


@dataclass(frozen=True)
class Driven:
    """All calls of one case.

    Attributes:
        lent: by the access key that was on loan; a call that declares nothing is made once.
        again: as `FIRST`, another way of calling it that asks AWS for other things.
    """

    case: Case
    lent: dict[str, Made]
    again: tuple[Made, ...]


async def drive(server: Server, catalogue: Catalogue, aws: DrivenAws, home: Path) -> list[Driven]:
    """Calls everything that is not in the table, with one server from beginning to end."""
    parameters = parameters_of(server, aws.url, home)
    driven = []
    with (home / "stderr").open("w") as stderr:
        aws.lent = NOBODY  # a server that makes a client when it starts
        async with stdio_client(parameters, errlog=stderr) as (read, write), ClientSession(read, write) as session:

            async def call(lent: str, case: Case, arguments: dict[str, Any]) -> Made:
                aws.lent = lent
                aws.signers.clear()
                aws.actions.clear()
                try:
                    async with asyncio.timeout(LAST_RESORT_SECONDS):
                        said = await session.call_tool(case.tool.name, arguments)
                except TimeoutError:
                    pytest.fail(f"{server.name} {case.name}: no answer; until then it called {set(aws.actions)}")
                return Made(tuple(aws.signers), tuple(aws.actions), said)

            await session.initialize()
            for case in cases_of(catalogue, server.name):
                if case.name in DRIVING["not_driven"].get(server.name, {}):
                    continue
                arguments = arguments_of(case, catalogue)
                keys = (FIRST, SECOND, NOBODY) if case.declared else (FIRST,)
                lent = {key: await call(key, case, arguments) for key in keys}
                changed = DRIVING["again"].get(server.name, {}).get(case.name)
                again = [await call(FIRST, case, arguments_of(case, catalogue, again=changed))] if changed else []
                driven.append(Driven(case, lent, tuple(again)))
    return driven


PERSONAS = tomllib.loads((HERE.parents[1] / "catalogue" / "personas.toml").read_text())["personas"].values()


@pytest.fixture(scope="module", params=sorted({server for persona in PERSONAS for server in persona["servers"]}))
def driven(
    request: pytest.FixtureRequest, catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory
) -> list[Driven]:
    """All calls of a server."""
    aws = DrivenAws(DRIVING["answers"])
    aws.without_rights = {NOBODY}
    home = tmp_path_factory.mktemp(request.param)
    try:
        found = asyncio.run(drive(catalogue.servers[request.param], catalogue, aws, home))
    except ExceptionGroup as fault:
        raise AssertionError(f"{request.param} broke off: {(home / 'stderr').read_text()[-2000:]}") from fault
    finally:
        aws.stop()
    return found


def test_each_call_is_decided_anew(driven: list[Driven]) -> None:
    """Each is made anew, signed as itself, and no answer of an earlier call is given to who may not have it.

    The kept client of a cluster, with the token of who asked first, has its own test (`test_eks_calls_apart.py`).
    """
    wrong = [f"{each.case.name}: {fault}" for each in driven for fault in faults(each.lent)]
    assert not wrong, "\n".join([f"{len(wrong)} of {len(driven)}", *wrong])
    asking = [each for each in driven if each.case.declared]
    assert any(each.lent[FIRST].signers for each in asking) == bool(asking)


def faults(lent: dict[str, Made]) -> Iterator[str]:
    """What is wrong with the calls: who signed what, by the key that was lent, and what each was told."""
    for key, made in lent.items():
        others = sorted({signer for signer, _ in made.signers} - {key})
        if others:
            yield f"with {key} on loan, {others} signed {made.signers}"
    if lent.keys() == {FIRST}:
        return
    first, second = ({action for _, action in lent[key].signers} - FREE for key in (FIRST, SECOND))
    if first != second:
        yield f"the second call asked for {sorted(second)}, the first for {sorted(first)}"
    told, nobody = lent[SECOND].said, lent[NOBODY]
    if first and not nobody.signers:
        yield f"who may do nothing was told without a question: {str(nobody.said)[:300]}"
    # What fails on what is made up here, whoever asks, has told nothing.
    if first and not told.is_error and plain(nobody.said) == plain(told):
        yield f"who may do nothing was told the same: {str(nobody.said)[:300]}"


def plain(result: CallToolResult) -> str:
    """An answer without times and ids that differ from call to call."""
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d", "", str(result))


def test_every_granted_operation_calls_what_it_declares(driven: list[Driven]) -> None:
    wrong = [f"{each.case.server} {each.case.name} {fault}" for each in driven for fault in differences(each)]
    assert not wrong, "\n".join([f"{len(wrong)} differ", *wrong])


def differences(driven: Driven) -> Iterator[str]:
    """How what was called differs from what is declared."""
    case, first = driven.case, driven.lent[FIRST]
    actions = [call for made in (first, *driven.again) for call in made.actions]
    without = set(DRIVING["done_without"].get(case.server, {}).get(case.name, ()))
    called = {action for action, _ in actions} - FREE - without
    elsewhere = {region for action, region in actions if not action.startswith(("iam:", "sts:"))}
    said = str(first.said.content)[:600]
    if called | case.by_aws != case.declared or called & case.by_aws:
        yield (
            f"declares too few: {sorted(called - case.declared)}; "
            f"too many: {sorted(case.declared - called - case.by_aws)}; it said {said}"
        )
    if first.said.is_error != (case.name in DRIVING["fails"].get(case.server, {})) or '"success": false' in said:
        yield f"failed, or did not although the table says so: {said}"
    if elsewhere - {"eu-west-2"}:
        yield f"called {elsewhere}"


def test_most_of_what_is_granted_is_driven_and_the_rest_has_a_reason(catalogue: Catalogue) -> None:
    granted = {server: {case.name for case in cases_of(catalogue, server)} for server in servers()}
    left_out = DRIVING["not_driven"]
    for server, reasons in (*left_out.items(), *DRIVING["fails"].items()):
        assert reasons.keys() <= granted[server], f"{server}: no longer granted, take it out of driving.toml"
        assert all(len(reason) >= 20 for reason in reasons.values())
    total = sum(len(names) for names in granted.values())
    driven = total - sum(len(reasons) for reasons in left_out.values())
    assert driven / total >= LEAST_DRIVEN, f"{driven} of {total}"
    assert json.dumps(left_out)  # a table of text only
