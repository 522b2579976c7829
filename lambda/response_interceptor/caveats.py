"""What an answer says beside itself: that it cannot contain what was asked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Caveat:
    """One case, from the catalogue.

    Attributes:
        when: what each of these arguments must match from beginning to end.
        empty: the list of the answer that must be empty; "" for every answer. With a dot, as in `results.points`, that
            field of each of the first list's objects.
        says: the sentence.
    """

    when: Mapping[str, re.Pattern[str]]
    empty: str
    says: str

    @classmethod
    def read(cls, found: Mapping[str, Any]) -> Caveat:
        """Return a caveat of a rule file.

        Raises:
            KeyError, TypeError, re.error: the rule file is not one of ours.
        """
        when = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in found["when"].items()}
        return cls(when, found["empty"], found["says"])

    def holds(self, arguments: Mapping[str, Any], body: Mapping[str, Any] | None) -> bool:
        """Say whether it is about a call with these arguments that was answered with this object."""
        if any(not pattern.fullmatch(str(arguments.get(name, ""))) for name, pattern in self.when.items()):
            return False
        return not self.empty or (body is not None and _is_empty(body, self.empty))


def _is_empty(body: Mapping[str, Any], place: str) -> bool:
    name, _, further = place.partition(".")
    found = body.get(name)
    if not isinstance(found, list) or not further:
        return found == []
    return all(isinstance(each, dict) and _is_empty(each, further) for each in found)


def caveats_of(caveats: Iterable[Caveat], params: Any, result: Mapping[str, Any]) -> list[str]:
    """Return what must be said beside a successful result: the most telling sentence, or nothing.

    Args:
        caveats: the tool's, the most telling first.
        params: those of the call.
        result: the result, before anything is cut from it.
    """
    if result.get("isError") is True:
        return []
    given = params.get("arguments") if isinstance(params, dict) else None
    arguments = given if isinstance(given, dict) else {}
    body = _body(result)
    return [caveat.says for caveat in caveats if caveat.holds(arguments, body)][:1]


def with_caveats(clean: dict[str, Any], caveats: Iterable[str]) -> dict[str, Any]:
    """Return a clean result with sentences of ours beside it, outside the marks around other people's words.

    Structured content gets them too where it is in our own wrapper already; else its form is the server's promise.
    """
    for says in caveats:
        note = f"Note by Ringfence: {says}"
        clean["content"].append({"type": "text", "text": note})
        structured = clean.get("structuredContent")
        if isinstance(structured, dict) and structured.keys() == {"untrusted", "data"}:
            structured["note"] = note
    return clean


def _body(result: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the one object of an answer, from its structured content or its one text."""
    body, content = result.get("structuredContent"), result.get("content")
    if not isinstance(body, dict) and isinstance(content, list) and len(content) == 1 and isinstance(content[0], dict):
        try:
            body = json.loads(str(content[0].get("text")))
        except (ValueError, RecursionError):
            return None
    if isinstance(body, dict) and len(body) == 1 and isinstance(body.get("result"), dict):
        body = body["result"]  # how mcp wraps a return value that is no model
    return body if isinstance(body, dict) else None
