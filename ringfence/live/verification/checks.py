"""What verify-live looks at, in order. Points (`points.toml`) name these."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from ringfence.live.before import Before
from ringfence.live.preflight import credentials, models, network
from ringfence.live.results import Check, Result
from ringfence.live.verification import deployment, drills, hosts, protocol, records, trail
from ringfence.live.verification.after import After


def _as_before(ask: Callable[[Before], Iterable[Result]]) -> Callable[[After], Iterable[Result]]:
    """A question of the preflight, asked once more."""
    return lambda after: ask(Before(after.account, after.needs))


CHECKS: Final[tuple[Check[After], ...]] = (
    Check("account", "whose account the credentials belong to", _as_before(credentials.whose_account)),
    Check("stacks", "the state of every stack", deployment.stacks),
    Check("zones", "which zone ids the zones have", _as_before(network.zones)),
    Check("prefix-list", "the S3 prefix list", _as_before(network.prefix_list)),
    Check("endpoints", "every VPC endpoint", deployment.endpoints),
    Check("runtimes", "every runtime", deployment.runtimes),
    Check("gateway", "every gateway: ENFORCE, interceptors, WAF", deployment.gateways),
    Check("targets", "every target: where it leads, its tool list", deployment.targets),
    Check("policies", "every Cedar policy", deployment.policies),
    Check("functions", "every function's code, role and environment", deployment.functions),
    Check("resource-policies", "who may call gateways and runtimes", deployment.resource_policies),
    Check("function-policies", "who may invoke a function", deployment.function_policies),
    Check("added", "what gateways and runtimes hold that no template does", deployment.added),
    Check("resource-servers", "each gateway's name at the sign-in", hosts.resource_servers),
    Check("models", "the models that hosts are to ask", _as_before(models.on_demand)),
    Check("model-logging", "where what models are asked is recorded", hosts.model_logging),
    Check("sign-in", "the person's access token", protocol.sign_in),
    Check("session", "sessions and notifications", protocol.session),
    Check("tools", "the listed tools against the lock", protocol.tools),
    Check("calls", "one allowed call of each server", protocol.calls),
    Check("refusals", "refusals at ingress and request", protocol.refusals),
    Check("cold-start", "first and second call of each server", protocol.cold_start),
    Check("result-size", "the size of answers", protocol.result_size),
    Check("record", "the three halves of each call's record", records.record),
    Check("list-record", "what came back of the schemas", records.list_record),
    Check("log-groups", "every log group: retention, key, masking, owner", records.log_groups),
    Check("subscriptions", "what sends a log group's records on", records.subscriptions),
    Check("account-settings", "what shortens or shares the records of all log groups", records.account_settings),
    Check("web-acl-log", "the address that WAF saw", records.web_acl_log),
    Check("log-group-makers", "who made AgentCore's log groups", trail.log_group_makers),
    Check("trail-delivery", "the trail's deliveries", trail.trail_delivery),
    Check("interceptor-failure", "what happens when an interceptor does not run", drills.interceptor_failure),
    Check("around-the-gateway", "whether a runtime refuses everybody but its gateway", drills.around_the_gateway),
    # Last, because CloudTrail takes its time.
    Check("trail", "CloudTrail's events of each call", trail.trail),
)
