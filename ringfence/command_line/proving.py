"""Commands that build and synthesise, and prove or show what the templates do."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import click

from ringfence.command_line import options, steps
from ringfence.command_line.options import Named
from ringfence.command_line.table import Command
from ringfence.reading.chosen_file import check_names

BYTECODE: Final = "bytecode"
_STACKS: Final = ("audit", "network", "identity")  # and one for each persona


def _proofs() -> dict[str, str]:
    from ringfence.assets.bytecode.proof import TITLE
    from ringfence.proofs.registry import PROOFS

    return {name: proof.title for name, proof in PROOFS.items()} | {BYTECODE: TITLE}


def _told_proofs() -> list[str]:
    return [
        "Proofs, all but oracle unless --only names some:",
        *(f"  {name:<12} {title}" for name, title in _proofs().items()),
    ]


@click.command("assets", cls=Command)
def assets() -> int:
    """Build the ARM64 zips that are missing."""
    steps.build_assets()
    return 0


@click.command("synth", cls=Command)
@options.department_or_organisation()
@options.path("--output", "where the templates go  [default: cdk.out]")
def synth(named: Named, output: Path | None) -> int:
    """Synthesise the templates of a department or an organisation."""
    steps.synthesised(named, output)
    return 0


@click.command(
    "prove",
    cls=Command,
    more=_told_proofs,
    needs={"--organisation-assembly": "--assembly"},
    replaces={"--assembly": ["--organisation"]},
)
@options.department
@options.organisation("below whose guardrails the department is judged")
@options.assembly
@options.path("--organisation-assembly", "the guardrails' cloud assembly, beside --assembly")
@click.option("--only", type=options.OneOf(_proofs), multiple=True, help="run this proof; may be given again")
@click.option("--write-golden", is_flag=True, help="write tests/golden/<department>-*.txt anew; review the diff")
@options.path("--output", "where the report goes", default=Path("build/proof/proof.json"), show_default=True)
def prove(
    department: str,
    organisation: str | None,
    assembly: Path | None,
    organisation_assembly: Path | None,
    only: tuple[str, ...],
    write_golden: bool,
    output: Path,
) -> int:
    """Prove from the templates what every persona and role can do."""
    others = options.given("organisation", "organisation_assembly", "write_golden", "output")
    if others and set(only) == {BYTECODE}:
        raise options.refused(f"{', '.join(others)}: the proof of bytecode takes none. Leave it out, or add a proof.")
    if not assembly:
        organisation_assembly = steps.below(organisation, Path("build/proof/organisation"), department)
    folder = steps.templates(Named(department), assembly, Path("build/proof/cdk.out"))
    return proved(folder, organisation_assembly, only, output, write_golden=write_golden)


def proved(
    folder: Path, organisation: Path | None, only: Iterable[str], report: Path, *, write_golden: bool = False
) -> int:
    """Runs the proofs of an assembly, and that of its zips' bytecode; returns the exit code."""
    from ringfence.assets.bytecode import proof as bytecode
    from ringfence.proofs.prove import prove as prove_all

    names = [name for name in only if name != BYTECODE]
    code, others = 0, bool(names or not only)
    if others:
        code = prove_all(folder, organisation=organisation, only=names, write_golden=write_golden, report=report)
    if not only or BYTECODE in only:
        code = max(code, bytecode.prove(folder, report=report if others else None))
    return code


@click.command("record", cls=Command)
@options.department
@click.argument("pytest", nargs=-1)
def record(department: str, pytest: tuple[str, ...]) -> int:
    """Write down what every role can do, and the templates.

    Under tests/, where `make prove` and `make test` compare with it. What follows -- is handed to pytest.
    """
    folder = steps.templates(Named(department), None, Path("build/proof/cdk.out"))
    code = proved(folder, None, ["golden"], Path("build/proof/proof.json"), write_golden=True)
    if code:
        return code
    own = " or ".join(
        f"[{department}-{stack}]" for stack in (*_STACKS, *options.personas())
    )  # to the letter: others may begin or end alike
    words = ["-m", "pytest", "tests/stacks/test_snapshots.py", "-k", own, "--snapshot-update", *pytest]
    return steps.child([sys.executable, *words], RECORD=department, RECORD_OF=str(folder.resolve()))


@click.command("rehearse", cls=Command, needs={"--token": "--keep"})
@options.department
@options.assembly
@click.option("--keep", is_flag=True, help="serve on until Ctrl-C: your own MCP host can connect, and signs in")
@click.option("--port", type=options.Port(), help="of the sign-in page, which the personas' follow")
@click.option("--token", is_flag=True, help="with --keep: print access tokens too, for scripts")
@options.path("--output", "where the report goes  [default: build/rehearsal/<department>/report.json]")
def rehearse(
    department: str, assembly: Path | None, keep: bool, port: int | None, token: bool, output: Path | None
) -> int:
    """Run a department on 127.0.0.1, and play calls and attacks.

    From its templates alone: a local AWS that decides with the synthesised policies, the functions' own code, the
    gateway, and the real MCP servers. A real MCP client then makes calls as somebody of each persona: each tool that it
    is granted, and calls that must be refused. As an auditor it also attacks each layer.

    Ended by Ctrl-C, SIGTERM or SIGHUP its exit code is 130, 143 or 129; with --keep these end the serving, and the
    calls decide the code. Nothing is left running in any case, SIGKILL included, and nothing listens on anything but
    127.0.0.1.
    """
    folder = steps.templates(Named(department), assembly, Path("build/rehearsal/cdk.out"))
    from ringfence.rehearsal.run import rehearse as play
    from ringfence.rehearsal.template import read

    as_expected = play(read(folder), port=port, keep=keep, tokens=token, report=output)
    return 0 if as_expected else 1


@click.command("ablate", cls=Command, replaces={"--write-table": ["--persona", "--attack"]})
@options.department
@options.assembly
@options.persona("play at this persona's gateway alone; may be given again", multiple=True)
@click.option("--attack", multiple=True, metavar="NAME", help="play this attack alone; may be given again")
@click.option("--quick", is_flag=True, help="do not play each attack with each layer off; only peel the layers off")
@click.option("--write-table", is_flag=True, help="write the table of docs/ablation.md anew")
@options.path("--output", "folder of matrix.json and matrix.md", default=Path("build/ablation"), show_default=True)
def ablate(
    department: str,
    assembly: Path | None,
    persona: tuple[str, ...],
    attack: tuple[str, ...],
    quick: bool,
    write_table: bool,
    output: Path,
) -> int:
    """Play every attack with every layer on, and with each one off.

    Each attack of the corpus, at each persona's gateway of a department on 127.0.0.1; whatever stops it is switched
    off, layer after layer, until it goes through. It ends with 0 where every attack is stopped with every layer on, and
    by two layers independently where it would change something or carry something out, but for the exceptions that name
    their reason. --department example-sandbox has every persona.
    """
    if persona and not assembly:
        check_names("ablate", "PERSONA", persona, known=steps.personas(department), whose="The department")
    if attack:
        from ringfence.rehearsal.ablation.run import attacks_called

        attacks_called(attack)
    folder = steps.templates(Named(department), assembly, Path("build/ablation/cdk.out"))
    from ringfence.rehearsal.ablation.run import ablate as play

    held = play(
        folder,
        personas=persona or None,
        attacks=attack or None,
        one_by_one=not quick,
        folder=output,
        table=Path("docs/ablation.md") if write_table else None,
    )
    return 0 if held else 1


@click.command("smoke-arm64", cls=Command)
@options.department
@options.assembly
@click.option("--server", default="iam", show_default=True, metavar="NAME", help="whose runtime zip to start")
def smoke(department: str, assembly: Path | None, server: str) -> int:
    """Start a runtime zip's host under qemu (qemu-user-static)."""
    folder = steps.templates(Named(department), assembly, Path("build/rehearsal/cdk.out"))
    from ringfence.assets.smoke import start_under_qemu

    start_under_qemu(folder, server)
    return 0
