"""The schedule is what EventBridge says, whoever made the rule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import boto3
import pytest

from chalicelib import schedule
from chalicelib.errors import InvalidRate, ScheduleError
from chalicelib.schedule import Schedule

TARGET = "arn:aws:lambda:eu-central-1:123456789012:function:elt-pipeline-test-tick"
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.fixture
def events(aws, monkeypatch):
    monkeypatch.setenv("ELT_SCHEDULE_TARGET_ARN", TARGET)
    monkeypatch.setenv("ELT_SCHEDULE_RULE", "elt-test")
    return boto3.client("events")


def by_hand(events, name="made-by-hand", rate="rate(2 hours)", state="ENABLED", target=TARGET):
    events.put_rule(
        Name=name,
        ScheduleExpression=rate,
        State=state,
        Description="mine",
        RoleArn="arn:aws:iam::123456789012:role/mine",
        Tags=[{"Key": "team", "Value": "data"}],
    )
    events.put_targets(Rule=name, Targets=[{"Id": "by-hand", "Arn": target, "Input": '{"a": 1}'}])


def targets(events, rule):
    return events.list_targets_by_rule(Rule=rule)["Targets"]


def test_without_a_rule_the_schedule_is_off(events):
    assert schedule.state() == Schedule(enabled=False, rate=None, rule=None, arn=None)
    assert schedule.disable() == Schedule()


def test_turned_on_without_a_rule_it_is_hourly(events):
    made = schedule.enable()
    assert (made.enabled, made.rate, made.rule) == (True, "rate(1 hour)", "elt-test")
    assert made.arn == events.describe_rule(Name="elt-test")["Arn"]
    assert [target["Arn"] for target in targets(events, "elt-test")] == [TARGET]
    assert schedule.state() == made


def test_it_goes_off_and_on_again(events):
    schedule.enable()
    assert not schedule.disable().enabled
    assert events.describe_rule(Name="elt-test")["State"] == "DISABLED"
    assert schedule.enable().enabled
    assert events.describe_rule(Name="elt-test")["State"] == "ENABLED"
    assert len(targets(events, "elt-test")) == 1


def test_a_rule_made_by_hand_is_found_by_its_target(events):
    by_hand(events)
    found = schedule.state()
    assert (found.enabled, found.rate, found.rule) == (True, "rate(2 hours)", "made-by-hand")
    assert not schedule.disable().enabled
    assert schedule.replace("rate(1 day)").rule == "made-by-hand"
    assert [rule["Name"] for rule in events.list_rules()["Rules"]] == ["made-by-hand"]


@pytest.mark.parametrize("state", ["ENABLED", "DISABLED"])
def test_another_rate_changes_nothing_else(events, state):
    by_hand(events, state=state)
    before, aimed = events.describe_rule(Name="made-by-hand"), targets(events, "made-by-hand")
    assert schedule.replace("rate(30 minutes)").rate == "rate(30 minutes)"
    after = events.describe_rule(Name="made-by-hand")
    for answer in (before, after):
        del answer["ResponseMetadata"], answer["ScheduleExpression"]
    assert after == before
    assert targets(events, "made-by-hand") == aimed
    tags = events.list_tags_for_resource(ResourceARN=after["Arn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "data"}]


def test_a_rate_and_the_switch_can_be_set_at_once(events):
    by_hand(events)
    assert not schedule.replace("rate(1 minute)", enabled=False).enabled
    assert schedule.replace("rate(5 minutes)", enabled=True).enabled


def test_a_rate_without_a_rule_makes_one_that_is_off(events):
    made = schedule.replace("rate(1 day)")
    assert (made.enabled, made.rate, made.rule) == (False, "rate(1 day)", "elt-test")


def test_a_rule_of_the_configured_name_gets_the_missing_target(events):
    events.put_rule(Name="elt-test", ScheduleExpression="rate(1 hour)", State="DISABLED")
    assert schedule.state().rule == "elt-test"
    assert schedule.enable().enabled
    assert [target["Arn"] for target in targets(events, "elt-test")] == [TARGET]


def test_rules_for_other_functions_and_other_events_are_not_ours(events):
    by_hand(events, target=TARGET + "-other")
    events.put_rule(Name="uploads", EventPattern='{"source": ["aws.s3"]}', State="ENABLED")
    events.put_targets(Rule="uploads", Targets=[{"Id": "1", "Arn": TARGET}])
    assert schedule.state() == Schedule()


def test_two_rules_for_the_function_are_refused_by_name(events):
    by_hand(events, "one")
    by_hand(events, "two")
    with pytest.raises(ScheduleError, match="one and two both start the pipeline") as refused:
        schedule.disable()
    assert "Delete all but one" in refused.value.fix


def test_cron_made_by_hand_is_shown_and_can_be_turned_off(events):
    by_hand(events, rate="cron(0 6 * * ? *)")
    assert schedule.state().rate == "cron(0 6 * * ? *)"
    turned_off = schedule.disable()
    assert (turned_off.enabled, turned_off.rate) == (False, "cron(0 6 * * ? *)")


def test_a_bad_rate_changes_nothing(events):
    by_hand(events)
    before = schedule.state()
    with pytest.raises(InvalidRate):
        schedule.replace("rate(1 hours)", enabled=False)
    assert schedule.state() == before


def test_without_a_function_no_rule_is_made(events, monkeypatch):
    monkeypatch.delenv("ELT_SCHEDULE_TARGET_ARN")
    with pytest.raises(ScheduleError, match="ELT_SCHEDULE_TARGET_ARN"):
        schedule.enable()
    assert events.list_rules()["Rules"] == []


def test_an_unreachable_eventbridge_is_told_with_what_to_do(events, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(ScheduleError, match="cannot be asked") as failed:
        schedule.state()
    assert "Check the network" in failed.value.fix


def test_a_refusal_of_eventbridge_is_told(events, monkeypatch):
    monkeypatch.setenv("ELT_SCHEDULE_TARGET_ARN", "no-arn")
    with pytest.raises(ScheduleError, match=r"EventBridge: .*no-arn"):
        schedule.enable()


@pytest.mark.parametrize(
    ("rate", "length"),
    [
        ("rate(1 minute)", timedelta(minutes=1)),
        ("rate(30 minutes)", timedelta(minutes=30)),
        ("rate(2 hours)", timedelta(hours=2)),
        ("rate(1 day)", timedelta(days=1)),
    ],
)
def test_a_rate_has_a_period(rate, length):
    assert schedule.period(rate) == length


@pytest.mark.parametrize(
    ("rate", "fix"),
    [
        ("rate(1 minutes)", "Say rate(1 minute)."),
        ("rate(2 hour)", "Say rate(2 hours)."),
        ("rate(0 minutes)", "Say for example"),
        ("rate(-1 days)", "Say for example"),
        ("rate(30 seconds)", "Say for example"),
        ("rate(\u0663 hours)", "Say for example"),
        ("rate(1 hour)\n", "Say for example"),
        ("hourly", "Say for example"),
        ("", "Say for example"),
        ("cron(0 6 * * ? *)", "Set cron(…) in the AWS console"),
    ],
)
def test_a_bad_rate_is_refused_with_what_is_right(rate, fix):
    with pytest.raises(InvalidRate) as refused:
        schedule.period(rate)
    assert refused.value.code == "invalid_rate"
    assert fix in refused.value.fix


HOURLY_ON = Schedule(enabled=True, rate="rate(1 hour)", rule="r", arn="a")


@pytest.mark.parametrize(
    ("minutes_ago", "minutes_left"), [(0, 60), (20, 40), (60, 0), (61, 59), (60 * 24 + 5, 55)]
)
def test_the_next_run_is_a_multiple_of_the_rate_after_the_last(minutes_ago, minutes_left):
    last = NOON - timedelta(minutes=minutes_ago)
    assert schedule.next_run(last, HOURLY_ON, NOON) == NOON + timedelta(minutes=minutes_left)


@pytest.mark.parametrize(
    ("last", "now_set"),
    [
        (None, HOURLY_ON),
        (NOON, Schedule(enabled=False, rate="rate(1 hour)")),
        (NOON, Schedule(enabled=True, rate="cron(0 6 * * ? *)")),
        (NOON, Schedule()),
    ],
)
def test_sometimes_nobody_knows_the_next_run(last, now_set):
    assert schedule.next_run(last, now_set, NOON) is None


def test_a_tick_is_stale_when_it_is_older_than_a_period():
    late = timedelta(hours=1, seconds=1)
    assert not schedule.is_stale(NOON, "rate(1 hour)", NOON + timedelta(hours=1))
    assert schedule.is_stale(NOON, "rate(1 hour)", NOON + late)
    assert not schedule.is_stale(NOON, "rate(1 day)", NOON + late)
    assert not schedule.is_stale(NOON, "cron(0 6 * * ? *)", NOON + timedelta(days=2))
    assert not schedule.is_stale(NOON, None, NOON + late)
