"""docs/adding.md, followed on a copy of the project: an invented server and persona, three hosts, a pattern and a rule.

Everything is added at once, and the copy is built, synthesised, proved and rehearsed once. No index of packages is
asked: the invented server is a wheel in a folder.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.adding.copied import Made, copy, wheel
from tests.adding.steps import ROOT, Block, blocks, write_in

PAGE = ROOT / "docs" / "adding.md"
BLOCKS = blocks(PAGE)
DEPARTMENT = "example-fisheries"
BY_HAND = {
    "A server": {"catalogue/servers/queues/requirements.in", "catalogue/servers/queues/server.toml"},
    "A persona": {"catalogue/personas.toml", f"departments/{DEPARTMENT}.toml"},
}
"""What a server and a persona take by hand, and nothing more."""


@dataclass(frozen=True)
class Added:
    """The copy, with what each command in it printed."""

    home: Path
    said: dict[str, str]

    def report(self) -> list[dict[str, Any]]:
        """The rehearsal's calls."""
        path = self.home / "build" / "rehearsal" / DEPARTMENT / "report.json"
        calls: list[dict[str, Any]] = json.loads(path.read_text())["calls"]
        return calls

    def resources(self, kind: str) -> list[dict[str, Any]]:
        """Properties of the synthesised resources of a type."""
        templates = [json.loads(path.read_text()) for path in (self.home / "cdk.out").glob("*.template.json")]
        every = [each for template in templates for each in template["Resources"].values()]
        return [each["Properties"] for each in every if each["Type"] == kind]


def begun() -> str:
    """The department's file before anything is added: it has no persona, no group and no host."""
    text = (ROOT / "departments" / "example-saml.toml").read_text(encoding="utf-8").replace("example-saml", DEPARTMENT)
    return re.sub(r"^personas = .*\n|^auditor = .*\n|^\[\[hosts\]\]\nkind = .*\n", "", text, flags=re.M)


def write_rule(home: Path) -> None:
    """The function before the list of its file, the entry at the list's end."""
    function, entry = (block for block in BLOCKS if block.language == "python")
    path = home / function.file
    before, begins, rules = path.read_text().partition("RULES: Final = (\n")
    assert rules.endswith(")\n")
    path.write_text(
        f"{before}{function.text}\n\n{begins}{rules.removesuffix(')' + chr(10))}{entry.text.rstrip()},\n)\n"
    )


@pytest.fixture(scope="module")
def added(tmp_path_factory: pytest.TempPathFactory) -> Added:
    home, wheels, said = tmp_path_factory.mktemp("adding") / "home", tmp_path_factory.mktemp("wheels"), {}
    copy(home)
    wheel(wheels, Path(__file__).with_name("example_queues.py"), package="example-queues-mcp-server", version="1.0.0")
    (home / "departments" / f"{DEPARTMENT}.toml").write_text(begun())
    for block in BLOCKS:
        if block.file and block.language in ("toml", "text"):
            write_in(home / block.file, block)
    write_rule(home)
    made = Made(home, wheels)
    (lock,) = (block.text.split() for block in BLOCKS if block.section == "A server" and block.language == "sh")
    said["lock"] = made.make(*lock[1:])
    said["check"] = made.make("check", f"DEPARTMENT={DEPARTMENT}")
    said["assets"] = made.make("assets")
    said["synth"] = made.make("synth", f"DEPARTMENT={DEPARTMENT}")
    of = f"DEPARTMENT={DEPARTMENT}"
    said["prove"] = made.make("prove", of, "ARGS=--assembly cdk.out --write-golden")
    said["rehearse"] = made.make("rehearse", of, "ARGS=--assembly cdk.out")
    return Added(home, said)


@pytest.mark.parametrize("section", BY_HAND)
def test_what_is_edited_by_hand_is_no_more_than_the_page_names(section: str) -> None:
    assert {block.file for block in BLOCKS if block.section == section and block.file} == BY_HAND[section]


def test_the_lock_holds_what_the_started_server_lists(added: Added) -> None:
    lock = json.loads((added.home / "catalogue" / "servers" / "queues" / "tools.lock.json").read_text())
    assert [tool["name"] for tool in lock["tools"]] == ["find_queue", "list_queues", "purge_queue"]
    pinned = (added.home / "catalogue" / "servers" / "queues" / "requirements.lock").read_text()
    assert re.fullmatch(r"example-queues-mcp-server==1\.0\.0 \\\n    --hash=sha256:[0-9a-f]{64}\n", pinned)
    others = subprocess.run(
        ["diff", "-r", ROOT / "catalogue", added.home / "catalogue"], capture_output=True, text=True
    )
    changed = {
        line.split()[-1].partition("/catalogue/")[2] for line in others.stdout.splitlines() if line.startswith("diff")
    }
    assert changed == {"hosts.toml", "personas.toml", "redaction.toml"}, "no other server was locked anew"


def test_the_department_has_the_persona_its_hosts_and_one_more_endpoint(added: Added) -> None:
    assert "nothing is wrong" in added.said["check"]
    (runtime,) = added.resources("AWS::BedrockAgentCore::Runtime")
    assert runtime["AgentRuntimeName"] == "ringfence_example_fisheries__watcher_queues"
    services = {json.dumps(each["ServiceName"]) for each in added.resources("AWS::EC2::VPCEndpoint")}
    assert '"com.amazonaws.eu-west-2.sqs"' in services
    callbacks = {
        url for each in added.resources("AWS::Cognito::UserPoolClient") for url in each.get("CallbackURLs", ())
    }
    assert callbacks == {
        "cursor://anysphere.cursor-mcp/oauth/callback",
        "http://localhost:8787/callback",
        "https://notes.example.org/oauth/callback",
        "http://localhost:33413/oauth/callback",
    }


def test_every_proof_holds_of_what_was_added(added: Added) -> None:
    verdicts = re.findall(r"^(holds|FAILS) +(\S+)", added.said["prove"], re.M)
    assert {verdict for verdict, _ in verdicts} == {"holds"}
    assert {"actions", "cedar", "network", "round-trip", "mutation"} <= {name for _, name in verdicts}
    golden = (added.home / "tests" / "golden" / f"{DEPARTMENT}-watcher.txt").read_text()
    assert "sqs:ListQueues" in golden
    assert "sqs:PurgeQueue" not in golden


def test_a_call_of_the_server_is_answered_by_aws_and_one_that_nobody_was_granted_is_refused(added: Added) -> None:
    calls = {call["tool"]: call for call in added.report() if call["server"] == "queues"}
    assert calls["list_queues"]["outcome"] == "allowed"
    assert [(each["action"], each["decision"]) for each in calls["list_queues"]["aws_calls"]] == [
        ("sqs:ListQueues", "allowed")
    ]
    assert [(each["action"], each["decision"]) for each in calls["find_queue"]["aws_calls"]] == [
        ("sqs:GetQueueUrl", "allowed")
    ]
    purge = calls["purge_queue"]
    assert (purge["outcome"], purge["layer"], purge["rule"]) == ("refused", "request", "unknown-tool")
    assert purge["aws_calls"] == []


def test_a_rule_that_was_added_ends_the_synthesis_of_what_breaks_it(added: Added) -> None:
    trail = added.home / "constructs" / "audit" / "audit_trail.py"
    whole = trail.read_text()
    assert "enable_log_file_validation=True" in whole
    trail.write_text(whole.replace("enable_log_file_validation=True", "enable_log_file_validation=False"))
    try:
        with pytest.raises(AssertionError) as told:
            Made(added.home, added.home).make("synth", f"DEPARTMENT={DEPARTMENT}", "ARGS=--output broken.out")
    finally:
        trail.write_text(whole)
    assert "ERROR GOV-LOG-3" in str(told.value)
    assert "not synthesised" in str(told.value)


def test_a_number_that_the_rules_have_is_not_the_pages() -> None:
    (entry,) = (block.text for block in BLOCKS if "Rule(" in block.text)
    (number,) = re.findall(r'"(GOV-[A-Z]+-\d+)"', entry)
    held = "".join(path.read_text() for path in (ROOT / "ringfence" / "house_rules").glob("*.py"))
    assert f'"{number}"' not in held


def test_a_tool_that_is_not_classified_is_told_at_once(added: Added) -> None:
    server = added.home / "catalogue" / "servers" / "queues" / "server.toml"
    whole = server.read_text()
    server.write_text(whole.partition("[tools.purge_queue]")[0])
    try:
        with pytest.raises(AssertionError) as told:
            Made(added.home, added.home).make("check", f"DEPARTMENT={DEPARTMENT}")
    finally:
        server.write_text(whole)
    assert "tools.purge_queue" in str(told.value)
    assert "it is not classified" in str(told.value)


def test_the_page_says_which_of_its_commands_are_followed(added: Added) -> None:
    (said,) = re.findall(r"Of the commands\s+below it runs (.*?);", PAGE.read_text(), re.DOTALL)
    commands = {line.split()[1] for block in BLOCKS if block.language == "sh" for line in block.text.splitlines()}
    assert set(re.findall(r"`make (\w+)`", said)) == commands & added.said.keys()


def test_each_command_of_the_page_is_one_that_make_takes() -> None:
    for block in BLOCKS:
        for line in block.text.splitlines() if block.language == "sh" else ():
            words = shlex.split(line)
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
