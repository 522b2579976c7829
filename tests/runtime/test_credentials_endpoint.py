"""The credentials endpoint answers one call's credentials to one child, and botocore asks it before every request."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from botocore.credentials import ContainerProvider

from runtime.server.credentials import CredentialsEndpoint, RoleCredentials
from runtime.server.spawn import loopback_listener


@pytest.fixture()
async def endpoint() -> Any:
    made = CredentialsEndpoint(loopback_listener(), token="first")
    await made.serve()
    yield made
    made.close()


def of(name: str) -> RoleCredentials:
    return RoleCredentials(f"ASIA{name}", f"secret-{name}", f"session-{name}")


async def test_botocore_fetches_again_for_every_request(endpoint: Any) -> None:
    """The reported expiry lies inside botocore's mandatory refresh window: this is what keeps calls apart."""
    environment = {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": endpoint.url,
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "first",
    }
    with endpoint.lend(of("ONE")):
        credentials = await asyncio.to_thread(ContainerProvider(environment).load)
        assert (await asyncio.to_thread(credentials.get_frozen_credentials)).access_key == "ASIAONE"
    with endpoint.lend(of("TWO")):
        assert (await asyncio.to_thread(credentials.get_frozen_credentials)).token == "session-TWO"


def test_two_calls_cannot_borrow_at_once() -> None:
    endpoint = CredentialsEndpoint(loopback_listener(), token="first")
    with endpoint.lend(of("ONE")), pytest.raises(RuntimeError), endpoint.lend(of("TWO")):
        pass
    endpoint.close()


async def test_a_starting_server_gets_nobodys_credentials_and_none_of_them_reach_a_call(endpoint: Any) -> None:
    environment = {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": endpoint.url,
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "first",
    }
    with endpoint.lend(of("ONE")), endpoint.starting():  # a call that is just ending never lends to the next child
        credentials = await asyncio.to_thread(ContainerProvider(environment).load)
        frozen = await asyncio.to_thread(credentials.get_frozen_credentials)
        assert frozen.access_key == "NOBODYSTARTINGUP"
    assert endpoint.answer(b"GET /credentials HTTP/1.1\r\nAuthorization: first\r\n")[0] == 403
    with endpoint.lend(of("TWO")):
        assert (await asyncio.to_thread(credentials.get_frozen_credentials)).access_key == "ASIATWO"


def test_an_earlier_childs_token_stops_working() -> None:
    endpoint = CredentialsEndpoint(loopback_listener(), token="first")
    head = b"GET /credentials HTTP/1.1\r\nAuthorization: first\r\n"
    with endpoint.lend(of("ONE")):
        assert endpoint.answer(head)[0] == 200
        endpoint.admit("second")
        assert endpoint.answer(head)[0] == 401
    endpoint.close()


def test_credentials_do_not_show_in_messages() -> None:
    assert "secret" not in repr(of("ONE")) and "ASIA" not in str(of("ONE"))


@pytest.mark.parametrize("head", [b"", b"\xff\xff", b"GET", b"GET /credentials HTTP/1.1\r\nauthorization\r\n:\r\n"])
def test_broken_requests_are_refused(head: bytes) -> None:
    endpoint = CredentialsEndpoint(loopback_listener(), token="first")
    assert endpoint.answer(head)[0] == 401
    endpoint.close()
