"""One run at a time is queued, each is remembered once, and the history is quick to read."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from chalicelib.errors import ConfigError, InvalidRows, NotFound, RunActive, TargetError
from chalicelib.history import configs, leases, runs
from chalicelib.history.records import Failure, Outcome
from chalicelib.history.runs import Filter
from dev.bench.history import add_runs
from tests.history.conftest import new_run


def ended(engine, state="succeeded", **given):
    """A run that began and ended."""
    queued = runs.queue(engine, new_run(**given))
    leases.begin(engine, queued.id, "process")
    leases.finish(engine, queued.id, "process", Outcome(state))
    return runs.get(engine, queued.id)


def test_a_queued_run_is_remembered_as_it_was_asked_for(engine):
    configs.add(engine, "a: 1", "ann")
    new = new_run(config_version=1, parent="earlier", full=True, idempotency_key="k", event_id="e")
    queued = runs.queue(engine, new)
    assert {name: getattr(queued, name) for name in vars(new)} == vars(new)
    assert queued.state == "queued"
    assert queued.lease_until - queued.created_at == timedelta(seconds=120)
    assert (queued.read, queued.started_at, queued.result) == (0, None, None)
    assert runs.get(engine, new.id) == queued


def test_a_second_run_is_refused_with_the_id_of_the_first(engine):
    first = runs.queue(engine, new_run())
    with pytest.raises(RunActive, match=first.id) as caught:
        runs.queue(engine, new_run())
    assert (caught.value.run_id, caught.value.code) == (first.id, "run_active")
    leases.begin(engine, first.id, "process")
    with pytest.raises(RunActive):
        runs.queue(engine, new_run())


def test_after_the_end_of_a_run_the_next_may_be_queued(engine):
    ended(engine)
    assert runs.queue(engine, new_run()).state == "queued"


def test_of_twenty_at_once_one_is_queued(engine):
    def attempt(_):
        try:
            return runs.queue(engine, new_run()).id
        except RunActive as error:
            return error

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(attempt, range(20)))
    winners = [answer for answer in answers if isinstance(answer, str)]
    assert len(winners) == 1
    assert {answer.run_id for answer in answers if answer not in winners} == set(winners)
    assert len(runs.page(engine)) == 1


def test_the_database_itself_holds_no_two_active_runs(engine, query):
    runs.queue(engine, new_run())
    with pytest.raises(Exception, match="one_active_run"):
        query(
            "insert into elt_service.runs (id, state, trigger, actor, lease_until) "
            "values ('x', 'running', 'api', 'ann', now())"
        )


@pytest.mark.parametrize("name", ["idempotency_key", "event_id"])
def test_the_same_request_is_the_same_run_while_it_is_active_and_after(engine, name):
    first = runs.queue(engine, new_run(**{name: "same"}))
    assert runs.queue(engine, new_run(**{name: "same"})) == first
    leases.begin(engine, first.id, "process")
    assert runs.queue(engine, new_run(**{name: "same"})).state == "running"
    leases.finish(engine, first.id, "process", Outcome("failed"))
    assert runs.queue(engine, new_run(**{name: "same"})) == runs.get(engine, first.id)
    assert runs.queue(engine, new_run(**{name: "other"})).id != first.id


@pytest.mark.parametrize("name", ["idempotency_key", "event_id"])
def test_the_same_request_twenty_times_at_once_is_one_run(engine, name):
    with ThreadPoolExecutor(20) as pool:
        queued = list(pool.map(lambda _: runs.queue(engine, new_run(**{name: "same"})), range(20)))
    assert len({run.id for run in queued}) == 1


def test_a_run_whose_commit_was_not_acknowledged_is_queued_once(engine, lost_commit):
    lost_commit()
    new = new_run()
    assert runs.queue(engine, new).id == new.id
    assert len(runs.page(engine)) == 1


def test_an_unknown_version_of_the_configuration_is_refused(engine):
    with pytest.raises(TargetError, match="service database, queueing the run"):
        runs.queue(engine, new_run(config_version=9))


@pytest.mark.parametrize("run_id", ["nowhere", "", "a\x00b", "\ud800", "%s {elt} :x"])
def test_a_run_that_is_not_there_is_not_found(engine, run_id):
    with pytest.raises(NotFound):
        runs.get(engine, run_id)


def test_a_tick_is_skipped_once_with_its_reason_even_during_a_run(engine):
    runs.queue(engine, new_run())
    reason = Failure("no_configuration", "there is no version", fix="Upload one.")
    first, again = (
        runs.skip(engine, new_run(trigger="schedule", event_id="tick"), reason) for _ in range(2)
    )
    assert first == again == runs.get(engine, first.id)
    assert (first.state, first.error) == ("skipped", reason)
    assert first.finished_at == first.created_at
    assert runs.queue(engine, new_run(event_id="tick")) == first


def test_a_failure_has_the_parts_of_its_error():
    error = InvalidRows("bad rows", where="a.csv line 3", fix="Mend them.")
    assert Failure.of(error) == Failure("invalid_rows", "bad rows", "a.csv line 3", "Mend them.")
    assert Failure.of(ConfigError(["one", "two"])).message == "one\ntwo"


def test_a_run_whose_lease_ran_out_is_shown_as_interrupted(engine, lapse):
    queued = runs.queue(engine, new_run())
    lapse()
    assert runs.get(engine, queued.id).state == "interrupted"
    assert runs.page(engine)[0].state == "interrupted"
    assert runs.page(engine, Filter(state="queued")) == []
    assert [run.id for run in runs.page(engine, Filter(state="interrupted"))] == [queued.id]


def test_pages_go_from_the_newest_to_the_first(engine):
    ids = [ended(engine).id for _ in range(5)][::-1]
    newest = runs.page(engine, limit=2)
    assert [run.id for run in newest] == ids[:2]
    assert [run.id for run in runs.page(engine, before=newest[-1].id)] == ids[2:]
    assert runs.page(engine, before=ids[-1]) == []


def test_runs_of_the_same_moment_are_neither_lost_nor_doubled_between_pages(engine, query):
    query(
        "insert into elt_service.runs (id, state, trigger, actor) "
        "select 'run-' || n, 'succeeded', 'api', 'ann' from generate_series(1, 9) n"
    )
    seen, before = [], None
    while page := runs.page(engine, before=before, limit=2):
        seen += [run.id for run in page]
        before = page[-1].id
    assert seen == [f"run-{n}" for n in range(9, 0, -1)]


def test_a_page_before_a_run_that_is_not_there_is_not_found(engine):
    with pytest.raises(NotFound):
        runs.page(engine, before="nowhere")


def test_a_page_shows_what_passes_all_filters(engine, query):
    old, scheduled = ended(engine), ended(engine, trigger="schedule")
    failed = ended(engine, "failed", trigger="schedule")
    query(f"update elt_service.runs set created_at = '2020-01-01' where id = '{old.id}'")

    def ids(**given):
        return [run.id for run in runs.page(engine, Filter(**given))]

    assert ids(state="succeeded") == [scheduled.id, old.id]
    assert ids(trigger="schedule") == [failed.id, scheduled.id]
    assert ids(since=datetime(2021, 1, 1, tzinfo=UTC)) == [failed.id, scheduled.id]
    assert ids(state="succeeded", trigger="schedule") == [scheduled.id]
    assert ids(state="cancelled") == []


def test_old_runs_are_purged_but_not_one_that_is_active(engine, query):
    old, recent = ended(engine), ended(engine)
    active = runs.queue(engine, new_run())
    query(
        "update elt_service.runs set created_at = now() - interval '11 days', "
        "finished_at = case when finished_at is not null then now() - interval '11 days' end "
        f"where id <> '{recent.id}'"
    )
    assert runs.purge(engine, 12) == 0
    assert runs.purge(engine, 10) == 1
    assert {run.id for run in runs.page(engine)} == {recent.id, active.id}
    with pytest.raises(NotFound):
        runs.get(engine, old.id)


@pytest.fixture
def long_history(engine):
    add_runs(engine, 100_000)


SINCE = datetime(2026, 2, 1, tzinfo=UTC)


def test_a_page_of_100000_runs_never_reads_or_sorts_them_all(engine, long_history, plans):
    for before in (None, "run-50000"):
        plan = plans(lambda before=before: runs.page(engine, before=before))
        assert "Index Only Scan Backward using runs_by_time" in plan
        for given in ({"state": "failed"}, {"trigger": "schedule"}, {"since": SINCE}):
            plan += plans(partial(runs.page, engine, Filter(**given), before))
        assert "Seq Scan" not in plan
        assert "Sort" not in plan


def test_interrupted_runs_are_found_without_reading_all(engine, long_history, plans):
    plan = plans(lambda: runs.page(engine, Filter(state="interrupted")))
    assert "Seq Scan" not in plan
    assert len(runs.page(engine, Filter(state="interrupted"), limit=200)) == 100


def test_queueing_looks_only_at_runs_it_might_be(engine, long_history, plans):
    plan = plans(lambda: runs.queue(engine, new_run(idempotency_key="k", event_id="e")))
    assert "runs_idempotency_key_key" in plan
    assert "one_active_run" in plan
    assert "Seq Scan" not in plan
