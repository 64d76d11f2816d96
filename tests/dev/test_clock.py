"""While the rule is on, the service's own handler fires at the rule's rate."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib import jobs
from chalicelib.errors import InvalidRate
from chalicelib.history import runs
from chalicelib.schedule import Schedule
from dev.clock import Clock, keep_time

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
MINUTELY = Schedule(enabled=True, rate="rate(1 minute)")


def times(clock, rule, *seconds):
    """At which of these seconds after noon the rule fires."""
    return [at for at in seconds if clock.is_due(rule, NOON + timedelta(seconds=at))]


def test_a_rule_fires_a_period_after_it_was_turned_on_and_each_period_from_then():
    assert times(Clock(), MINUTELY, 0, 59, 60, 61, 119, 120, 121) == [60, 120]


def test_what_was_slept_through_is_fired_once():
    assert times(Clock(), MINUTELY, 0, 3600, 3601, 3660) == [3600, 3660]


def test_another_rate_counts_from_the_change():
    clock = Clock()
    times(clock, MINUTELY, 0)
    assert times(clock, Schedule(True, "rate(2 minutes)"), 30, 90, 149, 150) == [150]


def test_a_rule_that_is_off_or_not_there_does_not_fire():
    clock = Clock()
    times(clock, MINUTELY, 0)
    assert times(clock, Schedule(False, "rate(1 minute)"), 60, 120) == []
    assert times(clock, Schedule(), 180, 240) == []
    assert times(clock, MINUTELY, 300, 359, 360) == [360]


def test_a_cron_expression_is_complained_of_once():
    clock, cron = Clock(), Schedule(True, "cron(0 6 * * ? *)")
    with pytest.raises(InvalidRate):
        clock.is_due(cron, NOON)
    assert times(clock, cron, 60, 10**6) == []


class Watch:
    """A time of day that stands still until it is moved on."""

    def __init__(self):
        self.moment, self.looks = datetime.now(UTC), 0

    def __call__(self):
        self.looks += 1
        return self.moment

    def after(self, seconds):
        """Let time pass, and the clock look twice: at the least once after it has passed."""
        self.moment += timedelta(seconds=seconds)
        seen = self.looks
        while self.looks < seen + 2:
            time.sleep(0.01)


@pytest.fixture
def watch(admin):
    watch, stop = Watch(), threading.Event()
    thread = threading.Thread(target=keep_time, args=(stop, jobs.tick, 0.01, watch))
    thread.start()
    yield watch
    stop.set()
    thread.join()


def test_the_schedule_that_is_set_over_http_starts_runs(admin, shop, watch):
    shop.write("a.csv", "id,name\n1,Ada\n")
    admin.upload()

    def ticks():
        found = runs.page(jobs.service(), runs.Filter(trigger="schedule"))
        return [admin.watch(run.id)["state"] for run in found]

    admin.post("/schedule-job", json={"enabled": True, "rate": "rate(1 minute)"})
    watch.after(0)
    watch.after(59)
    assert ticks() == []
    watch.after(1)
    assert ticks() == ["succeeded"]
    assert shop.rows == [(1, "Ada")]
    admin.post("/schedule-job", json={"rate": "rate(2 minutes)"})
    watch.after(0)
    watch.after(119)
    assert len(ticks()) == 1
    watch.after(1)
    assert ticks() == ["succeeded", "succeeded"]
    admin.post("/schedule-job", json={"enabled": False})
    watch.after(0)
    watch.after(86_400)
    assert len(ticks()) == 2
