"""What synthesis costs, against an app with one empty stack, and where the time goes."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.processes import ROOT, paired, run
from tests.bench.table import Row

EMPTY_APP = """
import aws_cdk as cdk
app = cdk.App(analytics_reporting=False)
stack = cdk.Stack(app, "Empty", env=cdk.Environment(account="111122223333", region="eu-west-2"))
cdk.CfnWaitConditionHandle(stack, "Nothing")
app.synth()
"""


def rows(department: str = "example-production") -> list[Row]:
    """The ratio of the two `cdk synth` commands, and the phases of ours."""
    cdk = [str(ROOT / ".venv/bin/node"), str(ROOT / "node_modules/aws-cdk/bin/cdk"), "synth", "--quiet"]
    with tempfile.TemporaryDirectory() as scratch:
        empty = Path(scratch) / "empty.py"
        empty.write_text(EMPTY_APP)
        ours = [*cdk, "--output", f"{scratch}/ours", "-c", f"department={department}"]
        theirs = [*cdk, "--output", f"{scratch}/empty", "--app", f"{sys.executable} {empty}"]
        our_seconds, empty_seconds, ratio = paired(ours, theirs, pairs=3)
        phases = json.loads(run([sys.executable, "-m", "tests.bench.synth", department]).output.splitlines()[-1])
    made = [
        Row("cdk synth against one empty stack", ratio, "x", 4.5, f"{our_seconds:.1f} s against {empty_seconds:.1f} s"),
    ]
    return made + [Row(f"  of which {name}", seconds, "s") for name, seconds in phases.items()]


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
    for name, nag in (("templates and built-in validation", False), ("the same with house rules and cdk-nag", True)):
        made = cdk.App(context=context, analytics_reporting=False, outdir=tempfile.mkdtemp())
        last = time.monotonic()
        declared = ringfence.build(made, department)
        if not nag:
            lap("models, compilers, construct tree")
        else:
            last = time.monotonic()
            ringfence.add_checks(made, declared=declared)
        made.synth()
        lap(name)
    return laps


if __name__ == "__main__":
    print(json.dumps(phases(sys.argv[1])))
