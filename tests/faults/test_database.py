"""The database dies, hangs up, says nothing, is full, refuses: the rows are there once."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from contextlib import suppress

import pg8000.native
import pytest

from chalicelib.errors import TargetError
from chalicelib.retry import PASSING_SQLSTATES
from chalicelib.secrets import user_store
from tests.faults.harness import KILLS, Service, wait_until, work

ROWS = 20_000


@pytest.fixture(autouse=True)
def delivered(shop):
    shop.deliver("a.csv", ROWS)


def restart_later(server):
    def restart():
        server.kill()
        threading.Timer(4, server.start).start()  # longer than three attempts take

    return restart


def test_a_server_killed_in_mid_copy_is_waited_for(shop, server, proxy, proof):
    proxy.at_copy = restart_later(server)
    assert shop.run().inserted == ROWS - shop.quarantined
    proof("postmaster killed -9 in mid-COPY, restarted", "succeeded", proxy.provoked)


def end_backend(shop):
    return lambda: shop.query("select pg_terminate_backend(backend_pid) from elt.fence")


def test_a_backend_terminated_in_mid_copy_costs_one_attempt(shop, proxy, proof):
    proxy.at_copy = end_backend(shop)
    shop.run()
    proof("backend terminated", "succeeded", proxy.provoked)


@pytest.mark.parametrize("fault", ["reset", "swallow", "lose_commit"])
def test_a_network_that_fails_once_costs_one_attempt(shop, proxy, proof, fault, monkeypatch):
    monkeypatch.setenv("ELT_DATABASE_TIMEOUT", "3")
    proxy.fault = fault
    shop.run()
    proof(f"network: {fault} in mid-COPY", "succeeded", proxy.provoked)


def test_a_connection_reset_at_random_moments_loses_nothing(shop, proxy, proof, chance):
    shop.run()
    for number in range(2 * KILLS):
        shop.deliver(f"{number}.csv", 2_000)
        proxy.passed, proxy.reset_after = 0, chance.randrange(80_000)
        with suppress(TargetError):
            shop.run()
        shop.run()
    proof("connection reset at random moments", "succeeded", proxy.provoked)


def test_a_backend_that_is_always_terminated_ends_in_a_clear_error(shop, proxy, proof):
    def again():
        proxy.at_copy = again
        end_backend(shop)()

    proxy.at_copy = again
    with pytest.raises(TargetError, match=r"loading public\.orders: no connection"):
        shop.run()
    times, proxy.at_copy = proxy.provoked, None
    proof("backend terminated each time", "failed", times, rows=0, rejects=0)
    shop.run()
    proof("… and run again", "succeeded", 0)


RAISE = """
    create table orders (id bigint, name text);
    create sequence attempts;
    create function refuse() returns trigger language plpgsql as $$
    begin
        if nextval('attempts') <= {times} then
            raise exception 'as it happens' using errcode = '{code}';
        end if;
        return null;
    end $$;
    create trigger refuse after insert on orders for each statement execute function refuse();
"""


def refuse(shop, code, times=1):
    """PostgreSQL refuses so many COPYs with this SQLSTATE."""
    shop.query(RAISE.format(code=code, times=times))
    return lambda: int(shop.query("select last_value from attempts")[0][0])


@pytest.mark.parametrize("code", PASSING_SQLSTATES)
def test_what_passes_by_itself_is_tried_again(shop, proof, code):
    attempts = refuse(shop, code)
    shop.run()
    assert attempts() == 2
    proof(f"SQLSTATE {code}: {PASSING_SQLSTATES[code]}", "succeeded")


@pytest.mark.parametrize("code", ["23505", "23514", "22P02", "42501", "53100", "57014", "P0001"])
def test_what_stays_as_it_is_is_tried_once(shop, proof, code):
    attempts = refuse(shop, code)
    with pytest.raises(TargetError, match=code):
        shop.run()
    assert attempts() == 1
    proof(f"SQLSTATE {code}", "failed", rows=0, rejects=0)


COUNTED = """
    create table orders (id bigint, name text);
    create table counter (n bigint);
    insert into counter values (0);
    create function note() returns trigger language plpgsql as $$
    begin
        perform pg_sleep(0.5);
        update counter set n = n + 1;
        return new;
    end $$;
    create trigger note before insert on orders for each row when (new.id = 15000)
    execute function note();
"""


def test_a_deadlock_costs_one_attempt(shop, server, proof):
    shop.query(COUNTED)

    def cross() -> None:
        """Hold what the load will want, and want what it holds."""
        with server.admin(shop.database) as other:
            other.run("begin")
            other.run("set local deadlock_timeout to '1h'")  # so that the load is the victim
            other.run("update counter set n = n + 1")
            wait_until(lambda: copying(shop))
            other.run("lock table orders in exclusive mode")
            other.run("commit")

    crossing = threading.Thread(target=cross)
    crossing.start()
    shop.run()
    crossing.join()
    assert shop.query("select n from counter") == [(2,)]
    (deadlocks,) = shop.query(
        "select deadlocks from pg_stat_database where datname = current_database()"
    )[0]
    proof("deadlock", "succeeded", deadlocks)


def copying(shop) -> bool:
    return shop.query("select 1 from pg_stat_progress_copy where tuples_processed > 0") == [(1,)]


def test_a_full_disk_of_the_server_fails_at_once_and_is_told(shop, server, proof, small_disk):
    shutil.chown(small_disk, server.folder.stat().st_uid, server.folder.stat().st_gid)
    for folder in (small_disk.parent, *small_disk.parent.parents[:3]):
        folder.chmod(0o755)
    with server.admin(shop.database) as admin:
        admin.run(f"create tablespace small location '{small_disk}'")
        admin.run("create table orders (id bigint, name text) tablespace small")
        with pytest.raises(TargetError, match=r"53100.*The server's disk is full: make room there"):
            shop.run()
        proof("disk of the server full", "failed", rows=0, rejects=0)
        subprocess.run(["mount", "-o", "remount,size=64m", small_disk], check=True)
        shop.run()
        proof("… and run again with room", "succeeded", 0)
        admin.run("alter table orders set tablespace pg_default")
        admin.run("drop tablespace small")


def test_a_server_without_a_free_connection_is_waited_for(shop, server, loader, service, proof):
    queued = service().trigger()
    with server.admin() as admin:
        admin.run(f"alter role {loader} connection limit 2")
    held = [connected(server, shop), connected(server, shop)]
    worker = work(queued).until("SQLSTATE 53300")
    threading.Timer(4, lambda: [connection.close() for connection in held]).start()
    assert worker.ended().said.count("53300") >= 3
    proof("too many connections", service().state(queued))


def test_a_service_database_that_is_gone_does_not_stop_a_run(
    shop, proxy, service, proof, monkeypatch
):
    monkeypatch.setenv("ELT_SERVICE_URL", os.environ["ELT_TARGET_URL"])
    monkeypatch.setenv("ELT_TARGET_URL", shop.url)
    queued = service().trigger()
    worker = work(queued).until("run started")
    proxy.cut = True
    assert "no connection to PostgreSQL" in worker.ended().said, "nobody heard how it ended"
    monkeypatch.setenv("ELT_SERVICE_URL", shop.url)
    history = Service()
    assert history.state(queued) == "running"
    history.settle()
    proof("service database gone in mid-run, settled later", history.state(queued))


def connected(server, shop):
    return pg8000.native.Connection(
        "loader",
        unix_sock=str(server.folder / ".s.PGSQL.5432"),
        database=shop.database,
        password="first",
    )


def test_a_password_changed_in_mid_run_is_read_once_more(shop, server, loader, service, proof):
    history = service()
    queued = history.trigger()
    with server.admin(shop.database) as admin:
        admin.run("begin")
        admin.run("select pg_advisory_xact_lock(hashtextextended('elt table public.orders', 0))")
        worker = work(queued)
        wait_until(lambda: admin.run("select 1 from pg_locks where not granted"))
        with server.admin() as other:
            other.run(f"alter role {loader} password 'second'")
        user_store().put("warehouse", "second")
        admin.run("commit")
    assert "it is read once more" in worker.ended().said
    proof("password changed in mid-run", history.state(queued))
