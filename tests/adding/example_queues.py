"""The invented MCP server of docs/adding.md: a real one on stdio, of the standard library alone, that asks SQS."""

import datetime
import hashlib
import hmac
import json
import os
import sys
import urllib.error
import urllib.request

NAME = {"queue_name": {"type": "string", "description": "Name of the queue.", "pattern": "^[A-Za-z0-9_-]{1,80}$"}}
TOOLS = {
    "list_queues": ("ListQueues", "Lists the queues of the account.", {}),
    "find_queue": ("GetQueueUrl", "Finds a queue by its name.", NAME),
    "purge_queue": ("PurgeQueue", "Deletes every message of a queue.", NAME),
}


def listed():
    for name, (_, description, properties) in TOOLS.items():
        schema = {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}
        yield {"name": name, "description": description, "inputSchema": schema}


def fetched(url, headers, body=None):
    request = urllib.request.Request(url, body, headers)  # noqa: S310 - http to the host and the local AWS, on loopback
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - as above
        return json.load(answer)


def lent():
    token = os.environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")
    return fetched(os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"], {"Authorization": token})


def asked(operation, parameters):
    """The answer of SQS, signed for as Signature Version 4 has it."""
    region, body, held = os.environ["AWS_REGION"], json.dumps(parameters).encode(), lent()
    url = os.environ.get("AWS_ENDPOINT_URL", f"https://sqs.{region}.amazonaws.com")
    moment = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    headers = {
        "content-type": "application/x-amz-json-1.0",
        "host": url.partition("//")[2],
        "x-amz-date": moment,
        "x-amz-security-token": held["Token"],
        "x-amz-target": f"AmazonSQS.{operation}",
    }
    names, scope = ";".join(headers), f"{moment[:8]}/{region}/sqs/aws4_request"
    lines = [f"{name}:{value}" for name, value in headers.items()]
    canonical = "\n".join(["POST", "/", "", *lines, "", names, hashlib.sha256(body).hexdigest()])
    signed = "\n".join(["AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{held['SecretAccessKey']}".encode()
    for part in (*scope.split("/"), signed):
        key = hmac.digest(key, part.encode(), "sha256")
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={held['AccessKeyId']}/{scope}, SignedHeaders={names}, Signature={key.hex()}"
    )
    return fetched(url, headers, body)


def called(name, arguments):
    parameters = {"QueueName": arguments["queue_name"]} if arguments else {}
    try:
        text, failed = json.dumps(asked(TOOLS[name][0], parameters)), False
    except urllib.error.HTTPError as error:
        text, failed = f"An error occurred: {json.load(error)['__type'].rpartition('#')[2]}", True
    return {"content": [{"type": "text", "text": text}], "isError": failed}


def answered(method, params):
    if method == "initialize":
        about = {"name": "example-queues", "version": "1.0.0"}
        return {"protocolVersion": params["protocolVersion"], "capabilities": {"tools": {}}, "serverInfo": about}
    if method == "tools/list":
        return {"tools": list(listed())}
    return called(params["name"], params.get("arguments", {})) if method == "tools/call" else {}


if __name__ == "__main__":
    for line in sys.stdin:
        message = json.loads(line)
        if "id" in message and "method" in message:
            result = answered(message["method"], message.get("params", {}))
            print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)
