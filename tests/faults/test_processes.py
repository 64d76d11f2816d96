"""The process that works on a run is killed, frozen, starved, out of time: what then is there."""

from __future__ import annotations

import json
import signal
import time

import pytest

from chalicelib import database, jobs, load
from chalicelib.errors import RunActive
from chalicelib.jobs import outputs, worker
from chalicelib.jobs.deadline import MARGIN
from tests.faults.harness import KILLS, ROWS, invoke, run, wait_until, work

ROW_TIME = """
    create table orders (id bigint, name text);
    create function dawdle() returns trigger language plpgsql as $$
    begin
        if new.id % 1000 = 0 then perform pg_sleep({seconds}); end if;
        return new;
    end $$;
    create trigger dawdle before insert on orders for each row execute function dawdle();
"""


def slow(shop, seconds):
    """Each thousand rows take so long to load."""
    shop.query(ROW_TIME.format(seconds=seconds))


def in_mid_copy(shop):
    wait_until(lambda: shop.query("select 1 from pg_stat_progress_copy where tuples_processed > 0"))


SLOW_PARTS = """
    create function dawdle() returns event_trigger language plpgsql as $$
    begin
        if exists (select from pg_event_trigger_ddl_commands()
                   where object_identity like '%stage_%') then perform pg_sleep({seconds}); end if;
    end $$;
    create event trigger slow on ddl_command_end when tag in ('CREATE TABLE')
        execute function dawdle();
"""


def in_parts(shop, monkeypatch, files=4, rows=5_000):
    """As many parts as files."""
    for number in range(files):
        shop.deliver(f"{number}.csv", rows)
    monkeypatch.setenv("ELT_PART_BYTES", str((shop.folder / "data" / "0.csv").stat().st_size))


def lifetime(child):
    """Seconds from the beginning of an undisturbed run to a little after its end."""
    child.until("run started")
    started = time.monotonic()
    child.until("run succeeded")
    seconds = time.monotonic() - started
    child.ended()
    return seconds * 1.1


def test_a_run_killed_at_random_moments_is_simply_run_again(shop, proof, chance):
    config = shop.saved()
    shop.deliver("a.csv", ROWS)
    run(config).ended()
    shop.empty()
    seconds = lifetime(run(config))
    committed = 0
    for _ in range(KILLS):
        shop.empty()
        child = run(config).until("run started")
        time.sleep(chance.uniform(0, seconds))
        child.end()
        committed += shop.count()[0] > 0
        run(config).ended()
        proof.check()
    proof(f"run killed -9 ({committed} times after COMMIT)", "succeeded", KILLS)


def test_a_worker_killed_at_random_moments_is_settled_and_resumed(shop, service, proof, chance):
    history = service()
    shop.deliver("a.csv", ROWS)
    work(history.trigger()).ended()
    shop.empty()
    seconds = lifetime(work(history.trigger()))
    committed = 0
    for _ in range(KILLS):
        shop.empty()
        queued = history.trigger()
        invoked = work(queued).until("run started")
        time.sleep(chance.uniform(0, seconds))
        invoked.end()
        is_loaded = shop.count()[0] > 0
        committed += is_loaded
        history.settle()
        assert history.state(queued) == ("succeeded" if is_loaded else "interrupted")
        if not is_loaded:
            jobs.resume(history.engine, queued, "ann")
            work(queued).ended()
        assert history.state(queued) == "succeeded"
        proof.check()
    proof(f"worker killed -9 ({committed} times after COMMIT)", "succeeded", KILLS)


def test_a_worker_frozen_past_its_lease_cannot_commit_once_it_thaws(shop, loader, service, proof):
    shop.deliver("a.csv", 20_000)
    slow(shop, 0.1)
    shop.query("grant all on orders to loader")
    history = service()
    frozen = history.trigger()
    invoked = work(frozen).until("run started")
    in_mid_copy(shop)
    invoked.process.send_signal(signal.SIGSTOP)
    history.lapse()
    successor = history.trigger()
    assert history.state(frozen) == "interrupted"
    work(successor).ended()
    invoked.end(signal.SIGCONT)
    assert (history.state(successor), history.state(frozen)) == ("succeeded", "failed")
    assert history.run(frozen).error.code == "superseded"
    proof("worker frozen in mid-COPY, superseded, thawed", history.state(successor))


def test_a_run_that_is_told_to_end_says_that_nothing_is_lost(shop, proof):
    shop.deliver("a.csv", 20_000)
    slow(shop, 0.1)
    child = run(shop.saved()).until("run started")
    in_mid_copy(shop)
    assert "Run it again: nothing is loaded twice" in child.end(signal.SIGTERM).said
    assert child.process.returncode == 1
    proof("SIGTERM in mid-COPY", "stopped", rows=0, rejects=0)
    run(shop.saved()).ended()
    proof("… and run again", "succeeded", 0)


def test_a_run_without_memory_loads_nothing_and_says_so_unless_it_is_ended(shop, service, proof):
    """A library that is refused memory may take the process with it, as Lambda does."""
    shop.write("a.json", json.dumps([{"id": n, "name": "x" * (15 << 20)} for n in range(4)]))
    shop.read = 4
    history = service()
    queued = history.trigger()
    invoked = work(queued, spare=60).ended()
    history.settle()
    error = history.run(queued).error
    said = error.code if error else f"signal {-invoked.process.returncode}"
    assert said in ("out_of_memory", "signal 6", "signal 11")
    proof(f"out of memory ({said})", history.state(queued), rows=0)
    jobs.resume(history.engine, queued, "ann")
    work(queued).ended()
    proof("… and resumed with memory", history.state(queued), 0)


def test_what_breaks_after_commit_does_not_make_the_run_a_failed_one(
    shop, service, proof, monkeypatch
):
    def starved(*_):
        raise MemoryError

    monkeypatch.setattr(outputs, "keep", starved)
    shop.deliver("a.csv", 1_000)
    history = service()
    queued = history.trigger()
    worker.work(queued)
    proof("out of memory after COMMIT", history.state(queued))


def test_a_full_disk_is_told_with_what_the_run_takes(shop, service, proof, small_disk, monkeypatch):
    shop.deliver("a.csv", 100_000)
    monkeypatch.setenv("ELT_WORK_DIR", str(small_disk))
    history = service()
    queued = history.trigger()
    work(queued).ended()
    error = history.run(queued).error
    assert (error.code, "No space left on device; it takes at least" in error.message) == (
        "disk", True,
    )  # fmt: skip
    proof("disk of the worker full", history.state(queued), rows=0, rejects=0)
    monkeypatch.delenv("ELT_WORK_DIR")
    jobs.resume(history.engine, queued, "ann")
    work(queued).ended()
    proof("… and resumed with room", history.state(queued), 0)


def test_an_invocation_without_time_stops_before_it_is_ended(shop, service, proof):
    shop.deliver("a.csv", 20_000)
    slow(shop, 1)
    history = service()
    queued = history.trigger()
    invoked = work(queued, MARGIN + 4).ended()
    assert (invoked.process.returncode, invoked.answer) == (0, "")
    error = history.run(queued).error
    assert (error.code, "raise the function's timeout" in error.fix) == ("out_of_time", True)
    proof("out of time in mid-COPY", history.state(queued), rows=0, rejects=0)
    shop.query("drop trigger dawdle on orders")
    jobs.resume(history.engine, queued, "ann")
    work(queued, MARGIN + 60).ended()
    proof("… and resumed with time", history.state(queued), 0)


def test_a_run_of_several_parts_goes_on_in_the_next_invocations(shop, service, proof, monkeypatch):
    in_parts(shop, monkeypatch)
    shop.query(SLOW_PARTS.format(seconds=2))
    history = service()
    queued = history.trigger()
    invoked = work(queued, MARGIN + 6).ended()
    assert json.loads(invoked.answer) == {"run_id": queued, "invocation": "2"}
    assert (history.state(queued), shop.count()) == ("queued", (0, 0))
    with pytest.raises(RunActive):
        history.trigger()
    while invoked.answer:
        invoked = invoke(json.loads(invoked.answer), MARGIN + 6).ended()
    proof("out of time among the parts, next invocations", history.state(queued))


def test_a_worker_killed_among_its_parts_reads_no_part_twice(
    shop, service, proof, chance, monkeypatch
):
    in_parts(shop, monkeypatch, rows=ROWS // 4)
    history = service()
    work(history.trigger()).ended()
    shop.empty()
    seconds = lifetime(work(history.trigger()))
    for _ in range(KILLS):
        shop.empty()
        queued = history.trigger()
        invoked = work(queued).until("run started")
        time.sleep(chance.uniform(0, seconds))
        invoked.end()
        history.settle()
        if history.state(queued) == "interrupted":
            aside = len(load.staged(database.connect(shop.config.target), queued))
            jobs.resume(history.engine, queued, "ann")
            said = work(queued).ended().said
            assert said.count("part put aside") == 4 - aside
        assert history.state(queued) == "succeeded"
        proof.check()
    proof("worker killed -9 among its parts", "succeeded", KILLS)
