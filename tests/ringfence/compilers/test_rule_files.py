"""The rule files that go into the zips."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from callpath.arguments import ToolRule, check_arguments
from callpath.digest import digest
from ringfence.catalogue.catalogue import Catalogue, load_catalogue
from ringfence.compilers import rules
from ringfence.department.department import Answers, Department
from tests.waiting import LAST_RESORT_SECONDS

ROOT = Path(__file__).resolve().parents[3]


def test_interceptor_rules_hold_exactly_the_personas_tools(catalogue: Catalogue, department: Department) -> None:
    made = rules.interceptor_rules(catalogue, department, "auditor")
    assert sorted(made["tools"]) == [
        "cloudwatch___advise",
        "cloudwatch___batch",
        "cloudwatch___query",
        "iam___get_policy",
        "iam___list_users",
    ]
    query = made["tools"]["cloudwatch___query"]
    assert query["definition"]["name"] == "cloudwatch___query"
    assert query["sha256"] == digest(query["definition"])
    assert query["audience"] == "urn:ringfence:example:auditor:cloudwatch"
    assert (query["level"], query["untrusted"], query["sensitive"]) == ("read", True, True)
    assert query["forced"] == {"region": "eu-west-2"}
    assert made["issuer"] == "urn:ringfence:example:auditor:request-interceptor"
    assert made["redaction"][0]["label"] == "NINO"
    assert "resources/list" not in made["methods"]


def test_an_answer_is_cut_where_the_department_says(catalogue: Catalogue, department: Department) -> None:
    assert rules.interceptor_rules(catalogue, department, "auditor")["limits"]["response_bytes"] == 100_000
    more = department.model_copy(update={"answers": Answers(most_bytes=200_000)})
    assert rules.interceptor_rules(catalogue, more, "auditor")["limits"]["response_bytes"] == 200_000


def test_the_policy_version_changes_with_any_rule(
    catalogue: Catalogue, catalogue_root: Path, department: Department
) -> None:
    before = rules.interceptor_rules(catalogue, department, "auditor")
    version = before.pop("policy_version")
    assert version == digest(before)
    path = catalogue_root / "redaction.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("[A-D]", "[A-DX]"), encoding="utf-8")
    after = rules.interceptor_rules(load_catalogue(catalogue_root), department, "auditor")
    assert after["policy_version"] != version


def test_the_published_schema_and_the_argument_check_agree(catalogue: Catalogue, department: Department) -> None:
    tool = rules.interceptor_rules(catalogue, department, "auditor")["tools"]["cloudwatch___batch"]
    rule = ToolRule(name="batch", input_schema=tool["definition"]["inputSchema"], forced=tool["forced"])
    assert check_arguments(rule, {"threshold": 1.5}) == {"threshold": 1.5, "regions": ["eu-west-2"]}


def test_runtime_rules_hold_one_servers_tools_and_the_lock_of_all(catalogue: Catalogue, department: Department) -> None:
    made = rules.runtime_rules(catalogue, department, "auditor", "iam")
    assert sorted(made["tools"]) == ["get_policy", "list_users"]
    assert sorted(made["lock"]) == ["create_user", "get_policy", "list_users"]
    list_users = made["tools"]["list_users"]
    assert list_users["definition"]["name"] == "list_users"
    assert list_users["filled"] == {"ctx": {"content": []}}
    assert list_users["session_policy"]["Statement"][0]["Action"] == ["iam:ListUsers"]
    assert made["audience"] == "urn:ringfence:example:auditor:iam"
    assert (made["module"], made["flags"]) == ("example.iam", [])


def test_a_hidden_argument_without_a_value_is_neither_seen_nor_sent(
    catalogue: Catalogue, department: Department
) -> None:
    query = rules.runtime_rules(catalogue, department, "auditor", "cloudwatch")["tools"]["query"]
    assert "profile_name" not in query["definition"]["inputSchema"]["properties"]
    assert query["filled"] == {}
    assert query["timeout_seconds"] == 120


def test_the_bytes_do_not_depend_on_the_process_that_made_them() -> None:
    """Set and dict order differ between processes; the zips are content-addressed, so the bytes must not."""
    script = (
        "import hashlib, sys; from pathlib import Path\n"
        "from ringfence.compilers import cedar, iam, rules\n"
        "from ringfence.catalogue.catalogue import load_catalogue\n"
        "from ringfence.department.department import load_department\n"
        "c = load_catalogue(); d = load_department('example-production', catalogue=c)\n"
        "parts = [rules.to_json(rules.interceptor_rules(c, d, 'auditor'))]\n"
        "parts += [rules.to_json(rules.runtime_rules(c, d, 'auditor', s)) for s in sorted(c.servers)]\n"
        "parts += [repr(cedar.permit_statements(c, d, 'auditor', 'arn', 'url')).encode()]\n"
        "parts += [rules.to_json(iam.endpoint_policy(c, d, e.service)) for e in iam.services(c, d)]\n"
        "parts += [rules.to_json(iam.persona_boundary(c, d, 'auditor'))]\n"
        "print(hashlib.sha256(b''.join(parts)).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
            timeout=LAST_RESORT_SECONDS,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


def test_rule_files_are_readable_json(catalogue: Catalogue, department: Department) -> None:
    made = rules.interceptor_rules(catalogue, department, "auditor")
    text = rules.to_json(made)
    assert json.loads(text) == made
    assert text.endswith(b"}\n")
