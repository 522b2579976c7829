"""What a department asks of its account, read from its file and from its synthesised templates alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ringfence.catalogue.catalogue import Catalogue, load_catalogue
from ringfence.department.department import Department, load_department
from ringfence.deployed.assembly import Assembly, Resource
from ringfence.deployed.department import department_name
from ringfence.deployed.problems import UnresolvedTemplate
from ringfence.live.problems import CannotStart
from ringfence.reading.bootstrap import Bootstrap as WrittenBootstrap
from ringfence.reading.documents import read_toml

_STACK: Final = "aws:cloudformation:stack"
_OWN_TYPES: Final = ("AWS::CDK::Metadata", "AWS::CloudFormation::CustomResource")


@dataclass(frozen=True)
class Bootstrap:
    """What the templates expect of the CDK's bootstrap stack.

    Attributes:
        version: lowest version that will do.
        buckets: buckets that code and templates are uploaded to.
        deployment_role: the role that CloudFormation works as.
    """

    qualifier: str
    version: int
    buckets: tuple[str, ...]
    deployment_role: str


@dataclass(frozen=True)
class Needs:
    """A department's file and its cloud assembly.

    Attributes:
        catalogue: what its personas are granted.
        file: the file as it was written.
        others: names of the department files beside it.
    """

    department: Department
    catalogue: Catalogue
    file: dict[str, Any]
    assembly: Assembly
    bootstrap: Bootstrap
    others: tuple[str, ...] = ()

    @property
    def account(self) -> str:
        """The account of the file."""
        return self.department.account

    def types(self) -> list[str]:
        """The CloudFormation types of the templates, but for custom ones."""
        found = {resource.type for resource in self.assembly.resources()}
        return sorted(kind for kind in found if not kind.startswith("Custom::") and kind not in _OWN_TYPES)

    def count(self, kind: str) -> int:
        """How many resources of a type the templates hold."""
        return len(self.assembly.of_type(kind))

    def fixed(self, kind: str, name: str) -> Iterator[tuple[Resource, str]]:
        """The resources of a type whose name is written out in the template, with that name."""
        for resource in self.assembly.of_type(kind):
            value = resource.raw.get("Properties", {}).get(name)
            if isinstance(value, str):
                yield resource, value


def read_needs(name: str, assembly: Path, *, root: Path) -> Needs:
    """Returns what a department needs.

    Args:
        root: the folder with `departments/` and `catalogue/`.

    Raises:
        ProblemsFound: the department's file is wrong.
        CannotStart: the assembly is missing, damaged, or another department's.
    """
    catalogue = load_catalogue(root / "catalogue")
    department = load_department(name, catalogue=catalogue, root=root / "departments")
    again = f"Synthesise it first: make synth DEPARTMENT={name}."
    if not (assembly / "manifest.json").is_file():
        raise CannotStart(f"{assembly} is no cloud assembly: it holds no manifest.json", again)
    try:
        loaded = Assembly.load(assembly)
        found, bootstrap = department_name(loaded), _bootstrap(assembly, loaded.account)
    except (UnresolvedTemplate, ValueError, KeyError, OSError) as damage:
        raise CannotStart(f"{assembly} cannot be read: {damage}", again) from None
    if found != name:
        raise CannotStart(f"{assembly} holds {', '.join(sorted(loaded.stacks))}, not the department {name}", again)
    if loaded.account != department.account:
        raise CannotStart(f"{assembly} is for account {loaded.account}, the file says {department.account}", again)
    file = read_toml(root / "departments" / f"{name}.toml")
    others = tuple(sorted({path.stem for path in (root / "departments").glob("*.toml")} - {name}))
    return Needs(department, catalogue, file, loaded, bootstrap, others)


def _bootstrap(assembly: Path, account: str) -> Bootstrap:
    artifacts = json.loads((assembly / "manifest.json").read_text())["artifacts"].values()
    properties = [artifact.get("properties", {}) for artifact in artifacts]
    stacks = [artifact["properties"] for artifact in artifacts if artifact["type"] == _STACK]
    # "/cdk-bootstrap/<qualifier>/version"
    (parameter,) = {stack["bootstrapStackVersionSsmParameter"] for stack in stacks}
    version = max(int(each.get("requiresBootstrapStackVersion", 0)) for each in properties)
    buckets = set()
    for path in assembly.glob("*.assets.json"):
        for file in json.loads(path.read_text())["files"].values():
            buckets |= {destination["bucketName"] for destination in file["destinations"].values()}
    qualifier = parameter.split("/")[2]
    role = WrittenBootstrap(qualifier=qualifier).deployment_role(account)
    return Bootstrap(qualifier, version, tuple(sorted(buckets)), role)
