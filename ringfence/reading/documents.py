"""Reading TOML and JSON that people and tools wrote, and telling every fault in plain words."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from ringfence.reading.chosen_file import nearest
from ringfence.reading.problems import ABSENT, Problem, ProblemsFound, shown
from ringfence.reading.toml_faults import explained

_KINDS: Final = {
    "string_type": ("text in quotes", "Put it in quotes."),
    "int_type": ("a whole number", "Write it without quotes and without a point, such as 20."),
    "bool_type": ("true or false", "Write one of the two, without quotes."),
    "tuple_type": ("a list in square brackets", "Put it in square brackets, also where it is one alone."),
    "list_type": ("a list in square brackets", "Put it in square brackets, also where it is one alone."),
    "dict_type": ("a table", "Write its keys below a heading of its own in square brackets."),
    "model_type": ("a table", "Write its keys below a heading of its own in square brackets."),
    "model_attributes_type": ("a table", "Write its keys below a heading of its own in square brackets."),
}
_NO_SETTINGS: Final = {
    ("region", "aws_region"): "The region is not a setting: everything runs in eu-west-2 (London).",
    (
        *("vpc", "vpc_id", "subnets", "subnet_ids", "security_group_ids", "route_table_ids"),
        *("endpoints", "vpc_endpoint_ids", "transit_gateway", "transit_gateway_id", "route53_profile"),
        *("resolver_profile", "nat_gateway", "internet_gateway"),
    ): "Ringfence brings its own network and endpoints, and shares nobody's (docs/decisions/0011).",
}
"""Keys that people of other deployments look for, and why there are none."""
_RENAMED: Final = {"door": "ingress"}
"""Tables of a file by the names that they had, and those that they have."""
_LENGTHS: Final = {
    "too_long": ("max_length", "These are more than {} entries.", "Leave out what is past {}."),
    "string_too_long": ("max_length", "These are more than {} characters.", "Leave out what is past {}."),
    "string_too_short": ("min_length", "These are fewer than {} characters.", "Write it out."),
}
_BOUNDS: Final = {"greater_than_equal": ("ge", "at least"), "less_than_equal": ("le", "at most")}


class Strict(BaseModel):
    """Base of everything read from a file: immutable, no silent conversion, no unknown key."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


_File = TypeVar("_File", bound=Strict)


def fault(message: str, remedy: str) -> PydanticCustomError:
    """Returns an error for a field validator to raise; message and remedy reach the reader unchanged."""
    return PydanticCustomError("ringfence", "{message}", {"message": message, "remedy": remedy})


def each_once(values: tuple[str, ...]) -> tuple[str, ...]:
    """Returns a list of texts in which none stands twice.

    Raises:
        PydanticCustomError: one does.
    """
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice:
        raise fault(f"{', '.join(twice)} stands here twice.", "Name it once.")
    return values


def read_toml(path: Path) -> dict[str, Any]:
    """Returns a TOML file's content.

    Raises:
        ProblemsFound: the file is missing, not UTF-8 or not TOML; the message names line and column.
    """
    return _read(path, "TOML", tomllib.loads)


def read_json(path: Path) -> dict[str, Any]:
    """Returns a JSON file's content, which must be an object.

    Raises:
        ProblemsFound: the file is missing, not UTF-8, not JSON or not an object.
    """
    return _read(path, "JSON", lambda text: json.loads(text, parse_constant=_no_constant))


def read_checked(path: Path, model: type[_File], *, distinct: Mapping[str, tuple[str, ...]] | None = None) -> _File:
    """Returns a TOML file, or a JSON one by its ending, that has the form of a model.

    Args:
        distinct: Of its lists, by name, the fields in which no two entries may be the same.

    Raises:
        ProblemsFound: everything that is wrong with the file, at once.
    """
    file, found = as_model(read_json(path) if path.suffix == ".json" else read_toml(path), model)
    if file is not None:
        found = [problem for name, fields in (distinct or {}).items() for problem in repeated(file, name, fields)]
    if found or file is None:
        raise ProblemsFound(str(path), found)
    return file


def as_model(
    data: Mapping[str, Any], model: type[_File], *, prefix: str = "", whole: type[BaseModel] | None = None
) -> tuple[_File | None, list[Problem]]:
    """Returns parsed data in the form of a model, or what is wrong with it, with the nearest key for an unknown one.

    Args:
        model: Its form; its fields are the known keys.
        prefix: Path of the data within its file, such as `identity`.
        whole: The model of the whole file, where the data are a part of it.
    """
    try:
        return model.model_validate(data), []
    except ValidationError as error:
        found = [details for details in error.errors(include_url=False) if not _is_echo(details)]
        return None, [_problem(details, model, prefix, whole or model) for details in found]


def repeated(file: Strict, name: str, fields: tuple[str, ...]) -> Iterator[Problem]:
    """Yields the entries of a file's list that say again what an earlier one says."""
    seen: dict[tuple[Any, ...], int] = {}
    for index, entry in enumerate(getattr(file, name)):
        key = tuple(getattr(entry, field) for field in fields)
        first = seen.setdefault(key, index)
        if first != index:
            told = " and ".join(fields)
            message = f"The entry [{first}] has the same {told}."
            yield Problem(f"{name}[{index}]", shown(" ".join(map(str, key))), message, "Keep one, or correct it.")


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _read(path: Path, kind: str, parse: Callable[[str], Any]) -> dict[str, Any]:
    def refuse(message: str, remedy: str) -> ProblemsFound:
        return ProblemsFound(str(path), [Problem("file", shown(path.name), message, remedy)])

    text = ""
    try:
        # Editors on Windows begin a file with a byte order mark, which the parsers refuse and nobody sees.
        text = path.read_text(encoding="utf-8-sig")
        content = parse(text)
    except FileNotFoundError as error:
        raise refuse("The file does not exist.", "Create it, or correct the name.") from error
    except OSError as error:
        raise refuse(f"The file cannot be read ({error.strerror}).", "Check its kind and permissions.") from error
    except UnicodeDecodeError as error:
        raise refuse(f"Byte {error.start} is not UTF-8.", "Save the file as UTF-8.") from error
    except (ValueError, RecursionError) as error:
        plain = explained(str(error), text) if isinstance(error, tomllib.TOMLDecodeError) else None
        message, remedy = plain or (f"This is not valid {kind}: {error}.", f"Correct the {kind} at that place.")
        raise refuse(message, remedy) from error
    if not isinstance(content, dict):
        raise refuse(f"The {kind} is not an object.", "Write one object at the top level.")
    return content


def _is_echo(details: ErrorDetails) -> bool:
    """Returns whether a fault is told already: of a list whose items were left out, or of a table by its old name."""
    if details["type"] == "missing":
        return any(new == details["loc"][-1] and old in details["input"] for old, new in _RENAMED.items())
    return details["type"] == "too_short" and bool(details["input"])


def _problem(details: ErrorDetails, model: type[BaseModel], prefix: str, whole: type[BaseModel]) -> Problem:
    location = tuple(details["loc"])
    field = path_text(location, prefix)
    kind = details["type"]
    if kind == "missing":
        return Problem(field, ABSENT, "This field is required.", f"Add `{_last(location)}`.")
    value = shown(details["input"], field=field)
    if kind == "extra_forbidden":
        key = str(location[-1])
        if (prefix or location[:-1]) and key in whole.model_fields:
            message = "This key belongs to the top of the file; below a heading it is a part of that table."
            return Problem(field, value, message, "Move it above the first heading in square brackets.")
        return _unknown_key(field, value, key, model, location[:-1])
    if kind == "ringfence":
        context = details.get("ctx", {})
        return Problem(field, value, str(context["message"]), str(context["remedy"]))
    if kind in _KINDS:
        what, remedy = _KINDS[kind]
        return Problem(field, value, f"This must be {what}.", _in_quotes(details, value) or remedy)
    if kind == "literal_error":
        return Problem(field, value, "This value is not known.", _of_the_known(details))
    if kind == "too_short":
        return Problem(field, value, "This is empty.", "Name at least one.")
    if kind in _BOUNDS:
        limit = details.get("ctx", {}).get(_BOUNDS[kind][0])
        return Problem(field, value, f"This must be {_BOUNDS[kind][1]} {limit}.", "Choose a value within the limits.")
    if kind in _LENGTHS:
        limit, message, remedy = _LENGTHS[kind]
        number = details.get("ctx", {}).get(limit)
        return Problem(field, value, message.format(number), remedy.format(number))
    # Its own words name types of Python, which nobody has written into a file.
    return Problem(field, value, "This does not have the form of this field.", "Write it as an example file does.")


def _of_the_known(details: ErrorDetails) -> str:
    """Returns which values there are, the one that was meant first."""
    expected = str(details.get("ctx", {}).get("expected", ""))
    near = nearest(str(details["input"]), re.findall("'([^']*)'", expected))
    return f"Did you mean `{near}`? Use one of: {expected}." if near else f"Use one of: {expected}."


def _in_quotes(details: ErrorDetails, value: str) -> str | None:
    """Returns how a line must read in which a number or a list stands for a text, such as an account's id."""
    key = details["loc"][-1] if details["loc"] else None
    if details["type"] == "string_type" and isinstance(details["input"], list):
        return "Write one text, without square brackets."
    if details["type"] != "string_type" or type(details["input"]) is not int or not isinstance(key, str):
        return None
    return f'Write `{key} = "{value}"`.'


def _unknown_key(field: str, value: str, key: str, model: type[BaseModel], parents: tuple[int | str, ...]) -> Problem:
    for words, message in _NO_SETTINGS.items():
        if key in words:
            return Problem(field, value, message, "Remove this key.")
    known = sorted(_keys_at(model, parents))
    if (new := _RENAMED.get(key)) in known:
        return Problem(field, value, f"`[{key}]` is now `[{new}]`.", "Rename it.")
    near = nearest(key, known)
    if near:
        return Problem(field, value, "This key is not known.", f"Did you mean `{near}`?")
    return Problem(field, value, "This key is not known.", f"Remove it; known keys are {', '.join(known)}.")


def _keys_at(model: type[BaseModel], parents: tuple[int | str, ...]) -> set[str]:
    """Returns the keys a model knows at a place within it; falls back to none where the place is not a model."""
    current: type[BaseModel] | None = model
    for step in parents:
        if isinstance(step, int) or current is None or step not in current.model_fields:
            continue
        current = _model_in(current.model_fields[step].annotation)
    return set(current.model_fields) if current is not None else set()


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in getattr(annotation, "__args__", ()):
        found = _model_in(part)
        if found is not None:
            return found
    return None


def path_text(location: tuple[int | str, ...], prefix: str = "") -> str:
    """Returns a place as a reader would write it: `ingress.allowed_networks[1]`."""
    text = prefix
    for step in location:
        if step == "[key]":  # pydantic's word for a fault in a table's key itself
            continue
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{step}" if text else step
    return text or "file"


def _last(location: tuple[int | str, ...]) -> str:
    return str(location[-1]) if location else "it"


def strings_in(value: object, location: tuple[int | str, ...] = ()) -> list[tuple[tuple[int | str, ...], str]]:
    """Returns every text in a parsed document with its place, in file order."""
    if isinstance(value, str):
        return [(location, value)]
    if isinstance(value, Mapping):
        return [found for key, item in value.items() for found in strings_in(item, (*location, str(key)))]
    if isinstance(value, list | tuple):
        return [found for index, item in enumerate(value) for found in strings_in(item, (*location, index))]
    return []
