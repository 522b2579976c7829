"""A local AWS on loopback that decides every request with the policies of a cloud assembly and records it.

It stands where AWS stands: clients reach it through `AWS_ENDPOINT_URL`, sign with credentials it has issued, and get
AWS-shaped answers and refusals. State (IAM users, alarms, log groups) is moto's. What moto cannot do (decide, remember,
`LookupEvents`, Logs Insights, signing digests) is done here. It is evidence about our policies, not about AWS itself.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.config import Config

from ringfence.deployed.assembly import Assembly, Resource
from ringfence.deployed.resource_policies import KEY, resource_policies
from ringfence.deployed.roles import Role, endpoints, roles
from ringfence.iam.evaluator import Decision
from ringfence.rehearsal.aws.authorization.assume import assume_result, open_session, response_elements
from ringfence.rehearsal.aws.authorization.permission import AuthorizationResult, Permissions, undecided
from ringfence.rehearsal.aws.authorization.record import AwsCall, aws_call
from ringfence.rehearsal.aws.authorization.resources import ResourceArns
from ringfence.rehearsal.aws.authorization.sessions import Session, Sessions
from ringfence.rehearsal.aws.authorization.trust import AGENTCORE, LAMBDA, taken_by_principal, taken_by_service
from ringfence.rehearsal.aws.protocol import signature
from ringfence.rehearsal.aws.protocol.http import on_loopback
from ringfence.rehearsal.aws.protocol.wire import (
    AwsError,
    Operation,
    error_response,
    read_operation,
    read_signature,
    result_response,
)
from ringfence.rehearsal.aws.services.answer_bucket import AnswerBucket
from ringfence.rehearsal.aws.services.fixtures import load_fixtures
from ringfence.rehearsal.aws.services.keys import SigningKeys
from ringfence.rehearsal.aws.services.log_groups import LogGroups
from ringfence.rehearsal.aws.services.moto import Moto
from ringfence.rehearsal.aws.services.operations import LocalOperations
from ringfence.rehearsal.aws.services.stack_making import StackOperation
from ringfence.rehearsal.serving import HttpRequest, HttpResponse, HttpServer

_LOG = logging.getLogger(__name__)


class LocalAws:
    """One account's AWS for the time of a rehearsal.

    Args:
        assembly: where roles, boundaries, endpoints, keys and log groups come from.
        port: loopback port; 0 picks a free one.

    Attributes:
        record: every decided call, in order.
        endpoint_url: where it listens, once started.
        answers_of_custom_resources: where CloudFormation takes them.
        trail_log_groups: log groups that a trail delivers to.
    """

    def __init__(self, assembly: Assembly, *, port: int = 0) -> None:
        self.assembly = assembly
        self.account = assembly.account
        self.region = assembly.region
        self.record: list[AwsCall] = []
        self.endpoint_url = ""
        self._port = port
        self._roles = roles(assembly)
        vpc_endpoints = endpoints(assembly)
        self.answers_of_custom_resources = AnswerBucket(self.region, vpc_endpoints.get(("s3", self.region)))
        self._permissions = Permissions(
            self.account,
            roles=self._roles,
            endpoints=vpc_endpoints,
            key_policies={arn: policy for _, arn, policy in resource_policies(assembly, KEY)},
        )
        self._sessions = Sessions()
        self._moto = Moto(self.account, self.region)
        self._keys = SigningKeys(assembly)
        self._tags: dict[str, Mapping[str, str]] = {}
        self._operations = LocalOperations(
            assembly, moto=self._moto, keys=self._keys, roles=self._roles, record=self.record
        )
        self.trail_log_groups = self._operations.trail_log_groups
        self._lock = threading.Lock()
        self._server: HttpServer | None = None

    def start(self) -> str:
        """Listen on 127.0.0.1.

        Returns:
            The endpoint URL for `AWS_ENDPOINT_URL`.

        Raises:
            OSError: the port is taken.
            RuntimeError: another local AWS of this process is running.
        """
        self._moto.start()
        try:
            self._server = on_loopback(self.handle, port=self._port)
            self.endpoint_url = self._server.start()
            load_fixtures(self.assembly, self._moto, self._roles)
        except BaseException:
            self.stop()
            raise
        return self.endpoint_url

    def stop(self) -> None:
        """Stop listening and forget the state, so that another may start; nothing where none of it has started."""
        server, self._server = self._server, None
        try:
            if server is not None:
                server.stop()
        finally:
            self._moto.stop()

    def __enter__(self) -> LocalAws:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def client(self, service: str, credentials: Mapping[str, str], *, region: str | None = None) -> Any:
        """A client of it with somebody's credentials, whatever proxy the environment names."""
        return boto3.client(
            service,
            region_name=region or self.region,
            endpoint_url=self.endpoint_url,
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
            config=Config(proxies={}),
        )

    def role(self, role_arn: str) -> Role:
        """A role of the assembly.

        Raises:
            AwsError: there is none with this ARN.
        """
        if role_arn not in self._roles:
            raise AwsError("NoSuchEntity", f"{role_arn} is no role of this assembly.", 404)
        return self._roles[role_arn]

    def issue_credentials(self, role_arn: str, session_name: str) -> dict[str, str]:
        """Credentials for code that runs under a role: a function or a runtime host.

        The service that runs the code must be trusted by the role: its principal, and the conditions on
        `aws:SourceAccount` and `aws:SourceArn`, are decided with the resource that names the role in the template.
        Whether calls need a VPC endpoint follows from that resource's network settings too.

        Returns:
            `AccessKeyId`, `SecretAccessKey`, `SessionToken`, `Expiration`.

        Raises:
            AwsError: the role does not exist, no resource runs under it, or it does not trust the service.
        """
        role = self.role(role_arn)
        service, resource = self._runs_under(role_arn)
        source_arn = resource.arn
        decision = taken_by_service(role.trust, role_arn, service=service, source_arn=source_arn)
        if not decision.allowed:
            raise AwsError(
                "AccessDenied", f"{service} for {source_arn} may not assume the role: {decision.reason}", 403
            )
        opened = self._sessions.open(role, session_name, seconds=12 * 3600, inside_vpc=_is_inside_vpc(resource))
        return opened.credentials()

    def credentials_for(self, principal_arn: str, role_arn: str, session_name: str) -> dict[str, str]:
        """Credentials of a role for somebody of the account who may assume it, from outside the VPC.

        Args:
            principal_arn: the role they work as already.
            role_arn: the role they ask for.

        Raises:
            AwsError: the role does not exist, or does not trust them.
        """
        role = self.role(role_arn)
        decision = taken_by_principal(role.trust, role_arn, principal_arn=principal_arn)
        if not decision.allowed:
            raise AwsError("AccessDenied", f"{principal_arn} may not assume the role: {decision.reason}", 403)
        return self._sessions.open(role, session_name, seconds=3600, inside_vpc=False).credentials()

    def _runs_under(self, role_arn: str) -> tuple[str, Resource]:
        for kind, member, service in (
            ("AWS::Lambda::Function", "Role", LAMBDA),
            ("AWS::BedrockAgentCore::Runtime", "RoleArn", AGENTCORE),
            ("AWS::BedrockAgentCore::Gateway", "RoleArn", AGENTCORE),
        ):
            for resource in self.assembly.of_type(kind):
                if resource.properties.get(member) == role_arn:
                    return service, resource
        raise AwsError("ValidationError", f"No function, runtime or gateway of the assembly runs under {role_arn}.")

    @property
    def switched_off(self) -> set[str]:
        """Kinds of policies that are left out of every decision (see `aws_permission.Permissions`)."""
        return self._permissions.switched_off

    @property
    def owners(self) -> dict[str, str]:
        """Buckets of other accounts, with the account (see `aws_permission.Permissions`)."""
        return self._permissions.owners

    def work_on(self, session_name: str, action: str, resource: str, *, account: str, service: str) -> Decision | None:
        """What is decided when a service works on with a session it was called in; None where there is no such session.

        Args:
            session_name: the session, for a persona role the call id.
            account: whose that is.
            service: the service, as `athena.amazonaws.com`.
        """
        session = self._sessions.named(session_name)
        if session is None:
            return None
        return self._permissions.decide_for(session, action, resource, account=account, service=service)

    def decided_for(self, credentials: Mapping[str, str], action: str, resource: str) -> Decision:
        """What is decided for whoever holds credentials, of an action that goes with another request.

        Raises:
            AwsError: the credentials are not of this AWS.
        """
        session = self._sessions.find(credentials["AccessKeyId"], credentials["SessionToken"])
        return self._permissions.decide_for(session, action, resource, account=self.account, service=None)

    def calls_for(self, session_name: str) -> list[AwsCall]:
        """The calls of one session; for a persona role's session the name is the call id."""
        return [call for call in list(self.record) if call.session_name == session_name]

    def stack_operations_of(self, stack: str) -> list[StackOperation]:
        """What CloudFormation did for a stack, as the role that the change set named."""
        return self._operations.stacks.stack_operations_of(stack)

    @property
    def log_groups(self) -> LogGroups:
        """The log groups with their keys, masking and protection."""
        return self._operations.log_groups

    def make_bucket(self, name: str) -> None:
        """Make a bucket in the account, as the department would; for fixtures."""
        place = {"LocationConstraint": self.region}
        self._moto.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration=place)

    def tag(self, arn: str, tags: Mapping[str, str]) -> None:
        """Give a resource tags, whether or not it is there, as the department would; for fixtures."""
        self._tags[arn] = tags

    def put_log_event(self, group: str, stream: str, message: str, *, time: datetime | None = None) -> None:
        """Write one event to a log group, as a service of AWS would; makes group and stream when they are missing."""
        self._operations.put_log_event(group, stream, message, time or datetime.now(UTC))

    def log_lines(self, group: str) -> list[str]:
        """The events of a log group, as text."""
        return [event.message for event in self._moto.log_events(group)]

    def public_key(self, key_arn: str) -> bytes:
        """The public half of an asymmetric key of the assembly (DER, SubjectPublicKeyInfo)."""
        return self._keys.public_key(key_arn)

    def handle(self, request: HttpRequest) -> HttpResponse:
        """Answer one HTTP request."""
        if self.answers_of_custom_resources.holds(request):
            return self.answers_of_custom_resources.take(request)
        operation: Operation | None = None
        try:
            signed = read_signature(request)
            session = self._sessions.find(signed.access_key_id, request.headers.get("x-amz-security-token"))
            signature.verify(request, signed, session.secret)
            operation = read_operation(request, signed)
            return self._perform(request, operation, session)
        except AwsError as error:
            return error_response(request, error, operation)
        except Exception:
            # The fault is ours: say so to the caller instead of hanging up, and keep the trace for the developer.
            _LOG.exception("the local AWS could not answer %s", operation.name if operation else request.target)
            fault = AwsError("InternalFailure", "The local AWS failed; see its log.", 500)
            return error_response(request, fault, operation)

    def _perform(self, request: HttpRequest, operation: Operation, session: Session) -> HttpResponse:
        time, user_agent = datetime.now(UTC), request.headers.get("user-agent", "")
        error: AwsError | None
        try:
            authorization = self._permissions.rule(
                operation, session, self._resource_arns(operation.region), user_agent
            )
            error = authorization.error(session, operation.protocol)
        except AwsError as fault:
            # What cannot be decided is refused, and stands in the record as such.
            authorization, error = undecided(operation, fault), fault
        elements: Mapping[str, Any] | None = None
        response: HttpResponse | None = None
        if error is None:
            try:
                response, elements = self._answer(request, operation, session)
            except AwsError as raised:
                error = raised
            except Exception:
                # The fault is ours, or moto's: it is told to the caller, and stands in the record as admitted.
                _LOG.exception("the local AWS could not answer %s", operation.name)
                error = AwsError("InternalFailure", "The local AWS failed; see its log.", 500)
        self._write(operation, session, time, authorization, user_agent, error, elements)
        if error is not None:
            return error_response(request, error, operation)
        return response if response is not None else result_response(operation, {})

    def _answer(
        self, request: HttpRequest, operation: Operation, session: Session
    ) -> tuple[HttpResponse, Mapping[str, Any] | None]:
        called = f"{operation.service}:{operation.name}"
        if called == "sts:AssumeRole":
            role = self.role(str(operation.parameters["RoleArn"]))
            opened = open_session(self._sessions, session, role, operation.parameters)
            return result_response(operation, assume_result(opened)), response_elements(opened)
        own = self._caller_identity if called == "sts:GetCallerIdentity" else self._operations.find(called)
        if own is not None:
            return result_response(operation, own(operation, session)), None
        return self._operations.from_moto(request, operation), None

    def _caller_identity(self, _: Operation, session: Session) -> Mapping[str, Any]:
        return {"UserId": session.user_id, "Account": self.account, "Arn": session.arn}

    def _write(
        self,
        operation: Operation,
        session: Session,
        time: datetime,
        authorization: AuthorizationResult,
        user_agent: str,
        error: AwsError | None,
        elements: Mapping[str, Any] | None,
    ) -> None:
        call = aws_call(
            operation,
            session,
            time=time,
            decision=authorization.decision,
            resources=authorization.resources,
            user_agent=user_agent,
            endpoint_id=authorization.endpoint.id if authorization.endpoint and session.inside_vpc else None,
            error=error,
            response_elements=elements,
        )
        with self._lock:
            self.record.append(call)
        if call.in_event_history:
            self._operations.deliver_to_trail(call)

    def _resource_arns(self, region: str) -> ResourceArns:
        return ResourceArns(
            self.account,
            region,
            entity=self._operations.entity_arn,
            query_groups=self._operations.query_groups,
            workgroup=self._operations.workgroup,
            key_arn=self._keys.arn_of,
            key_aliases=self._keys.aliases_of,
            tags=lambda arn: self._tags.get(arn, {}),
        )


def _is_inside_vpc(resource: Resource) -> bool:
    properties = resource.properties
    if resource.type == "AWS::Lambda::Function":
        return bool((properties.get("VpcConfig") or {}).get("SubnetIds"))
    return (properties.get("NetworkConfiguration") or {}).get("NetworkMode") == "VPC"
