"""Each command of a runbook that is not `aws`: what can run without an account is run, as somebody would paste it.

They run on the example for production with a catalogue of one server, as the CDK itself makes it. Afterwards `make`
runs with everything but the CDK, in whose place that assembly is laid out again. What reaches for an account has none
here, and must say so.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ringfence.proofs import golden
from ringfence.proofs.evidence import Evidence
from tests.runbooks.aws_cli import faults
from tests.runbooks.pages import PLACEHOLDER, ROOT, Command, commands
from tests.waiting import LAST_RESORT_SECONDS

DEPARTMENT, ORGANISATION = "example-production", "example"
PERSONAS = "".join(
    f"""
[personas.{name}]
title = "{name.title()}"
description = "Looks events up."
levels = ["read"]
servers.cloudtrail = ["lookup_events"]
"""
    for name in ("auditor", "operator")
)
VALUES = {
    "department": DEPARTMENT,
    "organisation": ORGANISATION,
    "persona": "operator",
    "name": "claude-code",
    "host": "claude-code",
    "stack": f"ringfence-{DEPARTMENT}-audit",
    "logical-id": "LogKey",
    "account": "111122223333",
    "qualifier": "landingzon",
    "commit": "HEAD",
    "policy-arns": "arn:aws:iam::111122223333:policy/a,arn:aws:iam::111122223333:policy/b",
}
RUN_ELSEWHERE = {
    "setup": "every test run begins with it",
    "assets": "every test run begins with it",
    "new": "tests/ringfence/authoring",
    "record": "tests/ringfence/authoring/test_record.py",
    "prove": "tests/adding, with every proof and the bytecode of all that it deploys",
    "rehearse": "tests/ringfence/rehearsal",
    "clean": "it would remove what the others are laid out from",
}
NEEDS_AN_ACCOUNT = {
    "preflight": "credentials",
    "connect": "Name a file of outputs instead: OUTPUTS=",
    "deploy": "cannot be asked: sts:GetCallerIdentity: credentials",
    "diff": "cannot be asked: sts:GetCallerIdentity: credentials",
    "verify-live": "credentials",
}
NAMES_ITS_DEPARTMENT = ("deploy", "deploy-policy", "preflight", "verify-live", "diff")
OF_NO_EXAMPLE = ("deploy", "verify-live")
VARIABLES = {
    "DEPARTMENT",
    "ORGANISATION",
    "ARGS",
    "ACCEPT",
    "AGAINST",
    "FROM",
    "KEEP",
    "PORT",
    "HOST",
    "PERSONA",
    "OUTPUTS",
}
STAND_IN = ROOT / "tests" / "runbooks" / "made_before.py"
CDK = ROOT / "node_modules" / "aws-cdk" / "bin" / "cdk"
ALL = {command.text: command for command in commands()}.values()
MAKE = [command for command in ALL if command.text.startswith("make ")]
NPX = [command for command in ALL if command.text.startswith("npx ")]
PYTHON = [command for command in ALL if command.text.startswith("python -m ")]
SHELL = [command for command in ALL if command.text.split()[0] in ("export", "cp", "git")]


def filled(command: Command, **more: str) -> list[str]:
    values = {**VALUES, **more}
    missing = set(PLACEHOLDER.findall(command.text)) - set(values)
    assert not missing, f"{command}: no value for {missing}"
    return [PLACEHOLDER.sub(lambda each: values[each[1]], word) for word in command.words]


def test_no_command_escapes() -> None:
    assert len(MAKE) > 10
    checked = {*MAKE, *NPX, *PYTHON, *SHELL}
    assert [str(each) for each in ALL if each not in checked and not each.text.startswith("aws ")] == []


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as somebody has it, with a small catalogue, and with folders of its own for what commands write."""
    home = tmp_path_factory.mktemp("project")
    for entry in ROOT.iterdir():
        if entry.name not in ("app.py", "build", "catalogue", "cdk.out", ".git", "node_modules", "tests"):
            (home / entry.name).symlink_to(entry)
    programs = home / "node_modules" / ".bin"
    programs.mkdir(parents=True)
    (programs / "cdk").write_text(f'#!/bin/sh\nexec {sys.executable} {STAND_IN} "$@"\n')
    (programs / "cdk").chmod(0o755)
    shutil.copy(ROOT / "app.py", home)  # it reads the data beside it, and a link would lead back
    shutil.copytree(ROOT / "catalogue", home / "catalogue")
    (home / "catalogue" / "personas.toml").write_text(PERSONAS)
    return home


@pytest.fixture(scope="session")
def environment(home: Path) -> dict[str, str]:
    """An environment without credentials or region, in which the project's own commands come first."""
    nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    # Without what a `make test ARGS=…` around this hands down.
    kept = {
        key: value
        for key, value in os.environ.items()
        if key not in VARIABLES and not key.startswith(("AWS_", "MAKE", "MFLAGS"))
    }
    return {
        **kept,
        **nowhere,
        "AWS_EC2_METADATA_DISABLED": "true",
        "ASSEMBLIES": str(home / "build/assemblies"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }


def run_make(home: Path, environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    line = ["make", "-o", "assets", "-o", "setup", *words]
    return subprocess.run(line, cwd=home, env=environment, capture_output=True, text=True, timeout=LAST_RESORT_SECONDS)


@pytest.fixture(scope="session")
def project(home: Path, environment: dict[str, str]) -> Path:
    """That project with the assemblies of a department and its organisation, and with the record of both."""
    made = home / "build" / "assemblies"
    made.mkdir(parents=True)
    for kind, name in (("DEPARTMENT", DEPARTMENT), ("ORGANISATION", ORGANISATION)):
        done = run_make(home, environment, "synth", f"{kind}={name}")
        assert done.returncode == 0, done.stderr
        # All that it says: no advice of the CDK's, no table of zips that were there.
        quiet = rf"synth: {kind.lower()} {name} into cdk.out\nsynth: {name} is in cdk.out, after \d+ s\n"
        assert done.stdout == "" and re.fullmatch(quiet, done.stderr), done.stdout + done.stderr
        (home / "cdk.out").rename(made / name)
    shutil.copy(STAND_IN, home / "app.py")
    evidence = Evidence.load(made / DEPARTMENT, root=home, organisation=made / ORGANISATION)
    golden.write(evidence, home / golden.FOLDER)
    return home


@pytest.fixture(scope="session")
def assembly(project: Path) -> Path:
    """The department's assembly."""
    return project / "build" / "assemblies" / DEPARTMENT


@pytest.fixture(scope="session")
def make(project: Path, environment: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs `make` in the project without credentials, region or setup."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return run_make(project, environment, *words)

    return run


def understood(words: list[str]) -> list[str]:
    """Returns what the CDK would not understand in one of its commands."""
    help_text = help_of(words[1])
    found = []
    for word in words[2:]:
        name = word.split("=")[0]
        if name.startswith("--") and not re.search(rf"{name.replace('--no-', '--')}\b", help_text):
            found.append(name)
    asked = words[words.index("--require-approval") + 1] if "--require-approval" in words else None
    choices = re.search(r"--require-approval.*?\[choices: ([^\]]+)\]", help_text, re.S)
    return found + ([asked] if asked and choices and f'"{asked}"' not in choices[1] else [])


@cache
def help_of(command: str) -> str:
    node = Path(sys.executable).parent / "node"
    told = subprocess.run([node, CDK, command, "--help"], capture_output=True, text=True, check=True, cwd=ROOT)
    assert f"cdk {command}" in told.stdout
    return told.stdout


def test_an_option_that_the_cdk_has_not_is_told() -> None:
    assert understood(shlex.split("cdk deploy --all --no-rollback --require-approval never")) == []
    assert understood(shlex.split("cdk deploy --roll-back --require-approval nobody")) == ["--roll-back", "nobody"]


@pytest.mark.parametrize("command", MAKE, ids=str)
def test_make_knows_the_target_and_the_cdk_its_options(command: Command, make: Callable[..., Any]) -> None:
    _, target, *rest = filled(command, folder="cdk.out")
    documented = re.search(rf"^{re.escape(target)}:.*## ", (ROOT / "Makefile").read_text(), re.M)
    assert documented, f"make has no target {target} with a word of help"
    names = {word.partition("=")[0] for word in rest}
    assert names <= VARIABLES
    (line,) = (each for each in make("-n", target, *rest).stdout.splitlines() if each)
    _, _, handed_on = line.partition(" -- ")
    assert understood(["cdk", target, *shlex.split(handed_on)]) == [] if handed_on else True, line


@pytest.mark.parametrize("command", MAKE, ids=str)
def test_make_runs_it(command: Command, make: Callable[..., Any], assembly: Path) -> None:
    _, target, *rest = filled(command, folder=str(assembly))
    if target in RUN_ELSEWHERE:
        pytest.skip(RUN_ELSEWHERE[target])
    given = dict(word.split("=", 1) for word in rest)
    if target in NAMES_ITS_DEPARTMENT and not given.keys() & {"DEPARTMENT", "ORGANISATION"}:
        rest, given = [*rest, f"DEPARTMENT={DEPARTMENT}"], given | {"DEPARTMENT": DEPARTMENT}  # prose names the command
    done = make(target, *rest)
    online = not (given.get("AGAINST") or "--policy" in given.get("ARGS", ""))
    if target in OF_NO_EXAMPLE and given.keys() & {"DEPARTMENT", "ORGANISATION"}:
        assert done.returncode == 2 and "An example is never deployed." in done.stderr
    elif target in NEEDS_AN_ACCOUNT and online:
        assert done.returncode == 2, done.stderr
        assert NEEDS_AN_ACCOUNT[target] in done.stdout + done.stderr
    else:
        assert done.returncode == 0, done.stdout + done.stderr


def test_what_a_pipeline_reads_is_json_and_nothing_else(make: Callable[..., Any]) -> None:
    done = make("preflight", f"DEPARTMENT={DEPARTMENT}", "ARGS=--json")
    assert json.loads(done.stdout)
    assert done.returncode == 2


@pytest.mark.parametrize("command", PYTHON, ids=str)
def test_a_command_without_make_has_its_own_exit_code(
    command: Command, make: Callable[..., Any], project: Path, environment: dict[str, str]
) -> None:
    make("synth", f"DEPARTMENT={DEPARTMENT}")
    done = subprocess.run(
        filled(command), cwd=project, env=environment, capture_output=True, text=True, timeout=LAST_RESORT_SECONDS
    )
    report = json.loads(done.stdout)
    # 1, something is wrong: an example's values are; as to the rest, nobody could be asked.
    assert (done.returncode, report["exit_code"]) == (1, 1), done.stderr
    assert "credentials" in done.stdout


@pytest.mark.parametrize("whose", [f"DEPARTMENT={DEPARTMENT}", f"ORGANISATION={ORGANISATION}"])
def test_without_an_account_the_cdk_is_not_even_asked(whose: str, make: Callable[..., Any]) -> None:
    """It would say less clearly what is missing."""
    done = make("diff", whose)
    assert (done.returncode, done.stdout) == (2, "")


def test_what_the_last_deployment_wrote_can_be_compared_with(
    make: Callable[..., Any], project: Path, assembly: Path
) -> None:
    last = project / "build" / "deployed" / DEPARTMENT
    shutil.rmtree(last, ignore_errors=True)
    shutil.copytree(assembly, last)
    audit = last / f"ringfence-{DEPARTMENT}-audit.template.json"
    template = json.loads(audit.read_text())
    template["Resources"]["Former"] = {"Type": "AWS::Logs::LogGroup"}
    audit.write_text(json.dumps(template))
    assert make("deploy", f"DEPARTMENT={DEPARTMENT}").returncode == 2, "an example is never deployed"
    done = make("diff", f"DEPARTMENT={DEPARTMENT}", f"AGAINST=build/deployed/{DEPARTMENT}")
    assert f"removed   ringfence-{DEPARTMENT}-audit/Former" in done.stdout
    assert "Former" in audit.read_text(), "neither an attempt that fails nor a comparison replaces it"


def test_the_cdk_itself_synthesises(assembly: Path) -> None:
    assert len(list(assembly.glob(f"ringfence-{DEPARTMENT}-*.template.json"))) == 5


def test_deploy_policy_writes_and_prints_what_the_runbook_pastes(make: Callable[..., Any], project: Path) -> None:
    told = make("deploy-policy", f"DEPARTMENT={DEPARTMENT}").stdout
    printed = [shlex.split(line) for line in told.splitlines() if line.strip().startswith("aws iam create-policy ")]
    pasted = next(each for each in commands() if each.text.startswith("aws iam create-policy "))
    assert printed
    for number, words in enumerate(printed, 1):
        assert faults(words) == []
        assert words == filled(pasted, n=str(number))
        assert (project / words[-1].removeprefix("file://")).is_file()
    bootstrap = shlex.split(told[told.index("npx cdk bootstrap") :].partition("\nAfter")[0])
    assert understood(bootstrap[1:]) == []


@pytest.mark.parametrize("command", NPX, ids=str)
def test_the_cdk_understands_it(command: Command) -> None:
    words = filled(command)
    assert words[1] == "cdk"
    if len(words) > 2:
        assert understood(words[1:]) == []
        assert [word for word in words[3:4] if not re.fullmatch(r"aws://\d{12}/eu-west-2", word)] == []


@pytest.mark.parametrize("command", SHELL, ids=str)
def test_the_shell_runs_it(command: Command, tmp_path: Path) -> None:
    for name in ("departments", "organisations"):
        shutil.copytree(ROOT / name, tmp_path / name)
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    commit, add = [*identity, "commit", "-qm", "x"], ["add", "."]
    own = tmp_path / "departments" / "mine.toml"

    def git(*commands: list[str]) -> None:
        for words in commands:
            subprocess.run(["git", *words], cwd=tmp_path, check=True, capture_output=True)

    git(["init", "-q"], add, commit, ["switch", "-qc", "newer"])
    (tmp_path / "newer").touch()
    git(add, commit, ["switch", "-qc", "ours", "HEAD~"])
    shutil.copy(tmp_path / "departments" / "example-production.toml", own)
    git(add, commit, *(["config", *setting.split("=")] for setting in identity[1::2]))
    newer = "newer" if "git merge" in command.text else "HEAD"
    values = {**VALUES, "department": "mine", "organisation": "ours", "commit": newer}
    text = PLACEHOLDER.sub(lambda each: values[each[1]], command.text)
    done = subprocess.run(["bash", "-euc", text], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    if command.text.startswith("git "):
        assert own.is_file(), "the department's own file is lost"
        assert (tmp_path / "newer").is_file() == (newer == "newer")


def test_npx_is_the_projects_own_cdk_once_the_path_is_set() -> None:
    exported = next(command.text for command in SHELL if command.text.startswith("export PATH"))
    done = subprocess.run(
        ["bash", "-euc", f"{exported}; npx cdk --version"],
        cwd=ROOT, env={"PATH": "/usr/bin:/bin", "HOME": os.environ.get("HOME", "/")}, capture_output=True, text=True,
    )  # fmt: skip
    pinned = json.loads((ROOT / "package.json").read_text())
    version = {**pinned.get("dependencies", {}), **pinned.get("devDependencies", {})}["aws-cdk"]
    assert done.stdout.split()[0] == version, done.stderr
