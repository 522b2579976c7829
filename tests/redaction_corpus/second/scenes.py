"""What tools of AWS, drivers and sign-in servers print when a secret is in it, each with its own surroundings."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote

from tests.redaction_corpus.second import noise
from tests.redaction_corpus.second.credentials import WORD, some
from tests.redaction_corpus.second.ink import Ink

Scene = Callable[[Ink], str]
HOST: Final = "db.internal.example.org"


def presigned(ink: Ink) -> str:
    """A link to an object, signed for an hour."""
    rng = ink.rng
    key, day = ink.put("aws_access_key", "query"), f"202611{rng.randint(10, 28)}"
    token = ""
    if rng.random() < 0.5:
        encoded = quote(ink.value("aws_session_token"), safe="")
        token = f"&X-Amz-Security-Token={ink.put('aws_session_token', 'query', encoded)}"
    url = (
        f"https://case-files-{noise.ACCOUNT}.s3.eu-west-2.amazonaws.com/exports/{noise.uuid(rng)}.csv"
        f"?X-Amz-Algorithm=AWS4-HMAC-SHA256&"
        f"X-Amz-Credential={key}{ink.pick(['%2F', '/'])}{day}%2Feu-west-2%2Fs3%2Faws4_request"
        f"&X-Amz-Date={day}T101500Z&X-Amz-Expires=3600{token}&"
        f"X-Amz-SignedHeaders=host"
        f"&X-Amz-Signature={ink.put('presigned_url', 'signature')}"
    )
    return ink.pick(
        [
            f"{noise.head(rng)} export ready: {url}",
            json.dumps(
                {"statusCode": 200, "body": json.dumps({"downloadUrl": url, "expiresIn": 3600}, ensure_ascii=False)},
                ensure_ascii=False,
            ),
            f"Hi, your file is at\n<{url}>\nuntil tomorrow.",
            f"upload failed: ./a.csv to s3://case-files An error occurred: PUT {url} 403",
            f"<FileUrl>{url.replace('&', '&amp;')}</FileUrl>",
        ]
    )


def signed_request(ink: Ink) -> str:
    """A request's headers in a debug log, the session token among them."""
    rng = ink.rng
    return "\n".join(
        [
            f"{noise.stamp(rng)} botocore.endpoint [DEBUG] Sending http request: <AWSPreparedRequest method=POST, "
            f"url=https://sts.eu-west-2.amazonaws.com/, headers={{'User-Agent': b'Boto3/{noise.version(rng)}', "
            f"'X-Amz-Date': b'20261103T101500Z', 'X-Amz-Security-Token': b'{ink.put('aws_session_token', 'header')}', "
            f"'Authorization': b'AWS4-HMAC-SHA256 Credential={ink.put('aws_access_key', 'header')}/20261103/eu-west-2/"
            "sts/aws4_request, SignedHeaders=content-type;host', 'Content-Length': '43'}>",
            *noise.quiet_lines(rng, 1),
        ]
    )


def session(ink: Ink) -> str:
    """Credentials as the token service and instances hand them out."""
    rng = ink.rng
    names = ink.pick([("AccessKeyId", "SecretAccessKey", "SessionToken"), ("AccessKeyId", "SecretAccessKey", "Token")])
    kinds = ("aws_access_key", "aws_secret_key", "aws_session_token")
    found = {name: ink.put(kind, "keyed") for name, kind in zip(names, kinds, strict=True)}
    found |= {"Expiration": noise.iso(rng, fraction=False)}
    user = {"AssumedRoleId": noise.principal(rng), "Arn": noise.role(rng)}
    shapes: list[object] = [{"Credentials": found, "AssumedRoleUser": user}, {"Version": 1, **found}]
    shapes.append({"Code": "Success", "LastUpdated": noise.iso(rng, fraction=False), "Type": "AWS-HMAC", **found})
    return json.dumps(ink.pick(shapes), ensure_ascii=False, indent=ink.pick([None, 2, 4]))


def credentials_file(ink: Ink) -> str:
    """A profile, or the variables of a function."""
    rows = [("aws_access_key_id", "aws_access_key"), ("aws_secret_access_key", "aws_secret_key")]
    rows += [("aws_session_token", "aws_session_token")] * ink.pick([0, 1])
    if ink.rng.random() < 0.5:
        return "\n".join(
            ["[default]", *(f"{name} = {ink.put(kind, 'keyed')}" for name, kind in rows), "region=eu-west-2"]
        )
    shell = ink.pick(["export ", "set ", "$env:", ""])
    lines = [f"{shell}{name.upper()}={ink.put(kind, 'keyed')}" for name, kind in rows]
    return "\n".join(["_HANDLER=app.handler", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=512", *lines, "TZ=:UTC"])


def function_configuration(ink: Ink) -> str:
    """A function's configuration, with secrets among its variables."""
    rng = ink.rng
    variables = {"LOG_LEVEL": "INFO", "TABLE_NAME": "claims", "DB_PASSWORD": ink.put("password", "keyed")}
    for kind in rng.sample(["stripe", "github", "sendgrid", "twilio", "google", "slack", "cognito_secret"], 3):
        variables[ink.key(kind, "upper")] = ink.put(kind, "keyed")
    about: dict[str, Any] = {
        "FunctionName": "claims-api",
        "FunctionArn": f"arn:aws:lambda:eu-west-2:{noise.ACCOUNT}:function:claims-api",
    }
    about |= {"Runtime": "python3.13", "CodeSize": rng.randint(10**5, 10**8), "CodeSha256": noise.base64_of(rng, 32)}
    about |= {"Environment": {"Variables": variables}, "RevisionId": noise.uuid(rng), "Timeout": 30}
    return json.dumps(about, ensure_ascii=False, indent=ink.pick([None, 4]))


def connection(ink: Ink) -> str:
    """Strings by which programs reach a database, a queue, a cache."""
    rng, user = ink.rng, ink.pick(["claims_app", "svc_reader", "root"])
    plain = ink.put("password", "connection", some(rng, rng.randint(10, 18), WORD))
    signs = ink.put("password", "connection", quote(ink.value("password"), safe=""))
    storage = ink.put("azure", "connection", base64.b64encode(rng.randbytes(64)).decode())
    ways = [
        f"postgresql://{user}:{signs}@{HOST}:5432/claims?sslmode=require",
        f"mysql+pymysql://{user}:{signs}@{HOST}/claims",
        f"redis://:{plain}@cache.internal.example.org:6379/0",
        f"mongodb+srv://{user}:{signs}@cluster0.example.net/?retryWrites=true",
        f"amqps://{user}:{plain}@b-1234.mq.eu-west-2.amazonaws.com:5671",
        f"jdbc:oracle:thin:{user}/{plain}@//{HOST}:1521/CLAIMS",
        f"jdbc:oracle:thin:{user}/{plain}@{HOST}:1521:ORCL",
        f"jdbc:sqlserver://{HOST}:1433;databaseName=claims;user={user};password={plain};encrypt=true",
        f"jdbc:mysql://{HOST}:3306/claims?user={user}&password={signs}&useSSL=true",
        f"Driver={{ODBC Driver 18 for SQL Server}};Server=tcp:{HOST},1433;Uid={user};Pwd={plain};Encrypt=yes;",
        f"Server={HOST};Database=claims;User Id={user};Password={plain};",
        f"host={HOST} port=5432 dbname=claims user={user} password={plain} connect_timeout=5",
        f"DefaultEndpointsProtocol=https;AccountName=casefiles;AccountKey={storage};EndpointSuffix=core.windows.net",
    ]
    text = ink.pick(ways)
    return ink.pick(
        [
            f"{noise.head(rng)} connecting with {text}",
            f"DATABASE_URL={text}\nPOOL_SIZE=20",
            json.dumps({"database": {"url": text, "pool": 20, "timeoutMs": 30000}}, ensure_ascii=False),
            (
                f'sqlalchemy.exc.OperationalError: could not connect to server\n  url: {text}\n  File "/var/'
                f'task/db.py", line 41'
            ),
            f"spring:\n  datasource:\n    url: {text}\n    hikari:\n      maximum-pool-size: 10",
        ]
    )


def header(ink: Ink) -> str:
    """Headers of requests, as commands, proxies and programs log them."""
    rng = ink.rng
    scheme, kind = ink.pick(
        [("Bearer", "bearer"), ("Basic", "basic"), ("Bearer", "jwt"), ("bearer", "bearer"), ("Basic", "basic")]
    )
    value = f"{scheme} {ink.put(kind, 'header')}"
    return ink.pick(
        [
            f"curl -sS -H 'Authorization: {value}' https://api.example.org/v1/cases",
            (
                f"> GET /v1/cases HTTP/1.1\n> Host: api.example.org\n> Authorization: {value}\n> Accept: */"
                f"*\n>\n< HTTP/1.1 401"
            ),
            json.dumps(
                {
                    "httpMethod": "GET",
                    "path": "/cases",
                    "headers": {
                        "authorization": value,
                        "x-forwarded-port": "443",
                        "x-amzn-trace-id": f"Root={noise.trace(rng)}",
                    },
                },
                ensure_ascii=False,
            ),
            (
                f"{noise.head(rng)} upstream headers: {{Authorization=[{value}], Content-Length=[512], "
                f"X-Request-Id=[{noise.uuid(rng)}]}}"
            ),
            f"requests.headers.update({{'Authorization': '{value}'}})",
            f"proxy-authorization: {value}\nx-request-id: {noise.uuid(rng)}",
        ]
    )


def key_file(ink: Ink) -> str:
    """A private key where it should not be."""
    rng, key = ink.rng, ink.put("private_key", "bare")
    below = key.replace("\n", "\n    ")
    return ink.pick(
        [
            f"$ cat /etc/tls/tls.key\n{key}\n$ ",
            json.dumps({"name": "tls", "privateKey": key, "serial": rng.randint(10**9, 10**12)}, ensure_ascii=False),
            f'apiVersion: v1\nkind: ConfigMap\ndata:\n  tls.key: |\n    {below}\n  replicas: "2"',
            f"{noise.head(rng)} loaded key\n{key}\n{noise.quiet_lines(rng, 1)[0]}",
        ]
    )


def cognito(ink: Ink) -> str:
    """An app client's description."""
    rng = ink.rng
    client: dict[str, Any] = {
        "UserPoolId": f"eu-west-2_{some(rng, 9, WORD)}",
        "ClientName": "portal",
        "ClientId": some(rng, 26, "abcdefghijklmnopqrstuvwxyz0123456789"),
    }
    client |= {
        "ClientSecret": ink.put("cognito_secret", "keyed"),
        "RefreshTokenValidity": 30,
        "CreationDate": noise.iso(rng),
    }
    return json.dumps({"UserPoolClient": client}, ensure_ascii=False, indent=ink.pick([None, 2]))


def tokens_endpoint(ink: Ink) -> str:
    """What a sign-in server answers."""
    answer = {
        "id_token": ink.put("jwt", "keyed"),
        "access_token": ink.put("jwt", "keyed"),
        "expires_in": 3600,
        "token_type": "Bearer",
    }
    return f"{noise.head(ink.rng)} token response {json.dumps(answer, ensure_ascii=False)}"


SCENES: Final[dict[str, Scene]] = {
    "presigned": presigned,
    "signed-request": signed_request,
    "session": session,
    "profile": credentials_file,
    "function": function_configuration,
    "connection": connection,
    "header": header,
    "key-file": key_file,
    "cognito": cognito,
    "tokens": tokens_endpoint,
}
