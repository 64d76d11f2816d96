"""A run of several parts meets the faults that a run of one does: nobody sees half of it."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from pathlib import Path

import pytest

from chalicelib import database, jobs, load
from chalicelib.progress import Progress
from chalicelib.several import Cut
from tests.faults.harness import run, wait_until, work


@pytest.fixture(autouse=True)
def parts(shop, monkeypatch):
    """As many parts as files."""
    for number in range(3):
        shop.deliver(f"{number}.csv", 2_000)
    size = (shop.folder / "data" / "0.csv").stat().st_size
    monkeypatch.setenv("ELT_PART_BYTES", str(size))
    return Cut(share=size)


def stages(shop):
    (count,) = shop.query("select count(*) from pg_class where relname like 'stage\\_%'")[0]
    return count


class AtTransform(Progress):
    """Does something once, when the rows of all parts are in and not committed."""

    def __init__(self, act):
        super().__init__()
        self._act = act

    def begin(self, step, total, unit):  # noqa: ARG002
        if step == "transform" and self._act:
            act, self._act = self._act, None
            act()


def test_an_answer_to_the_commit_that_publishes_is_lost(shop, proxy, parts, proof):
    shop.transform = [{"name": "look", "sql": "select 1"}]
    shop.run(cut=parts, progress=AtTransform(lambda: setattr(proxy, "fault", "lose_commit")))
    proof("parts: answer to COMMIT of publishing lost", "succeeded", proxy.provoked)


def test_a_backend_that_publishes_is_terminated(shop, proxy, parts, proof):
    shop.transform = [{"name": "look", "sql": "select 1"}]
    end = "select pg_terminate_backend(backend_pid) from elt.fence where backend_pid is not null"
    shop.run(cut=parts, progress=AtTransform(lambda: shop.query(end)))
    proof("parts: backend that publishes terminated", "succeeded")


def test_an_answer_to_the_commit_of_a_part_is_lost(shop, proxy, parts, proof):
    shop.deliver("3.csv", 20_000)
    proxy.at_copy = lambda: setattr(proxy, "fault", "lose_commit")
    shop.run(cut=parts)
    proof("parts: answer to COMMIT of one lost", "succeeded", proxy.provoked - 1)


SLEEPY = """
    create table orders (id bigint, name text);
    create function dawdle() returns trigger language plpgsql as $$
    begin perform pg_sleep(3); return null; end $$;
    create trigger dawdle after insert on orders for each statement execute function dawdle();
"""
ASLEEP = """
    select 1 from pg_stat_activity
    where wait_event = 'PgSleep' and datname = current_database()
"""


def publishing(shop, history):
    """A run that publishes, slowly, and the process that works on it."""
    shop.query(SLEEPY)
    queued = history.trigger()
    worker = work(queued)
    wait_until(lambda: shop.query(ASLEEP))
    return queued, worker


def test_a_worker_is_frozen_while_it_publishes(shop, service, proof):
    history = service()
    queued, frozen = publishing(shop, history)
    frozen.process.send_signal(signal.SIGSTOP)
    history.settle()
    assert (history.state(queued), shop.count()) == ("interrupted", (0, 0))
    jobs.resume(history.engine, queued, "ann")
    assert "part put aside" not in work(queued).ended().said
    frozen.end(signal.SIGCONT)
    proof("parts: worker frozen while it publishes, thawed", history.state(queued))


def test_a_run_is_cancelled_while_it_publishes(shop, service, proof):
    history = service()
    queued, worker = publishing(shop, history)
    jobs.cancel(history.engine, queued)
    worker.ended()
    assert (stages(shop), shop.rejects()) == (0, 0)
    proof("parts: cancelled while they are published", history.state(queued), rows=0, rejects=0)
    again = history.trigger()
    work(again).ended()
    proof("… and run again", history.state(again), 0)


@contextmanager
def nobody_ends_a_part(shop, server):
    load.migrate(database.connect(shop.config.target))
    with server.admin(shop.database) as admin:
        admin.run("begin")
        admin.run("lock table elt.rejects in exclusive mode")
        yield lambda: wait_until(lambda: admin.run("select 1 from pg_locks where not granted"))
        admin.run("commit")


def test_a_worker_is_frozen_in_a_part(shop, server, service, proof):
    history = service()
    queued = history.trigger()
    with nobody_ends_a_part(shop, server) as in_a_part:
        frozen = work(queued)
        in_a_part()
        frozen.process.send_signal(signal.SIGSTOP)
    history.settle()
    jobs.resume(history.engine, queued, "ann")
    work(queued).ended()
    frozen.end(signal.SIGCONT)
    proof("parts: worker frozen in one, thawed", history.state(queued))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_the_run_that_it_works_for(shop, server, proof, number):
    with nobody_ends_a_part(shop, server) as in_a_part:
        parent = run(shop.saved(), "--parts", "3")
        in_a_part()
        children = parent.children
        parent.process.send_signal(number)
        wait_until(lambda: not any(Path(f"/proc/{child}").exists() for child in children))
    parent.ended()
    assert stages(shop) == 0
    proof(f"parts in processes: {number.name}", "stopped", rows=0, rejects=0)
    run(shop.saved(), "--parts", "3").ended()
    proof("… and run again", "succeeded", 0)
