"""The SAM CLI in the runtime: it makes a project of the sandbox's template, offline, and says why it cannot build."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ringfence.assets.local import packages
from ringfence.catalogue.catalogue import load_catalogue
from ringfence.compilers.rules import runtime_rules
from ringfence.department.department import load_department

PROJECT = {
    "project_name": "shop",
    "runtime": "python3.13",
    "architecture": "arm64",
}


@pytest.fixture(scope="module")
def serverless(start_host: Any) -> Any:
    catalogue = load_catalogue()
    department = load_department("example-sandbox", catalogue=catalogue)
    department = department.model_copy(update={"personas": ("developer",)})
    rules = runtime_rules(catalogue, department, "developer", "serverless")
    # Without git, as in a runtime: `sam init` would end there.
    host = start_host(rules, server=packages("serverless"), PATH="/nonexistent")
    return host, rules


@pytest.fixture
def call(serverless: Any, token: Any, aws: Any) -> Any:
    host, rules = serverless

    def make(tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        identity = {"issuer": rules["issuer"], "audience": rules["audience"], "persona": "developer"}
        return host.call(tool, arguments, token(tool, arguments, **identity))

    return make


def home(serverless: Any) -> Path:
    """The folder that the server's process runs in."""
    (child,) = serverless[0].children()
    return Path(f"/proc/{child}/cwd").resolve()


def test_a_project_is_made_in_the_runtimes_own_folder_without_git_or_the_internet(call: Any, serverless: Any) -> None:
    result = call("sam_init", PROJECT)
    assert json.loads(result["content"][0]["text"])["success"] is True, result
    project = home(serverless) / "shop"
    assert "python3.13" in (project / "template.yaml").read_text()
    assert (project / "src" / "app.py").is_file()


def test_a_project_in_javascript_holds_javascript(call: Any, serverless: Any) -> None:
    call("sam_init", {**PROJECT, "project_name": "script", "runtime": "nodejs24.x"})
    assert "export const handler" in (home(serverless) / "script" / "src" / "app.mjs").read_text()


@pytest.mark.parametrize(("name", "value"), [("application_template", "hello-world"), ("runtime", "go1.x")])
def test_what_has_no_template_is_refused_before_the_cli_starts(call: Any, name: str, value: str) -> None:
    result = call("sam_init", {**PROJECT, "project_name": "other", name: value})
    assert result["isError"] is True and result["_meta"]["ringfence/layer"] == "runtime"


def test_a_build_that_would_need_the_internet_says_so(call: Any, serverless: Any) -> None:
    call("sam_init", {**PROJECT, "project_name": "built"})
    result = call("sam_build", {"project_directory": "built"})
    said = result["content"][0]["text"]
    assert result["_meta"]["ringfence/rule"] == "not-available-here", said
    assert "the internet cannot be reached" in said and "sam_deploy without sam_build" in said
    assert serverless[0].records()[-1]["cause"]["code"] == "NotAvailableHere"


@pytest.mark.parametrize("folder", ["/etc", "../shop", "..", ".", ".commands", "shop/../..", "shop\n", "--config-file"])
def test_no_other_folder_can_be_named(call: Any, folder: str) -> None:
    result = call("sam_build", {"project_directory": folder})
    assert result["isError"] is True and result["_meta"]["ringfence/layer"] == "runtime"
    assert result["_meta"]["ringfence/rule"] == "wrong-value", result


@pytest.mark.parametrize("name", ["location", "project_directory", "config_file", "profile", "tags", "extra_content"])
def test_what_could_name_another_source_or_identity_cannot_be_sent(call: Any, name: str) -> None:
    result = call("sam_init", {**PROJECT, name: "x"})
    assert result["_meta"]["ringfence/rule"] == "unknown-argument"
