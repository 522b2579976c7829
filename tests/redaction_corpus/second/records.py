"""Records of any kinds in what programs pass to one another: JSON in several depths, XML, queries, objects in print."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

from tests.redaction_corpus.second import noise
from tests.redaction_corpus.second.credentials import HEX, some
from tests.redaction_corpus.second.ink import Ink

Write = Callable[[Ink, Sequence[str]], str]
NUMERIC: Final = frozenset(("nhs", "chi", "utr", "passport", "account", "card", "sort_code"))


def _json(value: object, **options: Any) -> str:
    return json.dumps(value, ensure_ascii=False, **options)


def _fields(ink: Ink, kinds: Sequence[str], style: str = "") -> dict[str, str]:
    style = style or ink.pick(["camel", "snake", "pascal", "camel", "kebab"])
    return {ink.key(kind, style): ink.put(kind, "keyed") for kind in kinds}


def json_line(ink: Ink, kinds: Sequence[str]) -> str:
    """Structured log lines."""
    rng, lines = ink.rng, []
    for _ in range(rng.randint(1, 3)):
        line = {"timestamp": noise.iso(rng), "level": "INFO", "service": rng.choice(noise.SERVICES)}
        line |= {
            "xray_trace_id": noise.trace(rng),
            "message": ink.pick(["claim submitted", "record updated", "lookup"]),
        }
        body = _fields(ink, kinds)
        lines.append(_json(line | ({"payload": body} if rng.random() < 0.5 else body)))
        lines.append(_json(line | {"duration_ms": rng.randint(1, 900), "count": rng.randint(1, 99999999)}))
    return "\n".join(lines)


def json_numbers(ink: Ink, kinds: Sequence[str]) -> str:
    """JSON in which figures are not quoted."""
    rng = ink.rng
    kinds = [*rng.sample(sorted(NUMERIC), 3), kinds[0]]
    body = {ink.key(kind, "camel"): ink.number(kind) if kind in NUMERIC else ink.put(kind, "keyed") for kind in kinds}
    row = {"id": rng.randint(1, 10**9), "version": rng.randint(1, 30), "updatedAt": noise.millis(rng)} | body
    return _json({"total": 1, "items": [row], "tookMs": rng.randint(1, 900)}, indent=ink.pick([None, 2, 4]))


def cloudtrail(ink: Ink, kinds: Sequence[str]) -> str:
    """An event whose request's parameters carry a payload, as an object or as a string of JSON."""
    rng = ink.rng
    fields: Any = _fields(ink, kinds, "camel")
    payload = _json(fields) if rng.random() < 0.5 else fields
    service, action, parameters = ink.pick(
        [
            ("states", "StartExecution", {"stateMachineArn": _arn("states", "stateMachine:claims"), "input": payload}),
            ("lambda", "Invoke", {"functionName": "claims-api", "invocationType": "Event", "clientContext": payload}),
            ("sqs", "SendMessage", {"queueUrl": f"https://sqs.eu-west-2.amazonaws.com/{noise.ACCOUNT}/claims"}),
        ]
    )
    if service == "sqs":
        parameters["messageBody"] = payload
    event: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": noise.principal(rng),
            "arn": noise.role(rng),
            "accountId": noise.ACCOUNT,
        },
        "eventTime": noise.iso(rng, fraction=False),
        "eventSource": f"{service}.amazonaws.com",
        "eventName": action,
        "awsRegion": noise.REGION,
        "sourceIPAddress": noise.outside(rng),
        "userAgent": f"Boto3/{noise.version(rng)} md/Botocore#{noise.version(rng)} ua/2.1 os/linux#6.1.0",
        "requestParameters": parameters,
        "responseElements": None,
        "requestID": noise.uuid(rng),
        "eventID": noise.uuid(rng),
        "recipientAccountId": noise.ACCOUNT,
    }
    if rng.random() < 0.3:
        event = {"Events": [{"EventId": noise.uuid(rng), "ReadOnly": "false", "CloudTrailEvent": _json(event)}]}
    return _json(event, indent=ink.pick([None, 2]))


def _arn(service: str, name: str) -> str:
    return f"arn:aws:{service}:{noise.REGION}:{noise.ACCOUNT}:{name}"


def queue_message(ink: Ink, kinds: Sequence[str]) -> str:
    """A message within a notification within a queue's message: JSON in a string, twice."""
    rng = ink.rng
    inner = _json({"detail-type": "CaseChanged", "detail": _fields(ink, kinds)})
    envelope = {
        "Type": "Notification",
        "MessageId": noise.uuid(rng),
        "TopicArn": _arn("sns", "case-events"),
        "Message": inner,
        "Timestamp": noise.iso(rng),
        "SignatureVersion": "1",
    }
    message = {
        "MessageId": noise.uuid(rng),
        "MD5OfBody": some(rng, 32, HEX),
        "Body": _json(envelope),
        "Attributes": {"SentTimestamp": str(noise.millis(rng)), "ApproximateReceiveCount": "1"},
    }
    return _json({"Messages": [message]}, indent=ink.pick([None, 4]))


def insights(ink: Ink, kinds: Sequence[str]) -> str:
    """Rows of Logs Insights: pairs of a field and its value, and messages."""
    rng, rows = ink.rng, []
    for _ in range(rng.randint(1, 3)):
        row = [("@timestamp", noise.stamp(rng)), ("@logStream", noise.stream(rng))]
        row += _fields(ink, kinds, ink.pick(["camel", "snake"])).items()
        row.append(("@ptr", noise.base64_of(rng, 66)))
        rows.append([{"field": name, "value": value} for name, value in row])
    statistics = {"recordsMatched": float(len(rows)), "recordsScanned": 48211.0, "bytesScanned": 9133242.0}
    answer = {"queryId": noise.uuid(rng), "status": "Complete", "statistics": statistics, "results": rows}
    return _json(answer, indent=ink.pick([None, 2]))


def insights_objects(ink: Ink, kinds: Sequence[str]) -> str:
    """Rows of Logs Insights as objects, with a log line of JSON in each message."""
    rng = ink.rng
    rows = [
        {"@timestamp": noise.stamp(rng), "@message": _json(_fields(ink, kinds) | {"took": rng.randint(1, 99)}) + "\n"}
        for _ in range(rng.randint(1, 3))
    ]
    return _json({"status": "Complete", "results": rows, "statistics": {"bytesScanned": rng.randint(10**6, 10**9)}})


def table_item(ink: Ink, kinds: Sequence[str]) -> str:
    """Items of DynamoDB: each value below the name of its type."""
    rng = ink.rng
    item: dict[str, Any] = {"pk": {"S": f"CASE#{noise.uuid(rng)}"}, "ttl": {"N": str(noise.seconds(rng))}}
    item |= {name: {"S": value} for name, value in _fields(ink, kinds, "camel").items()}
    answer = {"Items": [item], "Count": 1, "ScannedCount": rng.randint(1, 99999), "ConsumedCapacity": None}
    return _json(answer, indent=ink.pick([None, 4]))


def python_object(ink: Ink, kinds: Sequence[str]) -> str:
    """What Python prints of a dictionary or a data class."""
    pairs = [(ink.key(kind, "snake"), ink.put(kind, "keyed")) for kind in kinds]
    if ink.rng.random() < 0.5:
        shown = "{" + ", ".join(f"'{name}': '{value}'" for name, value in pairs) + "}"
    else:
        shown = "Applicant(id=4711, " + ", ".join(f"{name}='{value}'" for name, value in pairs) + ")"
    return "\n".join([*noise.quiet_lines(ink.rng, 2), f"{noise.head(ink.rng)} saving {shown}"])


def java_object(ink: Ink, kinds: Sequence[str]) -> str:
    """What Java prints of a record."""
    pairs = ", ".join(f"{ink.key(kind, 'camel')}={ink.put(kind, 'keyed')}" for kind in kinds)
    shown = ink.pick([f"ClaimDto[id=9912, {pairs}]", f"ClaimDto({pairs}, status=OPEN)", f"Claim{{{pairs}}}"])
    return "\n".join([f"{noise.head(ink.rng)} validated {shown}", *noise.quiet_lines(ink.rng, 2)])


def go_object(ink: Ink, kinds: Sequence[str]) -> str:
    """What Go prints of a struct."""
    pairs = " ".join(f"{ink.key(kind, 'pascal')}:{ink.put(kind, 'keyed')}" for kind in kinds)
    return f"{noise.head(ink.rng)} upserted &{{ID:{ink.rng.randint(1, 99999)} {pairs} Retries:0}}"


def logfmt(ink: Ink, kinds: Sequence[str]) -> str:
    """Key and value with an equals sign."""
    pairs = " ".join(f'{ink.key(kind, "snake")}="{ink.put(kind, "keyed")}"' for kind in kinds)
    rng = ink.rng
    line = f"ts={noise.seconds(rng)}.{rng.randint(100, 999)} level=info caller=store.go:{rng.randint(1, 900)} {pairs}"
    return "\n".join([*noise.quiet_lines(rng, 1), line + f" dur={rng.randint(1, 99)}ms rows={rng.randint(1, 999999)}"])


def ruby_params(ink: Ink, kinds: Sequence[str]) -> str:
    """What Rails logs of a form."""
    rng = ink.rng
    pairs = ", ".join(f'"{ink.key(kind, "snake")}"=>"{ink.put(kind, "keyed")}"' for kind in kinds)
    return (
        f'Started POST "/applications" for {noise.inside(rng)} at {noise.stamp(rng)[:19]} +0000\n'
        f'Processing by ApplicationsController#create as HTML\n  Parameters: {{"utf8"=>"✓", '
        f'"application"=>{{{pairs}}}}}\n'
        f"Completed 302 Found in {rng.randint(10, 900)}ms (ActiveRecord: {rng.randint(1, 90)}.{rng.randint(0, 9)}ms)"
    )


def xml(ink: Ink, kinds: Sequence[str]) -> str:
    """A SOAP body, with values in elements or in attributes."""
    rng, style = ink.rng, ink.pick(["pascal", "camel"])
    parts = []
    for kind in kinds:
        name, value = ink.key(kind, style), ink.put(kind, "keyed", escape(ink.value(kind), {'"': "&quot;"}))
        parts.append(ink.pick([f"<ns2:{name}>{value}</ns2:{name}>", f"<{name}>{value}</{name}>"]))
        if kind not in ("mrz", "private_key") and rng.random() < 0.25:
            parts[-1] = f'<Field seq="{rng.randint(1, 40)}" {name}="{value}"/>'
    body = ink.pick(["", "\n    "]).join(["", *parts])
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">'
        f"<soap:Body><GetCaseResponse>\n  <CorrelationId>{noise.uuid(rng)}</CorrelationId><Count>1</Count>{body}\n"
        f"</GetCaseResponse></soap:Body></soap:Envelope>"
    )


def _percent(text: str) -> str:
    return quote(text, safe="")


def access_log(ink: Ink, kinds: Sequence[str]) -> str:
    """Lines of a web server or a load balancer, with values in the query."""
    rng, lines = ink.rng, []
    ways: list[Callable[[str], str]] = [quote_plus, _percent]
    encode = ink.pick(ways)
    for kind in kinds:
        query = (
            f"{ink.key(kind, ink.pick(['camel', 'snake', 'kebab']))}={ink.put(kind, 'query', encode(ink.value(kind)))}"
        )
        query = ink.pick([query, f"page={rng.randint(1, 90)}&{query}", f"{query}&sort=desc&size=20"])
        path = f"/v{rng.randint(1, 3)}/{ink.pick(['search', 'claims', 'people', 'check'])}?{query}"
        elb = (
            f"https {noise.iso(rng)} app/public-alb/{some(rng, 16, HEX)} {noise.outside(rng)}:"
            f"{rng.randint(1025, 65000)} {noise.inside(rng)}:8080 0.001 0.{rng.randint(1, 999):03} 0.000 200 200 "
            f'{rng.randint(90, 9999)} {rng.randint(90, 99999)} "GET https://api.example.org:443{path} HTTP/1.1" '
            f'"Mozilla/5.0" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 - "Root={noise.trace(rng)}"'
        )
        nginx = (
            f'{noise.outside(rng)} - - [{rng.randint(1, 28):02}/Nov/2026:10:{rng.randint(10, 59)}:07 +0000] "GET {path}'
            f' HTTP/1.1" 200 {rng.randint(90, 99999)} "-" "curl/8.5.0" {rng.randint(1, 999)}'
        )
        lines.append(ink.pick([elb, nginx, nginx]))
    return "\n".join(lines)


def form_body(ink: Ink, kinds: Sequence[str]) -> str:
    """A form as a browser posts it, in a log."""
    pairs = "&".join(
        f"{ink.key(kind, 'camel')}={ink.put(kind, 'query', quote_plus(ink.value(kind)))}" for kind in kinds
    )
    return f"{noise.head(ink.rng)} POST /apply body: csrf={some(ink.rng, 8, HEX)}&step=3&{pairs}&continue="


RECORDS: Final[dict[str, Write]] = {
    "json-line": json_line,
    "json-number": json_numbers,
    "cloudtrail": cloudtrail,
    "queue": queue_message,
    "insights": insights,
    "insights-object": insights_objects,
    "dynamodb": table_item,
    "python": python_object,
    "java": java_object,
    "go": go_object,
    "logfmt": logfmt,
    "rails": ruby_params,
    "xml": xml,
    "access-log": access_log,
    "form": form_body,
}
