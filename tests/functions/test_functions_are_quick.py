"""The gateway waits for these functions at every call, and a person waits when one starts cold.

How long they take is measured by `make bench` (imports, interceptors). Here is what holds on any machine: what is not
loaded, that a larger message costs no more than in proportion, and that no text, written to be slow, costs many times
what ordinary text of the same size does.
"""

from __future__ import annotations

import itertools
import json
import random
import re
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from functools import partial
from pathlib import Path

import fastjsonschema
import pytest

from callpath.arguments import ToolRule, check_arguments
from callpath.call_record import summarise_arguments
from callpath.refusal import Refusal
from pre_token.mapping import listed_groups
from ringfence.compilers.rules import interceptor_rules
from ringfence.department.department import load_department
from runtime.causes import embedded_failure, explained, find_cause
from runtime.http import _single_headers
from runtime.protocol import Rejected, parse_message
from tests.waiting import growth, least_time

ROOT = Path(__file__).parents[2]
LINE = (
    "2026-11-22T19:51:59.611Z INFO request 8f14e45f-ceea-4676-8c1e-12ab34cd56ef user "
    'arn:aws:iam::111122223333:role/App took 1234 ms at 1700000000 part AB1234567 "ok": true\n'
)


@pytest.mark.parametrize("module", ["request_interceptor.handler", "response_interceptor.handler"])
def test_what_is_slow_to_load_is_not_loaded_to_answer_a_list(module):
    slow = ("botocore.session", "boto3", "joserfc", "cryptography")
    code = f"import sys, {module}; print([name for name in {slow} if name in sys.modules])"
    environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'lambda'}"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_eight_times_the_arguments_take_about_eight_times_as_long(ask, tool_call):
    def event(times: int):
        return tool_call(
            "cloudwatch___execute_log_insights_query",
            log_group_names=["/aws/lambda/example"] * times,
            limit=5,
            start_time="2026-01-01T00:00:00+00:00",
            end_time="2026-01-01T01:00:00+00:00",
            query_string="fields @timestamp, @message | filter @message like /ERROR/ | sort @timestamp desc "
            * 3
            * times,
        )

    assert "transformedGatewayRequest" in ask(event(8)).content
    events = {times: event(times) for times in (1, 8)}
    assert growth(lambda times: ask.module.handler(events[times], None), times=8) < 3 * 8


@pytest.mark.parametrize("kind", ["text", "text beyond ASCII", "JSON", "JSON and structured content"])
def test_eight_times_the_result_takes_about_eight_times_as_long(show, tool_result, kind):
    def event(times: int):
        fields = [{"field": "@timestamp", "value": "2026-11-22 19:51:59.611"}, {"field": "@message", "value": LINE}]
        rows = [fields] * 50 * times
        written = json.dumps({"results": rows})
        if kind == "text":
            return tool_result(LINE * 80 * times)
        if kind == "text beyond ASCII":
            return tool_result(("é" + LINE) * 80 * times)
        return tool_result(written, **({} if kind == "JSON" else {"structuredContent": {"results": rows}}))

    events = {times: event(times) for times in (1, 8)}
    assert len(json.dumps(events[8])) > 100_000
    assert show(events[8]).record["redactions"] == {}
    assert growth(lambda times: show.module.handler(events[times], None), times=8) < 3 * 8


SMALL, LARGE = 8_000, 64_000  # bytes of text, about
# How many times ordinary text's processor time per byte another text may take. What is quadratic takes hundreds of
# times as much at this size, and the slowest that is linear took nine times as much.
MOST = 30.0
NI = "AB123456C"
BASE64 = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
# Text as it comes: log rows, some of which hold what is redacted.
ORDINARY = f'{LINE}2026-11-22T19:52:00Z login of a.person@example.gov.uk, {NI}, from 192.0.2.7 ("Café Müller")\n'


def repeated(fragment: str, size: int) -> str:
    return fragment * (size // len(fragment.encode("utf-8", "surrogatepass")) + 1)


def spelt_differently(number: int) -> str:
    """One National Insurance number with zero-width spaces in it, differently for each number."""
    hidden = ("\u200b" if number >> place & 1 else "" for place in range(11))
    return "".join(f"{letter}{mark}" for letter, mark in zip(f"{NI}  ", hidden, strict=True))


# What made a function slow, or might: each is about `size` bytes of what somebody may write into a log.
MARKS = [chr(code) for code in range(0x300, 0x20000) if unicodedata.combining(chr(code))]
HOSTILE: dict[str, Callable[[int], str]] = {
    "backslashes beside an entity": lambda size: "&#" + "\\" * size,
    "backslashes beside a percent": lambda size: "GET /a%20b " + "\\" * size,
    "combining marks out of order": lambda size: "a" + "\u0301" * (size // 4) + "\u0323" * (size // 4),
    "many texts with marks of their own": lambda size: json.dumps(
        ["AB123456C", *("".join(pair) for pair in itertools.islice(itertools.permutations(MARKS, 2), size // 20))]
    ),
    "a long text with all marks": lambda size: repeated("a" + "a".join(MARKS), size),
    "equal values as keys": lambda size: json.dumps(
        {spelt_differently(number) + "\u200c" * (number >> 11): 1 for number in range(size // 30)}, ensure_ascii=False
    ),
    "equal values as keys of digits": lambda size: json.dumps(
        {f"{number} nhs 9434765919"[-15:] + " " * (number % 50): number for number in range(size // 50)}
    ),
    "a long name over many secrets": lambda size: json.dumps(
        {"é" * (size // 8) + " secret": [BASE64] * (size // 90)}, ensure_ascii=False
    ),
    "a long character reference": lambda size: "&#" + "9" * size,
    "a long character reference of zeros": lambda size: "&#" + "0" * size + "65;",
    "a long reference in hexadecimal": lambda size: "&#x" + "f" * size,
    "almost entities": lambda size: "&#65;" + repeated("&abcdefghijabcdefghijabcdefghijk", size),
    "a character that becomes eighteen": lambda size: repeated("\ufdfa", size),
    "Hangul in parts": lambda size: repeated("\u1100\u1161\u11a8", size),
    "digits of all scripts": lambda size: repeated(
        "".join(chr(code) for code in range(128, 0x20000) if chr(code).isdecimal()), size
    ),
    "halves of surrogate pairs": lambda size: "%41" + repeated("\ud83d", size),
    "brackets": lambda size: "[" * size,
    "brackets, closed": lambda size: "[" * (size // 2) + "]" * (size // 2),
    "as deep as Python goes": lambda size: "[" * 480 + f'"{NI} ' + "x" * size + '"' + "]" * 480,
    "JSON in JSON in JSON": lambda size: json.dumps([json.dumps([json.dumps([json.dumps([NI] * (size // 40))])])]),
    "long numbers": lambda size: json.dumps([int("9" * 4200)] * (size // 4200)),
    "numbers with a check digit": lambda size: json.dumps([9434765919] * (size // 12)),
    "labels": lambda size: repeated("[" + "x" * 199, size),
    "links": lambda size: repeated("[x](y)", size),
    "angle brackets": lambda size: repeated("<", size),
    "almost schemes": lambda size: repeated("<abcdefghijabcdefghij", size),
    "almost addresses": lambda size: repeated("a@", size),
    "long almost addresses": lambda size: repeated("a" * 64 + "@", size),
    "almost NHS numbers": lambda size: repeated("9434765918 ", size),
    "almost National Insurance numbers": lambda size: repeated("AB  12  34  56 ", size),
    "almost secrets": lambda size: "secret " + repeated(f"{BASE64.lower()} ", size),
    "almost tokens": lambda size: repeated("eyJaaaaaaaaaa.aaaa", size),
    "keys that begin": lambda size: repeated("-----BEGIN PRIVATE KEY-----", size),
    "almost passwords in addresses": lambda size: repeated("http://a:", size),
    "percent in percent": lambda size: repeated("%25", size),
    "an AWS error and no end": lambda size: repeated("An error occurred (a) when calling the b operation", size),
    "names with dots": lambda size: " " + repeated("Aa.", size),
    "keywords": lambda size: repeated("password dob sort code ", size),
    "heads of tables": lambda size: repeated("dob|", size),
    "tables in tables": lambda size: repeated("dob,secret,x\n", size),
    "names of columns": lambda size: repeated("(dob ", size),
    "lists of columns": lambda size: repeated('"columns":["dob"],', size),
    "lists of lists": lambda size: repeated('[["dob","x"],["a","b"]],', size),
    "statements": lambda size: repeated("insert into t (dob, x) values ('a', 'b'), ('c', ", size),
    "elements": lambda size: repeated("<password x='1'>a", size),
    "marks that are none": lambda size: repeated("[REDACTED:NINO:1] ", size),
    "packed texts": lambda size: repeated("QUIxMjM0NTZDIGlzIGl0 ", size),
    "groups of a card": lambda size: repeated("4111 ", size),
    "almost account numbers of banks": lambda size: repeated("GB29 NWBK 6016 1331 9268 18 ", size),
    "a list of sort codes": lambda size: "sort code " + repeated("12-34-56, ", size),
    "streets": lambda size: repeated("10 High Street, Leeds ", size),
    "fillers of a zone": lambda size: repeated("P<<A", size),
    "quoted-printable": lambda size: repeated("=3D", size),
    "errors and spaces": lambda size: repeated("AError" + " " * 100, size),
}
_FRAGMENTS = [
    *("\\", "\\u", "&#", "&", ";", "%", "%4", "[", "]", "](", "]:", "<", "<a", "{", '"', ":", ",", "0", "9", "a", "A"),
    *("B", "@", ".", "-", "=", " ", "\n", "\t", "\u0301", "\u0323", "\u200b", "\u1100", "\ufdfa", "\uff10", "\u0660"),
    *("\ud83d", "\u202e", "é", "eyJ", "AKIA", "secret", "nhs ", NI, "9434765919", "://", "-----BEGIN "),
]


def generated(seed: int) -> Callable[[int], str]:
    """A text of a few fragments, each repeated many times: how all texts that were ever slow looked."""

    def text(size: int) -> str:
        chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
        runs = [chance.choices(_FRAGMENTS, k=chance.choice((1, 1, 2, 3))) for _ in range(chance.randint(1, 3))]
        return "".join(chance.choices(_FRAGMENTS, k=2)) + "".join(
            repeated("".join(run), size // len(runs)) for run in runs
        )

    return text


TEXTS = HOSTILE | {f"generated {seed}": generated(seed) for seed in range(12)}


def assert_linear(work: Callable[[str], object], text: Callable[[int], str]) -> None:
    """Hold a function's time for a text to its growth, and to the function's time for ordinary text."""
    small, large = text(SMALL), text(LARGE)
    assert_within(work, large, small, 3 * LARGE / SMALL)
    ordinary = repeated(ORDINARY, LARGE)
    assert_within(work, large, ordinary, MOST * len(large.encode("utf-8", "surrogatepass")) / len(ordinary.encode()))


def assert_within(work: Callable[[str], object], text: str, other: str, times: float) -> None:
    """A text takes less than so many times another's time. Other processes only add: what a first look shows to be
    within needs no second."""
    allowed = times * least_time(lambda: work(other), tries=2)
    assert least_time(lambda: work(text), tries=1) < allowed or (
        least_time(lambda: work(text), tries=3) < times * least_time(lambda: work(other), tries=3)
    )


@pytest.mark.parametrize("name", TEXTS)
def test_no_text_makes_the_response_interceptor_slow(show, tool_result, name):
    answered = show(tool_result(TEXTS[name](SMALL)))
    assert answered.record["outcome"] == "allowed"  # and none is a fault
    assert_linear(lambda text: show.module.handler(tool_result(text), None), TEXTS[name])


@pytest.mark.parametrize("name", TEXTS)
def test_no_text_makes_the_request_interceptor_slow(ask, request_event, claims, name):
    def work(text: str) -> None:
        params = {"name": "cloudwatch___execute_log_insights_query", "arguments": {"query_string": text, text: [text]}}
        for event in (request_event(params=params), request_event(headers={"authorization": f"Bearer {text}"})):
            ask.module.handler(event, None)

    assert_linear(work, TEXTS[name])


@pytest.mark.parametrize("name", TEXTS)
def test_no_text_makes_the_host_slow(name, catalogue):
    explanations = [
        (re.compile(each.pattern), each.message)
        for server in catalogue.servers.values()
        for each in server.explanations
    ]

    def work(text: str) -> None:
        find_cause(text, allowed_actions=("iam:ListUsers",))
        explained(text, explanations)
        embedded_failure({"content": [{"type": "text", "text": text}], "structuredContent": {"error": text}})
        for body in (text, json.dumps({"jsonrpc": "2.0", "id": text, "method": text, "params": {text: text}})):
            try:
                parse_message(body.encode("utf-8", "replace"), {b"mcp-name": text.encode("utf-8", "replace")})
            except Rejected:
                pass

    assert_linear(work, TEXTS[name])


@pytest.mark.parametrize("name", TEXTS)
def test_no_text_makes_a_sign_in_slow(name):
    assert_linear(listed_groups, TEXTS[name])
    assert_linear(listed_groups, lambda size: f"[{TEXTS[name](size)}]")


def test_many_headers_of_one_name_do_not_make_the_host_slow():
    headers = [(b"accept", b"*/*")] * 2_000
    assert growth(lambda times: _single_headers(headers * times), times=16) < 3 * 16


MANY_THINGS: dict[str, Callable[[int], dict[str, object]]] = {
    "unknown arguments": lambda many: {f"max_item{number}": 1 for number in range(many)},
    "unknown arguments of objects": lambda many: {"filters": [{f"values{number}": 1} for number in range(many)]},
    "values that are none of a choice": lambda many: {"choices": ["x"] * many},
    "values that are none of a choice's pattern": lambda many: {"forms": ["x"] * many},
    "objects that lack what they need": lambda many: {"filters": [{}] * many},
    "numbers for texts": lambda many: {"choices": [5] * many},
}


@pytest.mark.parametrize("things", MANY_THINGS)
def test_a_call_with_thousands_of_things_wrong_costs_little_more_than_reading_them(things):
    """What is said of a thing costs many times what checking it does, and is found for the few that are told."""
    properties = {
        "max_items": {"type": "integer"},
        "filters": {"type": "array", "items": {
            "type": "object", "required": ["values_0"], "additionalProperties": False,
            "properties": {f"values_{number}": {"type": "string"} for number in range(40)},
        }},
        "choices": {"type": "array", "items": {"type": "string", "enum": [f"choice{number}" for number in range(400)]}},
        "forms": {"type": "array", "items": {
            "type": "string", "pattern": f"^(?:{'|'.join(f'choice{number}' for number in range(400))})$",
        }},
    }  # fmt: skip
    rule = ToolRule("look", {"type": "object", "properties": properties}, {})
    given = MANY_THINGS[things](3_000)

    def refused() -> None:
        with pytest.raises(Refusal) as found:
            check_arguments(rule, given)
        assert len(found.value.message) < 20_000

    def checked() -> None:
        with pytest.raises(fastjsonschema.JsonSchemaValuesException):
            rule.validate(given)

    refused()
    assert least_time(refused, tries=3) < 3 * least_time(checked, tries=3) + 0.05


def _work_of(work: Callable[[dict[str, object]], None], sizes: dict[int, dict[str, object]], times: int) -> None:
    work(sizes[times])


@pytest.mark.parametrize("persona", ["auditor", "operator", "developer"])
def test_no_argument_makes_the_check_of_arguments_slow(persona, catalogue):
    """Each argument of each granted tool, filled with what its schema's own patterns and choices may be slow at."""
    rules = interceptor_rules(catalogue, load_department("example-sandbox", catalogue=catalogue), persona)
    fill: list[Callable[[int], object]] = [
        lambda size: "a" * size, lambda size: "1" * size, lambda size: "-" * size, lambda size: "/a." * (size // 3),
        lambda size: " " * size, lambda size: [1] * (size // 2), lambda size: [{"a": 1}] * (size // 10),
        lambda size: {f"key{number}": number for number in range(size // 12)},
    ]  # fmt: skip
    for name, tool in rules["tools"].items():
        rule = ToolRule(name, tool["definition"]["inputSchema"], tool["forced"])

        def work(arguments: dict[str, object], rule: ToolRule = rule) -> None:
            try:
                check_arguments(rule, arguments)
            except Refusal:
                pass
            summarise_arguments(arguments, declared=rule.declared)

        for argument in sorted(rule.declared):
            for filled in fill:
                sizes = {times: {argument: filled(2_000 * times)} for times in (1, 8)}
                if least_time(partial(work, sizes[8]), tries=1) > 0.02:
                    assert growth(partial(_work_of, work, sizes), times=8, tries=3) < 3 * 8
