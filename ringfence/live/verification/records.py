"""Call records, and the log groups that hold them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any, Final

from callpath.call_record import RECORD
from ringfence.house_rules.records import RETENTION_DAYS
from ringfence.live.preflight.names import log_prefixes
from ringfence.live.results import Result, right, unknown, wrong
from ringfence.live.verification.after import After
from ringfence.reading import names
from ringfence.reading.region import REGION

HALVES: Final = ("request", "runtime", "response")
_RUNTIMES: Final = "/aws/bedrock-agentcore/runtimes/"
_GROUP: Final = "AWS::Logs::LogGroup"
_RETENTION: Final = "RETENTION_POLICY"
_FILTER: Final = "AWS::Logs::SubscriptionFilter"
_RUNTIME: Final = "AWS::BedrockAgentCore::Runtime"
# Names below which a service of AWS may make a group of its own for what we run.
_BY_SERVICES: Final = ("/aws/lambda/ringfence-{department}-", "/aws/bedrock-agentcore/", "aws/spans")


def record(after: After) -> Iterator[Result]:
    """Looks for the three halves of the record of every call that was answered."""
    found: dict[str, set[str]] = {call_id: set() for call_id in after.answered()}
    if not found:
        yield unknown("call records", "No call was answered.", "Sign in, or give a token in RINGFENCE_TOKEN.")
        return
    groups = _groups_of_records(after)
    after.tell(f"wait up to {after.patience.records:.0f} s for {len(found)} call records")
    for _ in after.patience.looks(after.patience.records):
        for call_id, halves in found.items():
            if halves != set(HALVES):
                halves |= {half for group in groups for half in _halves(after, group, call_id)}
        if all(halves == set(HALVES) for halves in found.values()):
            break
    for call_id, halves in found.items():
        missing = [half for half in HALVES if half not in halves]
        if missing:
            remedy = "Look into the log group of that half; the runtime's is the one that live systems have lost."
            yield wrong(f"call {call_id}", f"Without its half of {' and '.join(missing)}.", remedy)
        else:
            yield right(f"call {call_id}", "Request, runtime and response are there.")


def _groups_of_records(after: After) -> list[str]:
    """Our own groups of the persona's stack, and those of its runtimes, which carry the runtimes' ids."""
    own = f"ringfence-{after.department}-{after.persona}"
    fixed = after.needs.fixed(_GROUP, "LogGroupName")
    ours = [name for each, name in fixed if each.stack == own and name.startswith("/ringfence/")]
    stack = after.deployed.stacks.get(f"ringfence-{after.department}-{after.persona}")
    runtimes = [each for each in stack.resources if each.owned and each.type.endswith("::Runtime")] if stack else []
    return ours + [f"{_RUNTIMES}{each.physical_id.rpartition('/')[2]}-DEFAULT" for each in runtimes]


def _halves(after: After, group: str, call_id: str) -> Iterator[str]:
    for line in _lines(after, group, call_id):
        if line.get("call_id") == call_id:
            yield str(line.get("half"))


def _lines(after: After, group: str, text: str) -> Iterator[dict[str, Any]]:
    """The call records of a group, since the visit began, that hold a text."""
    events = after.account.pages(
        "logs:FilterLogEvents",
        "events",
        absent=("ResourceNotFoundException",),
        logGroupName=group,
        startTime=int((after.started - 60) * 1000),
        filterPattern=f'"{text}"',
    )
    for event in events:
        line = _as_object(event.get("message", ""))
        if line.get("record") == RECORD:
            yield line


def list_record(after: After) -> Iterator[Result]:
    """Looks at the response half of the record of tools/list: nothing dropped, and how much came back normalised."""
    subject = "record of tools/list"
    if after.visit is None:
        yield unknown(subject, "Nobody signed in.", "Sign in, or give a token in RINGFENCE_TOKEN.")
        return
    lines: list[dict[str, Any]] = []
    for _ in after.patience.looks(after.patience.records):
        lines = [line for group in _groups_of_records(after) for line in _lines(after, group, "tools/list")]
        lines = [line for line in lines if line.get("half") == "response" and line.get("outcome") == "allowed"]
        if lines:
            break
    if not lines:
        yield wrong(subject, "No response half is there.", "Look into the response interceptor's log group.")
        return
    dropped, differs = (max(int(line.get(name, 0)) for line in lines) for name in ("dropped", "differs"))
    evidence = {"dropped": dropped, "differs": differs}
    if dropped:
        remedy = "A tool came back under another name or description, or nobody published it: compare the targets."
        yield wrong(subject, f"{dropped} tools were dropped.", remedy, evidence=evidence)
    else:
        yield right(subject, f"Nothing dropped; {differs} schemas came back in another form.", evidence=evidence)


def log_groups(after: After) -> Iterator[Result]:
    """Looks at every log group below the department's names: retention, key, masking, protection, and who owns it.

    A runtime's group is the department's own whoever made it, so one that is missing is wrong.
    """
    key, masked = _log_key(after), _masked_by_template(after)
    keyless = {name for name, properties in _expected(after).items() if "KmsKeyId" not in properties}
    ours, there = _ours(after), _there(after)
    good = 0
    for name, group in sorted(there.items()):
        policy = _masking(after, name)
        faults = [*_faults(group, key=None if name in keyless else key), *_unmasked(group, policy, masked)]
        faults += [] if name in ours or _of_retired(name, after) else ["no stack of the department owns it"]
        if faults:
            remedy = "A service made it, or somebody changed it: set what is missing, and report it."
            yield wrong(f"log group {name}", f"{'; '.join(faults)}.", remedy, evidence=_kept(group, policy))
        else:
            good += 1
    missing = sorted(ours - there.keys())
    for name in missing:
        remedy = "Deploy again, and find out who removed it."
        yield wrong(f"log group {name}", "The department has it, and it is not there.", remedy)
    if good:
        told = f"{good} as they must be: {RETENTION_DAYS} days, the department's key, masking, protection, owner."
        yield right("log groups", told)
    elif not missing:
        yield unknown("log groups", "None was found.", f"make deploy DEPARTMENT={after.department}")


def subscriptions(after: After) -> Iterator[Result]:
    """Looks for filters that send a log group's records on: the group's own, and the account's for every group."""
    filters = [each.properties for each in after.needs.assembly.of_type(_FILTER)]
    known = {(each["LogGroupName"], each["DestinationArn"]) for each in filters}
    remedy = "Remove it, or except the department's log groups, and find out who made it and what it has sent."
    there, strange = sorted(_there(after)), False
    for name in there:
        for each in after.account.pages(
            "logs:DescribeSubscriptionFilters",
            "subscriptionFilters",
            absent=("ResourceNotFoundException",),
            logGroupName=name,
        ):
            if (name, each["destinationArn"]) not in known:
                strange = True
                found = f"Its filter {each['filterName']} sends records to {each['destinationArn']}."
                yield wrong(f"log group {name}", found, remedy, evidence=each)
    policies = after.account.pages(
        "logs:DescribeAccountPolicies", "accountPolicies", policyType="SUBSCRIPTION_FILTER_POLICY"
    )
    for each in policies:
        taken = set(there) - _excepted(each.get("selectionCriteria", ""))
        if taken:
            strange = True
            where = _as_object(each["policyDocument"]).get("DestinationArn")
            found = f"It sends the records of {len(taken)} of the department's log groups to {where}."
            yield wrong(f"the account's filter {each['policyName']}", found, remedy, evidence=each)
    if not there:
        yield unknown("subscription filters", "No log group was found.", f"make deploy DEPARTMENT={after.department}")
    elif not strange:
        yield right("subscription filters", f"None of {len(there)} log groups sends its records anywhere else.")


def account_settings(after: After) -> Iterator[Result]:
    """Looks for what holds for the whole account: a retention to come, what it shares with others, or they with it.

    The retention of an account's policy that is in force is the group's own in every answer, and judged with the group.
    """
    strange = False
    policies = list(after.account.pages("logs:DescribeAccountPolicies", "accountPolicies", policyType=_RETENTION))
    for name, taken in _to_come(policies, _there(after)).items():
        strange = True
        found = (
            f"It may keep {len(taken)} of the department's log groups for other than {RETENTION_DAYS} days from now on."
        )
        remedy = "Let it begin with other names, or look at the groups again when it is a day old."
        yield unknown(f"the account's retention {name}", found, remedy, evidence={"log_groups": taken})
    for link in after.account.pages("oam:ListLinks", "Items"):
        if _GROUP in link["ResourceTypes"]:
            strange = True
            found = f"It shares log groups with {link['SinkArn']}; its filter says which."
            remedy = f"aws oam get-link --identifier {link['Arn']}, and except the department's log groups."
            yield unknown(f"the account's link {link['Label']}", found, remedy)
    for sink in after.account.pages("oam:ListSinks", "Items"):
        strange = True
        found = "Other accounts can share metrics and logs with this one: a metric query here may cover theirs."
        remedy = (
            f"aws oam list-attached-links --sink-identifier {sink['Arn']}; monitor other accounts from another one."
        )
        yield unknown(f"the account's sink {sink['Name']}", found, remedy)
    if not strange:
        yield right(
            "account-wide settings", "None shortens the department's records, shares them or adds others' data."
        )


def _to_come(policies: list[dict[str, Any]], there: dict[str, dict[str, Any]]) -> dict[str, list[str]]:
    """Returns the log groups that a retention policy of the account takes and does not rule yet, by the policy's name.

    A policy rules a day after it was made, and of several the longest does; one for new groups alone leaves those that
    are there; the one form of a selection is LogGroupNamePrefix (botocore 1.44.5: PutAccountPolicy).
    """
    found: dict[str, list[str]] = {}
    for name, group in sorted(there.items()):
        lasting: dict[str, float] = {}
        for each in policies:
            prefixes = tuple(re.findall(r'"([^"]+)"', each.get("selectionCriteria", "")))
            document = _as_object(each["policyDocument"])
            if name.startswith(prefixes or "") and document.get("enforcementMode") != "NEW_ONLY":
                days = document.get("retentionInDays")
                lasting[each["policyName"]] = days if isinstance(days, int) else math.inf
        policy = max(lasting, key=lasting.__getitem__, default="")
        if policy and lasting[policy] != RETENTION_DAYS and group.get("retentionPolicyName") != policy:
            found.setdefault(policy, []).append(name)
    return found


def _excepted(selection: str) -> set[str]:
    """Returns the log groups that a filter of the account leaves out; none where it cannot be read.

    The one form is `LogGroupName NOT IN ["a", "b"]` (botocore 1.44.5: selectionCriteria of PutAccountPolicy).
    """
    try:
        groups = json.loads(selection.strip().removeprefix("LogGroupName NOT IN"))
    except ValueError:
        return set()
    return set(groups) if isinstance(groups, list) and all(isinstance(each, str) for each in groups) else set()


def _ours(after: After) -> set[str]:
    """Returns the log groups that the stacks own, and one for each of their runtimes."""
    runtimes = {f"{_RUNTIMES}{runtime}-DEFAULT" for runtime in _runtimes(after)}
    return runtimes | {each.physical_id for each in after.deployed.owned(_GROUP)}


def _runtimes(after: After) -> list[str]:
    return [each.physical_id.rpartition("/")[2] for each in after.deployed.owned(_RUNTIME)]


def _there(after: After) -> dict[str, dict[str, Any]]:
    """Returns the department's log groups that the account has, by name, as CloudWatch Logs describes them."""
    services = [prefix.format(department=after.department) for prefix in _BY_SERVICES]
    ours, runtimes = _ours(after), _runtimes(after)
    return {
        group["logGroupName"]: group
        for prefix in [*log_prefixes(_expected(after)), *services]
        for group in after.account.pages("logs:DescribeLogGroups", "logGroups", logGroupNamePrefix=prefix)
        if _concerns(group["logGroupName"], after.department, ours, runtimes)
    }


def _expected(after: After) -> dict[str, dict[str, Any]]:
    return {name: dict(each.raw["Properties"]) for each, name in after.needs.fixed(_GROUP, "LogGroupName")}


def _log_key(after: After) -> str:
    """Returns the ARN, in the account, of the key that the templates give to log groups; empty before it is there."""
    groups = after.needs.assembly.of_type(_GROUP)
    named = {each.properties["KmsKeyId"] for each in groups if "KmsKeyId" in each.raw["Properties"]}
    (key,) = [each for each in after.needs.assembly.of_type("AWS::KMS::Key") if each.arn in named]
    stack = after.deployed.stacks.get(key.stack)
    key_id = stack.physical_id(key.logical_id) if stack else None
    return f"arn:aws:kms:{REGION}:{after.needs.account}:key/{key_id}" if key_id else ""


def _masked_by_template(after: After) -> set[str]:
    """Returns what the templates mask in every log group."""
    groups = [dict(each.raw["Properties"]) for each in after.needs.assembly.of_type(_GROUP)]
    return set().union(*(_masked(each.get("DataProtectionPolicy", {})) for each in groups))


def _masked(policy: dict[str, Any]) -> set[str]:
    """Returns the identifiers that a data protection policy masks; one that only audits masks nothing."""
    masking = [each for each in policy.get("Statement", []) if "Deidentify" in each.get("Operation", {})]
    return {identifier for each in masking for identifier in each["DataIdentifier"]}


def _masking(after: After, group: str) -> dict[str, Any]:
    """Returns a group's data protection policy; empty where it has none."""
    answer = after.account.ask(
        "logs:GetDataProtectionPolicy", absent=("ResourceNotFoundException",), logGroupIdentifier=group
    )
    return _as_object((answer or {}).get("policyDocument", ""))


def _concerns(name: str, department: str, ours: set[str], runtimes: list[str]) -> bool:
    """Whether a group is the department's: by owner, by the department in its name, or by the runtime in it."""
    told = (department, names.runtimes_of(department), *runtimes)
    return name in ours or any(each in name for each in told) or name == "aws/spans"


def _of_retired(name: str, after: After) -> bool:
    """Whether a persona that is retired has left a group behind, as it must: its stack has none of them any more."""
    department = after.department
    return any(
        name == names.runtime_records(department, persona)
        or names.persona_role(department, persona) in name
        or f"{names.runtimes_of(department)}{persona.replace('-', '_')}_" in name
        for persona in after.needs.department.retired
    )


def _faults(group: dict[str, Any], *, key: str | None) -> list[str]:
    """Returns what is wrong with a group. `key`: the ARN that it must have; None where it can have none."""
    days, there = group.get("retentionInDays"), group.get("kmsKeyId")
    kept = f"{days} days" if days else "for ever"
    faults = [] if days == RETENTION_DAYS else [f"kept {kept}, not {RETENTION_DAYS} days"]
    if key is not None and there != key:
        faults.append(
            f"encrypted with {there or 'no key'}, not with the department's log key {key or '(not deployed)'}"
        )
    if not group.get("deletionProtectionEnabled"):
        faults.append("not protected against deletion")
    return faults


def _unmasked(group: dict[str, Any], policy: dict[str, Any], wanted: set[str]) -> list[str]:
    if group.get("dataProtectionStatus") != "ACTIVATED":
        return ["nothing is masked in it"]
    missing = sorted(identifier.rpartition("/")[2] for identifier in wanted - _masked(policy))
    return [f"its data protection policy does not mask {', '.join(missing)}"] if missing else []


def _kept(group: dict[str, Any], policy: dict[str, Any]) -> dict[str, Any]:
    names = ("logGroupName", "retentionInDays", "retentionPolicyName", "kmsKeyId", "dataProtectionStatus")
    return {name: group.get(name) for name in (*names, "deletionProtectionEnabled", "logGroupClass")} | {
        "masked": sorted(_masked(policy))
    }


def web_acl_log(after: After) -> Iterator[Result]:
    """Looks into the web ACL's log for this machine's own requests, and which address WAF saw."""
    if after.visit is None:
        yield unknown("web ACL's log", "Nobody signed in, so the gateway was not visited.", "Sign in first.")
        return
    groups = [name for name in _expected(after) if name.startswith("aws-waf-logs-") and name.endswith(after.persona)]
    for group in groups:
        addresses = set()
        for _ in after.patience.looks(after.patience.records):
            started = int((after.started - 60) * 1000)
            events = after.account.pages("logs:FilterLogEvents", "events", logGroupName=group, startTime=started)
            lines = [_as_object(event.get("message", "")) for event in events]
            addresses = {line["httpRequest"]["clientIp"] for line in lines if "clientIp" in line.get("httpRequest", {})}
            if addresses:
                break
        if addresses:
            found = f"WAF saw {', '.join(sorted(addresses))}: compare it with the address your network calls from."
            yield right(f"web ACL's log {group}", found, evidence=sorted(addresses))
        else:
            remedy = "Look whether the log holds refused requests only, and whether logging is switched on."
            yield unknown(f"web ACL's log {group}", "It holds no request of this visit.", remedy)
    if not groups:
        yield unknown(
            "web ACL's log",
            "The templates name no log group of the web ACL.",
            "Look at the web ACL's logging yourself.",
        )


def _as_object(text: str) -> dict[str, Any]:
    """The JSON object in a log line, also behind a prefix of the runtime's; empty where there is none."""
    try:
        value = json.loads(text[text.index("{") :])
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
