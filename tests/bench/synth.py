"""What synthesis costs, of a small department and of one with every server, against an app with one empty stack."""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.bench import departments
from tests.bench.processes import ROOT, Ran, in_turn, progress, run
from tests.bench.table import Row

ROUNDS = 3

EMPTY_APP = """
import aws_cdk as cdk
app = cdk.App(analytics_reporting=False)
stack = cdk.Stack(app, "Empty", env=cdk.Environment(account="111122223333", region="eu-west-2"))
cdk.CfnWaitConditionHandle(stack, "Nothing")
app.synth()
"""


def rows() -> list[Row]:
    """`cdk synth` of the production example, of the sandbox with every server and of an empty stack, in turn."""
    home = departments.measured_home()
    (home / "empty.py").write_text(EMPTY_APP)
    progress(f"{ROUNDS + 1} rounds of three apps")
    with tempfile.TemporaryDirectory(prefix="ringfence-bench-") as scratch:

        def of(department: str) -> Callable[[], Ran]:
            command = departments.synth("app.py", Path(scratch) / department, f"department={department}")
            return lambda: run(command, cwd=home, environment=departments.ENVIRONMENT)

        empty_command = departments.synth("empty.py", Path(scratch) / "empty")
        production, everything, empty = in_turn(
            ROUNDS,
            of(departments.PRODUCTION),
            of(departments.EVERYTHING),
            lambda: run(empty_command, cwd=home, environment=departments.ENVIRONMENT),
        )
    servers = sorted({runtime.server for runtime in departments.evidence(departments.EVERYTHING).runtimes})
    return [
        *_ratios(f"cdk synth of {departments.PRODUCTION} against one empty stack", production, empty, goal=2.5),
        *_phase_rows(departments.PRODUCTION),
        *_ratios(f"cdk synth of {departments.EVERYTHING} against one empty stack", everything, empty),
        *_ratios(f"  against {departments.PRODUCTION}", everything, production),
        Row("  peak memory", max(ran.peak_mb for ran in everything), "MB", note=f"servers: {', '.join(servers)}"),
        *_phase_rows(departments.EVERYTHING),
    ]


def _ratios(what: str, ours: list[Ran], theirs: list[Ran], *, goal: float | None = None) -> list[Row]:
    """Wall time, and processor time, which the goal is about: a busy machine distorts it less."""
    wall = [(one.seconds, two.seconds) for one, two in zip(ours, theirs, strict=True)]
    cpu = [(one.cpu_seconds, two.cpu_seconds) for one, two in zip(ours, theirs, strict=True)]
    return [_ratio(what, wall), _ratio("  in processor time", cpu, goal)]


def _ratio(what: str, pairs: Sequence[tuple[float, float]], goal: float | None = None) -> Row:
    ours, theirs = (statistics.median(each) for each in zip(*pairs, strict=True))
    ratio = statistics.median(one / two for one, two in pairs)
    return Row(what, ratio, "x", goal, f"{ours:.1f} s against {theirs:.1f} s")


def _phase_rows(department: str) -> list[Row]:
    command = [sys.executable, "-m", "tests.bench.synth", department]
    ran = run(command, cwd=departments.measured_home(), environment=departments.ENVIRONMENT)
    return [
        Row(f"  of which {name}", seconds, "s") for name, seconds in json.loads(ran.output.splitlines()[-1]).items()
    ]


def phases(department: str) -> dict[str, float]:
    """Seconds of each phase of one synthesis in this process, with and without house rules and nag packs."""
    laps, last = {}, time.monotonic()

    def lap(name: str) -> None:
        nonlocal last
        laps[name] = round(time.monotonic() - last, 2)
        last = time.monotonic()

    import aws_cdk as cdk

    cdk.App(analytics_reporting=False)
    lap("start of jsii and aws-cdk-lib")
    import app as ringfence

    lap("import of the constructs")
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    with tempfile.TemporaryDirectory(prefix="ringfence-bench-") as scratch:
        for name, checked in (
            ("templates and built-in validation", False),
            ("the same with house rules and cdk-nag", True),
        ):
            made = cdk.App(context=context, analytics_reporting=False, outdir=f"{scratch}/{checked}")
            last = time.monotonic()
            declared = ringfence.build(made, department)
            if not checked:
                lap("models, compilers, construct tree")
            else:
                last = time.monotonic()
                ringfence.add_checks(made, declared=declared)
            made.synth()
            lap(name)
    return laps


if __name__ == "__main__":
    print(json.dumps(phases(sys.argv[1])))
