"""EventBridge's rules change when they are told to, and fire as they are.

LocalStack runs this script in its own process when it starts. Without it, LocalStack sets its clock
when a rule gets a target, and never again: a rule that is turned on or off, or gets another rate,
fires as it did before. And CloudFormation there does not change a rule that it has made, so that a
redeploy which undoes what the service has set would go unnoticed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from localstack.aws.api import RequestContext
from localstack.services.events.provider import EventsProvider
from localstack.services.events.resource_providers.aws_events_rule import EventsRuleProvider
from localstack.services.events.scheduler import JobScheduler
from localstack.utils.patch import patch


def _follow(operation: str, rule_parameter: str) -> None:
    """Set the clock anew after each call of the operation."""

    @patch(getattr(EventsProvider, operation))  # type: ignore[untyped-decorator]
    def changed(
        fn: Callable[..., Any], provider: EventsProvider, context: RequestContext, **request: Any
    ) -> Any:
        name, bus = request[rule_parameter], request.get("event_bus_name") or "default"
        _stop(provider, context, name, bus)
        answer = fn(provider, context, **request)
        _stop(provider, context, name, bus)
        _start(provider, context, name, bus)
        return answer


def _stop(provider: EventsProvider, context: RequestContext, name: str, bus: str) -> None:
    service = _service(provider, context, name, bus)
    JobScheduler.instance().cancel_job(getattr(service, "job_id", None))


def _start(provider: EventsProvider, context: RequestContext, name: str, bus: str) -> None:
    service = _service(provider, context, name, bus)
    if service.schedule_cron and service.rule.targets:
        account, region = context.account_id, context.region
        service.create_schedule_job(
            provider._get_scheduled_rule_job_function(account, region, service.rule)
        )


def _service(provider: EventsProvider, context: RequestContext, name: str, bus: str) -> Any:
    """What keeps the rule, None before it is made."""
    store = provider.get_store(context.region, context.account_id)
    if name not in provider.get_event_bus(bus, store).rules:
        return None
    return provider.get_rule_service(context.region, context.account_id, name, bus)


for operation, parameter in {
    "put_rule": "name",
    "enable_rule": "name",
    "disable_rule": "name",
    "put_targets": "rule",
}.items():
    _follow(operation, parameter)

# PutRule and PutTargets make a rule, and replace one.
EventsRuleProvider.update = EventsRuleProvider.create
