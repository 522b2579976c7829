"""What a change of a department's templates would replace, remove, weaken or break, told before anybody deploys it.

CloudFormation replaces a resource when a property changes that its type fixes at creation, or when what such a property
refers to is replaced. That is read from the published schemas; nothing is asked of AWS here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from deployment.schemas import schema_of
from deployment.weakening import STAYS, at, weakened

HOLDS: Final = {
    "AWS::CloudTrail::Trail": "the record of the account",
    "AWS::Cognito::UserPool": "people, their second factors and sign-ins",
    "AWS::EC2::Subnet": "the network interfaces of runtimes and functions",
    "AWS::EC2::VPC": "the network and everything in it",
    "AWS::KMS::Key": "the only way to read what it encrypts",
    "AWS::Logs::LogGroup": "two years of records",
    "AWS::S3::Bucket": "two years of records",
    "Custom::RuntimeLogGroup": "two years of records",
}
"""Types whose replacement or removal loses something that no deployment makes again, and what it is."""

PROTECTED: Final = "TerminationProtection"
"""Stands beside a template's sections where it is known; CloudFormation has it as a setting of the stack."""

_OF_NO_PERSONA: Final = ("-audit", "-network", "-identity")

Templates = Mapping[str, Mapping[str, Any]]
_Place = tuple[str, str]


@dataclass(frozen=True)
class Change:
    """One resource that would not stay, or one thing that CloudFormation would refuse.

    Attributes:
        kind: `replaced`, `removed`, `weakened` (stays, and what it holds is protected less), `kept` (leaves the stack,
            stays in the account) or `refused`.
        stack: stack name.
        logical_id: the resource, or the export.
        type: its type; empty for an export.
        why: a sentence.
        loses: what is lost with it; empty when nothing.
    """

    kind: str
    stack: str
    logical_id: str
    type: str
    why: str
    loses: str = ""

    @property
    def name(self) -> str:
        """How a person names it when confirming: `<stack>/<logical id>`."""
        return f"{self.stack}/{self.logical_id}"

    def __str__(self) -> str:
        loss = f" It holds {self.loses}." if self.loses else ""
        return f"{self.kind:<8}  {self.name} ({self.type or 'export'}): {self.why}{loss}"


def changes(before: Templates, after: Templates) -> list[Change]:
    """Returns what would not stay when `after` is deployed over `before`, stack by stack in the order of `after`.

    Args:
        before: Templates by stack name, as deployed or committed.
        after: The same as synthesised now. A stack that is in `before` alone is not deployed, so nothing of it goes.

    Raises:
        LookupError: a type that both have is in no schema.
    """
    replaced = _replaced(before, after)
    found: list[Change] = []
    for stack in after:
        if stack not in before:
            continue
        old, new = _resources(before[stack]), _resources(after[stack])
        for logical_id, resource in old.items():
            if logical_id not in new:
                found.append(_gone(stack, logical_id, resource))
            elif (stack, logical_id) in replaced:
                found.append(_replacement(stack, logical_id, resource, new[logical_id], replaced[stack, logical_id]))
            elif held := _held(resource):
                lost = weakened(resource["Type"], resource, new[logical_id])
                if lost:
                    found.append(Change("weakened", stack, logical_id, resource["Type"], " ".join(lost), held))
        if before[stack].get(PROTECTED) and after[stack].get(PROTECTED) is False:
            why = "the stack can be deleted as a whole."
            found.append(Change("weakened", stack, PROTECTED, "AWS::CloudFormation::Stack", why, "all that it made"))
    return [*found, *_broken_imports(before, after), *_orphans(before, after)]


def _resources(template: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    resources: Mapping[str, Mapping[str, Any]] = template.get("Resources", {})
    return resources


def _replaced(before: Templates, after: Templates) -> dict[_Place, str]:
    """Returns the reason of each replacement, those that follow from others included."""
    found: dict[_Place, str] = {}
    while True:
        more = {
            place: why
            for place, old, new in _in_both(before, after)
            if place not in found and (why := _why_replaced(place[0], old, new, found, after))
        }
        if not more:
            return found
        found |= more


def _in_both(before: Templates, after: Templates) -> Iterator[tuple[_Place, Mapping[str, Any], Mapping[str, Any]]]:
    for stack in before.keys() & after.keys():
        new = _resources(after[stack])
        for logical_id, old in _resources(before[stack]).items():
            if logical_id in new:
                yield (stack, logical_id), old, new[logical_id]


def _why_replaced(
    stack: str, old: Mapping[str, Any], new: Mapping[str, Any], replaced: Mapping[_Place, str], after: Templates
) -> str:
    if old["Type"] != new["Type"]:
        return f"its type becomes {new['Type']}."
    for path in schema_of(new["Type"]).fixed:
        was, becomes = at(old.get("Properties", {}), path), at(new.get("Properties", {}), path)
        name = ".".join(path)
        if was != becomes:
            return f"{name} changes, which is fixed when it is made."
        for target in _references(becomes, stack, after):
            if target in replaced:
                return f"{name} refers to {target[1]}, which is replaced."
    return ""


def _references(value: Any, stack: str, after: Templates) -> Iterator[_Place]:
    """Yields the resources whose id or attribute stands in a value, in this stack or another."""
    if isinstance(value, list):
        for item in value:
            yield from _references(item, stack, after)
    elif isinstance(value, Mapping):
        match next(iter(value.items()), None) if len(value) == 1 else None:
            case ("Ref", str(name)):
                yield stack, name
            case ("Fn::GetAtt", [str(name), *_]):
                yield stack, name
            case ("Fn::ImportValue", str(name)):
                yield from _exporter(name, after)
            case ("Fn::GetStackOutput", {"StackName": str(other), "OutputName": str(output)}):
                found = after.get(other, {}).get("Outputs", {}).get(output, {})
                yield from _references(found.get("Value"), other, after)
            case _:
                for item in value.values():
                    yield from _references(item, stack, after)


def _exporter(name: str, templates: Templates) -> Iterator[_Place]:
    for stack, template in templates.items():
        for output in template.get("Outputs", {}).values():
            if output.get("Export", {}).get("Name") == name:
                yield from _references(output["Value"], stack, templates)


def _gone(stack: str, logical_id: str, resource: Mapping[str, Any]) -> Change:
    kind = str(resource["Type"])
    if kind == "Custom::RuntimeLogGroup":
        return Change("kept", stack, logical_id, kind, "its log group stays: the function that made it removes none.")
    if resource.get("DeletionPolicy") in STAYS:
        return Change("kept", stack, logical_id, kind, "leaves the stack and stays in the account.")
    return Change("removed", stack, logical_id, kind, "is deleted.", _held(resource))


def _held(resource: Mapping[str, Any]) -> str:
    """What is lost with a resource. A key that signs encrypts nothing, and what it signed is over in a minute."""
    signs = resource.get("Properties", {}).get("KeyUsage") == "SIGN_VERIFY"
    return "" if signs else HOLDS.get(str(resource["Type"]), "")


def _replacement(stack: str, logical_id: str, old: Mapping[str, Any], new: Mapping[str, Any], why: str) -> Change:
    kind, loses = str(old["Type"]), _held(old)
    if new["Type"] != old["Type"]:
        # CloudFormation's own words: "Update of resource type is not permitted".
        return Change("refused", stack, logical_id, kind, f"{why} CloudFormation changes no resource's type.", loses)
    schema = schema_of(kind)
    named = [name for name in schema.names if at(new.get("Properties", {}), name) is not None]
    if named and all(at(old.get("Properties", {}), n) == at(new.get("Properties", {}), n) for n in named):
        text = f"{why} CloudFormation cannot replace a resource whose name is given and stays."
        return Change("refused", stack, logical_id, kind, text, loses)
    return Change("replaced", stack, logical_id, kind, why, loses)


def _broken_imports(before: Templates, after: Templates) -> Iterator[Change]:
    """Yields exports that go, or change, while a deployed stack imports them: CloudFormation stops there."""
    imported = {name for template in before.values() for name in _imports(template)}
    for stack in after:
        gone = {n: v for n, v in _exports(before.get(stack, {})).items() if n in imported}
        kept = _exports(after[stack])
        for name, value in gone.items():
            if name not in kept:
                yield Change("refused", stack, name, "", "is no longer exported while a deployed stack imports it.")
            elif kept[name] != value:
                yield Change("refused", stack, name, "", "would change its value while a deployed stack imports it.")


def _exports(template: Mapping[str, Any]) -> dict[str, Any]:
    outputs = template.get("Outputs", {}).values()
    return {output["Export"]["Name"]: output["Value"] for output in outputs if "Export" in output}


def _imports(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _imports(item)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if key == "Fn::ImportValue" and isinstance(item, str):
                yield item
            else:
                yield from _imports(item)


def _orphans(before: Templates, after: Templates) -> Iterator[Change]:
    """Yields stacks that are deployed and no longer in the app: they live on, and nothing changes them any more."""
    for stack in before:
        if stack not in after:
            why = "is no longer in the department's file, and stays deployed. List its persona under `retired` instead."
            if stack.endswith(_OF_NO_PERSONA):
                why = "is not in the new templates, and stays deployed. Synthesise the whole department."
            yield Change("refused", stack, "the stack", "AWS::CloudFormation::Stack", why)
