"""What cfn-lint says of the templates, with CloudFormation's schemas of eu-west-2 and AWS's list of IAM actions."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

# Zones are written out on purpose: AgentCore does not run in every zone, and synthesis asks AWS nothing.
ON_PURPOSE = {"W3010"}


def test_cfn_lint_finds_nothing(assemblies: dict[str, Any]) -> None:
    templates = sorted(assemblies["example-production"].folder.glob("*.template.json"))
    cfn_lint = Path(sys.executable).with_name("cfn-lint")
    command = [cfn_lint, "--regions", "eu-west-2", "--format", "json", "--template", *templates]
    run = subprocess.run(command, capture_output=True, text=True, check=False)

    assert len(templates) == 4
    assert run.stderr == ""
    found = [(each["Rule"]["Id"], each["Message"], each["Filename"]) for each in json.loads(run.stdout)]
    assert [each for each in found if each[0] not in ON_PURPOSE] == []
    # The exemption itself must still be found, or nothing was looked at.
    assert {each[0] for each in found} == ON_PURPOSE
