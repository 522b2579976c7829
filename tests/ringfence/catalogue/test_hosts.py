"""MCP hosts are kinds: the department's file names them, and catalogue/hosts.toml says where each receives its code."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from ringfence.catalogue.catalogue import Catalogue
from ringfence.catalogue.hosts import HostsFile
from ringfence.department.department import load_department
from ringfence.reading.problems import ProblemsFound

ROOT = Path(__file__).resolve().parents[3]
CUSTOM = 'kind = "custom"\nname = "desktop"\ncallback_urls = ["http://localhost:33418/callback"]\n'
Write = Callable[..., Path]

# What each host sends, as its maker's pages and threads say (the addresses in catalogue/hosts.toml).
SENT = {
    "claude-code": {"http://localhost:33410/callback"},
    "vscode": {"http://127.0.0.1:33418/", "https://vscode.dev/redirect"},
    "cursor": {"http://localhost:8787/callback", "cursor://anysphere.cursor-mcp/oauth/callback"},
    "kiro": {"http://localhost:33411/oauth/callback"},
    "gemini-cli": {"http://localhost:33412/oauth/callback"},
    "inspector": {"http://localhost:6274/oauth/callback", "http://127.0.0.1:6276/oauth/callback"},
}


def problems(folder: Path, catalogue: Catalogue) -> dict[str, str]:
    with pytest.raises(ProblemsFound) as refused:
        load_department("example", catalogue=catalogue, root=folder)
    assert all(problem.message and problem.remedy for problem in refused.value.problems)
    return {problem.field: str(problem) for problem in refused.value.problems}


@pytest.mark.parametrize("kind", SENT)
def test_a_kind_brings_the_addresses_that_the_host_sends(write_department: Write, real: Catalogue, kind: str) -> None:
    folder = write_department((CUSTOM, f'kind = "{kind}"\n'))
    (host,) = load_department("example", catalogue=real, root=folder).hosts
    assert (host.kind, host.name, {*host.callback_urls}) == (kind, kind, SENT[kind])


def test_every_kind_is_held_to_what_was_read(real: Catalogue) -> None:
    assert set(real.hosts) == set(SENT), "write what the host sends into SENT"


def test_the_examples_name_every_kind_and_one_of_their_own() -> None:
    files = [tomllib.loads(path.read_text()) for path in (ROOT / "departments").glob("example-*.toml")]
    assert {host["kind"] for file in files for host in file["hosts"]} == {*SENT, "custom"}, "name it in an example"


def test_two_hosts_of_one_kind_need_two_names(write_department: Write, catalogue: Catalogue) -> None:
    one = 'kind = "claude-code"\n'
    two = f"{one}[[hosts]]\n{one}"
    assert "Give one of them a `name`" in problems(write_department((CUSTOM, two)), catalogue)["hosts[1].name"]
    folder = write_department((CUSTOM, f'{two}name = "night-shift"\n'))
    hosts = load_department("example", catalogue=catalogue, root=folder).hosts
    assert [(host.kind, host.name) for host in hosts] == [
        ("claude-code", "claude-code"),
        ("claude-code", "night-shift"),
    ]


def test_a_known_kind_takes_no_callbacks(write_department: Write, catalogue: Catalogue) -> None:
    folder = write_department(('kind = "custom"', 'kind = "claude-code"'))
    assert 'write `kind = "custom"`' in problems(folder, catalogue)["hosts[0].callback_urls"]


def test_a_custom_host_needs_its_name_and_its_callbacks(write_department: Write, catalogue: Catalogue) -> None:
    assert set(problems(write_department((CUSTOM, 'kind = "custom"\n')), catalogue)) == {
        "hosts[0].name",
        "hosts[0].callback_urls",
    }


def test_a_host_without_a_kind_is_told(write_department: Write, catalogue: Catalogue) -> None:
    found = problems(write_department(('kind = "custom"\n', "")), catalogue)
    assert set(found) == {"hosts[0].kind"}
    assert "Add `kind`, one of: claude-code, " in found["hosts[0].kind"]
    assert found["hosts[0].kind"].endswith(", custom.")


@pytest.mark.parametrize(("kind", "told"), [("claude-cod", "Did you mean `claude-code`?"), ("emacs", "Choose one of")])
def test_an_unknown_kind_is_told_with_the_nearest(
    write_department: Write, catalogue: Catalogue, kind: str, told: str
) -> None:
    found = problems(write_department(('kind = "custom"', f'kind = "{kind}"')), catalogue)
    assert set(found) == {"hosts[0].kind"}
    assert told in found["hosts[0].kind"]


@pytest.mark.parametrize("kind", ["claude-desktop", "claude-ai", "chatgpt", "copilot-studio", "cursor-agents"])
def test_a_host_on_its_makers_computers_is_refused_with_the_reason(
    write_department: Write, real: Catalogue, kind: str
) -> None:
    found = problems(write_department((CUSTOM, f'kind = "{kind}"\n')), real)
    assert "which ingress refuses, and results would leave the department." in found["hosts[0].kind"]
    assert f"on staff's own computers: {', '.join(sorted(SENT))}." in found["hosts[0].kind"]


# Each is what a host on its maker's computers sends; one is below such a host, one in capital letters.
@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://claude.ai/api/mcp/auth_callback", "claude-desktop and claude-ai"),
        ("https://claude.com/api/mcp/auth_callback", "claude-desktop and claude-ai"),
        ("https://CHATGPT.com:443/connector_platform_oauth_redirect", "chatgpt"),
        ("https://global.consent.azure-apim.net/redirect", "copilot-studio"),
        ("https://www.cursor.com/agents/mcp/oauth/callback", "cursor-agents"),
    ],
)
@pytest.mark.parametrize("kind", ["custom", "vscode"])
def test_no_kind_has_a_callback_of_a_refused_host(
    write_department: Write, real: Catalogue, kind: str, url: str, name: str
) -> None:
    folder = write_department(("http://localhost:33418/callback", url), ('kind = "custom"', f'kind = "{kind}"'))
    found = problems(folder, real)["hosts[0].callback_urls[0]"]
    assert f"This is a callback of {name}. " in found
    assert "results would leave the department." in found


@pytest.mark.parametrize("url", ["https://notclaude.ai/cb", "https://claude.ai.example.org/cb", "claude.ai:/cb"])
def test_a_host_that_only_looks_like_a_refused_one_is_anybodys(
    write_department: Write, real: Catalogue, url: str
) -> None:
    folder = write_department(("http://localhost:33418/callback", url))
    assert load_department("example", catalogue=real, root=folder).hosts[0].callback_urls == (url,)


# Browsers read each as claude.ai (the URL standard: full-width letters and dots, escapes, backslashes).
@pytest.mark.parametrize(
    "url",
    [
        "https://claude。ai/x",
        "https://claud%65.ai/x",
        "https://\uff43laude.ai/x",
        "https://claude.ai\\\\.x/",
        "https://claude.ai./x",
    ],
)
def test_a_host_is_written_as_a_browser_reads_it(write_department: Write, real: Catalogue, url: str) -> None:
    found = problems(write_department(("http://localhost:33418/callback", url)), real)
    assert "letters, digits, dots and hyphens" in found["hosts[0].callback_urls[0]"]


def test_the_catalogue_gives_no_kind_a_callback_that_it_refuses() -> None:
    text = (ROOT / "catalogue" / "hosts.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text.replace("https://vscode.dev/redirect", "https://www.cursor.com/redirect"))
    with pytest.raises(ValidationError, match="is a callback of cursor-agents, which is refused"):
        HostsFile.model_validate(data)


# Public case P04: the three forms of address that app hosts have (RFC 8252, section 7), and what is none.
@pytest.mark.parametrize(
    "url",
    [
        "cursor://anysphere.cursor-mcp/oauth/callback",
        "uk.gov.example.assistant:/oauth/callback",
        "http://127.0.0.1:33418/",
        "http://[::1]:8080/callback",
        "https://vscode.dev/redirect",
    ],
)
def test_a_callback_may_be_an_apps_own_scheme(write_department: Write, catalogue: Catalogue, url: str) -> None:
    folder = write_department(("http://localhost:33418/callback", url))
    (host,) = load_department("example", catalogue=catalogue, root=folder).hosts
    assert host.callback_urls == (url,)


@pytest.mark.parametrize(
    "url",
    [
        "javascript://x/%0aalert(1)",
        "javascript:/x",
        "data://text/html,x",
        "data:/x",
        "file:///etc/passwd",
        "file://host/x",
        "blob://x/y",
        "vbscript://x/y",
        "http://assistant.example.org/callback",
        "ws://localhost/callback",
        "cursor:oauth",
        "cursor://",
    ],
)
def test_a_scheme_that_a_browser_handles_itself_is_no_apps(
    write_department: Write, catalogue: Catalogue, url: str
) -> None:
    found = problems(write_department(("http://localhost:33418/callback", url)), catalogue)
    assert set(found) == {"hosts[0].callback_urls[0]"}


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("htps://assistant.example.org/callback", "https"),
        ("httpss://assistant.example.org/callback", "https"),
        ("htpp://localhost:33418/callback", "http"),
    ],
)
def test_a_slip_in_a_scheme_is_no_apps_scheme(
    write_department: Write, catalogue: Catalogue, url: str, meant: str
) -> None:
    found = problems(write_department(("http://localhost:33418/callback", url)), catalogue)
    assert f"Did you mean `{meant}://…`?" in found["hosts[0].callback_urls[0]"]
