"""What `make` hands on to `ringfence`, and what either refuses before anything is built."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ringfence.command_line import proving, reviewing, steps
from ringfence.command_line.entry import COMMANDS, main
from ringfence.command_line.options import Named
from ringfence.review.written import REPORT
from tests.runbooks.pages import ROOT
from tests.stacks.test_snapshots import STACKS

MAKEFILE = (ROOT / "Makefile").read_text()


def _listed(name: str) -> list[str]:
    (line,) = re.findall(rf"^{name} := (.*)$", MAKEFILE, re.M)
    return line.split()


SETTINGS, OF_NOBODY = _listed("SETTINGS"), _listed("OF_NOBODY")
OF_AN_ACCOUNT = ("deploy", "deploy-policy", "preflight", "verify-live", "diff")
Asked = Callable[..., tuple[int, str]]


class Built(Exception):
    """Something would be built now."""


def told(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """What make says to words before it does anything: with `-n` it would only print its commands."""
    # A `make test ARGS=…` around this hands its own words down.
    kept = {key: value for key, value in os.environ.items() if key not in {*SETTINGS, "ARGS", "MAKEFLAGS", "MAKELEVEL"}}
    line = ["make", "-n", "-o", "setup", *words]
    return subprocess.run(line, cwd=ROOT, env=kept | more, capture_output=True, text=True)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Asked:
    """Calls the command that `make` would; returns its exit code and what it says, unless it begins to build."""

    def build() -> None:
        raise Built

    monkeypatch.setattr(steps, "build_assets", build)
    monkeypatch.chdir(ROOT)

    def ask(*words: str) -> tuple[int, str]:
        (line,) = told(*words).stdout.splitlines()
        _python, m, ringfence, *handed_on = shlex.split(line)
        assert (m, ringfence) == ("-m", "ringfence"), line
        code = main(handed_on)
        said = capsys.readouterr()
        return code, said.out + said.err

    return ask


@pytest.mark.parametrize(
    "goal", ["preflight", "deploy-policy", "verify-live", "rehearse", "ablate", "record", "smoke-arm64"]
)
def test_what_takes_a_department_refuses_an_organisation(goal: str, asked: Asked) -> None:
    """It would be synthesised, and the department's name be asked about beside it."""
    code, said = asked(goal, "ORGANISATION=example")
    assert code == 2
    assert f"No such option '--organisation' of {goal} (it is for: check, synth, prove, " in said


@pytest.mark.parametrize(
    ("goal", "word", "takes"),
    [
        ("deploy", "AGAINST=kept", "changes, comment, diff"),
        ("preflight", "ACCEPT=a/B", "changes, diff, deploy"),
        ("synth", "KEEP=1", "rehearse"),
        ("prove", "PORT=9000", "rehearse"),
        ("synth", "FROM=example-sandbox", "new"),
        ("rehearse", "HOST=claude-code", "verify-live, connect"),
        ("hosts", "PERSONA=auditor", "ablate, verify-live, connect"),
        ("check", "OUTPUTS=o.json", "connect, hosts"),
    ],
)
def test_what_a_command_does_not_take_is_not_ignored(goal: str, word: str, takes: str, asked: Asked) -> None:
    code, said = asked(goal, word)
    option = f"--{word.split('=')[0].lower()}"
    assert (code, f"No such option '{option}' of {goal} (it is for: {takes}). Leave it out." in said) == (2, True), said


@pytest.mark.parametrize(
    ("goal", "word"),
    [
        ("mutants", "ORGANISATION=example"),
        ("test", "ORGANISATION=example"),
        ("fuzz", "KEEP=1"),
        ("bench", "RULES=registry"),
        ("test", "EXAMPLES=9"),
        *((goal, "DEPARTMENT=example-sandbox") for goal in ("mutants", "fuzz", "test", "guard", "bench", "lint")),
    ],
)
def test_what_is_no_command_of_a_department_takes_nothing_of_one(goal: str, word: str) -> None:
    said = told(goal, word)
    assert said.returncode == 2 and said.stdout == ""
    assert f"make {goal} takes no {word.split('=')[0]}. Leave it out" in said.stderr


def test_what_is_of_make_alone_is_taken() -> None:
    assert "EXAMPLES=9" in told("fuzz", "EXAMPLES=9").stdout
    assert "rules/mappings" in told("guard", "RULES=rules").stdout


@pytest.mark.parametrize("keep", ["0", "no", "false", "yes", "1 2"])
def test_what_does_not_keep_a_rehearsal_is_not_taken_for_it(keep: str) -> None:
    said = told("rehearse", f"KEEP={keep}")
    assert (said.returncode, said.stdout) == (2, "")
    assert "only KEEP=1 keeps serving. Leave it out to end after the calls" in said.stderr


@pytest.mark.parametrize(
    ("words", "keeps"), [((), False), (("KEEP=",), False), (("KEEP=1",), True), (("KEEP=true",), True)]
)
def test_a_rehearsal_serves_on_where_somebody_asks_for_it(words: tuple[str, ...], keeps: bool) -> None:
    assert ("--keep" in told("rehearse", *words).stdout) is keeps


def test_every_command_has_a_target_and_every_target_is_known() -> None:
    documented = set(re.findall(r"^([a-z][a-z0-9-]*):.*## ", MAKEFILE, re.M)) - {"help"}
    assert documented == {*COMMANDS.commands, *OF_NOBODY} - {"completion"}


@pytest.mark.parametrize("port", ["0", "70000", "http", "-1", "1.5", "9000 9001"])
def test_what_is_no_port_is_told_before_anything_is_built(port: str, asked: Asked) -> None:
    code, said = asked("rehearse", f"PORT={port}")
    assert code == 2 and "Invalid value for '--port'" in said


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["diff", "AGAINST=build/nowhere"], "--against build/nowhere is not there"),
        (["comment", "AGAINST=build/nowhere"], "--against build/nowhere is not there"),
        (["comment", "ARGS=--output x"], "Name the folder of earlier templates"),
        (["comment", "DEPARTMENT=example-sandbox"], "or, for a new department, --new"),
        (["diff", "ARGS=--template old.json"], "--against <folder>/<stack>.template.json"),
        (["new"], "Missing option '--department'"),
        (["new", "FROM=example-sandbox"], "Missing option '--department'"),
        (["synth", "ORGANISATION=example", "DEPARTMENT=example-sandbox"], "take one of them"),
        *(([goal], "Name the department, as in: --department fisheries") for goal in OF_AN_ACCOUNT),
        *(([goal, "DEPARTMENT="], "it is empty; name a file of departments/") for goal in ("synth", "deploy", "prove")),
    ],
    ids=str,
)
def test_what_is_missing_is_told_before_anything_is_built(words: list[str], what: str, asked: Asked) -> None:
    code, said = asked(*words)
    assert code == 2 and what in said, said


@pytest.mark.parametrize("goal", ["comment", "diff"])
def test_a_folder_of_another_department_is_told_before_anything_is_built(
    goal: str, tmp_path: Path, asked: Asked
) -> None:
    (tmp_path / "ringfence-fisheries-audit.template.json").write_text("{}")
    code, said = asked(goal, "DEPARTMENT=example-sandbox", f"AGAINST={tmp_path}")
    there = "holds ringfence-fisheries-audit.template.json, and not example-sandbox; name a folder of example-sandbox"
    assert code == 2 and there in said


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (["deploy", "DEPARTMENT=example-sandbox"], "Make your own: `make new DEPARTMENT="),
        (["verify-live", "DEPARTMENT=example-sandbox"], "Make your own: `make new DEPARTMENT="),
        (["deploy", "ORGANISATION=example"], "Copy organisations/example.toml to a name of your own: docs/runbooks/"),
        (
            ["check", "ORGANISATION=example", "ARGS=--to-deploy"],
            "Copy organisations/example.toml to a name of your own",
        ),
    ],
    ids=str,
)
def test_an_example_is_not_deployed_and_is_told_so_before_anything_is_built(
    words: list[str], remedy: str, asked: Asked
) -> None:
    code, said = asked(*words)
    assert code == 1 and f"An example is never deployed. {remedy}" in said


def test_a_comparison_that_asks_no_account_may_take_the_example(tmp_path: Path, asked: Asked) -> None:
    with pytest.raises(Built):
        asked("diff", f"AGAINST={tmp_path}")


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


def test_a_name_is_one_word_and_its_arguments_are_handed_on(asked: Asked) -> None:
    code, said = asked("check", "DEPARTMENT=ministry foo")
    assert code == 1 and "There is no file departments/ministry foo.toml." in said
    assert "check --department 'mine' --foo\n" in told("check", "DEPARTMENT=mine", "ARGS=--foo").stdout


@pytest.mark.parametrize("target", ["test", "bench", "mutants", "rehearse"])
def test_arguments_are_the_named_targets_and_not_those_of_the_zips_before_it(target: str) -> None:
    lines = told(target, "ARGS=--foo").stdout.splitlines()
    assert any("--foo" in line for line in lines)
    assert not any(" assets" in line and "--foo" in line for line in lines)


def test_the_zips_take_arguments_of_their_own() -> None:
    assert "assets --foo" in told("assets", "ARGS=--foo").stdout


def test_what_a_shell_exports_is_no_wish() -> None:
    """tcsh has a HOST, and what runs services elsewhere exports a PORT; a pipeline names its department so."""
    line = told("rehearse", HOST="laptop", PORT="80", DEPARTMENT="mine").stdout
    assert line.split("ringfence ")[1].split() == ["rehearse", "--department", "'mine'"]


@pytest.mark.parametrize(
    "goal",
    "synth preflight deploy-policy deploy verify-live diff rehearse ablate prove record findings waivers changes hosts "
    "connect".split(),
)
def test_a_file_is_checked_before_anything_is_built_or_asked(goal: str, asked: Asked) -> None:
    more = ["HOST=claude-code", "PERSONA=auditor"] if goal == "connect" else []
    code, said = asked(goal, "DEPARTMENT=mine", *more)
    assert code == 1 and "There is no file departments/mine.toml." in said


def test_what_asks_the_serving_rehearsal_needs_no_file() -> None:
    assert "--department" not in told("connect", "HOST=claude-code", "PERSONA=auditor").stdout


@pytest.mark.parametrize("goal", ["help", "setup", "clean", "lint", "test"])
def test_no_department_is_no_fault_where_none_is_used(goal: str) -> None:
    assert told(goal, "DEPARTMENT=").returncode == 0


def test_no_department_is_no_fault_beside_an_organisation(asked: Asked) -> None:
    assert asked("check", "DEPARTMENT=", "ORGANISATION=organisations/example.toml")[0] == 0


@pytest.mark.parametrize("written", ["{}", "{}.toml", "departments/{}", "departments/{}.toml", "./departments/{}.toml"])
def test_the_path_of_a_departments_file_is_its_name(written: str, asked: Asked) -> None:
    """The shell completes it, and folders are called after the department."""
    code, said = asked("check", f"DEPARTMENT={written.format('example-sandbox')}")
    assert code == 0 and said.startswith("departments/example-sandbox.toml: nothing is wrong")


def test_a_check_builds_nothing() -> None:
    assert told("check", "DEPARTMENT=mine").stdout == ".venv/bin/python -m ringfence check --department 'mine' \n"


@pytest.mark.parametrize("goal", ["deploy", "diff"])
def test_what_is_confirmed_reaches_the_comparison(goal: str) -> None:
    said = told(goal, "DEPARTMENT=mine", "ACCEPT=ringfence-x-audit/A ringfence-x-audit/B").stdout
    assert "--accept 'ringfence-x-audit/A' --accept 'ringfence-x-audit/B'" in said


def test_the_rules_are_looked_for_before_anything_is_built() -> None:
    said = told("guard", "RULES=none").stdout
    assert said.index("none/mappings") < said.index("ringfence assets")


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, Path | None]]:
    """What the proofs would be run on: nothing is built, and every synthesis succeeds."""
    seen: list[tuple[Path, Path | None]] = []

    def proved(folder: Path, organisation: Path | None, *_: object, **__: object) -> int:
        seen.append((folder, organisation))
        return 0

    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(steps, "build_assets", lambda: None)
    monkeypatch.setattr(steps, "child", lambda *_, **__: 0)
    monkeypatch.setattr(proving, "proved", proved)
    return seen


def test_a_department_is_judged_below_an_organisation_where_one_is_named_and_only_there(
    judged: list[tuple[Path, Path | None]],
) -> None:
    assert main(["prove", "--department", "example-sandbox"]) == 0
    assert main(["prove", "--department", "example-sandbox", "--organisation", "example"]) == 0
    folder, below = Path("build/proof/cdk.out"), Path("build/proof/organisation")
    assert judged == [(folder, None), (folder, below)]


@pytest.mark.parametrize("holds", [0, 1])
def test_open_findings_are_those_below_the_organisation_and_a_proof_that_fails_is_said_by_the_exit_code(
    judged: list[tuple[Path, Path | None]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, holds: int
) -> None:
    """The proof of the bytecode has no finding in the report: its exit code alone says that it fails."""
    below: list[Path | None] = []

    def app(words: list[str], **_: str) -> int:
        folder = Path(words[words.index("--output") + 1])
        folder.mkdir(parents=True)
        (folder / REPORT).write_text('{"pluginReports": []}')
        (folder / "ringfence-example-sandbox-audit.template.json").write_text('{"Resources": {}}')
        return 0

    monkeypatch.setattr(reviewing, "_REVIEW", tmp_path)
    monkeypatch.setattr(steps, "child", app)
    monkeypatch.setattr(reviewing, "proved", lambda _folder, organisation, *_: below.append(organisation) or holds)
    assert main(["findings", "--department", "example-sandbox"]) == holds
    shutil.rmtree(tmp_path / "cdk.out")
    assert main(["findings", "--department", "example-sandbox", "--organisation", "example"]) == holds
    assert below == [None, tmp_path / "organisation"]


def test_a_departments_record_is_its_own_whatever_others_are_called(
    judged: list[tuple[Path, Path | None]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run: list[list[str]] = []
    monkeypatch.setattr(steps, "checked", lambda named, **_: str(named))
    monkeypatch.setattr(steps, "child", lambda words, **_: run.append(list(words)) or 0)
    assert main(["record", "--department", "guard"]) == 0
    (command,) = (words for words in run if "pytest" in words)
    names = [f"{name}-{stack}" for name in ("guard", "coastguard", "guard-house", "blackguard-x") for stack in STACKS]
    (tmp_path / "test_names.py").write_text(
        f"import pytest\n@pytest.mark.parametrize('name', {names})\ndef test_template(name): pass\n"
    )
    only = ["-k", command[command.index("-k") + 1], "--collect-only", "-q"]
    line = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n0", *only, "--rootdir", tmp_path, tmp_path]
    said = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True).stdout
    assert re.findall(r"\[(.+)\]", said) == [f"guard-{stack}" for stack in STACKS]


def test_whose_templates_are_meant_is_said_to_the_app_in_the_same_words() -> None:
    assert Named(department="x").words == ["--department", "x"]
    assert Named(organisation="y").words == ["--organisation", "y"]
