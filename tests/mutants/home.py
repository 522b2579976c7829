"""A copy of the project in which a compiler or a reader is faulty, and what the proofs, or a test, say of it."""

from __future__ import annotations

import importlib
import itertools
import json
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
TABLES: Final = tuple(ROOT / "tests" / "mutants" / f"{name}.toml" for name in ("compilers", "reader"))
RECORDED: Final = "golden"
"""The proof against the committed record, which `--write-golden` makes anew: no mutant counts as killed by it alone."""

_REFUSALS: Final = {"ProblemsFound", "UnresolvedTemplate", "UndecidablePolicy"}
"""What the loader of the catalogue, and the readers of templates and policies, raise for what they do not take."""

_COPIED: Final = ("ringfence", "constructs", "stacks", "catalogue")
_SHARED: Final = ("build", "callpath", "lambda", "node_modules", "organisations", "runtime", "tests")
_FILES: Final = ("app.py", "cdk.json", "package.json", "pyproject.toml")
_NAMED: Final = """
[[sensitive]]
persona = "developer"
tool = "eks.get_pod_logs"
reason = "Pods here run test data only, and developers find faults by their logs."

[[sensitive]]
persona = "developer"
tool = "dataprocessing.manage_aws_athena_query_executions.get-query-results"
reason = "Queries here are about test data only."

[[sensitive]]
persona = "developer"
tool = "eks.get_cloudwatch_logs"
reason = "Clusters here run test data only, and developers find faults by their logs."

[log_groups]
auditor = ["/example/*", "/example.exact"]
developer = ["/aws/eks/example/*", "/example/*"]
"""
_ENABLED: Final = """
[[enable]]
persona = "operator"
server = "aws-api"
reason = "Operators on call restart what hangs at night."
"""


@dataclass(frozen=True)
class Mutant:
    """One fault.

    Attributes:
        name: what is wrong, in words.
        file: which file of the project it is planted in.
        old: what stands there once.
        new: what stands there instead.
        department: where it shows.
        survives: why nothing need notice; empty for one that must be killed.
        test: what pytest is given, where a test must notice and not a proof.
    """

    name: str
    file: str
    old: str
    new: str
    department: str = "example-production"
    survives: str = ""
    test: str = ""


def mutants() -> list[Mutant]:
    """The tables.

    Raises:
        TypeError: an entry has an unknown key or lacks one.
    """
    tables = (tomllib.loads(path.read_text(encoding="utf-8")) for path in TABLES)
    return [Mutant(**entry) for table in tables for entry in table["mutant"]]


class Home:
    """The project's folder in a place of its own; our modules come from there, libraries from where they are."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = itertools.count()
        for name in _COPIED:
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in _SHARED:
            (folder / name).symlink_to(ROOT / name)
        for name in _FILES:
            shutil.copy(ROOT / name, folder)
        departments = folder / "departments"
        departments.mkdir()
        for path in (*ROOT.glob("departments/*.toml"), *ROOT.glob("tests/departments/*.toml")):
            shutil.copy(path, departments)
        for made, out_of, network, further in (
            ("example-named", "example-sandbox", ("10.65.", "10.67."), _NAMED),
            ("example-enabled", "example-production", ("10.64.", "10.68."), _ENABLED),
        ):
            text = (departments / f"{out_of}.toml").read_text(encoding="utf-8")
            (departments / f"{made}.toml").write_text(
                text.replace(out_of, made).replace(*network) + further, encoding="utf-8"
            )

    def outcome(self, mutant: Mutant | None, *, department: str, test: str = "") -> tuple[str, str]:
        """What kills a mutant, and in which words; two empty texts when nothing does.

        Args:
            mutant: None for the project without a fault.
            department: the one that the proofs look at.
            test: what is asked instead of the proofs.
        """
        with self._planted(mutant):
            if test:
                return self._tested(test)
            _load_anew(self.folder)
            return self._judged(department)

    def _tested(self, test: str) -> tuple[str, str]:
        command = [sys.executable, "-B", "-m", "pytest", "-qx", "-n0", "-p", "no:cacheprovider", *test.split()]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
        if done.returncode and not failed:  # it could not be asked, which says nothing of the fault
            raise RuntimeError(f"{' '.join(command)}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        return ("test", failed[0]) if failed else ("", "")

    @contextmanager
    def _planted(self, mutant: Mutant | None) -> Iterator[None]:
        if mutant is None:
            yield
            return
        path = self.folder / mutant.file
        text = path.read_text(encoding="utf-8")
        if text.count(mutant.old) != 1:
            raise ValueError(
                f"{mutant.name}: its text stands {text.count(mutant.old)} times in {mutant.file}, not once"
            )
        path.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
        try:
            yield
        finally:
            path.write_text(text, encoding="utf-8")

    def _judged(self, department: str) -> tuple[str, str]:
        # The CDK remembers which zip it has put into a folder, and would not put it there again.
        output = self.folder / f"out{next(self._numbers)}"
        try:
            assembly = self._synthesised("department", department, output / "department")
            above = self._synthesised("organisation", "example", output / "organisation")
        except Exception as refusal:
            shutil.rmtree(output, ignore_errors=True)
            return "synthesis", _told(refusal)
        proofs, evidence = (importlib.import_module(f"ringfence.proofs.{name}") for name in ("registry", "evidence"))
        try:
            case = proofs.Case(evidence.Evidence.load(assembly, root=self.folder, organisation=above))
            for name in _quickest_first(proofs.default_names()):
                (result,) = proofs.run(case, [name])
                if not result.outcome.holds:
                    return name, str(next(iter(result.outcome.findings), "looked at nothing"))
        except Exception as problem:
            return "no proof", _told(problem)
        finally:
            shutil.rmtree(output)
        return "", ""

    def _synthesised(self, kind: str, name: str, output: Path) -> Path:
        cdk, app = importlib.import_module("aws_cdk"), importlib.import_module("app")
        settings: dict[str, Any] = json.loads((self.folder / "cdk.json").read_text(encoding="utf-8"))
        made = cdk.App(context={**settings["context"], kind: name}, outdir=str(output), analytics_reporting=False)
        build = app.build_organisation if kind == "organisation" else app.build
        app.add_checks(made, declared=build(made, name))
        made.synth()
        return output


def _told(refusal: Exception) -> str:
    """A refusal of ours in words; anything else says nothing of the fault, and goes on."""
    if type(refusal).__name__ not in _REFUSALS:  # by name: the modules are loaded anew for each mutant
        raise refusal
    return f"{type(refusal).__name__}: {refusal}"


def _quickest_first(names: list[str]) -> list[str]:
    """The proofs to run; one that the list does not know comes last."""
    order = (
        "entry round-trip network sandbox trust callers boundaries actions outside escalation mutation records cedar"
    ).split()
    chosen = [name for name in names if name != RECORDED]
    return sorted(chosen, key=lambda name: order.index(name) if name in order else len(order))


def _load_anew(folder: Path) -> None:
    """Take our modules from the copy, as they are on disk now; the CDK stays, since it takes seconds to start.

    Whatever else this process imported of ours is another's from here on.
    """
    if sys.path[0] != str(folder):
        sys.path[:0] = [str(folder)]
    sys.dont_write_bytecode = True
    ours = {path.stem for name in _COPIED if name == "constructs" for path in (ROOT / name).iterdir()}
    for name in list(sys.modules):
        top, _, rest = name.partition(".")
        if top in {"app", "ringfence", "stacks"} or (top == "constructs" and rest.split(".")[0] in ours):
            del sys.modules[name]
    importlib.invalidate_caches()
