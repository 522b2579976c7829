"""Other people's MCP clients connect to the rehearsal, have somebody signed in, list tools and call one."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import httpx2
from mcp import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

from tests.rehearsal.sign_in.conftest import Served
from tests.rehearsal.sign_in.person import Person

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
