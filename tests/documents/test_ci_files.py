"""The files for GitHub Actions and GitLab: they name what exists, pin what they use, and may do little."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ringfence.proofs.prove import REPORT
from ringfence.rehearsal.reporting.document import FOLDER

ROOT = Path(__file__).resolve().parents[2]
CI = ROOT / "docs" / "ci"
GITHUB = yaml.safe_load((CI / "github-actions.yml").read_text())
GITLAB = yaml.safe_load((CI / "gitlab-ci.yml").read_text())
GITLAB_JOBS = {name: job for name, job in GITLAB.items() if isinstance(job, dict) and "script" in job}
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z0-9-]+):", MAKEFILE, re.M))
VARIABLES = {"ARGS", *re.search(r"^SETTINGS := (.*)$", MAKEFILE, re.M)[1].split()}
_PIN = re.compile(r"^ *(?:- )?uses: ([\w./-]+)@([0-9a-f]{40}) # v\d+\.\d+\.\d+$")


def scripts() -> Iterator[tuple[str, str]]:
    """Every script of both files, with the job it is in."""
    for name, job in GITHUB["jobs"].items():
        yield from ((f"github {name}", step["run"]) for step in job["steps"] if "run" in step)
    for name, job in GITLAB_JOBS.items():
        yield from ((f"gitlab {name}", line) for line in job["script"])


def makes() -> Iterator[tuple[str, list[str]]]:
    """Every call of make, as words."""
    for where, script in scripts():
        for line in script.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ["make"]:
                yield where, words[1:]


def uploads() -> Iterator[str]:
    """Every path that a job hands on."""
    for job in GITHUB["jobs"].values():
        for step in job["steps"]:
            if "upload-artifact" in step.get("uses", ""):
                yield from step["with"]["path"].split()
            yield from (step["with"][key] for key in ("sarif_file",) if key in step.get("with", {}))
    for job in GITLAB_JOBS.values():
        yield from job.get("artifacts", {}).get("paths", ())
        yield from job.get("artifacts", {}).get("reports", {}).values()


def test_both_files_call_make_and_nothing_that_it_does_not_have() -> None:
    called = list(makes())
    assert {where.split()[0] for where, _ in called} == {"github", "gitlab"}
    for where, words in called:
        folder = words.index("--directory") + 2 if "--directory" in words else 0
        target, *given = words[folder:]
        assert target in TARGETS, f"{where}: make {target}"
        assert {each.partition("=")[0] for each in given} <= VARIABLES, f"{where}: {given}"


@pytest.mark.parametrize(("where", "words"), list(makes()), ids=lambda value: str(value)[:40])
def test_make_takes_each_call_as_it_is_written(where: str, words: list[str]) -> None:
    """`make --dry-run` refuses a variable that its command does not take."""
    words = [each.replace("$DEPARTMENT", "example-production") for each in words]
    if "--directory" in words:
        words[words.index("--directory") + 1] = "."
    done = subprocess.run(["make", "--dry-run", *words], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, f"{where}: {done.stderr}"


def test_each_path_that_is_handed_on_is_one_that_a_command_writes() -> None:
    written = MAKEFILE + "\n".join(script for _, script in scripts())
    written += f"{REPORT} {FOLDER / 'report.json'} {FOLDER / 'report.html'}"
    paths = set(uploads())
    assert len(paths) >= 7
    assert [path for path in paths if path not in written] == []


def test_each_action_is_pinned_by_the_commit_of_a_release() -> None:
    lines = [line for line in (CI / "github-actions.yml").read_text().splitlines() if "uses:" in line]
    assert lines
    assert [line for line in lines if not _PIN.match(line)] == []
    pins: dict[str, set[str]] = {}
    for line in lines:
        found = _PIN.match(line)
        assert found
        pins.setdefault(found[1], set()).add(found[2])
    assert [action for action, commits in pins.items() if len(commits) > 1] == []


def test_what_runs_the_branch_may_only_read_and_what_may_write_runs_nothing_of_it() -> None:
    assert GITHUB["permissions"] == {"contents": "read"}
    writing = {name: job for name, job in GITHUB["jobs"].items() if "permissions" in job}
    assert list(writing) == ["tell"]
    assert writing["tell"]["permissions"] == {
        "actions": "read",
        "contents": "read",
        "pull-requests": "write",
        "security-events": "write",
    }
    said = "".join(step.get("run", "") for step in writing["tell"]["steps"])
    assert not re.search(r"\b(make|python|npm|bash|sh|source)\b", said)


def test_gitlab_is_given_no_secret_since_every_job_of_the_pipeline_would_hold_it() -> None:
    """All jobs of a pipeline are given the protected variables or none is, those that run the branch too."""
    written = (CI / "gitlab-ci.yml").read_text()
    used = set(re.findall(r"\$\{?(\w+)", written))
    assert {name for name in used if not name.startswith("CI_")} <= set(GITLAB["variables"])
    assert not re.search(r"_token|_password|secret|id_tokens|private-token", written, re.IGNORECASE)
    assert all(re.search(r"^ *make ", "\n".join(job["script"]), re.M) for job in GITLAB_JOBS.values())


def test_the_merge_request_links_to_the_comment() -> None:
    """GitLab links to what `expose_as` names only where the paths hold no pattern and do not begin with `./`."""
    artifacts = GITLAB_JOBS["comment"]["artifacts"]
    assert artifacts["expose_as"]
    assert artifacts["paths"] == ["build/review/comment.md"]


def test_no_value_of_a_pull_request_becomes_part_of_a_script() -> None:
    assert [where for where, script in scripts() if "${{" in script] == []
    triggers: Any = GITHUB[True]  # YAML 1.1 reads the key `on` as true
    assert set(triggers) == {"push", "pull_request"}


def test_no_checkout_leaves_its_token_behind() -> None:
    checkouts = [
        step for job in GITHUB["jobs"].values() for step in job["steps"] if "actions/checkout" in step.get("uses", "")
    ]
    assert len(checkouts) == 5
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_every_job_ends_in_time() -> None:
    assert all("timeout-minutes" in job for job in GITHUB["jobs"].values())


def test_the_comment_is_found_again_by_the_line_that_it_begins_with() -> None:
    from ringfence.review.comment import marker

    (script,) = (script for where, script in scripts() if where == "github tell")
    assert marker("lab") == "<!-- ringfence: lab -->"
    assert '"<!-- ringfence: " + env.DEPARTMENT + " -->"' in script


@pytest.mark.parametrize("forge", ["github", "gitlab"])
@pytest.mark.parametrize("there", [True, False])
def test_a_department_that_the_branch_before_lacks_is_compared_with_nothing(
    tmp_path: Path, forge: str, there: bool
) -> None:
    """The script as the forge runs it, with a make that says how it was called."""
    (script,) = (each for where, each in scripts() if where.startswith(forge) and "make comment" in each)
    (tmp_path / "make").write_text('#!/bin/sh\necho "$@"\n')
    (tmp_path / "make").chmod(0o755)
    base = tmp_path / "build" / "base" / "departments"
    base.mkdir(parents=True)
    if there:
        (base / "fisheries.toml").touch()
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "DEPARTMENT": "fisheries"}
    said = subprocess.run(
        ["bash", "-e", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    ).stdout
    assert ("--directory build/base synth" in said) is there
    assert ("AGAINST=build/base/cdk.out" in said) is there
    assert ("ARGS=--new " in said) is not there
