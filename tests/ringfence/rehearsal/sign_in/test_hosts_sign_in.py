"""Other people's MCP clients connect to the rehearsal, have somebody signed in, list tools and call one."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import threading
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

from ringfence.hosts.programs import programs
from ringfence.rehearsal.connect import connections
from ringfence.rehearsal.identity.authorizer import unverified_claims
from tests.ringfence.rehearsal.sign_in.person import Person
from tests.ringfence.rehearsal.sign_in.serving import Served
from tests.waiting import LAST_RESORT_SECONDS, wait_until

ROOT = Path(__file__).resolve().parents[4]
PEERS = ROOT / "tests" / "peers" / "node_modules"
NODE = str(ROOT / ".venv" / "bin" / "node")
TOOL = "iam___list_users"


class Storage:
    """What the SDK's client remembers."""

    def __init__(self, client: OAuthClientInformationFull | None) -> None:
        self.client, self.tokens = client, None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


class SdkHost:
    """A host built on the MCP Python SDK, with a client id that it was given."""

    def __init__(self, served: Served, *, client_id: str | None = None, **choices: str) -> None:
        metadata = OAuthClientMetadata(
            redirect_uris=[served.callback], token_endpoint_auth_method="none", grant_types=["authorization_code"]
        )
        known = None if client_id is None else OAuthClientInformationFull(client_id=client_id, **metadata.model_dump())
        self.storage = Storage(known)
        self.asked = ""
        self._choices = choices
        self.provider = OAuthClientProvider(
            served.auditor,
            metadata,
            self.storage,
            redirect_handler=self._opens_a_browser,
            callback_handler=self._is_called_back,
        )

    async def _opens_a_browser(self, url: str) -> None:
        self.asked = url

    async def _is_called_back(self) -> AuthorizationCodeResult:
        answer = parse_qs(urlsplit(Person().signs_in(self.asked, **self._choices)).query)
        return AuthorizationCodeResult(code=answer["code"][0], state=answer["state"][0])


async def test_the_mcp_sdk_signs_in_lists_and_calls(served: Served) -> None:
    host = SdkHost(served, client_id=served.client.client_id)
    async with (
        httpx2.AsyncClient(auth=host.provider, trust_env=False, timeout=60) as http,
        Client(streamable_http_client(served.auditor, http_client=http)) as client,
    ):
        tools = {tool.name for tool in (await client.list_tools()).tools}
        result = await client.call_tool(TOOL, {})
    assert TOOL in tools
    assert not result.is_error
    assert urlsplit(host.asked).netloc == urlsplit(served.base).netloc
    # The SDK sends the gateway's address as `resource`, and the template has a resource server of that name.
    assert unverified_claims(f"Bearer {host.storage.tokens.access_token}")["aud"] == served.auditor


def as_the_page_has_it(name: str, served: Served) -> str:
    """What docs/hosts.md tells a program, with what `make connect` prints, at the port that these tests may use."""
    section = (ROOT / "docs" / "hosts.md").read_text(encoding="utf-8").partition(f"\n### {name}\n")[2]
    entry, text = re.findall(r"^```\w+\n(.*?)^```$", section, re.M | re.S)[:2]
    (callback,) = tomllib.loads(entry)["hosts"][0]["callback_urls"]
    port = str(urlsplit(callback).port)
    assert callback.replace(port, str(served.callback_port)) in served.client.callbacks
    assert text.count(port) == 1
    gateway = connections(served.department)["gateways"]["auditor"]
    told = {port: str(served.callback_port), "<client_id>": served.client.client_id}
    for old, new in {**told, "<url>": gateway["url"], "<scope>": gateway["scope"]}.items():
        assert old in text
        text = text.replace(old, new)
    return text


def test_fastmcp_signs_in_lists_and_calls(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[threading.Thread] = []
    monkeypatch.setattr("webbrowser.open", lambda url: opened.append(Person().soon(url)))
    (program := tmp_path / "program.py").write_text(as_the_page_has_it("fastmcp", served))
    runpy.run_path(str(program), run_name="__main__")
    tools, result = capsys.readouterr().out.splitlines()
    assert TOOL in tools
    assert "users" in result
    assert "is_error=False" in result
    assert len(opened) == 1


def mcp_remote(served: Served, home: Path, *, spaces: bool) -> StdioServerParameters:
    """The bridge for hosts that only start programs; without spaces, as the page says for those that mangle them."""
    entry = json.loads(as_the_page_has_it("mcp-remote", served))["mcpServers"]["ringfence"]
    if not spaces:
        entry["args"] = [each.replace("openid ", "") for each in entry["args"]]
    assert any(" " in each for each in entry["args"]) is spaces
    assert (entry["command"], entry["args"][0].partition("@")[0]) == ("npx", "mcp-remote")
    program = str(PEERS / "mcp-remote" / "dist" / "proxy.js")
    return StdioServerParameters(command=NODE, args=[program, *entry["args"][1:]], env=environment(home))


@pytest.mark.parametrize("spaces", [True, False])
async def test_mcp_remote_signs_in_lists_and_calls(served: Served, tmp_path: Path, *, spaces: bool) -> None:
    log = tmp_path / "stderr"
    with log.open("w") as stderr:
        person = threading.Thread(target=signs_in_when_asked, args=(log,), daemon=True)
        person.start()
        async with Client(stdio_client(mcp_remote(served, tmp_path, spaces=spaces), errlog=stderr)) as client:
            tools = {tool.name for tool in (await client.list_tools()).tools}
            result = await client.call_tool(TOOL, {})
    assert TOOL in tools, log.read_text()
    assert not result.is_error
    assert any((tmp_path / ".mcp-auth").rglob("*.json")), "it keeps what it is given there, as the page says"


def test_the_page_names_the_versions_that_are_run_here() -> None:
    peers = json.loads((ROOT / "tests" / "peers" / "package.json").read_text())["devDependencies"]
    (mine,) = re.findall(r"^fastmcp-slim==(\S+)", (ROOT / "requirements.lock").read_text(), re.M)
    told = {program.name: program.version for program in programs()}
    assert told == {"fastmcp": mine, "mcp-remote": peers["mcp-remote"]}
    (bridge,) = (program.text for program in programs() if program.name == "mcp-remote")
    assert f"mcp-remote@{peers['mcp-remote']}" in bridge


def inspected(served: Served, home: Path, *method: str) -> dict[str, Any]:
    """What the MCP Inspector's command line tells, once somebody has signed in for it."""
    program = PEERS / "@modelcontextprotocol" / "inspector" / "clients" / "launcher" / "build" / "index.js"
    command = [NODE, str(program), "--cli", served.auditor, "--transport", "http", "--method", *method]
    command += ["--client-id", served.client.client_id]
    command += ["--callback-url", f"http://localhost:{served.callback_port}/oauth/callback"]
    log = home / "stderr"
    with log.open("w") as stderr:
        threading.Thread(target=signs_in_when_asked, args=(log,), daemon=True).start()
        told = subprocess.run(
            command,
            env={**environment(home), "MCP_AUTO_OPEN_ENABLED": "true"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            timeout=LAST_RESORT_SECONDS,
        )
    assert told.returncode == 0, log.read_text()
    return json.loads(told.stdout)


def test_the_inspector_signs_in_lists_and_calls(served: Served, tmp_path: Path) -> None:
    listed = inspected(served, tmp_path, "tools/list")
    assert TOOL in {tool["name"] for tool in listed["tools"]}
    (again := tmp_path / "again").mkdir()  # without the first one's tokens
    called = inspected(served, again, "tools/call", "--tool-name", TOOL)
    assert not called.get("isError")
    assert "users" in called["content"][0]["text"]


def environment(home: Path) -> dict[str, str]:
    """A program's own home, and no browser that it could open."""
    return {"PATH": "/usr/bin:/bin", "HOME": str(home), "BROWSER": "/bin/true"}


def signs_in_when_asked(log: Path) -> None:
    """Follow the address that a program prints for its person."""
    address = re.compile(r"http://127\.0\.0\.1:\d+/oauth2/authorize\?\S+")
    wait_until(lambda: address.search(log.read_text()) is not None, what=log.read_text)
    Person().signs_in_and_returns(address.search(log.read_text())[0])
