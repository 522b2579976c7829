"""Why a tool failed. The awslabs servers hide it: the caller sees "Error executing tool X", the reason is on stderr.

A record holds codes and names: an AWS error code, the operation, the class of an exception. Whoever can write into what
a server reads can have it say an error of their own making; so a record holds only what has the shape of a name, and
our sentence only what is on a list. The reason that helps a caller, such as how a time is written, follows that
sentence as the server's words, which the response interceptor redacts and marks.
"""

from __future__ import annotations

import builtins
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from callpath.refusal import Refusal

# botocore.exceptions.ClientError.MSG_TEMPLATE; "(reached max retries: 4)" may stand between the two halves.
_CLIENT_ERROR = re.compile(
    r"An error occurred \((?P<code>[\w.:-]{1,80})\) when calling the (?P<operation>\w{1,80}) operation"
    r"(?:(?!An error occurred).{0,2000}?is not authorized to perform: (?P<action>[a-z0-9-]{1,40}:\w{1,80}))?"
)
# The last line of a traceback, plain or drawn in a box: "botocore.exceptions.NoCredentialsError: Unable to ...".
_EXCEPTION = re.compile(r"(?:^|[\s│|])(?:\w+\.)*(?P<name>[A-Z]\w{0,78}(?:Error|Exception|Timeout))(?=: |\s*$)", re.M)
_CODE = re.compile(r"[A-Z][A-Za-z]{1,63}(?:\.[A-Z][A-Za-z]{1,63})?")
_OPERATION = re.compile(r"[A-Z][A-Za-z]{2,60}")
UNKNOWN = "Unknown"  # in place of what is no name
# Error codes that a caller may be told. AWS's own: the common errors of the query and JSON APIs, as their references
# list them (IAM, STS, EC2, CloudWatch, CloudWatch Logs and CloudTrail API references, read 28 November 2026).
_AWS_CODES = frozenset(
    "AccessDenied AccessDeniedException AuthFailure AuthorizationError BadRequestException ConflictException "
    "ExpiredToken ExpiredTokenException IncompleteSignature InternalError InternalFailure InternalServerError "
    "InvalidAction InvalidArgument InvalidClientTokenId InvalidInput InvalidParameter InvalidParameterCombination "
    "InvalidParameterException InvalidParameterValue InvalidParameterValueException InvalidRequestException "
    "LimitExceeded LimitExceededException MalformedQueryString MalformedQueryException MissingParameter "
    "NoSuchBucket NoSuchEntity NoSuchKey NotFoundException OptInRequired RequestExpired RequestLimitExceeded "
    "ResourceNotFound ResourceNotFoundException ServiceUnavailable ServiceUnavailableException SignatureDoesNotMatch "
    "SlowDown Throttling ThrottlingException ThrottledException TooManyRequestsException UnauthorizedOperation "
    "UnrecognizedClientException UnsupportedOperation UnsupportedOperationException ValidationError "
    "ValidationException".split()
)
# And classes of exceptions: Python's own, and what botocore raises when no AWS has answered.
_EXCEPTIONS = frozenset(
    "ClientError ConnectTimeoutError ConnectionClosedError CredentialRetrievalError EndpointConnectionError "
    "NoCredentialsError ParamValidationError ProxyConnectionError ReadTimeoutError SSLError".split()
) | {name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, Exception)}
_MASKS = frozenset({"ToolError", "UnexpectedToolError"})  # how mcp wraps whatever a tool raised
_BOX = re.compile(r"[\s│╭╮╰╯─❱]+")
# Where a reason ends: an empty line, a line of a log, or the next exception.
_NEXT = re.compile(
    r"\n(?=[^\S\n]*\n|\[?\d\d|Traceback|[^\S\n]*[╭│]|(?:DEBUG|INFO|WARNING|ERROR)\b|(?:\w{1,80}\.)*\w{1,80}: )"
)
_END = "\0"
_BEFORE = re.compile(r"(?: operation(?: \(reached max retries: \d{1,4}\))?)?: ")
_LONGEST_REASON = 500  # characters

_DENIED = re.compile(r"AccessDenied|Unauthorized|NotAuthorized|Forbidden|ExplicitDeny")
_THROTTLED = re.compile(r"Throttl|TooManyRequests|RequestLimitExceeded|SlowDown")
_NOT_FOUND = re.compile(r"NoSuch|NotFound|DoesNotExist")
_INVALID = re.compile(r"Validation|Invalid|Malformed|ParamValidation|Unsupported")
_CREDENTIALS = re.compile(
    r"ExpiredToken|InvalidClientToken|UnrecognizedClient|NoCredentials|CredentialRetrieval|Signature"
)
_UNREACHABLE = re.compile(r"EndpointConnection|ConnectTimeout|ReadTimeout|ConnectionClosed|ProxyConnection|SSLError")


@dataclass(frozen=True)
class Cause:
    """Why a call failed.

    Attributes:
        code: AWS's error code (`AccessDenied`) or the class of an exception (`ValueError`); `Unknown` for no name.
        operation: the API operation (`ListUsers`), if AWS or the SDK said which.
        action: the IAM action (`iam:ListUsers`), if it is one of the call's own.
        reason: what AWS or the server says of it, on one line: others' words, for the caller and for no record.
    """

    code: str
    operation: str | None = None
    action: str | None = None
    reason: str | None = field(default=None, compare=False, repr=False)

    @property
    def told(self) -> str:
        """What a sentence may say of the code: " (AccessDenied)", or nothing for one that is on no list."""
        return f" ({self.code})" if self.code in _AWS_CODES or self.code in _EXCEPTIONS else ""

    @property
    def from_aws(self) -> bool:
        """Whether AWS, or the way to it, refused, and not the server itself."""
        return self.operation is not None or bool(_UNREACHABLE.search(self.code) or _CREDENTIALS.search(self.code))

    @property
    def of_nothing(self) -> bool:
        """Whether AWS knows nothing by that name, which some services call an invalid request.

        So does CloudFormation of a stack (API reference, DescribeStacks, read 29 November 2026).
        """
        said = self.reason or ""
        return bool(_NOT_FOUND.search(self.code)) or (self.code.startswith("Validation") and "does not exist" in said)


def find_cause(text: str, *, allowed_actions: Iterable[str]) -> Cause | None:
    """Find the cause in the stderr of one call, or in the text a tool returned.

    Args:
        text: as the server wrote it; tracebacks drawn in boxes are understood.
        allowed_actions: IAM actions of the call. No other is named.
    """
    text = _NEXT.sub(f"\n{_END}\n", text)
    flat = _BOX.sub(" ", text)
    errors = list(_CLIENT_ERROR.finditer(flat))
    if errors:
        # The last one: servers retry, and a first error they have survived is not the cause.
        code, operation, action = errors[-1]["code"], errors[-1]["operation"], errors[-1]["action"]
        known = [name for name in allowed_actions if name == action or name.partition(":")[2] == operation]
        return Cause(
            code if _CODE.fullmatch(code) else UNKNOWN,
            operation if _OPERATION.fullmatch(operation) else UNKNOWN,
            action if action in known else next(iter(known), None),
            _reason(flat, errors[-1].end("operation")),
        )
    found = [each for each in _EXCEPTION.finditer(text) if each["name"] not in _MASKS]
    if not found:
        return None
    name = found[-1]["name"]
    return Cause(name if _CODE.fullmatch(name) else UNKNOWN, reason=_reason(text, found[-1].end()))


def _reason(text: str, start: int) -> str | None:
    """What is said behind the operation or the exception's name that ends at `start`."""
    begins = _BEFORE.match(text, start)
    if begins is None:
        return None
    said = text[begins.end() : begins.end() + 2 * _LONGEST_REASON].partition(_END)[0]
    return " ".join(_BOX.sub(" ", said).split())[:_LONGEST_REASON] or None


def refusal_for(cause: Cause | None, *, server: str, tool: str) -> Refusal:
    """What the caller is told: useful, and without a word the server wrote.

    Args:
        cause: why the call failed, if the server said.
        server: the server's name.
        tool: the tool's.
    """
    if cause is None:
        return Refusal(
            "server", "server-error", f"The {server} server failed while running {tool}, and did not say why"
        )
    if not cause.from_aws:
        return Refusal(
            "server",
            "server-error",
            f"The {server} server failed while running {tool}{cause.told}; check the arguments against the tool's "
            "description",
        )
    what = cause.action or "the request"
    for pattern, rule, sentence in _SENTENCES:
        if pattern.search(cause.code) or (rule == "not-found" and cause.of_nothing):
            return Refusal("aws", rule, sentence.format(what=what, code=cause.told))
    return Refusal("aws", "aws-error", f"AWS answered {what} with an error{cause.told}")


# Credentials before denials and invalidity: InvalidClientTokenId is about the session, not about the arguments.
_SENTENCES = (
    (_CREDENTIALS, "credentials-rejected", "AWS did not accept the call's credentials for {what}{code}: call again"),
    (_DENIED, "access-denied", "AWS refused {what}{code}: the session made for this tool does not allow it"),
    (_THROTTLED, "throttled", "AWS is limiting requests to {what}{code}: wait a little and call again"),
    (_NOT_FOUND, "not-found", "AWS found nothing by that name for {what}{code}: check the arguments"),
    (_INVALID, "invalid-input", "AWS did not accept the arguments of {what}{code}: check the tool's description"),
    (
        _UNREACHABLE,
        "aws-unreachable",
        "The server could not reach AWS for {what}{code}: no such endpoint is open to it",
    ),
)


SAYING = frozenset({"aws-error", "invalid-input", "not-found", "server-error"})
"""Rules behind which others' words follow; of the rest they say nothing that a caller can act on."""


def explained(said: str, explanations: Iterable[tuple[re.Pattern[str], str]]) -> Refusal | None:
    """What the catalogue says about a failure, if it knows it. An error of AWS explains itself better."""
    if _CLIENT_ERROR.search(_BOX.sub(" ", said)):
        return None
    fitting = (message for pattern, message in explanations if pattern.search(said))
    message = next(fitting, None)
    return None if message is None else Refusal("runtime", "not-available-here", message)


def embedded_failure(result: dict[str, Any]) -> str | None:
    """The text of a failure that a tool reports in the body of a successful answer, if it plainly does.

    Some servers answer isError=false around `{"isError": true}`, `{"status": "Error", ...}` or `{"error": "..."}`. Only
    such a marker at the top of one short JSON object counts: log lines and events that *mention* errors are data.
    """
    body = result.get("structuredContent")
    if not isinstance(body, dict):
        body = _single_json_object(result.get("content"))
    if isinstance(body, dict) and len(body) == 1 and isinstance(body.get("result"), dict | list):
        body = body["result"]  # how mcp wraps a return value that is no model
    if isinstance(body, list) and len(body) == 1:
        body = body[0]  # aws-api answers with one entry for each command, and is sent one
    for _ in range(2):
        if isinstance(body, dict) and isinstance(body.get("response"), dict):
            body = body["response"]  # and has AWS's answer inside that entry
    if not isinstance(body, dict) or len(body) > 12:
        return None
    status = body.get("status")
    failed = (
        body.get("isError") is True
        or (isinstance(status, str) and status.lower() in ("error", "failed", "failure"))
        or (bool(body.get("error")) and isinstance(body["error"], str | dict | bool))
    )
    return json.dumps(body, ensure_ascii=False)[:8192] if failed else None


def _single_json_object(content: object) -> object:
    if not (isinstance(content, list) and len(content) == 1 and isinstance(content[0], dict)):
        return None
    text = content[0].get("text")
    if not (isinstance(text, str) and len(text) <= 8192 and text.lstrip().startswith("{")):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
