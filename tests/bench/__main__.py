"""`python -m tests.bench`: every figure the project promises, measured in one run and printed as a table.

Absolute times are those of this machine at this moment; ratios and differences are taken side by side: quote those.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import tempfile
from argparse import ArgumentParser, ArgumentTypeError, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ringfence.assets.zips import AssetMissing, base_zips, summary_of
from ringfence.reading.problems import ProblemsFound
from tests.bench import callpath, commands, growth, redaction, responses, sign_in, starts, sweeps, synth
from tests.bench.counted import endpoints, templates, tool_lists
from tests.bench.processes import ROOT, progress, run
from tests.bench.table import Row, machine, show

REPORT: Final = Path("build/bench/bench.json")
MOST_DEPARTMENTS: Final = 99
_BY_ITSELF: Final = {"ARGS": "", "MAKEFLAGS": ""}
"""What `make bench ARGS=…` must not hand down to a `make` of its own."""


def zip_rows() -> list[Row]:
    """Sizes of the zips."""
    made = []
    for base in base_zips().values():
        summary = summary_of(base)
        note = f"{int(summary['unzipped']) / 1e6:.0f} MB unzipped"
        made.append(Row(f"zip {base.name}", int(summary["zipped"]) / 1e6, "MB", 250.0, note))
    return made


def rehearsal_rows() -> list[Row]:
    """`make rehearse` from a fresh clone and again, as a newcomer runs it."""
    with tempfile.TemporaryDirectory(prefix="ringfence-clone-") as scratch:
        clone = Path(scratch) / "ringfence"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        progress("make rehearse, first time")
        first = run(["make", "rehearse", f"PYTHON={sys.executable}"], cwd=clone, environment=_BY_ITSELF)
        progress("make rehearse, again")
        again = run(["make", "rehearse", f"PYTHON={sys.executable}"], cwd=clone, environment=_BY_ITSELF)
        shutil.rmtree(clone / "build", ignore_errors=True)
    note = f"{first.cpu_seconds:.0f} s of processor; package cache as found"
    return [
        Row("make rehearse from a fresh clone", first.seconds, "s", 360.0, note),
        Row("make rehearse again", again.seconds, "s", 90.0, f"{again.cpu_seconds:.0f} s of processor"),
        Row("  peak memory", max(first.peak_mb, again.peak_mb) / 1000, "GB", 4.0, "proportional, all processes"),
    ]


@dataclass(frozen=True)
class Section:
    """Figures that are taken together.

    Attributes:
        title: what they are about, in a line.
        measure: gives the rows.
        by_default: whether it runs when nobody names sections.
    """

    title: str
    measure: Callable[[Namespace], list[Row]]
    by_default: bool = True


SECTIONS: Final[Mapping[str, Section]] = {
    "zips": Section("size of the zips", lambda _: zip_rows()),
    "imports": Section("cold import of each function", lambda _: callpath.import_rows()),
    "interceptors": Section("the interceptors, without AWS", lambda _: callpath.interceptor_rows()),
    "responses": Section("the response interceptor on text as tools answer it", lambda _: responses.rows()),
    "redaction": Section("redaction beside that of others, on the corpus", lambda _: redaction.rows()),
    "host": Section("a call through the MCP host, added to stdio", lambda _: callpath.host_rows()),
    "start": Section("start to first tools/list of every server, in processor time", lambda _: starts.rows()),
    "check": Section("make check", lambda _: commands.check_rows()),
    "synth": Section("cdk synth, production and with every server, against one empty stack", lambda _: synth.rows()),
    "growth": Section("cdk synth of one department after another", lambda chosen: growth.rows(chosen.departments)),
    "templates": Section("number and size of templates, resources of stacks", lambda _: templates.rows()),
    "tools": Section("each persona's list of tools, to the servers' own", lambda _: tool_lists.rows()),
    "endpoints": Section("monthly list price of each department's VPC endpoints", lambda _: endpoints.rows()),
    "sweep": Section("all AWS actions for every role; each proof", lambda _: sweeps.rows()),
    "oracle-sample": Section("the independent simulator on some services", lambda _: sweeps.oracle_sample_rows()),
    "oracle": Section(
        "the independent simulator on every action and persona; many minutes",
        lambda _: sweeps.oracle_rows(),
        by_default=False,
    ),
    "sign-in": Section("from the start of serving to the first signed-in call", lambda _: sign_in.rows()),
    "ending": Section("from Ctrl-C to the end of a rehearsal", lambda _: commands.ending_rows()),
    "rehearsal": Section("make rehearse from a fresh clone of what is committed", lambda _: rehearsal_rows()),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure.

    Returns:
        0 when every goal was met, 1 when one was missed, 2 when something could not be measured, 130 on Ctrl-C.
    """
    chosen = _parser().parse_args(arguments)
    # A kill ends the commands that are being measured, as Ctrl-C does, which a shell has its background jobs ignore.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print(machine())
    made: dict[str, list[Row]] = {}
    failed = []
    try:
        for name in [each for each in chosen.only if each not in chosen.without]:
            print(f"\n{name}", flush=True)
            try:
                made[name] = SECTIONS[name].measure(chosen)
            except (RuntimeError, ProblemsFound, AssetMissing) as problem:
                print(f"bench: {name} could not be measured: {problem}", file=sys.stderr, flush=True)
                failed.append(name)
            else:
                show(made[name])
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    _write_report(chosen.json, made, failed)
    return _verdict(made, failed)


def _verdict(made: Mapping[str, list[Row]], failed: Sequence[str]) -> int:
    missed = [row.what.strip() for rows in made.values() for row in rows if row.verdict == "MISSED"]
    if missed:
        print(f"\nmissed: {'; '.join(missed)}")
    if failed:
        print(f"\nnot measured: {', '.join(failed)}")
        return 2
    return 1 if missed else 0


def _write_report(path: Path, made: Mapping[str, list[Row]], failed: Sequence[str]) -> None:
    sections = {name: [row.as_data() for row in rows] for name, rows in made.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"machine": machine(), "sections": sections, "failed": failed}, indent=2) + "\n")
    print(f"\nreport: {path}")


def _parser() -> ArgumentParser:
    titles = "\n".join(
        f"  {name:<14} {section.title}{'' if section.by_default else ' (only when named)'}"
        for name, section in SECTIONS.items()
    )
    parser = ArgumentParser(
        allow_abbrev=False,
        prog="python -m tests.bench",
        description=__doc__,
        epilog=f"sections:\n{titles}\n\nexit: 0 goals met, 1 a goal missed, 2 something not measured",
        formatter_class=RawDescriptionHelpFormatter,
    )
    defaults = [name for name, section in SECTIONS.items() if section.by_default]
    known = list(SECTIONS)
    parser.add_argument("--only", nargs="+", choices=known, default=defaults, metavar="SECTION", help="just these")
    parser.add_argument("--without", nargs="+", choices=known, default=[], metavar="SECTION", help="all but these")
    parser.add_argument(
        "--departments",
        type=_count,
        default=growth.DEFAULT,
        metavar="N",
        help="how many departments the section growth synthesises (%(default)s)",
    )
    parser.add_argument("--json", type=Path, default=REPORT, metavar="PATH", help="where the report goes (%(default)s)")
    return parser


def _count(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= MOST_DEPARTMENTS:
        raise ArgumentTypeError(f"{text!r} is not a number from 1 to {MOST_DEPARTMENTS}")
    return int(text)


if __name__ == "__main__":
    raise SystemExit(main())
