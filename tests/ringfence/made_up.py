"""A small catalogue and a sound department, written to disk as people write them, for tests to damage."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from callpath.digest import digest
from ringfence.catalogue.catalogue import Catalogue, load_catalogue
from ringfence.department.department import Department, load_department
from ringfence.reading.problems import ProblemsFound

ROOT = Path(__file__).resolve().parents[2]
PERSONAS = """
[personas.auditor]
title = "Auditor"
description = "Looks, never touches."
levels = ["read"]
[personas.auditor.servers]
iam = ["list_users", "get_policy"]
cloudwatch = ["query", "batch", "advise"]

[personas.operator]
title = "Operator"
description = "Restarts."
levels = ["read", "write"]
[personas.operator.servers]
iam = ["create_user"]
"""

REDACTION = """
[[rules]]
id = "national-insurance-number"
description = "A National Insurance number."
regex = "[A-Z]{2}[0-9]{6}[A-D]"
label = "NINO"
"""

IAM = """
name = "iam"
title = "IAM"
description = "Users and policies."
package = "example.iam-mcp-server"
version = "1.0.0"
module = "example.iam"
[[endpoints]]
service = "iam"
region = "us-east-1"
prefixes = ["iam"]
reason = "IAM has one control plane, in us-east-1."
[arguments.ctx]
mode = "hidden"
value = { content = [] }
[tools.list_users]
level = "read"
grants = [{ actions = ["iam:ListUsers"] }]
[tools.get_policy]
level = "read"
[[tools.get_policy.grants]]
actions = ["iam:GetPolicyVersion"]
resources = ["arn:aws:iam::{account}:policy/*", "arn:aws:iam::aws:policy/*"]
[tools.create_user]
level = "write"
grants = [{ actions = ["iam:CreateUser"], resources = ["arn:aws:iam::{account}:user/*"] }]
"""

CLOUDWATCH = """
name = "cloudwatch"
title = "CloudWatch"
description = "Logs and metrics."
package = "example.cloudwatch-mcp-server"
version = "2.0.0"
module = "example.cloudwatch"
flags = ["--quiet"]
[environment]
LOG_LEVEL = "WARNING"
[[endpoints]]
service = "logs"
prefixes = ["logs"]
[[endpoints]]
service = "monitoring"
prefixes = ["cloudwatch"]
[arguments.region]
mode = "forced"
value = "eu-west-2"
[arguments.profile_name]
mode = "hidden"
[tools.query]
level = "read"
untrusted = true
personal = true
timeout_seconds = 120
[[tools.query.grants]]
actions = ["logs:StartQuery", "logs:GetQueryResults"]
resources = ["arn:aws:logs:{region}:{account}:log-group:{log_groups}"]
[[tools.query.grants]]
actions = ["logs:DescribeLogGroups"]
[tools.query.without]
"what looks elsewhere" = '(?i)unmask|source|join|lookup|diff|logcompare|#|limit 10000|substr'

[tools.query.arguments.order]
mode = "allowed"
values = ["asc", "desc"]
[tools.batch]
level = "read"
grants = [{ actions = ["cloudwatch:GetMetricData"] }]
[tools.batch.arguments.regions]
mode = "forced"
value = ["eu-west-2"]
[tools.batch.arguments.threshold]
mode = "bounded"
least = 0
most = 100
[tools.advise]
level = "read"
note = "Answers from a file."
"""

_TEXT = {"type": "string"}
_OPTIONAL_TEXT = {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None, "title": "Optional"}

TOOLS: dict[str, list[dict[str, Any]]] = {
    "iam": [
        {
            "name": "create_user",
            "description": "Make a user.",
            "inputSchema": {"type": "object", "properties": {"user_name": _TEXT}, "required": ["user_name"]},
        },
        {
            "name": "get_policy",
            "description": "Read a policy.",
            "inputSchema": {
                "type": "object",
                "$defs": {"Version": {"type": "object", "properties": {"id": _TEXT}}},
                "properties": {"arn": _TEXT, "version": {"$ref": "#/$defs/Version"}},
                "required": ["arn"],
            },
            "outputSchema": {"type": "object"},
        },
        {
            "name": "list_users",
            "description": "List users.",
            "inputSchema": {
                "type": "object",
                "title": "list_usersArguments",
                "$defs": {
                    "Content": {"type": "object"},
                    "Result": {
                        "type": "object",
                        "properties": {"content": {"type": "array", "items": {"$ref": "#/$defs/Content"}}},
                        "required": ["content"],
                    },
                },
                "properties": {
                    "ctx": {"$ref": "#/$defs/Result"},
                    "path_prefix": _OPTIONAL_TEXT,
                    "max_items": {"type": "integer", "default": 100, "minimum": 1, "maximum": 1000},
                },
                "required": ["ctx"],
            },
        },
    ],
    "cloudwatch": [
        {"name": "advise", "inputSchema": {"type": "object", "properties": {}}},
        {
            "name": "batch",
            "description": "Many regions at once.",
            "inputSchema": {
                "type": "object",
                "properties": {"regions": {"type": "array", "items": _TEXT}, "threshold": {"type": "number"}},
                "required": ["regions"],
            },
        },
        {
            "name": "query",
            "description": "Search logs.",
            "inputSchema": {
                "type": "object",
                "properties": {
                    "query": {"type": "string", "minLength": 1},
                    "order": {"type": "string", "default": "desc", "description": "Order of results."},
                    "region": {"type": "string", "default": "us-east-1", "description": "The region."},
                    "profile_name": _OPTIONAL_TEXT,
                    "live": {"type": "boolean", "default": False},
                },
                "required": ["query"],
            },
        },
    ],
}

HOSTS = (Path(__file__).resolve().parents[2] / "catalogue" / "hosts.toml").read_text(encoding="utf-8")

DEPARTMENT = """
name = "example"
account = "111122223333"
environment = "production"
contact = "the platform team, platform@fisheries.internal"
availability_zones = ["eu-west-2a", "eu-west-2b"]
personas = ["auditor"]
[network]
cidr = "10.64.0.0/22"
s3_prefix_list = "pl-0123456789abcdef0"
[identity]
provider = "oidc"
domain_prefix = "ringfence-example"
issuer = "https://login.example.org"
client_id = "ringfence"
client_secret_name = "ringfence/oidc"
client_secret_version = "00000000-0000-4000-8000-000000000000"
staff_id_claim = "employee_id"
plain_names = "Only the directory team names groups."
[identity.groups]
auditor = ["SG-Cloud-Audit"]
[ingress]
allowed_networks = ["203.0.113.0/24"]
[security]
roles = ["security-response"]
[[hosts]]
kind = "custom"
name = "desktop"
callback_urls = ["http://localhost:33418/callback"]
"""


def replace(root: Path, file: str, old: str, new: str) -> None:
    """Changes one place of a catalogue's file."""
    path = root / file
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{file} does not hold {old!r}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def told(root: Path) -> str:
    """Returns what is said of a catalogue that cannot be loaded."""
    with pytest.raises(ProblemsFound) as refused:
        load_catalogue(root)
    return str(refused.value)


def lock_text(server: str, package: str, version: str, tools: list[dict[str, Any]]) -> str:
    """Returns a lock file as `make lock` writes it."""
    locked = [{**tool, "sha256": digest(tool)} for tool in tools]
    return json.dumps({"server": server, "package": package, "version": version, "tools": locked}, indent=2) + "\n"


@pytest.fixture
def catalogue_root(tmp_path: Path) -> Path:
    """A folder with a sound catalogue that a test may damage before it is loaded."""
    root = tmp_path / "catalogue"
    files = {
        "personas.toml": PERSONAS,
        "redaction.toml": REDACTION,
        "hosts.toml": HOSTS,
        "servers/iam/server.toml": IAM,
        "servers/iam/tools.lock.json": lock_text("iam", "example.iam-mcp-server", "1.0.0", TOOLS["iam"]),
        "servers/cloudwatch/server.toml": CLOUDWATCH,
        "servers/cloudwatch/tools.lock.json": lock_text(
            "cloudwatch", "example.cloudwatch-mcp-server", "2.0.0", TOOLS["cloudwatch"]
        ),
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


@pytest.fixture
def catalogue(catalogue_root: Path) -> Catalogue:
    """The sound catalogue, loaded."""
    return load_catalogue(catalogue_root)


@pytest.fixture(scope="session")
def real() -> Catalogue:
    """The project's own catalogue."""
    return load_catalogue(ROOT / "catalogue")


@pytest.fixture(scope="session")
def sandbox(real: Catalogue) -> Department:
    """The example that has every persona."""
    return load_department("example-sandbox", catalogue=real, root=ROOT / "departments")


@pytest.fixture
def write_department(tmp_path: Path) -> Callable[..., Path]:
    """Writes a department file with replacements made in the sound one, and returns the folder."""

    def write(*replacements: tuple[str, str], name: str = "example", text: str = DEPARTMENT) -> Path:
        for old, new in replacements:
            assert old in text, f"the sound department does not hold {old!r}"
            text = text.replace(old, new)
        folder = tmp_path / "departments"
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
        return folder

    return write


@pytest.fixture
def department(catalogue: Catalogue, write_department: Callable[..., Path]) -> Department:
    """The sound department, loaded."""
    return load_department("example", catalogue=catalogue, root=write_department())


WIDE_PERSONAS = """
[personas.developer]
title = "Developer"
description = "Builds, in a sandbox."
levels = ["read"]
sandbox_levels = ["read", "write"]
[personas.developer.servers]
data = ["manage_jobs", "read_logs", "upload"]
cli = ["call.aws ec2 describe-instances", "call.aws ec2 reboot-instances"]
"""

DATA = """
name = "data"
title = "Data"
description = "Jobs."
package = "example.data-mcp-server"
version = "3.0.0"
module = "example.data"
flags = ["--auth=iam"]
write_flags = ["--allow-write"]
sensitive_flags = ["--allow-sensitive-data-access"]
[[endpoints]]
service = "glue"
prefixes = ["glue"]
[[endpoints]]
service = "athena"
prefixes = ["athena"]
[[endpoints]]
service = "logs"
prefixes = ["logs"]
[[endpoints]]
service = "s3"
prefixes = ["s3"]
[tools.manage_jobs]
operation = "operation"
untrusted = true
[tools.manage_jobs.operations.get-job]
level = "read"
grants = [{ actions = ["glue:GetJob"], resources = ["arn:aws:glue:{region}:{account}:job/*"] }]
[tools.manage_jobs.operations.get-run]
level = "read"
sensitive = true
grants = [{ actions = ["glue:GetJobRun"], resources = ["arn:aws:glue:{region}:{account}:job/*"] }]
[tools.manage_jobs.operations.start-job]
level = "write"
[[tools.manage_jobs.operations.start-job.grants]]
actions = ["glue:StartJobRun"]
resources = ["arn:aws:glue:{region}:{account}:job/*"]
conditions = { StringEquals = { "aws:ResourceTag/ringfence:sandbox" = "true" } }
[tools.manage_jobs.operations.start-query]
level = "write"
approval = true
grants = [{ actions = ["athena:StartQueryExecution"] }]
[tools.manage_jobs.operations.delete-job]
level = "permissions"
grants = [{ actions = ["glue:DeleteJob"], resources = ["arn:aws:glue:{region}:{account}:job/*"] }]
[tools.read_logs]
level = "read"
sensitive = true
grants = [{ actions = ["logs:GetLogEvents"], resources = ["arn:aws:logs:{region}:{account}:log-group:{log_groups}"] }]
[tools.upload]
level = "write"
approval = true
grants = [{ actions = ["s3:PutObject"], resources = ["arn:aws:s3:::example-{account}/*"] }]
[tools.templates]
level = "read"
refused = "Fetches its templates from a site outside eu-west-2."
"""

CLI = """
name = "cli"
title = "Commands"
description = "AWS commands."
package = "example.cli-mcp-server"
version = "4.0.0"
module = "example.cli"
optional = true
[[endpoints]]
service = "ec2"
prefixes = ["ec2"]
[tools.call]
operation = "command"
match = "command"
[tools.call.operations."aws ec2 describe-instances"]
level = "read"
grants = [{ actions = ["ec2:DescribeInstances"] }]
[tools.call.operations."aws ec2 reboot-instances"]
level = "write"
approval = true
grants = [{ actions = ["ec2:RebootInstances"], resources = ["arn:aws:ec2:{region}:{account}:instance/*"] }]
[tools.call.operations."aws ec2 describe-images"]
level = "read"
grants = [{ actions = ["ec2:DescribeImages"] }]
"""

SHOP = """
name = "shop"
title = "Prices"
refused = "Its API has no endpoint in eu-west-2, so data would leave the region."
"""

WIDE_TOOLS: dict[str, list[dict[str, Any]]] = {
    "data": [
        {
            "name": "manage_jobs",
            "inputSchema": {
                "type": "object",
                "properties": {"operation": {**_TEXT, "description": "What to do."}, "job": _TEXT},
            },
        },
        {"name": "read_logs", "inputSchema": {"type": "object", "properties": {}}},
        {"name": "templates", "inputSchema": {"type": "object", "properties": {}}},
        {"name": "upload", "inputSchema": {"type": "object", "properties": {"name": _TEXT}}},
    ],
    "cli": [
        {
            "name": "call",
            "inputSchema": {
                "type": "object",
                "properties": {"command": {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}},
                "required": ["command"],
            },
        }
    ],
}

ENABLE = """
[[enable]]
persona = "developer"
server = "cli"
reason = "Instances of the test bed hang and need a restart."
"""

SENSITIVE = """
[[sensitive]]
persona = "developer"
tool = "data.read_logs"
reason = "Developers debug their own jobs in the sandbox."
[[sensitive]]
persona = "developer"
tool = "data.manage_jobs.get-run"
reason = "Developers look into the runs of their own jobs."
"""


@pytest.fixture
def wide_root(catalogue_root: Path) -> Path:
    """The sound catalogue with operations, an optional server, a refused one, and a developer."""
    (catalogue_root / "personas.toml").write_text(PERSONAS + WIDE_PERSONAS, encoding="utf-8")
    files = {
        "data/server.toml": DATA,
        "data/tools.lock.json": lock_text("data", "example.data-mcp-server", "3.0.0", WIDE_TOOLS["data"]),
        "cli/server.toml": CLI,
        "cli/tools.lock.json": lock_text("cli", "example.cli-mcp-server", "4.0.0", WIDE_TOOLS["cli"]),
        "shop/server.toml": SHOP,
    }
    for name, text in files.items():
        path = catalogue_root / "servers" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return catalogue_root


@pytest.fixture
def wide(wide_root: Path) -> Catalogue:
    """That catalogue, loaded."""
    return load_catalogue(wide_root)


@pytest.fixture
def wide_department(wide: Catalogue, write_department: Callable[..., Path]) -> Callable[..., Department]:
    """Loads a department with a developer: in which environment, and with which choices of its own."""

    def load(
        environment: str = "sandbox", *, enable: bool = False, sensitive: bool = False, choices: str = ""
    ) -> Department:
        text = DEPARTMENT + (ENABLE if enable else "") + (SENSITIVE if sensitive else "") + choices
        root = write_department(
            ('personas = ["auditor"]', 'personas = ["auditor", "developer"]'),
            ('environment = "production"', f'environment = "{environment}"'),
            ('auditor = ["SG-Cloud-Audit"]', 'auditor = ["SG-Cloud-Audit"]\ndeveloper = ["SG-Build"]'),
            text=text,
        )
        return load_department("example", catalogue=wide, root=root)

    return load


@pytest.fixture
def lock_of() -> Callable[..., None]:
    """Writes the lock of a server anew, with other properties of its first tool."""

    def write(root: Path, server: str, properties: dict[str, Any]) -> None:
        first, *others = WIDE_TOOLS[server]
        changed = {**first, "inputSchema": {**first["inputSchema"], "properties": properties}}
        text = lock_text(server, f"example.{server}-mcp-server", "3.0.0", [changed, *others])
        (root / "servers" / server / "tools.lock.json").write_text(text, encoding="utf-8")

    return write
