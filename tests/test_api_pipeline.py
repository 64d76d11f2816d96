"""Whole runs that read an API: the cursor goes with the rows, and a secret nowhere."""

from __future__ import annotations

import logging

import pytest

from chalicelib.errors import EltError
from tests.extract.server import ok, running
from tests.pipelines import Pipeline

CANARY = "c4nary-0f-the-api"
INCREMENTAL = {"cursor": "id", "param": "after"}


class Api:
    """Orders by id, two a page; `broken` is a page that fails."""

    def __init__(self):
        self.last = 5
        self.broken = None
        self.asked = []

    def answer(self, request):
        after, page = int(request.query.get("after", 1)), int(request.query["page"])
        self.asked.append((after, page))
        if page == self.broken:
            return 400, {}, f"no page {page} for {request.headers['Authorization']}".encode()
        ids = range(after, self.last + 1)[page * 2 - 2 : page * 2]
        return ok({"data": [{"id": n, "name": f"order {n}"} for n in ids]})


@pytest.fixture
def api():
    return Api()


@pytest.fixture
def shop(tmp_path, database, monkeypatch, api):
    monkeypatch.setenv("ELT_TARGET_URL", database)
    pipeline = Pipeline(tmp_path, database)
    with running(api.answer) as (url, _):
        pipeline.source = {
            "type": "api",
            "url": url,
            "auth": {"type": "bearer", "token": CANARY},
            "pagination": {"type": "page"},
            "incremental": INCREMENTAL,
        }
        yield pipeline


def cursors(shop):
    return [value for (value,) in shop.query("select value from elt.cursors")]


def ids(shop):
    return [number for number, _ in shop.rows]


def test_each_run_goes_on_where_the_rows_end(shop, api):
    assert shop.run().inserted == 5
    api.last = 8
    assert shop.run().inserted == 3
    assert shop.run().inserted == 0
    assert ids(shop) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert cursors(shop) == ["8"]
    assert {after for after, _ in api.asked} == {1, 5, 8}


def test_a_run_that_fails_on_a_later_page_moves_neither_rows_nor_cursor(shop, api):
    shop.run()
    api.last, api.broken = 12, 3
    with pytest.raises(EltError, match=r"page=3: the API answers 400"):
        shop.run()
    assert (ids(shop), cursors(shop)) == ([1, 2, 3, 4, 5], ["5"])
    api.broken = None
    assert shop.run().inserted == 7
    assert (ids(shop), cursors(shop)) == (list(range(1, 13)), ["12"])


def test_the_token_is_in_no_log_report_or_table(shop, api, caplog):
    with caplog.at_level(logging.DEBUG):
        result = shop.run()
        api.last, api.broken = 7, 1
        with pytest.raises(EltError) as failed:
            shop.run()
    assert "no page 1 for Bearer ***" in str(failed.value)
    tables = shop.query("select table_name from information_schema.tables where table_schema='elt'")
    stored = [row for (table,) in tables for row in shop.query(f"select * from elt.{table}")]
    assert stored
    assert CANARY not in f"{stored} {result} {failed.value!r} {caplog.text}"
