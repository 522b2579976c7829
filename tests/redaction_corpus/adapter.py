"""The project's response interceptor as a function of text: the real handler on the rules of the example department."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ringfence.catalogue.catalogue import load_catalogue
from ringfence.compilers.rules import interceptor_rules, to_json
from ringfence.department.department import load_department
from tests.redaction_corpus.scorer import Redact

ROOT = Path(__file__).resolve().parents[2]


def _event(tool: str, text: str) -> dict[str, Any]:
    """A tool's result in the RESPONSE phase, as the gateway sends it."""
    asked = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": tool, "arguments": {}}}
    result = {"content": [{"type": "text", "text": text}], "isError": False}
    return {
        "interceptorInputVersion": "1.0",
        "mcp": {
            "gatewayRequest": {"path": "/mcp", "httpMethod": "POST", "headers": {}, "body": asked},
            "gatewayResponse": {
                "statusCode": 200,
                "headers": {},
                "body": {"jsonrpc": "2.0", "id": 7, "result": result},
            },
        },
    }


@contextmanager
def interceptor() -> Iterator[Redact]:
    """The handler, which answers for a tool whose output is AWS's own words: nothing is added to its text."""
    if str(ROOT / "lambda") not in sys.path:
        sys.path.insert(0, str(ROOT / "lambda"))
    from response_interceptor import handler as module

    catalogue = load_catalogue(ROOT / "catalogue")
    department = load_department("example-production", catalogue=catalogue, root=ROOT / "departments")
    compiled = interceptor_rules(catalogue, department, "auditor")
    tool = next(name for name, each in compiled["tools"].items() if not each["untrusted"])

    def redact(text: str) -> str:
        answer = module.handler(_event(tool, text), None)
        return str(answer["mcp"]["transformedGatewayResponse"]["body"]["result"]["content"][0]["text"])

    streams = [(each, each.stream) for each in module.LOGGER.handlers]
    path, key = module.RULES_PATH, module.MARK_KEY
    # Letters of a mark that a value has at the same end would count as left of it: by another chance in every run.
    module.MARK_KEY = b"the corpus"
    with TemporaryDirectory() as folder, open(os.devnull, "w", encoding="utf-8") as nowhere:
        module.RULES_PATH = Path(folder) / "rules.json"
        module.RULES_PATH.write_bytes(to_json(compiled))
        for each, _ in streams:
            each.stream = nowhere
        module.rules.cache_clear()
        try:
            yield redact
        finally:
            module.RULES_PATH, module.MARK_KEY = path, key
            module.rules.cache_clear()
            for each, stream in streams:
                each.stream = stream
