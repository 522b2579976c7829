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
from tests.stacks.test_snapshots import STACKS
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
        if entry.name not in ("app.py", "build", "catalogue", "cdk.out", ".git", "tests"):
            (home / entry.name).symlink_to(entry)
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


def told(*words: str) -> subprocess.CompletedProcess[str]:
    """What make says to words before it does anything: with `-n` it would only print its commands."""
    # A `make test ARGS=…` around this hands its own words down.
    environment = {key: value for key, value in os.environ.items() if key not in {*VARIABLES, "MAKEFLAGS", "MAKELEVEL"}}
    line = ["make", "-n", "-o", "assets", *words]
    return subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize(
    "goal", ["preflight", "deploy-policy", "verify-live", "rehearse", "ablate", "record", "smoke-arm64"]
)
def test_what_takes_a_department_refuses_an_organisation(goal: str) -> None:
    """It would be synthesised, and the department's name be asked about beside it."""
    said = told(goal, "ORGANISATION=example")
    assert said.returncode == 2 and said.stdout == ""
    assert f"make {goal} takes no ORGANISATION (it is for: check synth deploy diff prove findings)" in said.stderr
    assert "DEPARTMENT=" in said.stderr


@pytest.mark.parametrize(
    ("goal", "word", "takes"),
    [
        ("deploy", "AGAINST=kept", "diff comment"),
        ("preflight", "ACCEPT=a/B", "deploy diff"),
        ("synth", "KEEP=1", "rehearse"),
        ("prove", "PORT=9000", "rehearse"),
        ("prove", "AGAINST=kept", "diff comment"),
        ("mutants", "ORGANISATION=example", "check synth deploy diff prove findings"),
        ("test", "ORGANISATION=example", "check synth deploy diff prove findings"),
        ("synth", "FROM=example-sandbox", "new"),
        ("fuzz", "KEEP=1", "rehearse"),
        ("rehearse", "HOST=claude-code", "connect"),
        ("hosts", "PERSONA=auditor", "connect"),
        ("check", "OUTPUTS=o.json", "connect hosts"),
        ("bench", "RULES=registry", "guard registry"),
        ("test", "EXAMPLES=9", "fuzz"),
    ],
)
def test_what_a_command_does_not_take_is_not_ignored(goal: str, word: str, takes: str) -> None:
    said = told(goal, word)
    assert said.returncode == 2 and said.stdout == ""
    assert f"make {goal} takes no {word.split('=')[0]} (it is for: {takes}). Leave it out" in said.stderr


@pytest.mark.parametrize("keep", ["0", "no", "false", "yes", "1 2"])
def test_what_does_not_keep_a_rehearsal_is_not_taken_for_it(keep: str) -> None:
    said = told("rehearse", f"KEEP={keep}")
    assert (said.returncode, said.stdout) == (2, "")
    assert "only KEEP=1 keeps serving. Leave it out to end after the calls" in said.stderr


@pytest.mark.parametrize(
    ("words", "keeps"), [((), False), (("KEEP=",), False), (("KEEP=1",), True), (("KEEP=true",), True)]
)
def test_a_rehearsal_serves_on_where_somebody_asks_for_it(words: tuple[str, ...], keeps: bool) -> None:
    (line,) = (each for each in told("rehearse", *words).stdout.splitlines() if "-m ringfence.rehearsal" in each)
    assert ("--keep" in line) is keeps


@pytest.mark.parametrize("goal", ["prove", "findings"])
def test_a_department_is_judged_below_an_organisation_where_one_is_named_and_only_there(goal: str) -> None:
    def judged(*words: str) -> str:
        text = told(goal, "DEPARTMENT=example-sandbox", *words).stdout.replace("\\\n", " ")
        (line,) = (each for each in text.splitlines() if "-m ringfence.proofs" in each)
        return line

    assert "--organisation" not in judged()
    assert re.search(r" --organisation build/(proof|review)/organisation\b", judged("ORGANISATION=example"))


def test_a_departments_record_is_its_own_whatever_others_are_called(tmp_path: Path) -> None:
    command = next(line for line in told("record", "DEPARTMENT=guard").stdout.splitlines() if "pytest" in line)
    names = [f"{name}-{stack}" for name in ("guard", "coastguard", "guard-house", "blackguard-x") for stack in STACKS]
    (tmp_path / "test_names.py").write_text(
        f"import pytest\n@pytest.mark.parametrize('name', {names})\ndef test_template(name): pass\n"
    )
    asked = ["-k", shlex.split(command)[shlex.split(command).index("-k") + 1], "--collect-only", "-q"]
    line = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n0", *asked, "--rootdir", tmp_path, tmp_path]
    said = subprocess.run(line, cwd=tmp_path, env=_by_hand(), capture_output=True, text=True).stdout
    assert re.findall(r"\[(.+)\]", said) == [f"guard-{stack}" for stack in STACKS]


def test_of_each_command_it_is_known_whether_it_takes_a_department() -> None:
    text = (ROOT / "Makefile").read_text()
    documented = set(re.findall(r"^([a-z][a-z0-9-]*):.*## ", text, re.M)) - {"help"}
    with_one, without = (
        {name for one in lists for name in re.search(rf"^{one} := (.*)$", text, re.M)[1].split()}
        for lists in (("TAKES_ORGANISATION", "OF_A_DEPARTMENT"), ("OF_NOBODY",))
    )
    assert documented - with_one - without == set()
    assert with_one & without == set()


@pytest.mark.parametrize("port", ["0", "70000", "http", "-1", "1.5", "9000 9001"])
def test_what_is_no_port_is_told_before_anything_is_built(port: str) -> None:
    line = ["make", "-o", "setup", "rehearse", f"PORT={port}"]
    said = subprocess.run(line, cwd=ROOT, env=_by_hand(), capture_output=True, text=True)
    assert (said.returncode, said.stdout) == (2, "")
    assert f"rehearse: PORT={port} is no port; use 1 to 65535" in said.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["diff", "AGAINST=build/nowhere"], "diff: AGAINST=build/nowhere is not there"),
        (["comment", "AGAINST=build/nowhere"], "comment: AGAINST=build/nowhere is not there"),
        (["comment", "ARGS=--output x"], "comment: name the folder of earlier templates"),
        (["comment", "DEPARTMENT=example-sandbox"], "or for a new department ARGS=--new"),
    ],
)
def test_what_is_not_there_to_compare_with_is_told_before_anything_is_built(words: list[str], told: str) -> None:
    said = subprocess.run(["make", "-o", "setup", *words], cwd=ROOT, env=_by_hand(), capture_output=True, text=True)
    assert (said.returncode, said.stdout) == (2, "")
    assert told in said.stderr


@pytest.mark.parametrize("goal", ["comment", "diff"])
def test_a_folder_of_another_department_is_told_before_anything_is_built(goal: str, tmp_path: Path) -> None:
    (tmp_path / "ringfence-fisheries-audit.template.json").write_text("{}")
    line = ["make", "-o", "setup", goal, "DEPARTMENT=example-sandbox", f"AGAINST={tmp_path}"]
    said = subprocess.run(line, cwd=ROOT, env=_by_hand(), capture_output=True, text=True)
    assert (said.returncode, said.stdout) == (2, "")
    assert "holds another department, ringfence-fisheries-audit.template.json; name a folder of example-sandbox" in (
        said.stderr
    )


def test_an_example_is_not_deployed_and_is_told_so_before_anything_is_built() -> None:
    line = ["make", "-o", "setup", "deploy", "DEPARTMENT=example-sandbox"]
    said = subprocess.run(line, cwd=ROOT, env=_by_hand(), capture_output=True, text=True)
    assert (said.returncode, said.stdout) == (2, "")
    assert "An example is never deployed. Make your own: `make new DEPARTMENT=" in said.stderr
    assert "synth" not in said.stderr


@pytest.mark.parametrize("goal", NAMES_ITS_DEPARTMENT)
def test_what_is_of_an_account_is_of_a_department_that_somebody_names(goal: str) -> None:
    said = told(goal)
    assert (said.returncode, said.stdout) == (2, "")
    assert f"Name the department, as in: make {goal} DEPARTMENT=fisheries" in said.stderr


def test_a_comparison_that_asks_no_account_may_take_the_example() -> None:
    assert told("diff", "AGAINST=kept").returncode == 0


@pytest.mark.parametrize(
    ("word", "remedy"),
    [
        ("DEPARTMNT=ministry", "make knows no DEPARTMNT. Did you mean DEPARTMENT?"),
        ("organization=x", "make knows no organization. Did you mean ORGANISATION?"),
        ("QQQ=1", "make knows no QQQ. It knows DEPARTMENT ORGANISATION "),
    ],
)
def test_a_variable_that_nothing_reads_is_refused_with_the_nearest(word: str, remedy: str) -> None:
    said = told("check", word)
    assert (said.returncode, said.stdout) == (2, "")
    assert remedy in said.stderr


@pytest.mark.parametrize("word", ["DEPARTMENT=ministry foo", "ORGANISATION=a b"])
def test_a_name_is_one_word(word: str) -> None:
    said = told("check", word)
    name, _, value = word.partition("=")
    assert (said.returncode, said.stdout) == (2, "")
    assert f'{name}="{value}": it is one name, without spaces' in said.stderr


def test_a_check_hands_its_arguments_on() -> None:
    assert "-m ringfence check --department mine --foo\n" in told("check", "DEPARTMENT=mine", "ARGS=--foo").stdout


def test_a_comment_goes_where_the_pages_say() -> None:
    said = told("comment", "ARGS=--new").stdout
    assert "--output build/review/comment.md" in said


def _by_hand() -> dict[str, str]:
    """The environment of somebody who calls make, and not of a make that runs these tests."""
    return {key: value for key, value in os.environ.items() if key not in {"MAKEFLAGS", "MAKELEVEL"}}


def test_what_a_shell_exports_is_no_wish() -> None:
    """tcsh has a HOST, and what runs services elsewhere exports a PORT."""
    environment = _by_hand() | {"HOST": "laptop", "PORT": "80"}
    line = ["make", "-n", "-o", "assets", "rehearse"]
    said = subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert said.returncode == 0 and "--port" not in said.stdout, said.stderr


@pytest.mark.parametrize("words", [["hosts"], ["connect", "HOST=claude-code", "PERSONA=auditor"]])
def test_what_asks_a_deployment_checks_its_file_first(words: list[str]) -> None:
    said = told(*words, "DEPARTMENT=mine").stdout
    assert said.index("ringfence check --quiet --department mine") < said.index("-m ringfence.hosts ")


def test_what_asks_the_serving_rehearsal_needs_no_file() -> None:
    assert "ringfence check" not in told("connect", "HOST=claude-code", "PERSONA=auditor").stdout


@pytest.mark.parametrize("goal", ["mutants", "fuzz", "test", "guard", "bench", "lint"])
def test_what_is_of_no_department_refuses_one(goal: str) -> None:
    said = told(goal, "DEPARTMENT=example-sandbox")
    assert said.returncode == 2 and said.stdout == ""
    assert f"make {goal} takes no DEPARTMENT. Leave it out" in said.stderr


def test_an_organisation_and_a_department_are_not_taken_at_once() -> None:
    said = told("synth", "ORGANISATION=example", "DEPARTMENT=example-sandbox")
    assert said.returncode == 2 and said.stdout == ""
    assert "ORGANISATION and DEPARTMENT: make takes one of them" in said.stderr


@pytest.mark.parametrize("goal", ["help", "setup", "clean", "lint", "test"])
def test_no_department_is_no_fault_where_none_is_used(goal: str) -> None:
    assert told(goal, "DEPARTMENT=").returncode == 0


def test_no_department_is_no_fault_beside_an_organisation() -> None:
    said = told("synth", "DEPARTMENT=", "ORGANISATION=example")
    assert said.returncode == 0 and "--organisation example" in said.stdout


@pytest.mark.parametrize("goal", ["synth", "deploy", "diff", "prove", "rehearse", "preflight"])
def test_no_department_is_told_where_one_is_used(goal: str) -> None:
    said = told(goal, "DEPARTMENT=")
    assert said.returncode == 2 and "DEPARTMENT is empty" in said.stderr


@pytest.mark.parametrize(
    "written", ["mine", "mine.toml", "departments/mine", "departments/mine.toml", "./departments/mine.toml"]
)
def test_the_path_of_a_departments_file_is_its_name(written: str) -> None:
    """The shell completes it, and folders are called after the department."""
    said = told("deploy", f"DEPARTMENT={written}").stdout
    assert (
        "check --quiet --department mine --to-deploy\n" in said
        and "app.py --output build/deploy/cdk.out --department mine\n" in said
    )
    assert "build/deployed/mine\n" in said
    assert "--organisation ours\n" in told("check", "ORGANISATION=organisations/ours.toml").stdout


@pytest.mark.parametrize(
    "goal", ["preflight", "deploy-policy", "deploy", "verify-live", "diff", "rehearse", "ablate", "prove"]
)
def test_a_file_is_checked_before_anything_is_built(goal: str) -> None:
    environment = {key: value for key, value in os.environ.items() if key not in {*VARIABLES, "MAKEFLAGS", "MAKELEVEL"}}
    line = ["make", "-n", "-j4", goal, "DEPARTMENT=mine"]
    said = subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True).stdout
    assert said.index("-m ringfence check --quiet --department ") < said.index("-m ringfence.assets.build")


def test_a_check_builds_nothing() -> None:
    lines = told("-o", "setup", "check", "DEPARTMENT=mine").stdout.splitlines()
    assert lines == [".venv/bin/python -m ringfence check --department mine"]


def test_a_department_is_proved_alone_and_below_an_organisation_where_one_is_named() -> None:
    alone = told("prove", "DEPARTMENT=mine").stdout
    assert "organisation" not in alone and "-m ringfence.proofs --assembly build/proof/cdk.out" in alone
    below = told("prove", "DEPARTMENT=mine", "ORGANISATION=organisations/ours.toml")
    assert below.returncode == 0, below.stderr
    for words in (
        "check --quiet --department mine",
        "check --quiet --organisation ours",
        "--output build/proof/organisation --organisation ours",
        "--output build/proof/cdk.out --department mine",
        "--organisation build/proof/organisation",
    ):
        assert words in below.stdout


def test_one_template_is_compared_with_by_its_file() -> None:
    said = told("diff", "DEPARTMENT=mine", "AGAINST=kept/ringfence-mine-audit.template.json").stdout
    line = next(line for line in said.splitlines() if " diff ringfence" in line)
    assert (
        "diff ringfence-mine-audit --app build/diff/cdk.out --exclusively --template kept/ringfence-mine-audit" in line
    )
    refused = told("diff", "DEPARTMENT=mine", "ARGS=--template old.json")
    assert refused.returncode == 2 and "make diff AGAINST=<folder>/<stack>.template.json" in refused.stderr


@pytest.mark.parametrize("words", [["new"], ["new", "FROM=example-sandbox"]])
def test_a_new_department_is_named(words: list[str]) -> None:
    said = told(*words)
    assert said.returncode == 2 and said.stdout == ""
    assert "make new DEPARTMENT=fisheries FROM=example-production" in said.stderr


@pytest.mark.parametrize("goal", ["deploy", "diff"])
def test_what_is_confirmed_reaches_the_comparison(goal: str) -> None:
    said = told(goal, "DEPARTMENT=mine", "ACCEPT=ringfence-x-audit/A ringfence-x-audit/B").stdout
    assert "--accept ringfence-x-audit/A --accept ringfence-x-audit/B" in said


def test_the_rules_are_looked_for_before_anything_is_built() -> None:
    said = subprocess.run(["make", "-n", "guard", "RULES=none"], cwd=ROOT, capture_output=True, text=True).stdout
    assert said.index("none/mappings") < said.index("ringfence.assets.build")


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

    def run(*words: str, cdk: str = f"{sys.executable} {STAND_IN}") -> subprocess.CompletedProcess[str]:
        return run_make(project, environment, *words, f"CDK={cdk}")

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
    lines = make("-n", target, *rest, cdk="cdk").stdout.splitlines()
    for line in lines:
        if line.startswith("cdk "):
            assert understood(shlex.split(line)) == [], line


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
    if target in OF_NO_EXAMPLE and "DEPARTMENT" in given:
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


def test_the_words_on_losses_come_before_those_of_the_cdk(make: Callable[..., Any]) -> None:
    """Without an account the CDK is not even asked; it would say less clearly what is missing."""
    lines = make("-n", "diff", f"DEPARTMENT={DEPARTMENT}", cdk="cdk").stdout.splitlines()
    (told,) = (number for number, line in enumerate(lines) if "deployment changes" in line)
    (shown,) = (number for number, line in enumerate(lines) if line.startswith("cdk diff "))
    assert told < shown
    done = make("diff", f"DEPARTMENT={DEPARTMENT}")
    assert (done.returncode, done.stdout) == (2, "")
    done = make("diff", f"ORGANISATION={ORGANISATION}")
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


def test_what_the_cdk_has_deployed_is_what_the_next_deployment_is_compared_with(make: Callable[..., Any]) -> None:
    lines = [line for line in make("-n", "deploy", f"DEPARTMENT={DEPARTMENT}", cdk="cdk").stdout.splitlines() if line]
    (deployed,) = (number for number, line in enumerate(lines) if line.startswith("cdk deploy "))
    last = f"build/deployed/{DEPARTMENT}"
    assert lines[deployed + 1 :] == [f"rm -rf {last} && mkdir -p build/deployed/ && mv build/deploy/cdk.out {last}"]


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
