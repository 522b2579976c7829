"""`make conformance`: the public MCP conformance suite against a gateway whose server has the suite's own tools."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.conformance.department import SERVER, served
from tests.conformance.front import Front
from tests.conformance.suite import passing, run


def main() -> int:
    """Run every scenario and print what each came to.

    Returns:
        0 when those pass that `expected.toml` says do, and no other; 1 otherwise.
    """
    with tempfile.TemporaryDirectory(prefix="ringfence-conformance-") as scratch:
        folder = Path(scratch).resolve()
        with served(folder) as rehearsal, Front(rehearsal.url, token=rehearsal.token, target=SERVER) as front:
            found = run(front.url, folder / "results")
    for name, outcome in found.items():
        said = "; ".join(outcome.failed) if outcome.failed else "" if outcome.passes else "nothing that it checks"
        print(f"{name:30} {'passes' if outcome.passes else 'refused':8} {said}".rstrip())
    passed = [name for name, outcome in found.items() if outcome.passes]
    wrong = sorted(set(passed) ^ set(passing()))
    if wrong:
        print(f"Not as tests/conformance/expected.toml has it: {', '.join(wrong)}.")
    else:
        print(f"{len(passed)} of {len(found)} scenarios pass, {len(found) - len(passed)} are refused on purpose.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
