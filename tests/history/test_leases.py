"""A run belongs to one process at a time, and to nobody when that is gone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from chalicelib.errors import Conflict, LeaseLost, NotFound, RunActive
from chalicelib.history import leases, runs
from chalicelib.history.records import COUNTS, Failure, Outcome
from tests.history.conftest import new_run

REPORT = {"sources": [{"name": "shop", "rows": 12}]}
FAILURE = Failure("source", "line 3 is odd", "a.csv line 3", "Mend it.")


@pytest.fixture
def queued(engine):
    return runs.queue(engine, new_run()).id


@pytest.fixture
def running(engine, queued):
    assert leases.begin(engine, queued, "process")
    return queued


@pytest.fixture
def cut_off(engine, running, lapse):
    """A run whose process died, and that was settled."""
    lapse()
    leases.settle(engine, running, Outcome("interrupted"))
    return running


def state(engine, run_id):
    return runs.get(engine, run_id).state


def test_a_run_begins_with_a_lease_of_its_own(engine, queued):
    assert leases.begin(engine, queued, "process")
    run = runs.get(engine, queued)
    assert (run.state, run.owner) == ("running", "process")
    assert run.lease_until - run.started_at == timedelta(seconds=60)


def test_of_twenty_processes_one_begins(engine, queued):
    with ThreadPoolExecutor(20) as pool:
        begun = list(pool.map(lambda n: leases.begin(engine, queued, f"process {n}"), range(20)))
    assert begun.count(True) == 1
    assert runs.get(engine, queued).owner == f"process {begun.index(True)}"


def test_beginning_is_not_lost_with_the_answer(engine, queued, lost_commit):
    lost_commit()
    assert leases.begin(engine, queued, "process")


@pytest.mark.parametrize("end", ["succeeded", "failed", "cancelled"])
def test_a_run_that_ended_does_not_begin(engine, running, end):
    leases.finish(engine, running, "process", Outcome(end))
    assert not leases.begin(engine, running, "another")
    assert not leases.begin(engine, "nowhere", "another")
    assert state(engine, running) == end


def test_a_late_start_still_begins_unless_another_run_took_the_place(engine, queued, lapse):
    lapse()
    leases.settle(engine, queued, Outcome("interrupted"))
    other = runs.queue(engine, new_run())
    assert not leases.begin(engine, queued, "late")
    leases.request_cancel(engine, other.id)
    assert leases.begin(engine, queued, "late")
    assert runs.get(engine, queued).finished_at is None


def test_a_run_whose_process_is_gone_must_be_settled_before_another_begins_it(
    engine, running, lapse
):
    lapse()
    assert not leases.begin(engine, running, "another")
    leases.settle(engine, running, Outcome("interrupted"))
    assert leases.begin(engine, running, "another")


def test_a_heartbeat_keeps_the_run_and_its_progress(engine, running, lapse):
    lapse()
    progress = {"percent": 12.5, "file": "nul \x00, half \ud800, \\u0000"}
    assert leases.heartbeat(engine, running, "process", "load", progress) is False
    run = runs.get(engine, running)
    assert (run.state, run.step) == ("running", "load")
    assert run.progress == {"percent": 12.5, "file": "nul ␀, half ?, \\u0000"}


def test_a_heartbeat_says_stop_when_the_run_is_to_be_cancelled(engine, running):
    assert leases.request_cancel(engine, running).state == "running"
    assert leases.heartbeat(engine, running, "process", "load", {}) is True


def test_a_heartbeat_tells_when_the_run_is_no_longer_the_owners(engine, cut_off):
    with pytest.raises(LeaseLost, match="Resume it"):
        leases.heartbeat(engine, cut_off, "process", "load", {})
    leases.begin(engine, cut_off, "another")
    assert leases.heartbeat(engine, cut_off, "another", "load", {}) is False
    for run_id, owner in ((cut_off, "process"), ("nowhere", "another")):
        with pytest.raises(LeaseLost):
            leases.heartbeat(engine, run_id, owner, "load", {})


def test_the_end_of_a_run_is_kept_whole(engine, running):
    outcome = Outcome("failed", 10**12, 2, 3, 4, 5, 6, REPORT, FAILURE)
    assert leases.finish(engine, running, "process", outcome)
    run = runs.get(engine, running)
    assert run.state == "failed"
    assert [getattr(run, name) for name in COUNTS] == [10**12, 2, 3, 4, 5, 6]
    assert (run.result, run.error, run.lease_until) == (REPORT, FAILURE, None)
    assert run.created_at < run.started_at < run.finished_at


def test_finishing_twice_is_the_same_as_once(engine, running):
    leases.finish(engine, running, "process", Outcome("succeeded", 5))
    once = runs.get(engine, running)
    assert leases.finish(engine, running, "process", Outcome("succeeded", 5))
    assert runs.get(engine, running) == once


def test_an_end_is_not_changed_into_another(engine, running):
    leases.finish(engine, running, "process", Outcome("succeeded"))
    assert not leases.finish(engine, running, "process", Outcome("failed"))
    assert state(engine, running) == "succeeded"


def test_only_the_owner_ends_a_run(engine, running):
    assert not leases.finish(engine, running, "another", Outcome("succeeded"))
    assert state(engine, running) == "running"


def test_a_process_that_was_thought_dead_may_still_say_how_it_ended(engine, cut_off):
    assert leases.finish(engine, cut_off, "process", Outcome("succeeded"))
    assert state(engine, cut_off) == "succeeded"


def test_but_not_once_the_run_was_resumed(engine, cut_off):
    leases.resume(engine, cut_off, "bob")
    assert not leases.finish(engine, cut_off, "process", Outcome("succeeded"))
    assert state(engine, cut_off) == "queued"


def test_a_queued_run_is_cancelled_at_once(engine, queued):
    cancelled = leases.request_cancel(engine, queued)
    assert (cancelled.state, cancelled.lease_until) == ("cancelled", None)
    assert cancelled.finished_at is not None
    assert not leases.begin(engine, queued, "process")
    assert runs.queue(engine, new_run()).state == "queued"


def test_a_run_that_ended_cannot_be_cancelled(engine, running):
    leases.finish(engine, running, "process", Outcome("succeeded"))
    with pytest.raises(Conflict, match="is succeeded and cannot be cancelled"):
        leases.request_cancel(engine, running)
    with pytest.raises(NotFound):
        leases.request_cancel(engine, "nowhere")


@pytest.mark.parametrize("begun", [False, True])
def test_a_lease_that_ran_out_is_found_and_settled_once(engine, queued, lapse, begun):
    if begun:
        leases.begin(engine, queued, "process")
    assert leases.expired(engine) == []
    lapse()
    assert [run.id for run in leases.expired(engine)] == [queued]
    assert leases.settle(engine, queued, Outcome("succeeded", 7)).read == 7
    assert leases.expired(engine) == []
    assert leases.settle(engine, queued, Outcome("interrupted")).state == "succeeded"


def test_an_expired_run_still_holds_its_place_until_it_is_settled(engine, running, lapse):
    lapse()
    with pytest.raises(RunActive):
        runs.queue(engine, new_run())
    leases.settle(engine, running, Outcome("interrupted"))
    assert runs.queue(engine, new_run()).state == "queued"


def test_a_run_that_came_to_life_is_not_settled(engine, running, lapse):
    lapse()
    leases.heartbeat(engine, running, "process", "load", {})
    assert leases.settle(engine, running, Outcome("interrupted")).state == "running"
    with pytest.raises(NotFound):
        leases.settle(engine, "nowhere", Outcome("interrupted"))


def test_a_run_is_resumed_under_its_id(engine, running):
    leases.finish(engine, running, "process", Outcome("failed", error=FAILURE))
    resumed = leases.resume(engine, running, "bob")
    assert (resumed.id, resumed.state, resumed.resumed_by) == (running, "queued", "bob")
    assert (resumed.trigger, resumed.actor) == ("api", "ann"), "as it was begun"
    assert (resumed.error, resumed.finished_at) == (None, None)
    assert leases.begin(engine, running, "another")


def test_a_run_is_resumed_even_before_it_was_settled(engine, running, lapse):
    lapse()
    assert leases.resume(engine, running, "bob").state == "queued"
    with pytest.raises(LeaseLost):
        leases.heartbeat(engine, running, "process", "load", {})


def test_a_request_to_cancel_does_not_outlive_the_resume(engine, running, lapse):
    leases.request_cancel(engine, running)
    lapse()
    leases.settle(engine, running, Outcome("interrupted"))
    assert not leases.begin(engine, running, "another")
    leases.resume(engine, running, "bob")
    assert leases.begin(engine, running, "another")


def test_of_twenty_resumes_at_once_one_succeeds(engine, cut_off):
    def attempt(_):
        try:
            return leases.resume(engine, cut_off, "bob").state
        except Conflict as error:
            return error.code

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(attempt, range(20)))
    assert sorted(answers) == ["conflict"] * 19 + ["queued"]


def test_resuming_is_not_lost_with_the_answer(engine, cut_off, lost_commit):
    lost_commit()
    assert leases.resume(engine, cut_off, "bob").state == "queued"


def test_a_run_is_not_resumed_beside_another(engine, cut_off):
    other = runs.queue(engine, new_run())
    with pytest.raises(RunActive, match=other.id):
        leases.resume(engine, cut_off, "bob")


@pytest.mark.parametrize("end", ["succeeded", "cancelled"])
def test_a_run_that_is_done_is_not_resumed(engine, running, end):
    with pytest.raises(Conflict, match="is running and cannot be resumed"):
        leases.resume(engine, running, "bob")
    leases.finish(engine, running, "process", Outcome(end))
    with pytest.raises(Conflict, match=f"is {end} and cannot be resumed"):
        leases.resume(engine, running, "bob")
    with pytest.raises(NotFound):
        leases.resume(engine, "nowhere", "bob")


def test_a_run_that_is_passed_on_keeps_its_place_for_the_next_worker(engine, running):
    assert leases.pass_on(engine, running, "process")
    with pytest.raises(RunActive):
        runs.queue(engine, new_run())
    assert leases.begin(engine, running, "next")
    assert not leases.pass_on(engine, running, "process")


def test_a_run_that_is_to_be_cancelled_is_not_passed_on(engine, running):
    leases.request_cancel(engine, running)
    assert not leases.pass_on(engine, running, "process")
