"""What SARIF 2.1.0 demands of the members that we write, from the specification's text (OASIS, errata 01)."""

from __future__ import annotations

from typing import Any, Final

_MESSAGE: Final = {
    "type": "object",
    "required": ["text"],
    "properties": {"text": {"type": "string", "minLength": 1}},
    "additionalProperties": False,
}  # 3.11.7: text or id
_ARTIFACT: Final = {
    "type": "object",
    "required": ["uri"],
    "properties": {"uri": {"type": "string", "pattern": "^[A-Za-z0-9._/-]+$"}},  # 3.4.3: a URI, here a relative one
    "additionalProperties": False,
}
_LOCATION: Final = {
    "type": "object",
    "properties": {
        "physicalLocation": {
            "type": "object",
            "required": ["artifactLocation"],  # 3.29.3: or an address
            "properties": {
                "artifactLocation": _ARTIFACT,
                "region": {"type": "object", "properties": {"startLine": {"type": "integer", "minimum": 1}}},  # 3.30.5
            },
            "additionalProperties": False,
        },
        "logicalLocations": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"fullyQualifiedName": {"type": "string"}, "kind": {"type": "string"}},
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}
_SUPPRESSION: Final = {
    "type": "object",
    "required": ["kind"],  # 3.35.2
    "properties": {
        "kind": {"enum": ["inSource", "external"]},
        "status": {"enum": ["accepted", "underReview", "rejected"]},  # 3.35.3
        "justification": {"type": "string", "minLength": 1},
    },
    "additionalProperties": False,
}
_RESULT: Final = {
    "type": "object",
    "required": ["message", "ruleId"],  # 3.27.5, 3.27.11
    "properties": {
        "ruleId": {"type": "string", "minLength": 1},
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": {"enum": ["none", "note", "warning", "error"]},  # 3.27.10
        "message": _MESSAGE,
        "locations": {"type": "array", "items": _LOCATION},
        "partialFingerprints": {"type": "object", "additionalProperties": {"type": "string"}},  # 3.27.17
        "suppressions": {"type": "array", "items": _SUPPRESSION},
    },
    "additionalProperties": False,
}
STRUCTURE: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["version", "runs"],  # 3.13.2, 3.13.4
    "properties": {
        "$schema": {"type": "string"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tool"],  # 3.14.6
                "properties": {
                    "tool": {
                        "type": "object",
                        "required": ["driver"],  # 3.18.2
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name"],  # 3.19.8
                                "properties": {
                                    "name": {"type": "string"},
                                    "rules": {
                                        "type": "array",
                                        "uniqueItems": True,  # 3.19.23
                                        "items": {
                                            "type": "object",
                                            "required": ["id"],
                                            "properties": {"id": {"type": "string"}},
                                        },
                                    },
                                },
                                "additionalProperties": False,
                            }
                        },
                        "additionalProperties": False,
                    },
                    "automationDetails": {"type": "object", "properties": {"id": {"type": "string"}}},  # 3.17.3
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},  # 3.14.17
                    "results": {"type": "array", "items": _RESULT},
                },
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}
