"""Departments to measure: the committed ones, the sandbox with every server, and as many more as are wanted.

What is made here stands in a temporary folder, never in `departments/`.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from ringfence.catalogue.catalogue import Catalogue, load_catalogue
from ringfence.proofs.evidence import Evidence
from tests.bench.processes import ROOT, progress, run


def examples(folder: Path) -> list[str]:
    """The departments that the tests know; those of somebody's own may stand beside them, and are no test's matter."""
    return sorted(path.stem for path in folder.glob("example-*.toml"))


def recorded(folder: Path) -> list[str]:
    """Those of somebody's own whose templates are recorded, or about to be (`make record`): tested like examples."""
    snapshots = ROOT / "tests" / "stacks" / "__snapshots__" / "test_snapshots"
    own = sorted(path.stem for path in folder.glob("*.toml") if not path.stem.startswith("example-"))
    kept = [name for name in own if (snapshots / f"test_template[{name}-audit].json").exists()]
    asked = os.environ.get("RECORD", "")
    return [*kept, *(name for name in own if name == asked and name not in kept)]


COMMITTED = examples(ROOT / "departments")
ORGANISATION = "example"
EVERYTHING = "all-servers-sandbox"
SANDBOX = "example-sandbox"
PRODUCTION = "example-production"
ENVIRONMENT = {
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    "PYTHONPATH": str(ROOT),
    "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
}
"""What a command needs that works in a home: our Node first, and our sources."""


def text_of(name: str) -> str:
    """The file of a committed department."""
    return (ROOT / "departments" / f"{name}.toml").read_text(encoding="utf-8")


def renamed(name: str) -> str:
    """A further department like the production example."""
    return text_of(PRODUCTION).replace(PRODUCTION, name)


def with_every_server(text: str, catalogue: Catalogue, *, name: str = EVERYTHING) -> str:
    """A department's file with every optional server enabled for each of its personas that the catalogue grants it."""
    data = tomllib.loads(text)
    have = {(each["persona"], each["server"]) for each in data.get("enable", ())}
    enabled = [
        f'\n[[enable]]\npersona = "{persona}"\nserver = "{server}"\nreason = "Measured with every server there is."\n'
        for persona in data["personas"]
        for server in sorted(catalogue.personas[persona].servers)
        if catalogue.servers[server].optional and (persona, server) not in have
    ]
    return text.replace(data["name"], name) + "".join(enabled)


def home(folder: Path, files: Mapping[str, str]) -> Path:
    """Makes a folder from which the app reads these department files and no others, and everything else from here."""
    (folder / "departments").mkdir(parents=True)
    for name, text in files.items():
        (folder / "departments" / f"{name}.toml").write_text(text, encoding="utf-8")
    for file in ("app.py", "cdk.json"):
        shutil.copy(ROOT / file, folder)
    for data in ("catalogue", "organisations"):
        (folder / data).symlink_to(ROOT / data)
    return folder


def synth(app: str, output: Path, *context: str) -> list[str]:
    """The `cdk synth` command, as `make synth` runs it.

    Args:
        app: Python file of the app, relative to the folder it runs in.
        output: folder of the assembly.
        context: `key=value`.
    """
    cdk = [str(ROOT / ".venv/bin/node"), str(ROOT / "node_modules/aws-cdk/bin/cdk"), "synth", "--quiet"]
    given = [part for each in context for part in ("-c", each)]
    return [*cdk, "--output", str(output), "--app", f"{sys.executable} {app}", *given]


@cache
def measured_home() -> Path:
    """A home with the committed departments and the sandbox with every server; it ends with this process."""
    files = {name: text_of(name) for name in COMMITTED}
    files[EVERYTHING] = with_every_server(text_of(SANDBOX), load_catalogue(ROOT / "catalogue"))
    return home(_scratch() / "home", files)


@cache
def assembly(context: str) -> Path:
    """The assembly of one department or organisation (`department=…`, `organisation=…`), made once a run."""
    output = _scratch() / context
    progress(f"synthesising {context.replace('=', ' ')}")
    run(synth("app.py", output, context), cwd=measured_home(), environment=ENVIRONMENT)
    return output


def names() -> Sequence[str]:
    """The departments whose assemblies are looked at, the widest last."""
    return [*COMMITTED, EVERYTHING]


@cache
def evidence(department: str) -> Evidence:
    """A department's assembly for the proofs, below the organisation's guardrails as in `make prove`."""
    above = assembly(f"organisation={ORGANISATION}")
    return Evidence.load(assembly(f"department={department}"), root=measured_home(), organisation=above)


@cache
def _kept() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="ringfence-bench-")


def _scratch() -> Path:
    return Path(_kept().name)
