"""EventBridge's clock, which in LocalStack does not hear of changes.

LocalStack runs this script in its own process when it starts. LocalStack sets its clock when a rule
gets its target, and never again: a rule that is turned on or off, or gets another rate, fires as it
did before. Here the clock is set anew after each change.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from localstack.aws.api import RequestContext
from localstack.services.events.provider import EventsProvider
from localstack.services.events.scheduler import JobScheduler
from localstack.utils.patch import patch


def _follow(operation: str) -> None:
    @patch(getattr(EventsProvider, operation))  # type: ignore[untyped-decorator]
    def changed(
        fn: Callable[..., Any],
        provider: EventsProvider,
        context: RequestContext,
        *args: Any,
        **request: Any,
    ) -> Any:
        _stop(provider, context, request)
        answer = fn(provider, context, *args, **request)
        _start(provider, context, request)
        return answer


def _stop(provider: EventsProvider, context: RequestContext, request: dict[str, Any]) -> None:
    if service := _service(provider, context, request):
        JobScheduler.instance().cancel_job(getattr(service, "job_id", None))


def _start(provider: EventsProvider, context: RequestContext, request: dict[str, Any]) -> None:
    service = _service(provider, context, request)
    if service and service.schedule_cron and service.rule.targets:
        fire = provider._get_scheduled_rule_job_function(
            context.account_id, context.region, service.rule
        )
        service.create_schedule_job(fire)


def _service(provider: EventsProvider, context: RequestContext, request: dict[str, Any]) -> Any:
    """The rule that a request is about, None before it is made."""
    bus = provider.get_event_bus(
        request.get("event_bus_name") or "default",
        provider.get_store(context.region, context.account_id),
    )
    if request["name"] not in bus.rules:
        return None
    return provider.get_rule_service(context.region, context.account_id, request["name"], bus.name)


for name in ("put_rule", "enable_rule", "disable_rule"):
    _follow(name)
