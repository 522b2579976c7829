"""What catalogue and department file may not say about operations, refusals and choices, and how that is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ringfence.catalogue.catalogue import load_catalogue
from ringfence.department.department import Department, load_department
from ringfence.reading.problems import ProblemsFound
from tests.ringfence.made_up import replace, told

DATA = "servers/data/server.toml"
CLI = "servers/cli/server.toml"
SHOP = "servers/shop/server.toml"


START = '[tools.manage_jobs.operations.start-job]\nlevel = "write"\n'

IMAGES = '[tools.call.operations."aws ec2 describe-images"]\nlevel = "read"\n'

MISTAKES = [
    (
        DATA,
        'glue:GetJob"',
        'glue:GetJobb"',
        'tools.manage_jobs.operations.get-job.grants[0] = "glue:GetJobb": AWS has no',
    ),
    (DATA, 'glue:GetJob"', 'glue:GetJobb"', "Did you mean `glue:GetJob`?"),
    (DATA, 'glue:GetJob"', 'glue:DeleteJob"', "of level read cannot have this action"),
    (DATA, '[tools.upload]\nlevel = "write"', "[tools.upload]", "tools.upload.level = (absent): The tool has no level"),
    (DATA, START, "[tools.manage_jobs.operations.start-job]\n", "start-job.level = (absent)"),
    (DATA, START, START + "[tools.manage_jobs.operations.get-job]\n", "not valid TOML"),
    (
        DATA,
        START,
        '[tools.manage_jobs.operations.GET_JOB]\nlevel = "write"\n' + START,
        'tools.manage_jobs.operations.GET_JOB = "GET_JOB": It is the operation `get-job` in another spelling',
    ),
    (DATA, 'operation = "operation"', 'operation = "verb"', "The tool has no such argument"),
    (DATA, 'operation = "operation"\n', "", "no argument that decides between them"),
    (DATA, 'operation = "operation"\n', 'operation = "operation"\nlevel = "read"\n', "has no level of its own"),
    (DATA, 'operation = "operation"\n', 'operation = "operation"\ngrants = []\n', "has no grants of its own"),
    (
        DATA,
        "[tools.read_logs]",
        '[tools.manage_jobs.arguments.operation]\nmode = "hidden"\n[tools.read_logs]',
        "Remove the rule",
    ),
    (DATA, "aws:ResourceTag/ringfence:sandbox", "aws:RequestedRegion", "region lock is added to every grant"),
    (DATA, "{ StringEquals", "{ Equals", "Equals is not an IAM condition operator"),
    (DATA, "aws:ResourceTag/ringfence:sandbox", "sandbox", "sandbox is not an IAM condition key"),
    (DATA, '= "true" }', '= "{acount}" }', "placeholder {acount}"),
    (DATA, '"Fetches its templates from a site outside eu-west-2."', '"no"', "This is no reason"),
    (DATA, 'write_flags = ["--allow-write"]', 'write_flags = ["--region=us-east-1"]', "write_flags[0]"),
    (CLI, 'match = "command"', 'match = "prefix"', "Use one of: 'exact' or 'command'"),
    (CLI, '"aws ec2 describe-images"]', '" aws ec2 describe-images"]', "one line of visible text"),
    (CLI, '"aws ec2 describe-images"]', '"ec2 describe-images"]', "This is not a command of the AWS CLI"),
    (CLI, IMAGES, IMAGES + 'options."image-ids" = { values = "ami-[0-9a-f]{8}" }\n', "Write it as `--instance-ids`"),
    (CLI, IMAGES, IMAGES + 'options."--regi" = { values = "x" }\n', "takes this for an option of its own"),
    (CLI, IMAGES, IMAGES + 'options."--no" = {}\n', "takes this for an option of its own"),
    (CLI, IMAGES, IMAGES + 'options."--image-ids" = { values = "(" }\n', "This is not a regular expression"),
    (CLI, IMAGES, IMAGES + 'options."--image-ids" = { values = "[^ ]+" }\n', 'It admits "-x", which is more than'),
    (CLI, IMAGES, IMAGES + 'options."--image-ids" = { values = "[a-z:/0-9-]+" }\n', "which is more than a name"),
    (CLI, IMAGES, IMAGES + 'options."--image-ids" = { values = "|ami" }\n', 'It admits "", which is more than'),
    (CLI, IMAGES, IMAGES + 'options."--dry-run" = { many = true }\n', "cannot have several"),
    (CLI, IMAGES, IMAGES + 'options."--image-ids" = { pattern = "x" }\n', "pattern"),
    (DATA, START, START + 'options."--job" = { values = "x" }\n', "Only a command has options"),
    (SHOP, "Its API has no endpoint in eu-west-2, so data would leave the region.", "", "This is no reason"),
    (SHOP, 'name = "shop"', 'name = "prices"', "The folder is called shop"),
    (
        "personas.toml",
        'data = ["manage_jobs", "read_logs", "upload"]',
        'shop = ["get_price"]',
        'personas.developer.servers.shop = "shop": Server shop is refused: Its API has no endpoint in eu-west-2',
    ),
    (
        "personas.toml",
        '"upload"]',
        '"upload", "templates"]',
        'servers.data = "templates": Tool templates of server data is refused: Fetches its templates',
    ),
    ("personas.toml", '"manage_jobs",', '"manage_jobs.get-jobb",', "Did you mean `manage_jobs.get-job`?"),
    ("personas.toml", '"manage_jobs",', '"manage_jobs", "manage_jobs.get-job",', "granted twice"),
    ("personas.toml", '"manage_jobs",', '"manage_jobs.delete-job",', "The operation's level is permissions"),
    ("personas.toml", '"upload"]', '"upload.now"]', "has no such operation"),
    ("personas.toml", 'sandbox_levels = ["read", "write"]', "", "upload\": The tool's level is write"),
    ("personas.toml", 'sandbox_levels = ["read", "write"]', 'sandbox_levels = ["all"]', "Use one of: 'read'"),
]


@pytest.mark.parametrize(("file", "old", "new", "expected"), MISTAKES)
def test_one_mistake_is_told(wide_root: Path, file: str, old: str, new: str, expected: str) -> None:
    replace(wide_root, file, old, new)
    assert expected in told(wide_root)


def test_an_operation_that_the_servers_schema_lists_must_be_classified(
    wide_root: Path, lock_of: Callable[..., None]
) -> None:
    lock_of(wide_root, "data", {"operation": {"type": "string", "enum": ["get-job", "purge"]}})
    message = told(wide_root)
    assert "operations.purge = (absent): The tool has this operation and it is not classified" in message
    assert 'operations.start-job = "start-job": The schema of the tool does not accept this value' in message


def test_a_tool_of_which_nothing_could_be_permitted_is_told(wide_root: Path) -> None:
    replace(wide_root, "personas.toml", 'levels = ["read"]\nsandbox', 'levels = ["execute"]\nsandbox')
    replace(wide_root, "personas.toml", 'sandbox_levels = ["read", "write"]', "")
    assert "None of the tool's operations could ever be permitted" in told(wide_root)


def test_all_mistakes_are_told_at_once(wide_root: Path) -> None:
    replace(wide_root, DATA, "athena:StartQueryExecution", "athena:StartAnyQuery")
    replace(wide_root, DATA, '[tools.upload]\nlevel = "write"', "[tools.upload]")
    replace(wide_root, DATA, START, '[tools.manage_jobs.operations.Get-Job]\nlevel = "write"\n' + START)
    replace(wide_root, "personas.toml", 'data = ["manage_jobs",', 'shop = ["x"]\ndata = ["templates", "manage_jobs",')
    many = ", ".join(f'"arn:aws:logs:{{region}}:{{account}}:log-group:{"x" * 40}{index}"' for index in range(40))
    replace(wide_root, DATA, '"arn:aws:logs:{region}:{account}:log-group:{log_groups}"', many)
    (wide_root / "servers/cli/tools.lock.json").unlink()
    message = told(wide_root)
    for part in (
        "AWS has no such IAM action",
        "tools.upload.level = (absent)",
        "in another spelling",
        "Server shop is refused",
        "Tool templates of server data is refused",
        "Tool read_logs reads log groups",
        "tools.read_logs.grants = ",
        "beside the tags it may have 1848",
        "servers/cli/tools.lock.json: file",
    ):
        assert part in message
    assert message.count("\n") == 8, message
    assert all(line.rstrip().endswith((".", "?")) for line in message.splitlines()[1:])


def choice(kind: str, persona: str, what: str, reason: str = "A reason that is long enough.") -> str:
    key = "server" if kind == "enable" else "tool"
    return f'\n[[{kind}]]\npersona = "{persona}"\n{key} = "{what}"\nreason = "{reason}"\n'


CHOICES = [
    (choice("enable", "developer", "cli", "because"), "enable[0].reason", "at least 20 characters"),
    (
        choice("enable", "developer", "cli").replace('reason = "A reason that is long enough."', ""),
        "reason",
        "(absent)",
    ),
    (choice("enable", "developer", "data"), "enable[0].server", "not optional"),
    (choice("enable", "developer", "shop"), "enable[0].server", "Server shop is refused: Its API has no endpoint"),
    (choice("enable", "developer", "cly"), "enable[0].server", "Use one of: cli."),
    (choice("enable", "auditor", "cli"), "enable[0].server", "grants persona auditor no tool of this server"),
    (choice("enable", "operator", "cli"), "enable[0].persona", "This department does not have this persona"),
    (choice("enable", "wizard", "cli"), "enable[0].persona", "The catalogue knows no such persona"),
    (choice("enable", "developer", "cli") * 2, "enable[1]", "enabled twice"),
    (choice("sensitive", "developer", "data.read_logs", "why not"), "sensitive[0].reason", "at least 20 characters"),
    (choice("sensitive", "developer", "data.upload"), "sensitive[0].tool", "This is not sensitive"),
    (choice("sensitive", "developer", "data.manage_jobs.get-job"), "sensitive[0].tool", "This is not sensitive"),
    (
        choice("sensitive", "developer", "data.manage_jobs"),
        "sensitive[0].tool",
        "Name the operation: data.manage_jobs.get-run",
    ),
    (choice("sensitive", "developer", "data.read_logs.all"), "sensitive[0].tool", "The tool has no operations"),
    (choice("sensitive", "developer", "data.read_log"), "sensitive[0].tool", "Did you mean `data.read_logs`?"),
    (choice("sensitive", "developer", "data.templates"), "sensitive[0].tool", "Tool templates is refused: Fetches"),
    (choice("sensitive", "developer", "shop.get_price"), "sensitive[0].tool", "Server shop is refused: Its API"),
    (choice("sensitive", "auditor", "data.read_logs"), "sensitive[0].tool", "does not grant it to persona auditor"),
    (choice("sensitive", "developer", "data.read_logs") * 2, "sensitive[1]", "named twice"),
]


@pytest.mark.parametrize(("choices", "field", "expected"), CHOICES)
def test_a_departments_wrong_choice_is_told(
    wide_department: Callable[..., Department], choices: str, field: str, expected: str
) -> None:
    with pytest.raises(ProblemsFound) as refused:
        wide_department(choices=choices)
    (line,) = str(refused.value).splitlines()[1:]
    assert field in line
    assert expected in line


def test_all_wrong_choices_are_told_at_once(wide_department: Callable[..., Department]) -> None:
    choices = choice("enable", "developer", "shop") + choice("sensitive", "developer", "data.upload", "short")
    with pytest.raises(ProblemsFound) as refused:
        wide_department(choices=choices)
    assert str(refused.value).count("\n") == 3


def test_a_persona_that_would_hold_nothing_is_told(wide_root: Path, write_department: Callable[..., Path]) -> None:
    replace(wide_root, "personas.toml", '"manage_jobs", ', "")
    root = write_department(('"auditor"]\n[network]', '"auditor", "developer"]\n[network]'),
                            ('auditor = ["SG-Cloud-Audit"]', 'auditor = ["a"]\ndeveloper = ["b"]'))  # fmt: skip
    with pytest.raises(ProblemsFound, match=r'personas\[1\] = "developer": In a production department'):
        load_department("example", catalogue=load_catalogue(wide_root), root=root)
