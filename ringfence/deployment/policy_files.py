"""Writes the rights of the role that deploys, and says how they are used."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from ringfence.deployed.assembly import Assembly
from ringfence.deployment import rights
from ringfence.deployment.place import Place, alike
from ringfence.deployment.policy import LONGEST_POLICY, MOST_POLICIES, Document, policies, size
from ringfence.iam import actions
from ringfence.reading.bootstrap import Bootstrap
from ringfence.reading.problems import ProblemsFound


def write_policies(assembly_folder: Path, *, departments: Path, output: Path) -> None:
    """Writes the policies and prints the commands that use them; AWS is not asked.

    Args:
        departments: Where the other departments' files are, which the rights must not reach.
        output: Where the files go, below it a folder of the department's name.

    Raises:
        ProblemsFound: something has no rule, or another department would be reached.
        CannotGoOn: there is nothing to read.
    """
    assembly = Assembly.load(assembly_folder)
    place = Place.of(assembly)
    if others := alike(place.department, place.account, departments):
        raise ProblemsFound(str(departments), others)
    documents = policies(assembly, rights.load(), actions.load())
    files = _write(documents, place, output / place.department)
    print(_told(documents, files, place))


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
