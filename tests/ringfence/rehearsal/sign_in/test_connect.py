"""What a serving rehearsal leaves for `make connect`, and what it prints."""

from __future__ import annotations

import json
from pathlib import Path

from ringfence.rehearsal.connect import connections, entries, written
from tests.ringfence.rehearsal.sign_in.serving import Served


def test_everything_that_a_host_is_asked_for_is_told(served: Served) -> None:
    found = connections(served.department)
    issuer = f"{served.base}/{served.department.pool.pool_id}"
    assert found["department"] == "example-production"
    assert found["issuer"] == issuer
    assert found["authorization_endpoint"] == f"{served.base}/oauth2/authorize"
    assert found["token_endpoint"] == f"{served.base}/oauth2/token"
    assert found["gateways"]["auditor"] == {
        "url": served.auditor,
        "scope": "openid ringfence/auditor",
        "name": "rf-aud",
    }
    assert set(found["gateways"]) == {"auditor", "operator"}
    vscode = found["clients"]["vscode"]
    assert vscode["kind"] == "vscode"
    assert vscode["callback_urls"] == ["http://127.0.0.1:33418/", "https://vscode.dev/redirect"]
    assert found["clients"]["claude-code"]["kind"] == "custom"  # these tests gave it other callbacks


def test_a_hosts_entry_holds_every_persona_and_no_token(served: Served) -> None:
    servers = json.loads(entries(served.department))["mcpServers"]
    assert {name: server["url"] for name, server in servers.items()} == {
        "rf-aud": served.auditor,
        "rf-ope": served.department.gateways["operator"].url,
    }
    assert servers["rf-aud"]["oauth"]["clientId"] == served.client.client_id
    assert servers["rf-aud"]["oauth"]["callbackPort"] == served.callback_port
    assert "headers" not in servers["rf-aud"]


def test_scripts_get_tokens_when_asked(served: Served) -> None:
    servers = json.loads(entries(served.department, {"auditor": "a", "operator": "o"}))["mcpServers"]
    assert servers["rf-ope"]["headers"] == {"Authorization": "Bearer o"}


def test_the_file_is_there_while_it_serves_and_is_left_to_whoever_came_later(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "connect.json"
    with written(path, {"department": "one"}):
        assert json.loads(path.read_text()) == {"department": "one"}
        with written(path, {"department": "two"}):
            assert json.loads(path.read_text()) == {"department": "two"}
        assert not path.exists()
    with written(path, {"department": "one"}):
        path.write_text("{}")
    assert path.read_text() == "{}"
    assert [each.name for each in path.parent.iterdir()] == ["connect.json"]
