"""GOV-NAME: names that the service accepts.

CloudFormation's schemas leave AgentCore's name patterns out, so a wrong name fails in the middle of a deployment. The
patterns are those of AWS's own API model (botocore, `bedrock-agentcore-control`); a test compares the two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from governance.house_rules.declared import Residency
from governance.house_rules.rule import Breach, Rule, Template

PATTERNS: Final = {
    ("AWS::BedrockAgentCore::Gateway", "Name"): r"([0-9a-zA-Z][-]?){1,48}",
    ("AWS::BedrockAgentCore::GatewayTarget", "Name"): r"([0-9a-zA-Z][-]?){1,100}",
    ("AWS::BedrockAgentCore::Policy", "Name"): r"(?=.{1,48}\Z)[A-Za-z][A-Za-z0-9_]*",
    ("AWS::BedrockAgentCore::PolicyEngine", "Name"): r"(?=.{1,48}\Z)[A-Za-z][A-Za-z0-9_]*",
    ("AWS::BedrockAgentCore::Runtime", "AgentRuntimeName"): r"[a-zA-Z][a-zA-Z0-9_]{0,47}",
    ("AWS::BedrockAgentCore::RuntimeEndpoint", "Name"): r"[a-zA-Z][a-zA-Z0-9_]{0,47}",
}


def _names(template: Template, _: Residency) -> Iterator[Breach]:
    for (kind, key), pattern in PATTERNS.items():
        for resource in template.of_type(kind):
            name = resource.at(key)
            if not isinstance(name, str):
                yield resource.breach(key, "The name is not written out, so nobody can tell whether it is valid.")
            elif not re.fullmatch(pattern, name):
                yield resource.breach(key, f'The service refuses the name "{name}": its pattern is {pattern}.')


RULES: Final = (
    Rule(
        "GOV-NAME-1",
        "Every name is one that AgentCore accepts.",
        "Take the name from governance.names, which keeps to the patterns.",
        _names,
    ),
)
