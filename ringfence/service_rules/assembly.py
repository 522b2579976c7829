"""All templates that are deployed into one account, read together: what refers to what, what is made before what."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Final

from ringfence.reading.template import Resource, Template, listed, opened
from ringfence.service_rules.longest import PSEUDO, longest

_PLACEHOLDER: Final = re.compile(r"\$\{(!?)([^}]+)\}")
_UNKNOWN: Final = "x" * 128
"""Longer than most names: what nobody can resolve should rather not fit."""

Statement = Mapping[str, Any]


class Assembly:
    """The templates of a department, or of an organisation's management account."""

    def __init__(self, templates: Iterable[Template]) -> None:
        """Takes the templates, each under a name of its own."""
        self.templates = tuple(templates)
        self._named = {template.name: template for template in self.templates}
        self._by_id = {(each.template, each.logical_id): each for each in self.resources}
        self._exports = {
            name: (template.name, output["Value"])
            for template in self.templates
            for output in (template.rest.get("Outputs") or {}).values()
            if isinstance(name := (output.get("Export") or {}).get("Name"), str)
        }
        self.made_before: Callable[[Resource], frozenset[str]] = cache(self._made_before)
        """The logical ids, of the same template, that CloudFormation makes before a resource."""
        self._made_just_before = cache(self._named_by)

    @property
    def resources(self) -> Iterator[Resource]:
        """Every resource, template by template."""
        return (resource for template in self.templates for resource in template.resources)

    def of_type(self, *kinds: str) -> Iterator[Resource]:
        """Yields the resources of one of these types."""
        return (resource for resource in self.resources if resource.type in kinds)

    def exports(self) -> Iterator[tuple[str, str]]:
        """Yields the template and the name of every export."""
        return ((template, name) for name, (template, _) in self._exports.items())

    def resolved(self, template: str, value: Any) -> Any:
        """Returns a value with every intrinsic function replaced by the longest value that it can plausibly give."""
        if isinstance(value, list):
            return [self.resolved(template, item) for item in value]
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1:
            ((key, argument),) = value.items()
            if key == "Ref" or key.startswith("Fn::"):
                return self._function(template, key, argument)
        return {key: self.resolved(template, item) for key, item in value.items()}

    def text(self, template: str, value: Any) -> str:
        """Returns a resolved value as text; empty where there is none."""
        found = self.resolved(template, value)
        return "" if found is None else str(found)

    def document(self, template: str, value: Any) -> Any:
        """Returns a policy document resolved, and parsed where it stands as text."""
        found = self.resolved(template, value)
        return opened(found) if isinstance(found, str) else found

    def statements(self, resource: Resource, path: str) -> list[Statement]:
        """Returns the resolved statements of the policy document at a path of a resource."""
        document = self.document(resource.template, resource.at(path))
        found = listed(document.get("Statement")) if isinstance(document, Mapping) else []
        return [each for each in found if isinstance(each, Mapping)]

    def referred(self, template: str, value: Any) -> list[Resource]:
        """Returns the resources that a value refers to, by any function and through any export."""
        found = []
        for name in _references(value):
            if (template, name) in self._by_id:
                found.append(self._by_id[template, name])
            elif name in self._exports:
                found += self.referred(*self._exports[name])
        return found

    def one(self, resource: Resource, path: str, kind: str) -> Resource | None:
        """Returns the resource of a type that a property refers to, or None where it does not refer to one."""
        return next((each for each in self.referred(resource.template, resource.at(path)) if each.type == kind), None)

    def _made_before(self, resource: Resource) -> frozenset[str]:
        found: set[str] = set()
        waiting = [resource]
        while waiting:
            new = self._made_just_before(waiting.pop()) - found
            found |= new
            waiting += [self._by_id[resource.template, name] for name in new]
        return frozenset(found)

    def _named_by(self, resource: Resource) -> frozenset[str]:
        named = {*_references(resource.properties), *resource.depends_on} - {resource.logical_id}
        return frozenset(name for name in named if (resource.template, name) in self._by_id)

    def _function(self, template: str, key: str, argument: Any) -> Any:
        if key == "Ref":
            return self._attribute(template, str(argument), "Ref")
        if key == "Fn::GetAtt":
            name, _, attribute = (
                argument.partition(".") if isinstance(argument, str) else (argument[0], "", argument[1])
            )
            return self._attribute(template, str(name), str(attribute))
        if key == "Fn::ImportValue":
            name = self.text(template, argument)
            return self.resolved(*self._exports[name]) if name in self._exports else _UNKNOWN
        if key == "Fn::Join":
            return argument[0].join(self.text(template, part) for part in argument[1])
        if key == "Fn::Sub":
            return self._substituted(template, argument)
        if key == "Fn::If":
            return max((self.resolved(template, branch) for branch in argument[1:]), key=lambda each: len(str(each)))
        return _UNKNOWN

    def _substituted(self, template: str, argument: Any) -> str:
        pattern, given = argument if isinstance(argument, list) else (argument, {})

        def value(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return f"${{{name}}}"
            if name in given:
                return self.text(template, given[name])
            logical_id, _, attribute = name.partition(".")
            return self._attribute(template, logical_id, attribute or "Ref")

        return _PLACEHOLDER.sub(value, pattern)

    def _attribute(self, template: str, name: str, attribute: str) -> str:
        resource = self._by_id.get((template, name))
        if resource is not None:
            return longest(resource, attribute, lambda value: self.text(template, value))
        if name in PSEUDO:
            return PSEUDO[name]
        whole = self._named.get(template)
        parameters = (whole.content.get("Parameters") if whole else None) or {}
        return str((parameters.get(name) or {}).get("Default", _UNKNOWN))


def allows(statement: Statement, action: str) -> bool:
    """Whether a statement's actions cover one action, such as `kms:Decrypt`."""
    return any(matches(str(pattern), action) for pattern in listed(statement.get("Action")))


def principals(statement: Statement, kind: str) -> list[str]:
    """Returns the principals of a kind (`Service`, `AWS`) that a statement names."""
    principal = statement.get("Principal")
    return [str(each) for each in listed(principal.get(kind))] if isinstance(principal, Mapping) else []


def matches(pattern: str, text: str) -> bool:
    """Whether a text fits a pattern of IAM's, in which `*` and `?` are wild; letter case does not count."""
    wild = "".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in pattern)
    return re.fullmatch(wild, text, re.IGNORECASE | re.DOTALL) is not None


def _references(value: Any) -> list[str]:
    """Returns the logical ids and exports that a value names, in order and without repeats."""
    return list(dict.fromkeys(_named(value)))


def _named(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _named(item)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if key in ("Ref", "Fn::ImportValue") and isinstance(item, str):
                yield item
            elif key == "Fn::GetAtt":
                yield str(item).partition(".")[0] if isinstance(item, str) else str(item[0])
            elif key == "Fn::Sub":
                pattern, given = item if isinstance(item, list) else (item, {})
                names = [name.partition(".")[0] for literal, name in _PLACEHOLDER.findall(pattern) if not literal]
                yield from (name for name in names if name not in given)
                yield from _named(list(given.values()))
            else:
                yield from _named(item)
