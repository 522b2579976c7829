"""Where templates come from: a folder of a cloud assembly, or the account they are deployed in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ringfence import CannotGoOn
from ringfence.deployment.changes import PROTECTED
from ringfence.live import problems
from ringfence.live.account import Account

_SUFFIX: Final = ".template.json"
_AUDIT: Final = re.compile(r"ringfence-(.+)-audit")
_ORGANISATION: Final = re.compile(r"ringfence-organisation-.+")
_EMPTY: Final = ("DELETE_COMPLETE", "REVIEW_IN_PROGRESS")
"""Stack statuses without any resource. A stack whose first change set was never executed is in review and has neither
template nor resources (aws/aws-cdk, pull request 7731; read 28 November 2026)."""

_TAG: Final = "ringfence:department"
"""Every stack of a department bears it; a name alone could be the beginning of another department's."""


class CannotAsk(CannotGoOn):
    """The templates cannot be had."""

    remedy = "Synthesise again (make synth), or correct the path."


@dataclass(frozen=True)
class _Stack:
    """A stack as a cloud assembly's manifest has it: its name, template, account and protection from deletion."""

    name: str
    template: Path
    account: str
    protected: bool


def in_folder(folder: Path) -> dict[str, Any]:
    """Returns the templates of a folder by stack name, in the order of their deployment where the folder says it.

    Where it is a cloud assembly, each says beside its sections whether the stack is protected from deletion. A file may
    also be what `aws cloudformation get-template` prints.

    Raises:
        CannotAsk: there is none, or a file holds none.
    """
    stacks = _stacks_of(folder)  # what it says it holds: templates of an earlier synthesis may lie beside them
    found = {each.name: each.template for each in stacks} or {
        path.name.removesuffix(_SUFFIX): path for path in sorted(folder.glob(f"*{_SUFFIX}"))
    }
    if not found:
        raise CannotAsk(f"{folder} holds no template (*{_SUFFIX})")
    gone = [path.name for path in found.values() if not path.is_file()]
    if gone:
        raise CannotAsk(f"{folder} lacks {len(gone)} of the {len(found)} templates that it names, such as {gone[0]}")
    protected = {each.name: {PROTECTED: each.protected} for each in stacks}
    templates, problems = {}, []
    for name, path in found.items():
        try:
            templates[name] = _template(path.read_text(encoding="utf-8"), str(path)) | protected.get(name, {})
        except (CannotAsk, OSError, ValueError) as problem:
            problems.append(str(problem) if isinstance(problem, CannotAsk) else f"{path}: {problem}")
    if problems:
        raise CannotAsk("\n".join(problems))
    return templates


def of_one_stack(file: Path, after: Mapping[str, Any]) -> dict[str, Any]:
    """Returns templates in which one stack is as a file named after it says, and every other as it is now.

    Raises:
        CannotAsk: the file is of no stack, or holds no template.
    """
    stack = file.name.removesuffix(_SUFFIX)
    if stack not in after:
        raise CannotAsk(
            f"{file} has the name of no stack", f"Call it one of: {', '.join(f'{each}{_SUFFIX}' for each in after)}."
        )
    return {**after, stack: _template(file.read_text(encoding="utf-8"), str(file))}


def _template(body: Any, where: str) -> dict[str, Any]:
    """Returns a template, given as an object, as JSON text, or as either under `TemplateBody`.

    Args:
        where: The file or stack that it is from.

    Raises:
        CannotAsk: it is none. Taken for an empty one, it would say that nothing is lost.
    """
    for _ in range(3):  # a file's text, what get-template printed, the text in it
        if isinstance(body, str):
            try:
                body = json.loads(body)
            except ValueError as error:
                raise CannotAsk(f"{where}: no template in JSON ({error})", "Write it again, as JSON.") from error
        elif isinstance(body, Mapping) and "TemplateBody" in body:
            body = body["TemplateBody"]
    if not isinstance(body, Mapping) or not isinstance(body.get("Resources"), Mapping):
        raise CannotAsk(f"{where}: no template, which is an object with `Resources`", "Put the template there.")
    wrong = [
        *(f"Resources.{name} has no `Type`" for name, each in body["Resources"].items() if not _has(each, "Type", str)),
        *(
            f"Resources.{name}.Properties is no object"
            for name, each in body["Resources"].items()
            if isinstance(each, Mapping) and not isinstance(each.get("Properties", {}), Mapping)
        ),
        *(f"Outputs.{name} has no `Value`" for name, each in _outputs(body) if not _has(each, "Value", object)),
    ]
    if wrong:
        raise CannotAsk(f"{where}: {'; '.join(wrong)}", "Put the template as it was deployed there.")
    return dict(body)


def _has(value: Any, name: str, kind: type) -> bool:
    return isinstance(value, Mapping) and name in value and isinstance(value[name], kind)


def _outputs(body: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    outputs = body.get("Outputs", {})
    return outputs.items() if isinstance(outputs, Mapping) else [("*", outputs)]


def account_of(folder: Path) -> str:
    """Returns the account that a cloud assembly's stacks are for.

    Raises:
        CannotAsk: the folder does not say it.
    """
    accounts = {each.account for each in _stacks_of(folder)}
    if len(accounts) != 1:
        raise CannotAsk(f"{folder} does not say for which one account its stacks are")
    return accounts.pop()


def _stacks_of(folder: Path) -> list[_Stack]:
    manifest = folder / "manifest.json"
    if not manifest.is_file():
        return []
    try:
        artifacts = json.loads(manifest.read_text(encoding="utf-8"))["artifacts"]
        return [
            _Stack(
                str(each["properties"].get("stackName", name)),
                folder / each["properties"]["templateFile"],
                str(each["environment"]).removeprefix("aws://").partition("/")[0],
                each["properties"].get("terminationProtection", False),
            )
            for name, each in artifacts.items()
            if each["type"] == "aws:cloudformation:stack"
        ]
    except KeyError as error:
        raise CannotAsk(f"{manifest}: {error} is missing") from error
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise CannotAsk(f"{manifest}: no manifest of a cloud assembly ({error})") from error


def department_in(templates: Mapping[str, Any]) -> str:
    """Returns the department whose stacks these are; empty where they are an organisation's.

    Raises:
        CannotAsk: they are neither one department's nor an organisation's.
    """
    names = [match[1] for name in templates if (match := _AUDIT.fullmatch(name))]
    if not names and templates and all(_ORGANISATION.fullmatch(name) for name in templates):
        return ""
    if len(names) != 1:
        raise CannotAsk(
            f"no single stack ringfence-<department>-audit among {', '.join(templates)}",
            "Name a folder with the templates of one department (make synth DEPARTMENT=<name> writes one), or of an "
            "organisation.",
        )
    return names[0]


def deployed(department: str, names: Iterable[str], account: str, asked: Account | None = None) -> dict[str, Any]:
    """Returns the templates of the deployed stacks by stack name; empty where there is none.

    Args:
        department: Whose tag its stacks bear; empty for an organisation, whose stack bears none.
        names: What will be deployed. A stack that has such a name is deployed over, whatever its tags say.
        account: Where it is deployed. Credentials of another account would see no stack, and nothing to lose.
        asked: Whom to ask; by default the account of the credentials at hand.

    Raises:
        CannotAsk: the account could not be asked, is another one, or has such a stack without the department's tag, or
            hands over what is no template.
    """
    asked = asked or Account()
    try:
        own = str((asked.ask("sts:GetCallerIdentity") or {}).get("Account"))
        if own != account:
            raise CannotAsk(f"the credentials are of account {own}, the stacks are for {account}", "Use its own.")
        found = asked.pages("cloudformation:DescribeStacks", "Stacks")
        there = [stack for stack in found if stack["StackStatus"] not in _EMPTY]
        tagged = {stack["StackName"] for stack in there if {"Key": _TAG, "Value": department} in stack.get("Tags", [])}
        named = {stack["StackName"] for stack in there} & set(names)
        if department and (strange := sorted(named - tagged)):
            raise CannotAsk(
                f"{', '.join(strange)}: deployed without the tag {_TAG}={department}, so perhaps not by Ringfence",
                "Find out whose it is; put the tag back if it is this department's, or give the department another "
                "name.",
            )
        stacks = {
            stack["StackName"]: {PROTECTED: stack.get("EnableTerminationProtection", False)}
            for stack in there
            if stack["StackName"] in tagged | named
        }
        bodies = {
            name: asked.ask("cloudformation:GetTemplate", StackName=name, TemplateStage="Original") for name in stacks
        }
    except problems.CannotAsk as unanswered:
        told = f"what is deployed in account {account} cannot be asked: {unanswered}"
        otherwise = "make diff alone also compares with a folder: AGAINST=<path>"
        raise CannotAsk(told, f"{unanswered.remedy}\n{otherwise}") from None
    return {name: _template(body, f"the deployed stack {name}") | stacks[name] for name, body in bodies.items()}
