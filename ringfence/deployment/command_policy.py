"""`python -m ringfence.deployment policy`: writes the rights of the role that deploys."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from ringfence.deployed.assembly import Assembly, UnresolvedTemplate
from ringfence.deployment import rights
from ringfence.deployment.place import Place, alike
from ringfence.deployment.policy import LONGEST_POLICY, MOST_POLICIES, Document, policies, size
from ringfence.iam import actions
from ringfence.reading.bootstrap import Bootstrap
from ringfence.reading.problems import ProblemsFound

OUT: Final = Path("build/deploy-policy")


def add_to(commands: Any) -> None:
    """Adds the command to the parser of `python -m ringfence.deployment`."""
    parser = commands.add_parser(
        "policy",
        allow_abbrev=False,
        help="write the least rights CloudFormation needs to deploy a department",
        description="Writes the least rights CloudFormation needs to deploy a department, as managed policies for "
        "`cdk bootstrap --cloudformation-execution-policies`. Asks AWS nothing.",
        epilog="exit: 0 written, 1 an action of a template has no rule in ringfence/deployment/data/rights.toml, or "
        "the rights would reach another department of the account, 2 no assembly",
    )
    parser.add_argument("--assembly", type=Path, required=True, metavar="PATH", help="folder of a cloud assembly")
    parser.add_argument("--out", type=Path, default=OUT, metavar="PATH", help="where the files go (%(default)s)")
    parser.add_argument(
        "--departments",
        type=Path,
        default=Path("departments"),
        metavar="PATH",
        help="where the other departments' files are (%(default)s)",
    )
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Writes the policies and prints the commands that use them.

    Returns:
        0 when they are written, 1 when something has no rule or another department would be reached, 2 when there is
        nothing to read.
    """
    try:
        assembly = Assembly.load(chosen.assembly)
        place = Place.of(assembly)
        if others := alike(place.department, place.account, chosen.departments):
            raise ProblemsFound(str(chosen.departments), others)
        documents = policies(assembly, rights.load(), actions.load())
    except (ProblemsFound, LookupError) as problem:
        print(f"deployment: {problem}", file=sys.stderr)
        return 1
    except (UnresolvedTemplate, OSError) as problem:
        print(f"deployment: the assembly {chosen.assembly} cannot be read: {problem}", file=sys.stderr)
        return 2
    files = _write(documents, place, chosen.out / place.department)
    print(_told(documents, files, place))
    return 0


def policy_name(place: Place, number: int) -> str:
    """The name a policy is to have. It does not begin with `ringfence`: the role that deploys may change those."""
    return f"deploy-of-ringfence-{place.department}-{number}"


def _write(documents: Sequence[Document], place: Place, folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob("*.json"):
        left.unlink()
    files = []
    for number, document in enumerate(documents, 1):
        files.append(folder / f"{policy_name(place, number)}.json")
        files[-1].write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return files


def _told(documents: Sequence[Document], files: Sequence[Path], place: Place) -> str:
    width = max(len(str(file)) for file in files)
    arns = [f"arn:aws:iam::{place.account}:policy/{file.stem}" for file in files]
    lines = [
        *(
            f"{file!s:<{width}}  {size(document):>5} of {LONGEST_POLICY} characters"
            for file, document in zip(files, documents, strict=True)
        ),
        "",
        "Make the policies once, with an administrator's credentials, and bootstrap with them (npx is this project's "
        'own after `export PATH="$PWD/.venv/bin:$PATH"`):',
        *(f"  aws iam create-policy --policy-name {file.stem} --policy-document file://{file}" for file in files),
        f"  {Bootstrap(qualifier=place.qualifier).command(place.account)} \\",
        f"    --cloudformation-execution-policies {','.join(arns)}",
        "The option replaces what stood there: with a second department in the account, name the policies of both "
        f"(a role may have {MOST_POLICIES}).",
        "After a change of the templates run this again; where a text differs: aws iam create-policy-version "
        "--set-as-default.",
    ]
    return "\n".join(lines)
