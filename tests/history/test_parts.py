"""A run whose parts are worked on at once: theirs are its lease, its progress and its failures."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from chalicelib.errors import LeaseLost
from chalicelib.history import leases, parts, runs
from chalicelib.history.records import Failure, Outcome
from tests.history.conftest import new_run

ARN = "arn:aws:states:eu-central-1:123456789012:execution:fanout:run-1"
FAILURE = Failure("source", "line 3 is odd", "a.csv line 3", "Mend it.")
SIZES = {0: 100, 1: 300}


@pytest.fixture
def running(engine):
    queued = runs.queue(engine, new_run()).id
    assert leases.begin(engine, queued, "process")
    return queued


@pytest.fixture
def handed_over(engine, running):
    parts.hand_over(engine, running, "process", ARN, SIZES)
    return running


def snapshot(**done):
    return {"files": 1, "rows": 0, "bytes": 0, "percent": None, **done}


def test_a_run_that_is_handed_over_is_the_executions_and_lives_through_pauses(engine, handed_over):
    run = runs.get(engine, handed_over)
    assert (run.state, run.owner) == ("running", ARN)
    assert run.lease_until - run.started_at > timedelta(seconds=599)
    with pytest.raises(LeaseLost):
        leases.heartbeat(engine, handed_over, "process", "load", {})


def test_only_its_owner_hands_it_over_and_may_say_so_twice(engine, running):
    with pytest.raises(LeaseLost):
        parts.hand_over(engine, running, "another", ARN, SIZES)
    parts.hand_over(engine, running, "process", ARN, SIZES)
    parts.hand_over(engine, running, "process", ARN, SIZES)
    assert set(parts.states(engine, running)) == {0, 1}


def test_the_progress_of_the_run_is_that_of_its_parts(engine, handed_over):
    for part in SIZES:
        parts.begin(engine, handed_over, ARN, part)
    parts.heartbeat(engine, handed_over, ARN, 0, snapshot(rows=9, bytes=100, percent=100))
    parts.heartbeat(engine, handed_over, ARN, 1, snapshot(rows=3, bytes=90, percent=20))
    seen = runs.get(engine, handed_over).progress
    assert (seen["files"], seen["rows"], seen["bytes"], seen["total_bytes"]) == (2, 12, 190, 400)
    assert seen["percent"] == 40  # all of 100 and a fifth of 300
    assert parts.whole(engine, handed_over)["percent"] == 40


def test_nobody_knows_the_size_of_an_api(engine, running):
    parts.hand_over(engine, running, "process", ARN, {0: None, 1: 50})
    parts.heartbeat(engine, running, ARN, 1, snapshot(percent=100))
    seen = runs.get(engine, running).progress
    assert (seen["total_bytes"], seen["percent"], seen["seconds_left"]) == (None, None, None)


def test_many_parts_beat_at_once_and_none_is_lost(engine, running):
    parts.hand_over(engine, running, "process", ARN, dict.fromkeys(range(30), 10))

    def beat(part):
        parts.begin(engine, running, ARN, part)
        parts.heartbeat(engine, running, ARN, part, snapshot(rows=part, percent=100))

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(beat, range(30)))
    seen = parts.whole(engine, running)
    assert (seen["rows"], seen["files"], seen["percent"]) == (sum(range(30)), 30, 100)


def test_a_part_hears_of_a_wish_to_cancel(engine, handed_over):
    assert not parts.heartbeat(engine, handed_over, ARN, 0, snapshot())
    leases.request_cancel(engine, handed_over)
    assert parts.heartbeat(engine, handed_over, ARN, 0, snapshot())


def test_a_part_of_an_execution_that_lost_the_run_stops(engine, handed_over):
    leases.finish(engine, handed_over, ARN, Outcome("failed"))
    resumed = leases.resume(engine, handed_over, "ann")
    assert resumed.attempt == 2
    leases.begin(engine, handed_over, "process")
    parts.hand_over(engine, handed_over, "process", f"{ARN}-2", SIZES)
    with pytest.raises(LeaseLost):
        parts.begin(engine, handed_over, ARN, 0)
    with pytest.raises(LeaseLost):
        parts.heartbeat(engine, handed_over, ARN, 0, snapshot())
    parts.fail(engine, handed_over, ARN, 0, FAILURE)
    assert parts.states(engine, handed_over)[0].error is None


def test_what_failed_is_remembered_until_the_run_is_handed_over_again(engine, handed_over):
    for _ in range(3):
        parts.begin(engine, handed_over, ARN, 1)
        parts.fail(engine, handed_over, ARN, 1, FAILURE)
    parts.begin(engine, handed_over, ARN, 0)
    states = parts.states(engine, handed_over)
    assert states == {0: parts.PartState(1, None), 1: parts.PartState(3, FAILURE)}
    parts.hand_over(engine, handed_over, ARN, f"{ARN}-2", SIZES)
    assert parts.states(engine, handed_over)[1] == parts.PartState(0, None)


def test_parts_go_with_their_run(engine, handed_over, query):
    leases.finish(engine, handed_over, ARN, Outcome("succeeded"))
    query("update elt_service.runs set finished_at = now() - interval '9 days'")
    assert runs.purge(engine, 1) == 1
    assert parts.states(engine, handed_over) == {}
