"""The words that the SAM CLI is started with: what Ringfence adds to them, and what it leaves as it is."""

from __future__ import annotations

import importlib.util
import itertools
import json
from pathlib import Path
from types import ModuleType

import pytest

from ringfence.catalogue.catalogue import load_catalogue
from ringfence.catalogue.shown.published import published_definition
from ringfence.house_rules.records import RETENTION_DAYS

ROOT = Path(__file__).resolve().parents[2]
SHIM = ROOT / "catalogue" / "servers" / "serverless" / "shim" / "ringfence_sam"
ROLE = "arn:aws:iam::111122223333:role/ringfence-example-sandbox-stacks"
BOUNDARY = "arn:aws:iam::111122223333:policy/ringfence-example-sandbox-functions"
ENVIRONMENT = {"RINGFENCE_STACK_ROLE_ARN": ROLE, "RINGFENCE_FUNCTION_BOUNDARY_ARN": BOUNDARY}
# As the server writes them.
INIT = ["init", "--name", "shop", "--runtime", "python3.13", "--dependency-manager", "none", "--output-dir", "."]
INIT += ["--no-interactive", "--app-template", "function", "--architecture", "arm64", "--config-env", "ringfence"]
INIT += ["--package-type", "Zip"]
DEPLOY = [
    "deploy",
    "--stack-name",
    "ringfence-sandbox-shop",
    "--no-confirm-changeset",
    "--capabilities",
    "CAPABILITY_IAM",
]


@pytest.fixture(scope="module")
def arguments() -> ModuleType:
    spec = importlib.util.spec_from_file_location("ringfence_sam_arguments", SHIM / "arguments.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_deployment_names_the_role_its_stack_works_as(arguments: ModuleType) -> None:
    assert arguments.completed(DEPLOY, ENVIRONMENT) == [*DEPLOY, "--role-arn", ROLE]


def test_a_project_is_made_of_the_sandbox_template_and_nothing_chooses_another(arguments: ModuleType) -> None:
    made = arguments.completed(INIT, ENVIRONMENT)
    given = dict(itertools.pairwise(made))
    assert given["--location"] == str(SHIM / "templates" / "function") and Path(given["--location"]).is_dir()
    assert not {"--app-template", "--dependency-manager", "--package-type", "--runtime"} & set(made)
    filled = {"runtime": "python3.13", "architecture": "arm64", "extension": "py", "boundary": BOUNDARY}
    assert json.loads(given["--extra-context"]) == filled
    assert (given["--name"], given["--output-dir"]) == ("shop", ".")


@pytest.mark.parametrize(("runtime", "extension"), [("python3.14", "py"), ("nodejs22.x", "mjs")])
def test_the_language_follows_from_the_runtime(arguments: ModuleType, runtime: str, extension: str) -> None:
    words = [runtime if word == "python3.13" else word for word in INIT]
    made = arguments.completed(words, ENVIRONMENT)
    assert json.loads(made[-1])["extension"] == extension


def test_no_word_of_a_command_is_free_text() -> None:
    server = load_catalogue(ROOT / "catalogue").servers["serverless"]
    for name in ("sam_init", "sam_build", "sam_deploy", "sam_logs"):
        takes = published_definition(server, server.tools[name])["inputSchema"]["properties"]
        assert len(takes) >= 4
        for argument, part in takes.items():
            for form in (part, part.get("items", {}), *part.get("anyOf", ())):
                if "string" in str(form.get("type")):
                    assert {"pattern", "const", "enum"} & form.keys() or "const" in part, (name, argument)


@pytest.mark.parametrize("words", [["build"], ["logs", "--stack-name", "x"], ["--version"], []])
def test_every_other_command_stays_as_it_is(arguments: ModuleType, words: list[str]) -> None:
    assert arguments.completed(words, {}) == words


@pytest.mark.parametrize("words", [INIT, DEPLOY])
def test_nothing_starts_where_the_environment_lacks_what_it_needs(arguments: ModuleType, words: list[str]) -> None:
    with pytest.raises(KeyError):
        arguments.completed(words, {})


def test_a_new_function_keeps_its_log_as_long_as_every_other_log_group() -> None:
    template = next((SHIM / "templates" / "function").glob("*/template.yaml")).read_text(encoding="utf-8")
    assert "RetentionInDays: 731\n" in template
    assert RETENTION_DAYS == 731
