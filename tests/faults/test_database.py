"""The database fails: it dies, hangs up, says nothing, is full, refuses. The rows are there once."""

from __future__ import annotations

import threading

import pytest

from chalicelib.errors import TargetError
from chalicelib.retry import PASSING_SQLSTATES

ROWS = 40_000


@pytest.fixture(autouse=True)
def delivered(shop):
    shop.deliver("a.csv", ROWS)


def restart_later(server):
    def restart():
        server.kill()
        threading.Timer(1.5, server.start).start()

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
    monkeypatch.setenv("ELT_DATABASE_TIMEOUT", "1")
    proxy.fault = fault
    shop.run()
    proof(f"network: {fault} in mid-COPY", "succeeded", proxy.provoked)


def test_a_connection_reset_at_random_moments_loses_nothing(shop, proxy, proof, chance):
    shop.run()
    traffic, provoked, failures = proxy.passed, proxy.provoked, 0
    for number in range(6):
        shop.deliver(f"{number}.csv", 2_000)
        proxy.passed, proxy.reset_after = 0, chance.randrange(traffic // 8)
        try:
            shop.run()
        except TargetError:
            failures += 1
            shop.run()
    proof("connection reset at random moments", "succeeded", proxy.provoked - provoked)


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
