"""Resolves CloudFormation intrinsic functions to values.

Whatever is not understood raises `UnresolvedTemplate`: a value that was guessed would make every later proof worthless.
A dynamic reference (`{{resolve:…}}`) is another name for a parameter: its value is read when a stack is made or changed
(CloudFormation user guide, "Using dynamic references to specify template values", read 29 November 2026). Only the
client secret of an identity provider may be one.
"""

from __future__ import annotations

import base64
import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, Protocol

from ringfence.deployed.problems import UnresolvedTemplate

_SUB = re.compile(r"\$\{([^}]*)\}")
_DYNAMIC = "{{resolve:"
_SECRET = re.compile(r"\{\{resolve:secretsmanager:[^{}]+\}\}")
_ZONES = {"eu-west-2": ("eu-west-2a", "eu-west-2b", "eu-west-2c")}


class NoValue:
    """What `Ref: AWS::NoValue` gives: the property is absent."""


NO_VALUE = NoValue()


class Scope(Protocol):
    """What the resolver needs to know about the stack it works in."""

    stack: str

    def ref(self, name: str) -> Any:
        """The value of `Ref` for a parameter, pseudo parameter or logical id."""

    def attribute(self, logical_id: str, name: str) -> Any:
        """The value of `Fn::GetAtt`."""

    def exported(self, name: str) -> Any:
        """The value another stack exports."""

    def output_of(self, stack: str, name: str) -> Any:
        """The value of another stack's output."""

    def condition(self, name: str) -> bool:
        """The value of a named condition."""

    def mapping(self, name: str, first: str, second: str) -> Any:
        """The value of `Fn::FindInMap`."""


class Resolver:
    """Resolves values in the scope of one stack; `where` names the resource in error messages."""

    def __init__(self, scope: Scope, where: str) -> None:
        self._scope = scope
        self._where = where
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Join": self._join,
            "Fn::Sub": self._sub,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::ImportValue": lambda argument: self._scope.exported(self._text(argument)),
            "Fn::GetStackOutput": self._get_stack_output,
            "Fn::FindInMap": self._find_in_map,
            "Fn::If": self._if,
            "Fn::Base64": lambda argument: base64.b64encode(self._text(argument).encode()).decode(),
            "Fn::Cidr": self._cidr,
            "Fn::GetAZs": self._zones,
            "Fn::ToJsonString": lambda argument: json.dumps(self.resolve(argument), separators=(",", ":")),
            "Fn::Length": lambda argument: len(self._list(argument)),
            "Fn::Equals": self._equals,
            "Fn::And": lambda argument: all(self._truth(part) for part in argument),
            "Fn::Or": lambda argument: any(self._truth(part) for part in argument),
            "Fn::Not": lambda argument: not self._truth(argument[0]),
            "Condition": lambda argument: self._scope.condition(str(argument)),
        }

    def resolve(self, value: Any) -> Any:
        """The value with every intrinsic replaced; members that are `AWS::NoValue` are left out.

        Raises:
            UnresolvedTemplate: an intrinsic, logical id, attribute or export is unknown.
        """
        if isinstance(value, list):
            return [item for item in (self.resolve(part) for part in value) if item is not NO_VALUE]
        if not isinstance(value, dict):
            return self._fixed(value)
        function = self._function_of(value)
        if function is not None:
            return self._fixed(self._functions[function](value[function]))
        resolved = {
            key: self._details(item) if key == "ProviderDetails" else self.resolve(item) for key, item in value.items()
        }
        return {key: item for key, item in resolved.items() if item is not NO_VALUE}

    def _fixed(self, value: Any) -> Any:
        if isinstance(value, str) and _DYNAMIC in value:
            self._fail(f"{value!r:.200} is read when the stack is deployed; write what it stands for")
        return value

    def _details(self, details: Any) -> Any:
        """An identity provider's details; the secret that it gave is for the account alone."""
        secret = details.get("client_secret") if isinstance(details, dict) else None
        if not isinstance(secret, str) or not _SECRET.fullmatch(secret):
            return self.resolve(details)
        return {**self.resolve({**details, "client_secret": ""}), "client_secret": secret}

    def truth(self, value: Any) -> bool:
        """The value of a condition expression."""
        return self._truth(value)

    def _function_of(self, value: Mapping[str, Any]) -> str | None:
        for key in value:
            if key.startswith("Fn::") and (len(value) > 1 or key not in self._functions):
                self._fail(f"{key} is unknown here; add it to ringfence/deployed/intrinsics.py")
        if len(value) != 1:
            return None
        (key,) = value
        # An IAM statement or an AgentCore policy may hold a member called "Condition"; only text names a condition.
        if key == "Condition":
            return key if isinstance(value[key], str) else None
        return key if key in self._functions else None

    def _fail(self, missing: str) -> NoReturn:
        raise UnresolvedTemplate(self._scope.stack, self._where, missing)

    def _text(self, value: Any) -> str:
        resolved = self.resolve(value)
        if isinstance(resolved, bool) or not isinstance(resolved, str | int | float):
            self._fail(f"text was expected where {json.dumps(value, default=str)[:200]} stands")
        return str(resolved)

    def _list(self, value: Any) -> list[Any]:
        resolved = self.resolve(value)
        if not isinstance(resolved, list):
            self._fail(f"a list was expected where {json.dumps(value, default=str)[:200]} stands")
        return resolved

    def _ref(self, argument: Any) -> Any:
        return NO_VALUE if argument == "AWS::NoValue" else self._scope.ref(str(argument))

    def _get_att(self, argument: Any) -> Any:
        parts = argument.split(".", 1) if isinstance(argument, str) else [argument[0], self._text(argument[1])]
        if len(parts) != 2:
            self._fail(f"Fn::GetAtt needs a logical id and an attribute, not {argument!r}")
        return self._scope.attribute(parts[0], parts[1])

    def _get_stack_output(self, argument: Any) -> Any:
        unknown = set(argument) - {"StackName", "OutputName", "Region"}
        if unknown:
            self._fail(f"Fn::GetStackOutput with {sorted(unknown)} is unknown")
        region, own = argument.get("Region"), self._text({"Ref": "AWS::Region"})
        if region is not None and self._text(region) != own:
            self._fail(f"Fn::GetStackOutput reads from {self._text(region)}, the stack is in {own}")
        return self._scope.output_of(self._text(argument["StackName"]), self._text(argument["OutputName"]))

    def _join(self, argument: Any) -> str:
        separator, parts = argument
        return str(separator).join(self._text(part) for part in self._list(parts))

    def _sub(self, argument: Any) -> str:
        template, values = (argument, {}) if isinstance(argument, str) else (argument[0], argument[1])

        def replace(match: re.Match[str]) -> str:
            name = match.group(1)
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            if name in values:
                return self._text(values[name])
            if "." in name:
                return self._text({"Fn::GetAtt": name})
            return self._text({"Ref": name})

        return _SUB.sub(replace, template)

    def _select(self, argument: Any) -> Any:
        index, items = int(self._text(argument[0])), self._list(argument[1])
        if not 0 <= index < len(items):
            self._fail(f"Fn::Select asks for item {index} of {len(items)}")
        return items[index]

    def _split(self, argument: Any) -> list[str]:
        return self._text(argument[1]).split(str(argument[0]))

    def _find_in_map(self, argument: Any) -> Any:
        name, first, second = (self._text(part) for part in argument[:3])
        return self._scope.mapping(name, first, second)

    def _if(self, argument: Any) -> Any:
        name, then, otherwise = argument
        return self.resolve(then if self._scope.condition(str(name)) else otherwise)

    def _cidr(self, argument: Any) -> list[str]:
        block, count = self._text(argument[0]), int(self._text(argument[1]))
        bits = int(self._text(argument[2])) if len(argument) > 2 else 8
        network = ipaddress.ip_network(block)
        parts = network.subnets(new_prefix=network.max_prefixlen - bits)
        return [str(part) for part, _ in zip(parts, range(count), strict=False)]

    def _zones(self, argument: Any) -> list[str]:
        region = self._text(argument) or self._text({"Ref": "AWS::Region"})
        if region not in _ZONES:
            self._fail(f"the availability zones of {region} are not known here")
        return list(_ZONES[region])

    def _equals(self, argument: Any) -> bool:
        first, second = (self._text(part) for part in argument)
        return first == second

    def _truth(self, value: Any) -> bool:
        resolved = self.resolve(value)
        if not isinstance(resolved, bool):
            self._fail(f"a condition was expected where {json.dumps(value, default=str)[:200]} stands")
        return resolved
