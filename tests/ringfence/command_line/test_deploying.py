"""`ringfence deploy` and `diff`: what would be lost is told before the CDK is asked, and stops a deployment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ringfence.command_line import deploying, steps
from ringfence.command_line.entry import main
from ringfence.deployment.templates import CannotAsk

CDK = "node_modules/.bin/cdk"
OF = ("--department", "fisheries")
Ask = Callable[..., tuple[int, list[list[str]]]]


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Runs a command whose synthesis lays a folder out; returns its exit code, and how the CDK was called."""
    (tmp_path / "departments").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(steps, "checked", lambda named, to_deploy=False: str(named))
    monkeypatch.setattr(steps, "build_assets", lambda: None)

    def run(*words: str, told: int = 0, cdk: int = 0) -> tuple[int, list[list[str]]]:
        called: list[list[str]] = []

        def child(line: list[str], **_: str) -> int:
            if line[0] == CDK:
                called.append(line[1:])
                return cdk
            folder = Path(line[line.index("--output") + 1])
            folder.mkdir(parents=True)
            (folder / "new").touch()
            return 0

        def changes(*_: object, **__: object) -> int:
            assert called == [], "the words on losses come before those of the CDK"
            if told == 2:
                raise CannotAsk("the templates cannot be had")
            return told

        monkeypatch.setattr(steps, "child", child)
        monkeypatch.setattr("ringfence.deployment.confirmed.tell_changes", changes)
        return main(list(words)), called

    return run


def test_what_the_cdk_has_deployed_is_what_the_next_deployment_is_compared_with(ask: Ask) -> None:
    last = Path("build/deployed/fisheries")
    last.mkdir(parents=True)
    (last / "old").touch()
    handed = ["--no-rollback", "--require-approval", "never", "--profile=fisheries"]
    code, called = ask("deploy", *OF, "--", *handed)
    assert (code, called) == (0, [["deploy", "--all", "--app", "build/deploy/cdk.out", *handed]])
    assert [path.name for path in last.iterdir()] == ["new"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["ringfence-fisheries-audit"], "ringfence-fisheries-audit: every stack is deployed"),
        (["--profile", "fisheries", "one"], "one: every stack is deployed"),
        (["--no-rollback", "one"], "one: every stack is deployed"),
        (["--no-execute"], "--no-execute: this is not handed"),
        (["--execute", "false"], "--execute: this is not handed"),
        (["--method=prepare-change-set"], "--method=prepare-change-set: this is not handed"),
        (["--help"], "--help: this is not handed"),
        (["--rollback=no"], "--rollback=no: this is not handed"),
    ],
)
def test_a_part_of_a_deployment_is_refused_before_anything_is_built(
    ask: Ask, words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask("deploy", *OF, "--", *words) == (2, [])
    assert told in capsys.readouterr().err
    assert not Path("build").exists()


def test_an_organisations_deployment_is_kept_beside_the_departments(ask: Ask) -> None:
    assert ask("deploy", "--organisation", "ours")[0] == 0
    assert Path("build/deployed-organisation/ours/new").exists()


@pytest.mark.parametrize(("told", "cdk", "asked"), [(1, 0, 0), (2, 0, 0), (0, 1, 1)])
def test_what_is_not_deployed_replaces_nothing(ask: Ask, told: int, cdk: int, asked: int) -> None:
    code, called = ask("deploy", *OF, told=told, cdk=cdk)
    assert code == max(told, cdk) and len(called) == asked
    assert not Path("build/deployed").exists()


@pytest.mark.parametrize(("told", "cdk", "code", "asked"), [(0, 0, 0, 1), (1, 0, 1, 1), (0, 1, 1, 1), (2, 0, 2, 0)])
def test_a_comparison_shows_what_the_cdk_says_too_unless_nobody_can_be_asked(
    ask: Ask, told: int, cdk: int, code: int, asked: int
) -> None:
    ended, called = ask("diff", *OF, told=told, cdk=cdk)
    assert (ended, called) == (code, [["diff", "--method", "template", "--app", "build/diff/cdk.out"]] * asked)


def test_a_comparison_makes_no_change_set_unless_somebody_wants_one(ask: Ask) -> None:
    _, (called,) = ask("diff", *OF, "--", "--method=auto")
    assert called == ["diff", "--app", "build/diff/cdk.out", "--method=auto"]


def test_a_comparison_with_a_folder_asks_nobody(ask: Ask, tmp_path: Path) -> None:
    assert ask("diff", *OF, "--against", str(tmp_path), told=1) == (1, [])


@pytest.mark.parametrize("told", [0, 1])
def test_one_template_is_compared_with_by_its_file(ask: Ask, tmp_path: Path, told: int) -> None:
    file = tmp_path / "ringfence-fisheries-audit.template.json"
    file.touch()
    code, (called,) = ask("diff", *OF, "--against", str(file), "--accept", "ringfence-fisheries-audit/It", told=told)
    assert code == told
    assert called[:5] == ["diff", "ringfence-fisheries-audit", "--exclusively", "--template", str(file)]


def test_the_cdk_that_is_called_is_the_projects_own() -> None:
    assert deploying._CDK == CDK
    assert (Path(__file__).parents[3] / CDK).exists()
