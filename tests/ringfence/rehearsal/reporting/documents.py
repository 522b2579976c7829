"""A small report, written by hand: what the page and the account are made from in these tests."""

from __future__ import annotations

from typing import Any


def call(**changes: Any) -> dict[str, Any]:
    """A call that was answered as it must, but for what is changed."""
    return {
        "scenario": "reads the account",
        "step": "list the account's users",
        "call_id": "01M8K50S3SAF5EGV3TW7GDJM1H",
        "persona": "auditor",
        "user": "aud.example-01",
        "server": "iam",
        "tool": "list_users",
        "outcome": "allowed",
        "layer": None,
        "rule": None,
        "refusal": None,
        "expected": {"outcome": "allowed", "layer": None, "rules": [], "aws": {"iam:ListUsers": "allowed"}},
        "held": True,
        "problems": [],
        "note": "",
        "enters": "ingress",
        "without": [],
        "latency_ms": 120.4,
        "aws_calls": [
            {
                "action": "iam:ListUsers",
                "region": "us-east-1",
                "decision": "allowed",
                "source_identity": "aud.example-01",
                "session_name": "01M8K50S3SAF5EGV3TW7GDJM1H",
                "session_policy_actions": ["iam:ListUsers"],
                "user_agent": "awslabs/mcp",
            }
        ],
        **changes,
    }


def refused(layer: str | None, **changes: Any) -> dict[str, Any]:
    """A call that a layer refused, as it must."""
    expected = {"outcome": "refused", "layer": layer, "rules": ["a-rule"], "aws": {}}
    told = {"outcome": "refused", "layer": layer, "rule": "a-rule", "refusal": "No.", "expected": expected}
    return call(**{**told, "step": "create a user", "tool": "create_user", "aws_calls": [], **changes})


def document(*calls: dict[str, Any], stopped_by: str | None = None) -> dict[str, Any]:
    """A report of some calls."""
    failed = [{name: each[name] for name in ("scenario", "step", "problems")} for each in calls if not each["held"]]
    return {
        "format": "ringfence-rehearsal-report/2",
        "department": "example-production",
        "date": "2026-03-01T09:30:00+00:00",
        "commit": "0123456789abcdef0123456789abcdef01234567",
        "changed": False,
        "assembly": {"sha256": "a" * 64, "files": {"ringfence-example-production-audit.template.json": "b" * 64}},
        "calls": list(calls),
        "expectations": {"held": len(calls) - len(failed), "failed": failed, "stopped_by": stopped_by},
        "records": {"answered": 1, "joined": 1, "incomplete": {}, "begun": 0},
        "granted_tools": {"auditor": {"iam___list_users": "answered", "iam___get_user": "not called"}},
        "runtime_log_groups": [],
        "waived": [
            {"rule": "A-1", "means": "It asks.", "reasons": [{"reason": "It cannot be.", "places": ["audit/Bucket"]}]}
        ],
        "emulated": ["AWS::KMS::Key"],
        "not_emulated": ["WAF"],
        "readings": {},
        "caveat": "Evidence about the template.",
        "machine": {"python": "3.13.0", "processor": "x86_64"},
        "seconds": {"start": 1.0, "play": 2.0},
    }
