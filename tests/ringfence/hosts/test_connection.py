"""Where a connection comes from, and what is said where it cannot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ringfence.catalogue.catalogue import load_catalogue
from ringfence.department.department import Department, load_department
from ringfence.hosts.connection import of_deployment, of_rehearsal, read_outputs
from ringfence.reading.problems import ProblemsFound
from tests.ringfence.hosts.conftest import DEPARTMENT, ROOT

Outputs = dict[str, dict[str, str]]


def test_both_forms_of_a_file_of_outputs_say_the_same(tmp_path: Path, outputs: Outputs) -> None:
    stacks = [
        {"StackName": name, "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in each.items()]}
        for name, each in outputs.items()
    ]
    (tmp_path / "aws.json").write_text(json.dumps({"Stacks": stacks}))
    (tmp_path / "cdk.json").write_text(json.dumps(outputs))
    assert read_outputs(tmp_path / "aws.json") == read_outputs(tmp_path / "cdk.json") == outputs


@pytest.mark.parametrize("text", ["", "[]", '"x"', '{"Stacks": [{}]}', '{"a": 1}'])
def test_a_file_that_holds_no_outputs_is_told_with_the_command_that_writes_one(tmp_path: Path, text: str) -> None:
    path = tmp_path / "outputs.json"
    path.write_text(text)
    with pytest.raises(ProblemsFound, match="describe-stacks"):
        read_outputs(path)


def test_every_missing_output_is_told_at_once(outputs: Outputs) -> None:
    department = of(DEPARTMENT)
    del outputs[f"ringfence-{DEPARTMENT}-developer"]
    del outputs[f"ringfence-{DEPARTMENT}-identity"]["KiroClientId"]
    with pytest.raises(ProblemsFound) as found:
        of_deployment(department, outputs)
    assert {problem.field for problem in found.value.problems} == {
        f"ringfence-{DEPARTMENT}-developer.GatewayUrl",
        f"ringfence-{DEPARTMENT}-developer.Scope",
        f"ringfence-{DEPARTMENT}-developer.ServerName",
        f"ringfence-{DEPARTMENT}-identity.KiroClientId",
    }


def of(name: str) -> Department:
    return load_department(name, catalogue=load_catalogue(ROOT / "catalogue"), root=ROOT / "departments")


def test_the_outputs_of_another_department_are_told_as_that(outputs: Outputs) -> None:
    beside = {"elsewhere": {"Key": "value"}, **outputs}
    with pytest.raises(ProblemsFound) as found:
        of_deployment(of("example-production"), beside)
    assert [str(problem) for problem in found.value.problems] == [
        'OUTPUTS = "example-sandbox": These are the outputs of example-sandbox, and not of example-production. '
        "Name their department, DEPARTMENT=example-sandbox, or give the outputs of example-production's own stacks."
    ]


ESCAPES = "\x1b[2J\x1b]0;read\x07"
STRANGE = ("x; rm -rf ~ #", f"{ESCAPES}x", "x`id`", "x$(id)", "x'", "x\nx", "x & id", "x | id")


@pytest.mark.parametrize("word", [f"{ESCAPES}x; rm -rf ~ #", "x; rm -rf ~ #", "waterways --help", "Waterways", "../x"])
def test_a_stack_that_is_named_as_no_departments_is_not_repeated(word: str) -> None:
    with pytest.raises(ProblemsFound) as found:
        of_deployment(of("example-production"), {f"ringfence-{word}-audit": {"A": "b"}})
    assert word not in str(found.value) and "\x1b" not in str(found.value)
    assert {problem.message for problem in found.value.problems} == {"There is no such stack."}


@pytest.mark.parametrize("strange", STRANGE)
@pytest.mark.parametrize(
    ("stack", "key"),
    [
        ("auditor", "ServerName"),
        ("auditor", "GatewayUrl"),
        ("auditor", "Scope"),
        ("identity", "SignInIssuer"),
        ("identity", "TokenEndpoint"),
        ("identity", "AuthorizationEndpoint"),
        ("identity", "SignInMetadataUrl"),
        ("identity", "ClaudeCodeClientId"),
    ],
)
def test_outputs_that_a_terminal_would_obey_are_refused(outputs: Outputs, stack: str, key: str, strange: str) -> None:
    outputs[f"ringfence-{DEPARTMENT}-{stack}"][key] = strange
    with pytest.raises(ProblemsFound, match="not what the stacks tell") as found:
        of_deployment(of(DEPARTMENT), outputs)
    assert "\x1b" not in str(found.value)


@pytest.mark.parametrize("strange", STRANGE)
@pytest.mark.parametrize(
    "path",
    [
        ("issuer",),
        ("authorization_endpoint",),
        ("token_endpoint",),
        ("gateways", "auditor", "url"),
        ("gateways", "auditor", "scope"),
        ("gateways", "auditor", "name"),
        ("clients", "our-own", "client_id"),
        ("clients", "our-own", "callback_urls", 0),
    ],
)
def test_a_rehearsals_words_that_a_terminal_would_obey_are_refused(
    serving: Path, path: tuple[Any, ...], strange: str
) -> None:
    found = json.loads(serving.read_text())
    place = found
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = strange
    serving.write_text(json.dumps(found))
    with pytest.raises(ProblemsFound, match="not what a rehearsal writes") as told:
        of_rehearsal(serving, kinds={"claude-code"})
    assert "\x1b" not in str(told.value)


def test_the_outputs_of_a_whole_account_hold_the_departments_beside_others(outputs: Outputs) -> None:
    beside = {"ringfence-waterways-identity": {"SignInIssuer": "https://login.example.org"}, **outputs}
    assert of_deployment(of(DEPARTMENT), beside).department == DEPARTMENT


def test_nobody_is_sent_to_deploy_an_example() -> None:
    with pytest.raises(ProblemsFound) as found:
        of_deployment(of("example-production"), {})
    assert {problem.remedy for problem in found.value.problems} == {
        "An example is never deployed: name your own department, DEPARTMENT=<name>."
    }


def test_the_outputs_that_are_read_are_those_of_the_templates(assemblies: dict[str, Any], outputs: Outputs) -> None:
    for stack, told in outputs.items():
        template = assemblies[DEPARTMENT].templates[stack.removeprefix(f"ringfence-{DEPARTMENT}-")]
        assert set(told) <= set(template["Outputs"]), stack


def test_a_rehearsal_that_does_not_serve_is_told_with_the_command(tmp_path: Path) -> None:
    with pytest.raises(ProblemsFound, match="make rehearse KEEP=1"):
        of_rehearsal(tmp_path / "connect.json", kinds=())


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"department": "x", "issuer": 1}'])
def test_what_no_rehearsal_writes_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "connect.json"
    path.write_text(text)
    with pytest.raises(ProblemsFound, match="not what a rehearsal writes"):
        of_rehearsal(path, kinds=())


def test_a_rehearsal_has_no_address_of_metadata_that_a_host_would_take(serving: Path) -> None:
    """Claude Code takes an `authServerMetadataUrl` only with https (its documentation, read 29 November 2026)."""
    assert of_rehearsal(serving, kinds={"claude-code"}).metadata_url is None
