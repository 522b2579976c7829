"""What the host is told at start: `runtime.json` from the zip and a few environment variables from the template.

Read before anything heavy is imported, so that a wrong setting ends the process at once with one clear line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from callpath.looking import Looking
from callpath.operations import Operations, needs_approval
from callpath.refusal import Refusal
from runtime.statements import StatementRule, check_statements

RULES_FILE = "runtime.json"
DEFAULT_BIND = "0.0.0.0:8000"  # the MCP contract of AgentCore Runtime, which lets nothing but its own API in

EXIT_SETTINGS = 2

_ROLE_ARN = re.compile(r"arn:aws:iam::(?P<account>\d{12}):role/[\w+=,.@/-]+")
_CALL_LOG_GROUP = re.compile(r"/ringfence/(?P<department>[a-z0-9-]+)/calls/(?P<persona>[a-z0-9-]+)")
_KEY_ARN = re.compile(r"arn:aws:kms:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):key/[\w-]+")


class StartFault(Exception):
    """The host cannot start. Its text is one line per fault, each naming the remedy."""

    def __init__(self, exit_code: int, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.exit_code = exit_code


@dataclass(frozen=True)
class GrantedTool:
    """One tool the persona may call.

    Attributes:
        name: the server's own name of the tool.
        level: read, write, permissions, execute or credential.
        definition: what `tools/list` publishes: name, description, inputSchema.
        forced: arguments with one accepted value.
        filled: arguments the caller never sees and the host always sends.
        session_policies: IAM policies of a call's session, as compact JSON, by operation; by None for a tool that does
            one thing.
        timeout_seconds: after which the server is killed and restarted.
        operations: what the tool may be asked to do, if one of its arguments decides that.
        held_back: the operations that need an approval; None in it stands for a tool without operations.
        statements: arguments that hold SQL, and what each may say.
        looking: what bounds a call beyond the definition.
    """

    name: str
    level: str
    definition: dict[str, Any]
    forced: dict[str, object]
    filled: dict[str, object]
    session_policies: dict[str | None, str]
    timeout_seconds: float
    operations: Operations | None = None
    held_back: frozenset[str | None] = frozenset()
    statements: Mapping[str, StatementRule] = field(default_factory=dict)
    looking: Looking = field(default_factory=Looking)

    def held_to(self, arguments: Mapping[str, object], *, approval: str | None) -> GrantedCall:
        """What one call may do, by its checked arguments.

        Args:
            arguments: checked against the definition.
            approval: the approval that the Txn-Token carries.

        Raises:
            Refusal: the operation is not permitted, or it needs an approval and there is none, or its SQL is refused.
        """
        check_statements(self.statements, arguments, tool=self.name)
        operation = self.operations.chosen(arguments, tool=self.name, layer="runtime") if self.operations else None
        if operation in self.held_back and approval is None:
            subject = f"{self.name} ({operation})" if operation else self.name
            raise Refusal("runtime", "approval-required", f"{subject} needs an approval, and this call carries none")
        level = self.operations.levels[operation] if self.operations and operation else self.level
        return GrantedCall(tool=self.name, level=level, session_policy=self.session_policies[operation])


@dataclass(frozen=True)
class GrantedCall:
    """What one call may do.

    Attributes:
        tool: the server's own name of the tool.
        level: of the tool, or of the operation that is called.
        session_policy: IAM policy of the call's session, as compact JSON.
    """

    tool: str
    level: str
    session_policy: str

    def allowed_actions(self) -> tuple[str, ...]:
        """IAM actions the session policy allows, as `iam:ListUsers`."""
        actions: list[str] = []
        for statement in json.loads(self.session_policy).get("Statement", []):
            named = statement.get("Action", [])
            actions.extend([named] if isinstance(named, str) else named)
        return tuple(actions)


@dataclass(frozen=True)
class Settings:
    """Everything the host needs to know, checked.

    Attributes:
        call_log_group: log group for the host's half of every call record.
        bind: address and port to serve on.
        lock: SHA-256 of each tool definition of the server, granted or not, by tool name.
        commands: commands on the server's path: name -> Python module it runs; an empty one makes a command that fails.
        explanations: pattern found in a failure -> sentence for the caller; the first that fits counts.
        aws_endpoint_url: the SDK's own variable, handed on to the server when the host itself has it.
        aws_patience: how many times the usual seconds AWS has to answer the host; more than 1 on a laptop alone, where
            a rehearsal's AWS shares a processor with everything else.
        packages: the server's dependency folder.
    """

    department: str
    persona: str
    server: str
    account: str
    region: str
    issuer: str
    audience: str
    module: str
    flags: tuple[str, ...]
    environment: dict[str, str]
    lock: dict[str, str]
    tools: dict[str, GrantedTool]
    role_arn: str
    key_arn: str
    call_log_group: str
    bind: tuple[str, int]
    aws_endpoint_url: str | None
    packages: Path
    aws_patience: int = 1
    commands: dict[str, str] = field(default_factory=dict)
    explanations: tuple[tuple[re.Pattern[str], str], ...] = ()


def load_settings(root: Path, environ: Mapping[str, str]) -> Settings:
    """Read and check `runtime.json` below `root` and the environment.

    Raises:
        StartFault: with every fault found, exit code 2.
    """
    rules = _read_rules(root / RULES_FILE)
    faults = _environment_faults(environ, rules)
    bind = _parse_bind(environ.get("RINGFENCE_BIND", DEFAULT_BIND), faults)
    if faults:
        raise StartFault(EXIT_SETTINGS, *faults)
    try:
        return Settings(
            **{name: _text(rules, name) for name in _TEXTS},
            flags=tuple(rules["flags"]),
            environment={str(name): str(value) for name, value in rules["environment"].items()},
            lock=dict(rules["lock"]),
            tools={name: _granted(name, tool) for name, tool in rules["tools"].items()},
            role_arn=environ["RINGFENCE_PERSONA_ROLE_ARN"],
            key_arn=environ["RINGFENCE_TXN_KEY_ARN"],
            call_log_group=environ["RINGFENCE_CALL_LOG_GROUP"],
            bind=bind,
            aws_endpoint_url=environ.get("AWS_ENDPOINT_URL") or None,
            packages=root / "packages" / "server",
            aws_patience=int(environ.get("RINGFENCE_AWS_PATIENCE", "1")),
            commands={str(name): str(module) for name, module in rules.get("commands", {}).items()},
            explanations=tuple(
                (re.compile(each["pattern"]), str(each["message"])) for each in rules.get("explanations", ())
            ),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as fault:
        raise StartFault(
            EXIT_SETTINGS,
            f"{RULES_FILE} is not the host's rule file ({type(fault).__name__}: {fault}): synthesise and deploy again.",
        ) from None


_NEEDED = (
    "RINGFENCE_PERSONA_ROLE_ARN",
    "RINGFENCE_TXN_KEY_ARN",
    "RINGFENCE_CALL_LOG_GROUP",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
)
_TEXTS = ("department", "persona", "server", "account", "region", "issuer", "audience", "module")


def _read_rules(path: Path) -> dict[str, Any]:
    remedy = "deploy a zip made by `make assets`, with main.py, runtime.json, runtime/, callpath/ and packages/"
    try:
        rules = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise StartFault(EXIT_SETTINGS, f"{RULES_FILE} is missing beside main.py: {remedy}.") from None
    except (OSError, ValueError) as fault:
        raise StartFault(EXIT_SETTINGS, f"{RULES_FILE} cannot be read ({type(fault).__name__}): {remedy}.") from None
    if not isinstance(rules, dict) or rules.get("version") != 1:
        raise StartFault(EXIT_SETTINGS, f"{RULES_FILE} is not of version 1, which this host reads: {remedy}.")
    return rules


def _environment_faults(environ: Mapping[str, str], rules: Mapping[str, Any]) -> list[str]:
    faults = []
    for name in _NEEDED:
        if not environ.get(name):
            faults.append(f"{name} is not set: the runtime's template sets it; set it in the runtime's environment.")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        if environ.get(name) and environ[name] != rules.get("region"):
            faults.append(f"{name} is not {rules.get('region')}, the region this zip was made for: deploy it there.")
    for name, pattern, kind in (
        ("RINGFENCE_PERSONA_ROLE_ARN", _ROLE_ARN, "an IAM role"),
        ("RINGFENCE_TXN_KEY_ARN", _KEY_ARN, "a KMS key"),
    ):
        if environ.get(name):
            found = pattern.fullmatch(environ[name])
            if not found:
                faults.append(f"{name} is not the ARN of {kind}: set it from the template's output.")
            elif any(rules.get(part) != value for part, value in found.groupdict().items()):
                faults.append(f"{name} belongs to another account or region than {RULES_FILE}: deploy both together.")
    if not re.fullmatch(r"[1-9]\d?", environ.get("RINGFENCE_AWS_PATIENCE", "1")):
        faults.append("RINGFENCE_AWS_PATIENCE is not a whole number from 1 to 99: leave it out, as the template does.")
    return [*faults, *_call_log_faults(environ.get("RINGFENCE_CALL_LOG_GROUP"), rules)]


def _call_log_faults(group: str | None, rules: Mapping[str, Any]) -> Iterator[str]:
    found = _CALL_LOG_GROUP.fullmatch(group) if group else None
    if group and (not found or any(rules.get(part) != value for part, value in found.groupdict().items())):
        yield (
            "RINGFENCE_CALL_LOG_GROUP is not the log group of this department and persona "
            f"(/ringfence/{rules.get('department')}/calls/{rules.get('persona')}): deploy both together."
        )


def _parse_bind(text: str, faults: list[str]) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        faults.append("RINGFENCE_BIND is not <address>:<port>, such as 127.0.0.1:8000: mend it or leave it unset.")
        return "", 0
    return host.strip("[]"), int(port)


def _text(rules: Mapping[str, Any], name: str) -> str:
    value = rules[name]
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} is not text")
    return value


def _granted(name: str, tool: Mapping[str, Any]) -> GrantedTool:
    definition, forced, filled = tool["definition"], tool["forced"], tool["filled"]
    if not (isinstance(definition, dict) and isinstance(forced, dict) and isinstance(filled, dict)):
        raise ValueError(f"tool {name} is incomplete")
    operations = Operations.read(tool)
    policies = tool["operations"]["session_policies"] if operations else {None: tool["session_policy"]}
    if operations and policies.keys() != operations.levels.keys():
        raise ValueError(f"tool {name} has not one session policy for each operation")
    return GrantedTool(
        name=name,
        level=_text(tool, "level"),
        definition=definition,
        forced=forced,
        filled=filled,
        session_policies={each: json.dumps(policy, separators=(",", ":")) for each, policy in policies.items()},
        timeout_seconds=float(tool["timeout_seconds"]),
        operations=operations,
        held_back=frozenset(each for each in policies if needs_approval(tool, each)),
        statements={argument: StatementRule.read(rule) for argument, rule in tool.get("statements", {}).items()},
        looking=Looking.read(tool),
    )
