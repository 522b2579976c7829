"""The bench's own arithmetic, its command line, and that it leaves nothing running."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from ringfence.catalogue.catalogue import Catalogue
from ringfence.department.department import load_department
from ringfence.deployed.assembly import Assembly
from ringfence.proofs.evidence import Evidence
from ringfence.proofs.expected_permissions import ExpectedPermissions
from ringfence.proofs.sweeps.permission_sweeps import PermissionSweeps
from tests.bench import departments, growth, starts, sweeps, synth
from tests.bench.__main__ import SECTIONS, main
from tests.bench.counted import endpoints, templates, tool_lists
from tests.bench.processes import ROOT, Ran
from tests.waiting import LAST_RESORT_SECONDS, running, wait_until

PRICE = endpoints.Price(per_zone_hour=0.5, per_gb=0.1, hours_a_month=10, source="made up", read="2026-01-01")


def test_an_endpoint_costs_its_zones_and_a_gateway_endpoint_nothing() -> None:
    placed = [
        endpoints.Placed("logs", "eu-west-2", 2),
        endpoints.Placed("iam", "us-east-1", 3),
        endpoints.Placed("s3", "eu-west-2", 0),
    ]
    assert endpoints.monthly_usd(placed, PRICE) == (2 + 3) * 0.5 * 10


def test_the_price_is_committed_with_its_source_and_date() -> None:
    listed = endpoints.price()
    assert "price list" in listed.source and listed.read.year >= 2026
    assert 0 < listed.per_zone_hour < 1 and 0 < listed.per_gb < 1


def test_growth_tells_totals_at_its_marks_and_the_last_against_the_first() -> None:
    ran = [
        Ran(seconds=2.0, cpu_seconds=1.0 if number < 6 else 3.0, peak_mb=100 + number, output="")
        for number in range(12)
    ]
    rows = growth.growth(ran)

    assert [(row.what, row.value) for row in rows[:4]] == [
        ("cdk synth of 1 department", 2.0),
        ("cdk synth of 5 departments", 10.0),
        ("cdk synth of 10 departments", 20.0),
        ("cdk synth of 12 departments", 24.0),
    ]
    assert rows[4].value == 3.0
    assert "peak 111 MB" in rows[3].note


def test_a_single_department_has_nothing_to_be_compared_with() -> None:
    assert [row.value for row in growth.growth([Ran(2.0, 1.0, 100.0, "")])] == [2.0]


def test_a_ratio_is_taken_pair_by_pair_in_wall_and_in_processor_time() -> None:
    ours = [Ran(seconds, 6.0, 100.0, "") for seconds in (4.0, 30.0, 9.0)]
    theirs = [Ran(seconds, 2.0, 100.0, "") for seconds in (2.0, 10.0, 3.0)]
    wall, processor = synth._ratios("ours", ours, theirs, goal=2.5)

    assert (wall.value, wall.verdict) == (3.0, "")
    assert (processor.value, processor.verdict) == (3.0, "MISSED")


def test_a_start_is_compared_round_by_round_when_it_lists_and_when_it_takes_calls() -> None:
    taken = [
        (2.0, starts.Start(listed=1.0, serving=3.0), starts.Start(listed=9.0, serving=6.0)),
        (4.0, starts.Start(listed=4.0, serving=4.4), starts.Start(listed=9.0, serving=11.0)),
        (3.0, starts.Start(listed=6.0, serving=4.2), starts.Start(listed=9.0, serving=7.0)),
    ]
    rows = starts.rows_of("iam", taken)

    assert [round(row.value, 3) for row in rows] == [1.0, 0.364, 1.4, 0.5]
    assert [row.goal for row in rows] == [1.1, 0.5, None, None]


def test_processor_time_is_that_of_a_process_and_of_what_it_started() -> None:
    burn = "import sys, time\nwhile time.process_time() < 0.3: pass\nprint(flush=True)\nsys.stdin.read()"
    start = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}])"
    process = subprocess.Popen(
        [sys.executable, "-c", start], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()  # the child has used its share, and both wait
        assert starts._processor_seconds(process.pid) >= 0.3
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.parametrize(("resources", "verdict"), [(400, "met"), (401, "MISSED")])
def test_a_stack_of_more_than_400_resources_misses_the_goal(tmp_path: Path, resources: int, verdict: str) -> None:
    template = {"Resources": {f"R{number}": {} for number in range(resources)}}
    (tmp_path / "wide.template.json").write_text(json.dumps(template))
    rows = templates.rows_of("department x", templates.templates(tmp_path))

    assert [(row.value, row.verdict) for row in rows if "resources of wide" in row.what] == [(resources, verdict)]


def test_every_role_of_a_department_has_a_row_and_the_personas_a_goal(assemblies: dict[str, Any]) -> None:
    made = assemblies[departments.PRODUCTION]
    expected = ExpectedPermissions.read(
        made.department.name, catalogue=ROOT / "catalogue", departments=ROOT / "departments"
    )
    evidence = Evidence(Assembly.load(made.folder), expected=expected, department=made.department)

    assert sweeps._all_personas(departments.PRODUCTION, evidence).verdict == "met"
    assert len(sweeps._each_role(PermissionSweeps(evidence))) == len(evidence.roles)


def test_the_sandbox_with_every_server_enables_each_optional_server_for_all_who_may_have_it(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    text = departments.with_every_server(departments.text_of(departments.SANDBOX), catalogue)
    home = departments.home(tmp_path / "home", {departments.EVERYTHING: text})
    department = load_department(departments.EVERYTHING, catalogue=catalogue, root=home / "departments")

    for persona in department.personas:
        held = {server.name for server in catalogue.servers_of(persona, department)}
        optional = {name for name in catalogue.personas[persona].servers if catalogue.servers[name].optional}
        assert optional <= held
    again = departments.with_every_server(text, catalogue)
    assert tomllib.loads(again) == tomllib.loads(text), "what a file enables already is not enabled twice"


def test_a_further_department_is_a_valid_one_of_another_name(tmp_path: Path, catalogue: Catalogue) -> None:
    home = departments.home(tmp_path / "home", {"example-07": departments.renamed("example-07")})
    assert load_department("example-07", catalogue=catalogue, root=home / "departments").name == "example-07"


@pytest.mark.parametrize("wrong", [["--only", "nothing"], ["--departments", "0"], ["--without", "nothing"]])
def test_a_wrong_argument_is_told_with_exit_2(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(wrong)
    assert ended.value.code == 2
    assert wrong[0] in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_ends_with_all_that_it_started(tmp_path: Path, number: signal.Signals) -> None:
    pids = tmp_path / "pids"
    shell = f"sleep 3600 & echo $! $$ > {pids}.new; mv {pids}.new {pids}; wait"
    code = f"""
import signal, sys
from tests.bench.processes import run
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
run(["sh", "-c", {shell!r}])
"""
    bench = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.DEVNULL)
    watching = Path(f"/proc/{bench.pid}/task")  # a second thread watches what it started
    wait_until(lambda: bench.poll() is not None or (pids.exists() and len(os.listdir(watching)) == 2))
    bench.send_signal(number)
    assert bench.wait(LAST_RESORT_SECONDS) != 0
    assert [pid for pid in pids.read_text().split() if running(pid)] == []


def test_a_list_of_tools_is_weighed_against_the_servers_own() -> None:
    ours, theirs = [{"name": "é" * 10}], [{"name": "x" * 100, "description": "y" * 100}]
    size, tokens, share = tool_lists.rows_of("auditor", ours, theirs)
    assert (round(size.value * 1000), tokens.value) == (43, 33 / 4), "23 signs of JSON around ten letters of two bytes"
    assert round(share.value, 3) == round(43 / 240, 3) and share.verdict == "met"


def test_the_page_of_figures_names_every_section_that_gives_one_and_no_other() -> None:
    page = (ROOT / "docs" / "verification.md").read_text(encoding="utf-8")
    named = re.findall(r"^\| `([a-z-]+)` \| .+ \| .+ \|.*\|$", page.partition("## Measured")[2], re.M)
    assert set(named) == {*SECTIONS} - {"oracle-sample"}, "the sample only says what a part of the simulator takes"
