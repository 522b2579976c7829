"""`ringfence`: every command is found, a slip is answered with the nearest word, and asking costs no second."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

from ringfence.command_line import steps
from ringfence.command_line.entry import COMMANDS, main
from ringfence.command_line.table import Command
from tests.waiting import LAST_RESORT_SECONDS, wait_until

ROOT = Path(__file__).resolve().parents[3]
HEAVY = {"aws_cdk", "boto3", "botocore", "jsii", "pydantic", "mcp", "moto", "httpx"}


def ringfence(*words: str, cwd: Path = ROOT, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **more}
    line = [sys.executable, "-m", "ringfence", *words]
    return subprocess.run(line, cwd=cwd, env=environment, capture_output=True, text=True)


def test_every_command_has_one_line_of_help_below_a_heading(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    said = capsys.readouterr().out
    lines = re.findall(r"^  ([a-z0-9-]+)  +[A-Z].*\.$", said, re.MULTILINE)
    assert sorted(lines) == sorted(COMMANDS.commands) and len(lines) == len(set(lines))
    assert said.index("Exit codes: 0 done; 1 ") > said.index(lines[-1])
    assert max(map(len, said.splitlines())) <= 80


@pytest.mark.parametrize("name", sorted(COMMANDS.commands))
def test_the_help_of_a_command_says_every_option_and_the_exit_codes(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([name, "--help"]) == 0
    assert "Exit codes: 0 done; 1 " in capsys.readouterr().out
    for option in COMMANDS.commands[name].params:
        assert not isinstance(option, click.Option) or option.help, f"{name}: {option.opts} has no word of help"


@pytest.mark.parametrize(
    "words", [["--help"], ["check", "--help"], ["chek"], ["check", "--department", "example-production"]], ids=" ".join
)
def test_what_only_asks_loads_neither_the_cdk_nor_a_client_of_aws(words: list[str]) -> None:
    code = (
        "import sys; from ringfence.command_line.entry import main; main(sys.argv[1:]); "
        "print(*{each.split('.')[0] for each in sys.modules}, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], cwd=ROOT, capture_output=True, text=True)
    loaded = set(done.stderr.splitlines()[-1].split()) & HEAVY
    assert loaded == ({"pydantic"} if "--department" in words else set())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["chek"], "No such command 'chek'. Did you mean 'check'?"),
        (["check", "--departmnt", "x"], "No such option '--departmnt'. Did you mean '--department'?"),
        (["check", "--from", "x"], "No such option '--from' of check (it is for: new). Leave it out."),
        (["check", "--department="], "Invalid value for '--department': it is empty; name a file of departments/."),
        (["check", "--department", "a", "--organisation", "b"], "take one of them"),
        (["new"], "Missing option '--department'"),
        (["check", "--dep", "example-sandbox"], "No such option '--dep'."),
        (["rehearse", "--port", "abc"], "Invalid value for '--port': 'abc' is not a valid number."),
        (["rehearse", "--port", "70000"], "Invalid value for '--port': 70000 is not in the range 1<=x<=65535."),
    ],
)
def test_a_slip_is_answered_with_what_is_meant(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert told in capsys.readouterr().err


IDLE = {
    "prove --organisation-assembly a": "--organisation-assembly does nothing without --assembly.",
    "prove --assembly a --organisation example": "--organisation does nothing beside --assembly.",
    "prove --only bytecode --write-golden --output a": "--write-golden, --output: the proof of bytecode takes none.",
    "rehearse --token": "--token does nothing without --keep.",
    "ablate --write-table --attack a": "--attack does nothing beside --write-table.",
    "ablate --write-table --persona auditor": "--persona does nothing beside --write-table.",
    "diff --against departments -- one two": "one two: the CDK is not asked beside a folder.",
    "comment --new --against departments": "--against does nothing beside --new.",
    "preflight --policy --json": "--json does nothing beside --policy.",
    "preflight --policy --assembly a": "--assembly does nothing beside --policy.",
    "verify-live --policy --host a --without-visit": "--without-visit does nothing beside --policy.",
    "verify-live --department a --without-visit --wait 5": "--wait does nothing beside --without-visit.",
    "connect --host a --persona auditor --output a": "--output does nothing without --write.",
    "connect --host a --persona auditor --write --token": "--write does nothing beside --token.",
    "connect --host a --persona auditor --outputs a": "--outputs does nothing without --department.",
    "hosts --outputs a": "--outputs does nothing without --department.",
}


@pytest.mark.parametrize(("words", "told"), IDLE.items(), ids=IDLE)
def test_an_option_that_would_be_ignored_is_refused_before_anything_is_built(
    words: str, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(steps, "build_assets", lambda: pytest.fail("something is built"))
    monkeypatch.chdir(ROOT)
    assert main(words.split()) == 2
    assert told in capsys.readouterr().err


def test_how_to_sign_in_is_not_ignored_where_a_token_is_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RINGFENCE_TOKEN", "a.b.c")
    assert main(["verify-live", "--department", "a", "--host", "cursor", "--wait", "5", "--without-openid"]) == 2
    told = capsys.readouterr().err
    assert "--host, --wait, --without-openid: RINGFENCE_TOKEN holds a token, so nobody signs in. Unset it." in told


def test_all_that_would_be_ignored_is_told_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify-live", "--policy", "--host=a", "--wait=5"]) == 2
    said = capsys.readouterr().err
    assert said.count("does nothing beside --policy. Leave one of the two out.") == 2


def test_what_is_said_of_options_is_said_of_ones_that_the_command_has() -> None:
    for command in COMMANDS.commands.values():
        assert isinstance(command, Command)
        beside = [each for others in command.replaces.values() for each in others]
        told = {*command.needs, *command.needs.values(), *command.replaces, *beside}
        assert told <= {each for param in command.params for each in param.opts}, command.name


@pytest.mark.parametrize(
    "command", ["prove", "ablate", "rehearse", "smoke-arm64", "waivers", "changes", "comment", "deploy-policy"]
)
@pytest.mark.parametrize("named", ["--department=example-sandbox", "--organisation=example"])
def test_whose_an_assembly_is_has_to_be_as_it_is_named(
    command: str, named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if named.startswith("--organisation") and command != "changes":
        pytest.skip("takes no organisation beside an assembly")
    monkeypatch.chdir(ROOT)
    (tmp_path / "ringfence-fisheries-audit.template.json").touch()
    more = ["--new"] if command == "comment" else []
    assert main([command, named, f"--assembly={tmp_path}", *more]) == 2
    name = named.partition("=")[2]
    there = f"holds ringfence-fisheries-audit.template.json, and not {name}; name a folder of {name}."
    assert f"--assembly {tmp_path} {there}" in capsys.readouterr().err


def test_an_unknown_department_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--department", "exmple-sandbox"]) == 1
    assert "Did you mean `example-sandbox`?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--persona", "audtor", "--persona", "devel"], "Did you mean `auditor`?"),
        (["--attack", "a-tool-of-nobdy"], "The corpus has none of this name."),
    ],
)
def test_a_name_that_ablate_does_not_find_is_told_before_anything_is_built(
    words: list[str], told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(steps, "build_assets", lambda: pytest.fail("it builds"))
    assert main(["ablate", *words]) == 1
    said = capsys.readouterr().err
    assert told in said
    assert all(word in said for word in words[1::2]), "each at once"


def test_elsewhere_it_says_where_to_go(tmp_path: Path) -> None:
    done = ringfence("check", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{tmp_path} is not the project's folder; work in it: cd {ROOT}" in done.stderr


def test_a_reader_that_leaves_early_changes_no_verdict_and_sees_no_traceback() -> None:
    line = f"{sys.executable} -m ringfence check | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("ringfence che", ["check"]),
        ("ringfence check --department example-s", ["example-saml", "example-sandbox"]),
        ("ringfence check --organisation ", ["example"]),
        ("ringfence check --qu", ["--quiet"]),
        ("ringfence connect --persona a", ["auditor"]),
        ("ringfence connect --department example-sandbox --host c", ["claude-code", "cursor"]),
        ("ringfence lock --server aws", ["aws-api"]),
        ("ringfence prove --only byte", ["bytecode"]),
    ],
)
def test_a_shell_is_offered_commands_options_and_names(typed: str, offered: list[str]) -> None:
    words = typed.split(" ")
    done = ringfence(_RINGFENCE_COMPLETE="bash_complete", COMP_WORDS=typed, COMP_CWORD=str(len(words) - 1))
    assert [line.partition(",")[2] for line in done.stdout.splitlines()] == offered


def test_the_script_that_setup_writes_is_the_command_in_whatever_folder(tmp_path: Path) -> None:
    for name in ("Makefile", "ringfence", "callpath"):
        (tmp_path / name).symlink_to(ROOT / name)
    venv = tmp_path / ".venv"
    (venv / "bin").mkdir(parents=True)
    for name in ("lib", "pyvenv.cfg", "bin/python"):
        (venv / name).symlink_to(Path(sys.prefix) / name)
    subprocess.run(["make", "-o", ".venv/.setup", ".venv/bin/ringfence"], cwd=tmp_path, check=True)
    done = subprocess.run([venv / "bin" / "ringfence", "check"], cwd="/", capture_output=True, text=True)
    assert done.returncode == 2 and f"cd {tmp_path}" in done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_is_given_what_it_takes_to_complete_wherever_it_starts(shell: str, tmp_path: Path) -> None:
    done = ringfence("completion", shell, cwd=tmp_path)
    assert done.returncode == 0 and f"_RINGFENCE_COMPLETE={shell}_complete" in done.stdout


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_it_ends_in_a_sentence_with_what_it_started(number: int, code: int, tmp_path: Path) -> None:
    """The app stands for whatever a command starts; it would run for an hour."""
    shutil.copytree(ROOT / "departments", tmp_path / "departments")
    (tmp_path / "catalogue").symlink_to(ROOT / "catalogue")
    begun = tmp_path / "begun"
    (tmp_path / "app.py").write_text(
        "import os, signal, time\nfrom pathlib import Path\nsignal.signal(signal.SIGINT, signal.SIG_DFL)\n"
        f"Path({str(begun)!r}).write_text(str(os.getpid()))\ntime.sleep(3600)\n"
    )
    process = subprocess.Popen(
        ["nohup", sys.executable, "-m", "ringfence", "synth", "--output", "out"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),  # as a shell's job in the background
    )
    wait_until(lambda: process.poll() is not None or (begun.exists() and begun.read_text() != ""))
    process.send_signal(signal.SIGHUP)  # which changes nothing, because nohup ignores it
    process.send_signal(number)
    _, said = process.communicate(timeout=LAST_RESORT_SECONDS)
    said = said.removeprefix("nohup: ignoring input\n")
    assert (process.returncode, said) == (code, "\nInterrupted; everything that was started has been stopped.\n")
    assert not Path(f"/proc/{begun.read_text()}").exists()
