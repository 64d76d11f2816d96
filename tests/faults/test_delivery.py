"""Triggers, ticks and events come twice, at once, or late: a run is still one run."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib import jobs, schedule
from chalicelib.errors import RunActive
from tests.faults.harness import work

AT_ONCE = 8
NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def delivered(shop):
    shop.deliver("a.csv", 10_000)


@pytest.fixture
def hourly(aws, monkeypatch):
    """The schedule is on."""
    function = "arn:aws:lambda:eu-central-1:123456789012:function:tick"
    monkeypatch.setenv("ELT_SCHEDULE_TARGET_ARN", function)
    schedule.enable()


def at_once(ask):
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda _: ask(), range(AT_ONCE)))


def test_triggers_at_the_same_instant_are_one_run(service, proof):
    history = service()

    def trigger():
        try:
            return history.trigger()
        except RunActive as refused:
            return refused.run_id

    (queued,) = set(at_once(trigger))
    work(queued).ended()
    proof("triggers at the same instant", history.state(queued), AT_ONCE)


def test_an_event_of_the_schedule_delivered_twice_is_one_run(service, hourly, proof):
    history = service()
    (queued,) = {run.id for run in at_once(lambda: jobs.tick("event", NOW))}
    work(queued).ended()
    assert jobs.tick("event", NOW).id == queued
    proof("the same event of the schedule", history.state(queued), AT_ONCE + 1)


def test_an_event_that_comes_six_hours_late_is_skipped(shop, service, hourly, proof):
    history = service()
    late = jobs.tick("event", NOW - timedelta(hours=6))
    assert "more than a period late" in late.error.message
    work(late.id).ended()
    shop.run()
    assert history.state(late.id) == "skipped"
    proof("an event six hours late (skipped), then a run", "succeeded")


def test_the_same_invocation_twice_at_once_is_worked_on_once(service, proof):
    history = service()
    queued = history.trigger()
    workers = [work(queued), work(queued)]
    said = [worker.ended().said for worker in workers]
    assert sum("run started" in text for text in said) == 1
    proof("the same invocation twice at once", history.state(queued), 2)


def test_an_invocation_that_lambda_repeats_goes_on_after_the_lease_of_the_dead(service, proof):
    history = service()
    queued = history.trigger()
    work(queued).until("run started").end()
    assert "run started" not in work(queued).ended().said, "the dead one's lease still holds"
    history.lapse()
    work(queued).ended()
    proof("a killed invocation, repeated by Lambda", history.state(queued), 2)
