"""A synthesised cloud assembly, read as the account would see it after deployment.

Everything later (policy proofs, the rehearsal) works from this and from nothing else, so that what is shown is what is
deployed. Anything that cannot be interpreted raises `UnresolvedTemplate`.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

from ringfence.deployed.intrinsics import Resolver
from ringfence.deployed.known import READ, other_values, reason_unread, strange_in, unknown_in
from ringfence.deployed.manifest import read_manifest
from ringfence.deployed.physical import ids
from ringfence.deployed.physical.shapes import Naming
from ringfence.deployed.problems import UnresolvedTemplate, reading

__all__ = ["Assembly", "Resource", "Stack", "UnresolvedTemplate"]

_AGAIN = "Synthesise again (make synth)."
_KNOWN = "ringfence/deployed/known.py"
# What AWS or whoever deploys chooses: to properties any value does, but what a condition decides by it is not known.
_CHOSEN_LATER = frozenset({"AWS::NotificationARNs", "AWS::StackId"})


@dataclass(frozen=True, eq=False)
class Resource:
    """One resource of one stack.

    Attributes:
        stack: name of the stack.
        logical_id: logical id in that stack.
        type: CloudFormation type.
        raw: the resource as the template has it.
    """

    stack: str
    logical_id: str
    type: str
    raw: Mapping[str, Any] = field(repr=False)
    _owner: Stack = field(repr=False)

    @cached_property
    def properties(self) -> dict[str, Any]:
        """The properties with every intrinsic resolved.

        Raises:
            UnresolvedTemplate: one cannot be resolved, or is none of those that are known of the type.
        """
        with reading(self.stack, self.logical_id):
            resolved = dict(self._owner.resolve(self.raw.get("Properties", {}), self.logical_id))
            unknown = unknown_in(self.type, resolved)
        if unknown:
            raise self.problem(f"{', '.join(unknown)} is unknown; read it, or set it aside, in {_KNOWN}")
        return resolved

    def problem(self, missing: str) -> UnresolvedTemplate:
        """An error about this resource, to raise."""
        return UnresolvedTemplate(self.stack, self.logical_id, f"{self.type}: {missing}")

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The resource's metadata, unresolved."""
        metadata: Mapping[str, Any] = self.raw.get("Metadata", {})
        return metadata

    @property
    def path(self) -> str:
        """The construct path, or the empty text when the template carries none."""
        return str(self.metadata.get("aws:cdk:path", ""))

    @property
    def ref(self) -> Any:
        """The physical id (`Ref`)."""
        return self._owner.ref(self.logical_id)

    def attribute(self, name: str) -> Any:
        """An attribute (`Fn::GetAtt`)."""
        return self._owner.attribute(self.logical_id, name)

    @property
    def arn(self) -> str:
        """The ARN, for types that have one.

        Raises:
            UnresolvedTemplate: the type has no ARN attribute.
        """
        kind = self.type.rsplit("::", 1)[-1]
        known = ids.shape_of(self._owner.naming(self.logical_id)).attributes
        for name in ("Arn", f"{kind}Arn", f"Agent{kind}Arn"):
            if name in known:
                return str(self.attribute(name))
        if self.type == "AWS::IAM::ManagedPolicy":
            return str(self.ref)
        raise UnresolvedTemplate(self.stack, self.logical_id, f"{self.type} has no ARN attribute")


class Stack:
    """One stack of the assembly: its template and the values in it."""

    def __init__(self, assembly: Assembly, name: str, environment: str, template: Mapping[str, Any]) -> None:
        self._assembly = assembly
        self.name = self.stack = name
        self.account, self.region = _account_and_region(name, environment)
        self.partition = "aws"
        self.template = template
        self._naming: dict[str, Naming] = {}
        self._deciding: set[str] = set()

    @cached_property
    def resources(self) -> dict[str, Resource]:
        """Resources by logical id; those whose condition is false do not exist.

        Raises:
            UnresolvedTemplate: the template has a section, or one of its resources a member, that is not known.
        """
        for name, strange in strange_in(self.template):
            self._fail(name, f"{strange}; known ones stand in {_KNOWN}")
        return {
            logical_id: Resource(self.name, logical_id, str(raw["Type"]), raw, self)
            for logical_id, raw in self.template.get("Resources", {}).items()
            if "Condition" not in raw or self.condition(str(raw["Condition"]))
        }

    @property
    def exports(self) -> dict[str, Any]:
        """Unresolved exported values by export name."""
        return {
            self.resolve(output["Export"]["Name"], "Outputs"): output["Value"]
            for output in self.template.get("Outputs", {}).values()
            if "Export" in output
        }

    @property
    def outputs(self) -> dict[str, Any]:
        """Resolved outputs by key."""
        return {key: self.resolve(output["Value"], key) for key, output in self.template.get("Outputs", {}).items()}

    def resolve(self, value: Any, where: str) -> Any:
        """Resolve intrinsics in a value; `where` is named in errors."""
        with reading(self.name, where):
            return Resolver(self, where).resolve(value)

    def naming(self, logical_id: str) -> Naming:
        """What the physical id of a resource is made from."""
        if logical_id not in self._naming:
            raw = self.resources[logical_id].raw

            def property_of(name: str) -> Any:
                # Only the one property is resolved: resolving all of them would run in circles for resources that
                # mention themselves (a key policy naming its own log group, for instance).
                properties = raw.get("Properties", {})
                return self.resolve(properties[name], logical_id) if name in properties else None

            self._naming[logical_id] = Naming(
                self.name, logical_id, raw["Type"], self.account, self.region, self.partition, property_of
            )
        return self._naming[logical_id]

    def ref(self, name: str) -> Any:
        """The value of `Ref`."""
        if self._deciding and name in _CHOSEN_LATER:
            self._fail(name, "is known only once the stack is deployed, so no condition can be decided by it here")
        if name.startswith("AWS::"):
            return self._pseudo(name)
        if name in self.template.get("Parameters", {}):
            self._fail(name, "is a parameter, whose value is chosen when the stack is deployed")
        if name not in self.resources:
            self._fail(name, "is neither a resource nor a parameter of this stack")
        return ids.reference(self.naming(name))

    def attribute(self, logical_id: str, name: str) -> Any:
        """The value of `Fn::GetAtt`."""
        if logical_id not in self.resources:
            self._fail(logical_id, f"is no resource of this stack, but its attribute {name} is used")
        if (self.name, logical_id, name) in self._assembly.attributes:
            return self._assembly.attributes[self.name, logical_id, name]
        return ids.attribute(self.naming(logical_id), name)

    def exported(self, name: str) -> Any:
        """The value another stack of the assembly exports."""
        return self._assembly.exported(name, self.name)

    def output_of(self, stack: str, name: str) -> Any:
        """The value of an output of another stack of the assembly."""
        return self._assembly.output_of(stack, name, self.name)

    def condition(self, name: str) -> bool:
        """The value of a named condition."""
        conditions = self.template.get("Conditions", {})
        if name not in conditions:
            self._fail(name, "is no condition of this stack")
        if name in self._deciding:
            self._fail(name, "is a condition that depends on itself, or on what is neither a condition nor a parameter")
        self._deciding.add(name)
        try:
            with reading(self.name, name):
                return Resolver(self, name).truth(conditions[name])
        finally:
            self._deciding.remove(name)

    def mapping(self, name: str, first: str, second: str) -> Any:
        """The value of `Fn::FindInMap`."""
        try:
            return self.template["Mappings"][name][first][second]
        except KeyError:
            self._fail(name, f"has no mapping for {first}, {second}")

    def _pseudo(self, name: str) -> Any:
        stack_id = Naming(self.name, "", "", self.account, self.region, self.partition, lambda _: None)
        values = {
            "AWS::AccountId": self.account,
            "AWS::Region": self.region,
            "AWS::Partition": self.partition,
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackName": self.name,
            "AWS::StackId": stack_id.arn("cloudformation", f"stack/{self.name}/{stack_id.uuid('stack')}"),
            "AWS::NotificationARNs": [],
        }
        if name not in values:
            self._fail(name, "is an unknown pseudo parameter")
        return values[name]

    def _fail(self, logical_id: str, missing: str) -> NoReturn:
        raise UnresolvedTemplate(self.name, logical_id, missing)


class Assembly:
    """A cloud assembly: stacks, resources and assets.

    Attributes:
        asked: the resource types that somebody asked for by `of_type`.
        attributes: values of attributes that are not as AWS would give them, by stack, logical id and attribute.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.attributes: dict[tuple[str, str, str], Any] = {}
        self.stacks: dict[str, Stack] = {}
        self.asked: set[str] = set()
        self._assets: dict[str, Path] = {}

    @classmethod
    def load(cls, path: Path) -> Assembly:
        """Read a `cdk.out` folder.

        Raises:
            UnresolvedTemplate: its manifest is not as `read_manifest` takes it, or a stack has no fixed account and
                region.
        """
        assembly, manifest = cls(path), read_manifest(path)
        assembly._assets = dict(manifest.assets)
        for stack in manifest.stacks:
            assembly.stacks[stack.name] = Stack(assembly, stack.name, stack.environment, stack.template)
        return assembly

    def edited(
        self,
        templates: Mapping[str, Mapping[str, Any]] | None = None,
        assets: Mapping[str, Path] | None = None,
        attributes: Mapping[tuple[str, str, str], Any] | None = None,
    ) -> Assembly:
        """A copy with other templates or asset files in it: what a fault would look like.

        Args:
            templates: whole templates by stack name; the other stacks stay as they are.
            assets: files by key of the asset bucket.
            attributes: other values of `Fn::GetAtt`, by stack, logical id and attribute.
        """
        copy = Assembly(self.path)
        copy.attributes = {**self.attributes, **(attributes or {})}
        copy._assets = {**self._assets, **(assets or {})}
        for name, stack in self.stacks.items():
            template = (templates or {}).get(name, stack.template)
            copy.stacks[name] = Stack(copy, name, f"aws://{stack.account}/{stack.region}", template)
        return copy

    @property
    def account(self) -> str:
        """The account of the assembly's stacks.

        Raises:
            UnresolvedTemplate: the stacks go to more than one account.
        """
        accounts = sorted({stack.account for stack in self.stacks.values()})
        if len(accounts) != 1:
            raise UnresolvedTemplate(str(self.path), "manifest.json", f"stacks of several accounts: {accounts}")
        return accounts[0]

    @property
    def region(self) -> str:
        """The region of the assembly's stacks.

        Raises:
            UnresolvedTemplate: the stacks go to more than one region.
        """
        regions = sorted({stack.region for stack in self.stacks.values()})
        if len(regions) != 1:
            raise UnresolvedTemplate(str(self.path), "manifest.json", f"stacks of several regions: {regions}")
        return regions[0]

    def resources(self) -> Iterator[Resource]:
        """Every resource of every stack, in template order."""
        for stack in self.stacks.values():
            yield from stack.resources.values()

    def of_type(self, *types: str) -> list[Resource]:
        """The resources of one or more CloudFormation types; `asked` remembers which."""
        self.asked.update(types)
        return [resource for resource in self.resources() if resource.type in types]

    def resource(self, stack: str, logical_id: str) -> Resource:
        """One resource.

        Raises:
            UnresolvedTemplate: there is none.
        """
        try:
            return self.stacks[stack].resources[logical_id]
        except KeyError:
            raise UnresolvedTemplate(stack, logical_id, "does not exist in this assembly") from None

    def exported(self, name: str, importer: str) -> Any:
        """The value of an export.

        Raises:
            UnresolvedTemplate: no stack of the assembly exports it.
        """
        for stack in self.stacks.values():
            if name in stack.exports:
                return stack.resolve(stack.exports[name], f"export {name}")
        raise UnresolvedTemplate(importer, name, "is imported, but no stack of the assembly exports it")

    def output_of(self, stack: str, name: str, reader: str) -> Any:
        """The value of a stack's output.

        Raises:
            UnresolvedTemplate: the assembly has no such stack, or the stack no such output.
        """
        output = self.stacks[stack].template.get("Outputs", {}).get(name) if stack in self.stacks else None
        if output is None:
            raise UnresolvedTemplate(reader, name, f"is read, but no stack {stack} of the assembly puts it out")
        return self.stacks[stack].resolve(output["Value"], f"output {name}")

    def asset(self, s3_key: str) -> Path:
        """The local file or folder that deployment would upload under this key.

        Raises:
            UnresolvedTemplate: no asset has that key, or its file is missing.
        """
        if s3_key not in self._assets:
            raise UnresolvedTemplate(str(self.path), s3_key, "is no asset of this assembly", _AGAIN)
        if not self._assets[s3_key].exists():
            raise UnresolvedTemplate(
                str(self.path), s3_key, f"asset file {self._assets[s3_key].name} is missing", _AGAIN
            )
        return self._assets[s3_key]

    def archive(self, s3_key: str) -> Path:
        """The local zip that deployment would upload under this key.

        Raises:
            UnresolvedTemplate: there is none, or it is no zip.
        """
        found = self.asset(s3_key)
        if not zipfile.is_zipfile(found):
            raise UnresolvedTemplate(str(self.path), s3_key, f"asset file {found.name} is no zip", _AGAIN)
        return found

    def check(self, honoured: Mapping[str, Mapping[str, tuple[str, ...]]] | None = None) -> None:
        """Resolve every property and output of every stack, and know every type and every property that is read.

        Args:
            honoured: by type and dotted name, patterns of the only values that whoever asks can honour.

        Raises:
            UnresolvedTemplate: something cannot be interpreted; the first such thing is named.
        """
        for resource in self.resources():
            if resource.type not in READ and reason_unread(resource.type) is None:
                raise resource.problem(f"nothing reads this type; read it, or say why not, in {_KNOWN}")
            try:
                _ = resource.ref, resource.properties
            except RecursionError:
                raise resource.problem("is named after itself, by way of others") from None
            for path, value, known in other_values(resource.properties, (honoured or {}).get(resource.type, {})):
                others = ", ".join(each or "none" for each in known)
                raise resource.problem(f"property {path} is {value!r}, which cannot be honoured as {others} would be")
        for stack in self.stacks.values():
            _ = stack.outputs


def _account_and_region(stack: str, environment: str) -> tuple[str, str]:
    # "aws://111122223333/eu-west-2"; an environment-agnostic stack says "unknown-account".
    account, _, region = environment.removeprefix("aws://").partition("/")
    if not account.isdigit() or region.startswith("unknown"):
        raise UnresolvedTemplate(stack, "environment", f"account and region must be fixed, not {environment}")
    return account, region
