"""AWS credentials in the wrong hands: those lent to a server that was changed, a host's own, a function's own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from callpath.call_record import new_call_id
from ringfence.rehearsal.ablation.attack import Asks, Attack, Does
from ringfence.rehearsal.ablation.attack_target import STRANGERS_BUCKETS, AttackTarget
from ringfence.rehearsal.ablation.seen import Seen

_LENT = "credentials lent to a changed server"
_HOST = "credentials of a host"
_FUNCTION = "credentials of a function"
_OPEN = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]}
)


_PREFIXES = {"bedrock-runtime": "bedrock"}


# What is tried with every kind of credentials.
_SIGNING = {"KeyId": "{key}", "Message": b"0" * 32, "MessageType": "DIGEST", "SigningAlgorithm": "ECDSA_SHA_256"}
_AWAY = {"Bucket": STRANGERS_BUCKETS[0], "Key": "loot", "Body": b"x"}
_A_RECORD = {"logGroupName": "/ringfence/{department}/sign-ins"}
_CALLS = {"logGroupName": "/ringfence/{department}/calls/{persona}"}


def _with(whose: Callable[[AttackTarget], Mapping[str, str]], family: str) -> Callable[..., Attack]:
    """Makes attacks that send one request with somebody's credentials."""

    def attack(
        name: str,
        does: Does,
        service: str,
        operation: str,
        *,
        region: str | None = None,
        **parameters: Any,
    ) -> Attack:
        def carry_out(target: AttackTarget) -> Seen:
            filled = {key: _filled(value, target) for key, value in parameters.items()}
            return target.ask_aws(whose(target), service, operation, region=region, **filled)

        action = f"{_PREFIXES.get(service, service)}:{''.join(part.capitalize() for part in operation.split('_'))}"
        where = f" in {region}" if region else ""
        return Attack(name, family, does, carry_out, sends=f"{action}{where}", asks=Asks(action=action))

    return attack


def _filled(value: Any, target: AttackTarget) -> Any:
    if not isinstance(value, str):
        return value
    return (
        value.replace("{department}", target.department)
        .replace("{account}", target.account)
        .replace("{persona}", target.persona)
        .replace("{role}", target.persona_role)
        .replace("{other_role}", target.role_of(_another(target)))
        .replace("{key}", target.signer.key_id)
    )


def _lent() -> list[Attack]:
    attack = _with(lambda target: target.lent_credentials(), _LENT)
    changes, out, reads = Does.CHANGES, Does.CARRIES_OUT, Does.READS
    return [
        attack("lent-create-a-user", changes, "iam", "create_user", UserName="left-behind"),
        attack("lent-create-an-access-key", changes, "iam", "create_access_key", UserName="left-behind"),
        attack(
            "lent-open-a-role",
            changes,
            "iam",
            "update_assume_role_policy",
            RoleName="ringfence-{department}-{persona}",
            PolicyDocument=_OPEN,
        ),
        attack(
            "lent-take-the-next-role", changes, "sts", "assume_role", RoleArn="{other_role}", RoleSessionName="next"
        ),
        attack("lent-stay-after-the-call", changes, "sts", "assume_role", RoleArn="{role}", RoleSessionName="stay"),
        attack("lent-put-what-was-read-elsewhere", out, "s3", "put_object", **_AWAY),
        attack("lent-ask-a-model", out, "bedrock-runtime", "invoke_model", modelId="a-model", body=b"{}"),
        attack(
            "lent-ask-a-model-elsewhere",
            out,
            "bedrock-runtime",
            "invoke_model",
            region="us-east-1",
            modelId="a-model",
            body=b"{}",
        ),
        attack(
            "lent-make-a-queue-elsewhere", changes, "sqs", "create_queue", region="us-east-1", QueueName="left-behind"
        ),
        attack("lent-delete-the-record", changes, "logs", "delete_log_group", **_A_RECORD),
        attack("lent-stop-the-trail", changes, "cloudtrail", "stop_logging", Name="ringfence-{department}"),
        Attack("lent-unmask-a-log", _LENT, reads, _unmask),
        attack("lent-read-the-record", reads, "logs", "filter_log_events", **_CALLS),
        attack("lent-read-a-secret", reads, "secretsmanager", "get_secret_value", SecretId="a-secret"),
        attack(
            "lent-make-a-key-that-stays",
            changes,
            "iam",
            "create_service_specific_credential",
            UserName="left-behind",
            ServiceName="bedrock.amazonaws.com",
        ),
        attack("lent-sign-a-txn-token", changes, "kms", "sign", **_SIGNING),
    ]


def _hosts() -> list[Attack]:
    attack = _with(_host, _HOST)
    changes, out, reads = Does.CHANGES, Does.CARRIES_OUT, Does.READS
    return [
        attack("host-create-a-user", changes, "iam", "create_user", UserName="left-behind"),
        attack("host-sign-a-txn-token", changes, "kms", "sign", **_SIGNING),
        attack("host-put-what-was-read-elsewhere", out, "s3", "put_object", **_AWAY),
        attack("host-delete-the-record", changes, "logs", "delete_log_group", **_A_RECORD),
        attack("host-read-the-record", reads, "logs", "filter_log_events", **_CALLS),
        Attack("host-take-its-role-for-nobody", _HOST, Does.CHANGES, _for_nobody),
        Attack("host-take-anothers-role", _HOST, Does.CHANGES, _for_somebody(_host, _another)),
    ]


def _host(target: AttackTarget) -> Mapping[str, str]:
    return target.host_credentials(target.home_server)


def _function(target: AttackTarget) -> Mapping[str, str]:
    return target.function_credentials()


def _for_nobody(target: AttackTarget) -> Seen:
    """The host's own role asks for the persona's without saying for whom."""
    return target.ask_aws(target.host_credentials(target.home_server), "sts", "assume_role", **_asked(target, None))


def _for_somebody(
    whose: Callable[[AttackTarget], Mapping[str, str]], persona: Callable[[AttackTarget], str]
) -> Callable[[AttackTarget], Seen]:
    """Somebody asks for a persona's role just as its own host would: with a name, the tags and a call."""

    def carry_out(target: AttackTarget) -> Seen:
        return target.ask_aws(whose(target), "sts", "assume_role", **_asked(target, "somebody.else", persona(target)))

    return carry_out


def _asked(target: AttackTarget, person: str | None, persona: str = "") -> dict[str, Any]:
    persona = persona or target.persona
    tags = {"persona": persona, "tool": "list_users", "call": new_call_id(), "department": target.department}
    return {
        "RoleArn": target.role_of(persona),
        "RoleSessionName": tags["call"],
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        "TransitiveTagKeys": list(tags),
        **({"SourceIdentity": person} if person else {}),
    }


def _another(target: AttackTarget) -> str:
    return target.others[0].persona if target.others else "another"


def _unmask(target: AttackTarget) -> Seen:
    """A changed server asks to see what a log's data protection has masked."""
    group = f"arn:aws:logs:eu-west-2:{target.account}:log-group:/payments/api"
    return target.decided(target.lent_credentials(), "logs:Unmask", group)


def _functions() -> list[Attack]:
    attack = _with(_function, _FUNCTION)
    changes, out = Does.CHANGES, Does.CARRIES_OUT
    return [
        Attack(
            "function-take-the-personas-role",
            _FUNCTION,
            changes,
            _for_somebody(_function, lambda target: target.persona),
        ),
        attack("function-create-a-user", changes, "iam", "create_user", UserName="left-behind"),
        attack("function-put-what-it-saw-elsewhere", out, "s3", "put_object", **_AWAY),
        attack("function-switch-a-key-on-again", changes, "kms", "enable_key", KeyId="{key}"),
    ]


CREDENTIALS = (*_lent(), *_hosts(), *_functions())
