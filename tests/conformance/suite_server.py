"""A real MCP server on stdio with what the conformance suite asks a server for; of the standard library alone.

It has the suite's resources and prompts too, so that what a caller cannot reach is not missing but kept from it.
"""

import base64
import json
import struct
import sys
import time
import zlib

SCHEMA = "https://json-schema.org/draft/2020-12/schema"
ADDRESS = {"type": "object", "properties": {"street": {"type": "string"}, "city": {"type": "string"}}}
ARGUMENTS = {"test_sampling": "prompt", "test_elicitation": "message"}
ENUMS = {
    "untitledSingle": {"type": "string", "enum": ["option1", "option2"]},
    "titledSingle": {"type": "string", "oneOf": [{"const": "value1", "title": "First"}]},
    "legacyEnum": {"type": "string", "enum": ["opt1"], "enumNames": ["First"]},
    "untitledMulti": {"type": "array", "items": {"type": "string", "enum": ["option1", "option2"]}},
    "titledMulti": {"type": "array", "items": {"anyOf": [{"const": "value1", "title": "First"}]}},
}
DEFAULTS = {
    "name": {"type": "string", "default": "John Doe"},
    "age": {"type": "integer", "default": 30},
    "score": {"type": "number", "default": 95.5},
    "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
    "verified": {"type": "boolean", "default": True},
}
NAMES = {"username": {"type": "string"}, "email": {"type": "string"}}


def send(message):
    print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)


def asked(method, params):
    """The client's answer to a request of this server, as text."""
    send({"id": "of-the-server", "method": method, "params": params})
    for line in sys.stdin:
        message = json.loads(line)
        if message.get("id") == "of-the-server":
            return json.dumps(message.get("result") or message.get("error"))
    return "no answer"


def elicited(properties):
    schema = {"type": "object", "properties": properties, "required": []}
    return said(asked("elicitation/create", {"message": "Please say", "requestedSchema": schema}))


def said(text, **more):
    return {"content": [{"type": "text", "text": text}], **more}


def picture():
    """A red pixel."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head, pixel = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0), zlib.compress(b"\0\xff\0\0")
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixel) + chunk(b"IEND", b"")
    return {"type": "image", "data": base64.b64encode(png).decode(), "mimeType": "image/png"}


def sound():
    """One silent sample."""
    wave = b"RIFF" + struct.pack("<I", 37) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8)
    wave += b"data" + struct.pack("<I", 1) + b"\x80"
    return {"type": "audio", "data": base64.b64encode(wave).decode(), "mimeType": "audio/wav"}


def resource(uri="test://embedded-resource"):
    return {"type": "resource", "resource": {"uri": uri, "mimeType": "text/plain", "text": "A resource, embedded."}}


def logged():
    for text in ("started", "goes on", "completed"):
        send({"method": "notifications/message", "params": {"level": "info", "data": text}})
        time.sleep(0.05)
    return said("Logged three times.")


def progressed(params):
    token = params.get("_meta", {}).get("progressToken")
    for progress in (0, 50, 100) if token is not None else ():
        told = {"progressToken": token, "progress": progress, "total": 100}
        send({"method": "notifications/progress", "params": told})
        time.sleep(0.05)
    return said("Done in three steps.")


def sampled(params):
    text = {"type": "text", "text": params["arguments"]["prompt"]}
    messages = [{"role": "user", "content": text}]
    return said(asked("sampling/createMessage", {"messages": messages, "maxTokens": 100}))


TOOLS = {
    "test_simple_text": lambda _: said("This is a simple text response for testing."),
    "test_image_content": lambda _: {"content": [picture()]},
    "test_audio_content": lambda _: {"content": [sound()]},
    "test_embedded_resource": lambda _: {"content": [resource()]},
    "test_multiple_content_types": lambda _: {"content": [*said("Several kinds:")["content"], picture(), resource()]},
    "test_tool_with_logging": lambda _: logged(),
    "test_tool_with_progress": progressed,
    "test_error_handling": lambda _: said("This tool intentionally returns an error for testing", isError=True),
    "test_sampling": sampled,
    "test_elicitation": lambda _: elicited(NAMES),
    "test_elicitation_sep1034_defaults": lambda _: elicited(DEFAULTS),
    "test_elicitation_sep1330_enums": lambda _: elicited(ENUMS),
    "test_reconnection": lambda _: said("Nothing was interrupted."),
    "json_schema_2020_12_tool": lambda params: said(json.dumps(params.get("arguments"))),
}
PROMPTS = (
    "test_simple_prompt",
    "test_prompt_with_arguments",
    "test_prompt_with_embedded_resource",
    "test_prompt_with_image",
)
RESOURCES = ("test://static-text", "test://static-binary", "test://watched-resource")


def schema_of(name):
    if name == "json_schema_2020_12_tool":
        properties = {"name": {"type": "string", "maxLength": 64}, "address": {"$ref": "#/$defs/address"}}
        return {"$schema": SCHEMA, "type": "object", "$defs": {"address": ADDRESS}, "properties": properties}
    properties = {ARGUMENTS[name]: {"type": "string", "maxLength": 1000}} if name in ARGUMENTS else {}
    return {"type": "object", "properties": properties, "required": [*properties]}


def described(name):
    words = f"{name.replace('_', ' ').capitalize()}, for the suite."
    return {
        "name": name,
        "description": words,
        "inputSchema": {**schema_of(name), "additionalProperties": False},
    }


def prompted(name):
    shown = {"test_prompt_with_embedded_resource": resource(), "test_prompt_with_image": picture()}
    content = shown.get(name, {"type": "text", "text": "A prompt."})
    return {"messages": [{"role": "user", "content": content}]}


def answered(method, params):
    """The result of a request."""
    answers = {
        "initialize": lambda: {
            "protocolVersion": params["protocolVersion"],
            "capabilities": {name: {} for name in ("tools", "resources", "prompts", "logging", "completions")},
            "serverInfo": {"name": "conformance", "version": "1.0.0"},
        },
        "tools/list": lambda: {"tools": [described(name) for name in TOOLS]},
        "tools/call": lambda: TOOLS[params["name"]](params),
        "resources/list": lambda: {"resources": [{"uri": uri, "name": uri} for uri in RESOURCES]},
        "resources/read": lambda: {"contents": [resource(params["uri"])["resource"]]},
        "prompts/list": lambda: {"prompts": [{"name": name} for name in PROMPTS]},
        "prompts/get": lambda: prompted(params["name"]),
        "completion/complete": lambda: {"completion": {"values": ["paris", "park"]}},
    }
    return answers.get(method, dict)()


if __name__ == "__main__":
    for each in sys.stdin:
        request = json.loads(each)
        if "id" in request and "method" in request:
            send({"id": request["id"], "result": answered(request["method"], request.get("params", {}))})
