"""What a caller is told of a tool not held is true of the catalogue as it is written: every tool of every persona."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from callpath.arguments import ToolRule
from ringfence.catalogue.catalogue import Catalogue, load_catalogue
from ringfence.compilers.rules import interceptor_rules
from ringfence.department.department import load_department

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ("example-production", "example-saml", "example-sandbox")
LEVELS = ("read", "write", "permissions", "execute", "credential")
SERVERS = {
    path.parent.name: tomllib.loads(path.read_text("utf-8")) for path in ROOT.glob("catalogue/servers/*/server.toml")
}
PERSONAS = tomllib.loads((ROOT / "catalogue/personas.toml").read_text("utf-8"))["personas"]


@dataclass
class Told:
    """One reason, and the files' own words about what it is given for."""

    department: dict[str, Any]
    held: dict[str, dict[str, Any]]
    server: str
    tool: str
    operation: str = ""

    @property
    def subject(self) -> dict[str, Any]:
        tool = SERVERS[self.server]["tools"][self.tool]
        return dict(tool["operations"][self.operation] if self.operation else tool)

    @property
    def level(self) -> str:
        operations = self.subject.get("operations", {}).values()
        return max((str(each["level"]) for each in operations or (self.subject,)), key=LEVELS.index)

    @property
    def listed(self) -> list[str]:
        """Whom the catalogue means to have it."""
        names = {self.tool, f"{self.tool}.{self.operation}"} if self.operation else {self.tool}
        return [
            persona
            for persona, file in PERSONAS.items()
            for each in file["servers"].get(self.server, ())
            if each in names or (not self.operation and each.startswith(f"{self.tool}."))
        ]

    @property
    def holders(self) -> list[str]:
        """Those of the department who can call it."""
        name = f"{self.server}___{self.tool}"
        if not self.operation:
            return [persona for persona, tools in self.held.items() if name in tools]
        return [
            persona
            for persona, tools in self.held.items()
            if name in tools and self.operation in tools[name]["operations"]["levels"]
        ]

    def is_true(self, text: str, persona: str) -> bool:
        """Whether every clause of a reason holds."""
        here = self.department["personas"]
        absent = [each for each in dict.fromkeys(self.listed) if each not in here]
        if found := re.fullmatch(r"Nobody may have it: (.+)\.", text):
            return found[1] in _plain(self.subject["refused"])
        if found := re.fullmatch(r"It belongs to the (.+): sign in as such\.", text):
            return found[1].split(" and the ") == self.holders and persona not in self.holders
        if found := re.fullmatch(r"It belongs to the (.+?), but is not held there either: (.+)", text):
            others = found[1].split(" and the ")
            meant = set(others) <= set(here) & set(self.listed) and not self.holders
            return meant and self.is_true(found[2], others[0])
        if found := re.fullmatch(r"It belongs to the (.+), whom this department does not have\.", text):
            return found[1].split(" and the ") == absent and not set(self.listed) & set(here)
        if found := re.fullmatch(r"No persona of the department holds it\. (.+)\.", text):
            return not self.listed and self._nobody(found[1])
        return persona in self.listed and persona not in self.holders and self._of_the_department(text, persona)

    def _nobody(self, why: str) -> bool:
        note = _plain(self.subject.get("note", ""))
        if note.startswith("Not granted"):
            return note.partition(": ")[2].casefold().startswith(why.casefold())
        return why == f"Its level is {self.level}, and no review has given it to anybody"

    def _of_the_department(self, text: str, persona: str) -> bool:
        environment = self.department["environment"]
        levels = PERSONAS[persona].get("sandbox_levels" if environment == "sandbox" else "levels", ())
        if text.startswith("It is switched off. The department can add [[enable]]"):
            enabled = [each for each in self.department.get("enable", ()) if each["persona"] == persona]
            return SERVERS[self.server].get("optional", False) and self.server not in [e["server"] for e in enabled]
        if text.startswith("It is sensitive and switched off. The department can add [[sensitive]]"):
            place = ".".join(filter(None, (self.server, self.tool, self.operation)))
            return bool(self.subject["sensitive"]) and self.level in levels and f'tool = "{place}"' in text
        return self.level not in levels and text == (
            f"Its level is {self.level}, which the {persona} does not hold in {environment}."
        )


def _plain(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture(scope="module")
def real() -> Catalogue:
    return load_catalogue(ROOT / "catalogue")


@pytest.fixture(scope="module", params=EXAMPLES)
def files(request: pytest.FixtureRequest, real: Catalogue) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """A department as it is written, and each persona's rules."""
    department = load_department(request.param, catalogue=real, root=ROOT / "departments")
    written = tomllib.loads((ROOT / f"departments/{request.param}.toml").read_text("utf-8"))
    return written, {persona: interceptor_rules(real, department, persona) for persona in written["personas"]}


def reasons(rules: dict[str, Any]) -> Iterator[tuple[list[str], str]]:
    for name, text in rules["not_held"].items():
        yield name.split("___"), text
    for name, tool in rules["tools"].items():
        for operation, text in tool["not_held"].items():
            yield [*name.split("___"), operation], text


def test_every_reason_for_what_is_not_held_is_true(files: tuple[dict[str, Any], dict[str, dict[str, Any]]]) -> None:
    department, each = files
    held = {persona: rules["tools"] for persona, rules in each.items()}
    every = {f"{server}___{tool}" for server, file in SERVERS.items() for tool in file.get("tools", ())}
    for persona, rules in each.items():
        assert {*rules["not_held"], *rules["tools"]} == every
        wrong = {
            ".".join(place): text
            for place, text in reasons(rules)
            if not Told(department, held, *place).is_true(text, persona)
        }
        assert not wrong, persona


@pytest.mark.parametrize(
    ("tool", "told"),
    [
        ("eks___list_k8s_resources", "It belongs to the developer, whom this department does not have."),
        (
            "iam___delete_user",
            "No persona of the department holds it. Its level is write, and no review has given it to anybody.",
        ),
        (
            "cloudtrail___get_query_status",
            "No persona of the department holds it. Of no use without lake_query.",
        ),
        (
            "dataprocessing___get_policies_for_role",
            "No persona of the department holds it. Server eks has the same tool.",
        ),
    ],
)
def test_a_note_is_a_reason_only_where_it_says_why_nobody_holds_the_tool(real: Catalogue, tool: str, told: str) -> None:
    department = load_department("example-production", catalogue=real, root=ROOT / "departments")
    assert interceptor_rules(real, department, "auditor")["not_held"][tool] == told


def test_every_example_in_a_refusal_passes_the_rule_that_it_explains(
    files: tuple[dict[str, Any], dict[str, dict[str, Any]]],
) -> None:
    """None is left out either, as one is that the department may not send."""
    for rules in files[1].values():
        for name, tool in rules["tools"].items():
            server, _, bare = name.partition("___")
            written = {argument for each in SERVERS[server]["tools"][bare].get("examples", ()) for argument in each}
            properties = tool["definition"]["inputSchema"]["properties"]
            assert set(tool["examples"]) == written & set(properties), name
            for argument, value in tool["examples"].items():
                assert not re.search(r"\{[a-z_]+\}", str(value)), (name, argument)
                ToolRule(name, {"properties": {argument: properties[argument]}}, {}).validate({argument: value})
