"""Records are kept for two years because they hold names, digests and counts only. This is what keeps that true."""

from __future__ import annotations

import json
import random
import string

import pytest

from callpath.refusal import Refusal, refusal_result


def marker(chance: random.Random) -> str:
    """A text that occurs nowhere by accident."""
    return "zq" + "".join(chance.choice(string.ascii_lowercase + string.digits) for _ in range(14)) + "qz"


def anything(chance: random.Random, secrets: list[str], depth: int = 3):
    """A value of any JSON type, its texts and keys made of markers."""

    def secret() -> str:
        secrets.append(marker(chance))
        return chance.choice(["", " ", "a\u200b", "/"]) + secrets[-1]

    kind = chance.randrange(7 if depth else 5)
    if kind == 5:
        return [anything(chance, secrets, depth - 1) for _ in range(chance.randrange(4))]
    if kind == 6:
        return {secret(): anything(chance, secrets, depth - 1) for _ in range(chance.randrange(4))}
    return (None, True, chance.random(), chance.randrange(10**6), secret())[kind]


@pytest.mark.parametrize("seed", range(150))
def test_no_argument_reaches_a_record_or_a_refusal(ask, request_event, rules_json, seed):
    chance, secrets = random.Random(seed), []  # noqa: S311 - repeatable, not secret
    name, tool = chance.choice(list(rules_json["tools"].items()))
    declared = [*tool["definition"]["inputSchema"].get("properties", {}), "undeclared"]
    arguments: object = {field: anything(chance, secrets) for field in declared if chance.random() < 0.6}
    if chance.random() < 0.3:
        arguments[anything(chance, secrets, 0) or "x"] = 1  # type: ignore[index]
    if chance.random() < 0.1:
        arguments = anything(chance, secrets)
    answered = ask(request_event(params={"name": name, "arguments": arguments}))
    written = json.dumps(answered.lines)
    told = json.dumps(answered.content) if "transformedGatewayResponse" in answered.content else ""
    for secret in secrets:
        assert secret not in written
        # A refusal may name an argument that does not exist, so that the caller can find it; never what is in it.
        if not (isinstance(arguments, dict) and secret in "".join(map(str, arguments))):
            assert secret not in told


@pytest.mark.parametrize("seed", range(150))
def test_no_result_reaches_a_record(show, response_event, rules_json, seed):
    chance, secrets = random.Random(seed), []  # noqa: S311 - repeatable, not secret
    kinds = ["text", "image", "resource", "resource_link", "other"]
    content = [
        {"type": chance.choice(kinds), "text": json.dumps(anything(chance, secrets)), "x": anything(chance, secrets)}
        for _ in range(chance.randrange(4))
    ]
    result = {
        "content": content if chance.random() < 0.9 else anything(chance, secrets),
        "structuredContent": anything(chance, secrets),
        "isError": chance.choice([True, False]),
        "_meta": anything(chance, secrets),
    }
    tool = chance.choice([*rules_json["tools"], "iam___create_user"])
    answered = show(response_event(result, tool=tool))
    assert answered.record["half"] == "response"
    for secret in secrets:
        assert secret not in json.dumps(answered.lines)


def test_a_refusals_words_reach_the_caller_and_not_the_record(show, response_event):
    refusal = refusal_result(Refusal("aws", "access-denied", "AWS refused zqwordsqz"), "01M82D1GBV9C24C2NE7EYF6AR4")
    answered = show(response_event(refusal))
    assert "zqwordsqz" in json.dumps(answered.content)
    assert "zqwordsqz" not in json.dumps(answered.lines)


def test_the_persons_token_reaches_no_record(ask, request_event):
    event = request_event("tools/list")
    token = event["mcp"]["gatewayRequest"]["headers"]["authorization"].removeprefix("Bearer ")
    answered = ask(event)
    assert token not in json.dumps([answered.lines, answered.content])
    event["mcp"]["gatewayRequest"]["headers"]["authorization"] = "Bearer x.y"
    assert "x.y" not in json.dumps(ask(event).lines)
