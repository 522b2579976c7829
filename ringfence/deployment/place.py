"""One department in its account: what the texts of `data/rights.toml` stand for there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ringfence.deployed.assembly import Assembly, Resource
from ringfence.reading import names
from ringfence.reading.documents import read_toml
from ringfence.reading.problems import Problem, ProblemsFound

KEPT: Final = 20
KEPT_OF_ID: Final = 16
"""How many characters of a stack's name, and of a logical id, are surely left in a name that CloudFormation makes up.

Nothing documents it; the names that accounts show keep 24 of each at least (see
`ringfence.deployed.physical.shapes`)."""

_SECRET: Final = re.compile(r"\{\{resolve:secretsmanager:([^:}]+)")
_AUDIT: Final = re.compile(r"ringfence-(.+)-audit")
_LIST: Final = re.compile(r"\{(\w+)\}")
_NAMES: Final = {
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::S3::Bucket": "BucketName",
}


def stem(department: str) -> str:
    """Returns the beginning of every name that CloudFormation makes up in a department's stacks."""
    return f"ringfence-{department}-"[:KEPT]


def alike(department: str, account: str, folder: Path) -> list[Problem]:
    """Returns the departments of the same account that a department's rights would reach: their names begin alike.

    Args:
        folder: Where the departments' files are.

    Raises:
        ProblemsFound: a file cannot be read.
    """
    own, found = stem(department), []
    for path in sorted(folder.glob("*.toml")):
        if path.stem == department or str(read_toml(path).get("account")) != account:
            continue
        other = stem(path.stem)
        if own.startswith(other) or other.startswith(own):
            message = f"Its names begin as those of {department} do ({min(own, other, key=len)}), in the same account."
            remedy = (
                f"Give one of the two a name that differs within {KEPT - len('ringfence-')} letters, or an account."
            )
            found.append(Problem("department", path.stem, message, remedy))
    return found


@dataclass(frozen=True)
class Place:
    """What the texts stand for: `words` within a text, and `lists`, each instead of a whole text.

    Attributes:
        words: `{department}` and so on, by name.
        lists: ARNs of the department's own resources, by name; a `*` stands where an id or a part of a name is drawn.
    """

    department: str
    account: str
    region: str
    qualifier: str
    words: Mapping[str, str]
    lists: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, assembly: Assembly) -> Place:
        """Reads it from the assembly.

        Raises:
            ProblemsFound: the assembly is not a department's.
        """
        found = [match[1] for name in assembly.stacks if (match := _AUDIT.fullmatch(name))]
        if len(found) != 1:
            message = "An assembly with one stack `ringfence-<department>-audit` is needed."
            remedy = "Synthesise one department: make synth DEPARTMENT=<name>."
            raise ProblemsFound("assembly", [Problem("stacks", ", ".join(assembly.stacks), message, remedy)])
        templates = [stack.template for stack in assembly.stacks.values()]
        qualifier = templates[0]["Parameters"]["BootstrapVersion"]["Default"].split("/")[2]
        secrets = sorted({name for template in templates for name in _SECRET.findall(json.dumps(template))})
        words = {
            "department": found[0],
            "account": assembly.account,
            "region": assembly.region,
            "qualifier": qualifier,
            "secret": secrets[0] if secrets else "",
            "stem": stem(found[0]),
            "engines": stem(found[0]).replace("-", "_"),
            "runtimes": names.runtimes_of(found[0]),
        }
        lists = {name: tuple(sorted(set(arns))) for name, arns in _lists(assembly).items()}
        return cls(found[0], assembly.account, assembly.region, qualifier, words, lists)

    def fill(self, value: Any) -> Any:
        """Returns a text, list or table of the file with this department's values in it."""
        if isinstance(value, str):
            return value.format(**self.words)
        if isinstance(value, Mapping):
            return {key: self.fill(item) for key, item in value.items()}
        return [text for item in value for text in self._texts(item)]

    def _texts(self, item: str) -> tuple[str, ...]:
        match = _LIST.fullmatch(item)
        return self.lists[match[1]] if match and match[1] in self.lists else (self.fill(item),)


def _lists(assembly: Assembly) -> dict[str, list[str]]:
    roles, policies, buckets = ({each.arn: _pattern(each) for each in assembly.of_type(kind)} for kind in _NAMES)
    own_policies = [each for each in assembly.of_type("AWS::IAM::ManagedPolicy") if each.raw["Properties"].get("Roles")]
    made_from = [each.properties for each in assembly.of_type("AWS::IAM::Role")]
    named = [arn for properties in made_from for arn in properties.get("ManagedPolicyArns", ())]
    boundaries = [properties["PermissionsBoundary"] for properties in made_from if "PermissionsBoundary" in properties]
    return {
        "roles": list(roles.values()),
        "policies": list(policies.values()),
        "buckets": list(buckets.values()),
        "boundaries": [policies.get(arn, arn) for arn in boundaries],
        "attached": [policies.get(arn, arn) for arn in [*named, *(each.arn for each in own_policies)]],
        "passed_roles": [roles[arn] for arn in _properties_of_text(assembly) if arn in roles],
        "custom_functions": list(_custom_functions(assembly)),
    }


def _pattern(resource: Resource) -> str:
    """The ARN that a resource will have; of a name that CloudFormation makes up, what is surely left of it."""
    if _NAMES[resource.type] in resource.raw.get("Properties", {}):
        return resource.arn
    start = re.split(r"(?<=[/:])(?=[^/:]+$)", resource.arn)[0]
    stack, logical_id = resource.stack[:KEPT], resource.logical_id[:KEPT_OF_ID]
    return f"{start}{stack}*-{logical_id.lower() if resource.type == 'AWS::S3::Bucket' else logical_id}*"


def _properties_of_text(assembly: Assembly) -> Iterator[str]:
    """Yields what is a property of its own in anything but a role or policy: the roles that something works as."""
    for resource in assembly.resources():
        if not resource.type.startswith(("AWS::IAM::", "Custom::")):
            yield from (each for each in resource.properties.values() if isinstance(each, str))


def _custom_functions(assembly: Assembly) -> Iterator[str]:
    for resource in assembly.resources():
        if resource.type.startswith("Custom::"):
            yield str(resource.properties["ServiceToken"])
