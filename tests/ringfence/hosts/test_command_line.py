"""`make connect` and `make hosts`, as people call them."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest
from botocore.exceptions import NoCredentialsError

from ringfence.catalogue.catalogue import load_catalogue
from ringfence.command_line.entry import main
from ringfence.hosts.pages import page
from ringfence.hosts.programs import programs
from tests.ringfence.hosts.conftest import DEPARTMENT, ROOT, URL

Outputs = dict[str, dict[str, str]]


@pytest.fixture
def file(tmp_path: Path, outputs: Outputs) -> Path:
    path = tmp_path / "outputs.json"
    path.write_text(json.dumps(outputs))
    return path


def test_connect_prints_what_belongs_into_the_file_and_only_that(
    serving: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["connect", "--host", "claude-code", "--persona", "auditor", "--rehearsal", str(serving)]
    assert main(words) == 0
    told = capsys.readouterr()
    server = json.loads(told.out)["mcpServers"]["rf-aud"]
    assert server["url"] == "http://127.0.0.1:8711/mcp"
    assert "authServerMetadataUrl" not in server["oauth"]
    assert "Into .mcp.json:" in told.err


def test_connect_writes_below_a_folder(serving: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["connect", "--host", "our-own", "--persona", "auditor", "--write"]
    assert main([*words, "--rehearsal", str(serving), "--output", str(tmp_path)]) == 0
    written = json.loads((tmp_path / DEPARTMENT / "our-own-auditor.json").read_text())
    assert written["client_id"] == "x1"
    assert "belongs into your host's settings" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (DEPARTMENT, "../../elsewhere", '"../../elsewhere" is no name'),
        ('"auditor": {', '"../auditor": {', '"../auditor" is no name'),
        ('"our-own": {', '"..": {', '".." is no name'),
        ('"custom"', '"emacs"', 'our-own is of the kind "emacs"'),
        ('"custom"', "[1]", "our-own is of the kind [1]"),
        ('"claude-code": {', '"claude\\n-code": {', '"claude -code" is no name'),
    ],
)
@pytest.mark.parametrize("command", ["connect --host our-own --persona auditor --write", "hosts"])
def test_a_rehearsals_file_leads_nowhere_else(
    serving: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, old: str, new: str, told: str
) -> None:
    text = serving.read_text()
    assert old in text
    serving.write_text(text.replace(old, new))
    assert main([*command.split(), "--rehearsal", str(serving), "--output", str(tmp_path / "a" / "b")]) == 1
    assert told in capsys.readouterr().err
    assert list(tmp_path.rglob("*.json")) == [serving]


@pytest.mark.parametrize(
    ("host", "persona", "told"),
    [
        ("claude-cod", "auditor", "The department has none of this name. Did you mean `claude-code`?"),
        ("claude-code", "auditer", "Did you mean `auditor`?"),
        ("emacs", "auditor", "Choose one of: claude-code, our-own."),
        ("claude-desktop", "auditor", "Its connectors call from Anthropic's addresses, which ingress refuses"),
        ("inspector", "auditor", '`kind = "inspector"` to its file, or choose one of: claude-code, our-own.'),
    ],
)
def test_a_slip_of_the_hand_is_told_with_what_was_meant(
    serving: Path, capsys: pytest.CaptureFixture[str], host: str, persona: str, told: str
) -> None:
    assert main(["connect", "--host", host, "--persona", persona, "--rehearsal", str(serving)]) == 1
    assert told in capsys.readouterr().err


def test_hosts_writes_every_file_and_says_where_it_belongs(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["hosts", "--department", DEPARTMENT, "--outputs", str(file), "--output", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    written = sorted(str(path.relative_to(tmp_path / DEPARTMENT)) for path in (tmp_path / DEPARTMENT).rglob("*.json"))
    assert written == [
        "claude-code/managed-mcp.json",
        "claude-code/managed-settings.json",
        "cursor/mcp.json",
        "cursor/permissions.json",
        "gemini-cli/settings.json",
        "kiro/managed-settings.json",
        "kiro/mcp.json",
        "vscode/managed-settings.json",
        "vscode/mcp.json",
        "vscode/policy.json",
    ]
    assert "managed-mcp.json: belongs into /etc/claude-code/" in told
    assert "inspector: a host of the kind inspector has no files" in told
    servers = json.loads((tmp_path / DEPARTMENT / "claude-code" / "managed-mcp.json").read_text())["mcpServers"]
    assert servers["rf-dev"]["url"] == URL.format("developer")


def test_a_departments_models_are_pinned_and_its_permission_set_written(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    departments = tmp_path / "departments"
    departments.mkdir()
    text = (ROOT / "departments" / f"{DEPARTMENT}.toml").read_text()
    model = "anthropic.claude-sonnet-4-6"
    (departments / f"{DEPARTMENT}.toml").write_text(f'{text}\n[models]\nmain = "{model}"\n')
    words = ["hosts", "--department", DEPARTMENT, "--outputs", str(file), "--output", str(tmp_path)]
    assert main([*words, "--departments", str(departments)]) == 0
    written = tmp_path / DEPARTMENT
    settings = json.loads((written / "claude-code" / "managed-settings.json").read_text())
    families = ("FABLE", "HAIKU", "OPUS", "SONNET")
    assert {settings["env"][f"ANTHROPIC_DEFAULT_{each}_MODEL"] for each in families} == {model}
    assert (settings["enforceAvailableModels"], settings["availableModelsMatch"]) == (True, "exact")
    assert (settings["env"]["AWS_REGION"], settings["availableModels"]) == ("eu-west-2", [model])
    policy = json.loads((written / "models" / "permission-set.json").read_text())["InlinePolicy"]
    assert policy["Statement"][0]["Resource"] == [f"arn:aws:bedrock:eu-west-2::foundation-model/{model}"]
    assert "AWS::SSO::PermissionSet" in capsys.readouterr().out


class _GivesTokens(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        known = self.path == "/sign-in/auditor"
        self.send_response(200 if known else 404)
        self.end_headers()
        self.wfile.write(b"a.b.c\n" if known else b"")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def gives_tokens(serving: Path) -> Iterator[Path]:
    server = HTTPServer(("127.0.0.1", 0), _GivesTokens)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found = json.loads(serving.read_text())
    found["authorization_endpoint"] = f"http://127.0.0.1:{server.server_port}/oauth2/authorize"
    found["gateways"]["operator"] = found["gateways"]["auditor"]
    serving.write_text(json.dumps(found))
    yield serving
    server.shutdown()
    server.server_close()


def test_a_script_gets_a_token_where_the_rehearsal_gives_any(
    gives_tokens: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["connect", "--host", "claude-code", "--token", "--rehearsal", str(gives_tokens), "--persona"]
    assert main([*words, "auditor"]) == 0
    assert capsys.readouterr().out == "a.b.c\n"
    assert main([*words, "operator"]) == 1
    told = capsys.readouterr().err
    assert "The rehearsal that serves gives no token to scripts. Serve with `make rehearse KEEP=1 ARGS=--token`" in told
    assert "404" not in told


def test_a_token_is_asked_of_this_machine_and_not_of_a_proxy(
    gives_tokens: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    words = ["connect", "--host", "claude-code", "--token", "--rehearsal", str(gives_tokens), "--persona", "auditor"]
    assert main(words) == 0
    assert capsys.readouterr().out == "a.b.c\n"


def test_what_answers_with_anything_but_a_token_is_not_printed(
    serving: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = httpx.Response(200, text="a.b.c\x1b[2J; id", request=httpx.Request("GET", "http://127.0.0.1"))
    monkeypatch.setattr("ringfence.hosts.commands.httpx.get", lambda *_, **__: answer)
    words = ["connect", "--host", "claude-code", "--persona", "auditor", "--token", "--rehearsal", str(serving)]
    assert main(words) == 1
    told = capsys.readouterr()
    assert "gives no token" in told.err and "\x1b" not in told.out + told.err


def test_a_rehearsal_that_serves_no_more_is_told_in_plain_words(
    serving: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = json.loads(serving.read_text())
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening, so that nothing answers
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        serving.write_text(json.dumps({**found, "authorization_endpoint": f"{address}/oauth2/authorize"}))
        words = ["connect", "--host", "claude-code", "--persona", "auditor", "--token", "--rehearsal", str(serving)]
        assert main(words) == 1
    assert f"Nothing answers at {address}: the rehearsal serves no more." in capsys.readouterr().err


def test_an_account_that_cannot_be_asked_is_told_in_whole_sentences(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_credentials(*_: object, **__: object) -> None:
        raise NoCredentialsError

    monkeypatch.setattr("ringfence.hosts.commands.boto3.client", no_credentials)
    assert main(["connect", "--host", "claude-code", "--persona", "auditor", "--department", DEPARTMENT]) == 1
    told = capsys.readouterr().err
    assert "The account could not be asked: Unable to locate credentials. Name a file of outputs instead" in told


def test_a_deployment_gives_no_token_to_a_script(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["connect", "--host", "claude-code", "--persona", "auditor", "--token", "--department", DEPARTMENT]
    assert main([*words, "--outputs", str(file)]) == 1
    assert "This is a deployment." in capsys.readouterr().err


def made(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", "-s", *words], cwd=ROOT, capture_output=True, text=True)


def test_make_connect_needs_a_host_and_a_persona() -> None:
    assert "Missing option '--persona'" in made("connect", "HOST=claude-code").stderr


def test_make_takes_a_host_for_connect_alone() -> None:
    assert "No such option '--host' of prove (it is for: verify-live, connect)" in (
        made("prove", "HOST=claude-code").stderr
    )


def test_make_connect_reads_a_deployments_outputs(file: Path) -> None:
    done = made("connect", "HOST=kiro", "PERSONA=operator", f"DEPARTMENT={DEPARTMENT}", f"OUTPUTS={file}")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["mcpServers"]["rf-ope"]["url"] == URL.format("operator")


def test_the_page_about_hosts_is_the_catalogues() -> None:
    catalogue = load_catalogue(ROOT / "catalogue")
    told = page(catalogue.hosts, catalogue.refused_hosts, programs())
    assert (ROOT / "docs" / "hosts.md").read_text(encoding="utf-8") == told, "run `make pages`"
    for kind in catalogue.hosts.values():
        assert f"## {kind.title}\n" in told
