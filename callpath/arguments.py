"""Tool arguments are checked against the locked schema, strictly, and forced ones are filled in."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import fastjsonschema

from callpath.digest import canonical
from callpath.looking import TIME, Looking
from callpath.refusal import Refusal

# When one call breaks several rules, the refusal carries the most telling one and the message tells them all, or the
# first of very many: whatever takes time is done for those alone.
_MOST_TELLING = ("forced-argument", "unknown-argument", "missing-argument", "wrong-type", "wrong-value")
_MOST_PROBLEMS = 10
_MOST_VALUES = 24
_LONGEST_PATTERN = 60
_LONGEST_NAME = 64
# A choice among texts, as `ringfence.catalogue.shown.published` writes it, since the gateway's policy compares no enum.
_CHOICE = re.compile(r"\^\(\?:(?P<values>.+)\)\$")
_BAR = re.compile(r"(?<!\\)\|")
_ESCAPED = re.compile(r"\\.")
_ESCAPE = re.compile(r"\\(?=[^A-Za-z0-9])")
_MEANING = re.compile(r"[\\^$.*+?()\[\]{}|]")


@dataclass(frozen=True, eq=False)
class ToolRule:
    """How one tool may be called.

    Attributes:
        name: the tool's name, as it appears in messages.
        input_schema: the published JSON schema of the arguments (an object schema, from the lock).
        forced: arguments with one accepted value, filled in when the caller leaves them out.
        looking: what bounds a call beyond the schema.
        examples: a value of an argument, for messages about its form.
        not_held: operations that are known and not permitted, with the reason of each.
    """

    name: str
    input_schema: dict[str, Any]
    forced: dict[str, object]
    looking: Looking = field(default_factory=Looking)
    examples: Mapping[str, object] = field(default_factory=dict)
    not_held: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def validate(self) -> Callable[[object], object]:
        """The compiled schema. Undeclared arguments are refused even if the schema forgot to say so."""
        schema = {"type": "object", "properties": {}, **self.input_schema, "additionalProperties": False}
        validate: Callable[[object], object] = fastjsonschema.compile(
            schema,
            # The library would otherwise fetch a remote $ref, and fill in defaults behind the caller's back.
            handlers=dict.fromkeys(("http", "https", "ftp", "file", ""), _no_remote_schema),
            use_default=False,
            fast_fail=False,
        )
        return validate

    @cached_property
    def declared(self) -> frozenset[str]:
        """The names of the tool's own arguments."""
        return frozenset(self.input_schema.get("properties", {}))

    @cached_property
    def optional(self) -> frozenset[str]:
        """The names of those that a call may leave out."""
        return self.declared - frozenset(self.input_schema.get("required", []))


def check_arguments(rule: ToolRule, arguments: object, *, layer: str = "request") -> dict[str, object]:
    """Return a copy of the arguments with the forced ones filled in, and without those that hold nothing.

    Null or an empty text for a fixed or an optional argument counts as left out: hosts send either for what a person
    did not fill in, and nothing is gained by it.

    Args:
        rule: the tool's rule.
        arguments: what the caller sent; None counts as no arguments.
        layer: who is asking, for the refusal.

    Raises:
        Refusal: something is wrong with the arguments. The message lists every problem by name and repeats no value.
    """
    if arguments is None:
        arguments = {}
    if not isinstance(arguments, dict):
        raise Refusal(layer, "wrong-type", f"The arguments of {rule.name} must be a JSON object")
    checked = {name: value for name, value in arguments.items() if not (_is_empty(value) and name in rule.optional)}
    problems, more = [], 0
    for name, value in rule.forced.items():
        if _differs(checked.setdefault(name, value), value):
            problems.append(("forced-argument", f'"{name}" is fixed to {_shown(value)}: leave it out'))
            checked[name] = value  # so that the schema does not report the same problem again
    try:
        rule.validate(checked)
    except fastjsonschema.JsonSchemaValuesException as exception:
        names = set(_property_names(rule.input_schema))
        errors = sorted(exception.errors, key=_how_telling)
        problems += [problem for error in errors[:_MOST_PROBLEMS] for problem in _problems(error, names, rule)]
        more = len(errors[_MOST_PROBLEMS:])
    if not problems:
        problems = [("wrong-value", told) for told in rule.looking.problems(checked)]
    if not problems:
        return checked
    raise Refusal(layer, min((found for found, _ in problems), key=_MOST_TELLING.index), _message(rule, problems, more))


def _is_empty(value: object) -> bool:
    return value is None or value == ""


def _message(rule: ToolRule, problems: list[tuple[str, str]], more: int) -> str:
    told = list(dict.fromkeys(text for _, text in problems))
    if more := more + len(told[_MOST_PROBLEMS:]):
        told = [*told[:_MOST_PROBLEMS], f"and {more} more problems"]
    return f"{rule.name} was not called because of its arguments: {'; '.join(told)}"


def _how_telling(error: fastjsonschema.JsonSchemaValueException) -> int:
    found = {"additionalProperties": "unknown-argument", "required": "missing-argument", "type": "wrong-type"}
    return _MOST_TELLING.index(found.get(str(error.rule), "wrong-value"))


def _problems(
    error: fastjsonschema.JsonSchemaValueException, names: set[str], rule: ToolRule
) -> Iterator[tuple[str, str]]:
    """Translate one finding of the validator. Its own text is never used: some of its messages quote values."""
    where = _where(error.path[1:], names)
    definition = error.definition if isinstance(error.definition, dict) else {}
    if error.rule == "additionalProperties" and isinstance(error.value, dict):
        yield "unknown-argument", _unknown(error.value, set(definition.get("properties", {})), where)
    elif error.rule == "required" and isinstance(error.value, dict):
        for name in definition["required"]:
            if name not in error.value:
                yield "missing-argument", f'"{where}.{name}" is required' if where else f'"{name}" is required'
    else:
        found, told = _type_or_value(error, definition, f'"{where}"' if where else "the arguments")
        yield found, told + _why(error.value, rule) + _such_as(where, rule, told)


def _type_or_value(
    error: fastjsonschema.JsonSchemaValueException, definition: dict[str, Any], field: str
) -> tuple[str, str]:
    limit = error.rule_definition
    if error.rule == "type":
        return "wrong-type", f"{field} must be {_types([definition])}"
    if error.rule in ("anyOf", "oneOf"):
        if values := [value for part in limit if isinstance(part, dict) for value in part.get("enum", ())]:
            return "wrong-value", f"{field} must be {_one_of(values)}"
        if types := _types(limit):
            return "wrong-type", f"{field} must be {types}, within its limits"
        return "wrong-value", f"{field} matches none of the forms this tool accepts"
    if error.rule == "enum":
        return "wrong-value", f"{field} must be {_one_of(limit)}"
    if error.rule == "const":
        return "wrong-value", f"{field} must be {_shown(limit)}"
    if error.rule == "pattern":
        return "wrong-value", f"{field} {_form(str(limit))}"
    if isinstance(limit, str | int | float):
        return "wrong-value", f"{field} breaks its {error.rule} of {limit}"
    return "wrong-value", f"{field} breaks its rule {error.rule}"


def _one_of(values: Sequence[object]) -> str:
    return (
        "one of "
        + ", ".join(_shown(value) for value in values[:_MOST_VALUES])
        + (", ..." if len(values) > _MOST_VALUES else "")
    )


def _form(pattern: str) -> str:
    """Return what a text must be that has a pattern: one of some values, a time, or, where it is short, the pattern."""
    if pattern == TIME:
        return "must be a time such as 2026-11-28T09:00:00Z"
    if values := _choices(pattern):
        return f"must be {_one_of(values)}"
    if len(pattern) > _LONGEST_PATTERN:
        return "does not have the form that the schema of the tool gives for it"
    return f"breaks its pattern of {pattern}"


def _choices(pattern: str) -> list[str]:
    """Return the texts that a pattern is a choice of, or none for any other pattern."""
    choice = _CHOICE.fullmatch(pattern)
    values = _BAR.split(choice["values"]) if choice else []
    plain = all(not _MEANING.search(_ESCAPED.sub("", value)) for value in values)
    return [_ESCAPE.sub("", value) for value in values] if plain else []


def _why(value: object, rule: ToolRule) -> str:
    """Return why an operation is refused that is known; the caller's word is then the catalogue's own."""
    why = rule.not_held.get(value) if isinstance(value, str) else None
    return f" ({value} exists and is refused: {why.rstrip('.')})" if why else ""


def _such_as(where: str, rule: ToolRule, told: str) -> str:
    shows = where in rule.examples and ("pattern" in told or "form" in told)
    return f", such as {_shown(rule.examples[where])}" if shows else ""


def _types(definitions: list[Any]) -> str:
    """Return "string or null" for the branches of a choice, or nothing when a branch does not name its type."""
    found: list[str] = []
    for definition in definitions:
        types = definition.get("type") if isinstance(definition, dict) else None
        if types is None:
            return ""
        found += [types] if isinstance(types, str) else types
    return " or ".join(dict.fromkeys(found))


def _unknown(given: dict[str, object], declared: set[str], where: str) -> str:
    """Return what is said of the arguments in an object that are none of the tool's: how many, and what may be meant.

    None is repeated: a name of the caller's, however plain, may be an instruction, and nothing marks our own sentence.
    """
    unknown, free = sorted(given.keys() - declared), sorted(declared - given.keys())
    looked_at = [name[:_LONGEST_NAME] for name in unknown[:_MOST_PROBLEMS]]
    meant = {near for name in looked_at for near in difflib.get_close_matches(name, free, n=1)}
    are = "one is not an argument" if len(unknown) == 1 else f"{len(unknown)} are not arguments"
    instead = f"did you mean {' and '.join(map(_shown, sorted(meant)))}?" if meant else "keep to those that are listed"
    return (f'in "{where}" ' if where else "") + f"{are} of this tool: {instead}"


def _where(path: list[str], names: set[str]) -> str:
    """Return the place of a problem, with the caller's own keys (which may be data) left out."""
    shown = [part if part in names or part.isdecimal() else "..." for part in path]
    return ".".join(part for part, before in zip(shown, ["", *shown], strict=False) if part != "..." or before != "...")


def _shown(value: object) -> str:
    """Return a value of the catalogue (never one of the caller's) as JSON."""
    return canonical(value).decode()


def _differs(sent: object, forced: object) -> bool:
    """Compare as JSON does: true is not 1, and 1.0 is 1."""
    try:
        return canonical(sent) != canonical(forced)
    except ValueError:
        return True


def _property_names(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        properties = schema.get("properties")
        if isinstance(properties, dict):
            yield from properties
        for part in schema.values():
            yield from _property_names(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _property_names(part)


def _no_remote_schema(uri: str) -> Any:
    raise ValueError(f"the schema refers to {uri}; a locked schema must be complete in itself")
