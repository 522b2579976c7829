"""What a model reads of a tool: the server's words and schema, without what the locks refuse, and with ours."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from callpath.looking import TIME
from governance import names
from governance.published import published_definition
from governance.published_files import PublishedFile
from governance.servers import Server, Tool

_HEADING: Final = re.compile(r"#{1,6} (?P<marked>\S.*)|(?P<plain>[A-Z][^.:\n]{1,80}):")
_FENCE: Final = "```"
_ITEM: Final = re.compile(r"\s*(?:[-*]|\d+\.)\s")
_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"'`])")
_WORD: Final = re.compile(r"[A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)*")
_EMPTY: Final = re.compile(r" ?\((?:required|optional|for|\s)*\)|\s+(?=[.,;)])")


@dataclass(frozen=True)
class Unsaid:
    """What a tool's texts must not speak of.

    Attributes:
        words: names of arguments and tools that callers do not have.
        refused: operations of the tool that they may not ask for; `permitted` are the others.
        aliases: what tools of the server are called, by their names.
    """

    words: Collection[str]
    refused: Collection[str]
    permitted: Collection[str]
    aliases: Mapping[str, str] = field(default_factory=dict)

    def renamed(self, text: str) -> str:
        """Returns a text that calls tools as models do."""
        return _WORD.sub(lambda word: self.aliases.get(word[0], word[0]), text)

    def only_refused(self, text: str) -> bool:
        """Returns whether a text speaks of refused operations and of no permitted one."""
        words = set(_WORD.findall(text))
        return bool(words & set(self.refused)) and not words & set(self.permitted)

    def forbids(self, text: str) -> bool:
        """Returns whether a sentence goes as a whole."""
        return bool(set(_WORD.findall(text)) & set(self.words)) or self.only_refused(text)

    def without_refused(self, text: str) -> str:
        """Returns a sentence of permitted and refused operations without the refused ones."""
        for name in sorted(set(_WORD.findall(text)) & set(self.refused), key=len, reverse=True):
            quoted = rf"[\"'`]?(?<![\w-]){re.escape(name)}(?![\w-])[\"'`]?"
            for place in (rf",? (?:and|or) {quoted}(?=[ .)]|$)", rf"{quoted}, (?:and |or )?", rf",? ?{quoted}"):
                text = re.sub(place, "", text)
        return text


def shown_definition(server: Server, tool: Tool, *, held: Collection[str], rules: PublishedFile) -> dict[str, Any]:
    """Returns a tool as the response interceptor lists it.

    What a call may hold is decided by `published_definition`; this one accepts nothing more. It may show less: null,
    which counts as left out, arguments of one value, and those that only refused operations take.

    Args:
        server: The tool's server as it stands in the catalogue, with every tool and operation.
        tool: The tool as the persona holds it.
        held: Bare names of the server's tools that the persona holds.
        rules: What is left of the server's words.

    Returns:
        `{"name", "description", "inputSchema", "annotations"}`, under the name that a model uses.
    """
    unsaid = _unsaid(server, tool, held)
    schema = published_definition(server, tool)["inputSchema"]
    required = schema.get("required", [])
    properties = {
        name: _argument(name, part, tool, unsaid, rules)
        for name, part in schema["properties"].items()
        if name not in tool.forced and (name in required or not unsaid.only_refused(part.get("description", "")))
    }
    reads = tool.level == "read"
    return {
        "name": shown_name(server, tool),
        "description": _description(tool, unsaid, rules),
        "inputSchema": {**_bare(schema, unsaid, rules), "properties": properties},
        "annotations": {
            "title": tool.name.replace("_", " ").capitalize(),
            "readOnlyHint": reads,
            # Of what changes something, a host should ask first: levels do not tell additions from deletions.
            **({} if reads else {"destructiveHint": True}),
        },
    }


def shown_name(server: Server, tool: Tool) -> str:
    """Returns what a model calls a tool; the gateway's own name for it is accepted as well."""
    return names.published_tool(server.alias or server.name, tool.alias or tool.name)


def _unsaid(server: Server, tool: Tool, held: Collection[str]) -> Unsaid:
    gone = {name for name, rule in tool.arguments.items() if rule.mode in ("hidden", "forced") and "_" in name}
    others = {name for name in server.lock if name not in held and "_" in name}
    permitted = set(tool.operations)
    known = {name for name in server.tools[tool.name].operations if not tool.match == "command"}
    return Unsaid(
        words=gone | others | {"ctx"},
        refused=known - permitted,
        permitted=permitted,
        aliases={each.name: each.alias for each in server.tools.values() if each.alias},
    )


def _description(tool: Tool, unsaid: Unsaid, rules: PublishedFile) -> str:
    """Returns the server's words that are left, and ours. Nothing is cut: `shown_checks` tells what is too long."""
    theirs = tool.told or _narrowed(str(tool.definition.get("description", "")), unsaid, rules)
    return f"{theirs}\n\n{' '.join(tool.limits)}".strip()


def _narrowed(text: str, unsaid: Unsaid, rules: PublishedFile) -> str:
    """Returns a description without the sections, items and sentences that must go."""
    kept: list[str] = []
    section_gone, item_gone, after_empty = False, -1, True
    for block in _blocks(text):
        heading = _HEADING.fullmatch(block)
        if heading and (heading["marked"] or after_empty):
            title = (heading["marked"] or heading["plain"]).lower()
            section_gone, item_gone = title.startswith(tuple(rules.sections)), -1
        after_empty = not block.strip()
        indent = len(block) - len(block.lstrip())
        if section_gone or (item_gone >= 0 and indent > item_gone and _ITEM.match(block)):
            continue
        as_it_is = heading or after_empty or block.startswith(_FENCE)
        left = block if as_it_is else _sentences(block, unsaid, rules)
        item_gone = indent if _ITEM.match(block) and not left else -1
        if left or after_empty:
            kept.append(left)
    return _tidy(kept)


def _blocks(text: str) -> Iterable[str]:
    """Yields headings, list items with their further lines, paragraphs joined to one line, code, and empty lines."""
    block = ""
    for line in text.splitlines():
        if block.startswith(_FENCE):
            block = f"{block}\n{line}"
            if not line.startswith(_FENCE):
                continue
            line, block = "", f"{block}\n"
        starts = _ITEM.match(line) or _HEADING.fullmatch(line) or line.startswith(_FENCE)
        if block and (starts or not line.strip()):
            yield block.rstrip()
            block = ""
        if not line.strip() or _HEADING.fullmatch(line):
            yield line.strip()
        else:
            block = f"{block} {line.strip()}" if block else line
    if block:
        yield block


def _sentences(block: str, unsaid: Unsaid, rules: PublishedFile) -> str:
    """Returns what is left of one paragraph, item or argument's description."""
    for each in rules.instead:
        block = re.sub(each.pattern, each.words, block)
    mark = _ITEM.match(block)
    lead, body = (block[: mark.end()], block[mark.end() :]) if mark else ("", block)
    sentences = _SENTENCE.split(" ".join(body.split()))
    left = [unsaid.without_refused(each) for each in sentences if not _goes(each, unsaid, rules)]
    told = unsaid.renamed(_EMPTY.sub("", " ".join(left)).strip())
    return f"{lead}{told}" if told else ""


def _goes(sentence: str, unsaid: Unsaid, rules: PublishedFile) -> bool:
    return unsaid.forbids(sentence) or any(phrase in sentence for phrase in rules.phrases)


def _tidy(lines: list[str]) -> str:
    """Returns lines without headings of nothing and without more than one empty line in a row."""
    text = "\n".join(lines)
    empty_heading = re.compile(r"^(?:#{1,6} \S.*|[A-Z][^.:\n]{1,80}:)\n*(?=^#{1,6} |^[A-Z][^.:\n]{1,80}:$|\Z)", re.M)
    while (left := empty_heading.sub("", text)) != text:
        text = left
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _argument(name: str, part: Mapping[str, Any], tool: Tool, unsaid: Unsaid, rules: PublishedFile) -> dict[str, Any]:
    """Returns the schema of one argument as it is shown."""
    rule = tool.arguments.get(name)
    shown: dict[str, Any] = _bare(part, unsaid, rules)
    if rule is not None and rule.mode == "allowed" and "pattern" in shown:
        del shown["pattern"]
        shown["enum"] = list(rule.values)
        described = str(shown.pop("description", "")).partition(" One of: ")[0]
        shown |= {"description": described} if described and not described.startswith("One of: ") else {}
    if name == tool.operation and "pattern" not in shown:
        shown.pop("description", None)  # its values say it, and the tool's description what each does
    if shown.get("pattern") == TIME:
        del shown["pattern"]
        shown["format"] = "date-time"
    return shown


def _bare(part: Any, unsaid: Unsaid, rules: PublishedFile) -> Any:
    """Returns a schema without titles, nulls and what its descriptions must not say; names of arguments stay."""
    if isinstance(part, list):
        return [_bare(each, unsaid, rules) for each in part]
    if not isinstance(part, dict):
        return part
    found: dict[str, Any] = {}
    for key, value in part.items():
        if key == "properties":
            found[key] = {name: _bare(each, unsaid, rules) for name, each in value.items()}
        elif key == "description" and isinstance(value, str):
            found |= {key: told} if (told := _sentences(value, unsaid, rules)) else {}
        elif not (key == "title" or (key == "default" and value is None)):
            found[key] = value if key in ("default", "enum", "const", "required") else _bare(value, unsaid, rules)
    return _without_null(found)


def _without_null(part: dict[str, Any]) -> dict[str, Any]:
    choices = part.get("anyOf")
    if not isinstance(choices, list) or {"type": "null"} not in choices:
        return part
    left = [choice for choice in choices if choice != {"type": "null"}]
    rest = {key: value for key, value in part.items() if key != "anyOf"}
    return {**left[0], **rest} if len(left) == 1 else {**rest, "anyOf": left}
