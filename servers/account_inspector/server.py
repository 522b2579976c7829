"""The tools: names, arguments, and answers as data and as a table."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from botocore.exceptions import BotoCoreError, ClientError
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import CallToolResult, TextContent, ToolAnnotations
from pydantic import BaseModel, Field

from account_inspector.answers import CredentialAudit, credential_audit_of
from account_inspector.identities import Iam, NoAnswer
from account_inspector.report import ReportUnreadable

server = MCPServer("account-inspector")

_READS = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
Days = Annotated[int, Field(ge=1, le=3650, description="Older, or longer unused, than this is too old.")]
Page = Annotated[int, Field(ge=1, le=1000, description="Which page of the users.")]
PageSize = Annotated[int, Field(ge=1, le=100, description="How many users a page has.")]
Fresh = Annotated[int, Field(ge=4, le=168, description="A report older than this many hours is made anew.")]
Show = Annotated[
    Literal["findings", "all"], Field(description="Users about whom there is something to say, or all of them.")
]


@server.tool(annotations=_READS)
def credential_audit(
    days: Days = 90, show: Show = "findings", page: Page = 1, page_size: PageSize = 50, fresh_hours: Fresh = 4
) -> Annotated[CallToolResult, CredentialAudit]:
    """Lists IAM users with their long-term credentials, and what is wrong with these.

    For each user: whether it can sign in to the console, which MFA it has (none, virtual, hardware), each access key's
    id, age, last use and whether it is active; the root user's MFA and keys apart. Found are console access without
    MFA, active keys older than `days`, and credentials unused for as long. Sorted by name; give `page` for the next.
    """
    now = datetime.now(UTC)
    try:
        iam = Iam()
        found = iam.identities(now=now, fresh_hours=fresh_hours)
        answer = credential_audit_of(found, iam, now=now, days=days, show=show, page=page, page_size=page_size)
    except (NoAnswer, ReportUnreadable) as error:
        raise ToolError(str(error)) from error
    except (ClientError, BotoCoreError) as error:
        raise ToolError(f"IAM gave no answer: {error}") from error
    return _told(answer)


def _told(answer: BaseModel) -> CallToolResult:
    """Returns an answer as data, with a table of the same beside it."""
    text = answer.as_text() if isinstance(answer, CredentialAudit) else answer.model_dump_json()
    return CallToolResult(
        content=[TextContent(type="text", text=text)], structured_content=answer.model_dump(mode="json")
    )
