"""The EventBridge rule that starts the pipeline: the one truth about the schedule.

The rule is found by its target, whoever made it: CloudFormation, Chalice or a person in the
console. Rates can be set from here; `cron(…)`, set in the console, is shown and can be turned on
and off, but has no period.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from chalicelib import settings
from chalicelib.errors import InvalidRate, ScheduleError

HOURLY = "rate(1 hour)"

UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
RATE = re.compile(r"rate\(([1-9][0-9]{0,4}) (minute|hour|day)(s?)\)")
PATTERN = r"^rate\((1 (minute|hour|day)|([2-9]|[1-9][0-9]{1,4}) (minute|hour|day)s)\)$"
"""The same with singular and plural, for those who describe it to others."""

KEPT = ("Name", "EventBusName", "State", "Description", "RoleArn", "EventPattern")
"""What `put_rule` forgets unless it is told again; tags and targets stay by themselves."""

MAY_FIND = "events:ListRuleNamesByTarget, events:DescribeRule, events:ListTargetsByRule"
MAY_CHANGE = "events:EnableRule, events:DisableRule, events:PutRule, events:PutTargets"
AGAIN = "Try again in a moment."

REFUSALS = {
    "AccessDeniedException": ("access is denied", f"Allow {MAY_FIND}, {MAY_CHANGE}."),
    "ManagedRuleException": ("the rule belongs to an AWS service", "Make a rule of your own."),
    "ConcurrentModificationException": ("somebody else is changing the rule", AGAIN),
    "ThrottlingException": ("there are too many requests", AGAIN),
}
"""What EventBridge refuses with, and what to do."""


@dataclass(frozen=True)
class Schedule:
    """The rule as EventBridge has it; all but `enabled` are None while there is no rule.

    `rate` is the expression, `rate(30 minutes)` or `cron(0 6 * * ? *)`.
    """

    enabled: bool = False
    rate: str | None = None
    rule: str | None = None
    arn: str | None = None


def state() -> Schedule:
    """The schedule now. Raises ScheduleError, as does everything here that asks EventBridge."""
    with _translated():
        return _schedule(_find(_events()) or {})


def enable() -> Schedule:
    """Turn the rule on; an hourly one is made when there is none."""
    with _translated():
        events = _events()
        rule = _find(events)
        if rule is None:
            return replace(HOURLY, enabled=True)
        if rule["State"] == "DISABLED":
            events.enable_rule(Name=rule["Name"])
        _aim(events, rule["Name"])
    return state()


def disable() -> Schedule:
    """Turn the rule off, if there is one."""
    with _translated():
        events = _events()
        if rule := _find(events):
            events.disable_rule(Name=rule["Name"])
    return state()


def replace(rate: str, *, enabled: bool | None = None) -> Schedule:
    """Give the rule another rate; on stays on and off stays off unless `enabled` says so.

    Without a rule one is made, off unless `enabled`. Raises InvalidRate before anything changes.
    """
    period(rate)
    with _translated():
        events = _events()
        rule = _find(events) or _new_rule()
        kept = {name: rule[name] for name in KEPT if name in rule}
        if enabled is not None:
            kept["State"] = "ENABLED" if enabled else "DISABLED"
        events.put_rule(**kept, ScheduleExpression=rate)
        _aim(events, rule["Name"])
    return state()


def period(rate: str) -> timedelta:
    """The time from one tick to the next. Raises InvalidRate, for `cron(…)` too."""
    match = RATE.fullmatch(rate)
    if not match:
        raise _invalid(rate, f"Say for example {HOURLY}, rate(30 minutes) or rate(1 day).")
    count, unit, plural = int(match[1]), match[2], match[3]
    if bool(plural) != (count > 1):
        raise _invalid(rate, f"Say rate({count} {unit}{'s' * (count > 1)}).")
    return count * UNITS[unit]


def next_run(last_tick: datetime | None, schedule: Schedule, now: datetime) -> datetime | None:
    """An estimate, as EventBridge tells none: the last tick and as many periods as reach `now`.

    None before the first tick, while the schedule is off, and for `cron(…)`.
    """
    length = _known_period(schedule.rate)
    if last_tick is None or length is None or not schedule.enabled:
        return None
    return last_tick + max(1, -((last_tick - now) // length)) * length


def is_stale(event_time: datetime, rate: str | None, now: datetime) -> bool:
    """Whether a tick is older than a period; one of `cron(…)` never is."""
    length = _known_period(rate)
    return length is not None and now - event_time > length


def _known_period(rate: str | None) -> timedelta | None:
    """The period of what EventBridge has, which may be an expression that is not for us."""
    return period(rate) if rate and RATE.fullmatch(rate) else None


def _invalid(rate: str, fix: str) -> InvalidRate:
    if rate.startswith("cron("):
        fix = "Set cron(…) in the AWS console, it is shown here; or say rate(1 day)."
    return InvalidRate(f"{rate[:80]!r} is not a rate", where="rate", fix=fix)


def _events() -> Any:
    return _client(os.environ.get("AWS_ENDPOINT_URL"))


@cache
def _client(endpoint: str | None) -> Any:
    """Kept, because making one takes 50 ms; of a session of its own, because of threads."""
    import boto3
    from botocore.config import Config

    patience = Config(connect_timeout=3, read_timeout=8, retries={"total_max_attempts": 2})
    return boto3.session.Session().client("events", endpoint_url=endpoint, config=patience)


def _find(events: Any) -> dict[str, Any] | None:
    """The one rule with a schedule that has the target, or else the configured name."""
    names = _names_by_target(events) or [settings.schedule_rule()]
    described = [_describe(events, name) for name in names]
    rules = [rule for rule in described if "ScheduleExpression" in rule]
    if len(rules) > 1:
        raise ScheduleError(
            f"{' and '.join(sorted(rule['Name'] for rule in rules))} both start the pipeline",
            where="EventBridge",
            fix="Delete all but one, so that one switch turns the schedule on and off.",
        )
    return rules[0] if rules else None


def _names_by_target(events: Any) -> list[str]:
    target = settings.schedule_target()
    if target is None:
        return []
    pages = events.get_paginator("list_rule_names_by_target").paginate(TargetArn=target)
    return [name for page in pages for name in page["RuleNames"]]


def _describe(events: Any, name: str) -> dict[str, Any]:
    """The rule; empty when there is none."""
    try:
        return dict(events.describe_rule(Name=name))
    except events.exceptions.ResourceNotFoundException:
        return {}


def _schedule(rule: dict[str, Any]) -> Schedule:
    enabled = rule.get("State", "DISABLED") != "DISABLED"
    return Schedule(enabled, rule.get("ScheduleExpression"), rule.get("Name"), rule.get("Arn"))


def _new_rule() -> dict[str, Any]:
    if settings.schedule_target() is None:
        raise ScheduleError(
            "there is no rule, and no function that one could start",
            where="ELT_SCHEDULE_TARGET_ARN",
            fix="Deploy the service, or use `make local`; both set it.",
        )
    # The deployment lets EventBridge start the function for a rule of this name.
    return {
        "Name": settings.schedule_rule(),
        "State": "DISABLED",
        "Description": "Starts the ELT pipeline",
    }


def _aim(events: Any, name: str) -> None:
    """Make sure that the rule starts the function, and starts it once."""
    target = settings.schedule_target()
    targets = events.list_targets_by_rule(Rule=name)["Targets"]
    if target is None or target in (one["Arn"] for one in targets):
        return
    failed = events.put_targets(Rule=name, Targets=[{"Id": "elt-pipeline", "Arn": target}])
    if failed["FailedEntryCount"]:
        message = failed["FailedEntries"][0].get("ErrorMessage", "no reason is given")
        raise ScheduleError(
            f"the rule cannot start the function: {message.rstrip('.')}",
            where=f"EventBridge rule {name}",
            fix="Correct ELT_SCHEDULE_TARGET_ARN.",
        )


@contextmanager
def _translated() -> Iterator[None]:
    """Raise ScheduleError in place of botocore's errors."""
    from botocore import exceptions as aws

    try:
        yield
    except aws.ClientError as error:
        raise _refused(error.response["Error"]) from error
    except (aws.NoCredentialsError, aws.PartialCredentialsError, aws.CredentialRetrievalError):
        raise _unreachable(
            "no AWS credentials were found", "Use `make local`, which emulates AWS."
        ) from None
    except aws.BotoCoreError as error:
        raise _unreachable(
            f"EventBridge cannot be asked ({type(error).__name__})",
            "Check the network (a Lambda in a VPC needs an endpoint for events), AWS_REGION and,"
            " if it is set, AWS_ENDPOINT_URL.",
        ) from error


def _unreachable(what: str, fix: str) -> ScheduleError:
    return ScheduleError(what, where="EventBridge", fix=fix)


def _refused(answer: Any) -> ScheduleError:
    code, message = answer.get("Code", ""), answer.get("Message", "").rstrip(".")
    otherwise = (f"it answers {code}: {message}", "Look at the rule in the AWS console.")
    what, fix = REFUSALS.get(code, otherwise)
    return ScheduleError(what, where="EventBridge", fix=fix)
