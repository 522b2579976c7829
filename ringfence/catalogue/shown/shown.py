"""What a model reads of a tool: the server's words and schema, without what the locks refuse, and with ours."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from callpath.looking import TIME
from ringfence.catalogue.checks.arguments import choices
from ringfence.catalogue.files.published_files import PublishedFile
from ringfence.catalogue.servers import Server, Tool
from ringfence.catalogue.shown.published import published_definition
from ringfence.reading import names

_HEADING: Final = re.compile(r"#{1,6} (?P<marked>\S.*)|(?P<plain>[A-Z][^.:\n]{1,80}):")
_FENCE: Final = "```"
_ITEM: Final = re.compile(r"\s*(?:[-*]|\d+\.)\s")
_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"'`])")
_WORD: Final = re.compile(r"[A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)*")
_EMPTY: Final = re.compile(r" ?\((?:required|optional|for|\s)*\)|,? ?\b(?:required|optional) for(?=[,)])|\s+(?=[.,;)])")
_CHOSEN: Final = "(?:specified|given|chosen|selected|provided|target|desired)"


@dataclass(frozen=True)
class Unsaid:
    """What a tool's texts must not speak of.

    Attributes:
        words: names of arguments and tools that callers do not have.
        plain: names of arguments that they do not have and that are English words as well, such as `region`.
        spelled: names of arguments that they do not have, as English writes them: `package type` of `package_type`.
        refused: operations of the tool that they may not ask for; `permitted` are the others.
        aliases: what tools of the server are called, by their names.
    """

    words: Collection[str]
    refused: Collection[str]
    permitted: Collection[str]
    aliases: Mapping[str, str] = field(default_factory=dict)
    plain: Collection[str] = ()
    spelled: Collection[str] = ()

    def renamed(self, text: str) -> str:
        """Returns a text that calls tools as models do."""
        return _WORD.sub(lambda word: self.aliases.get(word[0], word[0]), text)

    def only_refused(self, text: str) -> bool:
        """Returns whether a text speaks of refused operations and of no permitted one."""
        words = set(_WORD.findall(text))
        return bool(words & set(self.refused)) and not words & set(self.permitted)

    def forbids(self, text: str) -> bool:
        """Returns whether a sentence goes as a whole."""
        words = set(_WORD.findall(text))
        means_argument = any(
            re.search(rf"[\"'`]{name}[\"'`]|\b{name} (?:argument|option|parameter)|\b{_CHOSEN} {name}\b", text, re.I)
            for name in self.plain
        )
        means_argument = means_argument or any(re.search(rf"\b{name}s?\b", text, re.I) for name in self.spelled)
        return means_argument or bool(words & set(self.words)) or self.only_refused(text) or self.offers(text)

    def offers(self, text: str) -> bool:
        """Returns whether a text sums up what the tool does, and with it what only refused operations do."""
        words = set(_WORD.findall(text.lower()))
        refused = _verbs(self.refused) - _verbs(self.permitted)
        return bool(words & {form for verb in refused for form in _forms(verb)}) and not words & set(self.permitted)

    def without_choice(self, text: str) -> str:
        """Returns a sentence without the phrases that leave an argument to callers who do not have it."""
        for name in self.plain:
            phrase = rf"(?:,? and (?:is|are))? (?:by|for|from|in|of|within) (?:an? |the )?{_CHOSEN} {name}\b"
            text = re.sub(phrase, "", text, flags=re.I)
        return text

    def without_refused(self, text: str) -> str:
        """Returns a sentence of permitted and refused operations without the refused ones."""
        for name in sorted(set(_WORD.findall(text)) & set(self.refused), key=len, reverse=True):
            quoted = rf"[\"'`]?(?<![\w-]){re.escape(name)}(?![\w-])[\"'`]?"
            places = (
                rf",? [\"'`]{re.escape(name)}[\"'`] for [^,.;)]*",
                rf"[\d-]+ for {quoted}(?:, | and )?",
                rf"(?<!, ){quoted} (?:and|or) (?=\w)",
                rf",? (?:and|or) {quoted}(?=[ .)]|$)",
                rf"{quoted}, (?:and |or )?",
                rf",? ?{quoted}",
            )
            for place in places:
                text = re.sub(place, "", text)
        return text


def shown_definition(server: Server, tool: Tool, *, held: Collection[str], rules: PublishedFile) -> dict[str, Any]:
    """Returns a tool as the response interceptor lists it.

    What a call may hold is decided by `published_definition`; this one accepts nothing more. It may show less: null,
    which counts as left out, arguments of one value, and those that only refused operations take.

    Args:
        server: The tool's server as it stands in the catalogue, with every tool and operation.
        held: Bare names of the server's tools that the persona holds.

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
    gone = {name for name, rule in tool.arguments.items() if rule.mode in ("hidden", "forced")}
    left = {
        name.replace("-", "_") for name in {*tool.definition["inputSchema"].get("properties", {}), *tool.operations}
    }
    others = {name for name in server.lock if name not in held and "_" in name}
    permitted, known = set(tool.operations), set()
    if not tool.match == "command":
        known = set(server.tools[tool.name].operations) | _choices_gone(tool)
    return Unsaid(
        words={name for name in gone if "_" in name} | others | {f"{name}_tool" for name in others} | {"ctx"},
        plain={name for name in gone if "_" not in name},
        # Words of an operation or an argument that callers do have stay: one may list a `security configuration`.
        spelled={
            name.replace("_", " ") for name in gone if "_" in name and not any(name in other for other in left - gone)
        },
        refused=known - permitted,
        permitted=permitted | {str(value) for rule in tool.arguments.values() for value in rule.values},
        aliases={each.name: each.alias for each in server.tools.values() if each.alias},
    )


def _choices_gone(tool: Tool) -> set[str]:
    """Returns the values that the server's own schema offers for arguments, and our rules for them do not."""
    offered = tool.definition["inputSchema"].get("properties", {})
    return {
        value
        for name, rule in tool.arguments.items()
        if rule.mode == "allowed"
        for choice in choices(offered.get(name, {}))
        for value in choice.get("enum", ())
        if value not in rule.values
    }


def _verbs(operations: Collection[str]) -> set[str]:
    """Returns what operations do, by the first word of their names: `create` of `create-job`."""
    words = (re.split("[-_]", name.lower().removeprefix("batch-").removeprefix("batch_")) for name in operations)
    return {found[0] for found in words if len(found) > 1}


def _forms(verb: str) -> tuple[str, ...]:
    """Returns how a summary says a verb: create, creates, creating; also adding, running, stopping."""
    stem = verb.removesuffix("e")
    return verb, f"{verb}s", f"{stem}ing", f"{verb}{verb[-1]}ing"


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
    narrowed = map(unsaid.without_choice, sentences)
    left = [unsaid.without_refused(each) for each in narrowed if not _goes(each, unsaid, rules)]
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
    chosen = rule is not None and rule.mode == "allowed" and "pattern" in part
    if chosen:  # its values are shown as `enum`, and not in words
        told = str(part.get("description", "")).partition("One of: ")[0].strip()
        part = {key: value for key, value in part.items() if key not in ("description", "pattern")}
        part |= {"description": told} if told else {}
    shown: dict[str, Any] = _bare(part, unsaid, rules)
    if chosen and rule:
        shown["enum"] = list(rule.values)
    if name == tool.operation and tool.match != "command":
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
