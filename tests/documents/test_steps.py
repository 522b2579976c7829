"""Add a server, a persona, a host, a rule: the pages' steps, followed on a copy of the project until it is accepted."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from ringfence.assets import lock
from ringfence.assets.local import packages
from ringfence.proofs import registry
from ringfence.proofs.evidence import Evidence
from tests.conftest import run_app
from tests.documents.steps import ROOT, Block, blocks, write_in
from tests.waiting import LAST_RESORT_SECONDS

HOME = ROOT / "docs" / "extend"
DEPARTMENT = "example-production"
QUICK = ["actions", "cedar", "round-trip"]
Synthesise = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of what the pages change; everything else is where it is."""
    home = tmp_path / "home"
    for name in ("catalogue", "departments"):
        shutil.copytree(ROOT / name, home / name, ignore=shutil.ignore_patterns("__pycache__"))
    (home / "organisations").symlink_to(ROOT / "organisations")
    for name in ("app.py", "cdk.json"):
        shutil.copy(ROOT / name, home)
    return home


def follow(page: str, home: Path, *, section: str = "") -> list[Block]:
    """Write each block of a page, or of one section, into its file; gives all blocks."""
    found = [block for block in blocks(HOME / page) if section in ("", block.section)]
    for block in found:
        if block.file and block.language in ("toml", "text"):
            write_in(home / block.file, block)
    return found


def accepted(home: Path, names: list[str]) -> Evidence:
    """The assembly of a copy, once synthesis and some of the proofs accept it."""
    folder = home / "cdk.out"
    assert run_app("--department", DEPARTMENT, output=folder, home=home) == 0, "see stderr"
    evidence = Evidence.load(folder, root=home)
    if names:
        results = registry.run(registry.Case(evidence), names)
        assert {result.name: result.outcome.findings for result in results} == dict.fromkeys(names, ())
    return evidence


def test_a_persona(copy: Path) -> None:
    follow("persona.md", copy)
    evidence = accepted(copy, QUICK)
    held = {f"{session.server}.{session.tool}" for session in evidence.sessions("watcher")}
    assert held == {"cloudwatch.get_active_alarms", "cloudwatch.get_alarm_history"}
    assert f"ringfence-{DEPARTMENT}-watcher" in evidence.assembly.stacks


@pytest.mark.parametrize(
    ("section", "client"),
    [
        ("A host that the catalogue knows", "cursor://anysphere.cursor-mcp/oauth/callback"),
        ("A host of your own", "https://notes.example.org/oauth/callback"),
        ("A kind for everybody", "http://localhost:33413/oauth/callback"),
    ],
)
def test_a_host(copy: Path, section: str, client: str) -> None:
    follow("host.md", copy, section=section)
    evidence = accepted(copy, [])
    clients = evidence.assembly.of_type("AWS::Cognito::UserPoolClient")
    assert [each for each in clients if client in each.properties.get("CallbackURLs", ())]


def test_a_server(copy: Path) -> None:
    """The catalogue without CloudTrail, and then with what the page says and the lock of the really started server."""
    committed = copy / "catalogue" / "servers" / "cloudtrail"
    hashes = (committed / "requirements.lock").read_text()
    shutil.rmtree(committed)
    personas = copy / "catalogue" / "personas.toml"
    personas.write_text(re.sub(r"^cloudtrail = .*\n", "", personas.read_text(), flags=re.M))
    follow("server.md", copy)
    assert (committed / "requirements.in").read_text() == (lock.SERVERS / "cloudtrail" / "requirements.in").read_text()
    (committed / "requirements.lock").write_text(hashes)  # `make lock` resolves the same line to it, with a network
    live = lock.live_lock(
        lock.read_server(committed), installed=packages("cloudtrail"), timeout_seconds=LAST_RESORT_SECONDS
    )
    (committed / "tools.lock.json").write_text(lock.lock_text(live))
    evidence = accepted(copy, QUICK)
    assert "cloudtrail" in {session.server for session in evidence.sessions("auditor")}


def test_a_server_of_which_a_tool_is_not_classified_is_refused(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server = copy / "catalogue" / "servers" / "cloudtrail" / "server.toml"
    server.write_text(re.sub(r"\[tools\.list_event_data_stores\][^[]*(\[[^[]*)*$", "", server.read_text()))
    assert run_app("--department", DEPARTMENT, output=copy / "cdk.out", home=copy) == 1
    said = capsys.readouterr().err
    assert "tools.list_event_data_stores" in said
    assert "it is not classified" in said


def test_a_rule(copy: Path, synthesise: Synthesise) -> None:
    (copy / "ringfence").mkdir()
    for room in (ROOT / "ringfence").iterdir():
        if room.name != "house_rules":
            (copy / "ringfence" / room.name).symlink_to(room)
    shutil.copytree(ROOT / "ringfence" / "house_rules", copy / "ringfence" / "house_rules")
    function, entry = (block.text for block in blocks(HOME / "rule.md") if block.language == "python")
    path = copy / "ringfence" / "house_rules" / "records.py"
    before, list_begins, rules = path.read_text().partition("RULES: Final = (\n")
    assert rules.endswith(")\n")
    path.write_text(f"{before}{function}\n\n{list_begins}{rules.removesuffix(')' + chr(10))}{entry.rstrip()},\n)\n")
    process = synthesise(DEPARTMENT, copy / "cdk.out", home=copy)  # which reads the copy's rules
    _, said = process.communicate(timeout=LAST_RESORT_SECONDS)
    assert process.returncode == 0, said[-4000:]
    told = json.loads((copy / "cdk.out" / "validation-report.json").read_text())
    assert {plugin["conclusion"] for plugin in told["pluginReports"]} == {"success"}
    elsewhere = {**os.environ, "PYTHONPATH": str(ROOT)}  # what the copy lacks
    ask = (
        "from ringfence.house_rules import Residency, Template, breaches\n"
        "template = Template({'Resources': {'Trail': {'Type': 'AWS::CloudTrail::Trail', 'Properties': {}}}})\n"
        "print([rule.id for rule, _ in breaches(template, Residency())])\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", ask], cwd=copy, env=elsewhere, capture_output=True, text=True, check=True
    ).stdout
    assert "GOV-LOG-3" in said


def test_a_number_that_the_rules_have_is_not_the_pages() -> None:
    (entry,) = (block.text for block in blocks(HOME / "rule.md") if "Rule(" in block.text)
    (number,) = re.findall(r'"(GOV-[A-Z]+-\d+)"', entry)
    held = "".join(path.read_text() for path in (ROOT / "ringfence" / "house_rules").glob("*.py"))
    assert f'"{number}"' not in held


@pytest.mark.parametrize("page", sorted(path.name for path in HOME.glob("*.md")))
def test_each_command_of_a_page_is_one_that_make_takes(page: str) -> None:
    commands = [
        shlex.split(line) for block in blocks(HOME / page) if block.language == "sh" for line in block.text.splitlines()
    ]
    assert commands or page == "README.md"
    for words in commands:
        assert words[0] == "make"
        done = subprocess.run(["make", "--dry-run", *words[1:]], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, f"{words}: {done.stderr}"


def test_a_block_is_written_as_a_reader_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "file.toml"
    path.write_text('names = ["a"]\n\n[groups]\na = 1\n\n[last]\nx = 1\n')
    write_in(path, Block("", "file.toml", "toml", 'names = ["a", "b"]\n\n[groups]\nb = 2\n\n[[hosts]]\nkind = "k"\n'))
    assert tomllib.loads(path.read_text()) == {
        "names": ["a", "b"],
        "groups": {"a": 1, "b": 2},
        "last": {"x": 1},
        "hosts": [{"kind": "k"}],
    }
