"""docs/hosts.md: a paragraph a host and a program, from `catalogue/hosts.toml` and `catalogue/programs.toml`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from ringfence.catalogue.hosts import HostKind, RefusedHost
from ringfence.hosts.programs import Program

_BEGINNING: Final = """\
# Hosts

Written by `make pages` from `catalogue/hosts.toml` and `catalogue/programs.toml`; a test compares them. What a maker
changes is changed there.

A host is named in the department's file by its kind; then `make deploy`. What a person puts into it is printed by
`make connect HOST=<host> PERSONA=<persona>`, for a rehearsal that serves (`make rehearse KEEP=1`) or, with
`DEPARTMENT=<department>`, for a deployment. `ARGS=--write` writes it below `build/hosts/`. Nobody ever has to paste a
token; `ARGS=--token` prints one for scripts, where a rehearsal gives any (`make rehearse KEEP=1 ARGS=--token`).

`make hosts DEPARTMENT=<department>` writes what whoever manages staff's computers lays out: only the department's
servers, and no call without a person's word, as far as the host can be held to it. Both commands ask the account for
the stacks' outputs, or read them from a file, `OUTPUTS=outputs.json`, that `aws cloudformation describe-stacks` or
`cdk deploy --outputs-file` has written.

What a file may hold is checked against what its maker publishes, where it does: SchemaStore for Claude Code, Gemini
CLI's own schema, GitHub's reference of Copilot's settings (one key of theirs is in VS Code's tests alone), VS Code's
list of policies and Kiro's page on permissions. For `managed-mcp.json` of
Claude Code, `mcp.json` of Visual Studio Code, Cursor and Kiro, and Cursor's `permissions.json`, no schema was found
(looked for on 29 November 2026): these follow the pages named below each host.

A host asks for one persona at a time. No file of a host is a lock of Ringfence: each call is decided at the gateway and
behind it, whatever the host was told.
"""
_END: Final = """\
## The model in London

A host asks a model somewhere; Ringfence's locks are about tools. Where a department takes Bedrock as its hosts'
provider, `[models]` in its file names models of `catalogue/models.toml`: those that run on demand in
eu-west-2, without an inference profile. One policy lets staff's role ask these models in London. Whatever else the role
allows, it denies every other model, profile and region of Bedrock, keys that outlive a session, the setting that
records what is asked, and the other ways to a model that are known: what `catalogue/bypasses.toml` lists, and what of
Bedrock and AgentCore asks one for its caller (agents, flows, harnesses, runtimes, evaluations, batches). A service that
is not listed yet is not denied. It comes in two forms: the audit stack holds it as a managed policy (output
`ModelPolicyArn`), for a role of this account, and `make hosts` writes it as a permission set of IAM Identity Center,
`models/permission-set.json`: the properties of CloudFormation's `AWS::SSO::PermissionSet`, to which `InstanceArn` is
added. On a command line it takes two commands: `aws sso-admin create-permission-set` with name, description and session
duration, then `aws sso-admin put-inline-policy-to-permission-set` with `InlinePolicy` as a text. Claude Code gets the
region and all five variables of its models, and only these models, its Default among them (versions from 2.1.283);
with a variable left out it asks a model of its own choice in the background. VS Code, Cursor, Kiro and Gemini
CLI choose their models with their makers, and cannot be pinned so.

**Before staff ask**, the account's owner submits Anthropic's form for a first use, once for the account or the
organisation, and asks each model once, as a role with `aws-marketplace:Subscribe`, `Unsubscribe` and
`ViewSubscriptions`: the first question subscribes the account, and staff's policy allows none of the three. Until then
whoever asks gets AccessDeniedException (Amazon Bedrock user guide, Request access to models, read 29 November 2026).

The audit stack also holds a log group with the department's retention and key, and a role as which Bedrock writes
there. That it writes is one setting for the whole account in London, for which CloudFormation has no type; so it is
the account owner's to make, once, after the deployment, with the command in the output `ModelLoggingCommand`. Then the
text of every question to a model of the account, and of every answer, stands in that log group for two years, masked as
all log groups are. It is the one log that holds what is asked and answered. Images and other data are not kept: they
would need a bucket, and so would a text of more than 100 KB. `make verify-live` says whether the setting is made, and
whether the account lists the models on demand.

No guardrail, and no endpoint of `bedrock-runtime`, is made: staff's computers do not stand in Ringfence's network; a
guardrail holds the calls that name it, and one that the account or the organisation enforces holds everybody in the
account, which is its owner's to decide ([decision 37](decisions/0037-the-model-in-london.md)).

**Before one is enforced**, its owner gives staff's role `bedrock:ApplyGuardrail` on that guardrail and, if it is of the
STANDARD tier, on `guardrail-profile/uk.guardrail.v1:0`, in a policy beside the one for models. A guardrail of another
account, and its profile, need a resource policy that admits the role too. Whoever has the policy for models alone is
otherwise refused with every question, with AccessDenied (Amazon Bedrock user guide, Using resource-based policies for
guardrails, read 29 November 2026).

## A host of your own

`kind = "custom"` takes a name and the addresses that the host's documentation names, to the letter: https, http to
this computer, or a scheme of the app's own. `make connect` prints what to enter. The host has to send a code challenge
(PKCE, S256) of its own accord: Cognito admits a sign-in without one, and Ringfence cannot forbid it, so a code
that is intercepted then opens the gateway. It takes no secret, and must be given its client id: Cognito registers
nobody by itself.

Two programs below which people build hosts are tried so. The first block of each goes into the department's file; in
the second, `<url>`, `<client_id>` and `<scope>` stand for what `make connect HOST=<its name> PERSONA=<persona>` prints
for the rehearsal, or with `DEPARTMENT=<department>` for the deployment. Nothing else differs between the two. The tests
run these blocks as they stand here, against the rehearsal, which tells as little about itself as Cognito does.
"""


def page(kinds: Mapping[str, HostKind], refused: Mapping[str, RefusedHost], programs: Iterable[Program]) -> str:
    """Returns docs/hosts.md.

    Args:
        programs: What has no settings of its own.
    """
    parts = [_BEGINNING, *(_paragraph(name, kind) for name, kind in sorted(kinds.items())), _END]
    return "\n".join([*parts, *map(_program, programs), "".join(_refused(refused))])


def _paragraph(name: str, kind: HostKind) -> str:
    lines = [f"## {kind.title}", "", f'`kind = "{name}"`. It receives its code at {_listed(kind.callback_urls)}.', ""]
    if kind.runs:
        lines += [f"**To run it:** {kind.runs.strip()}", ""]
    lines += [f"**A person is asked:** {kind.asks.strip()}", ""]
    if kind.managed:
        lines += ["| file of `make hosts` | belongs into |", "|---|---|"]
        lines += [f"| `{file}` | {place} |" for file, place in kind.managed.items()]
        lines += [""]
    lines += ["**It cannot be held to:**", "", *(f"- {each.strip()}" for each in kind.cannot), ""]
    if kind.lacks:
        lines += [f"**With Cognito:** {kind.lacks.strip()}", ""]
    read = "; ".join(f"<{source.url}> ({source.read})" for source in kind.sources)
    return "\n".join([*lines, f"Read: {read}.", ""])


def _program(program: Program) -> str:
    return (
        f"### {program.name}\n\n{program.about.strip()} Tried with {program.version}.\n\n"
        f"```toml\n{program.entry}```\n\n```{program.language}\n{program.text}```\n"
    )


def _refused(refused: Mapping[str, RefusedHost]) -> Iterator[str]:
    yield "## Hosts that no department can have\n\n"
    for name, each in sorted(refused.items()):
        hosts = _listed(each.callback_hosts)
        yield f"- `{name}`: {each.because} No kind, `custom` included, may have a callback at {hosts} or below.\n"


def _listed(urls: tuple[str, ...]) -> str:
    return " and ".join(f"`{url}`" for url in urls)
